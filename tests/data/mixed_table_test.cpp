#include "data/mixed_table.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace clade::data {
namespace {

using clade::testing::message_of;

const char* const kPeople =
    "name,age,smoker,colour,weight\n"
    "Ann,30,yes,red,61.5\n"
    "Bob,,no,blue,\n"
    "Cy,50,yes,red,80.25\n"
    "\"D, E\",40,?,green,70\n"
    "Eve,35,no,NA,72\n"
    "Fay,45,no,blue,66\n"
    "Gus,31,yes,green,64\n";

MixedTable people(const MixedOptions& options = {}) {
  return mixed_table(parse_csv_cells(kPeople, "people.csv"), options);
}

TEST(CsvCells, StandAsInTheFile) {
  const CsvCells c = parse_csv_cells(kPeople, "people.csv");
  EXPECT_TRUE(c.header);
  EXPECT_EQ(c.columns, (std::vector<std::string>{"name", "age", "smoker", "colour", "weight"}));
  EXPECT_EQ(c.rows.size(), 7u);
  EXPECT_EQ(c.rows[3][0], "D, E");
  EXPECT_EQ(csv_text(c), kPeople);
  const CsvCells bare = parse_csv_cells("1 2\n3 ?\n", "t");
  EXPECT_FALSE(bare.header);
  EXPECT_EQ(bare.columns[1], "2");
  EXPECT_EQ(csv_text(bare), "1 2\n3 ?\n");
  EXPECT_FALSE(parse_csv_cells("a,b\nc,d\n", "t").header);  // words all the way down
  const CsvCells odd = parse_csv_cells("x;y\n\"say \"\"so\"\"\";1\n", "t");
  EXPECT_EQ(odd.rows[0][0], "say \"so\"");
  EXPECT_EQ(csv_text(odd), "x;y\n\"say \"\"so\"\"\";1\n");
  EXPECT_EQ(message_of([] { parse_csv_cells("a,b\n1\n", "t"); }),
            "csv: expected 2 cells in line 2 of t, as in its first line; got 1");
}

TEST(MixedTable, KindsCodesAndHoles) {
  const MixedTable t = people();
  EXPECT_EQ(t.columns[0].kind, ColumnKind::left_out);  // seven different names
  EXPECT_EQ(t.columns[1].kind, ColumnKind::real);
  EXPECT_EQ(t.columns[2].kind, ColumnKind::binary);
  EXPECT_EQ(t.columns[3].kind, ColumnKind::categorical);
  EXPECT_EQ(t.columns[3].words, (std::vector<std::string>{"blue", "green", "red"}));
  EXPECT_EQ(t.reals, 2);
  EXPECT_EQ(t.binaries, 1);
  EXPECT_EQ(t.categories, (std::vector<int64_t>{3}));
  EXPECT_EQ(t.missing, 4);
  EXPECT_EQ(text(t.values.shape()), "[7, 6]");
  // Bob: age and weight missing, no, blue
  EXPECT_EQ(t.values.select(0, 1).to_vector<float>(), (std::vector<float>{0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(t.mask.select(0, 1).to_vector<float>(), (std::vector<float>{0, 0, 1, 1, 1, 1}));
  EXPECT_EQ(t.mask.select(0, 4).to_vector<float>(), (std::vector<float>{1, 1, 1, 0, 0, 0}));
  double mean = 0;
  for (double v : t.values.select(1, 0).to_vector<double>()) mean += v;
  EXPECT_NEAR(mean, 0, 1e-5);  // standardised; Bob's 0 is the mean
}

TEST(MixedTable, FillsHolesAndNothingElse) {
  const MixedTable t = people();
  Tensor code = t.values.clone();
  code.data<float>()[6] = 100;           // Bob's age: far out
  code.data<float>()[6 + 1] = 0.1f;      // his weight
  code.data<float>()[3 * 6 + 2] = 0.7f;  // D, E smokes
  code.data<float>()[4 * 6 + 4] = 0.6f;  // Eve likes green
  code.data<float>()[0] = -3;            // observed: stays
  const CsvCells out = filled(t, code);
  EXPECT_EQ(out.rows[0][1], "30");
  EXPECT_EQ(out.rows[1][1], "50");  // whole, and no more than was seen
  const double weight = std::stod(out.rows[1][4]);
  EXPECT_GT(weight, 69);
  EXPECT_LT(weight, 70);
  EXPECT_EQ(out.rows[3][2], "yes");
  EXPECT_EQ(out.rows[4][3], "green");
  EXPECT_EQ(out.rows[3][0], "D, E");
  EXPECT_THROW(filled(t, Tensor::zeros({7, 5})), Error);
}

TEST(MixedTable, ColumnsMayBeToldApart) {
  const MixedTable t = people({.categorical = {"age"}, .left_out = {"-1"}});
  EXPECT_EQ(t.columns[1].kind, ColumnKind::categorical);
  EXPECT_EQ(t.columns[4].kind, ColumnKind::left_out);
  EXPECT_EQ(t.missing, 3);
  EXPECT_NE(
      message_of([] { people({.categorical = {}, .left_out = {"height"}}); }).find("\"height\""),
      std::string::npos);
  EXPECT_EQ(message_of([] { mixed_table(parse_csv_cells("a,b\n7,x\n7,y\n7,z\n", "t")); }),
            "table: expected a column of numbers, of two values or of few words; got none among 2 "
            "columns");
}

}  // namespace
}  // namespace clade::data
