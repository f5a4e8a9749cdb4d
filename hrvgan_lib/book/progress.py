"""What moves during long work: a training's step, losses and rest, for a notebook and the status line; chapter 06.

A chapter or job that asks for a training notes so in the training's folder. With that note and the training's own
journal another process can say how far it is.
"""

from __future__ import annotations

import contextvars
import json
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from hrvgan_lib.files import write_atomic
from hrvgan_lib.keys import code_of

if TYPE_CHECKING:
    from torch import Tensor

    from hrvgan_lib.data.clips import Clips
    from hrvgan_lib.networks import System
    from hrvgan_lib.trainings import Training

HEADLESS = "HRVGAN_HEADLESS"  # set where a kernel runs and nobody looks: papermill, nbval
NOTE, JOURNAL, DIVERGED = "asked.json", "records.jsonl", "diverged.txt"  # in a training's folder
PACE = 50  # steps, the last ones, that the rest of a training is reckoned from
TAIL = 32_768  # bytes of a journal that hold as many
PATIENCE = 2.0  # seconds before anything is shown: what is quick needs no bar
WORDS_EVERY, LOOK_EVERY = 0.5, 5.0  # seconds between two lines, and at least between two looks at samples
LOOKING = 0.04  # of the time, at most, goes into looking
LATENTS, LOOKS, SIDE, FRAMES = 4, 10, 64, 8  # of the strip: rows, columns, pixels and frames of a clip at most


def clock(seconds: float) -> str:
    """A length of time as 1:05, or 1:01:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


# --- in words, from a training's records ---


def rest_of(records: Sequence[Any], steps: int) -> float | None:
    """Seconds that a training of `steps` steps has still to go, at the pace of these records; None for one record."""
    if len(records) < 2:
        return None
    first, last = records[0], records[-1]
    return (steps - last.step) * (last.seconds - first.seconds) / (last.step - first.step)


def in_words(records: Sequence[Any], steps: int) -> str:
    """Step, losses and rest: "step 120 of 350, D 0.69, G 1.2, 1:20 left"."""
    last, rest = records[-1], rest_of(records, steps)
    losses = f"D {sum(last.discriminator.values()):.3g}, G {sum(last.generator.values()):.3g}"
    return f"step {last.step:,} of {steps:,}, {losses}" + ("" if rest is None else f", {clock(rest)} left")


def last_records(journal: Path) -> list[Any]:
    """The last records of a journal, as far as its lines are whole; [] where there is none."""
    try:
        with open(journal, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            lines = file.read().split(b"\n")
    except OSError:
        return []
    try:
        return [SimpleNamespace(**json.loads(line)) for line in lines[size > TAIL : -1][-PACE:]]  # no pieces of lines
    except ValueError:  # what a crash has left; the training itself reads up to there
        return []


# --- who asks for what ---


def note(folder: Path, page: Any, training: Training) -> None:
    """Leave in a training's folder which page asked for what, and for what code: `at_work` and `done` read it."""
    asked = {
        "chapter": page.chapter, "training": training.name, "system": training.system, "steps": training.steps,
        "seed": page.seed, "code": code_behind(training.system),
    }  # fmt: skip
    write_atomic(folder / NOTE, json.dumps(asked) + "\n")


def code_behind(system: str) -> str:
    """The code in the key of every training of `system`."""
    from hrvgan_lib.networks import system_class

    return code_of("hrvgan_lib.training", system_class(system))


def notes(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The trainings' folders in `folder` with the note in each of them."""
    for path in sorted(folder.glob(f"*/{NOTE}")):
        try:
            yield path.parent, json.loads(path.read_text(encoding="utf-8"))
        except OSError:  # somebody cleans up
            continue


def at_work(folder: Path, job: str, since: float) -> str:
    """How far the training is that a job, a chapter or a training by name, carries out; "" where it is at none.

    folder: the checkpoints of the run. since: when the job began, as `time.time` counts.
    """
    journals = [
        (journal.stat().st_mtime, journal, asked["steps"])
        for place, asked in notes(folder)
        if job in (asked["chapter"], asked["training"]) and (journal := place / JOURNAL).is_file()
    ]
    if not journals:
        return ""
    written, journal, steps = max(journals)
    records = last_records(journal) if written >= since else []
    return in_words(records, steps) if records and records[-1].step < steps else ""


def done(folder: Path, seed: int) -> dict[str, float]:
    """{training: share of its steps that today's code has taken in this run}; 1 for one that cannot go on."""
    shares: dict[str, float] = {}
    for place, asked in notes(folder):
        records = last_records(place / JOURNAL)
        if records and asked["seed"] == seed and asked["code"] == code_behind(asked["system"]):
            share = 1.0 if (place / DIVERGED).exists() else min(1.0, records[-1].step / asked["steps"])
            shares[asked["training"]] = max(share, shares.get(asked["training"], 0.0))
    return shares


# --- live in a notebook ---


def somebody_looks() -> bool:
    """Whether this is the kernel of a notebook that a person has opened."""
    if os.environ.get(HEADLESS) or "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")


class Display:
    """One output of a cell that is drawn anew; nothing of it is left in the notebook but what it showed last."""

    def __init__(self) -> None:
        self._handle: Any = None

    @property
    def shown(self) -> bool:
        return self._handle is not None

    def show(self, **bundle: str) -> None:
        """Show text="..." or html="..."."""
        from IPython.display import display

        data = {{"text": "text/plain", "html": "text/html"}[kind]: content for kind, content in bundle.items()}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show a clock in a notebook while something goes on that takes more than a moment, and at the end how long."""
    if not somebody_looks():
        yield
        return
    begun, over, line = time.monotonic(), threading.Event(), Display()

    def tick() -> None:
        pause = PATIENCE
        while not over.wait(pause):
            line.show(text=f"{what}: {clock(time.monotonic() - begun)} so far")
            pause = 1.0

    # In the context of the cell, or its outputs would not know where they belong.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(tick,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        if line.shown:
            line.show(text=f"{what}: {clock(time.monotonic() - begun)}")


class Live:
    """A training as a notebook shows it: step, losses and rest, and what the same latents give, growing to the right.

    Call it with each new record and the system. Looking changes nothing: samples have a random stream of their own.
    """

    def __init__(self, name: str, steps: int, clips: Clips) -> None:
        self.name, self.steps, self.clips = name, steps, clips
        self.records: deque[Any] = deque(maxlen=PACE)
        self.looks: list[tuple[int, Tensor]] = []  # step, (n, 3, T, S, S)
        self.every = LOOK_EVERY
        self.words, self.strip = Display(), Display()
        self.begun = time.monotonic()
        self.next_words = self.next_look = self.begun + PATIENCE

    def __call__(self, record: Any, system: System) -> None:
        self.records.append(record)
        now = time.monotonic()
        if now >= self.next_words:
            self.next_words = now + WORDS_EVERY
            self.words.show(text="\n".join([f"{self.name}: {in_words(self.records, self.steps)}", *self.terms()]))
        if now >= self.next_look:
            self.look(record.step, system)
            took = time.monotonic() - now
            self.next_look = now + took + max(self.every, took / LOOKING)

    def terms(self) -> list[str]:
        """A line for the terms of each network's loss."""
        last = self.records[-1]
        return [
            f"{side}: " + ", ".join(f"{name} {value:.3g}" for name, value in terms.items())
            for side, terms in (("D", last.discriminator), ("G", last.generator))
        ]

    def look(self, step: int, system: System) -> None:
        """Put what the system gives now at the right end of the strip."""
        import torch

        from hrvgan_lib.book.pictures import movie
        from hrvgan_lib.training import SNAPSHOT_BYTES

        n = max(1, min(LATENTS, SNAPSHOT_BYTES // (3 * system.frames * system.size**2)))
        found = system.eval().snapshot(n, self.clips).nan_to_num()  # it may be about to diverge
        apart, often = max(1, system.size // SIDE), max(1, found.shape[2] // FRAMES)
        self.looks.append((step, found[:, :, ::often, ::apart, ::apart]))
        if len(self.looks) > LOOKS:  # room for as many again, half as often
            self.looks, self.every = self.looks[::-2][::-1], 2 * self.every
        strip = torch.stack([clips for _, clips in self.looks], 1).flatten(0, 1)  # row by row: a latent over time
        said = f"{n} samples from the same latents after step {', '.join(f'{step:,}' for step, _ in self.looks)}"
        self.strip.show(html=f"{movie(strip, alt=said, columns=len(self.looks)).data}<br>{said}")

    def settle(self, words: str) -> None:
        """Leave one line of all that was shown; none of a training that was over in a moment."""
        if self.words.shown:
            self.words.show(text=f"{self.name}: {words} ({clock(time.monotonic() - self.begun)})")
        if self.strip.shown:
            self.strip.show(html="")


def watched(page: Any, training: Training, train: Callable[..., Any]) -> Callable[..., Any]:
    """`train`, which is `training.trained`, with a note of who asks, and shown live where somebody looks."""

    def carry_out(name: str, clips: Clips, profile: Any, *, folder: Path, **how: Any) -> Any:
        from hrvgan_lib.training import plan

        note(folder / plan(name, clips, profile, **how).folder, page, training)
        if not somebody_looks():
            return train(name, clips, profile, folder=folder, **how)
        live = Live(training.name, training.steps, clips)
        words = "stopped; the same cell goes on from its last checkpoint"
        try:
            system, records = train(name, clips, profile, folder=folder, on_step=live, **how)
            words = system.diverged or in_words(records[-1:], training.steps)
            return system, records
        finally:
            live.settle(words)

    return carry_out
