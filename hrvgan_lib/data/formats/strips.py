"""Horizontal strips with a manifest, MoCoGAN's format for Weizmann: frames side by side (chapter 01)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hrvgan_lib.data.formats.listing import Entry, Folder, Listing, read_rows, within
from hrvgan_lib.data.formats.stacks import read_image

REMEDY = "see data/README.md for the expected tree and columns"
CODES = {
    "0": "WaveOneHand",
    "1": "WaveBothHands",
    "3": "JumpingJack",
    "4": "Bend",
}  # Weizmann's, as MoCoGAN numbers them


def scan(folder: Path, fold: int = 1) -> Listing:
    """List the clips that manifest.csv names (columns path, class, person, and others); split by person.

    A clip and its mirror image show the same person and so fall on the same side. `fold` is ignored.

    Raises FileNotFoundError for an absent manifest, ValueError for one without those columns, and for a row that says
    too little, says two things of one file, or leads out of the folder.
    """
    folder = Path(folder)
    rows = _checked(read_rows(folder / "manifest.csv", ("path", "class", "person"), REMEDY), folder / "manifest.csv")
    codes = sorted({row["class"] for row in rows}, key=_natural)
    index = {code: label for label, code in enumerate(codes)}
    held_out = test_people([row["person"] for row in rows])
    files = Folder(folder)
    entries, missing = [], []
    for row in rows:
        found = files.find(row["path"])
        if found is None:
            missing.append(row["path"])
        else:
            split = "test" if row["person"] in held_out else "train"
            entries.append(Entry(found, index[row["class"]], f"person {row['person']}", split))
    classes = tuple(CODES.get(code, code) for code in codes) if set(codes) <= set(CODES) else tuple(codes)
    return Listing(folder, classes, tuple(entries), tuple(missing), read_strip)


def _checked(rows: list[dict[str, str]], manifest: Path) -> list[dict[str, str]]:
    """The rows without blanks around what they say, with / in their paths. Raises ValueError with the row's number."""
    clean: list[dict[str, str]] = []
    said: dict[str, tuple[str, ...]] = {}
    for number, row in enumerate(rows, 2):  # the head is line 1
        what = {name: (row[name] or "").strip() for name in ("path", "class", "person")}
        where = f"{manifest}, line {number}"
        if blank := [name for name, word in what.items() if not word]:
            raise ValueError(f"{where}: {' and '.join(blank)} left blank: {REMEDY}")
        what["path"] = within(what["path"].replace("\\", "/"), where)
        about = what["class"], what["person"]
        if said.setdefault(what["path"], about) != about:
            raise ValueError(f"{where}: {what['path']} stands here with another class or person: {REMEDY}")
        clean.append(what)
    return clean


def test_people(people: list[str]) -> set[str]:
    """Who is held out: the last third of the people in the order of their numbers or names, at least one.

    Of Weizmann's nine these are 6, 7 and 8. One person alone is for training.
    """
    ordered = sorted(set(people), key=_natural)
    return set(ordered[-max(1, len(ordered) // 3) :]) if len(ordered) > 1 else set()


def read_strip(path: Path, max_frames: int | None = None) -> np.ndarray:
    """Decode one strip, square frames from left to right: uint8 (T, S, S, 3), RGB.

    Weizmann's files are called .jpg and are RGBA PNG inside: the bytes decide, the ending does not.

    Raises ValueError where the file is no image, is cut off, or its width is not a multiple of its height.
    """
    image = read_image(path)
    width, height = image.size
    if width % height:
        raise ValueError(f"{path}: width {width} is not a multiple of the frame size {height}; fetch the file again")
    frames = np.asarray(image).reshape(height, width // height, height, 3).swapaxes(0, 1)
    return np.ascontiguousarray(frames[:max_frames])


def _natural(text: str) -> tuple[int, int, str]:
    return (0, int(text), "") if text.isdigit() else (1, 0, text)
