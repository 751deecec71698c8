// The stages that train nothing: k-means, GMM, HDBSCAN, UMAP, t-SNE, PCA.
#include <algorithm>

#include "apps/reproduce/stage.h"
#include "clustering/centroid/kmeans.h"
#include "clustering/density/soft_membership.h"
#include "clustering/manifold/pca.h"
#include "clustering/manifold/tsne.h"
#include "clustering/manifold/umap.h"
#include "clustering/mixture/gmm.h"

namespace clade::apps {
namespace {

int64_t clusters_of(const StageInput& in) {
  const int64_t k = in.whole("k") ? in.whole("k") : in.classes;
  return std::min(std::max<int64_t>(k, 1), in.features.size(0));
}

StageOutput run_kmeans(const StageInput& in) {
  cluster::KMeansOptions o;
  o.k = clusters_of(in);
  o.n_init = int(in.whole("n_init"));
  o.max_iter = int(in.whole("max_iter"));
  o.seed = in.seed;
  const cluster::KMeans found = cluster::kmeans(in.features, o, {}, in.progress);
  StageOutput out;
  out.labels = found.labels;
  out.measures = {{"inertia", found.inertia}};
  out.criterion = Criterion{"inertia", found.inertia};
  return out;
}

StageOutput run_gmm(const StageInput& in) {
  cluster::GmmOptions o;
  o.k = clusters_of(in);
  o.n_init = int(in.whole("n_init"));
  o.max_iter = int(in.whole("max_iter"));
  o.reg_covar = in.number("reg_covar");
  o.seed = in.seed;
  if (in.word("covariance") == "diag") o.covariance = cluster::Covariance::diagonal;
  const cluster::Gmm found = cluster::fit_gmm(in.features, o, in.progress);
  StageOutput out;
  out.labels = cluster::predict(found, in.features);
  const double likelihood = found.lower_bounds.empty() ? 0 : found.lower_bounds.back();
  out.measures = {{"log_likelihood", likelihood}};
  out.criterion = Criterion{"-log likelihood", -likelihood};
  return out;
}

StageOutput run_hdbscan(const StageInput& in) {
  const int64_t n = in.features.size(0);
  cluster::HdbscanOptions o;
  o.min_cluster_size = in.whole("min_cluster_size");
  if (o.min_cluster_size == 0)
    o.min_cluster_size = std::max({int64_t(2), n / 140, std::min<int64_t>(20, n / 10)});
  o.min_samples = std::min(in.whole("min_samples"), n);
  const cluster::HdbscanResult found = cluster::hdbscan(in.features, o, in.progress);
  StageOutput out;
  out.labels = found.labels;
  out.soft = cluster::soft_labels(in.features, found, in.progress);
  return out;
}

StageOutput run_umap(const StageInput& in) {
  cluster::UmapOptions o;
  o.n_neighbors = in.whole("n_neighbors");
  o.n_components = in.whole("n_components");
  o.min_dist = in.number("min_dist");
  o.seed = in.seed;
  StageOutput out;
  out.features = cluster::umap(in.features, o, in.progress).embedding;
  return out;
}

StageOutput run_tsne(const StageInput& in) {
  cluster::TsneOptions o;
  o.perplexity = in.number("perplexity");
  o.learning_rate = in.number("learning_rate");
  o.early_steps = in.whole("early_steps");
  o.steps = in.whole("steps");
  o.seed = in.seed;
  if (in.word("init") == "random") o.init = cluster::TsneInit::random;
  const cluster::TsneResult found = cluster::tsne(in.features, o, in.progress);
  StageOutput out;
  out.features = found.embedding;
  out.measures = {{"divergence", found.divergence}};
  return out;
}

StageOutput run_pca(const StageInput& in) {
  const int64_t n = in.features.size(0), d = in.features.size(1);
  cluster::PcaOptions o;
  o.components = std::min(in.whole("components"), std::min(n - 1, d));
  o.solver = cluster::PcaSolver::exact;
  const cluster::Pca found = cluster::fit_pca(in.features, o, in.progress);
  StageOutput out;
  out.features = cluster::transform(found, in.features);
  const std::vector<double> ratios = found.variance_ratio.to_vector<double>();
  double kept = 0;
  for (size_t i = 0; i < ratios.size(); i++) {
    kept += ratios[i];
    if (i < 2) out.measures.push_back({text("variance_ratio_", i + 1), ratios[i]});
  }
  out.measures.push_back({"variance_kept", kept});
  return out;
}

const OptionKind kClusters = {"k", "0", "clusters; 0: as many as there are classes"};

}  // namespace

const std::vector<StageKind>& shallow_stages() {
  static const std::vector<StageKind> all = {
      {"k-means",
       "k centres",
       true,
       true,
       {kClusters,
        {"n_init", "10", "starts, of which the one of least inertia is kept", "3"},
        {"max_iter", "300", "iterations of a start"}},
       run_kmeans},
      {"gmm",
       "a mixture of Gaussians",
       true,
       true,
       {kClusters,
        {"covariance", "full", "full or diag"},
        {"n_init", "5", "starts, of which the likeliest is kept", "2"},
        {"max_iter", "100", "iterations of a start"},
        {"reg_covar", "1e-6", "added to every variance"}},
       run_gmm},
      {"hdbscan",
       "dense regions",
       false,
       true,
       {{"min_cluster_size", "0", "the fewest rows that are a cluster; 0: a 140th of the rows",
         "0"},
        {"min_samples", "10", "neighbours that make a dense place"}},
       run_hdbscan},
      {"umap",
       "fewer dimensions by neighbours",
       true,
       false,
       {{"n_neighbors", "15", "neighbours of a row; 0: a 300th of the rows, at least 100"},
        {"n_components", "2", "dimensions"},
        {"min_dist", "0", "how tightly points may be packed"}},
       run_umap},
      {"tsne",
       "two dimensions by neighbours",
       true,
       false,
       {{"perplexity", "30", "about the neighbours that count"},
        {"learning_rate", "0", "0: rows / exaggeration"},
        {"early_steps", "250", "with early exaggeration", "50"},
        {"steps", "500", "after them", "100"},
        {"init", "pca", "pca or random"}},
       run_tsne},
      {"pca", "principal components", false, false, {{"components", "50", "dimensions"}}, run_pca},
  };
  return all;
}

}  // namespace clade::apps
