#include "clustering/manifold/tsne.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "clustering/linalg/matrix.h"
#include "clustering/linalg/waves.h"
#include "clustering/manifold/pca.h"
#include "clustering/manifold/tsne_forces.h"
#include "tensor/parallel.h"
#include "tensor/random.h"

namespace clade::cluster {
namespace {

constexpr int64_t kExactRows = 4096;  // up to here all pairs cost less than a grid
constexpr int64_t kGrain = 4096;
constexpr double kStartDeviation = 1e-4;
constexpr double kStartNoise = 1e-2;  // of the deviation; keeps apart rows that are the same
constexpr float kGainUp = 0.2f, kGainDown = 0.8f, kLeastGain = 0.01f;
constexpr float kLongestStep = 5;
constexpr double kLeastRate = 50;
// New rows: few neighbours, so that they join one place; steps short beside the picture.
constexpr int64_t kNewNeighbors = 25;
constexpr double kNewPerplexity = 5, kNewExaggeration = 1.5;
constexpr int kNewSteps = 250;
constexpr double kNewRate = 0.1, kNewMomentum = 0.8, kNewStep = 0.25;

void check(const TsneOptions& o) {
  auto require = [](bool sound, const char* expected, double got) {
    if (!sound) fail("tsne", expected, text(got));
  };
  require(o.n_components >= 1 && o.n_components <= kMostPlanes, "n_components in 1 .. 16",
          double(o.n_components));
  require(o.perplexity >= 1 && std::isfinite(o.perplexity), "a finite perplexity >= 1",
          o.perplexity);
  require(o.early_exaggeration >= 1 && std::isfinite(o.early_exaggeration),
          "a finite early_exaggeration >= 1", o.early_exaggeration);
  require(o.exaggeration >= 1 && std::isfinite(o.exaggeration), "a finite exaggeration >= 1",
          o.exaggeration);
  require(o.early_steps >= 0, "early_steps >= 0", double(o.early_steps));
  require(o.steps >= 0, "steps >= 0", double(o.steps));
  require(o.learning_rate >= 0 && std::isfinite(o.learning_rate),
          "a finite learning_rate > 0, or 0 for the usual one", o.learning_rate);
  require(o.momentum >= 0 && o.momentum < 1, "momentum in [0, 1)", o.momentum);
  require(o.angle > 0 && o.angle <= 1, "angle in (0, 1]", o.angle);
}

TsneMethod method_for(const TsneOptions& o, int64_t n) {
  if (o.method == TsneMethod::fft && o.n_components != 2)
    fail("tsne", "2 dimensions for fft", text(o.n_components), "use barnes-hut or exact");
  if (o.method == TsneMethod::barnes_hut && o.n_components > 3)
    fail("tsne", "1 to 3 dimensions for barnes_hut", text(o.n_components), "use exact");
  if (o.method != TsneMethod::automatic) return o.method;
  if (n <= kExactRows || o.n_components > 3) return TsneMethod::exact;
  return o.n_components == 2 ? TsneMethod::fft : TsneMethod::barnes_hut;
}

std::unique_ptr<Repulsion> repulsion_for(TsneMethod method, double angle) {
  switch (method) {
    case TsneMethod::fft: return std::unique_ptr<Repulsion>(grid_repulsion());
    case TsneMethod::barnes_hut: return std::unique_ptr<Repulsion>(tree_repulsion(angle));
    default: return std::unique_ptr<Repulsion>(exact_repulsion());
  }
}

Neighbors find_neighbors(const Tensor& x, const TsneOptions& options, double perplexity,
                         const Progress& progress) {
  const int64_t n = x.size(0);
  if (options.neighbors.index.defined()) {
    const Neighbors& given = options.neighbors;
    if (given.index.rank() != 2 || given.index.size(0) != n ||
        given.index.shape() != given.distance.shape())
      fail("tsne", text("neighbours of ", n, " rows"), text("index ", given.index));
    Neighbors sound{given.index.to(DType::i32).contiguous(),
                    given.distance.to(DType::f32).contiguous()};
    const int64_t k = sound.index.size(1);
    for (int64_t e = 0; e < n * k; e++) {
      const int32_t j = sound.index.data<int32_t>()[e];
      const float d = sound.distance.data<float>()[e];
      if (j < 0 || j >= n || j == e / k || !(d >= 0) || !std::isfinite(d))
        fail("tsne", text("neighbours among the other rows, at finite distances"),
             text("row ", j, " at ", d, " in row ", e / k));
    }
    return sound;
  }
  progress("t-SNE neighbours", 0, n);
  const int64_t k = std::min(n - 1, int64_t(3 * perplexity) + 1);
  Neighbors neighbors = exact_knn(x, k, false, progress);
  progress("t-SNE neighbours", n, n);
  return neighbors;
}

void start(const Tensor& x, const TsneOptions& options, Points& points, const Progress& progress) {
  const int64_t n = points.n;
  Tensor layout = Tensor::zeros({n, points.dimensions}, DType::f32);
  if (options.init == TsneInit::given) {
    layout = finite_matrix("tsne", options.initial, "initial").to(DType::f32).contiguous();
    if (layout.shape() != Shape{n, points.dimensions})
      fail("tsne", text("initial ", Shape{n, points.dimensions}), text("initial ", layout.shape()));
    require_apart("tsne", layout);
  } else {
    Random rng = Random(options.seed).fork("tsne start");
    const Tensor noise = randn(layout.shape(), rng);
    const bool random = options.init == TsneInit::random;
    double deviation = 0;
    if (!random) {
      const int64_t axes = std::min({points.dimensions, n - 1, x.size(1)});
      const Tensor scores = transform(fit_pca(x, {.components = axes}, progress), x);
      layout.slice(1, 0, axes).copy_(scores);
      double sum = 0;
      for (int64_t i = 0; i < n; i++)
        sum += std::pow(double(layout.data<float>()[i * points.dimensions]), 2);
      deviation = std::sqrt(sum / double(n));
    }
    const double scale = deviation > 0 ? kStartDeviation / deviation : 0;
    const double share = kStartDeviation * (random ? 1 : kStartNoise);
    float* y = layout.data<float>();
    for (int64_t e = 0; e < layout.numel(); e++)
      y[e] = float(double(y[e]) * scale + share * double(noise.data<float>()[e]));
  }
  for (int64_t c = 0; c < points.dimensions; c++)
    for (int64_t i = 0; i < n; i++)
      points.plane(c)[i] = layout.data<float>()[i * points.dimensions + c];
}

// Gradient descent on all points together.
class Descent {
 public:
  Descent(const Affinities& p, Points& points, Repulsion& repulsion, double momentum)
      : p_(p),
        points_(points),
        repulsion_(repulsion),
        momentum_(float(momentum)),
        pull_(points.y.size()),
        push_(points.y.size()),
        step_(points.y.size(), 0.0f),
        gain_(points.y.size(), 1.0f) {}

  void start_phase() { std::fill(gain_.begin(), gain_.end(), 1.0f); }

  void step(double exaggeration, double rate) {
    attraction(p_, points_, pull_);
    const double z = repulsion_.run(points_, push_);
    const float pull = float(4 * exaggeration), push = float(4 / z), speed = float(rate);
    parallel_for(points_.n, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        float length2 = 0;
        for (int64_t c = 0; c < points_.dimensions; c++) {
          const size_t at = size_t(c * points_.stride + i);
          const float gradient = pull * pull_[at] - push * push_[at];
          const bool onward = gradient * step_[at] < 0;  // as the last step went
          gain_[at] = std::max(onward ? gain_[at] + kGainUp : gain_[at] * kGainDown, kLeastGain);
          step_[at] = momentum_ * step_[at] - speed * gain_[at] * gradient;
          length2 += step_[at] * step_[at];
        }
        const float shorten =
            length2 > kLongestStep * kLongestStep ? kLongestStep / std::sqrt(length2) : 1;
        for (int64_t c = 0; c < points_.dimensions; c++) {
          const size_t at = size_t(c * points_.stride + i);
          step_[at] *= shorten;
          points_.y[at] += step_[at];
        }
      }
    });
    centre();
  }

  double divergence() { return cluster::divergence(p_, points_, repulsion_.run(points_, push_)); }

 private:
  void centre() {
    for (int64_t c = 0; c < points_.dimensions; c++) {
      float* y = points_.plane(c);
      const double sum = parallel_reduce(
          points_.n, kGrain, 0.0,
          [&](int64_t begin, int64_t end) {
            double part = 0;
            for (int64_t i = begin; i < end; i++) part += double(y[i]);
            return part;
          },
          [](double a, double b) { return a + b; });
      const float middle = float(sum / double(points_.n));
      for (int64_t i = 0; i < points_.n; i++) y[i] -= middle;
    }
  }

  const Affinities& p_;
  Points& points_;
  Repulsion& repulsion_;
  float momentum_;
  std::vector<float> pull_, push_, step_, gain_;
};

// The place y of a new row with neighbours `index` of probabilities p, which sum to 1: it goes down
// the gradient of its own sum_j p_j log(p_j / q_j), where the points stay as they are.
void descend_alone(const Points& points, const Repulsion& repulsion, const int32_t* index,
                   const std::vector<double>& p, float* y) {
  const int64_t dimensions = points.dimensions;
  double step[kMostPlanes] = {}, gradient[kMostPlanes], push[kMostPlanes];
  for (int64_t c = 0; c < dimensions; c++) {
    double start = 0;
    for (size_t j = 0; j < p.size(); j++) start += p[j] * double(points.plane(c)[index[j]]);
    y[c] = float(start);
  }
  for (int t = 0; t < kNewSteps; t++) {
    const double z = repulsion.at(points, y, push);
    for (int64_t c = 0; c < dimensions; c++) gradient[c] = -push[c] / z;
    for (size_t j = 0; j < p.size(); j++) {
      double d2 = 0;
      for (int64_t c = 0; c < dimensions; c++)
        d2 += std::pow(double(y[c]) - double(points.plane(c)[index[j]]), 2);
      const double w = kNewExaggeration * p[j] / (1 + d2);
      for (int64_t c = 0; c < dimensions; c++)
        gradient[c] += w * (double(y[c]) - double(points.plane(c)[index[j]]));
    }
    double length2 = 0;
    for (int64_t c = 0; c < dimensions; c++) {
      step[c] = kNewMomentum * step[c] - kNewRate * gradient[c];
      length2 += step[c] * step[c];
    }
    const double shorten = length2 > kNewStep * kNewStep ? kNewStep / std::sqrt(length2) : 1;
    for (int64_t c = 0; c < dimensions; c++) y[c] += float(step[c] *= shorten);
  }
}

}  // namespace

const char* name_of(TsneMethod method) {
  switch (method) {
    case TsneMethod::automatic: return "auto";
    case TsneMethod::exact: return "exact";
    case TsneMethod::barnes_hut: return "barnes-hut";
    case TsneMethod::fft: return "fft";
  }
  return "?";
}

const char* name_of(TsneInit init) {
  switch (init) {
    case TsneInit::pca: return "pca";
    case TsneInit::random: return "random";
    case TsneInit::given: return "given";
  }
  return "?";
}

TsneResult tsne(const Tensor& x, const TsneOptions& options, const Progress& progress) {
  check(options);
  const Tensor rows = finite_matrix("tsne", x);
  const int64_t n = rows.size(0);
  if (n < 4) fail("tsne", "4 rows or more", text("x ", x.shape()));

  TsneResult result;
  result.rows = rows;
  result.options = options;
  result.method = method_for(options, n);
  result.perplexity = std::min(options.perplexity, std::max(1.0, double(n - 1) / 3));
  result.affinities = joint_probabilities(
      find_neighbors(rows, options, result.perplexity, progress), result.perplexity);

  Points points(n, options.n_components);
  start(rows, options, points, progress);
  const std::unique_ptr<Repulsion> repulsion = repulsion_for(result.method, options.angle);
  Descent descent(result.affinities, points, *repulsion, options.momentum);
  const int64_t all = options.early_steps + options.steps;
  for (int64_t t = 0; t < all; t++) {
    if (t % 10 == 0) progress("t-SNE", t, all);
    const double exaggeration =
        t < options.early_steps ? options.early_exaggeration : options.exaggeration;
    const double usual = std::max(kLeastRate, double(n) / exaggeration);
    descent.step(exaggeration, options.learning_rate > 0 ? options.learning_rate : usual);
  }
  result.divergence = descent.divergence();
  progress("t-SNE", all, all);

  result.embedding = Tensor::empty({n, options.n_components}, DType::f32);
  for (int64_t i = 0; i < n; i++)
    for (int64_t c = 0; c < options.n_components; c++) {
      const float y = points.plane(c)[i];
      if (!std::isfinite(y))
        fail("tsne", "a picture that stays finite", text(y, " in row ", i), "lower learning_rate");
      result.embedding.data<float>()[i * options.n_components + c] = y;
    }
  return result;
}

Tensor transform(const TsneResult& fitted, const Tensor& x, const Progress& progress) {
  const Tensor queries = finite_matrix("tsne transform", x);
  if (queries.size(1) != fitted.rows.size(1) || queries.dtype() != fitted.rows.dtype())
    fail("tsne transform", text("columns and dtype of the training rows ", fitted.rows), text(x));
  const int64_t m = queries.size(0), n = fitted.rows.size(0), dimensions = fitted.embedding.size(1);
  const int64_t k = std::min(n, kNewNeighbors);
  const double perplexity = std::min(kNewPerplexity, std::max(1.0, double(k) / 3));
  const Neighbors near = exact_knn(queries, fitted.rows, k, progress);

  Points points(n, dimensions);
  for (int64_t c = 0; c < dimensions; c++)
    for (int64_t i = 0; i < n; i++)
      points.plane(c)[i] = fitted.embedding.data<float>()[i * dimensions + c];
  const std::unique_ptr<Repulsion> repulsion = repulsion_for(fitted.method, fitted.options.angle);
  std::vector<float> unused(points.y.size());
  repulsion->run(points, unused);

  Tensor out = Tensor::empty({m, dimensions}, DType::f32);
  in_waves(m, "t-SNE transform", progress, [&](int64_t begin, int64_t end) {
    std::vector<double> squared(static_cast<size_t>(k)), p(static_cast<size_t>(k));
    for (int64_t i = begin; i < end; i++) {
      for (int64_t j = 0; j < k; j++)
        squared[size_t(j)] = std::pow(double(near.distance.data<float>()[i * k + j]), 2);
      conditional_probabilities(squared.data(), k, perplexity, p.data());
      descend_alone(points, *repulsion, near.index.data<int32_t>() + i * k, p,
                    out.data<float>() + i * dimensions);
    }
  });
  return out;
}

}  // namespace clade::cluster
