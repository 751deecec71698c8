// The stages that train: every system of models/ is one, by its name and with its settings.
//
// A system behind another starts from its autoencoder where it takes one ("ae-kmeans+dec"), so that
// one pretraining serves several. Behind anything else it learns from the run's rows.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "apps/cluster/prepare.h"
#include "apps/cluster/run_folder.h"
#include "apps/reproduce/stage.h"
#include "data/image_quality.h"
#include "models/system.h"

namespace clade::apps {
namespace {

constexpr const char* kModel = "/model.safetensors";

models::Rows rows_for(const models::SystemInfo& info, const data::Dataset& d) {
  if (!d.is_images() || !info.power_of_two_images) return {d.values, d.mask};
  std::vector<std::string> ignored;
  const data::Dataset padded = prepare(d, learn_preparation(d, true, ignored));
  return {padded.values, padded.mask};
}

// How near the reconstructions come: of images MSE, PSNR and SSIM, and of an autoencoder's [0, 1]
// values the cross-entropy in nats a pixel.
void measure_reconstruction(models::System& system, const models::Rows& rows,
                            std::vector<Measure>& out, const Progress& progress) {
  if (rows.values.rank() != 4) return;
  const Tensor back = system.reconstruct(rows, progress);
  if (!back.defined()) return;
  const data::ImageQuality quality = data::image_quality(rows.values, back);
  out.push_back({"mse", quality.mse});
  out.push_back({"psnr", quality.psnr});
  if (!std::isnan(quality.ssim)) out.push_back({"ssim", quality.ssim});
  const Tensor x = rows.values.contiguous(), y = back.contiguous();
  const float *seen = x.data<float>(), *made = y.data<float>();
  double entropy = 0;
  for (int64_t i = 0; i < x.numel(); i++) {
    if (!(seen[i] >= 0 && seen[i] <= 1)) return;
    const double p = std::clamp(double(made[i]), 1e-7, 1 - 1e-7);
    entropy -= double(seen[i]) * std::log(p) + (1 - double(seen[i])) * std::log(1 - p);
  }
  out.push_back({"bce", entropy / double(x.numel())});
}

StageOutput run_system(const StageInput& in) {
  const models::SystemInfo& info = *models::find_system(in.name);
  const data::Dataset& learned = in.train ? *in.train : in.data;
  const models::Rows rows = rows_for(info, in.data);
  const models::Rows from = in.train ? rows_for(info, learned) : rows;
  const Shape sample = rows.values.shape().without(0);
  models::Settings settings(info.name, info.settings);
  std::string description = text("clade reproduce: ", info.name);
  for (const auto& [name, value] : in.settings) {
    if (!value.empty()) settings.set(name, value);
    description.append(text(" ", name, "=", value));
  }
  info.recipe(settings, from.size(), sample);
  models::SystemPtr system = models::make_system(
      info, {.sample = sample,
             .clusters =
                 info.needs_clusters ? std::min(std::max<int64_t>(in.classes, 1), rows.size()) : 0,
             .settings = settings,
             .seed = in.seed});
  const std::string checkpoint = checkpoint_file(in.folder);
  const bool follows = !in.before.empty() && std::filesystem::exists(in.before + kModel);
  system->train(from,
                {.checkpoint = checkpoint,
                 .resume = std::filesystem::exists(checkpoint),
                 .description = text(description, " seed=", in.seed),
                 .pretrained = follows && info.takes_pretrained ? in.before + kModel : ""},
                in.progress);
  StageOutput out;
  out.features = system->encode(rows, in.progress);
  out.labels = in.train ? system->assign(rows, in.progress) : system->clusters(rows, in.progress);
  measure_reconstruction(*system, rows, out.measures, in.progress);
  for (const models::Curve& c : system->curves) out.curves.push_back({c.name, c.values});
  if (!out.curves.empty() && !out.curves[0].values.empty())
    out.criterion = Criterion{out.curves[0].name, out.curves[0].values.back()};
  SafeTensors state;
  state.tensors = system->state();
  state.metadata = {{"model", info.name}};
  save_safetensors(in.folder + kModel, state);
  std::filesystem::remove(checkpoint);
  return out;
}

// At quick scale: a few passes, few steps, small networks.
const char* quick_value(const std::string& name) {
  for (const char* few : {"epochs", "layer_epochs", "rounds"})
    if (name == few) return "2";
  if (name == "iterations" || name == "max_iterations") return "60";
  if (name == "filters") return "4";
  return nullptr;
}

}  // namespace

const std::vector<StageKind>& network_stages() {
  static const std::vector<StageKind> all = [] {
    std::vector<StageKind> kinds;
    for (const models::SystemInfo& info : models::systems()) {
      StageKind kind{info.name, info.what, true, info.needs_clusters, {}, run_system};
      for (const models::Setting& s : info.settings)
        kind.options.push_back({s.name, s.value, s.help, quick_value(s.name)});
      kinds.push_back(std::move(kind));
    }
    return kinds;
  }();
  return all;
}

}  // namespace clade::apps
