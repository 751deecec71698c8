#include "data/readers/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "tensor/error.h"
#include "tensor/file.h"

namespace clade::data {
namespace {

struct Inflater {
  Inflater() {
    if (inflateInit2(&stream, MAX_WBITS + 16) != Z_OK)  // + 16: a gzip header, not a zlib one
      fail("gzip", "memory for zlib", "none");
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream stream{};
};

}  // namespace

bool is_gzip(std::string_view bytes) { return bytes.substr(0, 2) == "\x1f\x8b"; }

std::string gunzip(std::string_view packed, const std::string& file, size_t limit) {
  if (!is_gzip(packed)) fail("gzip", text("bytes 1f 8b at the start of ", file), "others");
  Inflater inflater;
  z_stream& z = inflater.stream;
  std::string out;
  std::vector<unsigned char> piece(1 << 18);
  while (true) {
    // zlib counts in 32 bits, so the input goes in by parts.
    const size_t part = std::min(packed.size(), size_t(1) << 30);
    z.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(packed.data()));
    z.avail_in = unsigned(part);
    z.next_out = piece.data();
    z.avail_out = unsigned(piece.size());
    const int status = inflate(&z, Z_NO_FLUSH);
    const size_t made = piece.size() - z.avail_out;
    packed.remove_prefix(part - z.avail_in);

    if (made > limit - out.size())
      fail("gzip", text("at most ", limit, " bytes unpacked from ", file), "more");
    out.append(reinterpret_cast<char*>(piece.data()), made);
    if (status == Z_STREAM_END) {
      if (packed.find_first_not_of('\0') == std::string_view::npos) return out;
      if (!is_gzip(packed))
        fail("gzip", text("nothing after the packed data of ", file),
             text(packed.size(), " more bytes"));
      inflateReset(&z);
    } else if (status == Z_BUF_ERROR || (status == Z_OK && packed.empty() && z.avail_out > 0)) {
      fail("gzip", text("the end of the packed data in ", file),
           text("the end of the file after ", out.size(), " unpacked bytes"),
           "the file is cut short: fetch it again");
    } else if (status != Z_OK) {
      fail("gzip", text("sound packed data in ", file),
           text(z.msg ? z.msg : "damage", " after ", out.size(), " unpacked bytes"),
           "fetch the file again");
    }
  }
}

std::string read_unpacked(const std::string& path) {
  std::string bytes = read_file(path);
  return is_gzip(bytes) ? gunzip(bytes, path) : bytes;
}

}  // namespace clade::data
