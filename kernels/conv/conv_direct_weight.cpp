// grad_weight: register tiles of the weight gradient, summed over the pixels of slabs of x and y.
//
// Work is cut twice: into chunks of images, each with partial sums of its own, joined in order at
// the end; and, when chunks are few, into blocks of output channels. Within an item, x and y go
// through slabs in the second-level cache, and those in bands through the first: all tiles of the
// gradient see a band before the next is touched.
#include <algorithm>

#include "kernels/conv/conv_direct.h"
#include "kernels/conv/conv_direct_axis.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::kernels::direct {
namespace {

constexpr int64_t kBandPixels = 128;       // 24 KB: a vector of x and two of y a pixel
constexpr int64_t kSlabFloats = 64 << 10;  // 256 KB of x
constexpr int64_t kFewChunks = 8;

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

class WeightGradient {
 public:
  explicit WeightGradient(const ConvShape& shape)
      : s(shape),
        k(kernels()),
        vertical(forward_axis(shape, 0)),
        horizontal(forward_axis(shape, 1)) {
    vectors = divide_up(s.O, k.lanes);
    blocks = divide_up(vectors, 2);
    padded = divide_up(s.C, k.channel_tile) * k.channel_tile;
    block_floats = s.R * s.S * padded * 2 * k.lanes;
    grain = images_per_chunk(s);
    chunks = s.P * s.Q == 0 ? 0 : divide_up(s.N, grain);
    item_blocks = chunks < kFewChunks ? 1 : blocks;
    if (chunks == 0) return;
    Slab one = x_slab(0, s.P, 1);
    slab_images = std::clamp<int64_t>(kSlabFloats / (one.blocks * one.plane), 1, grain);
    slab_images = std::min(slab_images, divide_up(kBandPixels, s.Q));
    int64_t fitting = kSlabFloats / (slab_images * one.blocks * one.row) - vertical.span(1);
    slab_rows = std::clamp<int64_t>(fitting / s.stride[0] + 1, 1, s.P);
    band_rows = std::clamp<int64_t>(kBandPixels / (s.Q * slab_images), 1, slab_rows);
  }

  int64_t items() const { return chunks * divide_up(blocks, item_blocks); }
  int64_t pairs() const { return blocks * s.C; }
  int64_t partial_floats() const { return chunks * blocks * block_floats; }

  // Item (chunk, blocks of output channels) in turn: fills its part of
  // partial [chunk][block][channel block][tap][channel][output channel].
  void sum_items(int64_t begin, int64_t end, const float* x, const float* y, float* partial) const {
    Slab xs = x_slab(0, slab_rows, slab_images), ys = y_slab(0, slab_rows, slab_images);
    Scratch<float> x_data(xs.blocks * xs.plane), y_data(ys.blocks * ys.plane);
    for (int64_t item = begin; item < end; item++) {
      int64_t chunk = item * item_blocks / blocks, first = item * item_blocks % blocks;
      float* sums = partial + item * item_blocks * block_floats;
      std::fill(sums, sums + item_blocks * block_floats, 0.0f);
      int64_t last_image = std::min(s.N, (chunk + 1) * grain);
      for (int64_t n = chunk * grain; n < last_image; n += slab_images)
        for (int64_t i = 0; i < s.P; i += slab_rows) {
          int64_t rows = std::min(slab_rows, s.P - i),
                  images = std::min(slab_images, last_image - n);
          xs = x_slab(i, rows, images);
          xs.data = x_data.data();
          k.fill(xs, {x + n * s.H * s.W * s.C, s.H, s.W, s.C, 0});
          for (int64_t b = 0; b < item_blocks; b++) {
            ys = y_slab(i, rows, images);
            ys.data = y_data.data();
            k.fill(ys, {y + n * s.P * s.Q * s.O, s.P, s.Q, s.O, (first + b) * 2 * k.lanes});
            for (int64_t band = 0; band < rows; band += band_rows)
              add_band(xs, ys, band, std::min(band_rows, rows - band), width(first + b),
                       sums + b * block_floats);
          }
        }
    }
  }

  // Joins the chunks in order, in f64, and turns the order of `partial` into w (O, C, R, S), for
  // pairs (block of output channels, input channel) in turn.
  void join(int64_t begin, int64_t end, const float* partial, float* w) const {
    const int64_t taps = s.R * s.S, all_blocks = blocks * block_floats;
    Scratch<float> joined(taps * 2 * k.lanes);  // [tap][output channel]
    for (int64_t pair = begin; pair < end; pair++) {
      int64_t block = pair / s.C, c = pair % s.C, first = block * 2 * k.lanes;
      int64_t used = std::min(2 * k.lanes, s.O - first), wide = width(block) * k.lanes;
      int64_t before = c / k.lanes * k.lanes, together = std::min(k.lanes, padded - before);
      for (int64_t t = 0; t < taps; t++) {
        const float* from =
            partial + block * block_floats + (before * taps + t * together + c - before) * wide;
        double sum[2 * kMaxLanes] = {};
        for (int64_t chunk = 0; chunk < chunks; chunk++)
          for (int64_t o = 0; o < used; o++) sum[o] += double(from[chunk * all_blocks + o]);
        for (int64_t o = 0; o < used; o++) joined[t * 2 * k.lanes + o] = float(sum[o]);
      }
      for (int64_t o = 0; o < used; o++)
        for (int64_t t = 0; t < taps; t++)
          w[((first + o) * s.C + c) * taps + t] = joined[t * 2 * k.lanes + o];
    }
  }

 private:
  Slab x_slab(int64_t first_row, int64_t rows, int64_t images) const {
    return slab_under(vertical, horizontal, first_row, rows, s.Q, images, s.C, k.lanes);
  }
  Slab y_slab(int64_t first_row, int64_t rows,
              int64_t images) const {  // one block, every pixel once
    const Axis plain;
    return slab_under(plain, plain, first_row, rows, s.Q, images, 2 * k.lanes, k.lanes);
  }
  // Vectors of output channels in a block: two, or one in the last.
  int64_t width(int64_t block) const { return std::min<int64_t>(2, vectors - 2 * block); }

  void add_band(const Slab& xs, const Slab& ys, int64_t first, int64_t rows, int64_t wide,
                float* sum) const {
    WeightTile tile{};
    tile.x_row = s.stride[0] * xs.row;
    tile.y = ys.data + first * ys.row;
    tile.y_plane = ys.plane;
    tile.rows = rows;
    tile.pixels = s.Q * xs.images;
    for (int64_t block = 0; block < xs.blocks; block++)
      for (int64_t r = 0; r < s.R; r++)
        for (int64_t t = 0; t < s.S; t++) {
          const float* x = xs.data + block * xs.plane + first * tile.x_row +
                           tap_place(xs, vertical, horizontal, r, t, k.lanes);
          int64_t channels = std::min(k.lanes, padded - block * k.lanes);
          for (int64_t c = 0; c < channels; c += k.channel_tile) {
            tile.x = x + c;
            tile.sum = sum;
            k.grad_weight[wide - 1](tile);
            sum += k.channel_tile * wide * k.lanes;
          }
        }
  }

  ConvShape s;
  const Kernels& k;
  Axis vertical, horizontal;
  int64_t vectors, blocks;  // of output channels: vectors, and pairs of them
  int64_t padded;           // input channels up to a multiple of the tile
  int64_t block_floats;     // of one block of output channels of the gradient
  int64_t grain, chunks;    // images a chunk
  int64_t item_blocks;      // blocks of output channels an item
  int64_t slab_images, slab_rows, band_rows;
};

}  // namespace

bool serves(const ConvShape& s) {
  return s.groups == 1 && s.R <= Axis::kMaxTaps && s.S <= Axis::kMaxTaps;
}

void grad_weight(const ConvShape& s, const float* x, const float* y, float* w) {
  const WeightGradient gradient(s);
  Scratch<float> partial(gradient.partial_floats());
  parallel_for(gradient.items(), 1, [&](int64_t begin, int64_t end) {
    gradient.sum_items(begin, end, x, y, partial.data());
  });
  parallel_for((s.O + 2 * kernels().lanes - 1) / (2 * kernels().lanes) * s.C, 8,
               [&](int64_t begin, int64_t end) { gradient.join(begin, end, partial.data(), w); });
}

}  // namespace clade::kernels::direct
