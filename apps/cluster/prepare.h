// From a data set to what the model sees: images brought to a side that is a power of two, tables
// to one scale, then values hidden as --missing asks.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "tensor/random.h"

namespace clade::apps {

// Images: above 64 pixels averaged down to 64, below 16 enlarged to 16, then padded to the next
// power of two (P0, IV.C.1: 28 to 32, 128 to 64). Tables: columns to mean 0, deviation 1.
//
// Images must be in [0, 1], where the network's sigmoid ends; those of 0 .. 255, as floating point
// files often hold them, are divided by 255, and a line of `notes` says so. Throws Error on other
// images, and on columns whose deviation or its inverse f32 does not hold.
data::Dataset prepare(const data::Dataset& loaded, std::vector<std::string>& notes);

// --missing: "none", "patches" (sides about 10 of 32), "patches:SIDE" (whole), "mcar" (a quarter),
// "mcar:RATE", and so "mar" (what hides a value was observed) and "mnar" (its own size hides it);
// see data/missing.h. Throws Error on anything else, and on patches in a table.
data::Dataset hide(const data::Dataset& prepared, const std::string& how, const Random& rng);

}  // namespace clade::apps
