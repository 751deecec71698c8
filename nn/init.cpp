#include "nn/init.h"

#include <cmath>

namespace clade::nn {

Fans fans(const Tensor& weight) {
  if (weight.rank() < 2) fail("fans", "a weight with 2 axes or more", text(weight));
  int64_t field = 1;
  for (int d = 2; d < weight.rank(); d++) field *= weight.size(d);
  return {weight.size(1) * field, weight.size(0) * field};
}

void glorot_uniform(Tensor& w, Random& rng, double gain) {
  Fans f = fans(w);
  double b = gain * std::sqrt(6.0 / double(f.in + f.out));
  fill_uniform(rng, w, -b, b);
}

void glorot_normal(Tensor& w, Random& rng, double gain) {
  Fans f = fans(w);
  fill_normal(rng, w, 0, gain * std::sqrt(2.0 / double(f.in + f.out)));
}

void he_normal(Tensor& w, Random& rng, double slope, bool use_fan_out) {
  Fans f = fans(w);
  double fan = double(use_fan_out ? f.out : f.in);
  fill_normal(rng, w, 0, std::sqrt(2.0 / ((1 + slope * slope) * fan)));
}

void he_uniform(Tensor& w, Random& rng, double slope) {
  double b = std::sqrt(6.0 / ((1 + slope * slope) * double(fans(w).in)));
  fill_uniform(rng, w, -b, b);
}

void fan_in_uniform(Tensor& t, int64_t fan_in, Random& rng) {
  double b = fan_in > 0 ? 1 / std::sqrt(double(fan_in)) : 0;
  fill_uniform(rng, t, -b, b);
}

}  // namespace clade::nn
