#include "apps/cluster/prepare.h"

#include <algorithm>
#include <cmath>

#include "apps/cli/usage.h"
#include "data/missing.h"
#include "data/prepare.h"
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

// Whether images are of 0 .. 255. Those a little beyond [0, 1] were rounded by whoever resized
// them.
bool is_in_bytes(const data::Dataset& loaded) {
  constexpr float kSlack = 1e-3f;
  const Tensor dense = loaded.values.contiguous();  // missing values are 0, which is in range
  const float* begin = dense.data<float>();
  const auto [low, high] = std::minmax_element(begin, begin + dense.numel());
  if (*low >= -kSlack && *high <= 1 + kSlack) return false;
  if (*low < 0 || *high > 255 || *high < 64)
    fail("images", text("values from 0 to 1, or from 0 to 255, in ", loaded.name),
         text(*low, " .. ", *high), "bring them to 0 .. 1, or save them as u8");
  return true;
}

data::Dataset divided(const data::Dataset& loaded) {
  data::Dataset d = loaded;
  d.values = loaded.values.contiguous().clone();
  float* value = d.values.data<float>();
  parallel_for(d.values.numel(), 1 << 16, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++) value[i] /= 255;
  });
  return d;
}

}  // namespace

Preparation learn_preparation(const data::Dataset& loaded, bool power_of_two,
                              std::vector<std::string>& notes) {
  Preparation p{.power_of_two = power_of_two, .scaling = {}};
  if (!loaded.is_images()) {
    p.scaling = data::Scaling::standard(loaded);
    return p;
  }
  p.divided = is_in_bytes(loaded);
  if (p.divided) notes.push_back(text(loaded.name, ": images of 0 .. 255 were divided by 255"));
  return p;
}

data::Dataset prepare(const data::Dataset& loaded, const Preparation& p) {
  if (!loaded.is_images()) return p.scaling.apply(loaded);
  data::Dataset d = p.divided ? divided(loaded) : loaded;
  if (!p.power_of_two) return d;
  const int64_t h = d.values.size(2), w = d.values.size(3), side = std::max(h, w);
  const int64_t target = std::clamp<int64_t>(side, 16, 64);
  if (target != side)
    d = data::resize(d, std::max<int64_t>(1, h * target / side),
                     std::max<int64_t>(1, w * target / side));
  return data::pad_to_power_of_two(d);
}

void save_preparation(const Preparation& p, SafeTensors& file) {
  file.metadata.push_back({"images", p.power_of_two ? "power-of-two" : "as they are"});
  file.metadata.push_back({"divided_by", p.divided ? "255" : "1"});
  if (!p.scaling.shift.defined()) return;
  file.add(text(kPreparation, "shift"), p.scaling.shift);
  file.add(text(kPreparation, "scale"), p.scaling.scale);
}

Preparation load_preparation(const SafeTensors& file) {
  const std::string *images = file.note("images"), *by = file.note("divided_by");
  if (!images || !by)
    fail("model", "how rows are prepared, in the metadata of the model", "nothing",
         "train it anew: it was written by an older version");
  Preparation p{.power_of_two = *images == "power-of-two", .divided = *by == "255", .scaling = {}};
  if (file.find(text(kPreparation, "shift")))
    p.scaling = {file.at(text(kPreparation, "shift")), file.at(text(kPreparation, "scale"))};
  return p;
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
