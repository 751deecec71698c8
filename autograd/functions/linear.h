// Matrix products.
#pragma once

#include "autograd/var.h"

namespace clade {

// a (M, K) times b (K, N). Transposed views cost nothing.
Var matmul(const Var& a, const Var& b);
// y[n, o] = sum_i x[n, i] w[o, i] + b[o]: x (N, I), w (O, I) as in PyTorch, b (O) or undefined.
Var linear(const Var& x, const Var& w, const Var& b = {});

}  // namespace clade
