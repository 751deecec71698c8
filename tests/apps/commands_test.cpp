// The commands on real, small data: files, exit codes, determinism, stopping and going on.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tensor/npy.h"
#include "tensor/safetensors.h"
#include "tests/apps/program.h"

namespace clade::apps {
namespace {

using nlohmann::json;

int64_t lines(const std::string& s) { return std::count(s.begin(), s.end(), '\n'); }

TEST(Cluster, LeavesTheWholeFolder) {
  Workplace here;
  const Ran ran =
      here.run("cluster digits --limit 200 --missing patches --epochs 1 --filters 4 --out run");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("HDBSCAN"), std::string::npos);
  EXPECT_NE(ran.out.find("Scaled down: 200 of 1,797 rows, 1 of 400 epochs, 4 of 16 filters"),
            std::string::npos)
      << ran.out;

  const json run = json::parse(here.read("run/run.json"));
  for (const char* key : {"options", "versions", "seed", "threads", "device", "times", "metrics"})
    EXPECT_TRUE(run.contains(key)) << key;
  EXPECT_EQ(run["options"]["model"], "masked-vae");
  EXPECT_EQ(run["options"]["latent"], 10);
  EXPECT_GT(run["data"]["missing"], 0.01);
  for (const char* stage : {"load", "train", "encode", "umap", "hdbscan", "gmm", "kmeans"})
    EXPECT_GE(run["times"][stage], 0) << stage;
  for (const char* method : {"hdbscan", "gmm", "kmeans"})
    for (const char* key : {"acc", "nmi", "ari", "ami", "clusters"})
      EXPECT_TRUE(run["metrics"][method].contains(key)) << method << " " << key;
  for (const char* key :
       {"labelled", "acc_strict", "acc_noise_as_cluster", "acc_soft", "acc_labelled"}) {
    EXPECT_GE(run["metrics"]["hdbscan"][key], 0) << key;
    EXPECT_LE(run["metrics"]["hdbscan"][key], 1) << key;
  }

  EXPECT_EQ(load_npy(here.path("run/latent.npy")).shape(), Shape({200, 10}));
  EXPECT_EQ(load_npy(here.path("run/embedding.npy")).shape(), Shape({200, 2}));
  EXPECT_GT(load_safetensors(here.path("run/model.safetensors")).tensors.size(), 10u);
  const std::string labels = here.read("run/labels.csv");
  EXPECT_EQ(labels.rfind("row,label,hdbscan,hdbscan_probability,gmm,kmeans\n", 0), 0u);
  EXPECT_EQ(lines(labels), 201);
  EXPECT_NE(here.read("run/report.html").find("clade cluster digits --missing patches"),
            std::string::npos);

  const Ran info = here.run("info run");
  EXPECT_EQ(info.code, 0) << info.err;
  EXPECT_NE(info.out.find("report.html"), std::string::npos);
}

TEST(Cluster, SameBitsAtAnyNumberOfThreads) {
  Workplace here;
  for (const char* n : {"1", "2", "3"}) {
    const std::string t = n;
    const Ran ran = here.run(
        "cluster digits --limit 150 --missing mcar --epochs 1 --filters 4 --quiet --threads " + t +
        " --out t" + t);
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out + ran.err, "");
  }
  for (const char* file : {"model.safetensors", "latent.npy", "embedding.npy", "labels.csv"})
    for (const char* other : {"t2/", "t3/"})
      EXPECT_EQ(here.read(std::string("t1/") + file), here.read(std::string(other) + file)) << file;
}

TEST(Cluster, ResumedRunEndsWithTheSameWeights) {
  Workplace here;
  const std::string run = "cluster digits --limit 150 --model vae --filters 4 --quiet ";
  ASSERT_EQ(here.run(run + "--epochs 3 --out whole").code, 0);
  ASSERT_EQ(here.run(run + "--epochs 1 --out parts").code, 0);
  const Ran ran = here.run(run + "--epochs 3 --out parts --resume");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(here.read("whole/model.safetensors"), here.read("parts/model.safetensors"));
  EXPECT_EQ(json::parse(here.read("parts/run.json"))["loss"]["total"].size(), 3u);

  const Ran other = here.run(run + "--epochs 3 --out parts --resume --lr 0.01");
  EXPECT_EQ(other.code, 1);
  EXPECT_TRUE(other.one_line()) << other.err;
}

TEST(Cluster, KilledRunGoesOnToTheSameBits) {
  Workplace here;
  here.write("kill_at_checkpoint.sh",
             "\"$@\" & pid=$!\n"
             "while [ ! -e killed/checkpoint.safetensors ]; do\n"
             "  kill -0 $pid || exit 99\n"
             "  sleep 0.01\n"
             "done\n"
             "kill -9 $pid; wait $pid\n");
  const std::string run =
      "cluster digits --limit 300 --model masked-vae --missing patches "
      "--filters 4 --epochs 60 --quiet --out ";
  ASSERT_EQ(here.run(run + "whole").code, 0);
  ASSERT_EQ(here.run(run + "killed", "sh kill_at_checkpoint.sh ").code, 137);
  EXPECT_FALSE(here.has("killed/run.json"));
  const Ran ran = here.run(run + "killed --resume");
  ASSERT_EQ(ran.code, 0) << ran.err;
  for (const char* file : {"model.safetensors", "latent.npy", "embedding.npy", "labels.csv"})
    EXPECT_EQ(here.read(std::string("whole/") + file), here.read(std::string("killed/") + file))
        << file;
}

TEST(Cluster, StopsWhenAskedAndSaysHowToGoOn) {
  Workplace here;
  const Ran ran = here.run("cluster digits --epochs 10000 --out run", "timeout -s INT 3 ");
  EXPECT_NE(ran.err.find("to go on: clade cluster digits --epochs 10000 --out run --resume"),
            std::string::npos)
      << ran.err;
  EXPECT_FALSE(here.has("run/run.json"));
  EXPECT_FALSE(here.has("run/report.html"));
}

TEST(Cluster, TablesWithHolesWordsAndNoLabels) {
  Workplace here;
  std::string table = "id;x;y;kind\n";
  for (int i = 0; i < 60; i++) {
    const int c = i % 2;
    table += std::to_string(i) + ";" + std::to_string(10 * c + 0.01 * (i % 7)) + ";" +
             (i % 9 ? std::to_string(5 * c + 0.01 * (i % 5)) : "?") + ";" + (c ? "\"b;c\"" : "a") +
             "\n";
  }
  here.write("t.csv", table);
  Ran ran = here.run("cluster t.csv --label-column kind --drop-columns id --model none --out a");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json run = json::parse(here.read("a/run.json"));
  EXPECT_EQ(run["data"]["shape"], json({60, 2}));
  EXPECT_GT(run["metrics"]["gmm"]["acc"], 0.8);

  std::string plain;
  for (int i = 0; i < 40; i++)
    plain += std::to_string(i % 7 + 4 * (i % 2)) + "," + std::to_string(i % 5 + 4 * (i % 2)) + "\n";
  here.write("plain.csv", plain);
  ran = here.run("cluster plain.csv --model none --clusters 2 --out b");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_FALSE(json::parse(here.read("b/run.json"))["metrics"]["gmm"].contains("acc"));
  EXPECT_EQ(here.read("b/labels.csv").rfind("row,hdbscan,hdbscan_probability,gmm,kmeans\n", 0), 0u);
}

TEST(Cluster, WritesATrace) {
  Workplace here;
  const Ran ran = here.run("cluster digits --limit 100 --model pca --profile trace.json --out run");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(json::accept(here.read("trace.json")));
}

TEST(Metrics, TableAndJson) {
  Workplace here;
  here.write("m.csv", "truth,found,words\n0,1,x\n0,1,x\n1,0,y\n1,0,y\n1,-1,\"y\"\n");
  const Ran ran = here.run("metrics m.csv:truth m.csv:found --json");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json out = json::parse(ran.out);
  EXPECT_DOUBLE_EQ(out["acc"], 0.8);
  EXPECT_DOUBLE_EQ(out["acc_labelled"], 1.0);
  EXPECT_DOUBLE_EQ(out["labelled"], 0.8);
  EXPECT_DOUBLE_EQ(json::parse(here.run("metrics m.csv:words m.csv:1 --json").out)["ari"], 1.0);

  save_npy(here.path("a.npy"), Tensor::from<int32_t>({0, 0, 1, 1, 1}, {5}));
  const Ran table = here.run("metrics a.npy m.csv:found");
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("ACC strict"), std::string::npos);
}

TEST(Info, TellsShapesRangesAndHoles) {
  Workplace here;
  save_npy(here.path("a.npy"), Tensor::from<float>({1, NAN, 3, -INFINITY}, {2, 2}));
  const Ran array = here.run("info a.npy");
  ASSERT_EQ(array.code, 0) << array.err;
  EXPECT_NE(array.out.find("f32 [2, 2]    1    3     2        0    1         1"), std::string::npos)
      << array.out;
  here.write("t.csv", "a,b\n1,?\n2,5\n");
  const Ran table = here.run("info t.csv");
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("no labels"), std::string::npos);
  const Ran digits = here.run("info digits");
  EXPECT_NE(digits.out.find("10 classes"), std::string::npos) << digits.err;
}

TEST(Datasets, ListsTheDigitsThatComeAlong) {
  Workplace here;
  const Ran ran = here.run("datasets --long");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("digits"), std::string::npos);
  EXPECT_NE(ran.out.find("terms:"), std::string::npos);
}

}  // namespace
}  // namespace clade::apps
