// report.html: one self-contained page about a run, which opens without a network.
//
// ReportData is all that the page knows: plain numbers, texts and tensors, so that it can be made
// from a run or by hand. Whatever a run does not have (images, labels, a model, a method) stays
// empty and its figure is left out. The page itself stands in report/page/ (HTML, CSS, JavaScript);
// report.cpp puts the data into it as JSON, with arrays and images in base64.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace clade::apps {

struct Fact {
  std::string name, value;
};

struct Score {
  std::string name;  // e.g. "ACC"
  double value = 0;
};

// One way to count the points that a method left unassigned, e.g. "strict".
struct NoiseTreatment {
  std::string name;
  double value = 0;
  std::string meaning;
};

struct MethodReport {
  std::string key;   // "hdbscan"
  std::string name;  // "HDBSCAN"
  Tensor labels;     // (n) i32: 0 .. k - 1, -1 for noise
  std::vector<Score> scores;
  std::vector<NoiseTreatment> noise_treatments;
};

// HDBSCAN's condensed tree, one row an edge: `size` points leave node `parent` at `lambda` as
// `child`. Nodes 0 .. n - 1 are points, n is the root, further ones are clusters. Undefined
// tensors: no tree.
struct TreeReport {
  Tensor parent, child, size;  // (e) i32 or i64
  Tensor lambda;               // (e) f64
  Tensor selected;             // (k): the node of cluster 0, 1, ..
};

struct Curve {
  std::string name;
  std::vector<double> values;  // one an epoch, or one a fit
};

// Figures of several fits, such as the BIC over numbers of components; no lines: no figure.
struct Sweep {
  std::string title, caption;
  std::string axis;          // of `at`, e.g. "clusters"
  std::vector<int64_t> at;   // rising
  std::vector<Curve> lines;  // with as many values
};

struct StageTime {
  std::string name;
  double seconds = 0;
};

struct ReportData {
  std::string title, summary;
  std::string command, full_command;  // full_command: empty when this was the full run
  std::vector<std::string> notes;     // what a reader must not miss, e.g. what was scaled down
  std::vector<Fact> figures;          // the key figures, in large type
  std::vector<Fact> settings;         // versions, seed, threads, ...
  std::vector<StageTime> times;
  uint64_t seed = 0;  // picks the points that are drawn and those that carry an image

  Tensor embedding;  // (n, d >= 1): the first two columns are drawn
  Tensor classes;    // (n) i32, -1 where unknown; undefined without labels
  std::vector<std::string> class_names;
  std::vector<MethodReport> methods;
  TreeReport tree;
  std::vector<Curve> loss;
  Sweep sweep;

  Tensor images;                     // (n, C, H, W) f32 in [0, 1]; undefined for tables
  Tensor mask;                       // (n, 1 or C, H, W): 0 where missing; undefined: nothing is
  std::vector<int64_t> sample_rows;  // the s rows shown large
  Tensor reconstructions;            // (s, C, H, W); undefined without a model
};

// The page's HTML. Throws Error when lengths do not fit together.
std::string report_html(const ReportData& data);

}  // namespace clade::apps
