// A folder of pictures as a data set: every .png, .jpg and .jpeg below it, in natural order of
// paths.
//
// Classes come from the names: obj<k>__<p>.png (COIL) where all files are named so, else the folder
// that a picture lies in; pictures that all lie in one folder have no labels.
#pragma once

#include <cstdint>
#include <string>

#include "data/dataset.h"

namespace clade::data {

struct ImageFolderOptions {
  // Each picture is resized to this (data/prepare.h says how); 0: all must have one size already.
  int64_t height = 0, width = 0;
  enum class Colour { automatic, grey, rgb } colour = Colour::automatic;  // grey if all are grey
};

// Throws Error when the folder holds no picture, when sizes differ and none is asked for, and on
// pictures that cannot be read.
Dataset load_image_folder(const std::string& folder, const ImageFolderOptions& options = {});

}  // namespace clade::data
