// A table of mixed columns as its file has it: numbers, yes and no, words, and holes.
//
// The kind of a column follows from what was observed of it:
//     real         numbers, more than two different ones
//     binary       two different cells, numbers or words
//     categorical  words, at most 30 different ones and no more than half as many as there are
//     left out     anything else (names, identifiers, free text), and columns of one value; their
//                  holes stay holes
// Encoded for a model a row is: the reals, standardised by what was observed; the binaries as 0 and
// 1 (in the natural order of their cells); a block of zeros and a one for each categorical column.
// Missing cells are 0 there, and so is the mask, all over a block.
#pragma once

#include <string>
#include <vector>

#include "data/readers/csv.h"
#include "tensor/tensor.h"

namespace clade::data {

enum class ColumnKind : uint8_t { real, binary, categorical, left_out };

struct MixedColumn {
  std::string name;
  ColumnKind kind = ColumnKind::left_out;
  std::vector<std::string> words;  // of binary and categorical columns, in natural order
  double mean = 0, deviation = 1;  // of real ones
  double low = 0, high = 0;
  bool whole = false;  // all observed numbers were whole: so are those that are filled in
  int64_t at = 0;      // first column of its code
};

struct MixedTable {
  CsvCells cells;
  std::vector<MixedColumn> columns;  // as many as the file has
  Tensor values, mask;               // f32 (n, width)
  int64_t missing = 0;               // cells, those of columns left out not counted
  int64_t reals = 0, binaries = 0;
  std::vector<int64_t> categories;  // words of each categorical column, in the order of their codes
};

struct MixedOptions {
  std::vector<std::string> categorical;  // columns that are codes though they look like numbers
  std::vector<std::string> left_out;     // columns to leave alone: identifiers, known classes
};

// Throws Error on a column name that is not there, and when no column is left.
MixedTable mixed_table(CsvCells cells, const MixedOptions& options = {});

// The cells with every hole of a column in use filled from encoded rows (n, width): a real number
// from its code (whole where the column is, and within what was observed), a word by the largest
// entry of its block (binary: 1/2 and above is the second). Observed cells stay as they were.
CsvCells filled(const MixedTable& table, const Tensor& encoded);

}  // namespace clade::data
