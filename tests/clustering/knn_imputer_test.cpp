// knn_impute against scikit-learn's KNNImputer.
#include "clustering/neighbors/knn_imputer.h"

#include <cmath>

#include "tests/clustering/golden.h"

namespace clade::cluster {
namespace {

TEST(KnnImputer, IsScikitLearns) {
  const Tensor x = golden("partial_x").to(DType::f64);
  expect_close(knn_impute(x, 5), golden("partial_filled"), 1e-12);
  expect_same_at_any_thread_count([&] { return knn_impute(x, 5).to_vector<double>(); });
}

TEST(KnnImputer, FallsBackToTheColumn) {
  const double nan = NAN;
  // Row 2 shares no column with the rows that have column 1.
  const Tensor x = Tensor::from<double>({nan, 4, nan, nan, 6, nan, 5, nan, nan}, {3, 3});
  EXPECT_EQ(knn_impute(x, 2).to_vector<double>(), (std::vector<double>{5, 4, 0, 5, 6, 0, 5, 5, 0}));
  expect_error("1 neighbour or more", [&] { knn_impute(x, 0); });
  expect_error("finite values or NaN; got inf in row 0, column 1", [&] {
    knn_impute(Tensor::from<double>({1, INFINITY}, {1, 2}), 1);
  });
}

}  // namespace
}  // namespace clade::cluster
