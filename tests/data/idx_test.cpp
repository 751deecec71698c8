#include "data/readers/idx.h"

#include <gtest/gtest.h>

#include "tensor/file.h"
#include "tests/data/file_bytes.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"

namespace clade::data {
namespace {

using clade::testing::big_endian32;
using clade::testing::gzip_of;
using clade::testing::message_of;

std::string idx(int type, const std::vector<uint32_t>& sizes, const std::string& elements) {
  std::string bytes{0, 0, char(type), char(sizes.size())};
  for (uint32_t size : sizes) bytes += big_endian32(size);
  return bytes + elements;
}

std::string message(const std::string& bytes) {
  return message_of([&] { parse_idx(bytes, "f"); });
}

TEST(Idx, ReadsEveryType) {
  const Tensor u8 = parse_idx(idx(0x08, {2, 3}, {1, 2, 3, 4, 5, char(255)}), "f");
  EXPECT_EQ(text(u8), "u8 [2, 3]");
  EXPECT_EQ(u8.to_vector<int>(), (std::vector<int>{1, 2, 3, 4, 5, 255}));

  const Tensor i8 = parse_idx(idx(0x09, {2}, {char(-1), 127}), "f");
  EXPECT_EQ(text(i8), "i32 [2]");
  EXPECT_EQ(i8.to_vector<int>(), (std::vector<int>{-1, 127}));

  const Tensor i16 = parse_idx(idx(0x0b, {2}, {char(0xff), char(0xfe), 1, 2}), "f");
  EXPECT_EQ(i16.to_vector<int>(), (std::vector<int>{-2, 258}));

  const Tensor i32 = parse_idx(idx(0x0c, {1}, big_endian32(0x80000001)), "f");
  EXPECT_EQ(i32.to_vector<int>(), (std::vector<int>{-2147483647}));

  const Tensor f32 = parse_idx(idx(0x0d, {1, 1}, big_endian32(0x3fc00000)), "f");
  EXPECT_EQ(text(f32), "f32 [1, 1]");
  EXPECT_EQ(f32.item(), 1.5);

  const Tensor f64 = parse_idx(idx(0x0e, {1}, big_endian32(0xc0040000) + big_endian32(0)), "f");
  EXPECT_EQ(text(f64), "f64 [1]");
  EXPECT_EQ(f64.item(), -2.5);
}

TEST(Idx, PlainAndGzipFiles) {
  clade::testing::TempDir dir;
  const std::string bytes = idx(0x08, {3}, {7, 8, 9});
  write_file_atomically(dir / "a-ubyte", bytes);
  write_file_atomically(dir / "b-ubyte.gz", gzip_of(bytes));
  EXPECT_EQ(load_idx(dir / "a-ubyte").to_vector<int>(), (std::vector<int>{7, 8, 9}));
  EXPECT_EQ(load_idx(dir / "b-ubyte.gz").to_vector<int>(), (std::vector<int>{7, 8, 9}));
}

TEST(Idx, Malformed) {
  EXPECT_EQ(message(""),
            "idx: expected the magic bytes 00 00 <type> <rank>; got f, which is too short");
  EXPECT_EQ(message("PNG and more"),
            "idx: expected the magic bytes 00 00 <type> <rank>; got f, which starts otherwise");
  EXPECT_EQ(message(idx(0x07, {1}, "x")),
            "idx: expected type 8, 9, 11, 12, 13 or 14; got type 7 in f");
  EXPECT_EQ(message(idx(0x08, {}, "")), "idx: expected 1 to 6 axes; got 0 in f");
  EXPECT_EQ(message(idx(0x08, {1, 1, 1, 1, 1, 1, 1}, "x")),
            "idx: expected 1 to 6 axes; got 7 in f");
  EXPECT_EQ(message(idx(0x08, {2, 2}, "").substr(0, 9)),
            "idx: expected a header of 12 bytes; got 9 bytes in f; the file is cut short: fetch it "
            "again");
  EXPECT_EQ(message(idx(0x08, {2, 0}, "")),
            "idx: expected sizes of 1 or more; got 0 for axis 1 of f");
  EXPECT_EQ(
      message(idx(0x08, {2, 2}, "abc")),
      "idx: expected elements of 1 bytes that fill [2, 2]; got 3 bytes after the header of f; "
      "fetch the file again");
  EXPECT_EQ(message(idx(0x0e, {1}, "123456789")),
            "idx: expected elements of 8 bytes that fill [1]; got 9 bytes after the header of f; "
            "fetch the file again");
}

TEST(Idx, LyingSizesAllocateNothing) {
  const std::vector<uint32_t> huge(6, 0xffffffffu);  // the product overflows 64 bits
  EXPECT_EQ(
      message(idx(0x08, huge, "abc")),
      "idx: expected elements of 1 bytes that fill [4294967295, 4294967295, 4294967295, "
      "4294967295, 4294967295, 4294967295]; got 3 bytes after the header of f; fetch the file "
      "again");
}

}  // namespace
}  // namespace clade::data
