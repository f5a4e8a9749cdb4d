"""Where clips come from: a data set, a system, noise, or any of them after a treatment (chapter 08)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from hrvgan_lib.keys import code_of, key_of
from hrvgan_lib.metrics.eyes.judge import resize, weights_digest
from hrvgan_lib.metrics.rulers.draws import Draw, drawn
from hrvgan_lib.networks import build_system
from hrvgan_lib.streams import stream

if TYPE_CHECKING:
    from hrvgan_lib.data.clips import Clips
    from hrvgan_lib.networks import System

Chunk = tuple[Tensor, Tensor | None, Tensor | None]


@dataclass(frozen=True)
class Source:
    """Something that gives clips, a chunk at a time, so that no set has to fit into memory.

    `draw(n, seed, skip=0)` yields chunks of: clips (m, 3, T, S, S) in [-1, 1]; labels (m,), None where there are
    none; ids (m,) of the independent units behind them, None where every clip is new. The chunks hold `n` clips in
    all, less those of the first `skip` chunks: each chunk has a random stream of its own, so that an interrupted
    evaluation goes on where it was.
    """

    name: str  # for tables, and the key of the colour in figures
    note: str  # one line: what exactly it is
    digest: str  # names data, weights and treatment: equal digests give equal clips
    draw: Callable[..., Iterator[Chunk]]
    distinct: int | None = None  # different videos behind it, None where every clip is new
    unit: str = "clip"  # what is independent of what: a look, a person, a source video
    population: str = ""  # what the units belong to, whatever the seed; empty: each seed's clips are new
    restrict: Callable[[float], Source] | None = None  # fewer classes, 0 (all) to 1 (one); None without labels
    base: str = ""  # digest of what was treated; empty: this is no treatment

    def drawn_from(self, seed: int) -> str:
        """Names the units of a draw. A treatment leaves them as they are, so that with and without it is a pair."""
        return self.population or f"{self.base or self.digest} seed {seed}"


def chunks(n: int, frames: int, size: int) -> list[int]:
    """Sizes that add up to n, at most 64 clips and about 100 MB each; they depend on the clips' shape alone."""
    most = min(64, max(1, 2**25 // (3 * frames * size * size)))
    return [min(most, n - start) for start in range(0, n, most)]


def numbered(
    n: int, frames: int, size: int, seed: int, skip: int, what: str
) -> Iterator[tuple[Tensor, torch.Generator]]:
    """Positions of each chunk behind the first `skip`, with the chunk's own random stream."""
    for number, positions in enumerate(torch.arange(n).split(chunks(n, frames, size))):
        if number >= skip:
            yield positions, stream(f"metrics {what}", seed, number)


def real_clips(dataset: Clips, name: str = "real", note: str = "", classes: int | None = None) -> Source:
    """Clips of a `ClipDataset` in random order, each drawn again with a new window only after all the others.

    Any first part of the order has every class in nearly the share that the data set gives it: a draw is stratified.

    classes: only the clips of the first so many classes.
    """
    there = torch.arange(len(dataset))
    if classes is not None:
        there = there[torch.as_tensor(dataset.labels)[there] < classes]

    classes_of = torch.as_tensor(dataset.labels)[there]
    units = torch.from_numpy(np.unique(dataset.units, return_inverse=True)[1])

    def draw(n: int, seed: int, skip: int = 0) -> Iterator[Chunk]:
        order = stream("metrics order", seed)
        rounds = [mixed_order(classes_of, order) for _ in range(-(-n // len(there)))]
        videos = there[torch.cat(rounds)[:n]]
        for positions, windows in numbered(n, dataset.frames, dataset.size, seed, skip, "window"):
            clips, labels = dataset.batch(videos[positions].tolist(), generator=windows)
            yield clips, labels if dataset.n_classes else None, units[videos[positions]]

    def restrict(grade: float) -> Source:
        kept = max(1, round(dataset.n_classes * (1 - grade)))
        return real_clips(dataset, f"{name}, {kept} classes", note, kept)

    shape = f"{dataset.frames}x{dataset.size}/{dataset.stride}"
    few = "" if classes is None else f", first {classes} classes"
    return Source(
        name,
        note or f"{dataset.split} clips: {dataset.describe()}{few}",
        f"real {dataset.digest} {dataset.split} {shape}{few}",
        draw,
        len(there),
        dataset.unit,
        f"{dataset.digest} {dataset.split}",
        restrict if dataset.n_classes else None,
    )


def draw_of(dataset: Clips, numbers: Sequence[int], balanced: bool = False) -> Draw:
    """How these clips of a data set were drawn, by their numbers in it: what an interval over them goes by.

    balanced: every class had its share of them; clips that were drawn blindly are of one stratum.
    """
    units = np.unique(dataset.units, return_inverse=True)[1][np.asarray(numbers)]
    labels = dataset.labels[torch.as_tensor(numbers)].numpy() if balanced and dataset.n_classes else None
    return drawn(len(units), f"{dataset.digest} {dataset.split}", labels, units, dataset.unit)


def mixed_order(labels: Tensor, generator: torch.Generator) -> Tensor:
    """A random order of N clips with labels (N,) in which every first part has nearly the classes' shares: (N,)."""
    places = torch.empty(len(labels), dtype=torch.float64)
    for label in labels.unique():
        members = (labels == label).nonzero().flatten()
        members = members[torch.randperm(len(members), generator=generator)]
        places[members] = (torch.arange(len(members)) + torch.rand((), generator=generator).double()) / len(members)
    return places.argsort()


def noise_clips(frames: int, size: int, name: str = "noise") -> Source:
    """Independent pixels, uniform in [-1, 1]."""

    def draw(n: int, seed: int, skip: int = 0) -> Iterator[Chunk]:
        for positions, pixels in numbered(n, frames, size, seed, skip, "noise"):
            yield 2 * torch.rand(len(positions), 3, frames, size, size, generator=pixels) - 1, None, None

    return Source(name, "independent uniform pixels", f"noise {frames}x{size}", draw)


def mean_clip(dataset: Clips) -> Source:
    """The mean of a data set's clips (first windows), the same clip again and again: what a blind guess would show."""
    found: list[Tensor] = []  # taken once, when it is asked for

    def draw(n: int, seed: int, skip: int = 0) -> Iterator[Chunk]:
        if not found:
            parts = torch.arange(len(dataset)).split(64)
            found.append(sum(dataset.batch(part.tolist())[0].double().sum(dim=0) for part in parts) / len(dataset))
        for positions, _ in numbered(n, dataset.frames, dataset.size, seed, skip, "mean"):
            yield found[0].float().expand(len(positions), *found[0].shape).contiguous(), None, None

    digest = f"mean of {dataset.digest} {dataset.split} {dataset.frames}x{dataset.size}/{dataset.stride}"
    return Source("mean clip", f"the mean of {dataset.describe()}", digest, draw)


def generated(system: System, name: str = "hrvgan", note: str = "") -> Source:
    """Samples of a GAN system; a conditional one is asked for every class equally often (decision E3)."""

    def draw(n: int, seed: int, skip: int = 0) -> Iterator[Chunk]:
        for positions, latents in numbered(n, system.frames, system.size, seed, skip, "latent"):
            labels = positions % system.n_classes if system.n_classes else None
            yield system.sample(len(positions), labels=labels, generator=latents), labels, None

    # Some options change no weight, and neither does a change of the code: both are part of what the clips are.
    how = key_of(
        type(system),
        frames=system.frames,
        size=system.size,
        n_classes=system.n_classes,
        config=getattr(system, "config", None),
    )
    digest = f"system {system.name} {weights_digest(system.sampler)} {how}"
    return Source(name, note or f"{system.name} samples", digest, draw)


def treated(source: Source, name: str, treatment: Callable[[Tensor], Tensor], note: str) -> Source:
    """The clips of `source` after `treatment`, which maps (m, 3, T, S, S) to the same m; `note` names it."""

    def draw(n: int, seed: int, skip: int = 0) -> Iterator[Chunk]:
        for clips, labels, videos in source.draw(n, seed, skip):
            yield treatment(clips), labels, videos

    digest = f"{note} by {code_of(treatment)} of {source.digest}"
    return Source(
        name, f"{note}: {source.note}", digest, draw, source.distinct, source.unit, source.population,
        base=source.base or source.digest,
    )  # fmt: skip


def freeze(clips: Tensor) -> Tensor:
    """Every frame of each clip (N, 3, T, H, W) replaced by its middle one: all appearance, no motion."""
    middle = clips.shape[2] // 2
    return clips[:, :, middle : middle + 1].expand_as(clips).contiguous()


def frozen(source: Source, name: str = "frozen") -> Source:
    """The clips of `source` with their middle frame standing still."""
    return treated(source, name, freeze, "middle frame standing still")


def shuffle_frames(source: Source, name: str = "shuffled") -> Source:
    """The clips of `source` with their frames in another order, one for each clip's place in its chunk."""

    def treatment(clips: Tensor) -> Tensor:
        order = torch.rand(len(clips), clips.shape[2], generator=stream("metrics shuffle")).argsort(dim=1)
        return clips.gather(2, order.to(clips.device)[:, None, :, None, None].expand_as(clips))

    return treated(source, name, treatment, "frames in another order")


def resized(source: Source, size: int, name: str = "") -> Source:
    """The clips of `source` at `size`: scores compare at one size only (decision E1)."""
    name = name or f"{source.name} at {size}"
    return treated(source, name, lambda clips: resize(clips, size), f"resized to {size}x{size}")


def untrained(system: System, seed: int = 0) -> System:
    """A fresh system with the same configuration and first weights of its own: what training starts from."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        fresh = build_system(
            system.name, frames=system.frames, size=system.size, n_classes=system.n_classes, **asdict(system.config)
        )
    return fresh.to(system.device).eval()
