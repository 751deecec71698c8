// Matrix products.
#pragma once

#include "autograd/var.h"

namespace clade {

// a (M, K) times b (K, N). Transposed views cost nothing.
Var matmul(const Var& a, const Var& b);
// y[n, o] = sum_i x[n, i] w[o, i] + b[o]: x (N, I), w (O, I) as in PyTorch, b (O) or undefined.
// With a slope (0 or more), leaky_relu of that in the same pass: y > 0 ? y : slope y; 0 is ReLU.
Var linear(const Var& x, const Var& w, const Var& b = {}, double slope = 1);

}  // namespace clade
