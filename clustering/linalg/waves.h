// Rows that take long, each by itself: in waves, between which progress is told and asked.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tensor/parallel.h"
#include "tensor/progress.h"

namespace clade::cluster {

// body(begin, end) for all rows, on all threads. A wave is 64 pieces of 16 rows.
template <class Body>
void in_waves(int64_t rows, const char* stage, const Progress& progress, Body&& body) {
  constexpr int64_t kGrain = 16, kWave = 64 * kGrain;
  for (int64_t first = 0; first < rows; first += kWave) {
    progress(stage, first, rows);
    parallel_for(std::min(kWave, rows - first), kGrain,
                 [&](int64_t begin, int64_t end) { body(first + begin, first + end); });
  }
  progress(stage, rows, rows);
}

}  // namespace clade::cluster
