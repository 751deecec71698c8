#include "apps/bench/kernels.h"

#include "tensor/error.h"

#if defined(CLADE_GOOGLE_BENCHMARK)
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>

#include "autograd/op.h"
#include "autograd/record.h"
#include "optim/optimizer.h"
#include "tensor/profiler.h"
#include "tensor/random.h"
#include "tensor/scaling.h"
#endif

namespace clade::apps {

#if defined(CLADE_GOOGLE_BENCHMARK)
namespace {

// Ways to measure a pass.
constexpr auto seconds = [](const auto& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
};
constexpr auto profiled = [](const auto& work) {
  profiler::start();
  work();
  profiler::stop();
};

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

  // What measured(work) returns for the pass alone.
  template <class Measured>
  auto run(Measured measured) {
    Var y;
    if (back_) {
      for (const Var& v : inputs_) v.zero_grad();
      y = apply_(inputs_);
      return measured([&] { backward(y, dy_); });
    }
    NoGrad no_grad;
    return measured([&] { y = apply_(inputs_); });
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

  template <class Measured>
  auto run(Measured measured) {
    return measured([&] { adam_.step(); });
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

// visit(point, pass) for every row of the table whose name contains the filter; the point has its
// names alone. Throws Error when there is none.
template <class Visit>
void each_pass(const std::string& filter, Visit visit) {
  bool any = false;
  auto offer = [&](const Point& p, auto make) {
    if (p.name().find(filter) == std::string::npos) return;
    any = true;
    auto pass = make();
    visit(p, pass);
  };
  for (const Op* op : op_table())
    for (const OpSample& sample : op->samples())
      if (sample.size == Size::bench)
        for (const PassKind& kind : passes(*op))
          offer({op->name, sample.what, kind.name}, [&] { return Pass(*op, sample, kind); });
  offer({"adam", "3,300,000 parameters", "step"}, [] { return AdamStep(3'300'000); });
  if (!any)
    fail("bench", "a filter that is part of a name, such as conv2d", filter,
         "`clade bench kernels` without --filter prints all names");
}

}  // namespace

std::vector<Point> bench_kernels(const KernelBench& options, const PointCallback& done) {
  std::vector<Point> points;
  Collector collector;
  std::string least = "--benchmark_min_time=" + std::to_string(options.seconds / 5);
  std::string name = "clade";
  char* arguments[] = {name.data(), least.data(), nullptr};
  int count = 2;
  benchmark::Initialize(&count, arguments);
  each_pass(options.filter, [&](Point p, auto& pass) {
    pass.run(seconds);
    pass.run(profiled);
    for (const profiler::Total& total : profiler::totals()) {
      p.flops += total.flops;
      p.bytes += total.bytes;
    }
    benchmark::ClearRegisteredBenchmarks();
    benchmark::RegisterBenchmark(p.name().c_str(),
                                 [&](benchmark::State& state) {
                                   for (auto _ : state) state.SetIterationTime(pass.run(seconds));
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
  });
  return points;
}

std::vector<ScalingRow> bench_scaling(const std::string& filter,
                                      const std::function<void(const ScalingRow&)>& done) {
  constexpr int kRuns = 5;  // whose median counts
  std::vector<ScalingRow> rows;
  each_pass(filter, [&](const Point& p, auto& pass) {
    rows.push_back({p.name(), {}});
    pass.run(seconds);
    for (int threads : kScalingThreads) {
      std::vector<double> speed_ups;
      for (int i = 0; i < kRuns; i++) {
        const Scaling s = pass.run([&](const auto& work) { return record_scaling(threads, work); });
        speed_ups.push_back(s.seconds(1) / s.seconds(threads));
      }
      std::sort(speed_ups.begin(), speed_ups.end());
      rows.back().speed_ups.push_back(speed_ups[kRuns / 2]);
    }
    if (done) done(rows.back());
  });
  return rows;
}
#else
std::vector<Point> bench_kernels(const KernelBench&, const PointCallback&) {
  fail("bench kernels", "a build with Google Benchmark", "one without",
       "install libbenchmark-dev and configure again");
}
std::vector<ScalingRow> bench_scaling(const std::string&,
                                      const std::function<void(const ScalingRow&)>&) {
  fail("bench scaling", "a build with Google Benchmark", "one without",
       "install libbenchmark-dev and configure again");
}
#endif

}  // namespace clade::apps
