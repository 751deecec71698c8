// What is measured of a labelling, by name.
//
// Noise (-1) is read in three ways, as in docs/models.md: acc counts it as one more cluster,
// acc_strict as always wrong, acc_soft gives each point to the cluster that it belongs to most;
// ..._labelled leaves it out. nmi, ari and ami count it as one more cluster. Where nothing is noise
// they are all one.
#pragma once

#include <string>
#include <vector>

#include "apps/reproduce/stage.h"
#include "apps/reproduce/subject.h"

namespace clade::apps {

// The cheap ones: clusters, noise, labelled and, where classes are known, acc..., nmi...,
// nmi_geometric, ari..., ami..., purity, and P2's reading of accuracy: one_against_the_rest (is
// each row rightly told to be of the first class or not, clusters matched to classes) beside
// majority, the answer "not" for all.
std::vector<Measure> measure(const StageOutput& found, const data::Labels& labels);

// Whether it costs more than the run itself and is done when a table asks for it: silhouette.
bool is_costly(const std::string& name);
Measure measure_costly(const std::string& name, const Tensor& labels, const Subject& subject,
                       const Progress& progress);

}  // namespace clade::apps
