// Union-find: which of n elements have been joined. The lowest element stands for its set, so what
// comes out does not depend on the order of joins. Path halving; nearly constant time per call.
#pragma once

#include <cstdint>
#include <numeric>

#include "tensor/memory.h"

namespace clade::cluster {

class UnionFind {
 public:
  explicit UnionFind(int64_t n) : parent_(n) { std::iota(parent_.data(), parent_.data() + n, 0); }

  int32_t find(int32_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }

  // False when they were in one set already.
  bool unite(int32_t i, int32_t j) {
    i = find(i), j = find(j);
    if (i == j) return false;
    parent_[i < j ? j : i] = i < j ? i : j;
    return true;
  }

 private:
  Scratch<int32_t> parent_;
};

}  // namespace clade::cluster
