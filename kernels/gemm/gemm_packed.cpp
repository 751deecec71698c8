#include "kernels/gemm/gemm_packed.h"

#include <algorithm>

#include "kernels/gemm/gemm_packed_kernels.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::kernels::packed {
namespace {

constexpr int64_t kDepth = 512;             // of a block of K
constexpr int64_t kBlockRows = 1120;        // of A, packed at once
constexpr int64_t kItemFloats = 140 << 10;  // of their panels: 560 KB of a second-level cache
constexpr int64_t kEnough = 32;             // items, where there are so many strips

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
// Nearly equal parts, each a multiple of `unit` and at most `most` (a multiple of it).
int64_t even_part(int64_t size, int64_t most, int64_t unit) {
  const int64_t parts = divide_up(size, most);
  return divide_up(divide_up(size, parts), unit) * unit;
}

// One block of K of one block of rows.
class Block {
 public:
  Block(const Kernels& f, int64_t rows, int64_t depth)
      : f_(f),
        stride_(f.rows * depth + kSpill),
        left_(divide_up(rows, f.rows) * stride_ + 8 * f.rows) {}

  void multiply(const Matrix& a, const Matrix& b, int64_t m, int64_t n, int64_t k, float alpha,
                float beta, const float* bias, float slope, float* c, int64_t ldc) {
    // Panels of A packed together; bits do not depend on it.
    const int64_t panels =
        std::clamp<int64_t>(divide_up(m, f_.rows) / (4 * int64_t{threads()}), 1, 16);
    const int64_t together = panels * f_.rows;
    parallel_for(divide_up(m, together), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin * together; i < std::min(m, end * together); i += together)
        f_.pack({a.data + i * a.row, a.row, a.column, std::min(together, m - i), k, f_.rows,
                 panel(i), stride_});
    });
    const int64_t most_rows = std::max(kItemFloats / k / f_.rows, int64_t{1}) * f_.rows;
    const int64_t item_rows = even_part(m, most_rows, f_.rows);
    const int64_t down = divide_up(m, item_rows), strips = divide_up(n, f_.columns);
    const int64_t group = std::clamp<int64_t>(down * strips / kEnough, 1, 8);
    const int64_t across = divide_up(strips, group);
    parallel_for(down * across, 1, [&](int64_t begin, int64_t end) {
      Scratch<float> right(k * f_.columns + kSpill);
      for (int64_t item = begin; item < end; item++) {
        const int64_t i0 = item / across * item_rows, i1 = std::min(m, i0 + item_rows);
        const int64_t j0 = item % across * group * f_.columns;
        const int64_t j1 = std::min(n, j0 + group * f_.columns);
        for (int64_t j = j0; j < j1; j += f_.columns) {
          const int64_t columns = std::min(f_.columns, n - j);
          f_.pack(
              {b.data + j * b.column, b.column, b.row, columns, k, f_.columns, right.data(), 0});
          const int64_t next = j + f_.columns < n ? j + f_.columns : j;
          for (int64_t i = i0; i < i1; i += f_.rows) {
            Tile tile{panel(i), right.data(),
                      k,        alpha,
                      beta,     bias ? bias + j : nullptr,
                      slope,    c + i * ldc + j,
                      ldc,      std::min(f_.rows, i1 - i),
                      columns,  {},
                      0};
            fetch_ahead(&tile, b, next, std::min(f_.columns, n - next), (i - i0) / f_.rows);
            f_.multiply(tile);
          }
        }
      }
    });
  }

 private:
  float* panel(int64_t row) { return left_.data() + row / f_.rows * stride_; }

  // The next strip of B is fetched by the tiles of this one: the n-th tile takes the n-th line of
  // each of its rows, or two of its columns.
  void fetch_ahead(Tile* tile, const Matrix& b, int64_t j, int64_t columns, int64_t nth) const {
    const float* from = b.data + j * b.column;
    if (b.column == 1) {
      constexpr int64_t kLine = 16;  // floats
      const int64_t at = std::min(nth * kLine, columns - 1);
      const bool fetched = nth > columns / kLine + 1;
      tile->ahead[0] = from + at;
      tile->ahead[1] = from + at + tile->depth / 2 * b.row;
      tile->ahead_step = fetched ? 0 : b.row;
    } else {
      const int64_t half = (columns + 1) / 2;
      tile->ahead[0] = from + std::min(nth, columns - 1) * b.column;
      tile->ahead[1] = from + std::min(nth + half, columns - 1) * b.column;
      tile->ahead_step = nth < half ? 2 : 0;
    }
  }

  const Kernels& f_;
  int64_t stride_;  // of the panels of A
  Scratch<float> left_;
};

}  // namespace

const Kernels& kernels() {
  const Vectors set = vectors();
  if (set == Vectors::avx512 && avx512_kernels) return *avx512_kernels;
  if (set >= Vectors::avx2 && avx2_kernels) return *avx2_kernels;
  return *baseline_kernels;
}

bool pays(const Matrix& a, const Matrix& b, int64_t m, int64_t n, int64_t k) {
  auto quick = [](const Matrix& x) { return x.row == 1 || x.column == 1; };
  return quick(a) && quick(b) && m >= 24 && n >= 32 && k >= 32 && m * n * k >= 2'000'000;
}

void gemm(const Matrix& a, const Matrix& b, int64_t m, int64_t n, int64_t k, float alpha,
          float beta, const float* bias, float slope, float* c, int64_t ldc) {
  const Kernels& f = kernels();
  const int64_t depth = even_part(k, kDepth, 1);
  const int64_t rows = even_part(m, kBlockRows / f.rows * f.rows, f.rows);
  Block block(f, std::min(m, rows), depth);
  for (int64_t i = 0; i < m; i += rows)
    for (int64_t k0 = 0; k0 < k; k0 += depth) {
      const bool last = k0 + depth >= k;
      block.multiply({a.data + i * a.row + k0 * a.column, a.row, a.column},
                     {b.data + k0 * b.row, b.row, b.column}, std::min(rows, m - i), n,
                     std::min(depth, k - k0), alpha, k0 == 0 ? beta : 1.0f, last ? bias : nullptr,
                     last ? slope : 1.0f, c + i * ldc, ldc);
    }
}

void lower_gram(const float* x, int64_t n, int64_t d, float* c) {
  const Kernels& f = kernels();
  const int64_t depth = even_part(n, kDepth, 1), stride = f.rows * depth + kSpill;
  Scratch<float> left(divide_up(d, f.rows) * stride + 8 * f.rows);
  auto panel = [&](int64_t i) { return left.data() + i / f.rows * stride; };
  for (int64_t k0 = 0; k0 < n; k0 += depth) {
    const float* from = x + k0 * d;
    const int64_t k = std::min(depth, n - k0), together = 4 * f.rows;
    parallel_for(divide_up(d, together), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin * together; i < std::min(d, end * together); i += together)
        f.pack({from + i, 1, d, std::min(together, d - i), k, f.rows, panel(i), stride});
    });
    parallel_for(divide_up(d, f.columns), 1, [&](int64_t begin, int64_t end) {
      Scratch<float> right(k * f.columns + kSpill);
      for (int64_t j = begin * f.columns; j < std::min(d, end * f.columns); j += f.columns) {
        const int64_t columns = std::min(f.columns, d - j);
        f.pack({from + j, 1, d, columns, k, f.columns, right.data(), 0});
        for (int64_t i = j / f.rows * f.rows; i < d; i += f.rows)
          f.multiply({panel(i),
                      right.data(),
                      k,
                      1,
                      k0 == 0 ? 0.0f : 1.0f,
                      nullptr,
                      1,
                      c + i * d + j,
                      d,
                      std::min(f.rows, d - i),
                      columns,
                      {right.data(), right.data()},  // nothing to fetch
                      0});
      }
    });
  }
}

}  // namespace clade::kernels::packed
