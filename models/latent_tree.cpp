#include "models/latent_tree.h"

#include <algorithm>
#include <cmath>

#include "autograd/functions.h"
#include "clustering/mixture/gaussians.h"

namespace clade::models {
namespace {

constexpr double kLogTwoPi = 1.8378770664093454836;
constexpr double kLeastVariance = 1e-3, kSmoothing = 1e-6;
constexpr int kStarts = 5;  // of each facet's Gaussian mixture

Tensor columns_of(const Tensor& z, const std::vector<int64_t>& dims) {
  const Tensor from = z.to(DType::f64).contiguous();
  const int64_t n = z.size(0), all = z.size(1), d = int64_t(dims.size());
  Tensor out = Tensor::empty({n, d}, DType::f64);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++)
      out.data<double>()[i * d + j] = from.data<double>()[i * all + dims[size_t(j)]];
  return out;
}

// |correlation| of every pair of columns.
std::vector<double> correlations(const Tensor& z) {
  const int64_t n = z.size(0), d = z.size(1);
  const Tensor x = z.to(DType::f64).contiguous();
  const double* v = x.data<double>();
  std::vector<double> mean(size_t(d), 0), cov(size_t(d * d), 0);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++) mean[size_t(j)] += v[i * d + j] / double(n);
  for (int64_t i = 0; i < n; i++)
    for (int64_t a = 0; a < d; a++)
      for (int64_t b = 0; b <= a; b++)
        cov[size_t(a * d + b)] +=
            (v[i * d + a] - mean[size_t(a)]) * (v[i * d + b] - mean[size_t(b)]);
  std::vector<double> r(size_t(d * d), 1);
  for (int64_t a = 0; a < d; a++)
    for (int64_t b = 0; b < a; b++) {
      const double scale = std::sqrt(cov[size_t(a * d + a)] * cov[size_t(b * d + b)]);
      const double value = scale > 0 ? std::abs(cov[size_t(a * d + b)]) / scale : 0;
      r[size_t(a * d + b)] = r[size_t(b * d + a)] = value;
    }
  return r;
}

// Groups of dimensions by average linkage of |r|, `wanted` of them.
std::vector<std::vector<int64_t>> linked(const std::vector<double>& r, int64_t d, int64_t wanted) {
  std::vector<std::vector<int64_t>> groups;
  for (int64_t j = 0; j < d; j++) groups.push_back({j});
  auto likeness = [&](const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
    double sum = 0;
    for (int64_t i : a)
      for (int64_t j : b) sum += r[size_t(i * d + j)];
    return sum / double(a.size() * b.size());
  };
  while (int64_t(groups.size()) > wanted) {
    size_t best_a = 0, best_b = 1;
    double best = -1;
    for (size_t a = 0; a < groups.size(); a++)
      for (size_t b = a + 1; b < groups.size(); b++)
        if (const double l = likeness(groups[a], groups[b]); l > best)
          best = l, best_a = a, best_b = b;
    groups[best_a].insert(groups[best_a].end(), groups[best_b].begin(), groups[best_b].end());
    groups.erase(groups.begin() + std::ptrdiff_t(best_b));
  }
  return groups;
}

// Mutual information of a joint distribution (k, k) that sums to 1.
double mutual_information(const std::vector<double>& joint, int64_t k) {
  std::vector<double> row(size_t(k), 0), column(size_t(k), 0);
  for (int64_t a = 0; a < k; a++)
    for (int64_t b = 0; b < k; b++)
      row[size_t(a)] += joint[size_t(a * k + b)], column[size_t(b)] += joint[size_t(a * k + b)];
  double sum = 0;
  for (int64_t a = 0; a < k; a++)
    for (int64_t b = 0; b < k; b++)
      if (const double p = joint[size_t(a * k + b)]; p > 0)
        sum += p * std::log(p / (row[size_t(a)] * column[size_t(b)]));
  return sum;
}

// Mean over rows of p_a (x) p_b, (k, k).
std::vector<double> mean_product(const Tensor& a, const Tensor& b) {
  const int64_t n = a.size(0), k = a.size(1);
  const Tensor p = a.to(DType::f64).contiguous(), q = b.to(DType::f64).contiguous();
  std::vector<double> out(size_t(k * k), 0);
  for (int64_t i = 0; i < n; i++)
    for (int64_t s = 0; s < k; s++)
      for (int64_t t = 0; t < k; t++)
        out[size_t(s * k + t)] +=
            p.data<double>()[i * k + s] * q.data<double>()[i * k + t] / double(n);
  return out;
}

void move_towards(double* value, double target, double rho) { *value += rho * (target - *value); }

}  // namespace

LatentTree::LatentTree(int64_t dims, int64_t facets, int64_t k)
    : dims_(dims),
      facets_(facets),
      k_(k),
      facet_of_(Tensor::zeros({dims}, DType::f64)),
      parent_(Tensor::full({facets}, -1, DType::f64)),
      chief_(Tensor::zeros({1}, DType::f64)),
      weight_(Tensor::full({facets, k}, 1.0 / double(k), DType::f64)),
      sums_(Tensor::zeros({facets, k, dims}, DType::f64)),
      squares_(Tensor::zeros({facets, k, dims, dims}, DType::f64)),
      joint_(Tensor::full({facets, k, k}, 1.0 / double(k * k), DType::f64)) {
  if (facets < 1 || facets > dims)
    fail("latent tree", text("1 to ", dims, " facets, a latent dimension or more each"),
         text(facets));
}

void LatentTree::visit(nn::Visitor& v) {
  v("facet_of", facet_of_), v("parent", parent_), v("chief", chief_), v("weight", weight_);
  v("sums", sums_), v("squares", squares_), v("joint", joint_);
}

std::vector<int64_t> LatentTree::dims_of(int64_t facet) const {
  std::vector<int64_t> out;
  for (int64_t j = 0; j < dims_; j++)
    if (int64_t(facet_of_.data<double>()[j]) == facet) out.push_back(j);
  return out;
}

std::vector<int64_t> LatentTree::from_leaves() const {
  std::vector<int64_t> order;  // from the root down, then turned round
  for (int64_t f = 0; f < facets_; f++)
    if (parent_of(f) < 0) order.push_back(f);
  for (size_t i = 0; i < order.size(); i++)
    for (int64_t f = 0; f < facets_; f++)
      if (parent_of(f) == order[i]) order.push_back(f);
  std::reverse(order.begin(), order.end());
  return order;
}

Var LatentTree::log_components(const Var& z, int64_t facet) const {
  const std::vector<int64_t> dims = dims_of(facet);
  const auto d = int64_t(dims.size());
  std::vector<Var> parts;
  for (int64_t j : dims) parts.push_back(slice(z, 1, j, j + 1));
  const Var own = concat(parts, 1);

  // S = E[z z'] - m m' of each component, then W with W'W = S^-1.
  Tensor covariance = Tensor::zeros({k_, d, d}, DType::f64);
  Tensor means = Tensor::zeros({k_, d}, DType::f64);
  for (int64_t c = 0; c < k_; c++) {
    const double w = std::max(weight_.data<double>()[facet * k_ + c], 1e-12);
    const double* sum = sums_.data<double>() + (facet * k_ + c) * dims_;
    const double* square = squares_.data<double>() + (facet * k_ + c) * dims_ * dims_;
    for (int64_t a = 0; a < d; a++) {
      means.data<double>()[c * d + a] = sum[dims[size_t(a)]] / w;
      for (int64_t b = 0; b < d; b++)
        covariance.data<double>()[(c * d + a) * d + b] =
            square[dims[size_t(a)] * dims_ + dims[size_t(b)]] / w -
            sum[dims[size_t(a)]] * sum[dims[size_t(b)]] / (w * w) + (a == b ? kLeastVariance : 0);
    }
  }
  const auto white = cluster::whiten(cluster::Covariance::full, covariance, k_, d);
  std::vector<Var> densities;
  for (int64_t c = 0; c < k_; c++) {
    const Tensor mean = means.slice(0, c, c + 1).to(z.dtype());
    const Tensor w = white.w.select(0, c).to(z.dtype()).contiguous();
    const Var y = linear(own - Var(mean), Var(w));
    const double constant = white.log_det[size_t(c)] - double(d) * kLogTwoPi / 2;
    densities.push_back(-0.5 * sum(square(y), {1}, true) + constant);
  }
  return concat(densities, 1);
}

Var LatentTree::log_table(int64_t facet) const {
  const bool root = parent_of(facet) < 0;
  Tensor out = Tensor::empty({root ? 1 : k_, k_});
  for (int64_t a = 0; a < out.size(0); a++) {
    const double* from =
        root ? weight_.data<double>() + facet * k_ : joint_.data<double>() + (facet * k_ + a) * k_;
    double sum = 0;
    for (int64_t b = 0; b < k_; b++) sum += from[b] + kSmoothing;
    for (int64_t b = 0; b < k_; b++)
      out.data<float>()[a * k_ + b] = float(std::log((from[b] + kSmoothing) / sum));
  }
  return out;
}

std::vector<Var> LatentTree::upward(const Var& z) const {
  std::vector<Var> message(static_cast<size_t>(facets_));
  for (int64_t f = 0; f < facets_; f++) message[size_t(f)] = log_components(z, f);
  const int64_t n = z.size(0);
  for (int64_t f : from_leaves()) {
    const int64_t parent = parent_of(f);
    if (parent < 0) continue;
    // To the parent's value a: log sum over b of p(b | a) e^(message of b).
    const Var table = log_table(f).value().to(z.dtype());
    const Var both = reshape(message[size_t(f)], {n, 1, k_}) + reshape(table, {1, k_, k_});
    message[size_t(parent)] = message[size_t(parent)] + logsumexp(both, 2);
  }
  return message;
}

Var LatentTree::log_density(const Var& z) const {
  const std::vector<Var> message = upward(z);
  const int64_t root = from_leaves().back();
  return logsumexp(message[size_t(root)] + Var(log_table(root).value().to(z.dtype())), 1);
}

std::vector<Tensor> LatentTree::posteriors(const Tensor& z) const {
  NoGrad no_grad;
  const std::vector<Var> up = upward(z);
  const int64_t n = z.size(0);
  std::vector<int64_t> order = from_leaves();
  std::reverse(order.begin(), order.end());
  std::vector<Tensor> out(static_cast<size_t>(facets_));
  for (int64_t f : order) {
    const Var table(log_table(f).value().to(z.dtype()));
    if (parent_of(f) < 0) {
      out[size_t(f)] = softmax(up[size_t(f)] + table, 1).value();
      continue;
    }
    // p(b | z) = sum over a of p(a | z) p(b | a, z below f)
    const Var given = softmax(reshape(up[size_t(f)], {n, 1, k_}) + reshape(table, {1, k_, k_}), 2);
    const Var parent(out[size_t(parent_of(f))]);
    out[size_t(f)] = sum(reshape(parent, {n, k_, 1}) * given, {1}).value();
  }
  return out;
}

void LatentTree::step(const Tensor& z, double rho) {
  const std::vector<Tensor> posterior = posteriors(z);
  const int64_t n = z.size(0);
  const Tensor x = z.to(DType::f64).contiguous();
  std::vector<double> sum(static_cast<size_t>(dims_)), square(static_cast<size_t>(dims_ * dims_));
  for (int64_t f = 0; f < facets_; f++) {
    const Tensor p = posterior[size_t(f)].to(DType::f64).contiguous();
    for (int64_t c = 0; c < k_; c++) {
      double weight = 0;
      std::fill(sum.begin(), sum.end(), 0), std::fill(square.begin(), square.end(), 0);
      for (int64_t i = 0; i < n; i++) {
        const double r = p.data<double>()[i * k_ + c] / double(n);
        const double* row = x.data<double>() + i * dims_;
        weight += r;
        for (int64_t a = 0; a < dims_; a++) {
          sum[size_t(a)] += r * row[a];
          for (int64_t b = 0; b < dims_; b++) square[size_t(a * dims_ + b)] += r * row[a] * row[b];
        }
      }
      const int64_t at = f * k_ + c;
      move_towards(weight_.data<double>() + at, weight, rho);
      for (int64_t a = 0; a < dims_; a++)
        move_towards(sums_.data<double>() + at * dims_ + a, sum[size_t(a)], rho);
      for (int64_t a = 0; a < dims_ * dims_; a++)
        move_towards(squares_.data<double>() + at * dims_ * dims_ + a, square[size_t(a)], rho);
    }
    if (const int64_t parent = parent_of(f); parent >= 0) {
      const std::vector<double> joint = mean_product(posterior[size_t(parent)], p);
      for (int64_t a = 0; a < k_ * k_; a++)
        move_towards(joint_.data<double>() + f * k_ * k_ + a, joint[size_t(a)], rho);
    }
  }
}

void LatentTree::start(const Tensor& codes, uint64_t seed, const Progress& progress) {
  const auto groups = linked(correlations(codes), dims_, facets_);
  for (int64_t f = 0; f < facets_; f++)
    for (int64_t j : groups[size_t(f)]) facet_of_.data<double>()[j] = double(f);
  const int64_t n = codes.size(0);
  const Tensor x = codes.to(DType::f64).contiguous();
  sums_.fill_(0), squares_.fill_(0), weight_.fill_(0);
  std::vector<Tensor> posterior;
  for (int64_t f = 0; f < facets_; f++) {
    const Tensor own = columns_of(codes, groups[size_t(f)]);
    const auto gmm =
        cluster::fit_gmm(own, {.k = k_, .n_init = kStarts, .seed = seed + uint64_t(f)}, progress);
    posterior.push_back(cluster::predict_proba(gmm, own));
    const double* p = posterior.back().data<double>();
    for (int64_t i = 0; i < n; i++)
      for (int64_t c = 0; c < k_; c++) {
        const double r = p[i * k_ + c] / double(n);
        const double* row = x.data<double>() + i * dims_;
        weight_.data<double>()[f * k_ + c] += r;
        for (int64_t a = 0; a < dims_; a++) {
          sums_.data<double>()[(f * k_ + c) * dims_ + a] += r * row[a];
          for (int64_t b = 0; b < dims_; b++)
            squares_.data<double>()[((f * k_ + c) * dims_ + a) * dims_ + b] += r * row[a] * row[b];
        }
      }
  }
  grow(posterior);
}

void LatentTree::learn_tree(const Tensor& codes) { grow(posteriors(codes)); }

// Prim's algorithm from the facet that knows most of the others.
void LatentTree::grow(const std::vector<Tensor>& posterior) {
  const auto m = size_t(facets_);
  std::vector<std::vector<double>> joint(m * m);
  std::vector<double> information(m * m, 0), total(m, 0);
  for (size_t a = 0; a < m; a++)
    for (size_t b = 0; b < m; b++) {
      if (a == b) continue;
      joint[a * m + b] = mean_product(posterior[a], posterior[b]);
      information[a * m + b] = mutual_information(joint[a * m + b], k_);
      total[a] += information[a * m + b];
    }
  const auto root = size_t(std::max_element(total.begin(), total.end()) - total.begin());
  chief_.data<double>()[0] = double(root);
  std::vector<bool> inside(m, false);
  inside[root] = true;
  parent_.data<double>()[root] = -1;
  for (size_t count = 1; count < m; count++) {
    size_t from = root, to = m;
    for (size_t a = 0; a < m; a++)
      for (size_t b = 0; b < m; b++)
        if (inside[a] && !inside[b] &&
            (to == m || information[a * m + b] > information[from * m + to]))
          from = a, to = b;
    inside[to] = true;
    parent_.data<double>()[to] = double(from);
    for (size_t i = 0; i < size_t(k_ * k_); i++)
      joint_.data<double>()[to * size_t(k_ * k_) + i] = joint[from * m + to][i];
  }
}

}  // namespace clade::models
