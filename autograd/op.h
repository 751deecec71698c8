// Op: one row of the table of differentiable ops.
//
// The table (autograd/table/) is what tests, `clade bench` and docs/ops.md walk: it lists for each
// op its formula, sample inputs (among them an empty one, one with an axis of size 1, a large one)
// and bad inputs with the message that each must give. record() takes an Op, and an Op exists only
// as a row of the table: an op that is not in the table does not link.
#pragma once

#include <string>
#include <vector>

#include "autograd/var.h"

namespace clade {

// One sample argument. Drivers draw the values uniformly in [low, high].
struct Input {
  Shape shape;
  double low = -1, high = 1;
  bool differentiable = true;  // false: a target, a mask, a statistic
};

enum class Size : uint8_t {
  small,  // for every driver
  large,  // enough elements for several threads, too many for central differences
  bench,  // as in a training step: for `clade bench` alone
};

struct OpSample {
  const char* what;  // "3x3, stride 2": the case that this sample covers
  std::vector<Input> inputs;
  Var (*apply)(const std::vector<Var>& inputs);
  Size size = Size::small;
};

struct BadInput {
  const char* what;
  std::vector<Input> inputs;
  Var (*apply)(const std::vector<Var>& inputs);
  const char* message;       // how the error begins
  DType dtype = DType::f32;  // of the inputs
};

struct Op {
  const char* name;
  const char* formula;   // one line, for docs/ops.md
  const char* gradient;  // one line
  std::vector<OpSample> (*samples)();
  std::vector<BadInput> (*bad)() = nullptr;
  // Inputs (as a bit set) in which the op is linear: the driver checks <A x, dy> = <x, A* dy>.
  unsigned linear_inputs = 0;
  // f64 gradient check: largest difference to central differences, relative to the largest entry.
  double tolerance = 1e-6;
};

// Every op, by name in the order of autograd/op_list.h.
const std::vector<const Op*>& op_table();

// docs/ops.md as it should be.
std::string op_table_markdown();

namespace op {
#define CLADE_OP(name) extern const Op name;
#include "autograd/op_list.h"
#undef CLADE_OP
}  // namespace op

}  // namespace clade
