// The lists: for each row the `list_` nearest found so far, sorted by (key, index), key = half the
// squared distance of the images in f32; an entry is new until its row has introduced it.
//
// A round:
//  1. Each row draws up to `sample_` of its new and of its old neighbours, and of the rows which
//     have it as one or the other; by random priorities, so that order does not matter.
//  2. In waves of rows: a row's candidates are gathered into a panel, centred on the row (so that
//     products do not cancel), and new ones meet all. A pair goes to a list if it is nearer than
//     the last entry was when the wave began.
//  3. The pairs lie in buckets by the row that they are for; the buckets are merged side by side,
//     each in the order of the rows. So the bits depend on the seed alone.
#include "clustering/neighbors/nn_descent.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "clustering/linalg/matrix.h"
#include "clustering/neighbors/image.h"
#include "clustering/neighbors/ranked.h"
#include "clustering/neighbors/rp_forest.h"
#include "kernels/distance/distance.h"
#include "kernels/gemm/gemm.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/random.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr int64_t kChunk = 128, kWave = 64 * kChunk;  // rows of a task, and between two merges
constexpr int64_t kBuckets = 64;                      // of the merge
constexpr int64_t kJudged = 256;                      // rows whose neighbours are searched exactly
constexpr const char* kStage = "nearest neighbours by descent";

struct Proposal {
  int32_t row, other;
  float key;
};

// What a row meets in a round.
struct Candidates {
  std::vector<int32_t> fresh, old;
};

class Descent {
 public:
  Descent(Tensor images, int64_t list, const NnDescentOptions& o)
      : images_(std::move(images)),
        n_(images_.size(0)),
        width_(images_.size(1)),
        list_(list),
        sample_(o.sample ? o.sample : std::clamp<int64_t>(list, 12, 40)),
        trees_(o.trees ? o.trees : std::clamp(int(std::lround(2 * std::log10(double(n_)))), 6, 12)),
        rounds_(o.iterations ? o.iterations : std::max(5, int(std::lround(std::log2(double(n_)))))),
        least_(o.least),
        index_(n_ * list),
        key_(n_ * list),
        fresh_(n_ * list) {
    std::fill_n(index_.data(), n_ * list, -1);
    std::fill_n(key_.data(), n_ * list, std::numeric_limits<float>::infinity());
    std::fill_n(fresh_.data(), n_ * list, uint8_t{0});
  }

  void run(const Random& rng, const Progress& progress) {
    for (int t = 0; t < trees_; t += kForest) {
      progress(kStage, t, trees_ + rounds_);
      join_leaves(t, std::min(trees_, t + kForest), rng.fork("trees"));
    }
    for (int round = 0; round < rounds_; round++) {
      progress(kStage, trees_ + round, trees_ + rounds_);
      const int64_t changes = improve(rng.fork("round").fork(uint64_t(round)), round, progress);
      if (double(changes) <= least_ * double(n_) * double(list_)) break;
    }
    progress(kStage, trees_ + rounds_, trees_ + rounds_);
  }

  const int32_t* list_of(int64_t row) { return index_.data() + row * list_; }

 private:
  static constexpr int kForest = 4;  // trees that are grown side by side

  const float* image(int64_t row) const { return images_.data<float>() + row * width_; }

  // Puts `other` into the list of `row` if it is nearer than the last and not there yet.
  bool insert(int64_t row, int32_t other, float key) {
    int32_t* index = index_.data() + row * list_;
    float* keys = key_.data() + row * list_;
    uint8_t* fresh = fresh_.data() + row * list_;
    int64_t at = list_ - 1;
    if (!(Ranked<float>{key, other} < Ranked<float>{keys[at], index[at]}) && index[at] >= 0)
      return false;
    if (std::find(index, index + list_, other) != index + list_) return false;
    for (; at > 0 && (index[at - 1] < 0 ||
                      Ranked<float>{key, other} < Ranked<float>{keys[at - 1], index[at - 1]});
         at--)
      index[at] = index[at - 1], keys[at] = keys[at - 1], fresh[at] = fresh[at - 1];
    index[at] = other, keys[at] = key, fresh[at] = 1;
    return true;
  }

  // A panel of rows about the first of them, and half their squared norms.
  struct Panel {
    std::vector<float> rows, half, products;
  };

  void gather(Panel& p, const int32_t* of, int64_t count, const float* centre) const {
    p.rows.resize(size_t(count * width_));
    p.half.resize(size_t(count));
    float *to = p.rows.data(), *half = p.half.data();
    with_vectors([&] {
      for (int64_t i = 0; i < count; i++) {
        const float* from = image(of[i]);
        for (int64_t j = 0; j < width_; j++) to[i * width_ + j] = from[j] - centre[j];
      }
      constexpr int64_t kSums = 16;
      for (int64_t i = 0; i < count; i++) {
        const float* row = to + i * width_;
        float sum[kSums] = {};
        int64_t j = 0;
        for (; j + kSums <= width_; j += kSums)
          for (int64_t l = 0; l < kSums; l++) sum[l] += row[j + l] * row[j + l];
        for (; j < width_; j++) sum[0] += row[j] * row[j];
        float all = 0;
        for (float s : sum) all += s;
        half[i] = all / 2;
      }
    });
  }

  // use(i, j, key) for the pairs i < left, i < j < count of a gathered panel.
  template <class Use>
  void meet(Panel& p, int64_t left, int64_t count, Use&& use) const {
    p.products.resize(size_t(left * count));
    kernels::gemm_serial<float>(false, true, left, count, width_, 1.0f, p.rows.data(), width_,
                                p.rows.data(), width_, 0.0f, p.products.data(), count);
    for (int64_t i = 0; i < left; i++)
      for (int64_t j = i + 1; j < count; j++)
        use(i, j,
            std::max(p.half[size_t(i)] + p.half[size_t(j)] - p.products[size_t(i * count + j)],
                     0.0f));
  }

  void join_leaves(int begin, int end, const Random& rng) {
    std::vector<RandomTree> trees(static_cast<size_t>(end - begin));
    // A row meets more others in a leaf than it can keep.
    const int64_t leaf = std::clamp<int64_t>(3 * list_, 64, 256);
    parallel_for(end - begin, 1, [&](int64_t first, int64_t last) {
      for (int64_t t = first; t < last; t++)
        trees[size_t(t)] = random_tree(image(0), n_, width_, leaf, rng.fork(uint64_t(begin + t)));
    });
    for (const RandomTree& tree : trees)  // a row is in one leaf of a tree: no two tasks share it
      parallel_for(int64_t(tree.leaves.size()) - 1, 4, [&](int64_t first, int64_t last) {
        Panel panel;
        for (int64_t l = first; l < last; l++) {
          const int32_t* rows = tree.rows.data() + tree.leaves[size_t(l)];
          const int64_t count = tree.leaves[size_t(l) + 1] - tree.leaves[size_t(l)];
          gather(panel, rows, count, image(rows[0]));
          meet(panel, count, count, [&](int64_t i, int64_t j, float key) {
            insert(rows[i], rows[j], key);
            insert(rows[j], rows[i], key);
          });
        }
      });
  }

  // For each row the places in the lists that name it: of row r those in
  // places[offset[r]] .. places[offset[r + 1]].
  void invert(std::vector<int64_t>& offset, std::vector<int64_t>& places) {
    offset.assign(size_t(n_) + 1, 0);
    for (int64_t e = 0; e < n_ * list_; e++)
      if (index_.data()[e] >= 0) offset[size_t(index_.data()[e]) + 1]++;
    for (size_t r = 1; r < offset.size(); r++) offset[r] += offset[r - 1];
    places.resize(size_t(offset.back()));
    std::vector<int64_t> next(offset.begin(), offset.end() - 1);
    for (int64_t e = 0; e < n_ * list_; e++)
      if (index_.data()[e] >= 0) places[size_t(next[size_t(index_.data()[e])]++)] = e;
  }

  // The `sample_` of lowest priority, ordered by it, without repetition.
  void keep_sample(std::vector<Ranked<uint32_t>>& drawn, std::vector<int32_t>& out) const {
    std::sort(drawn.begin(), drawn.end());
    out.clear();
    for (const Ranked<uint32_t>& c : drawn) {
      if (int64_t(out.size()) == sample_) break;
      if (std::find(out.begin(), out.end(), c.index) == out.end()) out.push_back(c.index);
    }
  }

  // Draws the candidates of every row; of a row's list those drawn as new are new no more.
  std::vector<Candidates> draw(const Random& rng) {
    std::vector<int64_t> offset, places;
    invert(offset, places);
    std::vector<Candidates> out(static_cast<size_t>(n_));
    const uint8_t* fresh = fresh_.data();
    parallel_for(n_, kChunk, [&](int64_t begin, int64_t end) {
      std::vector<Ranked<uint32_t>> drawn[2];
      for (int64_t r = begin; r < end; r++) {
        drawn[0].clear(), drawn[1].clear();
        // A pair has one priority in both of its rows: what one draws the other likely does.
        auto offer = [&](int64_t place, int64_t other) {
          drawn[fresh[place]].push_back({rng.bits_at(uint64_t(place)), int32_t(other)});
        };
        for (int64_t e = r * list_; e < (r + 1) * list_; e++)
          if (index_.data()[e] >= 0) offer(e, index_.data()[e]);
        for (int64_t e = offset[size_t(r)]; e < offset[size_t(r) + 1]; e++)
          offer(places[size_t(e)], places[size_t(e)] / list_);
        Candidates& c = out[size_t(r)];
        keep_sample(drawn[1], c.fresh);
        keep_sample(drawn[0], c.old);
        std::erase_if(c.old, [&](int32_t o) {
          return std::find(c.fresh.begin(), c.fresh.end(), o) != c.fresh.end();
        });
      }
    });
    parallel_for(n_, kChunk, [&](int64_t begin, int64_t end) {
      for (int64_t e = begin * list_; e < end * list_; e++) {
        const std::vector<int32_t>& drawn = out[size_t(e / list_)].fresh;
        if (fresh_.data()[e] &&
            std::find(drawn.begin(), drawn.end(), index_.data()[e]) != drawn.end())
          fresh_.data()[e] = 0;
      }
    });
    return out;
  }

  // One round; how many entries of the lists are new.
  int64_t improve(const Random& rng, int round, const Progress& progress) {
    const std::vector<Candidates> candidates = draw(rng);
    int64_t changes = 0;
    using Buckets = std::vector<std::vector<Proposal>>;
    std::vector<Buckets> found(size_t(kWave / kChunk));
    for (int64_t wave = 0; wave < n_; wave += kWave) {
      progress(kStage, trees_ + round, trees_ + rounds_);
      const int64_t rows = std::min(kWave, n_ - wave);
      parallel_for(rows, kChunk, [&](int64_t begin, int64_t end) {
        Buckets& to = found[size_t(begin / kChunk)];
        to.assign(size_t(kBuckets), {});
        Panel panel;
        std::vector<int32_t> who;
        for (int64_t r = wave + begin; r < wave + end; r++) {
          const Candidates& c = candidates[size_t(r)];
          if (c.fresh.empty()) continue;
          who = c.fresh;
          who.insert(who.end(), c.old.begin(), c.old.end());
          gather(panel, who.data(), int64_t(who.size()), image(r));
          meet(panel, int64_t(c.fresh.size()), int64_t(who.size()),
               [&](int64_t i, int64_t j, float key) {
                 propose(to, who[size_t(i)], who[size_t(j)], key);
               });
        }
      });
      const int64_t chunks = (rows + kChunk - 1) / kChunk;
      changes += parallel_reduce(
          kBuckets, 1, int64_t{0},
          [&](int64_t bucket, int64_t) {
            int64_t inserted = 0;
            for (int64_t c = 0; c < chunks; c++)
              for (const Proposal& p : found[size_t(c)][size_t(bucket)])
                inserted += insert(p.row, p.other, p.key);
            return inserted;
          },
          [](int64_t a, int64_t b) { return a + b; });
    }
    return changes;
  }

  void propose(std::vector<std::vector<Proposal>>& to, int32_t a, int32_t b, float key) {
    auto offer = [&](int32_t row, int32_t other) {
      if (key <= key_.data()[(row + int64_t{1}) * list_ - 1])
        to[size_t(row * kBuckets / n_)].push_back({row, other, key});
    };
    offer(a, b);
    offer(b, a);
  }

  const Tensor images_;  // (n, width) f32
  const int64_t n_, width_, list_, sample_;
  const int trees_, rounds_;
  const double least_;
  Scratch<int32_t> index_;  // (n, list); -1: none yet
  Scratch<float> key_;
  Scratch<uint8_t> fresh_;
};

// What the descent compares: the longest image that an exact search would use, or the rows.
Tensor images_of(const Tensor& x, const ImagePlan& plan) {
  const int64_t n = x.size(0), d = x.size(1);
  const int64_t stride = plan.columns(), second = plan.deep ? plan.deep + 1 : 0;
  Tensor out = Tensor::empty({n, second ? second : stride}, DType::f32);
  const int64_t width = out.size(1);
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* rows = x.data<decltype(zero)>();
    parallel_for(n, 128, [&](int64_t begin, int64_t end) {
      const int64_t count = end - begin;
      std::vector<double> half(static_cast<size_t>(count)), slack(static_cast<size_t>(count));
      Scratch<float> first(second ? count * stride : 0);
      float* to = out.data<float>() + begin * width;
      make_images<decltype(zero), float>(
          plan, rows + begin * d, count,
          {second ? first.data() : to, stride, half.data(), slack.data(), second ? to : nullptr});
    });
  });
  return out;
}

// The k nearest of each row's list by direct differences. A row that has met fewer than k others
// searches all.
void rank(const Tensor& x, Descent& found, int64_t list, int64_t k, int64_t columns, int32_t* index,
          float* distance) {
  const int64_t n = x.size(0), d = x.size(1);
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* rows = x.data<decltype(zero)>();
    parallel_for(n, 64, [&](int64_t begin, int64_t end) {
      std::vector<Ranked<double>> near;
      for (int64_t i = begin; i < end; i++) {
        near.clear();
        auto measure = [&](int64_t j) {
          near.push_back(
              {kernels::direct_squared_distance(rows + i * d, rows + j * d, d), int32_t(j)});
        };
        for (int64_t r = 0; r < list; r++)
          if (found.list_of(i)[r] >= 0) measure(found.list_of(i)[r]);
        if (int64_t(near.size()) < k) {
          near.clear();
          for (int64_t j = 0; j < n; j++)
            if (j != i) measure(j);
        }
        std::partial_sort(near.begin(), near.begin() + k, near.end());
        for (int64_t r = 0; r < k; r++) {
          index[i * columns + columns - k + r] = near[size_t(r)].index;
          distance[i * columns + columns - k + r] = float(std::sqrt(near[size_t(r)].value));
        }
      }
    });
  });
}

// The share of found neighbours that are no farther than the exact k-th, over evenly spread rows.
double recall_of(const Tensor& x, const Neighbors& found, int64_t k) {
  const int64_t n = x.size(0), columns = found.index.size(1), judged = std::min(n, kJudged);
  Tensor some = Tensor::empty({judged, x.size(1)}, x.dtype());
  for (int64_t i = 0; i < judged; i++) some.select(0, i).copy_(x.select(0, i * n / judged));
  const Neighbors exact = exact_knn(some, x, k + 1, {}, KnnMethod::tiles);  // with itself
  int64_t near = 0;
  for (int64_t i = 0; i < judged; i++) {
    const float last = exact.distance.data<float>()[i * (k + 1) + k];
    const float* of = found.distance.data<float>() + i * n / judged * columns + columns - k;
    near += std::count_if(of, of + k, [&](float d) { return d <= last; });
  }
  return double(near) / double(judged * k);
}

void check(const NnDescentOptions& o) {
  if (o.trees < 0 || o.sample < 0 || o.iterations < 0)
    fail("nn_descent", "trees, sample and iterations >= 0",
         text(o.trees, ", ", o.sample, ", ", o.iterations));
  if (!(o.least >= 0) || !(o.recall >= 0) || !(o.recall <= 1))
    fail("nn_descent", "least >= 0 and recall from 0 to 1", text(o.least, " and ", o.recall));
}

}  // namespace

Approximation nn_descent(const Tensor& x, int64_t k, bool include_self,
                         const NnDescentOptions& options, const Progress& progress) {
  check(options);
  const Tensor points = finite_matrix("nn_descent", x);
  const int64_t n = points.size(0), most = include_self ? n : n - 1;
  if (k < 1 || k > most)
    fail("nn_descent",
         text("1 <= k <= ", most, " for ", n, include_self ? " rows" : " rows without self"),
         text("k = ", k), "ask for fewer neighbours");
  if (n > std::numeric_limits<int32_t>::max())
    fail("nn_descent", "fewer than 2^31 rows", text(n), "search in parts");
  profiler::Span span("nn_descent");
  const int64_t wanted = include_self ? k - 1 : k;
  Approximation out{{Tensor::empty({n, k}, DType::i32), Tensor::empty({n, k}, DType::f32)}, 1, 0};
  int32_t* index = out.neighbors.index.data<int32_t>();
  float* distance = out.neighbors.distance.data<float>();
  for (int64_t i = 0; include_self && i < n; i++) index[i * k] = int32_t(i), distance[i * k] = 0;
  if (wanted == 0) return out;

  const ImagePlan plan = plan_images("nn_descent", points, points, wanted);
  const int64_t list =
      std::min(n - 1, std::max<int64_t>(wanted + wanted / 4, 12) + (plan.head ? wanted / 2 : 0));
  Descent descent(images_of(points, plan), list, options);
  for (; out.descents == 0 || (out.recall < options.recall && out.descents < 3); out.descents++) {
    descent.run(Random(options.seed).fork("nn-descent").fork(uint64_t(out.descents)), progress);
    rank(points, descent, list, wanted, k, index, distance);
    out.recall = recall_of(points, out.neighbors, wanted);
  }
  return out;
}

int64_t rows_for_descent(int64_t d) {
  return d <= kTreeColumns ? std::numeric_limits<int32_t>::max() : int64_t{1} << 17;
}

Approximation find_neighbors(const Tensor& x, int64_t k, bool include_self, uint64_t seed,
                             const Progress& progress) {
  if (x.rank() == 2 && x.size(0) >= rows_for_descent(x.size(1))) {
    NnDescentOptions options;
    options.seed = seed;
    return nn_descent(x, k, include_self, options, progress);
  }
  return {exact_knn(x, k, include_self, progress), 1, 0};
}

}  // namespace clade::cluster
