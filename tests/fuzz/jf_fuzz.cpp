#include "data/readers/jf.h"

#include "tests/fuzz/fuzz.h"

using namespace clade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::read(data, size, [](std::string_view bytes) {
    const data::Dataset d = data::parse_jf(bytes, "fuzz");
    fuzz::require(d.labels.size() == d.size() && d.labels.unknown() == 0);
  });
}

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  return fuzz::sow(*argc, *argv, {"3 2\n2 0.5 1\n0 2 .25\n-1\n", "1 1\r\n0 -1e3\r\n-1\r\n"});
}
