// seconds_of(work): the time that a GPU takes for work, by its own clock.
#pragma once

namespace clade::ladder {

// Of the default stream.
class GpuTimer {
 public:
  GpuTimer();
  ~GpuTimer();
  GpuTimer(const GpuTimer&) = delete;
  GpuTimer& operator=(const GpuTimer&) = delete;
  void start();
  double stop();  // waits; seconds since start()

 private:
  void *begin_ = nullptr, *end_ = nullptr;  // cudaEvent_t
};

template <class Work>
double seconds_of(Work&& work) {
  static GpuTimer timer;
  timer.start();
  work();
  return timer.stop();
}

}  // namespace clade::ladder
