// Likelihoods: log p(x | h), one value a row, where h are the numbers that a decoder gives.
//
//     bernoulli   1 number a value: logits a                x log s(a) + (1 - x) log(1 - s(a))
//     gaussian    2: mean, log variance (kept in -6 .. 2)   log N(x; mean, exp(logvar))
//     student_t   3: mean, a, b                             log t(x; mean, softplus(a) + .001,
//                                                                 softplus(b) + 3)
//
// h is (M, P D) for rows (M, D), or (M, P C, H, W) for images (M, C, H, W): P blocks along axis 1.
// Missing values (mask 0) add exactly 0, and their gradient is exactly 0. Bounds of scale and
// degrees of freedom are those of the code beside MIWAE (Mattei and Frellsen 2019); those of the
// variance keep one exact value from drawing all the probability.
#pragma once

#include "autograd/var.h"
#include "tensor/random.h"

namespace clade::models {

enum class Likelihood : uint8_t { bernoulli, gaussian, student_t };

// "bernoulli", "gaussian", "student"; Error on another word.
Likelihood likelihood_of(const std::string& word);
int64_t numbers_a_value(Likelihood l);  // P

// (M). x as the rows, mask like x or undefined.
Var log_likelihood(Likelihood l, const Var& h, const Tensor& x, const Tensor& mask);
// E[x | h], like x: what a missing value most likely was.
Tensor expectation(Likelihood l, const Tensor& h);
// One draw of x | h for each row; element i of x, counted in row-major order, uses draws of its
// own. Of Student's t: normal over the root of a chi-squared that df normals make.
Tensor draw(Likelihood l, const Tensor& h, Random& rng);

}  // namespace clade::models
