"""What neither Inception Score nor Fréchet distance says: motion, standing still, variety, copies (chapter 08)."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import wasserstein_distance
from torch import Tensor
from torch.nn import functional as F

STILL = 0.1  # a clip that changes less than this share of the median real clip counts as frozen
NOTHING = 1e-9  # of real clips' motion or variety, in pixel values: rounding, and no unit


@dataclass(frozen=True)
class Behaviour:
    """How a set of clips behaves beside real ones. Ratios are to the same number for the reference."""

    motion: float  # median change from frame to frame, over that of real clips; 1 is like real
    motion_gap: float  # Wasserstein distance between the two sets' changes, over the median real change; 0 is like real
    frozen: float  # share of clips that hardly change
    variety: float  # median distance of two clips, over that of two real ones; 0 is one clip for ever
    nearest: float  # median distance to the nearest training clip, over that of held-out clips; 0 is a copy


def frame_change(clips: Tensor) -> np.ndarray:
    """Mean absolute change from each frame to the next of clips (N, 3, T, H, W), in units of pixel values: (N,)."""
    return clips.diff(dim=2).abs().flatten(1).mean(dim=1).double().cpu().numpy()


def sharpness(clips: Tensor) -> np.ndarray:
    """Mean absolute difference of clips (N, 3, T, H, W) from their 3x3 box blur, in units of pixel values: (N,)."""
    frames = clips.float().transpose(1, 2).flatten(0, 1)
    blurred = F.avg_pool2d(F.pad(frames, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return (frames - blurred).abs().unflatten(0, (len(clips), -1)).flatten(1).mean(dim=1).double().cpu().numpy()


def thumbnails(clips: Tensor, frames: int = 4, size: int = 8) -> np.ndarray:
    """Clips (N, 3, T, H, W) of any size as short rows of pixels: float32 (N, 3 * frames * size * size)."""
    return F.adaptive_avg_pool3d(clips.float(), (frames, size, size)).flatten(1).cpu().numpy()


def distances(these: np.ndarray, those: np.ndarray) -> np.ndarray:
    """Euclidean distances between the rows of two arrays, (N, P) and (M, P): float64 (N, M), on every core.

    By differences and not by products, so that a copy is at distance zero and not at the root of a rounding.
    """
    rows = [torch.from_numpy(np.asarray(array, np.float64)) for array in (these, those)]
    return torch.cdist(*rows, compute_mode="donot_use_mm_for_euclid_dist").numpy()


def variety(pictures: np.ndarray) -> float:
    """Median distance of two different rows of (N, P)."""
    return float(np.median(distances(pictures, pictures)[np.triu_indices(len(pictures), 1)]))


def share(part: float, whole: float) -> float:
    """A part over a whole; NaN where the whole is nothing."""
    return part / whole if whole > NOTHING else math.nan


def behaviour(
    change: np.ndarray,
    pictures: np.ndarray,
    real_change: np.ndarray,
    real_pictures: np.ndarray,
    held_out: np.ndarray | None = None,
) -> Behaviour:
    """Compare a set's frame changes (N,) and thumbnails (N, P) with those of training clips.

    held_out: thumbnails of real clips that are not in the training split, the measure for `nearest`; without them the
    distance of training clips from one another takes their place. Of real clips that stand still, or are all alike,
    nothing can be a share: that field is NaN.
    """
    unit = float(np.median(real_change))
    if held_out is None:
        between = distances(real_pictures, real_pictures)
        np.fill_diagonal(between, np.inf)
        usual = float(np.median(between.min(axis=1)))
    else:
        usual = float(np.median(distances(held_out, real_pictures).min(axis=1)))
    return Behaviour(
        motion=share(float(np.median(change)), unit),
        motion_gap=share(float(wasserstein_distance(change, real_change)), unit),
        frozen=float((change < STILL * unit).mean()) if unit > NOTHING else math.nan,
        variety=share(variety(pictures), variety(real_pictures)),
        nearest=share(float(np.median(distances(pictures, real_pictures).min(axis=1))), usual),
    )


def nearest_clips(pictures: np.ndarray, real_pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row of `pictures` the number of the nearest real one, and its distance: (N,) and (N,)."""
    between = distances(pictures, real_pictures)
    return between.argmin(axis=1), between.min(axis=1)
