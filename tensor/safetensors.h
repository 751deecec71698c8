// safetensors: named tensors in one file, as PyTorch's `safetensors` package reads and writes them.
//
//     8 bytes   n, the length of the header, little-endian; at most 100 MB
//     n bytes   {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...,
//                "__metadata__": {"key": "text", ...}}   JSON, padded with spaces
//     the rest  row-major little-endian elements; offsets count from here. The tensors fill it
//               without holes or overlaps, each at a multiple of its element's size.
//
// Unlike a pickle such a file can do nothing but hold numbers. What is read is not trusted: a file
// that breaks a rule above is an Error that says which, before any memory is taken for it.
// Source: https://github.com/huggingface/safetensors, "Format".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace clade {

struct SafeTensors {
  struct Entry {
    std::string name;
    Tensor tensor;
  };
  struct Text {
    std::string key, value;
  };
  std::vector<Entry> tensors;  // in the order of the header
  std::vector<Text> metadata;

  void add(std::string name, const Tensor& t) { tensors.push_back({std::move(name), t}); }
  const Tensor* find(std::string_view name) const;  // null when there is none
  const Tensor& at(std::string_view name) const;  // Error, naming what there is, when there is none
  const std::string* note(std::string_view key) const;  // a value of the metadata, or null
};

// dtypes F32 F64 I32 I64 U8; any other is an Error that says what to do in PyTorch. The tensors are
// row-major copies.
SafeTensors load_safetensors(const std::string& path);
// Any layout is written in row-major order. Atomic: see tensor/file.h. Throws Error on a name that
// comes twice, is "__metadata__" or is not UTF-8, and on an undefined tensor.
void save_safetensors(const std::string& path, const SafeTensors& file);

// The same in memory. `source` names the bytes in messages.
SafeTensors parse_safetensors(std::string_view bytes, std::string_view source = "bytes");
std::string format_safetensors(const SafeTensors& file);

}  // namespace clade
