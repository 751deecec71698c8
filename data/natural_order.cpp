#include "data/natural_order.h"

namespace clade::data {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Cuts the run of digits off the front of `s` and returns it without leading zeros.
std::string_view take_number(std::string_view& s) {
  size_t end = 0;
  while (end < s.size() && is_digit(s[end])) end++;
  std::string_view digits = s.substr(0, end);
  s.remove_prefix(end);
  while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
  return digits;
}

}  // namespace

bool natural_less(std::string_view a, std::string_view b) {
  std::string_view x = a, y = b;
  while (!x.empty() && !y.empty()) {
    if (is_digit(x[0]) && is_digit(y[0])) {
      std::string_view m = take_number(x), n = take_number(y);
      if (m.size() != n.size()) return m.size() < n.size();
      if (m != n) return m < n;
    } else {
      if (x[0] != y[0]) return x[0] < y[0];
      x.remove_prefix(1), y.remove_prefix(1);
    }
  }
  return x.empty() && y.empty() ? a < b : x.empty();
}

}  // namespace clade::data
