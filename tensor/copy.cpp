// Strided copy with conversion: the one loop behind contiguous(), to(), clone() and copy_().
//
// Axes are sorted so that the innermost loop runs over the smallest stride of the target. Axes of
// size 1 are dropped, and neighbours that follow on without a gap in both views are joined: between
// equal dense layouts a single axis is left, and a chunk of it goes through memcpy.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/tensor.h"

namespace clade {
namespace {

constexpr int64_t kGrain = 16384;  // elements a chunk

struct Axis {
  int64_t size, from, to;  // strides in elements
};

// What is left of the axes of both views, outermost first. There is always an innermost one.
struct Loops {
  int rank = 0;
  Axis axes[kMaxRank];
  const Axis& inner() const { return axes[rank - 1]; }
};

Loops loops_of(const View& from, const View& to) {
  int order[kMaxRank];
  std::iota(order, order + to.rank, 0);
  std::stable_sort(order, order + to.rank,
                   [&](int a, int b) { return to.stride[a] > to.stride[b]; });
  Loops loops;
  for (int i = 0; i < to.rank; i++) {
    int d = order[i];
    if (to.shape[d] == 1) continue;
    Axis axis{to.shape[d], from.stride[d], to.stride[d]};
    Axis* outer = loops.rank ? &loops.axes[loops.rank - 1] : nullptr;
    if (outer && outer->from == axis.from * axis.size && outer->to == axis.to * axis.size) {
      *outer = {outer->size * axis.size, axis.from, axis.to};
    } else {
      loops.axes[loops.rank++] = axis;
    }
  }
  if (loops.rank == 0) loops.axes[loops.rank++] = {1, 1, 1};
  return loops;
}

template <class From, class To>
void copy_row(const From* from, int64_t from_step, To* to, int64_t to_step, int64_t n) {
  if constexpr (std::is_same_v<From, To>) {
    if (from_step == 1 && to_step == 1) {
      std::memcpy(to, from, size_t(n) * sizeof(To));
      return;
    }
  }
  for (int64_t i = 0; i < n; i++) to[i * to_step] = convert<To>(from[i * from_step]);
}

template <class From, class To>
void copy_typed(const View& from, const View& to) {
  Loops loops = loops_of(from, to);
  const Axis inner = loops.inner();
  const From* source = from.as<From>();
  To* target = to.as<To>();
  if (loops.rank == 1) {
    parallel_for(inner.size, kGrain, [&](int64_t begin, int64_t end) {
      copy_row(source + begin * inner.from, inner.from, target + begin * inner.to, inner.to,
               end - begin);
    });
    return;
  }
  int64_t rows = to.numel() / inner.size;
  parallel_for(rows, std::max<int64_t>(1, kGrain / inner.size), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      int64_t rest = row, f = 0, t = 0;
      for (int i = loops.rank - 2; i >= 0; i--) {
        const Axis& axis = loops.axes[i];
        int64_t index = rest % axis.size;
        rest /= axis.size;
        f += index * axis.from;
        t += index * axis.to;
      }
      copy_row(source + f, inner.from, target + t, inner.to, inner.size);
    }
  });
}

}  // namespace

void copy_elements(const View& from, const View& to) {
  if (!from.data || !to.data)
    fail("copy", "defined tensors", text("an undefined ", from.data ? "target" : "source"));
  if (!same_sizes(from, to)) fail("copy", text("sizes ", to.sizes()), text(from.sizes()));
  if (to.numel() == 0) return;
  bool one_value = true;  // repeated over the target
  for (int d = 0; d < from.rank; d++)
    one_value = one_value && (from.stride[d] == 0 || from.shape[d] == 1);
  profiler::Span span(
      one_value ? "fill" : "copy", 0,
      double(to.numel()) * double((one_value ? 0 : size_of(from.dtype)) + size_of(to.dtype)));
  dispatch(from.dtype, [&](auto f) {
    dispatch(to.dtype, [&](auto t) { copy_typed<decltype(f), decltype(t)>(from, to); });
  });
}

}  // namespace clade
