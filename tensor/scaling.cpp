#include "tensor/scaling.h"

#include <time.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>

#include "tensor/parallel.h"

namespace clade {
namespace {

// Of this thread, so that other programs on the machine do not count.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

class Recorder : public detail::LoopObserver {
 public:
  explicit Recorder(Scaling* to) : to_(*to) { detail::loop_observer = this; }
  ~Recorder() { detail::loop_observer = nullptr; }
  Recorder(const Recorder&) = delete;

  void run(int64_t chunks, void (*chunk)(void*, int64_t), void* context) override {
    detail::loop_observer = nullptr;  // loops within belong to their chunk
    std::vector<double> seconds;
    double last = cpu_seconds();
    for (int64_t i = 0; i < chunks; i++) {
      chunk(context, i);
      const double now = cpu_seconds();
      seconds.push_back(now - last);
      last = now;
    }
    to_.loops.push_back(std::move(seconds));
    detail::loop_observer = this;
  }

 private:
  Scaling& to_;
};

}  // namespace

double Scaling::seconds(int threads) const {
  double sum = outside;
  for (const std::vector<double>& chunks : loops) {
    std::priority_queue<double, std::vector<double>, std::greater<>> free_at;
    for (int i = 0; i < threads; i++) free_at.push(0);
    double end = 0;
    for (double chunk : chunks) {
      const double done = free_at.top() + chunk;
      free_at.pop();
      free_at.push(done);
      end = std::max(end, done);
    }
    sum += end;
  }
  return sum;
}

Scaling detail::record_scaling(int threads, void (*work)(const void*), const void* context) {
  Scaling out;
  const int before = clade::threads();
  set_threads(threads);
  const double begin = cpu_seconds();
  try {
    const Recorder recorder(&out);
    work(context);
  } catch (...) {
    set_threads(before);
    throw;
  }
  double inside = 0;
  for (const std::vector<double>& chunks : out.loops)
    inside += std::accumulate(chunks.begin(), chunks.end(), 0.0);
  out.outside = std::max(0.0, cpu_seconds() - begin - inside);
  set_threads(before);
  return out;
}

}  // namespace clade
