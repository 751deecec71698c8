// The first zero byte parts the two files.
#include "data/readers/har.h"

#include "tests/fuzz/fuzz.h"

using namespace clade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::read(data, size, [](std::string_view bytes) {
    const size_t part = bytes.find('\0');
    const std::string_view y = part == bytes.npos ? "" : bytes.substr(part + 1);
    const data::Dataset d = data::parse_har(bytes.substr(0, part), y, "fuzz x", "fuzz y");
    fuzz::require(d.values.size(1) == 561 && d.labels.size() == d.size());
  });
}

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  std::string line;
  for (int i = 0; i < 561; i++) line += " 1";
  const std::string rows = line + "\n" + line + "\n";
  return fuzz::sow(*argc, *argv, {rows + std::string(1, '\0') + "6\n1\n"});
}
