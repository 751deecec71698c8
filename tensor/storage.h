// Storage: one counted block of bytes on one device. Tensors are views of it.
//
// `version` counts in-place writes; `writer` names the last one. The backward pass compares the
// version that it saved with the current one, and an error can name who changed the data.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tensor/device.h"
#include "tensor/memory.h"

namespace clade {

class Storage {
 public:
  // Throws Error when the device is not there or has no room.
  Storage(size_t bytes, Device device);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  Device device() const { return device_; }
  int owners() const { return owners_.load(std::memory_order_relaxed); }
  int64_t version() const { return version_; }
  const char* writer() const { return writer_; }
  // `op` must be a string literal.
  void written_by(const char* op) { version_++, writer_ = op; }

 private:
  friend class StorageRef;
  void* data_;
  size_t bytes_;
  Device device_;
  std::atomic<int> owners_{0};
  int64_t version_ = 0;
  const char* writer_ = "";
};

// An intrusive counted pointer to Storage: one word, no <memory> header.
class StorageRef {
 public:
  StorageRef() = default;
  explicit StorageRef(Storage* s) : storage_(s) { retain(); }
  StorageRef(const StorageRef& other) : storage_(other.storage_) { retain(); }
  StorageRef(StorageRef&& other) noexcept : storage_(other.storage_) { other.storage_ = nullptr; }
  StorageRef& operator=(StorageRef other) noexcept {
    Storage* mine = storage_;
    storage_ = other.storage_;
    other.storage_ = mine;
    return *this;
  }
  ~StorageRef() { release(); }

  Storage* operator->() const { return storage_; }
  Storage* get() const { return storage_; }
  explicit operator bool() const { return storage_ != nullptr; }

 private:
  void retain() {
    if (storage_) storage_->owners_.fetch_add(1, std::memory_order_relaxed);
  }
  void release() {
    if (storage_ && storage_->owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete storage_;
  }
  Storage* storage_ = nullptr;
};

}  // namespace clade
