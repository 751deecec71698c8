// forward, grad_input and grad_weight by Winograd's method F(4 x 4, 3 x 3).
//
// y is cut into tiles of 4 x 4. With d the 6 x 6 patch of x under a tile and w a kernel,
//
//     y = A^T [ sum over c of (G w G^T) * (B^T d B) ] A
//
// where * is element by element: for each of the 36 elements, the sum over channels is a matrix
// product of (tiles, C) by (C, O). So:
//
//     for every item (some images, some rows of their tiles), in parallel:
//       fill a slab with x                                     slab[channel block][row][column]
//       V = B^T d B of every tile, a vector of channels        V[36][channel block][tile][lane]
//       M = V times U = G w G^T, plane by plane                M[36][target block][tile][channel]
//       y = A^T M A
//
// and the weight gradient, transposed: dw = G^T [ sum over tiles of (B^T d B) * (A dy A^T) ] G.
#include "kernels/conv/conv_winograd.h"

#include <algorithm>

#include "kernels/conv/conv_direct.h"
#include "kernels/conv/conv_direct_axis.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::kernels::winograd {
namespace {

using direct::Axis;
using direct::kMaxLanes;
using direct::kMaxVectors;
using direct::kTogether;
using direct::Slab;
using direct::slab_under;

// V and M of an item: 640 KB, which a second-level cache of 1 MB holds beside some weights.
constexpr int64_t kItemFloats = 160 << 10;

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The tiles of y, and how many images and rows of them make an item.
struct Tiling {
  Tiling(const ConvShape& s, int64_t floats_a_tile)
      : down(divide_up(s.P, kOut)), across(divide_up(s.Q, kOut)) {
    int64_t fitting = std::max<int64_t>(1, kItemFloats / floats_a_tile);
    item_images = std::clamp<int64_t>(fitting / (down * across), 1, s.N);
    item_rows = std::clamp<int64_t>(fitting / (across * item_images), 1, down);
    item_rows = divide_up(down, divide_up(down, item_rows));  // of nearly one size
  }
  int64_t most_tiles() const { return item_images * item_rows * across; }

  int64_t down, across;
  int64_t item_images, item_rows;
};

// Some rows of tiles of some images.
struct Item {
  int64_t image, images, row, rows, across;
  int64_t tiles() const { return images * rows * across; }
};

Item item_at(const Tiling& t, int64_t index, int64_t images) {
  int64_t bands = divide_up(t.down, t.item_rows);
  int64_t image = index / bands * t.item_images, row = index % bands * t.item_rows;
  return {image, std::min(t.item_images, images - image), row, std::min(t.item_rows, t.down - row),
          t.across};
}

// Planes of vectors, [36][block][tile][lane]. A vector between planes keeps them from falling on
// the same lines of the first-level cache.
struct Planes {
  Planes(int64_t blocks, int64_t tiles, int64_t lanes)
      : block(tiles * lanes), plane(blocks * block + lanes) {}
  int64_t floats() const { return kPlanes * plane; }
  int64_t block, plane;  // floats from block to block, from plane to plane
};

// Every tile of an item from a slab into planes.
void spread_item(void (*spread)(const Spread&), const Slab& slab, const Item& item, int64_t lanes,
                 float* to, const Planes& planes) {
  Spread s{};
  s.column = slab.images * lanes;
  s.row = slab.row;
  s.tile = kOut * s.column;
  s.to_tile = lanes;
  s.to_plane = planes.plane;
  s.tiles = item.across;
  for (int64_t block = 0; block < slab.blocks; block++)
    for (int64_t n = 0; n < item.images; n++)
      for (int64_t i = 0; i < item.rows; i++) {
        s.from = slab.data + block * slab.plane + i * kOut * slab.row + n * lanes;
        s.to = to + block * planes.block + (n * item.rows + i) * item.across * lanes;
        spread(s);
      }
}

// Forward, for weights that stand anyhow: grad_input is the same with x and y exchanged and the
// kernel turned by 180 degrees.
class Forward {
 public:
  struct Kernel {
    const float* w;
    int64_t target, source;  // floats from target to target channel, source to source channel
    bool turned;
  };

  explicit Forward(const ConvShape& shape)
      : s(shape),
        sources(divide_up(s.C, kTogether) * kTogether),
        tiling(s, kPlanes * (sources + s.O)),
        vertical(direct::forward_axis(s, 0)),
        horizontal(direct::forward_axis(s, 1)) {}

  void run(const float* x, const Kernel& kernel, const float* bias, float slope, float* y) const {
    const int64_t padded = divide_up(s.O, k.lanes) * k.lanes;
    Scratch<float> u(kPlanes * sources * padded), whole_bias(padded), nothing(width);
    for (int64_t o = 0; o < padded; o++) whole_bias[o] = bias && o < s.O ? bias[o] : 0;
    std::fill(nothing.data(), nothing.data() + width, 0.0f);
    spread_kernel(kernel, u.data());
    int64_t items = divide_up(s.N, tiling.item_images) * divide_up(tiling.down, tiling.item_rows);
    parallel_for(items, 1, [&](int64_t begin, int64_t end) {
      Slab slab = slab_of({0, tiling.item_images, 0, tiling.item_rows, tiling.across});
      Planes v(slab.blocks, tiling.most_tiles(), k.lanes),
          m(padded / k.lanes, tiling.most_tiles(), k.lanes);
      Scratch<float> slab_data(slab.blocks * slab.plane), v_data(v.floats()), m_data(m.floats());
      for (int64_t index = begin; index < end; index++) {
        Item item = item_at(tiling, index, s.N);
        slab = slab_of(item);
        slab.data = slab_data.data();
        k.fill(slab, {x + item.image * s.H * s.W * s.C, s.H, s.W, s.C, 0});
        spread_item(k.winograd->source, slab, item, k.lanes, v_data.data(), v);
        multiply(v_data.data(), v, u.data(), nothing.data(), item.tiles(), m_data.data(), m);
        gather_item(m_data.data(), m, item, whole_bias.data(), slope, y);
      }
    });
  }

 private:
  Slab slab_of(const Item& item) const {
    return slab_under(vertical, horizontal, item.row * kOut, item.rows * kOut, item.across * kOut,
                      item.images, s.C, k.lanes);
  }
  // Vectors of target channels in the block that begins at channel o: two, or one in the last.
  int64_t vectors(int64_t o) const {
    return std::min<int64_t>(kMaxVectors, divide_up(s.O - o, k.lanes));
  }
  // U[36][block of two vectors][source channel][channel of the block], rows of zeros to the last.
  int64_t u_plane() const { return sources * divide_up(s.O, k.lanes) * k.lanes; }
  void spread_kernel(const Kernel& kernel, float* u) const {
    const int64_t vectors_in_all = divide_up(s.O, k.lanes);
    parallel_for(vectors_in_all * sources, 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        int64_t o = i / sources * k.lanes, c = i % sources, block = o / width * width;
        int64_t wide = vectors(block) * k.lanes;
        float* to = u + block * sources + c * wide + (o - block);
        Weights w{};
        w.from = kernel.w + o * kernel.target + c * kernel.source;
        w.target = kernel.target;
        w.first_tap = kernel.turned ? 8 : 0;
        w.tap = kernel.turned ? -1 : 1;
        w.count = c < s.C ? std::min(k.lanes, s.O - o) : 0;
        w.to = to;
        w.to_plane = u_plane();
        k.winograd->weights(w);
      }
    });
  }

  // M = V U, plane by plane: a tile of the direct sweep with one tap is a tile of a product.
  void multiply(const float* v_data, const Planes& v, const float* u, const float* nothing,
                int64_t tiles, float* m_data, const Planes& m) const {
    const int64_t no_taps[1] = {0};
    int64_t places[direct::kMaxPixels];
    for (int64_t p = 0; p < direct::kMaxPixels; p++) places[p] = p * k.lanes;
    for (int64_t e = 0; e < kPlanes; e++)
      for (int64_t o = 0; o < s.O; o += width) {
        int64_t wide = vectors(o);
        direct::SweepTile tile{};
        tile.plane = v.block;
        tile.channels = sources;
        tile.tap_place = no_taps;
        tile.taps = 1;
        tile.weights = u + e * u_plane() + o * sources;
        tile.bias = nothing;
        tile.slope = 1;
        tile.in = v_data + e * v.plane;
        tile.out = m_data + e * m.plane + o / k.lanes * m.block;
        tile.out_vector = m.block;
        tile.out_place = places;
        tile.out_channels = wide * k.lanes;
        for (int64_t left = tiles, pieces = divide_up(tiles, k.max_pixels[wide - 1]); left > 0;
             pieces--) {
          int64_t size = divide_up(left, pieces);
          k.sweep[wide - 1][size - 1](tile);
          tile.in += size * k.lanes;
          tile.out += size * k.lanes;
          left -= size;
        }
      }
  }

  void gather_item(const float* m_data, const Planes& m, const Item& item, const float* bias,
                   float slope, float* y) const {
    Gather g{};
    g.tile = k.lanes;
    g.plane = m.plane;
    g.to_row = s.Q * s.O;
    g.to_column = s.O;
    g.columns = s.Q;
    g.tiles = item.across;
    g.slope = slope;
    for (int64_t o = 0; o < s.O; o += k.lanes)
      for (int64_t n = 0; n < item.images; n++)
        for (int64_t i = 0; i < item.rows; i++) {
          int64_t row = (item.row + i) * kOut;
          g.from = m_data + o / k.lanes * m.block + (n * item.rows + i) * item.across * k.lanes;
          g.bias = bias + o;
          g.channels = s.O - o;
          g.rows = s.P - row;
          g.to = y + ((item.image + n) * s.P + row) * g.to_row + o;
          k.winograd->target(g);
        }
  }

  const ConvShape s;
  const direct::Kernels& k = direct::kernels();
  const int64_t width = kMaxVectors * k.lanes;
  const int64_t sources;  // channels of x, up to a multiple of kTogether
  const Tiling tiling;
  const Axis vertical, horizontal;
};

class WeightGradient {
 public:
  explicit WeightGradient(const ConvShape& shape)
      : s(shape),
        inputs(divide_up(s.C, k.lanes)),
        outputs(divide_up(s.O, k.lanes)),
        tiling(s, kPlanes * (inputs + outputs) * k.lanes),
        items(divide_up(s.N, tiling.item_images) * divide_up(tiling.down, tiling.item_rows)),
        chunks(std::clamp<int64_t>(s.N * tiling.down * tiling.across / kChunkTiles, 1,
                                   std::min(items, kMostChunks))),
        part_inputs(divide_up(inputs, std::clamp<int64_t>(pieces() / chunks, 1, inputs))),
        vertical(direct::forward_axis(s, 0)),
        horizontal(direct::forward_axis(s, 1)) {}

  void run(const float* x, const float* y, float* w) const {
    Scratch<float> sums(chunks * chunk_floats());
    if (all_at_once()) {
      sum_planes(x, y, sums.data());
    } else {
      sum_chunks(x, y, sums.data());
    }
    join(sums.data(), w);
  }

 private:
  static constexpr int64_t kChunkTiles = 256;  // enough work that a chunk's own sums cost little
  static constexpr int64_t kMostChunks = 8;
  static int64_t pieces() {  // of work, at least; bits do not depend on it
    return std::max<int64_t>(4, 2 * int64_t{threads()});
  }
  static constexpr int64_t kPlaneFloats = 2 << 20;  // 8 MB
  static constexpr int64_t kBandTiles = 128;        // whose V and G fit the first-level cache

  // Deep layers have few tiles and many channels: planes of all tiles are then small beside the
  // sums, and a plane is a piece of work.
  bool all_at_once() const {
    return chunks == 1 || kPlanes * all_tiles() * (inputs + outputs) * k.lanes <= kPlaneFloats;
  }
  int64_t all_tiles() const { return s.N * tiling.down * tiling.across; }

  // First V and G of all tiles, then the sums, plane by plane.
  void sum_planes(const float* x, const float* y, float* sums) const {
    Planes v(inputs, all_tiles(), k.lanes), g(outputs, all_tiles(), k.lanes);
    Scratch<float> v_data(v.floats()), g_data(g.floats());
    parallel_for(items, 1, [&](int64_t begin, int64_t end) {
      const Item most{0, tiling.item_images, 0, tiling.item_rows, tiling.across};
      Scratch<float> slab(slab_floats(most, inputs));
      for (int64_t i = begin; i < end; i++) {
        const Item item = item_at(tiling, i, s.N);
        const int64_t tile = (item.image * tiling.down + item.row * item.images) * tiling.across;
        spread_both(item, 0, inputs, x, y, slab.data(), v_data.data() + tile * k.lanes, v,
                    g_data.data() + tile * k.lanes, g);
      }
    });
    parallel_for(kPlanes, 1, [&](int64_t begin, int64_t end) {
      for (int64_t e = begin; e < end; e++) {
        clear(e, 0, inputs, sums);
        for (int64_t tile = 0; tile < all_tiles(); tile += kBandTiles)
          multiply(e, v_data.data() + tile * k.lanes, v, g_data.data() + tile * k.lanes, g,
                   std::min(kBandTiles, all_tiles() - tile), 0, inputs, sums);
      }
    });
  }

  // Work is cut into chunks of items, each with sums of its own, joined in order at the end, and
  // where these are few by input channels too.
  void sum_chunks(const float* x, const float* y, float* sums) const {
    const int64_t parts = divide_up(inputs, part_inputs);
    parallel_for(chunks * parts, 1, [&](int64_t begin, int64_t end) {
      const Item most{0, tiling.item_images, 0, tiling.item_rows, tiling.across};
      Planes v(part_inputs, tiling.most_tiles(), k.lanes), g(outputs, tiling.most_tiles(), k.lanes);
      Scratch<float> slab(slab_floats(most, part_inputs)), v_data(v.floats()), g_data(g.floats());
      for (int64_t piece = begin; piece < end; piece++) {
        int64_t chunk = piece / parts, first = piece % parts * part_inputs;
        int64_t count = std::min(part_inputs, inputs - first);
        float* to = sums + chunk * chunk_floats();
        for (int64_t e = 0; e < kPlanes; e++) clear(e, first, count, to);
        for (int64_t i = chunk * items / chunks; i < (chunk + 1) * items / chunks; i++) {
          const Item item = item_at(tiling, i, s.N);
          spread_both(item, first, count, x, y, slab.data(), v_data.data(), v, g_data.data(), g);
          for (int64_t e = 0; e < kPlanes; e++)
            multiply(e, v_data.data(), v, g_data.data(), g, item.tiles(), first, count, to);
        }
      }
    });
  }

  int64_t slab_floats(const Item& item, int64_t blocks) const {
    const Slab x = x_slab(item, blocks), y = y_slab(item);
    return std::max(x.blocks * x.plane, y.blocks * y.plane);
  }

  // V of some blocks of input channels of an item, and its G.
  void spread_both(const Item& item, int64_t first, int64_t count, const float* x, const float* y,
                   float* slab, float* v_data, const Planes& v, float* g_data,
                   const Planes& g) const {
    Slab xs = x_slab(item, count), ys = y_slab(item);
    xs.data = ys.data = slab;
    k.fill(xs, {x + item.image * s.H * s.W * s.C, s.H, s.W, s.C, first * k.lanes});
    spread_item(k.winograd->source, xs, item, k.lanes, v_data, v);
    k.fill(ys, {y + item.image * s.P * s.Q * s.O, s.P, s.Q, s.O, 0});
    spread_item(k.winograd->gradient, ys, item, k.lanes, g_data, g);
  }

  Slab x_slab(const Item& item, int64_t blocks) const {
    return slab_under(vertical, horizontal, item.row * kOut, item.rows * kOut, item.across * kOut,
                      item.images, blocks * k.lanes, k.lanes);
  }
  // Past the last row and column of y there are zeros, which add nothing.
  Slab y_slab(const Item& item) const {
    return slab_under(Axis{}, Axis{}, item.row * kOut, item.rows * kOut, item.across * kOut,
                      item.images, s.O, k.lanes);
  }
  // Sums of a chunk: [36][block of two vectors of O][C, in whole vectors][channel of the block].
  int64_t sum_plane() const { return inputs * k.lanes * outputs * k.lanes; }
  int64_t chunk_floats() const { return kPlanes * sum_plane(); }
  int64_t vectors(int64_t o) const {  // in the block that begins with output vector o
    return std::min<int64_t>(kMaxVectors, outputs - o);
  }
  float* sum_at(float* sums, int64_t e, int64_t o, int64_t c) const {
    return sums + e * sum_plane() + (o * inputs * k.lanes + c * vectors(o)) * k.lanes;
  }

  void clear(int64_t e, int64_t first, int64_t count, float* sums) const {
    for (int64_t o = 0; o < outputs; o += kMaxVectors)
      std::fill(sum_at(sums, e, o, first * k.lanes), sum_at(sums, e, o, (first + count) * k.lanes),
                0.0f);
  }

  // Adds some tiles to the sums of one plane.
  void multiply(int64_t e, const float* v_data, const Planes& v, const float* g_data,
                const Planes& g, int64_t tiles, int64_t first, int64_t count, float* sums) const {
    int64_t places[kMaxLanes];
    for (int64_t r = 0; r < k.weight_rows[0]; r++) places[r] = r;
    direct::WeightTile tile{};
    tile.place = places;
    tile.y_plane = g.block;
    tile.rows = 1;
    tile.pixels = tiles;
    for (int64_t o = 0; o < outputs; o += kMaxVectors) {
      tile.y = g_data + e * g.plane + o * g.block;
      for (int64_t c = 0; c < count * k.lanes; c += k.weight_rows[0]) {
        tile.x = v_data + e * v.plane + c / k.lanes * v.block + c % k.lanes;
        tile.sum = sum_at(sums, e, o, first * k.lanes + c);
        k.grad_weight[0][vectors(o) - 1](tile);
      }
    }
  }

  void join(const float* sums, float* w) const {
    parallel_for(outputs * s.C, 16, [&](int64_t begin, int64_t end) {
      alignas(64) float taps[9 * kMaxLanes];
      for (int64_t i = begin; i < end; i++) {
        int64_t o = i / s.C, c = i % s.C, block = o / kMaxVectors * kMaxVectors;
        Join j{};
        j.from = sum_at(const_cast<float*>(sums), 0, block, c) + (o - block) * k.lanes;
        j.plane = sum_plane();
        j.chunk = chunk_floats();
        j.chunks = chunks;
        j.to = taps;
        k.winograd->join(j);
        for (int64_t lane = 0; lane < std::min(k.lanes, s.O - o * k.lanes); lane++)
          for (int64_t t = 0; t < 9; t++)
            w[((o * k.lanes + lane) * s.C + c) * 9 + t] = taps[t * k.lanes + lane];
      }
    });
  }

  const ConvShape s;
  const direct::Kernels& k = direct::kernels();
  const int64_t inputs, outputs;  // vectors of channels
  const Tiling tiling;
  const int64_t items, chunks;
  const int64_t part_inputs;  // vectors of input channels in a piece of work
  const Axis vertical, horizontal;
};

// grad_input as a forward convolution: x and y change places.
ConvShape exchanged(const ConvShape& s) {
  ConvShape out = s;
  std::swap(out.C, out.O);
  std::swap(out.H, out.P);
  std::swap(out.W, out.Q);
  for (int d = 0; d < 2; d++) out.padding[d] = 2 - s.padding[d];  // below 0: a crop, as good here
  return out;
}

}  // namespace

// Beyond it U no longer stays in a cache. The number of images has no say: an image's result must
// not depend on the rest of its batch.
constexpr int64_t kMostWeights = 256 * 256;

bool pays(const ConvShape& s) {
  auto is = [](const int64_t(&both)[2], int64_t value) {
    return both[0] == value && both[1] == value;
  };
  int64_t pixels = std::min(s.P * s.Q, s.H * s.W);
  int64_t covered = std::max(divide_up(s.P, kOut) * divide_up(s.Q, kOut),
                             divide_up(s.H, kOut) * divide_up(s.W, kOut)) *
                    kOut * kOut;
  return s.groups == 1 && s.R == 3 && s.S == 3 && is(s.stride, 1) && is(s.dilation, 1) &&
         s.C >= 16 && s.O >= 16 && s.C * s.O <= kMostWeights && s.N * pixels > 0 &&
         10 * pixels >= 6 * covered;
}

void forward(const ConvShape& s, const float* x, const float* w, const float* bias, float slope,
             float* y) {
  Forward(s).run(x, {w, s.C * 9, 9, false}, bias, slope, y);
}

void grad_input(const ConvShape& s, const float* y, const float* w, const float* bias, float slope,
                float* x) {
  Forward(exchanged(s)).run(y, {w, 9, s.C * 9, true}, bias, slope, x);
}

void grad_weight(const ConvShape& s, const float* x, const float* y, float* w) {
  WeightGradient(s).run(x, y, w);
}

}  // namespace clade::kernels::winograd
