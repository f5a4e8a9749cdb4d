#!/usr/bin/env python3
"""A run on a machine that is booked for minutes and has no network, and its way home (docs/offline-gpu.md).

packages: what that machine's Python lacks, as one archive. booking: the whole run there, in one command. pack and
unpack: a run as pieces that travel. What is imported here must not need the archive, which is not unpacked yet.
"""

from __future__ import annotations

import argparse
import fcntl
import gzip
import hashlib
import os
import re
import shlex
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from collections.abc import Iterator
from lzma import LZMAError
from pathlib import Path
from typing import IO, NoReturn

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the library is not installed

from hrvgan_lib.mishaps import command
from hrvgan_lib.profiles import get_profile, run_name
from hrvgan_lib.provenance import repo_root

MB = 2**20
PIECE = 15 * MB
PIECES = 4  # more are not carried
NEEDED = (
    "papermill jupytext ipykernel ipywidgets av safetensors tqdm filelock pillow".split()
)  # beside torch and its kind
ON_TORCH = "torchmetrics lightning-utilities".split()  # without what they need: torch is there, and it is large
DENSE = {".pt", ".safetensors", ".npz", ".png", ".webp", ".mp4", ".avi"}  # hardly smaller once compressed
RUNS_STILL = 3
# The shell outlives a hangup, and notes how the series ended beside what it was.
SERIES = """trap '' HUP; "$@"; echo "$? $*" > "$0" """
MODULES = """
import sys
from hrvgan_lib.provenance import lacking, versions
print(", ".join(f"{name} {version}" for name, version in versions().items()))
sys.exit(", ".join(lacking()) or 0)
"""


class Refused(RuntimeError):
    """What cannot be done, in one line that names the remedy."""


def first_check(settings: argparse.Namespace) -> list[str]:
    """The command that looks at a new machine before the series starts."""
    words = [sys.executable, "tools/first_check.py", "--profile", settings.profile, "--run", settings.name]
    return words + ["--rehearse"] * settings.rehearse


def series(settings: argparse.Namespace) -> list[str]:
    """The command that makes the run."""
    words = [f"PROFILE={settings.profile}", f"RUN={settings.name}"]
    given = {"MINUTES": settings.minutes, "JOBS": settings.jobs, "REHEARSE": "1" if settings.rehearse else ""}
    words += [f"{name}={value}" for name, value in given.items() if value]
    return ["make", "reproduce", *words, *settings.words]


# --- the run, in a session of its own ---------------------------------------------------------------------------------


def booking(settings: argparse.Namespace) -> int:
    """Start the series or attach to it, wait, and pack whatever there is. Returns the exit status."""
    begun = time.monotonic()
    folder = settings.root / "runs" / settings.name
    log, ended = folder / "booking.log", folder / "booking.exit"
    packed = True
    try:
        environment = with_packages(settings.packages)
        check_modules(environment, settings)
        folder.mkdir(parents=True, exist_ok=True)
        # The daemon holds the lock as long as it lives: a number in a file may be another process by now.
        with open(folder / "booking.lock", "a", encoding="utf-8") as lock:
            if not take(lock, fcntl.LOCK_EX):
                say(f"run {settings.name} is being made already: attached to it, with the settings it was started with")
            elif is_finished(settings, ended):
                say(f"run {settings.name} is finished already; to make it again: rm {ended}")
            else:
                start(settings, folder, environment, lock, begun)
        status = wait(settings, folder, begun)
    except KeyboardInterrupt:
        say("interrupted: what has been started goes on, and the same command attaches to it")
        status = 130
    finally:
        if folder.is_dir():
            try:
                pack(settings)
            except (Refused, OSError) as error:
                say(f"not packed: {error}")
                packed = False
    if status == RUNS_STILL:
        say(f"run {settings.name} still runs (status {RUNS_STILL}): type the same command again to wait on")
    elif status == 1:
        say("\n".join(lines(log)[-15:]))
        say(f"run {settings.name} failed ({how(ended)}); its log: {log}; the same command resumes it")
    return status or (0 if packed else 1)


def start(settings: argparse.Namespace, folder: Path, environment: dict[str, str], lock: IO, begun: float) -> None:
    """First check, then the series as a daemon that inherits the lock."""
    pid, ended = folder / "booking.pid", folder / "booking.exit"
    if pid.is_file():
        last = how(ended) if ended.is_file() else f"process {pid.read_text(encoding='utf-8').strip()} is gone"
        say(f"the series that was started before has ended ({last}): it is resumed, finished chapters stay")
    ended.unlink(missing_ok=True)
    seconds = max(0.1, min(settings.check_seconds, settings.wait - (time.monotonic() - begun)))
    with open(folder / "first_check.log", "w", encoding="utf-8") as output:
        try:
            code = subprocess.run(first_check(settings), cwd=settings.root, env=environment, stdin=subprocess.DEVNULL,
                                  stdout=output, stderr=subprocess.STDOUT, timeout=seconds).returncode  # fmt: skip
            verdict = f"failed with status {code}" if code else "passed"
        except subprocess.TimeoutExpired:
            verdict = f"not ended after {seconds:.2g} s, and stopped"
    say("\n".join(lines(folder / "first_check.log")[-7:]))
    say(f"first check: {verdict}; the series starts ({folder / 'first_check.log'})")
    command = series(settings)
    with open(
        folder / "booking.log", "a", encoding="utf-8"
    ) as output:  # after an earlier one: why that ended is worth keeping
        output.write(f"$ {shlex.join(command)}\n")
        output.flush()
        daemon = subprocess.Popen(["sh", "-c", SERIES, str(ended), *command], cwd=settings.root, env=environment,
                                  stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                  start_new_session=True, pass_fds=[lock.fileno()])  # fmt: skip
    pid.write_text(f"{daemon.pid}\n", encoding="utf-8")
    say(f"started as process {daemon.pid}: {shlex.join(command)}")


def wait(settings: argparse.Namespace, folder: Path, begun: float) -> int:
    """Until the daemon ends or the time is up, with a line now and then. Returns 0, 1 or RUNS_STILL."""
    said = time.monotonic()
    with open(folder / "booking.lock", "a", encoding="utf-8") as lock:
        while not take(lock, fcntl.LOCK_SH):
            now = time.monotonic()
            if now - begun >= settings.wait:
                return RUNS_STILL
            if now - said >= settings.every:
                minutes, seconds = divmod(int(now - begun), 60)
                say(f"{minutes:3}:{seconds:02}  {(lines(folder / 'booking.log') or ['not started yet'])[-1]}")
                said = now
            time.sleep(0.2)
    ended = folder / "booking.exit"
    return 0 if ended.is_file() and ended.read_text(encoding="utf-8").startswith("0 ") else 1


def take(lock: IO, kind: int) -> bool:
    """Whether nobody else holds the lock; then it is ours until it is closed, by us and by who inherits it."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_finished(settings: argparse.Namespace, ended: Path) -> bool:
    """Whether this very series ended well, after the last change to the code, and its results are there."""
    root = settings.root
    if not ended.is_file() or not (root / "figures" / settings.name / "status.json").is_file():
        return False
    sources = [root / "Makefile", *root.glob("hrvgan_lib/**/*.py"), *root.glob("notebooks/*.*")]
    newest = max((path.stat().st_mtime for path in sources if path.is_file()), default=0.0)
    return (
        ended.read_text(encoding="utf-8").strip() == " ".join(["0", *series(settings)])
        and newest <= ended.stat().st_mtime
    )


def how(ended: Path) -> str:
    """How the series ended, in words."""
    words = ended.read_text(encoding="utf-8").split() if ended.is_file() else []
    return f"status {words[0]}" if words else "killed"


def with_packages(archive: Path) -> dict[str, str]:
    """The environment of what is started: with the archive's packages, where there is one, and without make's own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    if not archive.is_file():
        return environment
    with open(archive, "rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()[:16]
    place = Path(tempfile.gettempdir()) / f"hrvgan-packages-{digest}"
    if not place.is_dir():
        with tempfile.TemporaryDirectory(prefix=".hrvgan-", dir=place.parent) as scratch:
            try:
                with tarfile.open(archive) as packed:
                    packed.extractall(scratch, filter="data")
                os.rename(Path(scratch) / "packages", place)
            except (tarfile.TarError, LZMAError, EOFError, OSError) as error:
                if not place.is_dir():  # another call may have been first
                    raise Refused(f"{archive} cannot be unpacked ({error}): copy it here again") from None
    say(f"packages: {place}")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(place), environment.get("PYTHONPATH", "")]))
    return environment


def check_modules(environment: dict[str, str], settings: argparse.Namespace) -> None:
    """Say the versions; refuse where a module is not there, before a minute of the booking is spent."""
    asked = subprocess.run([sys.executable, "-c", MODULES], cwd=settings.root, env=environment, capture_output=True,
                           encoding="utf-8")  # fmt: skip
    say(asked.stdout.strip())
    if asked.returncode:
        missing = asked.stderr.strip().splitlines()[-1]
        raise Refused(f"{sys.executable} lacks {missing}: copy what make packages wrote to "
                      f"{settings.packages}, or name it with PACKAGES=")  # fmt: skip


# --- a run in pieces --------------------------------------------------------------------------------------------------


def parts(root: Path, run: str) -> Iterator[list[Path]]:
    """The files of a run, what is read first first; files of one list make sense only together."""
    figures, folder = root / "figures" / run, root / "runs" / run
    made = below(figures)
    shown = [path for path in made if path.suffix != ".safetensors"]
    # Curves can be drawn from a training's records where its networks are too large to travel.
    journals = (f"checkpoints/*/{name}" for name in ("records.jsonl", "asked.json", "diverged.txt"))
    for pattern in ("*.ipynb", "*.json", "*.log", "partial/*", *journals):
        shown += folder.glob(pattern)
    for path in sorted(shown, key=lambda path: (size(path), path)):  # one large film does not shut out the tables
        yield [path]
    yield from ([path] for path in made if path.suffix == ".safetensors")
    # The judge of the largest clips has scored the actions: with it the generators' samples can be scored again.
    judges = sorted(folder.glob("judges/*/"), key=lambda judge: -size(judge / "judge.safetensors"))
    yield from map(below, judges[:1])
    yield from ([path] for path in [*below(folder / "seeds"), *sorted(folder.glob("evaluations/*.json"))])
    # The dearest to make again comes first: other judges, trainings (the early ones serve others), features.
    yield from map(below, judges[1:])
    for pattern, order in (("checkpoints/*/", changed), ("evaluations/features/*/", str)):
        yield from map(below, sorted(folder.glob(pattern), key=order))


def below(folder: Path) -> list[Path]:
    """The files in a folder and its subfolders, in order; folders that vanish meanwhile are passed over."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place) / name for name in names]
    return sorted(found)


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # replaced under our hands
        return 0


def changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def travels(path: Path) -> bool:
    return path.is_file() and not path.name.endswith((".lock", ".tmp")) and path.name != "lock" and path.name[0] != "."


def pack(settings: argparse.Namespace) -> int:
    """Write the run, as much as the limit holds, as new pieces; the old ones stay until the new ones are whole.

    The run may be going on: what changes meanwhile is in the next parcel.
    """
    root, run, parcels = settings.root, settings.name, settings.parcels
    room = int(settings.limit * MB) - 64  # for the end of the archive
    left = count = 0
    parcels.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{run}-", dir=parcels) as scratch, tempfile.TemporaryFile() as stream:
        for files in parts(root, run):
            files = [path for path in files if travels(path)]
            before = stream.tell()
            if before + sum(size(path) for path in files if path.suffix in DENSE) <= room:
                try:
                    add(stream, files, root)
                    if stream.tell() <= room:
                        count += len(files)
                        continue
                except EOFError:  # shorter than it was when we began
                    pass
                stream.seek(before)
                stream.truncate()
            left += sum(size(path) for path in files)
        if not count:
            raise Refused(f"there is no run {run}: neither figures/{run}/ nor runs/{run}/ holds a file that fits")
        with gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as end:
            end.write(bytes(2 * tarfile.BLOCKSIZE))
        total = stream.tell()
        stream.seek(0)
        sums = []
        while block := stream.read(PIECE):
            name = f"{run}.parcel-{len(sums):02}"
            (Path(scratch) / name).write_bytes(block)
            sums.append((name, hashlib.sha256(block).hexdigest()))
        (Path(scratch) / "sums").write_text("".join(f"{digest}  {name}\n" for name, digest in sums), encoding="utf-8")
        # The sums last: where this is cut off, unpack refuses the mixture.
        for name, _ in sums:
            os.replace(Path(scratch) / name, parcels / name)
        os.replace(Path(scratch) / "sums", parcels / f"{run}.parcel.sha256")
        for old in parcels.glob(f"{run}.parcel-*"):
            if old.name not in dict(sums):
                old.unlink()
    say(f"run {run}: {count} files, {total / MB:.1f} MB in {len(sums)} pieces and {run}.parcel.sha256 in {parcels}/")
    if left:
        say(f"left out, to be made again where it is needed: {left // MB + 1} MB")
    return 0


def add(stream: IO[bytes], files: list[Path], root: Path) -> None:
    """Append files to a tar archive as a gzip member of their own: so the real size is known after each."""
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=6, mtime=0) as packed:
        for path in files:
            try:
                source = open(path, "rb")
            except FileNotFoundError:
                continue
            with source:
                about = os.fstat(source.fileno())
                entry = tarfile.TarInfo(path.relative_to(root).as_posix())
                entry.size, entry.mtime, entry.mode = about.st_size, int(about.st_mtime), about.st_mode & 0o755
                packed.write(entry.tobuf(tarfile.GNU_FORMAT))
                tarfile.copyfileobj(source, packed, entry.size, EOFError)  # no byte more, where the file has grown
                packed.write(bytes(-entry.size % tarfile.BLOCKSIZE))


def unpack(settings: argparse.Namespace) -> int:
    """Check every piece, then put the files in place; what is newer here stays."""
    found = sorted(settings.parcels.glob("*.parcel.sha256"))
    if not found:
        raise Refused(f"{settings.parcels}/ holds no parcel (*.parcel.sha256): name the folder that pack wrote")
    for sums in found:
        run = sums.name.removesuffix(".parcel.sha256")
        pieces = checked_pieces(sums, run)
        folder = settings.root / "runs" / run
        folder.mkdir(parents=True, exist_ok=True)
        with (
            open(folder / ".lock", "a", encoding="utf-8") as lock,
            tempfile.TemporaryDirectory(prefix=".unpack-", dir=folder) as scratch,
        ):
            if not take(lock, fcntl.LOCK_EX):  # the driver's lock
                raise Refused(f"run {run} is being made here: wait until it has ended, then unpack")
            try:
                extract(pieces, run, Path(scratch))
            except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, ValueError):
                raise Refused(f"the parcel of {run} is cut short, and nothing is put in place; "
                              "fetch it again") from None  # fmt: skip
            for path in Path(scratch).rglob("*"):
                target = settings.root / path.relative_to(scratch)
                if path.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                elif not target.exists() or target.stat().st_mtime < path.stat().st_mtime:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    os.replace(path, target)
        say(f"run {run} is in place: figures/{run}/ and runs/{run}/")
    return 0


def checked_pieces(sums: Path, run: str) -> list[Path]:
    """The pieces of a parcel, each as the sums say; Refused names the first that is not."""
    pieces = []
    for number, line in enumerate(sums.read_text(encoding="utf-8", errors="replace").splitlines()):
        digest, _, name = line.partition("  ")
        piece = sums.parent / f"{run}.parcel-{number:02}"
        if name != piece.name:
            raise Refused(f"{sums.name} is damaged, and nothing of {run} is put in place; fetch it again")
        if not piece.is_file() or hashlib.sha256(piece.read_bytes()).hexdigest() != digest:
            raise Refused(
                f"{name} is missing or not what {sums.name} says, and nothing of {run} is put in place; fetch it again"
            )
        pieces.append(piece)
    return pieces


def extract(pieces: list[Path], run: str, place: Path) -> None:
    """Unpack a parcel into an empty folder. Raises ValueError for a name that is not the run's."""
    with tempfile.TemporaryFile() as whole:
        for piece in pieces:
            whole.write(piece.read_bytes())
        whole.seek(0)
        with gzip.open(whole) as stream, tarfile.open(fileobj=stream, mode="r|") as packed:
            for entry in packed:
                if not entry.isfile() or not entry.name.startswith((f"figures/{run}/", f"runs/{run}/")):
                    raise ValueError(entry.name)
                packed.extract(entry, place, filter="data")
            while stream.read(MB):  # a cut behind the last file shows only here
                pass


def packages(settings: argparse.Namespace) -> int:
    """Wheels of the lock's versions, for another Python on 64-bit Linux, as one archive."""
    python, archive = settings.python_version, settings.packages
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".packages-", dir=archive.parent) as scratch:
        target = Path(scratch) / "packages"
        words = ["pip", "install", "--quiet", "--target", str(target), "--python-version", python,
                 "--python-platform", "x86_64-manylinux_2_28", "--only-binary", ":all:",
                 "--constraint", "requirements.lock"]  # fmt: skip
        try:
            for asked in (NEEDED, ["--no-deps", *ON_TORCH]):
                subprocess.run([os.environ.get("UV", "uv"), *words, *asked], cwd=settings.root, check=True)
        except (OSError, subprocess.CalledProcessError):
            raise Refused(f"what Python {python} needs is not complete; nothing is written") from None
        with tarfile.open(Path(scratch) / "whole", "w:xz") as packed:
            packed.add(target, "packages")
        os.replace(Path(scratch) / "whole", archive)
    say(f"{archive.stat().st_size / MB:.0f} MB for Python {python}: {archive}")
    say("copy it there with the repository, to the same place: make booking finds it")
    return 0


# --- the command line -------------------------------------------------------------------------------------------------


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def say(text: str) -> None:
    if text:
        print(text, flush=True)


def lines(path: Path) -> list[str]:
    """The lines of a log that say something; [] where there is none."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def number(name: str, text: str, most: float = float("inf"), whole: bool = False) -> float:
    """A positive number from the command line; Refused for anything else."""
    pattern = r"\d+" if whole else r"\d+(\.\d+)?"
    if not re.fullmatch(pattern, text) or not 0 < float(text) <= most:
        kind = "a whole number" if whole else "a number"
        raise Refused(f"{name}={text} is not {kind} above 0" + (f" and at most {most:g}" if most < 1e9 else ""))
    return float(text)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Settings from the command line. Raises Refused or ValueError, in one line, for what makes no sense."""
    parser = Parser("tools/booking.py", description=__doc__)
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("--profile", default="gpu")
    parser.add_argument("--actions", default="ucf101")
    parser.add_argument("--run", default="", help="name of the results folder; default: from the profile")
    parser.add_argument("--rehearse", action="store_true", help="true shapes, a step or two")
    parser.add_argument("--minutes", default="", help="what the series may take")
    parser.add_argument("--jobs", default="", help="chapters at once")
    parser.add_argument("--wait", default="570", help="seconds after which the command ends, whatever runs")
    parser.add_argument("--parcels", default="parcels", help="folder of the pieces")
    parser.add_argument("--packages", default="", help="archive that make packages wrote")
    parser.add_argument("--limit", default="60", help="MB that all pieces may have together")
    parser.add_argument("--python-version", default="3.12", help="of the other machine, for packages")
    parser.add_argument("--check-seconds", type=float, default=60, help="what the first check may take")
    parser.add_argument("--every", type=float, default=30, help="seconds between two lines of progress")
    parser.add_argument("words", nargs="*", metavar="NAME=value", help="further variables of make reproduce")
    settings = parser.parse_intermixed_args(argv)
    settings.root = repo_root()
    get_profile(settings.profile)
    settings.name = run_name(settings.profile, settings.actions, settings.rehearse, settings.run)
    for word in settings.words:
        if not re.match(r"[A-Z_]+=", word):
            raise Refused(f"{word!r} is no NAME=value")
    settings.words += [f"ACTIONS={settings.actions}"] if settings.actions != "ucf101" else []
    settings.wait = number("WAIT", settings.wait)
    settings.limit = number("LIMIT", settings.limit, most=PIECES * PIECE / MB)
    if settings.rehearse and not settings.minutes:
        settings.minutes = "15"  # else the timing of the steps would not be rehearsed
    if settings.minutes:
        number("MINUTES", settings.minutes)
    if settings.jobs:
        number("JOBS", settings.jobs, whole=True)
    settings.parcels = (settings.root / settings.parcels).resolve()
    if settings.parcels.exists() and not settings.parcels.is_dir():
        raise Refused(f"PARCELS={settings.parcels} is no folder")
    settings.packages = (settings.root / (settings.packages or settings.parcels / "packages.tar.xz")).resolve()
    return settings


VERBS = {"booking": booking, "pack": pack, "unpack": unpack, "packages": packages}


@command
def main(argv: list[str] | None = None) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # an end from outside still packs
    settings = parse(argv)
    return VERBS[settings.verb](settings)


if __name__ == "__main__":
    sys.exit(main())
