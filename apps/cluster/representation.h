// The seam between models and clustering: whatever finds features, this is all that it gives.
//
// A new model is one more function like those in representation.cpp, and its name in visit() of
// apps/cluster/options.h.
#pragma once

#include <string>
#include <vector>

#include "apps/cluster/options.h"
#include "apps/report/report.h"
#include "apps/stopwatch.h"
#include "data/dataset.h"
#include "tensor/progress.h"
#include "tensor/safetensors.h"

namespace clade::apps {

struct Representation {
  Tensor latent;            // (n, d) f32: what UMAP reduces
  Tensor reconstructions;   // (s, C, H, W) of the sample rows; undefined where the model gives none
  std::vector<Curve> loss;  // one a term, a value an epoch; empty without training
  SafeTensors state;        // what model.safetensors holds
};

// options: filled in by with_recipe(). checkpoint: the file that training writes and resumes from.
// Each stage is timed on `watch`.
Representation represent(const data::Dataset& seen, const ClusterOptions& options,
                         const std::vector<int64_t>& sample_rows, const std::string& checkpoint,
                         Stopwatch& watch, const Progress& progress);

}  // namespace clade::apps
