#include "data/readers/gzip.h"

#include "tests/data/file_bytes.h"
#include "tests/fuzz/fuzz.h"

using namespace clade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::read(data, size, [](std::string_view bytes) {
    const size_t limit = size_t(1) << 20;
    fuzz::require(data::gunzip(bytes, "fuzz", limit).size() <= limit);
  });
}

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  const std::string one = testing::gzip_of("one"), two = testing::gzip_of("two");
  const std::string deflated(  // 1000 times "a", by gzip -9n
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\x4c\x1c\x05\xa3\x60\x14\x0c\x77\x00\x00\x03\xda"
      "\x38\x9a\xe8\x03\x00\x00",
      29);
  return fuzz::sow(*argc, *argv, {one, one + two, one + std::string(8, '\0'), deflated});
}
