// Where an output pixel of upsample2d looks, along one axis: two input pixels and their weights.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/pool/pool.h"
#include "tensor/host_device.h"

namespace clade::kernels::pool {

struct Taps {
  int64_t at[2];
  double weight[2];  // sums to 1
};

// Pixel centres stand at i + 1/2, so output i lies at (i + 1/2) in / out - 1/2 of the input; beyond
// the outermost centres the nearest one counts.
CLADE_HD inline Taps taps(Upsample mode, int64_t i, int64_t in, int64_t out) {
  if (mode == Upsample::nearest) {
    int64_t from = i * in / out;
    return {{from, from}, {1, 0}};
  }
  double place = std::max(0.0, (double(i) + 0.5) * double(in) / double(out) - 0.5);
  int64_t low = std::min(int64_t(place), in - 1);
  double part = place - double(low);
  return {{low, std::min(low + 1, in - 1)}, {1 - part, part}};
}

}  // namespace clade::kernels::pool
