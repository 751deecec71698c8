// The Hungarian method as shortest augmenting paths (Jonker & Volgenant, "A shortest augmenting
// path algorithm for dense and sparse linear assignment problems", Computing 38, 1987, the
// augmentation phase; in the form of Crouse, "On implementing 2D rectangular assignment
// algorithms", IEEE TAES 52, 2016, which scipy.optimize.linear_sum_assignment uses too).
//
// Dual variables u (rows) and v (columns) keep every reduced cost c_ij - u_i - v_j >= 0, and 0 on
// matched pairs. Rows are added one at a time: Dijkstra's search over reduced costs finds the
// shortest path from the new row to a free column, alternating unmatched and matched pairs;
// matching is exchanged along it, and the duals of all that was reached are raised. Integer costs:
// exact.
#include "clustering/metrics/assignment.h"

#include <cstddef>
#include <limits>
#include <utility>

namespace clade::cluster {

using std::size_t;
namespace {

constexpr int64_t kNone = -1;

// at(i, j): cost of row i with column j; rows <= columns. Returns the column of each row.
template <class Cost>
std::vector<int64_t> solve(int64_t rows, int64_t columns, Cost&& at) {
  size_t m = size_t(columns);
  std::vector<int64_t> column_of(size_t(rows), kNone), row_of(m, kNone);
  std::vector<int64_t> u(size_t(rows), 0), v(m, 0);
  std::vector<int64_t> shortest(m), before(m);  // path length to a column, and the row before it
  std::vector<char> done(m);

  for (int64_t start = 0; start < rows; start++) {
    shortest.assign(m, std::numeric_limits<int64_t>::max());
    done.assign(m, 0);
    int64_t row = start, length = 0, sink = kNone;
    while (sink == kNone) {
      int64_t nearest = kNone;
      for (int64_t j = 0; j < columns; j++) {
        if (done[size_t(j)]) continue;
        int64_t through = length + at(row, j) - u[size_t(row)] - v[size_t(j)];
        if (through < shortest[size_t(j)]) shortest[size_t(j)] = through, before[size_t(j)] = row;
        if (nearest == kNone || shortest[size_t(j)] < shortest[size_t(nearest)]) nearest = j;
      }
      length = shortest[size_t(nearest)];
      done[size_t(nearest)] = 1;
      row = row_of[size_t(nearest)];
      if (row == kNone) sink = nearest;
    }

    u[size_t(start)] += length;
    for (int64_t j = 0; j < columns; j++) {
      if (!done[size_t(j)]) continue;
      int64_t slack = length - shortest[size_t(j)];
      v[size_t(j)] -= slack;
      if (j != sink) u[size_t(row_of[size_t(j)])] += slack;
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
