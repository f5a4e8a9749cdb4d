"""Answers turned into numbers that know their clips: score, distances, neighbourhoods, with intervals (chapter 08)."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan

import numpy as np

from hrvgan_lib.metrics.answers import Answers, Namer
from hrvgan_lib.metrics.rulers.estimates import Estimate, average, estimate, influence, share_estimate
from hrvgan_lib.metrics.rulers.frechet import EXACT, frechet_influences
from hrvgan_lib.metrics.rulers.inception import bad_row, inception_influences, inception_score
from hrvgan_lib.metrics.rulers.intervals import UNTOLD
from hrvgan_lib.metrics.rulers.kernel import kernel_influences
from hrvgan_lib.metrics.rulers.neighbours import Neighbourhoods, neighbourhoods

LEARNED = 0.1  # share of the way from an untrained network to real clips behind which a system counts as trained


def inception_estimate(answers: Answers, judge: Namer | None = None) -> Estimate:
    """Eq. 16 of one draw, as `judge`'s protocol takes it where one is given; ValueError without probabilities."""
    rows = answers.probabilities
    if rows is None:
        raise ValueError(f"{answers.extractor} names no classes: it gives no Inception Score")
    if not np.isfinite(rows).all():
        return untold(answers, "answers", rows, floor=1.0)
    value = inception_score(rows) if judge is None else judge.score([rows])[0]
    moves = inception_influences(rows) if judge is None else judge.score_influences(rows)
    return estimate(value, influence(answers.draw, moves), floor=1.0)


def frechet_estimate(real: Answers, fake: Answers, tolerance: float = EXACT) -> Estimate:
    """Eq. 17 between one draw of either kind. Raises ValueError as `Answers.distance` does."""
    for answers in (real, fake):
        if not np.isfinite(answers.features).all():
            return untold(answers, "features", answers.features, floor=0.0)
    value = fake.distance(real, tolerance)
    moves = frechet_influences(real.features, fake.features)
    parts = [influence(answers.draw, rows) for answers, rows in zip((real, fake), moves)]
    return estimate(value, *parts, floor=0.0)


def kernel_estimate(real: Answers, fake: Answers) -> Estimate:
    """The kernel distance between one draw of either kind."""
    for answers in (real, fake):
        if not np.isfinite(answers.features).all():
            return untold(answers, "features", answers.features)
    value, *moves = kernel_influences(real.features, fake.features)
    return estimate(value, *(influence(answers.draw, rows) for answers, rows in zip((real, fake), moves)))


def neighbourhood_estimates(real: Answers, fakes: Sequence[Answers]) -> Neighbourhoods:
    """Precision, recall, density and coverage of each draw of `fakes`, averaged over the draws."""
    for answers in (real, *fakes):
        if not np.isfinite(answers.features).all():
            lost = untold(answers, "features", answers.features, floor=0.0, ceiling=1.0)
            return Neighbourhoods(lost, lost, lost, lost)
    found = [neighbourhoods(real.features, fake.features, real.draw, fake.draw) for fake in fakes]
    if len(found) == 1:
        return found[0]
    shares = ("precision", "recall", "coverage")
    joined = {name: share_estimate(average([getattr(one, name) for one in found])) for name in shares}
    return Neighbourhoods(density=average([one.density for one in found], floor=0.0), **joined)


def untold(answers: Answers, what: str, rows: np.ndarray, floor: float = -inf, ceiling: float = inf) -> Estimate:
    """What stands for a number where a clip's `rows`, features or answers, are NaN or infinite."""
    why = f"{UNTOLD}: {what} of clip {bad_row(rows)} of {answers.source.split()[0]} are NaN or infinite"
    return Estimate(floor, ceiling, nan, len(rows), why)


def learned(trained: Estimate, untrained: Estimate, real: Estimate, better: int) -> bool:
    """Whether a system is clear of its own untrained network, by one ruler and on the same reference.

    It is where the 95 % interval of the paired gain, less a tenth of the way (`LEARNED`) from the untrained network to
    real clips, lies above zero. better: 1 where a higher number is, as of a score; -1 of a distance. False also where
    that way cannot be told: real clips of a single video, a ruler that puts them behind an untrained network.
    """
    if not better * (real.value - untrained.value) > 0 or not real.told:
        return False
    shares = ((better, trained), (-better * (1 - LEARNED), untrained), (-better * LEARNED, real))
    value = sum(share * found.value for share, found in shares)
    return estimate(value, *(part * share for share, found in shares for part in found.influences)).low > 0


def position(value: float, real: float, ceilings: Sequence[float]) -> float | None:
    """Where a value lies between real clips, 0, and the nearest of several ceilings, 1.

    The ceilings are clips that show nothing: noise, the mean clip, an untrained network. None where one of them is as
    good as real clips: then the ruler cannot place anything. Above 1 is worse than the nearest ceiling.
    """
    nearest = min(ceilings, key=lambda ceiling: abs(ceiling - real))
    same_side = all((ceiling - real) * (nearest - real) > 0 for ceiling in ceilings)
    return (value - real) / (nearest - real) + 0.0 if same_side else None  # no minus zero
