"""The networks of `clade bench train`, as PyTorch writes them, and their losses."""
import torch
from torch import nn


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


def named(work, batch):
    """The network, a batch for it, and its loss."""
    if work == "dense-ae":
        net, x = dense_ae(), torch.rand(batch, 784)
        return net, x, sequential_loss(net)
    if work == "cae":
        net, x = cae(), torch.rand(batch, 1, 28, 28)
        return net, x, sequential_loss(net)
    net = DynamicVae()
    return net, torch.rand(batch, 1, 32, 32), net.loss
