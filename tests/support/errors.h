// message_of(f): the message of the clade::Error that f() throws, for exact comparison.
#pragma once

#include <string>

#include "tensor/error.h"

namespace clade::testing {

template <class Function>
std::string message_of(Function&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace clade::testing
