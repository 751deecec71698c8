// HDBSCAN's condensed tree as branches to draw: one a cluster, with its width at each density.
#pragma once

#include <cstdint>
#include <vector>

#include "apps/report/report.h"

namespace clade::apps {

struct Branch {
  struct Step {
    double lambda;
    int64_t size;  // points still in the branch from this lambda on
  };
  int64_t parent = -1;      // index of a branch before this one; -1 for the root
  int64_t cluster = -1;     // the label of the cluster that it was chosen as, or -1
  std::vector<Step> steps;  // lambda ascending; the first is the birth
  double end = 0;           // lambda where the last points leave or the branch splits
  double stability = 0;     // excess of mass: sum over points of (lambda of leaving - birth)
};

struct BranchPlot {
  std::vector<Branch> branches;           // parents before children; the largest `most` of them
  double lambda_min = 0, lambda_max = 0;  // of the axis: 99 % of the points leave within
};

// n: number of points. A tree without rows gives no branches.
BranchPlot branches_of(const TreeReport& tree, int64_t n, int64_t most = 300);

}  // namespace clade::apps
