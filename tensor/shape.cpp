#include "tensor/shape.h"

#include <algorithm>
#include <string>

#include "tensor/error.h"

namespace clade {

Shape::Shape(const int64_t* sizes, int rank) {
  if (rank < 0 || rank > kMaxRank)
    fail("Shape", text("at most ", kMaxRank, " axes"), text(rank, " axes"), "join some axes");
  // Empty axes count as 1, so that strides and partial products of any shape stay in range, and
  // 2^60 elements of 8 bytes are still a number of bytes.
  int64_t numel = 1;
  for (int d = 0; d < rank; d++) {
    if (sizes[d] < 0) fail("Shape", "sizes of 0 or more", text("size ", sizes[d], " at axis ", d));
    sizes_[d] = sizes[d];
  }
  rank_ = rank;
  for (int d = 0; d < rank; d++) {
    if (__builtin_mul_overflow(numel, std::max<int64_t>(sizes[d], 1), &numel) ||
        numel > (int64_t{1} << 60))
      fail("Shape", "at most 2^60 elements", text(*this), "use a smaller size");
  }
}

Shape Shape::with(int d, int64_t size) const {
  int64_t sizes[kMaxRank];
  std::copy(begin(), end(), sizes);
  sizes[d] = size;
  return Shape(sizes, rank_);
}

Shape Shape::without(int d) const {
  int64_t sizes[kMaxRank];
  std::copy(begin(), begin() + d, sizes);
  std::copy(begin() + d + 1, end(), sizes + d);
  return Shape(sizes, rank_ - 1);
}

bool Shape::operator==(const Shape& other) const {
  return rank_ == other.rank_ && std::equal(begin(), end(), other.begin());
}

void append(std::string& out, const Shape& shape) {
  out.push_back('[');
  for (int d = 0; d < shape.rank(); d++) {
    if (d) out.append(", ");
    out.append(std::to_string(shape[d]));
  }
  out.push_back(']');
}

Shape broadcast(const char* op, const Shape& a, const Shape& b) {
  int rank = std::max(a.rank(), b.rank());
  int64_t sizes[kMaxRank];
  for (int d = 0; d < rank; d++) {
    int da = d - (rank - a.rank()), db = d - (rank - b.rank());
    int64_t sa = da < 0 ? 1 : a[da], sb = db < 0 ? 1 : b[db];
    if (sa != sb && sa != 1 && sb != 1)
      fail(op, "shapes that broadcast (equal or 1 from the last axis back)", text(a, " and ", b),
           text("axis ", d, " has ", sa, " against ", sb));
    sizes[d] = sa == 1 ? sb : sa;
  }
  return Shape(sizes, rank);
}

}  // namespace clade
