#include "data/readers/jf.h"

#include <gtest/gtest.h>

#include "tensor/file.h"
#include "tests/data/file_bytes.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"

namespace clade::data {
namespace {

std::string message(const std::string& bytes) {
  return clade::testing::message_of([&] { parse_jf(bytes, "f"); });
}

TEST(Jf, Reads) {
  for (const char* bytes : {"3 2\n2 0.5 1\n0 2 .25\n-1\n", "3 2\r\n2  0.5\t1 \r\n0 2 .25\r\n-1"}) {
    const Dataset d = parse_jf(bytes, "f");
    EXPECT_EQ(d.values.shape(), Shape({2, 2}));
    EXPECT_EQ(d.values.to_vector<float>(), (std::vector<float>{0.5, 1, 2, 0.25}));
    EXPECT_EQ(d.labels.ids().to_vector<int>(), (std::vector<int>{2, 0}));
    EXPECT_EQ(d.labels.names(), (std::vector<std::string>{"0", "1", "2"}));
  }
  clade::testing::TempDir dir;
  write_file_atomically(dir / "a.jf.gz", clade::testing::gzip_of("1 1\n0 3\n-1\n"));
  EXPECT_EQ(load_jf(dir / "a.jf.gz").values.item(), 3);
}

TEST(Jf, Malformed) {
  const std::string first =
      "jf: expected a first line of two numbers, classes (1 .. 65536) and features; got another in "
      "f";
  for (const char* bytes :
       {"", "3\n", "3 x\n", "3 2 1\n", "0 2\n-1\n", "3 0\n-1\n", "2000000000 1\n0 1\n-1\n", "-1\n"})
    EXPECT_EQ(message(bytes), first) << bytes;
  EXPECT_EQ(message("2 2\n0 1 1\n"),
            "jf: expected a last line of -1 in f; got the end after 1 rows; the file is cut short: "
            "fetch it again");
  EXPECT_EQ(message("2 2\n2 1 1\n-1\n"),
            "jf: expected a label in 0 .. 1, or -1 to end; got \"2\" in line 2 of f");
  EXPECT_EQ(message("2 2\n\n-1\n"),
            "jf: expected a label in 0 .. 1, or -1 to end; got \"\" in line 2 of f");
  EXPECT_EQ(message("2 2\n0 1 1\n1 1\n-1\n"),
            "jf: expected 2 finite numbers after the label in line 3 of f; got 1");
  EXPECT_EQ(message("2 2\n0 1 nan\n-1\n"),
            "jf: expected 2 finite numbers after the label in line 2 of f; got \"nan\"");
  EXPECT_EQ(message("2 9000000000000\n0 1\n-1\n"),
            "jf: expected 9000000000000 finite numbers after the label in line 2 of f; got 1");
  EXPECT_EQ(message("2 2\n0 1 1 7\n-1\n"), "jf: expected the end of line 2 of f; got \"7\"");
  EXPECT_EQ(message("2 2\n0 1 1\n-1 0\n"), "jf: expected the end of line 3 of f; got \"0\"");
  EXPECT_EQ(message("2 2\n0 1 1\n-1\n0 1 1\n"),
            "jf: expected nothing after the line -1 of f; got 6 more bytes");
  EXPECT_EQ(message("2 2\n-1\n"), "jf: expected one row or more in f; got none");
}

}  // namespace
}  // namespace clade::data
