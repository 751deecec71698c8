// Fast Fourier transforms of many complex vectors at once: the inner loop of FFT-interpolated
// t-SNE.
//
//   X_k = sum_j x_j exp(-2 pi i j k / N)
//
// kFftLanes vectors of length N = 2^a 3^b 5^c lie side by side: element j of vector l is re[j lanes
// + l] + i im[j lanes + l]. So every instruction acts on all of them, whatever N is, and rows and
// columns of an image are the same work after a transposition. Stockham's order: each stage reads
// one array and writes the other, and no bits are reversed.
//
// Source: Stockham, "High-speed convolution and correlation" (1966); Van Loan, Computational
// Frameworks for the Fast Fourier Transform (1992), algorithm 1.7.2. Cost: about 5 N log2 N FLOPs a
// vector; the error grows like log N roundings.
#pragma once

#include <cstdint>
#include <vector>

namespace clade::cluster {

constexpr int kFftLanes = 16;

class FftPlan {
 public:
  explicit FftPlan(int64_t n);  // n = fft_size(n)
  int64_t size() const { return n_; }

  // Transforms (re, im), each N * kFftLanes floats; work_re and work_im are as large. The pointers
  // may come back exchanged with those of the work: the result is where re and im then point. The
  // inverse, without the factor 1 / N, is the same call with re and im exchanged.
  void run(float*& re, float*& im, float*& work_re, float*& work_im) const;

 private:
  struct Stage {
    int radix;
    int64_t m, s;                 // m butterflies of `radix` elements, s apart
    std::vector<float> cos, sin;  // (m, radix - 1): exp(-2 pi i p k / (m radix))
  };
  int64_t n_;
  std::vector<Stage> stages_;
};

// The smallest 2^a 3^b 5^c >= n.
int64_t fft_size(int64_t n);

}  // namespace clade::cluster
