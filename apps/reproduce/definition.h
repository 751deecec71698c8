// What the papers print, as data: tables of (system, data set, variant, options, metric, value).
//
// A table is a file of data/published/, installed with the program:
//
//     {"table": "P3-13.1", "paper": "P3", "where": "Table 13.1", "title": "...",
//      "entries": [{"system": "UMAP2+K-means", "data": "mnist", "variant": "",
//                   "run": "umap2+kmeans-5", "options": {"umap": {"n_neighbors": 25}},
//                   "published": {"NMI": 0.8313, "ACC": ">.8", "ARI": null}, "published_sd": {...},
//                   "measure": {"NMI": "nmi_labelled"}, "notes": ["..."], "note": "..."}]}
//
// "run" joins parts by +; parts.json says what each part does and with which options, and an
// entry's "options" change them by the name of what is done. A run of null cannot be run: a
// picture, a claim. "subset", "train_on", "sample", "limit" choose rows; "seeds" asks for more than
// the command does; "one_training": the first part is done once, with the first seed, and only what
// follows it is repeated. "measure" says which figure of a run stands for a metric, where it is
// not the usual one (measure_of). footnotes.json holds the notes by their keys, awaited.json what
// parts do that Clade cannot do yet.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace clade::apps {

// Values as JSON has them: 10, 0.5, "random", true.
using Settings = std::map<std::string, std::string>;

struct Part {
  std::string does;  // "umap"
  Settings settings;
};

struct Target {
  std::string metric;               // as the paper calls it
  std::string printed;              // "0.8313", ">20"; "" where the paper prints none
  std::optional<double> value, sd;  // where it is a number
  std::string measure;              // what a run calls it
};

struct Entry {
  std::string system, data, variant;
  std::string subset = "all", train_on;  // all, train, test; "": what is clustered
  int64_t sample = 0, limit = 0;         // rows drawn by the seed; the first rows; 0: all
  std::string run;                       // "umap2+kmeans-5", for people; "" cannot be run
  std::vector<Part> parts;
  bool one_training = false;
  int64_t seeds = 0;
  std::vector<Target> targets;
  std::vector<std::string> notes;  // the texts of its footnotes
};

struct Table {
  std::string name, paper, where, title;
  std::vector<Entry> entries;
};

struct Definitions {
  std::vector<Table> tables;  // in the order of papers and numbers
  std::map<std::string, Part> parts;
  std::map<std::string, std::string> footnotes;
  std::vector<std::string> awaited;
};

// From data/published/ of the installed program or of the source tree. Throws Error where it is not
// found and, with the file's name, on anything that is not as above.
Definitions load_definitions();

// A table of one's own, from a file. Throws Error as load_definitions() does.
Table load_table(const std::string& file, const Definitions& known);

// "NMI" is nmi, "HDBSCAN_ACC_full" is acc: the figure of a run that stands for a metric.
std::string measure_of(const std::string& metric);

}  // namespace clade::apps
