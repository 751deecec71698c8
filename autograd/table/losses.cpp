#include "autograd/table/samples.h"

namespace clade::op {
namespace {

// 1 where the drawn value is positive: a mask from a constant input.
Tensor as_mask(const Var& v) {
  Tensor mask = v.value().to(Device::cpu()).contiguous().clone();
  dispatch_floating(mask.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* m = mask.data<T>();
    for (int64_t i = 0; i < mask.numel(); i++) m[i] = m[i] > 0 ? T(1) : T(0);
  });
  return mask.to(v.value().device());
}

// `weighted` takes its mask as it is, of any numbers: what is timed holds no making of masks.
std::vector<OpSample> against_target(Var (*plain)(const Vars&), Var (*masked)(const Vars&),
                                     Var (*weighted)(const Vars&)) {
  return {{"rows", {in({4, 7}), constant({4, 7}, 0, 1)}, plain},
          {"rows, masked", {in({4, 7}), constant({4, 7}, 0, 1), constant({4, 7})}, masked},
          {"images, masked",
           {in({2, 3, 4, 5}), constant({2, 3, 4, 5}, 0, 1), constant({2, 3, 4, 5})},
           masked},
          {"vector", {in({5}), constant({5}, 0, 1)}, plain},
          {"size 1", {in({3, 1}), constant({3, 1}, 0, 1)}, plain},
          {"empty batch", {in({0, 3}), constant({0, 3}, 0, 1)}, plain},
          {"large, masked",
           {in({701, 101}), constant({701, 101}, 0, 1), constant({701, 101})},
           masked,
           Size::large},
          {"4096 x 1024, masked",
           {in({4096, 1024}), constant({4096, 1024}, 0, 1), constant({4096, 1024}, 0, 1)},
           weighted,
           Size::bench}};
}

}  // namespace

const Op squared_error = {
    "squared_error", "sum m (xhat - x)^2 a sample", "dxhat = 2 m (xhat - x) dy",
    [] {
      return against_target(
          [](const Vars& v) { return clade::squared_error(v[0], v[1].value()); },
          [](const Vars& v) { return clade::squared_error(v[0], v[1].value(), as_mask(v[2])); },
          [](const Vars& v) { return clade::squared_error(v[0], v[1].value(), v[2].value()); });
    },
    [] {
      return std::vector<BadInput>{
          {"shapes",
           {in({4, 3}), constant({4, 2})},
           [](const Vars& v) { return clade::squared_error(v[0], v[1].value()); },
           "squared_error: expected arguments of one shape; got f32 [4, 3] and f32 [4, 2]"}};
    }};

const Op bce_with_logits = {
    "bce_with_logits", "sum m [max(a, 0) - a x + ln(1 + e^-|a|)] a sample",
    "da = m (sigmoid(a) - x) dy",
    [] {
      auto all = against_target(
          [](const Vars& v) { return clade::bce_with_logits(v[0], v[1].value()); },
          [](const Vars& v) { return clade::bce_with_logits(v[0], v[1].value(), as_mask(v[2])); },
          [](const Vars& v) { return clade::bce_with_logits(v[0], v[1].value(), v[2].value()); });
      all.push_back({"large logits",
                     {in({3, 4}, -60, 60), constant({3, 4}, 0, 1)},
                     [](const Vars& v) { return clade::bce_with_logits(v[0], v[1].value()); }});
      return all;
    },
    [] {
      return std::vector<BadInput>{
          {"shapes",
           {in({4, 3}), constant({3, 4})},
           [](const Vars& v) { return clade::bce_with_logits(v[0], v[1].value()); },
           "bce_with_logits: expected arguments of one shape; got f32 [4, 3] and f32 [3, 4]"}};
    }};

const Op gaussian_log_likelihood = {
    "gaussian_log_likelihood", "-1/2 sum m [ln 2 pi + logvar + (x - mean)^2 e^-logvar] a sample",
    "dmean = m e^-logvar (x - mean) dy = -dx, dlogvar = m/2 [(x - mean)^2 e^-logvar - 1] dy",
    [] {
      auto plain = [](const Vars& v) { return clade::gaussian_log_likelihood(v[0], v[1], v[2]); };
      auto masked = [](const Vars& v) {
        return clade::gaussian_log_likelihood(v[0], v[1], v[2], as_mask(v[3]));
      };
      return std::vector<OpSample>{
          {"rows", {in({4, 5}), in({4, 5}), in({4, 5})}, plain},
          {"images, masked",
           {in({2, 3, 4, 2}), in({2, 3, 4, 2}), in({2, 3, 4, 2}), constant({2, 3, 4, 2})},
           masked},
          {"constant data", {constant({4, 5}), in({4, 5}), in({4, 5})}, plain},
          {"size 1", {in({3, 1}), in({3, 1}), in({3, 1})}, plain},
          {"empty batch", {in({0, 3}), in({0, 3}), in({0, 3})}, plain},
          {"large", {in({701, 101}), in({701, 101}), in({701, 101})}, plain, Size::large},
          {"4096 x 1024",
           {constant({4096, 1024}), in({4096, 1024}), in({4096, 1024})},
           plain,
           Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"shapes",
           {in({4, 3}), in({4, 3}), in({3})},
           [](const Vars& v) { return clade::gaussian_log_likelihood(v[0], v[1], v[2]); },
           "gaussian_log_likelihood: expected arguments of one shape; got f32 [4, 3] and f32 [3]"}};
    }};

const Op student_t_log_likelihood = {
    "student_t_log_likelihood",
    "sum m [g(f/2) - 1/2 ln(pi f) - ln s - (f + 1)/2 ln(1 + q)] a sample, r = (x - mean)/s, "
    "q = r^2/f, g(a) = ln Gamma(a + 1/2) - ln Gamma(a)",
    "dmean = m (f + 1) r / (f s (1 + q)) dy, ds = m [(f + 1) q/(1 + q) - 1]/s dy, df = m/2 "
    "[g'(f/2) "
    "- 1/f - ln(1 + q) + (f + 1)/f q/(1 + q)] dy",
    [] {
      auto plain = [](const Vars& v) {
        return clade::student_t_log_likelihood(v[0].value(), v[1], v[2], v[3]);
      };
      auto masked = [](const Vars& v) {
        return clade::student_t_log_likelihood(v[0].value(), v[1], v[2], v[3], as_mask(v[4]));
      };
      auto table = [](const Shape& s, double low = 3, double high = 40) {
        return std::vector<Input>{constant(s, -2, 2), in(s), in(s, 0.2, 2), in(s, low, high)};
      };
      auto images = table({2, 3, 4, 2});
      images.push_back(constant({2, 3, 4, 2}));
      return std::vector<OpSample>{{"rows", table({4, 5}), plain},
                                   {"few degrees of freedom", table({4, 5}, 0.3, 2), plain},
                                   {"many degrees of freedom", table({4, 5}, 500, 2000), plain},
                                   {"images, masked", images, masked},
                                   {"size 1", table({3, 1}), plain},
                                   {"empty batch", table({0, 3}), plain},
                                   {"large", table({701, 101}), plain, Size::large},
                                   {"4096 x 1024", table({4096, 1024}), plain, Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"shapes",
           {constant({4, 3}), in({4, 3}), in({4, 3}), in({3})},
           [](const Vars& v) {
             return clade::student_t_log_likelihood(v[0].value(), v[1], v[2], v[3]);
           },
           "student_t_log_likelihood: expected arguments of one shape; got f32 [4, 3] and f32 "
           "[3]"}};
    }};

}  // namespace clade::op
