"""Fréchet distance between two clouds of features, without a matrix square root (chapter 08, Eqs 17-18).

Eq. 17 asks for the trace of a square root of a D x D matrix. The covariances are products themselves: with A
the centred features divided by sqrt(N - 1), the covariance is A^T A, and the trace of (A1^T A1 A2^T A2)^(1/2)
is the sum of the singular values of A1 A2^T, the nuclear norm. That matrix is N x N: small where clips are
few, exact always.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hrvgan_lib.metrics.inception_score import bad_row


@dataclass(frozen=True)
class Moments:
    """Mean and covariance of a cloud of features, the covariance as a factor: cov = factor.T @ factor."""

    mean: np.ndarray  # (D,)
    factor: np.ndarray  # (min(N, D), D)
    n: int


def moments(features: ArrayLike, name: str = "features") -> Moments:
    """Reduce (N, D) features to what Eq. 17 needs, in float64; the covariance is the unbiased one (N - 1).

    Raises ValueError for a wrong shape, fewer than two clips, NaN or infinite values; `name` says whose they
    are.
    """
    rows = np.asarray(features, dtype=np.float64)
    if rows.ndim != 2:
        raise ValueError(f"{name} must be (clips, features), got shape {rows.shape}")
    if len(rows) < 2:
        raise ValueError(f"{name} hold {len(rows)} clip(s); a covariance needs at least two")
    if not np.isfinite(rows).all():
        raise ValueError(f"{name} of clip {bad_row(rows)} are NaN or infinite; check that clip")
    mean = rows.mean(axis=0)
    factor = (rows - mean) / np.sqrt(len(rows) - 1)
    if len(factor) > factor.shape[1]:
        factor = np.linalg.qr(factor, mode="r")  # same covariance, D rows instead of N
    return Moments(mean, factor, len(rows))


def frechet_distance(real: ArrayLike | Moments, fake: ArrayLike | Moments) -> float:
    """d^2 of Eq. 17: |m_r - m_f|^2 + Tr(S_r + S_f - 2 (S_r S_f)^(1/2)), at least 0, no upper limit.

    `real` and `fake` are (N, D) features of one extractor, N may differ, or their `moments`. Quadratic in the
    features' scale: features 10 times as large give 100 times the distance. Biased upwards by about 1/N, so
    two distances compare only at the same N, the same extractor and the same layer.

    Raises ValueError for NaN, a single clip, or features of different widths.
    """
    real = real if isinstance(real, Moments) else moments(real, "real features")
    fake = fake if isinstance(fake, Moments) else moments(fake, "fake features")
    if real.mean.shape != fake.mean.shape:
        raise ValueError(f"real features have {len(real.mean)} columns and fake features {len(fake.mean)}; "
                         "take both from the same layer of the same extractor")
    gap = np.square(real.mean - fake.mean).sum()
    spread = np.square(real.factor).sum() + np.square(fake.factor).sum()
    overlap = np.linalg.svd(real.factor @ fake.factor.T, compute_uv=False).sum()
    return float(max(gap + spread - 2 * overlap, 0.0))  # rounding may end a hair below zero
