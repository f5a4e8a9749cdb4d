"""Jobs side by side: trainings and chapters in processes of their own, each as soon as what it reads is there."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any

from hrvgan_lib.mishaps import line_of

# What every job imports: once, in the process that all jobs are copied from.
PRELOAD = [
    *(f"hrvgan_lib.{name}" for name in (
        "series.chapters", "series.kernel", "book.page", "book.learning", "ablations", "data", "data.clips",
        "data.store", "metrics.eyes.judge", "networks.hrvgan", "networks.vgan", "networks.tgan", "networks.mocogan",
        "networks.ivgan",
    )),
    "jupytext", "papermill", "matplotlib.pyplot", "scipy.optimize", "torch._dynamo",
]  # fmt: skip

TICK = 0.5  # seconds between two looks at what is running
GAIN = 0.6  # two jobs side by side do the work of 2 ** GAIN = 1.5: they share memory, and wait for each other
LONGEST = 4000  # characters of an error that come back
PATIENCE = 30  # seconds that interrupted jobs have for tidying up
AGAIN = 4.0  # seconds to a second interrupt: a training takes it for impatience, and would not save its step


@dataclass(frozen=True)
class Entry:
    """How a job ended; of a chapter, a line of status.json."""

    name: str
    status: str = "not_reached"  # ok, cached, failed, timed_out, killed, not_reached
    seconds: float = 0.0
    peak_rss_mb: float = 0.0
    peak_cuda_mb: float = 0.0
    error: str = field(default="", repr=False)

    @property
    def good(self) -> bool:
        return self.status in ("ok", "cached")


@dataclass(frozen=True)
class Job:
    """Something to do in a process of its own: `work(*given)` returns its Entry."""

    name: str
    work: Callable[..., Entry]
    given: tuple[Any, ...] = ()
    needs: frozenset[str] = frozenset()  # names of the jobs whose results it cannot do without
    cost: float = 1.0  # seconds, roughly: what the order goes by
    after: frozenset[str] = frozenset()  # names of those that it only waits for, however they end


def set_threads(threads: int) -> None:
    """What each job computes with, in the children of this process and theirs: one order of sums, whatever JOBS."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # a thread that spins while it waits takes a core from others


def start_server() -> None:
    """Start the process that jobs are copied from, in the background."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    from multiprocessing import forkserver

    forkserver.ensure_running()


def priorities(jobs: Sequence[Job]) -> dict[str, float]:
    """Of each job, the cost of the longest chain that begins with it: what is long is started first."""
    readers: dict[str, list[Job]] = {job.name: [] for job in jobs}
    for job in jobs:
        for name in (job.needs | job.after) & readers.keys():
            readers[name].append(job)
    found: dict[str, float] = {}

    def chain(job: Job) -> float:
        if job.name not in found:
            found[job.name] = job.cost + max(map(chain, readers[job.name]), default=0.0)
        return found[job.name]

    for job in jobs:
        chain(job)
    return found


def duration(jobs: Sequence[Job], slots: int) -> float:
    """Seconds, roughly, that jobs take `slots` at a time: those of their longest chain, or more where they are many."""
    return max(max(priorities(jobs).values(), default=0.0), sum(job.cost for job in jobs) / slots**GAIN)


def one_by_one(
    jobs: Sequence[Job], slots: int, on_end: Callable[[Job, Entry], None], on_tick: Callable[[dict[str, float]], None]
) -> dict[str, Entry]:
    """As `side_by_side`, in this very process, in the order given: what is read stands before what reads it.

    on_tick is called in a thread of its own, and never beside on_end.
    """
    ended: dict[str, Entry] = {}
    for job in jobs:
        begun = time.monotonic()
        if any(not ended[name].good for name in job.needs & ended.keys()):
            entry = Entry(job.name)
        else:
            try:
                with _ticking(on_tick, job.name, begun):
                    entry = job.work(*job.given)
            except KeyboardInterrupt:
                on_end(job, Entry(job.name, "failed", round(time.monotonic() - begun, 1), error="interrupted"))
                raise
        ended[job.name] = entry
        on_end(job, entry)
    return ended


@contextmanager
def _ticking(on_tick: Callable[[dict[str, float]], None], name: str, begun: float) -> Iterator[None]:
    """Call `on_tick` in a thread, at once and every `TICK` seconds, until the block is done."""
    over = threading.Event()

    def run() -> None:
        on_tick({name: time.monotonic() - begun})
        while not over.wait(TICK):
            on_tick({name: time.monotonic() - begun})

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@dataclass(frozen=True)
class _Running:
    job: Job
    process: Any
    answer: Connection
    begun: float


def side_by_side(
    jobs: Sequence[Job], slots: int, on_end: Callable[[Job, Entry], None], on_tick: Callable[[dict[str, float]], None]
) -> dict[str, Entry]:
    """Do all jobs, at most `slots` at a time; what needs a job that failed is not reached, the rest goes on.

    on_end is called with each job that has ended, on_tick about twice a second with the running ones and their seconds.
    An interrupt ends every running job; they count as failed, "interrupted".
    """
    context = multiprocessing.get_context("forkserver")
    rank = priorities(jobs)
    waiting = sorted(jobs, key=lambda job: -rank[job.name])
    names = {job.name for job in jobs}
    ended: dict[str, Entry] = {}
    running: dict[Any, _Running] = {}  # by what tells that the process has ended
    stop: BaseException | None = None

    def end(job: Job, entry: Entry) -> None:
        ended[job.name] = entry
        on_end(job, entry)

    try:
        while waiting or running:
            for job in list(waiting):
                needed = [ended.get(name) for name in job.needs & names]
                if any(entry is not None and not entry.good for entry in needed):
                    waiting.remove(job)
                    end(job, Entry(job.name))
                elif len(running) < slots and all(needed) and job.after & names <= ended.keys():
                    waiting.remove(job)
                    ours, theirs = context.Pipe(duplex=False)
                    process = context.Process(target=_work, args=(job.work, job.given, job.name, theirs), daemon=False)
                    with _uninterrupted():  # or there would be a process that nobody knows of
                        process.start()
                        running[process.sentinel] = _Running(job, process, ours, time.monotonic())
                    theirs.close()
            on_tick({one.job.name: time.monotonic() - one.begun for one in running.values()})
            for sentinel in wait(list(running), timeout=TICK):
                done = running.pop(sentinel)
                end(done.job, _answer(done))
    except (KeyboardInterrupt, OSError) as error:  # how a job has ended could not be written down: nothing else can
        stop = error
    if stop is not None:
        until = time.monotonic() + PATIENCE
        while (alive := [one for one in running.values() if one.process.is_alive()]) and time.monotonic() < until:
            for one in alive:  # again where need be: a process that has only just begun is deaf
                with suppress(ProcessLookupError):  # it has ended by itself meanwhile
                    os.kill(one.process.pid, signal.SIGINT)
            wait([one.process.sentinel for one in alive], timeout=AGAIN)
        for one in running.values():
            one.process.kill()
            entry, seconds = _answer(one), round(time.monotonic() - one.begun, 1)
            with suppress(OSError):
                end(one.job, entry if entry.good else Entry(one.job.name, "failed", seconds, error="interrupted"))
        raise stop
    return ended


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let an interrupt wait until the block is done."""
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, frame: came.append(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt


def _answer(done: _Running) -> Entry:
    """What a process that has ended said of itself; of one that was killed, that."""
    done.process.join()
    try:
        if done.answer.poll():
            return done.answer.recv()
    except EOFError:
        pass
    seconds = round(time.monotonic() - done.begun, 1)
    code = done.process.exitcode
    why = f"its process was ended by signal {-code} (out of memory?)" if code and code < 0 else f"exit status {code}"
    return Entry(done.job.name, "killed", seconds, error=why)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """The first interrupt ends a job; those that follow do not disturb what tidies up behind it, a kernel say."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt


def _end_with_parent() -> None:
    """Wait until whoever started this job is gone, killed say, and then end the job too: nobody would read it."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # a job is always somebody's
    parent.join()
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(PATIENCE)
    os._exit(1)


def _work(work: Callable[..., Entry], given: tuple, name: str, answer: Connection) -> None:
    """In the job's own process: do the work and send its entry."""
    for number in (signal.SIGINT, signal.SIGTERM):  # also where the shell started us in the background, deaf to SIGINT
        signal.signal(number, _interrupt)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    begun = time.monotonic()
    try:
        entry = work(*given)
    except KeyboardInterrupt:
        entry = Entry(name, "failed", round(time.monotonic() - begun, 1), error="interrupted")
    except Exception as error:
        words = " ".join(f"{type(error).__name__}: {line_of(error)}".split())
        entry = Entry(name, "failed", round(time.monotonic() - begun, 1), error=words)
    answer.send(replace(entry, error=entry.error[:LONGEST]))  # a pipe holds 64 kB, and is read when we have ended
    answer.close()
