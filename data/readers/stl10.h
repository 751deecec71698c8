// Features of STL-10 beside its official labels.
//
//     features.npy                 (13000, D): any network's, the 5,000 training images first
//     train_y.bin, test_y.bin      u8, 1 .. 10, as the archive stl10_binary has them
//                                  (https://cs.stanford.edu/~acoates/stl10/)
//
// The clustering papers take the 2,048 values of a ResNet-50 before its last layer, which was
// trained with the labels of ImageNet; neither the network nor the features are Clade's.
#pragma once

#include <string>
#include <string_view>

#include "data/dataset.h"

namespace clade::data {

// A table (n, D) of all rows; `folder` names them in messages. Throws Error on other shapes, on
// NaN, on other classes and on counts that differ.
Dataset stl10_features(const Tensor& features, std::string_view y_train, std::string_view y_test,
                       const std::string& folder);
Dataset load_stl10_features(const std::string& folder);

}  // namespace clade::data
