// All that a person can ask of `clade cluster`, in one list: visit() names each option once, and
// the command line, run.json and the command that repeats a run all come from it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "tensor/parallel.h"

namespace clade::apps {

// An option that is not given is worked out from the data (apps/cluster/recipe.h).
struct ClusterOptions {
  std::string data;
  std::string missing = "none";
  std::optional<std::string> model;
  std::optional<int64_t> epochs, batch, filters, latent, min_cluster_size, min_samples, clusters,
      threads, limit;
  std::optional<double> beta, lr;
  std::optional<std::string> set, pretrained;
  std::string methods = "hdbscan,gmm,kmeans";
  int64_t n_neighbors = 15, umap_dim = 2;
  double min_dist = 0;
  int64_t seed = 1;
  std::string device = "cpu";
  std::optional<std::string> out, data_dir, label_column, drop_columns;
  bool resume = false, quiet = false;
};

// The kinds of values; apps/cli/limits.h turns them into checks and messages.
struct AtLeast {
  double low;
};
struct Above {
  double low;
};
struct Between {
  double low, high;
};
struct Words {
  const char* list;  // separated by blanks
};
// Their names, as --model takes them: the systems of models/system.h, then pca and none.
const char* model_names();
struct Anything {
  const char* kind;  // as help names it
};

// v(name, member, kind, help) for each option but the data set.
template <class Options, class Visitor>
void visit(Options& o, Visitor&& v) {
  v("--missing", o.missing, Anything{"HOW"},
    "hide values first: none, patches[:SIDE], or mcar[:RATE], mar[:RATE], mnar[:RATE] (completely "
    "at random; by another column; by their own size)");
  v("--model", o.model, Words{model_names()},
    "what finds the features: `clade systems` tells of each [masked-vae where values are missing, "
    "else vae for images, none for tables]");
  v("--epochs", o.epochs, AtLeast{1}, "passes over the data [50 to 400: the fewer rows, the more]");
  v("--batch", o.batch, AtLeast{2}, "rows a training step [128 or 256]");
  v("--filters", o.filters, AtLeast{1},
    "channels of the first block of the network [the image's side]");
  v("--latent", o.latent, AtLeast{1}, "features a row is reduced to [10; pca: 50]");
  v("--beta", o.beta, AtLeast{0}, "weight of the KL term of a VAE [0.2]");
  v("--lr", o.lr, Above{0}, "learning rate [0.001]");
  v("--set", o.set, Anything{"NAME=VALUE,..."},
    "more settings of the model; `clade systems NAME` lists them");
  v("--pretrained", o.pretrained, Anything{"RUN"},
    "the folder of a run whose autoencoder to start from");
  v("--n-neighbors", o.n_neighbors, AtLeast{2}, "UMAP: neighbours of a point");
  v("--min-dist", o.min_dist, Between{0, 1}, "UMAP: how far apart points are kept");
  v("--umap-dim", o.umap_dim, AtLeast{0},
    "UMAP: dimensions of the embedding; 0: no UMAP, the features are clustered as they are");
  v("--min-cluster-size", o.min_cluster_size, AtLeast{2},
    "HDBSCAN: the fewest points that are a cluster [rows / 140, at least 20]");
  v("--min-samples", o.min_samples, AtLeast{1},
    "HDBSCAN: neighbours that make a dense place [min-cluster-size / 10, at least 10]");
  v("--methods", o.methods, Anything{"LIST"},
    "what clusters the embedding, separated by commas: hdbscan, gmm, kmeans, or none");
  v("--clusters", o.clusters, AtLeast{1},
    "k of the model, GMM and k-means [number of classes, else what HDBSCAN found]");
  v("--label-column", o.label_column, Anything{"NAME"},
    "of a table: the column with the known classes (name, or number from 1; -1: the last)");
  v("--drop-columns", o.drop_columns, Anything{"NAMES"},
    "of a table: columns to leave out, separated by commas");
  v("--limit", o.limit, AtLeast{1}, "only the first N rows");
  v("--data-dir", o.data_dir, Anything{"DIR"}, "where to look for data sets first");
  v("--seed", o.seed, AtLeast{0}, "of all randomness: same seed, same result");
  v("--threads", o.threads, Between{1, kMostThreads}, "[all cores]");
  v("--device", o.device, Words{"cpu cuda cuda-on-cpu"}, "what trains the model");
  v("--out", o.out, Anything{"DIR"}, "the run's folder [runs/<data>]");
}

// The command that repeats the run: the data set and every option that differs from its default.
// --resume and --quiet change nothing in the result and are left out.
std::string command_line(const ClusterOptions& options);

}  // namespace clade::apps
