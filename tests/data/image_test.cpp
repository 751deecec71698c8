#include "data/readers/image.h"

#include <gtest/gtest.h>

#include "data/readers/image_folder.h"
#include "tensor/file.h"
#include "tests/data/file_bytes.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"

namespace clade::data {
namespace {

using clade::testing::message_of;
using clade::testing::png_of;
using clade::testing::TempDir;
using Words = std::vector<std::string>;

// A grey PNG whose pixels are all `value`.
std::string grey(uint32_t width, uint32_t height, int value) {
  return png_of(width, height, 1, std::string(size_t(width) * height, char(value)));
}

TEST(Image, PngChannels) {
  const Tensor one = parse_image(png_of(3, 2, 1, "abcdef"), "f");
  EXPECT_EQ(text(one), "u8 [2, 3, 1]");
  EXPECT_EQ(one.to_vector<int>(), (std::vector<int>{'a', 'b', 'c', 'd', 'e', 'f'}));
  const Tensor rgb = parse_image(png_of(1, 2, 3, "rgbRGB"), "f");
  EXPECT_EQ(text(rgb), "u8 [2, 1, 3]");
  EXPECT_EQ(rgb.to_vector<int>(), (std::vector<int>{'r', 'g', 'b', 'R', 'G', 'B'}));
  EXPECT_EQ(parse_image(png_of(1, 1, 2, "ga"), "f").to_vector<int>(), std::vector<int>{'g'});
  EXPECT_EQ(parse_image(png_of(1, 1, 4, "rgba"), "f").to_vector<int>(),
            (std::vector<int>{'r', 'g', 'b'}));
}

TEST(Image, Jpeg) {
  const Tensor image = parse_image(clade::testing::jpeg_of_8x8(), "f");
  EXPECT_EQ(text(image), "u8 [8, 8, 1]");
  for (int value : image.to_vector<int>()) EXPECT_NEAR(value, 76, 1);
}

TEST(Image, Malformed) {
  EXPECT_EQ(message_of([] { parse_image("", "f"); }),
            "image: expected a PNG or JPEG picture; got f");
  EXPECT_EQ(message_of([] { parse_image("GIF89a and more", "f"); }),
            "image: expected a PNG or JPEG picture; got f");
  const std::string png = grey(4, 4, 9);
  for (size_t n = 0; n < png.size(); n++)
    EXPECT_NE(message_of([&] { parse_image(png.substr(0, n), "f"); }), "no error") << n;
}

TEST(Image, LongHuffmanTablesNeverReachTheDecoder) {
  std::string jpeg = clade::testing::jpeg_of_8x8();
  const size_t table = jpeg.find("\xff\xc4");
  jpeg.replace(table + 5, 2, "\xff\x02");  // counts of codes: 255 and 2 in place of 0 and 1
  EXPECT_EQ(
      message_of([&] { parse_image(jpeg, "f"); }),
      "image: expected at most 256 codes in a Huffman table of f; got 257; fetch the file again");
  // The same bytes inside of a comment are no table.
  const std::string comment("\xff\xfe\x00\x15", 4);
  std::string harmless = clade::testing::jpeg_of_8x8();
  harmless.insert(2, comment + jpeg.substr(table, 19));
  EXPECT_EQ(parse_image(harmless, "f").numel(), 64);
}

TEST(Image, LyingSizesAllocateNothing) {
  std::string png = grey(4, 4, 9);
  png[17] = 1;  // width 65540
  EXPECT_EQ(message_of([&] { parse_image(png, "f"); }),
            "image: expected bytes enough for 65540 x 4 pixels in f; got 88; fetch the file again");
  png = grey(4, 4, 9);
  png[33] = 0x7f;  // length of the chunk of pixels
  EXPECT_EQ(
      message_of([&] { parse_image(png, "f"); }),
      "image: expected chunks that end within f; got one that does not; the file is cut short: "
      "fetch it again");
  std::string jpeg = clade::testing::jpeg_of_8x8();
  jpeg[jpeg.find("\xff\xc0") + 5] = 0x7f;  // height 32520
  EXPECT_EQ(
      message_of([&] { parse_image(jpeg, "f"); }),
      "image: expected bytes enough for 8 x 32520 pixels in f; got 159; fetch the file again");
}

TEST(ImageFolder, NaturalOrderAndFolderLabels) {
  TempDir dir;
  for (const char* folder : {"b", "a"}) std::filesystem::create_directory(dir / folder);
  write_file_atomically(dir / "b/10.png", grey(2, 3, 51));
  write_file_atomically(dir / "b/9.PNG", grey(2, 3, 102));
  write_file_atomically(dir / "a/1.png", grey(2, 3, 255));
  write_file_atomically(dir / "a/notes.txt", "no picture");
  const Dataset d = load_image_folder(dir.path());
  EXPECT_EQ(d.values.shape(), Shape({3, 1, 3, 2}));
  EXPECT_TRUE(d.values.is_channels_last());
  EXPECT_EQ(d.values.at({0, 0, 0, 0}), 1);
  EXPECT_FLOAT_EQ(float(d.values.at({1, 0, 2, 1})), 0.4f);
  EXPECT_FLOAT_EQ(float(d.values.at({2, 0, 2, 1})), 0.2f);
  EXPECT_EQ(d.labels.names(), (Words{"a", "b"}));
  EXPECT_EQ(d.labels.ids().to_vector<int>(), (std::vector<int>{0, 1, 1}));
}

TEST(ImageFolder, CoilNamesAreLabels) {
  TempDir dir;
  for (const char* name : {"obj10__0.png", "obj2__5.png", "obj2__10.png"})
    write_file_atomically(dir / name, grey(1, 1, 0));
  const Dataset d = load_image_folder(dir.path());
  EXPECT_EQ(d.labels.names(), (Words{"obj2", "obj10"}));
  EXPECT_EQ(d.labels.ids().to_vector<int>(), (std::vector<int>{0, 0, 1}));
  write_file_atomically(dir / "other.png", grey(1, 1, 0));
  EXPECT_FALSE(load_image_folder(dir.path()).labels.defined());  // one folder, other names
}

TEST(ImageFolder, ColoursAndSizes) {
  TempDir dir;
  write_file_atomically(dir / "1.png", grey(2, 2, 255));
  write_file_atomically(dir / "2.png", png_of(2, 2, 3, std::string(12, char(255))));
  EXPECT_EQ(load_image_folder(dir.path()).values.shape(), Shape({2, 3, 2, 2}));
  ImageFolderOptions options{.height = 1, .width = 4, .colour = ImageFolderOptions::Colour::grey};
  const Dataset d = load_image_folder(dir.path(), options);
  EXPECT_EQ(d.values.shape(), Shape({2, 1, 1, 4}));
  for (float value : d.values.to_vector<float>()) EXPECT_FLOAT_EQ(value, 1);

  write_file_atomically(dir / "3.png", grey(3, 2, 0));
  EXPECT_EQ(message_of([&] { load_image_folder(dir.path()); }),
            text("image folder: expected pictures of one size, 2 x 2 as ", dir / "1.png",
                 "; got 2 x 3 in ", dir / "3.png",
                 "; ask for a height and a width to resize them "
                 "to"));
  EXPECT_EQ(load_image_folder(dir.path(), options).size(), 3);
}

TEST(ImageFolder, Refused) {
  TempDir dir;
  EXPECT_EQ(message_of([&] { load_image_folder(dir.path()); }),
            text("image folder: expected pictures (.png, .jpg, .jpeg); got none in or below ",
                 dir.path()));
  EXPECT_EQ(message_of([&] { load_image_folder(dir / "none"); }),
            text("image folder: expected a readable folder ", dir / "none",
                 "; got No such file or directory"));
  EXPECT_EQ(message_of([&] { load_image_folder(dir.path(), {.height = 8}); }),
            "image folder: expected a height and a width of 1 or more, or neither; got 8 x 0");
}

}  // namespace
}  // namespace clade::data
