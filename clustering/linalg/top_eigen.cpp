#include "clustering/linalg/top_eigen.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "clustering/linalg/cholesky.h"
#include "kernels/gemm/gemm.h"
#include "tensor/parallel.h"
#include "tensor/random.h"

namespace clade::cluster {
namespace {

constexpr int64_t kSmall = 256;      // below: all of them at once
constexpr int64_t kShare = 4;        // above d / kShare: the same
constexpr double kTolerance = 1e-9;  // of the largest value
constexpr int kRounds = 30;
constexpr double kMostGrowth = 13.8;  // ln 1e6: of the first vector over the last that is wanted
constexpr int64_t kMostDegree = 20;

// A block of vectors is a Tensor (p, d) f64: one vector a row.
using Block = Tensor;

Tensor product(const Tensor& a, const Tensor& b) {
  Tensor out = Tensor::empty({a.size(0), b.size(1)}, DType::f64);
  kernels::gemm(kernels::Cpu{}, a.view(), b.view(), out.view());
  return out;
}

// T_m((A - e) / e) v, [0, 2 e] being unwanted, by the three-term recurrence.
Block filter(const Tensor& a, const Block& v, double e, int64_t degree) {
  auto step = [&](const Block& now, double scale, const Block* before) {
    Block next = product(now, a);
    double* to = next.data<double>();
    const double* from = now.data<double>();
    const double* less = before ? before->data<double>() : nullptr;
    parallel_for(next.numel(), 1 << 15, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const double value = scale * (to[i] / e - from[i]);
        to[i] = less ? value - less[i] : value;
      }
    });
    return next;
  };
  Block before = v, now = step(v, 1, nullptr);
  for (int64_t m = 2; m <= degree; m++) {
    Block next = step(now, 2, &before);
    before = std::exchange(now, next);
  }
  return now;
}

SymmetricEigen cut(SymmetricEigen all, int64_t count) {
  all.values.resize(size_t(count));
  all.vectors = all.vectors.slice(0, 0, count).clone();
  return all;
}

// Rounding leaves the two halves a little different.
void make_symmetric(Tensor& a) {
  const int64_t n = a.size(0);
  double* e = a.data<double>();
  for (int64_t r = 0; r < n; r++)
    for (int64_t c = 0; c < r; c++) e[r * n + c] = e[c * n + r] = (e[r * n + c] + e[c * n + r]) / 2;
}

// The largest |A v - value v| among the first `count`.
double residual(const Block& v, const Block& av, const std::vector<double>& value, int64_t count) {
  const int64_t d = v.size(1);
  double worst = 0;
  for (int64_t i = 0; i < count; i++) {
    double sum = 0;
    for (int64_t j = 0; j < d; j++) {
      const double r =
          av.data<double>()[i * d + j] - value[size_t(i)] * v.data<double>()[i * d + j];
      sum += r * r;
    }
    worst = std::max(worst, std::sqrt(sum));
  }
  return worst;
}

}  // namespace

// Rows made orthonormal: unit length, then V = L^-1 V with L L' = V V', twice for the sake of
// rounding. False where the rows depend on each other.
bool orthonormalise_rows(Tensor& v) {
  const int64_t p = v.size(0), d = v.size(1);
  for (int pass = 0; pass < 2; pass++) {
    parallel_for(p, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        double* row = v.data<double>() + i * d;
        double sum = 0;
        for (int64_t j = 0; j < d; j++) sum += row[j] * row[j];
        const double scale = sum > 0 ? 1 / std::sqrt(sum) : 0;
        for (int64_t j = 0; j < d; j++) row[j] *= scale;
      }
    });
    Tensor gram = product(v, v.transpose(0, 1));
    if (!cholesky(gram.data<double>(), p)) return false;
    invert_lower(gram.data<double>(), p);
    v = product(gram, v);
  }
  return true;
}

SymmetricEigen top_eigen(const Tensor& a, int64_t count) {
  const int64_t d = a.size(0);
  if (d < kSmall || count * kShare > d) return cut(symmetric_eigen(a), count);
  const int64_t p = count + std::max<int64_t>(16, count / 4);
  Random rng = Random(0).fork("top eigen");
  Block v = randn({p, d}, rng, DType::f64);
  for (int round = 0; round < kRounds; round++) {
    if (!orthonormalise_rows(v)) break;
    Block av = product(v, a);
    Tensor inner = product(v, av.transpose(0, 1));
    make_symmetric(inner);
    const SymmetricEigen ritz = symmetric_eigen(inner);
    v = product(ritz.vectors, v);
    av = product(ritz.vectors, av);
    const double most = ritz.values.front(), least = ritz.values.back();
    const double last = ritz.values[size_t(count - 1)];
    if (residual(v, av, ritz.values, count) <= kTolerance * most)
      return cut({ritz.values, v}, count);
    if (!(least > 1e-14 * most)) break;  // of low rank: nothing to keep small
    const double e = least / 2;
    const double spread = std::acosh(most / e - 1) - std::acosh(std::max(1.0, last / e - 1));
    const int64_t degree =
        std::clamp<int64_t>(int64_t(kMostGrowth / std::max(spread, 1e-3)), 1, kMostDegree);
    v = filter(a, v, e, degree);
  }
  return cut(symmetric_eigen(a), count);
}

}  // namespace clade::cluster
