// Unpacking gzip (RFC 1952) with zlib, in memory.
//
// The output has a limit, since a few kilobytes can unpack to gigabytes; zlib checks the CRC and
// the length of each member.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace clade::data {

inline constexpr size_t kUnpackLimit = size_t(4) << 30;  // bytes; MNIST's images unpack to 47 MB

bool is_gzip(std::string_view bytes);  // by the magic bytes 1f 8b

// All members, joined; zero bytes after the last one are ignored, as gzip does. `file` names the
// bytes in messages. Throws Error on bytes that are cut short, corrupt, followed by others, or that
// unpack to more than `limit`.
std::string gunzip(std::string_view packed, const std::string& file, size_t limit = kUnpackLimit);

// The bytes of a file, unpacked where they are gzip (whatever its name says).
std::string read_unpacked(const std::string& path);

}  // namespace clade::data
