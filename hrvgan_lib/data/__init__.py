"""Data sets: a name becomes clips, from real files or from a procedural stand-in (chapter 01)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from hrvgan_lib.data.formats import stacks, strips, ucf101
from hrvgan_lib.data.formats.listing import Listing
from hrvgan_lib.data.formats.video import read_video, write_video
from hrvgan_lib.keys import key_of
from hrvgan_lib.provenance import repo_root
from hrvgan_lib.windows import WINDOW

if TYPE_CHECKING:
    from hrvgan_lib.data.clips import ClipDataset

__all__ = ["FORMATS", "ClipDataset", "Format", "open_dataset", "read_video", "scan", "write_video"]


def __getattr__(name: str) -> object:
    """ClipDataset on demand: listing and checking files needs no torch, whose import takes seconds."""
    if name == "ClipDataset":
        from hrvgan_lib.data.clips import ClipDataset

        return ClipDataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@dataclass(frozen=True)
class Format:
    """A data set's name in the book, the module that reads its format, and where the real files come from."""

    title: str
    module: ModuleType
    source: str
    standin: str  # what its stand-in is called


FORMATS = {
    "ucf101": Format(
        "UCF101", ucf101, "https://www.crcv.ucf.edu/data/UCF101.php", "procedural actions in UCF101's format"
    ),
    "golf": Format(
        "Golf", stacks, "http://data.csail.mit.edu/videogan/", "procedural golf scenes in Golf's format"
    ),
    "aeroplane": Format(
        "Aeroplane", stacks, "https://research.google.com/youtube-bb/", "procedural aeroplanes in its format"
    ),
    "weizmann": Format(
        "Weizmann", strips, "https://github.com/sergeytulyakov/mocogan", "procedural people in its format"
    ),
}  # fmt: skip


def scan(name: str, folder: Path, fold: int = 1) -> Listing:
    """The clips of the data set `name` in `folder`. Raises ValueError for an unknown name."""
    return _format(name).module.scan(Path(folder), fold=fold)


def open_dataset(
    name: str, root: str | os.PathLike | None = None, *, split: str = "train",
    frames: int = 8, size: int = 32, stride: int | None = None, fold: int = 1, max_frames: int | None = None,
    seed: int = 0, clips_per_group: int = 2, standin_frames: int = 48,  # of a stand-in
    stack_videos: int = 12, clips_per_video: int = 8,
    allow_partial: bool = False, cache: str | os.PathLike | None = None, progress: bool = True,
) -> ClipDataset:  # fmt: skip
    """One split of "ucf101", "golf", "aeroplane" or "weizmann", as windows of `frames` frames of `size`².

    The files are read from `root`/`name` (default root: data/ of the repository). Where that folder is
    absent, a procedural stand-in takes its place: drawn from `seed` in the sizes given here, written to disk
    in the same format and read back by the same code. Everything is decoded once, into a packed store below
    `cache` (default: data/, or the folder that HRVGAN_CACHE names). `stride` defaults to 32 // frames, so
    that every length spans the same 32 source frames (decision T3). `max_frames` packs only the first frames
    of each clip.

    Raises:
        ValueError: unknown data set or split; an impossible size.
        FileNotFoundError: no such root; a data set there in part, without `allow_partial`; absent lists.
        RuntimeError: no clip of it can be read.
    """
    from hrvgan_lib.data.clips import ClipDataset
    from hrvgan_lib.data.store import pack

    kind_of = _format(name)
    if split not in ("train", "test"):
        raise ValueError(f"unknown split {split!r}: choose train or test")
    if fold not in (1, 2, 3):
        raise ValueError(f"fold is {fold}: UCF101 has splits 1, 2 and 3")
    for what, value in (("frames", frames), ("size", size), ("stride", 1 if stride is None else stride)):
        if value < 1:
            raise ValueError(f"{what} is {value}: give at least 1")
    cache = Path(cache or os.environ.get("HRVGAN_CACHE") or repo_root() / "data")
    if root and not Path(root).is_dir():
        raise FileNotFoundError(f"data root {root} is no folder: name the one with {'/ '.join(FORMATS)}/ in it")
    folder = (Path(root) if root else repo_root() / "data") / name
    real = folder.is_dir()
    if real:
        listing = scan(name, folder, fold)
        _refuse_partial(name, listing, allow_partial)
        title = f"real {kind_of.title}"
    else:
        options = dict(clips_per_group=clips_per_group, frames=standin_frames, videos=stack_videos)
        folder = standin_folder(name, cache, seed, clips_per_video=clips_per_video, **options)
        listing = scan(name, folder, fold)
        title = f"{kind_of.standin} (seed {seed})"
    if listing.missing:
        title += f", {len(listing.entries):,} of {listing.expected:,} clips"
    store = pack(listing, size, cache / "packed", name=name, max_frames=max_frames, progress=progress)
    return ClipDataset(
        store, split, name=name, kind="real" if real else "procedural", title=title, root=folder,
        classes=listing.classes, frames=frames, size=size, stride=stride or max(1, WINDOW // frames), fold=fold,
    )  # fmt: skip


def standin_folder(
    name: str, cache: Path, seed: int, *, clips_per_group: int, frames: int, videos: int, clips_per_video: int
) -> Path:
    """The folder of a stand-in, drawn and written first where it is not there yet."""
    from hrvgan_lib.data.standin import writing

    write: Callable[..., Path]
    options: dict[str, Any]
    if name == "ucf101":
        write, options = writing.write_actions, dict(clips_per_group=clips_per_group, frames=frames)
    elif name == "weizmann":
        write, options = writing.write_strips, dict(frames=frames)
    else:
        write, options = (writing.write_stacks, dict(kind=name, videos=videos, clips_per_video=clips_per_video))
    # The drawing code is part of the key: a stand-in that an older version drew is another stand-in.
    key = key_of(writing.__name__, name=name, seed=seed, options=options)
    folder = cache / "standin" / f"{name}-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            write(folder, seed=seed, **options)
    return folder


def how_to_get(name: str) -> str:
    """One line: where the rest of a data set comes from."""
    return f"get the rest from {FORMATS[name].source} (sizes, licence and expected tree: data/README.md)"


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise ValueError(f"unknown data set {name!r}: choose one of {', '.join(FORMATS)}")
    return FORMATS[name]


def _refuse_partial(name: str, listing: Listing, allow_partial: bool) -> None:
    there, expected = len(listing.entries), listing.expected
    if listing.missing and not (allow_partial and there):
        accept = "or accept it as it is with ALLOW_PARTIAL=1" if there else "or remove the folder to use the stand-in"
        there_in_part = f"{name} is there in part, {there:,} of {expected:,} clips in {listing.folder}"
        raise FileNotFoundError(f"{there_in_part}: {how_to_get(name)}, {accept}")
