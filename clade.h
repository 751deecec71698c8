// All of Clade's public headers, floor by floor. A program that uses one part includes that part.
#pragma once

#include "tensor/device.h"
#include "tensor/dtype.h"
#include "tensor/error.h"
#include "tensor/file.h"
#include "tensor/memory.h"
#include "tensor/npy.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/progress.h"
#include "tensor/random.h"
#include "tensor/safetensors.h"
#include "tensor/shape.h"
#include "tensor/tensor.h"
#include "tensor/text.h"
#include "tensor/view.h"
