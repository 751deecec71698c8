#include "data/readers/image.h"

#include <climits>
#include <cstring>

#include "tensor/file.h"

#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#include <stb_image.h>

namespace clade::data {
namespace {

// Deflate packs at most 1032 bytes into one, and a PNG can hold 8 pixels in a byte; JPEG stays far
// below both (half a byte or more for a block of 64 pixels).
constexpr int64_t kPixelsPerByte = 8 * 1032;
constexpr int64_t kMaxPixels = int64_t(1) << 26;

struct Pixels {
  explicit Pixels(unsigned char* data) : data(data) {}
  ~Pixels() { stbi_image_free(data); }
  Pixels(const Pixels&) = delete;
  Pixels& operator=(const Pixels&) = delete;
  unsigned char* data;
};

}  // namespace

Tensor parse_image(std::string_view bytes, const std::string& file) {
  const auto* first = reinterpret_cast<const unsigned char*>(bytes.data());
  const int size = int(bytes.size());
  int w = 0, h = 0, c = 0;
  if (bytes.size() > INT_MAX || !stbi_info_from_memory(first, size, &w, &h, &c))
    fail("image", "a PNG or JPEG picture", file);
  const int64_t pixels = int64_t(w) * h;
  if (pixels > kMaxPixels || pixels > kPixelsPerByte * size)
    fail("image", text("at most ", kMaxPixels, " pixels, and bytes enough for them"),
         text(w, " x ", h, " pixels in the ", size, " bytes of ", file));
  const int channels = c < 3 ? 1 : 3;  // 2 is grey with alpha, 4 RGB with alpha
  Pixels decoded(stbi_load_from_memory(first, size, &w, &h, &c, channels));
  if (!decoded.data)
    fail("image", text("a sound picture in ", file), stbi_failure_reason(), "fetch the file again");
  Tensor image = Tensor::empty({h, w, channels}, DType::u8);
  std::memcpy(image.data<uint8_t>(), decoded.data, size_t(image.numel()));
  return image;
}

Tensor load_image(const std::string& path) { return parse_image(read_file(path), path); }

}  // namespace clade::data
