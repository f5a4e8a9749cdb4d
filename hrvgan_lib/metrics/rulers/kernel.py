"""Kernel distance between two clouds of features: unbiased at every N, where Eq. 17 is not (chapter 08)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from hrvgan_lib.metrics.rulers.frechet import checked_features


def kernel_distance(real: ArrayLike, fake: ArrayLike) -> float:
    """KID: squared maximum mean discrepancy (MMD) with the kernel (x.y / D + 1)^3, as a U-statistic.

    (N, D) and (M, D) features of one extractor, N and M at least 2. Its expectation is the true value at any N, so it
    may come out a little below zero for equal distributions. Source: Bińkowski et al. (2018).
    Raises ValueError as `frechet_distance` does.
    """
    return kernel_distance_of(real, fake)(np.arange(len(real)), np.arange(len(fake)))


def kernel_distance_of(real: ArrayLike, fake: ArrayLike) -> Callable[[np.ndarray, np.ndarray], float]:
    """The kernel distance as a function of which rows count on either side, (n,) and (m,) row numbers.

    The kernel is taken once, of all pairs, so that the forty halves behind an interval cost hardly more than one.
    Raises ValueError as `frechet_distance` does.
    """
    real, fake = checked_features(real, "real features"), checked_features(fake, "fake features")
    if real.shape[1] != fake.shape[1]:
        raise ValueError(
            f"real features have {real.shape[1]} columns and fake features {fake.shape[1]}; "
            "take both from the same layer of the same extractor"
        )

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / a.shape[1] + 1) ** 3

    among_real, among_fake, across = kernel(real, real), kernel(fake, fake), kernel(real, fake)

    def within(kernels: np.ndarray, rows: np.ndarray) -> float:
        chosen, n = kernels[np.ix_(rows, rows)], len(rows)
        return (chosen.sum() - np.trace(chosen)) / (n * (n - 1))  # without the pairs of a clip with itself

    def distance(rows: np.ndarray, columns: np.ndarray) -> float:
        return float(within(among_real, rows) + within(among_fake, columns) - 2 * across[np.ix_(rows, columns)].mean())

    return distance
