// Fibers: many stacks in one thread, and the switch between them.
//
// A CUDA thread that waits at a barrier must keep its registers and its stack while others run. On
// x86-64 the switch is 13 instructions (about 10 ns); elsewhere it is ucontext's, which calls the
// system twice and takes a microsecond.
#pragma once

#include <cstddef>

namespace clade::cuda_on_cpu {

// Bytes of a fiber's stack. Below each lies a page that nobody may touch: a kernel that needs more
// stops there.
constexpr size_t kStackBytes = 256 * 1024;

// Leaves the running stack, whose place is kept in *save, and goes on where `load` was left.
void switch_stack(void** save, void* load);
// What switch_stack must load to begin entry() on the stack of kStackBytes at `stack`. entry() must
// never return.
void* prepare_stack(char* stack, void (*entry)());

// All stacks lie in one range of addresses, so that what lies on a stack can be told from what does
// not. Stack i; i from 0 to 1024 (as many as a block has threads, at most).
char* stack_at(int i);
bool is_on_stack(const void* address);

}  // namespace clade::cuda_on_cpu
