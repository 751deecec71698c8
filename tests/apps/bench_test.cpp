// clade bench: the figures are of the right kind, the files open, wrong names are refused.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/bench/roofline.h"
#include "tensor/text.h"
#include "tests/apps/program.h"

namespace clade::apps {
namespace {

TEST(Roofline, FractionIsTheLeastTimeOverTheTimeTaken) {
  const kernels::Ceiling c{100e9, 10e9};
  const Point arithmetic{"a", "s", "forward", 0.02, 1e9, 1e6};  // 10 ms at best
  EXPECT_DOUBLE_EQ(roofline_fraction(arithmetic, c), 0.5);
  EXPECT_FALSE(bound_by_memory(arithmetic, c));
  const Point memory{"b", "s", "forward", 0.04, 1e6, 1e8};  // 10 ms at best
  EXPECT_DOUBLE_EQ(roofline_fraction(memory, c), 0.25);
  EXPECT_TRUE(bound_by_memory(memory, c));
}

TEST(Roofline, PictureHoldsEveryPointWithBothCoordinates) {
  const kernels::Ceiling c{100e9, 10e9};
  const std::vector<Point> points = {{"conv <3>", "s", "forward", 0.02, 1e9, 1e6},
                                     {"conv <3>", "s", "backward", 0.04, 2e9, 1e6},
                                     {"copy", "s", "forward", 0.01, 0, 1e6}};
  const std::string svg = roofline_svg(points, c);
  size_t tooltips = 0;
  for (size_t at = 0; (at = svg.find("<title>", at)) != std::string::npos; at++) tooltips++;
  EXPECT_EQ(tooltips, 2u);
  EXPECT_NE(svg.find("conv &#60;3&#62;/s/forward"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_NE(roofline_html(points, c).find("copy"), std::string::npos);
}

TEST(Bench, KernelsTellTimeRateAndFraction) {
  Workplace here;
  const Ran ran =
      here.run("bench kernels --filter matmul/128 --seconds 0.01 --threads 1 --json b.json");
  if (ran.err.find("a build with Google Benchmark") != std::string::npos) GTEST_SKIP() << ran.err;
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("matmul/128/backward"), std::string::npos);
  const auto json = nlohmann::json::parse(here.read("b.json"));
  EXPECT_GT(json["ceiling"]["gflops"], 1);
  ASSERT_EQ(json["rows"].size(), 2u);
  for (const auto& row : json["rows"]) {
    EXPECT_GT(row["ms"], 0);
    EXPECT_GT(row["gflops"], 0.01);
    EXPECT_GT(row["roofline"], 0);
  }
  const Ran unknown = here.run("bench kernels --filter nothing-of-that-name");
  EXPECT_EQ(unknown.code, 1);
  EXPECT_NE(unknown.err.find("expected a filter that is part of a name"), std::string::npos);
}

TEST(Bench, TrainTellsSamplesAndMemory) {
  Workplace here;
  for (const char* model : {"dense-ae", "cae", "conv-vae"}) {
    const Ran ran = here.run(
        text("bench train --batch 4 --seconds 0.01 --threads 1 --json t.json --model ", model));
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_NE(ran.out.find("samples/s"), std::string::npos);
    const auto json = nlohmann::json::parse(here.read("t.json"));
    EXPECT_GT(json["samples_per_s"], 0);
    EXPECT_GE(json["memory_mb"]["peak"], json["memory_mb"]["after_forward"]);
    EXPECT_GT(json["memory_mb"]["after_forward"], json["memory_mb"]["between"]);
  }
  EXPECT_EQ(here.run("bench train --model transformer").code, 2);
}

}  // namespace
}  // namespace clade::apps
