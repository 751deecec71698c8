// In two steps, as EISPACK's tred2 and imtql2 (Martin, Reinsch & Wilkinson, in: Handbook for
// Automatic Computation II, 1971, II/2 and II/4; Golub & Van Loan, 4th ed., sections 8.3.1, 8.3.3):
//
//  1. Householder reflections make A tridiagonal, A = Q T Q', with H_k = I - beta v v' clearing
//     column k below its subdiagonal;
//  2. implicit QL steps with Wilkinson's shift make T diagonal by plane rotations.
//
// Why this pair: it is backward stable, needs no tuning, and both halves run over contiguous rows:
// the transposed Q is kept, so a rotation mixes two rows. Threads share rows in step 1 and columns
// in step 2; no sum crosses threads.
#include "clustering/linalg/eigen.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "clustering/linalg/grain.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

double dot(const double* x, const double* y, int64_t n) {
  double lane[4] = {};  // four sums side by side: a fixed order that a vector unit can follow
  int64_t j = 0;
  for (; j + 4 <= n; j += 4)
    for (int64_t l = 0; l < 4; l++) lane[l] += x[j + l] * y[j + l];
  double sum = (lane[0] + lane[1]) + (lane[2] + lane[3]);
  for (; j < n; j++) sum += x[j] * y[j];
  return sum;
}

// Chooses v (in place of x, n values) and beta with (I - beta v v') x = (norm, 0, ..., 0)', and
// returns +-|x|. The sign avoids cancellation; beta = 0 where there is nothing to clear.
double householder(double* x, int64_t n, double* beta) {
  double largest = 0;
  for (int64_t j = 0; j < n; j++) largest = std::max(largest, std::abs(x[j]));
  *beta = 0;
  double tail = 0;
  for (int64_t j = 1; j < n; j++) tail = std::max(tail, std::abs(x[j]));
  if (tail == 0) return x[0];
  for (int64_t j = 0; j < n; j++) x[j] /= largest;  // squares neither overflow nor vanish
  double norm = std::sqrt(dot(x, x, n)), image = x[0] > 0 ? -norm : norm;
  x[0] -= image;
  *beta = 2 / dot(x, x, n);
  return image * largest;
}

// a (d, d) becomes tridiagonal: `diagonal` (d), `off` (d - 1 used). Row k keeps its v to the right
// of column k, scaled by beta[k].
void tridiagonalize(double* a, int64_t d, double* diagonal, double* off, double* beta) {
  Scratch<double> p(d);
  for (int64_t k = 0; k + 1 < d; k++) {
    int64_t n = d - k - 1;
    double* v = a + k * d + k + 1;
    double* block = a + (k + 1) * d + k + 1;  // the trailing (n, n) block, rows d apart
    diagonal[k] = a[k * d + k];
    off[k] = householder(v, n, beta + k);
    if (beta[k] == 0) continue;
    // block <- H block H = block - v w' - w v' with p = beta block v, w = p - (beta p'v / 2) v
    parallel_for(n, rows_per_chunk(n), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) p[i] = beta[k] * dot(block + i * d, v, n);
    });
    double half = beta[k] * dot(p.data(), v, n) / 2;
    for (int64_t i = 0; i < n; i++) p[i] -= half * v[i];
    const double* w = p.data();
    parallel_for(n, rows_per_chunk(n), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        double* row = block + i * d;
        for (int64_t j = 0; j < n; j++) row[j] -= v[i] * w[j] + w[i] * v[j];
      }
    });
  }
  diagonal[d - 1] = a[d * d - 1];
}

// q (d, d) <- Q' = ... H_1 H_0, from the reflections that tridiagonalize() left in a. From the last
// one back: before H_k comes in, q differs from I only in its trailing block.
void form_transposed_q(const double* a, const double* beta, int64_t d, double* q) {
  std::fill_n(q, d * d, 0.0);
  for (int64_t i = 0; i < d; i++) q[i * d + i] = 1;
  for (int64_t k = d - 2; k >= 0; k--) {
    int64_t n = d - k - 1;
    const double* v = a + k * d + k + 1;
    parallel_for(beta[k] == 0 ? 0 : n, rows_per_chunk(n), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        double* row = q + (k + 1 + i) * d + k + 1;
        double along = beta[k] * dot(row, v, n);
        for (int64_t j = 0; j < n; j++) row[j] -= along * v[j];
      }
    });
  }
}

struct Rotation {
  int64_t row;  // mixes rows `row` and `row` + 1
  double c, s;
};

// Applies rotations to the rows of q (d, d), in order; a strip of columns stays in the cache.
void rotate(const std::vector<Rotation>& rotations, int64_t d, double* q) {
  parallel_for(d, rows_per_chunk(4 * int64_t(rotations.size()), 64),
               [&](int64_t begin, int64_t end) {
                 for (const Rotation& r : rotations) {
                   double *low = q + r.row * d, *high = low + d;
                   for (int64_t j = begin; j < end; j++) {
                     double h = high[j];
                     high[j] = r.s * low[j] + r.c * h;
                     low[j] = r.c * low[j] - r.s * h;
                   }
                 }
               });
}

// One implicit QL step on rows l .. m of the tridiagonal matrix: chases the bulge that the shift
// makes from the bottom to the top.
void ql_step(int64_t l, int64_t m, double* diagonal, double* off,
             std::vector<Rotation>* rotations) {
  double g = (diagonal[l + 1] - diagonal[l]) / (2 * off[l]);
  g = diagonal[m] - diagonal[l] + off[l] / (g + std::copysign(std::hypot(g, 1.0), g));
  double s = 1, c = 1, p = 0;
  for (int64_t i = m - 1; i >= l; i--) {
    double f = s * off[i], b = c * off[i], r = std::hypot(f, g);
    off[i + 1] = r;
    if (r == 0) {  // the matrix falls apart here: its halves are finished one by one
      diagonal[i + 1] -= p;
      off[m] = 0;
      return;
    }
    s = f / r, c = g / r;
    g = diagonal[i + 1] - p;
    r = (diagonal[i] - g) * s + 2 * c * b;
    p = s * r;
    diagonal[i + 1] = g + p;
    g = c * r - b;
    rotations->push_back({i, c, s});
  }
  diagonal[l] -= p;
  off[l] = g;
  off[m] = 0;
}

void diagonalize(int64_t d, double* diagonal, double* off, double* q) {
  constexpr double eps = std::numeric_limits<double>::epsilon();
  constexpr int kMaxSteps = 60;  // one eigenvalue takes fewer than two on average
  // What rounding has left of A is eps |A|: an off-diagonal entry below it is zero. Comparing with
  // its two neighbours alone never ends on a matrix of low rank, whose last rows are all rounding.
  double norm = 0;
  for (int64_t i = 0; i < d; i++) norm = std::max(norm, std::abs(diagonal[i]) + std::abs(off[i]));
  std::vector<Rotation> rotations;
  for (int64_t l = 0; l < d; l++) {
    for (int step = 0;; step++) {
      int64_t m = l;
      while (m + 1 < d && std::abs(off[m]) > eps * norm) m++;
      if (m == l) break;
      if (step == kMaxSteps)
        fail("symmetric_eigen", "QL steps that converge", text(step, " steps at row ", l),
             "check that the matrix is symmetric and finite");
      ql_step(l, m, diagonal, off, &rotations);
      if (int64_t(rotations.size()) < 8 * d) continue;  // nothing above depends on q: they can wait
      rotate(rotations, d, q);
      rotations.clear();
    }
  }
  rotate(rotations, d, q);
}

}  // namespace

SymmetricEigen symmetric_eigen(const Tensor& a) {
  if (a.rank() != 2 || a.size(0) != a.size(1) || a.numel() == 0 || a.dtype() != DType::f64)
    fail("symmetric_eigen", "a square matrix of f64", text(a));
  int64_t d = a.size(0);
  Tensor work = a.contiguous();
  if (work.shares_storage_with(a)) work = work.clone();
  Scratch<double> diagonal(d), off(d), beta(d), q(d * d);
  std::fill_n(off.data(), d, 0.0);
  tridiagonalize(work.data<double>(), d, diagonal.data(), off.data(), beta.data());
  form_transposed_q(work.data<double>(), beta.data(), d, q.data());
  diagonalize(d, diagonal.data(), off.data(), q.data());

  std::vector<int64_t> order(static_cast<size_t>(d));
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t i, int64_t j) { return diagonal[i] > diagonal[j]; });
  SymmetricEigen out{{}, work};  // the reflections are no longer needed
  for (int64_t r = 0; r < d; r++) {
    out.values.push_back(diagonal[order[size_t(r)]]);
    std::copy_n(q.data() + order[size_t(r)] * d, d, out.vectors.data<double>() + r * d);
  }
  return out;
}

}  // namespace clade::cluster
