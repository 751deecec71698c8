// Functions that move elements without computing.
#pragma once

#include <initializer_list>
#include <vector>

#include "autograd/var.h"

namespace clade {

Var reshape(const Var& x, std::initializer_list<int64_t> sizes);  // one size may be -1
Var reshape(const Var& x, const Shape& shape);
Var flatten(const Var& x, int first = 1, int last = -1);  // all but the batch axis by default
Var permute(const Var& x, std::initializer_list<int> axes);
Var transpose(const Var& x, int a, int b);
Var slice(const Var& x, int axis, int64_t begin, int64_t end, int64_t step = 1);
Var concat(const std::vector<Var>& parts, int axis);
Var expand(const Var& x, const Shape& shape);

}  // namespace clade
