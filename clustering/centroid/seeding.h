// First centres for k-means, drawn from the rows.
#pragma once

#include <vector>

#include "tensor/progress.h"
#include "tensor/random.h"
#include "tensor/tensor.h"

namespace clade::cluster {

// Row indices (k) of x (n, d), 1 <= k <= n; weights (n) f64 >= 0 with a positive sum, or undefined
// for all 1. x as finite_matrix returns it, best centred.

// Greedy k-means++ (Arthur & Vassilvitskii, "k-means++: the advantages of careful seeding", SODA
// 2007, section 2.2 and the greedy variant of their conclusion): each next centre is drawn with
// probability w_i D_i^2, D_i the distance to the nearest centre so far; of 2 + ln k such draws the
// one that lowers sum w D^2 most is kept. Cost: 2 n d k (2 + ln k) FLOPs.
std::vector<int64_t> plus_plus_rows(const Tensor& x, int64_t k, const Tensor& weights, Random& rng,
                                    const Progress& progress = {});
int64_t plus_plus_trials(int64_t k);  // 2 + ln k, rounded down

// The same for several starts, one for each of rngs: the candidates of all are measured in one
// product. Beside x it holds as many numbers a row as they have candidates.
std::vector<std::vector<int64_t>> plus_plus_rows(const Tensor& x, int64_t k, const Tensor& weights,
                                                 std::vector<Random>& rngs,
                                                 const Progress& progress = {});

// k-means|| (Bahmani et al., "Scalable k-means++", VLDB 2012): five rounds, in each of which every
// row becomes a candidate with probability min(1, 2 k w_i D_i^2 / sum w D^2); the candidates,
// weighted by the rows nearest to them, are reduced to k by k-means++. For large k: some
// 10 times 2 n d k FLOPs, but no step that waits for the one before it k times over.
std::vector<int64_t> parallel_rows(const Tensor& x, int64_t k, const Tensor& weights, Random& rng,
                                   const Progress& progress = {});

// k distinct rows, drawn one after the other with probability proportional to their weights.
std::vector<int64_t> random_rows(int64_t n, int64_t k, const Tensor& weights, Random& rng);

// The rows (count, d) of x that `rows` names.
Tensor gather_rows(const Tensor& x, const std::vector<int64_t>& rows);

}  // namespace clade::cluster
