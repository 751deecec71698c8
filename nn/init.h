// Initial weights, in place. `fan_in` and `fan_out` of a weight (O, I, R, S...) are I R S and O R
// S.
#pragma once

#include "tensor/random.h"

namespace clade::nn {

struct Fans {
  int64_t in, out;
};
Fans fans(const Tensor& weight);  // rank 2 or more, else Error

// U(-b, b), b = gain sqrt(6 / (fan_in + fan_out))            (Glorot and Bengio 2010, eq. 16)
void glorot_uniform(Tensor& w, Random& rng, double gain = 1);
// N(0, s), s = gain sqrt(2 / (fan_in + fan_out))
void glorot_normal(Tensor& w, Random& rng, double gain = 1);
// For ReLU and LeakyReLU of the given slope: N(0, s), s = sqrt(2 / ((1 + slope^2) fan))
// (He et al. 2015, eqs. 10 and 15); fan_in keeps the forward variance, fan_out the backward one.
void he_normal(Tensor& w, Random& rng, double slope = 0, bool use_fan_out = false);
// U(-b, b), b = sqrt(6 / ((1 + slope^2) fan_in))
void he_uniform(Tensor& w, Random& rng, double slope = 0);
// U(-b, b), b = 1 / sqrt(fan_in): PyTorch's default for weights and biases of Linear and Conv.
void fan_in_uniform(Tensor& t, int64_t fan_in, Random& rng);

}  // namespace clade::nn
