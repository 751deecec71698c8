#include "apps/rows/page.h"

#include <algorithm>

#include "apps/cli/table.h"
#include "apps/versions.h"
#include "clustering/manifold/pca.h"
#include "clustering/metrics/accuracy.h"
#include "clustering/metrics/information.h"
#include "clustering/metrics/pairs.h"
#include "tensor/parallel.h"

namespace clade::apps {

ReportData rows_page(const std::string& method, const RowsOptions& o, const Tensor& rows,
                     const data::Labels& classes) {
  ReportData page;
  page.title = method + " of " + o.load.name_or_path;
  page.summary = text(grouped(rows.size(0)), " rows of ", grouped(rows.size(1)),
                      rows.size(1) == 1 ? " value" : " values",
                      has_holes(rows) ? ", some of them missing" : "");
  page.command = o.typed;
  page.settings = {{"seed", std::to_string(o.seed)}, {"threads", std::to_string(threads())}};
  for (const Fact& f : versions()) page.settings.push_back(f);
  page.seed = uint64_t(o.seed);
  if (classes.defined()) {
    page.classes = classes.ids();
    page.class_names = classes.names();
  }
  return page;
}

void draw_rows(ReportData& page, const Tensor& rows) {
  const int64_t n = rows.size(0), d = rows.size(1);
  if (d <= 2 || n < 3) {
    page.embedding = rows.slice(1, 0, std::min<int64_t>(d, 2)).contiguous();
    return;
  }
  page.embedding = cluster::transform(cluster::fit_pca(rows, {.components = 2}), rows);
  page.notes.push_back("The points are drawn by their first two principal components.");
}

MethodReport clusters_for_page(const std::string& key, const std::string& name,
                               const Tensor& clusters, const data::Labels& classes) {
  MethodReport out{key, name, clusters, {}, {}};
  if (!classes.defined() || classes.unknown() > 0) return out;
  const cluster::Contingency table = cluster::contingency("scores", classes.ids(), clusters);
  out.scores = {{"ACC", cluster::accuracy(table)},
                {"NMI", cluster::normalized_mutual_information(table)},
                {"ARI", cluster::adjusted_rand(table)}};
  return out;
}

}  // namespace clade::apps
