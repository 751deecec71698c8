#include "clustering/manifold/tsne_forces.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr int64_t kGrain = 64;
constexpr int64_t L = kPointLanes;
static_assert(kPointLanes == kAffinityLanes);

// Lanes are joined by halves, the same way everywhere.
float sum_lanes(const float* lane) {
  float half[L];
  for (int64_t l = 0; l < L; l++) half[l] = lane[l];
  for (int64_t width = L / 2; width > 0; width /= 2)
    for (int64_t l = 0; l < width; l++) half[l] += half[l + width];
  return half[0];
}

// Calls body with the number of dimensions as a constant, so that loops over them are unrolled.
template <class Body>
void with_dimensions(int64_t dimensions, Body&& body) {
  switch (dimensions) {
    case 1: return body(std::integral_constant<int64_t, 1>());
    case 2: return body(std::integral_constant<int64_t, 2>());
    case 3: return body(std::integral_constant<int64_t, 3>());
    default: return body(dimensions);
  }
}

// The repulsion on point i into force, one number a plane; returns sum_j q, the point included.
template <class Dimensions>
inline float repel(const Points& points, Dimensions dimensions, int64_t i, float* force) {
  float sum[kMostPlanes][L] = {}, total[L] = {};
  const float* y = points.y.data();
  const int64_t stride = points.stride;
  for (int64_t j = 0; j < stride; j += L) {
    float q[L] = {};
    for (int64_t c = 0; c < dimensions; c++) {
      const float own = y[c * stride + i];
      const float* other = y + c * stride + j;
#pragma GCC ivdep
#pragma GCC unroll 1
      for (int64_t l = 0; l < L; l++) q[l] += (own - other[l]) * (own - other[l]);
    }
#pragma GCC ivdep
#pragma GCC unroll 1
    for (int64_t l = 0; l < L; l++) {
      q[l] = 1 / (1 + q[l]);
      total[l] += q[l];
      q[l] *= q[l];
    }
    for (int64_t c = 0; c < dimensions; c++) {
      const float own = y[c * stride + i];
      const float* other = y + c * stride + j;
#pragma GCC ivdep
#pragma GCC unroll 1
      for (int64_t l = 0; l < L; l++) sum[c][l] += q[l] * (own - other[l]);
    }
  }
  for (int64_t c = 0; c < dimensions; c++) force[c] = sum_lanes(sum[c]);
  return sum_lanes(total);
}

// The attraction on point i by its entries begin .. end.
template <class Dimensions>
inline void attract(const Points& points, Dimensions dimensions, int64_t i, const int32_t* column,
                    const float* value, int64_t begin, int64_t end, float* force) {
  float sum[kMostPlanes][L] = {};
  const float* y = points.y.data();
  const int64_t stride = points.stride;
  for (int64_t e = begin; e < end; e += L) {
    float w[L] = {};
    const int32_t* j = column + e;
    const float* p = value + e;
    for (int64_t c = 0; c < dimensions; c++) {
      const float* plane = y + c * stride;
      const float own = plane[i];
#pragma GCC ivdep
#pragma GCC unroll 1
      for (int64_t l = 0; l < L; l++) w[l] += (own - plane[j[l]]) * (own - plane[j[l]]);
    }
#pragma GCC ivdep
#pragma GCC unroll 1
    for (int64_t l = 0; l < L; l++) w[l] = p[l] / (1 + w[l]);
    for (int64_t c = 0; c < dimensions; c++) {
      const float* plane = y + c * stride;
      const float own = plane[i];
#pragma GCC ivdep
#pragma GCC unroll 1
      for (int64_t l = 0; l < L; l++) sum[c][l] += w[l] * (own - plane[j[l]]);
    }
  }
  for (int64_t c = 0; c < dimensions; c++) force[c] = sum_lanes(sum[c]);
}

class Exact final : public Repulsion {
 public:
  double run(const Points& points, std::vector<float>& force) override {
    double z = 0;
    with_dimensions(points.dimensions, [&](auto dimensions) {
      z = parallel_reduce(
          points.n, kGrain, 0.0,
          [&](int64_t begin, int64_t end) {
            double part = 0;
            with_vectors([&] {
              for (int64_t i = begin; i < end; i++) {
                float own[kMostPlanes];
                part += double(repel(points, dimensions, i, own)) - 1;  // without the point itself
                for (int64_t c = 0; c < dimensions; c++)
                  force[size_t(c * points.stride + i)] = own[c];
              }
            });
            return part;
          },
          [](double a, double b) { return a + b; });
    });
    return std::max(z, 1e-12);
  }
};

}  // namespace

Points::Points(int64_t count, int64_t d)
    : n(count), dimensions(d), stride((count + L - 1) / L * L), y(size_t(d * stride), kFarOff) {}

void attraction(const Affinities& p, const Points& points, std::vector<float>& force) {
  const int64_t* offset = p.offset.data<int64_t>();
  with_dimensions(points.dimensions, [&](auto dimensions) {
    parallel_for(points.n, kGrain, [&](int64_t begin, int64_t end) {
      with_vectors([&] {
        for (int64_t i = begin; i < end; i++) {
          float own[kMostPlanes];
          attract(points, dimensions, i, p.column.data<int32_t>(), p.value.data<float>(), offset[i],
                  offset[i + 1], own);
          for (int64_t c = 0; c < dimensions; c++) force[size_t(c * points.stride + i)] = own[c];
        }
      });
    });
  });
}

double divergence(const Affinities& p, const Points& points, double z) {
  const int64_t* offset = p.offset.data<int64_t>();
  return parallel_reduce(
      points.n, kGrain, 0.0,
      [&](int64_t begin, int64_t end) {
        double sum = 0;
        for (int64_t i = begin; i < end; i++)
          for (int64_t e = offset[i]; e < offset[i + 1]; e++) {
            const double value = p.value.data<float>()[e];
            if (!(value > 0)) continue;
            const int64_t j = p.column.data<int32_t>()[e];
            double d2 = 0;
            for (int64_t c = 0; c < points.dimensions; c++) {
              const double gap = double(points.plane(c)[i]) - double(points.plane(c)[j]);
              d2 += gap * gap;
            }
            sum += value * std::log(value * (1 + d2) * z);
          }
        return sum;
      },
      [](double a, double b) { return a + b; });
}

Repulsion* exact_repulsion() { return new Exact; }

double Repulsion::at(const Points& points, const float* y, double* force) const {
  double total = 0;
  for (int64_t c = 0; c < points.dimensions; c++) force[c] = 0;
  for (int64_t j = 0; j < points.n; j++) {
    double d2 = 0;
    for (int64_t c = 0; c < points.dimensions; c++) {
      const double gap = double(y[c]) - double(points.plane(c)[j]);
      d2 += gap * gap;
    }
    const double q = 1 / (1 + d2);
    total += q;
    for (int64_t c = 0; c < points.dimensions; c++)
      force[c] += q * q * (double(y[c]) - double(points.plane(c)[j]));
  }
  return total;
}

}  // namespace clade::cluster
