"""The same layers in fewer passes over memory: what training and sampling run where nobody watches a single layer.

The chapters show the modules one by one, and that is what is computed. But half of a training step is spent on reading
and writing maps between convolutions. So `run` walks a network's layers and takes together what can be: an Upsample row
and the transposed convolution behind it, norms and the activation behind them, a Downsample row and its backward. The
tests hold values and gradients equal to the plain layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from hrvgan_lib.networks import kernels
from hrvgan_lib.networks.resampling import Downsample, Upsample, downsampled, folds, upsampled
from hrvgan_lib.norms import InstanceNorm, PixelNorm, full

_plain = False


@contextmanager
def layer_by_layer() -> Iterator[None]:
    """Within it `run` calls every layer by itself: for the derivative of a derivative, and for comparison."""
    global _plain
    before, _plain = _plain, True
    try:
        yield
    finally:
        _plain = before


def run(layers: nn.Sequential, x: Tensor) -> Tensor:
    """layers(x), in fewer passes; layer by layer where a layer is watched by a hook."""
    if _plain or any(module._forward_hooks or module._forward_pre_hooks for module in layers.modules()):
        return layers(x)
    rest = list(layers)
    while rest:
        match rest:
            case [Upsample() as up, nn.ConvTranspose3d() as conv, *rest] if folds(up, conv):
                x = upsampled(x, up, conv)
            case [nn.Sequential() as norms, nn.ReLU() | nn.LeakyReLU() as activation, *rest] if known(norms):
                x = activated(x, list(norms), getattr(activation, "negative_slope", 0.0))
            case [Downsample() as down, *rest]:
                x = downsampled(x, down)
            case [layer, *rest]:
                x = layer(x)
    return x


def known(norms: nn.Sequential) -> bool:
    """Whether `activated` knows these norms: batch or instance norm, pixel norm behind it or alone."""
    kinds = [type(norm) for norm in norms]
    first = kinds[:1] in ([nn.BatchNorm3d], [InstanceNorm])
    return bool(kinds) and kinds[first:] in ([], [PixelNorm])


def activated(x: Tensor, norms: list[nn.Module], slope: float) -> Tensor:
    """Leaky ReLU of the norms of x (batch, channel, T, H, W), 0 <= slope < 1 below zero."""
    pixel = norms[-1].eps if isinstance(norms[-1], PixelNorm) else None
    norm = norms[0] if not isinstance(norms[0], PixelNorm) else None
    if kernels.fit(x) and norm is not None and "forward" not in vars(norm):  # ranks share that norm's statistics
        return kernels.activated(x, norm, pixel, slope)
    if isinstance(norm, InstanceNorm) and pixel is None:
        norm.check(x)
        return _Instance.apply(x, norm.gamma, norm.beta, norm.eps, slope)
    if norm is not None:
        x = norm(x)
    if pixel is not None:
        return _Pixel.apply(x, pixel, slope)
    return F.leaky_relu_(x, slope) if x.requires_grad else F.leaky_relu(x, slope)


class _Instance(torch.autograd.Function):
    """Instance norm and leaky ReLU; the backward is written out, in place where nobody needs the old values."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gamma: Tensor, beta: Tensor, eps: float, slope: float) -> Tensor:
        rows = full(x).permute(0, 2, 3, 4, 1).flatten(1, 3)  # (batch, positions, channel), as it lies in memory
        centred = rows - rows.mean(dim=1, keepdim=True)
        result = centred.square()
        rate = torch.rsqrt(result.mean(dim=1, keepdim=True) + eps)  # (batch, 1, channel)
        torch.addcmul(beta, centred, gamma * rate, out=result)
        F.leaky_relu_(result, slope)
        ctx.save_for_backward(centred, rate, gamma, result)
        ctx.slope, ctx.shape, ctx.dtype = slope, x.shape, x.dtype
        return _maps(result, x.shape).to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        centred, rate, gamma, result = ctx.saved_tensors
        rows = gradient.to(centred.dtype).permute(0, 2, 3, 4, 1).flatten(1, 3)
        rows = torch.ops.aten.leaky_relu_backward(rows, result, ctx.slope, True)
        along = rows.mean(dim=1, keepdim=True)  # (batch, 1, channel)
        across = (rows * centred).mean(dim=1, keepdim=True) * rate
        positions = rows.shape[1]
        to_gamma, to_beta = positions * across.sum(dim=(0, 1)), positions * along.sum(dim=(0, 1))
        rows.sub_(along).addcmul_(centred, -across * rate).mul_(gamma * rate)
        return _maps(rows, ctx.shape).to(ctx.dtype), to_gamma, to_beta, None, None


class _Pixel(torch.autograd.Function):
    """Pixel norm and leaky ReLU of a map."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float, slope: float) -> Tensor:
        rows = full(x).permute(0, 2, 3, 4, 1)  # (batch, T, H, W, channel), as it lies in memory
        rate = torch.rsqrt(rows.square().mean(dim=4, keepdim=True) + eps)
        normed = rows * rate
        ctx.save_for_backward(normed, rate)
        ctx.slope, ctx.dtype = slope, x.dtype
        return F.leaky_relu(normed, slope).permute(0, 4, 1, 2, 3).to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        normed, rate = ctx.saved_tensors
        rows = gradient.to(normed.dtype).permute(0, 2, 3, 4, 1)
        rows = torch.ops.aten.leaky_relu_backward(rows, normed, ctx.slope, False)
        along = (rows * normed).mean(dim=4, keepdim=True)
        rows.addcmul_(normed, -along).mul_(rate)
        return rows.permute(0, 4, 1, 2, 3).to(ctx.dtype), None, None


def _maps(rows: Tensor, shape: torch.Size) -> Tensor:
    """(batch, positions, channel) as maps (batch, channel, T, H, W), channels last in memory."""
    return rows.unflatten(1, shape[2:]).permute(0, 4, 1, 2, 3)
