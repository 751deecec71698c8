#include "apps/reproduce/results.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/cluster/run_folder.h"
#include "apps/commit.h"
#include "tensor/file.h"
#include "tensor/npy.h"
#include "tensor/parallel.h"

namespace clade::apps {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

// A file that is not there, or not what was written, is no result: it will be made again.
std::optional<ordered_json> read_json(const std::string& file, const std::string& description) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  ordered_json j = ordered_json::parse(read_file(file), nullptr, false);
  if (!j.is_object() || j.value("run", ordered_json()).dump() != description) return std::nullopt;
  return j;
}

ordered_json measures_json(const std::vector<Measure>& measures) {
  ordered_json out = ordered_json::object();
  for (const Measure& m : measures) out[m.name] = m.value;
  return out;
}

ordered_json curves_json(const std::vector<Curve>& curves) {
  ordered_json out = ordered_json::object();
  for (const Curve& c : curves) out[c.name] = c.values;
  return out;
}

std::vector<Curve> curves_of(const ordered_json& j) {
  std::vector<Curve> out;
  for (const auto& [name, values] : j.items())
    out.push_back({name, values.get<std::vector<double>>()});
  return out;
}

std::optional<Criterion> criterion_of(const ordered_json& j) {
  if (!j.contains("criterion")) return std::nullopt;
  return Criterion{j["criterion"]["name"], j["criterion"]["value"]};
}

ordered_json stage_json(const Run& run, size_t steps, const StageOutput& out, double seconds) {
  ordered_json j{{"run", ordered_json::parse(run.description(steps))},
                 {"seconds", seconds},
                 {"measures", measures_json(out.measures)},
                 {"curves", curves_json(out.curves)}};
  if (out.criterion)
    j["criterion"] = {{"name", out.criterion->name}, {"value", out.criterion->value}};
  return j;
}

constexpr const char* kArrays[] = {"features", "labels", "soft"};

std::optional<Record> read_record(const std::string& file, const Run& run) {
  const auto j = read_json(file, run.description());
  if (!j) return std::nullopt;
  Record r;
  r.key = run.key();
  r.seed = j->value("seed", uint64_t(0));
  r.rows = j->value("rows", int64_t(0));
  for (const auto& [name, value] : (*j)["measures"].items()) r.measures[name] = value;
  r.curves = curves_of(j->value("curves", ordered_json::object()));
  r.sizes = j->value("sizes", std::vector<int64_t>());
  r.criterion = criterion_of(*j);
  r.seconds = j->value("seconds", 0.0);
  r.commit = j->value("commit", "");
  r.machine = j->value("machine", "");
  return r;
}

void write_record(const std::string& file, const Run& run, const Record& r) {
  ordered_json j{{"run", ordered_json::parse(run.description())},
                 {"seed", r.seed},
                 {"rows", r.rows},
                 {"measures", r.measures}};
  if (!r.sizes.empty()) j["sizes"] = r.sizes;
  if (!r.curves.empty()) j["curves"] = curves_json(r.curves);
  if (r.criterion) j["criterion"] = {{"name", r.criterion->name}, {"value", r.criterion->value}};
  j["seconds"] = r.seconds;
  j["threads"] = threads();
  j["commit"] = r.commit;
  j["machine"] = r.machine;
  write_file_atomically(file, j.dump(1) + "\n");
}

std::vector<int64_t> sizes_of(const Tensor& labels) {
  std::vector<int64_t> out;
  for (int32_t label : labels.to_vector<int32_t>()) {
    if (label < 0) continue;
    if (size_t(label) >= out.size()) out.resize(size_t(label) + 1);
    out[size_t(label)]++;
  }
  return out;
}

bool has_all(const Record& r, const std::vector<std::string>& measures) {
  return std::all_of(measures.begin(), measures.end(), [&](const std::string& name) {
    return !is_costly(name) || r.measures.count(name);
  });
}

}  // namespace

std::string machine_name() {
  std::ifstream info("/proc/cpuinfo");
  std::string model = "unknown processor";
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  return text(model, ", ", threads(), threads() == 1 ? " thread" : " threads");
}

Results::Results(const std::string& folder, const std::string& data_dir)
    : folder_(folder), data_dir_(data_dir) {
  for (const char* part : {"", "/runs", "/cache"}) {
    std::error_code problem;
    fs::create_directories(folder + part, problem);
    if (problem)
      fail("--results", text("a folder that can be written, ", folder), problem.message(),
           "choose another");
  }
  AtomicFile probe(folder + "/runs/.probe");  // removed again: it is never committed
}

std::optional<Record> Results::find(const Run& run, const std::vector<std::string>& wanted) const {
  auto record = read_record(record_file(run), run);
  if (record && !has_all(*record, wanted)) record.reset();
  return record;
}

const Subject& Results::subject(const Run& run) {
  const std::string description = run.description(0);
  if (loaded_ != description) {
    subject_ = {};
    loaded_.clear();
    subject_ = load_subject(run.rows, data_dir_);
    loaded_ = description;
  }
  return subject_;
}

StageOutput Results::stage(const Run& run, size_t step, const Tensor& features,
                           const Progress& progress, double& seconds) {
  const std::string folder = stage_folder(run, step + 1);
  const std::string description = run.description(step + 1);
  StageOutput out;
  Tensor* arrays[] = {&out.features, &out.labels, &out.soft};
  if (const auto j = read_json(folder + "/stage.json", description)) {
    for (size_t i = 0; i < 3; i++)
      if (const std::string file = text(folder, "/", kArrays[i], ".npy"); fs::exists(file))
        *arrays[i] = load_npy(file);
    for (const auto& [name, value] : (*j)["measures"].items())
      out.measures.push_back({name, value});
    out.curves = curves_of((*j)["curves"]);
    out.criterion = criterion_of(*j);
    seconds += j->value("seconds", 0.0);
    return out;
  }
  const Subject& s = subject(run);
  make_folder(folder);
  Tensor flat = features;
  if (!flat.defined()) flat = s.data.values.contiguous().reshape({s.data.size(), -1});
  const auto begin = std::chrono::steady_clock::now();
  const Step& now = run.steps[step];
  const std::string before = step ? stage_folder(run, step) : "";
  out = now.kind->run({s.data, s.train ? &*s.train : nullptr, flat, s.classes, now.seed,
                       now.settings, folder, before, now.kind->name, progress});
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  seconds += took;
  for (size_t i = 0; i < 3; i++)
    if (arrays[i]->defined()) save_npy(text(folder, "/", kArrays[i], ".npy"), *arrays[i]);
  // Last: a folder with stage.json is a finished stage.
  write_file_atomically(folder + "/stage.json",
                        stage_json(run, step + 1, out, took).dump(1) + "\n");
  return out;
}

Record Results::get(const Run& run, const std::vector<std::string>& wanted,
                    const Progress& progress) {
  auto found = read_record(record_file(run), run);
  if (found && has_all(*found, wanted)) return *found;

  Record r;
  r.key = run.key();
  Tensor features, labels;
  for (size_t step = 0; step < run.steps.size(); step++) {
    StageOutput out = stage(run, step, features, progress, r.seconds);
    r.seed = std::max({r.seed, run.rows.seed, run.steps[step].seed});
    for (const Measure& m : out.measures) r.measures[m.name] = m.value;
    for (Curve& c : out.curves) r.curves.push_back(std::move(c));
    if (out.criterion) r.criterion = out.criterion;
    if (out.features.defined()) features = out.features;
    if (out.labels.defined()) {
      labels = out.labels;
      if (step + 1 == run.steps.size())
        for (const Measure& m : measure(out, subject(run).labels)) r.measures[m.name] = m.value;
    }
  }
  r.rows = labels.defined() ? labels.numel() : features.defined() ? features.size(0) : 0;
  if (labels.defined()) {
    r.sizes = sizes_of(labels);
    for (const std::string& name : wanted)
      if (is_costly(name))
        r.measures[name] = measure_costly(name, labels, subject(run), progress).value;
  }
  r.commit = commit();
  r.machine = machine_name();
  if (found) r.measures.merge(found->measures);
  write_record(record_file(run), run, r);
  return r;
}

Tensor Results::picture(const Run& run) const {
  for (size_t steps = run.steps.size(); steps > 0; steps--) {
    const std::string file = stage_folder(run, steps) + "/features.npy";
    if (!fs::exists(file)) continue;
    const Tensor features = load_npy(file);
    return features.rank() == 2 && features.size(1) == 2 ? features : Tensor();
  }
  return {};
}

Tensor Results::labels(const Run& run) const {
  const std::string file = stage_folder(run, run.steps.size()) + "/labels.npy";
  return fs::exists(file) ? load_npy(file) : Tensor();
}

}  // namespace clade::apps
