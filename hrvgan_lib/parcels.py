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
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from hrvgan_lib.profiles import run_name
from hrvgan_lib.provenance import repo_root, sha256_file, to_json, write_atomic

PIECE = 15 * 10**6  # bytes; mail, forms and batch systems often stop at 16 MB
SKIPPED = ("*.lock", "lock", "*.tmp", ".tmp.*", "*.log")  # what is only true where it was made


def below(folder: Path, pattern: str = "**/*") -> list[Path]:
    """The files of a folder that are worth carrying, in order."""
    found = [path for path in sorted(folder.glob(pattern)) if path.is_file()]
    return [path for path in found if not any(path.match(skipped) for skipped in SKIPPED)]


def training(folder: Path) -> list[Path]:
    """Of a training only the newest checkpoint counts, with its sha256, its records and its snapshots."""
    old = {file for step in sorted(folder.glob("step-*.pt"))[:-1] for file in (step, step.with_suffix(".sha256"))}
    return [path for path in below(folder) if path not in old]


def bundles(root: Path, run: str) -> Iterator[tuple[str, Callable[[], list[Path]]]]:
    """What a run is made of, the dearest first: (kind, a list of files that only make sense together)."""
    figures, runs = root / "figures" / run, root / "runs" / run
    yield "results", lambda: (below(figures) + below(runs, "*.ipynb") + below(runs, "*.json") + below(runs / "seeds"))
    for path in below(runs / "evaluations", "*.json"):
        yield "evaluations", lambda path=path: [path]
    for folder in sorted((runs / "judges").glob("*/")):
        yield "judges", lambda folder=folder: below(folder)
    # A training that others wait for was made early.
    for folder in sorted((runs / "checkpoints").glob("*/"), key=lambda path: path.stat().st_ctime):
        yield "trainings", lambda folder=folder: training(folder)
    for folder in sorted((runs / "evaluations" / "features").glob("*/")):
        yield "features", lambda folder=folder: below(folder)


def read_bundle(files: Callable[[], list[Path]], attempts: int = 5) -> dict[Path, bytes]:
    """The files' contents as they were at one moment; a run that goes on may be replacing them.

    Raises FileNotFoundError or ValueError where that moment does not come.
    """
    for attempt in range(attempts):
        try:
            contents = {path: path.read_bytes() for path in files()}
            for path, content in contents.items():
                if path.suffix == ".pt" and path.name.startswith("step-"):
                    known = contents[path.with_suffix(".sha256")].decode().strip()
                    if hashlib.sha256(content).hexdigest() != known:
                        raise ValueError(f"{path} differs from its sha256")
            return contents
        except (FileNotFoundError, KeyError, ValueError) as error:
            if attempt == attempts - 1:
                raise ValueError(str(error)) from None
            time.sleep(0.5)


def pack(run: str, folder: Path, root: Path, limit: float = 0) -> dict:
    """Write the run as `<run>.parcel-NN` pieces and an index `<run>.parcel.json` into `folder`; it may be going on.

    limit: megabytes at most before compression, 0 for all of it. Results are always in; what else does not fit is named
    in the index, and made again by a run that goes on from the parcel. An earlier parcel is replaced once the new one
    is whole. Raises FileNotFoundError where there is nothing of that run.
    """
    left_out, room = Counter(), limit * 1e6 or float("inf")
    folder.mkdir(parents=True, exist_ok=True)
    digests, pieces = {}, {}
    with tempfile.TemporaryFile(dir=folder) as archive:
        with tarfile.open(fileobj=archive, mode="w:gz", compresslevel=6) as tar:
            for kind, files in bundles(root, run):
                try:
                    contents = read_bundle(files)
                except ValueError:
                    left_out[kind] += 0  # it is changing: the next parcel has it
                    continue
                size = sum(map(len, contents.values()))
                if size > room and kind != "results":
                    left_out[kind] += size
                    continue
                room -= size
                for path, content in contents.items():
                    member = tarfile.TarInfo(path.relative_to(root).as_posix())
                    member.size, digests[member.name] = len(content), hashlib.sha256(content).hexdigest()
                    tar.addfile(member, io.BytesIO(content))
        if not digests:
            raise FileNotFoundError(f"there is no run {run!r}: neither figures/{run}/ nor runs/{run}/ holds a file")
        archive.seek(0)
        old = {path.name for path in folder.glob(f"{run}.parcel-*")}
        while content := archive.read(PIECE):
            digest = hashlib.sha256(content).hexdigest()
            name = f"{run}.parcel-{len(pieces) + 1:02d}-{digest[:6]}"  # no piece of the old parcel has this name
            write_atomic(folder / name, content)
            pieces[name] = digest
    index = {"run": run, "pieces": pieces, "files": digests,
             "left out, MB": {kind: round(size / 1e6, 1) for kind, size in left_out.items()}}
    write_atomic(folder / f"{run}.parcel.json", to_json(index))
    for name in old - pieces.keys():
        (folder / name).unlink()
    return index


def unpack(folder: Path, root: Path) -> list[dict]:
    """Check every parcel in `folder`, piece by piece and file by file, then put its files in place.

    Nothing is put in place of a parcel that is not whole. A training that has gone further here stays as it is.
    Returns the indexes. Raises FileNotFoundError, ValueError or filelock.Timeout (the run is being made here).
    """
    found = sorted(Path(folder).glob("*.parcel.json"))
    if not found:
        raise FileNotFoundError(f"{folder} holds no parcel (*.parcel.json): name the folder that `make pack` wrote")
    return [_unpack(index_file, root) for index_file in found]


def _unpack(index_file: Path, root: Path) -> dict:
    try:
        index = json.loads(index_file.read_text(encoding="utf-8"))
        run, pieces, files = run_name("", run=index["run"]), index["pieces"], index["files"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{index_file} is no parcel's index ({error}); fetch it again") from None
    with tempfile.TemporaryDirectory(dir=root, prefix=".unpack-") as place:
        with tempfile.TemporaryFile(dir=place) as archive:
            for name, digest in pieces.items():
                piece = index_file.parent / Path(name).name
                if not piece.is_file():
                    raise FileNotFoundError(f"{piece} is missing: fetch all {len(pieces)} pieces of {run}")
                if sha256_file(piece) != digest:
                    raise ValueError(f"{piece} is damaged (sha256 differs from {index_file.name}); fetch it again")
                with open(piece, "rb") as file:
                    shutil.copyfileobj(file, archive)
            archive.seek(0)
            with tarfile.open(fileobj=archive, mode="r:gz") as tar:
                for member in tar:
                    inside = member.name.startswith((f"figures/{run}/", f"runs/{run}/")) and ".." not in member.name
                    if not inside or not member.isfile():
                        raise ValueError(f"{index_file}: {member.name} is no file of the run {run}")
                    content = tar.extractfile(member).read()
                    if hashlib.sha256(content).hexdigest() != files.get(member.name):
                        raise ValueError(f"{index_file}: {member.name} is not what was packed; fetch the parcel again")
                    write_atomic(Path(place, member.name), content)
        if gone := [name for name in files if not Path(place, name).is_file()]:
            raise ValueError(f"{index_file}: {gone[0]} is not in the parcel; fetch it again")
        (root / "runs" / run).mkdir(parents=True, exist_ok=True)
        with FileLock(root / "runs" / run / ".lock", timeout=0):
            for folder in Path(place, "runs", run, "checkpoints").glob("*/"):
                here = root / folder.relative_to(place)
                steps = [max([path.name for path in where.glob("step-*.pt")], default="") for where in (folder, here)]
                if steps[1] > steps[0]:
                    shutil.rmtree(folder)
            for path in sorted(Path(place).rglob("*")):
                if path.is_file():
                    (root / path.relative_to(place)).parent.mkdir(parents=True, exist_ok=True)
                    os.replace(path, root / path.relative_to(place))
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
                print(f"run {index['run']}: {len(index['files'])} files in place, their hashes right")
                devices = check_sidecars(root / "figures" / index["run"])
                said = ", ".join(f"{count} from {device}" for device, count in devices.most_common())
                print(f"figures and tables as their sidecars say: {said or 'none'}")
    except Timeout:
        print("this run is being made here: wait until it has ended, then unpack", file=sys.stderr)
        return 2
    except (ValueError, FileNotFoundError, tarfile.TarError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
