// layout: moving rows without computing.
#pragma once

#include "kernels/context.h"
#include "tensor/view.h"

namespace clade::kernels {

// out[i, ...] = x[index[i], ...]: how a batch is drawn. x and out: rank >= 1, equal dtype (any) and
// equal sizes after axis 0; each row dense with the same strides in both. index (i64, contiguous)
// holds 0 .. rows - 1.
void gather_rows(const Cpu&, const View& x, const View& index, const View& out);

namespace reference {
void gather_rows(const View& x, const View& index, const View& out);
}

}  // namespace clade::kernels
