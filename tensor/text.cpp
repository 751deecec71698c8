#include "tensor/text.h"

#include <cstdio>

namespace clade {

void append(std::string& out, double v) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6g", v);
  out.append(buffer);
}

}  // namespace clade
