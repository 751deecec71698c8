// Bytes of files for the tests of the readers, made by hand: gzip and PNG with stored (unpacked)
// blocks, so that nothing of zlib or of the readers is used.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace clade::testing {

inline std::string big_endian32(uint32_t v) {
  return {char(v >> 24), char(v >> 16), char(v >> 8), char(v)};
}

inline std::string little_endian32(uint32_t v) {
  return {char(v), char(v >> 8), char(v >> 16), char(v >> 24)};
}

inline uint32_t crc32_of(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (char c : bytes) {
    crc ^= uint8_t(c);
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

// One stored deflate block; at most 65535 bytes.
inline std::string stored_block(std::string_view bytes) {
  const uint16_t n = uint16_t(bytes.size()), inverse = uint16_t(~n);
  return std::string{1, char(n), char(n >> 8), char(inverse), char(inverse >> 8)}.append(bytes);
}

inline std::string gzip_of(std::string_view bytes) {
  std::string out{'\x1f', '\x8b', 8, 0, 0, 0, 0, 0, 0, 3};
  return out + stored_block(bytes) + little_endian32(crc32_of(bytes)) +
         little_endian32(uint32_t(bytes.size()));
}

// An 8-bit PNG of `pixels`, rows of width * channels bytes (1 grey, 2 with alpha, 3 RGB, 4 RGBA).
inline std::string png_of(uint32_t width, uint32_t height, int channels, std::string_view pixels) {
  auto chunk = [](std::string type, std::string_view data) {
    const std::string body = type.append(data);
    return big_endian32(uint32_t(data.size())) + body + big_endian32(crc32_of(body));
  };
  const char colour_types[] = {0, 4, 2, 6};
  std::string rows;
  for (uint32_t y = 0; y < height; y++)
    rows.append(1, '\0').append(pixels.substr(y * width * channels, width * channels));
  uint32_t a = 1, b = 0;  // Adler-32
  for (char c : rows) {
    a = (a + uint8_t(c)) % 65521;
    b = (b + a) % 65521;
  }
  return "\x89PNG\r\n\x1a\n" +
         chunk("IHDR", big_endian32(width) + big_endian32(height) +
                           std::string{8, colour_types[channels - 1], 0, 0, 0}) +
         chunk("IDAT", "\x78\x01" + stored_block(rows) + big_endian32(b << 16 | a)) +
         chunk("IEND", "");
}

// An 8 x 8 grey JPEG by Pillow 11 (quality 50), which decodes to 76 everywhere.
inline std::string jpeg_of_8x8() {
  const unsigned char bytes[] = {
      0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 0x4a, 0x46, 0x49, 0x46, 0x00, 0x01, 0x01, 0x00, 0x00,
      0x01, 0x00, 0x01, 0x00, 0x00, 0xff, 0xdb, 0x00, 0x43, 0x00, 0x10, 0x0b, 0x0c, 0x0e, 0x0c,
      0x0a, 0x10, 0x0e, 0x0d, 0x0e, 0x12, 0x11, 0x10, 0x13, 0x18, 0x28, 0x1a, 0x18, 0x16, 0x16,
      0x18, 0x31, 0x23, 0x25, 0x1d, 0x28, 0x3a, 0x33, 0x3d, 0x3c, 0x39, 0x33, 0x38, 0x37, 0x40,
      0x48, 0x5c, 0x4e, 0x40, 0x44, 0x57, 0x45, 0x37, 0x38, 0x50, 0x6d, 0x51, 0x57, 0x5f, 0x62,
      0x67, 0x68, 0x67, 0x3e, 0x4d, 0x71, 0x79, 0x70, 0x64, 0x78, 0x5c, 0x65, 0x67, 0x63, 0xff,
      0xc0, 0x00, 0x0b, 0x08, 0x00, 0x08, 0x00, 0x08, 0x01, 0x01, 0x11, 0x00, 0xff, 0xc4, 0x00,
      0x14, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x05, 0xff, 0xc4, 0x00, 0x14, 0x10, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xda, 0x00, 0x08,
      0x01, 0x01, 0x00, 0x00, 0x3f, 0x00, 0x15, 0xff, 0xd9};
  return std::string(reinterpret_cast<const char*>(bytes), sizeof bytes);
}

}  // namespace clade::testing
