// index: how the references walk: every index in row-major order, nothing clever.
#pragma once

#include <cstdint>

#include "tensor/view.h"

namespace clade::kernels::reference {

// Calls body(index) for every index of v's sizes; index[d] stands for axis d.
template <class Body>
void for_each_index(const View& v, Body&& body) {
  int64_t index[kMaxRank] = {};
  for (int64_t left = v.numel(); left > 0; left--) {
    body(static_cast<const int64_t*>(index));
    for (int d = v.rank - 1; d >= 0 && ++index[d] == v.shape[d]; d--) index[d] = 0;
  }
}

// The element of v at `index`; an axis of size 1 answers to any index, as in broadcasting.
template <class T>
T& element(const View& v, const int64_t* index) {
  int64_t offset = 0;
  for (int d = 0; d < v.rank; d++) offset += (v.shape[d] == 1 ? 0 : index[d]) * v.stride[d];
  return v.as<T>()[offset];
}

}  // namespace clade::kernels::reference
