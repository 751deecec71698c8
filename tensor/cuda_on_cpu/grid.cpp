// A launch: its sizes are checked, its blocks run in order, its first error is thrown.
#include "tensor/cuda_on_cpu/cuda_on_cpu.h"
#include "tensor/cuda_on_cpu/threads.h"
#include "tensor/error.h"

namespace clade::cuda_on_cpu {

const RaceChecker* race_checker = nullptr;

namespace {

constexpr unsigned kMostThreads = 1024, kMostShared = 227 * 1024;

dim3 block_at(uint64_t i, dim3 blocks) {
  return {unsigned(i % blocks.x), unsigned(i / blocks.x % blocks.y),
          unsigned(i / (uint64_t(blocks.x) * blocks.y))};
}

}  // namespace

void set_thread_order(unsigned seed) { block().order = seed; }
unsigned thread_order() { return block().order; }

void record_error(const char* op, const std::string& expected, const std::string& got) {
  if (block().error.empty())
    block().error = text(op, ": expected ", expected, "; got block (", blockIdx.x, ", ", blockIdx.y,
                         ", ", blockIdx.z, "): ", got);
}

void stop_launch() { block().abandon(); }

void run_grid(const char* name, dim3 blocks, dim3 threads, size_t shared_bytes,
              void (*kernel)(void*), void* arguments) {
  const uint64_t size = uint64_t(threads.x) * threads.y * threads.z;
  const std::string sizes =
      text("blocks (", blocks.x, ", ", blocks.y, ", ", blocks.z, "), threads (", threads.x, ", ",
           threads.y, ", ", threads.z, "), ", shared_bytes, " bytes of shared memory");
  if (size < 1 || size > kMostThreads || threads.z > 64 || blocks.x < 1 || blocks.y < 1 ||
      blocks.z < 1 || blocks.x > 0x7fffffff || blocks.y > 65535 || blocks.z > 65535 ||
      shared_bytes > kMostShared)
    fail(name, "a launch that a GPU takes", sizes);
  Block& b = block();
  if (now.in_kernel) fail(name, "a launch from the host", "one from a kernel");
  const uint64_t grid = uint64_t(blocks.x) * blocks.y * blocks.z;
  std::vector<uint64_t> order(grid);
  for (uint64_t i = 0; i < grid; i++) order[i] = i;
  b.draws = 0;
  if (b.order) b.shuffle(order.begin(), order.end());
  b.error.clear();
  now.launch++;
  if (race_checker) race_checker->launch_begins();
  for (uint64_t i : order) {
    const dim3 at = block_at(i, blocks);
    blockIdx = {at.x, at.y, at.z};
    blockDim = threads, gridDim = blocks;
    now.block = uint32_t(i);
    b.run(shared_bytes, kernel, arguments);
    if (!b.error.empty()) break;
  }
  std::string found = b.error;
  if (race_checker) {
    const std::string races = race_checker->launch_ends();
    if (found.empty()) found = races;
  }
  if (!found.empty()) throw Error(text(name, ": ", found));
}

}  // namespace clade::cuda_on_cpu
