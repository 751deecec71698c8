#include "clustering/manifold/umap_layout.h"

#include <algorithm>
#include <cmath>

#include "clustering/manifold/umap_moves.h"
#include "clustering/manifold/umap_schedule.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/random.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr int kStrangers = kForces - 1;
constexpr int kBatch = 64;          // due edges whose strangers are drawn together
constexpr int kDraws = 2 * kBatch;  // Philox blocks: two, of four words, an edge
constexpr int kSegment = 256;       // edges that are looked at together: are they due?

// What a batch of edges meets: vertex[8 e + l] is number l of edge e, 0 its neighbour, then random
// ones, chosen by multiply and shift (the bias is below n / 2^32).
struct Meetings {
  int32_t vertex[kForces * kBatch];

  // Philox as in tensor/philox.h, for all edges at once: blocks 2 group and 2 group + 1 of each.
  void draw(const int64_t* edge, int64_t group, uint64_t stream, uint64_t seed, int64_t n) {
    uint32_t c0[kDraws], c1[kDraws], c2[kDraws], c3[kDraws];
    for (int l = 0; l < kDraws; l++) {
      const uint64_t counter = (uint64_t(edge[l / 2]) << 20) + uint64_t(2 * group + l % 2);
      c0[l] = uint32_t(counter), c1[l] = uint32_t(counter >> 32);
      c2[l] = uint32_t(stream), c3[l] = uint32_t(stream >> 32);
    }
    uint32_t k0 = uint32_t(seed), k1 = uint32_t(seed >> 32);
    for (int round = 0; round < 10; round++) {
      for (int l = 0; l < kDraws; l++) {
        const uint64_t p0 = uint64_t(0xD2511F53u) * c0[l], p1 = uint64_t(0xCD9E8D57u) * c2[l];
        c0[l] = uint32_t(p1 >> 32) ^ c1[l] ^ k0, c2[l] = uint32_t(p0 >> 32) ^ c3[l] ^ k1;
        c1[l] = uint32_t(p1), c3[l] = uint32_t(p0);
      }
      k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    for (int l = 0; l < kDraws; l++) {
      vertex[4 * l] = int32_t(uint64_t(c0[l]) * uint64_t(n) >> 32);
      vertex[4 * l + 1] = int32_t(uint64_t(c1[l]) * uint64_t(n) >> 32);
      vertex[4 * l + 2] = int32_t(uint64_t(c2[l]) * uint64_t(n) >> 32);
      vertex[4 * l + 3] = int32_t(uint64_t(c3[l]) * uint64_t(n) >> 32);
    }
  }
};

class Layout {
 public:
  Layout(const FuzzyGraph& graph, const LayoutOptions& options, Tensor& embedding)
      : options_(options),
        schedule_(graph),
        n_(graph.vertices()),
        dimensions_(embedding.size(1)),
        position_(embedding.data<float>()),
        before_(embedding.numel()),
        embedding_(embedding),
        stream_(Random(options.seed).fork("umap layout").stream()),
        move_(moves_for(vectors())) {}

  void epoch(int64_t t) {
    std::copy_n(position_, n_ * dimensions_, before_.data());
    denser_ = options_.density && options_.density->counts(t, options_.epochs);
    if (denser_) options_.density->look(embedding_);
    schedule_.run([&](int64_t begin, int64_t end) { pair(begin, end, t); });
  }

 private:
  // The due edges among begin .. end, in batches.
  void pair(int64_t begin, int64_t end, int64_t t) {
    Scratch<float> workspace(4 * kForces * dimensions_);
    const double alpha = options_.learning_rate * (1 - double(t) / double(options_.epochs));
    const UmapCurve& curve = options_.curve;
    Moves moves{position_,
                before_.data(),
                dimensions_,
                float(curve.a),
                float(curve.b),
                float(-2 * curve.a * curve.b),
                float(2 * options_.repulsion_strength * curve.b),
                float(alpha),
                0,
                0,
                nullptr,
                workspace.data()};
    int64_t due[kBatch] = {};
    int count = 0;
    for (int64_t segment = begin; segment < end; segment += kSegment) {
      const int size = int(std::min<int64_t>(kSegment, end - segment));
      bool is_due[kSegment];
      with_vectors([&] {
        const float* weight = schedule_.weight() + segment;
        for (int e = 0; e < size; e++)
          is_due[e] =
              int32_t(double(t + 1) * double(weight[e])) > int32_t(double(t) * double(weight[e]));
      });
      for (int e = 0; e < size; e++) {
        due[count] = segment + e;
        count += is_due[e];
        if (count == kBatch) batch(due, count, t, moves), count = 0;
      }
    }
    if (count) batch(due, count, t, moves);
  }

  void batch(const int64_t* edge, int count, int64_t t, Moves& moves) {
    const int64_t rate = options_.negative_sample_rate;
    int32_t head[kBatch] = {};
    for (int e = 0; e < count; e++) head[e] = schedule_.head()[edge[e]];
    float extra[kBatch] = {};
    if (denser_)
      for (int e = 0; e < count; e++) extra[e] = density(edge[e]);
    for (int64_t done = 0, group = 0; group == 0 || done < rate; done += kStrangers, group++) {
      Meetings meetings;
      with_vectors([&] { meetings.draw(edge, group, stream_ + uint64_t(t), options_.seed, n_); });
      for (int e = 0; e < count; e++) meetings.vertex[kForces * e] = schedule_.tail()[edge[e]];
      moves.first = group > 0;  // the neighbour attracts once
      moves.extra = denser_ && group == 0 ? extra : nullptr;
      moves.last = int(std::min<int64_t>(kStrangers, rate - done));
      move_(moves, head, meetings.vertex, count);
    }
  }

  float density(int64_t edge) {
    const int64_t i = schedule_.head()[edge], j = schedule_.tail()[edge];
    float d2 = 0;
    for (int64_t c = 0; c < dimensions_; c++) {
      const float gap = position_[i * dimensions_ + c] - position_[j * dimensions_ + c];
      d2 += gap * gap;
    }
    return options_.density->pull(i, j, schedule_.weight()[edge] * schedule_.heaviest(), d2);
  }

  const LayoutOptions& options_;
  EdgeSchedule schedule_;
  int64_t n_, dimensions_;
  float* position_;
  Scratch<float> before_;  // positions when the epoch began
  const Tensor& embedding_;
  bool denser_ = false;  // densMAP's term counts in this epoch
  uint64_t stream_;
  MoveEdges move_;
};

}  // namespace

void optimize_layout(const FuzzyGraph& graph, const LayoutOptions& options, Tensor& embedding,
                     const Progress& progress) {
  if (embedding.rank() != 2 || embedding.size(0) != graph.vertices() ||
      embedding.dtype() != DType::f32 || !embedding.is_contiguous())
    fail("umap", text("an embedding f32 [", graph.vertices(), ", dimensions], row-major"),
         text(embedding));
  Layout layout(graph, options, embedding);
  for (int64_t t = 0; t < options.epochs; t++) {
    progress("umap layout", t, options.epochs);
    layout.epoch(t);
  }
  progress("umap layout", options.epochs, options.epochs);
}

}  // namespace clade::cluster
