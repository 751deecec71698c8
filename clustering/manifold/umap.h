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

struct UmapOptions {
  int64_t n_neighbors = 15;  // the point itself counts, as in umap-learn; at most n (else: n)
  int64_t n_components = 2;  // columns of the embedding
  double min_dist = 0.1;     // how tightly points may be packed; 0 for clustering
  double spread = 1.0;       // the scale of the embedding, >= min_dist
  double a = 0, b = 0;       // both > 0: the curve itself, in place of min_dist and spread
  int64_t n_epochs = 0;      // 0: 500 up to 10,000 rows, 200 above
  double learning_rate = 1.0;
  int64_t negative_sample_rate = 5;  // repulsions drawn for each attraction
  double repulsion_strength = 1.0;
  double local_connectivity = 1.0;  // this many nearest neighbours belong fully
  double set_op_mix_ratio = 1.0;    // 1: union of the two directions of an edge, 0: intersection
  UmapInit init = UmapInit::spectral;
  Tensor initial = {};       // (n, n_components), for UmapInit::given; scaled to [0, 10]
  Neighbors neighbors = {};  // where known: (n, k), the row itself first; else computed
  uint64_t seed = 0;
};

struct UmapResult {
  Tensor embedding;        // (n, n_components) f32
  double a = 0, b = 0;     // the curve used
  FuzzyGraph graph;        // the symmetric graph that was laid out
  int64_t components = 0;  // connected parts of the graph
  int64_t epochs = 0;
  UmapInit init = UmapInit::spectral;  // the one used: pca where spectral did not converge
};

// x (n, d), f32 or f64, finite, n >= 2. Throws Error on bad input or options. Fewer rows than
// n_neighbors are no error: every row is then everyone's neighbour (k = n).
// Reports "umap neighbours", "umap spectral", "umap layout", and the stages of what it calls.
UmapResult umap(const Tensor& x, const UmapOptions& options = {}, const Progress& progress = {});

}  // namespace clade::cluster
