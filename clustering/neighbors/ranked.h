// The total order of all that is searched: by value, then by index. No two are equal.
#pragma once

#include <cstdint>

namespace clade::cluster {

template <class V>
struct Ranked {
  V value;
  int32_t index;
  bool operator<(const Ranked& o) const {
    return value < o.value || (value == o.value && index < o.index);
  }
};

}  // namespace clade::cluster
