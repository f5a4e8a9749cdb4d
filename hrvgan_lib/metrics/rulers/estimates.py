"""A number that knows which clips moved it: its interval alone, and beside another number (chapter 08).

The *influence* of a clip is how fast a statistic changes when that clip's weight grows (Hampel, 1974). A mean's
influences are its values less the mean, and to first order every smooth statistic behaves like such a mean: the spread
of the influences over independent units is its standard error (the infinitesimal jackknife; in surveys, Taylor
linearisation). Two numbers that looked at the same clips are compared through the difference of their influences, in
which what they share cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, inf, isfinite, log, nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from hrvgan_lib.budgets import FIRM
from hrvgan_lib.metrics.rulers.draws import Draw, with_company
from hrvgan_lib.metrics.rulers.intervals import UNTOLD, Interval


@dataclass(frozen=True)
class Influence:
    """How much each independent unit of one draw moves a number, in that number's units."""

    source: str
    unit: str
    clips: int
    units: tuple[int, ...]
    strata: tuple[int, ...]  # of each unit
    totals: tuple[float, ...]  # of each unit, zero in sum

    def variance(self) -> tuple[float, float]:
        """(variance of the number as far as these clips move it, degrees of freedom); infinite for a single unit.

        Within a stratum of G units the totals scatter around their mean. Where units hold several clips, a second
        factor G / (G - 1) stands for what a first-order approximation misses when a unit carries much of the weight.
        """
        totals = np.asarray(self.totals)
        if len(totals) < 2:
            return inf, 0.0
        strata = with_company(np.asarray(self.strata), np.arange(len(totals)))
        total = squares = 0.0
        for stratum in np.unique(strata):
            of_it = totals[strata == stratum]
            count = len(of_it)
            part = count * of_it.var(ddof=1) * (count / (count - 1) if self.clips > len(totals) else 1.0)
            total, squares = total + part, squares + part**2 / (count - 1)
        return float(total), float(total**2 / squares) if squares else float(len(totals) - len(np.unique(strata)))

    def __mul__(self, factor: float) -> Influence:
        return replace(self, totals=tuple(factor * total for total in self.totals))

    def __add__(self, other: Influence) -> Influence:
        """Of the sum of two numbers that looked at the same units."""
        totals: dict[int, float] = dict(zip(self.units, self.totals))
        strata: dict[int, int] = dict(zip(other.units, other.strata)) | dict(zip(self.units, self.strata))
        for unit, total in zip(other.units, other.totals):
            totals[unit] = totals.get(unit, 0.0) + total
        units = tuple(sorted(totals))
        return replace(
            self,
            clips=max(self.clips, other.clips),
            units=units,
            strata=tuple(strata[unit] for unit in units),
            totals=tuple(totals[unit] for unit in units),
        )


def influence(draw: Draw, rows: ArrayLike) -> Influence:
    """Sum the influences of single clips, `rows` (N,), by unit.

    A row is the derivative of the number by the clip's weight, times N: the influences of a mean are its values, up to
    a constant. Rows are centred within their stratum, since its share of the clips is fixed.
    """
    values = np.asarray(rows, np.float64)
    units, which, strata, of_units = draw.design()
    counts = np.bincount(strata)
    centred = values - (np.bincount(strata, values) / counts)[strata]
    crossed = (of_units[which] != strata).any()  # units that hold several classes
    if crossed:  # centring took a part of what the clips of a unit share; this gives it back in full
        centred = centred * (counts / np.maximum(counts - 1, 1))[strata]
    totals = np.bincount(which, centred) / len(values)
    return Influence(
        draw.source, draw.unit, len(values), tuple(units.tolist()), tuple(of_units.tolist()), tuple(totals.tolist())
    )


@dataclass(frozen=True)
class Estimate(Interval):
    """A number with its 95 % interval and the influences behind it, one for each independent source of clips."""

    influences: tuple[Influence, ...] = ()


def read_estimate(record: dict[str, Any]) -> Estimate:
    """The estimate in what JSON makes of one."""
    parts = []
    for part in record["influences"]:
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in part.items()
        }
        parts.append(Influence(**values))
    return Estimate(**record | {"influences": tuple(parts)})


def estimate(value: float, *influences: Influence, floor: float = -inf, ceiling: float = inf) -> Estimate:
    """`value` with Student's 95 % interval; what comes from one source is added up first.

    The degrees of freedom are Welch's and Satterthwaite's for variances of several sources. `floor` and `ceiling` bound
    what the statistic can be. A number that is not finite, or that hangs on a single unit, gets an interval without
    bounds whose method says why.
    """
    merged: dict[str, Influence] = {}
    for one in influences:
        merged[one.source] = merged[one.source] + one if one.source in merged else one
    parts = tuple(merged.values())
    clips = min((part.clips for part in parts), default=0)
    if not isfinite(value) or not all(np.isfinite(part.totals).all() for part in parts):
        return Estimate(floor, ceiling, value, clips, f"{UNTOLD}: features or answers that are not finite", parts)
    variances = [part.variance() for part in parts]
    if lone := [part.unit for part, (variance, _) in zip(parts, variances) if variance == inf]:
        return Estimate(floor, ceiling, value, clips, f"{UNTOLD}: a single {lone[0]}", parts)
    margin = _margin(variances)
    told = " and ".join(dict.fromkeys(f"{len(part.units)} {part.unit}s" for part in parts))
    return Estimate(
        max(value - margin, floor), min(value + margin, ceiling), value, clips, f"influences, {told}", parts
    )


def difference(above: Estimate, below: Estimate) -> Estimate:
    """`above` less `below`, paired: what the two share, such as the real clips of Eq. 17, cancels in its interval."""
    return estimate(above.value - below.value, *above.influences, *(one * -1.0 for one in below.influences))


def logarithm(found: Estimate) -> Estimate:
    """The logarithm of a positive number; NaN, with an interval without bounds, where it is not positive."""
    if not found.value > 0:
        return Estimate(-inf, inf, nan, found.n, f"{UNTOLD}: a number that is not above zero", found.influences)
    return estimate(log(found.value), *(one * (1 / found.value) for one in found.influences))


def exponential(found: Estimate) -> Estimate:
    """The number whose logarithm this is, with the bounds of the logarithm."""
    low, high, value = (exp(min(number, 700.0)) if isfinite(number) else number for number in
                        (found.low, found.high, found.value))  # fmt: skip
    parts = tuple(one * value for one in found.influences)
    return replace(found, low=max(low, 0.0), high=high, value=value, influences=parts)


def quotient(above: Estimate, below: Estimate) -> Estimate:
    """`above` over `below`, both positive, paired: its interval is that of the difference of the logarithms."""
    return exponential(difference(logarithm(above), logarithm(below)))


def average(estimates: Sequence[Estimate], floor: float = -inf, ceiling: float = inf) -> Estimate:
    """The mean of several draws' numbers: clips that were new in each draw count as new, shared ones as shared.

    Where one of them cannot be told, neither can the mean, and for the same reason.
    """
    if lost := [found for found in estimates if not found.told]:
        return replace(lost[0], value=float(np.mean([found.value for found in estimates])))
    share = 1 / len(estimates)
    parts = [one * share for found in estimates for one in found.influences]
    return estimate(float(np.mean([found.value for found in estimates])), *parts, floor=floor, ceiling=ceiling)


def over_seeds(found: Sequence[Estimate]) -> Estimate:
    """One number over several trainings, each an estimate from clips of its own and others that all share.

    With fewer than `FIRM` trainings the interval is that of their average: it speaks of these trainings. From there on
    it is over training seeds: their scatter, which holds that of each training's own samples, and beside it that of the
    clips which every training was measured on, such as the real ones of Eq. 17, which no number of seeds averages out.
    """
    mean, count = found[0] if len(found) == 1 else average(found), len(found)
    if count < FIRM or not mean.told:
        return mean
    common = set.intersection(*({part.source for part in one.influences} for one in found))
    shared = [part.variance() for part in mean.influences if part.source in common]
    between = float(np.var([one.value for one in found], ddof=1)) / count
    parts = [(between, count - 1.0), *shared]
    margin, samples = _margin(parts), (mean.high - mean.low) / 2
    told = f"{count} training seeds (±{margin:.3g}; of samples and real clips alone ±{samples:.3g})"
    return replace(mean, low=mean.value - margin, high=mean.value + margin, method=told)


def _margin(parts: Sequence[tuple[float, float]]) -> float:
    """Half of a 95 % interval from independent (variance, degrees of freedom): Welch's and Satterthwaite's."""
    total = sum(variance for variance, _ in parts)
    squares = sum(variance**2 / freedom for variance, freedom in parts if variance)
    return float(student.ppf(0.975, total**2 / squares) * sqrt(total)) if squares else 0.0


def mean_estimate(values: ArrayLike, draw: Draw, floor: float = -inf, ceiling: float = inf) -> Estimate:
    """The mean of one number a clip, (N,)."""
    rows = np.asarray(values, np.float64)
    return estimate(float(rows.mean()), influence(draw, rows), floor=floor, ceiling=ceiling)


def share_estimate(found: Estimate) -> Estimate:
    """A share in [0, 1], of right answers for instance, with Wilson's interval for the trials that it is worth.

    p (1 - p) over the variance from the influences is the number of independent trials that would scatter as much
    (Kish's effective sample size), at most twice the clips; a share of 0 or 1, which does not scatter, is worth its
    units. Student's factor stands in for the normal one where units are few (Korn and Graubard, 1998).
    """
    p, parts = found.value, found.influences
    if not found.told:
        return replace(found, low=0.0, high=1.0)
    variances = [part.variance() for part in parts]
    total = sum(variance for variance, _ in variances)
    units = min(len(part.units) for part in parts)
    if 0 < p < 1 and total > 0:
        trials = min(p * (1 - p) / total, 2.0 * found.n)
        freedom = total**2 / sum(variance**2 / free for variance, free in variances if variance)
    else:
        trials, freedom = float(units), units - 1.0
    z = student.ppf(0.975, freedom)
    centre = (p + z**2 / (2 * trials)) / (1 + z**2 / trials)
    margin = z / (1 + z**2 / trials) * sqrt(p * (1 - p) / trials + z**2 / (4 * trials**2))
    return replace(
        found, low=max(centre - margin, 0.0), high=min(centre + margin, 1.0), method=f"Wilson, {found.method}"
    )


def share(right: ArrayLike, draw: Draw) -> Estimate:
    """Share of clips that are right, (N,) booleans, with an interval that knows about units and classes."""
    return share_estimate(mean_estimate(np.asarray(right, np.float64), draw))
