// UMAP: a low-dimensional picture of a cloud of points that keeps who is whose neighbour.
//
//   1. neighbours      the k nearest of each row (exact) clustering/neighbors/
//   2. fuzzy graph     how much each neighbour belongs: exp(-(d - rho) / sigma)  umap_graph.h
//   3. curve           1 / (1 + a d^2b), closeness in the picture                umap_curve.h
//   4. first layout    eigenvectors of the graph, component by component         umap_spectral.h
//   5. layout          attraction along edges, repulsion from random vertices    umap_layout.h
//
// Source: McInnes, Healy, Melville, "UMAP: Uniform Manifold Approximation and Projection for
// Dimension Reduction" (arXiv 1802.03426), with the constants of the umap-learn package, so that
// its parameters mean the same here. Other than there, a seed costs no speed: the result has the
// same bits at any number of threads.
#pragma once

#include <cstdint>

#include "clustering/manifold/umap_density.h"
#include "clustering/manifold/umap_graph.h"
#include "clustering/neighbors/knn.h"
#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

enum class UmapInit : uint8_t {
  spectral,  // eigenvectors of the graph; principal components where they do not converge
  pca,       // the first principal components
  random,    // uniform in a box
  given,     // UmapOptions::initial
};

const char* name_of(UmapInit init);

enum class UmapMetric : uint8_t {
  euclidean,
  cosine,       // 1 - cos; rows of length 0 have none and are refused
  correlation,  // the same of rows whose own mean is taken off; not of constant rows
};

const char* name_of(UmapMetric metric);

// n_neighbors by the number of rows: max(n / 300, 100), for pictures of whole classes.
int64_t dynamic_neighbors(int64_t n);

struct UmapOptions {
  int64_t n_neighbors = 15;  // the point itself counts, as in umap-learn; at most n (else: n)
  UmapMetric metric = UmapMetric::euclidean;
  int64_t n_components = 2;  // columns of the embedding
  double min_dist = 0.1;     // how tightly points may be packed; 0 for clustering
  double spread = 1.0;       // the scale of the embedding, >= min_dist
  double a = 0, b = 0;       // both > 0: the curve itself, in place of min_dist and spread
  int64_t n_epochs = 0;      // 0: 500 up to 10,000 rows, 200 above; densMAP 200 more
  double learning_rate = 1.0;
  int64_t negative_sample_rate = 5;  // repulsions drawn for each attraction
  double repulsion_strength = 1.0;
  double local_connectivity = 1.0;  // this many nearest neighbours belong fully
  double set_op_mix_ratio = 1.0;    // 1: union of the two directions of an edge, 0: intersection
  UmapInit init = UmapInit::spectral;
  Tensor initial = {};         // (n, n_components), for UmapInit::given; scaled to [0, 10]
  Neighbors neighbors = {};    // where known: (n, k), the row itself first; else computed
  Tensor labels = {};          // (n) whole numbers, negative: unknown; draws classes together
  double target_weight = 0.5;  // how much the labels count: 0 little, 1 alone
  bool densmap = false;        // densMAP: keep dense regions dense
  DensityOptions density = {};
  uint64_t seed = 0;
};

struct UmapResult {
  Tensor embedding;        // (n, n_components) f32
  double a = 0, b = 0;     // the curve used
  FuzzyGraph graph;        // the symmetric graph that was laid out
  int64_t components = 0;  // connected parts of the graph
  int64_t epochs = 0;
  UmapInit init = UmapInit::spectral;  // the one used: pca where spectral did not converge
  Tensor log_radii, embedded_radii;    // (n) f32, densMAP alone: umap_density.h's r and e
  Tensor rows;          // (n, d): x, as unit_rows() makes it under cosine or correlation
  UmapOptions options;  // as they were given
};

// x (n, d), f32 or f64, finite, n >= 2. Throws Error on bad input or options. Fewer rows than
// n_neighbors are no error: every row is then everyone's neighbour (k = n).
// Reports "umap neighbours", "umap spectral", "umap layout", and the stages of what it calls.
UmapResult umap(const Tensor& x, const UmapOptions& options = {}, const Progress& progress = {});

// Places for new rows x (m, d) in a finished picture (m, n_components), f32, which stays as it is:
// memberships to the training neighbours, a start at their weighted mean, then the layout of the
// row alone, with a third of the epochs and a quarter of the learning rate (as umap-learn). A row's
// place depends on the row, the picture and the seed, not on the rows that come with it: the
// random vertices are drawn by the row's own values. x in the dtype of the training rows.
// Reports "umap transform".
Tensor transform(const UmapResult& fitted, const Tensor& x, const Progress& progress = {});

// Rows (m, d) for places z (m, n_components) of the picture: the mean of the n_neighbors nearest
// training rows in the picture, weighted by closeness 1 / (1 + a d^2b). Under cosine, of length 1.
Tensor inverse_transform(const UmapResult& fitted, const Tensor& z, const Progress& progress = {});

}  // namespace clade::cluster
