"""What a format's `scan` returns: the clips present, those missing, and how to decode one (chapter 01)."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

import numpy as np


@dataclass(frozen=True)
class Entry:
    """One clip on disk."""

    path: Path
    label: int  # index into Listing.classes; -1 where the data set has no labels
    group: str  # what must not be divided between the splits: a source video, a person, a UCF101 group
    split: str  # "train" or "test"


@dataclass(frozen=True)
class Listing:
    """The clips of one data set, in a fixed order."""

    folder: Path
    classes: tuple[str, ...]  # empty: unlabelled
    entries: tuple[Entry, ...]  # present on disk
    missing: tuple[str, ...]  # named by the data set's own lists, but absent
    decode: Callable[..., Iterable[np.ndarray]]  # decode(path, max_frames=None): its frames, uint8 (H, W, 3), RGB

    @property
    def expected(self) -> int:
        """How many clips the data set's own lists name."""
        return len(self.entries) + len(self.missing)


class Folder:
    """Looks files up below `root` with one directory listing a folder: lists may name 600,000 files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._names = cache(self._list)
        self._folded = cache(lambda folder: {name.casefold(): name for name in sorted(self._names(folder))})

    def _list(self, folder: str) -> frozenset[str]:
        try:
            return frozenset(os.listdir(self.root / folder))
        except (FileNotFoundError, NotADirectoryError):
            return frozenset()

    def find(self, relative: str, any_case: bool = False) -> Path | None:
        """The file `relative` (parts divided by /), or None. `any_case` ignores the case of every part."""
        parent, _, name = relative.rpartition("/")
        if any_case:
            folder = ""
            for part in relative.split("/"):
                actual = self._folded(folder).get(part.casefold())
                if actual is None:
                    return None
                folder = f"{folder}/{actual}".lstrip("/")
            return self.root / folder
        return self.root / parent / name if name in self._names(parent) else None


def within(relative: str, where: str) -> str:
    """A path that a list names, parts divided by /, which has to stay below the list's folder.

    Raises ValueError, with `where` it stands, for one that is absolute, goes up, or holds what no path holds.
    """
    path = PurePosixPath(relative)
    if any(ord(letter) < 32 for letter in relative):
        raise ValueError(f"{where}: {relative!r} is no path: mend the line")
    if path.is_absolute() or ".." in path.parts or not path.parts or ":" in path.parts[0]:
        raise ValueError(f"{where}: {relative!r} leads out of the data set's folder: write paths below it")
    return relative


def read_lines(path: Path, remedy: str) -> list[str]:
    """The lines of a text file without their ends (CRLF or LF), blank ones and a byte order mark left out.

    Raises FileNotFoundError or ValueError, with `remedy`.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} is missing: {remedy}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not a text file: {remedy}") from None
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    if not lines:
        raise ValueError(f"{path} is empty: {remedy}")
    return lines


def read_rows(path: Path, columns: tuple[str, ...], remedy: str) -> list[dict[str, str]]:
    """The rows of a CSV file with at least `columns`. Raises as read_lines does, with `remedy`."""
    rows = list(csv.DictReader(read_lines(path, remedy)))
    absent = [name for name in columns if not rows or rows[0].get(name) is None]
    if absent:
        raise ValueError(f"{path} has no column {', '.join(absent)}: {remedy}")
    return rows
