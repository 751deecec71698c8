// DeviceVector: an array on the device, made from one of the host and read back.
#pragma once

#include <initializer_list>
#include <vector>

#include "tensor/device_memory.h"

namespace clade::testing {

template <class T>
class DeviceVector {
 public:
  explicit DeviceVector(const std::vector<T>& values)
      : size_(values.size()), data_(static_cast<T*>(device_allocate(values.size() * sizeof(T)))) {
    copy_to_device(data_, values.data(), size_ * sizeof(T));
  }
  DeviceVector(std::initializer_list<T> values) : DeviceVector(std::vector<T>(values)) {}
  DeviceVector(size_t size, T value) : DeviceVector(std::vector<T>(size, value)) {}
  ~DeviceVector() { device_deallocate(data_); }
  DeviceVector(const DeviceVector&) = delete;
  DeviceVector& operator=(const DeviceVector&) = delete;

  T* data() const { return data_; }
  std::vector<T> values() const {
    std::vector<T> out(size_);
    copy_to_host(out.data(), data_, size_ * sizeof(T));
    return out;
  }

 private:
  size_t size_;
  T* data_;
};

}  // namespace clade::testing
