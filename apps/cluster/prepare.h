// From a data set to what the model sees: images brought to a side that is a power of two, tables
// to one scale, then values hidden as --missing asks.
#pragma once

#include <string>
#include <vector>

#include "data/scaling.h"
#include "tensor/random.h"
#include "tensor/safetensors.h"

namespace clade::apps {

// How rows become what the model sees; learned from the data, kept with the model, and applied to
// new rows just the same.
struct Preparation {
  // Above 64 pixels averaged down to 64, below 16 enlarged to 16, then padded to the next power of
  // two (P0, IV.C.1: 28 to 32, 128 to 64). Else images stay as they are.
  bool power_of_two = true;
  bool divided = false;   // images of 0 .. 255, as floating point files often hold them: by 255
  data::Scaling scaling;  // tables: columns to mean 0, deviation 1; undefined for images
};

// Throws Error on images that are neither in [0, 1], where a network's sigmoid ends, nor in 0 ..
// 255, which a line of `notes` tells of, and on columns whose deviation or its inverse f32 does not
// hold.
Preparation learn_preparation(const data::Dataset& loaded, bool power_of_two,
                              std::vector<std::string>& notes);
data::Dataset prepare(const data::Dataset& loaded, const Preparation& preparation);

// As model.safetensors keeps it, and back.
void save_preparation(const Preparation& preparation, SafeTensors& file);
Preparation load_preparation(const SafeTensors& file);
constexpr const char* kPreparation = "preparation.";  // what its tensors' names begin with

// --missing: "none", "patches" (sides about 10 of 32), "patches:SIDE" (whole), "mcar" (a quarter),
// "mcar:RATE", and so "mar" (what hides a value was observed) and "mnar" (its own size hides it);
// see data/missing.h. Throws Error on anything else, and on patches in a table.
data::Dataset hide(const data::Dataset& prepared, const std::string& how, const Random& rng);

}  // namespace clade::apps
