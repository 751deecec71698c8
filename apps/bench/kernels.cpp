#include "apps/bench/kernels.h"

#include "tensor/error.h"

#if defined(CLADE_GOOGLE_BENCHMARK)
#include <benchmark/benchmark.h>

#include <chrono>

#include "autograd/op.h"
#include "autograd/record.h"
#include "optim/optimizer.h"
#include "tensor/profiler.h"
#include "tensor/random.h"
#endif

namespace clade::apps {

#if defined(CLADE_GOOGLE_BENCHMARK)
namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// What is timed: the value, all gradients, or that of one input alone.
struct PassKind {
  const char* name;
  unsigned gradients;  // of these inputs, as a bit set; 0: the value
};

std::vector<PassKind> passes(const Op& op) {
  std::vector<PassKind> all{{"forward", 0}, {"backward", ~0u}};
  if (&op == &op::conv2d || &op == &op::conv_transpose2d || &op == &op::linear)
    all.insert(all.end(), {{"backward input", 1}, {"backward weight", 2}});
  return all;
}

// Inputs as a training step holds them: images channels-last, weights row-major.
std::vector<Var> draw(const Op& op, const OpSample& sample, unsigned gradients) {
  const bool first_only = &op == &op::conv2d || &op == &op::conv_transpose2d;
  Random rng(1);
  std::vector<Var> vars;
  for (const Input& input : sample.inputs) {
    Tensor values = Tensor::empty(input.shape);
    fill_uniform(rng, values, input.low, input.high);
    if (values.rank() == 4 && (vars.empty() || !first_only))
      values = values.to_layout(Layout::channels_last);
    const bool wanted = input.differentiable && (gradients >> vars.size() & 1);
    vars.push_back(wanted ? Var::parameter(values) : Var(values));
  }
  return vars;
}

// The pass of one op, made ready once and run as often as asked.
class Pass {
 public:
  Pass(const Op& op, const OpSample& sample, const PassKind& kind)
      : apply_(sample.apply),
        back_(kind.gradients != 0),
        inputs_(draw(op, sample, kind.gradients)) {
    if (back_) dy_ = Tensor::empty_like(apply_(inputs_).value()).fill_(1);
  }

  // Its seconds; `profiled`: the profiler then holds its kernels.
  double run(bool profiled) {
    Var y;
    if (back_) {
      for (const Var& v : inputs_) v.zero_grad();
      y = apply_(inputs_);
    }
    if (profiled) profiler::start();
    const auto begin = std::chrono::steady_clock::now();
    if (back_) {
      backward(y, dy_);
    } else {
      NoGrad no_grad;
      y = apply_(inputs_);
    }
    const double seconds = seconds_since(begin);
    if (profiled) profiler::stop();
    return seconds;
  }

 private:
  Var (*apply_)(const std::vector<Var>&);
  bool back_;
  std::vector<Var> inputs_;
  Tensor dy_;
};

class AdamStep {
 public:
  explicit AdamStep(int64_t parameters)
      : parameter_(Var::parameter(Tensor::full({parameters}, 0.5))),
        arena_(std::vector<nn::NamedParameter>{{"w", &parameter_}}),
        adam_(arena_, {}) {
    Tensor(arena_.gradients()).fill_(0.01);
  }
  AdamStep(AdamStep&&) = delete;  // the optimizer points to the arena

  double run(bool profiled) {
    if (profiled) profiler::start();
    const auto begin = std::chrono::steady_clock::now();
    adam_.step();
    const double seconds = seconds_since(begin);
    if (profiled) profiler::stop();
    return seconds;
  }

 private:
  Var parameter_;
  optim::ParameterArena arena_;
  optim::Adam adam_;
};

class Collector : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs)
      if (run.aggregate_name == "median")
        seconds = run.GetAdjustedRealTime() / benchmark::GetTimeUnitMultiplier(run.time_unit);
  }
  double seconds = 0;
};

}  // namespace

std::vector<Point> bench_kernels(const KernelBench& options, const PointCallback& done) {
  std::vector<Point> points;
  Collector collector;
  std::string least = "--benchmark_min_time=" + std::to_string(options.seconds / 5);
  std::string name = "clade";
  char* arguments[] = {name.data(), least.data(), nullptr};
  int count = 2;
  benchmark::Initialize(&count, arguments);
  // make() gives what has double run(bool profiled), the seconds of one go.
  auto measure = [&](Point p, auto make) {
    if (p.name().find(options.filter) == std::string::npos) return;
    auto work = make();
    work.run(false);
    work.run(true);
    for (const profiler::Total& total : profiler::totals()) {
      p.flops += total.flops;
      p.bytes += total.bytes;
    }
    benchmark::ClearRegisteredBenchmarks();
    benchmark::RegisterBenchmark(p.name().c_str(),
                                 [&](benchmark::State& state) {
                                   for (auto _ : state) state.SetIterationTime(work.run(false));
                                 })
        ->UseManualTime()
        ->Repetitions(5)
        ->ReportAggregatesOnly();
    collector.seconds = 0;
    benchmark::RunSpecifiedBenchmarks(&collector, ".*");
    p.seconds = collector.seconds;
    if (!(p.seconds > 0)) fail("bench", text("a time for ", p.name()), "none");
    points.push_back(p);
    if (done) done(p);
  };
  for (const Op* op : op_table())
    for (const OpSample& sample : op->samples())
      if (sample.size == Size::bench)
        for (const PassKind& kind : passes(*op))
          measure({op->name, sample.what, kind.name}, [&] { return Pass(*op, sample, kind); });
  measure({"adam", "3,300,000 parameters", "step"}, [] { return AdamStep(3'300'000); });
  if (points.empty())
    fail("bench", "a filter that is part of a name, such as conv2d", options.filter,
         "`clade bench kernels` without --filter prints all names");
  return points;
}
#else
std::vector<Point> bench_kernels(const KernelBench&, const PointCallback&) {
  fail("bench kernels", "a build with Google Benchmark", "one without",
       "install libbenchmark-dev and configure again");
}
#endif

}  // namespace clade::apps
