#include "clustering/metrics/contingency.h"

#include <algorithm>

namespace clade::cluster {
namespace {

// Where a table of so many places takes no more memory than n labels, counting replaces sorting.
bool is_small(int64_t places, int64_t n) { return places <= n + 1024; }

// Replaces each label by its position among the distinct labels, which are returned in order.
std::vector<int32_t> number_labels(std::vector<int32_t>* labels) {
  const auto [low, high] = std::minmax_element(labels->begin(), labels->end());
  const int64_t least = *low, places = int64_t{*high} - least + 1;
  if (is_small(places, int64_t(labels->size()))) {
    std::vector<int32_t> position(size_t(places), 0), distinct;
    for (int32_t l : *labels) position[size_t(l - least)] = 1;
    for (size_t p = 0; p < position.size(); p++) {
      if (!position[p]) continue;
      position[p] = int32_t(distinct.size());
      distinct.push_back(int32_t(least + int64_t(p)));
    }
    for (int32_t& l : *labels) l = position[size_t(l - least)];
    return distinct;
  }
  std::vector<int32_t> distinct = *labels;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (int32_t& l : *labels)
    l = int32_t(std::lower_bound(distinct.begin(), distinct.end(), l) - distinct.begin());
  return distinct;
}

// The cells of the table that are not empty, by row, then column.
std::vector<Contingency::Cell> count_cells(const std::vector<int32_t>& row,
                                           const std::vector<int32_t>& column, int64_t rows,
                                           int64_t columns) {
  std::vector<Contingency::Cell> cells;
  if (is_small(rows * columns, int64_t(row.size()))) {
    std::vector<int64_t> count(size_t(rows * columns), 0);
    for (size_t i = 0; i < row.size(); i++) count[size_t(row[i] * columns + column[i])]++;
    for (int64_t r = 0; r < rows; r++)
      for (int64_t c = 0; c < columns; c++)
        if (count[size_t(r * columns + c)])
          cells.push_back({int32_t(r), int32_t(c), count[size_t(r * columns + c)]});
    return cells;
  }
  std::vector<int64_t> pairs(row.size());
  for (size_t i = 0; i < pairs.size(); i++) pairs[i] = int64_t(row[i]) << 32 | column[i];
  std::sort(pairs.begin(), pairs.end());
  for (size_t i = 0; i < pairs.size(); i++) {
    if (i == 0 || pairs[i] != pairs[i - 1])
      cells.push_back({int32_t(pairs[i] >> 32), int32_t(pairs[i] & 0xffffffff), 0});
    cells.back().count++;
  }
  return cells;
}

void check_labels(const char* op, const char* name, const Tensor& labels) {
  if (!labels.defined() || labels.rank() != 1 || labels.dtype() != DType::i32 ||
      labels.numel() == 0 || !labels.device().is_cpu())
    fail(op, text(name, " (n) of i32 on the CPU with n >= 1"), text(labels));
}

}  // namespace

Contingency contingency(const char* op, const Tensor& truth, const Tensor& predicted) {
  check_labels(op, "true labels", truth);
  check_labels(op, "predicted labels", predicted);
  if (truth.numel() != predicted.numel())
    fail(op, text("as many predicted labels as true ones, ", truth.numel()),
         text(predicted.numel()));

  Contingency table;
  table.n = truth.numel();
  std::vector<int32_t> row = truth.to_vector<int32_t>(), column = predicted.to_vector<int32_t>();
  table.row_labels = number_labels(&row);
  table.column_labels = number_labels(&column);
  table.row_sums.assign(table.row_labels.size(), 0);
  table.column_sums.assign(table.column_labels.size(), 0);

  for (size_t i = 0; i < row.size(); i++) {
    table.row_sums[size_t(row[i])]++;
    table.column_sums[size_t(column[i])]++;
  }
  table.cells =
      count_cells(row, column, int64_t(table.row_sums.size()), int64_t(table.column_sums.size()));
  return table;
}

}  // namespace clade::cluster
