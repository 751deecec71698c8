#include "clustering/manifold/pca.h"

#include <algorithm>
#include <cmath>

#include "clustering/linalg/eigen.h"
#include "clustering/linalg/matrix.h"
#include "clustering/linalg/scatter.h"
#include "kernels/gemm/gemm.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr int64_t kTile = 512;  // rows of one product

// (n, d) f64: x with its mean taken off.
Tensor centred(const Tensor& x, const Tensor& mean) {
  int64_t n = x.size(0), d = x.size(1);
  Tensor out = Tensor::empty({n, d}, DType::f64);
  const double* m = mean.data<double>();
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* from = x.data<decltype(zero)>();
    parallel_for(n, kTile, [&](int64_t begin, int64_t end) {
      for (int64_t e = begin * d; e < end * d; e++)
        out.data<double>()[e] = double(from[e]) - m[e % d];
    });
  });
  return out;
}

// Eigenvalues below this are what rounding leaves of 0.
double rounding_of(const SymmetricEigen& eigen) {
  return eigen.values[0] * double(eigen.values.size()) * 1e-15;
}

// The eigenvectors of X'X, n > d, as rows; values are eigenvalues of X'X.
SymmetricEigen from_covariance(const Tensor& x, const Tensor& mean, const Progress& progress) {
  int64_t d = x.size(1);
  Tensor scatter = Tensor::empty({d, d}, DType::f64);
  scatter_matrix(x, mean.data<double>(), nullptr, 0, scatter.data<double>());
  progress("pca", 1, 2);
  return symmetric_eigen(scatter);
}

// The same for n <= d from XX' (n, n): if XX' u = lambda u then v = X'u / sqrt(lambda).
SymmetricEigen from_inner_products(const Tensor& x, const Tensor& mean, const Progress& progress) {
  int64_t n = x.size(0);
  Tensor rows = centred(x, mean), products = Tensor::empty({n, n}, DType::f64);
  kernels::gemm({}, rows.view(), rows.transpose(0, 1).view(), products.view());
  progress("pca", 1, 2);
  SymmetricEigen eigen = symmetric_eigen(products);
  double negligible = rounding_of(eigen);
  for (int64_t r = 0; r < n; r++) {
    double lambda = eigen.values[size_t(r)];
    double scale = lambda > negligible ? 1 / std::sqrt(lambda) : 0;
    for (int64_t i = 0; i < n; i++) eigen.vectors.data<double>()[r * n + i] *= scale;
  }
  Tensor directions = Tensor::empty(x.shape(), DType::f64);
  kernels::gemm({}, eigen.vectors.view(), rows.view(), directions.view());
  eigen.vectors = directions;
  return eigen;
}

// scikit-learn's rule (svd_flip on the components): the entry of largest magnitude is positive.
void fix_sign(double* row, int64_t d) {
  auto smaller = [](double a, double b) { return std::abs(a) < std::abs(b); };
  if (*std::max_element(row, row + d, smaller) < 0)
    for (int64_t j = 0; j < d; j++) row[j] = -row[j];
}

// Standard deviation of each score if they are whitened, else 1.
std::vector<double> score_units(const Pca& pca) {
  std::vector<double> unit = pca.explained_variance.to_vector<double>();
  for (double& u : unit) u = pca.whiten ? std::sqrt(u) : 1;
  return unit;
}

}  // namespace

Pca fit_pca(const Tensor& x, const PcaOptions& options, const Progress& progress) {
  Tensor data = finite_matrix("fit_pca", x);
  int64_t n = data.size(0), d = data.size(1), most = std::min(n - 1, d);
  if (n < 2) fail("fit_pca", "at least 2 rows", text(x), "one point has no variance");
  if (options.components < 0 || options.components > most)
    fail("fit_pca", text("1 to min(n - 1, d) = ", most, " components, or 0 for all"),
         text(options.components));
  int64_t r = options.components ? options.components : most;

  progress("pca", 0, 2);
  std::vector<double> mean = column_means(data);
  double total = 0;
  for (double v : column_variances(data, mean)) total += v * double(n) / double(n - 1);
  Pca out;
  out.whiten = options.whiten;
  out.mean = Tensor::from(mean, {d});
  SymmetricEigen eigen = n > d ? from_covariance(data, out.mean, progress)
                               : from_inner_products(data, out.mean, progress);
  out.components = eigen.vectors.slice(0, 0, r).clone();
  out.explained_variance = Tensor::empty({r}, DType::f64);
  out.variance_ratio = Tensor::empty({r}, DType::f64);
  for (int64_t i = 0; i < r; i++) {
    fix_sign(out.components.data<double>() + i * d, d);
    double lambda = eigen.values[size_t(i)];
    double variance = lambda > rounding_of(eigen) ? lambda / double(n - 1) : 0;
    out.explained_variance.data<double>()[i] = variance;
    out.variance_ratio.data<double>()[i] = total > 0 ? variance / total : 0;
  }
  progress("pca", 2, 2);
  return out;
}

Tensor transform(const Pca& pca, const Tensor& x) {
  Tensor data = finite_matrix("pca transform", x);
  int64_t n = data.size(0), d = pca.components.size(1), r = pca.components.size(0);
  if (data.size(1) != d) fail("pca transform", text("x (n, ", d, ")"), text(x));
  std::vector<double> unit = score_units(pca);
  Tensor out = Tensor::empty({n, r}, data.dtype());
  parallel_for(n, kTile, [&](int64_t begin, int64_t end) {
    int64_t rows = end - begin;
    Tensor tile = centred(data.slice(0, begin, end), pca.mean);
    Scratch<double> scores(rows * r);
    kernels::gemm_serial<double>(false, true, rows, r, d, 1.0, tile.data<double>(), d,
                                 pca.components.data<double>(), d, 0.0, scores.data(), r);
    dispatch_floating(out.dtype(), [&](auto zero) {
      using T = decltype(zero);
      for (int64_t e = 0; e < rows * r; e++) {
        double u = unit[size_t(e % r)];
        out.data<T>()[begin * r + e] = u > 0 ? T(scores[e] / u) : T(0);
      }
    });
  });
  return out;
}

Tensor inverse_transform(const Pca& pca, const Tensor& z) {
  Tensor scores = finite_matrix("pca inverse_transform", z, "z");
  int64_t n = scores.size(0), d = pca.components.size(1), r = pca.components.size(0);
  if (scores.size(1) != r) fail("pca inverse_transform", text("z (n, ", r, ")"), text(z));
  std::vector<double> unit = score_units(pca);
  Tensor out = Tensor::empty({n, d}, scores.dtype());
  dispatch_floating(out.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(n, kTile, [&](int64_t begin, int64_t end) {
      int64_t rows = end - begin;
      Scratch<double> scaled(rows * r), tile(rows * d);
      for (int64_t e = 0; e < rows * r; e++)
        scaled[e] = double(scores.data<T>()[begin * r + e]) * unit[size_t(e % r)];
      kernels::gemm_serial<double>(false, false, rows, d, r, 1.0, scaled.data(), r,
                                   pca.components.data<double>(), d, 0.0, tile.data(), d);
      for (int64_t e = 0; e < rows * d; e++)
        out.data<T>()[begin * d + e] = T(tile[e] + pca.mean.data<double>()[e % d]);
    });
  });
  return out;
}

}  // namespace clade::cluster
