#include "autograd/table/samples.h"

namespace clade::op {
namespace {

PoolParams window(int64_t kernel, int64_t stride, int64_t padding) {
  return {{kernel, kernel}, {stride, stride}, {padding, padding}};
}

// The samples of a random op start from the same draw each time, so that differences make sense.
Random fixed_noise() { return Random(11); }

}  // namespace

const Op batch_norm = {
    "batch_norm", "gamma (x - mean) / sqrt(var + eps) + beta, by channel; leaky_relu of it",
    "dx = gamma inv_std (dy - mean(dy) - xhat mean(dy xhat)), dgamma = sum dy xhat, dbeta = sum dy",
    [] {
      auto training = [](const Vars& v) { return clade::batch_norm(v[0], v[1], v[2], {}, true); };
      auto evaluation = [](const Vars& v) {
        return clade::batch_norm(v[0], v[1], v[2], {v[3].value(), v[4].value()}, false);
      };
      auto leaky = [](const Vars& v) {
        return clade::batch_norm(v[0], v[1], v[2], {}, true, 0.1, 1e-5, 0.1);
      };
      auto evaluation_relu = [](const Vars& v) {
        return clade::batch_norm(v[0], v[1], v[2], {v[3].value(), v[4].value()}, false, 0.1, 1e-5,
                                 0);
      };
      return std::vector<OpSample>{
          {"images, training, leaky", {in({3, 5, 4, 3}), in({5}), in({5})}, leaky},
          {"rows, evaluation, ReLU",
           {in({4, 5}), in({5}), in({5}), constant({5}), constant({5}, 0.5, 2)},
           evaluation_relu},
          {"32x32, 32 channels, training, leaky",
           {in({128, 32, 32, 32}), in({32}), in({32})},
           leaky,
           Size::bench},
          {"rows, training", {in({9, 5}), in({5}), in({5})}, training},
          {"images, training", {in({3, 5, 4, 3}), in({5}), in({5})}, training},
          {"17 channels, training", {in({2, 17, 3, 3}), in({17}), in({17})}, training},
          {"far from zero, training", {in({8, 3}, 50, 51), in({3}), in({3})}, training},
          {"one channel, training", {in({6, 1}), in({1}), in({1})}, training},
          {"large, training", {in({16, 9, 24, 24}), in({9}), in({9})}, training, Size::large},
          {"32x32, 32 channels, training",
           {in({128, 32, 32, 32}), in({32}), in({32})},
           training,
           Size::bench},
          {"16x16, 64 channels, training",
           {in({128, 64, 16, 16}), in({64}), in({64})},
           training,
           Size::bench},
          {"32x32, 32 channels, evaluation",
           {in({128, 32, 32, 32}), in({32}), in({32}), constant({32}), constant({32}, 0.5, 2)},
           evaluation,
           Size::bench},
          {"rows, evaluation",
           {in({4, 5}), in({5}), in({5}), constant({5}), constant({5}, 0.5, 2)},
           evaluation},
          {"images, evaluation",
           {in({2, 3, 4, 3}), in({3}), in({3}), constant({3}), constant({3}, 0.5, 2)},
           evaluation},
          {"empty batch, evaluation",
           {in({0, 3}), in({3}), in({3}), constant({3}), constant({3}, 0.5, 2)},
           evaluation}};
    },
    [] {
      return std::vector<BadInput>{
          {"gamma",
           {in({4, 5}), in({4}), in({5})},
           [](const Vars& v) { return clade::batch_norm(v[0], v[1], v[2], {}, true); },
           "batch_norm: expected gamma as f32 [5]; got f32 [4]"},
          {"rank",
           {in({4, 5, 6}), in({5}), in({5})},
           [](const Vars& v) { return clade::batch_norm(v[0], v[1], v[2], {}, true); },
           "batch_norm: expected x as (N, C) or (N, C, H, W); got f32 [4, 5, 6]"},
          {"slope",
           {in({4, 5}), in({5}), in({5})},
           [](const Vars& v) {
             return clade::batch_norm(v[0], v[1], v[2], {}, true, 0.1, 1e-5, -0.5);
           },
           "batch_norm: expected a slope of 0 or more; got -0.5; use leaky_relu after it"},
          {"no statistics to evaluate with",
           {in({4, 5}), in({5}), in({5})},
           [](const Vars& v) { return clade::batch_norm(v[0], v[1], v[2], {}, false); },
           "batch_norm: expected running_mean as f32 [5]; got undefined tensor"},
          {"empty batch in training",
           {in({0, 5}), in({5}), in({5})},
           [](const Vars& v) { return clade::batch_norm(v[0], v[1], v[2], {}, true); },
           "batch_norm: expected a batch with elements to take statistics of; got f32 [0, 5]"}};
    }};

const Op max_pool2d = {
    "max_pool2d", "largest of each window", "dx = dy at the winner",
    [] {
      return std::vector<OpSample>{
          {"2x2", {in({2, 3, 4, 6})}, [](const Vars& v) { return clade::max_pool2d(v[0]); }},
          {"3x3, stride 2, padding 1, overlapping",
           {in({1, 2, 7, 6})},
           [](const Vars& v) { return clade::max_pool2d(v[0], window(3, 2, 1)); }},
          {"remainder dropped",
           {in({1, 2, 5, 5})},
           [](const Vars& v) { return clade::max_pool2d(v[0]); }},
          {"empty batch",
           {in({0, 2, 4, 4})},
           [](const Vars& v) { return clade::max_pool2d(v[0]); }},
          {"large",
           {in({8, 9, 34, 36})},
           [](const Vars& v) { return clade::max_pool2d(v[0]); },
           Size::large},
          {"32x32, 32 channels",
           {in({128, 32, 32, 32})},
           [](const Vars& v) { return clade::max_pool2d(v[0]); },
           Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"window too large",
           {in({1, 2, 1, 4})},
           [](const Vars& v) { return clade::max_pool2d(v[0]); },
           "max_pool2d: expected an image of at least 2 pixels; got f32 [1, 2, 1, 4]"},
          {"no rows",
           {in({1, 2, 0, 4})},
           [](const Vars& v) { return clade::max_pool2d(v[0], window(2, 2, 1)); },
           "max_pool2d: expected images of 1 x 1 or more; got f32 [1, 2, 0, 4]"},
          {"no columns",
           {in({1, 2, 4, 0})},
           [](const Vars& v) { return clade::max_pool2d(v[0], window(2, 2, 1)); },
           "max_pool2d: expected images of 1 x 1 or more; got f32 [1, 2, 4, 0]"}};
    }};
const Op avg_pool2d = {
    "avg_pool2d",
    "mean of each window, padding as zeros",
    "dx = dy / window, repeated",
    [] {
      return std::vector<OpSample>{
          {"2x2", {in({2, 3, 4, 6})}, [](const Vars& v) { return clade::avg_pool2d(v[0]); }},
          {"3x3, stride 2, padding 1",
           {in({1, 2, 7, 6})},
           [](const Vars& v) { return clade::avg_pool2d(v[0], window(3, 2, 1)); }},
          {"empty batch",
           {in({0, 2, 4, 4})},
           [](const Vars& v) { return clade::avg_pool2d(v[0]); }},
          {"large",
           {in({8, 9, 34, 36})},
           [](const Vars& v) { return clade::avg_pool2d(v[0]); },
           Size::large},
          {"32x32, 32 channels",
           {in({128, 32, 32, 32})},
           [](const Vars& v) { return clade::avg_pool2d(v[0]); },
           Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"padding too large",
           {in({1, 2, 4, 4})},
           [](const Vars& v) { return clade::avg_pool2d(v[0], window(2, 2, 2)); },
           "avg_pool2d: expected kernel and stride of 1 or more, padding of at most half the "
           "kernel"},
          {"padding beyond what doubles",
           {in({1, 2, 4, 4})},
           [](const Vars& v) { return clade::avg_pool2d(v[0], window(2, 2, int64_t{1} << 62)); },
           "avg_pool2d: expected kernel and stride of 1 or more, padding of at most half the "
           "kernel"},
          {"no rows",
           {in({1, 2, 0, 4})},
           [](const Vars& v) { return clade::avg_pool2d(v[0], window(2, 2, 1)); },
           "avg_pool2d: expected images of 1 x 1 or more; got f32 [1, 2, 0, 4]"},
          {"no columns",
           {in({1, 2, 4, 0})},
           [](const Vars& v) { return clade::avg_pool2d(v[0], window(2, 2, 1)); },
           "avg_pool2d: expected images of 1 x 1 or more; got f32 [1, 2, 4, 0]"}};
    },
    0b1};
const Op upsample2d = {
    "upsample2d",
    "height and width times a factor, nearest or bilinear",
    "dx: the adjoint",
    [] {
      return std::vector<OpSample>{
          {"nearest 2x",
           {in({2, 3, 3, 4})},
           [](const Vars& v) { return clade::upsample2d(v[0], 2); }},
          {"nearest 3x",
           {in({1, 2, 2, 2})},
           [](const Vars& v) { return clade::upsample2d(v[0], 3); }},
          {"bilinear 2x",
           {in({2, 3, 3, 4})},
           [](const Vars& v) { return clade::upsample2d(v[0], 2, Upsample::bilinear); }},
          {"bilinear of one pixel",
           {in({1, 2, 1, 1})},
           [](const Vars& v) { return clade::upsample2d(v[0], 4, Upsample::bilinear); }},
          {"empty batch",
           {in({0, 2, 3, 3})},
           [](const Vars& v) { return clade::upsample2d(v[0], 2); }},
          {"large",
           {in({8, 9, 17, 18})},
           [](const Vars& v) { return clade::upsample2d(v[0], 2, Upsample::bilinear); },
           Size::large},
          {"16x16, 32 channels",
           {in({128, 32, 16, 16})},
           [](const Vars& v) { return clade::upsample2d(v[0], 2); },
           Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"factor 0",
           {in({1, 2, 4, 4})},
           [](const Vars& v) { return clade::upsample2d(v[0], 0); },
           "upsample2d: expected a factor of 1 or more; got 0"},
          {"a factor beyond all sizes",
           {in({1, 2, 4, 4})},
           [](const Vars& v) { return clade::upsample2d(v[0], int64_t{1} << 62); },
           "upsample2d: expected an output of less than 2^63 pixels; got "
           "f32 [1, 2, 4, 4] times 4611686018427387904"}};
    },
    0b1};

const Op dropout = {
    "dropout",
    "x / (1 - p) with probability 1 - p, else 0",
    "dx = dy by the same draw",
    [] {
      auto f = [](const Vars& v) {
        Random rng = fixed_noise();
        return clade::dropout(v[0], 0.3, rng);
      };
      return std::vector<OpSample>{{"rows", {in({5, 7})}, f},
                                   {"images", {in({2, 3, 4, 5})}, f},
                                   {"size 1", {in({4, 1})}, f},
                                   {"empty", {in({0, 3})}, f},
                                   {"large", {in({70, 1001})}, f, Size::large},
                                   {"2048 x 2048", {in({2048, 2048})}, f, Size::bench}};
    },
    [] {
      return std::vector<BadInput>{{"p = 1",
                                    {in({2, 3})},
                                    [](const Vars& v) {
                                      Random rng = fixed_noise();
                                      return clade::dropout(v[0], 1, rng);
                                    },
                                    "dropout: expected a probability in [0, 1); got 1"}};
    },
    0b1};

}  // namespace clade::op
