// Ladders: one computation in several kernels, from the first that comes to mind to the one that
// Clade uses, each with a line that says why it is faster. The last rung is the production kernel
// itself, called as every op calls it: a ladder cannot drift from what it leads to.
//
//     build/<...>/bench/ladder/clade_ladder            # on a GPU: times, fractions of the ceiling
//
// tests/cuda/ladder_test.cpp compares every rung with the reference, on the CPU too.
#pragma once

#include <vector>

#include "kernels/context.h"
#include "tensor/tensor.h"

namespace clade::ladder {

struct Argument {
  Shape shape;
  bool output = false;
  DType dtype = DType::f32;
  double low = -1, high = 1;  // of the values of an input
};

struct Rung {
  const char* name;
  const char* why;  // faster than the one before
  void (*run)(const kernels::Cuda&, const View* arguments);
};

struct Ladder {
  const char* name;
  const char* formula;
  std::vector<Argument> (*arguments)(bool large);  // large: to be measured; else to be tested
  void (*reference)(const View* arguments);
  double tolerance;  // of a rung, as tests/support/trial.h counts
  // The least that has to be done, for the large arguments.
  double flops, bytes;
  std::vector<Rung> rungs;
};

// Images are channels-last, all else is row-major.
const std::vector<Ladder>& ladders();

// One a file.
Ladder gemm_ladder();
Ladder conv_ladder();
Ladder conv_transpose_ladder();
Ladder batch_norm_ladder();
Ladder reduction_ladder();
Ladder logsumexp_ladder();
Ladder reparameterization_ladder();
Ladder assignment_ladder();

}  // namespace clade::ladder
