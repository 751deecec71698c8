// oneDNN's direct convolution, a pass of one shape: the peer that `clade bench kernels` is held
// against. Every tensor in the layout that oneDNN likes best; reorders are not timed.
//
//     onednn_conv forward|input|weight  N C O side kernel stride padding  seconds
//
// prints the median milliseconds. Built by bench/peers/run.py; threads by OMP_NUM_THREADS.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <dnnl.hpp>
#include <string>
#include <unordered_map>
#include <vector>

int main(int argc, char** argv) {
  using namespace dnnl;
  if (argc != 10) return std::fprintf(stderr, "onednn_conv: expected 9 arguments\n"), 2;
  const std::string pass = argv[1];
  const memory::dim N = std::atoi(argv[2]), C = std::atoi(argv[3]), O = std::atoi(argv[4]),
                    side = std::atoi(argv[5]), K = std::atoi(argv[6]), stride = std::atoi(argv[7]),
                    padding = std::atoi(argv[8]);
  const double seconds = std::atof(argv[9]);
  const memory::dim out = (side + 2 * padding - K) / stride + 1;
  engine cpu(engine::kind::cpu, 0);
  stream queue(cpu);
  auto any = [](const memory::dims& d) {
    return memory::desc(d, memory::data_type::f32, memory::format_tag::any);
  };
  memory::desc x = any({N, C, side, side}), w = any({O, C, K, K}), y = any({N, O, out, out});
  const memory::dims strides{stride, stride}, pad{padding, padding};
  const auto direct = algorithm::convolution_direct;
  convolution_forward::primitive_desc forward(
      convolution_forward::desc(prop_kind::forward_training, direct, x, w, y, strides, pad, pad),
      cpu);
  auto make = [&](const memory::desc& d) {
    memory m(d, cpu);
    float* data = static_cast<float*>(m.get_data_handle());
    for (size_t i = 0; i < d.get_size() / 4; i++) data[i] = float(i % 7) * 0.25f - 0.7f;
    return m;
  };

  primitive work;
  std::unordered_map<int, memory> arguments;
  if (pass == "forward") {
    work = convolution_forward(forward);
    arguments = {{DNNL_ARG_SRC, make(forward.src_desc())},
                 {DNNL_ARG_WEIGHTS, make(forward.weights_desc())},
                 {DNNL_ARG_DST, make(forward.dst_desc())}};
  } else if (pass == "input") {
    convolution_backward_data::primitive_desc p(
        convolution_backward_data::desc(direct, x, w, y, strides, pad, pad), cpu, forward);
    work = convolution_backward_data(p);
    arguments = {{DNNL_ARG_DIFF_SRC, make(p.diff_src_desc())},
                 {DNNL_ARG_WEIGHTS, make(p.weights_desc())},
                 {DNNL_ARG_DIFF_DST, make(p.diff_dst_desc())}};
  } else {
    convolution_backward_weights::primitive_desc p(
        convolution_backward_weights::desc(direct, x, w, y, strides, pad, pad), cpu, forward);
    work = convolution_backward_weights(p);
    arguments = {{DNNL_ARG_SRC, make(p.src_desc())},
                 {DNNL_ARG_DIFF_WEIGHTS, make(p.diff_weights_desc())},
                 {DNNL_ARG_DIFF_DST, make(p.diff_dst_desc())}};
  }
  std::vector<double> ms;
  for (double sum = 0; ms.size() < 5 || sum < seconds * 1e3; sum += ms.back()) {
    const auto begin = std::chrono::steady_clock::now();
    work.execute(queue, arguments);
    queue.wait();
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - begin;
    ms.push_back(taken.count());
  }
  std::sort(ms.begin(), ms.end());
  std::printf("%.6f\n", ms[ms.size() / 2]);
}
