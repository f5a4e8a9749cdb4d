"""Intervals: how far a measured number would move with other clips (chapter 08)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.stats import binomtest, ttest_1samp

Z95 = 1.959963984540054  # 97.5 % point of the normal distribution: two-sided 95 %


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval."""

    low: float
    high: float
    value: float
    n: int  # clips that it was measured on
    method: str  # how the interval was made

    def disjoint(self, other: "Interval") -> bool:
        """True when the two intervals share no point."""
        return self.high < other.low or other.high < self.low

    def __contains__(self, number: float) -> bool:
        return self.low <= number <= self.high

    def __str__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"


def half_sample_interval(
    statistic: Callable[..., float],
    *arrays: np.ndarray,
    groups: Sequence[np.ndarray | None] | None = None,
    repeats: int = 40,
    seed: int = 0,
    floor: float = -np.inf,
    value: float | None = None,
) -> Interval:
    """95 % interval of `statistic(*arrays)` from random halves, drawn without replacement.

    Each array is (N, ...), its rows are clips; each is halved on its own. The spread of the statistic over
    random halves equals its standard error over full samples, since 1/(N/2) - 1/N = 1/N. A bootstrap with
    replacement would repeat clips, which shrinks a covariance's rank and pushes a Fréchet distance away from
    its own point estimate. Only the spread is taken from the halves, not their level: a half sample has more
    of the bias that falls with N. So the interval says what other clips would have given at the same N, not
    what infinitely many would.

    `groups` holds (N,) ids for each array, or None: rows that share an id (windows of one video) are no
    independent evidence and stay together. With fewer than 4 ids rows count one by one, and the interval is
    too narrow. `floor` is the lowest value of the statistic, `value` the statistic of all rows where it is known
    already, to more digits perhaps than the halves need. Raises ValueError for fewer than four rows.
    """
    sizes = [len(array) for array in arrays]
    if min(sizes) < 4:
        raise ValueError(f"half-sample intervals need at least 4 clips in each set, got {min(sizes)}")
    random = np.random.default_rng(seed)
    ids = [
        np.unique(np.arange(size) if given is None else given, return_inverse=True)[1]
        for size, given in zip(sizes, groups or [None] * len(arrays))
    ]
    ids = [members if members.max() >= 3 else np.arange(len(members)) for members in ids]
    values = [
        statistic(*(array[_half(random, members)] for array, members in zip(arrays, ids))) for _ in range(repeats)
    ]
    # An odd number leaves a smaller half; the factor restores the equality above.
    counts = [members.max() + 1 for members in ids]
    scale = np.mean([sqrt((n // 2) / (n - n // 2)) for n in counts])
    value = float(statistic(*arrays)) if value is None else value
    margin = Z95 * float(np.std(values, ddof=1) * scale)
    return Interval(max(value - margin, floor), value + margin, value, min(sizes), f"half-sampling, {repeats} repeats")


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


def ratio(above: Interval, below: Interval) -> Interval:
    """`above` over `below`, both positive, with the widest interval that the two allow."""
    return Interval(
        above.low / below.high,
        above.high / max(below.low, 1e-12),
        above.value / below.value,
        min(above.n, below.n),
        "quotient of two intervals",
    )


def gap(above: Interval, below: Interval) -> Interval:
    """`above` less `below`: its interval leaves out zero exactly where the two intervals are disjoint."""
    return Interval(
        above.low - below.high,
        above.high - below.low,
        above.value - below.value,
        min(above.n, below.n),
        "difference of two intervals",
    )


def _half(random: np.random.Generator, members: np.ndarray) -> np.ndarray:
    """Rows of a random half of the groups; `members` numbers each row's group from 0."""
    n = members.max() + 1
    chosen = np.zeros(n, dtype=bool)
    chosen[random.permutation(n)[: n // 2]] = True
    return np.flatnonzero(chosen[members])


def accuracy_interval(correct: int, n: int) -> Interval:
    """Wilson's 95 % interval of `correct` answers out of `n`, within [0, 1] even at 0 and at n.

    Raises ValueError unless 0 <= correct <= n and n >= 1.
    """
    if n < 1 or not 0 <= correct <= n:
        raise ValueError(f"cannot have {correct} correct answers out of {n}")
    low, high = binomtest(correct, n).proportion_ci(0.95, method="wilson")
    return Interval(float(low), float(high), correct / n, n, "Wilson")


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
