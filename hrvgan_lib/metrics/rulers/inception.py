"""Inception Score: how sure the judge is of a clip, how varied its answers are (chapter 08, Eq. 16)."""

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

ROW_TOLERANCE = 1e-3  # a float32 softmax over 101 classes adds up to 1 within 1e-6


def inception_score(probabilities: ArrayLike, epsilon: float = 0.0) -> float:
    """exp(mean KL(p(y|x) || p(y))) of Eq. 16, with p(y) the mean of the same rows.

    `probabilities` is (N, K), row i the judge's class probabilities for clip i. The result lies between 1
    (every row the same) and K (certain rows, all classes equally often). At small N it comes out too low,
    since the mean of few rows looks less even than it is. `epsilon` is added inside both logarithms: 0 takes
    0 log 0 = 0 exactly, 1e-7 repeats the script behind the published scores
    (`pfnet-research/tgan:evaluation/calc_inception.py`). Computed in float64.

    Raises ValueError for a wrong shape, fewer than two rows, NaN, negative values or rows that do not sum to
    1.
    """
    return float(np.exp(_divergences(checked_probabilities(probabilities), epsilon).mean()))


def inception_influences(probabilities: ArrayLike, epsilon: float = 0.0) -> np.ndarray:
    """How much each clip moves Eq. 16: the score times its divergence less their mean, (N,).

    The mean answer p(y) moves too, but to first order that changes nothing: it is the marginal that makes the mean
    divergence smallest. Raises ValueError as `inception_score` does.
    """
    divergence = _divergences(checked_probabilities(probabilities), epsilon)
    return np.exp(divergence.mean()) * (divergence - divergence.mean())


def _divergences(rows: np.ndarray, epsilon: float) -> np.ndarray:
    """KL(p(y|x) || p(y)) of each row, (N,)."""
    marginal = rows.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = rows * (np.log(rows + epsilon) - np.log(marginal + epsilon))
    return np.where(rows > 0, terms, 0.0).sum(axis=1)


def checked_probabilities(probabilities: ArrayLike) -> np.ndarray:
    """The rows as float64, each divided by its sum. Raises ValueError as `inception_score` says."""
    rows = real_numbers(probabilities, "probabilities")
    if rows.ndim != 2 or rows.shape[1] < 1:
        raise ValueError(f"probabilities must be (clips, classes), got shape {rows.shape}")
    if len(rows) < 2:
        raise ValueError(f"the Inception Score needs at least two clips, got {len(rows)}")
    if not np.isfinite(rows).all():
        raise ValueError(f"probabilities of clip {bad_row(rows)} are NaN or infinite; check that clip")
    if rows.min() < 0:
        raise ValueError(f"probabilities of clip {int(rows.min(axis=1).argmin())} are negative; apply a softmax first")
    totals = rows.sum(axis=1)
    worst = int(np.abs(totals - 1).argmax())
    if abs(totals[worst] - 1) > ROW_TOLERANCE:
        raise ValueError(f"probabilities of clip {worst} sum to {totals[worst]:.4g}, not to 1; apply a softmax first")
    return rows / totals[:, None]


def real_numbers(values: ArrayLike, name: str) -> np.ndarray:
    """An array, a list or a tensor of any kind of real numbers (bfloat16 too, on any device) as float64.

    Raises ValueError for complex numbers, text, and what holds no numbers.
    """
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        values = (values if values.is_complex() else values.double()).numpy()
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} are of the type {array.dtype}; give real numbers")
    return array.astype(np.float64, copy=False)


def bad_row(rows: np.ndarray) -> int:
    """Index of the first row that holds a NaN or an infinity."""
    return int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
