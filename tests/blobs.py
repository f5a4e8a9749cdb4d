"""The smallest labelled clips that need motion to be told apart: what the rulers are tested on."""

from collections.abc import Sequence

import torch

CLASSES = ("left", "right", "up", "down")


class MovingBlobs:
    """A bright square that moves one way: the smallest labelled clips that need motion to be told apart.

    As in a `ClipDataset`, a generator draws the window: the frame at which each clip begins, of `PLACES` in all.
    Each clip is a unit of its own unless `units` names them.
    """

    PLACES = 9
    name, kind, split, unit, classes, n_classes = "blobs", "procedural", "train", "clip", CLASSES, len(CLASSES)
    frames, size, stride = 8, 16, 4

    def __init__(self, n: int = 64, seed: int = 0, units: Sequence[str] | None = None) -> None:
        self.units = [f"{i:05d}" for i in range(n)] if units is None else list(units)
        self.n, self.digest = n, f"blobs-{n}-{seed}" + ("" if units is None else f" of {' '.join(units)}")
        self.labels = torch.arange(n) % 4
        self.starts = torch.randint(0, 16, (n, 2), generator=torch.Generator().manual_seed(seed))

    def __len__(self) -> int:
        return self.n

    def describe(self) -> str:
        return f"moving blobs: {self.n} clips"

    def batch(self, indices, generator=None, device="cpu"):
        clips = torch.full((len(indices), 3, 8, 16, 16), -0.5)
        begin = torch.zeros(len(indices), dtype=torch.long)
        if generator is not None:
            begin = torch.randint(self.PLACES, begin.shape, generator=generator)
        steps = ((0, -1), (0, 1), (-1, 0), (1, 0))
        for row, i in enumerate(indices):
            dy, dx = steps[self.labels[i]]
            at_y, at_x = self.starts[i].tolist()
            for t in range(8):
                moved = int(begin[row]) + t
                y, x = (at_y + dy * moved) % 16, (at_x + dx * moved) % 16
                clips[row, :, t, y : y + 4, x : x + 4] = 1.0
        return clips.to(device), self.labels[torch.as_tensor(indices)]
