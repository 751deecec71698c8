// gemm on the CPU: large f32 products by our own packed kernels (gemm_packed.h); all others by
// OpenBLAS (or any CBLAS), one thread a call, our threads around it.
//
// C is cut into tiles of a size that the shape alone decides; each tile is one single-threaded BLAS
// call. So the bits of C do not depend on the number of threads, which a multi-threaded BLAS does
// not promise, and the threads of BLAS and ours never fight for the cores. Long products with a
// small C (K large, as in covariances and weight gradients) are cut along K too, into fixed chunks
// whose partial sums are added in order.
//
// A B' with a short K (x W' of a layer behind a small latent space) is the one form in which
// OpenBLAS is slow: there B' is copied into rows first (gemm.md).
#include <cblas.h>

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/elementwise/functions.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/gemm_packed.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/vectors.h"

#if defined(CLADE_OPENBLAS)
extern "C" void openblas_set_num_threads(int);
#endif

namespace clade::kernels {
namespace {

// How C and K are cut.
struct Cut {
  static constexpr int64_t kColumns = 256;  // of a tile
  int64_t rows = 256;                       // of a tile
  int64_t chunk = 4096;                     // of K
};

// Smaller pieces where there would else be too few for the threads, as long as each is worth
// handing out. Fewer rows cost: BLAS packs B for each tile (gemm.md).
Cut cut(int64_t m, int64_t n, int64_t k) {
  constexpr int64_t kEnough = 4, kWorthIt = 2'000'000;  // pieces; multiplications
  auto parts = [](int64_t size, int64_t part) { return (size + part - 1) / part; };
  const int64_t columns = std::min(n, Cut::kColumns), across = parts(n, Cut::kColumns);
  Cut c;
  auto pieces = [&] { return parts(m, c.rows) * across * parts(k, c.chunk); };
  while (c.rows > 64 && pieces() < kEnough &&
         c.rows / 2 * columns * std::min(k, c.chunk) >= kWorthIt)
    c.rows /= 2;
  while (c.chunk > 512 && pieces() < kEnough &&
         std::min(m, c.rows) * columns * c.chunk / 2 >= kWorthIt)
    c.chunk /= 2;
  return c;
}

// Whether B, given as the transpose of a row-major matrix, is better copied into rows. OpenBLAS
// multiplies small matrices (to a million multiplications a call) without packing them, and then
// A B' takes 1.3 to 4 times as long as A B.
bool turns_b(int64_t m, int64_t n, int64_t k) {
  const int64_t rows = std::min(m, cut(m, n, k).rows), columns = std::min(n, Cut::kColumns);
  return m >= 64 && rows * columns * k <= 1'000'000 && (k <= 24 || (k <= 100 && n >= 8));
}

// CBLAS has no call for it, and each library its own: of another than OpenBLAS the promise of the
// same bits must be kept by the user, with a serial variant (cmake/Cblas.cmake warns).
void one_blas_thread() {
#if defined(CLADE_OPENBLAS)
  static const bool done = (openblas_set_num_threads(1), true);
  (void)done;
#endif
}

void blas(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, float alpha, const float* a,
          int lda, const float* b, int ldb, float beta, float* c, int ldc) {
  cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
void blas(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, double alpha,
          const double* a, int lda, const double* b, int ldb, double beta, double* c, int ldc) {
  cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

// A matrix as BLAS wants it: row-major with a leading dimension, or the transpose of such a one.
template <class T>
struct Operand {
  const T* data;
  int64_t ld;
  bool transposed;

  const T* at(int64_t row, int64_t column) const {
    return transposed ? data + column * ld + row : data + row * ld + column;
  }
};

template <class T>
bool as_operand(const View& v, Operand<T>* out) {
  if (v.stride[1] == 1 || v.shape[1] == 1) {
    if (v.stride[0] >= v.shape[1] || v.shape[0] == 1) {
      *out = {v.as<T>(), std::max(v.stride[0], v.shape[1]), false};
      return true;
    }
  }
  if (v.stride[0] == 1 || v.shape[0] == 1) {
    if (v.stride[1] >= v.shape[0] || v.shape[1] == 1) {
      *out = {v.as<T>(), std::max(v.stride[1], v.shape[0]), true};
      return true;
    }
  }
  return false;
}

template <class T>
void pack(const View& v, T* out) {
  for (int64_t i = 0; i < v.shape[0]; i++)
    for (int64_t j = 0; j < v.shape[1]; j++)
      out[i * v.shape[1] + j] = v.as<T>()[i * v.stride[0] + j * v.stride[1]];
}

template <class T>
void product(const Operand<T>& a, const Operand<T>& b, int64_t m, int64_t n, int64_t k,
             double alpha, double beta, T* c, int64_t ldc) {
  const Cut by = cut(m, n, k);
  int64_t row_tiles = (m + by.rows - 1) / by.rows;
  int64_t column_tiles = (n + Cut::kColumns - 1) / Cut::kColumns;
  int64_t chunks = std::max<int64_t>(1, (k + by.chunk - 1) / by.chunk);
  auto tile = [&](int64_t index, T* out, int64_t ld, int64_t k0, int64_t k1, double beta_now) {
    int64_t i0 = index / column_tiles * by.rows, j0 = index % column_tiles * Cut::kColumns;
    gemm_serial<T>(a.transposed, b.transposed, std::min(by.rows, m - i0),
                   std::min(Cut::kColumns, n - j0), k1 - k0, T(alpha), a.at(i0, k0), a.ld,
                   b.at(k0, j0), b.ld, T(beta_now), out + i0 * ld + j0, ld);
  };
  if (chunks == 1 || m * n > 1 << 20) {
    parallel_for(row_tiles * column_tiles, 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; t++) tile(t, c, ldc, 0, k, beta);
    });
    return;
  }
  Scratch<T> partial(chunks * m * n);
  parallel_for(chunks * row_tiles * column_tiles, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      int64_t chunk = i / (row_tiles * column_tiles);
      tile(i % (row_tiles * column_tiles), partial.data() + chunk * m * n, n, chunk * by.chunk,
           std::min(k, (chunk + 1) * by.chunk), 0);
    }
  });
  parallel_for(m, std::max<int64_t>(1, 16384 / (n * chunks + 1)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      T* row = c + i * ldc;
      for (int64_t j = 0; j < n; j++) {
        double sum = beta == 0 ? 0 : beta * double(row[j]);
        for (int64_t chunk = 0; chunk < chunks; chunk++)
          sum += double(partial[chunk * m * n + i * n + j]);
        row[j] = T(sum);
      }
    }
  });
}

// Large f32 products go to the packed kernels; but with C small and K long the chunks of K are the
// only parallel work, and so they stay with product().
bool by_packed(const View& a, const View& b, const View& c, double alpha, double beta,
               const Finish& finish) {
  const int64_t m = c.shape[0], n = c.shape[1], k = a.shape[1];
  const packed::Matrix pa{a.as<float>(), a.stride[0], a.stride[1]};
  const packed::Matrix pb{b.as<float>(), b.stride[0], b.stride[1]};
  if (!packed::pays(pa, pb, m, n, k) || (k > 4 * Cut().chunk && m * n <= 1 << 20)) return false;
  packed::gemm(pa, pb, m, n, k, float(alpha), float(beta),
               finish.bias ? finish.bias->as<float>() : nullptr, float(finish.slope), c.as<float>(),
               std::max(c.stride[0], n));
  return true;
}

// row = act(row + bias), n numbers `step` apart.
template <class T, class Step>
void finish_row(T* row, Step step, int64_t n, const T* bias, T slope) {
  if (bias)
    for (int64_t j = 0; j < n; j++) row[j * step] += bias[j];
  if (slope == 1) return;
  for (int64_t j = 0; j < n; j++) row[j * step] = activated(row[j * step], slope);
}

// C = act(C + bias), a pass of its own: BLAS has no call for it.
template <class T>
void complete(const Finish& finish, const View& c) {
  if (!finish.bias && finish.slope == 1) return;
  const int64_t n = c.shape[1], step = c.stride[1];
  const T slope = T(finish.slope);
  const T* bias = finish.bias ? finish.bias->as<T>() : nullptr;
  parallel_for(c.shape[0], std::max<int64_t>(1, 16384 / n), [&](int64_t begin, int64_t end) {
    with_vectors([&] {
      for (int64_t i = begin; i < end; i++) {
        T* row = c.as<T>() + i * c.stride[0];
        if (step == 1)
          finish_row(row, std::integral_constant<int64_t, 1>{}, n, bias, slope);
        else
          finish_row(row, step, n, bias, slope);
      }
    });
  });
}

template <class T>
void gemm_typed(const View& a, const View& b, const View& c, double alpha, double beta,
                const Finish& finish) {
  int64_t m = c.shape[0], n = c.shape[1], k = a.shape[1];
  if (c.stride[1] != 1 && n != 1) {  // C is a transpose: compute C' = B' A'
    auto turned = [](View v) {
      std::swap(v.shape[0], v.shape[1]);
      std::swap(v.stride[0], v.stride[1]);
      return v;
    };
    gemm_typed<T>(turned(b), turned(a), turned(c), alpha, beta, {});
    return complete<T>(finish, c);
  }
  if constexpr (std::is_same_v<T, float>) {
    if (by_packed(a, b, c, alpha, beta, finish)) return;
  }
  Operand<T> oa, ob;
  const bool fits_a = as_operand<T>(a, &oa);
  const bool fits_b = as_operand<T>(b, &ob) && !(ob.transposed && turns_b(m, n, k));
  Scratch<T> packed_a(fits_a ? 0 : m * k), packed_b(fits_b ? 0 : k * n);
  if (!fits_a) pack(a, packed_a.data()), oa = {packed_a.data(), k, false};
  if (!fits_b) pack(b, packed_b.data()), ob = {packed_b.data(), n, false};
  product<T>(oa, ob, m, n, k, alpha, beta, c.as<T>(), std::max(c.stride[0], n));
  complete<T>(finish, c);
}

}  // namespace

template <class T>
void gemm_serial(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, T alpha, const T* a,
                 int64_t lda, const T* b, int64_t ldb, T beta, T* c, int64_t ldc) {
  if (m == 0 || n == 0) return;
  if (k == 0) {  // BLAS implementations differ here
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = 0; j < n; j++) c[i * ldc + j] = beta == 0 ? T(0) : beta * c[i * ldc + j];
    return;
  }
  one_blas_thread();
  blas(trans_a ? CblasTrans : CblasNoTrans, trans_b ? CblasTrans : CblasNoTrans, int(m), int(n),
       int(k), alpha, a, int(lda), b, int(ldb), beta, c, int(ldc));
}

template void gemm_serial<float>(bool, bool, int64_t, int64_t, int64_t, float, const float*,
                                 int64_t, const float*, int64_t, float, float*, int64_t);
template void gemm_serial<double>(bool, bool, int64_t, int64_t, int64_t, double, const double*,
                                  int64_t, const double*, int64_t, double, double*, int64_t);

void gram(const float* x, int64_t n, int64_t d, float* c) {
  profiler::Span span("gram", double(n) * double(d) * double(d + 1),
                      4 * (double(n) * double(d) + double(d) * double(d)),
                      [&] { return std::to_string(n) + " x " + std::to_string(d); });
  if (n == 0) {
    std::fill_n(c, d * d, 0.0f);
    return;
  }
  packed::lower_gram(x, n, d, c);
}

void gemm(const Cpu&, const View& a, const View& b, const View& c, double alpha, double beta,
          const Finish& finish) {
  double m = double(c.shape[0]), n = double(c.shape[1]), k = double(a.shape[1]);
  profiler::Span span("gemm", 2 * m * n * k, (m * k + k * n + m * n) * double(size_of(c.dtype)),
                      [&] {
                        return std::to_string(c.shape[0]) + " x " + std::to_string(c.shape[1]) +
                               " x " + std::to_string(a.shape[1]);
                      });
  if (c.numel() == 0) return;
  dispatch_floating(c.dtype,
                    [&](auto zero) { gemm_typed<decltype(zero)>(a, b, c, alpha, beta, finish); });
}

}  // namespace clade::kernels
