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

// An 8 x 8 grey JPEG by Pillow 11 (quality 50); it decodes to 76 everywhere.
const unsigned char kJpeg[] = {
    0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 0x4a, 0x46, 0x49, 0x46, 0x00, 0x01, 0x01, 0x00, 0x00, 0x01,
    0x00, 0x01, 0x00, 0x00, 0xff, 0xdb, 0x00, 0x43, 0x00, 0x10, 0x0b, 0x0c, 0x0e, 0x0c, 0x0a, 0x10,
    0x0e, 0x0d, 0x0e, 0x12, 0x11, 0x10, 0x13, 0x18, 0x28, 0x1a, 0x18, 0x16, 0x16, 0x18, 0x31, 0x23,
    0x25, 0x1d, 0x28, 0x3a, 0x33, 0x3d, 0x3c, 0x39, 0x33, 0x38, 0x37, 0x40, 0x48, 0x5c, 0x4e, 0x40,
    0x44, 0x57, 0x45, 0x37, 0x38, 0x50, 0x6d, 0x51, 0x57, 0x5f, 0x62, 0x67, 0x68, 0x67, 0x3e, 0x4d,
    0x71, 0x79, 0x70, 0x64, 0x78, 0x5c, 0x65, 0x67, 0x63, 0xff, 0xc0, 0x00, 0x0b, 0x08, 0x00, 0x08,
    0x00, 0x08, 0x01, 0x01, 0x11, 0x00, 0xff, 0xc4, 0x00, 0x14, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0xff, 0xc4, 0x00, 0x14,
    0x10, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0xff, 0xda, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x3f, 0x00, 0x15, 0xff, 0xd9};
const std::string kJpegBytes(reinterpret_cast<const char*>(kJpeg), sizeof kJpeg);

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
  const Tensor image = parse_image(kJpegBytes, "f");
  EXPECT_EQ(text(image), "u8 [8, 8, 1]");
  for (int value : image.to_vector<int>()) EXPECT_NEAR(value, 76, 1);
}

TEST(Image, Malformed) {
  EXPECT_EQ(message_of([] { parse_image("", "f"); }),
            "image: expected a PNG or JPEG picture; got f");
  EXPECT_EQ(message_of([] { parse_image("GIF89a and more", "f"); }),
            "image: expected a PNG or JPEG picture; got f");
  const std::string png = grey(4, 4, 9);
  for (size_t n = 0; n + 12 < png.size(); n++)  // all but the last chunk, which says only "end"
    EXPECT_NE(message_of([&] { parse_image(png.substr(0, n), "f"); }), "no error") << n;
}

TEST(Image, LyingSizesAllocateNothing) {
  std::string png = grey(4, 4, 9);
  png[18] = png[22] = 127;  // 32516 x 32516
  EXPECT_EQ(message_of([&] { parse_image(png, "f"); }),
            "image: expected at most 67108864 pixels, and bytes enough for them; got 32516 x "
            "32516 pixels in the 88 bytes of f");
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
