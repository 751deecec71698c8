#include "clustering/metrics/pairs.h"

#include <cmath>

namespace clade::cluster {
namespace {

// Products of pair counts need up to 124 bits: exact sums, so nothing cancels in ARI's numerator.
__extension__ typedef __int128 Wide;

struct PairCounts {  // unordered pairs
  int64_t tp, fp, fn, tn;
};

PairCounts count_pairs(const Contingency& table) {
  auto pairs_of = [](int64_t m) { return m * (m - 1) / 2; };
  int64_t both = 0, rows = 0, columns = 0;
  for (const Contingency::Cell& cell : table.cells) both += pairs_of(cell.count);
  for (int64_t sum : table.row_sums) rows += pairs_of(sum);
  for (int64_t sum : table.column_sums) columns += pairs_of(sum);
  return {both, columns - both, rows - both, pairs_of(table.n) - rows - columns + both};
}

}  // namespace

double rand_index(const Contingency& table) {
  const PairCounts p = count_pairs(table);
  if (p.fp == 0 && p.fn == 0) return 1;
  return double(p.tp + p.tn) / double(p.tp + p.tn + p.fp + p.fn);
}

double adjusted_rand(const Contingency& table) {
  const PairCounts p = count_pairs(table);
  if (p.fp == 0 && p.fn == 0) return 1;
  Wide numerator = Wide(p.tp) * p.tn - Wide(p.fn) * p.fp;
  Wide denominator = Wide(p.tp + p.fn) * (p.fn + p.tn) + Wide(p.tp + p.fp) * (p.fp + p.tn);
  return 2 * double(numerator) / double(denominator);
}

double fowlkes_mallows(const Contingency& table) {
  const PairCounts p = count_pairs(table);
  if (p.tp == 0) return 0;
  double precision = double(p.tp) / double(p.tp + p.fp),
         recall = double(p.tp) / double(p.tp + p.fn);
  return std::sqrt(precision) * std::sqrt(recall);
}

}  // namespace clade::cluster
