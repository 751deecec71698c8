#include "tensor/safetensors.h"

#include "tests/fuzz/fuzz.h"

using namespace clade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::read(data, size, [](std::string_view bytes) {
    SafeTensors file = parse_safetensors(bytes);
    // What was read is written and read again as it was, bit for bit.
    std::string written = format_safetensors(file);
    SafeTensors again = parse_safetensors(written);
    fuzz::require(again.tensors.size() == file.tensors.size());
    for (size_t i = 0; i < file.tensors.size(); i++) {
      fuzz::require(again.tensors[i].name == file.tensors[i].name);
      fuzz::require(text(again.tensors[i].tensor) == text(file.tensors[i].tensor));
    }
    fuzz::require(format_safetensors(again) == written);
  });
}

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  SafeTensors all;
  all.add("weight", Tensor::from({1.5f, 2.5f}, {1, 2}));
  all.add("mask", Tensor::full({3}, 1, DType::u8));
  all.add("steps", Tensor::scalar(7, DType::i64));
  all.add("none", Tensor::zeros({0, 2}, DType::f64));
  all.metadata = {{"format", "pt"}};
  SafeTensors one;
  one.add("", Tensor::zeros({1}, DType::i32));
  return fuzz::sow(*argc, *argv,
                   {format_safetensors({}), format_safetensors(one), format_safetensors(all)});
}
