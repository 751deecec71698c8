#include "apps/cli/table.h"

#include <algorithm>
#include <cstdio>

namespace clade::apps {
namespace {

// Characters, not bytes: UTF-8 continuation bytes (10xxxxxx) take no room.
size_t width(const std::string& s) {
  return size_t(std::count_if(s.begin(), s.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string aligned(const std::vector<Row>& rows, const std::string& align) {
  std::vector<size_t> widths(align.size());
  for (const Row& row : rows)
    for (size_t c = 0; c < row.size(); c++) widths[c] = std::max(widths[c], width(row[c]));
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); c++) {
      const size_t room = widths[c] - width(row[c]);
      if (c) line.append("  ");
      if (align[c] == 'r') line.append(room, ' ');
      line.append(row[c]);
      if (align[c] == 'l') line.append(room, ' ');
    }
    out.append(line, 0, line.find_last_not_of(' ') + 1).push_back('\n');
  }
  return out;
}

std::string grouped(int64_t n) {
  const std::string digits = std::to_string(n);
  std::string out;
  for (size_t i = 0; i < digits.size(); i++) {
    const size_t left = digits.size() - i;
    if (left % 3 == 0 && !out.empty() && out != "-") out.push_back(',');
    out.push_back(digits[i]);
  }
  return out;
}

std::string fixed(double value, int digits) {
  char out[40];
  std::snprintf(out, sizeof out, "%.*f", digits, value);
  return out;
}

std::string percent(double share, int digits) {
  std::string out = fixed(100 * share, digits);
  return out.append(" %");
}

}  // namespace clade::apps
