"""Fidelity and variety apart, by nearest neighbours: precision, recall, density, coverage (chapter 08)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hrvgan_lib.metrics.rulers.draws import Draw
from hrvgan_lib.metrics.rulers.estimates import Estimate, estimate, influence, share_estimate
from hrvgan_lib.metrics.rulers.frechet import checked_features

NEAREST = 5  # neighbours that set the size of a clip's ball


@dataclass(frozen=True)
class Neighbourhoods:
    """How two sets of clips lie among each other. The ball of a clip reaches to its k-th neighbour on its own side.

    Fidelity: `precision`, the share of fake clips in some real clip's ball (Kynkäänniemi et al., 2019), and `density`,
    the number of real balls around a fake clip over k, about 1 for equal sets, which a single stray real clip cannot
    raise (Naeem et al., 2020). Variety: `recall`, the share of real clips in some fake clip's ball (2019), and
    `coverage`, the share of real clips with a fake clip in their ball (2020).
    """

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate


def neighbourhoods(
    real: ArrayLike, fake: ArrayLike, draw_real: Draw, draw_fake: Draw, nearest: int = NEAREST
) -> Neighbourhoods:
    """The four numbers of (N, D) and (M, D) features, with intervals from leaving out one clip at a time.

    nearest: k, at most two less than the smaller set. Raises ValueError as `frechet_distance` does, and for fewer than
    four clips on a side.
    """
    real, fake = checked_features(real, "real features"), checked_features(fake, "fake features")
    if min(len(real), len(fake)) < 4:
        raise ValueError(f"neighbourhoods need at least 4 clips on each side, got {len(real)} and {len(fake)}")
    k = min(nearest, len(real) - 2, len(fake) - 2)
    across = _distances(real, fake)
    by_real, by_fake = _Balls(_distances(real, real), across, k), _Balls(_distances(fake, fake), across.T, k)
    return Neighbourhoods(
        precision=share_estimate(_some_ball(by_real, draw_real, draw_fake)),
        recall=share_estimate(_some_ball(by_fake, draw_fake, draw_real)),
        density=_mean_balls(by_real, draw_real, draw_fake),
        coverage=share_estimate(_filled(by_real, draw_real, draw_fake)),
    )


def _distances(these: np.ndarray, those: np.ndarray) -> np.ndarray:
    """Squared distances of the rows of (N, D) and (M, D): (N, M). Only their order counts here."""
    squares = np.square(these).sum(axis=1)[:, None] + np.square(those).sum(axis=1) - 2 * these @ those.T
    return squares.clip(min=0)


class _Balls:
    """The balls of n clips, and which of m others lie in them.

    inside (n, m): as they are. wider (n, m): what comes in when a neighbour is left out and a ball reaches one clip
    farther. among (n, n): row j marks the balls that grow when clip j goes, those that it is a k-th neighbour of or
    nearer.
    """

    def __init__(self, own: np.ndarray, across: np.ndarray, k: int) -> None:
        order = np.partition(own, (k, k + 1), axis=1)  # column 0 is the clip itself
        self.k, self.inside = k, across < order[:, k : k + 1]
        self.wider = (across < order[:, k + 1 : k + 2]) & ~self.inside
        self.among = (own <= order[:, k : k + 1]).T.astype(np.float32)
        np.fill_diagonal(self.among, 0)
        # how many balls each of the m others lies in after ball j is gone: (n, m), one row for each j
        self.without_one = np.rint(self.inside.sum(axis=0) - self.inside + self.among @ self.wider.astype(np.float32))


def _some_ball(balls: _Balls, draw: Draw, draw_others: Draw) -> Estimate:
    """Share of the others that lie in at least one ball."""
    covered = balls.inside.any(axis=0)
    lost = covered.mean() - (balls.without_one > 0).mean(axis=1)  # when ball j goes
    parts = influence(draw, len(draw) * lost), influence(draw_others, covered)
    return estimate(float(covered.mean()), *parts, floor=0.0, ceiling=1.0)


def _mean_balls(balls: _Balls, draw: Draw, draw_others: Draw) -> Estimate:
    """Mean number of balls that one of the others lies in, over k."""
    counts = balls.inside.sum(axis=0) / balls.k
    lost = counts.mean() - balls.without_one.mean(axis=1) / balls.k
    parts = influence(draw, len(draw) * lost), influence(draw_others, counts)
    return estimate(float(counts.mean()), *parts, floor=0.0)


def _filled(balls: _Balls, draw: Draw, draw_others: Draw) -> Estimate:
    """Share of the balls with at least one of the others in it."""
    n, filled = len(draw), balls.inside.any(axis=1)
    grown = (balls.wider.any(axis=1) & ~filled).astype(np.float32)  # filled once they reach one clip farther
    after = (filled.sum() - filled + balls.among @ grown) / (n - 1)  # when clip j goes
    alone = (balls.inside & (balls.inside.sum(axis=1, keepdims=True) == 1)).sum(axis=0) / n  # filled by this one only
    parts = influence(draw, (n - 1) * (filled.mean() - after)), influence(draw_others, len(draw_others) * alone)
    return estimate(float(filled.mean()), *parts, floor=0.0, ceiling=1.0)
