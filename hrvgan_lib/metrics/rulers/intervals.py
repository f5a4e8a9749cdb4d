"""Intervals: how far a measured number would move with other clips (chapter 08)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from hrvgan_lib.metrics.rulers.draws import Draw, drawn

UNTOLD = "cannot be told"  # how the method of an interval without bounds begins


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval."""

    low: float
    high: float
    value: float
    n: int  # clips that it was measured on
    method: str  # how the interval was made

    @property
    def told(self) -> bool:
        """False where nothing could be told: then the bounds are none, and the method says why."""
        return not self.method.startswith(UNTOLD)

    def disjoint(self, other: "Interval") -> bool:
        """True when the two intervals share no point."""
        return self.high < other.low or other.high < self.low

    def __contains__(self, number: float) -> bool:
        return self.low <= number <= self.high

    def __str__(self) -> str:
        if not self.told:
            return f"{self.value:.4g} [{self.method}]"
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"


def half_sample_interval(
    statistic: Callable[..., float],
    *arrays: np.ndarray,
    draws: Sequence[Draw | None] | None = None,
    repeats: int = 40,
    seed: int = 0,
    floor: float = -np.inf,
) -> Interval:
    """95 % interval of `statistic(*arrays)` from random halves, drawn without replacement.

    For statistics that have no influences, such as a median; `estimates` is sharper where there are some. Each array
    is (N, ...), its rows are clips; each is halved on its own. The spread of the statistic over random halves equals
    its standard error over full samples, since 1/(N/2) - 1/N = 1/N. A bootstrap with replacement would repeat clips,
    which shrinks a covariance's rank and pushes a Fréchet distance away from its own point estimate. Only the spread is
    taken from the halves, not their level: a half sample has more of the bias that falls with N. So the interval says
    what other clips would have given at the same N, not what infinitely many would.

    `draws` says of each array how its clips were drawn (None: each on its own): halves are halves of the units, look,
    person or source video, of each class. Student's factor counts the units of the smallest draw. `floor` is the lowest
    value of the statistic. With fewer than 4 units in a draw, or a statistic that is not finite, the interval has no
    bounds and its method says why.
    """
    sizes = [len(array) for array in arrays]
    given = [draw or drawn(size, "") for draw, size in zip(draws or [None] * len(arrays), sizes)]
    value, units = float(statistic(*arrays)), [len(np.unique(draw.units)) for draw in given]
    fewest = int(np.argmin(units))
    told = f"{units[fewest]} {given[fewest].unit}s"
    if units[fewest] < 4 or not np.isfinite(value):
        why = f"only {told}" if units[fewest] < 4 else "a statistic that is not finite"
        return Interval(floor, np.inf, value, min(sizes), f"{UNTOLD}: {why}")
    random = np.random.default_rng(seed)
    halves = [statistic(*(array[draw.half(random)] for array, draw in zip(arrays, given))) for _ in range(repeats)]
    freedom = min(len(design[0]) - len(np.unique(design[3])) for design in (draw.design() for draw in given))
    margin = float(student.ppf(0.975, max(freedom, 1)) * np.std(halves, ddof=1))
    return Interval(max(value - margin, floor), value + margin, value, min(sizes), f"halves of {told}, {repeats} times")


def seed_interval(values: Sequence[float]) -> Interval:
    """Mean over training seeds with Student's 95 % interval: what another seed's training would have given.

    Raises ValueError for fewer than two values.
    """
    if len(values) < 2:
        raise ValueError(f"an interval over training seeds needs at least 2 of them, got {len(values)}")
    mean, method = float(np.mean(values)), f"Student, {len(values)} training seeds"
    if np.ptp(values) == 0:  # scipy divides by the spread
        return Interval(mean, mean, mean, len(values), method)
    low, high = ttest_1samp(values, 0).confidence_interval(0.95)
    return Interval(float(low), float(high), mean, len(values), method)


@dataclass(frozen=True)
class Sweep:
    """A statistic over the number of clips, and where a straight line in 1/N leaves it at infinitely many."""

    sizes: tuple[int, ...]
    values: tuple[float, ...]  # mean over subsets of that size
    at_infinity: float


def sweep(
    statistic: Callable[..., float], *arrays: np.ndarray, points: int = 5, repeats: int = 4, seed: int = 0
) -> Sweep:
    """`statistic` on subsets of a quarter of the clips up to all of them, drawn without replacement.

    The bias of Inception Score and Fréchet distance falls about as 1/N (Chong and Forsyth, 2020), so the intercept of a
    line in 1/N estimates the value at infinite N. The sizes are evenly spaced in 1/N. Raises ValueError for fewer than
    16 clips.
    """
    n = min(map(len, arrays))
    if n < 16:
        raise ValueError(f"an extrapolation to infinitely many clips needs at least 16, got {n}")
    random = np.random.default_rng(seed)
    sizes = [round(1 / x) for x in np.linspace(4 / n, 1 / n, points)]
    values = [
        np.mean(
            [
                statistic(*(array[random.permutation(len(array))[:size]] for array in arrays))
                for _ in range(1 if size == n else repeats)
            ]
        )
        for size in sizes
    ]
    _, at_infinity = np.polyfit(1 / np.array(sizes), values, 1)
    return Sweep(tuple(sizes), tuple(map(float, values)), float(at_infinity))
