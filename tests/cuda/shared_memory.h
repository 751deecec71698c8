// What trial_device.h needs of the machine: memory that host and device share, runs, forbidden
// bytes.
#pragma once

#include <cstddef>

namespace clade::testing {

void* shared_allocate(size_t bytes);
void shared_deallocate(void* data);

// Between the two, kernels run; the order of threads follows the number of the run.
void begin_run(int run);
void end_run(int run);

// For AddressSanitizer, where it is in use.
void forbid_bytes(void* data, size_t bytes);
void allow_bytes(void* data, size_t bytes);

}  // namespace clade::testing
