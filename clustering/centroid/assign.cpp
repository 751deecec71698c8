#include "clustering/centroid/assign.h"

#include <algorithm>

#include "clustering/linalg/grain.h"
#include "kernels/gemm/gemm.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr int64_t kTileElements = 65536;  // 256 KiB of f32 keys: stays in the L2 cache

template <class T>
void assign_tile(const T* x, int64_t rows, int64_t d, const T* centres, int64_t k,
                 const double* half_norms, T* key, int32_t* labels) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < k; j++) key[i * k + j] = T(half_norms[j]);
  kernels::gemm_serial<T>(false, true, rows, k, d, T(-1), x, d, centres, d, T(1), key, k);
  for (int64_t i = 0; i < rows; i++) {
    const T* row = key + i * k;
    labels[i] = int32_t(std::min_element(row, row + k) - row);
  }
}

}  // namespace

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

void nearest_centres(const Tensor& x, int64_t begin, int64_t end, const Tensor& centres,
                     const std::vector<double>& half_norms, int32_t* labels) {
  int64_t d = x.size(1), k = centres.size(0);
  int64_t tile = std::clamp<int64_t>(kTileElements / k, 16, 512);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Scratch<T> keys(tile * k);
    for (int64_t i = begin; i < end; i += tile)
      assign_tile(x.data<T>() + i * d, std::min(tile, end - i), d, centres.data<T>(), k,
                  half_norms.data(), keys.data(), labels + i - begin);
  });
}

void nearest_centres(const Tensor& x, const Tensor& centres, int32_t* labels) {
  std::vector<double> half_norms = half_squared_norms(centres);
  int64_t grain = rows_per_chunk(x.size(1) * centres.size(0), 256);
  parallel_for(x.size(0), grain, [&](int64_t begin, int64_t end) {
    nearest_centres(x, begin, end, centres, half_norms, labels + begin);
  });
}

}  // namespace clade::cluster
