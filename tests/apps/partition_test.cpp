// clade kmeans and clade gmm as a person runs them, what judges them afterwards, and new rows.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tensor/npy.h"
#include "tests/apps/program.h"

namespace clade::apps {
namespace {

using nlohmann::json;

// Two groups of three rows with their classes.
const char* const kTable = "a,b,kind\n0,1,x\n1,0,x\n0,0,x\n9,8,y\n8,9,y\n9,9,y\n";

TEST(Partition, FindsTheGroupsOfATableAndWritesThem) {
  Workplace here;
  here.write("t.csv", kTable);
  for (const std::string command : {"kmeans", "gmm"}) {
    SCOPED_TRACE(command);
    const Ran ran =
        here.run(command + " t.csv --label-column kind -k 2 --sweep 1,2 --json --out o");
    ASSERT_EQ(ran.code, 0) << ran.err;
    const json told = json::parse(ran.out);
    EXPECT_EQ(told["rows"], 6);
    EXPECT_EQ(told["columns"], 2);
    EXPECT_EQ(told[command == "kmeans" ? "clusters" : "components"], 2);
    EXPECT_EQ(told["sweep"].size(), 2u);
    EXPECT_TRUE(told["converged"]);
    const std::string table = here.read("o/labels.csv");
    EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 7);
    EXPECT_TRUE(table.starts_with("row," + command)) << table;
    EXPECT_EQ(load_npy(here.path("o/labels.npy")).shape(), Shape({6}));
    EXPECT_NE(here.read("o/report.html").find("\"x\""), std::string::npos);  // the classes' names
    // The column of labels.csv needs no name.
    const Ran judged = here.run("metrics t.csv:kind o/labels.csv --json");
    ASSERT_EQ(judged.code, 0) << judged.err;
    const json scores = json::parse(judged.out);
    for (const char* key : {"ari", "nmi", "nmi_min", "nmi_max", "acc"}) EXPECT_EQ(scores[key], 1);
    EXPECT_NEAR(double(scores["mutual_information"]), 0.693147180559945, 1e-12);
    const Ran quality =
        here.run("quality t.csv --label-column kind --labels o/labels.csv --dbcv --json");
    ASSERT_EQ(quality.code, 0) << quality.err;
    const json found = json::parse(quality.out);
    EXPECT_GT(found["silhouette"], 0.8);
    EXPECT_LT(found["davies_bouldin"], 0.2);
    EXPECT_GT(found["calinski_harabasz"], 100);
    EXPECT_GT(found["dbcv"], 0.5);
  }
  EXPECT_EQ(load_npy(here.path("o/covariances.npy")).shape(), Shape({2, 2, 2}));
}

TEST(Partition, TellsAPersonInATable) {
  Workplace here;
  here.write("t.csv", kTable);
  const Ran kmeans = here.run("kmeans t.csv --label-column kind -k 2 --sweep 2,1 --out o");
  EXPECT_NE(kmeans.out.find("rows of a cluster  3 to 3"), std::string::npos) << kmeans.out;
  EXPECT_NE(kmeans.out.find("clusters   inertia\n       1  211.0000\n       2    2.6667\n"),
            std::string::npos)
      << kmeans.out;
  const Ran gmm = here.run("gmm t.csv --label-column kind -k 1 --covariance tied --out o");
  EXPECT_NE(gmm.out.find("1, tied"), std::string::npos) << gmm.out;
  EXPECT_EQ(here.run("gmm t.csv --label-column kind -k 1 --quiet --no-report --out p").out, "");
  EXPECT_FALSE(here.has("p/report.html"));
}

TEST(Partition, OptionsReachTheAlgorithm) {
  Workplace here;
  auto told = [&](const std::string& arguments) {
    const Ran ran = here.run(arguments + " --json --no-report --out o");
    EXPECT_EQ(ran.code, 0) << ran.err;
    return json::parse(ran.out);
  };
  EXPECT_EQ(told("kmeans digits --limit 200 -k 5 --max-iter 1")["iterations"], 1);
  for (const char* how : {"--init random --n-init 3", "--init 'k-means||'", "--mini-batch 50"})
    EXPECT_GT(told(std::string("kmeans digits --limit 200 -k 5 ") + how)["inertia"], 0) << how;
  told("kmeans digits --limit 200 -k 3");
  const json again = told("kmeans digits --limit 200 -k 3 --centres o/centres.npy");
  EXPECT_LE(again["iterations"], 2);
  // Rows of weight 0 do not count: the inertia is that of the others.
  Tensor half = Tensor::full({200}, 1, DType::f64);
  half.slice(0, 100, 200).fill_(0);
  save_npy(here.path("w.npy"), half);
  told("kmeans digits --limit 100 -k 3");
  std::filesystem::copy(here.path("o/centres.npy"), here.path("c.npy"));
  for (const char* how : {"", "--mini-batch 50 "}) {
    const std::string ask = text("kmeans digits -k 3 --centres c.npy --max-iter 20 ", how);
    const double all = told(ask + "--limit 200")["inertia"],
                 weighed = told(ask + "--limit 200 --weights w.npy")["inertia"];
    EXPECT_LT(weighed, 0.7 * all) << how;
  }
  here.write("holes.csv", "a,b\n0,1\n1,\n9,8\n,9\n");
  save_npy(here.path("w4.npy"), Tensor::from({1.0, 1.0, 0.0, 0.0}, {4}));
  EXPECT_LT(told("kmeans holes.csv -k 1 --weights w4.npy")["inertia"], 2);
  EXPECT_GT(told("kmeans holes.csv -k 1")["inertia"], 50);
  EXPECT_NE(here.run("kmeans digits --limit 100 -k 3 --weights w.npy").err.find("200"),
            std::string::npos);
  for (const char* how : {"--covariance diagonal", "--covariance spherical --init random",
                          "--init rows --reg-covar 0.1", "--precision f32 --tol 0.1"})
    EXPECT_LT(told(std::string("gmm digits --limit 200 -k 3 ") + how)["lower_bound"], 1e3) << how;
  told("kmeans digits --limit 200 -k 3");
  EXPECT_EQ(told("gmm digits --limit 200 -k 3 --labels o/labels.npy --max-iter 2")["iterations"],
            2);
}

TEST(Partition, SameBitsAtAnyNumberOfThreads) {
  Workplace here;
  for (const std::string command :
       {"kmeans", "gmm", "gmm --precision f32", "knn --method nn-descent"}) {
    const std::string start = command + " digits --quiet --limit 600 ";
    ASSERT_EQ(here.run(start + "--threads 1 --out 1").code, 0);
    ASSERT_EQ(here.run(start + "--threads 3 --out 3").code, 0);
    const char* file = command[1] == 'n' ? "index.npy" : "labels.csv";
    EXPECT_EQ(here.read(std::string("1/") + file), here.read(std::string("3/") + file)) << command;
  }
}

TEST(Partition, HolesAreFilled) {
  Workplace here;
  here.write("h.csv", "a,b\n0,1\n1,\n0,0\n9,8\n,9\n9,9\n");
  for (const std::string command : {"kmeans", "gmm"}) {
    const Ran ran = here.run(command + " h.csv -k 2 --json --out o");
    ASSERT_EQ(ran.code, 0) << ran.err;
    const Tensor labels = load_npy(here.path("o/labels.npy"));
    EXPECT_EQ(labels.at({0}), labels.at({2})) << command;
    EXPECT_NE(labels.at({0}), labels.at({3})) << command;
  }
  EXPECT_EQ(load_npy(here.path("o/filled.npy")).shape(), Shape({6, 2}));
}

// The rows learned from get the clusters they have; others need neither classes nor all values.
TEST(Partition, NewRowsGetTheClustersThatWereFound) {
  Workplace here;
  here.write("t.csv", kTable);
  here.write("n.csv", "a,b\n9,9\n0,0\n,9\n");
  for (const std::string command : {"kmeans t.csv -k 2 ", "gmm t.csv -k 2 ",
                                    "hdbscan t.csv --min-cluster-size 3 --min-samples 2 "}) {
    SCOPED_TRACE(command);
    const std::string ask = command + "--label-column kind --scale --no-report ";
    const Ran ran = here.run(ask + "--new t.csv --out o");
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_NE(ran.out.find("new rows"), std::string::npos) << ran.out;
    EXPECT_EQ(here.read("o/new_labels.npy"), here.read("o/labels.npy"));
    const bool density = command.starts_with("hdbscan");
    const Ran holes = here.run(ask + "--new n.csv --out p");
    EXPECT_EQ(holes.code, density ? 1 : 0) << holes.err;
    if (density) {
      EXPECT_NE(holes.err.find("--new: expected rows without missing"), std::string::npos)
          << holes.err;
      EXPECT_FALSE(std::filesystem::exists(here.path("p/labels.npy")));  // before the fit
      continue;
    }
    const Tensor found = load_npy(here.path("p/new_labels.npy"));
    const Tensor known = load_npy(here.path("p/labels.npy"));
    EXPECT_EQ(found.at({0}), known.at({5}));
    EXPECT_EQ(found.at({1}), known.at({2}));
    EXPECT_EQ(found.at({2}), known.at({5}));
    EXPECT_TRUE(here.read("p/new_labels.csv").starts_with("row," + command.substr(0, 3)));
    // What was written for other rows does not outlive the next run.
    ASSERT_EQ(here.run(ask + "--out p").code, 0);
    EXPECT_FALSE(std::filesystem::exists(here.path("p/new_labels.csv")));
    std::filesystem::remove_all(here.path("p"));
  }
  // k-POD that was stopped early: the labels are those of its centres.
  here.write("h.csv", "a,b\n0,1\n1,\n,0\n9,8\n8,\n,9\n4,5\n5,\n");
  ASSERT_EQ(here.run("kmeans h.csv -k 3 --max-iter 1 --new h.csv --out h --no-report").code, 0);
  EXPECT_EQ(here.read("h/new_labels.npy"), here.read("h/labels.npy"));
  // Columns that were left out may be missing, one or all; a fault is told as it is.
  here.write("d.csv", "id,a,b,kind\n1,0,1,x\n2,1,0,x\n3,9,8,y\n4,8,9,y\n");
  here.write("abk.csv", "a,b,kind\n0,0,z\n9,9,z\n");
  here.write("ab.csv", "a,b\n0,0\n9,9\n");
  here.write("iab.csv", "id,a,b\n7,0,0\n8,9,9\n");
  const std::string learn = "kmeans d.csv -k 2 --drop-columns id --label-column kind --out q ";
  for (const char* file : {"abk.csv", "ab.csv", "iab.csv"}) {
    ASSERT_EQ(here.run(learn + "--new " + file).code, 0) << file;
    const Tensor found = load_npy(here.path("q/new_labels.npy"));
    EXPECT_NE(found.at({0}), found.at({1})) << file;
    EXPECT_EQ(found.at({0}), load_npy(here.path("q/labels.npy")).at({0})) << file;
  }
  here.write("head.csv", "a,b\n");
  here.write("word.csv", "a,b\nfoo,1\n");
  here.write("4.csv", "1,0,1,0\n2,1,0,0\n3,9,8,1\n4,8,9,1\n");
  here.write("3.csv", "0,1,0\n9,8,1\n");
  for (auto [line, part] : {std::pair{learn + "--new head.csv", "got a header alone"},
                            {learn + "--new word.csv", "foo"},
                            {"kmeans 4.csv -k 2 --drop-columns 1 --label-column 4 --new 3.csv",
                             "or a number in 1 .. 3"}}) {
    const Ran ran = here.run(line);
    EXPECT_EQ(ran.code, 1) << line;
    EXPECT_TRUE(ran.one_line()) << ran.err;
    EXPECT_NE(ran.err.find(part), std::string::npos) << ran.err;
  }
  here.write("swapped.csv", "b,a\n1,2\n");
  here.write("wide.csv", "a,b,c\n1,2,3\n");
  for (auto [file, part] : {std::pair{"swapped.csv", "the columns learned from, a,b"},
                            {"wide.csv", "a,b; got others"},
                            {"digits", "rows of [2]"}}) {
    const Ran ran =
        here.run(std::string("kmeans t.csv --drop-columns kind -k 2 --new ") + file + " --out p");
    EXPECT_EQ(ran.code, 1);
    EXPECT_TRUE(ran.one_line()) << ran.err;
    EXPECT_NE(ran.err.find(part), std::string::npos) << ran.err;
  }
}

TEST(Partition, NearestNeighboursByEveryMethod) {
  Workplace here;
  ASSERT_EQ(here.run("knn digits --limit 300 -k 4 --method tiles --quiet --out t").code, 0);
  for (const char* method : {"auto", "exact", "tree", "nn-descent --recall 1"}) {
    const Ran ran =
        here.run(std::string("knn digits --limit 300 -k 4 --json --out o --method ") + method);
    ASSERT_EQ(ran.code, 0) << ran.err;
    const json told = json::parse(ran.out);
    EXPECT_EQ(told["descents"] > 0, method[0] == 'n');
    EXPECT_GT(told["recall"], 0.98);
    if (method[0] != 'n') {
      EXPECT_EQ(here.read("o/index.npy"), here.read("t/index.npy")) << method;
    }
  }
  const Ran cosine = here.run("knn digits --limit 300 -k 4 --metric cosine --method nn-descent");
  EXPECT_NE(cosine.out.find("by NN-descent"), std::string::npos) << cosine.out << cosine.err;
}

TEST(Partition, TellsWhatIsWrongInOneLine) {
  Workplace here;
  here.write("t.csv", kTable);
  here.write("h.csv", "a,b\n1,2\n,5\n2,9\n");
  for (auto [command, part] : {std::pair{"kmeans t.csv --label-column kind -k 7", "k = 7"},
                               {"gmm t.csv --label-column kind -k 7", "1 <= k <= n = 6"},
                               {"kmeans t.csv -k 0", "--clusters"},
                               {"kmeans h.csv -k 1 --mini-batch 2", "rows without missing values"},
                               {"kmeans h.csv -k 1 --tol 0.1", "k-POD ends when"},
                               {"kmeans digits -k 2 --mini-batch 2 --n-init 3", "one start"},
                               {"kmeans digits --centres nowhere.npy", "nowhere.npy"},
                               {"kmeans digits --centres a.npy --sweep 1,2", "leave one out"},
                               {"gmm digits --labels nowhere.npy", "nowhere.npy"},
                               {"gmm digits --labels nowhere.npy --sweep 2", "leave one out"},
                               {"gmm digits --precision f16", "f64"},
                               {"gmm digits --covariance round", "spherical"},
                               {"gmm digits --tol -1", "--tol"},
                               {"knn digits --method fast", "nn-descent"},
                               {"knn digits --limit 5 -k 5 --method nn-descent", "1 <= k <= 4"},
                               {"knn h.csv -k 1 --method nn-descent", "all pairs"},
                               {"knn h.csv -k 1 --metric cosine", "euclidean or partial"},
                               {"knn h.csv -k 1 --metric correlation", "euclidean or partial"},
                               {"quality digits --dbcv --embedding e.npy", "say which clusters"}}) {
    SCOPED_TRACE(command);
    const Ran ran = here.run(command);
    EXPECT_NE(ran.code, 0);
    EXPECT_NE(ran.err.find(part), std::string::npos) << ran.err;
    EXPECT_TRUE(ran.one_line()) << ran.err;
  }
}

}  // namespace
}  // namespace clade::apps
