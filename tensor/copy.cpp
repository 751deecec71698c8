// Strided copy with conversion: the one loop behind contiguous(), to(), clone() and copy_().
//
// Axes are sorted so that the innermost loop runs over the smallest stride of the target; a block
// of equal dtype and unit strides goes through memcpy.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "tensor/parallel.h"
#include "tensor/tensor.h"

namespace clade {
namespace {

template <class From, class To>
void copy_row(const From* from, int64_t from_step, To* to, int64_t to_step, int64_t n) {
  if constexpr (std::is_same_v<From, To>) {
    if (from_step == 1 && to_step == 1) {
      std::memcpy(to, from, size_t(n) * sizeof(To));
      return;
    }
  }
  for (int64_t i = 0; i < n; i++) to[i * to_step] = static_cast<To>(from[i * from_step]);
}

template <class From, class To>
void copy_typed(const View& from, const View& to) {
  int order[kMaxRank];
  std::iota(order, order + to.rank, 0);
  std::stable_sort(order, order + to.rank,
                   [&](int a, int b) { return to.stride[a] > to.stride[b]; });
  int inner = to.rank ? order[to.rank - 1] : -1;
  int64_t n = inner >= 0 ? to.shape[inner] : 1;
  int64_t from_step = inner >= 0 ? from.stride[inner] : 0, to_step = inner >= 0 ? to.stride[inner] : 0;
  int64_t rows = n ? to.numel() / n : 0;
  parallel_for(rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(n, 1)), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      int64_t rest = row, f = 0, t = 0;
      for (int i = to.rank - 2; i >= 0; i--) {
        int d = order[i];
        int64_t index = rest % to.shape[d];
        rest /= to.shape[d];
        f += index * from.stride[d];
        t += index * to.stride[d];
      }
      copy_row(from.as<From>() + f, from_step, to.as<To>() + t, to_step, n);
    }
  });
}

}  // namespace

void copy_elements(const View& from, const View& to) {
  if (!same_sizes(from, to)) fail("copy", text("sizes ", to.sizes()), text(from.sizes()));
  if (to.numel() == 0) return;
  dispatch(from.dtype, [&](auto f) {
    dispatch(to.dtype, [&](auto t) { copy_typed<decltype(f), decltype(t)>(from, to); });
  });
}

}  // namespace clade
