// The oracle: one walk over every term x * w * y of the trilinear form, with three visitors.
#include <vector>

#include "kernels/conv/conv.h"

namespace clade::kernels::reference {
namespace {

struct Index {
  int64_t at[4];
};

double read(const View& v, const Index& i) {
  int64_t offset = 0;
  for (int d = 0; d < 4; d++) offset += i.at[d] * v.stride[d];
  return v.dtype == DType::f64 ? v.as<double>()[offset] : double(v.as<float>()[offset]);
}

size_t dense(const View& v, const Index& i) {  // place in row-major order
  int64_t place = 0;
  for (int d = 0; d < 4; d++) place = place * v.shape[d] + i.at[d];
  return size_t(place);
}

// visit(index into x, index into w, index into y) for every term whose x lies inside the image.
template <class Visit>
void each_term(const View& x, const View& w, const View& y, const ConvParams& p, Visit visit) {
  int64_t in_group = x.shape[1] / p.groups, out_group = y.shape[1] / p.groups;
  for (int64_t n = 0; n < y.shape[0]; n++)
    for (int64_t o = 0; o < y.shape[1]; o++)
      for (int64_t i = 0; i < y.shape[2]; i++)
        for (int64_t j = 0; j < y.shape[3]; j++)
          for (int64_t c = 0; c < in_group; c++)
            for (int64_t r = 0; r < w.shape[2]; r++)
              for (int64_t s = 0; s < w.shape[3]; s++) {
                int64_t h = i * p.stride[0] + r * p.dilation[0] - p.padding[0];
                int64_t l = j * p.stride[1] + s * p.dilation[1] - p.padding[1];
                if (h < 0 || h >= x.shape[2] || l < 0 || l >= x.shape[3]) continue;
                Index xi{{n, o / out_group * in_group + c, h, l}};
                visit(xi, Index{{o, c, r, s}}, Index{{n, o, i, j}});
              }
}

void write(const View& out, const View& bias, double slope, const std::vector<double>& sums) {
  Index i{};
  for (double sum : sums) {
    int64_t offset = 0;
    for (int d = 0; d < 4; d++) offset += i.at[d] * out.stride[d];
    dispatch_floating(out.dtype, [&](auto zero) {
      using T = decltype(zero);
      T b = bias.data ? bias.as<T>()[i.at[1] * bias.stride[0]] : T(0);
      const double value = sum + double(b);
      out.as<T>()[offset] = T(value > 0 || slope == 1 ? value : slope * value);
    });
    for (int d = 3; d >= 0 && ++i.at[d] == out.shape[d]; d--) i.at[d] = 0;
  }
}

}  // namespace

void conv2d_forward(const View& x, const View& w, const View& bias, const View& y,
                    const ConvParams& p, double slope) {
  std::vector<double> sums(size_t(y.numel()));
  each_term(x, w, y, p,
            [&](Index xi, Index wi, Index yi) { sums[dense(y, yi)] += read(x, xi) * read(w, wi); });
  write(y, bias, slope, sums);
}

void conv2d_grad_input(const View& y, const View& w, const View& bias, const View& x,
                       const ConvParams& p, double slope) {
  std::vector<double> sums(size_t(x.numel()));
  each_term(x, w, y, p,
            [&](Index xi, Index wi, Index yi) { sums[dense(x, xi)] += read(y, yi) * read(w, wi); });
  write(x, bias, slope, sums);
}

void conv2d_grad_weight(const View& x, const View& y, const View& w, const ConvParams& p) {
  std::vector<double> sums(size_t(w.numel()));
  each_term(x, w, y, p,
            [&](Index xi, Index wi, Index yi) { sums[dense(w, wi)] += read(x, xi) * read(y, yi); });
  write(w, View{}, 1, sums);
}

}  // namespace clade::kernels::reference
