// CapturedStep: a training step that a GPU repeats as one CUDA graph (tensor/capture.h).
//
//     Tensor x = ..., loss = Tensor::zeros({}, DType::f32, Layout::row_major, device);
//     CapturedStep step(device, [&] {
//       Var l = mean(squared_error(model(x), x));
//       arena.zero_grad();  backward(l);  adam.step();
//       loss.copy_(l.value());
//     });
//     for (...) { x.copy_(batch); step(); }
//
// The first call runs the body as it stands, so that libraries make what they need; the second
// records it; from then on a call is a few microseconds of the CPU's time. On the CPU the body is
// called each time. Either way the same bits come out.
//
// The body must do the same each time, on tensors that were made before it (fill them with copy_),
// read nothing back, and leave no tensor of its own behind. Adam's options may be changed between
// calls, and random numbers go on.
#pragma once

#include "tensor/capture.h"
#include "tensor/device.h"

namespace clade::optim {

template <class Body>
class CapturedStep {
 public:
  CapturedStep(Device device, Body body) : device_(device), body_(static_cast<Body&&>(body)) {}

  void operator()() {
    if (device_.is_cpu() || !warm_) {
      body_();
      warm_ = true;
      return;
    }
    if (!capture_.recorded()) capture_.record(body_);
    capture_.replay();
  }

 private:
  Device device_;
  Body body_;
  bool warm_ = false;
  Capture capture_;
};

}  // namespace clade::optim
