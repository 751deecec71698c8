// The run's folder. Every file is written under another name and then renamed: none is ever half
// there.
//
//   run.json           options, versions, seed, threads, device, times, metrics; written last: a
//                      folder that holds it is a finished run
//   labels.csv         row, label, hdbscan, hdbscan_probability, gmm, kmeans, and the
//                      model's own clusters under its name
//   embedding.npy      (n, umap_dim) f32          latent.npy    (n, latent) f32
//   model.safetensors  weights                    report.html   the page (apps/report/)
#pragma once

#include <string>

#include "apps/cluster/outcome.h"

namespace clade::apps {

// Makes the folder (and those above it); throws Error when it cannot be written to.
void make_folder(const std::string& folder);

// Takes away what an earlier run left, so that no file of it passes for one of the run that begins.
// The checkpoint stays: training overwrites it after its first epoch.
void clear_folder(const std::string& folder);

// The file in the folder that training writes and resumes from.
std::string checkpoint_file(const std::string& folder);

// Also takes away the checkpoint of an earlier run, where this one has left none.
void write_run_folder(const std::string& folder, const Outcome& outcome);

// The parts, for tests.
std::string run_json(const Outcome& outcome);
std::string labels_csv(const Outcome& outcome);

}  // namespace clade::apps
