// The joint probabilities of t-SNE: how near two rows are, seen from both.
//
//   p(j | i) = exp(-beta_i d_ij^2) / sum_k exp(-beta_i d_ik^2),   over the neighbours of i
//   beta_i   such that the entropy of p(. | i) is log(perplexity)
//   p_ij     = (p(j | i) + p(i | j)) / (2 n),                     summing to 1
//
// Source: van der Maaten, Hinton, "Visualizing Data using t-SNE" (JMLR 2008), equations 1 and 2.
// beta by Newton's method within a bracket: dH / dbeta = -beta Var(d^2).
#pragma once

#include <cstdint>
#include <vector>

#include "clustering/neighbors/knn.h"
#include "tensor/tensor.h"

namespace clade::cluster {

// p_ij in compressed rows, columns rising. Rows are filled up to a multiple of kAffinityLanes with
// entries (i, 0), so that loops over a row are whole vectors.
constexpr int64_t kAffinityLanes = 16;
struct Affinities {
  Tensor offset;  // (n + 1) i64
  Tensor column;  // (entries) i32
  Tensor value;   // (entries) f32

  int64_t points() const { return offset.numel() - 1; }
};

// neighbors (n, k) without the row itself, nearest first. Throws Error unless 1 <= perplexity < k
// (no k neighbours have a larger entropy than log k).
Affinities joint_probabilities(const Neighbors& neighbors, double perplexity);

// p(j | i) of one row alone: count squared distances into probabilities, which sum to 1.
void conditional_probabilities(const double* squared, int64_t count, double perplexity, double* p);

}  // namespace clade::cluster
