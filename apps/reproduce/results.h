// The results folder: what has been run, so that it need not be run again.
//
//     runs/<key>.json    one finished run: description, seeds, every measure, curves, time, machine
//     cache/<key>/       what a stage made (features.npy, labels.npy, soft.npy, stage.json), for
//                        runs that begin alike, and its checkpoint; may be deleted at any time
//     <table>.json, .md, .html   written anew from the runs each time
//
// Every file is whole or not there, so a program that is killed loses the stage it was in and, of a
// network's training, the epochs since its last checkpoint.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/reproduce/measures.h"
#include "apps/reproduce/plan.h"
#include "apps/reproduce/subject.h"

namespace clade::apps {

struct Record {
  std::string key;
  uint64_t seed = 0;  // 0: nothing in it is random
  int64_t rows = 0;
  std::map<std::string, double> measures;
  std::vector<Curve> curves;
  std::vector<int64_t> sizes;  // of the clusters, in their order
  std::optional<Criterion> criterion;
  double seconds = 0;  // of its stages, those it shares with other runs included
  std::string commit, machine;
};

class Results {
 public:
  // Makes the folder; throws Error when it cannot be written to.
  Results(const std::string& folder, const std::string& data_dir);

  // The record of a finished run that has all the measures, else nothing.
  std::optional<Record> find(const Run& run, const std::vector<std::string>& measures) const;

  // Runs what of it is not there yet. Throws Error as stages do, Cancelled when progress says so.
  Record get(const Run& run, const std::vector<std::string>& measures, const Progress& progress);

  const std::string& folder() const { return folder_; }
  // The two columns that a stage of the run made last, and its labels, if they are in the cache.
  Tensor picture(const Run& run) const;
  Tensor labels(const Run& run) const;

 private:
  std::string record_file(const Run& run) const { return folder_ + "/runs/" + run.key() + ".json"; }
  std::string stage_folder(const Run& run, size_t steps) const {
    return folder_ + "/cache/" + run.key(steps);
  }
  const Subject& subject(const Run& run);
  StageOutput stage(const Run& run, size_t step, const Tensor& features, const Progress& progress,
                    double& seconds);

  std::string folder_, data_dir_, loaded_;
  Subject subject_;  // of the run before, which the next may be about too
};

// "Intel(R) Xeon(R) ..., 2 cores".
std::string machine_name();

}  // namespace clade::apps
