// The commit that the program was built from, for results that are kept.
#pragma once

#include <string>

namespace clade::apps {

// "05f6132", "05f6132+" where the sources differed from it, "" where they are no checkout.
std::string commit();

}  // namespace clade::apps
