// Which values an option takes, and what is said about the others. Includes CLI11: for the files
// that declare options only.
#pragma once

#include <CLI/CLI.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "apps/cli/usage.h"
#include "tensor/text.h"

namespace clade::apps {

// Numbers in low .. high (not low itself, if `open`); whole ones, or any finite ones.
struct Numbers {
  double low, high = std::numeric_limits<double>::infinity();
  bool whole = true, open = false;
};

struct OneOf {
  std::vector<std::string> words;
};

constexpr double kMostWhole = 0x1p53;  // from here on an f64 does not hold every whole number

inline CLI::Validator validator(const Numbers& limit) {
  auto check = [limit](std::string& given) -> std::string {
    std::string wanted = limit.whole ? "a whole number" : "a number";
    if (std::isfinite(limit.high))
      wanted.append(text(limit.open ? " above " : " from ", limit.low, " to ", limit.high));
    else if (std::isfinite(limit.low))
      wanted.append(text(limit.open ? " above " : " of at least ", limit.low));
    char* end = nullptr;
    const double value = std::strtod(given.c_str(), &end);
    const bool number = !given.empty() && *end == 0 && std::isfinite(value);
    const bool too_long = limit.whole && number && std::abs(value) >= kMostWhole;
    if (too_long && std::isinf(limit.high)) wanted.append(" and below 2^53 = 9007199254740992");
    const bool fits =
        number && value <= limit.high && (limit.open ? value > limit.low : value >= limit.low) &&
        (!limit.whole || (value == std::floor(value) && !too_long &&
                          given.find_first_not_of("+-0123456789") == std::string::npos));
    return fits ? "" : text("expected ", wanted, "; got '", given, "'");
  };
  return CLI::Validator(check, "");
}

inline CLI::Validator validator(const OneOf& limit) {
  std::string listed;
  for (const std::string& word : limit.words)
    listed.append(listed.empty() ? "" : ", ").append(word);
  auto check = [limit, listed](std::string& given) -> std::string {
    for (const std::string& word : limit.words)
      if (word == given) return "";
    const std::string best = nearest(given, limit.words);
    return text("expected ", limit.words.size() > 1 ? "one of " : "", listed, "; got '", given, "'",
                best.empty() ? "" : text("; did you mean ", best, "?"));
  };
  return CLI::Validator(check, "");
}

}  // namespace clade::apps
