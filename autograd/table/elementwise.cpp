#include "autograd/table/samples.h"

namespace clade::op {
namespace {

// Shapes that every elementwise function meets: a remainder of the vector length, images, one
// element, a scalar, nothing.
std::vector<OpSample> shapes(Var (*f)(const Vars&), double low = -2, double high = 2) {
  return {{"matrix", {in({3, 7}, low, high)}, f},
          {"images", {in({2, 3, 4, 5}, low, high)}, f},
          {"size 1", {in({1, 1}, low, high)}, f},
          {"scalar", {in({}, low, high)}, f},
          {"empty", {in({0, 4}, low, high)}, f},
          {"large", {in({70, 1001}, low, high)}, f, Size::large},
          {"2048 x 2048", {in({2048, 2048}, low, high)}, f, Size::bench}};
}

std::vector<BadInput> whole_numbers(Var (*f)(const Vars&), const char* message) {
  return {{"whole numbers", {in({3})}, f, message, DType::i64}};
}

std::vector<OpSample> pairs(Var (*f)(const Vars&), double low = -2, double high = 2) {
  return {
      {"equal shapes", {in({3, 5}, low, high), in({3, 5}, low, high)}, f},
      {"a row against a matrix", {in({4, 3}, low, high), in({3}, low, high)}, f},
      {"a column against a row", {in({4, 1}, low, high), in({1, 3}, low, high)}, f},
      {"images against channels", {in({2, 3, 2, 2}, low, high), in({1, 3, 1, 1}, low, high)}, f},
      {"a scalar", {in({}, low, high), in({2, 2}, low, high)}, f},
      {"empty", {in({0, 3}, low, high), in({3}, low, high)}, f},
      {"large", {in({70, 1001}, low, high), in({1001}, low, high)}, f, Size::large},
      {"2048 x 2048", {in({2048, 2048}, low, high), in({2048, 2048}, low, high)}, f, Size::bench},
      {"a row against 2048 x 2048",
       {in({2048, 2048}, low, high), in({2048}, low, high)},
       f,
       Size::bench}};
}

std::vector<BadInput> bad_pair(Var (*f)(const Vars&), const char* message) {
  return {{"shapes that do not broadcast", {in({2, 3}), in({2, 4})}, f, message}};
}

}  // namespace

const Op add = {
    "add",
    "a + b, broadcast",
    "da = dy, db = dy, summed over broadcast axes",
    [] { return pairs([](const Vars& v) { return v[0] + v[1]; }); },
    [] {
      return bad_pair(
          [](const Vars& v) { return v[0] + v[1]; },
          "add: expected shapes that broadcast (equal or 1 from the last axis back); got "
          "[2, 3] and [2, 4]");
    },
    0b11};
const Op sub = {"sub",
                "a - b, broadcast",
                "da = dy, db = -dy",
                [] { return pairs([](const Vars& v) { return v[0] - v[1]; }); },
                [] { return bad_pair([](const Vars& v) { return v[0] - v[1]; }, "sub: expected"); },
                0b11};
const Op mul = {"mul",
                "a b, broadcast",
                "da = dy b, db = dy a",
                [] { return pairs([](const Vars& v) { return v[0] * v[1]; }); },
                [] { return bad_pair([](const Vars& v) { return v[0] * v[1]; }, "mul: expected"); },
                0b11};
const Op div = {"div",
                "a / b, broadcast",
                "da = dy / b, db = -dy y / b",
                [] { return pairs([](const Vars& v) { return v[0] / v[1]; }, 0.5, 2); },
                [] { return bad_pair([](const Vars& v) { return v[0] / v[1]; }, "div: expected"); },
                0b01};
const Op maximum = {"maximum", "max(a, b), broadcast", "dy to the larger, ties to a",
                    [] { return pairs([](const Vars& v) { return clade::maximum(v[0], v[1]); }); },
                    [] {
                      return bad_pair([](const Vars& v) { return clade::maximum(v[0], v[1]); },
                                      "maximum: expected");
                    }};
const Op minimum = {"minimum", "min(a, b), broadcast", "dy to the smaller, ties to a",
                    [] { return pairs([](const Vars& v) { return clade::minimum(v[0], v[1]); }); },
                    [] {
                      return bad_pair([](const Vars& v) { return clade::minimum(v[0], v[1]); },
                                      "minimum: expected");
                    }};

// A function of one number: its call with x, and the range of x in which it is smooth and defined.
#define CLADE_UNARY(name, formula, gradient, call, low, high)                                     \
  const Op name = {#name, formula, gradient,                                                      \
                   [] { return shapes([](const Vars& v) { return call(v[0]); }, low, high); },    \
                   [] {                                                                           \
                     return whole_numbers([](const Vars& v) { return call(v[0]); },               \
                                          #name ": expected x of dtype f32 or f64; got i64 [3]"); \
                   }};

namespace {
Var affine_sample(const Var& x) { return 3 * x - 2; }
Var power_sample(const Var& x) { return clade::power(x, 2.5); }
Var clamp_sample(const Var& x) { return clade::clamp(x, -0.7, 1.1); }
Var leaky_relu_sample(const Var& x) { return clade::leaky_relu(x, 0.1); }
Var elu_sample(const Var& x) { return clade::elu(x, 1.3); }
}  // namespace

CLADE_UNARY(affine, "a x + b, a and b numbers", "dx = a dy", affine_sample, -2, 2)
CLADE_UNARY(exp, "e^x", "dx = dy y", clade::exp, -2, 2)
CLADE_UNARY(log, "ln x", "dx = dy / x", clade::log, 0.5, 3)
CLADE_UNARY(sqrt, "x^(1/2)", "dx = dy / (2 y)", clade::sqrt, 0.5, 3)
CLADE_UNARY(square, "x^2", "dx = 2 x dy", clade::square, -2, 2)
CLADE_UNARY(abs, "|x|", "dx = sign(x) dy, 0 at 0", clade::abs, -2, 2)
CLADE_UNARY(reciprocal, "1 / x", "dx = -y^2 dy", clade::reciprocal, 0.5, 2)
CLADE_UNARY(power, "x^a, a a number", "dx = a x^(a-1) dy", power_sample, 0.5, 2)
const Op clamp = {
    "clamp", "min(max(x, low), high)", "dx = dy inside [low, high], else 0",
    [] { return shapes([](const Vars& v) { return clamp_sample(v[0]); }); },
    [] {
      return std::vector<BadInput>{{"low above high",
                                    {in({2})},
                                    [](const Vars& v) { return clade::clamp(v[0], 1, 0); },
                                    "clamp: expected low <= high; got 1 and 0"}};
    }};
CLADE_UNARY(relu, "max(x, 0)", "dx = dy where x > 0", clade::relu, -2, 2)
const Op leaky_relu = {"leaky_relu", "x > 0 ? x : a x", "dx = dy where x > 0, else a dy",
                       [] {
                         auto all = shapes([](const Vars& v) { return leaky_relu_sample(v[0]); });
                         all.push_back({"negative slope", {in({3, 4})}, [](const Vars& v) {
                                          return clade::leaky_relu(v[0], -0.5);
                                        }});
                         return all;
                       },
                       [] {
                         return whole_numbers(
                             [](const Vars& v) { return leaky_relu_sample(v[0]); },
                             "leaky_relu: expected x of dtype f32 or f64; got i64 [3]");
                       }};
CLADE_UNARY(elu, "x > 0 ? x : a (e^x - 1)", "dx = dy where x > 0, else (y + a) dy", elu_sample, -2,
            2)
CLADE_UNARY(sigmoid, "1 / (1 + e^-x)", "dx = y (1 - y) dy", clade::sigmoid, -2, 2)
CLADE_UNARY(tanh, "tanh x", "dx = (1 - y^2) dy", clade::tanh, -2, 2)
CLADE_UNARY(softplus, "ln(1 + e^x)", "dx = sigmoid(x) dy", clade::softplus, -2, 2)
CLADE_UNARY(gelu, "x Phi(x), Phi the normal distribution function", "dx = (Phi(x) + x phi(x)) dy",
            clade::gelu, -2, 2)
CLADE_UNARY(silu, "x sigmoid(x)", "dx = s (1 + x (1 - s)) dy, s = sigmoid(x)", clade::silu, -2, 2)

#undef CLADE_UNARY

}  // namespace clade::op
