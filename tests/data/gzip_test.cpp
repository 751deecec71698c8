#include "data/readers/gzip.h"

#include <gtest/gtest.h>

#include "tensor/file.h"
#include "tests/data/file_bytes.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"

namespace clade::data {
namespace {

using clade::testing::gzip_of;
using clade::testing::message_of;

// "aaaa..." (1000 of them) by gzip -9n: a real deflate block, not a stored one.
const std::string kPacked(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\x4c\x1c\x05\xa3\x60\x14\x0c"
    "\x77\x00\x00\x03\xda\x38\x9a\xe8\x03\x00\x00",
    29);

TEST(Gzip, UnpacksMembersAndIgnoresZeros) {
  EXPECT_EQ(gunzip(kPacked, "f"), std::string(1000, 'a'));
  EXPECT_EQ(gunzip(gzip_of("one ") + gzip_of("") + gzip_of("two") + std::string(512, '\0'), "f"),
            "one two");
}

TEST(Gzip, BigStreamsAreUnpackedInPieces) {
  std::string packed, expected;
  for (int i = 0; i < 20; i++) {
    const std::string piece(60000, char('a' + i));
    packed += gzip_of(piece);
    expected += piece;
  }
  EXPECT_EQ(gunzip(packed, "f"), expected);
}

TEST(Gzip, EveryCutIsNoticed) {
  for (size_t n = 2; n < kPacked.size(); n++)
    EXPECT_NE(message_of([&] { gunzip(kPacked.substr(0, n), "f"); }), "no error") << n;
  EXPECT_EQ(message_of([] { gunzip(gzip_of("hello").substr(0, 18), "f.gz"); }),
            "gzip: expected the end of the packed data in f.gz; got the end of the file after 3 "
            "unpacked bytes; the file is cut short: fetch it again");
}

TEST(Gzip, DamageIsNoticed) {
  std::string wrong_crc = gzip_of("hello");
  wrong_crc[wrong_crc.size() - 8] ^= 1;
  EXPECT_EQ(message_of([&] { gunzip(wrong_crc, "f.gz"); }),
            "gzip: expected sound packed data in f.gz; got incorrect data check after 5 unpacked "
            "bytes; fetch the file again");
  EXPECT_EQ(message_of([] { gunzip(gzip_of("hello") + "more", "f.gz"); }),
            "gzip: expected nothing after the packed data of f.gz; got 4 more bytes");
  EXPECT_EQ(message_of([] { gunzip("plain", "f.gz"); }),
            "gzip: expected bytes 1f 8b at the start of f.gz; got others");
}

TEST(Gzip, TheLimitHolds) {
  EXPECT_EQ(gunzip(kPacked, "f", 1000).size(), 1000u);
  EXPECT_EQ(message_of([] { gunzip(kPacked, "f.gz", 999); }),
            "gzip: expected at most 999 bytes unpacked from f.gz; got more");
}

TEST(Gzip, ReadUnpackedTakesBoth) {
  clade::testing::TempDir dir;
  write_file_atomically(dir / "plain", "text");
  write_file_atomically(dir / "packed", gzip_of("text"));
  EXPECT_EQ(read_unpacked(dir / "plain"), "text");
  EXPECT_EQ(read_unpacked(dir / "packed"), "text");
}

}  // namespace
}  // namespace clade::data
