#include "tensor/vectors.h"

#include <atomic>

namespace clade {
namespace {

Vectors best_here() {
#if defined(CLADE_X86_VECTORS)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return Vectors::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Vectors::avx2;
#endif
  return Vectors::baseline;
}

std::atomic<Vectors>& current() {
  static std::atomic<Vectors> chosen{best_here()};
  return chosen;
}

}  // namespace

Vectors vectors() { return current().load(std::memory_order_relaxed); }

bool use_vectors(Vectors v) {
  if (v > best_here()) return false;
  current() = v;
  return true;
}

}  // namespace clade
