// to_string(): a tensor's values for people, nested and aligned as NumPy and PyTorch print them.
//
//     f32 [2, 3]
//     [[ 1.0000,  2.5000, -3.0000],
//      [ 0.0000,  0.1250,     nan]]
//
// From 1000 elements on only the first and last `edge_items` of each long axis are shown.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tensor/tensor.h"

namespace clade {
namespace {

constexpr int64_t kSummarizeFrom = 1000;
constexpr size_t kColumns = 100;

// One printf pattern for all floats of a tensor, by PyTorch's rule: whole numbers as "3.", others
// with four decimals, in scientific notation where that would hide digits.
const char* pattern_for(const std::vector<double>& values) {
  bool whole = true;
  double least = INFINITY, greatest = 0;
  for (double v : values) {
    if (!std::isfinite(v)) continue;
    whole = whole && v == std::floor(v);
    if (v != 0) least = std::min(least, std::abs(v));
    greatest = std::max(greatest, std::abs(v));
  }
  if (greatest >= 1e8 || (!whole && (least < 1e-4 || greatest >= 1e6))) return "%.4e";
  return whole ? "%.0f." : "%.4f";
}

class Printer {
 public:
  Printer(const View& v, int edge_items) : view_(v), edge_(std::max(edge_items, 1)) {
    collect();
    for (const std::string& cell : cells_) width_ = std::max(width_, cell.size());
  }

  std::string print() {
    print_axis(0);
    return out_;
  }

 private:
  bool summarized(int d) const {
    return view_.numel() >= kSummarizeFrom && view_.shape[d] > 2 * edge_;
  }

  // The cells to show, in the order in which they are printed.
  void collect() {
    if (view_.numel() == 0) return;
    dispatch(view_.dtype, [&](auto zero) {
      using T = decltype(zero);
      std::vector<T> values;
      visit(0, 0, [&](int64_t offset) { values.push_back(view_.as<T>()[offset]); });
      if constexpr (std::is_floating_point_v<T>) {
        const char* pattern = pattern_for({values.begin(), values.end()});
        for (T v : values) cells_.push_back(float_cell(pattern, double(v)));
      } else {
        for (T v : values) cells_.push_back(std::to_string(v));
      }
    });
  }

  static std::string float_cell(const char* pattern, double v) {
    if (std::isnan(v)) return "nan";
    if (std::isinf(v)) return v > 0 ? "inf" : "-inf";
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, pattern, v);
    return buffer;
  }

  template <class Body>
  void visit(int d, int64_t offset, const Body& body) {
    if (d == view_.rank) return body(offset);
    for (int64_t i = 0; i < view_.shape[d]; i++) {
      if (summarized(d) && i == edge_) i = view_.shape[d] - edge_;
      visit(d + 1, offset + i * view_.stride[d], body);
    }
  }

  void print_axis(int d) {
    if (d == view_.rank) {
      out_.append(width_ - cells_[next_].size(), ' ').append(cells_[next_]);
      next_++;
      return;
    }
    out_ += '[';
    int64_t n = view_.numel() ? view_.shape[d] : 0;
    for (int64_t i = 0; i < n; i++) {
      if (i > 0) separate(d, width_);
      if (summarized(d) && i == edge_) {
        out_ += "...";
        separate(d, width_);
        i = n - edge_;
      }
      print_axis(d + 1);
    }
    out_ += ']';
  }

  // Between two items of axis d: cells follow on a line, rows begin one, blocks leave lines free.
  void separate(int d, size_t next) {
    out_ += ',';
    size_t column = out_.size() - (out_.rfind('\n') + 1);  // npos + 1 is 0: the first line
    bool last = d == view_.rank - 1;
    if (last && column + 1 + next + 2 <= kColumns) {
      out_ += ' ';
    } else {
      out_.append(size_t(last ? 1 : view_.rank - 1 - d), '\n').append(size_t(d) + 1, ' ');
    }
  }

  const View& view_;
  int64_t edge_;
  std::vector<std::string> cells_;
  size_t width_ = 0, next_ = 0;
  std::string out_;
};

}  // namespace

std::string to_string(const Tensor& t, int edge_items) {
  if (!t.defined()) return text(t);
  const Tensor on_cpu = t.to(Device::cpu());
  return text(t, "\n", Printer(on_cpu.view(), edge_items).print());
}

}  // namespace clade
