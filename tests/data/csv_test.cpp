#include "data/readers/csv.h"

#include <gtest/gtest.h>

#include "tensor/file.h"
#include "tests/data/file_bytes.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"

namespace clade::data {
namespace {

using Floats = std::vector<float>;
using Words = std::vector<std::string>;

std::string message(const std::string& bytes, const CsvOptions& options = {}) {
  return clade::testing::message_of([&] { parse_csv(bytes, "f", options); });
}

void expect_rows(const std::string& bytes, const Shape& shape, const Floats& values,
                 const CsvOptions& options = {}) {
  SCOPED_TRACE(bytes);
  const Dataset d = parse_csv(bytes, "f", options);
  EXPECT_EQ(d.values.shape(), shape);
  EXPECT_EQ(d.values.to_vector<float>(), values);
}

TEST(Csv, SeparatorsAreFound) {
  const Floats values = {1, -2.5, 3e2, 4};
  expect_rows("1,-2.5\n3e2,4\n", {2, 2}, values);
  expect_rows("1;-2.5\n3e2;4", {2, 2}, values);
  expect_rows("1\t-2.5\r\n3e2\t4\r\n", {2, 2}, values);
  expect_rows("  1   -2.5\n\n3e2 \t 4  \n\n", {2, 2}, values);
  expect_rows("1 , -2.5\n\t3e2,+4\n", {2, 2}, values);
  expect_rows("1\n2\n", {2, 1}, {1, 2});
  expect_rows("\"1\",\"-2.5\"\n\"3e2\",4\n", {2, 2}, values);
  expect_rows("\"a,b\";c\n1;2\n", {1, 2}, {1, 2});
  expect_rows("1 2,3 4\n", {1, 2}, {1, 4}, {.separator = ' ', .drop_columns = {"2"}});
}

TEST(Csv, MissingValues) {
  const Dataset d = parse_csv("1,?,NA\n,nan,2\n3,N/A,null\n", "f");
  EXPECT_EQ(d.values.to_vector<float>(), (Floats{1, 0, 0, 0, 0, 2, 3, 0, 0}));
  EXPECT_EQ(d.mask.to_vector<float>(), (Floats{1, 0, 0, 0, 0, 1, 1, 0, 0}));
  EXPECT_FALSE(parse_csv("1,2\n", "f").mask.defined());
  expect_rows("\t1\t\n2\t\t3\n", {2, 3}, {0, 1, 0, 2, 0, 3});
  expect_rows("1,2,\n3,4,\n", {2, 3}, {1, 2, 0, 3, 4, 0});
}

TEST(Csv, WhatIsTooSmallForFloatsIsZero) {
  const std::string zeros(400, '0');
  expect_rows("1e-400,-1E-400,1e-46\n", {1, 3}, {0, -0.0f, 0});
  expect_rows("0." + zeros + "1,1" + zeros + "e-900,1e-99999999999999999999\n", {1, 3}, {0, 0, 0});
  const std::vector<std::string> large = {"1" + zeros, "1" + zeros + "e-10", "0.001e400",
                                          "1e99999999999999999999"};
  for (const std::string& cell : large)
    EXPECT_NE(message("1," + cell + "\n").find("expected a finite number"), std::string::npos)
        << cell;
}

TEST(Csv, Header) {
  EXPECT_EQ(parse_csv("a,\"b \"\"c\"\"\"\n1,2\n", "f").columns, (Words{"a", "b \"c\""}));
  EXPECT_EQ(parse_csv("\xef\xbb\xbfid,\n1,2\n", "f").columns, (Words{"id", "2"}));
  EXPECT_EQ(parse_csv("1,2\n3,4\n", "f").columns, (Words{"1", "2"}));
  EXPECT_EQ(parse_csv("?,NA\n3,4\n", "f").size(), 2);  // missing, not words
  const CsvOptions years{.header = CsvOptions::Header::yes};
  EXPECT_EQ(parse_csv("1990,1991\n3,4\n", "f", years).columns, (Words{"1990", "1991"}));
}

TEST(Csv, LabelsAndDroppedColumns) {
  const std::string iris = "id,length,species\n7,5.1,setosa\n8,6.2,\"virginica\"\n9,5.9,\n";
  for (const char* label : {"species", "3", "-1"})
    for (const char* drop : {"id", "1", "-3"}) {
      const Dataset d = parse_csv(iris, "f", {.label_column = label, .drop_columns = {drop}});
      EXPECT_EQ(d.values.to_vector<float>(), (Floats{5.1f, 6.2f, 5.9f}));
      EXPECT_EQ(d.columns, Words{"length"});
      EXPECT_EQ(d.labels.names(), (Words{"setosa", "virginica"}));
      EXPECT_EQ(d.labels.ids().to_vector<int>(), (std::vector<int>{0, 1, -1}));
    }
  // Without a header the line with words in it is still data.
  EXPECT_EQ(parse_csv("5.1,setosa\n", "f", {.label_column = "2"}).size(), 1);
}

TEST(Csv, AClassMayBeNamedLikeAMissingValue) {
  const Dataset d =
      parse_csv("x,c\n1,NA\n2,US\n3,null\n4,?\n5,\n6,nan\n", "f", {.label_column = "c"});
  EXPECT_EQ(d.labels.unknown(), 2);
  EXPECT_EQ(d.labels.classes(), 4);
  for (const char* name : {"NA", "US", "null", "nan"})
    EXPECT_EQ(std::count(d.labels.names().begin(), d.labels.names().end(), name), 1) << name;
}

TEST(Csv, ANameOfTwoColumnsChoosesNeither) {
  const std::string twins = "a,a,b\n1,2,3\n";
  const char* error =
      "csv: expected one column named \"a\" in f; got columns 1 and 2; choose it by its number";
  EXPECT_EQ(message(twins, {.label_column = "a"}), error);
  EXPECT_EQ(message(twins, {.drop_columns = {"a"}}), error);
  EXPECT_EQ(parse_csv(twins, "f", {.label_column = "2"}).labels.names(), Words{"2"});
}

TEST(Csv, FilesPlainAndGzip) {
  clade::testing::TempDir dir;
  write_file_atomically(dir / "a.csv.gz", clade::testing::gzip_of("1,2\n"));
  EXPECT_EQ(load_csv(dir / "a.csv.gz").values.to_vector<float>(), (Floats{1, 2}));
}

TEST(Csv, Malformed) {
  EXPECT_EQ(message(""), "csv: expected a table in f; got an empty file");
  EXPECT_EQ(message("\n  \n"), "csv: expected a table in f; got an empty file");
  EXPECT_EQ(message("a,b\n"), "csv: expected one row or more in f; got a header alone");
  EXPECT_EQ(message("1,2\n\n3\n"),
            "csv: expected 2 cells in line 3 of f, as in its first line; got 1");
  EXPECT_EQ(
      message("a,b\n1,2\n3,high\n"),
      "csv: expected a finite number, or nothing, ?, NA or NaN where it is missing, in column "
      "2 (b), line 3 of f; got \"high\"; choose such a column for the labels (--label-column) "
      "or drop it (--drop-columns)");
  for (const char* cell :
       {"inf", "-Infinity", "1e39", "1e999", "0x10", "1.5.2", "--1", "+-1", "1 2"})
    EXPECT_NE(message(text("1,", cell, "\n")).find(text("got \"", cell, "\"")), std::string::npos)
        << cell;
  EXPECT_EQ(
      message("1,\"2\n3\",4\n"),
      "csv: expected a closing quote in line 1 of f; got none; a quoted cell may not run over "
      "lines");
  EXPECT_EQ(message("\"1\"2,3\n"),
            "csv: expected a separator after the quoted cell in line 1 of f; got \"2\"");
  EXPECT_EQ(message("a,b\n1,2\n", {.label_column = "c"}),
            "csv: expected the name of a column of f, or a number in 1 .. 2 (-1 is the last); got "
            "\"c\"; its columns are [a, b]");
  EXPECT_EQ(message("a,b\n1,2\n", {.drop_columns = {"3"}}),
            "csv: expected the name of a column of f, or a number in 1 .. 2 (-1 is the last); got "
            "\"3\"; its columns are [a, b]");
  EXPECT_EQ(message("a,b\n1,2\n", {.label_column = "a", .drop_columns = {"b"}}),
            "csv: expected a column of numbers in f; got 2 columns, all of them labels or dropped");
}

}  // namespace
}  // namespace clade::data
