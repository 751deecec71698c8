#include "clustering/mixture/start.h"

#include <algorithm>
#include <cmath>

#include "clustering/centroid/kmeans.h"
#include "clustering/centroid/seeding.h"
#include "clustering/linalg/matrix.h"
#include "clustering/mixture/maximization.h"
#include "tensor/random.h"

namespace clade::cluster {
namespace {

// Given responsibilities as a fresh (n, k) f64 tensor, checked.
Tensor given_responsibilities(const Tensor& given, int64_t n, int64_t k) {
  if (given.rank() != 2 || given.size(0) != n || given.size(1) != k)
    fail("fit_gmm", text("responsibilities (n, k) = ", Shape{n, k}), text(given));
  Tensor r = finite_matrix("fit_gmm", given, "responsibilities").to(DType::f64).clone();
  for (int64_t i = 0; i < n; i++) {
    const double* row = r.data<double>() + i * k;
    double sum = 0;
    for (int64_t c = 0; c < k; c++) sum += row[c];
    if (*std::min_element(row, row + k) < 0 || std::abs(sum - 1) > 1e-4)
      fail("fit_gmm", "responsibilities >= 0 with rows of sum 1", text("row ", i, " of sum ", sum));
  }
  return r;
}

Tensor kmeans_responsibilities(const Tensor& x, const GmmOptions& o, uint64_t seed,
                               const Progress& progress) {
  KMeansOptions options;
  options.k = o.k;
  options.seed = seed;
  const KMeans found = kmeans(x, options, {}, progress);
  Tensor r = Tensor::zeros({x.size(0), o.k}, DType::f64);
  for (int64_t i = 0; i < x.size(0); i++)
    r.data<double>()[i * o.k + found.labels.data<int32_t>()[i]] = 1;
  return r;
}

Tensor random_responsibilities(int64_t n, int64_t k, uint64_t seed) {
  const Random rng = Random(seed).fork("gmm responsibilities");
  Tensor r = Tensor::empty({n, k}, DType::f64);
  for (int64_t i = 0; i < n; i++) {
    double* row = r.data<double>() + i * k;
    double sum = 0;
    for (int64_t c = 0; c < k; c++) sum += row[c] = 1e-6 + rng.uniform_at(uint64_t(i * k + c));
    for (int64_t c = 0; c < k; c++) row[c] /= sum;
  }
  return r;
}

FirstModel from_responsibilities(const Tensor& x, const GmmOptions& o, const Tensor& r) {
  FirstModel first;
  first.gmm.covariance = o.covariance;
  maximize(x, r, o.reg_covar, &first.gmm, o.products);
  first.likeliest = likeliest_of(r);
  return first;
}

// Means are random rows; weights and covariances those of all data.
FirstModel from_rows(const Tensor& x, const GmmOptions& o, uint64_t seed) {
  const int64_t n = x.size(0);
  const Tensor even = Tensor::full({n, o.k}, 1.0 / double(o.k), DType::f64);
  FirstModel first = from_responsibilities(x, o, even);
  Random rng = Random(seed).fork("gmm rows");
  first.gmm.means = gather_rows(x, random_rows(n, o.k, {}, rng)).to(DType::f64);
  return first;
}

// The shape of covariances of this kind.
Shape covariance_shape(Covariance kind, int64_t k, int64_t d) {
  switch (kind) {
    case Covariance::full: return {k, d, d};
    case Covariance::diagonal: return {k, d};
    case Covariance::spherical: return {k};
    case Covariance::tied: break;
  }
  return {d, d};
}

Tensor given_part(const char* name, const Tensor& t, const Shape& shape) {
  if (!t.defined() || !(t.shape() == shape) || !is_floating(t.dtype()))
    fail("fit_gmm", text("start.", name, " ", shape, " of f32 or f64"), text(t),
         "give weights, means and covariances of the options' k and kind");
  Tensor out = t.to(DType::f64).contiguous().clone();
  for (double v : out.to_vector<double>())
    if (!std::isfinite(v)) fail("fit_gmm", text("finite start.", name), text(v));
  return out;
}

FirstModel from_model(const GmmOptions& o, int64_t n, int64_t d) {
  FirstModel first{{}, Tensor::zeros({n}, DType::i32)};
  first.gmm.covariance = o.covariance;
  first.gmm.weights = given_part("weights", o.start.weights, {o.k});
  first.gmm.means = given_part("means", o.start.means, {o.k, d});
  first.gmm.covariances =
      given_part("covariances", o.start.covariances, covariance_shape(o.covariance, o.k, d));
  double sum = 0;
  for (double w : first.gmm.weights.to_vector<double>()) {
    if (!(w > 0)) fail("fit_gmm", "positive start.weights", text(w));
    sum += w;
  }
  if (std::abs(sum - 1) > 1e-6) fail("fit_gmm", "start.weights of sum 1", text(sum));
  return first;
}

}  // namespace

void check_options(const GmmOptions& o, int64_t n) {
  if (n < 2)
    fail("fit_gmm", "at least 2 rows", text(n, n == 1 ? " row" : " rows"),
         "one point has no covariance");
  if (o.k < 1 || o.k > n)
    fail("fit_gmm", text("1 <= k <= n = ", n), text("k = ", o.k), "ask for fewer components");
  if (o.n_init < 1 || o.max_iter < 1)
    fail("fit_gmm", "n_init and max_iter of at least 1", text(o.n_init, " and ", o.max_iter));
  if (!is_floating(o.products)) fail("fit_gmm", "products in f32 or f64", name_of(o.products));
  if (!(o.tol >= 0) || !(o.reg_covar >= 0))
    fail("fit_gmm", "tol >= 0 and reg_covar >= 0", text(o.tol, " and ", o.reg_covar));
}

FirstModel first_model(const Tensor& x, const GmmOptions& o, int start, const Progress& progress) {
  using Init = GmmOptions::Init;
  const int64_t n = x.size(0);
  const uint64_t seed = o.seed + uint64_t(start);
  if (o.start.means.defined()) return from_model(o, n, x.size(1));
  if (o.responsibilities.defined())
    return from_responsibilities(x, o, given_responsibilities(o.responsibilities, n, o.k));
  if (o.init == Init::rows) return from_rows(x, o, seed);
  return from_responsibilities(x, o,
                               o.init == Init::random
                                   ? random_responsibilities(n, o.k, seed)
                                   : kmeans_responsibilities(x, o, seed, progress));
}

Tensor likeliest_of(const Tensor& r) {
  const int64_t n = r.size(0), k = r.size(1);
  Tensor labels = Tensor::empty({n}, DType::i32);
  for (int64_t i = 0; i < n; i++) {
    const double* row = r.data<double>() + i * k;
    labels.data<int32_t>()[i] = int32_t(std::max_element(row, row + k) - row);
  }
  return labels;
}

}  // namespace clade::cluster
