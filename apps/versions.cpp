#include "apps/versions.h"

#include <zlib.h>

#include "tensor/text.h"

namespace clade::apps {

std::vector<Fact> versions() {
#if defined(__clang__)
  const std::string compiler =
      text("Clang ", __clang_major__, ".", __clang_minor__, ".", __clang_patchlevel__);
#else
  const std::string compiler =
      text("GCC ", __GNUC__, ".", __GNUC_MINOR__, ".", __GNUC_PATCHLEVEL__);
#endif
  return {{"clade", CLADE_VERSION},
          {"compiler", compiler},
          {"build", CLADE_BUILD_TYPE},
          {"blas", CLADE_BLAS},
          {"zlib", zlibVersion()}};
}

std::string version_line() {
  std::string out;
  for (const Fact& f : versions()) {
    if (f.name == "clade")
      out = text("clade ", f.value, " (");
    else
      out.append(out.back() == '(' ? "" : ", ").append(text(f.name, " ", f.value));
  }
  return out + ")";
}

}  // namespace clade::apps
