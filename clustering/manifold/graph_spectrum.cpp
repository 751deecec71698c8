#include "clustering/manifold/graph_spectrum.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "clustering/linalg/eigen.h"
#include "tensor/parallel.h"
#include "tensor/random.h"

namespace clade::cluster {
namespace {

constexpr int64_t kExtraColumns = 5;  // a wider block converges faster
constexpr int64_t kDegree = 16;       // of the Chebyshev polynomial
constexpr int64_t kGrain = 2048;      // rows a chunk
constexpr double kDependent = 1e-12;  // relative eigenvalue of the Gram matrix that counts as 0

// A block of column vectors is a Tensor (n, p) f64, row-major.
using Block = Tensor;

class Operator {
 public:
  explicit Operator(const FuzzyGraph& graph)
      : n_(graph.vertices()),
        offset_(graph.offset.data<int64_t>()),
        column_(graph.column.data<int32_t>()),
        weight_(graph.weight.data<float>()),
        trivial_(Tensor::empty({n_, 1}, DType::f64)),
        scale_(Tensor::empty({n_}, DType::f64)) {
    double *root = trivial_.data<double>(), *inverse = scale_.data<double>();
    double total = 0;
    for (int64_t i = 0; i < n_; i++) {
      double degree = 0;
      for (int64_t e = offset_[i]; e < offset_[i + 1]; e++) degree += weight_[e];
      root[i] = std::sqrt(degree);
      inverse[i] = 1 / root[i];
      total += degree;
    }
    for (int64_t i = 0; i < n_; i++) root[i] /= std::sqrt(total);
  }

  int64_t rows() const { return n_; }
  const Block& trivial() const { return trivial_; }  // (n, 1), of length 1

  // out = scale (S v - shift v) - minus, without the last where minus is undefined.
  void apply(const Block& v, double scale, double shift, const Block& minus, Block& out) const {
    const int64_t p = v.size(1);
    const double *in = v.data<double>(), *inverse = scale_.data<double>();
    const double* less = minus.defined() ? minus.data<double>() : nullptr;
    double* result = out.data<double>();
    parallel_for(n_, kGrain, [&](int64_t begin, int64_t end) {
      std::vector<double> sum(static_cast<size_t>(p));
      for (int64_t i = begin; i < end; i++) {
        std::fill(sum.begin(), sum.end(), 0.0);
        for (int64_t e = offset_[i]; e < offset_[i + 1]; e++) {
          const int64_t j = column_[e];
          const double w = weight_[e] * inverse[j];
          for (int64_t c = 0; c < p; c++) sum[size_t(c)] += w * in[j * p + c];
        }
        for (int64_t c = 0; c < p; c++) {
          const double value = scale * (inverse[i] * sum[size_t(c)] - shift * in[i * p + c]);
          result[i * p + c] = less ? value - less[i * p + c] : value;
        }
      }
    });
  }

 private:
  int64_t n_;
  const int64_t* offset_;
  const int32_t* column_;
  const float* weight_;
  Block trivial_;
  Tensor scale_;  // (n): 1 / sqrt(degree)
};

// a' b, (p, q).
Tensor inner(const Block& a, const Block& b) {
  const int64_t p = a.size(1), q = b.size(1);
  const double *x = a.data<double>(), *y = b.data<double>();
  using Sums = std::vector<double>;
  Sums total = parallel_reduce(
      a.size(0), kGrain, Sums(size_t(p * q), 0.0),
      [&](int64_t begin, int64_t end) {
        Sums sum(size_t(p * q), 0.0);
        for (int64_t i = begin; i < end; i++)
          for (int64_t r = 0; r < p; r++)
            for (int64_t c = 0; c < q; c++) sum[size_t(r * q + c)] += x[i * p + r] * y[i * q + c];
        return sum;
      },
      [](Sums left, const Sums& right) {
        for (size_t i = 0; i < left.size(); i++) left[i] += right[i];
        return left;
      });
  return Tensor::from(total, {p, q});
}

// a m, (n, q), for a small m (p, q).
Block times(const Block& a, const Tensor& m) {
  const int64_t n = a.size(0), p = m.size(0), q = m.size(1);
  Block out = Tensor::empty({n, q}, DType::f64);
  const double *x = a.data<double>(), *y = m.data<double>();
  double* result = out.data<double>();
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      for (int64_t c = 0; c < q; c++) {
        double sum = 0;
        for (int64_t r = 0; r < p; r++) sum += x[i * p + r] * y[r * q + c];
        result[i * q + c] = sum;
      }
    }
  });
  return out;
}

// Takes the trivial vector out of v and makes its columns orthonormal, twice for the sake of
// rounding; columns that depend on others are dropped. With G = v'v scaled to a unit diagonal,
// G = U L U', the new block is v U L^-1/2.
Block orthonormal(Block v, const Block& trivial) {
  for (int pass = 0; pass < 2; pass++) {
    const Tensor along = inner(trivial, v);  // (1, p)
    const double *t = trivial.data<double>(), *a = along.data<double>();
    const int64_t n = v.size(0), p = v.size(1);
    double* values = v.data<double>();
    parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++)
        for (int64_t c = 0; c < p; c++) values[i * p + c] -= t[i] * a[c];
    });

    Tensor gram = inner(v, v);
    double* g = gram.data<double>();
    std::vector<double> unit(static_cast<size_t>(p));
    for (int64_t c = 0; c < p; c++)
      unit[size_t(c)] = g[c * p + c] > 0 ? 1 / std::sqrt(g[c * p + c]) : 0;
    for (int64_t r = 0; r < p; r++)
      for (int64_t c = 0; c < p; c++) g[r * p + c] *= unit[size_t(r)] * unit[size_t(c)];
    const SymmetricEigen eigen = symmetric_eigen(gram);
    int64_t kept = 0;
    while (kept < p && eigen.values[size_t(kept)] > kDependent * eigen.values[0]) kept++;
    if (kept == 0) return Tensor::empty({n, 0}, DType::f64);
    Tensor turn = Tensor::empty({p, kept}, DType::f64);
    const double* u = eigen.vectors.data<double>();
    for (int64_t r = 0; r < p; r++)
      for (int64_t c = 0; c < kept; c++)
        turn.data<double>()[r * kept + c] =
            unit[size_t(r)] * u[c * p + r] / std::sqrt(eigen.values[size_t(c)]);
    v = times(v, turn);
  }
  return v;
}

// v and random columns beside it, `width` in all.
Block widen(const Block& v, int64_t width, Random& rng) {
  Block wide = randn({v.size(0), width}, rng, DType::f64);
  wide.slice(1, 0, v.size(1)).copy_(v);
  return wide;
}

// T_m((S - center) / half) v with [center - half, center + half] = [-1, cut]: three-term
// recurrence.
Block filter(const Operator& s, Block v, double cut) {
  const double center = (cut - 1) / 2, half = (cut + 1) / 2;
  Block before = v, now = Tensor::empty_like(v);
  s.apply(v, 1 / half, center, {}, now);
  for (int64_t degree = 2; degree <= kDegree; degree++) {
    Block next = Tensor::empty_like(v);
    s.apply(now, 2 / half, center, before, next);
    before = std::exchange(now, next);
  }
  return now;
}

}  // namespace

GraphSpectrum graph_spectrum(const FuzzyGraph& graph, int64_t count, uint64_t seed,
                             const Progress& progress) {
  const Operator s(graph);
  const int64_t n = s.rows();
  if (count < 1 || count > n - 1)
    fail("graph_spectrum", text("count in 1 .. ", n - 1), text(count));
  Random rng = Random(seed).fork("graph spectrum");
  const int64_t p = std::min(count + kExtraColumns, n - 1);
  Block v = randn({n, p}, rng, DType::f64);

  GraphSpectrum result;
  int64_t products = 0;
  while (true) {
    progress("umap spectral", products, kProducts);
    v = orthonormal(v, s.trivial());
    // A few eigenvalues far above the rest can draw all columns into their space.
    while (v.size(1) < p) v = orthonormal(widen(v, p, rng), s.trivial());
    Block sv = Tensor::empty_like(v);
    s.apply(v, 1, 0, {}, sv);
    products++;
    const SymmetricEigen ritz = symmetric_eigen(inner(v, sv));
    const Tensor turn = ritz.vectors.transpose(0, 1).contiguous();
    v = times(v, turn);
    sv = times(sv, turn);

    // Squared residuals: |S v - value v|^2 = |S v|^2 - value^2 loses half the digits, so directly.
    double worst = 0;
    const double *a = v.data<double>(), *b = sv.data<double>();
    for (int64_t c = 0; c < count; c++) {
      double sum = 0;
      for (int64_t i = 0; i < n; i++) {
        const double r = b[i * p + c] - ritz.values[size_t(c)] * a[i * p + c];
        sum += r * r;
      }
      worst = std::max(worst, std::sqrt(sum));
    }
    if (worst < kSpectrumTolerance || products + kDegree >= kProducts) {
      result.values.assign(ritz.values.begin(), ritz.values.begin() + count);
      result.vectors = v.slice(1, 0, count).contiguous();
      result.residual = worst;
      return result;
    }
    // All below the block's own lowest value is unwanted; kept away from -1, where the interval
    // ends.
    v = filter(s, v, std::max(ritz.values.back(), -0.5));
    products += kDegree;
  }
}

}  // namespace clade::cluster
