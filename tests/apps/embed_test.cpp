// clade umap, tsne and pca as a person runs them.
#include <gtest/gtest.h>

#include <algorithm>

#include "tensor/npy.h"
#include "tests/apps/program.h"

namespace clade::apps {
namespace {

const char* const kSmall = " digits --limit 120 ";

TEST(Embed, WritesWhatTheNameOfTheFileSays) {
  Workplace here;
  for (const char* command : {"umap --epochs 20", "tsne --early-steps 5 --steps 5", "pca"}) {
    SCOPED_TRACE(command);
    const std::string start = std::string(command) + kSmall;
    const Ran npy = here.run(start + "--out a.npy"), csv = here.run(start + "--out a.csv");
    ASSERT_EQ(npy.code, 0) << npy.err;
    ASSERT_EQ(csv.code, 0) << csv.err;
    EXPECT_NE(npy.out.find("120 rows of 64 values to 2"), std::string::npos) << npy.out;
    EXPECT_EQ(load_npy(here.path("a.npy")).shape(), Shape({120, 2}));
    const std::string table = here.read("a.csv");
    EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 121);
    EXPECT_EQ(table.substr(0, table.find('\n')), command[0] == 'u'   ? "umap1,umap2"
                                                 : command[0] == 't' ? "tsne1,tsne2"
                                                                     : "pc1,pc2");
  }
}

TEST(Embed, SameBitsAtAnyNumberOfThreads) {
  Workplace here;
  for (const char* command :
       {"umap --epochs 20 --densmap", "tsne --steps 20 --method fft", "pca"}) {
    const std::string start = std::string(command) + kSmall + "--quiet ";
    ASSERT_EQ(here.run(start + "--threads 1 --out 1.npy").code, 0);
    ASSERT_EQ(here.run(start + "--threads 3 --out 3.npy").code, 0);
    EXPECT_EQ(here.read("1.npy"), here.read("3.npy")) << command;
  }
}

TEST(Embed, OptionsReachTheAlgorithm) {
  Workplace here;
  ASSERT_EQ(here.run("umap digits --limit 90 --epochs 9 --n-components 3 --metric cosine "
                     "--init pca --supervised --quiet")
                .code,
            0);
  EXPECT_EQ(load_npy(here.path("umap.npy")).shape(), Shape({90, 3}));
  ASSERT_EQ(here.run("pca digits --n-components 5 --whiten --quiet").code, 0);
  EXPECT_EQ(load_npy(here.path("pca.npy")).size(1), 5);
  here.write("t.csv", "a,b,kind\n1,2,x\n3,5,y\n2,9,x\n8,1,y\n4,4,x\n");
  const Ran ran = here.run("pca t.csv --label-column kind --standardise --out t-pca.csv");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("5 rows of 2 values to 2"), std::string::npos) << ran.out;
}

TEST(Embed, TellsWhatIsWrongInOneLine) {
  Workplace here;
  here.write("holes.csv", "a,b\n1,2\n,5\n2,9\n");
  for (auto [command, part] : {std::pair{"umap digits --out a.txt", "--out FILE.npy or FILE.csv"},
                               {"pca holes.csv", "data without holes"},
                               {"pca digits --n-components 99", "1 to min(n - 1, d) = 64"},
                               {"pca digits --standardise", "a table for --standardise"},
                               {"umap digits --limit 1", "2 rows or more"}}) {
    const Ran ran = here.run(command);
    EXPECT_EQ(ran.code, 1) << command;
    EXPECT_TRUE(ran.one_line()) << ran.err;
    EXPECT_NE(ran.err.find(part), std::string::npos) << ran.err;
  }
  EXPECT_EQ(here.run("umap digits --metric manhattan").code, 2);
  EXPECT_EQ(here.run("tsne digits --perplexity 0").code, 2);
}

}  // namespace
}  // namespace clade::apps
