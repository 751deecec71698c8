#include "tensor/npy.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "tensor/file.h"

namespace clade {
namespace {

static_assert(std::endian::native == std::endian::little, "elements go to the file as they are");

constexpr std::string_view kMagic = "\x93NUMPY";

// -- reading -------------------------------------------------------------------------------------

struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

// Reads the header: a Python dictionary of three known keys, in any order.
class HeaderParser {
 public:
  HeaderParser(std::string_view header, std::string_view op) : rest_(header), op_(op) {}

  Header parse() {
    Header h;
    bool descr = false, order = false, shape = false;
    expect('{');
    while (!accept('}')) {
      std::string key = quoted();
      expect(':');
      if (key == "descr" && !descr) {
        descr = true;
        if (peek() == '[')
          refuse("one element type", "a structured array", "save its fields one by one");
        h.descr = quoted();
      } else if (key == "fortran_order" && !order) {
        order = true;
        h.fortran_order = boolean();
      } else if (key == "shape" && !shape) {
        shape = true;
        h.shape = tuple();
      } else {
        refuse("'descr', 'fortran_order' and 'shape', once each", text("key '", key, "'"));
      }
      if (!accept(',') && peek() != '}') refuse_here("',' or '}'");
    }
    peek();
    if (!rest_.empty()) refuse_here("nothing after '}'");  // but spaces
    const char* missing = !descr ? "descr" : !order ? "fortran_order" : !shape ? "shape" : nullptr;
    if (missing)
      refuse("'descr', 'fortran_order' and 'shape'", text("a header without '", missing, "'"));
    return h;
  }

 private:
  [[noreturn]] void refuse(std::string_view expected, std::string_view got,
                           std::string_view cure = "the file is damaged") {
    fail(op_, expected, got, cure);
  }
  [[noreturn]] void refuse_here(std::string_view expected) {
    refuse(text(expected, " in the header"),
           rest_.empty() ? "its end" : text("'", printable(rest_[0]), "'"));
  }
  static std::string printable(char c) {
    return c >= ' ' && c <= '~' ? std::string(1, c) : text("byte ", int(uint8_t(c)));
  }

  // The next character that is not space; 0 at the end.
  char peek() {
    size_t start = rest_.find_first_not_of(" \t\n");
    rest_.remove_prefix(start == rest_.npos ? rest_.size() : start);
    return rest_.empty() ? '\0' : rest_[0];
  }
  bool accept(char c) {
    if (rest_.empty() || peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) refuse_here(text("'", c, "'"));
  }

  std::string quoted() {
    char quote = peek();
    if (quote != '\'' && quote != '"') refuse_here("a quoted word");
    size_t end = rest_.find(quote, 1);
    if (end == rest_.npos || end > 64) refuse_here("a short quoted word");
    std::string word(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return word;
  }

  bool boolean() {
    peek();
    for (std::string_view word : {"True", "False"}) {
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return word == "True";
    }
    refuse_here("True or False");
  }

  std::vector<int64_t> tuple() {
    std::vector<int64_t> sizes;
    bool comma = false;
    expect('(');
    while (!accept(')')) {
      if (sizes.size() == kMaxRank)
        refuse(text("at most ", kMaxRank, " axes"), "more", "reshape the array in NumPy");
      sizes.push_back(number());
      comma = accept(',');
      if (!comma && peek() != ')') refuse_here("',' or ')'");
    }
    if (sizes.size() == 1 && !comma)  // to Python a number in brackets
      refuse("a tuple for 'shape'", text("(", sizes[0], ")"));
    return sizes;
  }

  int64_t number() {
    int64_t value = 0;
    char digit = peek();
    if (digit < '0' || digit > '9') refuse_here("a size");
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; rest_.remove_prefix(1)) {
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, rest_[0] - '0', &value))
        refuse("sizes below 2^63", "a greater one");
    }
    if (rest_.starts_with('L')) rest_.remove_prefix(1);  // a long of Python 2
    return value;
  }

  std::string_view rest_, op_;
};

DType dtype_of_descr(std::string_view descr, std::string_view op) {
  if (descr == "<f4") return DType::f32;
  if (descr == "<f8") return DType::f64;
  if (descr == "<i4") return DType::i32;
  if (descr == "<i8") return DType::i64;
  if (descr == "|u1" || descr == "|b1") return DType::u8;
  const char* cure = "save it in NumPy with a.astype('<f4') or '<i8'";
  if (descr.starts_with('>'))
    fail(op, "little-endian elements", text("big-endian '", descr, "'"), cure);
  fail(op, "elements of type <f4, <f8, <i4, <i8, |u1 or |b1", text("'", descr, "'"), cure);
}

// Shape has the rule, but does not know the file.
Shape shape_of(const std::vector<int64_t>& sizes, std::string_view op) {
  try {
    return Shape(sizes.data(), int(sizes.size()));
  } catch (const Error&) {
    fail(op, "a shape of at most 2^60 elements", text(sizes), "the file is damaged");
  }
}

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return value;
}

constexpr size_t kMostHead = 1 << 20;  // bytes before the data; NumPy refuses more than 10,000

// What stands before the data.
struct Head {
  DType dtype = DType::f32;
  Shape shape;  // of the data as it lies: the last axis fastest
  bool fortran_order = false;
  size_t size = 0;  // bytes
};

// start: the first bytes of a file of `bytes`, kMostHead of them or all. Checked before anything is
// allocated: the file itself bounds the memory taken.
Head parse_head(std::string_view start, uint64_t bytes, std::string_view op) {
  if (!start.starts_with(kMagic) || start.size() < 8)
    fail(op, "a .npy file (it begins with \\x93NUMPY)",
         start.starts_with("PK") ? "a zip archive" : text(bytes, " bytes of something else"),
         start.starts_with("PK") ? "it may be an .npz: save its arrays with np.save" : "");
  const int major = uint8_t(start[6]), minor = uint8_t(start[7]);
  if (major < 1 || major > 3 || minor != 0)
    fail(op, "version 1.0, 2.0 or 3.0", text("version ", major, ".", minor));

  const size_t length_bytes = major == 1 ? 2 : 4, before = 8 + length_bytes;
  if (start.size() < before) fail(op, "a header", "the end of the file", "the file is cut short");
  const uint64_t length = little_endian(start.substr(8, length_bytes));
  if (length > bytes - before)
    fail(op, text("a header of ", length, " bytes"), text(bytes - before, " bytes"),
         "the file is cut short");
  if (length > start.size() - before)
    fail(op, text("a header below ", kMostHead, " bytes"), text(length), "the file is damaged");

  Header h = HeaderParser(start.substr(before, length), op).parse();
  Head head;
  head.dtype = dtype_of_descr(h.descr, op);
  head.fortran_order = h.fortran_order;
  head.size = before + length;
  const uint64_t expected = uint64_t(shape_of(h.shape, op).numel()) * size_of(head.dtype);
  if (bytes - head.size != expected)
    fail(op, text(expected, " bytes for shape ", h.shape, " of '", h.descr, "'"),
         text(bytes - head.size, " bytes"),
         bytes - head.size < expected ? "the file is cut short" : "save one array a file");
  if (h.fortran_order) std::reverse(h.shape.begin(), h.shape.end());
  head.shape = shape_of(h.shape, op);
  return head;
}

// t: the data as it lies.
Tensor in_order(Tensor t, bool fortran_order) {
  if (fortran_order)
    for (int d = 0; d < t.rank() / 2; d++) t = t.transpose(d, t.rank() - 1 - d);
  return t.contiguous();
}

// -- writing -------------------------------------------------------------------------------------

const char* descr_of(DType t) {
  switch (t) {
    case DType::f32: return "<f4";
    case DType::f64: return "<f8";
    case DType::i32: return "<i4";
    case DType::i64: return "<i8";
    case DType::u8: return "|u1";
  }
  return "";
}

// Magic, version, length and header, padded so that the data starts at a multiple of 64. Six axes
// fit well into the 65535 bytes of version 1.0.
std::string head_of(const Tensor& t) {
  std::string shape;
  for (int64_t size : t.shape()) shape += text(shape.empty() ? "" : ", ", size);
  if (t.rank() == 1) shape += ',';  // (3,) is a tuple in Python, (3) is not
  std::string header = text("{'descr': '", descr_of(t.dtype()),
                            "', 'fortran_order': False, 'shape': (", shape, "), }");
  size_t before = kMagic.size() + 4;
  size_t padding = 63 - (before + header.size()) % 64;
  header.append(padding, ' ').push_back('\n');

  std::string head(kMagic);
  head.append({'\1', '\0', char(header.size() & 255), char(header.size() >> 8)});
  return head + header;
}

std::string_view data_of(const Tensor& row_major) {
  return {static_cast<const char*>(row_major.view().data),
          size_t(row_major.numel()) * size_of(row_major.dtype())};
}

void require_defined(const Tensor& t) {
  if (!t.defined()) fail("save_npy", "a tensor", text(t));
}

}  // namespace

Tensor parse_npy(std::string_view bytes, std::string_view source) {
  const Head head =
      parse_head(bytes.substr(0, kMostHead), bytes.size(), text("load_npy(", source, ")"));
  Tensor t = Tensor::empty(head.shape, head.dtype);
  if (t.numel() > 0) std::memcpy(t.view().data, bytes.data() + head.size, bytes.size() - head.size);
  return in_order(t, head.fortran_order);
}

std::string format_npy(const Tensor& t) {
  require_defined(t);
  Tensor row_major = t.contiguous();
  return head_of(t).append(data_of(row_major));
}

Tensor load_npy(const std::string& path) {
  InputFile file(path);
  const std::string source = text('"', path, '"'), op = text("load_npy(", source, ")");
  if (!file.is_regular()) return parse_npy(file.rest(), source);
  std::string start(std::min<uint64_t>(file.size(), kMostHead), '\0');
  auto changed = [&] {
    fail(op, text(file.size(), " bytes"), "an earlier end", "it changes while it is read");
  };
  if (file.read(start.data(), start.size()) != start.size()) changed();
  const Head head = parse_head(start, file.size(), op);
  Tensor t = Tensor::empty(head.shape, head.dtype);
  const size_t bytes = size_t(t.numel()) * size_of(t.dtype());
  const size_t here = std::min(bytes, start.size() - head.size);
  char* data = static_cast<char*>(t.view().data);
  if (here > 0) std::memcpy(data, start.data() + head.size, here);
  if (here + file.read(data + here, bytes - here) != bytes) changed();
  return in_order(t, head.fortran_order);
}

void save_npy(const std::string& path, const Tensor& t) {
  require_defined(t);
  Tensor row_major = t.contiguous();
  AtomicFile file(path);
  file.write(head_of(t));
  file.write(data_of(row_major));
  file.commit();
}

}  // namespace clade
