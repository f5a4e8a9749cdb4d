"""Published ways to an Inception Score, by name: what is shown to the judge, how often, how the scores are joined.

Chapter 08, decision E1. Sources: `pfnet-research/tgan:evaluation`, `pfnet-research/tgan2:evaluations`,
`universome/stylegan-v:src/metrics`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hrvgan_lib.metrics.rulers.inception import inception_influences, inception_score

CROP = 112  # rows and columns that the published classifier reads
FULL = 128  # side before the crop
FRAMES = 16
MEAN_LEFT = 21  # first column of the 171 wide mean volume under a centred 128


@dataclass(frozen=True)
class Protocol:
    """One way to the number that is called "Inception Score on UCF101"."""

    name: str
    samples: int
    repeats: int  # sets of samples, each from a seed of its own
    splits: int  # parts into which a set is cut before scoring
    epsilon: float  # added inside the logarithms
    through_128: bool  # bicubic to 128x128, mean, crop 112; else bilinear straight to 112
    clamp: bool  # samples are cut to [-1, 1] first
    source: str
    stride: int = 1  # which 16 of a longer clip's frames: 1, the first ones; 2, every second of the first 32

    def prepare(self, clips: Tensor, mean: Tensor | None = None) -> Tensor:
        """Clips (N, 3, T, H, W), RGB in [-1, 1] -> what the published C3D reads: (N, 3, 16, 112, 112), BGR, mean away.

        It is shown the grey levels of the decoded video, 0 to 255: TGAN's own clips, (x - 128) / 128, reach it as
        128 x + 128, and this book's, x / 127.5 - 1, as 127.5 x + 127.5, which is the same picture.

        mean: (3, 16, H, W), 112 to 171 wide, on the scale 0..255, BGR; None subtracts 128.
        Raises ValueError for clips with too few frames.
        """
        clips = clips[:, :, :: self.stride][:, :, :FRAMES]
        if clips.shape[2] < FRAMES:
            raise ValueError(
                f"the {self.name} protocol reads {FRAMES} frames, these clips have {clips.shape[2]} at "
                f"stride {self.stride}; give longer clips or stride 1"
            )
        if self.clamp:
            clips = clips.clamp(-1, 1)
        n = len(clips)
        flat = (127.5 * clips.flip(1) + 127.5).transpose(1, 2).flatten(0, 1)  # RGB -> BGR, 0..255, not rounded
        if self.through_128:
            flat = F.interpolate(flat, size=(FULL, FULL), mode="bicubic", align_corners=False)
        else:
            flat = F.interpolate(flat, size=(CROP, CROP), mode="bilinear", align_corners=True)  # as Chainer resizes
        volume = flat.unflatten(0, (n, FRAMES)).transpose(1, 2)  # (N, 3, 16, side, side)
        edge = (FULL - CROP) // 2
        if self.through_128:
            volume = volume[..., edge : edge + CROP, edge : edge + CROP]  # (N, 3, 16, 112, 112)
        return volume - (128.0 if mean is None else self._under(mean).to(volume))

    def _under(self, mean: Tensor) -> Tensor:
        """The part of a mean volume that lies under the crop."""
        height, width = mean.shape[-2:]
        if (height, width) == (CROP, CROP):
            return mean
        left = MEAN_LEFT if self.through_128 and width > FULL else 0  # TGANv2 crops a 171 wide mean off-centre
        edge = (FULL - CROP) // 2
        return mean[..., edge : edge + CROP, left + edge : left + edge + CROP]

    def score(self, probabilities: Sequence[np.ndarray]) -> tuple[float, float, tuple[float, ...]]:
        """(mean, population standard deviation, single scores) over repeats, and over splits where there are some.

        probabilities: one (N, K) array a repeat. Where a protocol splits, the sets are shuffled with its seed 42.
        """
        scores = [
            inception_score(rows[part], self.epsilon) for rows in probabilities for part in self._parts(len(rows))
        ]
        return float(np.mean(scores)), float(np.std(scores)), tuple(scores)

    def score_influences(self, rows: np.ndarray) -> np.ndarray:
        """How much each of N clips moves the mean score of one repeat, (N, K) -> (N,)."""
        moves, parts = np.empty(len(rows)), self._parts(len(rows))
        for part in parts:
            moves[part] = inception_influences(rows[part], self.epsilon) * (len(rows) / (len(parts) * len(part)))
        return moves

    def _parts(self, n: int) -> list[np.ndarray]:
        """Row numbers of the parts that are scored one by one."""
        order = np.random.RandomState(42).permutation(n) if self.splits > 1 else np.arange(n)
        splits = max(1, min(self.splits, n // 2))  # a part needs two clips
        return [order[a:b] for a, b in pairwise(i * n // splits for i in range(splits + 1))]

    def describe(self) -> str:
        """One line: the published way. Records add how many clips were really shown."""
        cut = f", {self.splits} splits" if self.splits > 1 else ""
        way = "bicubic to 128, crop 112" if self.through_128 else "bilinear to 112"
        frames = "first 16 frames" if self.stride == 1 else f"16 frames {self.stride} apart"
        return f"{self.name} (published with {self.samples:,} clips x {self.repeats}{cut}): {frames}, {way}"


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol("tgan-v1", 9_984, 4, 1, 1e-7, True, False, "pfnet-research/tgan:evaluation/calc_inception.py"),
        Protocol("tgan-v2", 2_048, 10, 1, 1e-20, False, True, "pfnet-research/tgan2:evaluations/inception_score.py"),
        Protocol("stylegan-v", 2_048, 1, 10, 0.0, False, True,
                 "universome/stylegan-v:src/metrics/video_inception_score.py"),
    )
}  # fmt: skip


def get_protocol(name: str) -> Protocol:
    """The protocol `name`. Raises ValueError for an unknown one."""
    if name not in PROTOCOLS:
        raise ValueError(f"unknown protocol {name!r}: choose one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


def softmax64(logits: Tensor) -> np.ndarray:
    """Class probabilities in float64, from a log-softmax: (N, K) rows that sum to 1 within 1e-12."""
    return torch.log_softmax(logits.double(), dim=1).exp().cpu().numpy()
