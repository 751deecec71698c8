#include "data/readers/image.h"

#include "tests/data/file_bytes.h"
#include "tests/fuzz/fuzz.h"

using namespace clade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::read(data, size, [](std::string_view bytes) {
    const Tensor image = data::parse_image(bytes, "fuzz");
    fuzz::require(image.numel() >= 1 && (image.size(2) == 1 || image.size(2) == 3));
  });
}

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  const std::string pixels(64, '\x55');
  return fuzz::sow(
      *argc, *argv,
      {testing::png_of(4, 4, 1, pixels), testing::png_of(3, 5, 3, pixels),
       testing::png_of(2, 2, 2, pixels), testing::png_of(2, 2, 4, pixels), testing::jpeg_of_8x8()});
}
