#include "tensor/safetensors.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "tensor/file.h"
#include "tensor/random.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"

namespace clade {
namespace {

using testing::message_of;
using testing::TempDir;

const std::string kGolden = CLADE_GOLDEN_DIR "/formats/pytorch.safetensors";

std::string with_length(uint64_t length, const std::string& rest) {
  return std::string(reinterpret_cast<const char*>(&length), 8) + rest;
}

// A file with this header and as many bytes of data.
std::string file_of(const std::string& header, size_t data_bytes) {
  return with_length(header.size(), header + std::string(data_bytes, '\1'));
}

std::string error_of(const std::string& bytes) {
  return message_of([&] { parse_safetensors(bytes); });
}

std::string expected_error(const std::string& message) {
  return "load_safetensors(bytes): expected " + message;
}

TEST(SafeTensors, ReadsWhatPyTorchWrote) {
  SafeTensors file = load_safetensors(kGolden);
  ASSERT_EQ(file.tensors.size(), 8u);
  EXPECT_EQ(text(file.at("double")), "f64 [2]");
  EXPECT_EQ(file.at("double").to_vector<double>(), (std::vector<double>{0.1, -2.5}));
  EXPECT_EQ(text(file.at("index")), "i64 [2]");
  EXPECT_EQ(file.at("index").to_vector<int64_t>(), (std::vector<int64_t>{-1, int64_t{1} << 40}));
  EXPECT_EQ(file.at("bias").to_vector<float>(), (std::vector<float>{1.5f, -0.25f, INFINITY}));
  EXPECT_EQ(text(file.at("weight")), "f32 [2, 3]");
  EXPECT_EQ(file.at("weight").to_vector<float>(), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(text(file.at("small")), "i32 [2, 1]");
  EXPECT_EQ(file.at("small").to_vector<int>(), (std::vector<int>{7, -7}));
  EXPECT_EQ(text(file.at("image")), "u8 [3]");
  EXPECT_EQ(file.at("image").to_vector<int>(), (std::vector<int>{0, 128, 255}));
  EXPECT_EQ(text(file.at("scalar")), "f32 []");
  EXPECT_EQ(file.at("scalar").item(), 2.5);
  EXPECT_EQ(text(file.at("nothing")), "f32 [0, 3]");
  ASSERT_EQ(file.metadata.size(), 1u);
  EXPECT_EQ(*file.note("format"), "pt");
}

TEST(SafeTensors, WritesTheBytesThatPyTorchWrites) {
  TempDir dir;
  SafeTensors file = load_safetensors(kGolden);
  EXPECT_EQ(format_safetensors(file), read_file(kGolden));
  save_safetensors(dir / "copy.safetensors", file);
  EXPECT_EQ(read_file(dir / "copy.safetensors"), read_file(kGolden));
}

TEST(SafeTensors, KeepsTheOrderOfTheListAndAlignsTheData) {
  Random rng(3);
  SafeTensors file;
  file.add("mask", Tensor::full({3}, 1, DType::u8));
  file.add("weight", randn({5, 2, 3, 3}, rng).to_layout(Layout::channels_last));
  file.add("steps", Tensor::scalar(7, DType::i64));
  file.add("", randn({3}, rng, DType::f64));
  file.add("caf\xc3\xa9 \"quoted\"\n", Tensor::zeros({2, 0}));
  file.metadata = {{"z", "1"}, {"a", "two\nlines"}};

  std::string bytes = format_safetensors(file);
  SafeTensors back = parse_safetensors(bytes);
  ASSERT_EQ(back.tensors.size(), file.tensors.size());
  for (size_t i = 0; i < file.tensors.size(); i++) {
    EXPECT_EQ(back.tensors[i].name, file.tensors[i].name);
    EXPECT_EQ(text(back.tensors[i].tensor), text(file.tensors[i].tensor));
    EXPECT_TRUE(back.tensors[i].tensor.is_contiguous());
    EXPECT_EQ(back.tensors[i].tensor.to_vector<double>(),
              file.tensors[i].tensor.to_vector<double>());
  }
  ASSERT_EQ(back.metadata.size(), 2u);
  EXPECT_EQ(back.metadata[0].key, "z");
  EXPECT_EQ(*back.note("a"), "two\nlines");
  EXPECT_EQ(back.note("b"), nullptr);
  uint64_t header_bytes;
  std::memcpy(&header_bytes, bytes.data(), 8);
  EXPECT_EQ(header_bytes % 8, 0u);
  EXPECT_NE(bytes.find("\"data_offsets\":[392,395]"), bytes.npos) << "the bytes come last";
}

TEST(SafeTensors, AnEmptyFileIsAFile) {
  EXPECT_EQ(format_safetensors({}), with_length(8, "{}      "));
  EXPECT_TRUE(parse_safetensors(with_length(2, "{}")).tensors.empty());
}

TEST(SafeTensors, AMissingNameIsAnErrorThatListsTheOthers) {
  SafeTensors file;
  EXPECT_EQ(message_of([&] { file.at("w"); }),
            "SafeTensors: expected a tensor named \"w\"; got none");
  for (int i = 0; i < 22; i++) file.add(text("t", i), Tensor::zeros({1}));
  EXPECT_EQ(file.find("w"), nullptr);
  EXPECT_EQ(file.find("t3"), &file.tensors[3].tensor);
  EXPECT_EQ(
      message_of([&] { file.at("w"); }),
      "SafeTensors: expected a tensor named \"w\"; got t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, "
      "t10, t11, t12, t13, t14, t15, t16, t17, t18, t19 and 2 more");
}

TEST(SafeTensors, WhatCannotBeWrittenIsRefused) {
  auto saving = [](SafeTensors file) { return message_of([&] { format_safetensors(file); }); };
  Tensor t = Tensor::zeros({1});
  EXPECT_EQ(saving({{{"w", t}, {"w", t}}, {}}),
            "save_safetensors: expected each name once; got \"w\" twice");
  EXPECT_EQ(saving({{{"__metadata__", t}}, {}}),
            "save_safetensors: expected a name for each tensor; got \"__metadata__\"; rename it");
  EXPECT_EQ(saving({{{"w", Tensor()}}, {}}),
            "save_safetensors: expected defined tensors; got an undefined one named \"w\"");
  EXPECT_EQ(saving({{}, {{"k", "1"}, {"k", "2"}}}),
            "save_safetensors: expected each key of the metadata once; got \"k\" twice");
  EXPECT_TRUE(saving({{{"\xff", t}}, {}})
                  .starts_with("save_safetensors: expected names and metadata in UTF-8; got ["));
}

TEST(SafeTensors, FilesCutShortAreRefusedAtEveryLength) {
  std::string whole = read_file(kGolden);
  for (size_t n = 0; n < whole.size(); n++)
    EXPECT_NE(error_of(whole.substr(0, n)), "no error") << n << " bytes";
  EXPECT_EQ(error_of(whole.substr(0, 5)),
            expected_error("a header length of 8 bytes; got 5 bytes; the file is cut short"));
  EXPECT_EQ(error_of(whole.substr(0, 100)),
            expected_error("a header of 512 bytes; got 92 bytes; the file is cut short"));
  EXPECT_EQ(
      error_of(whole.substr(0, whole.size() - 1)),
      expected_error("data_offsets in order and up to 82, the bytes of data; got [80, 83] for "
                     "\"image\"; the file is damaged or cut short"));
  EXPECT_EQ(
      error_of(whole + "x"),
      expected_error("83 bytes of data, as the header says; got 84 bytes; the file is damaged"));
}

TEST(SafeTensors, LyingLengthsAreRefused) {
  EXPECT_EQ(error_of(with_length(UINT64_MAX, "{}")),
            expected_error("a header of at most 100 MB; got 18446744073709551615 bytes; is it a "
                           "safetensors file?"));
  EXPECT_EQ(
      error_of(with_length(100'000'001, "{}")),
      expected_error("a header of at most 100 MB; got 100000001 bytes; is it a safetensors file?"));
  EXPECT_EQ(error_of(with_length(0, "{}")),
            expected_error("a header that begins with '{'; got an empty one; is it a safetensors "
                           "file?"));
  EXPECT_EQ(error_of(with_length(3, " {}")),
            expected_error("a header that begins with '{'; got something else; is it a safetensors "
                           "file?"));
}

TEST(SafeTensors, HeadersThatAreNotJsonAreRefused) {
  for (const char* header :
       {"{", "{}}", "{\"a\"}", "{'a': 1}", "{\"a\":\"\xff\"}", "{} x", "{/**/}"}) {
    EXPECT_TRUE(error_of(file_of(header, 0)).starts_with(expected_error("a header in JSON; got [")))
        << header;
  }
}

TEST(SafeTensors, DamagedHeadersAreRefused) {
  struct {
    const char *header, *message;
  } cases[] = {
      {R"({"a":1})",
       R"(dtype (a text), shape and data_offsets; got "a" without these or with others)"},
      {R"({"a":{"dtype":"F32","shape":[1]}})",
       R"(dtype (a text), shape and data_offsets; got "a" without these or with others)"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})",
       R"(dtype (a text), shape and data_offsets; got "a" without these or with others)"},
      {R"({"a":{"dtype":3,"shape":[2],"data_offsets":[0,8]}})",
       R"(dtype (a text), shape and data_offsets; got "a" without these or with others)"},
      {R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})",
       R"(a list of whole numbers from 0 to 2^63 - 1; got others for "a")"},
      {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})",
       R"(a list of whole numbers from 0 to 2^63 - 1; got others for "a")"},
      {R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})",
       R"(a list of whole numbers from 0 to 2^63 - 1; got others for "a")"},
      {R"({"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}})",
       R"(a list of whole numbers from 0 to 2^63 - 1; got others for "a")"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8]}})",
       R"(two data_offsets; got 1 for "a")"},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})",
       R"(data_offsets that hold shape [3] of f32; got 8 bytes for "a")"},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,8]}})",
       R"(data_offsets that hold shape [4611686018427387905] of f32; got 8 bytes for "a")"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       R"(tensors without holes or overlaps; got "a" at 4 where 0 bytes are taken)"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
       R"("b":{"dtype":"U8","shape":[6],"data_offsets":[2,8]}})",
       R"(tensors without holes or overlaps; got "b" at 2 where 4 bytes are taken)"},
      {R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
       R"("b":{"dtype":"U8","shape":[3],"data_offsets":[5,8]}})",
       R"(tensors without holes or overlaps; got "b" at 5 where 3 bytes are taken)"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       "4 bytes of data, as the header says; got 8 bytes"},
      {R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},)"
       R"("a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})",
       R"(each name once; got "a" twice in the header)"},
      {R"({"a":{"dtype":"F64","dtype":"F64","shape":[1],"data_offsets":[0,8]}})",
       R"(each name once; got "dtype" twice in the header)"},
      {R"({"a":{"dtype":"F64","shape":[[1]],"data_offsets":[0,8]}})",
       "tensors described by flat lists; got deeper nesting in the header"},
      {R"({"__metadata__":1})", "__metadata__ as an object; got number"},
      {R"({"__metadata__":{"a":1}})", R"(texts in __metadata__; got "a" of type number)"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(error_of(file_of(c.header, 8)),
              expected_error(c.message + std::string("; the file is damaged")))
        << c.header;
  for (const char* offsets : {"[8,0]", "[0,9]", "[9,9]", "[0,9223372036854775807]"}) {
    std::string header = text(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":)", offsets, "}}");
    EXPECT_TRUE(error_of(file_of(header, 8))
                    .starts_with(expected_error(
                        "data_offsets in order and up to 8, the bytes of data; got [")))
        << offsets;
  }
}

TEST(SafeTensors, OtherTypesAndRanksAreRefusedWithACure) {
  EXPECT_EQ(error_of(file_of(R"({"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}})", 2)),
            expected_error("dtype F32, F64, I32, I64 or U8; got \"BF16\" for \"a\"; convert it in "
                           "PyTorch with t.to(torch.float32) or torch.int64"));
  EXPECT_EQ(
      error_of(file_of(R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1],"data_offsets":[0,1]}})", 1)),
      expected_error("at most 6 axes; got a longer list in the header; reshape the tensor in "
                     "PyTorch"));
}

TEST(SafeTensors, MisalignedTensorsAreRefused) {
  EXPECT_EQ(error_of(file_of(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                             R"("b":{"dtype":"F32","shape":[1],"data_offsets":[3,7]}})",
                             7)),
            expected_error("data_offsets at a multiple of the 4 bytes of f32; got 3 for \"b\"; "
                           "write it with the safetensors package"));
}

// The format leaves the length of the header free, and pads it with spaces.
TEST(SafeTensors, HeadersOfAnyLengthPaddedWithSpaces) {
  const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  for (size_t spaces = 0; spaces < 8; spaces++)
    EXPECT_EQ(parse_safetensors(file_of(header + std::string(spaces, ' '), 4)).tensors.size(), 1u);
  EXPECT_EQ(error_of(file_of(header + std::string("\0\0x", 3), 4)),
            expected_error("a header in JSON, padded with spaces; got a byte 0 in it; the file is "
                           "damaged"));
}

// Quadratic work on 200,000 names would take minutes, here and in the writer.
TEST(SafeTensors, ManyNamesTakeLinearTime) {
  SafeTensors file;
  const Tensor t = Tensor::zeros({0});
  for (int i = 0; i < 200000; i++) file.add(std::to_string(i), t);
  const auto start = std::chrono::steady_clock::now();
  const SafeTensors back = parse_safetensors(format_safetensors(file));
  EXPECT_EQ(back.tensors.size(), file.tensors.size());
  EXPECT_EQ(back.tensors[123456].name, "123456");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST(SafeTensors, LongNamesAreCutInMessages) {
  std::string name(1000, 'n');
  EXPECT_EQ(error_of(file_of("{\"" + name + "\":1}", 0)),
            expected_error("dtype (a text), shape and data_offsets; got \"" + name.substr(0, 100) +
                           "...\" without these or with others; the file is damaged"));
}

TEST(SafeTensors, DeepNestingAndHugeShapesTakeNoMemory) {
  int64_t requests = memory_stats().requests;
  EXPECT_EQ(error_of(file_of("{\"a\":" + std::string(1000000, '['), 0)),
            expected_error("tensors described by flat lists; got deeper nesting in the header; the "
                           "file is damaged"));
  for (const char* shape : {"[0, 1152921504606846977]", "[0, 4611686018427387904, 8]"})
    EXPECT_EQ(error_of(file_of(
                  text(R"({"a":{"dtype":"U8","shape":)", shape, R"(,"data_offsets":[0,0]}})"), 0)),
              expected_error(text("a shape of at most 2^60 elements; got ", shape,
                                  " for \"a\"; the file is damaged")));
  EXPECT_EQ(memory_stats().requests, requests);
}

TEST(SafeTensors, ErrorsNameTheFile) {
  TempDir dir;
  write_file_atomically(dir / "w.safetensors", "none");
  EXPECT_EQ(message_of([&] { load_safetensors(dir / "w.safetensors"); }),
            "load_safetensors(\"" + dir / "w.safetensors" +
                "\"): expected a header length of 8 bytes; got 4 bytes; the file is cut short");
}

}  // namespace
}  // namespace clade
