// What the pages of kmeans, gmm, hdbscan, pca, umap and tsne share: the rows, and their classes.
#pragma once

#include <string>

#include "apps/report/report.h"
#include "apps/rows/rows.h"

namespace clade::apps {

// A page "<method> of <data>": summary, command, classes, settings. rows (n, d) f32, NaN where
// values are missing. The embedding is not set.
ReportData rows_page(const std::string& method, const RowsOptions& options, const Tensor& rows,
                     const data::Labels& classes);

// Draws the rows themselves (without holes), by their first two principal components where there
// are more than two columns; a note says so.
void draw_rows(ReportData& page, const Tensor& rows);

// Clusters (n) i32 for a page, with ACC, NMI and ARI where all classes are known.
MethodReport clusters_for_page(const std::string& key, const std::string& name,
                               const Tensor& clusters, const data::Labels& classes);

}  // namespace clade::apps
