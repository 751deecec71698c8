// CSV and its kin: numbers in columns, separated by comma, semicolon, tab or blanks, plain or gzip.
//
// A cell that is empty or reads ?, NA, N/A, NaN or null (in any case) is missing: mask 0, value 0.
// Among labels only the empty cell and ?, the mark of the UCI data sets, are unknown: a class may
// be named NA. A number too small for f32 is 0; one too large is refused. Cells may be quoted as in
// RFC 4180, but not run over lines. Blank lines are skipped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace clade::data {

struct CsvOptions {
  // ',' ';' '\t', or ' ' for runs of blanks and tabs; 0: tab, else semicolon, else comma, else
  // blanks, whichever the first line has.
  char separator = 0;
  // automatic: the first line is a header when it has words and no number.
  enum class Header { automatic, yes, no } header = Header::automatic;
  // A column by its name in the header, or by its number: 1 is the first, -1 the last. A name that
  // two columns have is an error.
  std::string label_column = {};               // its cells, of any kind, become labels; "": none
  std::vector<std::string> drop_columns = {};  // ids and the like
  // > 0: that many columns should remain, and of the columns above those that are named and not
  // there are passed over; those that are numbered only together.
  int64_t values = 0;
};

// A table (N, D) of the remaining columns, named by the header or else by their numbers in the
// file. `file` names the bytes in messages. Throws Error, with line and column, on rows of other
// lengths, on cells that are neither numbers nor missing, and on no rows or columns.
Dataset parse_csv(std::string_view bytes, const std::string& file, const CsvOptions& options = {});
Dataset load_csv(const std::string& path, const CsvOptions& options = {});

// A table of cells as they stand, for files that are not all numbers.
struct CsvCells {
  char separator = ',';                        // ' ' stands for runs of blanks
  bool header = false;                         // whether the first line names the columns
  std::vector<std::string> columns;            // names, or numbers in the file
  std::vector<std::vector<std::string>> rows;  // each as long as `columns`
};

// Options: separator and header. A first line of words alone is a header where a line below has a
// number; else give Header. Throws Error as parse_csv, but for what stands in the cells.
CsvCells parse_csv_cells(std::string_view bytes, const std::string& file,
                         const CsvOptions& options = {});
CsvCells load_csv_cells(const std::string& path, const CsvOptions& options = {});
// The table as a file: a header where it has one, cells quoted where they must be.
std::string csv_text(const CsvCells& cells);
// Whether the cell says that its value is not known.
bool is_missing_cell(std::string_view cell);
// Of a column by its name, or its number from 1 (-1: the last). Throws Error where there is none.
size_t find_csv_column(const std::vector<std::string>& columns, const std::string& wanted);

}  // namespace clade::data
