// Where a tensor's bytes live. Devices are explicit: nothing is copied between them unasked.
#pragma once

#include <cstdint>
#include <string>

namespace clade {

struct Device {
  enum class Kind : uint8_t { cpu, cuda };
  Kind kind = Kind::cpu;
  int8_t index = 0;  // which GPU; 0 for the CPU

  bool operator==(const Device&) const = default;
  bool is_cpu() const { return kind == Kind::cpu; }
  static Device cpu() { return {}; }
  static Device cuda(int index = 0) { return {Kind::cuda, static_cast<int8_t>(index)}; }
};

inline void append(std::string& out, Device d) {
  if (d.is_cpu()) {
    out.append("cpu");
  } else {
    out.append("cuda:").append(std::to_string(d.index));
  }
}

}  // namespace clade
