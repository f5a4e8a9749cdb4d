"""The Upsample and Downsample rows of Tables 1 and 2, plain and folded into their neighbours; chapters 03, 04."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from hrvgan_lib.networks import kernels


class Upsample(nn.Module):
    """Repeat every voxel `scale` times, or interpolate between them (decision A3)."""

    def __init__(self, scale: tuple[int, int, int], mode: str) -> None:
        super().__init__()
        self.scale, self.mode = tuple(map(float, scale)), mode

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.interpolate(x, scale_factor=self.scale, mode=self.mode)


class Downsample(nn.Module):
    """Average every block of `scale` voxels, 1 or 2 along each axis (decision A3).

    Halving one axis after the other keeps the channels-last layout, is three times as fast as `avg_pool3d` on a CPU,
    and its backward is deterministic on every device.
    """

    def __init__(self, scale: tuple[int, int, int]) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        for axis, factor in zip((2, 3, 4), self.scale):
            if factor == 2:
                even, odd = x.unflatten(axis, (-1, 2)).unbind(axis + 1)  # each with half of the axis
                x = (even + odd) / 2
        return x


def folds(up: nn.Module, conv: nn.Module) -> bool:
    """Whether the two are one transposed convolution: nearest neighbours, at most doubled, then 3x3x3."""
    return (
        isinstance(up, Upsample) and isinstance(conv, nn.ConvTranspose3d) and up.mode == "nearest"
        and max(up.scale) <= 2 and conv.kernel_size == (3, 3, 3) and conv.stride == conv.padding == (1, 1, 1)
        and conv.groups == 1 and conv.dilation == (1, 1, 1) and conv.output_padding == (0, 0, 0)
    )  # fmt: skip


def upsampled(x: Tensor, up: Upsample, conv: nn.ConvTranspose3d) -> Tensor:
    """conv(up(x)) without the enlarged map between them.

    A voxel that is repeated along an axis meets two neighbouring taps: together they are one kernel of 4 = 3 + 1 taps
    that moves by 2. The values are the same, the sums run in another order.
    """
    weight, stride = conv.weight, []
    for axis, factor in zip((2, 3, 4), up.scale):
        if factor == 2:
            nothing = torch.zeros_like(weight.narrow(axis, 0, 1))
            weight = torch.cat([weight, nothing], axis) + torch.cat([nothing, weight], axis)
        stride.append(int(factor))
    return nn.functional.conv_transpose3d(x, weight, conv.bias, stride, padding=1)


class _Shares(torch.autograd.Function):
    """The mean of a block, whose backward hands each voxel its share in one pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, down: Downsample) -> Tensor:
        ctx.scale = down.scale
        return kernels.downsampled(x, down.scale) if kernels.fit(x) else down(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        if kernels.fit(gradient):
            return kernels.shared(gradient, ctx.scale), None
        share = gradient / (ctx.scale[0] * ctx.scale[1] * ctx.scale[2])
        return nn.functional.interpolate(share, scale_factor=tuple(map(float, ctx.scale)), mode="nearest"), None


def downsampled(x: Tensor, down: Downsample) -> Tensor:
    """down(x), with a faster backward."""
    return _Shares.apply(x, down)
