#include "data/readers/image_guard.h"

#include <algorithm>
#include <cstdint>

#include "tensor/error.h"

namespace clade::data {
namespace {

// Deflate packs at most 1032 bytes into one. JPEG needs a bit or more for a block of 64 pixels.
constexpr uint64_t kDeflateRatio = 1032, kJpegPixelsPerByte = 8 * 64;

// Numbers from the front of the bytes on; 0 after the last one, as stb_image reads them.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : rest_(bytes) {}

  size_t left() const { return rest_.size(); }
  uint8_t u8() {
    if (rest_.empty()) return 0;
    const uint8_t b = uint8_t(rest_.front());
    rest_.remove_prefix(1);
    return b;
  }
  uint32_t u16() {
    const uint32_t high = u8();
    return high << 8 | u8();
  }
  uint32_t u32() {
    const uint32_t high = u16();
    return high << 16 | u16();
  }
  void skip(size_t count) { rest_.remove_prefix(std::min(count, rest_.size())); }
  void skip_to(char c) { skip(rest_.find(c)); }

 private:
  std::string_view rest_;
};

[[noreturn]] void fail_by_size(uint64_t width, uint64_t height, size_t size,
                               const std::string& file) {
  fail("image", text("bytes enough for ", width, " x ", height, " pixels in ", file), text(size),
       "fetch the file again");
}

// The data of IHDR: width, height, bits of a sample, and which samples a pixel has.
void check_png_size(Cursor header, size_t size, const std::string& file) {
  const uint64_t width = header.u32(), height = header.u32(), depth = header.u8();
  const int colour_type = header.u8();
  const uint64_t samples = colour_type == 2 ? 3 : colour_type == 4 ? 2 : colour_type == 6 ? 4 : 1;
  const uint64_t row = 1 + (width * samples * depth + 7) / 8;  // one byte more: its filter
  if (height > kDeflateRatio * size / row) fail_by_size(width, height, size, file);
}

constexpr uint8_t kFrame = 0xc0, kLastFrame = 0xc2, kTables = 0xc4, kEnd = 0xd9, kScan = 0xda;

bool is_restart(uint8_t marker) { return marker >= 0xd0 && marker <= 0xd7; }

// The byte after the next run of FF; what stands before that run is padding.
uint8_t next_marker(Cursor& cursor) {
  cursor.skip_to('\xff');
  uint8_t marker = cursor.u8();
  while (marker == 0xff) marker = cursor.u8();
  return marker;
}

// The tables of a segment of marker c4: each a class byte, 16 counts of codes, a byte for each
// code.
void check_tables(Cursor& cursor, const std::string& file) {
  for (int64_t left = int64_t(cursor.u16()) - 2; left > 0;) {
    int64_t codes = 0;
    cursor.u8();
    for (int bits = 1; bits <= 16; bits++) codes += cursor.u8();
    if (codes > 256)
      fail("image", text("at most 256 codes in a Huffman table of ", file), text(codes),
           "fetch the file again");
    cursor.skip(size_t(codes));
    left -= 17 + codes;
  }
}

}  // namespace

void check_png(std::string_view bytes, const std::string& file) {
  Cursor cursor(bytes);
  cursor.skip(8);
  for (bool ended = false; !ended;) {
    const uint32_t length = cursor.u32(), type = cursor.u32();
    if (cursor.left() < uint64_t(length) + 4)
      fail("image", text("chunks that end within ", file), "one that does not",
           "the file is cut short: fetch it again");
    if (type == 0x49484452) check_png_size(cursor, bytes.size(), file);  // "IHDR"
    ended = type == 0x49454e44;                                          // "IEND"
    cursor.skip(size_t(length) + 4);
  }
}

void check_jpeg(std::string_view bytes, const std::string& file) {
  Cursor cursor(bytes);
  cursor.skip(2);
  bool in_scan = false;
  while (cursor.left() > 0) {
    const uint8_t marker = next_marker(cursor);
    if (in_scan && (marker == 0 || is_restart(marker))) continue;
    in_scan = marker == kScan;
    if (marker == kEnd) return;
    if (marker == kTables) {
      check_tables(cursor, file);
      continue;
    }
    Cursor segment = cursor;
    const uint32_t length = segment.u16();
    if (marker >= kFrame && marker <= kLastFrame) {
      segment.u8();  // bits of a sample
      const uint64_t height = segment.u16(), width = segment.u16();
      if (width * height > kJpegPixelsPerByte * bytes.size())
        fail_by_size(width, height, bytes.size(), file);
    }
    cursor.skip(length);
  }
}

}  // namespace clade::data
