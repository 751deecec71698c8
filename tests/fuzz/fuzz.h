// How a reader is fuzzed: whatever the bytes, it reads them or throws clade::Error.
//
// A file <reader>_fuzz.cpp in this folder becomes the program fuzz_<reader>; it holds
//
//     extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
//       return clade::fuzz::read(data, size, [](std::string_view bytes) { parse_npy(bytes); });
//     }
//     extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {  // optional
//       return clade::fuzz::sow(*argc, *argv, {seeds, such as small sound files});
//     }
//
// Any other exception, a sanitizer's report or a failed require() ends the program: a finding.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/error.h"
#include "tensor/file.h"

namespace clade::fuzz {

template <class Reader>
int read(const uint8_t* data, size_t size, Reader&& reader) {
  try {
    reader(std::string_view(reinterpret_cast<const char*>(data), size));
  } catch (const Error&) {
    // refused, as it should be
  }
  return 0;
}

// A property of what was read; exceptions would be taken for a refusal.
inline void require(bool holds) {
  if (!holds) std::abort();
}

// Writes the seeds into the first folder on the command line, where libFuzzer then finds them.
inline int sow(int argc, char** argv, const std::vector<std::string>& seeds) {
  for (int i = 1; i < argc; i++) {
    if (argv[i][0] == '-') continue;
    for (size_t k = 0; k < seeds.size(); k++)
      write_file_atomically(text(argv[i], "/seed_", k), seeds[k]);
    break;
  }
  return 0;
}

}  // namespace clade::fuzz
