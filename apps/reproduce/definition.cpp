#include "apps/reproduce/definition.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "data/natural_order.h"
#include "data/places.h"
#include "tensor/error.h"
#include "tensor/file.h"

namespace clade::apps {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* kOp = "reproduce";

ordered_json parse(const std::string& file) {
  const ordered_json j = ordered_json::parse(read_file(file), nullptr, false);
  if (!j.is_object()) fail(kOp, text("a JSON object in ", file), "something else", "mend the file");
  return j;
}

// j[key], which must be of the kind that T is; `fallback` where it is not there.
template <class T>
T get(const ordered_json& j, const char* key, const std::string& file, const T& fallback) {
  if (!j.contains(key)) return fallback;
  const ordered_json& v = j[key];
  const bool right = std::is_same_v<T, std::string> ? v.is_string()
                     : std::is_same_v<T, bool>      ? v.is_boolean()
                                                    : v.is_number_integer();
  if (!right) fail(kOp, text("another kind of \"", key, "\" in ", file), v.dump());
  return v.get<T>();
}

std::string need(const ordered_json& j, const char* key, const std::string& file) {
  const auto value = get<std::string>(j, key, file, "");
  if (value.empty()) fail(kOp, text("\"", key, "\" in each object of ", file), j.dump());
  return value;
}

// Whole numbers without a point, so that 1 and 1.0 are one setting.
std::string canonical(const ordered_json& v) {
  if (v.is_string()) return v.get<std::string>();
  if (v.is_number_float() && v.get<double>() == double(int64_t(v.get<double>())))
    return std::to_string(int64_t(v.get<double>()));
  return v.dump();
}

Settings settings_of(const ordered_json& j) {
  Settings out;
  for (const auto& [name, value] : j.items())
    if (name != "do") out[name] = canonical(value);
  return out;
}

void reject_unknown(const ordered_json& j, const std::vector<std::string>& known,
                    const std::string& file) {
  for (const auto& [name, ignored] : j.items())
    if (std::find(known.begin(), known.end(), name) == known.end())
      fail(kOp, text("one of ", known, " in ", file), text("\"", name, "\""));
}

std::vector<Part> parts_of(const std::string& run, const ordered_json& options,
                           const Definitions& known, const std::string& file) {
  std::vector<Part> out;
  for (size_t begin = 0; begin < run.size();) {
    const size_t end = std::min(run.find('+', begin), run.size());
    const std::string name = run.substr(begin, end - begin);
    const auto part = known.parts.find(name);
    if (part == known.parts.end())
      fail(kOp, text("parts that parts.json names in \"run\": \"", run, "\" of ", file),
           text("\"", name, "\""));
    out.push_back(part->second);
    begin = end + 1;
  }
  std::string parts;  // what options may be for
  for (const Part& part : out) parts += (parts.empty() ? "" : " or ") + part.does;
  for (const auto& [does, changed] : options.items()) {
    bool used = false;
    for (Part& part : out)
      if (part.does == does) {
        used = true;
        for (const auto& [name, value] : settings_of(changed)) part.settings[name] = value;
      }
    if (!used) fail(kOp, text("options for ", parts, ", of \"", run, "\" in ", file), does);
  }
  return out;
}

Target target_of(const std::string& metric, const ordered_json& value, const ordered_json& entry) {
  Target t;
  t.metric = metric;
  t.measure = measure_of(metric);
  if (value.is_number()) t.value = value.get<double>();
  if (!value.is_null()) t.printed = canonical(value);
  if (entry.contains("published_sd") && entry["published_sd"].contains(metric))
    t.sd = entry["published_sd"][metric].get<double>();
  if (entry.contains("measure") && entry["measure"].contains(metric))
    t.measure = entry["measure"][metric].get<std::string>();
  return t;
}

Entry entry_of(const ordered_json& j, const Definitions& known, const std::string& file) {
  reject_unknown(
      j,
      {"system", "data", "variant", "subset", "train_on", "sample", "limit", "run", "options",
       "one_training", "seeds", "measure", "published", "published_sd", "notes", "note"},
      file);
  Entry e;
  e.system = need(j, "system", file);
  e.data = need(j, "data", file);
  e.variant = get<std::string>(j, "variant", file, "");
  e.subset = get<std::string>(j, "subset", file, e.subset);
  e.train_on = get<std::string>(j, "train_on", file, "");
  e.sample = get<int64_t>(j, "sample", file, 0);
  e.limit = get<int64_t>(j, "limit", file, 0);
  e.seeds = get<int64_t>(j, "seeds", file, 0);
  e.one_training = get<bool>(j, "one_training", file, false);
  if (!j.contains("run") || !j["run"].is_null()) {
    e.run = need(j, "run", file);
    e.parts = parts_of(e.run, j.value("options", ordered_json::object()), known, file);
  }
  if (!j.contains("published") || !j["published"].is_object() || j["published"].empty())
    fail(kOp, text("\"published\", an object of metrics, in each entry of ", file), j.dump());
  for (const auto& [metric, value] : j["published"].items())
    e.targets.push_back(target_of(metric, value, j));
  for (const auto& key : j.value("notes", ordered_json::array())) {
    const auto note = known.footnotes.find(key.get<std::string>());
    if (note == known.footnotes.end())
      fail(kOp, text("notes that footnotes.json holds in ", file), key.dump());
    e.notes.push_back(note->second);
  }
  if (const auto note = get<std::string>(j, "note", file, ""); !note.empty())
    e.notes.push_back(note);
  return e;
}

std::string folder_of_definitions() {
  for (const std::string& place : data::places_of_own_data())
    if (fs::is_regular_file(place + "/published/parts.json")) return place + "/published";
  fail(kOp, "the tables of the papers, which come with Clade", "no data/published/parts.json",
       "install Clade again");
}

// Roman and other numbers in the order of the paper: VIII before IX. P0 to P4, then the others.
std::string sort_key(const std::string& name) {
  static const std::vector<std::string> roman = {"I",  "II",  "III",  "IV",  "V",
                                                 "VI", "VII", "VIII", "IX",  "X",
                                                 "XI", "XII", "XIII", "XIV", "XV"};
  const size_t dash = name.find('-');
  if (name[0] != 'P' || dash == std::string::npos) return "Q" + name;
  const auto number = std::find(roman.begin(), roman.end(), name.substr(dash + 1));
  if (number == roman.end()) return name;
  return text(name.substr(0, dash + 1), number - roman.begin() + 1);
}

}  // namespace

std::string measure_of(const std::string& metric) {
  static const std::map<std::string, std::string> known = {{"SIL", "silhouette"},
                                                           {"HDBSCAN_pct_labelled", "labelled"},
                                                           {"HDBSCAN_ACC_labelled", "acc_labelled"},
                                                           {"HDBSCAN_ACC_full", "acc"},
                                                           {"GMM_ACC", "acc"},
                                                           {"n_clusters", "clusters"},
                                                           {"n_noise", "noise"},
                                                           {"PSNR_dB", "psnr"}};
  const auto found = known.find(metric);
  if (found != known.end()) return found->second;
  std::string out;
  for (char c : metric) out.push_back(c == ' ' ? '_' : char(c >= 'A' && c <= 'Z' ? c + 32 : c));
  return out;
}

Table load_table(const std::string& file, const Definitions& known) {
  const ordered_json j = parse(file);
  reject_unknown(j, {"table", "paper", "where", "title", "entries"}, file);
  Table t{need(j, "table", file),
          need(j, "paper", file),
          need(j, "where", file),
          need(j, "title", file),
          {}};
  if (!j.contains("entries") || !j["entries"].is_array())
    fail(kOp, text("\"entries\", an array, in ", file), "none");
  for (const ordered_json& entry : j["entries"]) t.entries.push_back(entry_of(entry, known, file));
  return t;
}

Definitions load_definitions() {
  const std::string folder = folder_of_definitions();
  Definitions d;
  const ordered_json parts = parse(folder + "/parts.json");
  for (const auto& [name, part] : parts.items())
    d.parts[name] = {need(part, "do", "parts.json"), settings_of(part)};
  const ordered_json footnotes = parse(folder + "/footnotes.json");
  for (const auto& [name, note] : footnotes.items()) d.footnotes[name] = note.get<std::string>();
  for (const auto& name : parse(folder + "/awaited.json").value("do", ordered_json::array()))
    d.awaited.push_back(name.get<std::string>());
  for (const auto& file : fs::directory_iterator(folder)) {
    const std::string name = file.path().stem().string();
    if (file.path().extension() == ".json" && name != "parts" && name != "footnotes" &&
        name != "awaited")
      d.tables.push_back(load_table(file.path().string(), d));
  }
  std::sort(d.tables.begin(), d.tables.end(), [](const Table& a, const Table& b) {
    return data::natural_less(sort_key(a.name), sort_key(b.name));
  });
  return d;
}

}  // namespace clade::apps
