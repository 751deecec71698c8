#include "models/settings.h"

#include <cmath>
#include <cstdlib>

#include "tensor/error.h"

namespace clade::models {
namespace {

// The whole text as a number; NaN where it is none.
double as_number(const std::string& word) {
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  return word.empty() || *end ? std::nan("") : value;
}

bool is_among(const std::string& word, const std::string& list) {
  return !word.empty() && word.find(' ') == std::string::npos &&
         (" " + list + " ").find(" " + word + " ") != std::string::npos;
}

std::vector<std::string> split(const std::string& list, char at) {
  std::vector<std::string> out(1);
  for (char c : list) {
    if (c == at)
      out.emplace_back();
    else
      out.back().push_back(c);
  }
  return out;
}

bool fits(const Setting& s, const std::string& value) {
  switch (s.kind) {
    case Setting::Kind::words: return is_among(value, s.words);
    case Setting::Kind::sizes:
      for (const std::string& part : split(value, '-')) {
        const double size = as_number(part);
        if (!(size >= s.low && size <= s.high && size == std::floor(size))) return false;
      }
      return true;
    default:
      const double v = as_number(value);
      return std::isfinite(v) && v >= s.low && v <= s.high &&
             (s.kind == Setting::Kind::number || v == std::floor(v));
  }
}

std::string wanted(const Setting& s) {
  if (s.kind == Setting::Kind::words) return text("one of ", s.words);
  if (s.kind == Setting::Kind::sizes) return "sizes such as 500-500-2000";
  return text(
      s.kind == Setting::Kind::whole ? "a whole number" : "a number",
      s.high < 0x1p53 ? text(" from ", s.low, " to ", s.high) : text(" of at least ", s.low));
}

}  // namespace

std::vector<Setting> joined(std::vector<Setting> a, const std::vector<Setting>& b) {
  for (const Setting& setting : b) {
    bool replaced = false;
    for (Setting& old : a)
      if (std::string(old.name) == setting.name) old = setting, replaced = true;
    if (!replaced) a.push_back(setting);
  }
  return a;
}

Settings::Settings(std::string owner, const std::vector<Setting>& known)
    : owner_(std::move(owner)), known_(known) {
  for (const Setting& s : known_) values_.push_back(s.value);
}

bool Settings::knows(const std::string& name) const {
  for (const Setting& s : known_)
    if (name == s.name) return true;
  return false;
}

size_t Settings::find(const std::string& name) const {
  std::string names;
  for (size_t i = 0; i < known_.size(); i++) {
    if (name == known_[i].name) return i;
    names.append(i ? ", " : "").append(known_[i].name);
  }
  fail("--set", text("a setting of ", owner_, ": ", names.empty() ? "it has none" : names),
       text("'", name, "'"));
}

bool Settings::given(const std::string& name) const { return !values_[find(name)].empty(); }

void Settings::set(const std::string& name, const std::string& value) {
  const size_t i = find(name);
  if (!fits(known_[i], value))
    fail(text("--set ", name), wanted(known_[i]), text("'", value, "'"), known_[i].help);
  values_[i] = value;
}

void Settings::set_all(const std::string& list) {
  if (list.empty()) return;
  for (const std::string& pair : split(list, ',')) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos)
      fail("--set", "name=value, several separated by commas", text("'", pair, "'"));
    set(pair.substr(0, equals), pair.substr(equals + 1));
  }
}

void Settings::fill(const std::string& name, const std::string& value) {
  if (!given(name)) set(name, value);
}

const std::string& Settings::value(const std::string& name) const { return values_[find(name)]; }

double Settings::number(const std::string& name) const {
  const std::string& word = value(name);
  const double v = as_number(word);
  if (std::isnan(v)) fail(owner_, text("a number for ", name), text("'", word, "'"));
  return v;
}

int64_t Settings::whole(const std::string& name) const { return int64_t(number(name)); }

const std::string& Settings::word(const std::string& name) const {
  const std::string& word = value(name);
  if (word.empty()) fail(owner_, text("a value for ", name), "none");
  return word;
}

std::vector<int64_t> Settings::sizes(const std::string& name) const {
  std::vector<int64_t> out;
  for (const std::string& part : split(word(name), '-')) out.push_back(int64_t(as_number(part)));
  return out;
}

std::string Settings::list(const std::string& without) const {
  std::string out;
  for (size_t i = 0; i < known_.size(); i++)
    if (!values_[i].empty() && without != known_[i].name)
      out.append(out.empty() ? "" : ",").append(known_[i].name).append("=").append(values_[i]);
  return out;
}

}  // namespace clade::models
