#include "apps/cluster/representation.h"

#include <cstdlib>
#include <filesystem>

#include "apps/cluster/recipe.h"
#include "clustering/manifold/pca.h"
#include "data/batches.h"
#include "models/augment.h"

namespace clade::apps {
namespace {

// The values themselves, missing ones 0: background in images, the mean in tables.
Tensor flat(const data::Dataset& seen) {
  return seen.values.reshape({seen.size(), -1}).contiguous();
}

Representation by_values(const data::Dataset& seen) {
  Representation r;
  r.latent = flat(seen);
  r.state.metadata = {{"model", "none"}};
  return r;
}

Representation by_pca(const data::Dataset& seen, const ClusterOptions& options, Stopwatch& watch,
                      const Progress& progress) {
  watch.start("pca");
  const Tensor x = flat(seen);
  const auto pca = cluster::fit_pca(x, {.components = *options.latent}, progress);
  Representation r;
  r.latent = cluster::transform(pca, x);
  r.state.add("mean", pca.mean);
  r.state.add("components", pca.components);
  r.state.metadata = {{"model", "pca"}};
  return r;
}

// The options that the weights depend on, as a command; a checkpoint of others is refused.
std::string training_description(const models::SystemInfo& info, const ClusterOptions& o,
                                 const models::Settings& settings) {
  ClusterOptions kept;
  kept.data = o.data, kept.missing = o.missing, kept.model = o.model,
  kept.label_column = o.label_column;
  kept.drop_columns = o.drop_columns;
  kept.set = settings.list(info.more_epochs ? "epochs" : "");
  kept.pretrained = o.pretrained;
  kept.seed = o.seed, kept.limit = o.limit;
  if (info.needs_clusters) kept.clusters = o.clusters;
  return command_line(kept);
}

models::Rows rows_of(const data::Dataset& d, const std::vector<int64_t>& rows, Device device) {
  const Tensor index = Tensor::from(rows, {int64_t(rows.size())});
  return {data::gather_rows(d.values, index),
          d.mask.defined() ? data::gather_rows(d.mask, index) : Tensor(), device};
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out.append(out.empty() ? "" : "\n").append(name);
  return out;
}

std::string model_of_run(const std::string& run) {
  std::error_code ignored;
  return std::filesystem::is_directory(run, ignored) ? run + "/model.safetensors" : run;
}

std::string written(const Shape& shape) {
  std::string out;
  for (int d = 0; d < shape.rank(); d++) out.append(d ? "," : "").append(std::to_string(shape[d]));
  return out;
}

Shape read_shape(const std::string& text) {
  std::vector<int64_t> sizes;
  for (size_t at = 0; at < text.size(); at = std::min(text.find(',', at), text.size()) + 1)
    sizes.push_back(std::strtoll(text.c_str() + at, nullptr, 10));
  if (sizes.size() == 1) return {sizes[0]};
  if (sizes.size() == 3) return {sizes[0], sizes[1], sizes[2]};
  return {};
}

void judge_reconstructions(models::System& system, const models::Blueprint& b,
                           const models::Rows& rows, Representation& r) {
  const models::Rows some = models::slice(rows, 0, std::min(rows.size(), kQualityRows));
  const Tensor given = system.reconstruct(some, {});
  if (!given.defined()) return;
  r.quality = data::image_quality(some.values, given);
  if (!b.settings.knows("noise")) return;
  const Random rng = Random(b.seed).fork("quality");
  const Tensor seen = models::noisy(some.values, b.settings.number("noise"), rng);
  r.quality_of_noisy =
      data::image_quality(some.values, system.reconstruct({seen, some.mask, rows.device}, {}));
}

Representation by_system(const models::SystemInfo& info, const data::Dataset& seen,
                         const ClusterOptions& options, const Preparation& preparation,
                         const std::vector<int64_t>& sample_rows, const std::string& checkpoint,
                         Stopwatch& watch, const Progress& progress) {
  const Shape sample = seen.values.shape().without(0);
  const models::Blueprint blueprint{.sample = sample,
                                    .clusters = info.needs_clusters ? *options.clusters : 0,
                                    .settings = settings_of(info, options, seen.size(), sample),
                                    .seed = uint64_t(options.seed),
                                    .device = device_named(options.device)};
  const std::string description = training_description(info, options, blueprint.settings);
  // From here on there are no labels.
  const models::Rows rows{seen.values, seen.mask, blueprint.device};
  models::SystemPtr system = models::make_system(info, blueprint);

  watch.start("train");
  system->train(rows,
                {.checkpoint = checkpoint,
                 .resume = options.resume && std::filesystem::exists(checkpoint),
                 .description = description,
                 .pretrained = options.pretrained ? model_of_run(*options.pretrained) : ""},
                progress);

  watch.start("encode");
  Representation r;
  r.latent = system->encode(rows, progress);
  r.own = system->clusters(rows, progress);
  if (seen.is_images()) {
    r.reconstructions = system->reconstruct(rows_of(seen, sample_rows, rows.device), progress);
    judge_reconstructions(*system, blueprint, rows, r);
  }
  for (const models::Curve& c : system->curves) r.loss.push_back({c.name, c.values});
  r.state.tensors = system->state();
  r.state.metadata = {{"model", info.name},
                      {"options", description},
                      {"sample", written(sample)},
                      {"clusters", std::to_string(blueprint.clusters)},
                      {"seed", std::to_string(blueprint.seed)},
                      {"settings", blueprint.settings.list()}};
  if (!seen.columns.empty()) r.state.metadata.push_back({"columns", joined(seen.columns)});
  save_preparation(preparation, r.state);
  return r;
}

}  // namespace

Representation represent(const data::Dataset& seen, const ClusterOptions& options,
                         const Preparation& preparation, const std::vector<int64_t>& sample_rows,
                         const std::string& checkpoint, Stopwatch& watch,
                         const Progress& progress) {
  if (options.model == "none") return by_values(seen);
  if (options.model == "pca") return by_pca(seen, options, watch, progress);
  return by_system(*models::find_system(*options.model), seen, options, preparation, sample_rows,
                   checkpoint, watch, progress);
}

TrainedSystem load_system(const std::string& file) {
  SafeTensors saved = load_safetensors(file);
  auto note = [&](const char* key) {
    const std::string* value = saved.note(key);
    if (!value)
      fail("model", text("'", key, "' in the metadata of ", file), "nothing",
           "take the folder of a run of `clade cluster` with a model that trains");
    return *value;
  };
  TrainedSystem t;
  t.info = models::find_system(note("model"));
  if (!t.info)
    fail("model", "a system that `clade systems` lists", text("'", note("model"), "' in ", file));
  models::Settings settings(t.info->name, t.info->settings);
  settings.set_all(note("settings"));
  t.blueprint = {.sample = read_shape(note("sample")),
                 .clusters = std::strtoll(note("clusters").c_str(), nullptr, 10),
                 .settings = settings,
                 .seed = std::strtoull(note("seed").c_str(), nullptr, 10)};
  t.preparation = load_preparation(saved);
  if (const std::string* columns = saved.note("columns")) t.columns = *columns;
  t.system = models::make_system(*t.info, t.blueprint);
  std::erase_if(saved.tensors,
                [](const SafeTensors::Entry& e) { return e.name.starts_with(kPreparation); });
  t.system->load(saved.tensors);
  return t;
}

}  // namespace clade::apps
