// clade reproduce: the definitions against the published values, runs on the small digits, stopped
// and killed ones, and what is said of wrong input.
#include "apps/reproduce/definition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/reproduce/measures.h"
#include "apps/reproduce/outcome.h"
#include "apps/reproduce/plan.h"
#include "data/catalog.h"
#include "data/synthetic.h"
#include "tensor/file.h"
#include "tests/apps/program.h"

namespace clade::apps {
namespace {

using nlohmann::json;

// Cells of a line, quoted ones as RFC 4180 has them.
std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (char c : line) {
    if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      out.emplace_back();
    else
      out.back().push_back(c);
  }
  return out;
}

std::string number(const std::string& printed) {
  char* end = nullptr;
  const double v = std::strtod(printed.c_str(), &end);
  return printed.empty() || *end ? printed : text(v);
}

// The files' names of tables and data sets, in the words of the list of published results.
std::string table_of(const std::string& name, const std::string& paper) {
  static const std::map<std::string, std::string> words = {
      {"P2-text", "text"},  {"P3-12.3.2", "text 12.3.2"},   {"P3-appendix", "appendix notebook"},
      {"P3-11", "text 11"}, {"P4-fig3", "Fig 3"},           {"P4-fig4", "Fig 4"},
      {"P4-fig6", "Fig 6"}, {"P4-conclusion", "Conclusion"}};
  const auto found = words.find(name);
  return found == words.end() ? name.substr(paper.size() + 1) : found->second;
}

std::string data_of(std::string name) {
  static const std::map<std::string, std::string> words = {
      {"mnist", "MNIST"},
      {"fashion-mnist", "FMNIST"},
      {"usps", "USPS"},
      {"coil20", "COIL20"},
      {"cifar10", "CIFAR-10"},
      {"stl10-features", "STL-10"},
      {"reuters10k", "Reuters-10k"},
      {"har", "HHAR"},
      {"bsds300", "BSDS300"},
      {"synthetic-4x2500", "synthetic 4x2500"}};
  std::string end;
  if (name.ends_with("-patches")) end = "-Patches", name.resize(name.size() - 8);
  const auto found = words.find(name);
  return (found == words.end() ? name : found->second) + end;
}

// Each published value of the definitions is in tests/golden/published, and the other way round.
TEST(Definitions, HoldEveryPublishedValue) {
  std::multiset<std::string> listed, defined;
  for (const char* file : {"published_results.csv", "additions.csv"}) {
    const std::string all = read_file(text(CLADE_GOLDEN_DIR, "/published/", file));
    for (size_t begin = all.find('\n') + 1; begin < all.size();) {
      const size_t end = std::min(all.find('\n', begin), all.size());
      auto c = cells(all.substr(begin, end - begin));
      begin = end + 1;
      ASSERT_GE(c.size(), 8u);
      std::string table = c[6];
      if (c[7] == "P2") table = "text";
      if (c[1] == "MNIST+HHAR") c[1] = "MNIST";
      listed.insert(text(c[7], "|", table, "|", c[0], "|", c[1], "|", c[2], "|", c[3], "|",
                         number(c[4]), "|", number(c[5])));
    }
  }
  for (const Table& t : load_definitions().tables)
    for (const Entry& e : t.entries)
      for (const Target& target : e.targets)
        defined.insert(text(t.paper, "|", table_of(t.name, t.paper), "|", e.system, "|",
                            data_of(e.data), "|", e.variant, "|", target.metric, "|",
                            number(target.printed), "|",
                            target.sd ? text(*target.sd) : std::string()));
  std::vector<std::string> missing, extra;
  std::set_difference(listed.begin(), listed.end(), defined.begin(), defined.end(),
                      std::back_inserter(missing));
  std::set_difference(defined.begin(), defined.end(), listed.begin(), listed.end(),
                      std::back_inserter(extra));
  EXPECT_EQ(missing, std::vector<std::string>());
  for (const std::string& line : extra)  // baselines of our own, of which nothing is printed
    EXPECT_TRUE(line.ends_with("||")) << line;
  EXPECT_GT(listed.size(), 370u);
}

// What is not there is marked so, and nothing is marked that is there.
TEST(Definitions, NameSystemsAndOptionsThatExist) {
  const Definitions known = load_definitions();
  std::set<std::string> missing, names;
  for (const data::CatalogEntry& e : data::catalog()) names.insert(e.name);
  names.insert(data::kFourClusters);
  for (const Table& t : known.tables)
    for (const Entry& e : t.entries) {
      for (const std::string& name : not_there(e)) missing.insert(name);
      const std::string base =
          e.data.ends_with("-patches") ? e.data.substr(0, e.data.size() - 8) : e.data;
      EXPECT_TRUE(names.count(base)) << t.name << ": " << e.data;
      if (not_there(e).empty())
        for (const bool quick : {false, true}) plan(e, 1, {quick});
    }
  EXPECT_EQ(missing, std::set<std::string>(known.awaited.begin(), known.awaited.end()))
      << "data/published/awaited.json lists what tables name and Clade does not have yet";
  EXPECT_EQ(known.tables.size(), 29u);
  EXPECT_EQ(known.tables.front().name, "P0-I");
  EXPECT_EQ(known.tables.back().name, "DC-1");
}

Entry entry(const std::string& run, const Definitions& known) {
  Entry e;
  e.system = "s", e.data = "digits", e.run = run;
  e.parts.push_back(known.parts.at(run));
  e.targets.emplace_back();
  e.targets[0].metric = "ACC", e.targets[0].measure = "acc";
  return e;
}

TEST(Plan, KeysNameTheRunAndNothingElse) {
  const Definitions known = load_definitions();
  Entry a = entry("kmeans", known), b = a;
  b.system = "another name", b.notes = {"a note"}, b.targets.clear();
  EXPECT_EQ(plan(a, 1, {}).key(), plan(b, 1, {}).key());
  EXPECT_NE(plan(a, 1, {}).key(), plan(a, 2, {}).key());
  EXPECT_NE(plan(a, 1, {}).key(), plan(a, 1, {true}).key());
  b.parts[0].settings["max_iter"] = "300";  // its default, spelt out
  EXPECT_EQ(plan(a, 1, {}).key(), plan(b, 1, {}).key());
  b.parts[0].settings["max_iter"] = "301";
  EXPECT_NE(plan(a, 1, {}).key(), plan(b, 1, {}).key());
  b = a, b.data = "mnist";
  EXPECT_NE(plan(a, 1, {}).key(), plan(b, 1, {}).key());
  const Entry fixed = entry("pca2", known);  // nothing random: one run for all seeds
  EXPECT_EQ(plan(fixed, 1, {}).key(), plan(fixed, 2, {}).key());
}

TEST(Plan, OneTrainingIsRepeatedOnlyBehindIt) {
  const Definitions known = load_definitions();
  Entry e = entry("vae", known);
  e.parts.push_back(known.parts.at("umap2"));
  e.one_training = true;
  EXPECT_EQ(plan(e, 1, {}).key(1), plan(e, 5, {}).key(1));
  EXPECT_NE(plan(e, 1, {}).key(2), plan(e, 5, {}).key(2));
}

TEST(Statistics, OfOneAndOfSeveral) {
  const Statistics one = statistics({0.5});
  EXPECT_EQ(one.n, 1);
  EXPECT_EQ(one.median, 0.5);
  EXPECT_EQ(one.sd, 0);
  const Statistics four = statistics({4, 1, 3, 2});
  EXPECT_EQ(four.median, 2.5);
  EXPECT_EQ(four.min, 1);
  EXPECT_EQ(four.max, 4);
  EXPECT_NEAR(four.sd, 1.2909944, 1e-6);
}

TEST(Measures, ReadNoiseInThreeWays) {
  StageOutput found;
  found.labels = Tensor::from<int32_t>({0, 0, 1, 1, -1, -1}, {6});
  found.soft = Tensor::from<int32_t>({0, 0, 1, 1, 1, 0}, {6});
  const data::Labels classes(Tensor::from<int32_t>({0, 0, 1, 1, 1, 2}, {6}), {"a", "b", "c"});
  std::map<std::string, double> m;
  for (const Measure& one : measure(found, classes)) m[one.name] = one.value;
  EXPECT_EQ(m["clusters"], 2);
  EXPECT_EQ(m["noise"], 2);
  EXPECT_NEAR(m["labelled"], 4.0 / 6, 1e-12);
  EXPECT_NEAR(m["acc_strict"], 4.0 / 6, 1e-12);
  EXPECT_NEAR(m["acc"], 5.0 / 6, 1e-12);       // noise wins class c
  EXPECT_NEAR(m["acc_soft"], 5.0 / 6, 1e-12);  // row 4 is right, row 5 is not
  EXPECT_EQ(m["acc_labelled"], 1);
  EXPECT_EQ(m["nmi_labelled"], 1);
  EXPECT_NEAR(m["majority"], 4.0 / 6, 1e-12);
  EXPECT_EQ(m["one_against_the_rest"], 1);
}

constexpr const char* kTable = R"({"table": "T", "paper": "mine", "where": "here", "title": "t",
  "entries": [
   {"system": "k", "data": "digits", "run": "umap2+kmeans-5",
    "published": {"NMI": 0.8, "ACC": ">.5"}},
   {"system": "h", "data": "digits", "run": "umap2+hdbscan", "published": {"ACC": null},
    "measure": {"ACC": "acc_labelled"}},
   {"system": "p", "data": "digits", "run": "pca2", "published": {"variance ratio 1": 0.1489}},
   {"system": "nobody", "data": "digits", "run": null, "published": {"visual": null}}]})";

TEST(Reproduce, RunsATableOnTheDigits) {
  const Workplace here;
  here.write("t.json", kTable);
  const Ran ran = here.run("reproduce t.json --scale quick --seeds 2 --results r");
  ASSERT_EQ(ran.code, 0) << ran.err;
  for (const char* part : {"paper", "median", "0.8", ">.5", "visual", "not a figure"})
    EXPECT_NE(ran.out.find(part), std::string::npos) << part << "\n" << ran.out;
  const json j = json::parse(here.read("r/T-quick.json"));
  for (const char* key : {"table", "scale", "commit", "machine", "rows"})
    EXPECT_TRUE(j.contains(key)) << key;
  EXPECT_EQ(j["scale"], "quick");
  ASSERT_EQ(j["rows"].size(), 5u);
  for (const json& row : j["rows"])
    for (const char* key : {"system", "data", "variant", "metric", "published", "median", "sd",
                            "min", "max", "n", "seconds", "note"})
      EXPECT_TRUE(row.contains(key)) << key;
  EXPECT_EQ(j["rows"][0]["n"], 2);
  EXPECT_GT(j["rows"][1]["median"], 0.75);  // an embedding of noise would give .15
  EXPECT_LE(j["rows"][0]["min"], j["rows"][0]["median"]);
  EXPECT_EQ(j["rows"][3]["n"], 1);                    // PCA draws nothing
  EXPECT_NEAR(j["rows"][3]["median"], 0.1489, 5e-5);  // scikit-learn: 0.14890594
  EXPECT_TRUE(j["rows"][4]["median"].is_null());
  // k-means and HDBSCAN share the two embeddings.
  int embeddings = 0;
  for (const auto& folder : std::filesystem::directory_iterator(here.path("r/cache")))
    embeddings += folder.path().filename().string().rfind("digits.umap.", 0) == 0 &&
                  folder.path().string().find("means") == std::string::npos &&
                  folder.path().string().find("hdbscan") == std::string::npos;
  EXPECT_EQ(embeddings, 2);
  EXPECT_NE(here.read("r/T-quick.md").find("| k | digits |"), std::string::npos);
  EXPECT_NE(here.read("r/T-quick.html").find("<svg"), std::string::npos);

  // A second time nothing is run, though the cache is gone, and the table is the same.
  std::filesystem::remove_all(here.path("r/cache"));
  const Ran again = here.run("reproduce t.json --scale quick --seeds 2 --results r");
  EXPECT_EQ(again.code, 0);
  EXPECT_EQ(again.err, "");
  EXPECT_EQ(json::parse(here.read("r/T-quick.json"))["rows"], j["rows"]);
}

// Wherever it is killed, the same command goes on and ends with the same rows.
TEST(Reproduce, GoesOnAfterItWasKilled) {
  const Workplace here;
  here.write("t.json", kTable);
  const std::string command = "reproduce t.json --scale quick --seeds 1 --quiet --results ";
  ASSERT_EQ(here.run(command + "whole").code, 0);
  int killed = 0;
  for (const char* after : {"0.3", "0.6", "0.9"})
    killed += here.run(command + "parts", text("timeout -s KILL ", after, " ")).code != 0;
  EXPECT_GT(killed, 0);
  ASSERT_EQ(here.run(command + "parts").code, 0);
  auto without_times = [&](const char* file) {
    json rows = json::parse(here.read(file))["rows"];
    for (json& row : rows) row.erase("seconds");
    return rows;
  };
  EXPECT_EQ(without_times("whole/T-quick.json"), without_times("parts/T-quick.json"));
  // A record that is damaged is made anew.
  for (const auto& file : std::filesystem::directory_iterator(here.path("parts/runs")))
    write_file_atomically(file.path().string(), "{\"run\": ");
  ASSERT_EQ(here.run(command + "parts").code, 0);
  EXPECT_EQ(without_times("whole/T-quick.json"), without_times("parts/T-quick.json"));
}

TEST(Reproduce, TakesOtherData) {
  const Workplace here;
  std::string csv = "a,b,class\n";
  for (int i = 0; i < 90; i++)
    csv += text(10 * (i % 3) + i * 0.01, ",", -5 * (i % 3) + i * 0.02, ",", i % 3, "\n");
  here.write("own.csv", csv);
  const Ran ran =
      here.run("reproduce P4-fig6 --on digits --scale quick --seeds 1 --results r --quiet");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json j = json::parse(here.read("r/P4-fig6-on-digits-quick.json"));
  EXPECT_TRUE(j["rows"][0]["published"].is_null());
  const Ran own =
      here.run("reproduce P4-fig6 --on own.csv --scale quick --seeds 1 --results r --quiet");
  EXPECT_EQ(own.code, 0) << own.err;
}

TEST(Reproduce, ListsTables) {
  const Workplace here;
  const Ran all = here.run("reproduce --list");
  EXPECT_EQ(all.code, 0);
  for (const char* name : {"P0-I ", "P0-XV", "P1-2", "P2-text", "P3-13.1", "P4-fig6"})
    EXPECT_NE(all.out.find(name), std::string::npos) << name;
  const Ran one = here.run("reproduce --list P3-13.1");
  EXPECT_NE(one.out.find("umap2+kmeans-5"), std::string::npos);
}

TEST(Reproduce, SaysWhatIsWrong) {
  const Workplace here;
  auto line = [&](const std::string& arguments) {
    const Ran ran = here.run("reproduce " + arguments);
    EXPECT_NE(ran.code, 0) << arguments;
    EXPECT_TRUE(ran.one_line()) << ran.err;
    return ran.err;
  };
  auto has = [](const std::string& message, const std::string& part) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  has(line(""), "expected a table to reproduce; got none; clade reproduce --list names them");
  has(line("P3-13.11"), "did you mean P3-13.1?");
  has(line("nothing"), "expected a table that `clade reproduce --list` names");
  has(line("none.json"), "none.json");
  has(line("P3-13.1 --data-set fashon-mnist"), "did you mean fashion-mnist?");
  has(line("P4-fig6 --on nowhere.csv"), "nowhere.csv");
  has(line("P3-13.1 --scale huge"), "expected one of quick, full");
  has(line("P3-13.1 --seeds 0"), "from 1 to 1000");
  has(line("P3-13.1 --device abacus"), "expected cpu");
  here.write("file", "");
  has(line("P4-fig6 --results file/below"), "--results: expected a folder that can be written");
  here.write("t.json", "{\"table\": 1}");
  has(line("t.json"), "another kind of \"table\" in t.json");
  std::string wrong = kTable;
  wrong.replace(wrong.find("umap2+k"), 7, "umap9+k");
  here.write("t.json", wrong);
  has(line("t.json"), "got \"umap9\"");
  wrong = kTable;
  wrong.replace(wrong.find("\"run\""), 5, "\"rum\"");
  here.write("t.json", wrong);
  has(line("t.json"), "got \"rum\"");
}

}  // namespace
}  // namespace clade::apps
