#include <cstring>

#include "kernels/layout/layout.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"

namespace clade::kernels {

// Rows are dense with the same strides on both sides, so each is one block of bytes.
void gather_rows(const Cpu&, const View& x, const View& index, const View& out) {
  const int64_t rows = out.shape[0], size = int64_t(size_of(x.dtype));
  if (out.numel() == 0) return;
  const int64_t bytes = out.numel() / rows * size;
  profiler::Span span("gather_rows", 0, 2.0 * double(rows * bytes));
  const char* from = x.as<char>();
  char* to = out.as<char>();
  const int64_t from_row = x.stride[0] * size, to_row = out.stride[0] * size;
  parallel_for(rows, 1 + 65536 / bytes, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      std::memcpy(to + i * to_row, from + index.as<int64_t>()[i] * from_row, size_t(bytes));
  });
}

}  // namespace clade::kernels
