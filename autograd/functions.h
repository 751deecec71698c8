// The differentiable functions, by family. Each throws Error, with shapes and dtypes, on arguments
// that do not fit; each is a row of docs/ops.md.
#pragma once

#include "autograd/functions/conv.h"
#include "autograd/functions/elementwise.h"
#include "autograd/functions/linear.h"
#include "autograd/functions/loss.h"
#include "autograd/functions/norm.h"
#include "autograd/functions/pool.h"
#include "autograd/functions/reduce.h"
#include "autograd/functions/sample.h"
#include "autograd/functions/shape.h"
