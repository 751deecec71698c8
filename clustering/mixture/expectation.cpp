#include "clustering/mixture/expectation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "clustering/linalg/grain.h"
#include "kernels/elementwise/math.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr double kLogTwoPi = 1.8378770664093453;
constexpr double kNegligible = 60;  // e^-60 is 10^-26
constexpr int64_t kRows = 16;       // of a tile: two vectors of f64 with AVX-512
constexpr int64_t kPart = 16;       // columns between two looks at what can be skipped
constexpr double kInfinity = std::numeric_limits<double>::infinity();

typedef double Lanes __attribute__((vector_size(64)));
constexpr int64_t kLanes = 8;

// squared[r] += sum_{begin <= j < end} (sum_{l <= j} w_jl z_lr)^2 for 16 rows r; end - begin is a
// multiple of 4, w has zeros above its diagonal, and `zeros` stands for lines from d on.
inline __attribute__((always_inline)) void add_squares(const double* w, const double* zeros,
                                                       int64_t d, int64_t begin, int64_t end,
                                                       const double* z, double* squared) {
  Lanes s0 = *(const Lanes*)squared, s1 = *(const Lanes*)(squared + kLanes);
  for (int64_t j = begin; j < end; j += 4) {
    const double* line[4];
    for (int64_t q = 0; q < 4; q++) line[q] = j + q < d ? w + (j + q) * d : zeros;
    Lanes a0{}, a1{}, b0{}, b1{}, c0{}, c1{}, e0{}, e1{};
    const int64_t width = std::min(d, j + 4);
    for (int64_t l = 0; l < width; l++) {
      const Lanes u = *(const Lanes*)(z + l * kRows), v = *(const Lanes*)(z + l * kRows + kLanes);
      const double f0 = line[0][l], f1 = line[1][l], f2 = line[2][l], f3 = line[3][l];
      a0 += f0 * u, a1 += f0 * v, b0 += f1 * u, b1 += f1 * v;
      c0 += f2 * u, c1 += f2 * v, e0 += f3 * u, e1 += f3 * v;
    }
    s0 += a0 * a0, s1 += a1 * a1, s0 += b0 * b0, s1 += b1 * b1;
    s0 += c0 * c0, s1 += c1 * c1, s0 += e0 * e0, s1 += e1 * e1;
  }
  *(Lanes*)squared = s0, *(Lanes*)(squared + kLanes) = s1;
}

class Expectation {
 public:
  Expectation(const Whitening& whitening, const Tensor& weights, const Tensor& means)
      : w_(whitening.w.data<double>()),
        kind_(whitening.kind),
        k_(means.size(0)),
        d_(means.size(1)),
        means_(means.data<double>()),
        weights_(weights.to_vector<double>()),
        zeros_(size_t(d_), 0.0) {
    for (size_t c = 0; c < size_t(k_); c++)
      constant_.push_back(std::log(weights_[c]) + whitening.log_det[c] -
                          0.5 * double(d_) * kLogTwoPi);
  }

  // Up to 16 rows: log_p[r] = ln p(x_r), r_c at terms[c * 16 + r], and the likeliest component of
  // each. x_t (d, 16) holds the rows as columns; `first` and `second` are computed first.
  void tile(const double* x_t, int64_t rows, int32_t first, int32_t second, double* z,
            double* terms, double* log_p, int32_t* likeliest) const {
    alignas(64) double best[kRows];
    for (int64_t r = 0; r < kRows; r++) best[r] = r < rows ? -kInfinity : kInfinity;
    component(first, x_t, z, best, terms + first * kRows);
    if (second != first) component(second, x_t, z, best, terms + second * kRows);
    for (int64_t c = 0; c < k_; c++)
      if (c != first && c != second) component(c, x_t, z, best, terms + c * kRows);
    with_vectors([&] {
      double sum[kRows] = {};
      for (int64_t c = 0; c < k_; c++)
        for (int64_t r = 0; r < kRows; r++) {
          const double below = terms[c * kRows + r] - best[r];
          const double term = kernels::math::exp(below);
          terms[c * kRows + r] = below >= -kNegligible ? term : 0.0;
          sum[r] += terms[c * kRows + r];
        }
      for (int64_t r = 0; r < kRows; r++) {
        log_p[r] = sum[r];
        sum[r] = 1 / sum[r];
      }
      for (int64_t c = 0; c < k_; c++)
        for (int64_t r = 0; r < kRows; r++) terms[c * kRows + r] *= sum[r];
    });
    for (int64_t r = 0; r < rows; r++) {
      if (std::isfinite(best[r])) {
        log_p[r] = best[r] + std::log(log_p[r]);
      } else {
        log_p[r] = -kInfinity;
        for (int64_t c = 0; c < k_; c++) terms[c * kRows + r] = weights_[size_t(c)];
      }
      likeliest[r] = 0;
      for (int64_t c = 1; c < k_; c++)
        if (terms[c * kRows + r] > terms[likeliest[r] * kRows + r]) likeliest[r] = int32_t(c);
    }
  }

 private:
  // out[r] = ln (pi_c N(x_r; m_c, S_c)), or -infinity where that is negligible beside best[r];
  // best[r] is raised to it.
  void component(int64_t c, const double* x_t, double* z, double* best, double* out) const {
    const double* mean = means_ + c * d_;
    alignas(64) double squared[kRows] = {};
    bool skipped = false;
    with_vectors([&] {
      for (int64_t begin = 0; begin < d_ && !skipped; begin += kPart) {
        const int64_t end = std::min(d_, begin + kPart);
        for (int64_t l = begin; l < end; l++)
          for (int64_t r = 0; r < kRows; r++) z[l * kRows + r] = x_t[l * kRows + r] - mean[l];
        if (kind_ == Covariance::full || kind_ == Covariance::tied) {
          add_squares(kind_ == Covariance::full ? w_ + c * d_ * d_ : w_, zeros_.data(), d_, begin,
                      begin + (end - begin + 3) / 4 * 4, z, squared);
        } else {
          for (int64_t l = begin; l < end; l++) {
            const double scale = kind_ == Covariance::diagonal ? w_[c * d_ + l] : w_[c];
            for (int64_t r = 0; r < kRows; r++) {
              const double y = z[l * kRows + r] * scale;
              squared[r] += y * y;
            }
          }
        }
        int64_t needed = 0;
        for (int64_t r = 0; r < kRows; r++)
          needed += !(constant_[size_t(c)] - 0.5 * squared[r] < best[r] - kNegligible);
        skipped = needed == 0;
      }
    });
    for (int64_t r = 0; r < kRows; r++) {
      out[r] = skipped ? -kInfinity : constant_[size_t(c)] - 0.5 * squared[r];
      best[r] = std::max(best[r], out[r]);
    }
  }

  const double* w_;
  const Covariance kind_;
  const int64_t k_, d_;
  const double* means_;
  const std::vector<double> weights_;
  std::vector<double> constant_;  // ln pi_c + ln |W_c| - d ln 2 pi / 2
  std::vector<double> zeros_;     // (d)
};

// The rows begin .. end in the order of their labels, first rows first.
std::vector<int64_t> sorted_rows(int64_t begin, int64_t end, const int32_t* labels, int64_t k) {
  std::vector<int64_t> rows(static_cast<size_t>(end - begin));
  if (!labels) {
    for (int64_t i = begin; i < end; i++) rows[size_t(i - begin)] = i;
    return rows;
  }
  std::vector<int64_t> next(size_t(k) + 1, 0);
  for (int64_t i = begin; i < end; i++) next[size_t(labels[i]) + 1]++;
  for (size_t c = 1; c < next.size(); c++) next[c] += next[c - 1];
  for (int64_t i = begin; i < end; i++) rows[size_t(next[size_t(labels[i])]++)] = i;
  return rows;
}

template <class T>
double expect_rows(const Expectation& e, const T* x, int64_t d, int64_t k, int64_t begin,
                   int64_t end, double* responsibilities, double* log_likelihood,
                   int32_t* likeliest) {
  const std::vector<int64_t> order = sorted_rows(begin, end, likeliest, k);
  Scratch<double> x_t(d * kRows), z(d * kRows), terms(k * kRows), log_p(end - begin);
  std::fill_n(x_t.data(), d * kRows, 0.0);
  for (size_t t = 0; t < order.size(); t += size_t(kRows)) {
    const int64_t rows = std::min(kRows, int64_t(order.size() - t));
    const int64_t* row = order.data() + t;
    for (int64_t r = 0; r < rows; r++)
      for (int64_t l = 0; l < d; l++) x_t[l * kRows + r] = double(x[row[r] * d + l]);
    double logs[kRows];
    int32_t labels[kRows];
    e.tile(x_t.data(), rows, likeliest ? likeliest[row[0]] : 0,
           likeliest ? likeliest[row[rows - 1]] : 0, z.data(), terms.data(), logs, labels);
    for (int64_t r = 0; r < rows; r++) {
      log_p[row[r] - begin] = logs[r];
      if (likeliest) likeliest[row[r]] = labels[r];
      if (log_likelihood) log_likelihood[row[r]] = logs[r];
      for (int64_t c = 0; responsibilities && c < k; c++)
        responsibilities[row[r] * k + c] = terms[c * kRows + r];
    }
  }
  double sum = 0;
  for (int64_t i = 0; i < end - begin; i++) sum += log_p[i];
  return sum;
}

}  // namespace

double expect(const Whitening& whitening, const Tensor& weights, const Tensor& means,
              const Tensor& x, const Tensor& responsibilities, const Tensor& log_likelihood,
              const Tensor& likeliest) {
  const int64_t n = x.size(0), d = x.size(1), k = means.size(0);
  const Expectation e(whitening, weights, means);
  double* r = responsibilities.defined() ? responsibilities.data<double>() : nullptr;
  double* log_p = log_likelihood.defined() ? log_likelihood.data<double>() : nullptr;
  int32_t* labels = likeliest.defined() ? likeliest.data<int32_t>() : nullptr;
  auto join = [](double a, double b) { return a + b; };
  const int64_t grain = std::max<int64_t>(1024, std::min<int64_t>(4096, (n + 63) / 64));
  return dispatch_floating(x.dtype(),
                           [&](auto zero) {
                             using T = decltype(zero);
                             auto chunk = [&](int64_t begin, int64_t end) {
                               return expect_rows<T>(e, x.data<T>(), d, k, begin, end, r, log_p,
                                                     labels);
                             };
                             return parallel_reduce(n, grain, 0.0, chunk, join);
                           }) /
         double(n);
}

}  // namespace clade::cluster
