#include "tensor/random.h"

#include <numeric>
#include <utility>

#include "tensor/draws.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade {
namespace {

uint64_t mix(uint64_t x) {  // the finalizer of SplitMix64 (Steele et al. 2014)
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// Writes value(draw) for each element; draws(first, count, to) gives a run of the stream's.
template <class Raw, class Draws, class Value>
void fill(Random& rng, Tensor& t, const char* op, Draws draws, Value value) {
  constexpr int64_t kRun = 512;
  if (!is_floating(t.dtype())) fail(op, "an f32 or f64 tensor", text(t));
  Tensor target = t.is_contiguous() ? t : Tensor::empty(t.shape(), t.dtype());
  const int64_t n = target.numel();
  const uint64_t first = rng.take(n);
  dispatch_floating(t.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* out = target.data<T>();
    parallel_for(n, 16384, [&](int64_t begin, int64_t end) {
      with_vectors([&] {
        Raw raw[kRun];
        for (int64_t i = begin; i < end; i += kRun) {
          const int64_t count = end - i < kRun ? end - i : kRun;
          draws(first + uint64_t(i), count, raw);
          for (int64_t j = 0; j < count; j++) out[i + j] = T(value(raw[j]));
        }
      });
    });
  });
  if (!t.is_contiguous()) copy_elements(target.view(), t.view());
  t.written_by(op);
}

}  // namespace

Random Random::fork(std::string_view name) const {
  uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  for (char c : name) hash = (hash ^ uint8_t(c)) * 0x100000001b3u;
  return fork(hash);
}

Random Random::fork(uint64_t id) const { return Random(seed_, mix(stream_ ^ mix(id))); }

// 64 bits from block i of a sibling stream, which `use` tells apart. The stream is mixed first: no
// sibling of a small stream number is a sibling of another.
uint64_t Random::two_words(uint64_t i, uint64_t use) const {
  PhiloxBlock b = philox(i, mix(mix(stream_) + use), seed_);
  return uint64_t(b.word[0]) << 32 | b.word[1];
}

double Random::uniform_at(uint64_t i) const { return double(two_words(i, 1) >> 11) * 0x1p-53; }

double Random::normal_at(uint64_t i) const {
  float z[4];
  normal_block(philox(i / 4, stream_, seed_), z);
  return z[i % 4];
}

int64_t Random::below_at(uint64_t i, int64_t n) const {
  if (n < 1) fail("Random::below", "n of 1 or more", text(n));
  // Multiply-shift: the bias is below n / 2^64.
  return int64_t((unsigned __int128)two_words(i, 2) * uint64_t(n) >> 64);
}

uint64_t Random::take(int64_t n) {
  uint64_t start = (position_ + 3) / 4 * 4;
  position_ = start + uint64_t(n);
  return start;
}

void fill_normal(Random& rng, Tensor& t, double mean, double deviation) {
  const float m = float(mean), d = float(deviation);
  fill<float>(
      rng, t, "fill_normal",
      [seed = rng.seed(), stream = rng.stream()](uint64_t first, int64_t count, float* to) {
        draw_normals(seed, stream, first, count, to);
      },
      [=](float z) { return __builtin_fmaf(z, d, m); });
}

void fill_uniform(Random& rng, Tensor& t, double low, double high) {
  const float l = float(low), width = float(high - low);
  fill<uint32_t>(
      rng, t, "fill_uniform",
      [seed = rng.seed(), stream = rng.stream()](uint64_t first, int64_t count, uint32_t* to) {
        draw_words(seed, stream, first, count, to);
      },
      [=](uint32_t word) { return __builtin_fmaf(unit_float(word), width, l); });
}

Tensor randn(const Shape& shape, Random& rng, DType dtype) {
  Tensor t = Tensor::empty(shape, dtype);
  fill_normal(rng, t);
  return t;
}

Tensor rand(const Shape& shape, Random& rng, DType dtype) {
  Tensor t = Tensor::empty(shape, dtype);
  fill_uniform(rng, t);
  return t;
}

Tensor permutation(int64_t n, Random& rng) {
  Tensor t = Tensor::empty({n}, DType::i64);
  int64_t* p = t.data<int64_t>();
  std::iota(p, p + n, int64_t{0});
  for (int64_t i = n - 1; i > 0; i--) std::swap(p[i], p[rng.below(i + 1)]);
  return t;
}

}  // namespace clade
