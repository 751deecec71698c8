#include "models/run_identity.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>

#include "tensor/parallel.h"

namespace clade::models {
namespace {

constexpr const char* kDescription = "description";
constexpr const char* kData = "data";

// Over 64-bit words, then over the hashes of chunks of rows. The shift brings the high bits down: a
// product alone moves them only up, and the sign of every second float would cancel.
uint64_t hash_of(const Tensor& t) {
  auto joined = [](uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15;
    return hash ^ (hash >> 32);
  };
  constexpr uint64_t kStart = 0xcbf29ce484222325;
  const int64_t row = t.numel() / std::max<int64_t>(1, t.size(0));
  return parallel_reduce(
      t.size(0), std::max<int64_t>(1, (1 << 18) / std::max<int64_t>(1, row)), kStart,
      [&](int64_t begin, int64_t end) {
        const Tensor part = t.slice(0, begin, end).contiguous();
        const auto* bytes = reinterpret_cast<const char*>(part.data<float>());
        const size_t size = size_t(part.numel()) * sizeof(float);
        uint64_t hash = kStart, word = 0;
        for (size_t i = 0; i < size; i += sizeof word) {
          std::memcpy(&word, bytes + i, std::min(sizeof word, size - i));
          hash = joined(hash, word);
        }
        return hash;
      },
      joined);
}

}  // namespace

std::string fingerprint(const Tensor& values, const Tensor& mask) {
  uint64_t hash = hash_of(values);
  if (mask.defined()) hash ^= std::rotl(hash_of(mask), 1);
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return text(values.shape(), " ", digits);
}

std::vector<SafeTensors::Text> notes_of(const RunIdentity& run) {
  return {{kDescription, run.description}, {kData, run.data}};
}

void require_same_run(const SafeTensors& saved, const std::string& path, const RunIdentity& run) {
  auto require = [&](const char* key, const char* what, const std::string& now) {
    const std::string* before = saved.note(key);
    if (!before || *before != now)
      fail("resume",
           text("the ", what, " that ", path, " was started with, ",
                before ? *before : "which it does not name"),
           now, text("give the same ", what, ", or choose another --out"));
  };
  require(kDescription, "options", run.description);
  require(kData, "data", run.data);
}

}  // namespace clade::models
