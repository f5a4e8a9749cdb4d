# mypy: disable-error-code="no-untyped-def"
"""Norms and the activation behind them on a GPU: one pass for the moments, one for the result, the same backwards.

Written in Triton, which PyTorch's CUDA builds bring along. A map (batch, channel, T, H, W) lies channels-last in
memory: it is a table of rows, one a position, with the channels side by side. Batch norm standardises each channel over
all rows, instance norm over the rows of one clip; pixel norm then divides a row by its root mean square. What is stored
stays in the map's own arithmetic (bfloat16 in training), what is added up is float32.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from hrvgan_lib.norms import InstanceNorm, PixelNorm, make_norm

try:
    import triton
    from triton import language as tl
except ImportError:  # a build of PyTorch without it
    triton = None

CELLS = 2048  # numbers that one program holds at once
WIDEST = 512  # channels
PROGRAMS = 1056  # of a sum: eight on each of 132 multiprocessors


def fit(x: Tensor) -> bool:
    """Whether the kernels can take this map: on a GPU, channels-last, in bfloat16 or float32."""
    return (
        triton is not None
        and x.is_cuda
        and x.dtype in (torch.bfloat16, torch.float32)
        and x.shape[1] <= WIDEST
        and x.numel() < 2**31  # places are counted in 32 bits
        and x.is_contiguous(memory_format=torch.channels_last_3d)
        and trusted(x.device)
    )


@cache
def trusted(device: torch.device) -> bool:
    """Whether the kernels give on `device` what the plain layers give, values and gradients; else a warning says so."""
    try:
        with torch.enable_grad(), torch.autocast(device.type, enabled=False):  # whatever the caller is about
            found = differences(device)
    except Exception as error:  # whatever a compiler or a driver may raise: the plain layers are there
        warnings.warn(f"the GPU kernels do not run here ({str(error).splitlines()[0]}): plain layers", stacklevel=2)
        return False
    wrong = [f"{what}: {off:.1e}" for what, off in found.items() if not off < (1e-2 if "bfloat16" in what else 1e-4)]
    if wrong:
        warnings.warn(f"the GPU kernels are off ({'; '.join(wrong)}): plain layers", stacklevel=2)
    return not wrong


def differences(device: torch.device, side: int = 16) -> dict[str, float]:
    """How far values and gradients are from the plain layers' in float32, on random maps, by what was compared."""
    draws, found = torch.Generator().manual_seed(0), {}
    for kind, pixel, slope in (("batch", 1e-8, 0.0), ("batch", None, 0.2), ("instance", None, 0.2)):
        norm = make_norm(kind, 24).to(device)
        x = (3 * torch.randn(2, 24, 4, side, side, generator=draws) + 1).to(device, torch.bfloat16)
        x = x.contiguous(memory_format=torch.channels_last_3d)
        back = torch.randn(x.shape, generator=draws).to(device, torch.bfloat16)
        full = x.float().requires_grad_()
        normed = norm(full) if pixel is None else PixelNorm(pixel)(norm(full))
        plain, weights = nn.functional.leaky_relu(normed, slope), [*norm.parameters()]
        wanted = (plain, *torch.autograd.grad(plain, [full, *weights], back.float()))
        for dtype in (torch.float32, torch.bfloat16):
            given = x.to(dtype).requires_grad_()
            ours = activated(given, norm, pixel, slope)
            pairs = zip((ours, *torch.autograd.grad(ours, [given, *weights], back.to(dtype))), wanted)
            name = f"{kind}, {pixel}, {slope}, {str(dtype).removeprefix('torch.')}"
            found[name] = max(float((a.detach().float() - b).norm() / b.norm()) for a, b in pairs)
    x = x.float()
    plain = x.unflatten(2, (-1, 2)).mean(3).unflatten(3, (-1, 2)).mean(4).unflatten(4, (-1, 2)).mean(5)
    found["blocks"] = float((downsampled(x, (2, 2, 2)) - plain).norm() / plain.norm())
    whole = plain.repeat_interleave(2, 2).repeat_interleave(2, 3).repeat_interleave(2, 4) / 8
    found["shares"] = float((shared(plain, (2, 2, 2)) - whole).norm() / whole.norm())
    return found


def activated(x: Tensor, norm: nn.Module, pixel: float | None, slope: float) -> Tensor:
    """Leaky ReLU of [pixel norm of] batch or instance norm of x (batch, channel, T, H, W); `pixel` is its epsilon.

    In training a batch norm's running statistics move as in `nn.BatchNorm3d`.
    """
    eps = -1.0 if pixel is None else pixel
    if isinstance(norm, InstanceNorm):
        norm.check(x)
        return _Activated.apply(x, norm.gamma, norm.beta, len(x), norm.eps, eps, slope)[0]
    assert isinstance(norm, nn.BatchNorm3d) and norm.running_mean is not None and norm.running_var is not None
    if not norm.training:
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        shift = norm.bias - norm.running_mean * scale
        if torch.is_grad_enabled() and (x.requires_grad or scale.requires_grad):
            y = x * scale.view(1, -1, 1, 1, 1).to(x.dtype) + shift.view(1, -1, 1, 1, 1).to(x.dtype)
            y = y if pixel is None else y * torch.rsqrt(y.float().square().mean(1, keepdim=True) + pixel).to(y.dtype)
            return nn.functional.leaky_relu(y, slope)
        return _apply(x, scale[None], shift[None], eps, slope)
    y, mean, variance = _Activated.apply(x, norm.weight, norm.bias, 1, norm.eps, eps, slope)
    with torch.no_grad():
        rows, momentum = x.numel() // x.shape[1], norm.momentum
        norm.running_mean.lerp_(mean[0], momentum)
        norm.running_var.lerp_(variance[0] * (rows / (rows - 1)), momentum)
        norm.num_batches_tracked.add_(1)
    return y


class _Activated(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, gamma: Tensor, beta: Tensor, groups: int, eps: float, pixel: float, slope: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        channels, rows = x.shape[1], x.numel() // x.shape[1] // groups
        shift = x.permute(0, 2, 3, 4, 1).reshape(groups, rows, channels)[:, 0].float().contiguous()
        total, squares = _sums(x, groups, shift)
        away = total / rows  # (groups, channel)
        mean, variance = shift + away, (squares / rows - away.square()).clamp_(min=0)
        rate = torch.rsqrt(variance + eps)
        scale = gamma * rate
        y = _apply(x, scale, beta - mean * scale, pixel, slope)
        ctx.save_for_backward(x, mean, rate, gamma, beta)
        ctx.pixel, ctx.slope = pixel, slope
        ctx.mark_non_differentiable(mean, variance)
        return y, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_unused: Tensor) -> tuple[Tensor | None, ...]:
        x, mean, rate, gamma, beta = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last_3d)
        groups, channels = mean.shape
        rows = x.numel() // channels // groups
        scale = gamma * rate
        shift = beta - mean * scale
        block, height = _tile(channels)
        splits = _splits(groups, rows, height)
        part = torch.empty(groups, splits, 2, channels, device=x.device)
        per = triton.cdiv(rows, splits)
        _slopes_kernel[groups, splits](
            gradient, x, part, scale, shift, mean, rate, rows, per, channels, block, height, ctx.pixel, ctx.slope
        )
        along, across = part.sum(dim=1).unbind(1)  # (groups, channel) each
        result = torch.empty_like(x)
        _backward_kernel[triton.cdiv(rows, height), groups](
            gradient, x, result, scale, shift, mean, rate, along / rows, across / rows, rows,
            channels, block, height, ctx.pixel, ctx.slope,
        )  # fmt: skip
        return result, across.sum(0), along.sum(0), None, None, None, None


def downsampled(x: Tensor, scale: tuple[int, int, int]) -> Tensor:
    """The mean of every block of `scale` voxels of x (batch, channel, T, H, W)."""
    n, channels, *sides = x.shape
    small = [side // factor for side, factor in zip(sides, scale)]
    return _blocks(_mean_kernel, x, (n, channels, *small), small, scale)


def shared(gradient: Tensor, scale: tuple[int, int, int]) -> Tensor:
    """The backward of `downsampled`: each voxel gets its share of its block's gradient."""
    gradient = gradient.contiguous(memory_format=torch.channels_last_3d)
    n, channels, *sides = gradient.shape
    large = [side * factor for side, factor in zip(sides, scale)]
    return _blocks(_share_kernel, gradient, (n, channels, *large), large, scale)


def _blocks(kernel: Any, x: Tensor, shape: tuple, sides: list[int], scale: tuple[int, int, int]) -> Tensor:
    y = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last_3d)
    rows, channels = y.numel() // y.shape[1], y.shape[1]
    block, height = _tile(channels)
    kernel[(triton.cdiv(rows, height),)](x, y, rows, *sides, *scale, channels, block, height)
    return y


def _tile(channels: int) -> tuple[int, int]:
    """Columns and rows that one program holds at once."""
    block = triton.next_power_of_2(channels)
    return block, max(1, CELLS // block)


def _splits(groups: int, rows: int, height: int) -> int:
    """Programs that share the rows of one group."""
    return max(1, min(triton.cdiv(PROGRAMS, groups), triton.cdiv(rows, height)))


def _sums(x: Tensor, groups: int, shift: Tensor) -> tuple[Tensor, Tensor]:
    """Sum and sum of squares of x - shift over the rows of each group: (groups, channel) each."""
    channels, rows = x.shape[1], x.numel() // x.shape[1] // groups
    block, height = _tile(channels)
    splits = _splits(groups, rows, height)
    part = torch.empty(groups, splits, 2, channels, device=x.device)
    _sums_kernel[groups, splits](x, shift, part, rows, triton.cdiv(rows, splits), channels, block, height)
    total, squares = part.sum(dim=1).unbind(1)
    return total, squares


def _apply(x: Tensor, scale: Tensor, shift: Tensor, pixel: float, slope: float) -> Tensor:
    """Leaky ReLU of [pixel norm of] x * scale + shift; scale and shift are (groups, channel)."""
    groups, channels = scale.shape
    rows = x.numel() // channels // groups
    block, height = _tile(channels)
    y = torch.empty_like(x)
    _apply_kernel[triton.cdiv(rows, height), groups](
        x, y, scale.contiguous(), shift.contiguous(), rows, channels, block, height, pixel, slope
    )
    return y


if triton is not None:

    @triton.jit
    def _sums_kernel(x, shift, part, rows, per, C: tl.constexpr, B: tl.constexpr, R: tl.constexpr):
        group, split = tl.program_id(0), tl.program_id(1)
        column = tl.arange(0, B)
        known = column < C
        start = x + group * rows * C
        origin = tl.load(shift + group * C + column, mask=known, other=0.0)
        total, squares = tl.zeros([R, B], tl.float32), tl.zeros([R, B], tl.float32)
        end = tl.minimum((split + 1) * per, rows)
        for first in range(split * per, end, R):
            row = first + tl.arange(0, R)
            here = (row < end)[:, None] & known[None, :]
            value = tl.load(start + row[:, None] * C + column[None, :], mask=here, other=0.0).to(tl.float32)
            value = tl.where(here, value - origin[None, :], 0.0)
            total += value
            squares += value * value
        place = part + ((group * tl.num_programs(1) + split) * 2) * C + column
        tl.store(place, tl.sum(total, 0), mask=known)
        tl.store(place + C, tl.sum(squares, 0), mask=known)

    @triton.jit
    def _normed(x, start, scale, shift, row, end, group, C: tl.constexpr, B: tl.constexpr, PIXEL: tl.constexpr):
        """A tile of x, what the norms make of it, and pixel norm's factor."""
        column = tl.arange(0, B)
        known = column < C
        here = (row < end)[:, None] & known[None, :]
        place = start + row[:, None] * C + column[None, :]
        value = tl.load(x + place, mask=here, other=0.0).to(tl.float32)
        a = tl.load(scale + group * C + column, mask=known, other=0.0)
        b = tl.load(shift + group * C + column, mask=known, other=0.0)
        normed = value * a[None, :] + b[None, :]
        factor = tl.full([1], 1.0, tl.float32)
        if PIXEL >= 0:
            factor = tl.rsqrt(tl.sum(normed * normed, 1) / C + PIXEL)
            normed = normed * factor[:, None]
        return value, normed, factor, place, here

    @triton.jit
    def _apply_kernel(x, y, scale, shift, rows, C: tl.constexpr, B: tl.constexpr, R: tl.constexpr, PIXEL: tl.constexpr,
                      SLOPE: tl.constexpr):  # fmt: skip
        group = tl.program_id(1)
        row = tl.program_id(0) * R + tl.arange(0, R)
        start = group * rows * C
        _value, normed, _factor, place, here = _normed(x, start, scale, shift, row, rows, group, C, B, PIXEL)
        tl.store(y + place, tl.where(normed > 0, normed, normed * SLOPE), mask=here)

    @triton.jit
    def _to_norm(gradient, place, here, normed, factor, C: tl.constexpr, PIXEL: tl.constexpr, SLOPE: tl.constexpr):
        """The gradient with respect to what batch or instance norm gave."""
        slope = tl.load(gradient + place, mask=here, other=0.0).to(tl.float32)
        slope = tl.where(normed > 0, slope, slope * SLOPE)
        if PIXEL >= 0:
            along = tl.sum(slope * normed, 1) / C
            slope = (slope - normed * along[:, None]) * factor[:, None]
        return tl.where(here, slope, 0.0)

    @triton.jit
    def _slopes_kernel(gradient, x, part, scale, shift, mean, rate, rows, per, C: tl.constexpr, B: tl.constexpr,
                       R: tl.constexpr, PIXEL: tl.constexpr, SLOPE: tl.constexpr):  # fmt: skip
        group, split = tl.program_id(0), tl.program_id(1)
        column = tl.arange(0, B)
        known = column < C
        m = tl.load(mean + group * C + column, mask=known, other=0.0)
        r = tl.load(rate + group * C + column, mask=known, other=0.0)
        start = group * rows * C
        along, across = tl.zeros([R, B], tl.float32), tl.zeros([R, B], tl.float32)
        end = tl.minimum((split + 1) * per, rows)
        for first in range(split * per, end, R):
            row = first + tl.arange(0, R)
            value, normed, factor, place, here = _normed(x, start, scale, shift, row, end, group, C, B, PIXEL)
            slope = _to_norm(gradient, place, here, normed, factor, C, PIXEL, SLOPE)
            along += slope
            across += slope * (value - m[None, :]) * r[None, :]
        place = part + ((group * tl.num_programs(1) + split) * 2) * C + column
        tl.store(place, tl.sum(along, 0), mask=known)
        tl.store(place + C, tl.sum(across, 0), mask=known)

    @triton.jit
    def _backward_kernel(gradient, x, result, scale, shift, mean, rate, along, across, rows, C: tl.constexpr,
                         B: tl.constexpr, R: tl.constexpr, PIXEL: tl.constexpr, SLOPE: tl.constexpr):  # fmt: skip
        group = tl.program_id(1)
        column = tl.arange(0, B)
        known = column < C
        row = tl.program_id(0) * R + tl.arange(0, R)
        start = group * rows * C
        value, normed, factor, place, here = _normed(x, start, scale, shift, row, rows, group, C, B, PIXEL)
        slope = _to_norm(gradient, place, here, normed, factor, C, PIXEL, SLOPE)
        m = tl.load(mean + group * C + column, mask=known, other=0.0)
        r = tl.load(rate + group * C + column, mask=known, other=0.0)
        a = tl.load(scale + group * C + column, mask=known, other=0.0)
        first = tl.load(along + group * C + column, mask=known, other=0.0)
        second = tl.load(across + group * C + column, mask=known, other=0.0)
        slope = slope - first[None, :] - (value - m[None, :]) * r[None, :] * second[None, :]
        tl.store(result + place, slope * a[None, :], mask=here)

    @triton.jit
    def _mean_kernel(x, y, rows, T, H, W, A: tl.constexpr, D: tl.constexpr, E: tl.constexpr, C: tl.constexpr,
                     B: tl.constexpr, R: tl.constexpr):  # fmt: skip
        row, column = tl.program_id(0) * R + tl.arange(0, R), tl.arange(0, B)
        here = (row < rows)[:, None] & (column < C)[None, :]
        w, h, t, n = row % W, row // W % H, row // (W * H) % T, row // (W * H * T)
        total = tl.zeros([R, B], tl.float32)
        for a in tl.static_range(A):
            for d in tl.static_range(D):
                for e in tl.static_range(E):
                    source = ((n * T * A + t * A + a) * H * D + h * D + d) * W * E + w * E + e
                    total += tl.load(x + source[:, None] * C + column[None, :], mask=here, other=0.0).to(tl.float32)
        tl.store(y + row[:, None] * C + column[None, :], total / (A * D * E), mask=here)

    @triton.jit
    def _share_kernel(gradient, y, rows, T, H, W, A: tl.constexpr, D: tl.constexpr, E: tl.constexpr, C: tl.constexpr,
                      B: tl.constexpr, R: tl.constexpr):  # fmt: skip
        row, column = tl.program_id(0) * R + tl.arange(0, R), tl.arange(0, B)
        here = (row < rows)[:, None] & (column < C)[None, :]
        w, h, t, n = row % W, row // W % H, row // (W * H) % T, row // (W * H * T)
        source = ((n * (T // A) + t // A) * (H // D) + h // D) * (W // E) + w // E
        value = tl.load(gradient + source[:, None] * C + column[None, :], mask=here, other=0.0).to(tl.float32)
        tl.store(y + row[:, None] * C + column[None, :], value / (A * D * E), mask=here)
