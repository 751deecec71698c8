#include "kernels/update/update.h"

#include "tests/support/trial.h"

namespace clade::kernels {
namespace {

using testing::Memory;
using testing::Trial;

struct Arrays {
  View p, g, a, b;
  DType t;
  explicit Arrays(Trial& trial) : t(trial.floating()) {
    Shape sizes = trial.sizes(1, trial.elements());
    p = trial.in_place(sizes, t, Memory::row_major, -1, 1);
    g = trial.input(sizes, t, Memory::row_major, -1, 1);
    a = trial.in_place(sizes, t, Memory::row_major, 0, 1);
    b = trial.in_place(sizes, t, Memory::row_major, 0, 1);
  }
};

TEST(Update, SgdMatchesReference) {
  for (uint64_t seed = 0; seed < 200; seed++) {
    Trial trial(seed);
    Arrays x(trial);
    SgdStep s{0.1,
              trial.chance(0.7) ? 0.9 : 0.0,
              trial.chance(0.3) ? 0.2 : 0.0,
              trial.chance(0.5) ? 0.01 : 0.0,
              trial.chance(0.3),
              trial.chance(0.3)};
    View buffer = s.momentum > 0 ? x.a : View{};
    trial.compare([&] { sgd_step(Cpu{}, x.p, x.g, buffer, s); },
                  [&] { reference::sgd_step(x.p, x.g, buffer, s); }, testing::tolerance(x.t, 1e-6));
  }
}

TEST(Update, AdamMatchesReference) {
  for (uint64_t seed = 0; seed < 200; seed++) {
    Trial trial(seed);
    Arrays x(trial);
    AdamStep s{0.01,
               0.9,
               0.999,
               1e-8,
               trial.chance(0.5) ? 0.1 : 0.0,
               trial.chance(0.5),
               1 + trial.below(1000)};
    trial.compare([&] { adam_step(Cpu{}, x.p, x.g, x.a, x.b, s); },
                  [&] { reference::adam_step(x.p, x.g, x.a, x.b, s); },
                  testing::tolerance(x.t, 4e-6));
  }
}

TEST(Update, RmspropMatchesReference) {
  for (uint64_t seed = 0; seed < 200; seed++) {
    Trial trial(seed);
    Arrays x(trial);
    RmspropStep s{0.01, 0.99, 1e-8, trial.chance(0.5) ? 0.1 : 0.0, trial.chance(0.5) ? 0.9 : 0.0};
    View buffer = s.momentum > 0 ? x.b : View{};
    trial.compare([&] { rmsprop_step(Cpu{}, x.p, x.g, x.a, buffer, s); },
                  [&] { reference::rmsprop_step(x.p, x.g, x.a, buffer, s); },
                  testing::tolerance(x.t, 4e-6));
  }
}

TEST(Update, AdadeltaMatchesReference) {
  for (uint64_t seed = 0; seed < 200; seed++) {
    Trial trial(seed);
    Arrays x(trial);
    AdadeltaStep s{1, 0.9, 1e-6, trial.chance(0.5) ? 0.1 : 0.0};
    trial.compare([&] { adadelta_step(Cpu{}, x.p, x.g, x.a, x.b, s); },
                  [&] { reference::adadelta_step(x.p, x.g, x.a, x.b, s); },
                  testing::tolerance(x.t, 4e-6));
  }
}

}  // namespace
}  // namespace clade::kernels
