#include "clustering/centroid/seeding.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "clustering/centroid/assign.h"
#include "clustering/linalg/grain.h"
#include "kernels/distance/distance.h"
#include "kernels/distance/tiles.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr int64_t kTile = 256;  // rows of a product
constexpr int kRounds = 5;      // of k-means||

double weight_of(const Tensor& weights, int64_t i) {
  return weights.defined() ? weights.data<double>()[i] : 1.0;
}

// w_i D_i^2 added up over blocks of rows, from which rows are drawn in proportion to it.
struct Mass {
  int64_t rows;                // of a block
  std::vector<double> blocks;  // sums
  double total() const { return std::accumulate(blocks.begin(), blocks.end(), 0.0); }
};

// One row with probability w_i mass_i (mass 1 where null). All of no mass: uniform.
template <class T>
int64_t draw_row(const Mass& mass, const T* squared, const Tensor& weights, int64_t n,
                 Random& rng) {
  const double u = rng.uniform(), total = mass.total();
  if (!(total > 0)) return std::min(int64_t(u * double(n)), n - 1);
  double left = u * total;
  size_t block = 0;
  for (; block + 1 < mass.blocks.size() && left >= mass.blocks[block]; block++)
    left -= mass.blocks[block];
  while (!(mass.blocks[block] > 0)) block--;  // rounding may lead behind the last that has any
  const int64_t begin = int64_t(block) * mass.rows, end = std::min(n, begin + mass.rows);
  int64_t last = begin;
  for (int64_t i = begin; i < end; i++) {
    const double m = weight_of(weights, i) * (squared ? double(squared[i]) : 1.0);
    if (!(m > 0)) continue;
    last = i;
    if (left < m) break;
    left -= m;
  }
  return last;
}

// For several starts at once: squared distances of all rows to the nearest centre so far, and what
// further ones would make of them. They are summed directly where products may have cancelled most
// of them.
template <class T>
class Potential {
 public:
  Potential(const Tensor& x, const Tensor& weights, int64_t starts, int64_t trials)
      : x_(x.data<T>()),
        n_(x.size(0)),
        d_(x.size(1)),
        starts_(starts),
        weights_(weights),
        norms_(half_squared_norms(x)),
        closest_(starts * n_),
        lowered_(starts * trials * n_) {
    std::fill_n(closest_.data(), starts * n_, std::numeric_limits<T>::infinity());
    Mass mass{rows_per_chunk(d_, kTile), {}};
    const int64_t blocks = (n_ + mass.rows - 1) / mass.rows;
    mass.blocks.assign(size_t(blocks), 0.0);
    for (int64_t i = 0; i < n_; i++) mass.blocks[size_t(i / mass.rows)] += weight_of(weights, i);
    mass_.assign(size_t(starts), mass);
    partial_.resize(size_t(blocks * starts * trials));
  }

  // The first row is drawn by weight alone, all others by weight and distance.
  int64_t draw(int64_t start, Random& rng) {
    return draw_row(mass_[size_t(start)],
                    started_ ? closest_.data() + start * n_ : static_cast<T*>(nullptr), weights_,
                    n_, rng);
  }

  // Each start takes on whichever of its candidates leaves the least sum of w D^2. All starts have
  // as many of them (at most `trials`), and theirs are neighbours in the list.
  std::vector<int64_t> take_best(const std::vector<int64_t>& candidates) {
    lower(candidates);
    const size_t all = candidates.size(), count = all / size_t(starts_);
    const size_t blocks = mass_[0].blocks.size();
    std::vector<int64_t> best;  // places in the list
    for (size_t first = 0; first < all; first += count) {
      best.push_back(int64_t(first));
      double least = std::numeric_limits<double>::infinity();
      for (size_t t = first; t < first + count; t++) {
        double sum = 0;
        for (size_t b = 0; b < blocks; b++) sum += partial_[b * all + t];
        if (sum < least) least = sum, best.back() = int64_t(t);
      }
      for (size_t b = 0; b < blocks; b++)
        mass_[first / count].blocks[b] = partial_[b * all + size_t(best.back())];
    }
    parallel_for(n_, rows_per_chunk(starts_), [&](int64_t begin, int64_t end) {
      for (int64_t s = 0; s < starts_; s++)
        std::copy_n(lowered_.data() + best[size_t(s)] * n_ + begin, end - begin,
                    closest_.data() + s * n_ + begin);
    });
    started_ = true;
    for (int64_t& place : best) place = candidates[size_t(place)];
    return best;
  }

 private:
  void lower(const std::vector<int64_t>& candidates) {
    const int64_t all = int64_t(candidates.size()), count = all / starts_;
    Scratch<T> centres(all * d_);
    std::vector<double> h;
    for (int64_t t = 0; t < all; t++) {
      std::copy_n(x_ + candidates[size_t(t)] * d_, d_, centres.data() + t * d_);
      h.push_back(norms_[size_t(candidates[size_t(t)])]);
    }
    const int64_t block = mass_[0].rows;
    parallel_for(n_, block, [&](int64_t begin, int64_t end) {
      Scratch<T> products(kTile * all);
      double* sums = partial_.data() + begin / block * all;
      std::fill_n(sums, all, 0.0);
      for (int64_t i = begin; i < end; i += kTile) {
        const int64_t m = std::min(kTile, end - i);
        kernels::transposed_products(x_ + i * d_, m, centres.data(), all, d_, products.data());
        for (int64_t t = 0; t < all; t++)
          sums[t] +=
              lower_tile(i, m, centres.data() + t * d_, h[size_t(t)], products.data() + t * m,
                         closest_.data() + t / count * n_ + i, lowered_.data() + t * n_ + i);
      }
    });
  }

  // The distances of m rows to the nearest of one centre and those so far; returns their sum of
  // w D^2.
  double lower_tile(int64_t i0, int64_t m, const T* centre, double h, const T* products,
                    const T* closest, T* out) {
    const double uncertain = 32 * product_error(d_, dtype_of<T>);
    const double* g = norms_.data() + i0;
    int64_t doubtful = 0;
    with_vectors([&] {
      for (int64_t i = 0; i < m; i++) {
        const double squared = 2 * (g[i] + h - double(products[i]));
        doubtful += !(squared > 2 * uncertain * (g[i] + h));
        out[i] = T(squared);
      }
    });
    for (int64_t i = 0; doubtful > 0 && i < m; i++)
      if (!(2 * (g[i] + h - double(products[i])) > 2 * uncertain * (g[i] + h)))
        out[i] = T(kernels::direct_squared_distance(x_ + (i0 + i) * d_, centre, d_));
    double sum = 0;
    for (int64_t i = 0; i < m; i++) {
      out[i] = std::min(closest[i], out[i]);
      sum += weight_of(weights_, i0 + i) * double(out[i]);
    }
    return sum;
  }

  const T* x_;
  const int64_t n_, d_, starts_;
  const Tensor& weights_;
  std::vector<double> norms_;
  Scratch<T> closest_, lowered_;  // (starts, n), (starts, trials, n): squared distances
  std::vector<Mass> mass_;        // (starts)
  std::vector<double> partial_;   // (blocks, candidates)
  bool started_ = false;
};

// closest_i = min(closest_i, squared distance of row i to the nearest of `added`); owner_i the
// number of that centre, counted from `first`. Returns sum w D^2.
double lower_to(const Tensor& x, const Tensor& added, const Tensor& weights, int32_t first,
                std::vector<double>& closest, std::vector<int32_t>& owner) {
  const int64_t n = x.size(0), d = x.size(1);
  std::vector<int32_t> nearest(static_cast<size_t>(n));
  nearest_centres(x, added, nearest.data());
  return dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    return parallel_reduce(
        n, rows_per_chunk(d), 0.0,
        [&](int64_t begin, int64_t end) {
          double sum = 0;
          for (int64_t i = begin; i < end; i++) {
            const int32_t c = nearest[size_t(i)];
            const double squared =
                kernels::direct_squared_distance(x.data<T>() + i * d, added.data<T>() + c * d, d);
            if (squared < closest[size_t(i)])
              closest[size_t(i)] = squared, owner[size_t(i)] = first + c;
            sum += weight_of(weights, i) * closest[size_t(i)];
          }
          return sum;
        },
        [](double a, double b) { return a + b; });
  });
}

}  // namespace

Tensor gather_rows(const Tensor& x, const std::vector<int64_t>& rows) {
  Tensor out = Tensor::empty({int64_t(rows.size()), x.size(1)}, x.dtype());
  for (size_t c = 0; c < rows.size(); c++) out.select(0, int64_t(c)).copy_(x.select(0, rows[c]));
  return out;
}

int64_t plus_plus_trials(int64_t k) { return 2 + int64_t(std::log(double(k))); }

std::vector<std::vector<int64_t>> plus_plus_rows(const Tensor& x, int64_t k, const Tensor& weights,
                                                 std::vector<Random>& rngs,
                                                 const Progress& progress) {
  const int64_t starts = int64_t(rngs.size()), trials = plus_plus_trials(k);
  return dispatch_floating(x.dtype(), [&](auto zero) {
    Potential<decltype(zero)> potential(x, weights, starts, trials);
    std::vector<std::vector<int64_t>> rows(rngs.size());
    for (int64_t c = 0; c < k; c++) {
      progress("k-means++", c, k);
      std::vector<int64_t> candidates;
      for (int64_t s = 0; s < starts; s++)
        for (int64_t t = 0; t < (c == 0 ? 1 : trials); t++)
          candidates.push_back(potential.draw(s, rngs[size_t(s)]));
      const std::vector<int64_t> best = potential.take_best(candidates);
      for (size_t s = 0; s < rows.size(); s++) rows[s].push_back(best[s]);
    }
    return rows;
  });
}

std::vector<int64_t> plus_plus_rows(const Tensor& x, int64_t k, const Tensor& weights, Random& rng,
                                    const Progress& progress) {
  std::vector<Random> rngs{rng};
  std::vector<int64_t> rows = plus_plus_rows(x, k, weights, rngs, progress)[0];
  rng = rngs[0];
  return rows;
}

std::vector<int64_t> parallel_rows(const Tensor& x, int64_t k, const Tensor& weights, Random& rng,
                                   const Progress& progress) {
  const int64_t n = x.size(0);
  std::vector<double> closest(size_t(n), std::numeric_limits<double>::infinity());
  std::vector<int32_t> owner(size_t(n), 0);
  std::vector<int64_t> candidates = random_rows(n, 1, weights, rng);
  double potential = lower_to(x, gather_rows(x, candidates), weights, 0, closest, owner);
  for (int round = 0; round < kRounds && potential > 0; round++) {
    progress("k-means||", round, kRounds);
    const uint64_t base = rng.take(n);
    std::vector<int64_t> added;
    for (int64_t i = 0; i < n; i++)
      if (rng.uniform_at(base + uint64_t(i)) * potential <
          2.0 * double(k) * weight_of(weights, i) * closest[size_t(i)])
        added.push_back(i);
    if (added.empty()) continue;
    potential =
        lower_to(x, gather_rows(x, added), weights, int32_t(candidates.size()), closest, owner);
    candidates.insert(candidates.end(), added.begin(), added.end());
  }
  if (int64_t(candidates.size()) <= k) {  // few distinct rows, or bad luck: others, by weight
    std::vector<bool> taken(static_cast<size_t>(n));
    for (int64_t row : candidates) taken[size_t(row)] = true;
    for (int64_t row : random_rows(n, std::min(n, 2 * k), weights, rng)) {
      if (int64_t(candidates.size()) == k) break;
      if (!taken[size_t(row)]) candidates.push_back(row);
    }
    return candidates;
  }
  Tensor shares = Tensor::zeros({int64_t(candidates.size())}, DType::f64);
  for (int64_t i = 0; i < n; i++) shares.data<double>()[owner[size_t(i)]] += weight_of(weights, i);
  std::vector<int64_t> rows;
  for (int64_t c : plus_plus_rows(gather_rows(x, candidates), k, shares, rng, progress))
    rows.push_back(candidates[size_t(c)]);
  return rows;
}

std::vector<int64_t> random_rows(int64_t n, int64_t k, const Tensor& weights, Random& rng) {
  // The k smallest of independent exponential waiting times, -ln(1 - u_i) / w_i (Efraimidis &
  // Spirakis, "Weighted random sampling with a reservoir", IPL 97, 2006).
  std::vector<std::pair<double, int64_t>> wait(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; i++) {
    double time = -std::log1p(-rng.uniform()), w = weight_of(weights, i);
    wait[size_t(i)] = {w > 0 ? time / w : std::numeric_limits<double>::infinity(), i};
  }
  std::partial_sort(wait.begin(), wait.begin() + k, wait.end());
  std::vector<int64_t> rows;
  for (int64_t c = 0; c < k; c++) rows.push_back(wait[size_t(c)].second);
  return rows;
}

}  // namespace clade::cluster
