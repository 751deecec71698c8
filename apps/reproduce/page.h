// A table's page: figures beside the published ones, pictures of what was found, in one HTML file
// that opens without a network and needs no script.
#pragma once

#include <string>

#include "apps/reproduce/outcome.h"

namespace clade::apps {

// A run in two dimensions: its points by known class and by cluster, as PNG.
struct Picture {
  std::string name;
  std::string classes, clusters;  // PNG; "" where there are none
};

// points (n, 2); labels (n) i32, negative is drawn grey; undefined gives "".
std::string draw_points(const Tensor& points, const Tensor& labels, int64_t side = 360);

std::string as_page(const TableResult& t, const std::vector<Picture>& pictures);

}  // namespace clade::apps
