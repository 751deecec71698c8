// Settings: what can be set of a system, by name, as text: --set update=140,gamma=0.1
//
// A system lists its settings once, each with its default, its bounds and a line of help; the
// command line, run.json, `clade systems` and the checkpoint's description all come from that list.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace clade::models {

struct Setting {
  enum class Kind : uint8_t { number, whole, words, sizes };
  const char* name;
  const char* value;  // the default; "": the system's recipe works it out from the data
  Kind kind;
  double low, high;   // of numbers
  const char* words;  // that it may be, separated by blanks
  const char* help;
};

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

inline Setting number(const char* name, const char* value, const char* help, double low = 0,
                      double high = kNoLimit) {
  return {name, value, Setting::Kind::number, low, high, "", help};
}
inline Setting whole(const char* name, const char* value, const char* help, double low = 1,
                     double high = 0x1p53) {
  return {name, value, Setting::Kind::whole, low, high, "", help};
}
inline Setting one_of(const char* name, const char* value, const char* words, const char* help) {
  return {name, value, Setting::Kind::words, 0, 0, words, help};
}
// "500-500-2000"
inline Setting sizes(const char* name, const char* value, const char* help) {
  return {name, value, Setting::Kind::sizes, 1, 1 << 20, "", help};
}

// a, then those of b; a setting of b replaces one of a that has its name.
std::vector<Setting> joined(std::vector<Setting> a, const std::vector<Setting>& b);

class Settings {
 public:
  Settings() = default;
  // `owner` is named in messages. Keeps a copy of the list.
  Settings(std::string owner, const std::vector<Setting>& known);

  bool knows(const std::string& name) const;
  bool given(const std::string& name) const;  // whether it has a value, its default counts
  // Throw Error on a name that is not in the list and on a value that does not fit.
  void set(const std::string& name, const std::string& value);
  void set_all(const std::string& list);  // "name=value,name=value"; "" sets nothing
  // For recipes: sets what has no value yet.
  void fill(const std::string& name, const std::string& value);

  // The value. Throw Error where it has none, or is of another kind.
  double number(const std::string& name) const;
  int64_t whole(const std::string& name) const;
  const std::string& word(const std::string& name) const;
  std::vector<int64_t> sizes(const std::string& name) const;

  // All that have a value, in the order of the list, as set_all() takes them; `without` one name.
  std::string list(const std::string& without = "") const;
  const std::vector<Setting>& known() const { return known_; }
  const std::string& value(const std::string& name) const;

 private:
  size_t find(const std::string& name) const;
  std::string owner_;
  std::vector<Setting> known_;
  std::vector<std::string> values_;
};

}  // namespace clade::models
