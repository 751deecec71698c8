// The CPU allocator: 64-byte aligned blocks, kept by size class for the next request.
//
// A training step asks for the same sizes again and again; after the first step each request is
// served from the cache, and the step takes nothing from the system. Counters tell the truth of it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace clade {

struct MemoryStats {
  int64_t live = 0;          // bytes handed out now
  int64_t peak = 0;          // most bytes handed out at once since reset_peak_memory()
  int64_t cached = 0;        // bytes held for reuse, not handed out
  int64_t requests = 0;      // blocks ever handed out
  int64_t system_calls = 0;  // blocks ever taken from the system
};

MemoryStats memory_stats();
void reset_peak_memory();
void release_cached_memory();  // gives every cached block back to the system

// 64-byte aligned; contents undefined. Throws Error, with the bytes asked and live, when the
// machine or the system has no room for more. allocate(0) gives a null pointer. Safe from any
// thread.
void* allocate(size_t bytes);
void deallocate(void* data, size_t bytes) noexcept;

// count * size; throws Error when that is negative or more than fits in 64 bits.
size_t array_bytes(int64_t count, size_t size);

// A scratch array for the length of a scope; T must be trivial. Contents undefined.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t count)
      : bytes_(array_bytes(count, sizeof(T))), data_(allocate(bytes_)) {}
  ~Scratch() { deallocate(data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* data() { return static_cast<T*>(data_); }
  T& operator[](int64_t i) { return data()[i]; }

 private:
  size_t bytes_;
  void* data_;
};

}  // namespace clade
