// A pool of worker threads that help with one job at a time.
//
// The caller of parallel_for works on its own job from the first chunk on, and returns when all
// chunks are done; a worker that did not wake up in time is not waited for. An OpenMP region ends
// in a barrier that every thread of the team must reach, also those that the system has not
// scheduled: on a machine shared with other work that made a test of ours take 270 s instead of 10.
// Here the worst case is the serial time. It also keeps data-race checkers silent, which do not
// know libgomp.
//
// A worker that finds nothing to do spins for some microseconds, since jobs follow each other
// closely in a training step, and then sleeps.
#include "tensor/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include "tensor/error.h"

namespace clade {
namespace {

thread_local bool working = false;  // on a chunk of some job

struct Job {
  Job(int64_t chunks, void (*chunk)(void*, int64_t), void* context, int helpers)
      : chunks(chunks), chunk(chunk), context(context), helpers_wanted(helpers) {}

  const int64_t chunks;
  void (*const chunk)(void*, int64_t);
  void* const context;
  int helpers_wanted;  // workers that may still join; guarded by Pool::mutex_

  std::atomic<int64_t> next{0};
  std::atomic<int> helpers_inside{0};
  std::mutex error_mutex;
  std::exception_ptr error;
  int64_t failed_chunk = INT64_MAX;

  void work() {
    working = true;
    for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < chunks;) {
      try {
        chunk(context, i);
      } catch (...) {
        std::lock_guard lock(error_mutex);
        if (i < failed_chunk) {
          failed_chunk = i;
          error = std::current_exception();
        }
      }
    }
    working = false;
  }
};

class Pool {
 public:
  // False when another thread's job has the pool: the caller then works alone.
  bool run(Job& job) {
    {
      std::lock_guard lock(mutex_);
      if (current_) return false;
      while (workers_ < job.helpers_wanted && start_worker()) continue;
      current_ = &job;
      posted_.fetch_add(1, std::memory_order_release);
    }
    if (sleepers_.load() > 0) wake_.notify_all();
    job.work();
    {
      std::lock_guard lock(mutex_);
      current_ = nullptr;  // nobody joins from here on
    }
    for (int spin = 0; spin < kSpins && job.helpers_inside > 0; spin++) pause();
    std::unique_lock lock(mutex_);
    left_.wait(lock, [&] { return job.helpers_inside == 0; });
    return true;
  }

 private:
  // False when the system has no more threads: fewer do the same work.
  bool start_worker() {
    try {
      std::thread([this] { serve(); }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    workers_++;
    return true;
  }

  void serve() {
    uint64_t seen = 0;
    while (true) {
      for (int spin = 0; spin < kSpins && posted_.load(std::memory_order_acquire) == seen; spin++)
        pause();
      std::unique_lock lock(mutex_);
      sleepers_++;
      wake_.wait(lock, [&] { return posted_.load(std::memory_order_relaxed) != seen; });
      sleepers_--;
      seen = posted_.load(std::memory_order_relaxed);
      Job* job = current_;
      if (!job || job->helpers_wanted == 0) continue;
      job->helpers_wanted--;
      job->helpers_inside++;
      lock.unlock();
      job->work();
      lock.lock();
      if (--job->helpers_inside == 0) left_.notify_one();
    }
  }

  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  static constexpr int kSpins = 2000;  // 30 to 100 microseconds
  std::mutex mutex_;
  std::condition_variable wake_, left_;
  std::atomic<uint64_t> posted_{0};  // jobs ever posted
  std::atomic<int> sleepers_{0};
  Job* current_ = nullptr;
  int workers_ = 0;
};

// Never destroyed: its threads sleep until the process ends.
Pool& pool() {
  static Pool* instance = new Pool;
  return *instance;
}

// Those that taskset or a batch system leaves to the process, which the standard library ignores.
int usable_cores() {
#if defined(__linux__)
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) return CPU_COUNT(&cores);
#endif
  return int(std::thread::hardware_concurrency());
}

// OMP_NUM_THREADS is what batch systems set; else every core that the process may use.
int default_threads() {
  const char* wanted = std::getenv("OMP_NUM_THREADS");
  long n = wanted ? std::strtol(wanted, nullptr, 10) : 0;
  return int(std::clamp<long>(n > 0 ? n : usable_cores(), 1, kMostThreads));
}

std::atomic<int> requested_threads{0};

}  // namespace

void set_threads(int n) {
  if (n < 1 || n > kMostThreads)
    fail("set_threads", text("1 to ", kMostThreads, " threads"), text(n));
  requested_threads = n;
}

int threads() {
  static const int by_default = default_threads();
  int n = requested_threads.load(std::memory_order_relaxed);
  return n ? n : by_default;
}

bool in_parallel() { return working; }

namespace detail {

thread_local LoopObserver* loop_observer = nullptr;

void run_chunks(int64_t chunks, void (*chunk)(void*, int64_t), void* context) {
  if (loop_observer) return loop_observer->run(chunks, chunk, context);
  const int team = int(std::min<int64_t>(threads(), chunks));
  if (team > 1 && !working) {
    Job job(chunks, chunk, context, team - 1);
    if (pool().run(job)) {
      if (job.error) std::rethrow_exception(job.error);
      return;
    }
  }
  for (int64_t i = 0; i < chunks; i++) chunk(context, i);
}

}  // namespace detail
}  // namespace clade
