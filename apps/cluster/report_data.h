// A run's outcome as the report's page and the terminal's summary tell it.
#pragma once

#include "apps/cluster/outcome.h"
#include "apps/report/report.h"

namespace clade::apps {

ReportData report_data(const Outcome& outcome);

// e.g. "70,000 images of 1 x 32 x 32 in 10 classes, 11.6 % of the values missing"
std::string describe_data(const data::Dataset& seen);
// e.g. "masked-vae, 3 epochs, 10 features; UMAP to 2 dimensions"
std::string describe_model(const ClusterOptions& used, const Tensor& latent);

}  // namespace clade::apps
