// A run that never was, for the report's tests and for looking at the page while working on it:
// blobs in the plane, images of rings and bars with holes in them, a tree that splits, a loss that
// falls.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "apps/report/report.h"
#include "tensor/random.h"

namespace clade::apps {

// Class c is a ring, a bar or a cross of some size and slant, drawn with a soft edge.
inline void draw_shape(float* image, int64_t side, int c, Random& rng) {
  const double angle = c * 0.55 + 0.2 * rng.normal(), size = 0.55 + 0.05 * rng.normal();
  for (int64_t h = 0; h < side; h++)
    for (int64_t w = 0; w < side; w++) {
      double y = 2.0 * double(h) / double(side - 1) - 1, x = 2.0 * double(w) / double(side - 1) - 1;
      double u = std::cos(angle) * x + std::sin(angle) * y,
             v = std::cos(angle) * y - std::sin(angle) * x;
      double ring = std::abs(std::hypot(u, v * (1 + 0.1 * c)) - size);
      double bar = std::abs(v) + std::max(0.0, std::abs(u) - size);
      double distance = c % 3 == 0 ? ring
                        : c % 3 == 1
                            ? bar
                            : std::min(bar, std::abs(u) + std::max(0.0, std::abs(v) - size));
      image[h * side + w] = float(1 / (1 + std::exp(30 * (distance - 0.16))));
    }
}

// A tree in which clusters 0 .. k - 1 split off one after the other.
inline TreeReport synthetic_tree(int64_t n, int64_t k, Random& rng) {
  std::vector<int64_t> parent, child, size, selected(static_cast<size_t>(k));
  std::vector<double> lambda;
  auto edge = [&](int64_t p, int64_t c, double l, int64_t s) {
    parent.push_back(p), child.push_back(c), lambda.push_back(l), size.push_back(s);
  };
  int64_t node = n, next = n + 1, point = 0, left = n;
  double at = 0.4;
  for (int64_t cluster = 0; cluster + 1 < k; cluster++) {
    for (int i = 0; i < n / 200; i++, left--)
      edge(node, point++, at * (0.8 + 0.2 * rng.uniform()), 1);
    const int64_t leaf = next++, rest = next++, share = left / (k - cluster);
    edge(node, leaf, at, share), edge(node, rest, at, left - share);
    for (int64_t i = 0; i < share; i++)
      edge(leaf, point++, at * (1 + 3 * std::abs(rng.normal())), 1);
    selected[size_t(cluster)] = leaf;
    node = rest, left -= share, at *= 1.25;
  }
  while (point < n) edge(node, point++, at * (1 + 2 * std::abs(rng.normal())), 1);
  selected.back() = node;
  const auto e = int64_t(parent.size());
  return {Tensor::from(parent, {e}), Tensor::from(child, {e}), Tensor::from(size, {e}),
          Tensor::from(lambda, {e}), Tensor::from(selected, {k})};
}

inline ReportData synthetic_run(int64_t n, int64_t side = 28) {
  const int k = 10;
  Random rng(7);
  ReportData d;
  d.title = "Shapes with holes";
  d.summary = text(n, " images in ", k,
                   " classes, a patch cut out of each; masked VAE for 30 epochs, UMAP to 2 "
                   "dimensions. HDBSCAN found 9 clusters by itself.");
  d.command =
      "clade cluster shapes --missing patches --model masked-vae --epochs 30 --seed 1 --out "
      "runs/shapes";
  d.full_command = "clade cluster shapes --missing patches --model masked-vae --epochs 50";
  d.notes = {"Scaled down: 30 of 50 epochs, filters 16 instead of 32."};
  d.figures = {{"ACC of GMM", "0.968"},
               {"ACC of HDBSCAN, strict", "0.944"},
               {"clusters found", "9"},
               {"left as noise", "4.8 %"}};
  d.settings = {{"clade", "0.1.0"},
                {"compiler", "GCC 12.2.0"},
                {"seed", "1"},
                {"threads", "2"},
                {"device", "cpu"}};
  d.times = {{"load", 0.4},    {"train", 212.7}, {"encode", 5.1}, {"umap", 48.2},
             {"hdbscan", 9.7}, {"gmm", 1.2},     {"k-means", 0.3}};

  std::vector<float> xy, pixels(size_t(n * side * side)), mask(size_t(n * side * side), 1.0f);
  std::vector<int32_t> classes, hdbscan, gmm, kmeans;
  for (int64_t i = 0; i < n; i++) {
    const int c = int(rng.below(k));
    const double t = rng.normal(), turn = c * 2.3;
    const double x = 9 * std::cos(c * 0.628) + 1.6 * t * std::cos(turn) + 0.35 * rng.normal();
    const double y =
        7 * std::sin(c * 0.628) + 1.6 * t * std::sin(turn) + 0.2 * t * t + 0.35 * rng.normal();
    xy.push_back(float(x)), xy.push_back(float(y));
    classes.push_back(c);
    hdbscan.push_back(std::abs(t) > 1.96 ? -1 : c == 9 ? 4 : (c + 3) % 9);
    gmm.push_back(rng.uniform() < 0.03 ? int32_t(rng.below(k)) : (c * 7 + 1) % k);
    kmeans.push_back(rng.uniform() < 0.15 ? int32_t(rng.below(k)) : (c * 3) % k);
    if (side) draw_shape(&pixels[size_t(i * side * side)], side, c, rng);
    const int64_t top = rng.below(side - 8), left = rng.below(side - 8);
    for (int64_t h = top; h < top + 8; h++)
      for (int64_t w = left; w < left + 8; w++) mask[size_t((i * side + h) * side + w)] = 0;
  }
  d.embedding = Tensor::from(xy, {n, 2});
  d.classes = Tensor::from(classes, {n});
  for (int c = 0; c < k; c++)
    d.class_names.push_back(std::string(c % 3 == 0   ? "Ring "
                                        : c % 3 == 1 ? "Bar "
                                                     : "Cross ") +
                            std::to_string(c));
  d.methods = {
      {"hdbscan",
       "HDBSCAN",
       Tensor::from(hdbscan, {n}),
       {{"ACC", 0.944}, {"NMI", 0.921}, {"ARI", 0.915}, {"AMI", 0.921}},
       {{"strict", 0.944, "noise counts as wrong"},
        {"noise as a cluster", 0.951, "noise is one more cluster, which may match a class"},
        {"soft", 0.962, "noise goes to the cluster of its strongest membership"},
        {"labelled only", 0.981, "only the 95.2 % of points that are in a cluster"}}},
      {"gmm",
       "GMM",
       Tensor::from(gmm, {n}),
       {{"ACC", 0.968}, {"NMI", 0.953}, {"ARI", 0.961}, {"AMI", 0.953}},
       {}},
      {"kmeans",
       "k-means",
       Tensor::from(kmeans, {n}),
       {{"ACC", 0.842}, {"NMI", 0.811}, {"ARI", 0.779}, {"AMI", 0.811}},
       {}}};
  d.tree = synthetic_tree(n, 9, rng);
  for (const char* name : {"total", "reconstruction", "KL"}) d.loss.push_back({name, {}});
  for (int e = 1; e <= 30; e++) {
    double reconstruction = 22 + 60 / std::pow(double(e), 0.9) + 0.4 * rng.normal(),
           kl = 14 - 9 / std::sqrt(double(e));
    d.loss[0].values.push_back(reconstruction + kl);
    d.loss[1].values.push_back(reconstruction);
    d.loss[2].values.push_back(kl);
  }
  d.images = Tensor::from(pixels, {n, 1, side, side});
  d.mask = Tensor::from(mask, {n, 1, side, side});
  for (int64_t i = 0; i < 14; i++) d.sample_rows.push_back(i);
  d.reconstructions = d.images.slice(0, 0, 14).clone();
  return d;
}

}  // namespace clade::apps
