#include "apps/cluster/prepare.h"

#include <algorithm>
#include <cmath>

#include "apps/cli/usage.h"
#include "data/missing.h"
#include "data/prepare.h"
#include "data/scaling.h"
#include "tensor/parallel.h"

namespace clade::apps {
namespace {

constexpr double kRate = 0.25;  // of mcar, mar and mnar

// The number after the colon.
double parameter(const std::string& how, double low, double high, bool whole) {
  const std::string digits = how.substr(how.find(':') + 1);
  char* end = nullptr;
  const double value = std::strtod(digits.c_str(), &end);
  if (digits.empty() || *end || !(value >= low && value <= high) ||
      (whole && value != std::floor(value)))
    fail("--missing",
         text("a ", whole ? "whole " : "", "number from ", low, " to ", high, " after the colon"),
         text("'", how, "'"));
  return value;
}

// Images in [0, 1]; a little beyond it is the rounding of whoever resized them.
data::Dataset in_unit_range(const data::Dataset& loaded, std::vector<std::string>& notes) {
  constexpr float kSlack = 1e-3f;
  const Tensor dense = loaded.values.contiguous();  // missing values are 0, which is in range
  const float* begin = dense.data<float>();
  const auto [low, high] = std::minmax_element(begin, begin + dense.numel());
  if (*low >= -kSlack && *high <= 1 + kSlack) return loaded;
  if (*low < 0 || *high > 255 || *high < 64)
    fail("images", text("values from 0 to 1, or from 0 to 255, in ", loaded.name),
         text(*low, " .. ", *high), "bring them to 0 .. 1, or save them as u8");
  notes.push_back(text(loaded.name, ": images of ", *low, " .. ", *high, " were divided by 255"));
  data::Dataset d = loaded;
  d.values = dense.clone();
  float* value = d.values.data<float>();
  parallel_for(d.values.numel(), 1 << 16, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++) value[i] /= 255;
  });
  return d;
}

}  // namespace

data::Dataset prepare(const data::Dataset& loaded, std::vector<std::string>& notes) {
  if (!loaded.is_images()) return data::Scaling::standard(loaded).apply(loaded);
  data::Dataset d = in_unit_range(loaded, notes);
  const int64_t h = d.values.size(2), w = d.values.size(3), side = std::max(h, w);
  const int64_t target = std::clamp<int64_t>(side, 16, 64);
  if (target != side)
    d = data::resize(d, std::max<int64_t>(1, h * target / side),
                     std::max<int64_t>(1, w * target / side));
  return data::pad_to_power_of_two(d);
}

data::Dataset hide(const data::Dataset& prepared, const std::string& how, const Random& rng) {
  const std::string kind = how.substr(0, how.find(':'));
  const bool plain = kind == how;
  if (how == "none") return prepared;
  const auto hide_share = kind == "mcar"   ? data::hide_at_random
                          : kind == "mar"  ? data::hide_by_column
                          : kind == "mnar" ? data::hide_by_value
                                           : nullptr;
  if (hide_share)
    return hide_share(prepared, plain ? kRate : parameter(how, 0, 0.99, false), rng.fork(kind));
  if (kind == "patches") {
    if (!prepared.is_images())
      fail("--missing", "images for patches", text("the table ", prepared.name), "take mcar");
    const int64_t width = prepared.values.size(3);
    const auto patches =
        plain ? data::PatchOptions::for_width(width)
              : data::PatchOptions::fixed(int64_t(parameter(how, 1, double(width), true)));
    return data::hide_patches(prepared, patches, rng.fork("patches"));
  }
  const std::string best = nearest(kind, {"none", "patches", "mcar", "mar", "mnar"});
  fail("--missing", "none, patches[:SIDE], or mcar[:RATE], mar[:RATE], mnar[:RATE]",
       text("'", how, "'"), best.empty() ? "" : text("did you mean ", best, "?"));
}

}  // namespace clade::apps
