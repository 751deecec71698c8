// gemm on the GPU: cuBLAS. Where the CPU plays the GPU, which has none, gemm_tiled.cu.
//
// cuBLAS knows columns that follow on each other (leading dimension); a row-major matrix is the
// transpose of such a one, so C = A B is asked for as C' = B' A'. An operand without a unit stride
// is copied first. f32 is computed in f32, or in tf32 where the context allows it. Its workspace is
// ours and is made once, so that a captured graph never allocates; with one workspace a stream,
// cuBLAS gives the same bits in every run.
#include <algorithm>

#include "kernels/cuda/grid.cuh"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/gemm_cuda.cuh"
#include "tensor/device_memory.h"

#if defined(__CUDACC__)
#include <cublas_v2.h>
#endif

namespace clade::kernels {

#if defined(__CUDACC__)
namespace {

void check_cublas(cublasStatus_t status, const View& a, const View& b) {
  if (status != CUBLAS_STATUS_SUCCESS)
    fail("gemm", "success of cuBLAS", text(cublasGetStatusString(status), " for ", a, " and ", b));
}

// Of this thread; it lives as long as the program.
cublasHandle_t handle_for(const Cuda& ctx, const View& a, const View& b) {
  constexpr size_t kWorkspace = 32 << 20;  // as NVIDIA advises for Hopper
  static thread_local cublasHandle_t handle = nullptr;
  static thread_local void* workspace = nullptr;
  if (!handle) {
    workspace = device_allocate(kWorkspace, ctx.stream);
    check_cublas(cublasCreate(&handle), a, b);
  }
  check_cublas(cublasSetStream(handle, ctx.stream), a, b);  // it forgets the workspace
  check_cublas(cublasSetWorkspace(handle, workspace, kWorkspace), a, b);
  check_cublas(
      cublasSetMathMode(handle, ctx.products == Cuda::Products::tf32 ? CUBLAS_TF32_TENSOR_OP_MATH
                                                                     : CUBLAS_DEFAULT_MATH),
      a, b);
  return handle;
}

// How cuBLAS sees a matrix: its transpose, or the transpose of that.
struct Columns {
  cublasOperation_t op;
  int64_t leading;
};

// Whether axis `fast` is dense, and the other steps over it without repeating elements.
bool runs_along(const View& v, int fast) {
  const int slow = 1 - fast;
  return (v.stride[fast] == 1 || v.shape[fast] == 1) &&
         (v.stride[slow] >= v.shape[fast] || v.shape[slow] == 1);
}

Columns columns_of(const View& v) {
  const bool row_major = runs_along(v, 1);
  const int64_t least = std::max<int64_t>(1, v.shape[row_major ? 1 : 0]);
  return {row_major ? CUBLAS_OP_N : CUBLAS_OP_T, std::max(least, v.stride[row_major ? 0 : 1])};
}

View transposed(View v) {
  std::swap(v.shape[0], v.shape[1]);
  std::swap(v.stride[0], v.stride[1]);
  return v;
}

template <class T>
void gemm_typed(const Cuda& ctx, const View& a, const View& b, const View& c, double alpha,
                double beta) {
  const int64_t m = c.shape[0], n = c.shape[1], k = a.shape[1];
  const Columns ca = columns_of(a), cb = columns_of(b), cc = columns_of(c);
  const T scale = T(alpha), keep = T(beta);
  const cublasHandle_t handle = handle_for(ctx, a, b);
  if constexpr (std::is_same_v<T, float>) {
    check_cublas(cublasSgemm_64(handle, cb.op, ca.op, n, m, k, &scale, b.as<T>(), cb.leading,
                                a.as<T>(), ca.leading, &keep, c.as<T>(), cc.leading),
                 a, b);
  } else {
    check_cublas(cublasDgemm_64(handle, cb.op, ca.op, n, m, k, &scale, b.as<T>(), cb.leading,
                                a.as<T>(), ca.leading, &keep, c.as<T>(), cc.leading),
                 a, b);
  }
}

// A row-major copy, for cuBLAS, of a matrix with gaps or repeated elements.
struct Packed {
  Packed(const Cuda& ctx, const View& v)
      : needed(!runs_along(v, 1) && !runs_along(v, 0)),
        memory(needed ? v.numel() * int64_t(size_of(v.dtype)) : 0, ctx.stream),
        view(v) {
    if (!needed) return;
    view.data = memory.data();
    view.stride[0] = v.shape[1], view.stride[1] = 1;
    device_copy(v, view, ctx.stream);
  }
  bool needed;
  DeviceScratch<char> memory;
  View view;
};

// C row-major.
void multiply(const Cuda& ctx, const View& a, const View& b, const View& c, double alpha,
              double beta) {
  const Packed pa(ctx, a), pb(ctx, b);
  dispatch_floating(c.dtype, [&](auto zero) {
    gemm_typed<decltype(zero)>(ctx, pa.view, pb.view, c, alpha, beta);
  });
}

// C = act(C + bias), which is no part of cuBLAS's product.
template <class T>
__global__ void finish_elements(FinishElement<T> finish, int64_t rows, int64_t columns, T* c,
                                int64_t c_row, int64_t c_column) {
  const int64_t i = cuda::thread_index();
  if (i >= rows * columns) return;
  T& out = c[i / columns * c_row + i % columns * c_column];
  out = finish(out, i % columns);
}

}  // namespace

void gemm(const Cuda& ctx, const View& a, const View& b, const View& c, double alpha, double beta,
          const Finish& finish) {
  if (c.numel() == 0) return;
  if (a.shape[1] == 0) return gemm_tiled(ctx, a, b, c, alpha, beta, finish);
  // A row-major C, or the transpose of one: C' = B' A'.
  if (runs_along(c, 1)) {
    multiply(ctx, a, b, c, alpha, beta);
  } else {
    multiply(ctx, transposed(b), transposed(a), transposed(c), alpha, beta);
  }
  dispatch_floating(c.dtype, [&](auto zero) {
    using T = decltype(zero);
    const FinishElement<T> element(finish);
    if (element.is_needed())
      launch<finish_elements<T>>(ctx.stream, cuda::grid_of(c.numel()), element, c.shape[0],
                                 c.shape[1], c.as<T>(), c.stride[0], c.stride[1]);
  });
}

#else

void gemm(const Cuda& ctx, const View& a, const View& b, const View& c, double alpha, double beta,
          const Finish& finish) {
  gemm_tiled(ctx, a, b, c, alpha, beta, finish);
}

#endif

}  // namespace clade::kernels
