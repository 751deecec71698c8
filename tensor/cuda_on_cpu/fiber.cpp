#include "tensor/cuda_on_cpu/fiber.h"

#include <sys/mman.h>

#include <cstdint>

#include "tensor/error.h"

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace clade::cuda_on_cpu {
namespace {

constexpr size_t kGuardBytes = 64 * 1024;  // a page on any machine
constexpr int kStacks = 1025;

// Reserved once, for good; the system gives memory to what is touched.
char* arena() {
  static char* const memory = [] {
    const size_t bytes = kStacks * (kGuardBytes + kStackBytes);
    void* m = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m == MAP_FAILED)
      fail("cuda_on_cpu", text(bytes, " bytes of address space for stacks"), "none");
    for (int i = 0; i < kStacks; i++)
      mprotect(static_cast<char*>(m) + size_t(i) * (kGuardBytes + kStackBytes), kGuardBytes,
               PROT_NONE);
    return static_cast<char*>(m);
  }();
  return memory;
}

}  // namespace

char* stack_at(int i) { return arena() + size_t(i) * (kGuardBytes + kStackBytes) + kGuardBytes; }

bool is_on_stack(const void* address) {
  return uintptr_t(address) - uintptr_t(arena()) < kStacks * (kGuardBytes + kStackBytes);
}

#if defined(__x86_64__)

// The registers that a function must keep are pushed on the stack that is left and popped from the
// one that is entered; `ret` then goes on there. (System V calling convention.)
extern "C" void clade_switch_stack(void** save, void* load);
asm(R"(
.text
.globl clade_switch_stack
.type clade_switch_stack, @function
clade_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size clade_switch_stack, .-clade_switch_stack
)");

void switch_stack(void** save, void* load) { clade_switch_stack(save, load); }

void* prepare_stack(char* stack, void (*entry)()) {
  void** top = reinterpret_cast<void**>(stack + kStackBytes);
  *--top = nullptr;  // where entry() would return to; it also puts the stack on the odd 8 bytes
                     // that a function finds on entry
  *--top = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; i++) *--top = nullptr;  // the six registers
  return top;
}

#else

void switch_stack(void** save, void* load) {
  ucontext_t here;  // stays on the stack that is left
  *save = &here;
  swapcontext(&here, static_cast<ucontext_t*>(load));
}

void* prepare_stack(char* stack, void (*entry)()) {
  ucontext_t* start = reinterpret_cast<ucontext_t*>(stack);  // below all that entry() will use
  getcontext(start);
  start->uc_stack.ss_sp = stack + sizeof(ucontext_t);
  start->uc_stack.ss_size = kStackBytes - sizeof(ucontext_t);
  start->uc_link = nullptr;
  makecontext(start, entry, 0);
  return start;
}

#endif

}  // namespace clade::cuda_on_cpu
