// Chooses the instruction set of the direct convolution, once, at its first use.
#include <cstring>

#include "kernels/conv/conv_direct.h"

namespace clade::kernels::direct {
namespace {

bool runs_here(const Kernels* k) {
  if (!k) return false;
#if defined(__x86_64__)
  if (k == avx512_kernels) return __builtin_cpu_supports("avx512f");
  if (k == avx2_kernels) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return k == baseline_kernels;
}

// The first that runs here, best first; with a name, only the one so named.
const Kernels* choose(const char* name) {
  for (const Kernels* k : {avx512_kernels, avx2_kernels, baseline_kernels})
    if (runs_here(k) && (!name || std::strcmp(k->name, name) == 0)) return k;
  return nullptr;
}

const Kernels*& current() {
  static const Kernels* chosen = choose(nullptr);
  return chosen;
}

}  // namespace

const Kernels& kernels() { return *current(); }

bool use_kernels(const char* name) {
  const Kernels* named = choose(name);
  if (named) current() = named;
  return named != nullptr;
}

}  // namespace clade::kernels::direct
