// The smoothest functions on a connected graph: the eigenvectors of
//
//     S = D^-1/2 W D^-1/2,       D the degrees (row sums of W)
//
// of largest eigenvalue, after the trivial one sqrt(degree) with eigenvalue 1. They are those of
// the normalised Laplacian I - S with the smallest. Spectral embedding (Belkin, Niyogi 2003) takes
// them as coordinates.
//
// Method: Chebyshev-filtered subspace iteration. A block of vectors is multiplied by a polynomial
// of S that is at most 1 in size on the unwanted part of the spectrum and grows as fast as any
// polynomial can beyond it; then it is made orthonormal and rotated to the eigenvectors of S within
// its span (Rayleigh-Ritz). The trivial vector is known, so it is taken out each time. The work is
// capped: what comes out after kProducts products is smooth already, though not yet an eigenvector.
//
// Sources: Zhou, Saad, Tiago, Chelikowsky, "Self-consistent-field calculations using
// Chebyshev-filtered subspace iteration" (2006); Stathopoulos, Wu, "A block orthogonalization
// procedure with constant synchronization requirements" (2002), for making a block orthonormal.
#pragma once

#include <cstdint>
#include <vector>

#include "clustering/manifold/umap_graph.h"
#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

struct GraphSpectrum {
  std::vector<double> values;  // (count) falling, below 1
  Tensor vectors;              // (n, count) f64, orthonormal columns
  double residual = 0;         // largest |S v - value v|
};

inline constexpr int64_t kProducts = 320;           // S times a block, at most
inline constexpr double kSpectrumTolerance = 1e-4;  // on the residual

// Required: graph connected, 1 <= count <= n - 1. Cost: at most kProducts products with
// (count + 5) columns each, 2 edges (count + 5) FLOPs a product. Same bits at any number of
// threads.
GraphSpectrum graph_spectrum(const FuzzyGraph& graph, int64_t count, uint64_t seed,
                             const Progress& progress = {});

}  // namespace clade::cluster
