"""A folder of anybody's videos as a data set without labels (`python -m hrvgan_lib.metrics`; chapter 08)."""

from __future__ import annotations

import copy
import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from hrvgan_lib.data.formats.squares import fit
from hrvgan_lib.data.formats.video import count_frames, video_frames
from hrvgan_lib.data.report import Report
from hrvgan_lib.files import sha256_file
from hrvgan_lib.provenance import cores
from hrvgan_lib.windows import starts, window

VIDEOS = frozenset(
    ".avi .mp4 .m4v .mov .mkv .webm .gif .webp .mpg .mpeg .m2v .ts .mts .m2ts .wmv .asf .flv .ogv .3gp".split()
)


class Folder:
    """The videos below a folder as a data set without labels: one window of each, the same for the same seed.

    Every file that ends as videos do is decoded once, by all cores. What cannot be read, what is no file and what is
    shorter than a window is left out, and `report` says so. Links are followed, each folder once. Raises
    FileNotFoundError for an absent folder, ValueError where nothing is left.
    """

    classes, n_classes, kind, unit = (), 0, "real", "video"

    def __init__(
        self, folder: str | Path, frames: int, size: int, stride: int = 1, progress: bool | None = False
    ) -> None:
        self.folder, self.frames, self.size, self.stride = Path(folder), frames, size, stride
        if not self.folder.is_dir():
            raise FileNotFoundError(f"{folder}: no such folder")
        files = sorted(files_below(self.folder))
        ignored = Counter(path.suffix.lower() for path in files if path.suffix.lower() not in VIDEOS)
        videos = [path for path in files if path.suffix.lower() in VIDEOS]
        with ThreadPoolExecutor(cores()) as pool:
            bar = tqdm(
                pool.map(self._looked_at, videos), desc=f"reading {self.folder.name}", total=len(videos), unit="video",
                disable=None if progress else True,
            )  # fmt: skip
            found = list(bar)
        used = [(path, count, digest) for path, (count, digest, reason) in zip(videos, found) if not reason]
        left_out = [(path, reason) for path, (_, _, reason) in zip(videos, found) if reason]
        self.paths, self.lengths = [path for path, *_ in used], [length for _, length, _ in used]
        self.report = Report(
            self.folder, len(used), tuple((str(path.relative_to(self.folder)), reason) for path, reason in left_out),
            tuple(sorted(ignored.items())),
        )  # fmt: skip
        if not used:
            raise ValueError(" ".join([f"{folder}: no video to compare.", *map(str.strip, self.report.lines())]))
        self.name = self.split = self.folder.name
        self.digest = hashlib.sha256("".join(digest for *_, digest in used).encode()).hexdigest()[:16]
        self.labels = torch.zeros(len(used), dtype=torch.long)

    def _looked_at(self, path: Path) -> tuple[int, str, str]:
        """Frames and sha256 of a video, or the reason why it is left out."""
        needed = self.stride * (self.frames - 1) + 1
        try:
            if not path.is_file():
                return 0, "", "a link that leads to no file" if path.is_symlink() else "no regular file"
            length = count_frames(path)
            if length < needed:
                return 0, "", f"{length} frames, and a clip spans {needed}: ask for fewer (--frames, --stride)"
            return length, sha256_file(path), ""
        except (ValueError, OSError, MemoryError) as error:
            return 0, "", str(error).removeprefix(f"{path}: ") or type(error).__name__

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def units(self) -> list[str]:
        """Each video is one of its own: nothing here says which of them belong together."""
        return [str(path) for path in self.paths]

    def half(self, part: int) -> Folder:
        """Every second video, from the first (0) or the second (1): two sides that share none."""
        side = copy.copy(self)
        side.paths, side.lengths, side.labels = self.paths[part::2], self.lengths[part::2], self.labels[part::2]
        side.digest, side.split = f"{self.digest} {part}", f"half {part}"
        return side

    def describe(self) -> str:
        return f"{len(self)} videos in {self.folder.name}"

    def batch(
        self, indices: Sequence[int] | Tensor, generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """(clips (B, 3, T, S, S) in [-1, 1], labels of zeros (B,)): random windows with a generator."""
        clips = []
        for index in indices:
            length = self.lengths[index]
            places = starts(length, self.frames, self.stride)
            start = 0 if generator is None else int(torch.randint(places, (), generator=generator))
            wanted = window(length, self.frames, self.stride, start)
            frames = islice(video_frames(self.paths[index], int(wanted[-1]) + 1), start, None, self.stride)
            clips.append(torch.from_numpy(np.stack([fit(frame[None], self.size)[0] for frame in frames])))
        pixels = torch.stack(clips).to(device).permute(0, 4, 1, 2, 3).float().div_(127.5).sub_(1)
        return pixels, self.labels[torch.as_tensor(list(indices))].to(device)


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder, through links too, but into each folder once: a link may lead back up."""
    seen = set()
    for base, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(base)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        yield from (Path(base, name) for name in sorted(names))
