"""Kernel distance between two clouds of features: unbiased at every N, where Eq. 17 is not (chapter 08)."""

import numpy as np
from numpy.typing import ArrayLike

from hrvgan_lib.metrics.rulers.frechet import checked_features


def kernel_distance(real: ArrayLike, fake: ArrayLike) -> float:
    """KID: squared maximum mean discrepancy (MMD) with the kernel (x.y / D + 1)^3, as a U-statistic.

    (N, D) and (M, D) features of one extractor, N and M at least 2. Its expectation is the true value at any N, so it
    may come out a little below zero for equal distributions. Source: Bińkowski et al. (2018).
    Raises ValueError as `frechet_distance` does.
    """
    return _kernel_distance(*_kernels(real, fake))


def kernel_influences(real: ArrayLike, fake: ArrayLike) -> tuple[float, np.ndarray, np.ndarray]:
    """The kernel distance, and the influences of the rows of both sides on it, (N,) and (M,).

    A clip that is more like its own side, and less like the other, than the average moves the distance upwards, twice.
    """
    among_real, among_fake, across = _kernels(real, fake)
    own = [(kernels.sum(axis=1) - np.diag(kernels)) / (len(kernels) - 1) for kernels in (among_real, among_fake)]
    return (
        _kernel_distance(among_real, among_fake, across),
        2 * (own[0] - across.mean(axis=1)),
        2 * (own[1] - across.mean(axis=0)),
    )


def _kernel_distance(among_real: np.ndarray, among_fake: np.ndarray, across: np.ndarray) -> float:
    def within(kernels: np.ndarray) -> float:
        n = len(kernels)
        return (kernels.sum() - np.trace(kernels)) / (n * (n - 1))  # without the pairs of a clip with itself

    return float(within(among_real) + within(among_fake) - 2 * across.mean())


def _kernels(real: ArrayLike, fake: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The kernel of all pairs: real and real (N, N), fake and fake (M, M), real and fake (N, M)."""
    real, fake = checked_features(real, "real features"), checked_features(fake, "fake features")
    if real.shape[1] != fake.shape[1]:
        raise ValueError(
            f"real features have {real.shape[1]} columns and fake features {fake.shape[1]}; "
            "take both from the same layer of the same extractor"
        )

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / a.shape[1] + 1) ** 3

    return kernel(real, real), kernel(fake, fake), kernel(real, fake)
