// View: a plain struct that goes by value into CPU and CUDA kernels. It owns nothing.
//
// Strides count elements, not bytes; a stride of 0 repeats an element (broadcasting). Element
// (i0, i1, ...) stands at data + i0 * stride[0] + i1 * stride[1] + ...
#pragma once

#include <cstdint>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace clade {

struct View {
  void* data = nullptr;
  DType dtype = DType::f32;
  int rank = 0;
  int64_t shape[kMaxRank] = {};
  int64_t stride[kMaxRank] = {};

  int64_t numel() const {
    int64_t n = 1;
    for (int d = 0; d < rank; d++) n *= shape[d];
    return n;
  }

  // The caller has checked dtype; kernels read through this.
  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }

  // Row-major without gaps: the last axis runs fastest. Axes of size 1 may have any stride.
  bool is_contiguous() const {
    int64_t expected = 1;
    for (int d = rank - 1; d >= 0; d--) {
      if (shape[d] != 1 && stride[d] != expected) return numel() == 0;
      expected *= shape[d];
    }
    return true;
  }

  // A (N, C, H, W) view whose memory runs N, H, W, C without gaps: what the image kernels want.
  bool is_channels_last() const {
    if (rank != 4) return false;
    const int order[4] = {1, 3, 2, 0};
    int64_t expected = 1;
    for (int d : order) {
      if (shape[d] != 1 && stride[d] != expected) return numel() == 0;
      expected *= shape[d];
    }
    return true;
  }

  Shape sizes() const { return Shape(shape, rank); }
};

inline bool same_sizes(const View& a, const View& b) {
  if (a.rank != b.rank) return false;
  for (int d = 0; d < a.rank; d++)
    if (a.shape[d] != b.shape[d]) return false;
  return true;
}

// "f32 [2, 3]": how a view is named in messages.
inline void append(std::string& out, const View& v) {
  out.append(name_of(v.dtype)).push_back(' ');
  append(out, v.sizes());
}

}  // namespace clade
