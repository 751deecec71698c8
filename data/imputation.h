// Simple imputations: what stands in for a missing value when no model is asked.
//
// The four of P0's table X (zero, random, one and two nearest pixels) and the column mean; the k
// nearest rows are in clustering/neighbors/knn_imputer.h, models in models/. Listwise deletion is
// here for comparison, and so is the measure of how good an imputation is.
#pragma once

#include <string>

#include "data/dataset.h"
#include "tensor/random.h"

namespace clade::data {

enum class Imputation {
  zero,         // background in images, the mean in a standardised table
  random,       // uniform: in [0, 1] for images, in the range of what a column has for tables
  nearest,      // images: the nearest observed pixel of the channel
  two_nearest,  // images: the mean of the two nearest
  mean,         // of what was observed of the column (of the pixel, over all images)
};

// d with every value: the mask of the result is undefined. Distance is Euclidean between pixels,
// ties go to the pixel above, then to the left; an image without an observed pixel becomes 0, and
// so does a column without values. Draw i of `rng` belongs to value i, counted in row-major order.
// Throws Error on nearest pixels of a table.
Dataset impute(const Dataset& d, Imputation how, const Random& rng);
// "zero", "random", "nearest", "two-nearest", "mean"; Error on another word.
Imputation imputation_of(const std::string& name);

// Listwise deletion: the rows of d of which nothing is missing. Throws Error when there is none.
struct CompleteRows {
  Dataset data;
  Tensor rows;  // i64: which they are
};
CompleteRows complete_rows(const Dataset& d);

// Root of the mean squared error over the values that `hidden` removed from `truth`: those that
// truth has and hidden's mask has not. Throws Error on other shapes, and when nothing was removed.
double rmse_of_removed(const Dataset& truth, const Dataset& hidden, const Tensor& filled);

// Mean structural similarity of images (N, C, H, W) in [0, 1], -1 .. 1, 1 for equal ones: Gaussian
// windows of 11 x 11 with sigma 1.5, those that lie in the image, K1 = .01, K2 = .03 (Wang, Bovik,
// Sheikh and Simoncelli, IEEE Trans. Image Processing 13, 2004, eq. 13). H, W >= 11.
double structural_similarity(const Tensor& a, const Tensor& b);

}  // namespace clade::data
