"""Clips as training sees them: windows of a packed store, float32 in [-1, 1] (chapter 01)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from hrvgan_lib.data.store import Store
from hrvgan_lib.devices import send
from hrvgan_lib.windows import starts, window


class Clips(Protocol):
    """What training and measuring ask of a data set: `ClipDataset`, a folder of videos, or a test's few clips."""

    name: str
    kind: str  # "real" or "procedural"
    split: str
    frames: int
    size: int
    stride: int
    digest: str  # equal digests give equal clips
    labels: Tensor  # (N,)
    unit: str  # what is independent of what: "look", "person", "source video", ...

    @property
    def units(self) -> Sequence[str]: ...  # (N,), the unit behind each clip

    @property
    def classes(self) -> Sequence[str]: ...

    @property
    def n_classes(self) -> int: ...

    def __len__(self) -> int: ...

    def describe(self) -> str: ...

    def batch(
        self, indices: Sequence[int] | Tensor, generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> tuple[Tensor, Tensor]: ...  # fmt: skip


def identity(dataset: Clips) -> dict[str, object]:
    """What a key has to know of a data set."""
    return {name: getattr(dataset, name) for name in ("digest", "split", "frames", "size", "stride", "n_classes")}


class ClipDataset(Dataset):
    """One split of a data set; item i is (clip float32 (3, T, S, S) in [-1, 1], label), its first window.

    Pixels go from 0..255 to [-1, 1] by x / 127.5 - 1 (decision T6). Batches are laid out channels-last in
    memory, as the packed frames are, which is what 3-D convolutions want; their shape is (batch, channel,
    time, height, width).
    """

    def __init__(
        self, store: Store, split: str, *, name: str, kind: str, title: str, root: Path,
        classes: tuple[str, ...], frames: int, size: int, stride: int, fold: int = 1,
    ) -> None:  # fmt: skip
        self.name, self.kind, self.split, self.title = name, kind, split, title
        self.classes, self.frames, self.size, self.stride = classes, frames, size, stride
        self.rows = tuple(row for row in store.rows if row.split == split)
        if not self.rows:
            there = sorted({row.split for row in store.rows})
            raise ValueError(f"{title} has no {split} clips, only {' and '.join(there)}: add clips or name that split")
        self.fold = fold  # which of UCF101's three splits the lists are
        self.root, self.folder = root, store.folder  # of the source files, of the packed clips
        self.unreadable = store.unreadable
        self.labels = torch.tensor([row.label for row in self.rows])
        self.groups = [row.group for row in self.rows]
        self.paths = [row.source for row in self.rows]  # relative to `root`
        self._pixels = store.clips
        self.digest = self._digest(store.code)

    @property
    def n_classes(self) -> int:
        """0 where the data set has no labels."""
        return len(self.classes)

    @property
    def unit(self) -> str:
        """What was filmed or drawn independently, and what an interval therefore counts."""
        if self.name == "ucf101":
            return "look" if self.kind == "procedural" else "group"
        return "person" if self.name == "weizmann" else "source video"

    @property
    def units(self) -> list[str]:
        """(N,) names of the units. The looks of procedural actions are shared by all classes, UCF101's groups are not:
        `Archery/g07` and `Bowling/g07` have nothing in common there, and actor, place and light here."""
        return [group.rpartition("/")[2] if self.unit == "look" else group for group in self.groups]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        clips, labels = self.batch([index])
        return clips[0], int(labels[0])

    def batch(
        self, indices: Sequence[int] | Tensor, generator: torch.Generator | None = None,
        device: torch.device | str = "cpu", only: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """(clips (B, 3, T, S, S), labels (B,)): random windows with a generator, first ones without.

        only: rows of that batch, int64 (b,); they show the same windows, and no other clip is read. Clips travel to
        `device` as bytes, a quarter of what their floats would be. Raises IndexError for an index outside the data set.
        """
        indices = torch.as_tensor(indices, dtype=torch.long).reshape(-1)
        where = torch.zeros(len(indices)) if generator is None else torch.rand(len(indices), generator=generator)
        if only is not None:
            indices, where = indices[only], where[only]
        pixels: np.ndarray = np.empty((len(indices), self.frames, self.size, self.size, 3), np.uint8)
        for clip, index, fraction in zip(pixels, indices.tolist(), where.tolist()):
            row = self.rows[index]
            start = int(fraction * starts(row.frames, self.frames, self.stride))
            np.take(self._pixels, row.offset + window(row.frames, self.frames, self.stride, start), axis=0, out=clip)
        clips = send(torch.from_numpy(pixels), device).permute(0, 4, 1, 2, 3).float().div_(127.5).sub_(1)
        return clips, send(self.labels[indices], device)

    def unpadded(self) -> Tensor:
        """Numbers of the clips with a frame for every place of a window: int64 (N,). The others repeat their last."""
        needed = (self.frames - 1) * self.stride + 1
        return torch.tensor([number for number, row in enumerate(self.rows) if row.frames >= needed], dtype=torch.long)

    def draw(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """(clips, labels, indices) of `n` clips: a random permutation, then others with other windows."""
        rounds = -(-n // len(self))
        indices = torch.cat([torch.randperm(len(self), generator=generator) for _ in range(rounds)] or [torch.empty(0)])
        indices = indices[:n].long()
        return *self.batch(indices, generator), indices

    def pixels(self, index: int) -> np.ndarray:
        """All packed frames of one clip: uint8 (T, S, S, 3), RGB."""
        row = self.rows[index]
        return np.asarray(self._pixels[row.offset : row.offset + row.frames])

    def describe(self) -> str:
        """One line for captions and sidecars: what it is, how many clips, how many classes."""
        parts = [f"{len(self):,} {self.split} clips"]
        parts += [f"{self.n_classes} classes"] if self.classes else [f"{len(set(self.groups)):,} source videos"]
        parts += [f"{self.unreadable:,} unreadable files left out"] if self.unreadable else []
        return f"{self.title}: {', '.join(parts)}"

    def _digest(self, code: str) -> str:
        """Identity of the clips: the source files' contents, the code that packed them, labels, cut; no paths, no
        times."""
        digest = hashlib.sha256(f"{code} {self.frames} {self.size} {self.stride} {self.classes}\n".encode())
        for row in self.rows:
            digest.update(f"{row.sha256} {row.label} {row.group} {row.frames}\n".encode())
        return digest.hexdigest()[:16]
