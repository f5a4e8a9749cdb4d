"""What a training step costs on the machine at hand, for a run that has to fit into `MINUTES=` and for `make bench`."""

from __future__ import annotations

import gc
import json
import math
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from hrvgan_lib import checkpoints, provenance, training
from hrvgan_lib.captures import WARM_UP, unrecorded
from hrvgan_lib.devices import pick_device, precision
from hrvgan_lib.files import write_atomic
from hrvgan_lib.keys import code_of
from hrvgan_lib.networks import SYSTEMS, build_system, fused, system_class
from hrvgan_lib.series.roofline import Rates, rates, work_of
from hrvgan_lib.training import TrainConfig, train
from hrvgan_lib.trainings import Training, trainings

if TYPE_CHECKING:
    from hrvgan_lib.networks import System
    from hrvgan_lib.profiles import Profile

LABELS = 8  # classes of the procedural actions
UNCOUNTED, COUNTED = 3, 5  # steps: the first ones pick algorithms
LEARNING = 0.5  # of the minutes of a run go to trainings; the rest to starting, measuring and writing
ARITHMETIC = {torch.float32: "fp32", torch.bfloat16: "bf16"}


class RandomClips:
    """Random bytes in the shape of a data set: what a step costs does not depend on what the clips show.

    They lie on the device, so that a step is timed and not how its clips are read, which `make bench` times by itself.
    """

    name, kind, split, stride, unit = "random", "procedural", "train", 1, "clip"

    def __init__(self, frames: int, size: int, n_classes: int, n: int = 32) -> None:
        self.frames, self.size, self.n_classes, self.digest = frames, size, n_classes, f"random {n}"
        self.classes = tuple(f"class {label}" for label in range(n_classes))
        self.labels = torch.arange(n) % max(1, n_classes)
        self.units = [str(clip) for clip in range(n)]
        pixels = np.random.default_rng(0).integers(0, 256, (n, frames, size, size, 3), dtype=np.uint8)
        self._bytes = torch.from_numpy(pixels)

    def __len__(self) -> int:
        return len(self._bytes)

    def describe(self) -> str:
        return f"random pixels: {len(self)} clips"

    def batch(self, indices: Sequence[int] | Tensor, generator: torch.Generator | None = None,
              device: torch.device | str = "cpu", only: Tensor | None = None) -> tuple[Tensor, Tensor]:  # fmt: skip
        """As `ClipDataset.batch`: (clips (B, 3, T, S, S) in [-1, 1], labels (B,))."""
        from hrvgan_lib.devices import send

        indices = torch.as_tensor(indices) if only is None else torch.as_tensor(indices)[only]
        self._bytes = self._bytes.to(device)  # once
        clips = self._bytes[send(indices, device)].permute(0, 4, 1, 2, 3).float().div_(127.5).sub_(1)
        return clips, send(self.labels[indices], device)


@dataclass(frozen=True)
class Cost:
    """What one step of a training costs here."""

    system: str
    clip: str
    batch: int
    arithmetic: str
    seconds: float
    peak_gb: float  # of the GPU; of the process so far on a CPU
    plain: bool  # layer by layer, losses read after every turn: what the chapters show

    @property
    def clips_a_second(self) -> float:
        return self.batch / self.seconds


def build(work: Training, profile: Profile, device: str = "") -> System:
    """The system of a training on this machine's device, or another one, with first weights from seed 0."""
    kind = system_class(work.system)
    options = {name: getattr(profile, name) for name in kind.from_profile} | dict(work.options)
    torch.manual_seed(0)
    system = build_system(
        work.system, frames=work.frames, size=work.size, n_classes=LABELS if work.labels else 0, **options
    )
    return system.to(device or pick_device())


def free_memory() -> None:
    """Give back what the last system held, and count the peak anew where the device can."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


@contextmanager
def plainly() -> Iterator[None]:
    """Layer by layer, launch by launch, and the host reads every loss: before anything was taken together."""
    often = training.READ_EVERY
    training.READ_EVERY = 1
    try:
        with fused.layer_by_layer(), unrecorded():
            yield
    finally:
        training.READ_EVERY = often


def step_cost(work: Training, profile: Profile, dtype: torch.dtype | None = None, plain: bool = False,
              uncounted: int = UNCOUNTED, counted: int = COUNTED) -> Cost:  # fmt: skip
    """Train a few steps on random clips, the first ones uncounted, and say what one costs.

    Where a GPU records the updates (`captures`), as many more are taken as it needs until only replays are counted.
    """
    free_memory()
    system = build(work, profile)
    if system.device.type == "cuda" and system.fixed_work and not plain:  # losses are read READ_EVERY at a time
        uncounted, counted = max(uncounted, WARM_UP + 2), max(counted, training.READ_EVERY)
    dtype = dtype or precision(system.device)
    clips = RandomClips(work.frames, work.size, LABELS if work.labels else 0)
    config = TrainConfig(steps=uncounted + counted, batch=work.batch)
    with plainly() if plain else nullcontext():
        ends = [0.0]
        for record in train(system, clips, config, dtype=dtype, pauses={uncounted}):
            ends.append(record.seconds)
    on_gpu = system.device.type == "cuda"
    if on_gpu:  # records came together: only the whole span is known
        seconds = (ends[-1] - ends[uncounted]) / counted
    else:
        seconds = statistics.median(late - early for early, late in zip(ends[uncounted:], ends[uncounted + 1 :]))
    memory = torch.cuda.max_memory_allocated() / 1e9 if on_gpu else provenance.peak_rss_mb() / 1000
    name = f"{work.system}{', labels' if work.labels else ''}"
    return Cost(name, f"{work.frames}x{work.size}x{work.size}", work.batch, ARITHMETIC[dtype], seconds, memory, plain)


def kinds(profile: Profile) -> dict[str, list[Training]]:
    """The trainings of a profile by what a step of them costs: one stands for all of its kind."""
    found: dict[str, list[Training]] = {}
    for work in trainings(profile):
        found.setdefault(f"{work.system} {work.frames}x{work.size} {work.batch}", []).append(work)
    return found


def share_that_fits(minutes: float, profile: Profile, seconds: dict[str, float], lanes: float) -> float:
    """The share of the profile's steps for which all trainings take `LEARNING` of `minutes`; 1 at most.

    They take what they need one after the other, over `lanes`, how many really run at once; and no less than the
    longest of them. seconds: what a step of each kind costs (`kinds`). Raises ValueError where not even one step of
    each fits, and says how many minutes would do.
    """
    steps = [(work.steps, seconds[kind]) for kind, group in kinds(profile).items() for work in group]
    whole = max(sum(many * each for many, each in steps) / lanes, *(many * each for many, each in steps))
    least = max(sum(each for _, each in steps) / lanes, *(each for _, each in steps))
    if 60 * minutes * LEARNING < least:
        enough = math.ceil(10 * least / LEARNING / 60 + 1e-6) / 10  # a tenth that works, whatever was rounded
        raise ValueError(f"MINUTES={minutes:g} is too little for one step of each training: give at least {enough:.1f}")
    return min(1.0, float(f"{60 * minutes * LEARNING / whole:.3g}"))


def time_kinds(profile: Profile, path: Path) -> dict[str, float]:
    """Seconds of a step of each kind on this machine; `path` keeps them."""
    identity = {
        "device": provenance.device_name(),
        "code": code_of(__name__, *SYSTEMS.values()),  # a registry is not followed
        "profile": asdict(replace(profile, share=1.0)),
    }
    identity = json.loads(json.dumps(identity))
    if path.is_file() and (kept := json.loads(path.read_text(encoding="utf-8")))["identity"] == identity:
        return kept["seconds"]
    seconds, rows = {}, []
    for kind, group in kinds(profile).items():
        few = (0, 1) if profile.rehearse else (UNCOUNTED, COUNTED)
        cost = step_cost(group[0], profile, uncounted=few[0], counted=few[1])
        seconds[kind] = cost.seconds
        rows.append(asdict(cost))
        print(
            f"{kind}: {cost.seconds:.4f} s a step, {cost.clips_a_second:.1f} clips/s, {cost.peak_gb:.1f} GB", flush=True
        )
    record: dict[str, Any] = {"identity": identity, "seconds": seconds, "costs": rows}
    write_atomic(path, json.dumps(record, indent=1) + "\n")
    return seconds


def bench(works: Iterable[Training], profile: Profile) -> Iterator[dict[str, Any]]:
    """What a step of each training costs, plain in float32 and as it is trained here: rows of a table, one by one.

    The plain step is the reference: layer by layer, in float32, every loss read by the host as it comes. The share is
    that of the floor: how long the step's operations and bytes take this device at best (`roofline`).
    """
    few = (0, 1) if profile.rehearse else (2, 4)
    best: dict[torch.dtype, Rates] = {}
    for work in works:
        reference = None
        for dtype, plain in ((torch.float32, True), (precision(pick_device()), False)):
            try:
                cost = step_cost(work, profile, dtype, plain, *few)
            except torch.OutOfMemoryError:
                print(f"{work.name}{', plain' if plain else ''}: does not fit into the memory of this GPU")
                continue
            reference = cost.seconds if plain else reference
            ratio: float | str = "" if plain or reference is None else round(reference / cost.seconds, 2)
            share: float | str = ""
            if not plain and (done := work_of(build(work, profile, "cpu"), work.batch)):
                best[dtype] = best.get(dtype) or rates(dtype)
                share = float(f"{best[dtype].floor(done, dtype) / cost.seconds:.2g}")
            yield {
                "system": cost.system, "clip": cost.clip, "batch": cost.batch,
                "arithmetic": cost.arithmetic + (", plain layers" if plain else ""),
                "clips/s": float(f"{cost.clips_a_second:.3g}"), "peak GB": float(f"{cost.peak_gb:.3g}"), "ratio": ratio,
                "share of the floor": share,
            }  # fmt: skip


# Frames, size and batch of what `make bench` times; the last on a GPU only.
SHAPES = ((8, 32, 8), (16, 64, 8), (32, 256, 8))


def every_system(on_gpu: bool) -> list[Training]:
    """Each system in each of the shapes that it can be cut to, HRVGAN with labels."""
    found = []
    for frames, size, batch in SHAPES[: None if on_gpu else 2]:
        for name, kind in SYSTEMS.items():
            try:
                with torch.device("meta"):
                    kind(frames=frames, size=size, n_classes=0)
            except ValueError:  # this system has no such shape
                continue
            found.append(Training(name, "actions", name == "hrvgan", frames, size, batch, 1, ()))
    return found


def saving(works: Iterable[Training], profile: Profile) -> list[dict[str, Any]]:
    """What checkpoints cost a training here: rows of a table.

    A checkpoint comes as often as in a training of the profile's length (`steps_between`), and after `SAVE_SECONDS`
    without one; its share is that of the time from one to the next.
    """
    rows = []
    for work in works:
        cost, system = step_cost(work, profile), build(work, profile)
        with tempfile.TemporaryDirectory(dir=provenance.repo_root()) as folder:
            config = TrainConfig(steps=1, batch=work.batch)
            clips = RandomClips(work.frames, work.size, LABELS if work.labels else 0)
            (record,) = train(system, clips, config, Path(folder))
            size = sum(path.stat().st_size for path in Path(folder).iterdir())
            seconds, optimisers = [], system.optimisers()
            training.restore(system, optimisers, Path(folder))
            for _ in range(3):
                begun = time.perf_counter()
                training.save(system, optimisers, Path(folder), record, 0, checkpoints.REGULAR)
                seconds.append(time.perf_counter() - begun)
        apart = min(training.steps_between(profile.steps) * cost.seconds, training.SAVE_SECONDS)
        rows.append({
            "system": cost.system, "clip": cost.clip, "batch": cost.batch, "MB": float(f"{size / 1e6:.3g}"),
            "ms": float(f"{1000 * statistics.median(seconds):.3g}"), "seconds apart": float(f"{apart:.3g}"),
            "share": f"{statistics.median(seconds) / apart:.2%}",
        })  # fmt: skip
    return rows


def rates_of_measuring(page: Any) -> list[dict[str, Any]]:
    """Clips a second of what measuring does: reading packed clips, decoding, sampling, looking through a judge."""
    from hrvgan_lib.data.formats.video import read_video
    from hrvgan_lib.data.store import fit
    from hrvgan_lib.metrics.eyes.judge import Judge, blank_network
    from hrvgan_lib.metrics.eyes.judge_training import Recipe

    profile, n = page.profile, 32
    clips = page.dataset("actions")
    paths = [clips.root / clips.paths[number] for number in range(8)]
    work = Training("hrvgan", "actions", True, profile.frames, profile.size, profile.batch, 1, ())
    system = build(work, profile).eval()
    eye = (
        blank_network(LABELS, profile.frames, profile.size, Recipe(width=profile.judge_width)).to(system.device).eval()
    )
    judge = Judge(eye, "untrained", clips.classes, clips.stride, None, "")
    shown = system.sample(n)

    def load() -> None:
        clips.batch(torch.arange(n) % len(clips), device=system.device)

    def decode() -> None:
        for path in paths:
            fit(read_video(path), profile.size)

    rows = []
    for what, count, work_once in (
        ("packed clips, read", n, load), ("videos, decoded and resized", len(paths), decode),
        ("samples of HRVGAN", n, lambda: system.sample(n)), ("clips through the judge", n, lambda: judge.look(shown)),
    ):  # fmt: skip
        work_once()
        begun = time.perf_counter()
        work_once()
        seconds = time.perf_counter() - begun
        rows.append({"what": what, "clip": f"{profile.frames}x{profile.size}x{profile.size}",
                     "clips/s": float(f"{count / seconds:.3g}")})  # fmt: skip
    return rows


SAVING = "Weights, average and optimisers, written and synced; the share is that of the time from one to the next."
NOTE = (
    "Random clips that lie on the device. Ratio: over the plain layers in float32, every loss read by the host. Share "
    "of the floor: the time in which this device, at its best, does the operations and moves the convolutions' bytes, "
    "over the step's."
)
