#include "data/readers/cifar10.h"
#include "tests/fuzz/fuzz.h"

using namespace clade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::read(data, size, [](std::string_view bytes) {
    const data::Dataset d = data::parse_cifar10(bytes, "fuzz");
    fuzz::require(d.size() == int64_t(bytes.size()) / 3073 && d.labels.size() == d.size());
  });
}

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  return fuzz::sow(*argc, *argv, {std::string(3073, '\1'), std::string(2 * 3073, '\7')});
}
