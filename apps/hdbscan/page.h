// The page of `clade hdbscan`: its clusters on the plane, the condensed tree, and what came out.
#pragma once

#include <string>
#include <vector>

#include "apps/report/report.h"
#include "clustering/density/hdbscan.h"
#include "data/labels.h"

namespace clade::apps {

struct HdbscanPage {
  std::string title, command;
  std::vector<Fact> figures, settings;
  double seconds = 0;
};

// rows (n, d) f32 as they were clustered, NaN where values are missing. Rows of more than two
// columns are drawn by their two principal components, holes at the mean of their column. classes:
// the known ones, for their own colours, or empty.
std::string hdbscan_html(const HdbscanPage& page, const Tensor& rows, const data::Labels& classes,
                         const cluster::HdbscanResult& result);

}  // namespace clade::apps
