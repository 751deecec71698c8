#include "apps/rows/labels.h"

#include <cstdio>

#include "tensor/file.h"
#include "tensor/npy.h"

namespace clade::apps {

void write_labels(const std::string& stem, const std::string& name, const Tensor& labels,
                  const std::vector<Values>& columns) {
  std::string lines = "row," + name;
  for (const Values& c : columns) lines.append("," + c.name);
  lines += "\n";
  char cell[48];
  for (int64_t i = 0; i < labels.numel(); i++) {
    lines.append(text(i, ",", labels.data<int32_t>()[i]));
    for (const Values& c : columns) {
      std::snprintf(cell, sizeof cell, ",%.9g", c.values[size_t(i)]);
      lines.append(cell);
    }
    lines += "\n";
  }
  write_file_atomically(stem + ".csv", lines);
  save_npy(stem + ".npy", labels);
}

}  // namespace clade::apps
