#include "data/readers/image.h"

#include <climits>
#include <cstring>

#include "data/readers/image_guard.h"
#include "tensor/file.h"

#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#include <stb_image.h>

namespace clade::data {
namespace {

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
  const bool png = bytes.starts_with("\x89PNG\r\n\x1a\n"), jpeg = bytes.starts_with("\xff\xd8\xff");
  if ((!png && !jpeg) || bytes.size() > INT_MAX) fail("image", "a PNG or JPEG picture", file);
  if (png) check_png(bytes, file);
  if (jpeg) check_jpeg(bytes, file);
  const auto* first = reinterpret_cast<const unsigned char*>(bytes.data());
  const int size = int(bytes.size());
  int w = 0, h = 0, c = 0;
  if (!stbi_info_from_memory(first, size, &w, &h, &c))
    fail("image", text("a sound picture in ", file), stbi_failure_reason(), "fetch the file again");
  if (int64_t(w) * h > kMaxPixels)
    fail("image", text("at most ", kMaxPixels, " pixels in ", file), text(w, " x ", h),
         "make the picture smaller first");
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
