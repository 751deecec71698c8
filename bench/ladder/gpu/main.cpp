// clade_ladder: every rung of every ladder on a GPU: milliseconds, and which part of the ceiling,
// which is what a copy and a product of cuBLAS reach here. Runs of the rungs alternate, the least
// time counts.
//
//     clade_ladder [--json FILE] [--ladder NAME]
#include <algorithm>
#include <cstdio>
#include <string>

#include "bench/ladder/gpu/timer.h"
#include "bench/ladder/ladder.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/gemm/gemm.h"
#include "tensor/file.h"
#include "tensor/random.h"

namespace clade::ladder {
namespace {

const Device kDevice = device_of_kernels();
constexpr int kRounds = 12;

struct Ceiling {
  double flops, bytes;  // a second: f32 products one by one, a copy
};

std::vector<Tensor> make(const Ladder& ladder) {
  std::vector<Tensor> out;
  Random rng(3);
  for (const Argument& a : ladder.arguments(true)) {
    Tensor t = Tensor::zeros(a.shape, a.dtype);
    if (!a.output) fill_uniform(rng, t, a.low, a.high);
    const bool weights = out.size() == 1;
    out.push_back((weights ? t : t.to_layout(Layout::channels_last)).to(kDevice));
  }
  return out;
}

Ceiling measure_ceiling() {
  constexpr int64_t kSide = 4096, kCopied = int64_t{1} << 28;
  Random rng(1);
  const Tensor a = rand({kSide, kSide}, rng).to(kDevice), b = a.clone(), c = a.clone();
  const Tensor from = Tensor::zeros({kCopied}, DType::f32, Layout::row_major, kDevice);
  const Tensor to = from.clone();
  double product = 1e30, copy = 1e30;
  for (int i = 0; i < kRounds; i++) {
    product = std::min(
        product, seconds_of([&] { kernels::gemm(kernels::Cuda{}, a.view(), b.view(), c.view()); }));
    copy = std::min(copy, seconds_of([&] { copy_elements(from, to); }));
  }
  return {2.0 * kSide * kSide * kSide / product, 2.0 * kCopied * 4 / copy};
}

void climb(const Ladder& ladder, const Ceiling& ceiling, std::string* json) {
  const std::vector<Tensor> tensors = make(ladder);
  std::vector<View> views;
  std::string shapes;
  for (const Tensor& t : tensors) {
    views.push_back(t.view());
    shapes += text(shapes.empty() ? "" : " ", t.shape());
  }
  std::vector<double> least(ladder.rungs.size(), 1e30);
  for (int round = 0; round < kRounds; round++)
    for (size_t r = 0; r < ladder.rungs.size(); r++) {
      if (round > 2 && least[r] > 0.1) continue;  // slow, and known to be
      least[r] = std::min(least[r],
                          seconds_of([&] { ladder.rungs[r].run(kernels::Cuda{}, views.data()); }));
    }
  std::printf("\n%s: %s\n", ladder.name, ladder.formula);
  for (size_t r = 0; r < ladder.rungs.size(); r++) {
    const Rung& rung = ladder.rungs[r];
    const double best = std::max(ladder.flops / ceiling.flops, ladder.bytes / ceiling.bytes);
    std::printf("  %9.3f ms %9.1f GFLOP/s %7.0f GB/s %5.0f %%  %s: %s\n", least[r] * 1e3,
                ladder.flops / least[r] * 1e-9, ladder.bytes / least[r] * 1e-9,
                best / least[r] * 100, rung.name, rung.why);
    *json += text(json->empty() ? "" : ",\n", "  {\"op\": \"", ladder.name, ", ", rung.name,
                  "\", \"shape\": \"", shapes, "\", \"ms\": ", least[r] * 1e3,
                  ", \"gflops\": ", ladder.flops / least[r] * 1e-9,
                  ", \"gbs\": ", ladder.bytes / least[r] * 1e-9,
                  ", \"roofline\": ", best / least[r], "}");
  }
}

}  // namespace
}  // namespace clade::ladder

int main(int argc, char** argv) {
  using namespace clade;
  std::string json_file, only;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    (name == "--json" ? json_file : name == "--ladder" ? only : json_file) = argv[i + 1];
  }
  try {
    require_device(device_of_kernels());
    const ladder::Ceiling ceiling = ladder::measure_ceiling();
    std::printf("ceilings measured here: %.0f GFLOP/s (cuBLAS, f32), %.0f GB/s (copy)\n",
                ceiling.flops * 1e-9, ceiling.bytes * 1e-9);
    std::string rows;
    for (const ladder::Ladder& l : ladder::ladders())
      if (only.empty() || only == l.name) ladder::climb(l, ceiling, &rows);
    if (!json_file.empty())
      write_file_atomically(json_file, text("{\"ceiling\": {\"gflops\": ", ceiling.flops * 1e-9,
                                            ", \"gbs\": ", ceiling.bytes * 1e-9,
                                            "},\n\"kernels\": [\n", rows, "]}\n"));
  } catch (const Error& e) {
    std::fprintf(stderr, "clade_ladder: %s\n", e.what());
    return 1;
  }
}
