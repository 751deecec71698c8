#include "apps/reproduce/outcome.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tensor/text.h"

namespace clade::apps {
namespace {

using nlohmann::ordered_json;

bool is_count(const std::string& measure) { return measure == "clusters" || measure == "noise"; }

std::string name_of(const Entry& e) {
  return e.variant.empty() ? e.system : text(e.system, ", ", e.variant);
}

std::string published(const Target& t) {
  if (t.printed.empty()) return "-";
  return t.sd ? text(t.printed, " ± ", *t.sd) : t.printed;
}

// paper, median, sd, min, max, n
Row cells(const TableRow& row) {
  const std::string& m = row.target.measure;
  const Statistics& s = row.stats;
  Row out{published(row.target)};
  if (s.n == 0) {
    out.insert(out.end(), {"-", "-", "-", "-", "0"});
    return out;
  }
  out.push_back(written(m, s.median));
  out.push_back(s.n > 1 ? fixed(s.sd, is_count(m) ? 1 : 4) : "-");
  out.insert(out.end(), {written(m, s.min), written(m, s.max), std::to_string(s.n)});
  return out;
}

std::string marks(const EntryResult& e) {
  std::string out;
  for (size_t note : e.notes) out.append(text(out.empty() ? "" : ", ", note));
  return out;
}

std::string markdown_row(const Row& row) {
  std::string out = "|";
  for (const std::string& cell : row) {
    out.push_back(' ');
    for (char c : cell) out.append(c == '|' ? "\\|" : std::string(1, c));
    out.append(" |");
  }
  return out + "\n";
}

std::string markdown_table(const std::vector<Row>& rows, const std::string& align) {
  std::string out = markdown_row(rows[0]) + "|";
  for (char c : align) out.append(c == 'r' ? "---:|" : "---|");
  out.push_back('\n');
  for (size_t i = 1; i < rows.size(); i++) out.append(markdown_row(rows[i]));
  return out;
}

double median_of(const std::vector<Record>& records, const char* name) {
  std::vector<double> values;
  for (const Record& r : records)
    if (const auto m = r.measures.find(name); m != r.measures.end()) values.push_back(m->second);
  return statistics(values).median;
}

}  // namespace

std::vector<Row> main_rows(const TableResult& t) {
  std::vector<Row> rows{
      {"system", "data", "run", "metric", "paper", "median", "sd", "min", "max", "n", "notes"}};
  for (const EntryResult& e : t.entries)
    for (const TableRow& row : e.rows) {
      Row out{name_of(e.entry), e.entry.data, e.entry.run.empty() ? "-" : e.entry.run,
              row.target.metric};
      const Row numbers = cells(row);
      out.insert(out.end(), numbers.begin(), numbers.end());
      out.push_back(marks(e));
      rows.push_back(out);
    }
  return rows;
}

std::vector<Row> noise_rows(const TableResult& t) {
  std::vector<Row> rows{{"system", "data", "labelled", "always wrong", "one more cluster",
                         "to its likeliest cluster", "left out"}};
  for (const EntryResult& e : t.entries)
    if (const auto& z = e.noise)
      rows.push_back({name_of(e.entry), e.entry.data, fixed(z->labelled, 4), fixed(z->strict, 4),
                      fixed(z->as_cluster, 4), fixed(z->soft, 4), fixed(z->labelled_acc, 4)});
  return rows;
}

// "har: not run: ..." once for each reason.
std::vector<std::string> reasons(const TableResult& t) {
  std::vector<std::string> out;
  for (const EntryResult& e : t.entries) {
    if (e.status.empty()) continue;
    const std::string line = text(name_of(e.entry), " on ", e.entry.data, ": ", e.status);
    if (std::find(out.begin(), out.end(), line) == out.end()) out.push_back(line);
  }
  return out;
}

Statistics statistics(std::vector<double> values) {
  Statistics s;
  s.n = int64_t(values.size());
  if (values.empty()) return s;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  s.median = values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
  s.min = values.front(), s.max = values.back();
  double mean = 0, squares = 0;
  for (double v : values) mean += v / double(s.n);
  for (double v : values) squares += (v - mean) * (v - mean);
  s.sd = s.n > 1 ? std::sqrt(squares / double(s.n - 1)) : 0;
  return s;
}

void conclude(EntryResult& e) {
  e.rows.clear();
  const Record* best = nullptr;
  std::vector<double> seconds;
  for (const Record& r : e.records) {
    seconds.push_back(r.seconds);
    if (r.criterion && (!best || r.criterion->value < best->criterion->value)) best = &r;
  }
  e.seconds = statistics(seconds).median;
  for (const Target& target : e.entry.targets) {
    TableRow row;
    row.target = target;
    for (const Record& r : e.records)
      if (const auto m = r.measures.find(target.measure); m != r.measures.end()) {
        row.values.push_back(m->second), row.seeds.push_back(r.seed);
        if (&r == best && e.records.size() > 1) row.chosen = m->second;
      }
    row.stats = statistics(row.values);
    e.rows.push_back(row);
  }
  const bool noisy = std::any_of(e.records.begin(), e.records.end(), [](const Record& r) {
    const auto noise = r.measures.find("noise");
    return noise != r.measures.end() && noise->second > 0 && r.measures.count("acc");
  });
  e.noise.reset();
  if (noisy)
    e.noise = NoiseRow{median_of(e.records, "labelled"), median_of(e.records, "acc_strict"),
                       median_of(e.records, "acc"), median_of(e.records, "acc_soft"),
                       median_of(e.records, "acc_labelled")};
}

void number_footnotes(TableResult& t) {
  t.footnotes.clear();
  for (EntryResult& e : t.entries) {
    e.notes.clear();
    for (const std::string& note : e.entry.notes) {
      auto at = std::find(t.footnotes.begin(), t.footnotes.end(), note);
      if (at == t.footnotes.end()) at = t.footnotes.insert(at, note);
      e.notes.push_back(size_t(at - t.footnotes.begin()) + 1);
    }
  }
}

bool is_share(const std::string& measure) {
  for (const char* start : {"acc", "nmi", "ari", "ami", "purity", "silhouette", "labelled",
                            "one_against", "majority", "variance", "ssim"})
    if (measure.rfind(start, 0) == 0) return true;
  return false;
}

std::string written(const std::string& measure, double value) {
  if (is_count(measure)) return fixed(value, value == std::floor(value) ? 0 : 1);
  return fixed(value, std::abs(value) < 10 ? 4 : 2);
}

std::string as_json(const TableResult& t) {
  ordered_json rows = ordered_json::array();
  for (const EntryResult& e : t.entries)
    for (const TableRow& row : e.rows) {
      const Target& target = row.target;
      const Statistics& s = row.stats;
      ordered_json j{{"system", e.entry.system},
                     {"data", e.entry.data},
                     {"variant", e.entry.variant},
                     {"metric", target.metric},
                     {"published", nullptr},
                     {"median", nullptr},
                     {"sd", nullptr},
                     {"min", nullptr},
                     {"max", nullptr},
                     {"n", s.n},
                     {"seconds", nullptr},
                     {"note", e.status}};
      if (target.value)
        j["published"] = *target.value;
      else if (!target.printed.empty())
        j["published"] = target.printed;
      if (s.n)
        j.update({{"median", s.median},
                  {"sd", s.sd},
                  {"min", s.min},
                  {"max", s.max},
                  {"seconds", e.seconds}});
      if (target.sd) j["published_sd"] = *target.sd;
      j["measure"] = target.measure;
      j["run"] = e.entry.run;
      j["values"] = row.values;
      j["seeds"] = row.seeds;
      if (row.chosen) j["chosen"] = *row.chosen;
      j["footnotes"] = e.notes;
      rows.push_back(j);
    }
  ordered_json noise = ordered_json::array();
  for (const EntryResult& e : t.entries)
    if (const auto& z = e.noise)
      noise.push_back({{"system", e.entry.system},
                       {"data", e.entry.data},
                       {"variant", e.entry.variant},
                       {"labelled", z->labelled},
                       {"acc_strict", z->strict},
                       {"acc_noise_as_cluster", z->as_cluster},
                       {"acc_soft", z->soft},
                       {"acc_labelled", z->labelled_acc}});
  const ordered_json out{{"table", t.table.name},   {"paper", t.table.paper},
                         {"where", t.table.where},  {"title", t.table.title},
                         {"scale", t.scale.name()}, {"commit", t.commit},
                         {"machine", t.machine},    {"rows", rows},
                         {"noise", noise},          {"footnotes", t.footnotes}};
  return out.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string as_markdown(const TableResult& t) {
  std::string out = text("# ", t.table.name, ": ", t.table.title, "\n\n", t.table.where, " of ",
                         t.table.paper, "; scale ", t.scale.name(), "; ", t.machine, ".\n\n",
                         markdown_table(main_rows(t), kMainAlign));
  if (const auto noise = noise_rows(t); noise.size() > 1)
    out.append("\nACC by what becomes of the noise, medians:\n\n" +
               markdown_table(noise, kNoiseAlign));
  if (!t.footnotes.empty()) out.push_back('\n');
  for (size_t i = 0; i < t.footnotes.size(); i++)
    out.append(text(i + 1, ". ", t.footnotes[i], "\n"));
  const auto why = reasons(t);
  if (!why.empty()) out.append("\nNot run:\n\n");
  for (const std::string& line : why) out.append("- " + line + "\n");
  return out;
}

std::string as_text(const TableResult& t) {
  std::string out =
      text(t.table.name, "  ", t.table.title, " (", t.table.where, " of ", t.table.paper,
           ", scale ", t.scale.name(), ")\n\n", aligned(main_rows(t), kMainAlign));
  if (const auto noise = noise_rows(t); noise.size() > 1)
    out.append("\nACC by what becomes of the noise, medians:\n" + aligned(noise, kNoiseAlign));
  if (!t.footnotes.empty()) out.push_back('\n');
  for (size_t i = 0; i < t.footnotes.size(); i++)
    out.append(text("[", i + 1, "] ", t.footnotes[i], "\n"));
  const auto why = reasons(t);
  if (!why.empty()) out.push_back('\n');
  for (const std::string& line : why) out.append(line + "\n");
  return out;
}

}  // namespace clade::apps
