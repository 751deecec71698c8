#include "apps/partition/partition.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>

#include "apps/cli/limits.h"
#include "apps/cli/progress_line.h"
#include "apps/rows/page.h"
#include "tensor/file.h"

namespace clade::apps {
namespace {

std::string report_of(const PartitionOptions& o, const PartitionInput& input, const Partition& p) {
  ReportData r = rows_page(p.name, o.rows, input.rows, input.labels);
  for (const Row& row : p.told) r.figures.push_back({row[0], row[1]});
  for (const StageTime& stage : p.watch.stages())
    if (stage.name != "sweep" || !p.sweep.at.empty()) r.times.push_back(stage);
  draw_rows(r, p.filled);
  r.methods = {clusters_for_page(p.command, p.name, p.rows.labels, input.labels)};
  r.sweep = p.sweep;
  return report_html(r);
}

void write(const PartitionOptions& o, const PartitionInput& input, const Partition& p,
           const std::string& folder) {
  discard(folder, {"new_labels.csv", "new_labels.npy", "report.html"});
  write_labels(folder + "/labels", p.command, p.rows.labels, p.rows.columns);
  if (input.fresh.defined())
    write_labels(folder + "/new_labels", p.command, p.fresh.labels, p.fresh.columns);
  if (!o.no_report) write_file_atomically(folder + "/report.html", report_of(o, input, p));
}

std::string lower_case(std::string s) {
  for (char& c : s) c = char(std::tolower(static_cast<unsigned char>(c)));
  return s;
}

void print_json(const PartitionInput& input, const Partition& p, const std::string& folder) {
  nlohmann::ordered_json out{{"rows", input.rows.size(0)}, {"columns", input.rows.size(1)}};
  if (input.fresh.defined()) out["new_rows"] = input.fresh.size(0);
  out.update(p.figures);
  out["seconds"] = p.watch.stages().front().seconds;
  out["folder"] = folder;
  for (size_t i = 0; i < p.sweep.at.size(); i++) {
    nlohmann::ordered_json point{{p.sweep.axis, p.sweep.at[i]}};
    for (const Curve& line : p.sweep.lines) point[lower_case(line.name)] = line.values[i];
    out["sweep"].push_back(point);
  }
  std::printf("%s\n", out.dump(2).c_str());
}

void print_text(const PartitionOptions& o, const PartitionInput& input, const Partition& p,
                const std::string& folder) {
  std::vector<Row> told{{"rows", grouped(input.rows.size(0))},
                        {"columns", grouped(input.rows.size(1))}};
  if (input.fresh.defined())
    told.insert(told.begin() + 1, {"new rows", grouped(input.fresh.size(0))});
  told.insert(told.end(), p.told.begin(), p.told.end());
  told.push_back({"fit", duration(p.watch.stages().front().seconds)});
  told.push_back({"written", folder + "/labels.csv, " + p.files +
                                 (input.fresh.defined() ? ", new_labels.csv, new_labels.npy" : "") +
                                 (o.no_report ? "" : ", report.html")});
  std::fputs(aligned(told, "ll").c_str(), stdout);
  if (p.sweep.at.empty()) return;
  std::vector<Row> rows{{p.sweep.axis}};
  for (const Curve& line : p.sweep.lines) rows[0].push_back(line.name);
  for (int64_t at : p.sweep.at) rows.push_back({grouped(at)});
  for (const Curve& line : p.sweep.lines) {
    double most = 0;
    for (double v : line.values) most = std::max(most, std::fabs(v));
    const int before = most > 0 ? int(std::ceil(std::log10(most))) : 0;  // digits before the point
    for (size_t i = 0; i < line.values.size(); i++)
      rows[i + 1].push_back(fixed(line.values[i], std::clamp(7 - before, 1, 15)));
  }
  std::printf("\n%s", aligned(rows, std::string(rows[0].size(), 'r')).c_str());
}

}  // namespace

void add_partition_options(CLI::App& command, PartitionOptions& o, const std::string& what) {
  add_rows_options(command, o.rows);
  command.get_option("--seed")
      ->description("of all randomness: same seed, same result")
      ->capture_default_str();
  auto number = [&](const char* name, int64_t& value, const std::string& help) {
    command.add_option(name, value, help)
        ->check(validator(Numbers{.low = 1, .high = 1e9}))
        ->type_name("N")
        ->capture_default_str()
        ->take_last();
  };
  number("-k,--clusters", o.k, "how many " + what);
  number("--n-init", o.n_init, "starts, of which the best is kept");
  number("--max-iter", o.max_iter, "iterations of a start at most");
  command
      .add_option("--sweep", o.sweep,
                  "also fit these numbers of " + what + ", for the curve in the report")
      ->delimiter(',')
      ->check(validator(Numbers{.low = 1, .high = 1e9}))
      ->type_name("N,N,...");
  add_new_option(command, o.rows, "new_labels.csv and .npy");
  command.add_flag("--no-report", o.no_report, "do not write report.html");
  command.add_flag("--json", o.json, "print the summary as JSON");
}

PartitionInput load_partition(const PartitionOptions& o) {
  PartitionInput input;
  const Rows rows = load_rows(o.rows);
  input.rows = rows.values, input.labels = rows.classes;
  input.fresh = load_new_rows(o.rows, rows);
  input.holes = has_holes(input.rows);
  return input;
}

Sweep sweep_over(const PartitionOptions& o, Sweep s,
                 const std::function<std::vector<double>(int64_t)>& figures) {
  s.at = o.sweep;
  std::sort(s.at.begin(), s.at.end());
  s.at.erase(std::unique(s.at.begin(), s.at.end()), s.at.end());
  for (int64_t k : s.at) {
    const std::vector<double> found = figures(k);
    for (size_t i = 0; i < s.lines.size(); i++) s.lines[i].values.push_back(found[i]);
  }
  if (s.at.empty()) s.lines.clear();
  return s;
}

void finish_partition(const PartitionOptions& o, const PartitionInput& input, const Partition& p,
                      const std::string& folder) {
  write(o, input, p, folder);
  if (o.json)
    print_json(input, p, folder);
  else if (!o.rows.quiet)
    print_text(o, input, p, folder);
}

}  // namespace clade::apps
