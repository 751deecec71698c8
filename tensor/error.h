// The one exception type of the project. Its message always reads
//
//     op: expected <what was expected>; got <what came>; <what to do>
//
// e.g. "conv2d: expected x with 3 channels (C of w [8, 3, 3, 3]); got x [2, 4, 9, 9]; check the
// order of the axes (N, C, H, W)". Shapes, dtypes and devices are in it; nothing ever aborts.
#pragma once

#include <stdexcept>
#include <string>

#include "tensor/text.h"

namespace clade {

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
};

// Thrown when a progress callback asks a long job to stop; not a mistake of the caller.
class Cancelled : public Error {
 public:
  explicit Cancelled(const std::string& op) : Error(op + ": cancelled") {}
};

// Throws Error("op: expected ...; got ...; ..."). `cure` may be empty when there is nothing to add.
[[noreturn]] void fail(std::string_view op, std::string_view expected, std::string_view got,
                       std::string_view cure = {});

}  // namespace clade
