"""Golf and Aeroplane: an index file, and one JPEG a clip with its frames stacked vertically (chapter 01)."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageOps

from hrvgan_lib.data.formats.listing import Entry, Folder, Listing, read_lines, within

MOST_PIXELS = 2**27  # of one picture: 8,192 stacked frames of 128x128; Pillow itself refuses more than 178 million
TEST_SHARE = 0.2  # at most this share of the clips is held out
REMEDY = "see data/README.md for the official source and the expected tree"


def scan(folder: Path, fold: int = 1) -> Listing:
    """List the clips that the index (`<folder's name>.txt`, or the only .txt) names; split by source video.

    A line is the clip's path: relative to the folder or to frames-stable-many/ (Golf's), or absolute on the
    machine that cut the clips (Aeroplane's), in which case its last two parts count. The folder of a clip is
    its source video. `fold` is ignored: there is one split, and it depends on the index alone, not on which
    clips are present.

    Raises FileNotFoundError for an absent index, ValueError for a line that leads out of the folder.
    """
    folder = Path(folder)
    lines = read_lines(_index_file(folder), REMEDY)
    places = [Folder(folder)]
    places += [Folder(path) for path in (folder / "frames-stable-many", folder / "frames") if path.is_dir()]
    relatives = [within(_relative(line), f"{_index_file(folder)}, line {number}")
                 for number, line in enumerate(lines, 1)]  # fmt: skip
    groups = [str(PurePosixPath(relative).parent) for relative in relatives]
    held_out = test_videos(groups)
    entries, missing = [], []
    for line, relative, group in zip(lines, relatives, groups):
        found = next((path for place in places if (path := place.find(relative))), None)
        if found is None:
            missing.append(line)
        else:
            entries.append(Entry(found, -1, group, "test" if group in held_out else "train"))
    return Listing(folder, (), tuple(entries), tuple(missing), read_stack)


def test_videos(groups: list[str]) -> set[str]:
    """Which source videos are held out, given the video of each clip.

    Videos come in the order of a hash of their names; each is taken if the test split then holds at most a
    fifth of all clips; where none fits, the one with the fewest clips is taken.

    One video alone is for training: it cannot be on both sides.
    """
    counts = Counter(groups)
    if len(counts) < 2:
        return set()
    room = TEST_SHARE * len(groups)
    ordered = sorted(counts, key=lambda group: hashlib.sha256(group.encode()).digest())
    held_out: set[str] = set()
    for group in ordered:
        if counts[group] <= room:
            held_out.add(group)
            room -= counts[group]
    return held_out or {min(ordered, key=counts.__getitem__)}


def read_stack(path: Path, max_frames: int | None = None) -> np.ndarray:
    """Decode one stack, square frames from top to bottom: uint8 (T, S, S, 3), RGB.

    Raises ValueError where the file is no image, is cut off, or its height is not a multiple of its width.
    """
    image = read_image(path)
    width, height = image.size
    if height % width:
        raise ValueError(f"{path}: height {height} is not a multiple of the frame size {width}; fetch the file again")
    return np.asarray(image).reshape(height // width, width, width, 3)[:max_frames]


def read_image(path: Path) -> Image.Image:
    """A whole image file as RGB, whatever its name ends in, turned as it says that it is to be displayed.

    Sixteen bits a channel become eight. Raises ValueError for a file that is no whole image, has more than
    `MOST_PIXELS` pixels or no fixed range of values, OSError for one that the machine cannot read.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such image file")
    if Path(path).stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty (0 bytes); fetch it again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # `MOST_PIXELS` is the limit here
            with Image.open(path) as image:
                if not (refused := _unfit(image)):
                    image = ImageOps.exif_transpose(image)
                    if image.mode.startswith("I"):
                        image = Image.fromarray(np.round(np.asarray(image) / 257).astype(np.uint8))
                    return image.convert("RGB")
    except Image.DecompressionBombError:  # Pillow refuses before the size can be asked for
        refused = f"more than the {MOST_PIXELS:,} pixels that are read; cut it into more files"
    except (OSError, SyntaxError, ValueError) as error:
        if getattr(error, "errno", None) is not None:  # of the machine; Pillow's own have no number
            raise
        reason = "not an image" if "cannot identify" in str(error) else str(error)
        raise ValueError(f"{path}: {reason}; fetch it again") from None
    raise ValueError(f"{path}: {refused}")


def _unfit(image: Image.Image) -> str:
    """Why a picture is not read though it is whole, with the remedy; empty where it is."""
    if image.width * image.height > MOST_PIXELS:
        return f"{image.width:,}x{image.height:,} pixels, and at most {MOST_PIXELS:,} are read; cut it into more files"
    if image.mode == "F" or (image.mode == "I" and image.format != "PNG"):  # PNG has no more than 16 bits
        return f"pixels of kind {image.mode!r} have no range that is known; save it with 8 or 16 bits a channel"
    return ""


def _index_file(folder: Path) -> Path:
    named = folder / f"{folder.name}.txt"
    if named.is_file():
        return named
    candidates = sorted(folder.glob("*.txt"))
    return candidates[0] if len(candidates) == 1 else named


def _relative(line: str) -> str:
    path = PurePosixPath(line.replace("\\", "/"))
    return "/".join(path.parts[-2:]) if path.is_absolute() else str(path)
