// Natural order of names: runs of digits compare by value, so obj2 stands before obj10.
#pragma once

#include <string_view>

namespace clade::data {

// A strict total order: names that differ only in leading zeros fall back to plain comparison.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace clade::data
