"""Run the book again in fresh copies and say what differs (`make repeats`): nothing may, but times and the host.

The series runs at smoke in two copies of the repository that share nothing: their tables, figures, films, weights,
sidecars and what the chapters print have to be equal byte for byte. A third run computes with two threads, which add in
another order: its tables have to say the same, up to a quarter of a number's interval (`far`).
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the library is not installed

from mutants import scratch
from torture import contents, told

from hrvgan_lib.mishaps import command

RUN = "torture"  # whose outputs `told` reads
TOLERANCE = 0.01  # of a number that has no interval
TIMES = ("seconds", "seconds_since_chapter_start", "peak_rss_mb", "peak_cuda_mb")
CLOCKED = {"status.json", "07_prediction.times.json", "10_tables.times.json", "11_ablations.times.json"}
NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?")
INTERVAL = re.compile(f"({NUMBER.pattern}) \\[({NUMBER.pattern}), ({NUMBER.pattern})\\]")
# The spread of two numbers that agree in all their digits is rounding; a film of twenty steps (A6) has no interval.
NOT_COMPARED = {"std over sample seeds"}
WIDER = {
    ("decisions", "measured effect"): 15.0,
    ("prediction_measures", "SSIM"): 15.0,
}  # over what is allowed elsewhere
SERIES = """
import sys
from hrvgan_lib.series import reproduce
threads, given = int(sys.argv.pop(1)), reproduce.set_threads
reproduce.set_threads = lambda profiles: given(threads)
sys.exit(reproduce.main(sys.argv[1:]))
"""


def series(folder: Path, threads: int, chapters: str) -> Path:
    """Run the series in a copy of the repository. Raises RuntimeError where it fails."""
    words = ["--profile", "smoke", "--run", RUN, "--chapters", chapters]
    environment = os.environ | {"PYTHONPATH": str(folder), "HRVGAN_HEADLESS": "1", "TQDM_DISABLE": "1"}
    with open(folder / "series.log", "w", encoding="utf-8") as log:
        ended = subprocess.run(
            [sys.executable, "-c", SERIES, str(threads), *words], cwd=folder, env=environment, stdout=log, stderr=log
        )
    if ended.returncode:
        last = (folder / "series.log").read_text(encoding="utf-8").splitlines()[-1:]
        raise RuntimeError(f"{folder.name}: the series ended with status {ended.returncode}: {' '.join(last)}")
    return folder


def made(folder: Path) -> dict[str, str]:
    """Everything that a run leaves for readers, {name: sha256}: figures/<run> whole, and what the chapters say."""
    found = contents(f"figures/{RUN}/*", drop=TIMES)(folder) | told(folder)
    return {name: digest for name, digest in found.items() if Path(name).name not in CLOCKED}


def differing(one: dict[str, str], other: dict[str, str]) -> list[str]:
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def numbers(path: Path) -> dict[tuple[int, str], str]:
    """The cells of a table, by row and column."""
    with open(path, encoding="utf-8", newline="") as file:
        return {(row, name): cell for row, cells in enumerate(csv.DictReader(file)) for name, cell in cells.items()}


def far(one: str, other: str) -> float:
    """How far two cells are apart, over what is allowed; infinite where it is not their numbers that differ.

    Allowed: half of the half width of a number's interval, `TOLERANCE` of a number without one, and one of the last
    digit that is printed.
    """
    if NUMBER.sub("#", one) != NUMBER.sub("#", other):
        return float("inf")
    words = list(zip(NUMBER.findall(one), NUMBER.findall(other)))
    widths = [0.0] * len(words)
    order = [match.start() for match in NUMBER.finditer(one)]
    for match in INTERVAL.finditer(one):  # value [low, high]: three numbers in a row
        first, half = order.index(match.start()), (value(match[3]) - value(match[2])) / 2
        widths[first : first + 3] = [half / 2] * 3
    shares = [0.0]
    for (a, b), width in zip(words, widths):
        gap = abs(value(a) - value(b))
        digit = max(last_digit(a), last_digit(b)) if "." in a + b else 0.0
        allowed = max(width or TOLERANCE * max(abs(value(a)), abs(value(b))), 1.01 * digit)
        shares.append(gap / allowed if gap else 0.0)
    return max(shares)


def value(word: str) -> float:
    return float(word.replace(",", ""))


def last_digit(word: str) -> float:
    """What one more in the last digit of a printed number is worth."""
    digits, _, power = word.lower().partition("e")
    return 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))


def apart(one: Path, other: Path) -> dict[str, float]:
    """The largest difference in each table of two runs, over what is allowed."""
    found = {}
    for path in sorted(one.glob(f"figures/{RUN}/*.csv")):
        mine, theirs = numbers(path), numbers(other / path.relative_to(one))
        found[path.stem] = max(
            (
                far(cell, theirs.get(place, "")) / WIDER.get((path.stem, place[1]), 1.0)
                for place, cell in mine.items() if place[1] not in NOT_COMPARED
            ),
            default=0.0,
        )  # fmt: skip
        if mine.keys() != theirs.keys():
            found[path.stem] = float("inf")
    return found


@command
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("tools/repeats.py", description=__doc__.splitlines()[0])
    parser.add_argument("--chapters", default="", help="only these: 00,01")
    parser.add_argument("--keep", type=Path, help="a folder for the copies; default: one that is removed")
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="repeats-") as temporary:
        place, runs = asked.keep or Path(temporary), {}
        kinds = {"first": 1, "second": 1, "two-threads": 2}
        for name in kinds:  # all of the same code, whoever edits meanwhile
            (place / name).mkdir()
            scratch(place / name)
        for name, threads in kinds.items():
            begun = time.monotonic()
            runs[name] = series(place / name, threads, asked.chapters)
            print(f"{name}: {len(made(runs[name]))} outputs ({time.monotonic() - begun:.0f} s)", flush=True)
        others = differing(made(runs["first"]), made(runs["second"]))
        print(
            f"first and second: {len(others) or 'none'} of {len(made(runs['first']))} differ: {', '.join(others[:9])}"
        )
        shares = apart(runs["first"], runs["two-threads"])
    wide = {name: share for name, share in shares.items() if share > 1}
    print(f"one thread and two: {len(shares)} tables, at most {max(shares.values()):.2g} of what is allowed apart")
    for name, share in wide.items():
        print(f"  {name}: {share:.2g}")
    return 1 if others or wide else 0


if __name__ == "__main__":
    sys.exit(main())
