// clade impute as a person runs it.
#include <gtest/gtest.h>

#include <algorithm>

#include "tensor/random.h"
#include "tensor/text.h"
#include "tests/apps/program.h"

namespace clade::apps {
namespace {

// Two kinds of plants: numbers, a yes or no and a colour follow from the kind. One cell in ten is
// missing.
std::string plants() {
  Random rng(4);
  std::string out = "id,height,width,thorns,colour\n";
  for (int i = 0; i < 120; i++) {
    const bool tall = i % 2;
    auto cell = [&](const std::string& value) {
      return rng.uniform() < 0.1 ? std::string("?") : value;
    };
    out += text("p", i, ",", cell(text(20 + 60 * tall + int(5 * rng.normal()))), ",",
                cell(text(5 + 10 * tall + rng.normal())), ",", cell(tall ? "yes" : "no"), ",",
                cell(tall    ? "red"
                     : i % 4 ? "blue"
                             : "white"),
                "\n");
  }
  return out;
}

constexpr const char* kFast = " --set epochs=30,hidden=32-32,samples=5,lr=0.005 ";

TEST(Impute, FillsATableAndDrawsOthers) {
  Workplace here;
  here.write("t.csv", plants());
  const Ran ran = here.run(std::string("impute t.csv --draws 3 --clusters 2 --threads 1") + kFast);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("120 rows; 2 real, 1 binary, 1 categorical columns, 1 left as they are"),
            std::string::npos)
      << ran.out;
  EXPECT_NE(ran.out.find("adjusted Rand index"), std::string::npos) << ran.out;
  const std::string filled = here.read("filled.csv");
  EXPECT_EQ(std::count(filled.begin(), filled.end(), '?'), 0);
  EXPECT_EQ(std::count(filled.begin(), filled.end(), '\n'), 121);
  EXPECT_NE(here.read("filled.1.csv"), here.read("filled.2.csv"));
  ASSERT_TRUE(here.has("filled.3.csv"));

  const std::string again = std::string("impute t.csv --quiet --threads 3 --out b.csv") + kFast;
  ASSERT_EQ(here.run(again).code, 0);
  EXPECT_EQ(here.read("b.csv"), filled);
}

TEST(Impute, TellsHowGoodEachMethodIs) {
  Workplace here;
  here.write("t.csv", plants());
  const Ran ran =
      here.run("impute t.csv --check 0.2 --set epochs=100,hidden=32-32,samples=5,lr=0.005");
  ASSERT_EQ(ran.code, 0) << ran.err;
  auto number_after = [&](const std::string& method) {
    const size_t at = ran.out.find("\n" + method + " ");
    EXPECT_NE(at, std::string::npos) << ran.out;
    return std::stod(ran.out.substr(at + 1 + method.size()));
  };
  EXPECT_GT(number_after("mean"), 0.85);
  EXPECT_LT(number_after("vae"), 0.6);
  EXPECT_FALSE(here.has("filled.csv"));
}

TEST(Impute, SaysWhatIsWrongInOneLine) {
  Workplace here;
  here.write("t.csv", plants());
  here.write("whole.csv", "a,b\n1,2\n3,4\n5,7\n");
  here.write("short.csv", "a,b\n1,2\n,4\n");
  for (auto [command, part] : {std::pair{"impute whole.csv", "expected a table with missing cells"},
                               {"impute short.csv", "expected at least 3 rows"},
                               {"impute digits", "expected a table; got the images"},
                               {"impute nothing.csv", "a file, a folder or a name"},
                               {"impute t.csv --clusters 2", "--draws of 2 or more"},
                               {"impute t.csv --draws 2 --method mean", "--method vae"},
                               {"impute t.csv --leave-out nope", "\"nope\""},
                               {"impute t.csv --set nope=3", "nope"},
                               {"impute t.csv --out none/x.csv", "none/x.csv"}}) {
    const Ran ran = here.run(std::string(command) + " --quiet");
    EXPECT_EQ(ran.code, 1) << command;
    EXPECT_TRUE(ran.one_line()) << ran.err;
    EXPECT_NE(ran.err.find(part), std::string::npos) << ran.err;
  }
  EXPECT_EQ(here.run("impute t.csv --check 2").code, 2);
  EXPECT_EQ(here.run("impute t.csv --method median").code, 2);
}

}  // namespace
}  // namespace clade::apps
