// copy_loops: what is left of the axes of two views of equal sizes when one is copied into the
// other.
//
// Axes are sorted so that the innermost loop runs over the smallest stride of the target. Axes of
// size 1 are dropped, and neighbours that follow on without a gap in both views are joined: between
// equal dense layouts a single axis is left.
#pragma once

#include <algorithm>
#include <numeric>

#include "tensor/host_device.h"
#include "tensor/view.h"

namespace clade {

struct CopyAxis {
  int64_t size, from, to;  // strides in elements
};

// Outermost axis first. There is always an innermost one.
struct CopyLoops {
  int rank = 0;
  CopyAxis axes[kMaxRank];

  CopyLoops(const View& source, const View& target) {
    int order[kMaxRank] = {};
    std::iota(order, order + target.rank, 0);
    std::stable_sort(order, order + target.rank,
                     [&](int a, int b) { return target.stride[a] > target.stride[b]; });
    for (int i = 0; i < target.rank; i++) {
      int d = order[i];
      if (target.shape[d] == 1) continue;
      CopyAxis axis{target.shape[d], source.stride[d], target.stride[d]};
      CopyAxis* outer = rank ? &axes[rank - 1] : nullptr;
      if (outer && outer->from == axis.from * axis.size && outer->to == axis.to * axis.size) {
        *outer = {outer->size * axis.size, axis.from, axis.to};
      } else {
        axes[rank++] = axis;
      }
    }
    if (rank == 0) axes[rank++] = {1, 1, 1};
  }

  const CopyAxis& inner() const { return axes[rank - 1]; }

  // Offsets of the `index`-th step through the axes 0 .. last, the last one fastest.
  CLADE_HD void locate(int64_t index, int last, int64_t& from, int64_t& to) const {
    from = to = 0;
    for (int i = last; i >= 0; i--) {
      const int64_t rest = index / axes[i].size, here = index - rest * axes[i].size;
      from += here * axes[i].from;
      to += here * axes[i].to;
      index = rest;
    }
  }
};

// Where a row begins, row after row: short rows cost no divisions.
struct CopyPlace {
  const CopyLoops& loops;
  int64_t from = 0, to = 0, index[kMaxRank] = {};

  CopyPlace(const CopyLoops& l, int64_t row) : loops(l) {
    for (int i = loops.rank - 2; i >= 0; i--) {
      const CopyAxis& axis = loops.axes[i];
      index[i] = row % axis.size;
      row /= axis.size;
      from += index[i] * axis.from, to += index[i] * axis.to;
    }
  }
  void next() {
    for (int i = loops.rank - 2; i >= 0; i--) {
      const CopyAxis& axis = loops.axes[i];
      from += axis.from, to += axis.to;
      if (++index[i] < axis.size) return;
      index[i] = 0;
      from -= axis.size * axis.from, to -= axis.size * axis.to;
    }
  }
};

}  // namespace clade
