#include "data/readers/jf.h"

#include "data/readers/gzip.h"
#include "data/readers/scan.h"

namespace clade::data {
namespace {

constexpr int64_t kMaxClasses = 1 << 16;  // a lying first line must not make us name millions

struct Header {
  int64_t classes, features;
};

Header parse_header(std::string_view line, const std::string& file) {
  const auto classes = to_integer(take_word(line)), features = to_integer(take_word(line));
  if (!classes || !features || !take_word(line).empty() || *classes < 1 || *features < 1 ||
      *classes > kMaxClasses)
    fail("jf", text("a first line of two numbers, classes (1 .. ", kMaxClasses, ") and features"),
         text("another in ", file));
  return {*classes, *features};
}

}  // namespace

Dataset parse_jf(std::string_view bytes, const std::string& file) {
  std::string_view rest = bytes;
  const Header header = parse_header(take_line(rest), file);
  std::vector<float> values;
  std::vector<int32_t> ids;
  int64_t number = 1;  // of the line
  for (bool ended = false; !ended;) {
    number++;
    const std::string where = text("line ", number, " of ", file);
    if (rest.empty())
      fail("jf", text("a last line of -1 in ", file), text("the end after ", ids.size(), " rows"),
           "the file is cut short: fetch it again");
    std::string_view line = take_line(rest);
    const std::string_view first = take_word(line);
    const auto label = to_integer(first);
    if (label == -1) {
      ended = true;
    } else if (!label || *label < 0 || *label >= header.classes) {
      fail("jf", text("a label in 0 .. ", header.classes - 1, ", or -1 to end"),
           text("\"", first, "\" in ", where));
    } else {
      for (int64_t i = 0; i < header.features; i++) {
        const std::string_view word = take_word(line);
        const auto value = to_number(word);
        if (!value)
          fail("jf", text(header.features, " finite numbers after the label in ", where),
               word.empty() ? text(i) : text("\"", word, "\""));
        values.push_back(*value);
      }
      ids.push_back(int32_t(*label));
    }
    if (!trimmed(line).empty())
      fail("jf", text("the end of ", where), text("\"", trimmed(line).substr(0, 20), "\""));
  }
  if (rest.find_first_not_of(" \t\r\n") != std::string_view::npos)
    fail("jf", text("nothing after the line -1 of ", file), text(rest.size(), " more bytes"));
  if (ids.empty()) fail("jf", text("one row or more in ", file), "none");

  std::vector<std::string> names;
  for (int64_t k = 0; k < header.classes; k++) names.push_back(std::to_string(k));
  Dataset d;
  d.name = file;
  const int64_t n = int64_t(ids.size());
  d.values = Tensor::from(values, {n, header.features});
  d.labels = Labels(Tensor::from(ids, {n}), names);
  return d;
}

Dataset load_jf(const std::string& path) { return parse_jf(read_unpacked(path), path); }

}  // namespace clade::data
