#include "optim/schedule.h"

#include <cmath>

#include "tensor/error.h"

namespace clade::optim {

double StepSchedule::at(int64_t t) const {
  if (every < 1) fail("StepSchedule", "a step of 1 or more", text(every));
  return base * std::pow(factor, double(t / every));
}

double ExponentialSchedule::at(int64_t t) const { return base * std::pow(gamma, double(t)); }

double CosineSchedule::at(int64_t t) const {
  if (total < 1) fail("CosineSchedule", "a total of 1 or more", text(total));
  if (t >= total) return lowest;
  return lowest + (base - lowest) * (1 + std::cos(M_PI * double(t) / double(total))) / 2;
}

}  // namespace clade::optim
