// forward and grad_input: sweeps of register tiles over slabs of the source.
#include <algorithm>

#include "kernels/conv/conv_direct.h"
#include "kernels/conv/conv_direct_axis.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::kernels::direct {
namespace {

// A slab should leave room for weights in a second-level cache of 1 MB: 384 KB.
constexpr int64_t kSlabFloats = 96 << 10;
constexpr int64_t kRowPixels =
    16;                         // a row of a slab should hold as many, of one image or of several
constexpr int64_t kItems = 16;  // pieces of work that several threads share evenly enough

struct Side {
  int64_t height, width, channels;
};

struct Sweep {
  Axis vertical, horizontal;
  int64_t images;
  Side source, target;
  const float* w;
  int64_t w_target, w_source;  // floats of w from channel to channel of either side
};

// The source is cut into items of `images` images by `rows` steps, each with a slab of its own.
struct Cut {
  int64_t images, rows;
  int64_t groups, bands;
};

Cut cut(const Sweep& s, int64_t lanes) {
  int64_t steps = s.vertical.steps(s.target.height, 0);
  int64_t columns = s.horizontal.steps(s.target.width, 0);
  Slab one = slab_under(s.vertical, s.horizontal, 0, steps, columns, 1, s.source.channels, lanes);
  int64_t floats = one.blocks * one.plane, row_floats = one.blocks * one.row;
  Cut c;
  c.images = std::min(
      {s.images, (kRowPixels + columns - 1) / columns, std::max<int64_t>(1, kSlabFloats / floats)});
  c.groups = (s.images + c.images - 1) / c.images;
  int64_t fitting = kSlabFloats / (c.images * row_floats) - s.vertical.span(1);
  c.rows = fitting < 0 ? 1 : fitting / s.vertical.source_step + 1;
  c.rows = std::min({steps, c.rows, std::max<int64_t>(1, steps * c.groups / kItems)});
  c.bands = (steps + c.rows - 1) / c.rows;
  return c;
}

// Taps in the order of the packed weights: phase by phase, row-major within each.
struct Taps {
  int64_t r[Axis::kMaxTaps * Axis::kMaxTaps], s[Axis::kMaxTaps * Axis::kMaxTaps];
  int64_t count = 0;

  void add_phase(const Sweep& sweep, int64_t a, int64_t b) {
    for (int64_t i = 0; i < sweep.vertical.taps; i++)
      for (int64_t j = 0; j < sweep.horizontal.taps; j++)
        if (sweep.vertical.phase[i] == a && sweep.horizontal.phase[j] == b) {
          r[count] = i;
          s[count++] = j;
        }
  }
};

// Target channels in blocks of two vectors (the last may be one): [block][tap][source channel, up
// to a multiple of 4][channel of the block], zeros past the last channel; and the bias [channel].
void pack(const Sweep& s, const Taps& taps, const float* bias, int64_t lanes, float* weights,
          float* packed_bias) {
  int64_t vectors = (s.target.channels + lanes - 1) / lanes;
  int64_t padded = (s.source.channels + 3) / 4 * 4;
  for (int64_t o = 0; o < vectors * lanes; o++)
    packed_bias[o] = bias && o < s.target.channels ? bias[o] : 0;
  parallel_for((vectors + 1) / 2 * padded, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      int64_t block = i / padded, c = i % padded;
      int64_t width = std::min<int64_t>(2, vectors - 2 * block) * lanes, first = block * 2 * lanes;
      int64_t used = c < s.source.channels ? std::min(width, s.target.channels - first) : 0;
      float* to = weights + first * taps.count * padded + c * width;
      for (int64_t t = 0; t < taps.count; t++, to += padded * width) {
        const float* from =
            s.w + first * s.w_target + c * s.w_source + taps.r[t] * s.horizontal.taps + taps.s[t];
        for (int64_t o = 0; o < used; o++) to[o] = from[o * s.w_target];
        std::fill(to + used, to + width, 0.0f);
      }
    }
  });
}

// One row of outputs: tiles of up to max_pixels neighbours, all of nearly one size.
void sweep_row(const Kernels& k, SweepTile tile, int64_t pixels, int64_t vectors,
               int64_t channels) {
  const int64_t most = k.max_pixels[vectors - 1], width = vectors * k.lanes;
  int64_t tiles = (pixels + most - 1) / most;
  alignas(64) float edge[kMaxPixels * kMaxVectors * kMaxLanes];
  int64_t edge_place[kMaxPixels];
  for (int64_t p = 0; p < kMaxPixels; p++) edge_place[p] = p * width;
  for (int64_t i = 0, done = 0; i < tiles; i++) {
    int64_t size = (pixels - done + tiles - i - 1) / (tiles - i);
    auto compute = k.sweep[vectors - 1][size - 1];
    if (channels == width) {
      compute(tile);
    } else {  // whole vectors would write past the last channel
      SweepTile aside = tile;
      aside.out = edge;
      aside.out_place = edge_place;
      compute(aside);
      for (int64_t p = 0; p < size; p++)
        std::copy(edge + p * width, edge + p * width + channels, tile.out + tile.out_place[p]);
    }
    tile.in += size * k.lanes;
    tile.out_place += size;
    done += size;
  }
}

void run(const Sweep& s, const float* source, const float* bias, float* target) {
  if (s.images * s.target.height * s.target.width * s.target.channels == 0) return;
  const Kernels& k = kernels();
  const int64_t lanes = k.lanes, vectors = (s.target.channels + lanes - 1) / lanes;
  const int64_t quads = (s.source.channels + 3) / 4;
  const int64_t row_steps = s.vertical.steps(s.target.height, 0);
  const int64_t column_steps = s.horizontal.steps(s.target.width, 0);
  Taps taps;
  for (int64_t a = 0; a < s.vertical.target_step; a++)
    for (int64_t b = 0; b < s.horizontal.target_step; b++) taps.add_phase(s, a, b);
  Scratch<float> weights(taps.count * quads * 4 * vectors * lanes), packed_bias(vectors * lanes);
  pack(s, taps, bias, lanes, weights.data(), packed_bias.data());

  Cut c = cut(s, lanes);
  auto slab_of = [&](int64_t first, int64_t rows, int64_t images) {
    return slab_under(s.vertical, s.horizontal, first, rows, column_steps, images,
                      s.source.channels, lanes);
  };
  Slab largest = slab_of(0, c.rows, c.images);
  const int64_t source_image = s.source.height * s.source.width * s.source.channels;
  const int64_t target_image = s.target.height * s.target.width * s.target.channels;

  parallel_for(c.groups * c.bands, 1, [&](int64_t begin, int64_t end) {
    Scratch<float> data(largest.blocks * largest.plane);
    Scratch<int64_t> out_place(column_steps * c.images);
    for (int64_t item = begin; item < end; item++) {
      int64_t n = item / c.bands * c.images, images = std::min(c.images, s.images - n);
      int64_t first = item % c.bands * c.rows, last = std::min(row_steps, first + c.rows);
      Slab slab = slab_of(first, last - first, images);
      slab.data = data.data();
      k.fill(slab,
             {source + n * source_image, s.source.height, s.source.width, s.source.channels, 0});
      int64_t places[Axis::kMaxTaps * Axis::kMaxTaps];
      for (int64_t t = 0; t < taps.count; t++)
        places[t] = tap_place(slab, s.vertical, s.horizontal, taps.r[t], taps.s[t], lanes);
      for (int64_t u = 0; u < column_steps; u++)
        for (int64_t g = 0; g < images; g++)
          out_place[u * images + g] =
              g * target_image + u * s.horizontal.target_step * s.target.channels;

      for (int64_t o = 0; o < vectors; o += 2) {
        int64_t wide = std::min<int64_t>(2, vectors - o);
        int64_t channels = std::min(wide * lanes, s.target.channels - o * lanes);
        SweepTile tile{};
        tile.plane = slab.plane;
        tile.quads = quads;
        tile.bias = packed_bias.data() + o * lanes;
        tile.out_place = out_place.data();
        tile.tap_place = places;
        tile.weights = weights.data() + o * lanes * taps.count * quads * 4;
        for (int64_t a = 0; a < s.vertical.target_step; a++)
          for (int64_t b = 0; b < s.horizontal.target_step; b++) {
            tile.taps = s.vertical.taps_in(a) * s.horizontal.taps_in(b);
            int64_t pixels = s.horizontal.steps(s.target.width, b) * images;
            for (int64_t t = first; t < std::min(last, s.vertical.steps(s.target.height, a)); t++) {
              tile.in = slab.data + (t - first) * s.vertical.source_step * slab.row;
              tile.out =
                  target + n * target_image + o * lanes +
                  ((t * s.vertical.target_step + a) * s.target.width + b) * s.target.channels;
              sweep_row(k, tile, pixels, wide, channels);
            }
            tile.tap_place += tile.taps;
            tile.weights += tile.taps * quads * 4 * wide * lanes;
          }
      }
    }
  });
}

}  // namespace

void forward(const ConvShape& s, const float* x, const float* w, const float* bias, float* y) {
  int64_t taps = s.R * s.S;
  run({forward_axis(s, 0),
       forward_axis(s, 1),
       s.N,
       {s.H, s.W, s.C},
       {s.P, s.Q, s.O},
       w,
       s.C * taps,
       taps},
      x, bias, y);
}

void grad_input(const ConvShape& s, const float* y, const float* w, const float* bias, float* x) {
  int64_t taps = s.R * s.S;
  run({grad_input_axis(s, 0),
       grad_input_axis(s, 1),
       s.N,
       {s.P, s.Q, s.O},
       {s.H, s.W, s.C},
       w,
       taps,
       s.C * taps},
      y, bias, x);
}

}  // namespace clade::kernels::direct
