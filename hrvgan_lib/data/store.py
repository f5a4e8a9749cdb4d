"""Decode once, read often: a packed, memory-mapped store of uint8 clips with an index (chapter 01)."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TextIO

import numpy as np
from filelock import FileLock
from tqdm import tqdm

from hrvgan_lib.data.formats.listing import Entry, Listing
from hrvgan_lib.data.formats.squares import fit
from hrvgan_lib.files import sha256_file
from hrvgan_lib.keys import code_of, key_of
from hrvgan_lib.provenance import cores

HELD = 2**24  # bytes of one clip's packed frames that are held in memory
COLUMNS = ("source", "label", "group", "split", "frames", "offset", "sha256")


@dataclass(frozen=True)
class Row:
    """One packed clip; a line of index.csv."""

    source: str  # path relative to the data set's folder
    label: int
    group: str
    split: str
    frames: int
    offset: int  # first frame's number in clips.bin
    sha256: str  # of the source file's bytes


@dataclass(frozen=True)
class Store:
    """A finished store: `clips` is (all frames of all clips, S, S, 3) uint8, mapped from disk."""

    folder: Path
    rows: tuple[Row, ...]
    clips: np.ndarray
    code: str  # of what decoded and packed it, as `keys.code_of` names it
    unreadable: int  # clips that could not be decoded and were left out; see unreadable.csv


def store_key(listing: Listing, size: int, max_frames: int | None = None) -> str:
    """Identity of a store: every clip's path, size and time, its label and split, and the code that packs it."""
    entries = []
    for entry in listing.entries:
        stat = entry.path.stat()
        source = _source(entry, listing.folder)
        entries.append([source, entry.label, entry.group, entry.split, stat.st_size, stat.st_mtime_ns])
    return key_of(__name__, listing.decode, size=size, max_frames=max_frames, entries=entries)


def pack(
    listing: Listing, size: int, folder: Path, *, name: str = "clips", max_frames: int | None = None,
    progress: bool = True, workers: int | None = None,
) -> Store:  # fmt: skip
    """Open the store of `listing` at `size` below `folder`; decode and write what it lacks first.

    Every core decodes. A kill loses the clips in flight and nothing else: the next call goes on behind the
    last clip that the journal names, and the store gets its final name only when it is whole. A file that
    cannot be read is written to unreadable.csv and left out, with one warning. `max_frames` keeps only the
    first frames of each clip.

    Raises RuntimeError where no clip at all can be read, or the disk is full.
    """
    final = Path(folder) / f"{name}-{size}-{store_key(listing, size, max_frames)}"
    final.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{final}.lock"):
        if not final.is_dir():
            _write(listing, size, final, max_frames, progress, workers, name)
    return open_store(final)


def open_store(folder: Path) -> Store:
    """Map a finished store."""
    about = json.loads((folder / "store.json").read_text(encoding="utf-8"))
    size = about["size"]
    rows = tuple(_rows(folder / "index.csv"))
    clips = np.memmap(folder / "clips.bin", dtype=np.uint8, mode="r").reshape(-1, size, size, 3)
    return Store(folder, rows, clips, about["code"], len(_table(folder / "unreadable.csv")))


def _write(
    listing: Listing, size: int, final: Path, max_frames: int | None, progress: bool, workers: int | None, name: str
) -> None:
    partial = final.with_name(final.name + ".partial")
    partial.mkdir(exist_ok=True)
    rows = _journal(partial, size)
    refused = _table(partial / "unreadable.csv")
    settled = {row.source for row in rows} | {source for source, _ in refused}
    waiting = [entry for entry in listing.entries if _source(entry, listing.folder) not in settled]
    offset = sum(row.frames for row in rows)
    packed = _decode_all(waiting, listing, size, max_frames, workers or cores(), partial)
    bar = tqdm(
        packed, desc=f"packing {name}", unit="clip", total=len(listing.entries), initial=len(settled),
        disable=None if progress else True,  # None: no bar where nobody watches
    )  # fmt: skip
    try:
        with (
            open(partial / "clips.bin", "ab") as clips,
            open(partial / "index.csv", "a", newline="", encoding="utf-8") as index,
            open(partial / "unreadable.csv", "a", newline="", encoding="utf-8") as unreadable,
        ):
            for entry, frames, found in bar:
                source = _source(entry, listing.folder)
                if frames is None:
                    _append(unreadable, (source, found))
                    refused.append((source, found))
                    continue
                with frames:
                    count = frames.tell() // (size * size * 3)
                    frames.seek(0)
                    shutil.copyfileobj(frames, clips, 2**20)
                clips.flush()  # the clip first, then its line: a line is a promise that the clip is there
                row = Row(source, entry.label, entry.group, entry.split, count, offset, found)
                _append(index, [getattr(row, column) for column in COLUMNS])
                rows.append(row)
                offset += count
            for file in (clips, index, unreadable):
                os.fsync(file.fileno())
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise RuntimeError(
                f"{name}: packing stopped after {len(rows):,} of {len(listing.entries):,} clips "
                f"({error}); mend that and call again, what is packed is kept"
            ) from None
        free = f"free some space below {final.parent} or set HRVGAN_CACHE to another disk"
        raise RuntimeError(f"the disk is full after {len(rows):,} of {len(listing.entries):,} clips: {free}") from None
    if not rows:
        shutil.rmtree(partial)
        reason = refused[0][1] if refused else "the list is empty"
        raise RuntimeError(f"{name}: none of {len(listing.entries):,} clips can be read, the first because {reason}")
    about = {"size": size, "max_frames": max_frames, "code": code_of(__name__, listing.decode)}
    (partial / "store.json").write_text(json.dumps(about), encoding="utf-8")
    os.replace(partial, final)
    if refused:
        warnings.warn(
            f"{name}: {len(refused):,} of {len(listing.entries):,} clips cannot be read and are left out, "
            f"the first because {refused[0][1]} (all of them: {final / 'unreadable.csv'})",
            stacklevel=4,
        )


def _decode_all(
    entries: Sequence[Entry], listing: Listing, size: int, max_frames: int | None, workers: int, folder: Path
) -> Iterator[tuple[Entry, IO[bytes] | None, str]]:
    """(entry, its packed frames as a file, sha256) or (entry, None, reason), in order, decoded by `workers` threads.

    Threads, not processes: FFmpeg and Pillow release the interpreter lock while they decode and resize, so
    threads keep every core busy, and a process would first have to import everything again (5 s a core,
    longer than most packings). A clip's frames go through a file below `folder` once they are more than `HELD`
    bytes, so that a long video takes no more memory than a short one.
    """

    def one(entry: Entry) -> tuple[Entry, IO[bytes] | None, str]:
        frames = SpooledTemporaryFile(HELD, dir=folder)  # type: ignore[call-overload]  # it takes a path
        try:
            for frame in islice(listing.decode(entry.path, max_frames), max_frames):
                frames.write(np.ascontiguousarray(fit(frame[None], size)).data)
            return entry, frames, sha256_file(entry.path)
        except ValueError as error:  # of the file; an OSError is of the machine, and another day it may be read
            frames.close()
            return entry, None, str(error)
        except BaseException:
            frames.close()
            raise

    queue: deque = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="pack") as pool:
        try:
            for entry in entries:  # at most two clips a worker at once
                queue.append(pool.submit(one, entry))
                if len(queue) >= 2 * workers:
                    yield queue.popleft().result()
            while queue:
                yield queue.popleft().result()
        finally:
            for future in queue:
                future.cancel()


def _journal(partial: Path, size: int) -> list[Row]:
    """The clips that an interrupted packing has finished; what stands behind the last of them is cut off."""
    index, clips = partial / "index.csv", partial / "clips.bin"
    clips.touch()
    lines = _whole_lines(index)
    header = ",".join(COLUMNS) + "\n"
    if lines[:1] != [header]:
        lines = [header]
        index.write_text(header, encoding="utf-8")
    _whole_lines(partial / "unreadable.csv")
    frame, length, end = size * size * 3, clips.stat().st_size, 0
    rows = []
    for row in _rows(index):
        if row.offset != end or (end + row.frames) * frame > length:
            break
        rows.append(row)
        end += row.frames
    if len(lines) > len(rows) + 1:
        index.write_text("".join(lines[: len(rows) + 1]), encoding="utf-8")
    os.truncate(clips, frame * end)
    return rows


def _whole_lines(path: Path) -> list[str]:
    """The lines of a journal; the last one is removed, on disk too, where a kill came before its end."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    return whole.splitlines(keepends=True)


def _rows(path: Path) -> Iterator[Row]:
    with open(path, newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            yield Row(
                line["source"], int(line["label"]), line["group"], line["split"], int(line["frames"]),
                int(line["offset"]), line["sha256"],
            )  # fmt: skip


def _table(path: Path) -> list[tuple[str, str]]:
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [(row[0], row[1]) for row in csv.reader(file) if len(row) == 2]


def _append(file: TextIO, values: Sequence[object]) -> None:
    csv.writer(file, lineterminator="\n").writerow(values)
    file.flush()


def _source(entry: Entry, folder: Path) -> str:
    try:
        return entry.path.relative_to(folder).as_posix()
    except ValueError:
        return entry.path.as_posix()
