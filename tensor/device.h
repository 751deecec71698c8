// Where a tensor's bytes live. Devices are explicit: nothing is copied between them unasked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace clade {

struct Device {
  // cuda_on_cpu: the CUDA kernels, run by the CPU as a GPU would (docs/cuda_on_cpu.md): for tests
  // and for study. A build has either cuda or cuda_on_cpu.
  enum class Kind : uint8_t { cpu, cuda, cuda_on_cpu };
  Kind kind = Kind::cpu;
  int8_t index = 0;  // which GPU; 0 for the CPU

  bool operator==(const Device&) const = default;
  constexpr bool is_cpu() const { return kind == Kind::cpu; }
  static constexpr Device cpu() { return {}; }
  static constexpr Device cuda(int index = 0) { return {Kind::cuda, static_cast<int8_t>(index)}; }
  static constexpr Device cuda_on_cpu() { return {Kind::cuda_on_cpu, 0}; }
};

inline void append(std::string& out, Device d) {
  switch (d.kind) {
    case Device::Kind::cpu: out.append("cpu"); break;
    case Device::Kind::cuda: out.append("cuda:").append(std::to_string(d.index)); break;
    case Device::Kind::cuda_on_cpu: out.append("cuda-on-cpu"); break;
  }
}

// "cpu", "cuda" or "cuda-on-cpu". Throws Error for other words.
Device device_named(std::string_view name);

// Where this build runs its CUDA kernels: cuda, or cuda_on_cpu where it was built without nvcc.
Device device_of_kernels();

// Returns if tensors can be made on `device`; else throws Error that says why and what to do: this
// build has no such device, there is no GPU, its driver is older than the toolkit.
void require_device(Device device);

}  // namespace clade
