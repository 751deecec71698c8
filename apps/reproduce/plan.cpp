#include "apps/reproduce/plan.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "data/synthetic.h"
#include "tensor/error.h"

namespace clade::apps {
namespace {

using nlohmann::ordered_json;

// FNV-1a, 64 bits, in hexadecimal.
std::string hash(const std::string& bytes) {
  uint64_t h = 0xcbf29ce484222325ull;
  for (unsigned char c : bytes) h = (h ^ c) * 0x100000001b3ull;
  char out[17];
  std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(h));
  return out;
}

bool is_drawn(const Entry& e) {
  return e.sample > 0 || e.data.ends_with("-patches") || e.data == data::kFourClusters;
}

}  // namespace

std::string Run::description(size_t count) const {
  ordered_json data{{"name", rows.data}};
  if (rows.subset != "all") data["subset"] = rows.subset;
  if (!rows.train_on.empty()) data["train_on"] = rows.train_on;
  if (rows.sample) data["sample"] = rows.sample;
  if (rows.limit) data["limit"] = rows.limit;
  if (rows.standard) data["standard"] = true;
  if (rows.seed) data["seed"] = rows.seed;
  ordered_json stages = ordered_json::array();
  for (size_t i = 0; i < count; i++) {
    ordered_json stage{{"do", steps[i].kind->name}};
    for (const auto& [name, value] : steps[i].settings) stage[name] = value;
    if (steps[i].seed) stage["seed"] = steps[i].seed;
    stages.push_back(stage);
  }
  return ordered_json{{"data", data}, {"stages", stages}}.dump();
}

// "mnist.umap.k-means.2-0123456789abcdef"
std::string Run::key(size_t count) const {
  std::string out = std::filesystem::path(rows.data).stem().string();
  for (size_t i = 0; i < count; i++) out.append(text(".", steps[i].kind->name));
  uint64_t most = rows.seed;
  for (size_t i = 0; i < count; i++) most = std::max(most, steps[i].seed);
  return text(out, ".", most, "-", hash(description(count)));
}

Run plan(const Entry& e, uint64_t seed, Scale scale) {
  Run run;
  run.seed = seed;
  run.rows = {e.data, e.subset, e.train_on, e.sample, e.limit};
  if (is_drawn(e)) run.rows.seed = e.one_training ? 1 : seed;
  if (scale.quick) {
    run.rows.limit = e.limit ? std::min(e.limit, kQuickRows) : kQuickRows;
    run.rows.sample = std::min(e.sample, kQuickRows);
  }
  for (const Part& part : e.parts) {
    const StageKind* kind = find_stage(part.does);
    if (!kind) fail("reproduce", "a system that is there", part.does);
    const bool first = run.steps.empty();
    run.steps.push_back({kind, full_settings(*kind, part.settings, scale.quick),
                         !kind->random             ? 0
                         : first && e.one_training ? 1
                                                   : seed});
  }
  return run;
}

std::vector<std::string> not_there(const Entry& e) {
  std::vector<std::string> out;
  for (const Part& part : e.parts) {
    const StageKind* kind = find_stage(part.does);
    if (!kind) {
      out.push_back(part.does);
      continue;
    }
    for (const auto& [name, value] : part.settings)
      if (std::none_of(kind->options.begin(), kind->options.end(),
                       [&name = name](const OptionKind& o) { return name == o.name; }))
        out.push_back(part.does + "." + name);
  }
  return out;
}

}  // namespace clade::apps
