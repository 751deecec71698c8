#include "optim/arena.h"

#include <cmath>
#include <map>

#include "autograd/on_device.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/reduce/reduce.h"
#include "tensor/parallel.h"

namespace clade::optim {
namespace {

constexpr int64_t kAlignment = 16;  // elements: 64 bytes of f32

int64_t padded(int64_t n) { return (n + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

ParameterArena::ParameterArena(const std::vector<nn::NamedParameter>& parameters) {
  if (parameters.empty()) fail("ParameterArena", "a module with parameters", "none");
  DType dtype = parameters[0].parameter->dtype();
  const Device device = parameters[0].parameter->value().device();
  int64_t size = 0;
  std::map<const Node*, Var> moved;  // by the node: parameters of one node are tied
  for (const nn::NamedParameter& p : parameters) {
    if (p.parameter->dtype() != dtype)
      fail("ParameterArena", text("parameters of one dtype, ", dtype),
           text(p.parameter->dtype(), " for ", p.name));
    if (p.parameter->value().device() != device)
      fail("ParameterArena", text("parameters on one device, ", device),
           text(p.parameter->value().device(), " for ", p.name), "move all with nn::move_to");
    if (!moved.insert({p.parameter->node().get(), Var()}).second) continue;
    size += padded(p.parameter->value().numel());
    count_ += p.parameter->value().numel();
  }
  values_ = Tensor::zeros({size}, dtype, Layout::row_major, device);
  gradients_ = Tensor::zeros({size}, dtype, Layout::row_major, device);
  int64_t at = 0;
  for (const nn::NamedParameter& p : parameters) {
    Var& tied = moved.at(p.parameter->node().get());
    if (tied.defined()) {
      *p.parameter = tied;
      continue;
    }
    const Tensor old = p.parameter->value();
    auto place = [&](const Tensor& flat) {
      return flat.slice(0, at, at + old.numel()).reshape(old.shape());
    };
    Tensor value = place(values_);
    copy_elements(old, value);
    tied = Var::parameter(value, place(gradients_));
    *p.parameter = tied;
    parameters_.push_back(tied);
    at += padded(old.numel());
  }
}

const Tensor& ParameterArena::gradients() const {
  for (const Var& p : parameters_) p.grad();  // which writes the zeros that discard_grad() promised
  return gradients_;
}

void ParameterArena::zero_grad() {
  for (const Var& p : parameters_) p.discard_grad();
}

double grad_norm(const ParameterArena& arena) {
  const Tensor& g = arena.gradients();
  if (!g.device().is_cpu()) {
    Tensor squares = Tensor::empty_like(g);
    Tensor sum = Tensor::empty({1}, g.dtype(), Layout::row_major, g.device());
    on_device(g, [&](auto context) {
      kernels::unary(context, kernels::Unary::square, g.view(), squares.view());
      kernels::reduce(context, kernels::Reduce::sum, squares.view(), sum.view());
    });
    return std::sqrt(sum.item());
  }
  return dispatch_floating(g.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* data = g.data<T>();
    double sum = parallel_reduce(
        g.numel(), 16384, 0.0,
        [&](int64_t begin, int64_t end) {
          double part = 0;
          for (int64_t i = begin; i < end; i++) part += double(data[i]) * double(data[i]);
          return part;
        },
        [](double a, double b) { return a + b; });
    return std::sqrt(sum);
  });
}

double clip_grad_norm(ParameterArena& arena, double max_norm) {
  if (!(max_norm > 0)) fail("clip_grad_norm", "a norm above 0", text(max_norm));
  double norm = grad_norm(arena);
  if (!std::isfinite(norm))
    fail("clip_grad_norm", "finite gradients", text("a norm of ", norm),
         "lower the learning rate, or look for a NaN in the data");
  if (norm > max_norm) {
    const Tensor& g = arena.gradients();
    // 1e-6 as in PyTorch
    on_device(g, [&](auto context) {
      kernels::unary(context, kernels::Unary::affine, g.view(), g.view(), max_norm / (norm + 1e-6),
                     0);
    });
    g.written_by("clip_grad_norm");
  }
  return norm;
}

void clip_grad_value(ParameterArena& arena, double limit) {
  if (!(limit > 0)) fail("clip_grad_value", "a limit above 0", text(limit));
  const Tensor& g = arena.gradients();
  on_device(g, [&](auto context) {
    kernels::unary(context, kernels::Unary::clamp, g.view(), g.view(), -limit, limit);
  });
  g.written_by("clip_grad_value");
}

}  // namespace clade::optim
