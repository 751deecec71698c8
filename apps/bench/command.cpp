// clade bench: how fast the kernels and a training step are here, and how fast they could be.
#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/bench/kernels.h"
#include "apps/bench/train.h"
#include "apps/cli/limits.h"
#include "apps/cli/table.h"
#include "apps/commands.h"
#include "apps/versions.h"
#include "tensor/file.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::apps {
namespace {

struct Options {
  KernelBench kernels;
  TrainBench train;
  std::string json, out = "roofline.html", vectors, device = "cpu";
  int threads = 0;
};

nlohmann::ordered_json machine(const kernels::Ceiling* c) {
  nlohmann::ordered_json out;
  for (const Fact& fact : versions()) out["versions"][fact.name] = fact.value;
  out["threads"] = threads();
  out["vectors"] = std::array{"baseline", "avx2", "avx512"}[size_t(vectors())];
  if (c) out["ceiling"] = {{"gflops", c->flops * 1e-9}, {"gb_per_s", c->bytes * 1e-9}};
  return out;
}

void write_json(const std::string& path, const nlohmann::ordered_json& value) {
  if (!path.empty()) write_file_atomically(path, value.dump(2) + "\n");
}

// For comparing instruction sets on one processor. (BLAS chooses by itself.)
void choose_vectors(const std::string& name) {
  const Vectors set = name == "avx512" ? Vectors::avx512
                      : name == "avx2" ? Vectors::avx2
                                       : Vectors::baseline;
  if (!use_vectors(set))
    fail("bench", "a set that this processor has", name, "leave --vectors out");
}

std::vector<Point> measure_kernels(const Options& o, const kernels::Ceiling& c) {
  std::printf("%d thread%s; ceilings measured here: %s GFLOP/s, %s GB/s\n\n", threads(),
              threads() == 1 ? "" : "s", fixed(c.flops * 1e-9, 1).c_str(),
              fixed(c.bytes * 1e-9, 1).c_str());
  std::printf("%10s %9s %7s  %-10s %6s  %s\n", "ms", "GFLOP/s", "GB/s", "bound by", "roof", "name");
  return bench_kernels(o.kernels, [&](const Point& p) {
    std::printf("%10s %9s %7s  %-10s %6s  %s\n", fixed(p.seconds * 1e3, 3).c_str(),
                fixed(p.flops / p.seconds * 1e-9, 1).c_str(),
                fixed(p.bytes / p.seconds * 1e-9, 1).c_str(),
                bound_by_memory(p, c) ? "memory" : "arithmetic",
                percent(roofline_fraction(p, c), 0).c_str(), p.name().c_str());
    std::fflush(stdout);
  });
}

void write_points(const Options& o, const kernels::Ceiling& c, const std::vector<Point>& points) {
  nlohmann::ordered_json out = machine(&c);
  for (const Point& p : points)
    out["rows"].push_back({{"op", p.op},
                           {"sample", p.sample},
                           {"pass", p.pass},
                           {"ms", p.seconds * 1e3},
                           {"gflops", p.flops / p.seconds * 1e-9},
                           {"gb_per_s", p.bytes / p.seconds * 1e-9},
                           {"roofline", roofline_fraction(p, c)}});
  write_json(o.json, out);
}

void run_kernels(const Options& o) {
  const kernels::Ceiling c = kernels::measure_ceiling(kernels::Cpu{});
  write_points(o, c, measure_kernels(o, c));
}

void run_roofline(const Options& o) {
  const kernels::Ceiling c = kernels::measure_ceiling(kernels::Cpu{});
  const std::vector<Point> points = measure_kernels(o, c);
  write_points(o, c, points);
  const bool svg = o.out.size() >= 4 && o.out.compare(o.out.size() - 4, 4, ".svg") == 0;
  write_file_atomically(o.out, svg ? roofline_svg(points, c) : roofline_html(points, c));
  std::printf("\nwritten to %s\n", o.out.c_str());
}

void run_scaling(const Options& o) {
  std::printf("speed-up that the cut of the work allows, with as many threads\n\n");
  for (int n : kScalingThreads) std::printf("%6d", n);
  std::printf("  name\n");
  const std::vector<ScalingRow> rows = bench_scaling(o.kernels.filter, [](const ScalingRow& row) {
    for (double speed_up : row.speed_ups) std::printf("%6s", fixed(speed_up, 1).c_str());
    std::printf("  %s\n", row.name.c_str());
    std::fflush(stdout);
  });
  nlohmann::ordered_json out = machine(nullptr);
  for (const ScalingRow& row : rows) {
    nlohmann::ordered_json speed_ups;
    for (size_t i = 0; i < row.speed_ups.size(); i++)
      speed_ups[std::to_string(kScalingThreads[i])] = row.speed_ups[i];
    out["rows"].push_back({{"name", row.name}, {"speed_ups", speed_ups}});
  }
  write_json(o.json, out);
}

void run_train(const Options& o) {
  TrainBench train = o.train;
  train.device = device_named(o.device);
  require_device(train.device);
  const TrainResult r = bench_train(train);
  auto megabytes = [](int64_t bytes) { return fixed(double(bytes) * 1e-6, 1) + " MB"; };
  std::printf("%s, batch %lld, %s parameters, %s: %s samples/s (%s ms a step, median of %lld)\n",
              o.train.model.c_str(), (long long)o.train.batch, grouped(r.parameters).c_str(),
              train.device.is_cpu()
                  ? text(threads(), threads() == 1 ? " thread" : " threads").c_str()
                  : o.device.c_str(),
              fixed(double(o.train.batch) / r.step_seconds, 0).c_str(),
              fixed(r.step_seconds * 1e3, 2).c_str(), (long long)r.steps);
  if (train.device.is_cpu())  // the GPU's memory and kernels are Nsight's to tell
    std::printf(
        "memory  %s between steps, %s after the forward pass (the least that backward needs), "
        "%s at most\n\n%s",
        megabytes(r.between).c_str(), megabytes(r.after_forward).c_str(), megabytes(r.peak).c_str(),
        r.table.c_str());
  nlohmann::ordered_json out = machine(nullptr);
  out["model"] = o.train.model;
  out["batch"] = o.train.batch;
  out["device"] = o.device;
  out["step_ms"] = r.step_seconds * 1e3;
  out["samples_per_s"] = double(o.train.batch) / r.step_seconds;
  if (train.device.is_cpu())
    out["memory_mb"] = {{"between", double(r.between) * 1e-6},
                        {"after_forward", double(r.after_forward) * 1e-6},
                        {"peak", double(r.peak) * 1e-6}};
  write_json(o.json, out);
}

}  // namespace

void add_bench(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "bench", "measure kernels and training steps against the processor's ceilings");
  command->require_subcommand(1);
  auto o = std::make_shared<Options>();
  auto common = [o](CLI::App* c) {
    c->add_option("--threads", o->threads, "[all cores]")
        ->type_name("N")
        ->check(validator(Numbers{1, 1024}));
    c->add_option("--vectors", o->vectors, "avx512, avx2 or baseline [the processor's best]")
        ->type_name("SET")
        ->check(validator(OneOf{{"avx512", "avx2", "baseline"}}));
    c->add_option("--json", o->json, "write the figures as JSON")->type_name("FILE");
  };
  auto filtered = [o](CLI::App* c) {
    c->add_option("--filter", o->kernels.filter, "only names that contain it")->type_name("TEXT");
  };
  auto measured = [o, filtered](CLI::App* c) {
    filtered(c);
    c->add_option("--seconds", o->kernels.seconds, "of measuring, a name [0.2]")
        ->type_name("X")
        ->check(validator(Numbers{.low = 0, .high = 600, .whole = false, .open = true}));
  };
  auto with_threads = [o](void (*run)(const Options&)) {
    return [o, run] {
      if (o->threads) set_threads(o->threads);
      if (!o->vectors.empty()) choose_vectors(o->vectors);
      run(*o);
    };
  };

  CLI::App* kernels = command->add_subcommand(
      "kernels", "every op, forward and backward: GFLOP/s, GB/s, fraction of the roofline");
  common(kernels), measured(kernels);
  kernels->footer("Example:\n  clade bench kernels --filter conv2d --threads 1 --json conv.json");
  kernels->callback(with_threads(run_kernels));

  CLI::App* roofline = command->add_subcommand("roofline", "the same as a picture");
  common(roofline), measured(roofline);
  roofline->add_option("--out", o->out, "the page, or the picture alone if it ends in .svg")
      ->type_name("FILE")
      ->default_str("roofline.html");
  roofline->footer("Example:\n  clade bench roofline --filter conv --out conv.svg");
  roofline->callback(with_threads(run_roofline));

  CLI::App* scaling = command->add_subcommand(
      "scaling", "how evenly the work of every op falls on 2, 4, 8 and 16 threads");
  common(scaling), filtered(scaling);
  scaling->remove_option(scaling->get_option("--threads"));
  scaling->footer(
      "From the CPU time of each piece of work, run one after another: it needs no more cores "
      "than\n"
      "one, and other programs do not disturb it. Bandwidth that threads share is left out.\n"
      "\nExample:\n  clade bench scaling --filter conv2d");
  scaling->callback(with_threads(run_scaling));

  CLI::App* train = command->add_subcommand(
      "train", "a training step of a network: samples a second, kernels, memory");
  common(train);
  train->add_option("--model", o->train.model, "dense-ae, cae or conv-vae [conv-vae]")
      ->type_name("NAME")
      ->check(validator(OneOf{{"dense-ae", "cae", "conv-vae"}}));
  train->add_option("--batch", o->train.batch, "samples a step [128]")
      ->type_name("N")
      ->check(validator(Numbers{2, 65536}));
  train->add_option("--device", o->device, "cpu, cuda or cuda-on-cpu [cpu]")
      ->type_name("NAME")
      ->check(validator(OneOf{{"cpu", "cuda", "cuda-on-cpu"}}));
  train->add_flag("--captured", o->train.captured, "on a GPU: the step as one CUDA graph");
  train->add_option("--seconds", o->train.seconds, "of measuring [5]")
      ->type_name("X")
      ->check(validator(Numbers{.low = 0, .high = 3600, .whole = false, .open = true}));
  train->add_flag("--shapes", o->train.shapes, "a row for each shape of a kernel");
  train->footer("Example:\n  clade bench train --model conv-vae --batch 128 --threads 2");
  train->callback(with_threads(run_train));
}

}  // namespace clade::apps
