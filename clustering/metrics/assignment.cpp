// The Hungarian method as shortest augmenting paths (Jonker & Volgenant, "A shortest augmenting
// path algorithm for dense and sparse linear assignment problems", Computing 38, 1987, the
// augmentation phase; in the form of Crouse, "On implementing 2D rectangular assignment
// algorithms", IEEE TAES 52, 2016, which scipy.optimize.linear_sum_assignment uses too).
//
// Dual variables u (rows) and v (columns) keep every reduced cost c_ij - u_i - v_j >= 0, and 0 on
// matched pairs. After a row reduction, the rows without a column are added one at a time:
// Dijkstra's search over reduced costs finds the shortest path from the new row to a free column,
// alternating unmatched and matched pairs; matching is exchanged along it, and the duals of all
// that was reached are raised. Costs are integers: the result is exact.
#include "clustering/metrics/assignment.h"

#include <cstddef>
#include <limits>
#include <numeric>
#include <utility>

namespace clade::cluster {
namespace {

constexpr int64_t kNone = -1;

// at(i, j): cost of row i with column j; rows <= columns. Returns the column of each row.
template <class Cost>
std::vector<int64_t> solve(int64_t rows, int64_t columns, Cost&& at) {
  size_t m = size_t(columns);
  std::vector<int64_t> column_of(size_t(rows), kNone), row_of(m, kNone);
  std::vector<int64_t> u(size_t(rows), 0), v(m, 0);

  // Row reduction: u_i = min_j c_ij is feasible with v = 0; rows whose cheapest columns differ are
  // matched at once.
  for (int64_t i = 0; i < rows; i++) {
    int64_t cheapest = 0;
    for (int64_t j = 1; j < columns; j++)
      if (at(i, j) < at(i, cheapest)) cheapest = j;
    u[size_t(i)] = at(i, cheapest);
    if (row_of[size_t(cheapest)] != kNone) continue;
    row_of[size_t(cheapest)] = i;
    column_of[size_t(i)] = cheapest;
  }

  std::vector<int64_t> shortest(m), before(m);  // path length to a column, and the row before it
  std::vector<int64_t> open(m);                 // columns not yet reached for good, then the others
  for (int64_t start = 0; start < rows; start++) {
    if (column_of[size_t(start)] != kNone) continue;
    shortest.assign(m, std::numeric_limits<int64_t>::max());
    std::iota(open.begin(), open.end(), int64_t{0});
    size_t open_count = m;
    int64_t row = start, length = 0, sink = kNone;
    while (sink == kNone) {
      size_t nearest = 0;  // position in `open`; among equals a free column ends the search
      for (size_t o = 0; o < open_count; o++) {
        size_t j = size_t(open[o]);
        int64_t through = length + at(row, int64_t(j)) - u[size_t(row)] - v[j];
        if (through < shortest[j]) shortest[j] = through, before[j] = row;
        size_t best = size_t(open[nearest]);
        if (shortest[j] < shortest[best] || (shortest[j] == shortest[best] && row_of[j] == kNone))
          nearest = o;
      }
      int64_t reached = open[nearest];
      std::swap(open[nearest], open[--open_count]);
      length = shortest[size_t(reached)];
      row = row_of[size_t(reached)];
      if (row == kNone) sink = reached;
    }

    u[size_t(start)] += length;
    for (size_t o = open_count; o < m; o++) {
      size_t j = size_t(open[o]);
      v[j] -= length - shortest[j];
      if (int64_t(j) != sink) u[size_t(row_of[j])] += length - shortest[j];
    }
    for (int64_t j = sink, r = kNone; r != start;) {
      r = before[size_t(j)];
      row_of[size_t(j)] = r;
      std::swap(column_of[size_t(r)], j);
    }
  }
  return column_of;
}

}  // namespace

std::vector<int64_t> minimum_assignment(const std::vector<int64_t>& cost, int64_t rows,
                                        int64_t columns) {
  if (rows <= columns)
    return solve(rows, columns,
                 [&](int64_t i, int64_t j) { return cost[size_t(i * columns + j)]; });
  std::vector<int64_t> row_of =
      solve(columns, rows, [&](int64_t j, int64_t i) { return cost[size_t(i * columns + j)]; });
  std::vector<int64_t> column_of(size_t(rows), kNone);
  for (int64_t j = 0; j < columns; j++) column_of[size_t(row_of[size_t(j)])] = j;
  return column_of;
}

}  // namespace clade::cluster
