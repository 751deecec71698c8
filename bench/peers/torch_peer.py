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


class DynamicVae(nn.Module):
    """As models/vae.h on 32 x 32, 32 filters in the first block, no mask."""

    def __init__(self, latent=10):
        super().__init__()
        encoder, decoder, channels = [], [], 1
        for filters in (32, 64, 128, 256):
            for stride in (1, 2):
                encoder += [nn.Conv2d(channels, filters, 3, stride, 1, bias=False), nn.BatchNorm2d(filters),
                            nn.LeakyReLU(0.01)]
                channels = filters
        for filters, following in ((256, 128), (128, 64), (64, 32), (32, 32)):
            decoder += [nn.ConvTranspose2d(filters, following, 3, 2, 1, 1, bias=False), nn.BatchNorm2d(following),
                        nn.LeakyReLU(0.01)]
            if filters != 32:
                decoder += [nn.Conv2d(following, following, 3, 1, 1, bias=False), nn.BatchNorm2d(following),
                            nn.LeakyReLU(0.01)]
        self.encoder = nn.Sequential(*encoder, nn.Flatten())
        self.mean, self.logvar, self.code = nn.Linear(1024, latent), nn.Linear(1024, latent), nn.Linear(latent, 1024)
        self.decoder = nn.Sequential(nn.LeakyReLU(0.01), nn.Unflatten(1, (256, 2, 2)), *decoder,
                                     nn.Conv2d(32, 1, 3, 1, 1), nn.Sigmoid())

    def loss(self, x):
        h = self.encoder(x)
        mean, logvar = self.mean(h), self.logvar(h)
        z = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
        error = ((self.decoder(self.code(z)) - x) ** 2).sum()
        kl = 0.5 * (mean ** 2 + logvar.exp() - logvar - 1).sum()
        return (error + 0.2 * kl) / len(x)


def sequential_loss(net):
    return lambda x: ((net(x) - x) ** 2).sum() / len(x)


def dense_ae():
    widths, layers = [784, 500, 500, 2000, 10, 2000, 500, 500, 784], []
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        layers += [nn.Linear(a, b)] + ([nn.ReLU()] if i not in (3, 7) else [])
    return nn.Sequential(*layers)


def cae():
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, 2, 2), nn.ReLU(), nn.Conv2d(32, 64, 5, 2, 2), nn.ReLU(), nn.Conv2d(64, 128, 3, 2), nn.ReLU(),
        nn.Flatten(), nn.Linear(1152, 10), nn.Linear(10, 1152), nn.ReLU(), nn.Unflatten(1, (128, 3, 3)),
        nn.ConvTranspose2d(128, 64, 3, 2), nn.ReLU(), nn.ConvTranspose2d(64, 32, 5, 2, 2, 1), nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 5, 2, 2, 1))


def train():
    if options.work == "dense-ae":
        net, x = dense_ae(), torch.rand(options.batch, 784)
        loss = sequential_loss(net)
    elif options.work == "cae":
        net, x = cae(), torch.rand(options.batch, 1, 28, 28)
        loss = sequential_loss(net)
    else:
        net, x = DynamicVae(), torch.rand(options.batch, 1, 32, 32)
        loss = net.loss
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
