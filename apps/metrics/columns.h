// Labels out of a file: FILE or FILE:COLUMN, where FILE is .npy (one integer a row) or a table.
#pragma once

#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace clade::apps {

struct Column {
  std::string name;         // FILE or FILE:COLUMN, with the column that was taken
  Tensor labels;            // (n) i32
  std::vector<bool> known;  // false: an empty cell
};

// Whole numbers stay as they are (-1 is noise); words are numbered in natural order. COLUMN is a
// name of the first line or a number from 1; a table of one column (beside `row`) needs none, and
// of a labels.csv it is gmm or, where there is none, hdbscan or kmeans. The first line is a header
// when none of its cells is a number and the column does not repeat its word. Throws Error on files
// and columns that are not there, and on numbers that are not whole.
Column read_labels(const std::string& file_and_column);

}  // namespace clade::apps
