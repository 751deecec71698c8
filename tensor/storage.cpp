#include "tensor/storage.h"

#include "tensor/device_memory.h"

namespace clade {
namespace {

void* allocate_on(Device device, size_t bytes) {
  if (device.is_cpu()) return allocate(bytes);
  require_device(device);
  return device_allocate(bytes, current_stream());
}

}  // namespace

Storage::Storage(size_t bytes, Device device)
    : data_(allocate_on(device, bytes)), bytes_(bytes), device_(device) {}

Storage::~Storage() {
  device_.is_cpu() ? deallocate(data_, bytes_) : device_deallocate(data_, current_stream());
}

}  // namespace clade
