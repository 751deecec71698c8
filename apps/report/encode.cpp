// base64 (RFC 4648) and PNG (ISO 15948): a signature, a header, one deflated block of rows, an end.
//
// Rows are stored without a PNG filter (a 0 before each): deflate does best so on small flat images
// side by side, which is what atlases hold.
#include "apps/report/encode.h"

#include <zlib.h>

#include "tensor/error.h"

namespace clade::apps {
namespace {

void append_u32(std::string& out, uint32_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(char(v >> shift));
}

// length, type, content, CRC of type and content
void append_chunk(std::string& out, std::string_view type, std::string_view content) {
  append_u32(out, uint32_t(content.size()));
  size_t begin = out.size();
  out.append(type).append(content);
  const auto* bytes = reinterpret_cast<const Bytef*>(out.data() + begin);
  append_u32(out, uint32_t(crc32(0, bytes, uInt(out.size() - begin))));
}

}  // namespace

std::string base64(std::string_view bytes) {
  static const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    size_t here = bytes.size() - i < 3 ? bytes.size() - i : 3;
    uint32_t word = 0;
    for (size_t j = 0; j < here; j++) word |= uint32_t(uint8_t(bytes[i + j])) << (16 - 8 * j);
    for (size_t j = 0; j < 4; j++)
      out.push_back(j <= here ? digits[(word >> (18 - 6 * j)) & 63] : '=');
  }
  return out;
}

std::string png(const std::vector<uint8_t>& pixels, int64_t width, int64_t height, int channels) {
  constexpr char kColourType[] = {0, 0, 4, 2, 6};  // by channels
  const size_t row = size_t(width) * size_t(channels);
  std::string rows;
  rows.reserve((row + 1) * size_t(height));
  for (size_t y = 0; y < size_t(height); y++) {
    rows.push_back('\0');
    rows.append(reinterpret_cast<const char*>(pixels.data()) + y * row, row);
  }
  uLongf packed_size = compressBound(uLong(rows.size()));
  std::string packed(packed_size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &packed_size,
                reinterpret_cast<const Bytef*>(rows.data()), uLong(rows.size()), 7) != Z_OK)
    fail("png", "memory for the compressed image", text(width, " x ", height, " pixels"));
  packed.resize(packed_size);

  std::string header;
  append_u32(header, uint32_t(width));
  append_u32(header, uint32_t(height));
  header.append({8, kColourType[channels], 0, 0, 0});  // 8 bits a channel
  std::string out = "\x89PNG\r\n\x1a\n";
  append_chunk(out, "IHDR", header);
  append_chunk(out, "IDAT", packed);
  append_chunk(out, "IEND", {});
  return out;
}

}  // namespace clade::apps
