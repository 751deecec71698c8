#include "tensor/npy.h"

#include "tests/fuzz/fuzz.h"

using namespace clade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::read(data, size, [](std::string_view bytes) {
    Tensor t = parse_npy(bytes);
    // What was read is written and read again as it was, bit for bit.
    std::string written = format_npy(t);
    Tensor again = parse_npy(written);
    fuzz::require(text(again) == text(t) && format_npy(again) == written);
  });
}

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  std::string matrix = format_npy(Tensor::from({1.5f, 2.5f}, {1, 2}));
  std::string fortran = matrix, second = matrix;
  fortran.replace(fortran.find("False"), 5, "True ");
  second[6] = 2;  // version 2.0 has four bytes of length
  second.insert(10, std::string(2, '\0'));
  return fuzz::sow(*argc, *argv,
                   {matrix, fortran, second, format_npy(Tensor::scalar(7, DType::i64)),
                    format_npy(Tensor::zeros({2, 0, 3}, DType::u8)),
                    "\x93NUMPY\1" + std::string("\0\x40\0", 3) +
                        "{'shape': (2L,), \"descr\": '|b1', 'fortran_order': False, }      \1\1"});
}
