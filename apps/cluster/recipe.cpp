#include "apps/cluster/recipe.h"

#include <algorithm>
#include <charconv>
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

std::string written(int64_t v) { return std::to_string(v); }
std::string written(double v) {  // the shortest that reads back as v
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, v).ptr};
}

// v(name, member) for each option that is a setting of the model too.
template <class Options, class Visitor>
void visit_shared(Options& o, Visitor v) {
  v("epochs", o.epochs), v("batch", o.batch), v("latent", o.latent), v("filters", o.filters);
  v("beta", o.beta), v("lr", o.lr);
}

void require_unused(const ClusterOptions& given) {
  auto refuse = [&](const char* option) {
    fail(option, "a model that uses it", text("--model ", *given.model),
         "leave it out or take --model vae");
  };
  visit_shared(given, [&](const char* name, const auto& member) {
    const bool pca = *given.model == "pca" && std::string(name) == "latent";
    if (member && !pca) refuse(text("--", name).c_str());
  });
  if (given.set) refuse("--set");
  if (given.pretrained) refuse("--pretrained");
  if (given.device != "cpu") refuse("--device");
}

void fill_system(ClusterOptions& o, const models::SystemInfo& info, const data::Dataset& seen) {
  if (o.filters && !seen.is_images())
    fail("--filters", "images", text("the table ", seen.name), "leave it out");
  if (o.pretrained && !info.takes_pretrained)
    fail("--pretrained", "a model that starts from an autoencoder", text("--model ", info.name),
         "leave it out");
  const models::Settings s = settings_of(info, o, seen.size(), seen.values.shape().without(0));
  visit_shared(o, [&]<class T>(const char* name, std::optional<T>& member) {
    if (s.knows(name) && s.given(name)) member = T(s.number(name));
  });
  if (info.needs_clusters && !o.clusters) {
    if (!seen.labels.defined() || seen.labels.classes() < 1)
      fail("--k", text("the number of clusters for --model ", info.name), "none", "give --k");
    o.clusters = std::min<int64_t>(seen.labels.classes(), seen.size());
  }
}

}  // namespace

models::Settings settings_of(const models::SystemInfo& info, const ClusterOptions& o, int64_t n,
                             const Shape& sample) {
  models::Settings s(info.name, info.settings);
  s.set_all(o.set.value_or(""));
  visit_shared(o, [&](const char* name, const auto& member) {
    if (!member) return;
    if (!s.knows(name))
      fail(text("--", name), "a model that uses it", text("--model ", info.name),
           "leave it out or take --model vae");
    s.set(name, written(*member));
  });
  info.recipe(s, n, sample);
  return s;
}

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

  if (const models::SystemInfo* info = models::find_system(*o.model)) {
    fill_system(o, *info, seen);
  } else {
    require_unused(o);
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
  if (const models::SystemInfo* info = models::find_system(*used.model)) {
    models::Settings all(info->name, info->settings);
    info->recipe(all, rows_in_all, seen.values.shape().without(0));
    auto compare = [&](const char* name, const std::optional<int64_t>& now, const char* what,
                       std::optional<int64_t>& asked) {
      if (!now || !all.knows(name) || !all.given(name) || *now >= all.whole(name)) return;
      out.what.push_back(text(*now, " of ", all.whole(name), what));
      asked.reset();
    };
    if (!used.pretrained) compare("epochs", used.epochs, " epochs", full.epochs);
    compare("filters", used.filters, " filters in the first block", full.filters);
  }
  if (out.what.empty()) return out;
  if (full.out) full.out = *full.out + "-full";
  out.full_command = command_line(full);
  return out;
}

}  // namespace clade::apps
