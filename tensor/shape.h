// Shape: up to six sizes, held in place (no allocation), compared and printed as [2, 3, 4].
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

namespace clade {

inline constexpr int kMaxRank = 6;

class Shape {
 public:
  Shape() = default;  // rank 0: one element, a scalar
  // Throws Error when rank > 6, a size is negative or the number of elements exceeds 2^60.
  Shape(std::initializer_list<int64_t> sizes) : Shape(sizes.begin(), int(sizes.size())) {}
  Shape(const int64_t* sizes, int rank);

  int rank() const { return rank_; }
  int64_t operator[](int d) const { return sizes_[d]; }
  int64_t numel() const {
    int64_t n = 1;
    for (int d = 0; d < rank_; d++) n *= sizes_[d];
    return n;
  }
  const int64_t* begin() const { return sizes_; }
  const int64_t* end() const { return sizes_ + rank_; }

  Shape with(int d, int64_t size) const;  // the same shape with size(d) replaced
  Shape without(int d) const;             // axis d dropped
  bool operator==(const Shape& other) const;

 private:
  int64_t sizes_[kMaxRank] = {};
  int rank_ = 0;
};

void append(std::string& out, const Shape& shape);  // "[2, 3, 4]"

// The shape that NumPy broadcasting gives to a and b; throws Error naming `op` when they do not
// fit.
Shape broadcast(const char* op, const Shape& a, const Shape& b);

}  // namespace clade
