// The seam between models and clustering: whatever finds features, this is all that it gives.
//
// A new model is a system (models/system.h): nothing here needs to know of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/cluster/options.h"
#include "apps/cluster/prepare.h"
#include "apps/report/report.h"
#include "apps/stopwatch.h"
#include "data/dataset.h"
#include "data/image_quality.h"
#include "models/system.h"
#include "tensor/progress.h"
#include "tensor/safetensors.h"

namespace clade::apps {

constexpr int64_t kQualityRows = 2000;

struct Representation {
  Tensor latent;           // (n, d) f32: what UMAP reduces
  Tensor reconstructions;  // (s, C, H, W) of the sample rows; undefined where the model gives none
  Tensor own;              // (n) i32: the model's own clusters; undefined where it has none
  // Of the first rows, at most kQualityRows, where the model gives images back; and of the same
  // with the noise on the input that a denoising model was trained with.
  std::optional<data::ImageQuality> quality, quality_of_noisy;
  std::vector<Curve> loss;  // one a term, a value an epoch; empty without training
  SafeTensors state;        // what model.safetensors holds
};

// options: filled in by with_recipe(). preparation: what `seen` went through, which goes into the
// state. checkpoint: the file that training writes and resumes from. Each stage is timed on
// `watch`.
Representation represent(const data::Dataset& seen, const ClusterOptions& options,
                         const Preparation& preparation, const std::vector<int64_t>& sample_rows,
                         const std::string& checkpoint, Stopwatch& watch, const Progress& progress);

// What a system was made of, read back from the model.safetensors of a run.
struct TrainedSystem {
  const models::SystemInfo* info = nullptr;
  models::Blueprint blueprint;
  models::SystemPtr system;
  Preparation preparation;
  std::string columns;  // of a table: their names, a line each
};
// Throws Error when the file holds no system, or not all of it.
TrainedSystem load_system(const std::string& file);

}  // namespace clade::apps
