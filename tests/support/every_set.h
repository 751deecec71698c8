// for_every_set: a test body run with each instruction set that this processor has.
#pragma once

#include <gtest/gtest.h>

#include "tensor/vectors.h"

namespace clade::testing {

// Calls body(); returns with how many sets. The one in use before is in use again afterwards.
template <class Body>
int for_every_set(Body body) {
  struct Restore {
    Vectors before = vectors();
    ~Restore() { use_vectors(before); }
  } restore;
  int sets = 0;
  for (Vectors set : {Vectors::baseline, Vectors::avx2, Vectors::avx512}) {
    if (!use_vectors(set)) continue;
    SCOPED_TRACE("instruction set " + std::to_string(int(set)));
    body();
    sets++;
  }
  return sets;
}

}  // namespace clade::testing
