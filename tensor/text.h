// text(a, b, ...) joins values into one string: the project's way to build messages.
//
// It stands in place of <sstream>, which would cost every includer a quarter of a second. A type
// joins in by offering `void append(std::string&, const Type&)` in its own namespace.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace clade {

inline void append(std::string& out, std::string_view s) { out.append(s); }
inline void append(std::string& out, char c) { out.push_back(c); }
inline void append(std::string& out, bool b) { out.append(b ? "true" : "false"); }
inline void append(std::string& out, int v) { out.append(std::to_string(v)); }
inline void append(std::string& out, unsigned v) { out.append(std::to_string(v)); }
inline void append(std::string& out, long v) { out.append(std::to_string(v)); }
inline void append(std::string& out, unsigned long v) { out.append(std::to_string(v)); }
inline void append(std::string& out, long long v) { out.append(std::to_string(v)); }
inline void append(std::string& out, unsigned long long v) { out.append(std::to_string(v)); }
void append(std::string& out, double v);  // shortest form of at most 6 significant digits
inline void append(std::string& out, const char* s) { out.append(s); }
inline void append(std::string& out, const std::string& s) { out.append(s); }

template <class T>
void append(std::string& out, const std::vector<T>& values) {
  out.push_back('[');
  for (size_t i = 0; i < values.size(); i++) {
    if (i) out.append(", ");
    append(out, values[i]);
  }
  out.push_back(']');
}

template <class... Args>
std::string text(const Args&... args) {
  std::string out;
  (append(out, args), ...);
  return out;
}

}  // namespace clade
