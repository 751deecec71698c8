#include "clustering/metrics/contingency.h"

#include <algorithm>

namespace clade::cluster {
namespace {

// Replaces each label by its position among the distinct labels, which are returned in order.
std::vector<int32_t> number_labels(std::vector<int32_t>* labels) {
  std::vector<int32_t> distinct = *labels;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (int32_t& l : *labels)
    l = int32_t(std::lower_bound(distinct.begin(), distinct.end(), l) - distinct.begin());
  return distinct;
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

  std::vector<int64_t> pairs(row.size());
  for (size_t i = 0; i < pairs.size(); i++) {
    table.row_sums[size_t(row[i])]++;
    table.column_sums[size_t(column[i])]++;
    pairs[i] = int64_t(row[i]) << 32 | column[i];
  }
  std::sort(pairs.begin(), pairs.end());
  for (size_t i = 0; i < pairs.size(); i++) {
    if (i == 0 || pairs[i] != pairs[i - 1])
      table.cells.push_back({int32_t(pairs[i] >> 32), int32_t(pairs[i] & 0xffffffff), 0});
    table.cells.back().count++;
  }
  return table;
}

}  // namespace clade::cluster
