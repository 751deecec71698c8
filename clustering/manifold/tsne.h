// t-SNE: a picture in which each row keeps its nearest neighbours.
//
//   1. neighbours     3 perplexity nearest of each row (exact)       clustering/neighbors/
//   2. affinities     p_ij, joint probabilities                      tsne_affinity.h
//   3. start          principal components, very small
//   4. descent        KL(p || q), q by Student's t                   tsne_forces.h
//
// Gradient descent with momentum and a gain for each coordinate: it grows by 0.2 where gradient and
// last step pull the same way and falls by a fifth where they do not. In the early steps p is
// exaggerated, so that clusters form before they keep each other apart; the learning rate is n over
// the exaggeration.
//
// Sources: van der Maaten, Hinton (JMLR 2008); Jacobs, "Increased rates of convergence through
// learning rate adaptation" (1988), for the gains; Belkina et al., "Automated optimized parameters
// for t-SNE" (Nature Communications 2019), for the learning rate; Kobak, Berens, "The art of using
// t-SNE for single-cell transcriptomics" (2019), for the start. Constants are openTSNE's.
#pragma once

#include <cstdint>

#include "clustering/manifold/tsne_affinity.h"
#include "tensor/progress.h"

namespace clade::cluster {

enum class TsneMethod : uint8_t {
  automatic,   // exact up to 4,096 rows or above 3 dimensions, else fft in 2 and barnes_hut in 1, 3
  exact,       // all pairs
  barnes_hut,  // a tree; 1 to 3 dimensions
  fft,         // interpolation on a grid; 2 dimensions
};
enum class TsneInit : uint8_t { pca, random, given };

const char* name_of(TsneMethod method);
const char* name_of(TsneInit init);

struct TsneOptions {
  int64_t n_components = 2;
  double perplexity = 30;  // about the neighbours that count; at most a third of n - 1 is used
  double early_exaggeration = 12, exaggeration = 1;
  int64_t early_steps = 250, steps = 500;
  double learning_rate = 0;  // 0: n / exaggeration of the phase, at least 50
  double momentum = 0.8;
  TsneMethod method = TsneMethod::automatic;
  double angle = 0.5;  // of barnes_hut; smaller is nearer to exact
  TsneInit init = TsneInit::pca;
  Tensor initial = {};       // (n, n_components), for TsneInit::given; taken as it is
  Neighbors neighbors = {};  // where known: (n, k), without the row itself; else computed
  uint64_t seed = 0;
};

struct TsneResult {
  Tensor embedding;       // (n, n_components) f32, about 0
  double divergence = 0;  // KL(p || q) at the end, without exaggeration
  double perplexity = 0;  // the one used
  TsneMethod method = TsneMethod::exact;
  Affinities affinities;
  Tensor rows;  // (n, d): x
  TsneOptions options;
};

// x (n, d), f32 or f64, finite, n >= 4. Throws Error on bad input or options. Same bits at any
// number of threads. Reports "t-SNE neighbours", "t-SNE" and what it calls.
TsneResult tsne(const Tensor& x, const TsneOptions& options = {}, const Progress& progress = {});

// Places for new rows x (m, d) in a finished picture, which stays as it is: each begins at the mean
// of its neighbours, weighted by p(j | i) of perplexity 5, and descends by itself, so that its
// place does not depend on the rows that come with it. Reports "t-SNE transform".
Tensor transform(const TsneResult& fitted, const Tensor& x, const Progress& progress = {});

}  // namespace clade::cluster
