#include "clustering/mixture/maximization.h"

#include <algorithm>
#include <limits>

#include "clustering/linalg/grain.h"
#include "clustering/linalg/row_products.h"
#include "clustering/linalg/scatter.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr int64_t kTile = 64;     // rows of one product: two tiles of 50 columns fill the cache
constexpr int64_t kNarrow = 256;  // with more columns a GEMM is faster (scatter_matrix)
constexpr int64_t kMostPartial = 1 << 24;  // numbers in all partial sums: 128 MiB

constexpr int64_t whole_fours(int64_t n) { return (n + 3) / 4 * 4; }

// The rows are cut into chunks, each of which has a partial sum; they are joined in order.
struct Chunks {
  int64_t grain, count;
  Chunks(int64_t n, int64_t entries) {
    const int64_t most = std::clamp<int64_t>(kMostPartial / entries, 1, 64);
    grain = rows_per_chunk(entries, std::max(kTile, (n + most - 1) / most));
    count = (n + grain - 1) / grain;
  }
};

// Sums over the chunks of partial (chunks, entries).
std::vector<double> joined(const double* partial, int64_t chunks, int64_t entries) {
  std::vector<double> sum(partial, partial + entries);
  for (int64_t c = 1; c < chunks; c++)
    for (int64_t e = 0; e < entries; e++) sum[size_t(e)] += partial[c * entries + e];
  return sum;
}

// (k, d + 1): sum_i r_ic [x_i, 1].
std::vector<double> weighted_sums(const Tensor& x, const Tensor& r) {
  const int64_t n = x.size(0), d = x.size(1), k = r.size(1);
  const int64_t a = whole_fours(k), b = whole_lanes<double>(d + 1);
  const Chunks chunks(n, a * b);
  Scratch<double> partial(chunks.count * a * b);
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* data = x.data<decltype(zero)>();
    parallel_for(n, chunks.grain, [&](int64_t begin, int64_t end) {
      double* sum = partial.data() + begin / chunks.grain * a * b;
      Scratch<double> left(kTile * a), right(kTile * b);
      std::fill_n(sum, a * b, 0.0);
      std::fill_n(left.data(), kTile * a, 0.0);
      std::fill_n(right.data(), kTile * b, 0.0);
      for (int64_t i = 0; i < kTile; i++) right[i * b + d] = 1;
      for (int64_t i = begin; i < end; i += kTile) {
        const int64_t rows = std::min(kTile, end - i);
        const double* weight = r.data<double>() + i * k;
        const auto* from = data + i * d;
        double *to_left = left.data(), *to_right = right.data();
        with_vectors([&] {
          for (int64_t t = 0; t < rows; t++) {
            for (int64_t c = 0; c < k; c++) to_left[t * a + c] = weight[t * k + c];
            for (int64_t j = 0; j < d; j++) to_right[t * b + j] = double(from[t * d + j]);
          }
          add_row_products(to_left, a, to_right, b, rows, false, sum);
        });
      }
    });
  });
  const std::vector<double> padded = joined(partial.data(), chunks.count, a * b);
  std::vector<double> out(size_t(k * (d + 1)));
  for (int64_t c = 0; c < k; c++)
    std::copy_n(padded.begin() + c * b, d + 1, out.begin() + c * (d + 1));
  return out;
}

// One component's rows: those of positive weight, centred, 64 at a time.
template <class S, class T>
class CentredTiles {
 public:
  CentredTiles(const S* x, int64_t d, const double* mean, const double* weight, int64_t stride)
      : x_(x),
        d_(d),
        a_(whole_fours(d)),
        b_(whole_lanes<T>(d)),
        mean_(mean),
        weight_(weight),
        stride_(stride),
        centred_(kTile * b_),
        weighted_(kTile * a_) {
    std::fill_n(centred_.data(), kTile * b_, T(0));
    std::fill_n(weighted_.data(), kTile * a_, T(0));
  }

  // use(rows, weighted (rows, a), centred (rows, b)) for the rows begin .. end, inside
  // with_vectors.
  template <class Use>
  void each(int64_t begin, int64_t end, Use&& use) {
    for (int64_t i = begin; i < end;) {
      int64_t filled = 0;
      for (; i < end && filled < kTile; i++) {
        row_[filled] = i;
        filled += weight_[i * stride_] != 0;
      }
      T *z = centred_.data(), *w = weighted_.data();
      with_vectors([&] {
        for (int64_t t = 0; t < filled; t++) {
          const S* from = x_ + row_[t] * d_;
          const T weight = T(weight_[row_[t] * stride_]);
          for (int64_t j = 0; j < d_; j++) {
            const T v = T(double(from[j]) - mean_[j]);
            z[t * b_ + j] = v;
            w[t * a_ + j] = weight * v;
          }
        }
        use(filled, w, z);
      });
    }
  }

 private:
  const S* x_;
  const int64_t d_, a_, b_;
  const double *mean_, *weight_;
  const int64_t stride_;
  Scratch<T> centred_, weighted_;
  int64_t row_[kTile];
};

// For each component sum_i r_ic z z' (k, d, d), lower triangles, or with `diagonal` its diagonal
// alone (k, d), z = x_i - m_c.
template <class S, class T>
std::vector<double> spreads(const Tensor& x, const Tensor& r, const Tensor& means, bool diagonal) {
  const int64_t n = x.size(0), d = x.size(1), k = r.size(1);
  const int64_t a = whole_fours(d), b = whole_lanes<T>(d), size = diagonal ? b : a * b;
  const Chunks chunks(n, k * size);
  Scratch<double> partial(chunks.count * k * size);
  // A unit is one component over one chunk.
  parallel_for(chunks.count * k, 1, [&](int64_t first, int64_t last) {
    for (int64_t unit = first; unit < last; unit++) {
      const int64_t begin = unit / k * chunks.grain, c = unit % k;
      double* sum = partial.data() + unit * size;
      std::fill_n(sum, size, 0.0);
      CentredTiles<S, T> tiles(x.data<S>(), d, means.data<double>() + c * d, r.data<double>() + c,
                               k);
      tiles.each(begin, std::min(n, begin + chunks.grain),
                 [=](int64_t rows, const T* weighted, const T* centred) {
                   if (!diagonal) {
                     add_row_products(weighted, a, centred, b, rows, true, sum);
                     return;
                   }
                   for (int64_t t = 0; t < rows; t++)
                     for (int64_t j = 0; j < d; j++)
                       sum[j] += double(weighted[t * a + j]) * double(centred[t * b + j]);
                 });
    }
  });
  const std::vector<double> padded = joined(partial.data(), chunks.count, k * size);
  if (diagonal && b == d) return padded;
  const int64_t lines = diagonal ? 1 : d;
  std::vector<double> out(size_t(k * lines * d));
  for (int64_t c = 0; c < k; c++)
    for (int64_t i = 0; i < lines; i++)
      std::copy_n(padded.begin() + c * size + i * b, d, out.begin() + (c * lines + i) * d);
  return out;
}

std::vector<double> spreads(const Tensor& x, const Tensor& r, const Tensor& means, bool diagonal,
                            DType products) {
  return dispatch_floating(x.dtype(), [&](auto row) {
    using S = decltype(row);
    return dispatch_floating(products, [&](auto product) {
      return spreads<S, decltype(product)>(x, r, means, diagonal);
    });
  });
}

// The same for many columns, by matrix products.
std::vector<double> wide_spreads(const Tensor& x, const Tensor& r, const Tensor& means) {
  const int64_t d = x.size(1), k = r.size(1);
  std::vector<double> out(size_t(k * d * d));
  for (int64_t c = 0; c < k; c++)
    scatter_matrix(x, means.data<double>() + c * d, r.data<double>() + c, k,
                   out.data() + c * d * d);
  return out;
}

Tensor empty_covariances(Covariance kind, int64_t k, int64_t d) {
  switch (kind) {
    case Covariance::full: return Tensor::zeros({k, d, d}, DType::f64);
    case Covariance::diagonal: return Tensor::zeros({k, d}, DType::f64);
    case Covariance::spherical: return Tensor::zeros({k}, DType::f64);
    case Covariance::tied: break;
  }
  return Tensor::zeros({d, d}, DType::f64);
}

// Covariances about the means, from responsibilities r (n, k) and N_c.
Tensor covariances_of(const Tensor& x, const Tensor& r, const Tensor& means,
                      const std::vector<double>& counts, Covariance kind, double reg_covar,
                      DType products) {
  const int64_t d = x.size(1), k = r.size(1);
  Tensor out = empty_covariances(kind, k, d);
  double* s = out.data<double>();
  if (kind == Covariance::full || kind == Covariance::tied) {
    const std::vector<double> sums =
        d <= kNarrow ? spreads(x, r, means, false, products) : wide_spreads(x, r, means);
    double all = 0;
    for (double count : counts) all += count;
    const bool full = kind == Covariance::full;
    for (int64_t c = 0; c < k; c++) {
      const double* from = sums.data() + c * d * d;
      double* to = full ? s + c * d * d : s;
      for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j <= i; j++)
          to[i * d + j] += from[i * d + j] / (full ? counts[size_t(c)] : all);
    }
    for (double* to = s; to < s + out.numel(); to += d * d)
      for (int64_t i = 0; i < d; i++) {
        to[i * d + i] += reg_covar;
        for (int64_t j = 0; j < i; j++) to[j * d + i] = to[i * d + j];
      }
    return out;
  }
  const std::vector<double> squares = spreads(x, r, means, true, products);
  for (int64_t e = 0; e < k * d; e++) {
    const double variance = squares[size_t(e)] / counts[size_t(e / d)];
    if (kind == Covariance::diagonal)
      s[e] = variance + reg_covar;
    else
      s[e / d] += (variance + reg_covar) / double(d);
  }
  return out;
}

}  // namespace

void maximize(const Tensor& x, const Tensor& r, double reg_covar, Gmm* gmm, DType products) {
  const int64_t d = x.size(1), k = r.size(1);
  const std::vector<double> sums = weighted_sums(x, r);
  std::vector<double> counts;
  double total = 0;
  // A component that nobody wants keeps a trace of weight, so that its logarithm stays finite.
  for (int64_t c = 0; c < k; c++) {
    counts.push_back(sums[size_t(c * (d + 1) + d)] + 10 * std::numeric_limits<double>::epsilon());
    total += counts.back();
  }
  gmm->means = Tensor::empty({k, d}, DType::f64);
  gmm->weights = Tensor::empty({k}, DType::f64);
  for (int64_t c = 0; c < k; c++) {
    gmm->weights.data<double>()[c] = counts[size_t(c)] / total;
    for (int64_t j = 0; j < d; j++)
      gmm->means.data<double>()[c * d + j] = sums[size_t(c * (d + 1) + j)] / counts[size_t(c)];
  }
  gmm->covariances = covariances_of(x, r, gmm->means, counts, gmm->covariance, reg_covar, products);
}

}  // namespace clade::cluster
