#include "tensor/parallel.h"

#include <omp.h>

#include <algorithm>
#include <exception>

#include "tensor/error.h"

namespace clade {
namespace {
int requested_threads = 0;  // 0: what OpenMP finds
}

void set_threads(int n) {
  if (n < 1 || n > 1024) fail("set_threads", "1 to 1024 threads", text(n));
  requested_threads = n;
}

int threads() { return requested_threads ? requested_threads : omp_get_max_threads(); }

bool in_parallel() { return omp_in_parallel(); }

namespace detail {

void run_chunks(int64_t chunks, void (*chunk)(void*, int64_t), void* context) {
  int team = int(std::min<int64_t>(threads(), chunks));
  if (team <= 1 || in_parallel()) {
    for (int64_t i = 0; i < chunks; i++) chunk(context, i);
    return;
  }
  std::exception_ptr error;
  int64_t failed_chunk = chunks;
#pragma omp parallel for num_threads(team) schedule(dynamic, 1)
  for (int64_t i = 0; i < chunks; i++) {
    try {
      chunk(context, i);
    } catch (...) {
#pragma omp critical(clade_parallel_error)
      if (i < failed_chunk) {
        failed_chunk = i;
        error = std::current_exception();
      }
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace detail
}  // namespace clade
