"""`make reproduce`: every chapter through papermill, with an honest status and nothing done twice (all chapters)."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from filelock import FileLock, Timeout

from hrvgan_lib import keys, provenance
from hrvgan_lib.files import sha256_file, write_atomic
from hrvgan_lib.profiles import PROFILES, RECORDED_RUN, Profile, check_actions, get_profile, run_name
from hrvgan_lib.series.chapters import (
    Outcome,
    execute,
    find_chapters,
    merge_outputs,
    parameter_names,
    read_chapter,
    write_notebook,
)

# What a chapter may read that another left: the recorded run, and what the chapters of this run have measured.
SHOWS_RECORDED = re.compile(r"\.(show_)?recorded(_system)?\(")
READS_MEASUREMENTS = re.compile(r"\.measurements\(")
SMOKE_HINT = f"PROFILE=smoke takes about {PROFILES['smoke'].minutes:g} minutes"


@dataclass(frozen=True)
class Settings:
    """What one call of the driver was asked for."""

    root: Path
    profile: Profile
    data_root: Path | None  # None: <root>/data
    run: str
    parameters: dict[str, Any]  # injected into every chapter
    command: str  # resumes this very run
    selection: str = ""
    seconds: float = 0  # budget of one chapter; 0: from the profile

    @property
    def folder(self) -> Path:
        return self.root / "runs" / self.run

    @property
    def budget(self) -> float:
        return self.seconds or max(900.0, 4 * 60 * self.profile.minutes)


@dataclass
class Entry:
    """One line of status.json."""

    name: str
    status: str = "not_reached"  # ok, cached, failed, timed_out, killed, not_reached
    seconds: float = 0.0
    peak_rss_mb: float = 0.0
    peak_cuda_mb: float = 0.0
    error: str = field(default="", repr=False)


def chapter_key(path: Path, settings: Settings) -> str:
    """Changes when the chapter has to run again; prose, captions and tags are not in it.

    In it: code cells, the library code they reach, parameters, torch's version, the data on disk, and of what others
    left only what the chapter reads: the recorded run, or the run's measurements.
    """
    data_root = settings.data_root or settings.root / "data"
    cells = "\n".join(keys.code_cells(path))
    read: dict[str, Any] = {}
    if READS_MEASUREMENTS.search(cells):
        usages = sorted(settings.folder.glob("[0-9]*.usage.json"))
        read["measurements"] = {usage.name: json.loads(usage.read_text(encoding="utf-8")).get("measurements", [])
                                for usage in usages if usage.stem.split(".")[0] != path.stem}  # fmt: skip
    if SHOWS_RECORDED.search(cells) and settings.run != RECORDED_RUN:
        recorded = sorted((settings.root / "figures" / RECORDED_RUN).glob("*.*"))
        read["recorded"] = {file.name: sha256_file(file) for file in recorded if file.is_file()}
    return keys.key_of(
        code=keys.chapter_code(path),
        parameters={name: value for name, value in settings.parameters.items() if name != "data_root"},
        torch=provenance.versions().get("torch"), data=provenance.data_identity(data_root), read=read,
    )  # fmt: skip


def finished_record(notebook: Path) -> dict[str, Any]:
    """What the driver noted in a finished notebook: key, files, seconds, peaks; {} where there is none."""
    try:
        return json.loads(notebook.read_text(encoding="utf-8"))["metadata"].get("hrvgan", {})
    except (OSError, ValueError, KeyError):
        return {}


def is_current(record: dict[str, Any], key: str, figures: Path) -> bool:
    """Whether a finished chapter may be skipped: same key, and every file that it wrote is as it left it."""
    if record.get("key") != key:
        return False
    paths = {figures / name: digest for name, digest in record["files"].items()}
    return all(path.is_file() and digest in ("", sha256_file(path)) for path, digest in paths.items())


def run_chapter(path: Path, settings: Settings, show: Any = None) -> Entry:
    """Run one chapter, or skip it where nothing that it depends on has changed."""
    folder, figures = settings.folder, settings.root / "figures" / settings.run
    final, partial = folder / f"{path.stem}.ipynb", folder / "partial" / f"{path.stem}.ipynb"
    record = finished_record(final)
    key = chapter_key(path, settings)
    numbers = ("seconds", "peak_rss_mb", "peak_cuda_mb")
    if is_current(record, key, figures):
        executed = nbformat.read(final, as_version=4)
        refreshed = merge_outputs(read_chapter(path), executed)
        if [cell.source for cell in refreshed.cells] != [cell.source for cell in executed.cells]:
            write_notebook(refreshed, final)
        return Entry(path.stem, "cached", **{name: record[name] for name in numbers})
    usage_file = folder / f"{path.stem}.usage.json"
    for stale in (final, usage_file):  # whatever happens now, they no longer tell the truth
        stale.unlink(missing_ok=True)
    outcome: Outcome = execute(
        path, partial, settings.parameters, seconds=settings.budget, on_cell=show or (lambda cell, cells: None),
        environment={"HRVGAN_ROOT": str(settings.root)},
    )  # fmt: skip
    usage = json.loads(usage_file.read_text()) if usage_file.is_file() else {}
    entry = Entry(
        path.stem, outcome.status, outcome.seconds,
        max(outcome.peak_rss_mb, usage.get("peak_rss_mb", 0.0)), usage.get("peak_cuda_mb", 0.0),
    )  # fmt: skip
    if outcome.status == "ok":
        notebook = nbformat.read(partial, as_version=4)
        record = {"key": key, "files": usage.get("files", {})}
        record |= {name: getattr(entry, name) for name in numbers}
        notebook.metadata["hrvgan"] = record
        write_notebook(notebook, partial)
        os.replace(partial, final)
        partial.with_suffix(".log").unlink(missing_ok=True)
    else:
        entry.error = f"{outcome.where}: {outcome.error}"
    return entry


def write_status(entries: list[Entry], settings: Settings) -> None:
    rows = [{name: value for name, value in vars(entry).items() if name != "error" or value} for entry in entries]
    for folder in (settings.folder, settings.root / "figures" / settings.run):  # what is committed says how it came
        write_atomic(folder / "status.json", json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


def clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def reproduce(settings: Settings) -> int:
    """Walk the chapters; stop at the first that fails. Returns the exit status.

    Raises ValueError, before anything runs, for a chapter that does not know one of the parameters.
    """
    everything = find_chapters(settings.root / "notebooks")
    chapters = find_chapters(settings.root / "notebooks", settings.selection)
    for path in chapters:
        try:
            known = parameter_names(read_chapter(path))
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from None
        if unknown := sorted(set(settings.parameters) - known):
            raise ValueError(f"unknown parameter {unknown[0]!r}: the parameters cell of {path.stem} has no such name")
    entries = {path: Entry(path.stem) for path in everything}
    profile, started = settings.profile, time.monotonic()
    print(
        f"{settings.run}: {len(chapters)} chapters, about {profile.minutes:g} minutes on {profile.hardware} "
        f"({SMOKE_HINT})", flush=True,
    )  # fmt: skip
    write_status(list(entries.values()), settings)
    for number, path in enumerate(chapters, 1):
        label = f"[{number:2}/{len(chapters)}] {path.stem:22}"
        begun = time.monotonic()

        def show(cell: int, cells: int, label: str = label, begun: float = begun) -> None:
            if sys.stdout.isatty():
                print(f"\r{label} cell {cell}/{cells} {clock(time.monotonic() - begun)}", end="\033[K", flush=True)

        try:
            entry = run_chapter(path, settings, show)
        except KeyboardInterrupt:
            entry = Entry(path.stem, "failed", round(time.monotonic() - begun, 1), error="interrupted")
        entries[path] = entry
        write_status(list(entries.values()), settings)
        overwrite = "\r\033[K" if sys.stdout.isatty() else ""
        print(
            f"{overwrite}{label} {entry.status:9} {entry.seconds:7.1f} s {entry.peak_rss_mb:6.0f} MB   "
            f"{clock(time.monotonic() - started)} of about {clock(60 * profile.minutes)}", flush=True,
        )  # fmt: skip
        if entry.status not in ("ok", "cached"):
            left = settings.folder.relative_to(settings.root) / "partial" / f"{path.stem}.ipynb"
            print(f"{path.stem} {entry.status}, {entry.error}", file=sys.stderr)
            print(f"what there is of it: {left}; resume with: {settings.command}", file=sys.stderr)
            return 130 if entry.error == "interrupted" else 1
    print(f"tables and figures: figures/{settings.run}/   chapters: runs/{settings.run}/", flush=True)
    return 0


def default_profile() -> str:
    """`gpu` where torch sees a CUDA device, else `cpu`; torch is asked only where there is a driver."""
    if not any(Path("/dev").glob("nvidia[0-9]*")) and not Path("/dev/dxg").exists():
        return "cpu"
    question = "import torch; print(torch.cuda.is_available())"
    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True).stdout
    return "gpu" if answer.strip() == "True" else "cpu"


def resume_command(arguments: argparse.Namespace, profile: str) -> str:
    """The `make` line that continues this run."""
    flags = {"REHEARSE": arguments.rehearse, "ALLOW_PARTIAL": arguments.allow_partial}
    words = [f"PROFILE={profile}"] + [f"{name}=1" for name, value in flags.items() if value]
    values = {"DATA_ROOT": arguments.data_root, "RUN": arguments.run, "CHAPTERS": arguments.chapters}
    words += [f"{name}={value}" for name, value in values.items() if value]
    words += [f"ACTIONS={arguments.actions}"] if arguments.actions != "ucf101" else []
    words += [f"SEED={arguments.seed}"] if arguments.seed else []
    words += [f"PARAMETERS='{' '.join(arguments.parameters)}'"] if arguments.parameters else []
    words += [f"TIMEOUT={arguments.seconds:g}"] if arguments.seconds else []
    return "make reproduce " + " ".join(words)


def literal(text: str) -> Any:
    """A parameter's value from the command line: JSON where it is (3, 0.5, true), else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def parse(argv: list[str] | None = None) -> Settings:
    """Settings from the command line. Raises ValueError in one line for what no chapter could work with."""
    parser = argparse.ArgumentParser("hrvgan_lib.series.reproduce", description=__doc__)
    parser.add_argument("--profile", default="", help=f"{', '.join(PROFILES)}; default: what the machine can do")
    parser.add_argument("--data-root", default="", help="folder with ucf101/ golf/ aeroplane/ weizmann/")
    parser.add_argument("--actions", default="ucf101", help="the labelled data set: ucf101 or weizmann")
    parser.add_argument("--run", default="", help="name of the results folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--chapters", default="", help="only these: 06,08")
    parser.add_argument("--rehearse", action="store_true", help="true shapes, two steps")
    parser.add_argument("--allow-partial", action="store_true", help="accept a data set that is there in part")
    parser.add_argument("--seconds", type=float, default=0, help="time limit of one chapter")
    parser.add_argument("parameters", nargs="*", metavar="name=value", help="further parameters of the chapters")
    arguments = parser.parse_args(argv)
    name = arguments.profile or default_profile()
    profile = get_profile(name, arguments.rehearse)
    run = run_name(name, check_actions(arguments.actions), arguments.rehearse, arguments.run)
    data_root = Path(arguments.data_root).expanduser().resolve() if arguments.data_root else None
    if data_root and not any((data_root / folder).is_dir() for folder in provenance.DATA_SETS):
        folders = " ".join(f"{folder}/" for folder in provenance.DATA_SETS)
        raise ValueError(f"DATA_ROOT={arguments.data_root} holds none of {folders}: name the folder above them")
    parameters: dict[str, Any] = {
        "profile": name, "seed": arguments.seed, "data_root": str(data_root or ""), "actions": arguments.actions,
        "run": run, "rehearse": arguments.rehearse, "allow_partial": arguments.allow_partial,
    }  # fmt: skip
    for word in arguments.parameters:
        key, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"{word!r} is no parameter: write name=value")
        if key in parameters:  # the driver's own: chapters would go one way and their results another
            raise ValueError(f"{key} is a variable of its own: write {key.upper()}=... and not PARAMETERS={word}")
        parameters[key] = literal(value)
    return Settings(
        provenance.repo_root(), profile, data_root, run, parameters, resume_command(arguments, name),
        arguments.chapters, arguments.seconds,
    )  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # an end from outside is told like a Ctrl-C
    try:
        settings = parse(argv)
        settings.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(settings.folder / ".lock", timeout=0):
            return reproduce(settings)
    except Timeout:
        print(f"run {settings.run!r} is being made by another process: wait, or choose RUN=<name>", file=sys.stderr)
    except (ValueError, FileNotFoundError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
