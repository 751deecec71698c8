#include "apps/reproduce/subject.h"

#include <algorithm>
#include <filesystem>

#include "apps/cluster/prepare.h"
#include "apps/load.h"
#include "data/batches.h"
#include "data/catalog.h"
#include "data/scaling.h"
#include "data/synthetic.h"

namespace clade::apps {
namespace {

constexpr std::string_view kPatches = "-patches";

std::string base_name(const std::string& data) {
  return data.ends_with(kPatches) ? data.substr(0, data.size() - kPatches.size()) : data;
}

data::Subset subset_of(const std::string& word) {
  if (word == "all") return data::Subset::all;
  if (word == "train") return data::Subset::train;
  if (word == "test") return data::Subset::test;
  fail("reproduce", "a subset all, train or test", text("\"", word, "\""), "mend the table");
}

// The rows that `rng` draws, in their order.
data::Dataset drawn(const data::Dataset& d, int64_t count, Random rng) {
  if (count >= d.size()) return d;
  auto rows = permutation(d.size(), rng).to_vector<int64_t>();
  rows.resize(size_t(count));
  std::sort(rows.begin(), rows.end());
  const Tensor index = Tensor::from(rows, {count});
  data::Dataset out = d;
  out.values = data::gather_rows(d.values, index);
  if (d.mask.defined()) out.mask = data::gather_rows(d.mask, index);
  if (d.labels.defined()) {
    const auto all = d.labels.ids().to_vector<int32_t>();
    std::vector<int32_t> kept;
    for (int64_t row : rows) kept.push_back(all[size_t(row)]);
    out.labels = data::Labels(Tensor::from(kept, {count}), d.labels.names());
  }
  return out;
}

data::Dataset load_part(const RowsWanted& rows, const std::string& subset,
                        const std::string& data_dir) {
  const Random rng(rows.seed);
  if (rows.data == data::kFourClusters) {
    data::Dataset d = data::four_clusters(rows.seed);
    return rows.limit ? drawn(d, rows.limit, rng.fork("limit")) : d;
  }
  data::LoadOptions options;
  options.data_dir = data_dir;
  options.subset = subset_of(subset);
  options.limit = rows.limit;
  data::Dataset d = data::load(base_name(rows.data), options);
  if (rows.sample) d = drawn(d, rows.sample, rng.fork("sample"));
  if (rows.standard && !d.is_images()) d = data::Scaling::standard(d).apply(d);
  if (!rows.data.ends_with(kPatches)) return d;
  std::vector<std::string> ignored;
  return hide(prepare(d, learn_preparation(d, true, ignored)), "patches", rng);
}

}  // namespace

Subject load_subject(const RowsWanted& rows, const std::string& data_dir) {
  Subject s;
  s.data = load_part(rows, rows.subset, data_dir);
  if (!rows.train_on.empty() && rows.train_on != rows.subset) {
    s.train = load_part(rows, rows.train_on, data_dir);
    s.train->labels = {};
  }
  s.labels = s.data.labels;
  s.classes = s.labels.defined() ? s.labels.classes() : 0;
  s.data.labels = {};
  return s;
}

std::string why_absent(const std::string& data, const std::string& data_dir) {
  const std::string base = base_name(data);
  if (base == data::kFourClusters) return "";
  for (const data::CatalogEntry& e : data::catalog(data_dir))
    if (e.name == base)
      return e.found.empty() ? text("not run: ", base, " is not on this machine (", e.cure, ")")
                             : "";
  std::error_code ignored;
  if (std::filesystem::exists(base, ignored)) return "";
  return text("not run: there is no data set ", base);
}

}  // namespace clade::apps
