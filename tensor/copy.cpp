// Strided copy with conversion: the one loop behind contiguous(), to(), clone() and copy_().
//
// A row is the innermost axis that copy_loops.h leaves; where both views step by 1 it goes through
// memcpy.
#include <algorithm>
#include <cstring>

#include "tensor/copy_loops.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/tensor.h"

namespace clade {
namespace {

constexpr int64_t kGrain = 16384;  // elements a chunk

template <class From, class To>
void copy_row(const From* from, int64_t from_step, To* to, int64_t to_step, int64_t n) {
  if constexpr (std::is_same_v<From, To>) {
    if (from_step == 1 && to_step == 1) {
      std::memcpy(to, from, size_t(n) * sizeof(To));
      return;
    }
  }
  if (to_step == 1) {  // as the target's innermost axis mostly does
    for (int64_t i = 0; i < n; i++) to[i] = convert<To>(from[i * from_step]);
  } else {
    for (int64_t i = 0; i < n; i++) to[i * to_step] = convert<To>(from[i * from_step]);
  }
}

template <class From, class To>
void copy_typed(const View& from, const View& to) {
  const CopyLoops loops(from, to);
  const CopyAxis inner = loops.inner();
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
    CopyPlace at(loops, begin);
    for (int64_t row = begin; row < end; row++, at.next())
      copy_row(source + at.from, inner.from, target + at.to, inner.to, inner.size);
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
