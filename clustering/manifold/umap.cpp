#include "clustering/manifold/umap.h"

#include <algorithm>
#include <cmath>

#include "clustering/linalg/matrix.h"
#include "clustering/manifold/pca.h"
#include "clustering/manifold/umap_curve.h"
#include "clustering/manifold/umap_layout.h"
#include "clustering/manifold/umap_metric.h"
#include "clustering/manifold/umap_spectral.h"
#include "clustering/manifold/umap_supervised.h"
#include "clustering/neighbors/nn_descent.h"
#include "tensor/random.h"

namespace clade::cluster {
namespace {

constexpr float kExtent = 10;           // the first layout fills [0, 10] along each axis
constexpr double kNoise = 1e-4;         // keeps apart what the eigenvectors put in one place
constexpr double kPoorResidual = 0.05;  // above it the spectral layout is no good
constexpr int64_t kManyRows = 10000;    // from here on fewer epochs do

int64_t default_epochs(int64_t n, bool densmap) {
  return (n <= kManyRows ? 500 : 200) + (densmap ? 200 : 0);
}

void check(const UmapOptions& o) {
  auto require = [](bool sound, const char* expected, double got) {
    if (!sound) fail("umap", expected, text(got));
  };
  require(o.n_neighbors == 0 || o.n_neighbors >= 2, "n_neighbors >= 2, or 0 for max(n / 300, 100)",
          double(o.n_neighbors));
  require(o.n_components >= 1, "n_components >= 1", double(o.n_components));
  require(o.n_epochs >= 0, "n_epochs >= 1, or 0 for the default", double(o.n_epochs));
  require(o.negative_sample_rate >= 0, "negative_sample_rate >= 0", double(o.negative_sample_rate));
  require(o.learning_rate > 0 && std::isfinite(o.learning_rate), "a finite learning_rate > 0",
          o.learning_rate);
  require(o.repulsion_strength >= 0 && std::isfinite(o.repulsion_strength),
          "a finite repulsion_strength >= 0", o.repulsion_strength);
  require(o.a >= 0 && o.b >= 0 && (o.a > 0) == (o.b > 0) && std::isfinite(o.a + o.b),
          "a and b both > 0, or both 0 for the fit", o.a > 0 ? o.b : o.a);
}

Neighbors neighbors_of(const Tensor& x, const UmapOptions& options, const Progress& progress) {
  const int64_t n = x.size(0);
  if (options.neighbors.index.defined()) {
    if (options.neighbors.index.rank() != 2 || options.neighbors.index.size(0) != n)
      fail("umap", text("neighbours of ", n, " rows"), text("index ", options.neighbors.index));
    return options.neighbors;
  }
  progress("umap neighbours", 0, n);
  const int64_t k = options.n_neighbors ? options.n_neighbors : dynamic_neighbors(n);
  Neighbors neighbors = find_neighbors(x, std::min(k, n), true, options.seed, progress).neighbors;
  to_metric(options.metric, neighbors.distance);
  progress("umap neighbours", n, n);
  return neighbors;
}

// The graph without edges too light to come up once in all epochs.
FuzzyGraph prune(const FuzzyGraph& graph, int64_t epochs) {
  const int64_t n = graph.vertices();
  const int64_t* offset = graph.offset.data<int64_t>();
  const int32_t* column = graph.column.data<int32_t>();
  const float* weight = graph.weight.data<float>();
  const float heaviest = graph.edges() ? *std::max_element(weight, weight + graph.edges()) : 0.0f;
  const float least = float(heaviest / double(epochs));
  int64_t kept = 0;
  for (int64_t e = 0; e < graph.edges(); e++) kept += weight[e] >= least;

  FuzzyGraph pruned{Tensor::zeros({n + 1}, DType::i64), Tensor::empty({kept}, DType::i32),
                    Tensor::empty({kept}, DType::f32)};
  int64_t* ends = pruned.offset.data<int64_t>();
  int64_t to = 0;
  for (int64_t i = 0; i < n; i++) {
    for (int64_t e = offset[i]; e < offset[i + 1]; e++) {
      if (weight[e] < least) continue;
      pruned.column.data<int32_t>()[to] = column[e];
      pruned.weight.data<float>()[to++] = weight[e];
    }
    ends[i + 1] = to;
  }
  return pruned;
}

Tensor pca_layout(const Tensor& x, int64_t dimensions, const Progress& progress) {
  const int64_t n = x.size(0), axes = std::min({dimensions, n - 1, x.size(1)});
  const Tensor scores = transform(fit_pca(x, {.components = axes}, progress), x);
  Tensor layout = Tensor::zeros({n, dimensions}, DType::f32);
  layout.slice(1, 0, axes).copy_(scores);
  return layout;
}

Tensor random_layout(int64_t n, int64_t dimensions, uint64_t seed) {
  Random rng = Random(seed).fork("umap random layout");
  return rand({n, dimensions}, rng);
}

// Scales all axes alike until the largest coordinate is kExtent, and adds a little noise.
void add_noise(Tensor& layout, uint64_t seed) {
  Random rng = Random(seed).fork("umap noise");
  const Tensor noise = randn(layout.shape(), rng);
  float* y = layout.data<float>();
  const float* z = noise.data<float>();
  float largest = 0;
  for (int64_t e = 0; e < layout.numel(); e++) largest = std::max(largest, std::abs(y[e]));
  const float scale = largest > 0 ? kExtent / largest : 1;
  for (int64_t e = 0; e < layout.numel(); e++) y[e] = y[e] * scale + float(kNoise) * z[e];
}

// Stretches each axis to [0, kExtent]; one without extent goes to 0.
void fill_box(Tensor& layout) {
  const int64_t n = layout.size(0), d = layout.size(1);
  float* y = layout.data<float>();
  for (int64_t j = 0; j < d; j++) {
    float low = y[j], high = y[j];
    for (int64_t i = 1; i < n; i++) {
      low = std::min(low, y[i * d + j]);
      high = std::max(high, y[i * d + j]);
    }
    const float scale = high > low ? kExtent / (high - low) : 0;
    for (int64_t i = 0; i < n; i++) y[i * d + j] = (y[i * d + j] - low) * scale;
  }
}

Tensor first_layout(const Tensor& x, const FuzzyGraph& graph, const UmapOptions& options,
                    UmapResult& result, const Progress& progress) {
  const int64_t n = x.size(0), dimensions = options.n_components;
  result.init = options.init;
  Tensor layout;
  if (options.init == UmapInit::given) {
    layout = finite_matrix("umap", options.initial, "initial").to(DType::f32).clone();
    if (layout.shape() != Shape{n, dimensions})
      fail("umap", text("initial ", Shape{n, dimensions}), text("initial ", layout.shape()));
    require_apart("umap", layout);
  } else if (options.init == UmapInit::random) {
    layout = random_layout(n, dimensions, options.seed);
  } else {
    if (options.init == UmapInit::spectral) {
      SpectralLayout spectral = spectral_layout(graph, x, dimensions, options.seed, progress);
      if (spectral.residual <= kPoorResidual)
        layout = spectral.embedding;
      else
        result.init = UmapInit::pca;
    }
    if (!layout.defined()) layout = pca_layout(x, dimensions, progress);
    add_noise(layout, options.seed);
  }
  fill_box(layout);
  return layout;
}

void require_finite(const Tensor& embedding) {
  const float* y = embedding.data<float>();
  for (int64_t e = 0; e < embedding.numel(); e++)
    if (!std::isfinite(y[e]))
      fail("umap", "a layout that stays finite", text(y[e], " in row ", e / embedding.size(1)),
           "lower learning_rate or repulsion_strength");
}

}  // namespace

const char* name_of(UmapInit init) {
  switch (init) {
    case UmapInit::spectral: return "spectral";
    case UmapInit::pca: return "pca";
    case UmapInit::random: return "random";
    case UmapInit::given: return "given";
  }
  return "?";
}

const char* name_of(UmapMetric metric) {
  switch (metric) {
    case UmapMetric::cosine: return "cosine";
    case UmapMetric::correlation: return "correlation";
    case UmapMetric::euclidean: break;
  }
  return "euclidean";
}

int64_t dynamic_neighbors(int64_t n) { return std::max<int64_t>(n / 300, 100); }

UmapResult umap(const Tensor& x, const UmapOptions& options, const Progress& progress) {
  check(options);
  const Tensor rows = for_metric(options.metric, finite_matrix("umap", x));
  const int64_t n = rows.size(0);
  if (n < 2) fail("umap", "2 rows or more", text("x ", x.shape()));

  UmapResult result;
  result.rows = rows;
  result.options = options;
  const int64_t usual = default_epochs(n, options.densmap);
  result.epochs = options.n_epochs ? options.n_epochs : usual;
  const UmapCurve curve = options.a > 0 ? UmapCurve{options.a, options.b}
                                        : fit_umap_curve(options.min_dist, options.spread);
  result.a = curve.a;
  result.b = curve.b;
  const Neighbors neighbors = neighbors_of(rows, options, progress);
  result.options.n_neighbors = neighbors.index.size(1);
  result.graph =
      fuzzy_simplicial_set(neighbors, options.set_op_mix_ratio, options.local_connectivity);
  if (options.labels.defined())
    result.graph = intersect_with_labels(result.graph, options.labels, options.target_weight);
  // So few epochs are for looking at the start only; they should not thin out the graph.
  const FuzzyGraph graph = prune(result.graph, result.epochs > 10 ? result.epochs : usual);
  const Tensor part = connected_components(graph);
  result.components = *std::max_element(part.data<int32_t>(), part.data<int32_t>() + n) + 1;

  result.embedding = first_layout(rows, graph, options, result, progress);
  LayoutOptions layout{curve,
                       result.epochs,
                       options.learning_rate,
                       options.negative_sample_rate,
                       options.repulsion_strength,
                       nullptr,
                       options.seed};
  if (!options.densmap) {
    optimize_layout(graph, layout, result.embedding, progress);
    require_finite(result.embedding);
    return result;
  }
  result.log_radii = log_radii(graph, neighbors);
  DensityTerm density(graph, result.log_radii, curve, options.density);
  layout.density = &density;
  optimize_layout(graph, layout, result.embedding, progress);
  require_finite(result.embedding);
  result.embedded_radii = log_radii(graph, result.embedding, curve);
  return result;
}

}  // namespace clade::cluster
