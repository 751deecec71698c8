// grad_weight: register tiles of the weight gradient, summed over the pixels of slabs of x and y.
//
// A tile is some rows, pairs of a tap and an input channel, by two vectors of output channels. Work
// is cut twice: into chunks of images, each with sums of its own, joined in order at the end; and,
// when chunks are few, by input channels. (By output channels would fill the slab of x, the larger
// of the two, more than once.) Within an item, x and y go through slabs in the second-level cache,
// and those in bands through the first: all tiles see a band before the next band is touched.
#include <algorithm>

#include "kernels/conv/conv_direct.h"
#include "kernels/conv/conv_direct_axis.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::kernels::direct {
namespace {

constexpr int64_t kBandPixels = 128;       // 24 KB: a vector of x and two of y a pixel
constexpr int64_t kSlabFloats = 96 << 10;  // 384 KB of x and y
constexpr int64_t kLongRow = 8;            // pixels
constexpr int64_t kFewChunks = 4;          // below this, chunks are cut by input channels

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

class WeightGradient {
 public:
  explicit WeightGradient(const ConvShape& shape)
      : s(shape),
        vertical(forward_axis(s, 0)),
        horizontal(forward_axis(s, 1)),
        block_width(kMaxVectors * k.lanes),
        blocks(divide_up(s.O, block_width)),
        record(record_of(s.C, k.lanes)),
        thin(record < k.lanes),
        weight_rows(k.weight_rows[thin]),
        rows(divide_up(s.C * s.R * s.S, weight_rows) * weight_rows),
        grain(images_per_chunk(s)),
        chunks(s.P * s.Q == 0 ? 0 : divide_up(s.N, grain)),
        inputs(divide_up(s.C, k.lanes)),
        y_in_place(reads_in_place()) {
    if (chunks > 0) cut();
  }

  void run(const float* x, const float* y, float* w) const {
    Scratch<float> sums(chunks * blocks * block_floats());  // [chunk][block][row][output channel]
    const int64_t parts = divide_up(inputs, item_inputs);
    parallel_for(chunks * parts, 1, [&](int64_t begin, int64_t end) {
      Slab xs = x_slab(0, slab_rows, slab_images), ys = y_slab(0, slab_rows, slab_images);
      Scratch<float> x_data(xs.blocks * xs.plane), y_data(ys.blocks * ys.plane);
      Scratch<int64_t> places(rows);
      for (int64_t item = begin; item < end; item++)
        sum_item(item / parts, item % parts * item_inputs, x, y, x_data.data(), y_data.data(),
                 places.data(), sums.data() + item / parts * blocks * block_floats());
    });
    join(sums.data(), w);
  }

 private:
  // Whether the first layer's kernels read y, by far the larger side, where it lies: whole vectors,
  // a row long enough to need no second image, and pixels so near each other that a band of them
  // does not crowd into a few lines of the first-level cache.
  bool reads_in_place() const { return thin && s.O % k.lanes == 0 && s.O <= 64 && s.Q >= kLongRow; }

  // Sizes of an item, then of a slab: enough images to fill a band, then as many rows as it holds.
  void cut() {
    item_inputs = divide_up(inputs, chunks < kFewChunks ? divide_up(kFewChunks, chunks) : 1);
    const Slab x = x_slab(0, s.P, 1), y = y_slab(0, s.P, 1);
    const int64_t image = x.blocks * x.plane + y.blocks * y.plane;
    const int64_t fitting = std::clamp<int64_t>(kSlabFloats / image, 1, grain);
    slab_images = y_in_place ? 1 : std::clamp<int64_t>(divide_up(kBandPixels, s.Q), 1, fitting);
    const int64_t x_row = x.blocks * x.row * slab_images, y_row = y.blocks * y.row * slab_images;
    const int64_t fitting_rows =
        (kSlabFloats - vertical.span(1) * x_row) / (x_row * s.stride[0] + y_row);
    slab_rows = std::clamp<int64_t>(fitting_rows + 1, 1, s.P);
    band_rows = std::clamp<int64_t>(kBandPixels / (s.Q * slab_images), 1, slab_rows);
  }

  Slab x_slab(int64_t first, int64_t deep, int64_t images) const {  // the channels of an item
    return slab_under(vertical, horizontal, first, deep, s.Q, images,
                      thin ? s.C : item_inputs * k.lanes, record);
  }
  Slab y_slab(int64_t first, int64_t deep, int64_t images) const {  // all channels
    return slab_under(Axis{}, Axis{}, first, deep, s.Q, images, s.O, k.lanes);
  }
  int64_t block_floats() const { return rows * block_width; }
  // Vectors of output channels in a block: two, or one in the last.
  int64_t vectors(int64_t block) const {
    return std::min<int64_t>(kMaxVectors, divide_up(s.O - block * block_width, k.lanes));
  }

  // Rows of the blocks of input channels before this one, up to whole tiles after the last.
  int64_t rows_before(int64_t block) const { return std::min(rows, block * k.lanes * s.R * s.S); }
  // visit(row, tap, c) for every row, block of input channels by block: a block is what stays in
  // the first-level cache, and what becomes one piece of w. Rows past the last are not visited.
  template <class Visit>
  void each_row(int64_t first_block, int64_t last_block, Visit visit) const {
    const int64_t taps = s.R * s.S;
    int64_t row = rows_before(first_block);
    for (int64_t block = first_block; block < last_block; block++)
      for (int64_t t = 0; t < taps; t++)
        for (int64_t c = block * k.lanes; c < std::min(s.C, (block + 1) * k.lanes); c++)
          visit(row++, t, c);
  }

  // Where the rows of some blocks of input channels stand in a slab that begins with the first of
  // them; idle rows of the last tile read what its first row does.
  void place_rows(const Slab& xs, int64_t first, int64_t last, int64_t* places) const {
    int64_t taps[Axis::kMaxTaps * Axis::kMaxTaps];
    for (int64_t t = 0; t < s.R * s.S; t++)
      taps[t] = tap_place(xs, vertical, horizontal, t / s.S, t % s.S);
    std::fill(places, places + rows, 0);
    int64_t first_row = rows_before(first);
    each_row(first, last, [&](int64_t row, int64_t t, int64_t c) {
      places[row - first_row] = taps[t] + (c / k.lanes - first) * xs.plane + c % k.lanes;
    });
  }

  // Rows of y that meet the picture, and not only the padding around it.
  struct Seen {
    int64_t first, last;
  };
  // Of each tile of the rows of some blocks of input channels: what any of its pairs sees.
  void find_seen(int64_t first, int64_t last, Seen* tiles) const {
    const int64_t first_row = rows_before(first);
    std::fill(tiles, tiles + rows / weight_rows, Seen{s.P, 0});
    each_row(first, last, [&](int64_t row, int64_t t, int64_t) {
      const int64_t offset = vertical.offset[t / s.S], step = vertical.source_step;
      Seen& seen = tiles[(row - first_row) / weight_rows];
      seen.first = std::min(seen.first, offset < 0 ? divide_up(-offset, step) : 0);
      seen.last = std::max(seen.last, offset < s.H ? (s.H - 1 - offset) / step + 1 : 0);
    });
  }

  // Sums one chunk for the blocks of input channels of one item, which begin at `first`.
  void sum_item(int64_t chunk, int64_t first, const float* x, const float* y, float* x_data,
                float* y_data, int64_t* places, float* sums) const {
    const int64_t last = std::min(inputs, first + item_inputs),
                  end = std::min(s.N, (chunk + 1) * grain);
    const int64_t first_row = rows_before(first), count = rows_before(last) - first_row;
    auto sums_of = [&](int64_t block) {
      return sums + block * block_floats() + first_row * vectors(block) * k.lanes;
    };
    for (int64_t b = 0; b < blocks; b++)
      std::fill(sums_of(b), sums_of(b) + count * vectors(b) * k.lanes, 0.0f);
    Scratch<Seen> seen(rows / weight_rows);
    find_seen(first, last, seen.data());
    Slab placed{};  // the form of slab that `places` is for
    for (int64_t n = chunk * grain; n < end; n += slab_images)
      for (int64_t i = 0; i < s.P; i += slab_rows) {
        int64_t images = std::min(slab_images, end - n), deep = std::min(slab_rows, s.P - i);
        Slab xs = x_slab(i, deep, images), ys = y_slab(i, deep, images);
        xs.data = x_data;
        ys.data = y_data;
        if (xs.row != placed.row || xs.plane != placed.plane) place_rows(xs, first, last, places);
        placed = xs;
        k.fill(xs, {x + n * s.H * s.W * s.C, s.H, s.W, s.C, first * k.lanes});
        const float* y_rows = y + (n * s.P + i) * s.Q * s.O;
        if (!y_in_place) k.fill(ys, {y + n * s.P * s.Q * s.O, s.P, s.Q, s.O, 0});
        Ahead ahead[2];
        fetch_next(xs, chunk, n, i, x, y, count, ahead);
        for (int64_t b = 0; b < blocks; b++)
          for (int64_t band = 0; band < deep; band += band_rows)
            add_band(xs, ys, y_rows, b, i, band, std::min(band_rows, deep - band), places, count,
                     seen.data(), ahead, sums_of(b));
      }
  }

  // The memory of the slabs that follow, to be fetched while these are worked on.
  void fetch_next(const Slab& xs, int64_t chunk, int64_t n, int64_t i, const float* x,
                  const float* y, int64_t count, Ahead (&ahead)[2]) const {
    ahead[0] = ahead[1] = {};
    int64_t end = std::min(s.N, (chunk + 1) * grain);
    const int64_t now = std::min(slab_rows, s.P - i);  // rows of y
    if (i + slab_rows >= s.P) {
      i = 0;
      n += xs.images;
    } else {
      i += slab_rows;
    }
    if (n >= end) {  // the next chunk of this thread, by a guess
      n = (chunk + threads()) * grain;
      end = std::min(s.N, n + grain);
    }
    // Only what lies in one piece: all channels, and whole images or rows of one image.
    if (n >= end || item_inputs < inputs || (slab_images > 1 && slab_rows < s.P)) return;
    const int64_t images = std::min(slab_images, end - n), rows = std::min(slab_rows, s.P - i);
    const int64_t kernel_steps = blocks * (count / weight_rows) * now;
    auto rows_of = [&](const float* data, int64_t height, int64_t row, int64_t first,
                       int64_t last) {
      first = std::clamp<int64_t>(first, 0, height);
      last = std::clamp<int64_t>(last, 0, height);
      return ahead_of(data + (n * height + first) * row,
                      ((images - 1) * height + last - first) * row, kernel_steps);
    };
    const int64_t top = i * vertical.source_step + vertical.least;
    ahead[0] = rows_of(x, s.H, s.W * s.C, top, top + vertical.span(rows));
    ahead[1] = rows_of(y, s.P, s.Q * s.O, i, i + rows);
  }

  // Adds the pixels of some rows to the sums of one block of output channels. `y_rows` is what ys
  // holds, where it lies; both begin with row `top` of y.
  void add_band(const Slab& xs, const Slab& ys, const float* y_rows, int64_t block, int64_t top,
                int64_t first, int64_t deep, const int64_t* places, int64_t count, const Seen* seen,
                Ahead (&ahead)[2], float* sums) const {
    const int64_t wide = vectors(block);
    WeightTile tile{};
    tile.x_row = s.stride[0] * xs.row;
    tile.x = xs.data + first * tile.x_row;
    tile.x_pixel = record;
    if (y_in_place) {
      tile.y = y_rows + first * s.Q * s.O + block * block_width;
      tile.y_pixel = s.O;
      tile.y_plane = k.lanes;
    } else {
      tile.y = ys.data + block * kMaxVectors * ys.plane + first * ys.row;
      tile.y_pixel = k.lanes;
      tile.y_plane = ys.plane;
    }
    tile.pixels = s.Q * xs.images;
    const WeightTile all = tile;
    for (int64_t row = 0; row < count; row += weight_rows) {
      tile.place = places + row;
      tile.sum = sums + row * wide * k.lanes;
      const Seen& rows_seen = seen[row / weight_rows];
      const int64_t skipped = std::clamp<int64_t>(rows_seen.first - top - first, 0, deep);
      tile.rows = std::clamp<int64_t>(rows_seen.last - top - first, skipped, deep) - skipped;
      if (tile.rows == 0) continue;
      tile.x = all.x + skipped * all.x_row;
      tile.y = all.y + skipped * all.pixels * all.y_pixel;
      for (int f = 0; f < 2; f++) {
        tile.ahead[f] = ahead[f];
        pass(ahead[f], tile.rows);
      }
      k.grad_weight[thin][wide - 1](tile);
    }
  }

  // Adds the chunks in order, in f64, and turns [row][output channel] into w (O, C, R, S), a block
  // of input channels at a time: each is a run of w for every o.
  void join(const float* sums, float* w) const {
    const int64_t taps = s.R * s.S;
    parallel_for(blocks * inputs, 1, [&](int64_t begin, int64_t end) {
      Scratch<float> turned(block_width * k.lanes * taps);  // [output channel][run]
      for (int64_t piece = begin; piece < end; piece++) {
        int64_t block = piece / inputs, from_block = piece % inputs, c0 = from_block * k.lanes;
        int64_t wide = vectors(block) * k.lanes, o = block * block_width;
        int64_t used = std::min(wide, s.O - o), run = std::min(k.lanes, s.C - c0) * taps;
        with_vectors([&] {
          each_row(from_block, from_block + 1, [&](int64_t row, int64_t t, int64_t c) {
            double sum[kMaxVectors * kMaxLanes] = {};
            for (int64_t chunk = 0; chunk < chunks; chunk++) {
              const float* from = sums + (chunk * blocks + block) * block_floats() + row * wide;
              for (int64_t lane = 0; lane < wide; lane++) sum[lane] += double(from[lane]);
            }
            for (int64_t lane = 0; lane < used; lane++)
              turned[lane * run + (c - c0) * taps + t] = float(sum[lane]);
          });
        });
        for (int64_t lane = 0; lane < used; lane++)
          std::copy(turned.data() + lane * run, turned.data() + (lane + 1) * run,
                    w + ((o + lane) * s.C + c0) * taps);
      }
    });
  }

  const ConvShape s;
  const Kernels& k = kernels();
  const Axis vertical, horizontal;
  const int64_t block_width, blocks;  // of output channels
  const int64_t record;               // of the slab of x
  const bool thin;
  const int64_t weight_rows;    // of a tile
  const int64_t rows;           // pairs of tap and input channel, up to whole tiles
  const int64_t grain, chunks;  // images a chunk
  const int64_t inputs;         // blocks of input channels, of one vector
  const bool y_in_place;        // without a slab
  int64_t item_inputs = 1, slab_images = 0, slab_rows = 0, band_rows = 0;
};

// T(x, w, y) at stride 1 is as well a convolution of y, with the kernel turned by 180 degrees,
// whose output is x: dT/dw[o, c, r, s] of one is dT/dw[c, o, R - 1 - r, S - 1 - s] of the other.
// This puts the channels of x into the vectors when y has but one or two.
bool better_exchanged(const ConvShape& s) {
  return s.O <= kMaxNarrow && s.C > s.O && s.stride[0] == 1 && s.stride[1] == 1;
}

ConvShape exchanged(const ConvShape& s) {
  ConvShape out = s;
  std::swap(out.C, out.O);
  std::swap(out.H, out.P);
  std::swap(out.W, out.Q);
  out.padding[0] = s.dilation[0] * (s.R - 1) - s.padding[0];  // below 0: a crop, as good here
  out.padding[1] = s.dilation[1] * (s.S - 1) - s.padding[1];
  return out;
}

}  // namespace

void grad_weight(const ConvShape& s, const float* x, const float* y, float* w) {
  if (!better_exchanged(s)) return WeightGradient(s).run(x, y, w);
  const int64_t taps = s.R * s.S;
  Scratch<float> turned(s.weights());  // (C, O, R, S)
  WeightGradient(exchanged(s)).run(y, x, turned.data());
  for (int64_t o = 0; o < s.O; o++)
    for (int64_t c = 0; c < s.C; c++)
      for (int64_t t = 0; t < taps; t++)
        w[(o * s.C + c) * taps + t] = turned[(c * s.O + o) * taps + taps - 1 - t];
}

}  // namespace clade::kernels::direct
