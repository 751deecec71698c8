// The second half of the pipeline: latent means -> UMAP -> HDBSCAN, GMM and k-means.
#pragma once

#include "apps/cluster/options.h"
#include "apps/stopwatch.h"
#include "clustering/density/hdbscan.h"
#include "tensor/progress.h"

namespace clade::apps {

struct Clusterings {
  Tensor embedding;                // (n, umap_dim) f32; the features themselves without UMAP
  cluster::HdbscanResult hdbscan;  // its labels undefined where it was not asked for
  // (n) i32: hdbscan.labels, noise given to the cluster it belongs to most. Only the scores need
  // it: undefined without classes.
  Tensor hdbscan_soft;
  int64_t k = 0;       // of GMM and k-means; 0: HDBSCAN found none and nothing else says
  Tensor gmm, kmeans;  // (n) i32; undefined where k is 0 or not asked for
};

// Whether --methods names it.
bool is_asked(const ClusterOptions& options, const std::string& method);
// Throws Error on words that --methods does not know.
void require_methods(const ClusterOptions& options);

// latent (n, d). classes: known classes, 0 without labels; k when the options do not say.
Clusterings cluster_latent(const Tensor& latent, const ClusterOptions& options, int64_t classes,
                           Stopwatch& watch, const Progress& progress);

}  // namespace clade::apps
