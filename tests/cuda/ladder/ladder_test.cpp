// Every rung of every ladder against the reference.
#include "bench/ladder/ladder.h"

#include "tests/support/trial.h"

namespace clade::ladder {
namespace {

using testing::Memory;
using testing::Trial;

TEST(CudaLadder, EveryRungMatchesReference) {
  for (const Ladder& ladder : ladders())
    for (const Rung& rung : ladder.rungs) {
      SCOPED_TRACE(text(ladder.name, ", ", rung.name));
      Trial trial(1);  // a new one for each: no rung may find the result of another
      std::vector<View> views;
      for (const Argument& a : ladder.arguments(false)) {
        const Memory memory =
            a.shape.rank() == 4 && views.size() != 1 ? Memory::channels_last : Memory::row_major;
        views.push_back(a.output ? trial.output(a.shape, a.dtype, memory)
                                 : trial.input(a.shape, a.dtype, memory, a.low, a.high));
      }
      trial.compare([&](kernels::Cuda on) { rung.run(on, views.data()); },
                    [&] { ladder.reference(views.data()); }, ladder.tolerance);
    }
}

}  // namespace
}  // namespace clade::ladder
