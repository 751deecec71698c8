#include "tensor/npy.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "tensor/file.h"
#include "tensor/random.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"

namespace clade {
namespace {

using testing::message_of;
using testing::TempDir;

std::string golden(const std::string& name) { return CLADE_GOLDEN_DIR "/formats/" + name; }

// A file of version 1.0 with this header; nothing is padded.
std::string npy(const std::string& header, const std::string& data) {
  std::string bytes = "\x93NUMPY";
  bytes += {'\1', '\0', char(header.size() & 255), char(header.size() >> 8)};
  return bytes + header + data;
}

std::string error_of(const std::string& bytes) {
  return message_of([&] { parse_npy(bytes); });
}

std::string error_of_header(const std::string& header) { return error_of(npy(header, "")); }

TEST(Npy, ReadsWhatNumPyWrote) {
  const std::vector<double> halves = {-0.5, 0, 0.5, 1, 1.5, 2};
  const std::vector<double> wholes = {-1, 0, 1, 2, 3, 4};
  struct {
    const char* name;
    DType dtype;
    Shape shape;
    std::vector<double> values;
  } files[] = {{"f4", DType::f32, {2, 3}, halves},
               {"f8", DType::f64, {2, 3}, halves},
               {"i4", DType::i32, {2, 3}, wholes},
               {"i8", DType::i64, {2, 3}, wholes},
               {"u1", DType::u8, {2, 3}, {0, 1, 2, 3, 4, 5}},
               {"b1", DType::u8, {2, 3}, {0, 0, 0, 1, 1, 1}},
               {"vector", DType::f32, {3}, {0, 1, 2}},
               {"scalar", DType::f64, {}, {2.5}},
               {"empty", DType::f32, {0, 3}, {}},
               {"version2", DType::f32, {2, 3}, halves},
               {"version3", DType::f32, {2, 3}, halves}};
  for (const auto& file : files) {
    Tensor t = load_npy(golden(std::string(file.name) + ".npy"));
    EXPECT_EQ(t.dtype(), file.dtype) << file.name;
    EXPECT_EQ(text(t.shape()), text(file.shape)) << file.name;
    EXPECT_EQ(t.to_vector<double>(), file.values) << file.name;
  }
}

TEST(Npy, FortranOrderBecomesRowMajor) {
  Tensor t = load_npy(golden("fortran.npy"));
  std::vector<int> expected(24);
  for (int i = 0; i < 24; i++) expected[size_t(i)] = i;
  EXPECT_EQ(text(t), "i32 [2, 3, 4]");
  EXPECT_TRUE(t.is_contiguous());
  EXPECT_EQ(t.to_vector<int>(), expected);
}

TEST(Npy, WritesTheBytesThatNumPyWrites) {
  for (const char* name : {"f4", "f8", "i4", "i8", "u1", "vector", "scalar", "empty"}) {
    std::string bytes = read_file(golden(std::string(name) + ".npy"));
    EXPECT_EQ(format_npy(parse_npy(bytes)), bytes) << name;
  }
}

TEST(Npy, EveryDtypeAndRankComesBack) {
  TempDir dir;
  Random rng(1);
  const Shape shapes[] = {
      {}, {1}, {7}, {0}, {2, 3}, {3, 0, 2}, {2, 3, 4}, {1, 2, 3, 4}, {2, 1, 2, 1, 2, 3}};
  for (DType dtype : {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8}) {
    for (const Shape& shape : shapes) {
      Tensor noise = Tensor::empty(shape, DType::f64);
      fill_uniform(rng, noise, 0, 200);
      Tensor t = noise.to(dtype);
      save_npy(dir / "t.npy", t);
      Tensor back = load_npy(dir / "t.npy");
      EXPECT_EQ(text(back), text(t));
      EXPECT_EQ(back.to_vector<double>(), t.to_vector<double>()) << text(t);
      EXPECT_EQ(format_npy(t), read_file(dir / "t.npy")) << text(t);
      EXPECT_EQ(format_npy(t).size() % 64, (size_t(t.numel()) * size_of(dtype)) % 64);
    }
  }
}

// Beyond what is read with the header the data goes straight into the tensor.
TEST(Npy, LargeFiles) {
  const TempDir folder;
  Random rng(2);
  const Tensor t = rand({700, 900}, rng);  // 2.5 MB
  const std::string path = folder / "large.npy";
  save_npy(path, t);
  EXPECT_EQ(load_npy(path).to_vector<float>(), t.to_vector<float>());

  const std::string bytes = read_file(path);
  std::string fortran = bytes;
  fortran.replace(fortran.find("False, "), 7, "True,  ");
  write_file_atomically(folder / "fortran.npy", fortran);
  EXPECT_EQ(load_npy(folder / "fortran.npy").to_vector<float>(),
            t.reshape({900, 700}).transpose(0, 1).contiguous().to_vector<float>());

  write_file_atomically(folder / "short.npy", bytes.substr(0, bytes.size() - 4));
  EXPECT_NE(message_of([&] { load_npy(folder / "short.npy"); }).find("the file is cut short"),
            std::string::npos);
  write_file_atomically(folder / "long.npy", bytes + "....");
  EXPECT_NE(message_of([&] { load_npy(folder / "long.npy"); }).find("save one array a file"),
            std::string::npos);
}

TEST(Npy, PipesAreRead) {
  const TempDir folder;
  const Tensor t = Tensor::from<float>({1, 2, 3}, {3});
  const std::string path = folder / "pipe", bytes = format_npy(t);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(path, std::ios::binary) << bytes; });
  const Tensor back = load_npy(path);
  writer.join();
  EXPECT_EQ(back.to_vector<double>(), t.to_vector<double>());
}

TEST(Npy, ViewsAreWrittenInRowMajorOrder) {
  Random rng(2);
  Tensor t = randn({2, 3, 4, 5}, rng);
  std::string expected = format_npy(t);
  EXPECT_EQ(format_npy(t.to_layout(Layout::channels_last)), expected);
  EXPECT_EQ(format_npy(t.transpose(1, 3).contiguous().transpose(1, 3)), expected);
}

TEST(Npy, TheHeaderMayBeWrittenInOtherWays) {
  std::string two("\1\0\0\0\2\0\0\0", 8);
  for (const char* header :
       {"{'descr':'<i4','fortran_order':False,'shape':(2,)}",
        "{\"shape\": (2L,), \"fortran_order\": True, \"descr\": \"<i4\"}\n",
        "{ 'shape' : ( 2 , ) , 'descr' : '<i4' , 'fortran_order' : False , }  \n"}) {
    EXPECT_EQ(parse_npy(npy(header, two)).to_vector<int>(), (std::vector<int>{1, 2})) << header;
  }
}

TEST(Npy, ErrorsNameTheFile) {
  TempDir dir;
  write_file_atomically(dir / "note.npy", "hello");
  EXPECT_EQ(message_of([&] { load_npy(dir / "note.npy"); }),
            "load_npy(\"" + dir / "note.npy" +
                "\"): expected a .npy file (it begins with \\x93NUMPY); got 5 bytes of something "
                "else");
}

TEST(Npy, OtherFilesAreRefused) {
  EXPECT_EQ(error_of(""),
            "load_npy(bytes): expected a .npy file (it begins with \\x93NUMPY); got 0 bytes of "
            "something else");
  EXPECT_EQ(error_of("PK\3\4 and so on"),
            "load_npy(bytes): expected a .npy file (it begins with \\x93NUMPY); got a zip archive; "
            "it may be an .npz: save its arrays with np.save");
  EXPECT_EQ(error_of(std::string("\x93NUMPY\4\0\0\0\0\0", 12)),
            "load_npy(bytes): expected version 1.0, 2.0 or 3.0; got version 4.0");
}

TEST(Npy, FilesCutShortAreRefusedAtEveryLength) {
  std::string whole = read_file(golden("f4.npy"));
  for (size_t n = 0; n < whole.size(); n++)
    EXPECT_NE(error_of(whole.substr(0, n)), "no error") << n << " bytes";
  EXPECT_EQ(error_of(whole.substr(0, 9)),
            "load_npy(bytes): expected a header; got the end of the file; the file is cut short");
  EXPECT_EQ(error_of(whole.substr(0, 100)),
            "load_npy(bytes): expected a header of 118 bytes; got 90 bytes; the file is cut short");
  EXPECT_EQ(
      error_of(whole.substr(0, 150)),
      "load_npy(bytes): expected 24 bytes for shape [2, 3] of '<f4'; got 22 bytes; the file is "
      "cut short");
  EXPECT_EQ(error_of(whole + "x"),
            "load_npy(bytes): expected 24 bytes for shape [2, 3] of '<f4'; got 25 bytes; save one "
            "array a file");
}

TEST(Npy, OtherTypesAreRefusedWithACure) {
  auto header = [](const char* descr) {
    return text("{'descr': ", descr, ", 'fortran_order': False, 'shape': (1,), }");
  };
  EXPECT_EQ(
      error_of_header(header("'>f4'")),
      "load_npy(bytes): expected little-endian elements; got big-endian '>f4'; save it in NumPy "
      "with a.astype('<f4') or '<i8'");
  for (const char* descr : {"<f2", "<i2", "|i1", "<u4", "<c8", "|O", "<U7", "<M8[ns]"}) {
    EXPECT_EQ(
        error_of_header(header(text("'", descr, "'").c_str())),
        text("load_npy(bytes): expected elements of type <f4, <f8, <i4, <i8, |u1 or |b1; got '",
             descr, "'; save it in NumPy with a.astype('<f4') or '<i8'"));
  }
  EXPECT_EQ(
      error_of_header(header("[('a', '<f4')]")),
      "load_npy(bytes): expected one element type; got a structured array; save its fields one "
      "by one");
}

TEST(Npy, DamagedHeadersAreRefused) {
  const char* damaged = "; the file is damaged";
  struct {
    const char *header, *message;
  } cases[] = {
      {"", "'{' in the header; got its end"},
      {"()", "'{' in the header; got '('"},
      {"{\x01}", "a quoted word in the header; got 'byte 1'"},
      {"{'descr", "a short quoted word in the header; got '''"},
      {"{'descr' '<f4'}", "':' in the header; got '''"},
      {"{'descr': '<f4' 'shape': ()}", "',' or '}' in the header; got '''"},
      {"{'descr': '<f4'}",
       "'descr', 'fortran_order' and 'shape'; got a header without 'fortran_order'"},
      {"{'descr': '<f4', 'fortran_order': False}",
       "'descr', 'fortran_order' and 'shape'; got a header without 'shape'"},
      {"{'fortran_order': False, 'shape': ()}",
       "'descr', 'fortran_order' and 'shape'; got a header without 'descr'"},
      {"{'descr': '<f4', 'descr': '<f4'}",
       "'descr', 'fortran_order' and 'shape', once each; got key 'descr'"},
      {"{'size': 3}", "'descr', 'fortran_order' and 'shape', once each; got key 'size'"},
      {"{'fortran_order': 1}", "True or False in the header; got '1'"},
      {"{'shape': [2, 3]}", "'(' in the header; got '['"},
      {"{'shape': (-2,)}", "a size in the header; got '-'"},
      {"{'shape': (2 3)}", "',' or ')' in the header; got '3'"},
      {"{'shape': (99999999999999999999,)}", "sizes below 2^63; got a greater one"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': ()} x",
       "nothing after '}' in the header; got 'x'"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 8)}",
       "a shape of at most 2^60 elements; got [4611686018427387904, 8]"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4611686018427387904, 8)}",
       "a shape of at most 2^60 elements; got [0, 4611686018427387904, 8]"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (3)}", "a tuple for 'shape'; got (3)"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(error_of_header(c.header), text("load_npy(bytes): expected ", c.message, damaged))
        << c.header;
  EXPECT_EQ(
      error_of_header(std::string("{'descr': '<f4', 'fortran_order': False, 'shape': ()}\0", 54)),
      text("load_npy(bytes): expected nothing after '}' in the header; got 'byte 0'", damaged));
  EXPECT_EQ(error_of_header("{'shape': (1, 1, 1, 1, 1, 1, 1)}"),
            "load_npy(bytes): expected at most 6 axes; got more; reshape the array in NumPy");
}

TEST(Npy, AHugeShapeTakesNoMemory) {
  int64_t requests = memory_stats().requests;
  EXPECT_EQ(
      error_of_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}"),
      "load_npy(bytes): expected 4000000000000 bytes for shape [1000000000000] of '<f4'; got 0 "
      "bytes; the file is cut short");
  EXPECT_EQ(
      error_of_header(
          "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 1152921504606846977)}"),
      "load_npy(bytes): expected a shape of at most 2^60 elements; got [0, 1152921504606846977]; "
      "the file is damaged");
  EXPECT_EQ(memory_stats().requests, requests);
}

TEST(Npy, AnUndefinedTensorIsRefused) {
  TempDir dir;
  EXPECT_EQ(message_of([&] { save_npy(dir / "t.npy", Tensor()); }),
            "save_npy: expected a tensor; got undefined tensor");
  EXPECT_FALSE(std::filesystem::exists(dir / "t.npy"));
}

}  // namespace
}  // namespace clade
