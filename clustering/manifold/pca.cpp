#include "clustering/manifold/pca.h"

#include <algorithm>
#include <cmath>

#include "clustering/linalg/eigen.h"
#include "clustering/linalg/matrix.h"
#include "clustering/linalg/scatter.h"
#include "clustering/linalg/top_eigen.h"
#include "kernels/gemm/gemm.h"
#include "tensor/parallel.h"
#include "tensor/random.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr int64_t kTile = 512;       // rows of one product
constexpr int64_t kLarge = 4096;     // above it neither covariance nor inner products are formed
constexpr int64_t kOversample = 10;  // directions beyond those asked for
constexpr int64_t kPowers = 7;       // products with X'X

// `rows` rows of d values with the mean taken off.
template <class S, class T>
void take_off(const S* from, int64_t rows, int64_t d, const double* mean, T* to) {
  with_vectors([&] {
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < d; j++) to[i * d + j] = T(double(from[i * d + j]) - mean[j]);
  });
}

// (n, d) f64: x with its mean taken off.
Tensor centred(const Tensor& x, const Tensor& mean) {
  int64_t n = x.size(0), d = x.size(1);
  Tensor out = Tensor::empty({n, d}, DType::f64);
  const double* m = mean.data<double>();
  double* to = out.data<double>();
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* from = x.data<decltype(zero)>();
    parallel_for(n, kTile, [&](int64_t begin, int64_t end) {
      take_off(from + begin * d, end - begin, d, m, to + begin * d);
    });
  });
  return out;
}

// The first components as rows, eigenvalues of X'X, and their sum over all components.
struct Spectrum {
  SymmetricEigen eigen;
  double total = 0;
  // Eigenvalues below this are what rounding leaves of 0.
  double rounding = 0;
};

double rounding_of(const SymmetricEigen& eigen, int64_t size) {
  return eigen.values[0] * double(size) * 1e-15;
}

double trace(const Tensor& a) {
  double sum = 0;
  for (int64_t i = 0; i < a.size(0); i++) sum += a.data<double>()[i * (a.size(0) + 1)];
  return sum;
}

Spectrum of_scatter(const Tensor& scatter, int64_t r) {
  const double total = trace(scatter);
  if (!std::isfinite(total))
    fail("fit_pca", "values whose squares add up within f64", "an overflow",
         "divide the data by a constant");
  Spectrum s{top_eigen(scatter, r), total, 0};
  s.rounding = rounding_of(s.eigen, scatter.size(0));
  return s;
}

Spectrum from_covariance(const Tensor& x, const Tensor& mean, int64_t r, const Progress& progress) {
  int64_t d = x.size(1);
  Tensor scatter = Tensor::empty({d, d}, DType::f64);
  scatter_matrix(x, mean.data<double>(), nullptr, 0, scatter.data<double>());
  progress("pca", 1, 2);
  return of_scatter(scatter, r);
}

// For n <= d from XX' (n, n): if XX' u = lambda u then v = X'u / sqrt(lambda).
Spectrum from_inner_products(const Tensor& x, const Tensor& mean, int64_t r,
                             const Progress& progress) {
  int64_t n = x.size(0);
  Tensor rows = centred(x, mean), products = Tensor::empty({n, n}, DType::f64);
  kernels::gemm(kernels::Cpu{}, rows.view(), rows.transpose(0, 1).view(), products.view());
  progress("pca", 1, 2);
  Spectrum s = of_scatter(products, r);
  for (int64_t i = 0; i < r; i++) {
    double lambda = s.eigen.values[size_t(i)];
    double scale = lambda > s.rounding ? 1 / std::sqrt(lambda) : 0;
    for (int64_t j = 0; j < n; j++) s.eigen.vectors.data<double>()[i * n + j] *= scale;
  }
  Tensor directions = Tensor::empty({r, x.size(1)}, DType::f64);
  kernels::gemm(kernels::Cpu{}, s.eigen.vectors.view(), rows.view(), directions.view());
  s.eigen.vectors = directions;
  return s;
}

// v (p, d) and y = v X' (p, n), X centred: x itself is not, so v m is taken off; both in x's dtype.
Tensor scores_of(const Tensor& x, const Tensor& mean, const Tensor& v) {
  const int64_t n = x.size(0), p = v.size(0);
  const Tensor narrow = v.to(x.dtype());
  Tensor y = Tensor::empty({p, n}, x.dtype()), shift = Tensor::empty({p, 1}, DType::f64);
  kernels::gemm(kernels::Cpu{}, narrow.view(), x.transpose(0, 1).view(), y.view());
  kernels::gemm(kernels::Cpu{}, v.view(), mean.reshape({-1, 1}).view(), shift.view());
  Tensor out = y.to(DType::f64);
  parallel_for(p, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      for (int64_t j = 0; j < n; j++) out.data<double>()[i * n + j] -= shift.data<double>()[i];
  });
  return out;
}

// y X, (p, d), for the same X.
Tensor directions_of(const Tensor& x, const Tensor& mean, const Tensor& y) {
  const int64_t p = y.size(0), d = x.size(1), n = x.size(0);
  Tensor v = Tensor::empty({p, d}, x.dtype());
  kernels::gemm(kernels::Cpu{}, y.to(x.dtype()).view(), x.view(), v.view());
  Tensor out = v.to(DType::f64);
  for (int64_t i = 0; i < p; i++) {
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += y.data<double>()[i * n + j];
    for (int64_t j = 0; j < d; j++) out.data<double>()[i * d + j] -= sum * mean.data<double>()[j];
  }
  return out;
}

Spectrum randomized(const Tensor& x, const Tensor& mean, const std::vector<double>& means,
                    int64_t r, uint64_t seed, const Progress& progress) {
  const int64_t n = x.size(0), d = x.size(1), p = std::min({r + kOversample, n - 1, d});
  Random rng = Random(seed).fork("pca directions");
  Tensor v = randn({p, d}, rng, DType::f64), y;
  for (int64_t pass = 0; pass <= kPowers; pass++) {
    progress("pca", pass, kPowers + 1);
    // Directions that data of low rank does not have: others are tried in their place.
    if (!orthonormalise_rows(v))
      fail("fit_pca", text("data of rank ", p, " or more for the randomized solver"),
           "rows that depend on each other", "ask for fewer components, or take the exact solver");
    y = scores_of(x, mean, v);
    if (pass < kPowers) v = directions_of(x, mean, y);
  }
  Tensor inner = Tensor::empty({p, p}, DType::f64);
  kernels::gemm(kernels::Cpu{}, y.view(), y.transpose(0, 1).view(), inner.view());
  for (int64_t i = 0; i < p; i++)
    for (int64_t j = 0; j < i; j++)
      inner.data<double>()[i * p + j] = inner.data<double>()[j * p + i];
  Spectrum s{symmetric_eigen(inner), 0, 0};
  Tensor directions = Tensor::empty({p, d}, DType::f64);
  kernels::gemm(kernels::Cpu{}, s.eigen.vectors.view(), v.view(), directions.view());
  s.eigen.vectors = directions;
  for (double variance : column_variances(x, means)) s.total += variance * double(n);
  s.rounding = rounding_of(s.eigen, std::min(n, d));
  return s;
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

void check(const PcaOptions& options, int64_t n, int64_t most) {
  if (n < 2) fail("fit_pca", "at least 2 rows", text(n), "one point has no variance");
  if (options.components < 0 || options.components > most)
    fail("fit_pca", text("1 to min(n - 1, d) = ", most, " components, or 0 for all"),
         text(options.components));
}

Pca make_pca(const Spectrum& s, const Tensor& mean, int64_t n, int64_t r, bool whiten) {
  const int64_t d = mean.numel();
  Pca out;
  out.whiten = whiten;
  out.mean = mean;
  out.components = s.eigen.vectors.slice(0, 0, r).clone();
  out.explained_variance = Tensor::empty({r}, DType::f64);
  out.variance_ratio = Tensor::empty({r}, DType::f64);
  for (int64_t i = 0; i < r; i++) {
    fix_sign(out.components.data<double>() + i * d, d);
    double lambda = s.eigen.values[size_t(i)] > s.rounding ? s.eigen.values[size_t(i)] : 0;
    out.explained_variance.data<double>()[i] = lambda / double(n - 1);
    out.variance_ratio.data<double>()[i] = s.total > 0 ? lambda / s.total : 0;
  }
  return out;
}

// f32 products err by some 1e-7 of the first deviation: too much for directions of small ones.
bool narrow_products(const Pca& pca) {
  const std::vector<double> variance = pca.explained_variance.to_vector<double>();
  return !variance.empty() && variance.back() >= 1e-4 * variance.front();
}

// Rows of one product of transform().
int64_t tile_rows(int64_t d) { return std::clamp<int64_t>((int64_t{1} << 19) / d, 16, kTile); }

// Scores (rows, r) of at most tile_rows(d) rows; P: of the product. The tile is filled up: BLAS may
// sum in another order where rows are fewer, and a row's scores shall not depend on those beside
// it.
template <class P, class T>
void project(const T* from, int64_t rows, int64_t d, const double* mean, const P* components,
             int64_t r, const double* scale, T* to) {
  const int64_t tile_height = tile_rows(d);
  Scratch<P> tile(tile_height * d), scores(tile_height * r);
  take_off(from, rows, d, mean, tile.data());
  std::fill(tile.data() + rows * d, tile.data() + tile_height * d, P(0));
  kernels::gemm_serial<P>(false, true, tile_height, r, d, P(1), tile.data(), d, components, d, P(0),
                          scores.data(), r);
  for (int64_t i = 0; i < rows; i++) {
    P* row = scores.data() + i * r;
    if (!all_finite(row, r))  // an overflow in f32
      for (int64_t c = 0; c < r; c++) {
        double sum = 0;
        for (int64_t j = 0; j < d; j++)
          sum += (double(from[i * d + j]) - mean[j]) * double(components[c * d + j]);
        to[i * r + c] = T(sum * scale[c]);
      }
    else
      for (int64_t c = 0; c < r; c++) to[i * r + c] = T(double(row[c]) * scale[c]);
  }
}

}  // namespace

Pca fit_pca(const Tensor& x, const PcaOptions& options, const Progress& progress) {
  Tensor data = dense_matrix("fit_pca", x);
  int64_t n = data.size(0), d = data.size(1), most = std::min(n - 1, d);
  check(options, n, most);
  int64_t r = options.components ? options.components : most;
  const bool large = std::min(n, d) > kLarge && 4 * r < most;
  const bool random =
      options.solver == PcaSolver::randomized || (options.solver == PcaSolver::automatic && large);

  progress("pca", 0, 2);
  const std::vector<double> means = column_means(data);
  if (!all_finite(means.data(), d)) finite_matrix("fit_pca", data);
  const Tensor mean = Tensor::from(means, {d});
  const Spectrum s = random  ? randomized(data, mean, means, r, options.seed, progress)
                     : n > d ? from_covariance(data, mean, r, progress)
                             : from_inner_products(data, mean, r, progress);
  Pca out = make_pca(s, mean, n, r, options.whiten);
  progress("pca", 2, 2);
  return out;
}

void IncrementalPca::add(const Tensor& x) {
  const Tensor data = finite_matrix("IncrementalPca", x);
  const int64_t n = data.size(0), d = data.size(1);
  if (rows_ == 0) {
    mean_ = Tensor::zeros({d}, DType::f64);
    scatter_ = Tensor::zeros({d, d}, DType::f64);
  }
  if (d != mean_.numel())
    fail("IncrementalPca", text("x (n, ", mean_.numel(), "), as before"), text(x));
  const std::vector<double> mean = column_means(data);
  Tensor scatter = Tensor::empty({d, d}, DType::f64);
  scatter_matrix(data, mean.data(), nullptr, 0, scatter.data<double>());
  const double both = double(rows_ + n), weight = double(rows_) * double(n) / both;
  double *m = mean_.data<double>(), *sum = scatter_.data<double>();
  for (int64_t r = 0; r < d; r++)
    for (int64_t c = 0; c < d; c++)
      sum[r * d + c] += scatter.data<double>()[r * d + c] +
                        weight * (mean[size_t(r)] - m[r]) * (mean[size_t(c)] - m[c]);
  for (int64_t j = 0; j < d; j++) m[j] += (mean[size_t(j)] - m[j]) * double(n) / both;
  rows_ += n;
}

Pca IncrementalPca::fit(const PcaOptions& options) const {
  const int64_t most = rows_ ? std::min(rows_ - 1, mean_.numel()) : 0;
  check(options, rows_, most);
  const int64_t r = options.components ? options.components : most;
  return make_pca(of_scatter(scatter_, r), mean_.clone(), rows_, r, options.whiten);
}

Tensor transform(const Pca& pca, const Tensor& x) {
  Tensor data = dense_matrix("pca transform", x);
  int64_t n = data.size(0), d = pca.components.size(1), r = pca.components.size(0);
  if (data.size(1) != d) fail("pca transform", text("x (n, ", d, ")"), text(x));
  std::vector<double> scale = score_units(pca);
  for (double& s : scale) s = s > 0 ? 1 / s : 0;
  Tensor out = Tensor::empty({n, r}, data.dtype());
  const double* mean = pca.mean.data<double>();
  const Tensor narrow =
      data.dtype() == DType::f32 && narrow_products(pca) ? pca.components.to(DType::f32) : Tensor();
  dispatch_floating(data.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = data.data<T>();
    T* to = out.data<T>();
    parallel_for(n, tile_rows(d), [&](int64_t begin, int64_t end) {
      if (!all_finite(from + begin * d, (end - begin) * d)) finite_matrix("pca transform", data);
      auto project_by = [&](const auto* components) {
        project(from + begin * d, end - begin, d, mean, components, r, scale.data(),
                to + begin * r);
      };
      if (narrow.defined())
        project_by(narrow.data<float>());
      else
        project_by(pca.components.data<double>());
    });
  });
  return out;
}

Tensor inverse_transform(const Pca& pca, const Tensor& z) {
  Tensor scores = finite_matrix("pca inverse_transform", z, "z");
  int64_t n = scores.size(0), d = pca.components.size(1), r = pca.components.size(0);
  if (scores.size(1) != r) fail("pca inverse_transform", text("z (n, ", r, ")"), text(z));
  const std::vector<double> unit = score_units(pca);
  Tensor out = Tensor::empty({n, d}, scores.dtype());
  const double* mean = pca.mean.data<double>();
  dispatch_floating(out.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = scores.data<T>();
    T* to = out.data<T>();
    parallel_for(n, tile_rows(d), [&](int64_t begin, int64_t end) {
      const int64_t rows = end - begin;
      Scratch<double> scaled(rows * r), tile(rows * d);
      for (int64_t i = 0; i < rows; i++)
        for (int64_t c = 0; c < r; c++)
          scaled[i * r + c] = double(from[(begin + i) * r + c]) * unit[size_t(c)];
      kernels::gemm_serial<double>(false, false, rows, d, r, 1.0, scaled.data(), r,
                                   pca.components.data<double>(), d, 0.0, tile.data(), d);
      for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < d; j++) to[(begin + i) * d + j] = T(tile[i * d + j] + mean[j]);
    });
  });
  return out;
}

}  // namespace clade::cluster
