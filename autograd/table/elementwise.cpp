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
          {"empty", {in({0, 4}, low, high)}, f}};
}

std::vector<OpSample> pairs(Var (*f)(const Vars&), double low = -2, double high = 2) {
  return {
      {"equal shapes", {in({3, 5}, low, high), in({3, 5}, low, high)}, f},
      {"a row against a matrix", {in({4, 3}, low, high), in({3}, low, high)}, f},
      {"a column against a row", {in({4, 1}, low, high), in({1, 3}, low, high)}, f},
      {"images against channels", {in({2, 3, 2, 2}, low, high), in({1, 3, 1, 1}, low, high)}, f},
      {"a scalar", {in({}, low, high), in({2, 2}, low, high)}, f},
      {"empty", {in({0, 3}, low, high), in({3}, low, high)}, f}};
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
const Op sub = {
    "sub", "a - b, broadcast", "da = dy, db = -dy",
    [] { return pairs([](const Vars& v) { return v[0] - v[1]; }); },
    [] { return bad_pair([](const Vars& v) { return v[0] - v[1]; }, "sub: expected"); }};
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

const Op affine = {"affine", "a x + b, a and b numbers", "dx = a dy",
                   [] { return shapes([](const Vars& v) { return 3 * v[0] - 2; }); }};
const Op exp = {"exp", "e^x", "dx = dy y",
                [] { return shapes([](const Vars& v) { return clade::exp(v[0]); }); }};
const Op log = {"log", "ln x", "dx = dy / x",
                [] { return shapes([](const Vars& v) { return clade::log(v[0]); }, 0.5, 3); }};
const Op sqrt = {"sqrt", "x^(1/2)", "dx = dy / (2 y)",
                 [] { return shapes([](const Vars& v) { return clade::sqrt(v[0]); }, 0.5, 3); }};
const Op square = {"square", "x^2", "dx = 2 x dy",
                   [] { return shapes([](const Vars& v) { return clade::square(v[0]); }); }};
const Op abs = {"abs", "|x|", "dx = sign(x) dy, 0 at 0",
                [] { return shapes([](const Vars& v) { return clade::abs(v[0]); }); }};
const Op reciprocal = {
    "reciprocal", "1 / x", "dx = -y^2 dy",
    [] { return shapes([](const Vars& v) { return clade::reciprocal(v[0]); }, 0.5, 2); }};
const Op power = {"power", "x^a, a a number", "dx = a x^(a-1) dy", [] {
                    return shapes([](const Vars& v) { return clade::power(v[0], 2.5); }, 0.5, 2);
                  }};
const Op clamp = {
    "clamp", "min(max(x, low), high)", "dx = dy inside [low, high], else 0",
    [] { return shapes([](const Vars& v) { return clade::clamp(v[0], -0.7, 1.1); }); },
    [] {
      return std::vector<BadInput>{{"low above high",
                                    {in({2})},
                                    [](const Vars& v) { return clade::clamp(v[0], 1, 0); },
                                    "clamp: expected low <= high; got 1 and 0"}};
    }};
const Op relu = {"relu", "max(x, 0)", "dx = dy where x > 0",
                 [] { return shapes([](const Vars& v) { return clade::relu(v[0]); }); }};
const Op leaky_relu = {"leaky_relu", "x > 0 ? x : a x", "dx = dy where x > 0, else a dy", [] {
                         auto all =
                             shapes([](const Vars& v) { return clade::leaky_relu(v[0], 0.1); });
                         all.push_back({"negative slope", {in({3, 4})}, [](const Vars& v) {
                                          return clade::leaky_relu(v[0], -0.5);
                                        }});
                         return all;
                       }};
const Op elu = {"elu", "x > 0 ? x : a (e^x - 1)", "dx = dy where x > 0, else (y + a) dy",
                [] { return shapes([](const Vars& v) { return clade::elu(v[0], 1.3); }); }};
const Op sigmoid = {"sigmoid", "1 / (1 + e^-x)", "dx = y (1 - y) dy",
                    [] { return shapes([](const Vars& v) { return clade::sigmoid(v[0]); }); }};
const Op tanh = {"tanh", "tanh x", "dx = (1 - y^2) dy",
                 [] { return shapes([](const Vars& v) { return clade::tanh(v[0]); }); }};
const Op softplus = {"softplus", "ln(1 + e^x)", "dx = sigmoid(x) dy",
                     [] { return shapes([](const Vars& v) { return clade::softplus(v[0]); }); }};
const Op gelu = {"gelu", "x Phi(x), Phi the normal distribution function",
                 "dx = (Phi(x) + x phi(x)) dy",
                 [] { return shapes([](const Vars& v) { return clade::gelu(v[0]); }); }};
const Op silu = {"silu", "x sigmoid(x)", "dx = s (1 + x (1 - s)) dy, s = sigmoid(x)",
                 [] { return shapes([](const Vars& v) { return clade::silu(v[0]); }); }};

}  // namespace clade::op
