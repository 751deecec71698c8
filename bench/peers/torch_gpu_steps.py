"""Training steps of PyTorch on a GPU: eager, as one CUDA graph, and by torch.compile.

    torch_gpu_steps.py [--json FILE] dense-ae:256 cae:256 conv-vae:128 conv-vae:1024

What it may do to be fast it does: channels-last images, TF32, fused Adam. Milliseconds are the
median of steps that are waited for; a way that fails is null. What scripts/gpu_check compares with.
"""
import argparse
import json
import statistics
import sys
import time

import torch

import torch_nets

parser = argparse.ArgumentParser()
parser.add_argument("--json")
parser.add_argument("steps", nargs="+")
options = parser.parse_args()
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
torch.backends.cudnn.benchmark = True


def median_ms(step, seconds=2):
    for _ in range(5):
        step()
    torch.cuda.synchronize()
    taken, begin = [], time.perf_counter()
    while len(taken) < 10 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        step()
        torch.cuda.synchronize()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1e3


def make(work, batch, compiled=False):
    """A step of the network; `compiled` its loss by torch.compile. Adam may be captured."""
    torch.manual_seed(1)
    net, x, loss = torch_nets.named(work, batch)
    net, x = net.cuda(), x.cuda()
    if x.dim() == 4:
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    adam = torch.optim.Adam(net.parameters(), fused=True, capturable=True)
    if compiled:
        loss = torch.compile(loss)

    def step():
        value = loss(x)
        adam.zero_grad(set_to_none=True)
        value.backward()
        adam.step()

    return step


def graph(work, batch):
    step = make(work, batch)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        step()
    return captured.replay


def attempt(name, work):
    try:
        return median_ms(work())
    except Exception as e:  # a way that this PyTorch does not have
        print(f"torch_gpu_steps: {name}: {e}", file=sys.stderr)
        return None


rows = []
for spec in options.steps:
    model, batch = spec.split(":")
    batch = int(batch)
    rows.append({"model": model, "batch": batch,
                 "eager_ms": attempt("eager", lambda: make(model, batch)),
                 "graph_ms": attempt("graph", lambda: graph(model, batch)),
                 "compile_ms": attempt("compile", lambda: make(model, batch, compiled=True))})
    print(rows[-1], flush=True)
    if options.json:
        with open(options.json, "w") as f:
            json.dump({"torch": torch.__version__, "steps": rows}, f, indent=1)
