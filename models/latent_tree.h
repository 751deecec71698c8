// A latent tree model over the codes of an autoencoder: the prior of LTVAE (models/ltvae.cpp).
//
//     p(z) = sum over y of p(y_root) prod_f p(y_f | y_parent(f)) prod_f N(z_f; m_{f, y_f}, S_{f,
//     y_f})
//
// Facet f is a set of latent dimensions with one discrete variable y_f of k values and full
// covariances. Sums over y run from the leaves to the root. The tree is that of Chow and Liu (IEEE
// Trans. Information Theory 14, 1968): the maximum spanning tree of the mutual information between
// the y_f, which is the likeliest tree. One facet is a Gaussian mixture.
#pragma once

#include <vector>

#include "autograd/var.h"
#include "clustering/mixture/gmm.h"
#include "nn/module.h"

namespace clade::models {

class LatentTree {
 public:
  LatentTree(int64_t dims, int64_t facets, int64_t k);

  // Facets, mixtures and tree from codes (n, dims): dimensions that correlate most share a facet
  // (average linkage of 1 - |r|), a Gaussian mixture is fitted to each.
  void start(const Tensor& codes, uint64_t seed, const Progress& progress);

  // log p(z) of each row, (N), differentiable in z.
  Var log_density(const Var& z) const;
  // p(y_f | z) of every facet: (N, k) each.
  std::vector<Tensor> posteriors(const Tensor& z) const;
  // Stepwise EM (Cappe and Moulines, JRSS B 71, 2009): sufficient statistics move by rho towards
  // those of z (N, dims), parameters follow.
  void step(const Tensor& z, double rho);
  // The tree anew, from the posteriors of codes.
  void learn_tree(const Tensor& codes);

  int64_t facets() const { return facets_; }
  // The facet that tells most about the others: the largest sum of mutual informations.
  int64_t chief() const { return int64_t(chief_.at({0})); }
  void visit(nn::Visitor& v);

 private:
  std::vector<int64_t> dims_of(int64_t facet) const;
  int64_t parent_of(int64_t facet) const { return int64_t(parent_.at({facet})); }  // -1: the root
  std::vector<int64_t> from_leaves() const;  // facets, each before its parent
  // log N(z_f; m, S) of every component, (N, k).
  Var log_components(const Var& z, int64_t facet) const;
  Var log_table(int64_t facet) const;  // (k of the parent, k): log p(y_f | y_parent); root: (1, k)
  void grow(const std::vector<Tensor>& posterior);  // tree and its tables, by Chow and Liu
  // The messages up: (N, k) of each facet, own evidence and children's in it.
  std::vector<Var> upward(const Var& z) const;

  int64_t dims_, facets_, k_;
  Tensor facet_of_;  // (dims) f64: facet of each dimension
  Tensor parent_;    // (facets) f64: parent of each facet, -1 the root
  Tensor chief_;     // (1) f64
  Tensor weight_;    // (facets, k) f64: mean responsibilities
  Tensor sums_;      // (facets, k, dims) f64: mean of r z, dims outside the facet unused
  Tensor squares_;   // (facets, k, dims, dims) f64: mean of r z z'
  Tensor joint_;     // (facets, k, k) f64: mean of p(y_parent, y_f); of the root unused
};

}  // namespace clade::models
