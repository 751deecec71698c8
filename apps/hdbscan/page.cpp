#include "apps/hdbscan/page.h"

#include <cmath>

#include "apps/rows/page.h"

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

}  // namespace

std::string hdbscan_html(ReportData page, const Tensor& rows, const data::Labels& classes,
                         const cluster::HdbscanResult& result) {
  const bool holes = has_holes(rows);
  if (holes)
    page.notes.push_back(
        "Values are missing: rows were compared over the columns that both have. In the picture "
        "holes stand at the mean of their column.");
  draw_rows(page, holes ? filled(rows) : rows);
  page.methods = {clusters_for_page("hdbscan", "HDBSCAN", result.labels, classes)};
  const auto& tree = result.condensed;
  page.tree = {tree.parent, tree.child, tree.size, tree.lambda, result.selected};
  return report_html(page);
}

}  // namespace clade::apps
