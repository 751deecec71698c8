#!/usr/bin/env python3
"""Golden files from PyTorch: every layer, loss and optimizer, and 20 steps of the whole VAE.

    python3 -m venv venv && venv/bin/pip install torch==2.15.0 safetensors==0.8.0 numpy==2.4.6
    venv/bin/python tests/golden/make_pytorch.py

writes tests/golden/pytorch/{layers,losses,optimizers,vae}.safetensors, f32, one thread. What a case
holds is told by the names: case.x0, case.x1 inputs; case.p.<name> parameters; case.dy the gradient
given to the output; case.y the output; case.dx0 and case.dp.<name> gradients.
"""
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
out_dir = pathlib.Path(__file__).parent / "pytorch"
out_dir.mkdir(exist_ok=True)


def save(name, tensors):
    save_file({k: v.detach().contiguous().clone() for k, v in tensors.items()},
              out_dir / f"{name}.safetensors",
              {"made_by": f"make_pytorch.py, torch {torch.__version__.split('+')[0]}"})


# ---- layers: output, gradients of input and parameters, buffers afterwards ----------------------

def layer_case(name, module, *inputs, train=True):
    module.train(train)
    module.zero_grad()
    inputs = [x.clone().requires_grad_(True) for x in inputs]
    for k, p in module.state_dict().items():
        if p.dtype == torch.float32:
            layers[f"{name}.p.{k}"] = p.clone()
    y = module(*inputs)
    dy = torch.randn_like(y)
    y.backward(dy)
    layers[f"{name}.y"], layers[f"{name}.dy"] = y, dy
    for i, x in enumerate(inputs):
        layers[f"{name}.x{i}"], layers[f"{name}.dx{i}"] = x, x.grad
    for k, p in module.named_parameters():
        layers[f"{name}.dp.{k}"] = p.grad.clone()
    for k, b in module.named_buffers():
        if b.dtype == torch.float32:
            layers[f"{name}.after.{k}"] = b.clone()


class Call(nn.Module):
    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, *x):
        return self.f(*x)


torch.manual_seed(1)
layers = {}
images = torch.randn(2, 4, 7, 6)
rows = torch.randn(5, 6)
layer_case("linear", nn.Linear(6, 3), rows)
layer_case("linear_no_bias", nn.Linear(6, 3, bias=False), rows)
layer_case("conv_3x3", nn.Conv2d(4, 5, 3, padding=1), images)
layer_case("conv_stride_2", nn.Conv2d(4, 5, 3, stride=2, padding=1, bias=False), images)
layer_case("conv_5x5_stride_2", nn.Conv2d(4, 3, 5, stride=2, padding=2), images)
layer_case("conv_dilated", nn.Conv2d(4, 3, 3, dilation=2, padding=1), images)
layer_case("conv_groups", nn.Conv2d(4, 6, 3, groups=2), images)
layer_case("conv_1x1", nn.Conv2d(4, 5, 1), images)
layer_case("conv_transpose", nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1), images)
layer_case("conv_transpose_4x4", nn.ConvTranspose2d(4, 3, 4, stride=2, padding=1, bias=False), images)
layer_case("conv_transpose_groups", nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), images)
bn = nn.BatchNorm2d(4)
nn.init.normal_(bn.weight), nn.init.normal_(bn.bias)
layer_case("batch_norm_2d", bn, images)
layer_case("batch_norm_2d_eval", bn, images, train=False)
bn = nn.BatchNorm1d(6)
nn.init.normal_(bn.weight), nn.init.normal_(bn.bias)
layer_case("batch_norm_1d", bn, rows)
layer_case("batch_norm_1d_eval", bn, rows, train=False)
layer_case("max_pool", nn.MaxPool2d(2), images)
layer_case("max_pool_3_2_1", nn.MaxPool2d(3, 2, 1), images)
layer_case("avg_pool", nn.AvgPool2d(2), images)
layer_case("avg_pool_3_2_1", nn.AvgPool2d(3, 2, 1), images)
layer_case("upsample_nearest", nn.Upsample(scale_factor=2, mode="nearest"), images)
layer_case("upsample_bilinear", nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False), images)
layer_case("flatten", nn.Flatten(), images)
wide = torch.linspace(-9, 9, 45).reshape(5, 9) + 0.01 * torch.randn(5, 9)
for name, f in {
    "relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(0.2), "elu": nn.ELU(1.3), "gelu": nn.GELU(),
    "silu": nn.SiLU(), "sigmoid": nn.Sigmoid(), "tanh": nn.Tanh(), "softplus": nn.Softplus(),
    "softmax": nn.Softmax(-1), "log_softmax": nn.LogSoftmax(-1),
}.items():
    layer_case(name, f, wide)
for name, f in {
    "exp": torch.exp, "square": torch.square, "abs": torch.abs,
    "clamp": lambda x: x.clamp(-2, 3), "logsumexp": lambda x: x.logsumexp(1),
    "sum_rows": lambda x: x.sum(0), "mean_columns": lambda x: x.mean(1),
    "max_columns": lambda x: x.amax(1), "min_rows": lambda x: x.amin(0),
}.items():
    layer_case(name, Call(f), wide)
positive = wide.abs() + 0.2
for name, f in {"log": torch.log, "sqrt": torch.sqrt, "reciprocal": torch.reciprocal,
                "power": lambda x: x.pow(1.7)}.items():
    layer_case(name, Call(f), positive)
for name, f in {"add": torch.add, "sub": torch.sub, "mul": torch.mul,
                "maximum": torch.maximum, "minimum": torch.minimum}.items():
    layer_case(name, Call(f), torch.randn(3, 4, 5), torch.randn(4, 1))
layer_case("div", Call(torch.div), torch.randn(3, 4, 5), torch.rand(4, 1) + 0.5)
layer_case("matmul", Call(torch.matmul), torch.randn(4, 7), torch.randn(7, 3))
layer_case("concat", Call(lambda a, b: torch.cat([a, b], 1)), torch.randn(2, 3), torch.randn(2, 4))
save("layers", layers)

# ---- losses: value and gradients ----------------------------------------------------------------

losses = {}


def loss_case(name, f, *inputs, constants=()):
    inputs = [x.clone().requires_grad_(True) for x in inputs]
    y = f(*inputs, *constants)
    dy = torch.randn_like(y)
    y.backward(dy)
    losses[f"{name}.y"], losses[f"{name}.dy"] = y, dy
    for i, x in enumerate(inputs):
        losses[f"{name}.x{i}"], losses[f"{name}.dx{i}"] = x, x.grad
    for i, c in enumerate(constants):
        losses[f"{name}.c{i}"] = c.to(torch.int32) if c.dtype == torch.int64 else c


torch.manual_seed(2)
a, b, v = torch.randn(6, 8) * 3, torch.rand(6, 8), torch.randn(6, 8)
mask = (torch.rand(6, 8) > 0.4).float()
ids = torch.randint(0, 8, (6,))
p = torch.softmax(torch.randn(6, 8), 1)
for r in ("mean", "sum", "none"):
    loss_case(f"mse_{r}", lambda x, t, r=r: F.mse_loss(x, t, reduction=r), a, constants=(b,))
    loss_case(f"l1_{r}", lambda x, t, r=r: F.l1_loss(x, t, reduction=r), a, constants=(b,))
    loss_case(f"bce_with_logits_{r}",
              lambda x, t, r=r: F.binary_cross_entropy_with_logits(x, t, reduction=r), a, constants=(b,))
    loss_case(f"cross_entropy_{r}", lambda x, t, r=r: F.cross_entropy(x, t.long(), reduction=r), a,
              constants=(ids,))
loss_case("kl_div_mean", lambda x, t: F.kl_div(x, t, reduction="batchmean"), torch.log_softmax(a, 1),
          constants=(p,))
loss_case("masked_squared_error", lambda x, t, m: (m * (x - t) ** 2).sum(1), a, constants=(b, mask))
loss_case("masked_bce", lambda x, t, m: (m * F.binary_cross_entropy_with_logits(
    x, t, reduction="none")).sum(1), a, constants=(b, mask))
loss_case("gaussian_log_likelihood", lambda x, mu, lv, m: (m * torch.distributions.Normal(
    mu, torch.exp(0.5 * lv)).log_prob(x)).sum(1), b, a, v, constants=(mask,))
loss_case("kl_standard_normal", lambda mu, lv: torch.distributions.kl_divergence(
    torch.distributions.Normal(mu, torch.exp(0.5 * lv)),
    torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))).sum(1), a, v)
loss_case("importance_weighted_bound", lambda w: torch.logsumexp(w, 0) - torch.log(
    torch.tensor(float(w.shape[0]))), 20 * a - 500)
loss_case("reparameterize", lambda mu, lv, e: mu + torch.exp(0.5 * lv) * e, a, v,
          constants=(torch.randn(6, 8),))
save("losses", losses)

# ---- optimizers: parameters after each of 3 steps with given gradients, state after the last -----

optimizers = {}
torch.manual_seed(3)
start, gradients = torch.randn(37), torch.randn(3, 37)
optimizers["start"], optimizers["gradients"] = start, gradients
for name, make in {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "sgd_momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "sgd_dampened": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.3),
    "sgd_nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adam_decay": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1, eps=1e-4),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01),
    "rmsprop_momentum": lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.9, weight_decay=0.1),
    "adadelta": lambda p: torch.optim.Adadelta(p, lr=1.0),
    "adadelta_decay": lambda p: torch.optim.Adadelta(p, lr=0.5, rho=0.8, weight_decay=0.1),
}.items():
    w = start.clone().requires_grad_(True)
    optimizer = make([w])
    for step in range(3):
        w.grad = gradients[step].clone()
        optimizer.step()
        optimizers[f"{name}.{step + 1}"] = w.detach().clone()
    for key, t in optimizer.state[w].items():
        if key != "step" and t is not None:
            optimizers[f"{name}.state.{key}"] = t.clone()
w = start.clone().requires_grad_(True)
w.grad = gradients[0].clone()
optimizers["clip_norm.before"] = torch.nn.utils.clip_grad_norm_([w], 1.5)
optimizers["clip_norm"] = w.grad
epochs = range(40)
for name, make in {
    "step": lambda o: torch.optim.lr_scheduler.StepLR(o, 7, 0.3),
    "exponential": lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.9),
    "cosine": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 39, 0.01),
}.items():
    o = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    schedule, rates = make(o), []
    for _ in epochs:
        rates.append(o.param_groups[0]["lr"])
        o.step(), schedule.step()
    optimizers[f"schedule.{name}"] = torch.tensor(rates, dtype=torch.float64)
save("optimizers", optimizers)

# ---- the whole masked VAE: 16 x 16 images, 3 blocks of 4, 8, 16 filters, latent 5 -----------------


def conv(i, o, s):
    return [nn.Conv2d(i, o, 3, stride=s, padding=1, bias=False), nn.BatchNorm2d(o), nn.LeakyReLU(0.01)]


def doubling(i, o):
    return [nn.ConvTranspose2d(i, o, 3, stride=2, padding=1, output_padding=1, bias=False),
            nn.BatchNorm2d(o), nn.LeakyReLU(0.01)]


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(*conv(2, 4, 1), *conv(4, 4, 2), *conv(4, 8, 1), *conv(8, 8, 2),
                                     *conv(8, 16, 1), *conv(16, 16, 2), nn.Flatten())
        self.mean, self.logvar, self.code = nn.Linear(64, 5), nn.Linear(64, 5), nn.Linear(5, 64)
        self.decoder = nn.Sequential(nn.Unflatten(1, (16, 2, 2)), *doubling(16, 8), *conv(8, 8, 1),
                                     *doubling(8, 4), *conv(4, 4, 1), *doubling(4, 4),
                                     nn.Conv2d(4, 1, 3, padding=1))

    def forward(self, x, m, eps):
        h = self.encoder(torch.cat([x, m], 1))
        mu, lv = self.mean(h), self.logvar(h)
        z = mu + torch.exp(0.5 * lv) * eps
        y = torch.sigmoid(self.decoder(F.leaky_relu(self.code(z), 0.01)))
        return (m * (x - y) ** 2).sum((1, 2, 3)), 0.5 * (mu ** 2 + lv.exp() - lv - 1).sum(1)


torch.manual_seed(4)
model, steps, n = Vae(), 20, 12
vae = {f"start.{k}": t.clone() for k, t in model.state_dict().items() if t.dtype == torch.float32}
grid = torch.linspace(-1, 1, 16)
centres = torch.rand(3 * n, 2, 1, 1) * 1.2 - 0.6
blobs = torch.exp(-8 * ((grid[None, :, None] - centres[:, 0]) ** 2 + (grid[None, None, :] - centres[:, 1]) ** 2))
masks = (torch.rand(3 * n, 16, 16) > 0.2).float()
vae["x"], vae["mask"] = (blobs * masks)[:, None], masks[:, None]
vae["noise"] = torch.randn(steps, n, 5)
optimizer, curve = torch.optim.Adam(model.parameters(), lr=1e-3), []
for step in range(steps):
    rows = slice(step % 3 * n, step % 3 * n + n)
    reconstruction, kl = model(vae["x"][rows], vae["mask"][rows], vae["noise"][step])
    loss = (reconstruction + kl).mean()
    curve.append([loss.item(), reconstruction.mean().item(), kl.mean().item()])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
vae["curve"] = torch.tensor(curve)
save("vae", vae)
print(sum(f.stat().st_size for f in out_dir.iterdir()), "bytes in", out_dir)
