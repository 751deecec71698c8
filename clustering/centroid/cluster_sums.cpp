#include "clustering/centroid/cluster_sums.h"

#include <algorithm>

#include "clustering/linalg/grain.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr int64_t kPiece = 1024;  // moves summed by one thread
constexpr int64_t kMostPieces = 8192;

// A row that enters (sign 1) or leaves (-1) a cluster.
struct Entry {
  int64_t row;
  double sign;
};

struct Piece {
  int64_t cluster, begin, end;  // of the sorted entries
};

// `starts` (k + 1) says where each cluster's entries begin.
std::vector<Entry> sort_by_cluster(const std::vector<Move>& moves, std::vector<int64_t>* starts) {
  std::vector<int64_t>& at = *starts;
  for (const Move& m : moves) {
    at[size_t(m.to) + 1]++;
    if (m.from >= 0) at[size_t(m.from) + 1]++;
  }
  for (size_t c = 1; c < at.size(); c++) at[c] += at[c - 1];
  std::vector<Entry> sorted(static_cast<size_t>(at.back()));
  std::vector<int64_t> next(at.begin(), at.end() - 1);
  for (const Move& m : moves) {
    if (m.from >= 0) sorted[size_t(next[size_t(m.from)]++)] = {m.row, -1};
    sorted[size_t(next[size_t(m.to)]++)] = {m.row, 1};
  }
  return sorted;
}

std::vector<Piece> cut(const std::vector<int64_t>& starts) {
  const int64_t length = std::max(kPiece, starts.back() / kMostPieces);
  std::vector<Piece> pieces;
  for (size_t c = 0; c + 1 < starts.size(); c++)
    for (int64_t begin = starts[c]; begin < starts[c + 1]; begin += length)
      pieces.push_back({int64_t(c), begin, std::min(begin + length, starts[c + 1])});
  return pieces;
}

}  // namespace

void ClusterSums::apply(const Tensor& x, const double* w, const std::vector<Move>& moves) {
  const int64_t d = x.size(1), k = int64_t(weight.size());
  std::vector<int64_t> starts(size_t(k) + 1, 0);
  const std::vector<Entry> entries = sort_by_cluster(moves, &starts);
  const std::vector<Piece> pieces = cut(starts);
  const int64_t count = int64_t(pieces.size());
  const bool holes = !observed.empty();
  const int64_t width = holes ? 2 * d : d;
  Scratch<double> sums(count * width);
  const int64_t grain = rows_per_chunk(d * (int64_t(entries.size()) / std::max<int64_t>(count, 1)));
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* data = x.data<decltype(zero)>();
    parallel_for(count, grain, [&](int64_t first, int64_t last) {
      for (int64_t p = first; p < last; p++) {
        double* sum = sums.data() + p * width;
        std::fill_n(sum, width, 0.0);
        for (int64_t e = pieces[size_t(p)].begin; e < pieces[size_t(p)].end; e++) {
          const auto* row = data + entries[size_t(e)].row * d;
          const double factor = entries[size_t(e)].sign * (w ? w[entries[size_t(e)].row] : 1.0);
          with_vectors([&] {
            if (holes)
              for (int64_t j = 0; j < d; j++) {
                const bool there = row[j] == row[j];
                sum[j] += there ? factor * double(row[j]) : 0.0;
                sum[d + j] += there ? factor : 0.0;
              }
            else
              for (int64_t j = 0; j < d; j++) sum[j] += factor * double(row[j]);
          });
        }
      }
    });
  });
  for (int64_t p = 0; p < count; p++) {
    const size_t c = size_t(pieces[size_t(p)].cluster);
    double* to = points.data() + int64_t(c) * d;
    for (int64_t j = 0; j < d; j++) to[j] += sums[p * width + j];
    for (int64_t j = 0; holes && j < d; j++)
      observed[c * size_t(d) + size_t(j)] += sums[p * width + d + j];
    for (int64_t e = pieces[size_t(p)].begin; e < pieces[size_t(p)].end; e++) {
      const double wi = w ? w[entries[size_t(e)].row] : 1.0;
      weight[c] += entries[size_t(e)].sign * wi;
      if (wi > 0) members[c] += entries[size_t(e)].sign > 0 ? 1 : -1;
    }
  }
  for (size_t c = 0; c < size_t(k); c++)
    if (members[c] == 0) {
      weight[c] = 0;
      std::fill_n(points.data() + int64_t(c) * d, d, 0.0);
      if (holes) std::fill_n(observed.data() + int64_t(c) * d, d, 0.0);
    }
}

}  // namespace clade::cluster
