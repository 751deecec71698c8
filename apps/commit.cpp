#include "apps/commit.h"

#include "commit_text.h"  // made anew by cmake/Commit.cmake at every build that a commit precedes

namespace clade::apps {

std::string commit() { return CLADE_COMMIT; }

}  // namespace clade::apps
