#include "tensor/capture.h"

#include <algorithm>

#include "tensor/cuda.cuh"

namespace clade {
namespace {

thread_local Capture* recording = nullptr;

// Numbers travel as an argument of a kernel, which the launch copies: the next step may overwrite
// the CPU's copy at once, and nothing waits.
template <size_t Bytes>
struct Numbers {
  uint64_t word[Bytes / 8];
};

template <size_t Bytes>
__global__ void store_numbers(Numbers<Bytes> numbers, int words, uint64_t* to) {
  const int i = int(threadIdx.x);
  if (i < words) to[i] = numbers.word[i];
}

}  // namespace

Capture* Capture::current() { return recording; }

Capture::~Capture() {
  for (const Place& p : places_) delete p.number;
  if (graph_) cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph_));
  if (stream_) cudaStreamDestroy(stream_);
  device_deallocate(numbers_, current_stream());
}

void Capture::begin() {
  if (graph_ || stream_)
    fail("Capture::record", "a Capture that has recorded nothing", "a second record()");
  if (recording) fail("Capture::record", "one recording at a time", "a record() within another");
  outer_ = current_stream();
  numbers_ = device_allocate(kMostBytes, outer_);
  synchronize(outer_);
  check_cuda("Capture::record", cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
  check_cuda("Capture::record", cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal));
  recording = this;
  set_current_stream(stream_);
}

void Capture::freed(void* block) {
  const auto found = std::find(own_.begin(), own_.end(), block);
  found == own_.end() ? void(freed_others_ = true) : void(own_.erase(found));
}

void Capture::end() {
  const size_t left = own_.size();
  if (left > 0 || freed_others_) {
    abandon();
    fail("Capture::record", "work that frees what it allocates and nothing else",
         left > 0 ? text(left, " of its tensors left") : "a tensor of before it freed",
         "make tensors that outlive the work before it, and fill them with copy_()");
  }
  recording = nullptr;
  set_current_stream(outer_);
  cudaGraph_t graph = nullptr;
  check_cuda("Capture::record", cudaStreamEndCapture(stream_, &graph));
  cudaGraphExec_t ready = nullptr;
  const cudaError_t status = cudaGraphInstantiate(&ready, graph, 0);
  cudaGraphDestroy(graph);
  check_cuda("Capture::record", status);
  graph_ = ready;
}

void Capture::abandon() {
  recording = nullptr;
  set_current_stream(outer_);
  cudaGraph_t graph = nullptr;
  cudaStreamEndCapture(stream_, &graph);
  if (graph) cudaGraphDestroy(graph);
  cudaGetLastError();  // what the abandoned recording left behind
  for (const Place& p : places_) delete p.number;
  places_.clear();
  own_.clear();
  freed_others_ = false;
  used_ = 0;
  cudaStreamDestroy(stream_);
  stream_ = nullptr;
  device_deallocate(numbers_, outer_);
  numbers_ = nullptr;
}

const void* Capture::add(Number* number, size_t bytes) {
  const size_t begin = used_;
  if (begin + bytes > kMostBytes) {
    delete number;
    fail("Capture", text("at most ", kMostBytes, " bytes of numbers"), text(begin + bytes),
         "record a smaller step");
  }
  places_.push_back({number, begin});
  used_ = (begin + bytes + 7) / 8 * 8;
  return static_cast<const char*>(numbers_) + begin;
}

void Capture::replay() {
  if (!graph_) fail("Capture::replay", "a recorded piece of work", "none", "call record() first");
  Numbers<kMostBytes> now = {};
  for (const Place& p : places_) p.number->write(reinterpret_cast<char*>(now.word) + p.begin);
  CUstream_st* stream = current_stream();
  launch<store_numbers<kMostBytes>>(stream, {{1}, {unsigned(kMostBytes / 8)}}, now, int(used_ / 8),
                                    static_cast<uint64_t*>(numbers_));
  check_cuda("Capture::replay", cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph_), stream));
}

}  // namespace clade
