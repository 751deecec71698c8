// Times the training step of three well-known networks: forward, loss, backward, Adam.
#pragma once

#include <string>

#include "tensor/device.h"

namespace clade::apps {

struct TrainBench {
  // dense-ae  784-500-500-2000-10 and its mirror image, ReLU (the DEC family's)
  // cae       28 x 28: conv 5x5x32, 5x5x64, 3x3x128 of stride 2, code of 10, mirror image
  //           (Guo 2017)
  // conv-vae  32 x 32: the dynamic blocks, 32 filters in the first (P0)
  std::string model = "conv-vae";
  int64_t batch = 128;
  double seconds = 5;   // of measuring, at least 3 steps
  bool shapes = false;  // the table: a row for each shape of a kernel
  Device device = Device::cpu();
  bool captured = false;  // replay the step as one CUDA graph (optim/captured_step.h)
};

struct TrainResult {
  int64_t parameters = 0, steps = 0;
  double step_seconds = 0;  // the median
  // Bytes: between steps (weights, gradients, moments, one batch); after the forward pass, with all
  // that the backward pass needs, which is the least that the step can do with; the most at any
  // time.
  int64_t between = 0, after_forward = 0, peak = 0;
  std::string table;  // by kernel, of the measured steps
};

// Throws Error for an unknown model.
TrainResult bench_train(const TrainBench& options);

}  // namespace clade::apps
