"""Kernel distance between two clouds of features: unbiased at every N, where Eq. 17 is not (chapter 08)."""

import numpy as np
from numpy.typing import ArrayLike

from hrvgan_lib.metrics.frechet_distance import checked_features


def kernel_distance(real: ArrayLike, fake: ArrayLike) -> float:
    """Squared maximum mean discrepancy with the kernel (x.y / D + 1)^3, as a U-statistic.

    (N, D) and (M, D) features of one extractor, N and M at least 2. Its expectation is the true value at any N, so it
    may come out a little below zero for equal distributions. Source: Bińkowski et al. (2018), the "KID".
    Raises ValueError as `frechet_distance` does.
    """
    real, fake = checked_features(real, "real features"), checked_features(fake, "fake features")
    if real.shape[1] != fake.shape[1]:
        raise ValueError(f"real features have {real.shape[1]} columns and fake features {fake.shape[1]}; "
                         "take both from the same layer of the same extractor")

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / a.shape[1] + 1) ** 3

    def within(a: np.ndarray) -> float:
        gram, n = kernel(a, a), len(a)
        return (gram.sum() - np.trace(gram)) / (n * (n - 1))  # without the pairs of a clip with itself

    return float(within(real) + within(fake) - 2 * kernel(real, fake).mean())
