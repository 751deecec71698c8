#include "data/readers/idx.h"

#include <cstring>

#include "data/readers/gzip.h"

namespace clade::data {
namespace {

// The big-endian number of type T at `bytes`.
template <class T>
T big_endian(const char* bytes) {
  char swapped[sizeof(T)];
  for (size_t i = 0; i < sizeof(T); i++) swapped[i] = bytes[sizeof(T) - 1 - i];
  T value;
  std::memcpy(&value, swapped, sizeof(T));
  return value;
}

// Elements of type From at `bytes` as a tensor of type To.
template <class From, class To = From>
Tensor elements(const char* bytes, const Shape& shape) {
  Tensor t = Tensor::empty(shape, dtype_of<To>);
  To* out = t.data<To>();
  for (int64_t i = 0; i < t.numel(); i++)
    out[i] = big_endian<From>(bytes + i * int64_t(sizeof(From)));
  return t;
}

size_t size_of_type(int type) {
  switch (type) {
    case 0x08:
    case 0x09: return 1;
    case 0x0b: return 2;
    case 0x0c:
    case 0x0d: return 4;
    case 0x0e: return 8;
  }
  return 0;
}

}  // namespace

Tensor parse_idx(std::string_view bytes, const std::string& file) {
  if (bytes.size() < 4 || bytes[0] != 0 || bytes[1] != 0)
    fail("idx", "the magic bytes 00 00 <type> <rank>",
         text(file, ", which ", bytes.size() < 4 ? "is too short" : "starts otherwise"));
  const int type = uint8_t(bytes[2]), rank = uint8_t(bytes[3]);
  const size_t item = size_of_type(type);
  if (item == 0) fail("idx", "type 8, 9, 11, 12, 13 or 14", text("type ", type, " in ", file));
  if (rank < 1 || rank > kMaxRank)
    fail("idx", text("1 to ", kMaxRank, " axes"), text(rank, " in ", file));
  const size_t header = 4 + 4 * size_t(rank);
  if (bytes.size() < header)
    fail("idx", text("a header of ", header, " bytes"), text(bytes.size(), " bytes in ", file),
         "the file is cut short: fetch it again");

  // The product is compared with what is there after each factor, so it cannot overflow.
  const size_t there = (bytes.size() - header) / item;
  int64_t sizes[kMaxRank];
  size_t count = 1;
  bool fits = true;
  for (int d = 0; d < rank; d++) {
    sizes[d] = big_endian<uint32_t>(bytes.data() + 4 + 4 * d);
    if (sizes[d] == 0) fail("idx", "sizes of 1 or more", text("0 for axis ", d, " of ", file));
    fits = fits && count <= there / size_t(sizes[d]);
    count *= fits ? size_t(sizes[d]) : 1;
  }
  if (!fits || bytes.size() != header + count * item)
    fail("idx",
         text("elements of ", item, " bytes that fill ", std::vector<int64_t>(sizes, sizes + rank)),
         text(bytes.size() - header, " bytes after the header of ", file), "fetch the file again");

  const Shape shape(sizes, rank);
  const char* first = bytes.data() + header;
  switch (type) {
    case 0x08: return elements<uint8_t>(first, shape);
    case 0x09: return elements<int8_t, int32_t>(first, shape);
    case 0x0b: return elements<int16_t, int32_t>(first, shape);
    case 0x0c: return elements<int32_t>(first, shape);
    case 0x0d: return elements<float>(first, shape);
    default: return elements<double>(first, shape);
  }
}

Tensor load_idx(const std::string& path) { return parse_idx(read_unpacked(path), path); }

}  // namespace clade::data
