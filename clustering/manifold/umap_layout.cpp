#include "clustering/manifold/umap_layout.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/random.h"

namespace clade::cluster {
namespace {

constexpr float kClip = 4;
constexpr float kSoftening = 0.001f;
constexpr int64_t kFewEdges =
    1 << 16;  // below it threads wait for each other longer than they work
constexpr int64_t kMostBlocks = 64;

struct Edge {
  int32_t i, j;
  float weight;  // over the largest
};

// B blocks make B rounds an epoch and some B / 2 pairs a round. B grows with the root of the edges,
// so that a pair keeps 2^11 edges or more: a fifth of a millisecond of work, beside which the wait
// at the end of a round is little. 10,000 rows: 8 blocks, 70,000: 16, a million: 64.
int64_t blocks_for(int64_t edges) {
  int64_t blocks = 4;
  while (blocks < kMostBlocks && edges >= blocks * blocks << 12) blocks *= 2;
  return blocks;
}

// The random vertices that one due edge meets; four to a Philox block.
class Strangers {
 public:
  Strangers(uint64_t seed, uint64_t stream, int64_t edge, int64_t n)
      : seed_(seed), stream_(stream), counter_(uint64_t(edge) << 20), n_(uint64_t(n)) {}

  // Multiply and shift: the bias is below n / 2^32.
  int64_t next() {
    if (used_ == 4) block_ = philox(counter_++, stream_, seed_), used_ = 0;
    return int64_t(uint64_t(block_.word[used_++]) * n_ >> 32);
  }

 private:
  uint64_t seed_, stream_, counter_, n_;
  PhiloxBlock block_{};
  int used_ = 4;
};

// Edges, each once, in the order of (round, pair of blocks).
class Schedule {
 public:
  explicit Schedule(const FuzzyGraph& graph)
      : blocks_(blocks_for(graph.edges() / 2)), edges_(graph.edges() / 2) {
    const int64_t n = graph.vertices();
    const int64_t* offset = graph.offset.data<int64_t>();
    const int32_t* column = graph.column.data<int32_t>();
    const float* weight = graph.weight.data<float>();
    const float heaviest = graph.edges() ? *std::max_element(weight, weight + graph.edges()) : 1.0f;
    begin_.assign(size_t(blocks_ * blocks_ + 1), 0);
    auto each = [&](auto&& body) {
      for (int64_t i = 0; i < n; i++)
        for (int64_t e = offset[i]; e < offset[i + 1]; e++)
          if (i < column[e]) body(i, column[e], weight[e] / heaviest);
    };
    each([&](int64_t i, int64_t j, float) { begin_[size_t(slot(i, j)) + 1]++; });
    for (size_t s = 1; s < begin_.size(); s++) begin_[s] += begin_[s - 1];
    std::vector<int64_t> next(begin_.begin(), begin_.end() - 1);
    each([&](int64_t i, int64_t j, float w) {
      edges_[next[size_t(slot(i, j))]++] = {int32_t(i), int32_t(j), w};
    });
  }

  int64_t blocks() const { return blocks_; }
  int64_t edges() const { return begin_.back(); }
  const Edge& edge(int64_t e) { return edges_.data()[e]; }

  // body(begin, end): the edges of one pair of blocks. Rounds follow each other, pairs run
  // together.
  template <class Body>
  void run(Body&& body) const {
    const int64_t grain = edges() < kFewEdges ? blocks_ : 1;
    for (int64_t round = 0; round < blocks_; round++)
      parallel_for(blocks_, grain, [&](int64_t first, int64_t last) {
        for (int64_t pair = first; pair < last; pair++) {
          const size_t s = size_t(round * blocks_ + pair);
          body(begin_[s], begin_[s + 1]);
        }
      });
  }

 private:
  // A pair is known by its round and its lower block.
  int64_t slot(int64_t i, int64_t j) const {
    const int64_t a = i % blocks_, b = j % blocks_;
    return (a + b) % blocks_ * blocks_ + std::min(a, b);
  }

  int64_t blocks_;
  Scratch<Edge> edges_;
  std::vector<int64_t> begin_;  // (blocks, blocks) slots, and the end
};

// D dimensions known to the compiler, or 0: known when it runs.
template <int D>
class Layout {
 public:
  Layout(const FuzzyGraph& graph, const LayoutOptions& options, Tensor& embedding)
      : options_(options),
        schedule_(graph),
        n_(graph.vertices()),
        dimensions_(embedding.size(1)),
        position_(embedding.data<float>()),
        before_(embedding.numel()),
        stream_(Random(options.seed).fork("umap layout").stream()),
        a_(float(options.curve.a)),
        b_(float(options.curve.b)),
        attraction_(float(-2 * options.curve.a * options.curve.b)),
        repulsion_(float(2 * options.repulsion_strength * options.curve.b)) {}

  void epoch(int64_t t) {
    std::copy_n(position_, n_ * size(), before_.data());
    const float alpha = float(options_.learning_rate * (1 - double(t) / double(options_.epochs)));
    schedule_.run([&](int64_t begin, int64_t end) {
      for (int64_t e = begin; e < end; e++) {
        const double w = schedule_.edge(e).weight;
        if (std::floor(double(t + 1) * w) > std::floor(double(t) * w)) move(e, t, alpha);
      }
    });
  }

 private:
  int64_t size() const { return D ? D : dimensions_; }

  void move(int64_t e, int64_t t, float alpha) {
    Strangers strangers(options_.seed, stream_ + uint64_t(t), e, n_);
    const Edge& edge = schedule_.edge(e);
    for (int end = 0; end < 2; end++) {
      const int64_t own = end ? edge.j : edge.i, other = end ? edge.i : edge.j;
      float* y = position_ + own * size();
      attract(y, position_ + other * size(), alpha);
      for (int64_t s = 0; s < options_.negative_sample_rate; s++) {
        const int64_t k = strangers.next();
        if (k != own) repel(y, before_.data() + k * size(), alpha);
      }
    }
  }

  void attract(float* y, float* z, float alpha) const {
    const float d2 = distance2(y, z);
    if (d2 == 0) return;
    const float power = std::pow(d2, b_);  // d^2b
    const float gradient = attraction_ * power / (d2 * (1 + a_ * power));
    for (int64_t j = 0; j < size(); j++) {
      const float move = alpha * std::clamp(gradient * (y[j] - z[j]), -kClip, kClip);
      y[j] += move;
      z[j] -= move;
    }
  }

  void repel(float* y, const float* z, float alpha) const {
    const float d2 = distance2(y, z);
    if (d2 == 0) return;
    const float power = std::pow(d2, b_);
    const float gradient = repulsion_ / ((kSoftening + d2) * (1 + a_ * power));
    for (int64_t j = 0; j < size(); j++)
      y[j] += alpha * std::clamp(gradient * (y[j] - z[j]), -kClip, kClip);
  }

  float distance2(const float* p, const float* q) const {
    float sum = 0;
    for (int64_t j = 0; j < size(); j++) sum += (p[j] - q[j]) * (p[j] - q[j]);
    return sum;
  }

  const LayoutOptions& options_;
  Schedule schedule_;
  int64_t n_, dimensions_;
  float* position_;
  Scratch<float> before_;  // positions when the epoch began
  uint64_t stream_;
  float a_, b_, attraction_, repulsion_;
};

template <int D>
void run(const FuzzyGraph& graph, const LayoutOptions& options, Tensor& embedding,
         const Progress& progress) {
  Layout<D> layout(graph, options, embedding);
  for (int64_t t = 0; t < options.epochs; t++) {
    progress("umap layout", t, options.epochs);
    layout.epoch(t);
  }
  progress("umap layout", options.epochs, options.epochs);
}

}  // namespace

void optimize_layout(const FuzzyGraph& graph, const LayoutOptions& options, Tensor& embedding,
                     const Progress& progress) {
  if (embedding.rank() != 2 || embedding.size(0) != graph.vertices() ||
      embedding.dtype() != DType::f32 || !embedding.is_contiguous())
    fail("umap", text("an embedding f32 [", graph.vertices(), ", dimensions], row-major"),
         text(embedding));
  switch (embedding.size(1)) {
    case 2: return run<2>(graph, options, embedding, progress);
    case 3: return run<3>(graph, options, embedding, progress);
    default: return run<0>(graph, options, embedding, progress);
  }
}

}  // namespace clade::cluster
