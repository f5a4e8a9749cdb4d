"""Frames to squares: what every format's frames go through before they are packed (chapter 01)."""

from __future__ import annotations

import numpy as np
from PIL import Image


def fit(frames: np.ndarray, size: int) -> np.ndarray:
    """Resize the short side to `size` and keep the central square: uint8 (T, H, W, 3) -> (T, size, size, 3).

    Bilinear with a support that grows with the factor, hence antialiased (decision A21).
    """
    height, width = frames.shape[1:3]
    if (height, width) == (size, size):
        return frames
    side = min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    resized = (Image.fromarray(frame).resize((size, size), Image.BILINEAR, box=box) for frame in frames)
    return np.stack([np.asarray(image) for image in resized])
