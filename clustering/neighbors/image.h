// Images: rows written in few columns so that no distance grows.
//
//   f(x) = [V (x - m), |x - m - V'V (x - m)|]      V (h, d) with orthonormal rows
//
// is the head of x in a basis, and how far x lies from the plane of that basis. As V is a
// contraction and so is the length of the rest, |f(x) - f(y)| <= |x - y|: a lower bound that costs
// h + 1 multiplications instead of d. With the principal axes for V it is a tight one wherever
// columns are correlated, as pixels are. Without a basis f(x) = x - m.
//
// (Lower bounds first, then the real distances in their order: Seidl and Kriegel, "Optimal
// multi-step k-nearest neighbor search", SIGMOD 1998.)
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace clade::cluster {

// How rows are to be compared. Two images of one basis, a short and a long one, or none.
struct ImagePlan {
  std::vector<double> mean;  // (d)
  double scale = 1;          // power of two that brings all values to about 1: nothing overflows
  int64_t head = 0;          // h of the first image; 0: the rows themselves
  int64_t deep = 0;          // h of the second, > head; 0: none
  int64_t expected = 0;      // rows whose first image will be nearer than the k-th neighbour
  Tensor basis;              // (max(head, deep), d) f64

  int64_t columns() const { return head ? head + 1 : int64_t(mean.size()); }
};

// The plan that a probe finds cheapest for the k nearest `points` of each of `queries`, rows as
// finite_matrix returns them. The data alone decide. Throws Error where distances overflow f32.
ImagePlan plan_images(const char* op, const Tensor& queries, const Tensor& points, int64_t k);

// The rows themselves, centred and scaled, whatever their magnitude up to 1e300, else Error.
ImagePlan plain_images(const char* op, const Tensor& queries, const Tensor& points);

// The images of `count` rows. T: what they are rounded to.
template <class T>
struct Images {
  T* first;  // (count, stride) with plan.columns() <= stride
  int64_t stride;
  double* half;   // (count): half the squared norm of the first image as rounded
  double* slack;  // (count): by how much rounding may have moved the row, both images
  float* second;  // (count, deep + 1), or null
};

// rows (count, d), some hundred at a time. On the calling thread.
template <class S, class T>
void make_images(const ImagePlan& plan, const S* rows, int64_t count, const Images<T>& out);

// The rows of x in an order that keeps near rows together: consecutive runs of `block` rows are the
// leaves of a tree of median cuts along the first axes of the plan's basis, which it must have.
std::vector<int32_t> order_by_place(const ImagePlan& plan, const Tensor& x, int64_t block);

}  // namespace clade::cluster
