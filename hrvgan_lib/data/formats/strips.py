"""Horizontal strips with a manifest, MoCoGAN's format for Weizmann: frames side by side (chapter 01)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hrvgan_lib.data.formats.listing import Entry, Folder, Listing, read_rows
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

    Raises FileNotFoundError for an absent manifest, ValueError for one without those columns.
    """
    folder = Path(folder)
    rows = read_rows(folder / "manifest.csv", ("path", "class", "person"), REMEDY)
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
