#include "data/mixed_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "data/natural_order.h"
#include "data/readers/scan.h"

namespace clade::data {
namespace {

constexpr size_t kMostWords = 30;

// Different observed cells of a column, in natural order.
std::vector<std::string> different(const CsvCells& cells, size_t column, size_t* observed) {
  std::vector<std::string> words;
  for (const auto& row : cells.rows)
    if (!is_missing_cell(row[column])) words.push_back(row[column]);
  *observed = words.size();
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  std::sort(words.begin(), words.end(),
            [](const std::string& a, const std::string& b) { return natural_less(a, b); });
  return words;
}

ColumnKind kind_of(const std::vector<std::string>& words, size_t observed, bool categorical) {
  const bool numbers = std::all_of(words.begin(), words.end(), [](const std::string& word) {
    return to_number(word).has_value();
  });
  if (words.size() < 2) return ColumnKind::left_out;
  if (words.size() == 2) return ColumnKind::binary;
  if (numbers && !categorical) return ColumnKind::real;
  const bool few = words.size() <= kMostWords && 2 * words.size() <= observed;
  return few || categorical ? ColumnKind::categorical : ColumnKind::left_out;
}

void measure(const CsvCells& cells, size_t column, MixedColumn& c) {
  std::vector<double> numbers;
  for (const auto& row : cells.rows)
    if (!is_missing_cell(row[column])) numbers.push_back(double(*to_number(row[column])));
  double sum = 0, squares = 0;
  for (double v : numbers) sum += v;
  c.mean = sum / double(numbers.size());
  for (double v : numbers) squares += (v - c.mean) * (v - c.mean);
  c.deviation = std::sqrt(squares / double(numbers.size()));
  if (!(c.deviation > 0)) c.deviation = 1;  // different words of one number: 1 and 1.0
  c.low = *std::min_element(numbers.begin(), numbers.end());
  c.high = *std::max_element(numbers.begin(), numbers.end());
  c.whole =
      std::all_of(numbers.begin(), numbers.end(), [](double v) { return v == std::round(v); });
}

size_t place_of(const std::vector<std::string>& words, const std::string& word) {
  return size_t(std::find(words.begin(), words.end(), word) - words.begin());
}

// The shortest text that reads back as the f32.
std::string written(const MixedColumn& c, double value) {
  value = std::clamp(value, c.low, c.high);
  if (c.whole) return std::to_string(std::llround(value));
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, float(value)).ptr;
  return {digits, end};
}

}  // namespace

MixedTable mixed_table(CsvCells cells, const MixedOptions& options) {
  MixedTable t;
  t.cells = std::move(cells);
  const size_t count = t.cells.columns.size();
  auto chosen = [&](const std::vector<std::string>& names) {
    std::vector<bool> out(count, false);
    for (const std::string& name : names) out[find_csv_column(t.cells.columns, name)] = true;
    return out;
  };
  const std::vector<bool> categorical = chosen(options.categorical),
                          left_out = chosen(options.left_out);
  for (size_t j = 0; j < count; j++) {
    MixedColumn c;
    c.name = t.cells.columns[j];
    if (!left_out[j]) {
      size_t observed = 0;
      c.words = different(t.cells, j, &observed);
      c.kind = kind_of(c.words, observed, categorical[j]);
    }
    if (c.kind == ColumnKind::real) measure(t.cells, j, c), t.reals++;
    if (c.kind == ColumnKind::binary) t.binaries++;
    if (c.kind == ColumnKind::categorical) t.categories.push_back(int64_t(c.words.size()));
    if (c.kind == ColumnKind::real || c.kind == ColumnKind::left_out) c.words.clear();
    t.columns.push_back(std::move(c));
  }
  int64_t real = 0, binary = t.reals, category = t.reals + t.binaries;
  for (MixedColumn& c : t.columns) {
    if (c.kind == ColumnKind::real) c.at = real++;
    if (c.kind == ColumnKind::binary) c.at = binary++;
    if (c.kind == ColumnKind::categorical) c.at = category, category += int64_t(c.words.size());
  }
  if (category == 0)
    fail("table", "a column of numbers, of two values or of few words",
         text("none among ", count, " columns"));

  const int64_t n = int64_t(t.cells.rows.size());
  t.values = Tensor::zeros({n, category});
  t.mask = Tensor::zeros({n, category});
  for (int64_t i = 0; i < n; i++)
    for (size_t j = 0; j < count; j++) {
      const MixedColumn& c = t.columns[j];
      if (c.kind == ColumnKind::left_out) continue;
      const std::string& cell = t.cells.rows[size_t(i)][j];
      if (is_missing_cell(cell)) {
        t.missing++;
        continue;
      }
      float* value = t.values.data<float>() + i * category + c.at;
      float* seen = t.mask.data<float>() + i * category + c.at;
      std::fill_n(seen, c.kind == ColumnKind::categorical ? c.words.size() : 1, 1.0f);
      if (c.kind == ColumnKind::real)
        *value = float((double(*to_number(cell)) - c.mean) / c.deviation);
      else if (c.kind == ColumnKind::binary)
        *value = float(place_of(c.words, cell));
      else
        value[place_of(c.words, cell)] = 1;
    }
  return t;
}

CsvCells filled(const MixedTable& t, const Tensor& encoded) {
  if (!(encoded.shape() == t.values.shape()))
    fail("filled", text("encoded rows ", t.values.shape()), text(encoded));
  const Tensor rows = encoded.contiguous();
  CsvCells out = t.cells;
  for (size_t i = 0; i < out.rows.size(); i++)
    for (size_t j = 0; j < t.columns.size(); j++) {
      const MixedColumn& c = t.columns[j];
      std::string& cell = out.rows[i][j];
      if (c.kind == ColumnKind::left_out || !is_missing_cell(cell)) continue;
      const float* code = rows.data<float>() + int64_t(i) * rows.size(1) + c.at;
      if (c.kind == ColumnKind::real)
        cell = written(c, double(*code) * c.deviation + c.mean);
      else if (c.kind == ColumnKind::binary)
        cell = c.words[*code >= 0.5f];
      else
        cell = c.words[size_t(std::max_element(code, code + c.words.size()) - code)];
    }
  return out;
}

}  // namespace clade::data
