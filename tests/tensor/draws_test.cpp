// Runs of draws are the draws one by one, wherever they begin and end, with every instruction set.
#include "tensor/draws.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/every_set.h"

namespace clade {
namespace {

TEST(Draws, RunsAreTheSingleDraws) {
  const uint64_t seed = 42, stream = 7;
  testing::for_every_set([&] {
    for (uint64_t first : {0, 1, 5, 63, 64, 1000, 1 << 30})
      for (int64_t count : {0, 1, 3, 64, 65, 200}) {
        std::vector<float> normals(size_t(count) + 1, -7);
        std::vector<uint32_t> words(size_t(count) + 1, 77);
        with_vectors([&] {
          draw_normals(seed, stream, first, count, normals.data());
          draw_words(seed, stream, first, count, words.data());
        });
        for (int64_t i = 0; i < count; i++) {
          const uint64_t at = first + uint64_t(i);
          float z[4];
          normal_block(philox(at / 4, stream, seed), z);
          ASSERT_EQ(normals[size_t(i)], z[at % 4]) << first << " + " << i;
          ASSERT_EQ(words[size_t(i)], philox_word(seed, stream, at));
        }
        ASSERT_EQ(normals.back(), -7) << "past the end";
        ASSERT_EQ(words.back(), 77u) << "past the end";
      }
  });
}

}  // namespace
}  // namespace clade
