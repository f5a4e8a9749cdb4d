"""UCF101 in its official layout: a folder of AVI files a class, and the official split lists (chapter 01)."""

from __future__ import annotations

import re
from pathlib import Path

from hrvgan_lib.data.formats.listing import Entry, Folder, Listing, read_lines, within
from hrvgan_lib.data.formats.video import video_frames

LISTS = "ucfTrainTestlist"
CLIPS = "UCF-101"
REMEDY = f"unpack UCF101TrainTestSplits-RecognitionTask.zip, which holds {LISTS}/ (data/README.md)"


def scan(folder: Path, fold: int = 1) -> Listing:
    """List the clips that split `fold` (1, 2 or 3) names, split by its two lists, hence by group.

    The class of a clip is its folder: one class of the real set, HandstandPushups, spells its files' prefix
    in another case, so files are looked up in any case. Test lists carry no labels; lines may end in CRLF or
    LF.

    Raises FileNotFoundError for absent lists; ValueError for a line that contradicts the others.
    """
    folder = Path(folder)
    lists = next((place for place in (folder / LISTS, folder) if (place / "classInd.txt").is_file()), folder / LISTS)
    classes = _classes(lists / "classInd.txt")
    index = {name.casefold(): label for label, name in enumerate(classes)}
    files = Folder(folder / CLIPS if (folder / CLIPS).is_dir() else folder)
    entries, missing = [], []
    seen: dict[str, str] = {}  # the split of each file
    for split in ("train", "test"):
        path = lists / f"{split}list{fold:02d}.txt"
        for line in read_lines(path, REMEDY):
            relative, label = _parse(line, path, index)
            if (before := seen.setdefault(relative.casefold(), split)) != split:
                raise ValueError(f"{path} names {relative}, which is a {before} clip too: fetch the lists again")
            found = files.find(relative, any_case=True)
            if found is None:
                missing.append(relative)
            else:
                entries.append(Entry(found, label, _group(classes[label], found.stem), split))
    return Listing(folder, classes, tuple(entries), tuple(missing), video_frames)


def _classes(path: Path) -> tuple[str, ...]:
    numbered = {}
    for line in read_lines(path, REMEDY):
        match = re.fullmatch(r"(\d+)\s+(\S+)", line)
        if match is None:
            raise ValueError(f"{path}: {line!r} is not '<number> <class>': {REMEDY}")
        numbered[int(match[1])] = match[2]
    if sorted(numbered) != list(range(1, len(numbered) + 1)):
        raise ValueError(f"{path}: the classes are not numbered from 1 without gaps: {REMEDY}")
    return tuple(numbered[number] for number in sorted(numbered))


def _parse(line: str, path: Path, index: dict[str, int]) -> tuple[str, int]:
    """'Class/v_Class_g01_c01.avi 7' or the same without the number -> (relative path, label from 0)."""
    match = re.fullmatch(r"(([^/]+)/[^/]+?\.\w+)(?:\s+(\d+))?", line)
    if match is None:
        raise ValueError(f"{path}: {line!r} is not '<class>/<file> [<number>]': {REMEDY}")
    relative, name, number = match.groups()
    within(relative, str(path))
    label = index.get(name.casefold())
    if label is None:
        raise ValueError(f"{path} names class {name!r}, which classInd.txt does not have: {REMEDY}")
    if number is not None and int(number) != label + 1:
        raise ValueError(
            f"{path}: {relative} has label {number}, but its class is {label + 1} in classInd.txt: {REMEDY}"
        )
    return relative, label


def _group(class_name: str, stem: str) -> str:
    """'v_Archery_g07_c02' -> 'Archery/g07'; a file that is named otherwise is its own group."""
    match = re.search(r"_g(\d+)_c\d+$", stem)
    return f"{class_name}/g{match[1]}" if match else f"{class_name}/{stem}"
