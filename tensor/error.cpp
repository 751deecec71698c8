#include "tensor/error.h"

namespace clade {

void fail(std::string_view op, std::string_view expected, std::string_view got,
          std::string_view cure) {
  std::string message = text(op, ": expected ", expected, "; got ", got);
  if (!cure.empty()) message += text("; ", cure);
  throw Error(message);
}

}  // namespace clade
