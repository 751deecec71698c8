// What is done to a batch before the network sees it: moved images, noise.
//
//   moved     each image turned about its centre by U(-r, r) degrees and shifted by U(-s, s) of its
//             sides, bilinear, 0 outside (Guo et al., "Deep embedded clustering with data
//             augmentation", ACML 2018). The network learns to give back the moved image.
//   noise     x + N(0, sigma^2) a value; the network learns to give back x (Vincent et al. 2008).
#pragma once

#include "tensor/random.h"

namespace clade::models {

struct Corruption {
  double shift = 0;   // s, a share of the sides
  double rotate = 0;  // r, degrees
  double noise = 0;   // sigma
  bool moves() const { return shift > 0 || rotate > 0; }
};

// images (N, C, H, W), channels-last; a new tensor. Image i draws from rng.fork(i), so the result
// depends on neither threads nor batch. Computed in f32, like noisy(); the result has x's type.
Tensor moved(const Tensor& images, double shift, double rotate, const Random& rng);
// x + N(0, sigma^2), in the order of the elements.
Tensor noisy(const Tensor& x, double sigma, const Random& rng);

}  // namespace clade::models
