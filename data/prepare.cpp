#include "data/prepare.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::data {
namespace {

void require_images(const char* op, const Tensor& t) {
  if (t.rank() != 4 || t.dtype() != DType::f32) fail(op, "images f32 (N, C, H, W)", text(t));
}

// One output pixel of an axis: `weights` of the input pixels first, first + 1, ...; they sum to 1.
struct Taps {
  int64_t first;
  std::vector<double> weights;
};

// Output pixel i covers [i s, (i + 1) s) of the input, s = in / out >= 1: weights are overlaps / s.
std::vector<Taps> averaging_taps(int64_t in, int64_t out) {
  std::vector<Taps> taps;
  for (int64_t i = 0; i < out; i++) {
    // In units of 1 / out of an input pixel all ends are integers, so the overlaps are exact.
    const int64_t begin = i * in, end = (i + 1) * in;
    Taps t{begin / out, {}};
    for (int64_t p = t.first; p * out < end; p++) {
      const int64_t overlap = std::min(end, (p + 1) * out) - std::max(begin, p * out);
      t.weights.push_back(double(overlap) / double(in));
    }
    taps.push_back(t);
  }
  return taps;
}

// The centre of output pixel i lies at (i + 1/2) in / out - 1/2 between two input centres; outside
// of the first and last centre their values go on.
std::vector<Taps> interpolating_taps(int64_t in, int64_t out) {
  std::vector<Taps> taps;
  for (int64_t i = 0; i < out; i++) {
    const double at = (double(i) + 0.5) * double(in) / double(out) - 0.5;
    const double clamped = std::clamp(at, 0.0, double(in - 1));
    const int64_t first = std::clamp<int64_t>(int64_t(clamped), 0, std::max<int64_t>(in - 2, 0));
    const double part = clamped - double(first);
    taps.push_back(in == 1 ? Taps{0, {1.0}} : Taps{first, {1 - part, part}});
  }
  return taps;
}

std::vector<Taps> taps_for(int64_t in, int64_t out) {
  return out <= in ? averaging_taps(in, out) : interpolating_taps(in, out);
}

}  // namespace

Tensor pad(const Tensor& images, int64_t height, int64_t width, double value) {
  require_images("pad", images);
  const int64_t h = images.size(2), w = images.size(3);
  if (height < h || width < w)
    fail("pad", text("a size of ", h, " x ", w, " or more"), text(height, " x ", width),
         "use resize to make images smaller");
  Tensor out = Tensor::empty({images.size(0), images.size(1), height, width}, DType::f32,
                             Layout::channels_last);
  out.fill_(value);
  const int64_t top = (height - h) / 2, left = (width - w) / 2;
  out.slice(2, top, top + h).slice(3, left, left + w).copy_(images);
  return out;
}

Dataset pad(const Dataset& d, int64_t height, int64_t width) {
  Dataset out = d;
  out.values = pad(d.values, height, width, 0);
  if (d.mask.defined()) out.mask = pad(d.mask, height, width, 1);
  return out;
}

Dataset pad_to_power_of_two(const Dataset& d) {
  require_images("pad_to_power_of_two", d.values);
  const uint64_t longer = uint64_t(std::max(d.values.size(2), d.values.size(3)));
  const int64_t side = int64_t(std::bit_ceil(longer));
  return pad(d, side, side);
}

Tensor resize(const Tensor& images, int64_t height, int64_t width) {
  require_images("resize", images);
  if (height < 1 || width < 1)
    fail("resize", "a height and a width of 1 or more", text(height, " x ", width));
  const Tensor in = images.to_layout(Layout::channels_last);
  const int64_t n = in.size(0), c = in.size(1), h = in.size(2), w = in.size(3);
  Tensor out = Tensor::empty({n, c, height, width}, DType::f32, Layout::channels_last);
  if (out.numel() == 0) return out;
  if (h == 0 || w == 0) fail("resize", "images with pixels", text(images));
  const std::vector<Taps> rows = taps_for(h, height), columns = taps_for(w, width);
  const float* from = in.data<float>();
  float* to = out.data<float>();
  parallel_for(n, 16, [&](int64_t begin, int64_t end) {
    Scratch<double> row(w * c);  // one output row, not yet resized along W
    for (int64_t i = begin * height; i < end * height; i++) {  // output rows of these images
      const Taps& down = rows[size_t(i % height)];
      const float* first = from + (i / height * h + down.first) * w * c;
      std::fill_n(row.data(), w * c, 0.0);
      for (size_t k = 0; k < down.weights.size(); k++)
        for (int64_t x = 0; x < w * c; x++)
          row[x] += down.weights[k] * double(first[int64_t(k) * w * c + x]);
      for (int64_t q = 0; q < width; q++) {
        const Taps& across = columns[size_t(q)];
        for (int64_t ch = 0; ch < c; ch++) {
          double sum = 0;
          for (size_t k = 0; k < across.weights.size(); k++)
            sum += across.weights[k] * row[(across.first + int64_t(k)) * c + ch];
          to[(i * width + q) * c + ch] = float(sum);
        }
      }
    }
  });
  return out;
}

Dataset resize(const Dataset& d, int64_t height, int64_t width) {
  Dataset out = d;
  out.values = resize(d.values, height, width);  // missing values are 0: they add nothing
  if (!d.mask.defined()) return out;
  out.mask = resize(d.mask, height, width);  // the weight of what was observed
  float* value = out.values.data<float>();
  float* seen = out.mask.data<float>();
  for (int64_t i = 0; i < out.values.numel(); i++) {
    const bool observed = seen[i] >= 0.5f;
    value[i] = observed ? value[i] / seen[i] : 0;
    seen[i] = observed;
  }
  return out;
}

Tensor to_grey(const Tensor& images) {
  require_images("to_grey", images);
  if (images.size(1) == 1) return images;
  if (images.size(1) != 3) fail("to_grey", "images with 1 or 3 channels", text(images));
  const Tensor in = images.to_layout(Layout::channels_last);
  Tensor out = Tensor::empty(in.shape().with(1, 1), DType::f32, Layout::channels_last);
  const float* rgb = in.data<float>();
  float* grey = out.data<float>();
  for (int64_t i = 0; i < out.numel(); i++, rgb += 3)
    grey[i] = 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
  return out;
}

Dataset to_grey(const Dataset& d) {
  Dataset out = d;
  out.values = to_grey(d.values);
  if (!d.mask.defined() || d.mask.size(1) == 1) return out;
  const Tensor seen = d.mask.to_layout(Layout::channels_last);
  out.mask = Tensor::empty_like(out.values);
  const float* rgb = seen.data<float>();
  float* grey = out.mask.data<float>();
  float* value = out.values.data<float>();
  for (int64_t i = 0; i < out.values.numel(); i++, rgb += 3) {
    grey[i] = std::min({rgb[0], rgb[1], rgb[2]});
    value[i] *= grey[i];
  }
  return out;
}

}  // namespace clade::data
