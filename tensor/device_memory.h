// Memory of a CUDA device, in the order of a stream: what is allocated, freed and copied takes
// place after all that the stream was told before. CUDA keeps freed blocks for the next request, so
// a training step asks the driver for nothing.
//
// The functions throw Error when there is no device, the driver is older than the toolkit, or the
// memory is too small (with what was asked and what is free). What went wrong in a kernel is known
// when the stream is waited for: copy_to_host and synchronize throw it, as an Error that names the
// kernel launched last.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/memory.h"
#include "tensor/view.h"

struct CUstream_st;  // what cudaStream_t points to

namespace clade {

// 256-byte aligned, contents undefined; 0 bytes: null.
void* device_allocate(size_t bytes, CUstream_st* stream = nullptr);
void device_deallocate(void* data, CUstream_st* stream = nullptr) noexcept;
void copy_to_device(void* to, const void* from, size_t bytes, CUstream_st* stream = nullptr);
// Waits for the stream: when it returns the bytes are there.
void copy_to_host(void* to, const void* from, size_t bytes, CUstream_st* stream = nullptr);
void fill_device_bytes(void* data, int byte, size_t bytes, CUstream_st* stream = nullptr);
void synchronize(CUstream_st* stream = nullptr);

// The stream that this thread's tensors are allocated, copied and computed on; at first the default
// stream, null.
CUstream_st* current_stream();
void set_current_stream(CUstream_st* stream);

// to[i] = from[i], both on the device, of equal sizes, any strides and dtypes.
void device_copy(const View& from, const View& to, CUstream_st* stream);
void device_fill(const View& to, double value, CUstream_st* stream);

// A scratch array on the device for the length of a scope; the stream may still be using it when
// the scope ends, since it is freed in the stream's order.
template <class T>
class DeviceScratch {
 public:
  DeviceScratch(int64_t count, CUstream_st* stream)
      : stream_(stream), data_(device_allocate(array_bytes(count, sizeof(T)), stream)) {}
  ~DeviceScratch() { device_deallocate(data_, stream_); }
  DeviceScratch(const DeviceScratch&) = delete;
  DeviceScratch& operator=(const DeviceScratch&) = delete;
  T* data() { return static_cast<T*>(data_); }

 private:
  CUstream_st* stream_;
  void* data_;
};

}  // namespace clade
