#include "clustering/metrics/accuracy.h"

#include <algorithm>

#include "clustering/metrics/assignment.h"

namespace clade::cluster {
namespace {

int64_t matched_points(const Contingency& table) {
  std::vector<int32_t> row_of = match_columns(table);
  int64_t matched = 0;
  for (const Contingency::Cell& cell : table.cells)
    if (row_of[size_t(cell.column)] == cell.row) matched += cell.count;
  return matched;
}

}  // namespace

std::vector<int32_t> match_columns(const Contingency& table) {
  int64_t rows = int64_t(table.row_labels.size()), columns = int64_t(table.column_labels.size());
  if (rows * columns > int64_t{1} << 28)
    fail("accuracy", "at most 2^28 pairs of a class and a cluster", text(rows, " x ", columns),
         "compare these labellings by adjusted_rand or by mutual information");
  std::vector<int64_t> cost(size_t(rows * columns), 0);
  for (const Contingency::Cell& cell : table.cells)
    cost[size_t(cell.column * rows + cell.row)] = -cell.count;
  std::vector<int64_t> row_of = minimum_assignment(cost, columns, rows);
  return std::vector<int32_t>(row_of.begin(), row_of.end());
}

double accuracy(const Contingency& table) {
  if (table.n == 0) fail("accuracy", "a table of one point or more", "none");
  return double(matched_points(table)) / double(table.n);
}

NoiseAccuracy noise_accuracy(const Tensor& truth, const Tensor& predicted, const Tensor& soft) {
  Contingency all = contingency("noise_accuracy", truth, predicted);
  std::vector<int32_t> y = truth.to_vector<int32_t>(), c = predicted.to_vector<int32_t>();
  std::vector<int32_t> labelled_y, labelled_c;
  for (size_t i = 0; i < c.size(); i++)
    if (c[i] >= 0) labelled_y.push_back(y[i]), labelled_c.push_back(c[i]);
  int64_t labelled = int64_t(labelled_c.size()), matched = 0;
  if (labelled > 0)
    matched = matched_points(contingency("noise_accuracy", Tensor::from(labelled_y, {labelled}),
                                         Tensor::from(labelled_c, {labelled})));
  NoiseAccuracy out;
  out.labelled_fraction = double(labelled) / double(all.n);
  out.labelled = labelled > 0 ? double(matched) / double(labelled) : 0;
  out.strict = double(matched) / double(all.n);
  out.as_cluster = double(matched_points(all)) / double(all.n);
  out.soft = soft.defined() ? accuracy(truth, soft) : out.strict;
  return out;
}

OneClassAccuracy one_class_accuracy(const Tensor& truth, const Tensor& predicted) {
  const Contingency table = contingency("one_class_accuracy", truth, predicted);
  const std::vector<int32_t> row_of = match_columns(table);
  int64_t right = 0;
  for (const Contingency::Cell& cell : table.cells)
    if ((cell.row == 0) == (row_of[size_t(cell.column)] == 0)) right += cell.count;
  return {double(right) / double(table.n), 1 - double(table.row_sums[0]) / double(table.n)};
}

double purity(const Contingency& table) {
  if (table.n == 0) fail("purity", "a table of one point or more", "none");
  std::vector<int64_t> largest(table.column_labels.size(), 0);
  for (const Contingency::Cell& cell : table.cells)
    largest[size_t(cell.column)] = std::max(largest[size_t(cell.column)], cell.count);
  int64_t sum = 0;
  for (int64_t count : largest) sum += count;
  return double(sum) / double(table.n);
}

}  // namespace clade::cluster
