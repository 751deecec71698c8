// The race checker: what CUDA says about the order of two accesses, checked for each of them.
//
// Kernels are compiled with -fsanitize=thread, which puts a call before every access to memory;
// this file is linked in place of the sanitizer's library and receives the calls. For every word of
// four bytes it keeps the last write and the last two readers. Two accesses to a word, one a write
// and not both atomic, are a race unless they are ordered:
//
//     the same thread                           in the order of the program
//     the same block                            when __syncthreads lies between them
//     the same warp                             when __syncwarp lies between them
//     different blocks                          never (in one launch)
//
// So the verdict does not depend on the order in which the threads happened to run. A shared word
// that is read before anybody wrote it in this block is reported too, and an address that is
// neither shared, nor the thread's own, nor from device memory: a pointer of the host.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <pthread.h>
#include <unistd.h>

#include "tensor/cuda_on_cpu/block.h"
#include "tensor/cuda_on_cpu/cuda_on_cpu.h"
#include "tensor/cuda_on_cpu/fiber.h"
#include "tensor/cuda_on_cpu/runtime.h"
#include "tensor/text.h"

extern "C" char __executable_start, __bss_start, _end;

namespace clade::cuda_on_cpu {
namespace {

struct Access {
  const void* code = nullptr;  // null: none yet
  uint32_t block, thread, barriers, warp_meetings;
  bool atomic;
};

struct Word {
  uintptr_t address = 0;
  uint32_t launch = 0;
  Access write, read[2];  // the readers are two different threads
};

enum class Space { own, shared, global, host };

constexpr size_t kWords = size_t{1} << 21;
std::vector<Word>& words() {
  static auto* table = new std::vector<Word>(kWords);
  return *table;
}

std::set<std::pair<const void*, const void*>> seen;  // each pair of lines is reported once
std::string found;
int findings = 0;

// "file.cu:12", by the debugging information.
std::string place_of(const void* code) {
  char program[4096] = {}, line[4096] = {};
  if (readlink("/proc/self/exe", program, sizeof program - 1) < 0) return "?";
  const size_t offset = size_t(static_cast<const char*>(code) - &__executable_start) - 1;
  char number[32];
  std::snprintf(number, sizeof number, " %#zx", offset);
  FILE* pipe = popen(text("addr2line -e '", program, "'", number).c_str(), "r");
  if (!pipe) return "?";
  const bool any = std::fgets(line, sizeof line, pipe) != nullptr;
  pclose(pipe);
  if (!any) return "?";
  std::string place = line;
  place = place.substr(0, place.find_first_of(" \n"));
  return place.substr(place.rfind('/') + 1);
}

void report(const std::string& what, const void* one, const void* other) {
  if (!seen.insert({one, other}).second) return;
  if (++findings <= 4) found += text(findings > 1 ? "; " : "", what);
}

std::string to_text(const char* verb, const Access& a) {
  return text(verb, " by thread ", a.thread, " of block ", a.block, " at ", place_of(a.code));
}

bool ordered(const Access& first, const Access& second) {
  if (first.block != second.block) return false;
  if (first.thread == second.thread || first.barriers != second.barriers) return true;
  return first.thread / 32 == second.thread / 32 && first.warp_meetings != second.warp_meetings;
}

// The stack of the thread that launches.
std::pair<uintptr_t, uintptr_t> main_stack() {
  pthread_attr_t attributes;
  void* bottom = nullptr;
  size_t bytes = 0;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &bottom, &bytes);
  pthread_attr_destroy(&attributes);
  return {uintptr_t(bottom), uintptr_t(bottom) + bytes};
}

template <class T>
bool lies_in(uintptr_t a, const T& object) {
  return a - uintptr_t(&object) < sizeof object;
}

Space space_of(uintptr_t a) {
  static const auto stack = main_stack();
  const void* address = reinterpret_cast<const void*>(a);
  if (is_on_stack(address) || (a >= stack.first && a < stack.second)) return Space::own;
  if (is_dynamic_shared(address)) return Space::shared;
  if (is_device_memory(address)) return Space::global;
  // Static variables that begin as zeros: __shared__ ones, and the built-in variables.
  if (a >= uintptr_t(&__bss_start) && a < uintptr_t(&_end)) {
    const bool builtin = lies_in(a, threadIdx) || lies_in(a, blockIdx) || lies_in(a, blockDim) ||
                         lies_in(a, gridDim);
    return builtin ? Space::own : Space::shared;
  }
  if (a >= uintptr_t(&__executable_start) && a < uintptr_t(&_end)) return Space::own;  // constants
  return Space::host;
}

Word& word_at(uintptr_t a) {
  std::vector<Word>& table = words();
  size_t i = (a >> 2) * 0x9E3779B97F4A7C15u >> 43;
  for (int tries = 0; tries < 64; tries++, i++) {
    Word& w = table[i % kWords];
    if (w.launch == now.launch && w.address != a) continue;
    if (w.launch != now.launch) w = Word{a, now.launch, {}, {}};
    return w;
  }
  Word& w = table[i % kWords];  // the table is full: what was known of another word is lost
  return w = Word{a, now.launch, {}, {}};
}

void check(const char* memory, const char* verb, const Access& before, const char* verb_now,
           const Access& access) {
  if (!before.code || (before.atomic && access.atomic) || ordered(before, access)) return;
  if (seen.count({before.code, access.code})) return;
  report(text("expected a barrier between two accesses to one word of ", memory,
              " memory; got a race: ", to_text(verb, before), ", ", to_text(verb_now, access)),
         before.code, access.code);
}

void touch_word(uintptr_t a, Space space, bool write, const Access& access) {
  Word& w = word_at(a);
  const char* memory = space == Space::shared ? "shared" : "global";
  if (space == Space::shared) {  // each block begins anew
    if (w.write.code && w.write.block != access.block) w.write.code = nullptr;
    for (Access& r : w.read)
      if (r.code && r.block != access.block) r.code = nullptr;
    if (!write && !w.write.code && !seen.count({access.code, nullptr}))
      report(text("expected shared memory that was written; got an uninitialised ",
                  to_text("read", access)),
             access.code, nullptr);
  }
  const char* verb = write ? "write" : "read";
  check(memory, "write", w.write, verb, access);
  if (write) {
    for (const Access& r : w.read) check(memory, "read", r, verb, access);
    w.write = access;
    return;
  }
  const bool is_first =
      w.read[0].code && w.read[0].thread == access.thread && w.read[0].block == access.block;
  if (!is_first) w.read[1] = w.read[0];
  w.read[0] = access;
}

void touch(const void* address, size_t bytes, bool write, const void* code, bool atomic) {
  const uintptr_t begin = uintptr_t(address);
  const Space space = space_of(begin);
  if (space == Space::own) return;
  const Access access{code, now.block, now.thread, now.barriers, now.warp_meetings, atomic};
  if (space == Space::host) {
    if (!seen.count({code, address}))
      report(text("expected an address in device memory; got one of the host: ",
                  to_text(write ? "write" : "read", access)),
             code, address);
    return;
  }
  for (uintptr_t a = begin & ~uintptr_t{3}; a < begin + bytes; a += 4)
    touch_word(a, space, write, access);
}

void launch_begins() {
  found.clear();
  findings = 0;
  seen.clear();
}

std::string launch_ends() {
  if (findings > 4) found += text("; and ", findings - 4, " more");
  return found;
}

const RaceChecker checker{launch_begins, launch_ends,
                          [](const void* address, size_t bytes, bool write, const void* code) {
                            touch(address, bytes, write, code, false);
                          }};
[[maybe_unused]] const bool registered = (race_checker = &checker, true);

void called(const volatile void* address, size_t bytes, bool write, const void* code,
            bool atomic = false) {
  if (now.in_kernel) touch(const_cast<const void*>(address), bytes, write, code, atomic);
}

}  // namespace
}  // namespace clade::cuda_on_cpu

// What the compilers call.
extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_atomic_thread_fence(int) {}

// clang-format off
#define CODE __builtin_return_address(0)
#define ACCESS(name, bytes, write) \
  void __tsan_##name(void* p) { clade::cuda_on_cpu::called(p, bytes, write, CODE); }
#define ACCESSES(n)                     \
  ACCESS(read##n, n, false)             \
  ACCESS(write##n, n, true)             \
  ACCESS(unaligned_read##n, n, false)   \
  ACCESS(unaligned_write##n, n, true)   \
  ACCESS(volatile_read##n, n, false)    \
  ACCESS(volatile_write##n, n, true)
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

void __tsan_read_range(void* p, size_t n) { clade::cuda_on_cpu::called(p, n, false, CODE); }
void __tsan_write_range(void* p, size_t n) { clade::cuda_on_cpu::called(p, n, true, CODE); }
void* __tsan_memcpy(void* to, const void* from, size_t n) {
  clade::cuda_on_cpu::called(from, n, false, CODE);
  clade::cuda_on_cpu::called(to, n, true, CODE);
  return std::memcpy(to, from, n);
}
void* __tsan_memmove(void* to, const void* from, size_t n) {
  clade::cuda_on_cpu::called(from, n, false, CODE);
  clade::cuda_on_cpu::called(to, n, true, CODE);
  return std::memmove(to, from, n);
}
void* __tsan_memset(void* to, int byte, size_t n) {
  clade::cuda_on_cpu::called(to, n, true, CODE);
  return std::memset(to, byte, n);
}

#define TOUCH(write) clade::cuda_on_cpu::called(p, sizeof *p, write, CODE, true)
#define ORDER __ATOMIC_SEQ_CST
#define FETCH(T, bits, op)                                      \
  T __tsan_atomic##bits##_fetch_##op(volatile T* p, T v, int) { \
    TOUCH(true);                                                \
    return __atomic_fetch_##op(p, v, ORDER);                    \
  }
#define COMPARE_EXCHANGE(T, bits, kind)                                                         \
  int __tsan_atomic##bits##_compare_exchange_##kind(volatile T* p, T* c, T v, int, int) {       \
    TOUCH(true);                                                                                \
    return __atomic_compare_exchange_n(p, c, v, 0, ORDER, ORDER);                               \
  }
#define ATOMICS(T, bits)                                                                        \
  T __tsan_atomic##bits##_load(const volatile T* p, int) {                                      \
    TOUCH(false);                                                                               \
    return __atomic_load_n(p, ORDER);                                                           \
  }                                                                                             \
  void __tsan_atomic##bits##_store(volatile T* p, T v, int) {                                   \
    TOUCH(true);                                                                                \
    __atomic_store_n(p, v, ORDER);                                                              \
  }                                                                                             \
  T __tsan_atomic##bits##_exchange(volatile T* p, T v, int) {                                   \
    TOUCH(true);                                                                                \
    return __atomic_exchange_n(p, v, ORDER);                                                    \
  }                                                                                             \
  T __tsan_atomic##bits##_compare_exchange_val(volatile T* p, T c, T v, int, int) {             \
    TOUCH(true);                                                                                \
    __atomic_compare_exchange_n(p, &c, v, 0, ORDER, ORDER);                                     \
    return c;                                                                                   \
  }                                                                                             \
  COMPARE_EXCHANGE(T, bits, strong)                                                             \
  COMPARE_EXCHANGE(T, bits, weak)                                                               \
  FETCH(T, bits, add)                                                                           \
  FETCH(T, bits, sub)                                                                           \
  FETCH(T, bits, and)                                                                           \
  FETCH(T, bits, or)                                                                            \
  FETCH(T, bits, xor)                                                                           \
  FETCH(T, bits, nand)
ATOMICS(uint8_t, 8)
ATOMICS(uint16_t, 16)
ATOMICS(uint32_t, 32)
ATOMICS(uint64_t, 64)
// clang-format on
}
