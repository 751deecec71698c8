#include "clustering/mixture/expectation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "clustering/linalg/grain.h"
#include "clustering/linalg/lanes.h"
#include "kernels/elementwise/math.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr double kLogTwoPi = 1.8378770664093453;
constexpr double kNegligible = 60;  // e^-60 is 10^-26
constexpr int64_t kPart = 16;       // columns between two looks at what can be skipped
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Rows of a tile: two vectors of T.
template <class T>
inline constexpr int64_t kRows = 2 * kLanes<T>;

// squared[r] += sum_{begin <= j < end} (sum_{l <= j} w_jl z_lr)^2 for a tile of rows r; end - begin
// is a multiple of 4, w has zeros above its diagonal, and `zeros` stands for lines from d on.
template <class T>
inline __attribute__((always_inline)) void add_squares(const T* w, const T* zeros, int64_t d,
                                                       int64_t begin, int64_t end, const T* z,
                                                       T* squared) {
  using L = Lanes<T>;
  L s0 = *(const L*)squared, s1 = *(const L*)(squared + kLanes<T>);
  for (int64_t j = begin; j < end; j += 4) {
    const T* line[4];
    for (int64_t q = 0; q < 4; q++) line[q] = j + q < d ? w + (j + q) * d : zeros;
    L a0{}, a1{}, b0{}, b1{}, c0{}, c1{}, e0{}, e1{};
    const int64_t width = std::min(d, j + 4);
    for (int64_t l = 0; l < width; l++) {
      const L u = *(const L*)(z + l * kRows<T>), v = *(const L*)(z + l * kRows<T> + kLanes<T>);
      add_product(line[0][l], u, a0), add_product(line[0][l], v, a1);
      add_product(line[1][l], u, b0), add_product(line[1][l], v, b1);
      add_product(line[2][l], u, c0), add_product(line[2][l], v, c1);
      add_product(line[3][l], u, e0), add_product(line[3][l], v, e1);
    }
    s0 += a0 * a0, s1 += a1 * a1, s0 += b0 * b0, s1 += b1 * b1;
    s0 += c0 * c0, s1 += c1 * c1, s0 += e0 * e0, s1 += e1 * e1;
  }
  *(L*)squared = s0, *(L*)(squared + kLanes<T>) = s1;
}

// T: what the whitened differences are computed in; densities are f64.
template <class T>
class Expectation {
 public:
  static constexpr int64_t kTile = kRows<T>;

  Expectation(const Whitening& whitening, const Tensor& weights, const Tensor& means)
      : w_(whitening.w.to_vector<T>()),
        kind_(whitening.kind),
        k_(means.size(0)),
        d_(means.size(1)),
        means_(means.data<double>()),
        weights_(weights.to_vector<double>()),
        zeros_(size_t(d_), T(0)) {
    for (size_t c = 0; c < size_t(k_); c++)
      constant_.push_back(std::log(weights_[c]) + whitening.log_det[c] -
                          0.5 * double(d_) * kLogTwoPi);
  }

  // Up to kTile rows: log_p[r] = ln p(x_r), r_c at terms[c * kTile + r], and the likeliest
  // component of each. x_t (d, kTile) holds the rows as columns; `first` and `second` are computed
  // first. z (d, kTile) is working memory.
  void tile(const double* x_t, int64_t rows, int32_t first, int32_t second, T* z, double* terms,
            double* log_p, int32_t* likeliest) const {
    alignas(64) double best[kTile], sum[kTile] = {}, most[kTile] = {}, label[kTile] = {};
    const int64_t wide = whole_lanes<double>(rows);  // a number that the compiler does not know:
                                                     // it vectorises loops of unknown length best
    for (int64_t r = 0; r < kTile; r++) best[r] = r < rows ? -kInfinity : kInfinity;
    with_vectors([&] {
      for (int64_t turn = 0; turn < k_ + 2; turn++) {
        const int64_t c = turn == 0 ? first : turn == 1 ? second : turn - 2;
        if (turn > 0 && (c == first || (turn > 1 && c == second))) continue;
        component(c, x_t, z, best, terms + c * kTile);
      }
      for (int64_t c = 0; c < k_; c++) {
        double* term = terms + c * kTile;
        int64_t counted = 0;
        for (int64_t r = 0; r < wide; r++) counted += term[r] - best[r] >= -kNegligible;
        if (counted == 0) {
          std::fill_n(term, kTile, 0.0);
          continue;
        }
        for (int64_t r = 0; r < wide; r++) {
          const double below = term[r] - best[r];
          const double e = kernels::math::exp(below);
          term[r] = kernels::math::choose(below >= -kNegligible, e, 0.0);
          sum[r] += term[r];
        }
      }
      for (int64_t r = 0; r < wide; r++) {
        log_p[r] = sum[r];
        sum[r] = 1 / sum[r];
      }
      for (int64_t c = 0; c < k_; c++)
        for (int64_t r = 0; r < wide; r++) {
          const double share = terms[c * kTile + r] *= sum[r];
          label[r] = kernels::math::choose(share > most[r], double(c), label[r]);
          most[r] = kernels::math::choose(share > most[r], share, most[r]);
        }
    });
    for (int64_t r = 0; r < rows; r++) {
      likeliest[r] = int32_t(label[r]);
      if (std::isfinite(best[r])) {
        log_p[r] = best[r] + std::log(log_p[r]);
        continue;
      }
      log_p[r] = -kInfinity;
      for (int64_t c = 0; c < k_; c++) terms[c * kTile + r] = weights_[size_t(c)];
      likeliest[r] = int32_t(std::max_element(weights_.begin(), weights_.end()) - weights_.begin());
    }
  }

 private:
  // out[r] = ln (pi_c N(x_r; m_c, S_c)), or -infinity where that is negligible beside best[r];
  // best[r] is raised to it.
  inline __attribute__((always_inline)) void component(int64_t c, const double* x_t, T* z,
                                                       double* best, double* out) const {
    const double* mean = means_ + c * d_;
    const double constant = constant_[size_t(c)];
    alignas(64) T squared[kTile] = {};
    for (int64_t begin = 0; begin < d_; begin += kPart) {
      const int64_t end = std::min(d_, begin + kPart);
      for (int64_t l = begin; l < end; l++)
        for (int64_t r = 0; r < kTile; r += kLanes<T>)
          subtract(x_t + l * kTile + r, mean[l], z + l * kTile + r);
      if (kind_ == Covariance::full || kind_ == Covariance::tied) {
        add_squares(w_.data() + (kind_ == Covariance::full ? c * d_ * d_ : 0), zeros_.data(), d_,
                    begin, begin + (end - begin + 3) / 4 * 4, z, squared);
      } else {
        for (int64_t l = begin; l < end; l++) {
          const T scale = kind_ == Covariance::diagonal ? w_[size_t(c * d_ + l)] : w_[size_t(c)];
          for (int64_t r = 0; r < kTile; r++) {
            const T y = z[l * kTile + r] * scale;
            squared[r] += y * y;
          }
        }
      }
      int64_t needed = 0;
      for (int64_t r = 0; r < kTile; r++)
        needed += !(constant - 0.5 * double(squared[r]) < best[r] - kNegligible);
      if (needed == 0) {
        std::fill_n(out, kTile, -kInfinity);
        return;
      }
    }
    for (int64_t r = 0; r < kTile; r++) {
      const double log_density = constant - 0.5 * double(squared[r]);
      out[r] = log_density;
      best[r] = best[r] < log_density ? log_density : best[r];
    }
  }

  const std::vector<T> w_;
  const Covariance kind_;
  const int64_t k_, d_;
  const double* means_;
  const std::vector<double> weights_;
  std::vector<double> constant_;  // ln pi_c + ln |W_c| - d ln 2 pi / 2
  std::vector<T> zeros_;          // (d)
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

// S: the rows; T as above.
template <class S, class T>
double expect_rows(const Expectation<T>& e, const S* x, int64_t d, int64_t k, int64_t begin,
                   int64_t end, double* responsibilities, double* log_likelihood,
                   int32_t* likeliest) {
  constexpr int64_t kTile = Expectation<T>::kTile;
  const std::vector<int64_t> order = sorted_rows(begin, end, likeliest, k);
  Scratch<T> z(d * kTile);
  Scratch<double> x_t(d * kTile), terms(k * kTile), log_p(end - begin);
  std::fill_n(x_t.data(), d * kTile, 0.0);
  for (size_t t = 0; t < order.size(); t += size_t(kTile)) {
    const int64_t rows = std::min(kTile, int64_t(order.size() - t));
    const int64_t* row = order.data() + t;
    for (int64_t r = 0; r < rows; r++)
      for (int64_t l = 0; l < d; l++) x_t[l * kTile + r] = double(x[row[r] * d + l]);
    double logs[kTile];
    int32_t labels[kTile];
    e.tile(x_t.data(), rows, likeliest ? likeliest[row[0]] : 0,
           likeliest ? likeliest[row[rows - 1]] : 0, z.data(), terms.data(), logs, labels);
    for (int64_t r = 0; r < rows; r++) {
      log_p[row[r] - begin] = logs[r];
      if (likeliest) likeliest[row[r]] = labels[r];
      if (log_likelihood) log_likelihood[row[r]] = logs[r];
      for (int64_t c = 0; responsibilities && c < k; c++)
        responsibilities[row[r] * k + c] = terms[c * kTile + r];
    }
  }
  double sum = 0;
  for (int64_t i = 0; i < end - begin; i++) sum += log_p[i];
  return sum;
}

template <class T>
double expect_in(const Whitening& whitening, const Tensor& weights, const Tensor& means,
                 const Tensor& x, double* responsibilities, double* log_likelihood,
                 int32_t* likeliest) {
  const int64_t n = x.size(0), d = x.size(1), k = means.size(0);
  const Expectation<T> e(whitening, weights, means);
  const int64_t grain = std::max<int64_t>(1024, std::min<int64_t>(4096, (n + 63) / 64));
  const double sum = dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* rows = x.data<decltype(zero)>();
    auto chunk = [&](int64_t begin, int64_t end) {
      return expect_rows(e, rows, d, k, begin, end, responsibilities, log_likelihood, likeliest);
    };
    return parallel_reduce(n, grain, 0.0, chunk, [](double a, double b) { return a + b; });
  });
  return sum / double(n);
}

}  // namespace

double expect(const Whitening& whitening, const Tensor& weights, const Tensor& means,
              const Tensor& x, const Tensor& responsibilities, const Tensor& log_likelihood,
              const Tensor& likeliest, DType products) {
  double* r = responsibilities.defined() ? responsibilities.data<double>() : nullptr;
  double* log_p = log_likelihood.defined() ? log_likelihood.data<double>() : nullptr;
  int32_t* labels = likeliest.defined() ? likeliest.data<int32_t>() : nullptr;
  return dispatch_floating(products, [&](auto zero) {
    return expect_in<decltype(zero)>(whitening, weights, means, x, r, log_p, labels);
  });
}

}  // namespace clade::cluster
