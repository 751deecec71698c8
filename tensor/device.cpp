#include "tensor/device.h"

#include "tensor/error.h"

namespace clade {

Device device_named(std::string_view name) {
  for (Device device : {Device::cpu(), Device::cuda(), Device::cuda_on_cpu()})
    if (name == (device.kind == Device::Kind::cuda ? "cuda" : text(device))) return device;
  fail("device", "cpu, cuda or cuda-on-cpu", text(name));
}

}  // namespace clade
