"""`python -m hrvgan_lib.data check | pack NAME`: what is on disk, and decode it now (chapter 01)."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hrvgan_lib.data import FORMATS, how_to_get, open_dataset, scan
from hrvgan_lib.data.formats.listing import Entry, Listing
from hrvgan_lib.data.store import cores
from hrvgan_lib.mishaps import command
from hrvgan_lib.provenance import repo_root

SHOWN = 5  # names shown of what is missing or unreadable


@command
def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status: 0 when the data set is complete, 1 when not, 2 where that cannot be told."""
    options = _parser().parse_args(arguments)
    return options.run(options)


def check(options: argparse.Namespace) -> int:
    """Say how many clips are present, missing and unreadable, and how to get the rest."""
    name, folder = options.name, _root(options) / options.name
    if not folder.is_dir():
        print(f"{name}: not at {folder}; its procedural stand-in is used.")
        print(f"  To use the real one, {how_to_get(name).replace('the rest', 'it')}.")
        return 1
    listing = scan(name, folder, options.fold)
    unreadable = _unreadable(listing, deep=options.deep)
    there = len(listing.entries)
    print(f"{name}: {there:,} of {listing.expected:,} clips present in {folder}")
    for split in ("train", "test"):
        entries = [entry for entry in listing.entries if entry.split == split]
        groups = len({entry.group for entry in entries})
        print(f"  {split}: {len(entries):,} clips of {groups:,} groups")
    _show("missing", list(listing.missing))
    _show("unreadable", unreadable)
    if not options.deep:
        print("  (the first frame of each clip was decoded; --deep decodes all of them)")
    if listing.missing or unreadable:
        print(f"  {how_to_get(name)[0].upper()}{how_to_get(name)[1:]}.")
        if there:
            print("  To use what is there: ALLOW_PARTIAL=1 with make, allow_partial=True in Python.")
        return 1
    print("  complete")
    return 0


def pack(options: argparse.Namespace) -> int:
    """Decode both splits into the packed store and say where it is."""
    for split in ("train", "test"):
        data = open_dataset(
            options.name, _root(options), split=split, size=options.size, fold=options.fold,
            max_frames=options.max_frames, allow_partial=options.allow_partial,
        )  # fmt: skip
        print(data.describe())
    print(f"packed at {data.size}x{data.size} in {data.folder}")
    return 0


def _unreadable(listing: Listing, deep: bool) -> list[str]:
    def problem(entry: Entry) -> str | None:
        try:
            for _ in listing.decode(entry.path, None if deep else 1):
                pass
        except (ValueError, OSError) as error:
            return str(error)
        return None

    with ThreadPoolExecutor(cores()) as pool:
        return [found for found in pool.map(problem, listing.entries) if found]


def _show(what: str, names: list[str]) -> None:
    print(f"  {what}: {len(names):,}")
    for name in names[:SHOWN]:
        print(f"    {name}")
    if len(names) > SHOWN:
        print(f"    and {len(names) - SHOWN:,} more")


def _root(options: argparse.Namespace) -> Path:
    return Path(options.root) if options.root else repo_root() / "data"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hrvgan_lib.data", description=__doc__.split(": ", 1)[1])
    commands = parser.add_subparsers(required=True, metavar="check|pack")
    for run, help_text in ((check, "what is present, missing, unreadable"), (pack, "decode ahead of time")):
        command = commands.add_parser(run.__name__, help=help_text, description=run.__doc__)
        command.add_argument("name", choices=sorted(FORMATS), metavar="NAME", help=", ".join(FORMATS))
        command.add_argument(
            "--root", default="", help="folder with ucf101/ golf/ aeroplane/ weizmann/ (default: data/)"
        )
        command.add_argument("--fold", type=int, default=1, choices=(1, 2, 3), help="UCF101's split, 1 to 3")
        command.set_defaults(run=run)
        if run is check:
            command.add_argument("--deep", action="store_true", help="decode every frame of every clip")
        else:
            command.add_argument("--size", type=int, default=32, help="side of the packed frames (default: 32)")
            command.add_argument("--max-frames", type=int, default=None, help="pack only the first frames of each clip")
            command.add_argument("--allow-partial", action="store_true", help="accept a data set that is there in part")
    return parser


if __name__ == "__main__":
    sys.exit(main())
