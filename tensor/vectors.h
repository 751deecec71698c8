// with_vectors: a piece of work compiled for several instruction sets, run for the best one here.
//
//     parallel_for(n, grain, [&](int64_t begin, int64_t end) {
//       with_vectors([&] { for (int64_t i = begin; i < end; i++) y[i] = f(x[i]); });
//     });
//
// The body is inlined, with all that it calls, into one function for each set, and its loops are
// vectorised there. Results do not depend on the set: a * b + c is never fused (-ffp-contract=off),
// fma() is exact everywhere, and sums keep the order in which they are written. Put it around inner
// loops alone; what is inlined is compiled three times.
#pragma once

// CLADE_PORTABLE (an option of the build) leaves one path, the plain C++ that other processors get.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(CLADE_PORTABLE)
#define CLADE_X86_VECTORS 1
#endif

namespace clade {

enum class Vectors { baseline, avx2, avx512 };

// The best that this processor has, unless use_vectors() chose a lower one. With use_vectors,
// false and no change where it cannot run here. For tests and measurements.
Vectors vectors();
bool use_vectors(Vectors v);

namespace detail {
#if defined(CLADE_X86_VECTORS)
// GCC would else take half of AVX-512's vectors; Clang takes them whole.
#if defined(__clang__)
#define CLADE_AVX512 "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"
#else
#define CLADE_AVX512 "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512"
#endif
template <class Body>
[[gnu::flatten, gnu::target(CLADE_AVX512)]] void run_avx512(Body& body) {
  body();
}
#undef CLADE_AVX512
template <class Body>
[[gnu::flatten, gnu::target("avx2,fma")]] void run_avx2(Body& body) {
  body();
}
#endif
template <class Body>
[[gnu::flatten]] void run_baseline(Body& body) {
  body();
}
}  // namespace detail

template <class Body>
void with_vectors(Body&& body) {
#if defined(CLADE_X86_VECTORS)
  switch (vectors()) {
    case Vectors::avx512: return detail::run_avx512(body);
    case Vectors::avx2: return detail::run_avx2(body);
    case Vectors::baseline: break;
  }
#endif
  detail::run_baseline(body);
}

}  // namespace clade
