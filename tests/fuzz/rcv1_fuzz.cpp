// The first zero byte parts the two files.
#include "data/readers/rcv1.h"

#include "tests/fuzz/fuzz.h"

using namespace clade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::read(data, size, [](std::string_view bytes) {
    const size_t part = bytes.find('\0');
    const std::string_view topics = part == bytes.npos ? "" : bytes.substr(part + 1);
    const data::Dataset d =
        data::parse_rcv1({bytes.substr(0, part)}, topics, "fuzz", {.words = 8, .documents = 8});
    fuzz::require(d.values.size(0) == d.labels.size() && d.values.size(1) <= 8);
  });
}

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  const std::string tokens = ".I 1\n.W\noil oil price\n\n.I 2\n.W\nbank\n";
  return fuzz::sow(*argc, *argv, {tokens + std::string(1, '\0') + "CCAT 1 1\nGCAT 2 1\n"});
}
