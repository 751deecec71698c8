// Bytes as a web page takes them: base64 text and PNG images.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace clade::apps {

std::string base64(std::string_view bytes);

template <class T>
std::string base64(const std::vector<T>& values) {
  return base64(
      std::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
}

// channels 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA; pixels row by row, channels innermost.
std::string png(const std::vector<uint8_t>& pixels, int64_t width, int64_t height, int channels);

}  // namespace clade::apps
