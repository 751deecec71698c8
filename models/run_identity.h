// Which run a checkpoint belongs to: its options in words, and a fingerprint of its data.
#pragma once

#include <string>
#include <vector>

#include "tensor/safetensors.h"

namespace clade::models {

struct RunIdentity {
  std::string description;  // of the options that the weights depend on
  std::string data;         // fingerprint()
};

// Shape and hash of the values and the mask (undefined: none), f32, e.g.
// "[1797, 1, 16, 16] 9c0e6a1b4f20d377".
std::string fingerprint(const Tensor& values, const Tensor& mask);

// As a checkpoint's metadata holds it.
std::vector<SafeTensors::Text> notes_of(const RunIdentity& run);

// Throws Error, naming what differs, unless the checkpoint `saved`, from `path`, is of this run.
// To be asked before anything is restored, so that other data is named as such and not by a shape
// that differs.
void require_same_run(const SafeTensors& saved, const std::string& path, const RunIdentity& run);

}  // namespace clade::models
