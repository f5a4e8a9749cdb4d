"""Fréchet distance between two clouds of features, without a matrix square root (chapter 08, Eqs 17-18).

Eq. 17 asks for the trace of a square root of a D x D matrix. The covariances are products themselves: with A
the centred features divided by sqrt(N - 1), the covariance is A^T A, and the trace of (A1^T A1 A2^T A2)^(1/2)
is the sum of the singular values of A1 A2^T, the nuclear norm. That matrix is N x N: small where clips are
few, exact always.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike

from hrvgan_lib.metrics.rulers.inception import bad_row, real_numbers

EXACT, CLOSE = 1e-11, 1e-6  # tolerances: of a number that is printed; of one of many whose spread is wanted


@dataclass(frozen=True)
class Moments:
    """Mean and covariance of a cloud of features, the covariance as a factor: cov = factor.T @ factor."""

    mean: np.ndarray  # (D,)
    factor: np.ndarray  # (min(N, D), D)
    n: int


def checked_features(features: ArrayLike, name: str = "features") -> np.ndarray:
    """(N, D) features as float64. Raises ValueError for a wrong type or shape, one clip, NaN or infinite values."""
    rows = real_numbers(features, name)
    if rows.ndim != 2 or not rows.shape[1]:
        raise ValueError(f"{name} must be (clips, features), got shape {rows.shape}")
    if len(rows) < 2:
        raise ValueError(f"{name} hold {len(rows)} clip(s); a covariance needs at least two")
    if not np.isfinite(rows).all():
        raise ValueError(f"{name} of clip {bad_row(rows)} are NaN or infinite; check that clip")
    return rows


def moments(features: ArrayLike, name: str = "features") -> Moments:
    """Reduce (N, D) features to what Eq. 17 needs, in float64; the covariance is the unbiased one (N - 1).

    Raises ValueError as `checked_features` does; `name` says whose features they are.
    """
    rows = checked_features(features, name)
    mean = rows.mean(axis=0)
    factor = (rows - mean) / np.sqrt(len(rows) - 1)
    if len(factor) > factor.shape[1]:
        factor = np.linalg.qr(factor, mode="r")  # same covariance, D rows instead of N
    return Moments(mean, factor, len(rows))


class RunningMoments:
    """Moments of a set that never lies in memory as a whole: memory is O(D^2), whatever N.

    Feed chunks with `add`, join the sets of several processes with `merge`. Holds the triangular factor R of the
    centred rows, R^T R = sum of squares, which is stacked with each chunk and reduced again: no difference of large
    numbers, and never a squared condition number.
    """

    def __init__(self) -> None:
        self.n = 0
        self.mean: np.ndarray = np.empty(0)
        self.triangle: np.ndarray = np.empty((0, 0))

    def add(self, features: ArrayLike, name: str = "features") -> "RunningMoments":
        """Take in a chunk (m, D), m at least 1. Raises ValueError as `checked_features` does."""
        rows = real_numbers(features, name)
        rows = checked_features(np.concatenate([rows, rows]) if len(rows) == 1 else rows, name)[: len(rows)]
        mean = rows.mean(axis=0)
        return self._join(len(rows), mean, rows - mean)

    def merge(self, other: "RunningMoments") -> "RunningMoments":
        """Take in another set's moments. Raises ValueError for another width."""
        return self._join(other.n, other.mean, other.triangle) if other.n else self

    def _join(self, n: int, mean: np.ndarray, centred: np.ndarray) -> "RunningMoments":
        if self.n:
            if mean.shape != self.mean.shape:
                raise ValueError(f"{len(mean)} features join {len(self.mean)}; take both from one layer")
            gap = (mean - self.mean) * np.sqrt(self.n * n / (self.n + n))
            centred = np.concatenate([self.triangle, centred, gap[None]])
            mean = self.mean + (mean - self.mean) * (n / (self.n + n))
        self.mean, self.n = mean, self.n + n
        if len(centred) > centred.shape[1]:
            centred = np.asarray(np.linalg.qr(centred, mode="r"))  # an array already: NumPy's types expect a pair
        self.triangle = centred
        return self

    def moments(self) -> Moments:
        """What `frechet_distance` takes. Raises ValueError for fewer than two clips."""
        if self.n < 2:
            raise ValueError(f"{self.n} clip(s) seen; a covariance needs at least two")
        return Moments(self.mean, self.triangle / np.sqrt(self.n - 1), self.n)


def frechet_distance(real: ArrayLike | Moments, fake: ArrayLike | Moments, tolerance: float = EXACT) -> float:
    """d^2 of Eq. 17: |m_r - m_f|^2 + Tr(S_r + S_f - 2 (S_r S_f)^(1/2)), at least 0, no upper limit.

    The FID of Heusel et al. (2017) where the features are of frames, the FVD where they are of clips, as here.
    `real` and `fake` are (N, D) features of one extractor, N may differ, or their `moments`. Quadratic in the
    features' scale: features 10 times as large give 100 times the distance. Biased upwards by about 1/N, so
    two distances compare only at the same N, the same extractor and the same layer. `tolerance` is the error allowed
    in the last term, as a share of it.

    Raises ValueError for NaN, a single clip, or features of different widths.
    """
    real = real if isinstance(real, Moments) else moments(real, "real features")
    fake = fake if isinstance(fake, Moments) else moments(fake, "fake features")
    if real.mean.shape != fake.mean.shape:
        raise ValueError(
            f"real features have {len(real.mean)} columns and fake features {len(fake.mean)}; "
            "take both from the same layer of the same extractor"
        )
    gap = np.square(real.mean - fake.mean).sum()
    spread = np.square(real.factor).sum() + np.square(fake.factor).sum()
    rank = min(real.n - 1, fake.n - 1, len(real.mean))  # centring takes one direction from each cloud
    overlap = nuclear_norm(real.factor @ fake.factor.T, rank, tolerance)
    return float(max(gap + spread - 2 * overlap, 0.0))  # rounding may end a hair below zero


def nuclear_norm(matrix: np.ndarray, rank: int | None = None, tolerance: float = EXACT) -> float:
    """Sum of the singular values of a matrix (N, M) whose rank is at most `rank`, to `tolerance` of itself.

    The roots of the eigenvalues of M M^T are three times faster than a singular value decomposition, but squaring costs
    the small ones their digits: an error e, about eps * top, in an eigenvalue v is one of e / (2 sqrt(v)) in its root,
    and never more than sqrt(e). Where these add up to too much, the decomposition is made after all.
    """
    wide = matrix if len(matrix) <= matrix.shape[1] else matrix.T
    squares = eigenvalues(wide @ wide.T)[::-1][: rank if rank is not None else len(wide)].clip(min=0)
    values, error = np.sqrt(squares), 4 * np.finfo(float).eps * squares[0]
    doubt = (error / np.maximum(2 * values, np.sqrt(error))).sum() if error else 0.0
    if doubt <= tolerance * values.sum():
        return float(values.sum())
    return float(np.linalg.svd(wide, compute_uv=False).sum())


def eigenvalues(symmetric: np.ndarray) -> np.ndarray:
    """Eigenvalues of a symmetric matrix, smallest first; a large one goes to the GPU where there is one."""
    if len(symmetric) >= 256 and torch.cuda.is_available():
        return torch.linalg.eigvalsh(torch.from_numpy(symmetric).cuda()).cpu().numpy()
    return np.linalg.eigvalsh(symmetric)


def frechet_influences(real: ArrayLike, fake: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """How much each clip moves Eq. 17: the influences of the rows of (N, D) and (M, D) features, (N,) and (M,).

    Moving weight to a fake clip x moves the distance by 2 (m_f - m_r).(x - m_f) + |x - m_f|^2 - (x - m_f)^T T (x - m_f)
    with T the map that carries the fake bell curve onto the real one (Dowson and Landau, 1982); the last term of all
    rows together is the diagonal of (C^T C)^(1/2) with C the product whose nuclear norm is the overlap. Raises
    ValueError as `frechet_distance` does.
    """
    clouds = [checked_features(real, "real features"), checked_features(fake, "fake features")]
    gap = clouds[1].mean(axis=0) - clouds[0].mean(axis=0)
    centred = [rows - rows.mean(axis=0) for rows in clouds]
    roots = [np.sqrt(len(rows) - 1) for rows in clouds]
    bases, factors = zip(*(_triangle(rows / root) for rows, root in zip(centred, roots)))
    product = factors[0] @ factors[1].T
    squares, left = _eigenvectors(product @ product.T)
    values = np.sqrt(squares.clip(min=0))
    solid = values > 1e-7 * values.max(initial=0)  # the others carry nothing of the overlap, and divide by nothing
    left, values = left[:, solid], values[solid]
    right = product.T @ left / values
    own = [
        np.square(vectors if basis is None else basis @ vectors) @ values
        for basis, vectors in zip(bases, (left, right))
    ]
    spread = [np.square(rows).sum(axis=1) - root**2 * overlap for rows, root, overlap in zip(centred, roots, own)]
    return spread[0] - 2 * centred[0] @ gap, spread[1] + 2 * centred[1] @ gap


def _triangle(rows: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """(Q or None, R) with rows = Q R, R no longer than it is wide; None where the rows are few enough as they are."""
    if len(rows) <= rows.shape[1]:
        return None, rows
    basis, triangle = np.linalg.qr(rows)
    return basis, triangle


def _eigenvectors(symmetric: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and eigenvectors of a symmetric matrix; a large one goes to the GPU where there is one."""
    if len(symmetric) >= 256 and torch.cuda.is_available():
        values, vectors = torch.linalg.eigh(torch.from_numpy(symmetric).cuda())
        return values.cpu().numpy(), vectors.cpu().numpy()
    return np.linalg.eigh(symmetric)
