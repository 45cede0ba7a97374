"""The same networks and the same training step in plain PyTorch, its layers and its autograd, for comparison."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from edudiff.nn.noise_level import LARGEST
from edudiff.support.threads import cores

FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


class Twin:
    """A PyTorch copy of a `ResNet` or `UNet` with default settings, and its training: `step(images, batch)`."""

    def __init__(self, net, form, device="cpu"):
        torch.set_num_threads(cores())
        self.device = device
        self.config, self.form = net.config, FORMATS[form]
        self.answer = {"ResNet": self.resnet, "UNet": self.unet}[type(net).__name__]
        self.p = {name: self._parameter(value) for name, value in net.parameters.items()}
        self.ema = [value.detach().clone() for value in self.p.values()]
        self.adam = torch.optim.Adam(self.p.values(), lr=2e-3, betas=(0.9, 0.99), fused=True)

    def _parameter(self, value):
        value = torch.tensor(value, device=self.device)
        if value.ndim == 4:
            value = value.permute(3, 2, 0, 1).contiguous(memory_format=self.form)  # (D, C, 3, 3)
        return value.requires_grad_()

    def step(self, images, batch):
        """Forward, backward, Adam and the moving average on random images (N, C, H, W). Returns the loss, a tensor."""
        x0 = images[torch.randint(len(images), (batch,), device=self.device)].contiguous(memory_format=self.form)
        t = (torch.arange(batch, device=self.device) + torch.rand(batch, device=self.device)) / batch
        alpha, sigma = torch.cos(t * math.pi / 2), torch.sin(t * math.pi / 2).clamp_min(1e-3)
        noise = torch.randn_like(x0)
        x = alpha[:, None, None, None] * x0 + sigma[:, None, None, None] * noise
        loss = self.loss(x, x0, alpha, sigma)
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        torch._foreach_lerp_(self.ema, [value.detach() for value in self.p.values()], 1e-3)
        return loss.detach()

    def loss(self, x, x0, alpha, sigma):
        """Weighted squared error of x0_hat, weighting "edm"."""
        scale = self.config.sigma_data
        weight = (alpha**2 * scale**2 + sigma**2) / (sigma * scale) ** 2 / x0.numel()
        return (weight[:, None, None, None] * (self(x, alpha, sigma) - x0) ** 2).sum()

    def __call__(self, x, alpha, sigma):
        """x0_hat (B, C, H, W), target "edm"."""
        scale = self.config.sigma_data
        total = torch.sqrt(alpha**2 * scale**2 + sigma**2)
        each = alpha * scale**2 / total**2, sigma * scale / total, 1 / total
        c_skip, c_out, c_in = (c[:, None, None, None] for c in each)
        seen = torch.cat([c_in * x, torch.ones_like(x[:, :1])], dim=1).contiguous(memory_format=self.form)
        return c_skip * x + c_out * self.answer(seen, self.condition(alpha, sigma))

    def condition(self, alpha, sigma):
        """What every block hears (B, S)."""
        size, tiny = self.config.embedding_size, math.exp(-LARGEST)
        ratio = torch.log(torch.maximum(sigma, tiny * alpha) / torch.maximum(alpha, tiny * sigma)) / LARGEST
        angle = ratio[:, None] * (math.pi / 2) * (torch.arange(size // 2, device=self.device) + 1)
        features = torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)
        return F.silu(features @ self.p["embedding.w"] + self.p["embedding.b"])

    def block(self, name, x, cond):
        p = self.p
        y = F.conv2d(x, p[f"{name}.w"], p[f"{name}.b"], padding=1)
        both = torch.addmm(p[f"{name}.cond.b"], cond, p[f"{name}.cond.w"])[:, :, None, None]
        scale, shift = both.chunk(2, dim=1)
        return F.silu(y * (1 + scale) + shift)

    def resnet(self, h, cond):
        h = self.block("in", h, cond)
        for i in range(self.config.depth):
            h = h + self.block(f"block{i}", h, cond)
        return F.conv2d(h, self.p["out.w"], self.p["out.b"], padding=1)

    def unet(self, h, cond):
        coarsest, skips = len(self.config.channels) - 1, []
        for i in range(coarsest):
            h = self.stage(f"down{i}", h, cond)
            skips.append(h)
            h = F.max_pool2d(h, 2, ceil_mode=True)
        h = self.stage(f"down{coarsest}", h, cond)
        for i in reversed(range(coarsest)):
            h = F.interpolate(h, scale_factor=2, mode="nearest")
            h = self.stage(f"up{i}", torch.cat([h, skips[i]], dim=1), cond)
        return F.conv2d(h, self.p["out.w"], self.p["out.b"], padding=1)

    def stage(self, name, h, cond):
        for j in range(self.config.depth):
            h = self.block(f"{name}.{j}", h, cond)
        return h


def disagreement(net, x, alpha, sigma):
    """The largest difference between x0_hat of `net` and of its twin, for images (B, H, W, C)."""
    with torch.no_grad():
        twin = Twin(net, "contiguous")(torch.tensor(x).permute(0, 3, 1, 2), torch.tensor(alpha), torch.tensor(sigma))
    return float(np.abs(twin.permute(0, 2, 3, 1).numpy() - net(x, alpha, sigma)).max())
