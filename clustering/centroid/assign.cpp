#include "clustering/centroid/assign.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "clustering/linalg/grain.h"
#include "kernels/distance/distance.h"
#include "kernels/distance/tiles.h"
#include "kernels/gemm/gemm.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr int64_t kTileElements = 65536;  // 256 KiB of f32 keys: stays in the L2 cache

template <class T>
struct Tile {
  const T *x, *centres;
  int64_t d, k;
  const double *row_norms, *centre_norms;
  double e;

  // The part 2 e h_j of a key's error is taken off beforehand: key - e g_i never exceeds the true
  // one, and the true key of centre b is at most key_b + 4 e h_b + e g_i. Beside the relative
  // error, each term may have underflowed.
  void assign(int64_t rows, T* key, int32_t* labels) const {
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < k; j++) key[i * k + j] = T(centre_norms[j] * (1 - 2 * e));
    kernels::gemm_serial<T>(false, true, rows, k, d, T(-1), x, d, centres, d, T(1), key, k);
    const double underflow = double(d + 8) * double(std::numeric_limits<T>::min());
    Scratch<int32_t> found(k);
    for (int64_t i = 0; i < rows; i++) {
      const T* row = key + i * k;
      const T least = kernels::smallest_key(row, k);
      int32_t* close = found.data();
      int64_t count = kernels::find_at_most(row, k, least, close);
      const double limit =
          double(least) + 4 * e * centre_norms[close[0]] + 2 * e * row_norms[i] + underflow;
      const T bound = T(limit + std::abs(limit) * double(std::numeric_limits<T>::epsilon()));
      count = kernels::find_at_most(row, k, bound, close);
      labels[i] = count == 1 ? close[0] : nearest_of(x + i * d, close, count);
    }
  }

  // Among `count` centres, rising, by direct distances.
  int32_t nearest_of(const T* x_row, const int32_t* close, int64_t count) const {
    int32_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (int64_t c = 0; c < count; c++) {
      const double squared = kernels::direct_squared_distance(x_row, centres + close[c] * d, d);
      if (squared < least) least = squared, best = close[c];
    }
    return best;
  }
};

}  // namespace

double product_error(int64_t d, DType dtype) {
  const double epsilon = dtype == DType::f32 ? double(std::numeric_limits<float>::epsilon())
                                             : std::numeric_limits<double>::epsilon();
  return double(d + 8) * epsilon / 2;
}

Tensor centre_rows(const Tensor& x, const std::vector<double>& mean) {
  int64_t n = x.size(0), d = x.size(1);
  Tensor out = Tensor::empty({n, d}, x.dtype());
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(n, rows_per_chunk(d), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++)
        for (int64_t j = 0; j < d; j++)
          out.data<T>()[i * d + j] = T(double(x.data<T>()[i * d + j]) - mean[size_t(j)]);
    });
  });
  return out;
}

std::vector<double> half_squared_norms(const Tensor& x) {
  int64_t n = x.size(0), d = x.size(1);
  std::vector<double> half(static_cast<size_t>(n));
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* data = x.data<decltype(zero)>();
    parallel_for(n, rows_per_chunk(d), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        double sum = 0;
        for (int64_t j = 0; j < d; j++) sum += double(data[i * d + j]) * double(data[i * d + j]);
        half[size_t(i)] = sum / 2;
      }
    });
  });
  return half;
}

void Nearest::assign(int64_t begin, int64_t end, int32_t* labels) const {
  int64_t d = x.size(1), k = centres.size(0);
  int64_t tile = std::clamp<int64_t>(kTileElements / k, 16, 512);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Scratch<T> keys(tile * k);
    for (int64_t i = begin; i < end; i += tile)
      Tile<T>{x.data<T>() + i * d, centres.data<T>(),          d, k, row_norms.data() + i,
              centre_norms.data(), product_error(d, x.dtype())}
          .assign(std::min(tile, end - i), keys.data(), labels + i - begin);
  });
}

void nearest_centres(const Tensor& x, const Tensor& centres, int32_t* labels) {
  const std::vector<double> row_norms = half_squared_norms(x);
  const std::vector<double> centre_norms = half_squared_norms(centres);
  const Nearest nearest{x, row_norms, centres, centre_norms};
  int64_t grain = rows_per_chunk(x.size(1) * centres.size(0), 256);
  parallel_for(x.size(0), grain,
               [&](int64_t begin, int64_t end) { nearest.assign(begin, end, labels + begin); });
}

}  // namespace clade::cluster
