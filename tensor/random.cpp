#include "tensor/random.h"

#include <numeric>
#include <utility>

#include "tensor/parallel.h"

namespace clade {
namespace {

uint64_t mix(uint64_t x) {  // the finalizer of SplitMix64 (Steele et al. 2014)
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// Writes draw(block, lane) for each element; blocks of four are shared between neighbours.
template <class Draw>
void fill(Random& rng, Tensor& t, const char* op, Draw draw) {
  if (!is_floating(t.dtype())) fail(op, "an f32 or f64 tensor", text(t));
  Tensor target = t.is_contiguous() ? t : Tensor::empty(t.shape(), t.dtype());
  int64_t n = target.numel();
  uint64_t first_block = rng.take(n) / 4;
  dispatch_floating(t.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* out = target.data<T>();
    parallel_for((n + 3) / 4, 4096, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; b++) {
        float z[4];
        draw(philox(first_block + uint64_t(b), rng.stream(), rng.seed()), z);
        for (int64_t i = 4 * b; i < n && i < 4 * b + 4; i++) out[i] = T(z[i - 4 * b]);
      }
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
  float m = float(mean), d = float(deviation);
  fill(rng, t, "fill_normal", [=](const PhiloxBlock& b, float z[4]) {
    normal_block(b, z);
    for (int i = 0; i < 4; i++) z[i] = __builtin_fmaf(z[i], d, m);
  });
}

void fill_uniform(Random& rng, Tensor& t, double low, double high) {
  float l = float(low), width = float(high - low);
  fill(rng, t, "fill_uniform", [=](const PhiloxBlock& b, float z[4]) {
    for (int i = 0; i < 4; i++) z[i] = __builtin_fmaf(unit_float(b.word[i]), width, l);
  });
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
