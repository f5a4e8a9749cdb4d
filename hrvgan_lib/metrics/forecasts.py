"""Predictions and what they have to beat: the last frame held, a straight line, a control of noise (chapter 07)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from hrvgan_lib.metrics.eyes.judge import weights_digest
from hrvgan_lib.metrics.rulers.draws import Draw
from hrvgan_lib.metrics.rulers.estimates import Estimate, mean_estimate
from hrvgan_lib.metrics.rulers.frames import edge_gap, edges, psnr, ssim
from hrvgan_lib.metrics.sources import Source, treated
from hrvgan_lib.streams import stream

if TYPE_CHECKING:
    from hrvgan_lib.networks.prediction import Prediction

MEASURES: dict[str, Callable[[Tensor, Tensor], np.ndarray]] = {"PSNR": psnr, "SSIM": ssim, "edge gap": edge_gap}
BOUNDS = {"PSNR": (-np.inf, np.inf), "SSIM": (-1.0, 1.0), "edge gap": (0.0, np.inf)}


def last_frame(given: Tensor, ahead: int) -> Tensor:
    """The last of the frames (N, 3, m, S, S), held for `ahead` frames: (N, 3, ahead, S, S)."""
    return given[:, :, -1:].repeat(1, 1, ahead, 1, 1)


def straight_line(given: Tensor, ahead: int) -> Tensor:
    """Every pixel goes on as it changed between the last two frames, within [-1, 1]: (N, 3, ahead, S, S)."""
    if given.shape[2] < 2:
        return last_frame(given, ahead)
    steps = torch.arange(1, ahead + 1, device=given.device).view(1, 1, -1, 1, 1)
    return (given[:, :, -1:] + steps * (given[:, :, -1:] - given[:, :, -2:-1])).clamp(-1, 1)


def with_noise(predicted: Tensor, truth: Tensor, seed: int = 0) -> Tensor:
    """A prediction with white noise, as strong as makes its frames as steep on average as the true ones.

    The control of a measure of sharpness: noise is no detail. A prediction that is as steep already gets noise that
    makes it a tenth steeper.
    """
    noise = torch.randn(predicted.shape, generator=stream("white noise", seed))
    wanted, own, low, high = edges(truth).mean(), edges(predicted).mean(), 0.0, 1.0
    wanted = wanted if own < wanted else 1.1 * own
    for _ in range(20):  # the steepness grows with the noise: halve the range
        middle = (low + high) / 2
        steep = edges((predicted + middle * noise).clamp(-1, 1)).mean()
        low, high = (middle, high) if steep < wanted else (low, middle)
    return (predicted + low * noise).clamp(-1, 1)


def half_predicted(source: Source, name: str, given: int, predict: Callable[[Tensor], Tensor], note: str) -> Source:
    """The clips of `source` with all frames behind the first `given` predicted from these; `note` says by whom."""

    def treatment(clips: Tensor) -> Tensor:
        seen = clips[:, :, :given]
        return torch.cat([seen, predict(seen).to(seen)], dim=2)

    return treated(source, name, treatment, f"frames from the {given + 1}th on predicted, {note}")


def continued(source: Source, name: str, system: Prediction) -> Source:
    """The clips of `source` as a predictor without labels continues them; latents, where it takes any, are fixed."""

    def predict(seen: Tensor) -> Tensor:
        return system.predict(seen, generator=stream("continued"))

    return half_predicted(source, name, system.given, predict, f"{system.name} {weights_digest(system.sampler)}")


@dataclass(frozen=True)
class Forecast:
    """How near predicted frames are to the true ones, by measure: over the frames, and the mean of their second half.

    Intervals are over the units (people, looks) that the clips come from.
    """

    curves: dict[str, tuple[Estimate, ...]]
    late: dict[str, Estimate]


def forecast(predicted: Tensor, truth: Tensor, draw: Draw) -> Forecast:
    """Measure predicted frames (N, 3, T, S, S) against the true ones; `draw` says whose clips they are."""
    curves, late = {}, {}
    for name, measure in MEASURES.items():
        values, (floor, ceiling) = measure(predicted, truth), BOUNDS[name]
        curves[name] = tuple(mean_estimate(column, draw, floor, ceiling) for column in values.T)
        late[name] = mean_estimate(second_half(values), draw, floor, ceiling)
    return Forecast(curves, late)


def second_half(values: np.ndarray) -> np.ndarray:
    """Of one number a frame, (N, T): its mean over the second half of the horizon, (N,)."""
    return values[:, values.shape[1] // 2 :].mean(axis=1)


def best_of(futures: Sequence[Tensor], truth: Tensor) -> tuple[Tensor, np.ndarray]:
    """Of several predictions of the same clips: for each clip the one with the highest PSNR, and which one it was."""
    scores = np.stack([psnr(one, truth).mean(axis=1) for one in futures])  # (K, N)
    which = scores.argmax(axis=0)
    return torch.stack([futures[k][number] for number, k in enumerate(which)]), which
