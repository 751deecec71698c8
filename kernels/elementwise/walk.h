// Walk: several views of equal sizes as few, long rows, in the order in which memory lies.
//
// Axes of size 1 are dropped, the rest are sorted by the stride of the first view (the output, as a
// rule), and neighbours are joined wherever every view steps evenly across them. So views that
// share a dense layout, row-major or channels-last, become one flat row; a broadcast operand keeps
// a step of 0. Offsets and steps count elements.
//
//     Walk<2> walk({y, x});
//     walk.rows(begin, end, [&](const int64_t* at, int64_t n) {
//       // elements y[at[0] + i * walk.step(0)] and x[at[1] + i * walk.step(1)], i < n
//     });
#pragma once

#include <algorithm>
#include <cstdint>

#include "tensor/host_device.h"
#include "tensor/view.h"

namespace clade::kernels {

template <int K>
class Walk {
 public:
  explicit Walk(const View (&views)[K]) {
    int order[kMaxRank], axes = 0;
    for (int d = 0; d < views[0].rank; d++)
      if (views[0].shape[d] != 1) order[axes++] = d;
    std::stable_sort(order, order + axes,
                     [&](int a, int b) { return views[0].stride[a] > views[0].stride[b]; });
    for (int i = 0; i < axes; i++) {
      int d = order[i];
      int64_t size = views[0].shape[d];
      bool join = rank_ > 0;
      for (int k = 0; k < K && join; k++) join = step(k) == size * views[k].stride[d];
      if (!join) size_[rank_++] = 1;
      size_[rank_ - 1] *= size;
      for (int k = 0; k < K; k++) stride_[k][rank_ - 1] = views[k].stride[d];
    }
    if (rank_ == 0) {  // one element
      size_[rank_++] = 1;
      for (int k = 0; k < K; k++) stride_[k][0] = 1;
    }
    for (int i = 0; i < rank_; i++) numel_ *= size_[i];
  }

  CLADE_HD int64_t numel() const { return numel_; }
  int rank() const { return rank_; }  // at least 1
  // From one element of a row to the next, in view k.
  CLADE_HD int64_t step(int k) const { return stride_[k][rank_ - 1]; }
  bool unit_steps() const {
    for (int k = 0; k < K; k++)
      if (step(k) != 1) return false;
    return true;
  }

  // at[k] = offset of element i of the walk in view k, for kernels with a thread an element.
  CLADE_HD void locate(int64_t i, int64_t (&at)[K]) const {
    for (int k = 0; k < K; k++) at[k] = 0;
    for (int d = rank_ - 1; d > 0; d--) {
      // GPUs divide 32 bits several times faster than 64.
      const bool small = ((i | size_[d]) >> 32) == 0;
      const int64_t rest = small ? int64_t(uint32_t(i) / uint32_t(size_[d])) : i / size_[d];
      const int64_t index = i - rest * size_[d];
      for (int k = 0; k < K; k++) at[k] += index * stride_[k][d];
      i = rest;
    }
    for (int k = 0; k < K; k++) at[k] += i * stride_[k][0];
  }

  // Calls row(at, n) for the elements [begin, end) of the walk: n elements from offset at[k] in
  // view k, all in one row.
  template <class Row>
  void rows(int64_t begin, int64_t end, Row&& row) const {
    if (begin >= end) return;
    const int inner = rank_ - 1;
    int64_t index[kMaxRank], at[K] = {}, rest = begin;
    for (int d = inner; d >= 0; d--) {
      index[d] = rest % size_[d];
      rest /= size_[d];
      for (int k = 0; k < K; k++) at[k] += index[d] * stride_[k][d];
    }
    while (true) {
      int64_t n = std::min(size_[inner] - index[inner], end - begin);
      row(static_cast<const int64_t*>(at), n);
      begin += n;
      if (begin == end) return;
      for (int k = 0; k < K; k++) at[k] -= index[inner] * stride_[k][inner];
      index[inner] = 0;
      for (int d = inner - 1; d >= 0; d--) {  // carry, as an odometer does
        for (int k = 0; k < K; k++) at[k] += stride_[k][d];
        if (++index[d] < size_[d]) break;
        for (int k = 0; k < K; k++) at[k] -= size_[d] * stride_[k][d];
        index[d] = 0;
      }
    }
  }

 private:
  int rank_ = 0;  // after joining; the last axis is the row
  int64_t numel_ = 1;
  int64_t size_[kMaxRank] = {};
  int64_t stride_[K][kMaxRank] = {};
};

// The view without one axis; what stood at index 0 of it.
inline View without_axis(View v, int axis) {
  for (int d = axis; d + 1 < v.rank; d++)
    v.shape[d] = v.shape[d + 1], v.stride[d] = v.stride[d + 1];
  v.rank--;
  return v;
}

}  // namespace clade::kernels
