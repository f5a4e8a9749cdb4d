"""Predicted frames beside the true ones, frame by frame: PSNR, SSIM, and how sharp they are (chapter 07)."""

import numpy as np
from torch import Tensor

RANGE = 2.0  # of pixels in [-1, 1]
LEAST_ERROR = (RANGE / 255) ** 2 / 12  # mean square of what rounding to bytes loses: no frame is closer than that


def psnr(predicted: Tensor, truth: Tensor) -> np.ndarray:
    """Peak signal-to-noise ratio of each frame, 10 log10(range^2 / mean square error), in dB: (N, T).

    predicted, truth (N, 3, T, H, W) in [-1, 1]. At most 59 dB, what rounding to bytes leaves. Raises ValueError where
    the shapes differ.
    """
    check(predicted, truth)
    error = (predicted.double() - truth.double()).square().mean(dim=(1, 3, 4))  # (N, T)
    return 10 * np.log10(RANGE**2 / error.clamp(min=LEAST_ERROR).cpu().numpy())


def ssim(predicted: Tensor, truth: Tensor) -> np.ndarray:
    """Structural similarity of each frame (Wang et al. 2004: Gaussian window of 11 pixels, deviation 1.5): (N, T).

    predicted, truth (N, 3, T, H, W) in [-1, 1]; 1 for equal frames. Raises ValueError where the shapes differ, or where
    a side is shorter than the window.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    check(predicted, truth)
    if min(truth.shape[-2:]) < 11:
        raise ValueError(f"ssim looks through a window of 11 pixels: frames of {tuple(truth.shape[-2:])} are too small")
    these, those = (clips.float().transpose(1, 2).flatten(0, 1) for clips in (predicted, truth))  # (N * T, 3, H, W)
    found = structural_similarity_index_measure(these, those, data_range=RANGE, reduction="none")
    assert isinstance(found, Tensor)  # it is a pair only where more was asked for
    return found.double().cpu().numpy().reshape(len(truth), -1)


def edges(clips: Tensor) -> np.ndarray:
    """How steep each frame of clips (N, 3, T, H, W) is at each pixel, sorted: (N, T, pixels), flat ones first.

    Steep: the length of the step to the right and down neighbour, of the mean of the channels.
    """
    grey = clips.double().mean(dim=1)  # (N, T, H, W)
    right = grey[..., :-1, 1:] - grey[..., :-1, :-1]
    down = grey[..., 1:, :-1] - grey[..., :-1, :-1]
    return np.sort((right.square() + down.square()).sqrt().flatten(2).cpu().numpy(), axis=2)


def edge_gap(predicted: Tensor, truth: Tensor) -> np.ndarray:
    """How far each frame's edges are from the true frame's: (N, T), 0 where they are as many and as steep.

    The Wasserstein distance between the two frames' steepness over all pixels, over the true frame's mean steepness. A
    frame without any edge is at 1. Blur lacks the few steep pixels of a true frame. White noise makes every pixel a
    little steep, which no true frame is: it does not close the gap, as it would in the mean or the sum.
    """
    check(predicted, truth)
    theirs = edges(truth)
    gap = np.abs(edges(predicted) - theirs).mean(axis=2)
    return gap / np.maximum(theirs.mean(axis=2), 1e-6)


def check(predicted: Tensor, truth: Tensor) -> None:
    """Raise ValueError unless the two are clips of one shape."""
    if predicted.ndim != 5 or predicted.shape != truth.shape:
        shapes = f"{tuple(predicted.shape)} and {tuple(truth.shape)}"
        raise ValueError(f"predicted and true clips of shapes {shapes}: give two equal shapes (N, 3, T, H, W)")
