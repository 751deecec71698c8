// What a PNG or JPEG must fulfil before stb_image sees it.
//
// stb_image is good at sound files, but believes the others too much: it asks for as much memory as
// a header names, and up to version 2.27 (that of Debian 12) it writes past its tables where a JPEG
// defines a Huffman table of more than 256 codes. So the parts are walked first, which is cheap:
//
//     PNG    89 "PNG" 0d 0a 1a 0a | chunks: length u32, type, data, CRC u32 | ... | IEND
//     JPEG   ff d8 | segments: ff, marker, length u16 that counts itself, data | ...
//            ff da, a segment, then entropy-coded bytes, where ff is followed by 00 or by a restart
//            marker d0 .. d7 | segments or further scans | ... | ff d9
//
// Numbers are big-endian. Both throw Error, naming `file`; what they let pass may still be unsound.
#pragma once

#include <string>
#include <string_view>

namespace clade::data {

// Every chunk ends within the bytes, and these could unpack to as many pixels as IHDR says.
void check_png(std::string_view bytes, const std::string& file);

// Every Huffman table has at most 256 codes, and the bytes could hold the pixels of the frame.
void check_jpeg(std::string_view bytes, const std::string& file);

}  // namespace clade::data
