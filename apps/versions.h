// What this program is made of: for --version, run.json and the report.
#pragma once

#include <string>
#include <vector>

#include "apps/report/report.h"

namespace clade::apps {

std::vector<Fact> versions();  // clade, compiler, build, libraries
std::string version_line();    // "clade 0.1.0 (GCC 12.2.0, Release, ...)"

}  // namespace clade::apps
