#include "apps/info/describe.h"

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/cli/table.h"
#include "data/readers/idx.h"
#include "tensor/file.h"
#include "tensor/npy.h"
#include "tensor/safetensors.h"

namespace clade::apps {
namespace {

using nlohmann::ordered_json;

struct Range {
  double low = INFINITY, high = -INFINITY, sum = 0;
  int64_t finite = 0, nan = 0, infinite = 0, missing = 0;

  void add(double v) {
    if (std::isnan(v)) {
      nan++;
    } else if (std::isinf(v)) {
      infinite++;
    } else {
      low = std::min(low, v), high = std::max(high, v), sum += v;
      finite++;
    }
  }
  void add(const Range& r) {
    low = std::min(low, r.low), high = std::max(high, r.high), sum += r.sum;
    finite += r.finite, nan += r.nan, infinite += r.infinite, missing += r.missing;
  }
};

// Row by row, so that a large array is never held twice.
Range range_of(const Tensor& t, const Tensor& mask = {}) {
  Range r;
  if (t.rank() > 1) {
    for (int64_t i = 0; i < t.size(0); i++)
      r.add(range_of(t.select(0, i), mask.defined() ? mask.select(0, i) : mask));
    return r;
  }
  const auto values = t.to_vector<double>();
  const auto observed = mask.defined() ? mask.to_vector<double>() : std::vector<double>();
  for (size_t i = 0; i < values.size(); i++) {
    if (observed.empty() || observed[i] != 0)
      r.add(values[i]);
    else
      r.missing++;
  }
  return r;
}

const Row kRangeHeader = {"min", "max", "mean", "missing", "NaN", "infinite"};
Row cells(const Range& r) {
  if (!r.finite) return {"-", "-", "-", grouped(r.missing), grouped(r.nan), grouped(r.infinite)};
  return {text(r.low),        text(r.high),   text(r.sum / double(r.finite)),
          grouped(r.missing), grouped(r.nan), grouped(r.infinite)};
}

Row joined(Row left, const Row& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

std::string describe_tensor(const Tensor& t) {
  return aligned({joined({"array"}, kRangeHeader), joined({text(t)}, cells(range_of(t)))},
                 "lrrrrrr");
}

std::string describe_safetensors(const std::string& path) {
  const SafeTensors file = load_safetensors(path);
  std::vector<Row> rows{joined({"tensor", "type and shape"}, kRangeHeader)};
  int64_t elements = 0;
  for (const auto& entry : file.tensors) {
    rows.push_back(joined({entry.name, text(entry.tensor)}, cells(range_of(entry.tensor))));
    elements += entry.tensor.numel();
  }
  std::string out = aligned(rows, "llrrrrrr");
  out.append(text(file.tensors.size(), " tensors, ", grouped(elements), " numbers\n"));
  for (const auto& note : file.metadata) out.append(text(note.key, ": ", note.value, "\n"));
  return out;
}

std::string describe_dataset(const data::Dataset& d) {
  std::string out = text(d.name, ": ", d.is_images() ? "images " : "table ", d.values, "\n");
  std::vector<Row> rows{joined({d.is_images() ? "channel" : "column"}, kRangeHeader)};
  for (int64_t c = 0; c < std::min<int64_t>(d.values.size(1), 64); c++) {
    const std::string name = d.columns.empty() ? std::to_string(c + 1) : d.columns[size_t(c)];
    const Tensor mask = d.mask.defined() ? d.mask.select(1, c) : Tensor();
    rows.push_back(joined({name}, cells(range_of(d.values.select(1, c), mask))));
  }
  out.append(aligned(rows, "lrrrrrr"));
  if (d.values.size(1) > 64) out.append(text("and ", d.values.size(1) - 64, " more columns\n"));
  if (!d.labels.defined()) return out + "no labels\n";
  out.append(text(d.labels.classes(), " classes:"));
  const auto counts = d.labels.counts();
  for (size_t c = 0; c < counts.size(); c++)
    out.append(text(c ? ", " : " ", d.labels.names()[c], " ", grouped(counts[c])));
  return out + "\n";
}

// Only what is there is told: a run.json of another version may lack a key.
std::string describe_run(const std::string& folder) {
  const auto run = ordered_json::parse(read_file(folder + "/run.json"), nullptr, false);
  if (!run.is_object())
    fail("info", text("JSON in ", folder, "/run.json"), "something else",
         "the run may be of another program");
  std::string out;
  if (run.contains("command") && run["command"].is_string())
    out.append(run["command"].get<std::string>()).append("\n\n");
  std::vector<Row> rows{{"method", "clusters", "ACC", "NMI", "ARI", "AMI"}};
  if (run.contains("metrics") && run["metrics"].is_object())
    for (const auto& [method, values] : run["metrics"].items()) {
      Row row{method};
      for (const char* key : {"clusters", "acc", "nmi", "ari", "ami"}) {
        const auto value = values.is_object() ? values.value(key, ordered_json()) : ordered_json();
        row.push_back(!value.is_number() ? "-"
                      : row.size() == 1  ? std::to_string(value.get<int64_t>())
                                         : fixed(value.get<double>()));
      }
      rows.push_back(row);
    }
  out.append(aligned(rows, "lrrrrr")).append("\n");
  std::vector<Row> files;
  for (const char* name :
       {"embedding.npy", "latent.npy", "labels.csv", "model.safetensors", "report.html"}) {
    std::error_code missing;
    const auto bytes = std::filesystem::file_size(folder + "/" + name, missing);
    files.push_back({name, missing ? "not there" : grouped(int64_t(bytes)) + " bytes"});
  }
  return out + aligned(files, "lr");
}

bool ends_with(const std::string& s, std::string_view end) {
  return s.size() >= end.size() && s.compare(s.size() - end.size(), end.size(), end) == 0;
}

bool is_idx(const std::string& path) {
  for (const char* end : {".idx", "-ubyte", ".idx.gz", "-ubyte.gz"})
    if (ends_with(path, end)) return true;
  return false;
}

}  // namespace

std::string describe(const LoadRequest& request) {
  const std::string& path = request.name_or_path;
  if (ends_with(path, ".npy")) return describe_tensor(load_npy(path));
  if (ends_with(path, ".safetensors")) return describe_safetensors(path);
  if (is_idx(path)) return describe_tensor(data::load_idx(path));
  std::error_code ignored;
  if (std::filesystem::exists(path + "/run.json", ignored)) return describe_run(path);
  return describe_dataset(load_data(request).data);
}

}  // namespace clade::apps
