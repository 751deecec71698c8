#include "tensor/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "tensor/file.h"

namespace clade {
namespace {

// Its objects are maps: metadata may have many keys.
using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "elements go to the file as they are");

constexpr const char* kMetadata = "__metadata__";
constexpr uint64_t kMaxHeader = 100'000'000;  // the limit of the format's own reader

struct DTypeName {
  DType dtype;
  const char* name;
};
constexpr DTypeName kDTypes[] = {{DType::f32, "F32"},
                                 {DType::f64, "F64"},
                                 {DType::i32, "I32"},
                                 {DType::i64, "I64"},
                                 {DType::u8, "U8"}};

// How a name from a file stands in a message: in quotes, and cut when it is absurdly long.
std::string shown(const std::string& name) {
  return name.size() <= 100 ? text('"', name, '"') : text('"', name.substr(0, 100), "...\"");
}

// -- reading -------------------------------------------------------------------------------------

class Parser {
 public:
  Parser(std::string_view bytes, std::string_view source)
      : bytes_(bytes), op_(text("load_safetensors(", source, ")")) {}

  SafeTensors parse() {
    SafeTensors file;
    parse_header(file.metadata);
    check_spans();
    for (const Span& s : spans_) {
      Tensor t = Tensor::empty(s.shape, s.dtype);
      if (s.begin != s.end) std::memcpy(t.view().data, data_.data() + s.begin, s.end - s.begin);
      file.add(s.name, t);
    }
    return file;
  }

 private:
  struct Span {
    std::string name;
    DType dtype;
    Shape shape;
    uint64_t begin, end;  // bytes of data_
  };

  [[noreturn]] void refuse(std::string_view expected, std::string_view got,
                           std::string_view cure = "the file is damaged") const {
    fail(op_, expected, got, cure);
  }

  void parse_header(std::vector<SafeTensors::Text>& notes) {
    uint64_t length = 0;
    if (bytes_.size() < sizeof length)
      refuse("a header length of 8 bytes", text(bytes_.size(), " bytes"), "the file is cut short");
    std::memcpy(&length, bytes_.data(), sizeof length);
    if (length > kMaxHeader)
      refuse("a header of at most 100 MB", text(length, " bytes"), "is it a safetensors file?");
    if (length > bytes_.size() - sizeof length)
      refuse(text("a header of ", length, " bytes"), text(bytes_.size() - sizeof length, " bytes"),
             "the file is cut short");
    std::string_view header = bytes_.substr(sizeof length, length);
    data_ = bytes_.substr(sizeof length + length);
    if (!header.starts_with('{'))
      refuse("a header that begins with '{'", header.empty() ? "an empty one" : "something else",
             "is it a safetensors file?");
    if (header.find('\0') != header.npos)  // where the parser would take the text to end
      refuse("a header in JSON, padded with spaces", "a byte 0 in it");
    try {
      // Each entry is taken when it ends and not kept, since the parser then looks through all that
      // it has kept: that would be quadratic in the number of names.
      auto on_event = [&](int depth, Json::parse_event_t event, const Json& value) {
        using Event = Json::parse_event_t;
        check_event(depth, event, value);
        if (depth != 1 ||
            (event != Event::object_end && event != Event::array_end && event != Event::value))
          return true;
        if (name_ == kMetadata) {
          notes = metadata(value);
        } else {
          spans_.push_back(span_of(name_, value));
        }
        return false;
      };
      const Json nothing = Json::parse(header, on_event);
    } catch (const Json::exception& e) {
      refuse("a header in JSON", e.what());
    }
  }

  // Runs while the header is read. JSON itself lets a key come twice and the last one win; and
  // nesting or long arrays would take many times the memory of the text.
  void check_event(int depth, Json::parse_event_t event, const Json& value) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth > 2) refuse("tensors described by flat lists", "deeper nesting in the header");
      keys_[depth].clear();
      array_size_ = 0;
    } else if (event == Event::key) {
      auto key = value.get<std::string>();
      if (!keys_[depth - 1].insert(key).second)
        refuse("each name once", text(shown(key), " twice in the header"));
      if (depth == 1) {
        name_ = key;
      } else if (name_ == kMetadata) {
        note_keys_.push_back(key);
      }
    } else if (event == Event::value && depth == 3 && ++array_size_ > kMaxRank) {
      refuse(text("at most ", kMaxRank, " axes"), "a longer list in the header",
             "reshape the tensor in PyTorch");
    }
  }

  std::vector<SafeTensors::Text> metadata(const Json& entry) const {
    std::vector<SafeTensors::Text> result;
    if (!entry.is_object()) refuse("__metadata__ as an object", entry.type_name());
    for (const std::string& key : note_keys_) {
      const Json& value = entry[key];
      if (!value.is_string())
        refuse("texts in __metadata__", text(shown(key), " of type ", value.type_name()));
      result.push_back({key, value.get<std::string>()});
    }
    return result;
  }

  Span span_of(const std::string& name, const Json& entry) const {
    bool known = entry.is_object() && entry.size() == 3;
    for (const char* key : {"dtype", "shape", "data_offsets"}) known = known && entry.contains(key);
    if (!known || !entry["dtype"].is_string())
      refuse("dtype (a text), shape and data_offsets",
             text(shown(name), " without these or with others"));
    std::vector<uint64_t> sizes = numbers(name, entry["shape"]);
    std::vector<uint64_t> offsets = numbers(name, entry["data_offsets"]);
    if (offsets.size() != 2) refuse("two data_offsets", text(offsets.size(), " for ", shown(name)));

    Span s{name, dtype_named(name, entry["dtype"].get<std::string>()), {}, offsets[0], offsets[1]};
    if (s.begin > s.end || s.end > data_.size())
      refuse(text("data_offsets in order and up to ", data_.size(), ", the bytes of data"),
             text(offsets, " for ", shown(name)), "the file is damaged or cut short");
    if (s.begin % size_of(s.dtype) != 0)  // a reader that maps the file could not use it
      refuse(text("data_offsets at a multiple of the ", size_of(s.dtype), " bytes of ", s.dtype),
             text(s.begin, " for ", shown(name)), "write it with the safetensors package");
    uint64_t expected = size_of(s.dtype);
    for (uint64_t size : sizes) {
      if (__builtin_mul_overflow(expected, size, &expected)) expected = UINT64_MAX;
    }
    if (expected != s.end - s.begin)
      refuse(text("data_offsets that hold shape ", sizes, " of ", s.dtype),
             text(s.end - s.begin, " bytes for ", shown(name)));
    try {
      s.shape = Shape(std::vector<int64_t>(sizes.begin(), sizes.end()).data(), int(sizes.size()));
    } catch (const Error&) {  // Shape has the rule, but knows neither file nor tensor
      refuse("a shape of at most 2^60 elements", text(sizes, " for ", shown(name)));
    }
    return s;
  }

  std::vector<uint64_t> numbers(const std::string& name, const Json& list) const {
    std::vector<uint64_t> result;
    bool valid = list.is_array();
    for (size_t i = 0; valid && i < list.size(); i++) {
      valid = list[i].is_number_unsigned() && list[i].get<uint64_t>() <= INT64_MAX;
      if (valid) result.push_back(list[i].get<uint64_t>());
    }
    if (!valid)
      refuse("a list of whole numbers from 0 to 2^63 - 1", text("others for ", shown(name)));
    return result;
  }

  DType dtype_named(const std::string& name, const std::string& dtype) const {
    for (const DTypeName& d : kDTypes) {
      if (dtype == d.name) return d.dtype;
    }
    refuse("dtype F32, F64, I32, I64 or U8", text(shown(dtype), " for ", shown(name)),
           "convert it in PyTorch with t.to(torch.float32) or torch.int64");
  }

  // In the order of their offsets the tensors must follow on each other from 0 to the end.
  void check_spans() const {
    std::vector<const Span*> order;
    for (const Span& s : spans_) order.push_back(&s);
    std::sort(order.begin(), order.end(), [](const Span* a, const Span* b) {
      return a->begin != b->begin ? a->begin < b->begin : a->end < b->end;
    });
    uint64_t at = 0;
    for (const Span* s : order) {
      if (s->begin != at)
        refuse("tensors without holes or overlaps",
               text(shown(s->name), " at ", s->begin, " where ", at, " bytes are taken"));
      at = s->end;
    }
    if (at != data_.size())
      refuse(text(at, " bytes of data, as the header says"), text(data_.size(), " bytes"));
  }

  std::string_view bytes_, data_;
  std::string op_;
  std::set<std::string> keys_[3];       // seen in the open object of each depth
  std::string name_;                    // of the open entry
  std::vector<std::string> note_keys_;  // in the metadata, in their order
  int array_size_ = 0;
  std::vector<Span> spans_;
};

// -- writing -------------------------------------------------------------------------------------

// The data goes by falling element size, so that every tensor stands at a multiple of its own:
// readers that map the file need that. The header keeps the order of the list.
std::vector<size_t> data_order(const SafeTensors& file) {
  std::vector<size_t> order(file.tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return size_of(file.tensors[a].tensor.dtype()) > size_of(file.tensors[b].tensor.dtype());
  });
  return order;
}

uint64_t bytes_of(const Tensor& t) { return uint64_t(t.numel()) * size_of(t.dtype()); }

// Length and header, padded so that the data starts at a multiple of 8.
std::string head_of(const SafeTensors& file) {
  const char* op = "save_safetensors";
  std::vector<uint64_t> begin(file.tensors.size());
  uint64_t at = 0;
  for (size_t i : data_order(file)) {
    begin[i] = at;
    at += bytes_of(file.tensors[i].tensor);
  }

  using Ordered = nlohmann::ordered_json;
  std::string json = "{";
  auto add = [&](const std::string& key, const Ordered& value) {
    json += text(json.size() > 1 ? "," : "", Ordered(key).dump(), ":", value.dump());
  };
  std::set<std::string_view> keys, names;
  Ordered notes = Ordered::object();
  for (const SafeTensors::Text& entry : file.metadata) {
    if (!keys.insert(entry.key).second)
      fail(op, "each key of the metadata once", text(shown(entry.key), " twice"));
    notes[entry.key] = entry.value;
  }
  try {
    if (!notes.empty()) add(kMetadata, notes);
    for (size_t i = 0; i < file.tensors.size(); i++) {
      const auto& [name, t] = file.tensors[i];
      if (!t.defined()) fail(op, "defined tensors", text("an undefined one named ", shown(name)));
      if (name == kMetadata) fail(op, "a name for each tensor", shown(name), "rename it");
      if (!names.insert(name).second) fail(op, "each name once", text(shown(name), " twice"));
      const char* dtype = "";
      for (const DTypeName& d : kDTypes) {
        if (d.dtype == t.dtype()) dtype = d.name;
      }
      Shape shape = t.shape();
      add(name, {{"dtype", dtype},
                 {"shape", std::vector<int64_t>(shape.begin(), shape.end())},
                 {"data_offsets", {begin[i], begin[i] + bytes_of(t)}}});
    }
  } catch (const Json::exception& e) {
    fail(op, "names and metadata in UTF-8", e.what());
  }
  json.push_back('}');
  json.append((8 - json.size() % 8) % 8, ' ');
  uint64_t length = json.size();
  if (length > kMaxHeader)
    fail(op, "a header of at most 100 MB", text(length, " bytes"), "save fewer tensors a file");
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + json;
}

// Calls write(bytes) for the head, then for every tensor in the order of the data.
template <class Write>
void write_pieces(const SafeTensors& file, Write&& write) {
  write(std::string_view(head_of(file)));
  for (size_t i : data_order(file)) {
    Tensor t = file.tensors[i].tensor.to(Device::cpu()).contiguous();
    write(std::string_view(static_cast<const char*>(t.view().data), bytes_of(t)));
  }
}

}  // namespace

const Tensor* SafeTensors::find(std::string_view name) const {
  for (const Entry& e : tensors) {
    if (e.name == name) return &e.tensor;
  }
  return nullptr;
}

const Tensor& SafeTensors::at(std::string_view name) const {
  if (const Tensor* t = find(name)) return *t;
  std::string names;
  for (size_t i = 0; i < tensors.size() && i < 20; i++)
    names += text(i ? ", " : "", tensors[i].name);
  if (tensors.size() > 20) names += text(" and ", tensors.size() - 20, " more");
  fail("SafeTensors", text("a tensor named \"", name, "\""), names.empty() ? "none" : names);
}

const std::string* SafeTensors::note(std::string_view key) const {
  for (const Text& entry : metadata) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

SafeTensors parse_safetensors(std::string_view bytes, std::string_view source) {
  return Parser(bytes, source).parse();
}

std::string format_safetensors(const SafeTensors& file) {
  std::string bytes;
  write_pieces(file, [&](std::string_view piece) { bytes.append(piece); });
  return bytes;
}

SafeTensors load_safetensors(const std::string& path) {
  return parse_safetensors(read_file(path), text('"', path, '"'));
}

void save_safetensors(const std::string& path, const SafeTensors& file) {
  AtomicFile target(path);
  write_pieces(file, [&](std::string_view piece) { target.write(piece); });
  target.commit();
}

}  // namespace clade
