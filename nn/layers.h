// The layers: parameters around one differentiable function each (autograd/functions.h).
//
// Names, shapes, defaults and initial weights are PyTorch's.
#pragma once

#include "autograd/functions.h"
#include "nn/module.h"

namespace clade::nn {

// y = x W' + b; x (N, in), weight (out, in), bias (out).
struct Linear {
  Var weight, bias;

  Linear(int64_t in, int64_t out, Random& rng, bool with_bias = true);
  Var operator()(const Var& x, double slope = 1) const { return linear(x, weight, bias, slope); }
  void visit(Visitor& v) { v("weight", weight), v("bias", bias); }
};

struct ConvOptions {
  int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
  bool bias = true;
};

// weight (out, in / groups, kernel, kernel)
struct Conv2d {
  Var weight, bias;
  ConvParams params;

  Conv2d(int64_t in, int64_t out, int64_t kernel, const ConvOptions& options, Random& rng);
  Var operator()(const Var& x, double slope = 1) const {
    return conv2d(x, weight, bias, params, slope);
  }
  void visit(Visitor& v) { v("weight", weight), v("bias", bias); }
};

// weight (in, out / groups, kernel, kernel)
struct ConvTranspose2d {
  Var weight, bias;
  ConvTransposeParams params;

  ConvTranspose2d(int64_t in, int64_t out, int64_t kernel, const ConvOptions& options,
                  int64_t output_padding, Random& rng);
  Var operator()(const Var& x, double slope = 1) const {
    return conv_transpose2d(x, weight, bias, params, slope);
  }
  void visit(Visitor& v) { v("weight", weight), v("bias", bias); }
};

// x (N, C) or (N, C, H, W). Training mode uses the batch's statistics, of 2 values a channel or
// more, and moves the running ones.
struct BatchNorm {
  Var weight, bias;  // gamma (1) and beta (0)
  Tensor running_mean, running_var, num_batches_tracked;
  double momentum, eps;
  Mode mode;

  explicit BatchNorm(int64_t channels, double momentum = 0.1, double eps = 1e-5);
  Var operator()(const Var& x, double slope = 1);  // slope: leaky_relu in the same pass
  void visit(Visitor& v);

 protected:
  Var apply(const char* layer, int rank, const Var& x, double slope);
};

struct BatchNorm1d : BatchNorm {
  using BatchNorm::BatchNorm;
  Var operator()(const Var& x, double slope = 1) { return apply("BatchNorm1d", 2, x, slope); }
};
struct BatchNorm2d : BatchNorm {
  using BatchNorm::BatchNorm;
  Var operator()(const Var& x, double slope = 1) { return apply("BatchNorm2d", 4, x, slope); }
};

// In training mode drops with probability p and scales the rest by 1 / (1 - p); else passes on.
struct Dropout {
  double p;
  Random random;
  Mode mode;

  explicit Dropout(double p, Random rng);  // p in [0, 1)
  Var operator()(const Var& x) { return mode.training && p > 0 ? dropout(x, p, random) : x; }
  void visit(Visitor& v) { v("mode", mode), v("random", random); }
};

struct MaxPool2d {
  PoolParams params;
  explicit MaxPool2d(int64_t kernel = 2) : MaxPool2d(kernel, kernel) {}
  MaxPool2d(int64_t kernel, int64_t stride, int64_t padding = 0)
      : params{{kernel, kernel}, {stride, stride}, {padding, padding}} {}
  Var operator()(const Var& x) const { return max_pool2d(x, params); }
  void visit(Visitor&) {}
};

struct AvgPool2d {
  PoolParams params;
  explicit AvgPool2d(int64_t kernel = 2) : AvgPool2d(kernel, kernel) {}
  AvgPool2d(int64_t kernel, int64_t stride, int64_t padding = 0)
      : params{{kernel, kernel}, {stride, stride}, {padding, padding}} {}
  Var operator()(const Var& x) const { return avg_pool2d(x, params); }
  void visit(Visitor&) {}
};

struct Upsample2d {
  int64_t factor = 2;
  Upsample mode = Upsample::nearest;
  Var operator()(const Var& x) const { return upsample2d(x, factor, mode); }
  void visit(Visitor&) {}
};

struct Flatten {  // (N, ...) -> (N, product of the rest), in the order C, H, W
  Var operator()(const Var& x) const { return flatten(x); }
  void visit(Visitor&) {}
};

// (N, ...) -> (N, C, H, W)
struct Unflatten {
  int64_t channels, height, width;
  Var operator()(const Var& x) const { return reshape(x, {x.size(0), channels, height, width}); }
  void visit(Visitor&) {}
};

struct ReLU {
  static constexpr double slope = 0;
  Var operator()(const Var& x) const { return relu(x); }
  void visit(Visitor&) {}
};
struct LeakyReLU {
  double slope = 0.01;
  Var operator()(const Var& x) const { return leaky_relu(x, slope); }
  void visit(Visitor&) {}
};
struct ELU {
  double alpha = 1;
  Var operator()(const Var& x) const { return elu(x, alpha); }
  void visit(Visitor&) {}
};
struct GELU {
  Var operator()(const Var& x) const { return gelu(x); }
  void visit(Visitor&) {}
};
struct SiLU {
  Var operator()(const Var& x) const { return silu(x); }
  void visit(Visitor&) {}
};
struct Sigmoid {
  Var operator()(const Var& x) const { return sigmoid(x); }
  void visit(Visitor&) {}
};
struct Tanh {
  Var operator()(const Var& x) const { return tanh(x); }
  void visit(Visitor&) {}
};
struct Softplus {
  Var operator()(const Var& x) const { return softplus(x); }
  void visit(Visitor&) {}
};
struct Softmax {
  int axis = -1;
  Var operator()(const Var& x) const { return softmax(x, axis); }
  void visit(Visitor&) {}
};

}  // namespace clade::nn
