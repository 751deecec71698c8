// NumPy's .npy files: one array, as np.save writes and np.load reads it.
//
//     6 bytes   "\x93NUMPY"
//     2 bytes   version: 1.0, 2.0 or 3.0
//     2 or 4    length of the header, little-endian (4 bytes from version 2.0 on)
//     header    {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }  padded with spaces
//     data      little-endian elements, the last axis fastest (the first, if fortran_order)
//
// Source: NumPy Enhancement Proposal 1 and numpy/lib/format.py.
#pragma once

#include <string>
#include <string_view>

#include "tensor/tensor.h"

namespace clade {

// A row-major tensor. <f4 <f8 <i4 <i8 |u1 keep their type, |b1 becomes u8; throws Error, with the
// file's name and what to do in NumPy, on any other type and on a file that is not sound.
Tensor load_npy(const std::string& path);
// Any layout is written in row-major order. Atomic: see tensor/file.h.
void save_npy(const std::string& path, const Tensor& t);

// The same in memory. `source` names the bytes in messages.
Tensor parse_npy(std::string_view bytes, std::string_view source = "bytes");
std::string format_npy(const Tensor& t);

}  // namespace clade
