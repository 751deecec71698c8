// The roofline: how near to the processor's ceilings a kernel comes, as numbers and as a picture.
#pragma once

#include <string>
#include <vector>

#include "kernels/ceiling/ceiling.h"

namespace clade::apps {

// One measured piece of work.
struct Point {
  std::string op, sample, pass;
  double seconds = 0;           // the median
  double flops = 0, bytes = 0;  // computed, moved at least

  std::string name() const { return op + "/" + sample + "/" + pass; }
};

// The least time that the work takes under the ceilings, over the time that it took: 1 is the best
// there is. Work that fits a cache may pass 1, as its bytes do not come from memory.
double roofline_fraction(const Point& p, const kernels::Ceiling& c);
bool bound_by_memory(const Point& p, const kernels::Ceiling& c);

// A log-log plot of FLOP/s over FLOPs a byte, with the roof; names stand in the tooltips.
std::string roofline_svg(const std::vector<Point>& points, const kernels::Ceiling& c);
std::string roofline_html(const std::vector<Point>& points, const kernels::Ceiling& c);

}  // namespace clade::apps
