#include "apps/cluster/clustering.h"

#include <algorithm>

#include "clustering/centroid/kmeans.h"
#include "clustering/density/soft_membership.h"
#include "clustering/manifold/umap.h"
#include "clustering/mixture/gmm.h"

namespace clade::apps {
namespace {

constexpr int kStarts = 5;  // of GMM and k-means; the best is kept

Tensor embed(const Tensor& latent, const ClusterOptions& options, const Progress& progress) {
  cluster::UmapOptions umap;
  umap.n_neighbors = options.n_neighbors;
  umap.n_components = options.umap_dim;
  umap.min_dist = options.min_dist;
  umap.seed = uint64_t(options.seed);
  return cluster::umap(latent, umap, progress).embedding;
}

}  // namespace

bool is_asked(const ClusterOptions& options, const std::string& method) {
  return ("," + options.methods + ",").find("," + method + ",") != std::string::npos;
}

void require_methods(const ClusterOptions& options) {
  if (options.methods == "none") return;
  const std::string& list = options.methods;
  for (size_t at = 0; at <= list.size();) {
    const size_t end = std::min(list.find(',', at), list.size());
    const std::string word = list.substr(at, end - at);
    if (word != "hdbscan" && word != "gmm" && word != "kmeans")
      fail("--methods", "hdbscan, gmm, kmeans, separated by commas, or none", text("'", word, "'"));
    at = end + 1;
  }
}

Clusterings cluster_latent(const Tensor& latent, const ClusterOptions& options, int64_t classes,
                           Stopwatch& watch, const Progress& progress) {
  const auto seed = uint64_t(options.seed);
  Clusterings found;

  found.embedding = latent;
  if (options.umap_dim > 0) {
    watch.start("umap");
    found.embedding = embed(latent, options, progress);
  }

  if (is_asked(options, "hdbscan")) {
    watch.start("hdbscan");
    cluster::HdbscanOptions density;
    density.min_cluster_size = *options.min_cluster_size;
    density.min_samples = *options.min_samples;
    found.hdbscan = cluster::hdbscan(found.embedding, density, progress);
    if (classes)
      found.hdbscan_soft = cluster::soft_labels(found.embedding, found.hdbscan, progress);
  }

  found.k = options.clusters.value_or(classes ? std::min(classes, latent.size(0))
                                              : found.hdbscan.cluster_count);
  if (found.k && is_asked(options, "gmm")) {
    watch.start("gmm");
    cluster::GmmOptions mixture;
    mixture.k = found.k;
    mixture.n_init = kStarts;
    mixture.seed = seed;
    found.gmm =
        cluster::predict(cluster::fit_gmm(found.embedding, mixture, progress), found.embedding);
  }
  if (found.k && is_asked(options, "kmeans")) {
    watch.start("kmeans");
    cluster::KMeansOptions centres;
    centres.k = found.k;
    centres.n_init = kStarts;
    centres.seed = seed;
    found.kmeans = cluster::kmeans(found.embedding, centres, {}, progress).labels;
  }
  watch.stop();
  return found;
}

}  // namespace clade::apps
