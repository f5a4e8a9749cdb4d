"""Normalisation layers: pixel norm (Eq. 8), instance norm (Eq. 9), batch norm's place, minibatch stddev; chapter 02."""

import torch
from torch import Tensor, nn

# What may stand around an activation, in order: "batch+pixel" is batch norm, pixel norm, activation.
NORMS = (
    "none",
    "batch",
    "instance",
    "pixel",
    "batch+pixel",
    "instance+pixel",
    "act+pixel",
    "batch+act+pixel",
    "instance+act+pixel",
)


def full(values: Tensor) -> Tensor:
    """`values` in float32, or in float64 where they are that already: bfloat16 is too coarse for a sum of squares."""
    return values if values.dtype == torch.float64 else values.float()


class PixelNorm(nn.Module):
    """Give the feature vector at each (t, y, x) unit mean square (Eq. 8; decision A13 for where epsilon stands).

    Takes and returns (batch, channel, ...); the mean runs over channels only, so samples never mix.
    """

    def __init__(self, eps: float = 1e-8) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, features: Tensor) -> Tensor:
        mean_square = full(features).square().mean(dim=1, keepdim=True)  # (batch, 1, ...)
        return features * torch.rsqrt(mean_square + self.eps).to(features.dtype)


class InstanceNorm(nn.Module):
    """Standardise each channel of each clip over (time, height, width), then scale and shift (the inner part of Eq. 9).

    Affine, with no running statistics (decision A15). Written out, because `nn.InstanceNorm3d` drops the
    channels-last layout that makes 3-D convolutions fast.

    Raises:
        ValueError: a map of one position, whose variance says nothing.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    @staticmethod
    def check(features: Tensor) -> None:
        """Raise ValueError for a map of one position."""
        if features[0, 0].numel() == 1:
            raise ValueError("InstanceNorm needs more than one position in a map; use PixelNorm at 1x1x1")

    def forward(self, features: Tensor) -> Tensor:  # (batch, channel, time, height, width)
        self.check(features)
        centred = full(features) - full(features).mean(dim=(2, 3, 4), keepdim=True)
        variance = centred.square().mean(dim=(2, 3, 4), keepdim=True)  # (batch, channel, 1, 1, 1)
        scale = self.gamma.view(1, -1, 1, 1, 1) * torch.rsqrt(variance + self.eps)
        return torch.addcmul(self.beta.view(1, -1, 1, 1, 1), centred, scale).to(features.dtype)


class MinibatchStddev(nn.Module):
    """Append one map that says how much the clips of a group differ (Table 2's 129th channel; decision A8).

    For each group of `group` clips: the standard deviation over the group of every element, then the mean of all of
    them, one number, repeated over (time, height, width). A generator that always answers the same is found out.

    Raises:
        ValueError: a batch larger than `group` that `group` does not divide. A smaller batch is one group.
    """

    def __init__(self, group: int = 4, eps: float = 1e-8) -> None:
        super().__init__()
        self.group = group
        self.eps = eps

    def forward(self, features: Tensor) -> Tensor:  # (batch, channel, t, y, x) -> (batch, channel + 1, t, y, x)
        batch = features.shape[0]
        group = min(self.group, batch)
        if batch % group:
            raise ValueError(
                f"batch of {batch} is not a multiple of the stddev group {group}; use a batch of "
                f"{batch // group * group} or {(batch // group + 1) * group}"
            )
        grouped = full(features).reshape(group, batch // group, -1)  # (group, batch / group, channel * t * y * x)
        spread = torch.sqrt(grouped.var(dim=0, correction=0) + self.eps).mean(dim=1)  # (batch / group,): one a group
        plane = spread.to(features.dtype).repeat(group).view(batch, 1, 1, 1, 1)
        return torch.cat([features, plane.expand(-1, -1, *features.shape[2:])], dim=1)  # plane: (batch, 1, t, y, x)


def make_norm(name: str, channels: int) -> nn.Module:
    """Build one normalisation layer.

    Args:
        name: "none", "batch", "instance" or "pixel".
        channels: feature maps of the layer that it follows.

    Raises:
        ValueError: an unknown name.
    """
    layers = {
        "none": nn.Identity,
        "batch": lambda: nn.BatchNorm3d(channels),
        "instance": lambda: InstanceNorm(channels),
        "pixel": PixelNorm,
    }
    if name not in layers:
        raise ValueError(f"unknown norm '{name}'; choose one of {', '.join(layers)}")
    return layers[name]()


def norms_around_activation(spec: str, channels: int) -> tuple[nn.Module, nn.Module]:
    """Return what stands before and what stands behind the activation (decision A12).

    Args:
        spec: one of `NORMS`; "act" marks the activation's place, which is last where it is not named.
        channels: feature maps of the convolution in front.

    Raises:
        ValueError: a spec that is not in `NORMS`.
    """
    if spec not in NORMS:
        raise ValueError(f"unknown norm '{spec}'; choose one of {', '.join(NORMS)}")
    before, _, after = (spec if "act" in spec else spec + "+act").partition("act")

    def layers(names: str) -> nn.Module:
        return nn.Sequential(*(make_norm(name, channels) for name in names.strip("+").split("+") if name))

    return layers(before), layers(after)
