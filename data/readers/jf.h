// JF, the text format of USPS (https://www-i6.informatik.rwth-aachen.de/~keysers/usps.html), plain
// or gzip.
//
//     classes features        one line
//     label value ... value   one line a row, label 0 .. classes - 1
//     -1                      the last line
#pragma once

#include <string>
#include <string_view>

#include "data/dataset.h"

namespace clade::data {

// A table of the values as they stand; classes are named by their numbers. `file` names the bytes
// in messages. Throws Error, with the line, on anything else.
Dataset parse_jf(std::string_view bytes, const std::string& file);
Dataset load_jf(const std::string& path);

}  // namespace clade::data
