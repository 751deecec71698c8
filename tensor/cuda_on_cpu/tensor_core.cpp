#include "tensor/cuda_on_cpu/tensor_core.h"

#include <cstring>
#include <vector>

#include "tensor/text.h"

namespace clade::cuda_on_cpu {
namespace {

struct Fragments {
  uint32_t a[4], b[2];
  float c[4];
};

float tf32(uint32_t bits) {
  bits &= ~0x1fffu;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

void multiply(Deposit* table) {
  float a[16][8], b[8][8];
  Fragments lanes[32];
  for (int l = 0; l < 32; l++) {
    std::memcpy(&lanes[l], table[l], sizeof(Fragments));
    const int g = l / 4, t = l % 4;
    for (int i = 0; i < 4; i++) a[g + i % 2 * 8][t + i / 2 * 4] = tf32(lanes[l].a[i]);
    for (int i = 0; i < 2; i++) b[t + i * 4][g] = tf32(lanes[l].b[i]);
  }
  for (int l = 0; l < 32; l++) {
    float d[4];
    for (int i = 0; i < 4; i++) {
      const int row = l / 4 + i / 2 * 8, column = l % 4 * 2 + i % 2;
      d[i] = lanes[l].c[i];
      for (int k = 0; k < 8; k++) d[i] += a[row][k] * b[k][column];
    }
    std::memcpy(table[l], d, sizeof d);
  }
}

struct Copy {
  void* to;
  const void* from;
  int bytes, valid, group;
  const void* code;
};

// What one thread has on the way; of another launch or block: nothing.
struct Queue {
  uint32_t launch = 0, block = 0;
  int groups = 0;  // committed
  std::vector<Copy> copies;
};

Queue& queue() {
  static std::vector<Queue> queues(1024);
  Queue& q = queues[now.thread];
  if (q.launch != now.launch || q.block != now.block) {
    q.launch = now.launch, q.block = now.block, q.groups = 0;
    q.copies.clear();
  }
  return q;
}

void touch(const void* address, int bytes, bool write, const void* code) {
  if (race_checker && bytes) race_checker->touch(address, size_t(bytes), write, code);
}

}  // namespace

void mma_m16n8k8_tf32(float d[4], const uint32_t a[4], const uint32_t b[2], const float c[4],
                      Place place) {
  Fragments mine;
  std::memcpy(mine.a, a, sizeof mine.a);
  std::memcpy(mine.b, b, sizeof mine.b);
  std::memcpy(mine.c, c, sizeof mine.c);
  combine_lanes("mma.m16n8k8", &mine, sizeof mine, multiply, d, 4 * sizeof(float), place);
}

void async_copy(void* shared, const void* global, int bytes, int valid, Place place) {
  const bool aligned = uintptr_t(shared) % uintptr_t(bytes) == 0 &&
                       (valid == 0 || uintptr_t(global) % uintptr_t(bytes) == 0);
  if (!aligned)
    stop_launch("cp.async", "addresses that are multiples of the copied bytes", [&] {
      return text("thread ", now.thread, ", ", bytes, " bytes at ", place.file, ":", place.line);
    });
  const void* code = __builtin_return_address(0);
  touch(shared, bytes, true, code);  // from here on, nobody else may read or write there
  std::memset(shared, 0xFF, size_t(bytes));
  Queue& q = queue();
  q.copies.push_back({shared, global, bytes, valid, q.groups, code});
}

void async_commit() { queue().groups++; }

void async_wait(int groups_in_flight) {
  Queue& q = queue();
  size_t done = 0;
  for (; done < q.copies.size() && q.copies[done].group < q.groups - groups_in_flight; done++) {
    const Copy& c = q.copies[done];
    touch(c.from, c.valid, false, c.code);
    touch(c.to, c.bytes, true, c.code);
    std::memcpy(c.to, c.from, size_t(c.valid));
    std::memset(static_cast<char*>(c.to) + c.valid, 0, size_t(c.bytes - c.valid));
  }
  q.copies.erase(q.copies.begin(), q.copies.begin() + int64_t(done));
}

}  // namespace clade::cuda_on_cpu
