// What is said about a wrong command: one line on stderr, nothing on stdout, and what to do.
#include <gtest/gtest.h>

#include "tests/apps/program.h"

namespace clade::apps {
namespace {

struct Wrong {
  const char* arguments;
  int code;          // 2: the command is wrong; 1: it could not be done
  const char* says;  // must be part of the line
};

const Wrong kWrong[] = {
    // commands and options
    {"", 2, "a command is needed: cluster, metrics, info or datasets"},
    {"clutser digits", 2, "there is no command clutser; did you mean cluster?"},
    {"xyzzy", 2, "there is no command xyzzy (see"},
    {"--verson", 2, "there is no option --verson; did you mean --version?"},
    {"cluster", 2, "data is required"},
    {"cluster digits extra", 2, "did not expect extra"},
    {"cluster digits --epoch 3", 2, "there is no option --epoch; did you mean --epochs?"},
    {"cluster digits --min-clustersize 3", 2, "did you mean --min-cluster-size?"},
    {"cluster digits --epoch=3", 2, "there is no option --epoch; did you mean --epochs?"},
    {"cluster digits -x", 2, "there is no option -x"},
    {"cluster digits --epochs", 2, "--epochs needs a value"},
    {"datasets digits", 2, "did not expect digits"},
    {"metrics a.csv", 2, "predicted is required"},
    {"info", 2, "file is required"},
    // numbers
    {"cluster digits --epochs -3", 2, "--epochs: expected a whole number of at least 1; got '-3'"},
    {"cluster digits --epochs 0", 2, "at least 1; got '0'"},
    {"cluster digits --epochs three", 2, "at least 1; got 'three'"},
    {"cluster digits --epochs 2.5", 2, "at least 1; got '2.5'"},
    {"cluster digits --epochs 99999999999999999999", 2, "--epochs: expected"},
    {"cluster digits --batch 1", 2, "--batch: expected a whole number of at least 2"},
    {"cluster digits --lr 0", 2, "--lr: expected a number above 0; got '0'"},
    {"cluster digits --lr nan", 2, "--lr: expected a number above 0; got 'nan'"},
    {"cluster digits --beta -1", 2, "--beta: expected a number of at least 0"},
    {"cluster digits --min-dist 5", 2, "--min-dist: expected a number from 0 to 1; got '5'"},
    {"cluster digits --n-neighbors 1", 2, "--n-neighbors: expected"},
    {"cluster digits --min-cluster-size 1", 2, "--min-cluster-size: expected"},
    {"cluster digits --clusters 0", 2, "--clusters: expected"},
    {"cluster digits --threads 0", 2, "--threads: expected"},
    {"cluster digits --seed -1", 2, "--seed: expected"},
    {"cluster digits --limit 0", 2, "--limit: expected"},
    {"cluster digits --clusters 5000 --model none", 1, "--clusters: expected at most 1797"},
    {"cluster digits --min-cluster-size 5000 --model none", 1,
     "--min-cluster-size: expected at most"},
    {"cluster digits --limit 2", 1, "expected at least 3 rows; got 2"},
    {"cluster digits --latent 5000 --model pca", 1, "--latent: expected at most 256"},
    {"cluster digits --threads 1025", 2, "--threads: expected a whole number from 1 to 1024"},
    {"cluster digits --seed 9007199254740993", 2,
     "of at least 0 and below 2^53 = 9007199254740992; got '9007199254740993'"},
    {"cluster digits --missing patches:2.7", 1, "expected a whole number from 1 to 16"},
    // words
    {"cluster digits --model masked", 2, "got 'masked'; did you mean masked-vae?"},
    {"cluster digits --device gpu", 2,
     "--device: expected one of cpu, cuda, cuda-on-cpu; got 'gpu'"},
    {"cluster digits --missing ptches", 1, "got 'ptches'; did you mean patches?"},
    {"cluster digits --missing mcar:2", 1, "expected a number from 0 to 0.99 after the colon"},
    {"cluster digits --missing mcar:", 1, "expected a number from 0 to 0.99 after the colon"},
    {"cluster digits --missing patches:0", 1,
     "expected a whole number from 1 to 16 after the colon"},
    {"cluster table.csv --missing patches", 1, "expected images for patches"},
    {"cluster digits --model pca --epochs 3", 1, "leave it out or take --model vae"},
    {"cluster digits --model none --latent 3", 1, "leave it out or take --model vae"},
    {"cluster table.csv --model vae --filters 8", 1, "--filters: expected images"},
    // files
    {"cluster digts", 1, "did you mean digits?"},
    {"cluster nowhere.csv", 1, "got 'nowhere.csv'; check the path"},
    {"cluster words.csv", 1, "in column 2 (b), line 3 of words.csv; got \"pear\""},
    {"cluster table.csv --label-column knd", 1, "got \"knd\""},
    {"cluster digits --label-column x", 1,
     "--label-column: expected a table with columns to choose"},
    {"cluster three.npy --drop-columns x", 1, "--drop-columns: expected a table with columns"},
    {"info digits --label-column x", 1, "--label-column: expected a table with columns"},
    {"cluster digits --model none --out table.csv", 1, "--out: expected a folder"},
    {"metrics three.csv two.csv", 1, "got 2 in two.csv"},
    {"metrics three.csv nowhere.csv", 1, "nowhere.csv"},
    {"metrics words.csv three.csv", 1, "write words.csv:COLUMN"},
    {"metrics words.csv:c three.csv", 1, "expected a column of words.csv: [a, b]; got 'c'"},
    {"metrics torn.npy three.csv", 1, "torn.npy"},
    {"info torn.npy", 1, "torn.npy"},
    {"info torn.safetensors", 1, "torn.safetensors"},
    {"info nowhere", 1, "check the path"},
};

TEST(Errors, AreOneLineThatSaysWhatToDo) {
  Workplace here;
  here.write("table.csv", "a,b\n1,2\n3,4\n5,6\n7,8\n");
  here.write("words.csv", "a,b\n1,2\n3,pear\n");
  here.write("three.csv", "0\n1\n1\n");
  here.write("two.csv", "0\n1\n");
  here.write("torn.npy", "\x93NUMPY");
  here.write("three.npy", "\x93NUMPY");
  here.write("torn.safetensors", "x");
  for (const Wrong& wrong : kWrong) {
    SCOPED_TRACE(std::string("clade ") + wrong.arguments);
    const Ran ran = here.run(wrong.arguments);
    EXPECT_EQ(ran.code, wrong.code);
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(ran.err.rfind("clade", 0), 0u) << ran.err;
    EXPECT_TRUE(ran.one_line()) << ran.err;
    EXPECT_NE(ran.err.find(wrong.says), std::string::npos) << ran.err;
  }
}

TEST(Help, IsEverywhereWithExamplesAndFits100Columns) {
  Workplace here;
  for (const char* command : {"", "cluster ", "metrics ", "info ", "datasets "}) {
    SCOPED_TRACE(command);
    const Ran ran = here.run(std::string(command) + "--help");
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.err, "");
    EXPECT_NE(ran.out.find("Examples:"), std::string::npos);
    for (size_t at = 0, end; (end = ran.out.find('\n', at)) != std::string::npos; at = end + 1)
      EXPECT_LE(end - at, 100u) << ran.out.substr(at, end - at);
  }
  EXPECT_EQ(here.run("--version").out.rfind("clade ", 0), 0u);
}

}  // namespace
}  // namespace clade::apps
