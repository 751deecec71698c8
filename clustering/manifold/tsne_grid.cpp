// Repulsion by interpolation: charges go to the nodes of a grid, the grid is convolved with the
// kernels by FFT, and the potentials come back from the nodes.
//
//   K(r) = (1 + r^2)^-2,  C(r) = (1 + r^2)^-1
//   repulsion_i = y_i (K * 1)_i - (K * y)_i,     Z = sum_i (C * 1)_i - n
//
// The plane is cut into square boxes with 3 x 3 nodes each, evenly spaced over all boxes; a point
// acts on the nodes of its own box by Lagrange's polynomials, so boxes share no nodes and are
// filled at the same time, each in the order of its points: the same bits at any number of threads.
//
// Both kernels are even, so their transforms are real, and a real transform keeps the two halves of
// a complex grid apart. Two complex grids carry all: x + i y, convolved with K, and 1, convolved
// with K + i C. C is convolved by itself rather than made of K and |y|^2, which cancels in f32.
// Columns of the grid are transformed first, then rows, there multiplied and at once transformed
// back, in a buffer that stays in the cache.
//
// Source: Linderman, Rachh, Hoskins, Steinerberger, Kluger, "Fast interpolation-based t-SNE for
// improved visualization of single-cell RNA-seq data", Nature Methods 2019. Boxes are at most 1
// wide, as there, and at least 100 along the longer side (there: 50): where points are few, their
// sum does not smooth the errors of interpolation.
#include <algorithm>
#include <array>
#include <cmath>

#include "clustering/manifold/fft.h"
#include "clustering/manifold/tsne_forces.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr int64_t L = kFftLanes;
constexpr int64_t kNodes = 3;  // a box, along each side
constexpr double kLeastBoxes = 100, kMostBoxes = 1000;

void copy_lanes(const float* from, float* to) {
  for (int64_t l = 0; l < L; l++) to[l] = from[l];
}

int64_t padded(int64_t n) { return (n + L - 1) / L * L; }

// One axis of the grid.
struct Axis {
  int64_t boxes = 0;
  double low = 0, width = 1;  // where it begins; of a box
  int64_t nodes() const { return kNodes * boxes; }
  int64_t box(float y) const {
    return std::clamp<int64_t>(int64_t((double(y) - low) / width), 0, boxes - 1);
  }
  // Lagrange weights of the three nodes, at 1/6, 3/6 and 5/6 of the box.
  std::array<float, kNodes> weights(float y, int64_t box) const {
    const float u = float(3 * ((double(y) - low) / width - double(box)) - 1.5);
    return {u * (u - 1) / 2, 1 - u * u, u * (u + 1) / 2};
  }
  double middle() const { return low + width * double(boxes) / 2; }
};

// Two real images of (rows, columns) as the halves of a complex one; rows padded to whole lanes.
struct Image {
  std::vector<float> re, im;
  void resize(int64_t size) { re.assign(size_t(size), 0.0f), im.assign(size_t(size), 0.0f); }
};

// L vectors of one length and room to transform them.
struct Buffer {
  explicit Buffer(int64_t n)
      : floats(4 * n * L),
        re(floats.data()),
        im(re + n * L),
        work_re(im + n * L),
        work_im(work_re + n * L) {}
  Scratch<float> floats;
  float *re, *im, *work_re, *work_im;
};

// Convolution of images (rows, columns) with two even kernels.
class Convolution {
 public:
  // Kernels for nodes `step` apart; nothing is done where they are those of the last call.
  void prepare(int64_t rows, int64_t columns, double step) {
    const int64_t tall = fft_size(2 * rows), wide = fft_size(2 * columns);
    rows_ = rows, columns_ = columns;
    if (tall == tall_.size() && wide == wide_.size() && step == step_) return;
    tall_ = FftPlan(tall), wide_ = FftPlan(wide), step_ = step;
    Image image;
    image.resize(tall * padded(wide));
    parallel_for(tall, 16, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++)
        for (int64_t c = 0; c < wide; c++) {
          const double dy = step * double(std::min(r, tall - r));
          const double dx = step * double(std::min(c, wide - c));
          const double q = 1 / (1 + dx * dx + dy * dy), share = 1 / double(tall * wide);
          image.re[size_t(r * padded(wide) + c)] = float(q * q * share);
          image.im[size_t(r * padded(wide) + c)] = float(q * share);
        }
    });
    columns_forward(image, tall, wide);
    const int64_t groups = padded(tall) / L;
    kernels_.resize(groups * wide * L);
    parallel_for(groups, 1, [&](int64_t begin, int64_t end) {
      Buffer b(wide);
      for (int64_t g = begin; g < end; g++) {
        load_rows(image, g, wide, b);
        wide_.run(b.re, b.im, b.work_re, b.work_im);
        std::copy_n(b.re, wide * L, kernels_.re.data() + g * wide * L);
        std::copy_n(b.im, wide * L, kernels_.im.data() + g * wide * L);
      }
    });
  }

  int64_t image_size() const { return tall_.size() * padded(columns_); }
  int64_t row_size() const { return padded(columns_); }

  // image (rows, columns) -> image * K, or with both: re * K + i (re * C).
  void run(Image& image, bool both) const {
    columns_forward(image, rows_, columns_);
    rows_through(image, both);
    columns_back(image);
  }

 private:
  // Columns, L at a time, of which the first `rows` entries are not zero.
  void columns_forward(Image& image, int64_t rows, int64_t columns) const {
    const int64_t row = padded(columns), tall = tall_.size();
    parallel_for(row / L, 1, [&](int64_t begin, int64_t end) {
      Buffer b(tall);
      for (int64_t g = begin; g < end; g++) {
        for (int64_t r = 0; r < rows; r++) {
          copy_lanes(image.re.data() + r * row + g * L, b.re + r * L);
          copy_lanes(image.im.data() + r * row + g * L, b.im + r * L);
        }
        std::fill(b.re + rows * L, b.re + tall * L, 0.0f);
        std::fill(b.im + rows * L, b.im + tall * L, 0.0f);
        tall_.run(b.re, b.im, b.work_re, b.work_im);
        for (int64_t r = 0; r < tall; r++) {
          copy_lanes(b.re + r * L, image.re.data() + r * row + g * L);
          copy_lanes(b.im + r * L, image.im.data() + r * row + g * L);
        }
      }
    });
  }

  void columns_back(Image& image) const {
    const int64_t row = padded(columns_), tall = tall_.size();
    parallel_for(row / L, 1, [&](int64_t begin, int64_t end) {
      Buffer b(tall);
      for (int64_t g = begin; g < end; g++) {
        for (int64_t r = 0; r < tall; r++) {
          copy_lanes(image.re.data() + r * row + g * L, b.re + r * L);
          copy_lanes(image.im.data() + r * row + g * L, b.im + r * L);
        }
        tall_.run(b.im, b.re, b.work_im, b.work_re);  // exchanged: the inverse
        for (int64_t r = 0; r < rows_; r++) {
          copy_lanes(b.re + r * L, image.re.data() + r * row + g * L);
          copy_lanes(b.im + r * L, image.im.data() + r * row + g * L);
        }
      }
    });
  }

  // L rows side by side: element c of row l at c L + l.
  void load_rows(const Image& image, int64_t group, int64_t columns, Buffer& b) const {
    const int64_t row = padded(columns), rows = std::min(L, tall_.size() - group * L);
    for (int64_t c0 = 0; c0 < columns; c0 += L)
      for (int64_t l = 0; l < L; l++) {
        const int64_t from = (group * L + std::min(l, rows - 1)) * row;  // beyond the last: again
        for (int64_t c = c0; c < std::min(c0 + L, columns); c++) {
          b.re[c * L + l] = image.re[size_t(from + c)];
          b.im[c * L + l] = image.im[size_t(from + c)];
        }
      }
    std::fill(b.re + columns * L, b.re + wide_.size() * L, 0.0f);
    std::fill(b.im + columns * L, b.im + wide_.size() * L, 0.0f);
  }

  void rows_through(Image& image, bool both) const {
    const int64_t wide = wide_.size(), tall = tall_.size(), row = padded(columns_);
    parallel_for(padded(tall) / L, 1, [&](int64_t begin, int64_t end) {
      Buffer b(wide);
      for (int64_t g = begin; g < end; g++) {
        load_rows(image, g, columns_, b);
        wide_.run(b.re, b.im, b.work_re, b.work_im);
        multiply(b, kernels_.re.data() + g * wide * L, kernels_.im.data() + g * wide * L, both);
        wide_.run(b.im, b.re, b.work_im, b.work_re);
        for (int64_t c0 = 0; c0 < columns_; c0 += L)
          for (int64_t l = 0; l < std::min(L, tall - g * L); l++)
            for (int64_t c = c0; c < std::min(c0 + L, columns_); c++) {
              image.re[size_t((g * L + l) * row + c)] = b.re[c * L + l];
              image.im[size_t((g * L + l) * row + c)] = b.im[c * L + l];
            }
      }
    });
  }

  void multiply(Buffer& b, const float* k, const float* c, bool both) const {
    const int64_t size = wide_.size() * L;
    if (!both) {
#pragma GCC ivdep
      for (int64_t e = 0; e < size; e++) b.re[e] *= k[e], b.im[e] *= k[e];
      return;
    }
#pragma GCC ivdep
    for (int64_t e = 0; e < size; e++) {
      const float x = b.re[e], y = b.im[e];
      b.re[e] = x * k[e] - y * c[e];
      b.im[e] = x * c[e] + y * k[e];
    }
  }

  int64_t rows_ = 0, columns_ = 0;
  double step_ = 0;
  FftPlan tall_{1}, wide_{1};
  Image kernels_;  // transforms of K and C, in the order of rows_through
};

class Grid final : public Repulsion {
 public:
  double run(const Points& points, std::vector<float>& force) override {
    lay(points);
    sort(points);
    convolution_.prepare(y_.nodes(), x_.nodes(), x_.width / double(kNodes));
    moments_.resize(convolution_.image_size());
    counts_.resize(convolution_.image_size());
    spread(points);
    convolution_.run(moments_, false);
    convolution_.run(counts_, true);
    return collect(points, force);
  }

  double at(const Points& points, const float* y, double* force) const override {
    const double x_far = (double(y[0]) - x_.low) / x_.width,
                 y_far = (double(y[1]) - y_.low) / y_.width;
    if (!(x_far >= 0 && x_far < double(x_.boxes) && y_far >= 0 && y_far < double(y_.boxes)))
      return Repulsion::at(points, y, force);
    const int64_t column = x_.box(y[0]), row = y_.box(y[1]);
    const Potentials p = potentials(kNodes * row * convolution_.row_size() + kNodes * column,
                                    x_.weights(y[0], column), y_.weights(y[1], row));
    force[0] = (double(y[0]) - x_.middle()) * double(p.k) - double(p.kx);
    force[1] = (double(y[1]) - y_.middle()) * double(p.k) - double(p.ky);
    return std::max(double(p.closeness), 1e-12);
  }

 private:
  using Weights = std::array<float, kNodes>;
  struct Potentials {  // K * x, K * y, K * 1, C * 1
    float kx = 0, ky = 0, k = 0, closeness = 0;
  };

  Potentials potentials(int64_t node, const Weights& wx, const Weights& wy) const {
    Potentials p;
    for (size_t r = 0; r < kNodes; r++)
      for (size_t c = 0; c < kNodes; c++) {
        const float w = wy[r] * wx[c];
        const size_t at = size_t(node + int64_t(r) * convolution_.row_size()) + c;
        p.kx += w * moments_.re[at];
        p.ky += w * moments_.im[at];
        p.k += w * counts_.re[at];
        p.closeness += w * counts_.im[at];
      }
    return p;
  }

  // Box widths are powers of 2^(1/4), so that kernels serve for many steps.
  void lay(const Points& points) {
    double low[2], extent[2];
    for (int64_t c = 0; c < 2; c++) {
      const float* y = points.plane(c);
      const auto [least, most] = std::minmax_element(y, y + points.n);
      low[c] = *least, extent[c] = double(*most) - *least;
    }
    const double longer = std::max({extent[0], extent[1], 1e-12});
    double width = std::exp2(std::floor(4 * std::log2(longer / kLeastBoxes)) / 4);
    width = std::max(std::min(width, 1.0), longer / kMostBoxes);
    for (int64_t c = 0; c < 2; c++) {
      Axis& axis = c ? y_ : x_;
      axis.low = low[c];
      axis.width = width;
      axis.boxes = (int64_t(extent[c] / width) / 4 + 1) * 4;  // by fours: sizes change rarely
    }
  }

  // Points by box, in their own order within it; the boxes of one row follow each other.
  void sort(const Points& points) {
    const int64_t n = points.n;
    box_.resize(size_t(n));
    order_.resize(size_t(n));
    begin_.assign(size_t(x_.boxes * y_.boxes + 1), 0);
    parallel_for(n, 4096, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++)
        box_[size_t(i)] =
            int32_t(y_.box(points.plane(1)[i]) * x_.boxes + x_.box(points.plane(0)[i]));
    });
    for (int64_t i = 0; i < n; i++) begin_[size_t(box_[size_t(i)]) + 1]++;
    for (size_t b = 1; b < begin_.size(); b++) begin_[b] += begin_[b - 1];
    std::vector<int64_t> next(begin_.begin(), begin_.end() - 1);
    for (int64_t i = 0; i < n; i++) order_[size_t(next[size_t(box_[size_t(i)])]++)] = int32_t(i);
  }

  // body(i, first node, weights along x, along y) for each point, row of boxes by row of boxes.
  template <class Body>
  void each(const Points& points, int64_t row, Body&& body) const {
    const int64_t stride = convolution_.row_size();
    for (int64_t b = row * x_.boxes; b < (row + 1) * x_.boxes; b++) {
      const int64_t column = b - row * x_.boxes;
      for (int64_t e = begin_[size_t(b)]; e < begin_[size_t(b + 1)]; e++) {
        const int64_t i = order_[size_t(e)];
        body(i, kNodes * row * stride + kNodes * column, x_.weights(points.plane(0)[i], column),
             y_.weights(points.plane(1)[i], row));
      }
    }
  }

  void spread(const Points& points) {
    const int64_t stride = convolution_.row_size();
    const float mx = float(x_.middle()), my = float(y_.middle());
    parallel_for(y_.boxes, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++)
        each(points, row, [&](int64_t i, int64_t node, const auto& wx, const auto& wy) {
          const float x = points.plane(0)[i] - mx, y = points.plane(1)[i] - my;
          for (size_t r = 0; r < kNodes; r++)
            for (size_t c = 0; c < kNodes; c++) {
              const float w = wy[r] * wx[c];
              const size_t at = size_t(node + int64_t(r) * stride) + c;
              moments_.re[at] += w * x;
              moments_.im[at] += w * y;
              counts_.re[at] += w;
            }
        });
    });
  }

  double collect(const Points& points, std::vector<float>& force) const {
    const float mx = float(x_.middle()), my = float(y_.middle());
    const double z = parallel_reduce(
        y_.boxes, 1, 0.0,
        [&](int64_t begin, int64_t end) {
          double sum = 0;
          for (int64_t row = begin; row < end; row++)
            each(points, row, [&](int64_t i, int64_t node, const Weights& wx, const Weights& wy) {
              const Potentials p = potentials(node, wx, wy);
              force[size_t(i)] = (points.plane(0)[i] - mx) * p.k - p.kx;
              force[size_t(points.stride + i)] = (points.plane(1)[i] - my) * p.k - p.ky;
              sum += double(p.closeness) - 1;  // without the point itself
            });
          return sum;
        },
        [](double a, double b) { return a + b; });
    return std::max(z, 1e-12);
  }

  Axis x_, y_;
  std::vector<int32_t> box_, order_;
  std::vector<int64_t> begin_;
  Convolution convolution_;
  Image moments_, counts_;  // x + i y and 1, then what they make
};

}  // namespace

Repulsion* grid_repulsion() { return new Grid; }

}  // namespace clade::cluster
