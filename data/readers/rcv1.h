// RCV1-v2 as Lewis et al. give it (JMLR 5, 2004, online appendices 8 and 12), plain or gzip:
//
//     .I 2286             lyrl2004_tokens_*.dat: the number of a document,
//     .W                  its stemmed words, on as many lines as they take,
//     recov recov excit   and an empty line
//
//     E11 2286 1          rcv1-v2.topics.qrels: topic, document, 1
//
// From it the "Reuters-10k" of the deep clustering papers, as the program of DEC makes it (Xie,
// Girshick, Farhadi, ICML 2016): the documents with exactly one of the roots CCAT, ECAT, GCAT,
// MCAT; of their words the most frequent; of word w in document i, with n_iw occurrences,
//
//     x_iw = (1 + ln n_iw) (1 + ln((1 + N) / (1 + df_w))),   rows to length sqrt(words)
//
// and of the N documents some, drawn by a seed of its own after N and df were counted on all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace clade::data {

struct Rcv1Options {
  int64_t words = 2000, documents = 10000;  // at most; fewer where there are fewer
  uint64_t seed = 0;
};

// A table (documents, words), columns named by the words, with the four roots as classes; rows in
// the order of the files. `file` names the bytes in messages. Throws Error, with the line, on bytes
// of another form, and when no document has one root and words.
Dataset parse_rcv1(const std::vector<std::string_view>& tokens, std::string_view topics,
                   const std::string& file, const Rcv1Options& options = {});
Dataset load_rcv1(const std::vector<std::string>& token_files, const std::string& topics_file,
                  const Rcv1Options& options = {});

}  // namespace clade::data
