#include "clustering/manifold/fft.h"

#include <cmath>
#include <numbers>
#include <utility>

#include "tensor/error.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr int L = kFftLanes;

struct Pass {  // where a stage reads and writes, and its turning factors
  const float *in_re, *in_im;
  float *out_re, *out_im;
  const float *cos, *sin;
  int64_t m, s;
};

struct Turn {  // an output and its turning factor
  float cos, sin;
  float *re, *im;
  void put(int l, float x, float y) const {
    re[l] = x * cos - y * sin;
    im[l] = x * sin + y * cos;
  }
};

// One butterfly of each radix on L lanes. Outputs never overlap inputs (ivdep). a: inputs, `step`
// floats apart; b: outputs, `gap` floats apart; c and s: the turning factors of outputs 1 ...
struct Butterfly {
  const float *re, *im;
  int64_t step;
  float *to_re, *to_im;
  int64_t gap;
  const float *c, *s;

  Turn turn(int k) const { return {c[k - 1], s[k - 1], to_re + k * gap, to_im + k * gap}; }
};

inline void two(const Butterfly& b) {
  const Turn t1 = b.turn(1);
#pragma GCC ivdep
  for (int l = 0; l < L; l++) {
    const float x0 = b.re[l], x1 = b.re[b.step + l], y0 = b.im[l], y1 = b.im[b.step + l];
    b.to_re[l] = x0 + x1, b.to_im[l] = y0 + y1;
    t1.put(l, x0 - x1, y0 - y1);
  }
}

inline void three(const Butterfly& b) {
  constexpr float kHalfRoot3 = 0.866025404f;
  const Turn t1 = b.turn(1), t2 = b.turn(2);
#pragma GCC ivdep
  for (int l = 0; l < L; l++) {
    const float x0 = b.re[l], x1 = b.re[b.step + l], x2 = b.re[2 * b.step + l];
    const float y0 = b.im[l], y1 = b.im[b.step + l], y2 = b.im[2 * b.step + l];
    const float sx = x1 + x2, sy = y1 + y2;
    const float dx = kHalfRoot3 * (x1 - x2), dy = kHalfRoot3 * (y1 - y2);
    const float mx = x0 - 0.5f * sx, my = y0 - 0.5f * sy;
    b.to_re[l] = x0 + sx, b.to_im[l] = y0 + sy;
    t1.put(l, mx + dy, my - dx);
    t2.put(l, mx - dy, my + dx);
  }
}

inline void four(const Butterfly& b) {
  const Turn t1 = b.turn(1), t2 = b.turn(2), t3 = b.turn(3);
#pragma GCC ivdep
  for (int l = 0; l < L; l++) {
    const float x0 = b.re[l], x1 = b.re[b.step + l];
    const float x2 = b.re[2 * b.step + l], x3 = b.re[3 * b.step + l];
    const float y0 = b.im[l], y1 = b.im[b.step + l];
    const float y2 = b.im[2 * b.step + l], y3 = b.im[3 * b.step + l];
    const float ax = x0 + x2, ay = y0 + y2, bx = x0 - x2, by = y0 - y2;
    const float cx = x1 + x3, cy = y1 + y3, dx = x1 - x3, dy = y1 - y3;
    b.to_re[l] = ax + cx, b.to_im[l] = ay + cy;
    t1.put(l, bx + dy, by - dx);
    t2.put(l, ax - cx, ay - cy);
    t3.put(l, bx - dy, by + dx);
  }
}

inline void five(const Butterfly& b) {
  constexpr float c1 = 0.309016994f, c2 = -0.809016994f, s1 = 0.951056516f, s2 = 0.587785252f;
  const Turn t1 = b.turn(1), t2 = b.turn(2), t3 = b.turn(3), t4 = b.turn(4);
#pragma GCC ivdep
  for (int l = 0; l < L; l++) {
    const float x0 = b.re[l], x1 = b.re[b.step + l], x2 = b.re[2 * b.step + l];
    const float x3 = b.re[3 * b.step + l], x4 = b.re[4 * b.step + l];
    const float y0 = b.im[l], y1 = b.im[b.step + l], y2 = b.im[2 * b.step + l];
    const float y3 = b.im[3 * b.step + l], y4 = b.im[4 * b.step + l];
    const float px = x1 + x4, py = y1 + y4, qx = x2 + x3, qy = y2 + y3;
    const float ux = x1 - x4, uy = y1 - y4, vx = x2 - x3, vy = y2 - y3;
    const float ax = x0 + c1 * px + c2 * qx, ay = y0 + c1 * py + c2 * qy;
    const float bx = x0 + c2 * px + c1 * qx, by = y0 + c2 * py + c1 * qy;
    const float cx = s1 * ux + s2 * vx, cy = s1 * uy + s2 * vy;
    const float dx = s2 * ux - s1 * vx, dy = s2 * uy - s1 * vy;
    b.to_re[l] = x0 + (px + qx), b.to_im[l] = y0 + (py + qy);
    t1.put(l, ax + cy, ay - cx);
    t2.put(l, bx + dy, by - dx);
    t3.put(l, bx - dy, by + dx);
    t4.put(l, ax - cy, ay + cx);
  }
}

template <int radix>
inline void stage(const Pass& pass) {
  for (int64_t p = 0; p < pass.m; p++)
    for (int64_t q = 0; q < pass.s; q++) {
      const int64_t from = (q + pass.s * p) * L, to = (q + pass.s * radix * p) * L;
      const Butterfly b{pass.in_re + from,          pass.in_im + from,         pass.s * pass.m * L,
                        pass.out_re + to,           pass.out_im + to,          pass.s * L,
                        pass.cos + p * (radix - 1), pass.sin + p * (radix - 1)};
      if constexpr (radix == 2) two(b);
      if constexpr (radix == 3) three(b);
      if constexpr (radix == 4) four(b);
      if constexpr (radix == 5) five(b);
    }
}

}  // namespace

int64_t fft_size(int64_t n) {
  for (int64_t size = n < 1 ? 1 : n;; size++) {
    int64_t rest = size;
    for (int64_t p : {2, 3, 5})
      while (rest % p == 0) rest /= p;
    if (rest == 1) return size;
  }
}

FftPlan::FftPlan(int64_t n) : n_(n) {
  if (n < 1 || fft_size(n) != n) fail("fft", "a size 2^a 3^b 5^c", text(n));
  for (int64_t left = n, s = 1; left > 1;) {
    const int radix = left % 5 == 0 ? 5 : left % 3 == 0 ? 3 : left % 4 == 0 ? 4 : 2;
    Stage stage{radix, left / radix, s, {}, {}};
    for (int64_t p = 0; p < stage.m; p++)
      for (int k = 1; k < radix; k++) {
        const double turn = -2 * std::numbers::pi * double(p * k) / double(left);
        stage.cos.push_back(float(std::cos(turn)));
        stage.sin.push_back(float(std::sin(turn)));
      }
    stages_.push_back(std::move(stage));
    left /= radix;
    s *= radix;
  }
}

void FftPlan::run(float*& re, float*& im, float*& work_re, float*& work_im) const {
  for (const Stage& st : stages_) {
    const Pass pass{re, im, work_re, work_im, st.cos.data(), st.sin.data(), st.m, st.s};
    with_vectors([&] {
      switch (st.radix) {
        case 2: return stage<2>(pass);
        case 3: return stage<3>(pass);
        case 4: return stage<4>(pass);
        default: return stage<5>(pass);
      }
    });
    std::swap(re, work_re);
    std::swap(im, work_im);
  }
}

}  // namespace clade::cluster
