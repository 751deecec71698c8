// The assignment problem: match rows with columns, one to one, at the least total cost.
#pragma once

#include <cstdint>
#include <vector>

namespace clade::cluster {

// cost: rows x columns, row-major. Returns the column of each row, -1 for the rows left over when
// rows > columns; min(rows, columns) are matched. O(min(rows, columns)^2 max(rows, columns)).
std::vector<int64_t> minimum_assignment(const std::vector<int64_t>& cost, int64_t rows,
                                        int64_t columns);

}  // namespace clade::cluster
