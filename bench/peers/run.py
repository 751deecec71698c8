#!/usr/bin/env python3
"""Clade beside oneDNN and PyTorch, kernel by kernel and step by step: bench/results/peers-kernels.json.

    bench/peers/run.py --clade build/release/clade --python <a Python with torch> [--only conv] [--rounds 9]

Needs libdnnl-dev (Debian) for the convolutions. Contenders take turns in processes of their own, round by
round, and medians over the rounds are compared, because the speed of a machine drifts. Gauges stand beside
every row: sgemm of 1024 in Clade, and the multiply-adds and bytes a second that each of Clade's processes
measures before its work. PyTorch is tried in both memory formats and with every way for its threads to
wait (OMP_WAIT_POLICY); the fastest of these is its figure.

Rows named "AVX2" hold both sides to AVX2 (BLAS chooses for itself in Clade, oneDNN and ATen are told).
"""
import argparse
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
parser = argparse.ArgumentParser()
parser.add_argument("--clade", required=True)
parser.add_argument("--python", default="python3")
parser.add_argument("--only", default="", help="work whose name contains this")
parser.add_argument("--rounds", type=int, default=9)
parser.add_argument("--seconds", type=float, default=0.2, help="of measuring, in one process")
parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
parser.add_argument("--out", default=str(HERE.parent / "results" / "peers-kernels.json"))
options = parser.parse_args()
temporary = tempfile.TemporaryDirectory()

CONV = [f"{s}x{s}, {c} to {o}, {k}x{k}" + (f", stride {t}" if t > 1 else "") for s, c, o, k, t in (
    (32, 32, 32, 3, 1), (16, 64, 64, 3, 1), (8, 128, 128, 3, 1), (32, 1, 32, 3, 1), (32, 3, 32, 3, 1),
    (32, 32, 1, 3, 1), (16, 32, 32, 5, 1), (16, 48, 48, 3, 1), (16, 20, 20, 3, 1), (32, 32, 32, 3, 2),
    (16, 64, 64, 3, 2), (8, 128, 128, 3, 2), (32, 32, 64, 4, 2), (16, 32, 64, 5, 2))]
TRANSPOSED = [f"{s}x{s}, {c} to {o}, {k}x{k}, stride 2" for s, c, o, k in (
    (16, 32, 32, 3), (8, 64, 64, 3), (4, 128, 128, 3), (16, 64, 32, 4), (14, 64, 32, 5))]


def run(command, threads, **environment):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                            env={**os.environ, "OMP_NUM_THREADS": str(threads), **environment})
    if result.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: {result.stderr.strip()}")
    return result.stdout


def clade_bench(arguments, threads, **environment):
    path = pathlib.Path(temporary.name) / "clade.json"
    run([options.clade, "bench", *arguments, "--threads", threads, "--json", path], threads, **environment)
    return json.loads(path.read_text())


def clade_kernel(name, threads):
    result = clade_bench(["kernels", "--filter", name, "--seconds", options.seconds], threads)
    row = next(r for r in result["rows"] if f"{r['op']}/{r['sample']}/{r['pass']}" == name)
    return {"ms": row["ms"], "gflops": row["gflops"], "ceiling_gflops": result["ceiling"]["gflops"],
            "ceiling_gb_per_s": result["ceiling"]["gb_per_s"]}


def onednn(conv_pass, sample, transposed, threads):
    side, c, o, k = map(int, re.match(r"(\d+)x\d+, (\d+) to (\d+), (\d+)", sample).groups())
    stride = 2 if "stride 2" in sample else 1
    padding = {1: 0, 3: 1, 4: 1, 5: 2}[k]
    if transposed:  # the adjoint of a convolution from the larger image
        side, c, o = 2 * side, o, c
        conv_pass = {"forward": "input", "input": "forward", "weight": "weight"}[conv_pass]
    return {"ms": float(run([pathlib.Path(temporary.name) / "onednn_conv", conv_pass, 128, c, o, side, k, stride,
                             padding, options.seconds], threads))}


AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
best_settings = {}


def torch(arguments, threads, **environment):
    """Every setting in the first round, the best of them from then on."""
    key = (*arguments, threads, *environment)
    layouts = [[]] if "dense-ae" in arguments or "adam" in arguments else [[], ["--channels-last"]]
    settings = best_settings.get(key, [(layout, policy) for layout in layouts for policy in (None, "ACTIVE", "PASSIVE")])
    figures = []
    for layout, policy in settings:
        policy_environment = {"OMP_WAIT_POLICY": policy} if policy else {}
        figures.append(json.loads(run([options.python, HERE / "torch_peer.py", *arguments, "--threads", threads, "--seconds",
                                       options.seconds, *layout], threads, **policy_environment, **environment)))
    best = min(range(len(figures)), key=lambda i: sum(v for k, v in figures[i].items() if k != "peak_mb"))
    best_settings[key] = [settings[best]]
    return figures[best]


def works():
    """(work, pass, peer, clade(threads), peer(threads))"""
    for op, samples in (("conv2d", CONV), ("conv_transpose2d", TRANSPOSED)):
        for sample in samples:
            for name, kind in (("forward", "forward"), ("backward input", "input"), ("backward weight", "weight")):
                yield (f"{op}/{sample}", name, "oneDNN 2.6.3 direct",
                       lambda t, n=f"{op}/{sample}/{name}": clade_kernel(n, t),
                       lambda t, k=kind, s=sample, x=op != "conv2d": onednn(k, s, x, t))
    for sample, work in (("32x32, 32 channels, training", "batch-norm"),
                         ("32x32, 32 channels, training, leaky", "batch-norm-leaky")):
        for name in ("forward", "backward"):
            yield (f"batch_norm/{sample}", name, "PyTorch",
                   lambda t, n=name, s=sample: clade_kernel(f"batch_norm/{s}/{n}", t),
                   lambda t, n=name, w=work: {"ms": torch(["--work", w], t)[f"{n}_ms"]})
    yield ("adam/3,300,000 parameters", "step", "PyTorch", lambda t: clade_kernel("adam/3,300,000 parameters/step", t),
           lambda t: torch(["--work", "adam"], t))
    for label, ours, theirs in (("", [], {}), (", AVX2", ["--vectors", "avx2"], AVX2)):
        for model, batch in (("dense-ae", 256), ("cae", 256), ("conv-vae", 128)):
            def clade_step(threads, model=model, batch=batch, ours=ours):
                blas = {"OPENBLAS_CORETYPE": "Haswell"} if ours else {}
                figure = clade_bench(["train", "--model", model, "--batch", batch, "--seconds", options.seconds, *ours],
                                     threads, **blas)
                return {"ms": figure["step_ms"], "mb": figure["memory_mb"]["peak"]}

            def torch_step(threads, model=model, batch=batch, theirs=theirs):
                figure = torch(["--work", model, "--batch", batch], threads, **theirs)
                return {"ms": figure["ms"], "mb": figure["peak_mb"]}
            yield f"train/{model}, batch {batch}{label}", "step", "PyTorch", clade_step, torch_step


if any("conv2d" in w[0] or "conv_t" in w[0] for w in works() if options.only in w[0]):
    subprocess.run(["g++", "-std=c++17", "-O2", HERE / "onednn_conv.cpp", "-o",
                    pathlib.Path(temporary.name) / "onednn_conv", "-ldnnl"], check=True)
versions = {"torch": run([options.python, "-c", "import torch; print(torch.__version__)"], 1).strip(), "onednn": "2.6.3",
            "clade": run([options.clade, "--version"], 1).strip()}
model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
out = pathlib.Path(options.out)


def write(rows):
    """As soon as a row is measured, in the place of the one that it replaces: a run that is cut off leaves what it has."""
    key = lambda row: (row["work"], row["pass"], row["threads"], row["peer"])
    before = json.loads(out.read_text())["rows"] if out.exists() else []
    merged = {key(row): row for row in before} | {key(row): row for row in rows}
    out.parent.mkdir(exist_ok=True)
    scratch = pathlib.Path(options.out + ".tmp")
    scratch.write_text(json.dumps({
        "machine": {"processor": model, "cores": os.cpu_count(), "system": platform.system()}, "versions": versions,
        "rounds": options.rounds, "rows": list(merged.values())}, indent=1) + "\n")
    scratch.rename(out)


rows, median = [], statistics.median
for work, name, peer, clade, other in works():
    if options.only not in work:
        continue
    for threads in options.threads:
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(clade(threads))
            theirs.append(other(threads))
        row = {"work": work, "pass": name, "threads": threads, "peer": peer,
               "clade_ms": median(r["ms"] for r in ours), "peer_ms": median(r["ms"] for r in theirs)}
        row["ratio"] = row["peer_ms"] / row["clade_ms"]
        for key, figures in (("clade", ours), ("peer", theirs)):
            for unit in ("gflops", "mb"):
                if all(unit in f for f in figures):
                    row[f"{key}_{unit}"] = median(f[unit] for f in figures)
        row["gauge"] = {"sgemm_gflops": clade_kernel("matmul/1024/forward", threads)["gflops"]}
        for unit in ("ceiling_gflops", "ceiling_gb_per_s"):
            if unit in ours[0]:
                row["gauge"][unit] = median(f[unit] for f in ours)
        rows.append(row)
        write(rows)
        print(f"{row['ratio']:6.2f}  {row['clade_ms']:9.3f} ms  {row['peer_ms']:9.3f} ms  {threads} thread"
              f"{'s' if threads > 1 else ' '}  {work}/{name}  ({peer})", flush=True)
if not rows:
    raise SystemExit(f"run.py: expected --only to be part of a work's name; got '{options.only}'")
