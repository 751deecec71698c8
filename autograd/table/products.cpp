#include "autograd/table/samples.h"

namespace clade::op {
namespace {

ConvParams conv(int64_t stride, int64_t padding, int64_t dilation = 1, int64_t groups = 1) {
  return {{stride, stride}, {padding, padding}, {dilation, dilation}, groups};
}

ConvTransposeParams transposed(int64_t stride, int64_t padding, int64_t output_padding,
                               int64_t dilation = 1, int64_t groups = 1) {
  ConvTransposeParams p;
  static_cast<ConvParams&>(p) = conv(stride, padding, dilation, groups);
  p.output_padding[0] = p.output_padding[1] = output_padding;
  return p;
}

}  // namespace

const Op matmul = {
    "matmul",
    "y[i, j] = sum_k a[i, k] b[k, j]",
    "da = dy b', db = a' dy",
    [] {
      auto f = [](const Vars& v) { return clade::matmul(v[0], v[1]); };
      return std::vector<OpSample>{
          {"small", {in({3, 4}), in({4, 5})}, f},
          {"a row", {in({1, 7}), in({7, 3})}, f},
          {"inner size 1", {in({5, 1}), in({1, 2})}, f},
          {"transposed",
           {in({4, 3}), in({4, 5})},
           [](const Vars& v) { return clade::matmul(clade::transpose(v[0], 0, 1), v[1]); }},
          {"empty batch", {in({0, 4}), in({4, 5})}, f},
          {"inner size 0", {in({2, 0}), in({0, 3})}, f},
          {"large", {in({301, 203}), in({203, 157})}, f, Size::large},
          {"1024", {in({1024, 1024}), in({1024, 1024})}, f, Size::bench},
          {"128", {in({128, 128}), in({128, 128})}, f, Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"sizes",
           {in({2, 3}), in({2, 3})},
           [](const Vars& v) { return clade::matmul(v[0], v[1]); },
           "matmul: expected b with 3 rows (columns of a [2, 3]); got b [2, 3]"},
          {"rank",
           {in({2, 3}), in({3})},
           [](const Vars& v) { return clade::matmul(v[0], v[1]); },
           "matmul: expected b with 2 axes; got f32 [3]"}};
    },
    0b11};

const Op linear = {
    "linear",
    "y[n, o] = sum_i x[n, i] w[o, i] + b[o]; leaky_relu of it",
    "dx = dy w, dw = dy' x, db = sum_n dy",
    [] {
      return std::vector<OpSample>{
          {"with bias",
           {in({5, 3}), in({4, 3}), in({4})},
           [](const Vars& v) { return clade::linear(v[0], v[1], v[2]); }},
          {"without bias",
           {in({5, 3}), in({4, 3})},
           [](const Vars& v) { return clade::linear(v[0], v[1]); }},
          {"leaky",
           {in({5, 3}), in({4, 3}), in({4})},
           [](const Vars& v) { return clade::linear(v[0], v[1], v[2], 0.2); }},
          {"large, ReLU",
           {in({150, 203}), in({157, 203}), in({157})},
           [](const Vars& v) { return clade::linear(v[0], v[1], v[2], 0); },
           Size::large},
          {"size 1",
           {in({1, 3}), in({1, 3})},
           [](const Vars& v) { return clade::linear(v[0], v[1]); }},
          {"empty batch",
           {in({0, 3}), in({4, 3}), in({4})},
           [](const Vars& v) { return clade::linear(v[0], v[1], v[2]); }},
          {"large",
           {in({301, 203}), in({157, 203}), in({157})},
           [](const Vars& v) { return clade::linear(v[0], v[1], v[2]); },
           Size::large},
          {"256 rows, 784 to 500",
           {in({256, 784}), in({500, 784}), in({500})},
           [](const Vars& v) { return clade::linear(v[0], v[1], v[2]); },
           Size::bench},
          {"256 rows, 500 to 2000",
           {in({256, 500}), in({2000, 500}), in({2000})},
           [](const Vars& v) { return clade::linear(v[0], v[1], v[2]); },
           Size::bench},
          {"256 rows, 2000 to 10",
           {in({256, 2000}), in({10, 2000}), in({10})},
           [](const Vars& v) { return clade::linear(v[0], v[1], v[2]); },
           Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"columns",
           {in({5, 2}), in({4, 3})},
           [](const Vars& v) { return clade::linear(v[0], v[1]); },
           "linear: expected x with 3 columns (w is [4, 3], [out, in]); got x [5, 2]"},
          {"bias",
           {in({5, 3}), in({4, 3}), in({3})},
           [](const Vars& v) { return clade::linear(v[0], v[1], v[2]); },
           "linear: expected bias as f32 [4]; got f32 [3]"}};
    },
    0b11};

const Op conv2d = {
    "conv2d",
    "y[n, o, i, j] = b[o] + sum x[n, c, i s + r d - p, j s + q d - p] w[o, c, r, q]",
    "dx, dw: the other two faces of the form; db = sum dy",
    [] {
      return std::vector<OpSample>{
          {"3x3, padding 1",
           {in({2, 3, 5, 6}), in({4, 3, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 1)); }},
          {"bias",
           {in({2, 2, 4, 4}), in({3, 2, 3, 3}), in({3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], v[2], conv(1, 0)); }},
          {"3x3, stride 2, padding 1",
           {in({2, 3, 6, 7}), in({2, 3, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(2, 1)); }},
          {"kernel smaller than stride",
           {in({1, 2, 7, 7}), in({2, 2, 2, 2})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(3, 0)); }},
          {"1x1",
           {in({2, 5, 3, 3}), in({4, 5, 1, 1})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1]); }},
          {"dilation 2",
           {in({1, 2, 7, 6}), in({2, 2, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 2, 2)); }},
          {"groups",
           {in({2, 4, 4, 4}), in({6, 2, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 1, 1, 2)); }},
          {"depthwise, 5x5, one channel each",
           {in({1, 3, 5, 5}), in({3, 1, 5, 5})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 2, 1, 3)); }},
          {"17 channels to 33",
           {in({1, 17, 3, 3}), in({33, 17, 2, 2})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 0)); }},
          {"empty batch",
           {in({0, 2, 4, 4}), in({3, 2, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 1)); }},
          {"large",
           {in({9, 17, 21, 18}), in({19, 17, 3, 3}), in({19})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], v[2], conv(1, 1)); },
           Size::large},
          {"large, stride 2",
           {in({9, 17, 21, 18}), in({19, 17, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(2, 1)); },
           Size::large},
          {"32x32, 1 to 32, 3x3",
           {in({128, 1, 32, 32}), in({32, 1, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 1)); },
           Size::bench},
          {"32x32, 3 to 32, 3x3",
           {in({128, 3, 32, 32}), in({32, 3, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 1)); },
           Size::bench},
          {"32x32, 32 to 32, 3x3",
           {in({128, 32, 32, 32}), in({32, 32, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 1)); },
           Size::bench},
          {"16x16, 64 to 64, 3x3",
           {in({128, 64, 16, 16}), in({64, 64, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 1)); },
           Size::bench},
          {"8x8, 128 to 128, 3x3",
           {in({128, 128, 8, 8}), in({128, 128, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 1)); },
           Size::bench},
          {"4x4, 256 to 256, 3x3",
           {in({128, 256, 4, 4}), in({256, 256, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 1)); },
           Size::bench},
          {"32x32, 32 to 32, 3x3, stride 2",
           {in({128, 32, 32, 32}), in({32, 32, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(2, 1)); },
           Size::bench},
          {"16x16, 64 to 64, 3x3, stride 2",
           {in({128, 64, 16, 16}), in({64, 64, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(2, 1)); },
           Size::bench},
          {"8x8, 128 to 128, 3x3, stride 2",
           {in({128, 128, 8, 8}), in({128, 128, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(2, 1)); },
           Size::bench},
          {"32x32, 32 to 64, 4x4, stride 2",
           {in({128, 32, 32, 32}), in({64, 32, 4, 4})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(2, 1)); },
           Size::bench},
          {"16x16, 32 to 32, 5x5",
           {in({128, 32, 16, 16}), in({32, 32, 5, 5})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 2)); },
           Size::bench},
          {"16x16, 32 to 64, 5x5, stride 2",
           {in({128, 32, 16, 16}), in({64, 32, 5, 5})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(2, 2)); },
           Size::bench},
          {"16x16, 64 to 64, 1x1",
           {in({128, 64, 16, 16}), in({64, 64, 1, 1})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 0)); },
           Size::bench},
          {"16x16, 48 to 48, 3x3",
           {in({128, 48, 16, 16}), in({48, 48, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 1)); },
           Size::bench},
          {"16x16, 20 to 20, 3x3",
           {in({128, 20, 16, 16}), in({20, 20, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 1)); },
           Size::bench},
          {"32x32, 32 to 1, 3x3",
           {in({128, 32, 32, 32}), in({1, 32, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 1)); },
           Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"channels",
           {in({2, 4, 9, 9}), in({8, 3, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1]); },
           "conv2d: expected x with 3 channels (w [8, 3, 3, 3], groups 1); got x [2, 4, 9, 9]"},
          {"kernel too large",
           {in({1, 3, 2, 2}), in({8, 3, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1]); },
           "conv2d: expected an image that the 3 x 3 kernel fits into; got x [1, 3, 2, 2] with "
           "padding 0"},
          {"groups",
           {in({1, 4, 5, 5}), in({3, 2, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, 1, 1, 2)); },
           "conv2d: expected groups that divide the 3 rows of w; got groups 2"},
          {"stride 0",
           {in({1, 2, 5, 5}), in({3, 2, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(0, 1)); },
           "conv2d: expected stride and dilation of 1 or more, padding of 0 or more; got stride 0"},
          {"a padding beyond what can be counted",
           {in({1, 2, 5, 5}), in({3, 2, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1], {}, conv(1, int64_t{1} << 62)); },
           "conv2d: expected kernel, stride, padding and dilation of at most 2^30; got "
           "4611686018427387904"},
          {"rank",
           {in({4, 5, 5}), in({3, 4, 3, 3})},
           [](const Vars& v) { return clade::conv2d(v[0], v[1]); },
           "conv2d: expected x (N, C, H, W) with 4 axes; got f32 [4, 5, 5]"}};
    },
    0b11};

const Op conv_transpose2d = {
    "conv_transpose2d",
    "the adjoint of conv2d in x: x[n, c, i s + r d - p, ...] += y[n, o, i, ...] w[o, c, r, ...]",
    "dx = conv2d(dy, w), dw: the third face; db = sum dy",
    [] {
      return std::vector<OpSample>{
          {"3x3, stride 2, doubling",
           {in({2, 3, 3, 4}), in({3, 4, 3, 3})},
           [](const Vars& v) {
             return clade::conv_transpose2d(v[0], v[1], {}, transposed(2, 1, 1));
           }},
          {"bias",
           {in({2, 2, 3, 3}), in({2, 3, 3, 3}), in({3})},
           [](const Vars& v) {
             return clade::conv_transpose2d(v[0], v[1], v[2], transposed(1, 1, 0));
           }},
          {"4x4, stride 2",
           {in({1, 2, 3, 3}), in({2, 3, 4, 4})},
           [](const Vars& v) {
             return clade::conv_transpose2d(v[0], v[1], {}, transposed(2, 1, 0));
           }},
          {"kernel smaller than stride",
           {in({1, 2, 3, 3}), in({2, 2, 2, 2})},
           [](const Vars& v) {
             return clade::conv_transpose2d(v[0], v[1], {}, transposed(3, 0, 2));
           }},
          {"dilation 2",
           {in({1, 2, 4, 4}), in({2, 2, 3, 3})},
           [](const Vars& v) {
             return clade::conv_transpose2d(v[0], v[1], {}, transposed(1, 1, 1, 2));
           }},
          {"groups",
           {in({2, 4, 3, 3}), in({4, 3, 3, 3})},
           [](const Vars& v) {
             return clade::conv_transpose2d(v[0], v[1], {}, transposed(2, 1, 1, 1, 2));
           }},
          {"empty batch",
           {in({0, 2, 3, 3}), in({2, 3, 3, 3})},
           [](const Vars& v) {
             return clade::conv_transpose2d(v[0], v[1], {}, transposed(2, 1, 1));
           }},
          {"large",
           {in({9, 17, 11, 9}), in({17, 19, 3, 3})},
           [](const Vars& v) {
             return clade::conv_transpose2d(v[0], v[1], {}, transposed(2, 1, 1));
           },
           Size::large},
          {"16x16, 32 to 32, 3x3, stride 2",
           {in({128, 32, 16, 16}), in({32, 32, 3, 3})},
           [](const Vars& v) {
             return clade::conv_transpose2d(v[0], v[1], {}, transposed(2, 1, 1));
           },
           Size::bench},
          {"8x8, 64 to 64, 3x3, stride 2",
           {in({128, 64, 8, 8}), in({64, 64, 3, 3})},
           [](const Vars& v) {
             return clade::conv_transpose2d(v[0], v[1], {}, transposed(2, 1, 1));
           },
           Size::bench},
          {"4x4, 128 to 128, 3x3, stride 2",
           {in({128, 128, 4, 4}), in({128, 128, 3, 3})},
           [](const Vars& v) {
             return clade::conv_transpose2d(v[0], v[1], {}, transposed(2, 1, 1));
           },
           Size::bench},
          {"16x16, 64 to 32, 4x4, stride 2",
           {in({128, 64, 16, 16}), in({64, 32, 4, 4})},
           [](const Vars& v) {
             return clade::conv_transpose2d(v[0], v[1], {}, transposed(2, 1, 0));
           },
           Size::bench},
          {"14x14, 64 to 32, 5x5, stride 2",
           {in({128, 64, 14, 14}), in({64, 32, 5, 5})},
           [](const Vars& v) {
             return clade::conv_transpose2d(v[0], v[1], {}, transposed(2, 2, 1));
           },
           Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"channels",
           {in({2, 3, 4, 4}), in({4, 3, 3, 3})},
           [](const Vars& v) { return clade::conv_transpose2d(v[0], v[1]); },
           "conv_transpose2d: expected x with 4 channels (w [4, 3, 3, 3], [in, out / groups, R, "
           "S]); got "
           "x [2, 3, 4, 4]"},
          {"a stride beyond what can be counted",
           {in({2, 4, 4, 4}), in({4, 3, 3, 3})},
           [](const Vars& v) {
             return clade::conv_transpose2d(v[0], v[1], {}, transposed(int64_t{1} << 62, 1, 0));
           },
           "conv_transpose2d: expected kernel, stride, padding and dilation of at most 2^30"},
          {"output padding",
           {in({2, 4, 4, 4}), in({4, 3, 3, 3})},
           [](const Vars& v) {
             return clade::conv_transpose2d(v[0], v[1], {}, transposed(2, 1, 2));
           },
           "conv_transpose2d: expected 0 <= output_padding < max(stride, dilation); got "
           "output_padding 2, "
           "stride 2"}};
    },
    0b11};

}  // namespace clade::op
