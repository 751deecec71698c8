// IDX, the format of MNIST (http://yann.lecun.com/exdb/mnist/), plain or gzip.
//
//     00 00 type rank | rank sizes, big-endian u32 | elements, big-endian, last axis fastest
//
// type 08 u8, 09 i8, 0b i16, 0c i32, 0d f32, 0e f64. i8 and i16 are widened to i32.
#pragma once

#include <string>
#include <string_view>

#include "tensor/tensor.h"

namespace clade::data {

// `file` names the bytes in messages. The length must be exactly what the header says; nothing is
// allocated before that is known. Throws Error on anything else.
Tensor parse_idx(std::string_view bytes, const std::string& file);
Tensor load_idx(const std::string& path);

}  // namespace clade::data
