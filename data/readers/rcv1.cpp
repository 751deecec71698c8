#include "data/readers/rcv1.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "data/readers/gzip.h"
#include "data/readers/scan.h"
#include "tensor/random.h"

namespace clade::data {
namespace {

constexpr std::string_view kRoots[] = {"CCAT", "ECAT", "GCAT", "MCAT"};

// The root of each document that has exactly one: 0 .. 3; kSeveral where it has more.
using Roots = std::unordered_map<int64_t, int>;
constexpr int kSeveral = -1;

Roots read_topics(std::string_view rest, const std::string& file) {
  Roots roots;
  for (int64_t line = 1; !rest.empty(); line++) {
    std::string_view words = take_line(rest);
    const std::string_view topic = take_word(words);
    if (topic.empty()) continue;
    const auto document = to_integer(take_word(words));
    if (!document)
      fail("rcv1", text("a topic and the number of a document in line ", line, " of ", file),
           text("'", topic, "'"));
    for (int root = 0; root < 4; root++)
      if (topic == kRoots[root]) {
        const auto [at, added] = roots.try_emplace(*document, root);
        if (!added && at->second != root) at->second = kSeveral;
      }
  }
  return roots;
}

// f(root, word) for each word, and g(root) at the end, of each document of one root with words.
template <class Word, class End>
void each_document(std::string_view rest, const Roots& roots, const std::string& file, Word f,
                   End g) {
  int root = kSeveral;
  bool in_words = false, any = false;
  auto end = [&] {
    if (root != kSeveral && any) g(root);
    any = false;
  };
  for (int64_t line = 1; !rest.empty(); line++) {
    std::string_view words = take_line(rest);
    if (words.starts_with(".I")) {
      end();
      words.remove_prefix(2);
      const auto document = to_integer(trimmed(words));
      if (!document)
        fail("rcv1", text("the number of a document after .I in line ", line, " of ", file),
             text("'", words.substr(0, 40), "'"));
      const auto found = roots.find(*document);
      root = found == roots.end() ? kSeveral : found->second;
      in_words = false;
    } else if (trimmed(words) == ".W") {
      in_words = true;
    } else if (!in_words && !trimmed(words).empty()) {
      fail("rcv1", text(".I, .W or words after them in line ", line, " of ", file),
           text("'", words.substr(0, 40), "'"));
    } else if (root != kSeveral) {
      for (auto word = take_word(words); !word.empty(); word = take_word(words)) {
        f(root, word);
        any = true;
      }
    }
  }
  end();
}

struct Word {
  int64_t count = 0, documents = 0, last = -1;  // last: the document that it was seen in last
};

struct Column {
  std::string word;
  int64_t count, documents;
};

// The most frequent words, in alphabetical order; ties go to the alphabet.
std::vector<Column> most_frequent(const std::map<std::string, Word, std::less<>>& words,
                                  int64_t most) {
  std::vector<Column> all;
  for (const auto& [word, w] : words) all.push_back({word, w.count, w.documents});
  std::stable_sort(all.begin(), all.end(),
                   [](const Column& a, const Column& b) { return a.count > b.count; });
  if (int64_t(all.size()) > most) all.resize(size_t(most));
  std::sort(all.begin(), all.end(),
            [](const Column& a, const Column& b) { return a.word < b.word; });
  return all;
}

}  // namespace

Dataset parse_rcv1(const std::vector<std::string_view>& tokens, std::string_view topics,
                   const std::string& file, const Rcv1Options& options) {
  const Roots roots = read_topics(topics, file);
  std::map<std::string, Word, std::less<>> words;
  int64_t documents = 0;
  for (std::string_view part : tokens)
    each_document(
        part, roots, file,
        [&](int, std::string_view word) {
          auto at = words.find(word);
          if (at == words.end()) at = words.emplace(word, Word()).first;
          at->second.count++;
          if (at->second.last != documents) at->second.documents++, at->second.last = documents;
        },
        [&](int) { documents++; });
  if (documents == 0)
    fail("rcv1", text("documents with one of CCAT, ECAT, GCAT, MCAT and with words in ", file),
         "none");

  const std::vector<Column> columns = most_frequent(words, options.words);
  std::map<std::string_view, int64_t> place;
  for (size_t c = 0; c < columns.size(); c++) place[columns[c].word] = int64_t(c);
  const int64_t d = int64_t(columns.size()), n = std::min(documents, options.documents);
  std::vector<bool> drawn(size_t(documents), false);
  Random rng(options.seed);
  const auto order = permutation(documents, rng).to_vector<int64_t>();
  for (int64_t i = 0; i < n; i++) drawn[size_t(order[size_t(i)])] = true;

  Dataset out;
  out.name = file;
  out.values = Tensor::zeros({n, d}, DType::f32);
  for (const Column& c : columns) out.columns.push_back(c.word);
  std::vector<int32_t> classes;
  std::vector<int64_t> counts(columns.size());
  int64_t document = 0;
  for (std::string_view part : tokens)
    each_document(
        part, roots, file,
        [&](int, std::string_view word) {
          if (const auto at = place.find(word); at != place.end()) counts[size_t(at->second)]++;
        },
        [&](int root) {
          if (drawn[size_t(document++)]) {
            float* row = out.values.data<float>() + int64_t(classes.size()) * d;
            double squares = 0;
            for (int64_t c = 0; c < d; c++) {
              const double count = double(counts[size_t(c)]);
              if (count == 0) continue;
              const double rarity =
                  std::log(double(1 + documents) / double(1 + columns[size_t(c)].documents));
              row[c] = float((1 + std::log(count)) * (1 + rarity));
              squares += double(row[c]) * double(row[c]);
            }
            if (squares > 0)
              for (int64_t c = 0; c < d; c++)
                row[c] = float(double(row[c]) * std::sqrt(double(d) / squares));
            classes.push_back(root);
          }
          std::fill(counts.begin(), counts.end(), 0);
        });
  out.labels = Labels(Tensor::from(classes, {n}), {"CCAT", "ECAT", "GCAT", "MCAT"});
  return out;
}

Dataset load_rcv1(const std::vector<std::string>& token_files, const std::string& topics_file,
                  const Rcv1Options& options) {
  std::vector<std::string> bytes;
  for (const std::string& file : token_files) bytes.push_back(read_unpacked(file));
  const std::string topics = read_unpacked(topics_file);
  return parse_rcv1({bytes.begin(), bytes.end()}, topics,
                    token_files.empty() ? topics_file : token_files[0], options);
}

}  // namespace clade::data
