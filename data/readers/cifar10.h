// The binary version of CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar.html), plain or gzip:
// records of 3073 bytes, a label 0 .. 9, then the red, green and blue 32 x 32 planes.
#pragma once

#include <string>
#include <string_view>

#include "data/dataset.h"

namespace clade::data {

// Images (N, 3, 32, 32) in [0, 1] with their ten classes. `file` names the bytes in messages.
// Throws Error on part of a record and on other labels.
Dataset parse_cifar10(std::string_view bytes, const std::string& file);
Dataset load_cifar10(const std::string& path);

}  // namespace clade::data
