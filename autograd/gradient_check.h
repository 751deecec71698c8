// Gradients against central differences, in f64: the oracle of every derivative in the project.
//
// With random weights r on the output, L(x) = sum r y(x) has the gradient that backward(y, seed =
// r) computes; each entry is compared with (L(x + h) - L(x - h)) / 2h, h = 1e-5: its error is about
// 1e-10 for functions of unit scale.
#pragma once

#include <string>
#include <vector>

#include "autograd/var.h"
#include "tensor/random.h"

namespace clade {

struct GradientCheck {
  double error = 0;   // largest |analytic - numeric| / max(1, largest |numeric| of that input)
  std::string worst;  // where: "input 1 at 17: 0.25, numerically 0.5"
};

// `inputs` are f64; those with differentiable[i] are checked.
template <class F>
GradientCheck check_gradient(const std::vector<Tensor>& inputs,
                             const std::vector<bool>& differentiable, F&& f,
                             Random rng = Random(5));

namespace detail {
using Apply = Var (*)(void* context, const std::vector<Var>& inputs);
GradientCheck check_gradient(const std::vector<Tensor>& inputs,
                             const std::vector<bool>& differentiable, Apply apply, void* context,
                             Random rng);
}  // namespace detail

template <class F>
GradientCheck check_gradient(const std::vector<Tensor>& inputs,
                             const std::vector<bool>& differentiable, F&& f, Random rng) {
  return detail::check_gradient(
      inputs, differentiable,
      [](void* context, const std::vector<Var>& v) {
        return (*static_cast<std::remove_reference_t<F>*>(context))(v);
      },
      const_cast<void*>(static_cast<const void*>(&f)), rng);
}

}  // namespace clade
