// Random: a place in a Philox stream, and tensors filled from it.
//
// The state is three integers (seed, stream, position), so a checkpoint can hold it. at(i)
// functions do not move the position: they serve parallel loops, which index by element, never by
// thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "tensor/philox.h"
#include "tensor/tensor.h"

namespace clade {

class Random {
 public:
  explicit Random(uint64_t seed, uint64_t stream = 0, uint64_t position = 0)
      : seed_(seed), stream_(stream), position_(position) {}

  uint64_t seed() const { return seed_; }
  uint64_t stream() const { return stream_; }
  uint64_t position() const { return position_; }

  // An independent stream of the same seed, for the part of the program that `name` or `id` names.
  Random fork(std::string_view name) const;
  Random fork(uint64_t id) const;

  // Draw number i of this stream, counted from its beginning.
  uint32_t bits_at(uint64_t i) const { return philox_word(seed_, stream_, i); }
  double uniform_at(uint64_t i) const;            // [0, 1), 53 bits
  double normal_at(uint64_t i) const;             // N(0, 1), f32 precision
  int64_t below_at(uint64_t i, int64_t n) const;  // 0 .. n - 1, n >= 1

  // The next draw; moves the position by one.
  uint32_t bits() { return bits_at(position_++); }
  double uniform() { return uniform_at(position_++); }
  double normal() { return normal_at(position_++); }
  int64_t below(int64_t n) { return below_at(position_++, n); }

  // Moves the position to the next whole block of four (where fills start), then by n elements.
  uint64_t take(int64_t n);

 private:
  uint64_t two_words(uint64_t i, uint64_t use) const;

  uint64_t seed_, stream_, position_;
};

// Fills a dense tensor in the row-major order of its elements: the layout does not change the draw.
// Element i is draw i after the position, which moves on. f32 and f64 (from the same f32 draws).
void fill_normal(Random& rng, Tensor& t, double mean = 0, double deviation = 1);
void fill_uniform(Random& rng, Tensor& t, double low = 0, double high = 1);
Tensor randn(const Shape& shape, Random& rng, DType dtype = DType::f32);
Tensor rand(const Shape& shape, Random& rng, DType dtype = DType::f32);

// A uniform permutation of 0 .. n - 1 (i64), by Fisher-Yates.
Tensor permutation(int64_t n, Random& rng);

}  // namespace clade
