#include "apps/cluster/recipe.h"

#include <algorithm>
#include <filesystem>

#include "apps/cli/table.h"
#include "tensor/error.h"
#include "tensor/parallel.h"
#include "tensor/text.h"

namespace clade::apps {
namespace {

std::string default_model(const data::Dataset& d) {
  if (d.mask.defined()) return "masked-vae";
  return d.is_images() ? "vae" : "none";
}

std::string default_folder(const std::string& data) {
  const std::string stem = std::filesystem::path(data).lexically_normal().stem().string();
  return "runs/" + (stem.empty() || stem[0] == '.' ? "cluster" : stem);
}

int64_t full_filters(const data::Dataset& d) { return d.is_images() ? d.values.size(2) : 0; }

}  // namespace

bool is_network(const std::string& model) { return model == "vae" || model == "masked-vae"; }

int64_t full_epochs(int64_t n) { return std::clamp<int64_t>(1'860'000 / n, 50, 400); }

ClusterOptions with_recipe(const ClusterOptions& given, const data::Dataset& seen) {
  const int64_t n = seen.size();
  ClusterOptions o = given;
  o.model = given.model.value_or(default_model(seen));
  o.threads = given.threads.value_or(threads());
  o.out = given.out.value_or(default_folder(given.data));
  o.min_cluster_size = given.min_cluster_size.value_or(
      std::max({int64_t(2), n / 140, std::min<int64_t>(20, n / 10)}));
  o.min_samples =
      std::min(given.min_samples.value_or(std::max<int64_t>(10, *o.min_cluster_size / 10)), n);

  if (is_network(*o.model)) {
    o.epochs = given.epochs.value_or(full_epochs(n));
    o.latent = given.latent.value_or(10);
    if (seen.is_images()) o.filters = given.filters.value_or(full_filters(seen));
    if (given.filters && !seen.is_images())
      fail("--filters", "images", text("the table ", seen.name), "leave it out");
  } else {
    const char* unused = given.epochs ? "--epochs" : given.filters ? "--filters" : nullptr;
    if (given.latent && *o.model == "none") unused = "--latent";
    if (unused)
      fail(unused, "a model that uses it", text("--model ", *o.model),
           "leave it out or take --model vae");
    const int64_t d = seen.values.numel() / n;
    if (*o.model == "pca") o.latent = std::min(given.latent.value_or(50), std::min(n - 1, d));
    if (given.latent && *given.latent > *o.latent)
      fail("--latent", text("at most ", *o.latent, " for ", n, " rows of ", d, " values"),
           text(*given.latent), "choose fewer");
  }
  if (o.clusters && *o.clusters > n)
    fail("--clusters", text("at most ", n, " (one a row)"), text(*o.clusters), "choose fewer");
  if (*o.min_cluster_size > n)
    fail("--min-cluster-size", text("at most ", n, " (all rows)"), text(*o.min_cluster_size),
         "choose fewer");
  return o;
}

ScaledDown scaled_down(const ClusterOptions& given, const ClusterOptions& used,
                       const data::Dataset& seen, int64_t rows_in_all) {
  ScaledDown out;
  ClusterOptions full = given;
  if (const int64_t n = seen.size(); n < rows_in_all) {
    out.what.push_back(text(grouped(n), " of ", grouped(rows_in_all), " rows"));
    full.limit.reset();
  }
  if (used.epochs && *used.epochs < full_epochs(rows_in_all)) {
    out.what.push_back(text(*used.epochs, " of ", full_epochs(rows_in_all), " epochs"));
    full.epochs.reset();
  }
  if (used.filters && *used.filters < full_filters(seen)) {
    out.what.push_back(
        text(*used.filters, " of ", full_filters(seen), " filters in the first block"));
    full.filters.reset();
  }
  if (out.what.empty()) return out;
  if (full.out) full.out = *full.out + "-full";
  out.full_command = command_line(full);
  return out;
}

}  // namespace clade::apps
