#include "apps/hdbscan/page.h"

#include <algorithm>
#include <cmath>

#include "apps/cli/table.h"
#include "apps/versions.h"
#include "clustering/manifold/pca.h"
#include "clustering/metrics/accuracy.h"
#include "clustering/metrics/information.h"
#include "clustering/metrics/pairs.h"

namespace clade::apps {
namespace {

Tensor filled(const Tensor& rows) {
  const int64_t n = rows.size(0), d = rows.size(1);
  Tensor out = rows.clone();
  float* v = out.data<float>();
  for (int64_t j = 0; j < d; j++) {
    double sum = 0, known = 0;
    for (int64_t i = 0; i < n; i++)
      if (!std::isnan(v[i * d + j])) sum += double(v[i * d + j]), known++;
    const float mean = float(known > 0 ? sum / known : 0);
    for (int64_t i = 0; i < n; i++)
      if (std::isnan(v[i * d + j])) v[i * d + j] = mean;
  }
  return out;
}

bool has_holes(const Tensor& rows) {
  const float* v = rows.data<float>();
  return std::any_of(v, v + rows.numel(), [](float f) { return std::isnan(f); });
}

Tensor plane(const Tensor& rows) {
  const Tensor whole = has_holes(rows) ? filled(rows) : rows;
  if (whole.size(1) <= 2) return whole;
  cluster::PcaOptions two;
  two.components = std::min<int64_t>(2, rows.size(0) - 1);
  return cluster::transform(cluster::fit_pca(whole, two), whole);
}

}  // namespace

std::string hdbscan_html(const HdbscanPage& page, const Tensor& rows, const data::Labels& classes,
                         const cluster::HdbscanResult& result) {
  ReportData d;
  d.title = page.title;
  d.summary = text(grouped(rows.size(0)), " rows of ", rows.size(1),
                   rows.size(1) == 1 ? " value" : " values",
                   rows.size(1) > 2 ? ", drawn by their first two principal components." : ".");
  if (has_holes(rows))
    d.notes.push_back(
        "Values are missing: rows were compared over the columns that both have. In the picture "
        "holes stand at the mean of their column.");
  d.command = page.command;
  d.figures = page.figures;
  d.settings = page.settings;
  for (const Fact& f : versions()) d.settings.push_back(f);
  d.times = {{"fit", page.seconds}};
  d.embedding = plane(rows);
  d.methods = {{"hdbscan", "HDBSCAN", result.labels, {}, {}}};
  if (classes.defined()) {
    d.classes = classes.ids();
    d.class_names = classes.names();
    if (classes.unknown() == 0)
      d.methods[0].scores = {
          {"ACC", cluster::accuracy(classes.ids(), result.labels)},
          {"NMI", cluster::normalized_mutual_information(classes.ids(), result.labels)},
          {"ARI", cluster::adjusted_rand(classes.ids(), result.labels)}};
  }
  const auto& tree = result.condensed;
  d.tree = {tree.parent, tree.child, tree.size, tree.lambda, result.selected};
  return report_html(d);
}

}  // namespace clade::apps
