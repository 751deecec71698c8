// What the device promises to the last bit: noise, samples and elementwise functions are the CPU's.
#include <cstring>

#include "kernels/elementwise/elementwise.h"
#include "kernels/sample/sample.h"
#include "tests/support/trial.h"

namespace clade::kernels {
namespace {

using testing::Memory;
using testing::Trial;

// kernel(context, output) on both; the bytes of the outputs must be equal.
template <class Kernel>
void expect_same_bits(Trial& trial, const Shape& sizes, DType t, const char* what, Kernel kernel) {
  const View device = trial.output(sizes, t), cpu = trial.output(sizes, t);
  kernel(Cuda{}, device);
  synchronize();
  kernel(Cpu{}, cpu);
  dispatch_floating(t, [&](auto zero) {
    using T = decltype(zero);
    int different = 0;
    for (int64_t i = 0; i < cpu.numel() && different < 3; i++) {
      const T got = device.as<T>()[i], want = cpu.as<T>()[i];
      const bool both_nan = got != got && want != want;  // whose sign and payload mean nothing
      if (!both_nan && std::memcmp(&got, &want, sizeof(T)) != 0) {
        different++;
        ADD_FAILURE() << what << ", " << text(device) << " at " << i << ": " << got << ", CPU "
                      << want;
      }
    }
  });
}

TEST(CudaBits, NoiseAndSamplesAreTheCpus) {
  Trial trial(1);
  for (DType t : {DType::f32, DType::f64}) {
    for (int64_t n : {1, 2, 5, 63, 700}) {
      const Draw draw{7, uint64_t(n), 4 * uint64_t(n)};
      const View zero = trial.input({n, 3}, t, Memory::row_major, 0, 0);
      const View mean = trial.input({n, 3}, t, Memory::row_major, -1, 1);
      const View logvar = trial.input({n, 3}, t, Memory::row_major, -2, 2);
      const View dz = trial.input({2, n, 3}, t, Memory::row_major, -1, 1);
      expect_same_bits(trial, {2, n, 3}, t, "noise",
                       [&](auto on, const View& z) { reparameterize(on, zero, zero, draw, z); });
      expect_same_bits(trial, {2, n, 3}, t, "samples",
                       [&](auto on, const View& z) { reparameterize(on, mean, logvar, draw, z); });
      const View other = trial.output({n, 3}, t);
      expect_same_bits(trial, {n, 3}, t, "dlogvar", [&](auto on, const View& dlogvar) {
        reparameterize_backward(on, logvar, draw, dz, other, dlogvar);
      });
      expect_same_bits(trial, {n, 3}, t, "dropout",
                       [&](auto on, const View& y) { dropout(on, mean, 0.3, draw, y); });
    }
  }
}

TEST(CudaBits, ElementwiseFunctionsAreTheCpus) {
  Trial trial(2);
  for (DType t : {DType::f32, DType::f64}) {
    const View x = trial.input({3000}, t, Memory::row_major, -20, 20);
    const View dy = trial.input({3000}, t, Memory::row_major, -1, 1);
    trial.sprinkle(x, NAN, 0.01);
    trial.sprinkle(x, INFINITY, 0.01);
    trial.sprinkle(x, -INFINITY, 0.01);
    for (int op = 0; op <= int(Unary::silu); op++) {
      const View y = trial.output({3000}, t);
      unary(Cpu{}, Unary(op), x, y, 0.7, 1.3);
      const std::string name = text("unary op ", op);
      expect_same_bits(trial, {3000}, t, name.c_str(),
                       [&](auto on, const View& out) { unary(on, Unary(op), x, out, 0.7, 1.3); });
      expect_same_bits(
          trial, {3000}, t, (name + ", backward").c_str(),
          [&](auto on, const View& dx) { unary_backward(on, Unary(op), x, y, dy, dx, 0.7, 1.3); });
    }
    for (int op = 0; op <= int(Binary::equal); op++)
      expect_same_bits(trial, {3000}, t, text("binary op ", op).c_str(),
                       [&](auto on, const View& y) { binary(on, Binary(op), x, dy, y); });
  }
}

}  // namespace
}  // namespace clade::kernels
