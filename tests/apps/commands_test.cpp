// The commands on real, small data: files, exit codes, determinism, stopping and going on.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tensor/npy.h"
#include "tensor/random.h"
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

  // What does not fit the checkpoint is refused, and the finished run stays whole.
  const std::string before = here.read("parts/run.json");
  for (const char* wrong : {"--epochs 3 --lr 0.01", "--epochs 2"}) {
    const Ran other = here.run(run + "--out parts --resume " + wrong);
    EXPECT_EQ(other.code, 1);
    EXPECT_TRUE(other.one_line()) << other.err;
    EXPECT_EQ(here.read("parts/run.json"), before);
  }
}

TEST(Cluster, ResumingOnOtherDataIsRefused) {
  Workplace here;
  auto table = [](double first, const char* sign) {
    std::string rows = std::to_string(first) + "," + sign + "1\n";
    for (int i = 1; i < 40; i++)
      rows += std::to_string(i % 2 * 5 + i % 7) + "," + sign + std::to_string(i % 5 + 1) + "\n";
    return rows;
  };
  here.write("t.csv", table(1, ""));
  const std::string run = "cluster t.csv --model vae --quiet --out r --epochs ";
  ASSERT_EQ(here.run(run + "1").code, 0);
  for (const std::string& other : {table(2, ""), table(1, "-")}) {  // a value; a column's signs
    here.write("t.csv", other);
    const Ran ran = here.run(run + "2 --resume");
    EXPECT_EQ(ran.code, 1);
    EXPECT_TRUE(ran.one_line()) << ran.err;
    EXPECT_NE(ran.err.find("resume: expected the data that r/checkpoint.safetensors was started"),
              std::string::npos)
        << ran.err;
  }
}

TEST(Cluster, AFolderThatWasUsedBeforeHoldsNothingOld) {
  Workplace here;
  const std::string run = "cluster digits --limit 100 --filters 4 --epochs 2 --out r ";
  ASSERT_EQ(here.run(run + "--quiet").code, 0);
  EXPECT_EQ(here.run("cluster digits --limit 100 --filters 4 --epochs 1 --lr 1e30 --out r").code,
            1);
  for (const char* file : {"run.json", "labels.csv", "model.safetensors", "report.html"})
    EXPECT_FALSE(here.has(std::string("r/") + file)) << file;

  // The checkpoint of the first run is still there: that one may be gone on with, and it is said.
  const Ran again = here.run(run);
  EXPECT_EQ(again.code, 0);
  EXPECT_NE(again.err.find("clade: r holds a run that was stopped; this one begins anew"),
            std::string::npos)
      << again.err;
  const Ran quiet = here.run("cluster digits --limit 100 --model pca --out r --quiet");
  EXPECT_EQ(quiet.out + quiet.err, "");
  EXPECT_FALSE(here.has("r/checkpoint.safetensors"));
}

TEST(Cluster, ResumeWithNothingToResumeSaysSo) {
  Workplace here;
  const Ran pca = here.run("cluster digits --limit 100 --model pca --out a --resume");
  EXPECT_EQ(pca.code, 0);
  EXPECT_NE(pca.err.find("clade: --resume: --model pca has no training to go on with"),
            std::string::npos)
      << pca.err;
  const Ran vae = here.run("cluster digits --limit 100 --filters 4 --epochs 1 --out b --resume");
  EXPECT_NE(vae.err.find("clade: --resume: no checkpoint in b; training begins anew"),
            std::string::npos)
      << vae.err;
}

TEST(Cluster, FloatImagesOf255AreUnderstoodAndOthersRefused) {
  Workplace here;
  Random rng(1);
  Tensor images = randn({60, 16, 16}, rng);
  for (int64_t i = 0; i < images.numel(); i++)
    images.data<float>()[i] = std::min(255.0f, 80 * std::abs(images.data<float>()[i]));
  images.data<float>()[0] = 255, images.data<float>()[1] = 0;
  Tensor unit = images.clone(), shifted = images.clone();
  for (int64_t i = 0; i < images.numel(); i++) {
    unit.data<float>()[i] /= 255;
    shifted.data<float>()[i] = unit.data<float>()[i] - 0.5f;
  }
  save_npy(here.path("images.npy"), images);
  save_npy(here.path("unit.npy"), unit);
  save_npy(here.path("shifted.npy"), shifted);
  const std::string options = " --filters 4 --epochs 1 --out ";
  const Ran ran = here.run("cluster images.npy" + options + "a");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.err.find("clade: images.npy: images of 0 .. 255 were divided by 255"),
            std::string::npos)
      << ran.err;
  ASSERT_EQ(here.run("cluster unit.npy" + options + "b").code, 0);
  EXPECT_EQ(here.read("a/latent.npy"), here.read("b/latent.npy"));
  const Ran refused = here.run("cluster shifted.npy" + options + "c");
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("clade: images: expected values from 0 to 1, or from 0 to 255"),
            std::string::npos)
      << refused.err;
}

TEST(Cluster, ColumnsOfAnySizeAreStandardised) {
  Workplace here;
  for (const char* scale : {"e38", "", "e-37"}) {
    std::string table = "a,b\n";
    for (int i = 0; i < 30; i++)
      table += std::to_string(i) + "," + (i % 2 ? "3" : "-3") + scale + "\n";
    here.write("t.csv", table);
    EXPECT_EQ(here.run(text("cluster t.csv --model none --out r", scale)).code, 0);
    EXPECT_EQ(here.read(text("r", scale, "/labels.csv")), here.read("re38/labels.csv"));
  }
}

TEST(Cluster, TellsThatAFileWasCutShort) {
  Workplace here;
  std::string table;
  for (int i = 0; i < 90; i++)
    table += std::to_string(i % 7 + 4 * (i % 2)) + "," + std::to_string(i % 5) + "\n";
  here.write("t.csv", table);
  const Ran ran = here.run("cluster t.csv --limit 60 --model none --clusters 2 --out r");
  EXPECT_NE(ran.out.find("Scaled down: 60 of 90 rows"), std::string::npos) << ran.out << ran.err;
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
  // The program itself is signalled, once there is something to go on from.
  here.write("interrupt.sh",
             "\"$@\" & pid=$!\n"
             "while [ ! -e run/checkpoint.safetensors ]; do\n"
             "  kill -0 $pid || exit 99\n"
             "  sleep 0.01\n"
             "done\n"
             "kill -INT $pid; wait $pid\n");
  const Ran ran = here.run("cluster digits --epochs 10000 --out run", "sh interrupt.sh ");
  EXPECT_EQ(ran.code, 130);
  EXPECT_NE(ran.err.find("to go on: clade cluster digits --epochs 10000 --out run --resume"),
            std::string::npos)
      << ran.err;
  EXPECT_FALSE(here.has("run/run.json"));
  EXPECT_FALSE(here.has("run/report.html"));

  // Before the first checkpoint nothing is promised; the trace is written all the same.
  here.write("at_once.sh",
             "\"$@\" & pid=$!\n"
             "while [ ! -d early ]; do\n"
             "  kill -0 $pid || exit 99\n"
             "  sleep 0.01\n"
             "done\n"
             "sleep 0.2; kill -INT $pid; wait $pid\n");
  const Ran early =
      here.run("cluster digits --filters 64 --profile trace.json --out early", "sh at_once.sh ");
  EXPECT_EQ(early.code, 130);
  EXPECT_NE(early.err.find("stopped; there is no checkpoint yet"), std::string::npos) << early.err;
  EXPECT_TRUE(json::accept(here.read("trace.json")));
}

// Only work that asks whether it should stop takes the signal; other commands end by it.
TEST(Metrics, EndAtOnceWhenToldTo) {
  Workplace here;
  here.write("end.sh",
             "mkfifo pipe; \"$@\" & pid=$!\n"
             "sleep 0.3; kill -TERM $pid; sleep 0.7; kill -KILL $pid 2>/dev/null; wait $pid\n");
  EXPECT_EQ(here.run("metrics pipe pipe", "sh end.sh ").code, 128 + 15);
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

TEST(Profile, IsWrittenByAnyCommand) {
  Workplace here;
  const Ran ran = here.run("cluster digits --limit 100 --model pca --profile trace.json --out run");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(json::accept(here.read("trace.json")));
  EXPECT_NE(ran.err.find("GFLOP/s"), std::string::npos) << ran.err;
  for (const std::string command : {"kmeans digits -k 3 --quiet", "knn digits --json",
                                    "bench train --seconds 0.01 --batch 2"}) {
    const Ran any = here.run(command + " --threads 1 --profile any.json");
    ASSERT_EQ(any.code, 0) << command << any.err;
    EXPECT_GT(json::parse(here.read("any.json"))["traceEvents"].size(), 0u) << command;
    EXPECT_EQ(any.err.find("GFLOP/s") != std::string::npos, command[1] == 'n') << any.err;
  }
  const Ran nowhere =
      here.run("cluster digits --limit 100 --model pca --profile no/trace.json --out other");
  EXPECT_EQ(nowhere.code, 1);
  EXPECT_NE(nowhere.err.find("no/trace.json"), std::string::npos) << nowhere.err;
  EXPECT_FALSE(here.has("other"));  // nothing was begun
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

TEST(Metrics, TellsWhatIsLeftOutAndTreatsBothFilesAlike) {
  Workplace here;
  here.write("a.csv", "a\n0\n0\n1\n-1\n\"\"\n1\n");
  here.write("b.csv", "b\n5\n5\n-1\n6\n6\n\"\"\n");
  const json there = json::parse(here.run("metrics a.csv b.csv --json").out);
  const json back = json::parse(here.run("metrics b.csv a.csv --json").out);
  EXPECT_EQ(there["points"], 4);
  EXPECT_EQ(there["left_out"], 2);
  EXPECT_EQ(there["noise_in_truth"], 1);
  for (const char* key : {"points", "left_out", "acc", "nmi", "ari", "ami"})
    EXPECT_EQ(there[key], back[key]) << key;
  const std::string table = here.run("metrics a.csv b.csv").out;
  EXPECT_NE(table.find("left out                   1  no label in a.csv:a"), std::string::npos)
      << table;
  EXPECT_NE(table.find("no label in b.csv:b"), std::string::npos) << table;
  EXPECT_NE(table.find("-1 in a.csv:a: one more class"), std::string::npos) << table;

  // A first word that comes again is a label; the mark of spreadsheets is no part of a name.
  here.write("words.csv", "cat\ndog\ncat\n");
  here.write("named.csv", "\xef\xbb\xbfkind,n\ncat,1\ndog,2\ncat,1\n");
  for (const char* files : {"words.csv named.csv:kind", "named.csv:n words.csv"}) {
    const Ran ran = here.run(std::string("metrics --json ") + files);
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(json::parse(ran.out)["points"], 3) << files;
    EXPECT_EQ(json::parse(ran.out)["acc"], 1) << files;
  }
}

TEST(Metrics, TakesTheLabelsOfTwoRunsAsTheyAre) {
  Workplace here;
  here.write("a.csv",
             "row,label,hdbscan,hdbscan_probability,gmm,kmeans\n0,x,0,1,0,0\n1,y,0,1,1,1\n");
  here.write("b.csv", "row,hdbscan,hdbscan_probability\n0,0,1\n1,1,1\n");
  const Ran ran = here.run("metrics a.csv b.csv --json");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json out = json::parse(ran.out);
  EXPECT_EQ(out["truth"], "a.csv:gmm");
  EXPECT_EQ(out["predicted"], "b.csv:hdbscan");
  EXPECT_EQ(out["acc"], 1);
}

TEST(Output, ThatDoesNotArriveIsNoSuccess) {
  Workplace here;
  here.write("m.csv", "0\n1\n");
  for (const char* command : {"metrics m.csv m.csv", "datasets", "--help", "info m.csv"}) {
    const Ran ran = here.run(command, "sh -c '\"$@\" >/dev/full' sh ");
    EXPECT_EQ(ran.code, 1) << command;
    EXPECT_TRUE(ran.one_line() && ran.err.rfind("clade: ", 0) == 0) << ran.err;
  }
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
