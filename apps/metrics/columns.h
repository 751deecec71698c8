// Labels out of a file: FILE or FILE:COLUMN, where FILE is .npy (one integer a row) or a table.
#pragma once

#include <string>

#include "tensor/tensor.h"

namespace clade::apps {

// (n) i32. Whole numbers stay as they are (-1 is noise, or unknown); an empty cell is -1; words are
// numbered in natural order. COLUMN is a name of the first line or a number from 1; a table of one
// column needs none. Throws Error on files and columns that are not there, and on numbers that are
// not whole.
Tensor read_labels(const std::string& file_and_column);

}  // namespace clade::apps
