#include "data/readers/csv.h"

#include <algorithm>
#include <cctype>

#include "data/readers/gzip.h"
#include "data/readers/scan.h"

namespace clade::data {
namespace {

using Cells = std::vector<std::string_view>;

// A class may well be named NA (Namibia) or null: only what cannot be a name is unknown.
bool is_unknown_label(std::string_view cell) { return cell.empty() || cell == "?"; }

bool is_number(std::string_view cell) { return to_number(cell).has_value(); }

// A cell as a word: inside of quotes, "" stands for one quote.
std::string word_of(std::string_view cell) {
  std::string word(cell);
  for (size_t at = 0; (at = word.find("\"\"", at)) != std::string::npos; at++) word.erase(at, 1);
  return word;
}

char find_separator(std::string_view line) {
  bool quoted = false;
  std::string outside;  // of quotes
  for (char c : line) {
    if (c == '"') quoted = !quoted;
    if (!quoted) outside.push_back(c);
  }
  for (char separator : {'\t', ';', ','})
    if (outside.find(separator) != std::string::npos) return separator;
  return ' ';
}

// The lines that are not blank, and where we are among them.
class Lines {
 public:
  Lines(std::string_view bytes, const std::string& file) : rest_(bytes), file_(file) {}

  bool next() {
    while (!rest_.empty()) {
      line_ = take_line(rest_);
      number_++;
      if (!trimmed(line_).empty()) return true;
    }
    return false;
  }
  std::string_view line() const { return line_; }
  std::string where() const { return text("line ", number_, " of ", file_); }

 private:
  std::string_view rest_, line_;
  const std::string& file_;
  int64_t number_ = 0;
};

// Cuts a quoted cell, its quotes left out, off the front of `rest`.
std::string_view take_quoted(std::string_view& rest, const Lines& lines) {
  size_t end = 1;
  while ((end = rest.find('"', end)) != std::string_view::npos && rest.substr(end, 2) == "\"\"")
    end += 2;
  if (end == std::string_view::npos)
    fail("csv", text("a closing quote in ", lines.where()), "none",
         "a quoted cell may not run over lines");
  const std::string_view cell = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  return cell;
}

// The cells of the line into `cells`, blanks around them and quotes removed.
void split(const Lines& lines, char separator, Cells& cells) {
  cells.clear();
  std::string_view rest = trimmed(lines.line());
  if (separator == '\t') rest = lines.line();  // an empty first or last cell is a cell
  const std::string_view ends = separator == ' ' ? " \t" : std::string_view(&separator, 1);
  while (true) {
    rest.remove_prefix(
        std::min(rest.find_first_not_of(separator == '\t' ? " " : " \t"), rest.size()));
    if (rest.starts_with('"')) {
      cells.push_back(take_quoted(rest, lines));
      const size_t end = std::min(rest.find_first_of(ends), rest.size());
      if (!trimmed(rest.substr(0, end)).empty())
        fail("csv", text("a separator after the quoted cell in ", lines.where()),
             text("\"", rest.substr(0, std::min<size_t>(end, 20)), "\""));
      rest.remove_prefix(end);
    } else {
      const size_t end = std::min(rest.find_first_of(ends), rest.size());
      cells.push_back(trimmed(rest.substr(0, end)));
      rest.remove_prefix(end);
    }
    if (rest.empty()) return;
    rest.remove_prefix(1);
  }
}

bool is_header(const Cells& cells, CsvOptions::Header header) {
  if (header != CsvOptions::Header::automatic) return header == CsvOptions::Header::yes;
  return std::none_of(cells.begin(), cells.end(), is_number) &&
         !std::all_of(cells.begin(), cells.end(), is_missing_cell);
}

// What each column of the file is for.
struct Columns {
  std::vector<std::string> names;
  std::vector<size_t> kept;
  size_t label = SIZE_MAX;
};

size_t find_column(const std::vector<std::string>& names, const std::string& wanted,
                   const std::string& file) {
  const auto named = std::find(names.begin(), names.end(), wanted);
  if (named != names.end()) {
    const auto again = std::find(named + 1, names.end(), wanted);
    if (again != names.end())
      fail("csv", text("one column named \"", wanted, "\" in ", file),
           text("columns ", named - names.begin() + 1, " and ", again - names.begin() + 1),
           "choose it by its number");
    return size_t(named - names.begin());
  }
  const int64_t count = int64_t(names.size());
  const int64_t number = to_integer(wanted).value_or(0);
  if (number >= 1 && number <= count) return size_t(number - 1);
  if (number <= -1 && number >= -count) return size_t(count + number);
  std::vector<std::string> some(names.begin(), names.begin() + std::min<int64_t>(count, 20));
  fail("csv",
       text("the name of a column of ", file, ", or a number in 1 .. ", count, " (-1 is the last)"),
       text("\"", wanted, "\""),
       text(count > 20 ? "the first columns are " : "its columns are ", some));
}

Columns columns_of(const Cells& first, bool header, const std::string& file,
                   const CsvOptions& options) {
  Columns columns;
  for (size_t i = 0; i < first.size(); i++)
    columns.names.push_back(header && !first[i].empty() ? word_of(first[i])
                                                        : std::to_string(i + 1));
  std::vector<bool> taken(first.size());
  auto named = [&](const std::string& wanted) {
    return header &&
           std::find(columns.names.begin(), columns.names.end(), wanted) != columns.names.end();
  };
  auto passed_over = [&](const std::string& wanted) {
    if (options.values == 0 || named(wanted)) return false;
    return !to_integer(wanted) || int64_t(first.size()) == options.values;
  };
  for (const std::string& wanted : options.drop_columns)
    if (!passed_over(wanted)) taken[find_column(columns.names, wanted, file)] = true;
  if (!options.label_column.empty() && !passed_over(options.label_column)) {
    columns.label = find_column(columns.names, options.label_column, file);
    taken[columns.label] = true;
  }
  for (size_t i = 0; i < first.size(); i++)
    if (!taken[i]) columns.kept.push_back(i);
  if (columns.kept.empty())
    fail("csv", text("a column of numbers in ", file),
         text(first.size(), " columns, all of them labels or dropped"));
  return columns;
}

// A cell as it must be written, that it is read back whole.
std::string quoted(const std::string& cell, char separator) {
  const bool plain = cell.find_first_of(" \t\"") == std::string::npos &&
                     cell.find(separator) == std::string::npos &&
                     !(cell.empty() && separator == ' ');
  if (plain) return cell;
  std::string out = "\"";
  for (char c : cell) out.append(c == '"' ? "\"\"" : std::string(1, c));
  return out + "\"";
}

}  // namespace

bool is_missing_cell(std::string_view cell) {
  if (cell.empty() || cell == "?") return true;
  if (cell.size() > 4) return false;
  std::string lower(cell);
  for (char& c : lower) c = char(std::tolower(static_cast<unsigned char>(c)));
  return lower == "na" || lower == "n/a" || lower == "nan" || lower == "null";
}

size_t find_csv_column(const std::vector<std::string>& columns, const std::string& wanted) {
  return find_column(columns, wanted, "the table");
}

CsvCells parse_csv_cells(std::string_view bytes, const std::string& file,
                         const CsvOptions& options) {
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  Lines lines(bytes, file);
  if (!lines.next()) fail("csv", text("a table in ", file), "an empty file");
  CsvCells out;
  out.separator = options.separator ? options.separator : find_separator(lines.line());
  Cells cells;
  std::vector<std::vector<std::string>> rows;
  bool numbers = false;  // below the first line
  do {
    split(lines, out.separator, cells);
    if (!rows.empty() && cells.size() != rows[0].size())
      fail("csv", text(rows[0].size(), " cells in ", lines.where(), ", as in its first line"),
           text(cells.size()));
    std::vector<std::string> row;
    for (std::string_view cell : cells) row.push_back(word_of(cell));
    numbers = numbers || (!rows.empty() && std::any_of(cells.begin(), cells.end(), is_number));
    rows.push_back(std::move(row));
  } while (lines.next());

  const Cells first(rows[0].begin(), rows[0].end());
  const bool automatic = options.header == CsvOptions::Header::automatic;
  out.header = is_header(first, options.header) && (numbers || !automatic);
  for (size_t j = 0; j < rows[0].size(); j++)
    out.columns.push_back(out.header && !rows[0][j].empty() ? rows[0][j] : std::to_string(j + 1));
  if (out.header) rows.erase(rows.begin());
  if (rows.empty()) fail("csv", text("one row or more in ", file), "a header alone");
  out.rows = std::move(rows);
  return out;
}

CsvCells load_csv_cells(const std::string& path, const CsvOptions& options) {
  return parse_csv_cells(read_unpacked(path), path, options);
}

std::string csv_text(const CsvCells& cells) {
  std::string out;
  auto add_line = [&](const std::vector<std::string>& row) {
    for (size_t j = 0; j < row.size(); j++) {
      if (j) out.push_back(cells.separator);
      out.append(quoted(row[j], cells.separator));
    }
    out.push_back('\n');
  };
  if (cells.header) add_line(cells.columns);
  for (const auto& row : cells.rows) add_line(row);
  return out;
}

Dataset parse_csv(std::string_view bytes, const std::string& file, const CsvOptions& options) {
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);  // the UTF-8 mark of spreadsheets
  Lines lines(bytes, file);
  if (!lines.next()) fail("csv", text("a table in ", file), "an empty file");
  const char separator = options.separator ? options.separator : find_separator(lines.line());
  Cells cells;
  split(lines, separator, cells);
  const bool header = is_header(cells, options.header);
  const Columns columns = columns_of(cells, header, file, options);

  std::vector<float> values, mask;
  std::vector<std::string> labels;
  int64_t rows = 0;
  bool complete = true;
  for (bool more = !header || lines.next(); more; more = lines.next()) {
    split(lines, separator, cells);
    if (cells.size() != columns.names.size())
      fail("csv", text(columns.names.size(), " cells in ", lines.where(), ", as in its first line"),
           text(cells.size()));
    for (size_t column : columns.kept) {
      const std::string_view cell = cells[column];
      const bool missing = is_missing_cell(cell);
      const auto value = missing ? 0.0f : to_number(cell);
      if (!value)
        fail("csv",
             text("a finite number, or nothing, ?, NA or NaN where it is missing, in column ",
                  column + 1, " (", columns.names[column], "), ", lines.where()),
             text("\"", cell.substr(0, 40), "\""),
             "choose such a column for the labels (--label-column) or drop it (--drop-columns)");
      values.push_back(*value);
      mask.push_back(missing ? 0.0f : 1.0f);
      complete = complete && !missing;
    }
    if (columns.label != SIZE_MAX) {
      const std::string_view cell = cells[columns.label];
      labels.push_back(is_unknown_label(cell) ? std::string() : word_of(cell));
    }
    rows++;
  }
  if (rows == 0) fail("csv", text("one row or more in ", file), "a header alone");

  Dataset d;
  d.name = file;
  const Shape shape = {rows, int64_t(columns.kept.size())};
  d.values = Tensor::from(values, shape);
  if (!complete) d.mask = Tensor::from(mask, shape);
  if (!labels.empty()) d.labels = Labels::from_words(labels);
  for (size_t column : columns.kept) d.columns.push_back(columns.names[column]);
  return d;
}

Dataset load_csv(const std::string& path, const CsvOptions& options) {
  return parse_csv(read_unpacked(path), path, options);
}

}  // namespace clade::data
