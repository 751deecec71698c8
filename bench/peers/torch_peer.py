"""PyTorch's side of bench/peers/run.py: one piece of work, its median milliseconds and its memory.

    torch_peer.py --work conv-vae --batch 128 --threads 2 --seconds 5 [--channels-last]
    torch_peer.py --work adam | batch-norm | batch-norm-leaky

Prints JSON: {"ms": ..., "peak_mb": ...} (batch-norm: "forward_ms", "backward_ms").
"""
import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn

import torch_nets

parser = argparse.ArgumentParser()
parser.add_argument("--work", required=True, choices=["dense-ae", "cae", "conv-vae", "adam", "batch-norm", "batch-norm-leaky"])
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--seconds", type=float, default=5)
parser.add_argument("--channels-last", action="store_true")
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.manual_seed(1)


def timed(step, *parts):
    """Medians of the seconds that step() returns; the first two calls are not counted."""
    taken, begin = [], time.perf_counter()
    while len(taken) < 7 or time.perf_counter() - begin < options.seconds:
        taken.append(step())
    return [statistics.median(row) * 1e3 for row in zip(*taken[2:])]


def train():
    net, x, loss = torch_nets.named(options.work, options.batch)
    if options.channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    adam = torch.optim.Adam(net.parameters(), fused=True)

    def step():
        begin = time.perf_counter()
        value = loss(x)
        adam.zero_grad(set_to_none=True)
        value.backward()
        adam.step()
        return (time.perf_counter() - begin,)

    (ms,) = timed(step)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    weights = sum(p.numel() * p.element_size() for p in net.parameters())
    return {"ms": ms, "peak_mb": (after - before) * 1024e-6 + weights * 1e-6}


def adam():
    p = nn.Parameter(torch.randn(3_300_000))
    p.grad = torch.randn_like(p)
    optimizer = torch.optim.Adam([p], fused=True)

    def step():
        begin = time.perf_counter()
        optimizer.step()
        return (time.perf_counter() - begin,)

    return {"ms": timed(step)[0]}


def batch_norm():
    net = nn.BatchNorm2d(32)
    if options.work == "batch-norm-leaky":
        net = nn.Sequential(net, nn.LeakyReLU(0.1))
    x = torch.rand(128, 32, 32, 32).requires_grad_()
    if options.channels_last:
        x = x.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
    dy = torch.rand_like(x)

    def step():
        x.grad = None
        begin = time.perf_counter()
        y = net(x)
        middle = time.perf_counter()
        y.backward(dy)
        return middle - begin, time.perf_counter() - middle

    forward, backward = timed(step)
    return {"forward_ms": forward, "backward_ms": backward}


works = {"adam": adam, "batch-norm": batch_norm, "batch-norm-leaky": batch_norm}
print(json.dumps(works.get(options.work, train)()))
