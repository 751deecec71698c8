// Numbers and tables for people: aligned columns, thousands apart, fixed digits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace clade::apps {

using Row = std::vector<std::string>;

// Columns are as wide as their widest cell, two blanks apart. align: one 'l' or 'r' a column.
std::string aligned(const std::vector<Row>& rows, const std::string& align);

std::string grouped(int64_t n);                     // 70,000
std::string fixed(double value, int digits = 3);    // 0.944
std::string percent(double share, int digits = 1);  // 4.8 %

}  // namespace clade::apps
