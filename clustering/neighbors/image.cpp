#include "clustering/neighbors/image.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/gemm/gemm.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr int64_t kAxes = 16;  // along which the order cuts

// Cuts rows[0 .. count) at the median of their widest axis; z (n, axes).
void cut_by_place(const float* z, int64_t axes, int32_t* rows, int64_t count, int64_t block) {
  if (count <= block) return;
  int64_t widest = 0;
  double most = -1;
  for (int64_t a = 0; a < axes; a++) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) {
      const double v = double(z[rows[i] * axes + a]);
      sum += v, squares += v * v;
    }
    const double spread = squares - sum * sum / double(count);
    if (spread > most) most = spread, widest = a;
  }
  const int64_t blocks = (count + block - 1) / block, middle = blocks / 2 * block;
  std::nth_element(rows, rows + middle, rows + count, [&](int32_t p, int32_t q) {
    const float a = z[p * axes + widest], b = z[q * axes + widest];
    return a < b || (a == b && p < q);
  });
  parallel_for(2, 1, [&](int64_t begin, int64_t end) {
    for (int64_t side = begin; side < end; side++)
      cut_by_place(z, axes, rows + side * middle, side ? count - middle : middle, block);
  });
}

}  // namespace

std::vector<int32_t> order_by_place(const ImagePlan& plan, const Tensor& x, int64_t block) {
  const int64_t n = x.size(0), d = x.size(1), axes = std::min(kAxes, plan.basis.size(0));
  Scratch<float> z(n * axes);
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* rows = x.data<decltype(zero)>();
    parallel_for(n, 128, [&](int64_t begin, int64_t end) {
      const int64_t count = end - begin;
      Scratch<double> centred(count * d), head(count * axes);
      for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < d; j++)
          centred[i * d + j] =
              (double(rows[(begin + i) * d + j]) - plan.mean[size_t(j)]) * plan.scale;
      kernels::gemm_serial<double>(false, true, count, axes, d, 1.0, centred.data(), d,
                                   plan.basis.data<double>(), d, 0.0, head.data(), axes);
      std::copy_n(head.data(), count * axes, z.data() + begin * axes);
    });
  });
  std::vector<int32_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  cut_by_place(z.data(), axes, order.data(), n, block);
  return order;
}

// The basis is orthonormal, the products and norms are computed, to some 2^-52 (d + h) of |x|^2;
// the length of the rest is the root of a difference, so that much of |x|^2 can be the root of it
// in |x|. Rounding to T adds 2^-24 (or 2^-53) of |x|.
template <class S, class T>
void make_images(const ImagePlan& plan, const S* rows, int64_t count, const Images<T>& out) {
  const int64_t d = int64_t(plan.mean.size()), h = std::max(plan.head, plan.deep);
  const double* mean = plan.mean.data();
  Scratch<double> centred(count * d), heads(count * h);
  with_vectors([&] {
    for (int64_t i = 0; i < count; i++)
      for (int64_t j = 0; j < d; j++)
        centred[i * d + j] = (double(rows[i * d + j]) - mean[j]) * plan.scale;
  });
  if (h > 0)
    kernels::gemm_serial<double>(false, true, count, h, d, 1.0, centred.data(), d,
                                 plan.basis.data<double>(), d, 0.0, heads.data(), h);
  const double unit = double(std::numeric_limits<T>::epsilon());
  for (int64_t i = 0; i < count; i++) {
    const double *row = centred.data() + i * d, *head = heads.data() + i * h;
    T* first = out.first + i * out.stride;
    double norm = 0;
    for (int64_t j = 0; j < d; j++) norm += row[j] * row[j];
    out.slack[i] = unit * std::sqrt(norm);
    double rest = norm;
    if (h == 0) {
      for (int64_t j = 0; j < d; j++) first[j] = T(row[j]);
    } else {
      out.slack[i] += std::sqrt(norm * double(d + h) * 0x1p-52);
      for (int64_t j = 0; j < h; j++) {
        if (j == plan.head) first[j] = T(std::sqrt(std::max(rest, 0.0)));
        if (j < plan.head) first[j] = T(head[j]);
        if (out.second) out.second[i * (plan.deep + 1) + j] = float(head[j]);
        rest -= head[j] * head[j];
      }
      const double left = std::sqrt(std::max(rest, 0.0));
      if (plan.head == h) first[h] = T(left);
      if (out.second) out.second[i * (plan.deep + 1) + plan.deep] = float(left);
    }
    double half = 0;
    for (int64_t j = 0; j < plan.columns(); j++) half += double(first[j]) * double(first[j]);
    out.half[i] = half / 2;
  }
}

template void make_images<float, float>(const ImagePlan&, const float*, int64_t,
                                        const Images<float>&);
template void make_images<double, float>(const ImagePlan&, const double*, int64_t,
                                         const Images<float>&);
template void make_images<float, double>(const ImagePlan&, const float*, int64_t,
                                         const Images<double>&);
template void make_images<double, double>(const ImagePlan&, const double*, int64_t,
                                          const Images<double>&);

}  // namespace clade::cluster
