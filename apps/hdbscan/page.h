// The page of `clade hdbscan`: its clusters on the plane, the condensed tree, and what came out.
#pragma once

#include <string>

#include "apps/report/report.h"
#include "clustering/density/hdbscan.h"
#include "data/labels.h"

namespace clade::apps {

// page: what rows_page() made, and the figures. rows (n, d) f32 as they were clustered, NaN where
// values are missing: in the picture holes stand at the mean of their column. classes: the known
// ones, for their own colours, or empty.
std::string hdbscan_html(ReportData page, const Tensor& rows, const data::Labels& classes,
                         const cluster::HdbscanResult& result);

}  // namespace clade::apps
