#include "clustering/mixture/expectation.h"

#include <algorithm>
#include <cmath>

#include "clustering/linalg/grain.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

// row[c] = ln (pi_c N_c) becomes r_c = pi_c N_c / p; returns ln p = logsumexp(row). The largest
// term is taken out, so that exp neither overflows nor leaves nothing but zeros.
double normalize(double* row, int64_t k) {
  double most = *std::max_element(row, row + k), sum = 0;
  for (int64_t c = 0; c < k; c++) sum += row[c] = std::exp(row[c] - most);
  for (int64_t c = 0; c < k; c++) row[c] /= sum;
  return most + std::log(sum);
}

}  // namespace

double expect(const Whitening& whitening, const Tensor& weights, const Tensor& means,
              const Tensor& x, const Tensor& responsibilities, const Tensor& log_likelihood) {
  int64_t n = x.size(0), k = means.size(0);
  std::vector<double> log_weight = weights.to_vector<double>();
  for (double& w : log_weight) w = std::log(w);
  auto tile = [&](int64_t begin, int64_t end) {
    Scratch<double> own(responsibilities.defined() ? 0 : (end - begin) * k);
    double* r =
        responsibilities.defined() ? responsibilities.data<double>() + begin * k : own.data();
    log_densities(whitening, means, x, begin, end, r);
    double sum = 0;
    for (int64_t i = begin; i < end; i++, r += k) {
      for (int64_t c = 0; c < k; c++) r[c] += log_weight[size_t(c)];
      double log_p = normalize(r, k);
      if (log_likelihood.defined()) log_likelihood.data<double>()[i] = log_p;
      sum += log_p;
    }
    return sum;
  };
  auto join = [](double a, double b) { return a + b; };
  int64_t grain = rows_per_chunk(k * (x.size(1) + 20), 256);  // 20: an exp
  return parallel_reduce(n, grain, 0.0, tile, join) / double(n);
}

}  // namespace clade::cluster
