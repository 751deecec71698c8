#include "apps/cluster/representation.h"

#include <filesystem>

#include "clustering/manifold/pca.h"
#include "data/batches.h"
#include "models/vae_training.h"

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

// The options that the weights depend on; a checkpoint of others is refused. More epochs may
// follow.
std::string training_description(const ClusterOptions& o) {
  ClusterOptions kept;
  kept.data = o.data, kept.missing = o.missing, kept.model = o.model,
  kept.label_column = o.label_column;
  kept.drop_columns = o.drop_columns;
  kept.filters = o.filters, kept.latent = o.latent, kept.batch = o.batch, kept.beta = o.beta;
  kept.lr = o.lr, kept.seed = o.seed, kept.limit = o.limit;
  return command_line(kept);
}

constexpr int64_t kEncoded = 512;  // rows at a time

data::Dataset rows_of(const data::Dataset& d, const std::vector<int64_t>& rows) {
  const Tensor index = Tensor::from(rows, {int64_t(rows.size())});
  data::Dataset out;
  out.name = d.name;
  out.values = data::gather_rows(d.values, index);
  if (d.mask.defined()) out.mask = data::gather_rows(d.mask, index);
  return out;
}

Representation by_vae(const data::Dataset& seen, const ClusterOptions& options,
                      const std::vector<int64_t>& sample_rows, const std::string& checkpoint,
                      Stopwatch& watch, const Progress& progress) {
  models::VaeOptions shape{.masked = options.model == "masked-vae",
                           .latent = *options.latent,
                           .beta = options.beta,
                           .filters = options.filters.value_or(0)};
  models::Vae vae(seen.values.shape().without(0), shape,
                  Random(uint64_t(options.seed)).fork("vae"));

  watch.start("train");
  models::TrainingOptions training{.epochs = *options.epochs,
                                   .batch = options.batch,
                                   .lr = options.lr,
                                   .seed = uint64_t(options.seed),
                                   .checkpoint = checkpoint,
                                   .resume = options.resume && std::filesystem::exists(checkpoint),
                                   .description = training_description(options)};
  const auto history = models::train_vae(vae, seen, training, progress);

  watch.start("encode");
  Representation r;
  r.latent = models::encode_means(vae, seen, kEncoded, progress);
  if (seen.is_images())
    r.reconstructions = models::reconstruct(vae, rows_of(seen, sample_rows), kEncoded, progress);
  r.loss = {{"total", {}}, {"reconstruction", {}}, {"KL", {}}};
  for (const models::EpochLoss& e : history) {
    r.loss[0].values.push_back(e.total);
    r.loss[1].values.push_back(e.reconstruction);
    r.loss[2].values.push_back(e.kl);
  }
  r.state.tensors = nn::state_dict(vae);
  r.state.metadata = {{"model", *options.model}, {"options", training_description(options)}};
  return r;
}

}  // namespace

Representation represent(const data::Dataset& seen, const ClusterOptions& options,
                         const std::vector<int64_t>& sample_rows, const std::string& checkpoint,
                         Stopwatch& watch, const Progress& progress) {
  if (options.model == "none") return by_values(seen);
  if (options.model == "pca") return by_pca(seen, options, watch, progress);
  return by_vae(seen, options, sample_rows, checkpoint, watch, progress);
}

}  // namespace clade::apps
