#include "apps/cluster/run_folder.h"

#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/cluster/report_data.h"
#include "apps/versions.h"
#include "tensor/file.h"
#include "tensor/npy.h"

namespace clade::apps {
namespace {

using nlohmann::ordered_json;

template <class T>
ordered_json value(const T& v) {
  return v;
}
template <class T>
ordered_json value(const std::optional<T>& v) {
  return v ? ordered_json(*v) : ordered_json(nullptr);
}

// "--min-dist" is min_dist.
std::string key_of(std::string name) {
  name.erase(0, 2);
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
}

// All settings of the model, those that nobody gave too.
ordered_json settings_json(const Outcome& o) {
  ordered_json out = ordered_json::object();
  const models::SystemInfo* info = models::find_system(*o.used.model);
  if (!info) return out;
  const models::Settings s =
      settings_of(*info, o.used, o.seen.size(), o.seen.values.shape().without(0));
  for (const models::Setting& setting : s.known()) {
    const std::string& v = s.value(setting.name);
    if (v.empty()) continue;
    const bool words = setting.kind == models::Setting::Kind::words ||
                       setting.kind == models::Setting::Kind::sizes;
    out[setting.name] = words ? ordered_json(v) : ordered_json(s.number(setting.name));
  }
  return out;
}

// As RFC 4180 wants it: quoted where a comma, quote or line end is inside.
std::string cell(const std::string& word) {
  if (word.find_first_of(",\"\r\n") == std::string::npos) return word;
  std::string out = "\"";
  for (char c : word) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

}  // namespace

void make_folder(const std::string& folder) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem || access(folder.c_str(), W_OK) != 0)
    fail("--out", text("a folder that can be written, ", folder),
         problem ? problem.message() : "no right to write", "choose another");
}

void clear_folder(const std::string& folder) {
  for (const char* file : {"run.json", "labels.csv", "embedding.npy", "latent.npy",
                           "model.safetensors", "report.html"}) {
    std::error_code problem;
    std::filesystem::remove(folder + "/" + file, problem);
    if (problem)
      fail("--out", text("to remove the old ", folder, "/", file), problem.message(),
           "choose another folder");
  }
}

std::string checkpoint_file(const std::string& folder) {
  return folder + "/checkpoint.safetensors";
}

std::string run_json(const Outcome& o) {
  ordered_json options{{"data", o.used.data}};
  visit(o.used, [&](const char* name, const auto& v, auto, const char*) {
    options[key_of(name)] = value(v);
  });

  ordered_json made_with, times, metrics;
  for (const Fact& f : versions()) made_with[f.name] = f.value;
  for (const StageTime& t : o.times) times[t.name] = t.seconds;
  for (const MethodScores& m : o.methods) {
    ordered_json& entry = metrics[m.key];
    entry["clusters"] = m.clusters;
    if (m.key == "hdbscan") entry["labelled"] = 1 - m.noise;
    if (!m.scored) continue;
    if (m.one_class)
      entry.update(
          {{"acc_inlier", m.one_class->accuracy}, {"acc_inlier_baseline", m.one_class->baseline}});
    entry.update({{"acc", m.acc}, {"nmi", m.nmi}, {"ari", m.ari}, {"ami", m.ami}});
    if (m.treatments)
      entry.update({{"acc_strict", m.treatments->strict},
                    {"acc_noise_as_cluster", m.treatments->as_cluster},
                    {"acc_soft", m.treatments->soft},
                    {"acc_labelled", m.treatments->labelled}});
  }
  std::vector<int64_t> shape;
  for (int d = 0; d < o.seen.values.rank(); d++) shape.push_back(o.seen.values.size(d));
  ordered_json out{{"command", command_line(o.given)},
                   {"data",
                    {{"name", o.seen.name},
                     {"shape", shape},
                     {"classes", o.seen.labels.defined() ? o.seen.labels.classes() : 0},
                     {"missing", data::missing_rate(o.seen)}}},
                   {"options", options},
                   {"settings", settings_json(o)},
                   {"versions", made_with},
                   {"seed", o.used.seed},
                   {"threads", *o.used.threads},
                   {"device", o.used.device},
                   {"times", times},
                   {"metrics", metrics},
                   {"scaled_down", o.scaled_down.what}};
  auto quality = [&](const char* key, const std::optional<data::ImageQuality>& q) {
    if (!q) return;
    out[key] = {{"rows", std::min(o.seen.size(), kQualityRows)},
                {"mse", q->mse},
                {"psnr", q->psnr},
                {"ssim", q->ssim}};  // null for images smaller than SSIM's window
  };
  quality("reconstruction", o.representation.quality);
  quality("reconstruction_of_noisy", o.representation.quality_of_noisy);
  for (const Curve& c : o.representation.loss) out["loss"][c.name] = c.values;
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string labels_csv(const Outcome& o) {
  const auto& found = o.clusterings;
  struct Column {
    std::string name;
    std::vector<int32_t> labels;
  };
  std::vector<Column> columns;
  for (const char* key : {"hdbscan", "gmm", "kmeans"})
    if (const MethodScores* m = find_method(o.methods, key))
      columns.push_back({key, m->labels.to_vector<int32_t>()});
  if (o.representation.own.defined())
    columns.push_back({*o.used.model, o.representation.own.to_vector<int32_t>()});
  std::vector<double> probability;
  std::vector<int32_t> classes;
  if (o.seen.labels.defined()) classes = o.seen.labels.ids().to_vector<int32_t>();
  if (found.hdbscan.labels.defined()) probability = found.hdbscan.probabilities.to_vector<double>();

  std::string out = classes.empty() ? "row" : "row,label";
  for (const Column& c : columns)
    out.append(",").append(c.name).append(c.name == "hdbscan" ? ",hdbscan_probability" : "");
  out.push_back('\n');
  for (size_t i = 0; i < size_t(o.seen.size()); i++) {
    append(out, int64_t(i));
    if (!classes.empty())
      out.append(",").append(classes[i] < 0 ? "" : cell(o.seen.labels.names()[size_t(classes[i])]));
    for (const Column& c : columns) {
      out.append(text(",", c.labels[i]));
      if (c.name == "hdbscan") out.append(text(",", probability[i]));
    }
    out.push_back('\n');
  }
  return out;
}

void write_run_folder(const std::string& folder, const Outcome& o) {
  clear_folder(folder);
  std::error_code ignored;
  if (!models::find_system(*o.used.model))
    std::filesystem::remove(checkpoint_file(folder), ignored);
  save_npy(folder + "/embedding.npy", o.clusterings.embedding);
  save_npy(folder + "/latent.npy", o.representation.latent);
  save_safetensors(folder + "/model.safetensors", o.representation.state);
  write_file_atomically(folder + "/labels.csv", labels_csv(o));
  write_file_atomically(folder + "/report.html", report_html(report_data(o)));
  // Last: a folder with run.json is a finished run.
  write_file_atomically(folder + "/run.json", run_json(o));
}

}  // namespace clade::apps
