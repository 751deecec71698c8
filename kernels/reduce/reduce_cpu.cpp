// reduce on the CPU: the elements of x as a table of outputs by terms, cut into items of work.
//
// The axes of x fall in two: those that y keeps (the outputs) and those that go (the terms). An
// item is a block of outputs and a chunk of terms, both of a size that the shape alone decides; it
// leaves one f64 partial result per output, and these are joined in the order of the chunks. Inside
// an item the loop runs along whichever of the two is closer in memory:
//
//     columns   outputs side by side (mean over rows, statistics of channels):
//               acc[o] += x[t, o], a vector addition for each term
//     rows      terms side by side (mean over the last axis):
//               each output folds rows in eight lanes (lanes.h)
//
// softmax and its kin, which need a line twice, are in softmax_cpu.cpp.
#include "kernels/reduce/reduce.h"

#include <algorithm>

#include "kernels/elementwise/walk.h"
#include "kernels/reduce/lanes.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/vectors.h"

namespace clade::kernels {
namespace {

constexpr int64_t kItem = 32768;    // elements of x in an item of work, about
constexpr int64_t kColumns = 1024;  // outputs side by side in an item: their f64 sums stay in L1
constexpr int64_t kTogether = 4;    // terms added to a sum between its load and its store

// The axes of v where `keep` is true; the others stand at index 0.
View only_axes(const View& v, const bool (&keep)[kMaxRank]) {
  View part = v;
  part.rank = 0;
  for (int d = 0; d < v.rank; d++) {
    if (!keep[d]) continue;
    part.shape[part.rank] = v.shape[d];
    part.stride[part.rank++] = v.stride[d];
  }
  return part;
}

template <class T, class Op>
struct Reduction {
  const T* x;
  const Walk<2>& outputs;  // steps in x and in y
  const Walk<1>& terms;

  // acc[o] = join of terms [begin, end) for outputs o0 .. o1 - 1.
  void columns(int64_t o0, int64_t o1, int64_t begin, int64_t end, double* acc) const {
    const int64_t next_output = outputs.step(0), next_term = terms.step(0);
    outputs.rows(o0, o1, [&](const int64_t* at, int64_t n) {
      std::fill_n(acc, n, Op::kStart);
      terms.rows(begin, end, [&](const int64_t* from, int64_t count) {
        const T* first = x + at[0] + from[0];
        int64_t t = 0;
        for (; next_output == 1 && t + kTogether <= count; t += kTogether) {
          for (int64_t o = 0; o < n; o++) {
            double sum = acc[o];
            for (int64_t i = 0; i < kTogether; i++)
              sum = Op::join(sum, double(first[o + i * next_term]));
            acc[o] = sum;
          }
          first += kTogether * next_term;
        }
        for (; t < count; t++, first += next_term) {
          if (next_output == 1) {
            for (int64_t o = 0; o < n; o++) acc[o] = Op::join(acc[o], double(first[o]));
          } else {
            for (int64_t o = 0; o < n; o++)
              acc[o] = Op::join(acc[o], double(first[o * next_output]));
          }
        }
      });
      acc += n;
    });
  }

  void rows(int64_t o0, int64_t o1, int64_t begin, int64_t end, double* acc) const {
    const int64_t next_output = outputs.step(0), next_term = terms.step(0);
    outputs.rows(o0, o1, [&](const int64_t* at, int64_t n) {
      for (int64_t o = 0; o < n; o++) {
        double result = Op::kStart;
        terms.rows(begin, end, [&](const int64_t* from, int64_t count) {
          const T* first = x + at[0] + o * next_output + from[0];
          result = Op::join(result, fold<Op>(first, count, next_term));
        });
        *acc++ = result;
      }
    });
  }
};

// y = (join of all terms) / divisor.
template <class T, class Op>
void reduce_typed(const View& x, const View& y, double divisor) {
  bool kept[kMaxRank] = {}, gone[kMaxRank] = {};
  for (int d = 0; d < x.rank; d++) kept[d] = x.shape[d] == y.shape[d], gone[d] = !kept[d];
  const Walk<2> outputs({only_axes(x, kept), only_axes(y, kept)});
  const Walk<1> terms({only_axes(x, gone)});
  const Reduction<T, Op> reduction{x.as<const T>(), outputs, terms};
  const int64_t m = outputs.numel(), n = terms.numel();
  const bool by_columns = m > 1 && (n == 1 || outputs.step(0) < terms.step(0));

  const int64_t width = by_columns ? std::min(m, kColumns)
                                   : std::max<int64_t>(1, kItem / std::clamp<int64_t>(n, 1, kItem));
  const int64_t blocks = (m + width - 1) / width;
  // Many blocks are work enough for all threads; few are cut along the terms.
  const int64_t chunk =
      blocks >= 64 ? std::max<int64_t>(n, 1) : std::max<int64_t>(1, kItem / width);
  const int64_t chunks = std::max<int64_t>(1, (n + chunk - 1) / chunk);

  Scratch<double> partial(chunks * m);
  parallel_for(blocks * chunks, 1, [&](int64_t first, int64_t last) {
    with_vectors([&] {
      for (int64_t item = first; item < last; item++) {
        const int64_t o0 = item / chunks * width, o1 = std::min(m, o0 + width);
        const int64_t t0 = item % chunks * chunk, t1 = std::min(n, t0 + chunk);
        double* acc = partial.data() + item % chunks * m + o0;
        by_columns ? reduction.columns(o0, o1, t0, t1, acc) : reduction.rows(o0, o1, t0, t1, acc);
      }
    });
  });
  parallel_for(m, kItem / chunks + 1, [&](int64_t begin, int64_t end) {
    int64_t o = begin;
    outputs.rows(begin, end, [&](const int64_t* at, int64_t count) {
      for (int64_t i = 0; i < count; i++, o++) {
        double result = Op::kStart;
        for (int64_t c = 0; c < chunks; c++) result = Op::join(result, partial[c * m + o]);
        y.as<T>()[at[1] + i * outputs.step(1)] = T(result / divisor);
      }
    });
  });
}

}  // namespace

void reduce(const Cpu&, Reduce op, const View& x, const View& y) {
  static constexpr const char* kNames[] = {"sum", "mean", "max", "min"};
  profiler::Span span(kNames[int(op)], double(x.numel()),
                      double(x.numel() + y.numel()) * double(size_of(x.dtype)));
  if (y.numel() == 0) return;
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    switch (op) {
      case Reduce::sum: return reduce_typed<T, Sum>(x, y, 1);
      case Reduce::mean: return reduce_typed<T, Sum>(x, y, double(x.numel()) / double(y.numel()));
      case Reduce::max: return reduce_typed<T, Largest>(x, y, 1);
      case Reduce::min: return reduce_typed<T, Smallest>(x, y, 1);
    }
  });
}

void argmax(const Cpu&, const View& x, const View& index, int axis) {
  profiler::Span span("argmax", double(x.numel()), double(x.numel()) * double(size_of(x.dtype)));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Walk<2> lines({without_axis(x, axis), without_axis(index, axis)});
    const int64_t n = x.shape[axis], step = x.stride[axis];
    parallel_for(lines.numel(), kItem / n + 1, [&](int64_t begin, int64_t end) {
      lines.rows(begin, end, [&](const int64_t* at, int64_t count) {
        for (int64_t l = 0; l < count; l++) {
          const T* line = x.as<const T>() + at[0] + l * lines.step(0);
          int64_t best = 0;
          T largest = line[0];
          for (int64_t i = 1; i < n; i++) {
            const T v = line[i * step];
            const bool first_nan = v != v && largest == largest;
            if (v > largest || first_nan) largest = v, best = i;
          }
          index.as<int64_t>()[at[1] + l * lines.step(1)] = best;
        }
      });
    });
  });
}

}  // namespace clade::kernels
