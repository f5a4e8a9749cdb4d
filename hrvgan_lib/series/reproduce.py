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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hrvgan_lib import keys, provenance
from hrvgan_lib.book.progress import at_work, clock, done
from hrvgan_lib.files import sha256_file, write_atomic
from hrvgan_lib.mishaps import command
from hrvgan_lib.profiles import (
    BENCH_RUN,
    PROFILES,
    RECORDED_RUNS,
    STUDY_RUN,
    Profile,
    check_actions,
    get_profile,
    run_name,
)
from hrvgan_lib.series.chapters import (
    Outcome,
    execute,
    find_chapters,
    merge_outputs,
    parameter_defaults,
    read_chapter,
    write_notebook,
)
from hrvgan_lib.series.jobs import Entry, Job, duration, one_by_one, set_threads, side_by_side, start_server
from hrvgan_lib.series.screen import Screen
from hrvgan_lib.series.words import like, some_minutes, whole_number
from hrvgan_lib.trainings import Training, native, training, trainings

# What a chapter may read that another left: the recorded run, which stands beside whatever was trained, and what the
# chapters of this run have measured.
SHOWS_RECORDED = re.compile(r"\.(show_)?recorded(_system)?\(|\b(learning|findings)\.")
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
    jobs: int = 1  # how many run side by side
    minutes: float = 0  # the series is to take about so long; 0: as long as it takes
    devices: int = 1  # that share each training

    @property
    def folder(self) -> Path:
        return self.root / "runs" / self.run

    @property
    def budget(self) -> float:
        return self.seconds or max(900.0, 4 * 60 * self.profile.minutes)


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
    asked = [run for run in (STUDY_RUN, BENCH_RUN) if f'"{run}"' in cells]
    for run in (*RECORDED_RUNS, *asked) if SHOWS_RECORDED.search(cells) else ():
        recorded = sorted((settings.root / "figures" / run).glob("*.*")) if run != settings.run else []
        if run == settings.profile.weights != settings.run:  # their weights are measured
            recorded += sorted((settings.root / "figures" / run).glob("*/**/*.*"))
        read[run] = {file.name: sha256_file(file) for file in recorded if file.is_file()}
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


def run_chapter(path: Path, settings: Settings) -> Entry:
    """Run one chapter, or skip it where nothing that it depends on has changed."""
    import nbformat

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
    place = cell_of(path.stem, settings)

    def on_cell(cell: int, cells: int) -> None:
        write_atomic(place, f"cell {cell} of {cells}")

    try:
        outcome: Outcome = execute(
            path, partial, settings.parameters, seconds=settings.budget, on_cell=on_cell,
            environment={"HRVGAN_ROOT": str(settings.root)},
        )  # fmt: skip
    finally:
        place.unlink(missing_ok=True)
    usage = json.loads(usage_file.read_text(encoding="utf-8")) if usage_file.is_file() else {}
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
        entry = replace(entry, error=f"{outcome.where}: {outcome.error}")
    return entry


def write_status(entries: list[Entry], settings: Settings) -> None:
    rows = [{name: value for name, value in vars(entry).items() if name != "error" or value} for entry in entries]
    for folder in (settings.folder, settings.root / "figures" / settings.run):  # what is committed says how it came
        write_atomic(folder / "status.json", json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


# Seconds of a chapter that finds its trainings done, at smoke on two CPU cores, and SHORT of anything else short.
SECONDS = {"00": 9.0, "01": 13.0, "02": 14.0, "03": 23.0, "04": 18.0, "05": 28.0, "06": 22.0, "07": 30.0, "08": 35.0,
           "09": 25.0, "10": 28.0, "11": 50.0, "12": 12.0, "13": 12.0}  # fmt: skip
SHORT = 10.0
JUDGED = ("07", "08", "09", "10", "11")  # chapters that look through the judge, at as many samples as the profile has
NUMBERS_A_SECOND = {"CPU": 2e5, "GPU": 1e8}  # of a training's cost, roughly
# Trainings that a GPU carries out at once. Without MPS, which nobody starts here, processes take turns on it, and a
# training that is replayed leaves few gaps for others: together they take about the sum of their steps.
GPU_LANES = 1
NATIVE_BENCH = "bench of the paper's shape"


def train_one(training: Training, settings: Settings) -> Entry:
    """Carry out one training, where the chapters that read it will look for it."""
    own = "06" in training.readers  # which trains its own in any case
    begun = time.monotonic()

    def make(learning: Any, page: Any) -> None:
        if settings.devices > 1:
            learning.launch(page, training, settings.devices, own)
        learning.learn(page, training, own)

    try:
        return _made(training.name, settings, make)
    except ChildProcessError as error:
        return Entry(training.name, "failed", round(time.monotonic() - begun, 1), error=str(error))


def train_judge(name: str, shape: dict[str, int], settings: Settings) -> Entry:
    """Train the run's judge of clips of one shape."""
    return _made(name, settings, lambda learning, page: learning.judge(page, **shape))


def _made(name: str, settings: Settings, make: Callable[[Any, Any], Any], page: str = "trainings") -> Entry:
    from hrvgan_lib import book
    from hrvgan_lib.book import learning

    begun = time.monotonic()
    known = ("profile", "seed", "data_root", "actions", "run", "rehearse", "allow_partial")
    make(learning, book.open_page(page, **{word: settings.parameters[word] for word in known}))
    numbers = provenance.peak_rss_mb(), provenance.peak_cuda_mb()
    return Entry(name, "ok", round(time.monotonic() - begun, 1), *numbers)


def time_steps(settings: Settings) -> Entry:
    """Find out what a step of each kind costs here."""
    from hrvgan_lib.series.timing import time_kinds

    begun = time.monotonic()
    time_kinds(settings.profile, settings.folder / "timing.json")
    numbers = provenance.peak_rss_mb(), provenance.peak_cuda_mb()
    return Entry("timing", "ok", round(time.monotonic() - begun, 1), *numbers)


def bench_native(settings: Settings) -> Entry:
    """Time a step in the paper's own shape beside its plain form, and its parts there and in the profile's shape.

    Tables of figures/<run>/: bench_native, bench_layers, and bench_rates, which the share of the floor rests on.
    """
    from hrvgan_lib.series.bench import LAYERS_NOTE, RATES_NOTE, hrvgan, layers_table, rates_table
    from hrvgan_lib.series.timing import NOTE, bench

    profile, large = settings.profile, native(settings.profile)
    assert large is not None  # `fitted` has looked
    works = [large, training(profile, "hrvgan", labels=True)]
    if profile.rehearse:
        works = [hrvgan(8, 16, 4)]  # enough to try it

    def make(learning: Any, page: Any) -> None:
        page.table(list(bench(works[:1], profile)), name="bench_native", data=[], show=False, note=NOTE)
        page.table(layers_table(works, profile), name="bench_layers", data=[], show=False, note=LAYERS_NOTE)
        page.table(rates_table(tries=1), name="bench_rates", data=[], show=False, note=RATES_NOTE.format(5))

    return _made(NATIVE_BENCH, settings, make, page="bench")


def bench_steps(settings: Settings) -> Entry:
    """Time the training step of every other kind beside its plain form, when nothing else runs.

    figures/<run>/bench_steps has each row as soon as it is measured: a booking may end before the last.
    """
    from hrvgan_lib.series.timing import NOTE, bench, kinds

    profile = settings.profile
    works = [group[0] for group in kinds(profile).values() if native(profile) not in group]

    def make(learning: Any, page: Any) -> None:
        rows = []
        for row in bench(works[-1:] if profile.rehearse else works, profile):  # the smallest is enough to try it
            rows.append(row)
            page.table(rows, name="bench_steps", data=[], show=False, note=NOTE)

    return _made("bench", settings, make, page="bench")


def lay_out_data(name: str, data: str, frames: int, size: int, settings: Settings) -> Entry:
    """Write and pack a data set at one size, before the trainings ask for it."""
    return _made(name, settings, lambda learning, page: page.dataset(data, frames=frames, size=size))


def fitted(
    settings: Settings, minutes: float, on_end: Callable[[Job, Entry], None],
    on_tick: Callable[[dict[str, float]], None] = lambda running: None,
) -> Settings:  # fmt: skip
    """The settings with the share of the profile's steps and samples that fits into `minutes`.

    A share that was found before in this run is kept, so that a run that is resumed goes on as it began. Raises
    ValueError where nothing fits.
    """
    from hrvgan_lib.series.timing import share_that_fits

    kept = settings.folder / "minutes.json"
    asked = {"minutes": minutes, "profile": settings.parameters["profile"], "rehearse": settings.profile.rehearse}
    record = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    if record.get("asked") != asked:
        first = [Job("timing", time_steps, (settings,))]
        if settings.jobs > 1 and native(settings.profile):  # now, while the device is free: a booking may end early
            first.append(Job(NATIVE_BENCH, bench_native, (settings,), frozenset({"timing"})))
        ended = side_by_side(first, 1, on_end, on_tick)
        if not ended["timing"].good:
            raise ValueError(f"MINUTES={minutes:g}: the steps could not be timed: {ended['timing'].error}")
        seconds = json.loads((settings.folder / "timing.json").read_text(encoding="utf-8"))["seconds"]
        lanes = min(settings.jobs, GPU_LANES if default_profile() == "gpu" else provenance.cores())
        share = share_that_fits(minutes, settings.profile, seconds, lanes)
        record = {"asked": asked, "share": share}
        write_atomic(kept, json.dumps(record) + "\n")
    share = record["share"] * settings.profile.share  # of a profile that is scaled already
    base = settings.profile.name
    print(f"MINUTES={minutes:g}: {share:g} of the steps and samples of PROFILE={base}", flush=True)
    profile = get_profile(f"{base}*{share:g}", settings.profile.rehearse)
    parameters = settings.parameters | {"profile": f"{base}*{share:g}"}
    return replace(settings, profile=replace(profile, minutes=minutes), parameters=parameters)


def stale_among(chapters: list[Path], settings: Settings) -> list[Path]:
    """The chapters that have to run: all but those that are finished and current."""
    figures = settings.root / "figures" / settings.run
    return [
        path for path in chapters
        if not is_current(finished_record(settings.folder / f"{path.stem}.ipynb"), chapter_key(path, settings), figures)
    ]  # fmt: skip


def plan(chapters: list[Path], settings: Settings, stale: list[Path] | None = None) -> list[Job]:
    """The jobs of a run in an order that works: data, trainings that chapters will ask for, then the chapters.

    One at a time, a chapter makes for itself what it asks for: then there are only chapters, but where several devices
    share a training.
    """
    needs: dict[str, set[str]] = {path.stem: set() for path in chapters}
    stale = stale_among(chapters, settings) if stale is None else stale
    jobs = preparations(stale, settings, needs) if settings.jobs > 1 or settings.devices > 1 else []
    for path in chapters:
        after = set()
        if READS_MEASUREMENTS.search("\n".join(keys.code_cells(path))):  # and says of what is not there that it is not
            after = {other.stem for other in chapters if other != path}
        given, cost = (path, settings), cost_of(path, settings)
        jobs.append(Job(path.stem, run_chapter, given, frozenset(needs[path.stem]), cost, frozenset(after)))
    return jobs


def cost_of(chapter: Path, settings: Settings) -> float:
    """Seconds, roughly, that a chapter takes beside the trainings of the run: by what it takes at smoke.

    Whoever measures takes longer where there are more samples, but on a GPU.
    """
    profile, number = settings.profile, chapter.stem.split("_")[0]
    seconds = SECONDS.get(number, SHORT)
    if number in JUDGED and machine(profile) == "CPU":
        seconds *= max(1.0, profile.samples / PROFILES["smoke"].samples) ** 0.6
    if number == "11" and settings.parameters.get("long"):  # trains many more arms than the run has, in the chapter
        from hrvgan_lib.ablations import LONG_SEEDS, LONG_STEPS, STUDIES

        ours = next(one for one in trainings(profile) if one.readers == ("11",))
        arms = {repr(sorted(arm.options.items())) for study in STUDIES.values() for arm in study.chosen(long=True)}
        one = replace(ours, steps=max(profile.study_steps, LONG_STEPS))
        seconds += LONG_SEEDS * len(arms) * one.cost / NUMBERS_A_SECOND[machine(profile)]
    return seconds


def machine(profile: Profile) -> str:
    """What a profile's expected time is for."""
    return "GPU" if "GPU" in profile.hardware else "CPU"


def share_of(stale: list[Path], chapters: list[Path], settings: Settings) -> float:
    """The share of a whole run's time that is still to come: `stale` of all `chapters`, and what they ask for.

    Above one where it goes one job at a time. What today's code has trained already does not count.
    """
    usual = {"CPU": 2, "GPU": 4}[machine(settings.profile)]  # jobs side by side, in the profile's minutes
    short = {name: value for name, value in settings.parameters.items() if name != "long"}
    whole = plan(chapters, replace(settings, jobs=usual, parameters=short), chapters)
    finished = done(settings.folder / "checkpoints", settings.parameters["seed"])
    rest = plan(stale, replace(settings, jobs=usual), stale)
    rest = [replace(job, cost=job.cost * (1 - finished.get(job.name, 0.0))) for job in rest]
    return duration(rest, settings.jobs) / duration(whole, usual)


def about(minutes: float) -> str:
    """An expected time in words, as precisely as it is known."""
    if minutes < 1:
        return "under a minute"
    if minutes >= 2 * 24 * 60:
        return f"about {round(minutes / (24 * 60))} days"
    if minutes >= 2 * 60:
        return f"about {round(minutes / 60)} hours"
    whole = round(minutes) if minutes < 20 else 5 * round(minutes / 5)
    return f"about {whole} minute{'s' if whole > 1 else ''}"


def preparations(stale: list[Path], settings: Settings, needs: dict[str, set[str]]) -> list[Job]:
    """Data, judges and trainings that the chapters which have to run ask for; `needs` learns which reads which."""
    from hrvgan_lib.ablations import JUDGE_SHAPE
    from hrvgan_lib.metrics import judge_shape

    profile = settings.profile
    jobs: dict[str, Job] = {}

    def add(readers: Iterable[str], data: str, frames: int, size: int, name: str, work: Callable[..., Entry],
            given: tuple, cost: float) -> None:  # fmt: skip
        mine = [path.stem for path in stale if path.stem.split("_")[0] in readers]
        if mine:
            clips = f"clips of {data}, {size}x{size}"  # packed once for every number of frames
            jobs.setdefault(clips, Job(clips, lay_out_data, (clips, data, frames, size, settings), cost=SHORT))
            jobs[name] = Job(name, work, given, frozenset({clips}), cost / NUMBERS_A_SECOND[machine(profile)])
        for stem in mine:
            needs[stem].add(name)

    own = judge_shape(profile)
    shapes = {"judge": (own, [number for number in JUDGED if own == JUDGE_SHAPE or number != "11"])}
    if own != JUDGE_SHAPE:
        shapes["judge of short clips"] = (JUDGE_SHAPE, ["11"])
    for name, (shape, readers) in shapes.items():
        frames, size = shape["frames"], shape["size"]
        cost = profile.judge_steps * profile.judge_batch * frames * size**2
        asked_for = shape if shape is JUDGE_SHAPE else {}  # the run's own: as chapters ask for it
        add(readers, "actions", frames, size, name, train_judge, (name, asked_for, settings), cost)
    for one in trainings(profile):
        # The long form of chapter 11 trains many more arms than the short one, in the chapter itself.
        asked = [number for number in one.readers if not (number == "11" and settings.parameters.get("long"))]
        add(asked, one.data, one.frames, one.size, one.name, train_one, (one, settings), one.cost)
    return list(jobs.values())


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Nobody else makes the run inside. Raises ValueError, at once, where somebody does."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        words = f"run {settings.run!r} is being made by another process: wait, or choose RUN=<name>"
        raise ValueError(words) from None
    try:
        yield
    finally:
        lock.release()


def sweep(settings: Settings, seconds: float = 60) -> None:
    """Remove what killed writes have left of a run: files that were never given their name. The caller holds its lock.

    A chapter that somebody runs by hand may be at it: what is younger than `seconds` stays.
    """
    for folder in (settings.folder, settings.root / "figures" / settings.run):
        for path in folder.rglob(".tmp.*"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > seconds:
                    path.unlink()


def reproduce(settings: Settings) -> int:
    """Make what is not there yet, `settings.jobs` jobs at a time. Returns the exit status.

    A training that fails stops the chapters that ask for it; a chapter that fails stops no other, and what reads
    measurements comes when all others have ended. Raises ValueError, before anything runs, for a chapter that does not
    know one of the parameters, or knows it as something of another kind.
    """
    everything = find_chapters(settings.root / "notebooks")
    chapters = find_chapters(settings.root / "notebooks", settings.selection)
    for path in chapters:
        try:
            defaults = parameter_defaults(read_chapter(path))
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from None
        if unknown := sorted({*settings.parameters} - {*defaults}):
            raise ValueError(f"unknown parameter {unknown[0]!r}: the parameters cell of {path.stem} has no such name")
        told = {name: like(name, value, defaults[name]) for name, value in settings.parameters.items()
                if isinstance(value, str)}  # fmt: skip
        settings = replace(settings, parameters=settings.parameters | told)
    entries = {path.stem: Entry(path.stem) for path in everything}
    started, failed = time.monotonic(), []
    numbers = {path.stem: number for number, path in enumerate(chapters, 1)}
    write_status(list(entries.values()), settings)
    screen, expected = Screen(sys.stdout), ""

    def so_far() -> str:
        return clock(time.monotonic() - started) + (f" of {expected}" if expected else "")

    def on_tick(running: dict[str, float]) -> None:
        if screen.watched:
            jobs = [f"  {name} {clock(seconds)}{how_far(name, seconds, settings)}" for name, seconds in running.items()]
            screen.show([so_far(), *jobs])

    def on_end(job: Job, entry: Entry) -> None:
        screen.clear()
        chapter = job.name in numbers
        label = f"[{numbers[job.name]:2}/{len(chapters)}] {job.name:22}" if chapter else f"training {job.name:60}"
        if chapter:
            entries[job.name] = entry
            write_status(list(entries.values()), settings)
        if chapter or settings.jobs > 1 or settings.devices > 1:
            print(
                f"{label} {entry.status:9} {entry.seconds:7.1f} s {entry.peak_rss_mb:6.0f} MB   "
                f"{so_far()}", flush=True,
            )  # fmt: skip
        if not entry.good and entry.status != "not_reached":
            failed.append(entry)
            print(f"{entry.name} {entry.status}, {entry.error}", file=sys.stderr)
            if chapter:
                left = settings.folder.relative_to(settings.root) / "partial" / f"{job.name}.ipynb"
                print(f"what there is of it: {left}; resume with: {settings.command}", file=sys.stderr)

    if settings.minutes:
        settings = fitted(settings, settings.minutes, on_end, on_tick)
    stale = stale_among(chapters, settings)
    expected = about(settings.profile.minutes * share_of(stale, everything, settings))
    ready = len(chapters) - len(stale)
    print(
        f"{settings.run}: {len(chapters)} chapters{f' ({ready} done before)' if ready else ''}, {expected} on "
        f"{settings.profile.hardware} ({SMOKE_HINT})", flush=True,
    )  # fmt: skip
    jobs, doing = plan(chapters, settings, stale), side_by_side if settings.jobs > 1 else one_by_one
    if settings.jobs > 1 and settings.minutes:  # alone, at the end: the time that is left is its own
        jobs.append(Job("bench", bench_steps, (settings,), after=frozenset(job.name for job in jobs)))
    try:
        doing(jobs, settings.jobs, on_end, on_tick)
    except KeyboardInterrupt:
        return 130
    if failed:
        return 1
    print(f"tables and figures: figures/{settings.run}/   chapters: runs/{settings.run}/", flush=True)
    return 0


def cell_of(chapter: str, settings: Settings) -> Path:
    """Where a chapter that runs notes the cell that it is at."""
    return settings.folder / "partial" / f"{chapter}.cell"


def how_far(job: str, seconds: float, settings: Settings) -> str:
    """How far a job is that has run for so many seconds, as ", cell 3 of 20" and its training's step, loss and rest."""
    cell = ""
    with suppress(FileNotFoundError):
        cell = cell_of(job, settings).read_text(encoding="utf-8")
    step = at_work(settings.folder / "checkpoints", job, time.time() - seconds)
    return "".join(f", {words}" for words in (cell, step) if words)


def default_profile() -> str:
    """`gpu` where torch sees a CUDA device, else `cpu`; torch is asked only where there is a driver."""
    if not any(Path("/dev").glob("nvidia[0-9]*")) and not Path("/dev/dxg").exists():
        return "cpu"
    question = "import torch; print(torch.cuda.is_available())"
    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, encoding="utf-8").stdout
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
    counts = {"JOBS": arguments.jobs, "MINUTES": arguments.minutes, "DEVICES": arguments.devices}
    words += [f"{name}={value}" for name, value in counts.items() if value]
    return "make reproduce " + " ".join(words)


def parse(argv: list[str] | None = None) -> Settings:
    """Settings from the command line. Raises ValueError in one line for what no chapter could work with."""
    parser = argparse.ArgumentParser("hrvgan_lib.series.reproduce", description=__doc__)
    parser.add_argument("--profile", default="", help=f"{', '.join(PROFILES)}; default: what the machine can do")
    parser.add_argument("--data-root", default="", help="folder with ucf101/ golf/ aeroplane/ weizmann/")
    parser.add_argument("--actions", default="ucf101", help="the labelled data set: ucf101 or weizmann")
    parser.add_argument("--run", default="", help="name of the results folder")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--chapters", default="", help="only these: 06,08")
    parser.add_argument("--rehearse", action="store_true", help="true shapes, a step or two")
    parser.add_argument("--allow-partial", action="store_true", help="accept a data set that is there in part")
    parser.add_argument("--jobs", default="", help="trainings and chapters side by side; default: 2, 4 with a GPU")
    parser.add_argument("--devices", default="", help="GPUs, or processes on a CPU, that share each training")
    parser.add_argument("--minutes", default="", help="scale steps and samples so that the series takes about so long")
    parser.add_argument("--seconds", type=float, default=0, help="time limit of one chapter")
    parser.add_argument("parameters", nargs="*", metavar="name=value", help="further parameters of the chapters")
    arguments = parser.parse_args(argv)
    name = arguments.profile or default_profile()
    profile = get_profile(name, arguments.rehearse)
    arguments.seed = whole_number("SEED", arguments.seed, least=0)
    jobs = whole_number("JOBS", arguments.jobs) if arguments.jobs else default_jobs(profile)
    minutes = some_minutes(arguments.minutes) if arguments.minutes else 0.0
    devices = whole_number("DEVICES", arguments.devices) if arguments.devices else 1
    if devices > 1:
        check_devices(devices, jobs if arguments.jobs else 1, minutes)
        jobs = 1
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
        parameters[key] = value  # `reproduce` makes of it what the chapters' own default is
    return Settings(
        provenance.repo_root(), profile, data_root, run, parameters, resume_command(arguments, name),
        arguments.chapters, arguments.seconds, jobs, minutes, devices,
    )  # fmt: skip


def check_devices(devices: int, jobs: int, minutes: float) -> None:
    """Raise ValueError where so many devices cannot share the trainings."""
    if jobs > 1:
        raise ValueError(f"DEVICES={devices}: all of them work on one training at a time, so JOBS={jobs} cannot be")
    if minutes:
        raise ValueError(f"DEVICES={devices}: MINUTES= times the steps of one device; leave one of the two out")
    if default_profile() == "gpu":
        import torch

        if devices > (there := torch.cuda.device_count()):
            raise ValueError(f"DEVICES={devices}: torch sees {there} CUDA device{'s' if there > 1 else ''} here")


def default_jobs(profile: Profile) -> int:
    """As many as there are cores for, two at most; four on a machine with a GPU, which they share."""
    return 4 if default_profile() == "gpu" else max(1, min(2, provenance.cores() // profile.threads))


@command
def main(argv: list[str] | None = None) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # an end from outside is told like a Ctrl-C
    settings = parse(argv)
    print(f"{settings.run}: looking at what there is to do", flush=True)
    set_threads(settings.profile.threads)
    if settings.jobs > 1 or settings.minutes:
        start_server()
    with alone(settings):
        sweep(settings)
        return reproduce(settings)


if __name__ == "__main__":
    sys.exit(main())
