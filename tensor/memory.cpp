#include "tensor/memory.h"

#include <unistd.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include "tensor/error.h"

// Under AddressSanitizer blocks are not reused, so that it sees every use after free.
#if defined(__SANITIZE_ADDRESS__)
#define CLADE_REUSE_BLOCKS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CLADE_REUSE_BLOCKS 0
#endif
#endif
#ifndef CLADE_REUSE_BLOCKS
#define CLADE_REUSE_BLOCKS 1
#endif

namespace clade {
namespace {

// Size classes: powers of two split into eight steps, so at most 1/8 of a block is lost.
size_t size_class(size_t bytes) {
  if (bytes <= 512) return (bytes + 63) / 64 * 64;
  size_t power = size_t{1} << (63 - __builtin_clzll(bytes));
  size_t step = power / 8;
  return (bytes + step - 1) / step * step;
}

// Large blocks stand on large pages where the system has them: then a pass over memory seldom waits
// for an address to be translated.
constexpr size_t kLargePage = 2 << 20;

void* from_system(size_t size) {
  if (size < 2 * kLargePage) return std::aligned_alloc(64, size);
  void* block = nullptr;  // aligned_alloc asks for a multiple of the page
  if (posix_memalign(&block, kLargePage, size) != 0) return nullptr;
#if defined(MADV_HUGEPAGE)
  if (block) madvise(block, size, MADV_HUGEPAGE);  // a wish, which may be refused
#endif
  return block;
}

struct Pool {
  std::mutex mutex;
  std::map<size_t, std::vector<void*>> free_blocks;  // by size class
  MemoryStats stats;
};

// Never destroyed: tensors with static lifetime may outlive any order of destruction.
Pool& pool() {
  static Pool* instance = new Pool;
  return *instance;
}

void release(Pool& p) {
  for (auto& [size, blocks] : p.free_blocks)
    for (void* block : blocks) std::free(block);
  p.free_blocks.clear();
  p.stats.cached = 0;
}

}  // namespace

void* allocate(size_t bytes) {
  if (bytes == 0) return nullptr;
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  // Some systems promise any amount and kill the process when it is used: what is held, and what is
  // asked for, must fit into the machine.
  static const size_t physical = size_t(sysconf(_SC_PHYS_PAGES)) * size_t(sysconf(_SC_PAGESIZE));
  size_t size = bytes < physical ? size_class(bytes) : bytes;
  auto fits = [&] {
    size_t held = size_t(p.stats.live + p.stats.cached);
    return held < physical && size < physical - held;
  };
  void* block = nullptr;
  auto found = p.free_blocks.find(size);
  if (found != p.free_blocks.end() && !found->second.empty()) {
    block = found->second.back();
    found->second.pop_back();
    p.stats.cached -= int64_t(size);
  } else {
    if (fits()) block = from_system(size);
    if (!block) {  // memory may be tied up in blocks of other sizes
      release(p);
      if (fits()) block = from_system(size);
    }
    if (block) p.stats.system_calls++;
  }
  if (!block)
    fail("allocate", text(bytes, " bytes of memory"), text("none (", p.stats.live, " bytes live)"),
         "use a smaller batch or data set");
  p.stats.requests++;
  p.stats.live += int64_t(size);
  p.stats.peak = std::max(p.stats.peak, p.stats.live);
  return block;
}

void deallocate(void* data, size_t bytes) noexcept {
  if (!data) return;
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  size_t size = size_class(bytes);
  p.stats.live -= int64_t(size);
#if !CLADE_REUSE_BLOCKS
  std::free(data);
#else
  try {
    p.free_blocks[size].push_back(data);
    p.stats.cached += int64_t(size);
  } catch (...) {
    std::free(data);
  }
#endif
}

size_t array_bytes(int64_t count, size_t size) {
  size_t bytes;
  if (count < 0 || __builtin_mul_overflow(size_t(count), size, &bytes))
    fail("allocate", "an array that fits in memory", text(count, " elements of ", size, " bytes"));
  return bytes;
}

MemoryStats memory_stats() {
  std::lock_guard lock(pool().mutex);
  return pool().stats;
}

void reset_peak_memory() {
  std::lock_guard lock(pool().mutex);
  pool().stats.peak = pool().stats.live;
}

void release_cached_memory() {
  std::lock_guard lock(pool().mutex);
  release(pool());
}

}  // namespace clade
