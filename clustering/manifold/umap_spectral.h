// The first layout of UMAP: eigenvectors of the graph, one connected part after the other.
//
// A graph in parts has no eigenvectors that say how the parts lie to each other. So each part is
// laid out by itself and put at the place of its centre; the centres are placed by the principal
// components of the parts' mean rows, or, if there are at most twice as many as dimensions, on the
// axes. A part is drawn half as far out as its nearest neighbour is away, so parts do not overlap.
// Parts too small to have enough eigenvectors are strewn at random there.
//
// Source: umap-learn's spectral.py, except for the placing of many parts.
#pragma once

#include <cstdint>

#include "clustering/manifold/umap_graph.h"
#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

struct SpectralLayout {
  Tensor embedding;        // (n, dimensions) f32, of no particular scale
  int64_t components = 0;  // connected parts
  double residual = 0;     // the worst of graph_spectrum's; large: take another layout
};

// x (n, d): the rows the graph was made of.
SpectralLayout spectral_layout(const FuzzyGraph& graph, const Tensor& x, int64_t dimensions,
                               uint64_t seed, const Progress& progress = {});

// (n) i32: the connected part of each vertex, numbered in the order of their first vertices.
Tensor connected_components(const FuzzyGraph& graph);

}  // namespace clade::cluster
