// Cutting text into lines, words and numbers, for the readers of text formats.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

namespace clade::data {

inline std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t' || s.front() == '\r'))
    s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r'))
    s.remove_suffix(1);
  return s;
}

// Cuts the next line, without its end, off the front of `rest`.
inline std::string_view take_line(std::string_view& rest) {
  const size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

// Cuts the next word, which blanks or tabs end, off the front of `rest`; empty when there is none.
inline std::string_view take_word(std::string_view& rest) {
  const size_t begin = std::min(rest.find_first_not_of(" \t"), rest.size());
  const size_t end = std::min(rest.find_first_of(" \t", begin), rest.size());
  std::string_view word = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return word;
}

// Whether a decimal number that no f64 can hold is too small, not too large: its first digit other
// than 0 stands, exponent counted, behind the point.
inline bool is_tiny(std::string_view word) {
  const size_t end = std::min(word.find_first_of("eE"), word.size());
  const std::string_view digits = word.substr(0, end);
  std::string_view power = word.substr(std::min(end + 1, word.size()));
  if (power.starts_with('+')) power.remove_prefix(1);
  int64_t exponent = 0;
  const auto [rest, problem] = std::from_chars(power.data(), power.data() + power.size(), exponent);
  if (problem == std::errc::result_out_of_range) return power.starts_with('-');
  const auto point = int64_t(std::min(digits.find('.'), digits.size()));
  const auto first = int64_t(digits.find_first_of("123456789"));
  return double(exponent) + double(point - first) < 0;
}

// The whole of `word` as a finite number that f32 can hold, in C's notation and no locale's. What
// is too small for it is 0.
inline std::optional<float> to_number(std::string_view word) {
  if (word.starts_with('+') && !word.starts_with("+-")) word.remove_prefix(1);
  double value = 0;
  auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (end != word.data() + word.size()) return std::nullopt;
  if (problem == std::errc::result_out_of_range && is_tiny(word)) return 0.0f;
  if (problem != std::errc()) return std::nullopt;
  const float number = float(value);
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

// The whole of `word` as a decimal integer.
inline std::optional<int64_t> to_integer(std::string_view word) {
  int64_t value = 0;
  auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (problem != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

}  // namespace clade::data
