// How work would fare with more threads than there are: told from the CPU time of every chunk of
// its loops, run one after another.
//
//     const Scaling s = record_scaling(8, [&] { step(); });
//     s.seconds(1) / s.seconds(8)        the speed-up that the cut of the work allows
//
// What it leaves out: threads that share memory's bandwidth, and the microseconds of their waking.
#pragma once

#include <vector>

namespace clade {

struct Scaling {
  double outside = 0;                      // CPU seconds that no loop divides
  std::vector<std::vector<double>> loops;  // CPU seconds of every chunk

  // With chunks taken in order, each by the first thread that is free, as parallel_for does it.
  double seconds(int threads) const;
};

namespace detail {
Scaling record_scaling(int threads, void (*work)(const void*), const void* context);
}

// Runs work() in this thread, its loops cut as for `threads`. Not within a loop.
template <class Work>
Scaling record_scaling(int threads, const Work& work) {
  return detail::record_scaling(
      threads, [](const void* context) { (*static_cast<const Work*>(context))(); }, &work);
}

}  // namespace clade
