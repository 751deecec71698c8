// clade knn and clade hdbscan, as a person runs them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <algorithm>

#include "tensor/npy.h"
#include "tests/apps/program.h"

namespace clade::apps {
namespace {

int64_t lines(const std::string& s) { return std::count(s.begin(), s.end(), '\n'); }

TEST(KnnCommand, WritesNeighboursWithTheSameBitsAtAnyNumberOfThreads) {
  Workplace here;
  for (const char* n : {"1", "2", "3"}) {
    const std::string t = n;
    const Ran ran = here.run("knn digits --limit 300 -k 6 --csv --threads " + t + " --out t" + t);
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_NE(ran.out.find("300"), std::string::npos);
  }
  const Tensor index = load_npy(here.path("t1/index.npy"));
  EXPECT_EQ(index.shape(), Shape({300, 6}));
  EXPECT_EQ(load_npy(here.path("t1/distance.npy")).shape(), Shape({300, 6}));
  const std::string table = here.read("t1/neighbors.csv");
  EXPECT_EQ(table.rfind("row,rank,neighbor,distance\n0,1,", 0), 0u);
  EXPECT_EQ(lines(table), 1801);
  for (const char* file : {"index.npy", "distance.npy", "neighbors.csv"})
    for (const char* other : {"t2/", "t3/"})
      EXPECT_EQ(here.read(std::string("t1/") + file), here.read(std::string(other) + file)) << file;
}

TEST(KnnCommand, TakesHolesAndRefusesWhatItCannotDo) {
  Workplace here;
  here.write("t.csv", "a,b\n1,2\n,3\n2,2\n5,1\n");
  ASSERT_EQ(here.run("knn t.csv -k 1 --quiet --csv --out r").code, 0);
  // Row 1 has b alone: with row 0 it shares b, at distance sqrt(2 / 1 * 1), with row 2 too.
  EXPECT_EQ(here.read("r/neighbors.csv"),
            "row,rank,neighbor,distance\n0,1,2,1\n1,1,0,1.41421354\n2,1,0,1\n3,1,1,2.82842708\n");
  const Ran many = here.run("knn t.csv -k 7");
  EXPECT_EQ(many.code, 1);
  EXPECT_TRUE(many.one_line()) << many.err;
  EXPECT_NE(many.err.find("1 <= k <= 3 for 4 rows without self; got k = 7"), std::string::npos);
  EXPECT_EQ(here.run("knn t.csv -k 0").code, 2);
  EXPECT_EQ(here.run("knn t.csv --metric manhattan").code, 2);
}

TEST(HdbscanCommand, WritesLabelsAndTreesWithTheSameBitsAtAnyNumberOfThreads) {
  Workplace here;
  for (const char* n : {"1", "2", "3"}) {
    const std::string t = n;
    const Ran ran =
        here.run("hdbscan digits --min-cluster-size 20 --min-samples 3 --sweep 10,40 --threads " +
                 t + " --out t" + t);
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_NE(ran.out.find("min-cluster-size"), std::string::npos) << ran.out;
  }
  const std::string labels = here.read("t1/labels.csv");
  EXPECT_EQ(labels.rfind("row,hdbscan,probability,outlier_score\n", 0), 0u);
  EXPECT_EQ(lines(labels), 1798);
  EXPECT_EQ(load_npy(here.path("t1/linkage.npy")).shape(), Shape({1796, 4}));
  EXPECT_GT(load_npy(here.path("t1/condensed.npy")).size(0), 1797);
  for (const char* file : {"labels.csv", "labels.npy", "linkage.npy", "condensed.npy"})
    for (const char* other : {"t2/", "t3/"})
      EXPECT_EQ(here.read(std::string("t1/") + file), here.read(std::string(other) + file)) << file;
}

TEST(HdbscanCommand, TellsTheSweepAsJsonToo) {
  Workplace here;
  const Ran ran = here.run(
      "hdbscan digits --min-cluster-size 20 --min-samples 3 --sweep 20,40 --no-report --json --out "
      "o");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto told = nlohmann::json::parse(ran.out);
  ASSERT_EQ(told["sweep"].size(), 2u);
  for (const char* figure : {"clusters", "noise", "validity"})
    EXPECT_EQ(told["sweep"][0][figure], told[figure]) << figure;
  EXPECT_EQ(told["sweep"][1]["min_cluster_size"], 40);
  EXPECT_LT(told["sweep"][1]["clusters"], told["clusters"]);
}

TEST(HdbscanCommand, DrawsThePageAndTakesHoles) {
  Workplace here;
  std::string table = "a,b,c\n";
  for (int i = 0; i < 60; i++) {
    const int at = i % 2 * 50 + i / 2 % 6;
    table += text(at, ",", i % 7 == 0 ? "" : text(at + i % 5), ",", i % 3 + at, "\n");
  }
  here.write("t.csv", table);
  const Ran ran = here.run("hdbscan t.csv --min-cluster-size 8 --out o");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const std::string page = here.read("o/report.html");
  EXPECT_NE(page.find("\"branches\""), std::string::npos);
  EXPECT_NE(page.find("Values are missing"), std::string::npos);
  const Tensor labels = load_npy(here.path("o/labels.npy"));
  for (int64_t i = 2; i < 60; i++) EXPECT_EQ(labels.at({i}), labels.at({i % 2})) << i;
  EXPECT_NE(labels.at({0}), labels.at({1}));

  const Ran merged = here.run(
      "hdbscan t.csv --min-cluster-size 8 --persistence 1e9 --no-report "
      "--json --out p");
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_NE(merged.out.find("\"clusters\": 0"), std::string::npos) << merged.out;
  const Ran wrong = here.run("hdbscan t.csv --min-common 4");
  EXPECT_EQ(wrong.code, 1);
  EXPECT_TRUE(wrong.one_line()) << wrong.err;
  EXPECT_NE(wrong.err.find("1 <= min_common <= 3"), std::string::npos) << wrong.err;
  EXPECT_EQ(here.run("hdbscan t.csv --persistence -1").code, 2);
  const Ran crossed = here.run("hdbscan t.csv --epsilon 2 --epsilon-max 1");
  EXPECT_EQ(crossed.code, 1);
  EXPECT_TRUE(crossed.one_line()) << crossed.err;
}

}  // namespace
}  // namespace clade::apps
