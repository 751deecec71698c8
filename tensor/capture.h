// Capture: a piece of work on the GPU, recorded once as a CUDA graph and replayed many times.
//
//     Capture step;
//     step.record([&] { ... });          // kernels, copies and scratch memory; nothing runs yet
//     for (...) step.replay();
//
// A graph repeats what it was told, pointers and numbers alike. Numbers that change from step to
// step (the learning rate, Adam's step count, the place in a random stream) must therefore lie in
// device memory: whoever needs one asks the capture that is being recorded for a place there, and
// says how its value is made. All of them are made anew on the CPU, in the order in which they were
// asked for, and sent in one go before each replay, the first one among them.
//
// What is allocated while recording must be freed while recording, and nothing else; tensors that
// outlive the work are made before it, and live as long as the graph. Breaking this, and reading a
// value back (item(), copies to the CPU), is an Error.
#pragma once

#include <cstddef>
#include <vector>

#include "tensor/device_memory.h"

namespace clade {

class Capture {
 public:
  Capture() = default;
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  // Throws Error when the work does what cannot be recorded; then nothing is left of it.
  template <class Work>
  void record(Work&& work) {
    begin();
    try {
      work();
    } catch (...) {
      abandon();
      throw;
    }
    end();
  }
  bool recorded() const { return graph_ != nullptr; }
  // In the order of the current stream; is not waited for.
  void replay();

  // The capture that this thread is recording, or null.
  static Capture* current();
  // What device_allocate and device_deallocate tell it of this thread's memory.
  void allocated(void* block) { own_.push_back(block); }
  void freed(void* block);
  // A place of sizeof(T) bytes on the device, which holds make() whenever the work runs. Where
  // nothing of the value is needed on the device, on_replay() alone.
  template <class T, class Make>
  const T* number(Make make) {
    static_assert(sizeof(T) <= kMostBytes && alignof(T) <= 8);
    auto* source = new NumberOf<T, Make>(static_cast<Make&&>(make));
    return static_cast<const T*>(add(source, sizeof(T)));
  }
  template <class Act>
  void on_replay(Act act) {
    add(new ActOf<Act>(static_cast<Act&&>(act)), 0);
  }

 private:
  static constexpr size_t kMostBytes = 2048;  // of all numbers together

  struct Number {
    virtual ~Number() = default;
    virtual void write(void* to) = 0;
  };
  template <class T, class Make>
  struct NumberOf final : Number {
    Make make;
    explicit NumberOf(Make&& m) : make(static_cast<Make&&>(m)) {}
    void write(void* to) override { *static_cast<T*>(to) = make(); }
  };
  template <class Act>
  struct ActOf final : Number {
    Act act;
    explicit ActOf(Act&& a) : act(static_cast<Act&&>(a)) {}
    void write(void*) override { act(); }
  };
  struct Place {
    Number* number;
    size_t begin;
  };

  void begin();
  void end();
  void abandon();
  const void* add(Number* number, size_t bytes);

  std::vector<Place> places_;
  size_t used_ = 0;
  std::vector<void*> own_;  // what was allocated in the recording and not yet freed
  bool freed_others_ = false;
  void* numbers_ = nullptr;  // on the device
  CUstream_st* stream_ = nullptr;
  CUstream_st* outer_ = nullptr;  // the stream that was current before
  void* graph_ = nullptr;         // cudaGraphExec_t
};

}  // namespace clade
