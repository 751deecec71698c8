// clade umap, tsne and pca as a person runs them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include "tensor/npy.h"
#include "tests/apps/program.h"

namespace clade::apps {
namespace {

const char* const kSmall = " digits --limit 120 ";

TEST(Embed, WritesCoordinatesAndSaysWhatItDid) {
  Workplace here;
  for (const char* command : {"umap --epochs 20", "tsne --early-steps 5 --steps 5", "pca"}) {
    SCOPED_TRACE(command);
    const Ran ran = here.run(std::string(command) + kSmall + "--csv --json --out a");
    ASSERT_EQ(ran.code, 0) << ran.err;
    const auto told = nlohmann::json::parse(ran.out);
    EXPECT_EQ(told["rows"], 120);
    EXPECT_EQ(told["columns"], 64);
    EXPECT_EQ(told["dimensions"], 2);
    EXPECT_GE(told["seconds"], 0);
    const Tensor embedding = load_npy(here.path("a/embedding.npy"));
    EXPECT_EQ(embedding.shape(), Shape({120, 2}));
    const std::string table = here.read("a/embedding.csv"),
                      name(command, command[0] == 'p' ? 3 : 4);
    EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 121);
    EXPECT_EQ(table.substr(0, table.find('\n')), name + "1," + name + "2");
    const std::string first = table.substr(table.find('\n') + 1);
    EXPECT_EQ(std::stof(first), float(embedding.at({0, 0})));
    const std::string page = here.read("a/report.html");
    // What the page says repeats the run: without --json and --quiet, but with --csv.
    const std::string key = "\"command\":\"clade ";
    const size_t begin = page.find(key) + key.size();
    std::string again = page.substr(begin, page.find('"', begin) - begin);
    ASSERT_EQ(again.substr(0, name.size() + 7), name + " digits");
    again.replace(again.find("--out a"), 7, "--out again");
    ASSERT_EQ(here.run(again).code, 0) << again;
    EXPECT_EQ(here.read("again/embedding.npy"), here.read("a/embedding.npy")) << again;
    EXPECT_EQ(here.read("again/embedding.csv"), table) << again;
    EXPECT_EQ(page.find("Scree plot") != std::string::npos, name == "pca");
  }
  EXPECT_EQ(here.run("pca digits --limit 30 --no-report --quiet --out b").code, 0);
  EXPECT_FALSE(std::filesystem::exists(here.path("b/report.html")));
}

TEST(Embed, SameBitsAtAnyNumberOfThreads) {
  Workplace here;
  for (const char* command :
       {"umap --epochs 20 --densmap", "tsne --early-steps 3 --steps 7 --method fft", "pca"}) {
    const std::string start = std::string(command) + kSmall + "--quiet ";
    ASSERT_EQ(here.run(start + "--threads 1 --out 1").code, 0);
    ASSERT_EQ(here.run(start + "--threads 3 --out 3").code, 0);
    EXPECT_EQ(here.read("1/embedding.npy"), here.read("3/embedding.npy")) << command;
  }
}

// The rows of --new fall where they would alone, and PCA's where they fell when it learned.
TEST(Embed, PlacesNewRowsWhateverComesWithThem) {
  Workplace here;
  const std::string all = here.path("all.npy"), some = here.path("some.npy");
  ASSERT_EQ(here.run("pca digits --limit 200 --quiet --n-components 9 --out full").code, 0);
  const Tensor rows = load_npy(here.path("full/embedding.npy"));
  save_npy(all, rows);
  save_npy(some, rows.slice(0, 150, 170).contiguous());
  for (const char* command :
       {"umap --epochs 20", "tsne --early-steps 5 --steps 5", "pca --n-components 2"}) {
    SCOPED_TRACE(command);
    const std::string ask = std::string(command) + " all.npy --no-report --quiet ";
    ASSERT_EQ(here.run(ask + "--new all.npy --csv --threads 1 --out a").code, 0);
    ASSERT_EQ(here.run(ask + "--new some.npy --threads 2 --out b").code, 0);
    const Tensor places = load_npy(here.path("a/new_embedding.npy"));
    EXPECT_EQ(places.shape(), Shape({200, 2}));
    EXPECT_EQ(load_npy(here.path("b/new_embedding.npy")).to_vector<float>(),
              places.slice(0, 150, 170).contiguous().to_vector<float>());
    EXPECT_EQ(here.read("a/embedding.npy"), here.read("b/embedding.npy"));
    const std::string table = here.read("a/new_embedding.csv");
    EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 201);
    if (command[0] == 'p') {
      EXPECT_EQ(here.read("a/new_embedding.npy"), here.read("a/embedding.npy"));
    }
  }
}

TEST(Embed, OptionsReachTheAlgorithm) {
  Workplace here;
  ASSERT_EQ(here.run("umap digits --limit 90 --epochs 9 --n-components 3 --metric cosine "
                     "--init pca --supervised --quiet --out u")
                .code,
            0);
  EXPECT_EQ(load_npy(here.path("u/embedding.npy")).shape(), Shape({90, 3}));
  // Neighbours that were found before give the same picture.
  ASSERT_EQ(here.run("knn digits --limit 90 -k 8 --self --quiet --out near").code, 0);
  const std::string umap = "umap digits --limit 90 --epochs 9 --quiet --no-report ";
  ASSERT_EQ(here.run(umap + "--neighbors-from near --out a").code, 0);
  ASSERT_EQ(here.run(umap + "--n-neighbors 8 --out b").code, 0);
  EXPECT_EQ(here.read("a/embedding.npy"), here.read("b/embedding.npy"));
  ASSERT_EQ(here.run("knn digits --limit 90 -k 8 --quiet --out near").code, 0);
  const Ran alone = here.run(umap + "--neighbors-from near --out a");
  EXPECT_NE(alone.err.find("clade knn --self"), std::string::npos) << alone.err;
  ASSERT_EQ(here.run("pca digits --n-components 5 --whiten --quiet").code, 0);
  EXPECT_EQ(load_npy(here.path("runs/pca-digits/embedding.npy")).size(1), 5);
  here.write("t.csv", "a,b,kind\n1,2,x\n3,5,y\n2,9,x\n8,1,y\n4,4,x\n");
  const Ran ran = here.run("pca t.csv --label-column kind --scale");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("variance kept  1.0000"), std::string::npos) << ran.out;
}

// UMAP brings each axis to [0, 10], so it is the order along an axis that tells.
TEST(Embed, AGivenLayoutIsWhereTheStepsBegin) {
  Workplace here;
  ASSERT_EQ(here.run("pca digits --limit 90 --quiet --out first").code, 0);
  const Tensor given = load_npy(here.path("first/embedding.npy"));
  const std::string layout = " --layout first/embedding.npy", small = " digits --quiet --no-report";
  for (const std::string command :
       {"umap --epochs 1 --learning-rate 1e-9", "tsne --early-steps 0 --steps 0"}) {
    SCOPED_TRACE(command);
    const Ran ran = here.run(command + small + layout + " --limit 90 --out g");
    ASSERT_EQ(ran.code, 0) << ran.err;
    const Tensor got = load_npy(here.path("g/embedding.npy"));
    for (int64_t axis = 0; axis < 2; axis++) {
      std::vector<int64_t> order(90);
      std::iota(order.begin(), order.end(), 0);
      std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        return given.at({a, axis}) < given.at({b, axis});
      });
      for (size_t i = 1; i < order.size(); i++)
        EXPECT_LE(got.at({order[i - 1], axis}), got.at({order[i], axis}));
      EXPECT_LT(got.at({order[0], axis}), got.at({order[89], axis}));
    }
    EXPECT_EQ(here.run(command + small + layout + " --init random").code, 2);
    const Ran other = here.run(command + small + layout + " --limit 80");
    EXPECT_EQ(other.code, 1);
    EXPECT_TRUE(other.one_line());
    EXPECT_NE(other.err.find("--layout: expected places [80, 2]"), std::string::npos) << other.err;
  }
}

TEST(Embed, TellsWhatIsWrongInOneLine) {
  Workplace here;
  here.write("holes.csv", "a,b\n1,2\n,5\n2,9\n");
  here.write("whole.csv", "a,b\n1,2\n4,5\n2,9\n7,1\n");
  for (auto [command, part] : {std::pair{"pca holes.csv", "NaN in row 1, column 0"},
                               {"pca whole.csv --new holes.csv", "--new: expected rows without"},
                               {"umap digits --new whole.csv", "--new: expected rows of"},
                               {"umap holes.csv", "NaN in row 1, column 0"},
                               {"tsne holes.csv", "NaN in row 1, column 0"},
                               {"pca digits --n-components 99", "1 to min(n - 1, d) = 64"},
                               {"umap t.csv --supervised", "a file, a folder or a name"},
                               {"umap digits --limit 1", "2 rows or more"}}) {
    const Ran ran = here.run(std::string(command) + " --quiet");
    EXPECT_EQ(ran.code, 1) << command;
    EXPECT_TRUE(ran.one_line()) << ran.err;
    EXPECT_NE(ran.err.find(part), std::string::npos) << ran.err;
  }
  EXPECT_EQ(here.run("umap digits --metric manhattan").code, 2);
  EXPECT_EQ(here.run("tsne digits --perplexity 0").code, 2);
}

}  // namespace
}  // namespace clade::apps
