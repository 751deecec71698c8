#include "apps/cluster/clustering.h"

#include <algorithm>

#include "clustering/centroid/kmeans.h"
#include "clustering/density/soft_membership.h"
#include "clustering/manifold/umap.h"
#include "clustering/mixture/gmm.h"

namespace clade::apps {
namespace {

constexpr int kStarts = 5;  // of GMM and k-means; the best is kept

}  // namespace

Clusterings cluster_latent(const Tensor& latent, const ClusterOptions& options, int64_t classes,
                           Stopwatch& watch, const Progress& progress) {
  const auto seed = uint64_t(options.seed);
  Clusterings found;

  watch.start("umap");
  cluster::UmapOptions umap;
  umap.n_neighbors = options.n_neighbors;
  umap.n_components = options.umap_dim;
  umap.min_dist = options.min_dist;
  umap.seed = seed;
  found.embedding = cluster::umap(latent, umap, progress).embedding;

  watch.start("hdbscan");
  cluster::HdbscanOptions density;
  density.min_cluster_size = *options.min_cluster_size;
  density.min_samples = *options.min_samples;
  found.hdbscan = cluster::hdbscan(found.embedding, density, progress);
  if (classes) found.hdbscan_soft = cluster::soft_labels(found.embedding, found.hdbscan, progress);

  found.k = options.clusters.value_or(classes ? std::min(classes, latent.size(0))
                                              : found.hdbscan.cluster_count);
  if (!found.k) return found;

  watch.start("gmm");
  cluster::GmmOptions mixture;
  mixture.k = found.k;
  mixture.n_init = kStarts;
  mixture.seed = seed;
  found.gmm =
      cluster::predict(cluster::fit_gmm(found.embedding, mixture, progress), found.embedding);

  watch.start("kmeans");
  cluster::KMeansOptions centres;
  centres.k = found.k;
  centres.n_init = kStarts;
  centres.seed = seed;
  found.kmeans = cluster::kmeans(found.embedding, centres, {}, progress).labels;
  watch.stop();
  return found;
}

}  // namespace clade::apps
