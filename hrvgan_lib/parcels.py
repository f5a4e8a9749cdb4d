"""`make pack`, `make unpack`: a run as a few small files, to carry to another machine and back."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from hrvgan_lib.profiles import run_name
from hrvgan_lib.provenance import repo_root, sha256_file, to_json, write_atomic

PIECE = 15 * 10**6  # bytes; mail, forms and batch systems often stop at 16 MB
SKIPPED = ("*.lock", "lock", "*.tmp", ".tmp.*", "*.log")  # what is only true where it was made


def bundles(root: Path, run: str) -> Iterator[tuple[str, list[Path]]]:
    """What a run is made of, the dearest first: (kind, files that only make sense together)."""
    figures, runs = root / "figures" / run, root / "runs" / run

    def below(folder: Path, pattern: str = "**/*") -> list[Path]:
        found = [path for path in sorted(folder.glob(pattern)) if path.is_file()]
        return [path for path in found if not any(path.match(skipped) for skipped in SKIPPED)]

    results = below(figures) + below(runs, "*.ipynb") + below(runs, "*.json") + below(runs / "seeds")
    if results:
        yield "results", results
    for path in below(runs / "evaluations", "*.json"):
        yield "evaluations", [path]
    for folder in sorted((runs / "judges").glob("*"), key=lambda path: path.stat().st_mtime):
        yield "judges", below(folder) if folder.is_dir() else [folder]
    # A training that others wait for was made early; of one that is under way only the newest checkpoint counts.
    for folder in sorted((runs / "checkpoints").glob("*/"), key=lambda path: path.stat().st_ctime):
        old = {file for step in sorted(folder.glob("step-*.pt"))[:-1] for file in (step, step.with_suffix(".sha256"))}
        if files := [path for path in below(folder) if path not in old]:
            yield "trainings", files
    for folder in sorted((runs / "evaluations" / "features").glob("*/")):
        yield "features", below(folder)


def pack(run: str, folder: Path, root: Path, limit: float = 0) -> dict:
    """Write the run as `<run>.parcel-NN` pieces and an index `<run>.parcel.json` into `folder`.

    limit: megabytes at most, 0 for all of it; what does not fit is named in the index, and made again by a run that
    goes on from the parcel. Raises FileNotFoundError where there is nothing of that run.
    """
    chosen, left_out, room = [], Counter(), limit * 1e6 or float("inf")
    for kind, files in bundles(root, run):
        size = sum(path.stat().st_size for path in files)
        if size <= room or kind == "results":
            room -= size
            chosen += files
        else:
            left_out[kind] += size
    if not chosen:
        raise FileNotFoundError(f"there is no run {run!r}: neither figures/{run}/ nor runs/{run}/ holds a file")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{run}.parcel*"):
        old.unlink()
    digests, pieces = {}, {}
    with tempfile.TemporaryFile(dir=folder) as archive:
        with tarfile.open(fileobj=archive, mode="w:gz", compresslevel=6) as tar:
            for path in chosen:
                try:
                    content = path.read_bytes()  # the run may be going on: hash what is packed, not what is there now
                except FileNotFoundError:
                    continue
                member = tarfile.TarInfo(path.relative_to(root).as_posix())
                member.size, digests[member.name] = len(content), hashlib.sha256(content).hexdigest()
                tar.addfile(member, io.BytesIO(content))
        archive.seek(0)
        while content := archive.read(PIECE):
            name = f"{run}.parcel-{len(pieces) + 1:02d}"
            write_atomic(folder / name, content)
            pieces[name] = hashlib.sha256(content).hexdigest()
    index = {"run": run, "pieces": pieces, "files": digests,
             "left out, MB": {kind: round(size / 1e6, 1) for kind, size in left_out.items()}}
    write_atomic(folder / f"{run}.parcel.json", to_json(index))
    return index


def unpack(folder: Path, root: Path) -> list[dict]:
    """Check every parcel in `folder`, piece by piece and file by file, then put its files in place.

    Nothing is put in place of a parcel that is not whole. Returns the indexes. Raises FileNotFoundError or ValueError,
    in one line, for a piece that is missing or damaged, and for figures that differ from their sidecars.
    """
    found = sorted(Path(folder).glob("*.parcel.json"))
    if not found:
        raise FileNotFoundError(f"{folder} holds no parcel (*.parcel.json): name the folder that `make pack` wrote")
    return [_unpack(index_file, root) for index_file in found]


def _unpack(index_file: Path, root: Path) -> dict:
    index = json.loads(index_file.read_text(encoding="utf-8"))
    run = run_name("", run=index["run"])  # raises ValueError for a name that leads elsewhere
    with tempfile.TemporaryDirectory(dir=root, prefix=".unpack-") as place:
        with tempfile.TemporaryFile(dir=place) as archive:
            for name, digest in index["pieces"].items():
                piece = index_file.parent / name
                if not piece.is_file():
                    raise FileNotFoundError(f"{piece} is missing: fetch all {len(index['pieces'])} pieces of {run}")
                if sha256_file(piece) != digest:
                    raise ValueError(f"{piece} is damaged (sha256 differs from {index_file.name}); fetch it again")
                with open(piece, "rb") as file:
                    shutil.copyfileobj(file, archive)
            archive.seek(0)
            with tarfile.open(fileobj=archive, mode="r:gz") as tar:
                for member in tar:
                    inside = member.name.startswith((f"figures/{run}/", f"runs/{run}/")) and ".." not in member.name
                    content = tar.extractfile(member).read() if member.isfile() and inside else b""
                    if hashlib.sha256(content).hexdigest() != index["files"].get(member.name):
                        raise ValueError(f"{index_file}: {member.name} is not what was packed; fetch the parcel again")
                    write_atomic(Path(place, member.name), content)
        if gone := [name for name in index["files"] if not Path(place, name).is_file()]:
            raise ValueError(f"{index_file}: {gone[0]} is not in the parcel; fetch it again")
        check_sidecars(Path(place, "figures", run))
        for name in index["files"]:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(Path(place, name), root / name)
    return index


def check_sidecars(figures: Path) -> Counter:
    """Compare every figure and table with the sha256 in its sidecar; how many results each device gave.

    Raises ValueError for the first that differs or is missing.
    """
    devices: Counter = Counter()
    for sidecar in sorted(figures.glob("*.json")):
        record = json.loads(sidecar.read_text(encoding="utf-8"))
        if not isinstance(record, dict) or "files" not in record:
            continue
        for name, digest in record["files"].items():
            if not (figures / name).is_file() or sha256_file(figures / name) != digest:
                raise ValueError(f"{figures / name} is not what {sidecar.name} describes: run its chapter again")
        devices[record["device"]] += 1
    return devices


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("hrvgan_lib.parcels", description=__doc__)
    parser.add_argument("verb", choices=("pack", "unpack"))
    parser.add_argument("folder", type=Path, help="where the pieces go, or lie")
    parser.add_argument("--run", default="gpu")
    parser.add_argument("--limit", type=float, default=0, help="megabytes at most; 0: everything")
    arguments = parser.parse_args(argv)
    root = repo_root()
    try:
        if arguments.verb == "pack":
            index = pack(run_name("", run=arguments.run), arguments.folder, root, arguments.limit)
            size = sum((arguments.folder / name).stat().st_size for name in index["pieces"]) / 1e6
            print(f"{len(index['files'])} files of run {index['run']}: {len(index['pieces'])} pieces, {size:.1f} MB, "
                  f"and {index['run']}.parcel.json in {arguments.folder}/")  # fmt: skip
            for kind, megabytes in index["left out, MB"].items():
                print(f"left out, to be made again where they are needed: {kind}, {megabytes:,.1f} MB")
        else:
            for index in unpack(arguments.folder, root):
                devices = check_sidecars(root / "figures" / index["run"])
                said = ", ".join(f"{count} from {device}" for device, count in devices.most_common())
                print(f"run {index['run']}: {len(index['files'])} files in place, their hashes right; "
                      f"results: {said or 'none'}")  # fmt: skip
    except (ValueError, FileNotFoundError, tarfile.TarError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
