"""Which frames of a source a clip takes (chapter 01; decision T3)."""

import numpy as np

WINDOW = 32  # source frames that a clip spans at every size: Table 1's length


def window(length: int, frames: int, stride: int, start: int = 0) -> np.ndarray:
    """Numbers of the source frames that a window takes from a clip of `length` frames: int64 (frames,).

    Where the clip ends first, its last frame is repeated (decision T3).
    """
    return np.minimum(start + stride * np.arange(frames), length - 1)


def starts(length: int, frames: int, stride: int) -> int:
    """In how many places the window can start without running over the end of the clip; at least one."""
    return max(1, length - stride * (frames - 1))
