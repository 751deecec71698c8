// Threads: parallel loops and reductions whose result does not depend on the number of threads.
//
// Work is cut into chunks of a fixed size (the grain), never into as many parts as there are
// threads. A chunk is computed by one thread in index order; reductions join the chunks' partial
// results in chunk order. So 1 thread and 64 threads give the same bits: a promise of the project.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace clade {

constexpr int kMostThreads = 1024;
void set_threads(int n);  // 1 to kMostThreads, else Error; until called: OMP_NUM_THREADS, else all
int threads();
bool in_parallel();  // inside a parallel_for: nested loops run serially

namespace detail {
// Runs chunk(context, index) for index in [0, chunks) on the threads; rethrows the exception of
// the lowest chunk that threw.
void run_chunks(int64_t chunks, void (*chunk)(void*, int64_t), void* context);

// Runs a thread's loops in place of run_chunks(); for record_scaling() (tensor/scaling.h).
class LoopObserver {
 public:
  virtual void run(int64_t chunks, void (*chunk)(void*, int64_t), void* context) = 0;

 protected:
  ~LoopObserver() = default;
};
extern thread_local LoopObserver* loop_observer;  // null: loops run on the threads
}  // namespace detail

// body(begin, end) over [0, n) in chunks of `grain` (>= 1). Chunks must be independent.
template <class Body>
void parallel_for(int64_t n, int64_t grain, Body&& body) {
  if (n <= 0) return;
  if (grain < 1) grain = 1;
  if (n <= grain) {
    body(int64_t{0}, n);
    return;
  }
  struct Job {
    Body& body;
    int64_t n, grain;
  } job{body, n, grain};
  detail::run_chunks((n + grain - 1) / grain,
                     [](void* context, int64_t index) {
                       Job& j = *static_cast<Job*>(context);
                       int64_t begin = index * j.grain, end = begin + j.grain;
                       j.body(begin, end < j.n ? end : j.n);
                     },
                     &job);
}

// partial(begin, end) -> T for each chunk of `grain`, then combine(left, right) -> T in chunk
// order, starting from `identity`.
template <class T, class Partial, class Combine>
T parallel_reduce(int64_t n, int64_t grain, T identity, Partial&& partial, Combine&& combine) {
  if (n <= 0) return identity;
  if (grain < 1) grain = 1;
  std::vector<T> parts(std::size_t((n + grain - 1) / grain), identity);
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    parts[std::size_t(begin / grain)] = partial(begin, end);
  });
  T total = identity;
  for (T& part : parts) total = combine(total, part);
  return total;
}

}  // namespace clade
