// forward and grad_input: sweeps of register tiles over slabs of the source (see conv.md).
//
//     for every item (some images, some rows of them), in parallel:
//       fill a slab with the source under them
//       for every block of target channels:        its weights stay in the second-level cache
//         for every phase, row, tile of pixels:    one call of a kernel
#include <algorithm>

#include "kernels/conv/conv_direct.h"
#include "kernels/conv/conv_direct_axis.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::kernels::direct {
namespace {

constexpr int64_t kSlabFloats =
    64 << 10;  // 256 KB: leaves room for weights and for the next in a cache of 1 MB
constexpr int64_t kRowPixels = 16;  // a row of a slab should hold as many, of one image or several
constexpr int64_t kItems = 16;      // pieces of work that threads share evenly enough
// A slab holds all that lies between the taps of a pixel, and between its neighbours'. Further
// apart than this, it would be all holes.
constexpr int64_t kMaxReach = 256;

// Of a stride greater than the target not every remainder exists in it.
int64_t phases(const Axis& axis, int64_t target_size) {
  return std::min(axis.target_step, target_size);
}

struct Side {
  int64_t height, width, channels;
  int64_t image() const { return height * width * channels; }
};

// w (O, C, R, S) seen from a sweep: floats from target channel to target channel, and so on.
struct Weights {
  const float* w;
  int64_t target, source;
};

// Every tap of the kernel, phase by phase, row-major within each: the order of packed weights.
struct Taps {
  int64_t count = 0;
  int64_t r[Axis::kMaxTaps * Axis::kMaxTaps], s[Axis::kMaxTaps * Axis::kMaxTaps];
};

class Sweep {
 public:
  Sweep(const Axis& vertical_axis, const Axis& horizontal_axis, int64_t image_count,
        const Side& source_side, const Side& target_side)
      : vertical(vertical_axis),
        horizontal(horizontal_axis),
        images(image_count),
        source(source_side),
        target(target_side),
        narrow(target.channels <= kMaxNarrow),
        record(narrow ? k.lanes : record_of(source.channels, k.lanes)),
        thin(record < k.lanes),
        block_width(narrow ? target.channels : kMaxVectors * k.lanes),
        steps(vertical.steps(target.height, 0)),
        columns(horizontal.steps(target.width, 0)) {
    list_taps();
    cut();
  }

  void run(const float* from, const Weights& w, const float* bias, float slope, float* to) const {
    int64_t padded = (target.channels + k.lanes - 1) / k.lanes * k.lanes;
    Scratch<float> packed(narrow ? block_floats(0) : taps.count * padded_sources() * padded);
    Scratch<float> packed_bias(padded);
    for (int64_t o = 0; o < padded; o++) packed_bias[o] = bias && o < target.channels ? bias[o] : 0;
    pack(w, packed.data());
    int64_t bands = (steps + item_rows - 1) / item_rows;
    int64_t items = (images + item_images - 1) / item_images * bands;
    parallel_for(items, 1, [&](int64_t begin, int64_t end) {
      Slab slab = slab_of(0, item_rows, item_images);
      Scratch<float> data(slab.blocks * slab.plane);
      for (int64_t item = begin; item < end; item++) {
        int64_t n = item / bands * item_images, first = item % bands * item_rows;
        slab =
            slab_of(first, std::min(item_rows, steps - first), std::min(item_images, images - n));
        slab.data = data.data();
        k.fill(slab, {from + n * source.image(), source.height, source.width, source.channels, 0});
        sweep_item(slab, first, packed.data(), packed_bias.data(), slope, to + n * target.image(),
                   memory_of(item + threads(), from, to));
      }
    });
  }

 private:
  void list_taps() {
    for (int64_t a = 0; a < phases(vertical, target.height); a++)
      for (int64_t b = 0; b < phases(horizontal, target.width); b++)
        for (int64_t r = 0; r < vertical.taps; r++)
          for (int64_t s = 0; s < horizontal.taps; s++)
            if (vertical.phase[r] == a && horizontal.phase[s] == b) {
              taps.r[taps.count] = r;
              taps.s[taps.count++] = s;
            }
  }

  // Sizes of an item: enough images to fill a row, then as many rows as the slab holds, but no more
  // than leaves work for several threads.
  void cut() {
    Slab one = slab_of(0, steps, 1);
    int64_t fitting_images = kSlabFloats / std::max<int64_t>(1, one.blocks * one.plane);
    item_images = std::clamp<int64_t>((kRowPixels + columns - 1) / columns, 1,
                                      std::clamp<int64_t>(fitting_images, 1, images));
    int64_t fitting_rows = kSlabFloats / (one.blocks * one.row * item_images) - vertical.span(1);
    item_rows = std::clamp<int64_t>(fitting_rows / vertical.source_step + 1, 1, steps);
    int64_t groups = (images + item_images - 1) / item_images;
    item_rows = std::clamp<int64_t>(steps * groups / kItems, 1, item_rows);
  }

  Slab slab_of(int64_t first, int64_t rows, int64_t count) const {
    return slab_under(vertical, horizontal, first, rows, columns, count, source.channels, record);
  }

  // Vectors of target channels in the block that begins at channel o: two, or one in the last.
  int64_t vectors(int64_t o) const {
    return std::min<int64_t>(kMaxVectors, (target.channels - o + k.lanes - 1) / k.lanes);
  }
  int64_t padded_sources() const {
    if (thin) return source.channels;
    return (source.channels + kTogether - 1) / kTogether * kTogether;
  }
  // Packed floats of one tap, and of all, in the block that begins at channel o.
  int64_t tap_floats(int64_t o) const {
    if (narrow) return (source.channels + k.lanes - 1) / k.lanes * k.lanes * target.channels;
    return padded_sources() * vectors(o) * k.lanes;
  }
  int64_t block_floats(int64_t o) const { return taps.count * tap_floats(o); }

  // Block after block, in the orders that SweepTile asks for, zeros where there is no channel.
  void pack(const Weights& w, float* to) const {
    if (taps.count == 0) return;
    const int64_t sources = padded_sources();
    auto place = [&](int64_t t, int64_t c, int64_t o) {
      return w.w + o * w.target + c * w.source + taps.r[t] * horizontal.taps + taps.s[t];
    };
    if (narrow) {
      for (int64_t t = 0; t < taps.count; t++)
        for (int64_t b = 0; b < source.channels; b += k.lanes)
          for (int64_t o = 0; o < target.channels; o++)
            for (int64_t c = b; c < b + k.lanes; c++)
              *to++ = c < source.channels ? *place(t, c, o) : 0;
      return;
    }
    int64_t blocks = (target.channels + block_width - 1) / block_width;
    parallel_for(blocks * sources, 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        int64_t o = i / sources * block_width, c = i % sources, width = vectors(o) * k.lanes;
        int64_t used = c < source.channels ? std::min(width, target.channels - o) : 0;
        float* row = to + i / sources * block_floats(0) + c * width;
        for (int64_t t = 0; t < taps.count; t++, row += sources * width) {
          const float* from = used > 0 ? place(t, c, o) : nullptr;
          for (int64_t lane = 0; lane < used; lane++) row[lane] = from[lane * w.target];
          std::fill(row + used, row + width, 0.0f);
        }
      }
    });
  }

  // The memory of an item, to be fetched while another is worked on. (Which item a thread will take
  // next is a guess.)
  struct Next {
    Ahead source, target;
  };
  Next memory_of(int64_t item, const float* from, const float* to) const {
    const int64_t bands = (steps + item_rows - 1) / item_rows;
    const int64_t n = item / bands * item_images, first = item % bands * item_rows;
    if (n >= images || (item_images > 1 && bands > 1)) return {};  // or not in one piece
    const int64_t count = std::min(item_images, images - n),
                  rows = std::min(item_rows, steps - first);
    // Each tile takes all taps of its phase and all blocks of channels.
    const int64_t target_blocks = (target.channels + block_width - 1) / block_width;
    const int64_t tiles = (columns * count + kMaxPixels - 1) / kMaxPixels;
    const int64_t blocks = thin ? source.channels : (source.channels + k.lanes - 1) / k.lanes;
    const int64_t kernel_steps = target_blocks * rows * tiles * taps.count * blocks;
    auto rows_of = [&](const Side& side, const float* data, int64_t begin, int64_t end) {
      begin = std::clamp<int64_t>(begin, 0, side.height);
      end = std::clamp<int64_t>(end, 0, side.height);
      const int64_t row = side.width * side.channels;
      return ahead_of(data + n * side.image() + begin * row,
                      (count - 1) * side.image() + (end - begin) * row, kernel_steps);
    };
    const int64_t top = first * vertical.source_step + vertical.least;
    return {
        rows_of(source, from, top, top + vertical.span(rows)),
        rows_of(target, to, first * vertical.target_step, (first + rows) * vertical.target_step)};
  }

  // All target channels of the steps under one slab; `to` is the first of its images.
  void sweep_item(const Slab& slab, int64_t first, const float* packed, const float* bias,
                  float slope, float* to, const Next& next) const {
    int64_t tap_places[Axis::kMaxTaps * Axis::kMaxTaps * kThin];
    const int64_t each = thin ? source.channels : 1;  // what a kernel takes for a tap
    for (int64_t t = 0; t < taps.count; t++)
      for (int64_t c = 0; c < each; c++)
        tap_places[t * each + c] = tap_place(slab, vertical, horizontal, taps.r[t], taps.s[t]) + c;
    Scratch<int64_t> out_places(columns * slab.images);
    for (int64_t u = 0; u < columns; u++)
      for (int64_t n = 0; n < slab.images; n++)
        out_places[u * slab.images + n] =
            n * target.image() + u * horizontal.target_step * target.channels;

    int64_t rows = (slab.rows - vertical.span(1)) / vertical.source_step + 1;
    SweepTile tile{};
    tile.ahead[0] = next.source;
    tile.ahead[1] = next.target;
    for (int64_t o = 0; o < target.channels; o += block_width) {
      tile.plane = slab.plane;
      tile.channels = source.channels;
      tile.tap_place = tap_places;
      tile.weights = packed + o / block_width * block_floats(0);
      tile.bias = bias + o;
      tile.slope = slope;
      tile.out_place = out_places.data();
      tile.out_vector = k.lanes;
      tile.out_channels = std::min(block_width, target.channels - o);
      const int64_t wide = vectors(o);
      auto* kernels = narrow ? k.narrow[target.channels - 1]
                      : thin ? k.thin[record / 2][wide - 1]  // 1, 2, 4: kinds 0, 1, 2
                             : k.sweep[wide - 1];
      const int64_t most =
          narrow ? k.max_narrow_pixels[target.channels - 1] : k.max_pixels[wide - 1];
      for (int64_t a = 0; a < phases(vertical, target.height); a++)
        for (int64_t b = 0; b < phases(horizontal, target.width); b++) {
          const int64_t row_taps = horizontal.taps_in(b),
                        phase_taps = vertical.taps_in(a) * row_taps;
          const int64_t* const places = tile.tap_place;
          const float* const weights = tile.weights;
          const Cut cut(horizontal.steps(target.width, b) * slab.images, most);
          int64_t last = std::min(first + rows, vertical.steps(target.height, a));
          for (int64_t t = first; t < last; t++) {
            int64_t h = t * vertical.target_step + a;
            tile.in = slab.data + (t - first) * vertical.source_step * slab.row;
            tile.out = to + (h * target.width + b) * target.channels + o;
            // At the upper and lower edge some rows of the kernel see nothing but padding.
            const Axis::Inside seen = vertical.inside(a, t, source.height);
            tile.tap_place = places + seen.first * row_taps * each;
            tile.weights = weights + seen.first * row_taps * tap_floats(o);
            tile.taps = seen.count * row_taps * each;
            sweep_row(tile, cut, kernels, tile.taps * (thin ? 1 : slab.blocks));
          }
          tile.tap_place = places + phase_taps * each;
          tile.weights = weights + phase_taps * tap_floats(o);
        }
    }
  }

  // How a row is cut: tiles of as many pixels as registers hold, all of nearly one size.
  struct Cut {
    Cut(int64_t pixels, int64_t most)
        : tiles((pixels + most - 1) / most),
          size(tiles ? pixels / tiles : 0),
          larger(tiles ? pixels % tiles : 0) {}
    int64_t tiles, size, larger;  // the first `larger` tiles have a pixel more
  };

  void sweep_row(SweepTile& tile, const Cut& cut, void (*const* kernels)(const SweepTile&),
                 int64_t steps_of_tile) const {
    const int64_t* places = tile.out_place;
    for (int64_t i = 0; i < cut.tiles; i++) {
      const int64_t size = cut.size + (i < cut.larger);
      kernels[size - 1](tile);
      tile.in += size * record;
      tile.out_place += size;
      for (Ahead& ahead : tile.ahead) pass(ahead, steps_of_tile);
    }
    tile.out_place = places;
  }

  const Kernels& k = kernels();
  Axis vertical, horizontal;
  int64_t images;
  Side source, target;
  bool narrow;
  int64_t record;  // of the slab
  bool thin;
  int64_t block_width;     // target channels
  int64_t steps, columns;  // of the largest phase
  int64_t item_images, item_rows;
  Taps taps;
};

}  // namespace

bool serves(const ConvShape& s) {
  auto axis = [&](int d, int64_t taps) {
    return taps <= Axis::kMaxTaps && s.stride[d] <= kMaxReach &&
           (taps - 1) * s.dilation[d] <= kMaxReach;
  };
  return s.groups == 1 && s.C > 0 && s.O > 0 && axis(0, s.R) && axis(1, s.S);
}

void forward(const ConvShape& s, const float* x, const float* w, const float* bias, float slope,
             float* y) {
  if (s.N * s.P * s.Q * s.O == 0) return;
  Sweep sweep(forward_axis(s, 0), forward_axis(s, 1), s.N, {s.H, s.W, s.C}, {s.P, s.Q, s.O});
  sweep.run(x, {w, s.C * s.R * s.S, s.R * s.S}, bias, slope, y);
}

void grad_input(const ConvShape& s, const float* y, const float* w, const float* bias, float slope,
                float* x) {
  if (s.N * s.H * s.W * s.C == 0) return;
  Sweep sweep(grad_input_axis(s, 0), grad_input_axis(s, 1), s.N, {s.P, s.Q, s.O}, {s.H, s.W, s.C});
  sweep.run(y, {w, s.R * s.S, s.C * s.R * s.S}, bias, slope, x);
}

}  // namespace clade::kernels::direct
