// A table with its results: of each published figure the values of all seeds, and what to say of
// them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/cli/table.h"
#include "apps/reproduce/definition.h"
#include "apps/reproduce/results.h"

namespace clade::apps {

struct Statistics {
  int64_t n = 0;
  double median = 0, sd = 0, min = 0, max = 0;  // sd with divisor n - 1; 0 for one value
};
Statistics statistics(std::vector<double> values);

struct TableRow {
  Target target;
  std::vector<uint64_t> seeds;  // of the values; 0 where nothing is random
  std::vector<double> values;
  Statistics stats;
  std::optional<double> chosen;  // of the run whose criterion, which knows no labels, is least
};

// How well the clusters fit the classes by what becomes of the noise; medians.
struct NoiseRow {
  double labelled = 0, strict = 0, as_cluster = 0, soft = 0, labelled_acc = 0;
};

struct EntryResult {
  Entry entry;
  std::vector<Run> runs;        // that were asked for; none where it cannot be run
  std::vector<Record> records;  // of those that are done, each once
  std::vector<TableRow> rows;   // one a target
  std::optional<NoiseRow> noise;
  double seconds = 0;         // of a run: the median
  std::vector<size_t> notes;  // numbers of its footnotes, from 1
  std::string status;         // why there is no value: "not run: ..."; "" where all is done
};

struct TableResult {
  Table table;
  Scale scale;
  std::string commit, machine;
  std::vector<EntryResult> entries;
  std::vector<std::string> footnotes;
};

// Puts the records of an entry's runs together.
void conclude(EntryResult& e);
// Numbers the footnotes in the order in which the entries name them.
void number_footnotes(TableResult& t);

std::string as_json(const TableResult& t);
std::string as_markdown(const TableResult& t);
std::string as_text(const TableResult& t);  // for the terminal

// The parts of all of them: rows of cells, the first one heads, and each column's side.
inline constexpr const char* kMainAlign = "llllrrrrrrl";
inline constexpr const char* kNoiseAlign = "llrrrrr";
std::vector<Row> main_rows(const TableResult& t);
std::vector<Row> noise_rows(const TableResult& t);       // heads alone where nothing is noise
std::vector<std::string> reasons(const TableResult& t);  // why what was not run was not

// "0.8313", "37", "21.35": shares with four digits, counts with none.
std::string written(const std::string& measure, double value);
// Whether it is a share, 0 .. 1, that can be drawn beside others.
bool is_share(const std::string& measure);

}  // namespace clade::apps
