// The report: every run gives a sound page, whatever the run lacks.
#include "apps/report/report.h"

#include <gtest/gtest.h>

#include "apps/report/branches.h"
#include "apps/report/encode.h"
#include "tests/apps/synthetic_run.h"

namespace clade::apps {
namespace {

bool has(const std::string& page, std::string_view part) {
  return page.find(part) != std::string::npos;
}

TEST(Report, BigPageStaysBelow15MegabytesAndEveryPointHasItsImage) {
  std::string page = report_html(synthetic_run(70'000, 32));
  EXPECT_LT(page.size(), 15u << 20);
  EXPECT_TRUE(has(page, "\"thumbs\":{\"columns\":265,\"count\":70000,\"height\":16,"));
  EXPECT_TRUE(has(report_html(synthetic_run(3000, 32)), "\"count\":3000,\"height\":32,"));
}

// Noise hardly packs: the budget then says how many points have an image.
TEST(Report, ImagesThatDoNotPackStayWithinTheBudget) {
  ReportData run = synthetic_run(30'000, 32);
  Random rng(1);
  run.reconstructions = {};
  run.images = Tensor::empty({30'000, 3, 32, 32});
  for (int64_t i = 0; i < run.images.numel(); i++)
    run.images.data<float>()[i] = float(rng.uniform());
  const std::string page = report_html(run);
  EXPECT_LT(page.size(), 15u << 20);
  EXPECT_FALSE(has(page, "\"count\":30000,"));
  EXPECT_TRUE(has(page, "\"height\":16,"));
}

TEST(Report, NeedsNoNetwork) {
  std::string page = report_html(synthetic_run(300));
  for (const char* outside : {"src=\"http", "href=\"http", "@import", "fetch("})
    EXPECT_FALSE(has(page, outside)) << outside;
}

TEST(Report, TextsCannotLeaveTheirScript) {
  ReportData run = synthetic_run(300);
  run.title = "</script><script>alert(1)</script>";
  run.command = "a \xff broken byte";
  std::string page = report_html(run);
  EXPECT_FALSE(has(page, "<script>alert"));
  EXPECT_TRUE(has(page, "\\u003c/script>"));
}

TEST(Report, WorksWithoutImagesLabelsMethodsOrTree) {
  ReportData run = synthetic_run(300);
  run.images = run.mask = run.reconstructions = run.classes = Tensor();
  run.tree = {};
  run.loss.clear();
  run.figures.clear(), run.notes.clear();
  for (MethodReport& m : run.methods) m.scores.clear(), m.noise_treatments.clear();
  EXPECT_FALSE(has(report_html(run), "\"thumbs\""));
  run.methods.clear();
  std::string page = report_html(run);
  EXPECT_TRUE(has(page, "\"methods\":[]"));
  EXPECT_FALSE(has(page, "\"thumbs\""));
}

TEST(Report, RefusesWhatDoesNotFit) {
  ReportData run = synthetic_run(300);
  run.methods[0].labels = Tensor::zeros({299}, DType::i32);
  EXPECT_THROW(report_html(run), Error);
  run = synthetic_run(300);
  run.class_names.pop_back();
  EXPECT_THROW(report_html(run), Error);
  run = synthetic_run(300);
  run.reconstructions = Tensor::zeros(run.reconstructions.shape().with(1, 3));
  EXPECT_THROW(report_html(run), Error);
}

TEST(Report, SameRunSameBytes) {
  EXPECT_EQ(report_html(synthetic_run(500)), report_html(synthetic_run(500)));
}

TEST(Encode, Base64OfRfc4648) {
  const char* plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
  const char* coded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (int i = 0; i < 7; i++) EXPECT_EQ(base64(std::string_view(plain[i])), coded[i]);
}

TEST(Encode, PngHasItsSignatureAndChunks) {
  std::string file = png({0, 255, 255, 0}, 2, 2, 1);
  EXPECT_EQ(file.substr(0, 8), "\x89PNG\r\n\x1a\n");
  EXPECT_EQ(file.substr(12, 4), "IHDR");
  EXPECT_EQ(file.substr(file.size() - 8, 4), "IEND");
}

// Four points; 0 leaves the root early, then {1} and {2, 3} part at 2.
TEST(Branches, WidthsAndStabilityOfASmallTree) {
  TreeReport tree{Tensor::from<int64_t>({4, 4, 4, 5, 6, 6}, {6}),
                  Tensor::from<int64_t>({0, 5, 6, 1, 2, 3}, {6}),
                  Tensor::from<int64_t>({1, 1, 2, 1, 1, 1}, {6}),
                  Tensor::from<double>({1, 2, 2, 3, 4, INFINITY}, {6}),
                  Tensor::from<int64_t>({6}, {1})};
  BranchPlot plot = branches_of(tree, 4);
  ASSERT_EQ(plot.branches.size(), 3u);
  EXPECT_EQ(plot.branches[0].parent, -1);
  EXPECT_EQ(plot.branches[0].steps[0].size, 4);
  EXPECT_EQ(plot.branches[0].steps[0].lambda, 1);
  EXPECT_EQ(plot.branches[0].end, 2);
  EXPECT_EQ(plot.branches[1].cluster, 0);  // the larger child comes first
  EXPECT_EQ(plot.branches[1].steps[0].size, 2);
  EXPECT_EQ(plot.branches[1].end, 4);        // infinity is drawn at the largest finite lambda
  EXPECT_EQ(plot.branches[1].stability, 4);  // (4 - 2) + (4 - 2)
  EXPECT_EQ(plot.lambda_min, 1);
  EXPECT_EQ(plot.lambda_max, 4);
}

}  // namespace
}  // namespace clade::apps
