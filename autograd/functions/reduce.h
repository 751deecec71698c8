// Reductions and the softmax family.
#pragma once

#include <initializer_list>

#include "autograd/var.h"

namespace clade {

// Over all axes: a scalar (rank 0). Over `axes`: they are dropped, or kept with size 1.
Var sum(const Var& x);
Var sum(const Var& x, std::initializer_list<int> axes, bool keep = false);
Var mean(const Var& x);
Var mean(const Var& x, std::initializer_list<int> axes, bool keep = false);
// The gradient of a tie is shared equally among the winners.
Var max(const Var& x, std::initializer_list<int> axes, bool keep = false);
Var min(const Var& x, std::initializer_list<int> axes, bool keep = false);

Var softmax(const Var& x, int axis = -1);
Var log_softmax(const Var& x, int axis = -1);
Var logsumexp(const Var& x, int axis, bool keep = false);

// Index (i64) of the first largest element along `axis`, which is dropped. No gradient.
Tensor argmax(const Tensor& x, int axis = -1);

}  // namespace clade
