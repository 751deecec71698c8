// The order in which the edges of a graph are worked on, by any number of threads at once.
//
// Vertex i belongs to block i mod B, and an edge between blocks a and b to round (a + b) mod B. In
// one round each block meets exactly one other (or itself), so the pairs of blocks are done at the
// same time, by any threads, without sharing a vertex; within a pair the edges are done one after
// the other, by rising head. No atomics, no locks; what comes out does not depend on the threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "clustering/manifold/umap_graph.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::cluster {

// Both directions of each edge, in the order of (round, pair of blocks, head, tail).
class EdgeSchedule {
 public:
  explicit EdgeSchedule(const FuzzyGraph& graph)
      : blocks_(blocks_for(graph.edges())),
        heads_(graph.edges()),
        tails_(graph.edges()),
        weights_(graph.edges()) {
    const int64_t* offset = graph.offset.data<int64_t>();
    const int32_t* column = graph.column.data<int32_t>();
    const float* weight = graph.weight.data<float>();
    if (graph.edges()) heaviest_ = *std::max_element(weight, weight + graph.edges());
    begin_.assign(size_t(blocks_ * blocks_ + 1), 0);
    for (int64_t i = 0; i < graph.vertices(); i++)
      for (int64_t e = offset[i]; e < offset[i + 1]; e++) begin_[slot(i, column[e]) + 1]++;
    for (size_t s = 1; s < begin_.size(); s++) begin_[s] += begin_[s - 1];
    std::vector<int64_t> next(begin_.begin(), begin_.end() - 1);
    for (int64_t i = 0; i < graph.vertices(); i++)
      for (int64_t e = offset[i]; e < offset[i + 1]; e++) {
        const int64_t to = next[slot(i, column[e])]++;
        heads_[to] = int32_t(i), tails_[to] = column[e], weights_[to] = weight[e] / heaviest_;
      }
  }

  int64_t edges() const { return begin_.back(); }
  const int32_t* head() { return heads_.data(); }
  const int32_t* tail() { return tails_.data(); }
  const float* weight() { return weights_.data(); }  // over the heaviest
  float heaviest() const { return heaviest_; }

  // body(begin, end): the edges of one pair of blocks. Rounds follow each other, pairs run
  // together.
  template <class Body>
  void run(Body&& body) const {
    const int64_t grain = edges() < kFewEdges ? blocks_ : 1;
    for (int64_t round = 0; round < blocks_; round++)
      parallel_for(blocks_, grain, [&](int64_t first, int64_t last) {
        for (int64_t pair = first; pair < last; pair++) {
          const size_t s = size_t(round * blocks_ + pair);
          if (begin_[s] < begin_[s + 1]) body(begin_[s], begin_[s + 1]);
        }
      });
  }

  // Below this many, threads wait for each other longer than they work.
  static constexpr int64_t kFewEdges = 1 << 17;

 private:
  static constexpr int64_t kMostBlocks = 64;

  // B blocks make B rounds an epoch and some B / 2 pairs a round. B grows with the root of the
  // edges, so that a pair keeps 2^12 edges or more, beside which the wait at the end of a round is
  // little. 10,000 rows: 8 blocks, 70,000: 16, a million: 64.
  static int64_t blocks_for(int64_t edges) {
    int64_t blocks = 4;
    while (blocks < kMostBlocks && edges >= blocks * blocks << 13) blocks *= 2;
    return blocks;
  }

  // A pair is known by its round and its lower block.
  size_t slot(int64_t i, int64_t j) const {
    const int64_t a = i & (blocks_ - 1), b = j & (blocks_ - 1);
    return size_t(((a + b) & (blocks_ - 1)) * blocks_ + std::min(a, b));
  }

  int64_t blocks_;  // a power of two
  Scratch<int32_t> heads_, tails_;
  Scratch<float> weights_;
  float heaviest_ = 1;
  std::vector<int64_t> begin_;  // (blocks, blocks) slots, and the end
};

}  // namespace clade::cluster
