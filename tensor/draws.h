// draws: runs of Philox words and normals, 64 at a time, which vectorises them.
//
// Draw i of a run is draw first + i of the stream: the same number that philox_word and
// normal_block give for it one by one. Call these inside with_vectors (vectors.h).
#pragma once

#include "tensor/philox.h"

namespace clade {
namespace detail {

constexpr int64_t kDrawBlocks = 16, kDrawGroup = 4 * kDrawBlocks;

// Blocks first .. first + 15, word by word.
inline void philox_group(uint64_t seed, uint64_t stream, uint64_t first,
                         uint32_t words[4][kDrawBlocks]) {
  for (int64_t b = 0; b < kDrawBlocks; b++) {
    const PhiloxBlock block = philox(first + uint64_t(b), stream, seed);
    for (int w = 0; w < 4; w++) words[w][b] = block.word[w];
  }
}

// out[i] = value of draw first + i, i < count; make(words, values) gives those of a whole group.
template <class T, class Make>
void draw_run(uint64_t seed, uint64_t stream, uint64_t first, int64_t count, T* out, Make make) {
  int64_t skip = int64_t(first % kDrawGroup);
  uint64_t block = first / kDrawGroup * kDrawBlocks;
  for (int64_t done = 0; done < count; skip = 0, block += kDrawBlocks) {
    uint32_t words[4][kDrawBlocks];
    T values[4][kDrawBlocks];
    philox_group(seed, stream, block, words);
    make(words, values);
    const int64_t room = kDrawGroup - skip, n = room < count - done ? room : count - done;
    if (n == kDrawGroup) {
      for (int64_t b = 0; b < kDrawBlocks; b++)
        for (int w = 0; w < 4; w++) out[done + 4 * b + w] = values[w][b];
    } else {
      for (int64_t i = 0; i < n; i++) out[done + i] = values[(skip + i) % 4][(skip + i) / 4];
    }
    done += n;
  }
}

}  // namespace detail

inline void draw_words(uint64_t seed, uint64_t stream, uint64_t first, int64_t count,
                       uint32_t* out) {
  using detail::kDrawBlocks;
  detail::draw_run(seed, stream, first, count, out,
                   [](const uint32_t(&words)[4][kDrawBlocks], uint32_t(&to)[4][kDrawBlocks]) {
                     for (int w = 0; w < 4; w++)
                       for (int64_t b = 0; b < kDrawBlocks; b++) to[w][b] = words[w][b];
                   });
}

inline void draw_normals(uint64_t seed, uint64_t stream, uint64_t first, int64_t count,
                         float* out) {
  using detail::kDrawBlocks;
  detail::draw_run(seed, stream, first, count, out,
                   [](const uint32_t(&words)[4][kDrawBlocks], float(&to)[4][kDrawBlocks]) {
                     for (int w = 0; w < 4; w += 2)
                       for (int64_t b = 0; b < kDrawBlocks; b++)
                         normal_pair(words[w][b], words[w + 1][b], &to[w][b], &to[w + 1][b]);
                   });
}

}  // namespace clade
