"""`make bench`: where a step's time goes, what each change bought, how it grows, what loading costs; chapter 13."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from hrvgan_lib import provenance, training
from hrvgan_lib.captures import unrecorded
from hrvgan_lib.devices import pick_device, precision
from hrvgan_lib.mishaps import command
from hrvgan_lib.networks import fused
from hrvgan_lib.networks.hrvgan import HRVGAN
from hrvgan_lib.networks.resampling import Downsample, Upsample, downsampled, folds, upsampled
from hrvgan_lib.profiles import BENCH_RUN
from hrvgan_lib.series import timing
from hrvgan_lib.series.roofline import Moved, rates
from hrvgan_lib.series.timing import ARITHMETIC, LABELS, Cost, RandomClips, build, step_cost
from hrvgan_lib.streams import stream
from hrvgan_lib.training import TrainConfig, read_records
from hrvgan_lib.trainings import LABELLED, Training

if TYPE_CHECKING:
    from hrvgan_lib.data.formats.listing import Listing
    from hrvgan_lib.networks import System
    from hrvgan_lib.profiles import Profile

Result = TypeVar("Result")
Part = tuple[str, str, str]  # of a step: network or kind of work, stage, direction
NOTHING: Part = ("", "", "")
REST = "heads and losses"  # of the networks: what lies outside their stages


def hrvgan(frames: int, size: int, batch: int, **options: Any) -> Training:
    """HRVGAN with labels in one shape, as something to be timed."""
    return Training("hrvgan", LABELLED, True, frames, size, batch, 1, (), options)


def rounded(value: float, digits: int = 3) -> float:
    return float(f"{value:.{digits}g}")


# Where the time goes --------------------------------------------------------------------------------------------------
class Meter:
    """Divides something that only grows, seconds or operations, among the parts of a step: all of it, nothing twice."""

    def __init__(self, read: Callable[[], Any]) -> None:
        self.read, self.part, self.last = read, NOTHING, read()
        self.spent: dict[Part, Any] = {}

    def begin(self, part: Part, *_gradient: Tensor) -> None:
        """What comes from now on belongs to `part`. As a hook of a tensor it leaves the gradient as it is."""
        now = self.read()
        self.spent[self.part] = self.spent.get(self.part, 0) + (now - self.last)
        self.part, self.last = part, now


def stages_of(layers: nn.Sequential) -> list[nn.Sequential]:
    """A network's layers, cut before every Upsample and behind every Downsample."""
    parts: list[list[nn.Module]] = [[]]
    for layer in layers:
        if isinstance(layer, Upsample):
            parts.append([])
        parts[-1].append(layer)
        if isinstance(layer, Downsample):
            parts.append([])
    return [nn.Sequential(*part) for part in parts if part]


@contextmanager
def staged(system: System, meter: Meter) -> Iterator[None]:
    """Within it HRVGAN's networks tell the meter when a stage begins, forwards and backwards.

    A stage's backward begins when the gradient reaches its output, and ends where that of another part begins. The
    layers of a stage run as ever, several in one pass.
    """
    usual = fused.run
    networks = {"G": system.generator.layers, "D": system.discriminator.trunk, "E": system.encoder.trunk}
    names = {id(layers): name for name, layers in networks.items()}

    def run(layers: nn.Sequential, x: Tensor) -> Tensor:
        name, around, end = names[id(layers)], meter.part, (REST, "", "backward")
        leaf = torch.is_grad_enabled() and not x.requires_grad  # real clips: no gradient arrives there
        if x.requires_grad:
            x.register_hook(partial(meter.begin, end))
        for number, stage in enumerate(stages_of(layers)):
            scale = stage[0].scale if isinstance(stage[0], Upsample) else (1, 1, 1)
            place = "x".join(str(int(side * factor)) for side, factor in zip(x.shape[2:], scale))
            meter.begin((name, place, "forward"))
            if leaf and number == 0:
                x, stage = usual(stage[:1], x), stage[1:]
                x.grad_fn.register_hook(lambda *_: meter.begin(end))
            x = usual(stage, x)
            if x.requires_grad:
                x.register_hook(partial(meter.begin, (name, place, "backward")))
        meter.begin(around)
        return x

    fused.run = run
    try:
        yield
    finally:
        fused.run = usual


def take_step(system: System, clips: RandomClips, batch: int, dtype: torch.dtype, optimisers: dict, step: int,
              meter: Meter) -> None:  # fmt: skip
    """One turn of Algorithm 1 as `training.train` takes it, with every part metered."""
    mixed = torch.autocast(system.device.type, dtype) if dtype != torch.float32 else nullcontext()
    config, noise = TrainConfig(steps=1, batch=batch), stream("noise", 0, step)
    system.train()
    for turn, network in enumerate(system.order):
        meter.begin(("data", "", "forward"))
        real, labels = training.draw_batch(clips, config, 2 * step + turn, system.device)
        meter.begin((REST, "", "forward"))
        with mixed:
            terms = getattr(system, f"{network}_losses")(real, labels, noise)
        optimisers[network].zero_grad(set_to_none=True)
        meter.begin((REST, "", "backward"))
        sum(terms.values()).backward()
        meter.begin(("optimiser", "", "forward"))
        optimisers[network].step()
    meter.begin(("average of G", "", "forward"))
    system.update_sampler(system.generator, step)
    meter.begin(NOTHING)


def seconds_by_part(work: Training, profile: Profile, dtype: torch.dtype, uncounted: int, counted: int) -> dict:
    """{part: seconds a step}, the mean of `counted` steps."""
    system = build(work, profile)
    clips, optimisers = RandomClips(work.frames, work.size, LABELS), system.optimisers()

    def now() -> float:
        if system.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    for begun, steps in ((0, uncounted), (uncounted, counted)):
        meter = Meter(now)
        with staged(system, meter):
            for step in range(begun, begun + steps):
                take_step(system, clips, work.batch, dtype, optimisers, step, meter)
    return {part: seconds / counted for part, seconds in meter.spent.items() if part != NOTHING}


def work_by_part(work: Training, profile: Profile) -> dict:
    """{part: (operations, numbers that convolutions read and write)} of a step, counted on tensors without numbers."""
    system = build(work, profile, "cpu").to("meta").train()
    clips = torch.empty(work.batch, 3, work.frames, work.size, work.size, device="meta")
    labels = torch.zeros(work.batch, dtype=torch.long, device="meta")
    with FlopCounterMode(display=False) as flops, Moved() as moved:
        meter = Meter(lambda: np.array([flops.get_total_flops(), moved.numbers], dtype=float))
        with staged(system, meter):
            for network in system.order:
                meter.begin((REST, "", "forward"))
                terms = getattr(system, f"{network}_losses")(clips, labels, stream("bench"))
                meter.begin((REST, "", "backward"))
                sum(terms.values()).backward()
        meter.begin(NOTHING)
    return {part: spent for part, spent in meter.spent.items() if part != NOTHING}


def layers_table(works: Sequence[Training], profile: Profile, uncounted: int = 1, counted: int = 3) -> list[dict]:
    """Rows of bench_layers: of each stage of G, D and E, and of the rest of a step, the time and what it did in it."""
    rows = []
    dtype = precision(pick_device())
    for work in works:
        seconds, done = seconds_by_part(work, profile, dtype, uncounted, counted), work_by_part(work, profile)
        whole = sum(seconds.values())
        for network, stage in dict.fromkeys(part[:2] for part in seconds):
            forward, backward = (seconds.get((network, stage, way), 0.0) for way in ("forward", "backward"))
            operations, numbers = sum(
                (done.get((network, stage, way), np.zeros(2)) for way in ("forward", "backward")), np.zeros(2)
            )
            moved = numbers * dtype.itemsize
            rows.append({
                "clip": f"{work.frames}x{work.size}x{work.size}", "batch": work.batch, "arithmetic": ARITHMETIC[dtype],
                "part": network, "stage": stage, "forward ms": rounded(1000 * forward),
                "backward ms": rounded(1000 * backward), "share of the step": rounded((forward + backward) / whole),
                "GFLOP": rounded(operations / 1e9), "MB": rounded(moved / 1e6),
                "GFLOP/s": rounded(operations / 1e9 / (forward + backward)),
                "FLOP/byte": rounded(operations / moved) if moved and stage else "",
            })  # fmt: skip
    return rows


TRIES = 5  # looks at the two rates, of five products and copies each: neighbours only slow them


def rates_table(tries: int = TRIES) -> list[dict]:
    """Rows of bench_rates: what the device does at best in each arithmetic that trains here."""
    rows = []
    for dtype in dict.fromkeys((torch.float32, precision(pick_device()))):
        found = [rates(dtype) for _ in range(tries)]
        operations, moved = max(one.operations for one in found), max(one.bytes for one in found)
        rows.append({"arithmetic": ARITHMETIC[dtype], "GFLOP/s": rounded(operations / 1e9),
                     "GB/s": rounded(moved / 1e9), "FLOP/byte at the ridge": rounded(operations / moved)})  # fmt: skip
    return rows


# What each change bought ----------------------------------------------------------------------------------------------
@contextmanager
def graphs_kept() -> Iterator[None]:
    """Within it the fakes that D learns from keep their graph back to G, which nobody needs."""
    usual = HRVGAN.fakes

    def fakes(*given: Any) -> list[Tensor]:
        with torch.enable_grad():
            return usual(*given)

    HRVGAN.fakes = fakes  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        HRVGAN.fakes = usual  # type: ignore[method-assign]


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it one core computes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def switches(on_gpu: bool, cores: int) -> dict[str, Callable[[], AbstractContextManager]]:
    """What takes one change of the step back, by what the change is; "bfloat16" is taken back by the arithmetic."""
    found: dict[str, Callable[[], AbstractContextManager]] = {
        "layers taken together": fused.layer_by_layer, "D's fakes without a graph": graphs_kept,
    }  # fmt: skip
    if on_gpu:
        found["updates replayed as CUDA graphs"] = unrecorded
    elif cores > 1:
        found[f"{cores} threads"] = one_thread
    return found


def changes_table(works: Sequence[Training], profile: Profile, rounds: int = 6) -> list[dict]:
    """Rows of bench_changes: a step with all changes beside one without this change, taken in turns.

    Below them layers of the last work's largest stage, alone: as they run and as they are written.
    """
    device, rows = pick_device(), []
    best = precision(device)
    ways: dict[str, tuple[torch.dtype, Callable[[], AbstractContextManager]]] = {}
    if best != torch.float32:
        ways["bfloat16"] = torch.float32, nullcontext
    ways |= {what: (best, off) for what, off in switches(device.type == "cuda", torch.get_num_threads()).items()}
    for work in works:
        for what, (dtype, off) in ways.items():
            step, plain = stepping(work, profile, best), stepping(work, profile, dtype)

            def without(plain: Callable[[], Any] = plain, off: Callable[[], AbstractContextManager] = off) -> None:
                with off():
                    plain()

            rows.append(change(what, "a step", work, *in_turns(step, without, rounds)))
    for what, pair in layers_beside(build(works[-1], profile), works[-1].batch).items():
        rows.append(change(what, "one layer", works[-1], *in_turns(*pair, rounds)))
    return rows


def stepping(work: Training, profile: Profile, dtype: torch.dtype) -> Callable[[], Any]:
    """A training on random clips: each call takes its next step."""
    config = TrainConfig(steps=10**6, batch=work.batch)
    clips = RandomClips(work.frames, work.size, LABELS)
    return partial(next, training.train(build(work, profile), clips, config, dtype=dtype, pauses=range(config.steps)))


def change(what: str, of: str, work: Training, on: float, off: float) -> dict[str, Any]:
    return {"change": what, "of": of, "clip": f"{work.frames}x{work.size}x{work.size}", "batch": work.batch,
            "ms with": rounded(1000 * on), "ms without": rounded(1000 * off), "ratio": rounded(off / on)}  # fmt: skip


def in_turns(one: Callable[[], Any], other: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Seconds of two pieces of work that take turns, each the fastest of `rounds`: neighbours only add to them."""
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds + 1):  # the first one picks algorithms
        for work, seconds in zip((one, other), found):
            begun = time.perf_counter()
            work()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - begun)
    return min(found[0][1:]), min(found[1][1:])


def layers_beside(system: System, batch: int) -> dict[str, tuple[Callable[[], None], Callable[[], None]]]:
    """Layers of the largest stage, forwards and backwards: as they run in training, and as the tables write them."""
    up, enlarging = [pair for pair in pairwise(system.generator.layers) if folds(*pair)][-1]
    trunk = list(system.discriminator.trunk)
    norms, activation = next(pair for pair in pairwise(trunk) if isinstance(pair[0], nn.Sequential))
    down = next(layer for layer in trunk if isinstance(layer, Downsample))
    conv = next(layer for layer in trunk if isinstance(layer, nn.Conv3d) and layer.kernel_size == (3, 3, 3))
    shape = (system.frames, system.size, system.size)
    small = tuple(int(side / factor) for side, factor in zip(shape, up.scale))
    dtype, last = precision(system.device), torch.channels_last_3d
    weights = conv.weight.detach()

    def maps(channels: int, sides: tuple[int, ...], layout: torch.memory_format = last) -> Tensor:
        numbers = torch.randn(batch, channels, *sides, generator=stream("bench")).to(system.device, dtype)
        return numbers.contiguous(memory_format=layout).requires_grad_()

    def there_and_back(layer: Callable[[Tensor], Tensor], x: Tensor) -> Callable[[], None]:
        def work() -> None:
            x.grad = None
            with torch.autocast(system.device.type, dtype, enabled=dtype != torch.float32):
                layer(x).sum().backward()

        return work

    def convolved(layout: torch.memory_format) -> Callable[[], None]:
        weight = weights.to(dtype).contiguous(memory_format=layout).requires_grad_()
        x = maps(conv.in_channels, shape, layout)
        return there_and_back(lambda x: nn.functional.conv3d(x, weight, padding=1), x)

    low, high = maps(enlarging.in_channels, small), maps(conv.out_channels, shape)
    return {
        "Upsample folded into the convolution": (
            there_and_back(lambda x: upsampled(x, up, enlarging), low),
            there_and_back(lambda x: enlarging(up(x)), low),
        ),
        "norm and activation in one": (
            there_and_back(lambda x: fused.activated(x, list(norms), activation.negative_slope), high),
            there_and_back(lambda x: activation(norms(x)), high),
        ),
        "Downsample's backward in one": (
            there_and_back(lambda x: downsampled(x, down), high), there_and_back(down, high),
        ),
        "a convolution's maps channels-last": (convolved(last), convolved(torch.contiguous_format)),
    }  # fmt: skip


# How it grows ---------------------------------------------------------------------------------------------------------
def alone(work: Callable[..., Result], *given: Any) -> tuple[Result, float]:
    """What `work` returns in a fresh process, and the most memory that it held there beyond the libraries', in MB."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([timing.__name__])  # what takes seconds to import
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_held, work, *given).result()


def _held(work: Callable[..., Result], *given: Any) -> tuple[Result, float]:
    before = provenance.peak_rss_mb()
    return work(*given), provenance.peak_rss_mb() - before


DOUBLINGS = {4: (), 8: (8,), 16: (8, 16), 32: (8, 16, 32)}  # decision A4: where time doubles, by the frames of a clip
WIDTHS = (0.125, 0.25, 0.5, 1.0)


def growths(on_gpu: bool, width: float) -> list[tuple[str, Training]]:
    """Trainings by what grows in them: batch, frames, size or width, everything else as in the first shape."""
    frames, size, batch = (16, 64, 16) if on_gpu else (8, 32, 8)

    def one(frames: int = frames, size: int = size, batch: int = batch, width: float = width) -> Training:
        return hrvgan(frames, size, batch, width=width, temporal_doublings=DOUBLINGS[frames])

    return [
        *(("batch", one(batch=batch * factor // 2)) for factor in (1, 2, 4, 8)),
        *(("frames", one(frames=frames)) for frames in DOUBLINGS),
        *(("size", one(size=size * factor // 2)) for factor in (1, 2, 4, 8)),
        *(("width", one(width=width)) for width in WIDTHS),
    ]


def growth_table(works: Sequence[tuple[str, Training]], profile: Profile, few: tuple[int, int] = (1, 2)) -> list[dict]:
    """Rows of bench_growth, each measured in a process of its own."""
    rows = []
    for what, work in works:
        try:
            cost, held = alone(_cost, work, profile, few)
        except torch.OutOfMemoryError:
            print(f"{what}: {work.frames}x{work.size}x{work.size} does not fit into the memory of this GPU", flush=True)
            continue
        if pick_device().type == "cuda":
            held = 1000 * cost.peak_gb
        options = work.options
        value = options["width"] if what == "width" else getattr(work, what)
        rows.append({
            "grows": what, "value": value, "clip": cost.clip, "batch": cost.batch, "width": options["width"],
            "s a step": rounded(cost.seconds), "clips/s": rounded(cost.clips_a_second), "peak MB": rounded(held),
        })  # fmt: skip
    return rows


def _cost(work: Training, profile: Profile, few: tuple[int, int]) -> Cost:
    return step_cost(work, profile, None, False, *few)


# Ranks ----------------------------------------------------------------------------------------------------------------
def ranks_table(counts: Sequence[tuple[int, int]] = ((1, 1), (1, 2), (2, 1)), steps: int = 12) -> list[dict]:
    """Rows of bench_ranks: HRVGAN's step at two sizes, by so many processes of so many threads each.

    Timed is what a user starts, `torchrun -m hrvgan_lib.training`, by its own records, behind the first four steps.
    """
    rows: list[dict[str, Any]] = []
    for frames, size, batch in timing.SHAPES[:2]:
        alone = 0.0
        for count, threads in counts:
            with tempfile.TemporaryDirectory() as place:
                words = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}",
                         "-m", "hrvgan_lib.training", "--system=hrvgan", "--profile=cpu", "--data=golf", "--no-labels",
                         f"--frames={frames}", f"--size={size}", f"--batch={batch}", f"--steps={steps}",
                         f"--folder={place}"]  # fmt: skip
                environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
                done = subprocess.run(
                    words, env=environment, cwd=provenance.repo_root(), capture_output=True, encoding="utf-8"
                )
                if done.returncode:
                    raise RuntimeError(f"{count} processes: status {done.returncode}: {done.stderr.splitlines()[-1:]}")
                (training,) = Path(place).iterdir()
                ends = [record.seconds for record in read_records(training / "records.jsonl", until=steps)]
            seconds = statistics.median(late - early for early, late in pairwise(ends[3:]))
            alone = alone or seconds
            rows.append({
                "processes": count, "threads each": threads, "clip": f"{frames}x{size}x{size}", "batch": batch,
                "s a step": rounded(seconds), "over one": rounded(alone / seconds),
            })  # fmt: skip
    return rows


# Loading --------------------------------------------------------------------------------------------------------------
VIDEOS, SECONDS_EACH, FPS = 13_320, 7.21, 25  # of UCF101: how many, their mean length, frames a second (Soomro, 2012)
FRAMES_EACH = 32  # of a procedural AVI, so that a clip of 32 frames is whole
READ = 16  # clips a batch
READ_AS = {"bytes": "meta", "floats": "cpu"}  # a device is sent bytes, and makes floats of them itself


def loading_table(videos: int = 1000, fewer: int = 100) -> list[dict]:
    """Rows of bench_loading: packing `fewer` and `videos` procedural AVIs, and reading clips on one core.

    Beyond 64x64 only `fewer` AVIs are packed: a thousand would fill a small disk. All that is written is gone in the
    end.
    """
    from hrvgan_lib.data import scan
    from hrvgan_lib.data.standin.writing import write_actions

    rows = []
    with tempfile.TemporaryDirectory(dir=provenance.repo_root()) as place:
        folder, packed = Path(place) / "ucf101", Path(place) / "packed"
        write_actions(folder, clips_per_group=-(-videos // 200), frames=FRAMES_EACH)
        listing = scan("ucf101", folder)
        some = replace(listing, entries=listing.entries[:: max(1, len(listing.entries) // fewer)])  # of every class
        for size, part in ((32, some), (32, listing), (64, listing), (256, some)):
            rows.append(packing(part, size, packed / f"{size}-{len(part.entries)}"))
        for frames, size, part in ((8, 32, listing), (16, 64, listing), (32, 256, some)):
            for kind in READ_AS:
                rows.append(reading(kind, part, frames, size, packed / f"{size}-{len(part.entries)}"))
    return rows


def packing(listing: Listing, size: int, folder: Path) -> dict[str, Any]:
    """A row: packing what is listed, on every core, and what that makes of UCF101's videos."""
    seconds, held = alone(_pack, listing, size, folder)
    videos = len(listing.entries)
    frames = VIDEOS * SECONDS_EACH * FPS
    return {
        "work": "packing, all cores", "clip": f"{size}x{size}", "AVIs": videos, "a second": rounded(videos / seconds),
        "MB": rounded(videos * FRAMES_EACH * 3 * size**2 / 1e6), "peak MB": rounded(held),
        "UCF101, minutes": rounded(frames / FRAMES_EACH / (videos / seconds) / 60),
        "UCF101, GB": rounded(frames * 3 * size**2 / 1e9),
    }  # fmt: skip


def _pack(listing: Listing, size: int, folder: Path) -> float:
    from hrvgan_lib.data.store import pack

    begun = time.perf_counter()
    pack(listing, size, folder, progress=False)
    return time.perf_counter() - begun


def reading(kind: str, listing: Listing, frames: int, size: int, folder: Path) -> dict[str, Any]:
    """A row: clips a second that one core reads from what is packed, as a training reads them."""
    each, held = alone(_read, READ_AS[kind], listing, frames, size, folder)
    return {
        "work": f"reading {kind}, one core", "clip": f"{frames}x{size}x{size}", "AVIs": len(listing.entries),
        "a second": rounded(1 / each), "MB": rounded(len(listing.entries) * FRAMES_EACH * 3 * size**2 / 1e6),
        "peak MB": rounded(held), "UCF101, minutes": rounded(VIDEOS * each / 60), "UCF101, GB": "",
    }  # fmt: skip


def _read(device: str, listing: Listing, frames: int, size: int, folder: Path) -> float:
    """Seconds a clip: the median of five batches."""
    from hrvgan_lib.data import ClipDataset
    from hrvgan_lib.data.store import pack

    torch.set_num_threads(1)
    clips = ClipDataset(pack(listing, size, folder), "train", name="ucf101", kind="procedural", title="", frames=frames,
                        root=listing.folder, classes=listing.classes, size=size, stride=32 // frames)  # fmt: skip
    seconds = []
    for number in range(6):
        begun = time.perf_counter()
        clips.batch((torch.arange(READ) + number * READ) % len(clips), stream("bench", number), device)
        seconds.append((time.perf_counter() - begun) / READ)
    return statistics.median(seconds[1:])


# The record -----------------------------------------------------------------------------------------------------------
LAYERS_NOTE = (
    "Random clips; mean of three steps; a stage's backward lasts from the gradient at its output to the next part's. "
    "GFLOP, MB: counted, the bytes those of convolutions. A GPU is waited for behind every part and replays none: "
    "there the parts together take longer than a step."
)
CHANGES_NOTE = (
    "Random clips; ratio: without the change over with it, all other changes on; in turns, the fastest of six each."
)
GROWTH_NOTE = "Random clips; each row in a process of its own, its memory beyond what the libraries take."
RATES_NOTE = "A large matrix product and a large copy, on a GPU ten in a row, each the best of {}."
RANKS_NOTE = (
    "Processes of this machine, by Gloo, width 1/4; over one: how many times as fast as one process of one thread."
)
LOADING_NOTE = (
    f"Procedural AVIs of {FRAMES_EACH} frames of 320x240; reading from memory that the system holds of the file. "
    f"UCF101: computed, {VIDEOS:,} videos of {SECONDS_EACH} s at {FPS} frames a second."
)


@command
def main(argv: list[str] | None = None) -> int:
    """`make bench`: the tables of figures/bench, or those that are named."""
    parser = argparse.ArgumentParser("python -m hrvgan_lib.series.bench", description=main.__doc__)
    parser.add_argument("tables", nargs="*", help="only these; by default all of them")
    chosen = parser.parse_args(argv).tables
    from hrvgan_lib import book

    on_gpu = pick_device().type == "cuda"
    page = book.open_page(BENCH_RUN, profile="gpu" if on_gpu else "cpu", run=BENCH_RUN)
    profile, works = page.profile, [hrvgan(*shape) for shape in timing.SHAPES[:2]]
    threads = torch.get_num_threads()
    print(f"{provenance.device_name()}, {threads} threads", flush=True)
    tables: dict[str, tuple[Callable[[], list[dict]], str, list | None]] = {
        "bench_rates": (rates_table, RATES_NOTE.format(5 * TRIES), []),
        "bench_layers": (lambda: layers_table(works, profile), LAYERS_NOTE, []),
        "bench_changes": (lambda: changes_table(works, profile), CHANGES_NOTE, []),
        "bench_growth": (lambda: growth_table(growths(on_gpu, profile.width), profile), GROWTH_NOTE, []),
        "bench_ranks": (ranks_table, RANKS_NOTE, None),
        "bench_loading": (loading_table, LOADING_NOTE, []),
        "bench_steps": (lambda: list(timing.bench(timing.every_system(on_gpu), profile)), timing.NOTE, []),
        "bench_checkpoints": (lambda: timing.saving(timing.every_system(on_gpu), profile), timing.SAVING, []),
        "bench_measuring": (lambda: timing.rates_of_measuring(page), "One call after one to warm up.", None),
    }
    if unknown := [name for name in chosen if name not in tables]:
        raise ValueError(f"{', '.join(unknown)}: no table of make bench; it has {', '.join(tables)}")
    for name, (make, note, data) in tables.items():
        if chosen and name not in chosen:
            continue
        begun = time.perf_counter()
        rows = make()
        note = note if name == "bench_ranks" else f"{note} {threads} threads."
        page.table(rows, name=name, note=note, data=data, show=False)
        print((page.figures / f"{name}.md").read_text(encoding="utf-8"), flush=True)
        print(f"{name}: {time.perf_counter() - begun:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    from hrvgan_lib.series import bench  # children find its functions there, and not in __main__

    sys.exit(bench.main())
