#include "data/readers/idx.h"

#include "tests/fuzz/fuzz.h"

using namespace clade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::read(data, size, [](std::string_view bytes) {
    const Tensor t = data::parse_idx(bytes, "fuzz");
    fuzz::require(t.numel() >= 1 && t.numel() < int64_t(bytes.size()));
  });
}

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  return fuzz::sow(
      *argc, *argv,
      {std::string("\0\0\x08\2\0\0\0\2\0\0\0\3abcdef", 18),
       std::string("\0\0\x0c\1\0\0\0\1abcd", 12), std::string("\0\0\x0e\1\0\0\0\1abcdefgh", 16)});
}
