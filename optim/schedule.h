// Learning-rate schedules: pure functions of the epoch (or step), so that a resumed run needs none
// of their state.
#pragma once

#include <cstdint>

namespace clade::optim {

// base factor^(t / every), in whole steps
struct StepSchedule {
  double base;
  int64_t every;
  double factor = 0.1;
  double at(int64_t t) const;
};

// base gamma^t
struct ExponentialSchedule {
  double base, gamma;
  double at(int64_t t) const;
};

// lowest + (base - lowest) (1 + cos(pi t / total)) / 2, then lowest      (Loshchilov and Hutter
// 2017)
struct CosineSchedule {
  double base;
  int64_t total;
  double lowest = 0;
  double at(int64_t t) const;
};

}  // namespace clade::optim
