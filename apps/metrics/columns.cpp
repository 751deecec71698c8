#include "apps/metrics/columns.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "apps/cli/usage.h"
#include "data/labels.h"
#include "tensor/file.h"
#include "tensor/npy.h"

namespace clade::apps {
namespace {

constexpr const char* kOp = "metrics";

// Cells of one line, separated by commas, semicolons or tabs; quotes as in RFC 4180.
std::vector<std::string> cells_of(std::string_view line, char separator) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); i++) {
    const char c = line[i];
    if (c == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"')
        cells.back().push_back(line[++i]);
      else
        quoted = !quoted;
    } else if (c == separator && !quoted) {
      cells.emplace_back();
    } else if (c != '\r') {
      cells.back().push_back(c);
    }
  }
  return cells;
}

bool parse(const std::string& word, int32_t& value) {
  auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
  return problem == std::errc() && end == word.data() + word.size();
}

size_t find_column(const std::vector<std::string>& header, std::string wanted,
                   const std::string& file) {
  if (wanted.empty() && header.size() == 1) return 0;
  auto has = [&](const char* name) { return std::count(header.begin(), header.end(), name) > 0; };
  if (wanted.empty() && header[0] == "row")  // the labels.csv of a run or of one method
    for (const char* method : {"kmeans", "hdbscan", "gmm"})
      if (has(method)) wanted = method;
  if (wanted.empty() && header[0] == "row" && header.size() == 2) return 1;
  for (size_t c = 0; c < header.size(); c++)
    if (header[c] == wanted) return c;
  int32_t number = 0;
  if (parse(wanted, number) && number >= 1 && size_t(number) <= header.size())
    return size_t(number - 1);
  const std::string best = nearest(wanted, header);
  fail(
      kOp, text("a column of ", file, ": ", header),
      wanted.empty() ? "none" : text("'", wanted, "'"),
      best.empty() ? text("write ", file, ":COLUMN") : text("did you mean ", file, ":", best, "?"));
}

// Words as i32: numbers if all are, else classes in natural order.
Column to_labels(const std::string& name, const std::vector<std::string>& words) {
  std::vector<int32_t> ids(words.size(), -1);
  Column out{name, {}, {}};
  bool numbers = true;
  for (size_t i = 0; i < words.size(); i++) {
    out.known.push_back(!words[i].empty());
    numbers = numbers && (words[i].empty() || parse(words[i], ids[i]));
  }
  out.labels =
      numbers ? Tensor::from(ids, {int64_t(ids.size())}) : data::Labels::from_words(words).ids();
  return out;
}

Column from_table(const std::string& file, const std::string& column) {
  const std::string content = read_file(file);
  std::string_view rest = content;
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);  // the UTF-8 mark of spreadsheets
  auto next_line = [&rest] {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
  };
  const std::string_view first = next_line();
  const char separator = first.find('\t') != std::string_view::npos  ? '\t'
                         : first.find(';') != std::string_view::npos ? ';'
                                                                     : ',';
  auto header = cells_of(first, separator);
  int32_t ignored = 0;
  bool has_header =
      std::none_of(header.begin(), header.end(), [&](const auto& c) { return parse(c, ignored); });
  const size_t width = header.size(), at = find_column(header, column, file);

  std::vector<std::string> words;
  for (size_t line = 2; !rest.empty(); line++) {
    const std::string_view content_of_line = next_line();
    if (width > 1 && content_of_line.empty()) continue;
    const auto cells = cells_of(content_of_line, separator);
    if (cells.size() != width)
      fail(kOp, text(width, " cells in line ", line, " of ", file), text(cells.size()),
           "mend the line");
    words.push_back(cells[at]);
  }
  if (column != header[at] && std::count(words.begin(), words.end(), header[at]))
    has_header = false;
  if (!has_header) words.insert(words.begin(), header[at]);
  if (words.empty()) fail(kOp, text("rows in ", file), "none");
  return to_labels(has_header  ? file + ":" + header[at]
                   : width > 1 ? text(file, ":", at + 1)
                               : file,
                   words);
}

Column from_npy(const std::string& file, const std::string& column) {
  Tensor t = load_npy(file);
  if (t.rank() == 2) {
    std::vector<std::string> numbers;
    for (int64_t c = 1; c <= t.size(1); c++) numbers.push_back(std::to_string(c));
    t = t.select(1, int64_t(find_column(numbers, column, file)));
  }
  if (t.rank() != 1 || t.numel() == 0) fail(kOp, text("one label a row in ", file), text(t));
  if (is_floating(t.dtype()))
    fail(kOp, text("whole numbers in ", file), text(t), "save it with .astype('int32')");
  for (int64_t label : t.to_vector<int64_t>())
    if (label != int32_t(label)) fail(kOp, text("labels that i32 holds in ", file), text(label));
  return {column.empty() ? file : file + ":" + column, t.to(DType::i32).contiguous(),
          std::vector<bool>(size_t(t.numel()), true)};
}

}  // namespace

Column read_labels(const std::string& given) {
  std::string file = given, column;
  if (const size_t colon = given.rfind(':');
      colon != std::string::npos && !std::filesystem::exists(given))
    file = given.substr(0, colon), column = given.substr(colon + 1);
  const bool npy = file.size() > 4 && file.compare(file.size() - 4, 4, ".npy") == 0;
  return npy ? from_npy(file, column) : from_table(file, column);
}

}  // namespace clade::apps
