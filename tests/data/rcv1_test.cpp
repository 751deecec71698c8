#include "data/readers/rcv1.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tensor/file.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"

namespace clade::data {
namespace {

constexpr const char* kTopics =
    "CCAT 1 1\nC15 1 1\nECAT 2 1\nGCAT 3 1\nMCAT 3 1\nMCAT 4 1\nM11 4 1\nGCAT 5 1\n";
constexpr const char* kFirst =
    ".I 1\n.W\noil oil price\nrise\n\n.I 2\n.W\nprice bank bank bank\n\n.I 3\n.W\noil war\n\n";
constexpr const char* kSecond = ".I 4\n.W\nbank rise rise rise\n\n.I 5\n.W\n\n.I 6\n.W\nwar\n\n";

std::string message(const std::string& tokens, const std::string& topics) {
  return clade::testing::message_of([&] { parse_rcv1({tokens}, topics, "F"); });
}

// Document 3 has two roots, 5 no words, 6 no root: 1, 2 and 4 are left.
TEST(Rcv1, WeighsTheDocumentsOfOneRoot) {
  const Dataset d = parse_rcv1({kFirst, kSecond}, kTopics, "F");
  EXPECT_EQ(d.columns, (std::vector<std::string>{"bank", "oil", "price", "rise"}));
  EXPECT_EQ(d.labels.ids().to_vector<int>(), (std::vector<int>{0, 1, 3}));
  EXPECT_EQ(d.labels.names()[3], "MCAT");
  // Document 1: oil twice, in 1 of 3 documents; price and rise once each, in 2.
  const double oil = (1 + std::log(2.0)) * (1 + std::log(4.0 / 2)), other = 1 + std::log(4.0 / 3);
  const double length = std::sqrt((oil * oil + 2 * other * other) / 4);
  EXPECT_EQ(d.values.at({0, 0}), 0);
  EXPECT_NEAR(d.values.at({0, 1}), oil / length, 1e-6);
  EXPECT_NEAR(d.values.at({0, 2}), other / length, 1e-6);
  for (int64_t i = 0; i < 3; i++) {
    double squares = 0;
    for (int64_t c = 0; c < 4; c++) squares += d.values.at({i, c}) * d.values.at({i, c});
    EXPECT_NEAR(squares, 4, 1e-5);  // as many as there are words
  }
}

TEST(Rcv1, KeepsTheMostFrequentWordsAndDrawsDocuments) {
  const Dataset d = parse_rcv1({kFirst, kSecond}, kTopics, "F", {.words = 2, .documents = 2});
  EXPECT_EQ(d.columns, (std::vector<std::string>{"bank", "rise"}));  // 4 times each; oil 2, price 2
  EXPECT_EQ(d.values.shape(), Shape({2, 2}));
  const Dataset again = parse_rcv1({kFirst, kSecond}, kTopics, "F", {.words = 2, .documents = 2});
  EXPECT_EQ(d.values.to_vector<float>(), again.values.to_vector<float>());
}

TEST(Rcv1, ReadsFilesInParts) {
  const clade::testing::TempDir dir;
  write_file_atomically(dir / "a", kFirst);
  write_file_atomically(dir / "b", kSecond);
  write_file_atomically(dir / "t", kTopics);
  const Dataset d = load_rcv1({dir / "a", dir / "b"}, dir / "t");
  EXPECT_EQ(d.values.to_vector<float>(),
            parse_rcv1({kFirst, kSecond}, kTopics, "F").values.to_vector<float>());
}

TEST(Rcv1, Malformed) {
  EXPECT_EQ(message(kFirst, "CCAT one 1\n"),
            "rcv1: expected a topic and the number of a document in line 1 of F; got 'CCAT'");
  EXPECT_EQ(message(".I x\n", kTopics),
            "rcv1: expected the number of a document after .I in line 1 of F; got ' x'");
  EXPECT_EQ(message("words\n", kTopics),
            "rcv1: expected .I, .W or words after them in line 1 of F; got 'words'");
  EXPECT_EQ(message("", kTopics),
            "rcv1: expected documents with one of CCAT, ECAT, GCAT, MCAT and with words in F; got "
            "none");
}

}  // namespace
}  // namespace clade::data
