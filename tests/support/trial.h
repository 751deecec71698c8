// Trial: one random comparison of a kernel with its reference.
//
//     for (uint64_t seed : testing::seeds(1000)) {
//       Trial trial(seed);
//       View x = trial.input(sizes, DType::f32, Memory::channels_last, -3, 3);
//       View y = trial.output(sizes, DType::f32, Memory::channels_last);
//       trial.compare([&](auto on) { unary(on, op, x, y); }, [&] { reference::unary(op, x, y); },
//                     1e-5);
//     }
//
// compare() runs the kernel on Cpu{} with 1, 2 and 3 threads and with every instruction set that
// this processor has and demands the same bits of each (in the programs of tests/cuda: on Cuda{},
// in two orders of threads); then that it
// wrote nothing but the elements of the outputs (every view stands in a block with guard words on
// both sides and, when strided, in its gaps); then that its values agree with the reference's.
// Outputs start as NaN, so that an element left out is seen. Failures name the seed.
//
// Every run tries other seeds; CLADE_SEED=s in the environment makes s the first of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernels/context.h"
#include "kernels/elementwise/index.h"
#include "tensor/random.h"
#include "tensor/view.h"

#if defined(CLADE_CUDA_TESTS)
#include "tests/cuda/trial_device.h"
#else
#include "tests/support/trial_cpu.h"
#endif

namespace clade::testing {

// The seeds of `count` trials (on the device fewer, see trials()); the first of the run is printed.
inline std::vector<uint64_t> seeds(uint64_t count) {
  static const uint64_t first = [] {
    const char* given = std::getenv("CLADE_SEED");
    const uint64_t seed = given ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::printf("trials from seed %llu\n", static_cast<unsigned long long>(seed));
    return seed;
  }();
  std::vector<uint64_t> all(size_t(trials(count)));
  std::iota(all.begin(), all.end(), first);
  return all;
}

// How the elements of a view lie in memory.
enum class Memory {
  row_major,
  channels_last,  // rank 4: N H W C; other ranks: row_major
  permuted,       // dense, axes in a random order
  gaps,           // row-major, with unused places after every element and every row
};

class Trial {
 public:
  explicit Trial(uint64_t seed) : rng_(seed), trace_(__FILE__, __LINE__, text("seed ", seed)) {}

  int64_t below(int64_t n) { return rng_.below(n); }
  bool chance(double p) { return rng_.uniform() < p; }
  double between(double low, double high) { return low + (high - low) * rng_.uniform(); }
  DType floating() { return chance(0.5) ? DType::f64 : DType::f32; }
  Memory memory() { return Memory(below(4)); }
  Memory dense_memory() { return Memory(below(3)); }

  // A size from 1 to `most` that likes the edges: 1, 2, 3 and the neighbours of multiples of 16.
  int64_t size(int64_t most) {
    const int64_t kind = below(4), near = 16 * (1 + below(1 + most / 16)) + below(3) - 1;
    return std::min(most, kind == 0 ? 1 + below(3) : kind == 1 ? near : 1 + below(most));
  }
  // `rank` sizes with at most about `numel` elements; now and then one of them is 0.
  Shape sizes(int rank, int64_t numel) {
    int64_t shape[kMaxRank], left = numel;
    for (int d = 0; d < rank; d++) {
      shape[d] = size(std::min<int64_t>(left, d + 1 == rank ? left : 1 + left / 4));
      left /= shape[d];
    }
    for (int d = rank; d-- > 1;) std::swap(shape[d], shape[below(d + 1)]);
    if (rank && chance(0.03)) shape[below(rank)] = 0;
    return Shape(shape, rank);
  }
  // Few elements as a rule; one trial in thirty has enough for several chunks and threads.
  int64_t elements() { return chance(1.0 / 30) ? kManyElements : 1000; }

  // Uniform values in [low, high), rounded down for integers.
  View input(const Shape& shape, DType dtype, Memory memory, double low, double high) {
    View v = make(shape, dtype, memory, false);
    fill(v, [&] { return between(low, high); });
    return v;
  }
  View output(const Shape& shape, DType dtype, Memory memory = Memory::row_major) {
    View v = make(shape, dtype, memory, true);
    fill(v, [&] { return is_floating(dtype) ? NAN : -7; });
    return v;
  }
  // An output that the kernel updates, so it starts with values.
  View in_place(const Shape& shape, DType dtype, Memory memory, double low, double high) {
    View v = make(shape, dtype, memory, true);
    fill(v, [&] { return between(low, high); });
    return v;
  }
  // The same sizes, dtype and memory order as `v`.
  View input_like(const View& v, double low, double high) {
    View copy = like(v, false);
    fill(copy, [&] { return between(low, high); });
    return copy;
  }
  View output_like(const View& v) {
    View copy = like(v, true);
    fill(copy, [&] { return is_floating(v.dtype) ? NAN : -7; });
    return copy;
  }
  // Some elements of `v` become `value`.
  void sprinkle(const View& v, double value, double share = 0.1) {
    dispatch(v.dtype, [&](auto zero) {
      using T = decltype(zero);
      kernels::reference::for_each_index(v, [&](const int64_t* i) {
        if (chance(share)) kernels::reference::element<T>(v, i) = T(value);
      });
    });
  }

  // |kernel - reference| <= tolerance (1 + |reference|) for every element of every output; NaN and
  // infinities only where the reference has them. The same bits with 1, 2 and 3 threads, and with
  // every instruction set unless the kernel rounds differently there (fused multiply-adds).
  enum class Sets { agree, round_differently };
  template <class Kernel, class Reference>
  void compare(Kernel kernel, Reference reference, double tolerance, Sets sets = Sets::agree) {
    const Bytes before = bytes_;
    std::vector<Bytes> results;
    for (int run = 0; run < kRuns; run++) {
      restore(before);
      {
        const RunScope scope(run);
        for (TrialBytes& block : bytes_) forbid(block, kGuard);
        if constexpr (std::is_invocable_v<Kernel, TrialDevice>) {
          kernel(TrialDevice{});
        } else {
          kernel();
        }
        for (TrialBytes& block : bytes_) allow(block);
      }
      const bool may_differ = sets == Sets::round_differently && run >= kRunsOfBestSet;
      if (run > 0 && !may_differ)
        EXPECT_TRUE(results[0] == bytes_) << "other bits with " << kRunNames[run];
      else
        results.push_back(bytes_);
    }
    for (size_t b = 0; b < blocks_.size(); b++) expect_only_elements_changed(int(b), before[b]);
    restore(before);
    reference();
    for (size_t b = 0; b < blocks_.size(); b++)
      if (blocks_[b].written)
        for (const Bytes& result : results) expect_close(int(b), result[b], tolerance);
  }

 private:
  static constexpr int64_t kGuard = 64;  // bytes on both sides of a view
  using Bytes = std::vector<TrialBytes>;
  struct Block {
    View view;
    bool written;  // an output
  };

  View make(const Shape& shape, DType dtype, Memory memory, bool written) {
    View v;
    v.dtype = dtype, v.rank = shape.rank();
    int order[kMaxRank];  // axes from the slowest to the fastest
    for (int d = 0; d < v.rank; d++) order[d] = d;
    if (memory == Memory::permuted)
      for (int d = v.rank; d-- > 1;) std::swap(order[d], order[below(d + 1)]);
    if (memory == Memory::channels_last && v.rank == 4) order[1] = 2, order[2] = 3, order[3] = 1;
    int64_t stride = memory == Memory::gaps ? 2 : 1;
    for (int i = v.rank; i-- > 0;) {
      v.shape[order[i]] = shape[order[i]];
      v.stride[order[i]] = stride;
      stride *= std::max<int64_t>(shape[order[i]], 1);
      if (memory == Memory::gaps) stride += 3;
    }
    return add(v, stride, written);
  }

  View like(const View& model, bool written) {
    int64_t span = 1;
    for (int d = 0; d < model.rank; d++)
      span += std::max<int64_t>(model.shape[d] - 1, 0) * model.stride[d];
    return add(model, span, written);
  }

  // `v` over a new block of `span` elements between guards.
  View add(View v, int64_t span, bool written) {
    const int64_t bytes = std::max<int64_t>(span, 1) * int64_t(size_of(v.dtype));
    bytes_.emplace_back(size_t(bytes + 2 * kGuard), 0xA5);
    v.data = bytes_.back().data() + kGuard;
    blocks_.push_back({v, written});
    return v;
  }

  template <class Value>
  void fill(const View& v, Value value) {
    dispatch(v.dtype, [&](auto zero) {
      using T = decltype(zero);
      kernels::reference::for_each_index(
          v, [&](const int64_t* i) { kernels::reference::element<T>(v, i) = T(value()); });
    });
  }

  void restore(const Bytes& saved) {
    for (size_t b = 0; b < saved.size(); b++)
      std::copy(saved[b].begin(), saved[b].end(), bytes_[b].begin());
  }

  // Every byte is as before, but for the elements of outputs.
  void expect_only_elements_changed(int b, const TrialBytes& before) const {
    TrialBytes expected = before;
    const View& v = blocks_[size_t(b)].view;
    const int64_t size = int64_t(size_of(v.dtype));
    if (blocks_[size_t(b)].written)
      kernels::reference::for_each_index(v, [&](const int64_t* i) {
        int64_t at = kGuard;
        for (int d = 0; d < v.rank; d++) at += i[d] * v.stride[d] * size;
        std::copy_n(bytes_[size_t(b)].begin() + at, size, expected.begin() + at);
      });
    EXPECT_TRUE(expected == bytes_[size_t(b)])
        << "view " << b << ", " << text(v) << ": wrote beside its elements, or into an input";
  }

  void expect_close(int b, const TrialBytes& kernel, double tolerance) const {
    const View& want = blocks_[size_t(b)].view;
    View got = want;
    TrialBytes copy = kernel;
    got.data = copy.data() + kGuard;
    int wrong = 0;
    dispatch(want.dtype, [&](auto zero) {
      using T = decltype(zero);
      kernels::reference::for_each_index(want, [&](const int64_t* i) {
        const double g = double(kernels::reference::element<T>(got, i));
        const double w = double(kernels::reference::element<T>(want, i));
        const bool close = std::isfinite(w) ? std::fabs(g - w) <= tolerance * (1 + std::fabs(w))
                                            : g == w || (std::isnan(g) && std::isnan(w));
        if (close || ++wrong > 3) return;
        ADD_FAILURE() << "view " << b << ", " << text(want) << " at "
                      << text(std::vector<int64_t>(i, i + want.rank)) << ": " << g << ", reference "
                      << w;
      });
    });
  }

  Random rng_;
  ::testing::ScopedTrace trace_;
  std::vector<Block> blocks_;
  Bytes bytes_;  // guard, elements, guard, of each block
};

// For f32 and f64 in turn. The references compute in f64.
inline double tolerance(DType t, double f32 = 1e-5, double f64 = 1e-12) {
  return t == DType::f64 ? f64 : f32;
}

}  // namespace clade::testing
