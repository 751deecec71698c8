// Systems from the command line: own data, new rows, labels that cannot reach a model.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/apps/program.h"

namespace clade::apps {
namespace {

using nlohmann::json;

constexpr const char* kDec =
    "cluster t.csv --label-column kind --model dec --k 3 --epochs 20 --methods none --umap-dim 0 "
    "--set hidden=16-8,latent=2,update=5,iterations=40 --out ";

// Three groups of 4 values; the word in column `kind` is the group, or with a turn something else.
std::string table(int turn, bool with_kind) {
  std::string out = with_kind ? "kind,a,b,c,d\n" : "a,b,c,d\n";
  for (int i = 0; i < 90; i++) {
    const int group = i % 3;
    if (with_kind) out += std::string(1, char('x' + (group + i / 3 * turn) % 3)) + ",";
    for (int j = 0; j < 4; j++)
      out += std::to_string(10 * (j % 3 == group) + 0.1 * ((i * 7 + j * 5) % 11)) +
             (j < 3 ? "," : "\n");
  }
  return out;
}

TEST(Systems, OwnDataAndNewRows) {
  Workplace here;
  here.write("t.csv", table(0, true));
  Ran ran = here.run(std::string(kDec) + "run");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json run = json::parse(here.read("run/run.json"));
  EXPECT_GT(run["metrics"]["dec"]["acc"], 0.95);
  EXPECT_EQ(run["settings"]["update"], 5);
  EXPECT_EQ(run["options"]["clusters"], 3);
  EXPECT_TRUE(run["loss"].contains("labels that changed"));

  // The run's own rows without their label, and then one alone: the same clusters.
  std::vector<std::string> found;
  const std::string labels = here.read("run/labels.csv");
  EXPECT_EQ(labels.rfind("row,label,dec\n", 0), 0u) << labels.substr(0, 40);
  for (size_t at = labels.find('\n') + 1; at < labels.size(); at = labels.find('\n', at) + 1) {
    const size_t end = labels.find('\n', at), comma = labels.rfind(',', end);
    found.push_back(labels.substr(comma + 1, end - comma - 1));
  }
  ASSERT_EQ(found.size(), 90u);
  const std::string plain = table(0, false);
  here.write("new.csv", plain);
  std::string expected = "row,dec\n";
  for (size_t i = 0; i < found.size(); i++) expected += std::to_string(i) + "," + found[i] + "\n";
  ran = here.run("assign run new.csv");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, expected);
  EXPECT_EQ(here.run("assign run t.csv").out, expected);  // with the label column
  size_t at = plain.find('\n') + 1;
  at = plain.find('\n', at) + 1;
  here.write("one.csv", "a,b,c,d\n" + plain.substr(at, plain.find('\n', at) + 1 - at));
  EXPECT_EQ(here.run("assign run one.csv").out, "row,dec\n0," + found[1] + "\n");
  EXPECT_EQ(here.run("assign run new.csv --out new_labels.csv").code, 0);
  EXPECT_EQ(here.read("new_labels.csv"), expected);

  here.write("turned.csv", "b,a,c,d\n1,2,3,4\n");
  EXPECT_NE(here.run("assign run turned.csv").err.find("the columns learned from, a,b,c,d"),
            std::string::npos);
  here.write("narrow.csv", "a,b,c\n1,2,3\n");
  ran = here.run("assign run narrow.csv");
  EXPECT_EQ(ran.code, 1);
  EXPECT_TRUE(ran.one_line()) << ran.err;
}

TEST(Systems, LabelsDoNotReachTheModel) {
  Workplace here;
  here.write("t.csv", table(0, true));
  ASSERT_EQ(here.run(std::string(kDec) + "a").code, 0);
  here.write("t.csv", table(1, true));  // other labels, the same values
  ASSERT_EQ(here.run(std::string(kDec) + "b").code, 0);
  EXPECT_NE(here.read("a/labels.csv"), here.read("b/labels.csv"));
  EXPECT_EQ(here.read("a/model.safetensors"), here.read("b/model.safetensors"));
  EXPECT_EQ(here.read("a/latent.npy"), here.read("b/latent.npy"));
}

TEST(Systems, StartFromTheAutoencoderOfAnotherRun) {
  Workplace here;
  here.write("t.csv", table(0, false));
  const std::string options =
      " --k 3 --methods none --umap-dim 0 --set hidden=16-8,latent=2,update=5,iterations=10";
  const std::string ae = " --k 3 --methods none --umap-dim 0 --set hidden=16-8,latent=2";
  ASSERT_EQ(here.run("cluster t.csv --model ae-kmeans --epochs 20 --out ae" + ae).code, 0);
  ASSERT_EQ(here.run("cluster t.csv --model dec --epochs 20 --out whole" + options).code, 0);
  const Ran ran = here.run("cluster t.csv --model dec --pretrained ae --out dec" + options);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(here.read("dec/latent.npy"), here.read("whole/latent.npy"));
  const Ran other = here.run("cluster t.csv --model dec --pretrained ae --k 3 --out other");
  EXPECT_EQ(other.code, 1);
  EXPECT_TRUE(other.one_line()) << other.err;
  EXPECT_NE(other.err.find("--pretrained: expected an autoencoder of the same shape"),
            std::string::npos)
      << other.err;
}

TEST(Systems, SayWhatIsWrong) {
  Workplace here;
  here.write("t.csv", table(0, false));
  const std::pair<const char*, const char*> wrong[] = {
      {"cluster t.csv --model dec", "--k: expected the number of clusters for --model dec"},
      {"cluster t.csv --model dec --k 3 --set nope=1", "--set: expected a setting of dec:"},
      {"cluster t.csv --model dec --k 3 --set update=0", "--set update: expected a whole number"},
      {"cluster t.csv --model dec --k 3 --beta 1", "--beta: expected a model that uses it"},
      {"cluster t.csv --model dcec --k 3", "dcec: expected images"},
      {"cluster t.csv --model vae --pretrained x", "--pretrained: expected a model that starts"},
      {"cluster t.csv --model dec --k 3 --pretrained no", "no"},
      {"cluster t.csv --model none --set a=1", "--set: expected a model that uses it"},
      {"cluster t.csv --methods kmeans,foo", "--methods: expected hdbscan, gmm, kmeans"},
      {"assign nowhere t.csv", "nowhere/model.safetensors"},
      {"systems nope", "expected one of"},
  };
  for (const auto& [arguments, says] : wrong) {
    const Ran ran = here.run(arguments);
    EXPECT_NE(ran.code, 0) << arguments;
    EXPECT_TRUE(ran.one_line()) << ran.err;
    EXPECT_NE(ran.err.find(says), std::string::npos) << ran.err;
  }
  EXPECT_NE(here.run("systems dec").out.find("update"), std::string::npos);
}

}  // namespace
}  // namespace clade::apps
