"""Where clips come from: a data set, a system, noise, or any of them after a treatment (chapter 08)."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from hrvgan_lib.metrics.judge import weights_digest
from hrvgan_lib.networks import build_system

Chunk = tuple[Tensor, Tensor | None, Tensor | None]


@dataclass(frozen=True)
class Source:
    """Something that gives clips, a chunk at a time, so that no set has to fit into memory.

    `draw(n, seed)` yields chunks of: clips (m, 3, T, S, S) in [-1, 1]; labels (m,), None where there are
    none; ids (m,) of the videos behind them, None where every clip is new. The chunks hold `n` clips in all.
    """

    name: str  # for tables, and the key of the colour in figures
    note: str  # one line: what exactly it is
    digest: str  # names data, weights and treatment: equal digests give equal clips
    draw: Callable[[int, int], Iterator[Chunk]]
    distinct: int | None = None  # different videos behind it, None where every clip is new


def chunks(n: int, frames: int, size: int) -> list[int]:
    """Sizes that add up to n, at most 64 clips and about 100 MB each; they depend on the clips' shape alone."""
    most = min(64, max(1, 2**25 // (3 * frames * size * size)))
    return [min(most, n - start) for start in range(0, n, most)]


def real_clips(dataset, name: str = "real", note: str = "") -> Source:
    """Clips of a `ClipDataset` in random order, each drawn again with a new window only after all the others."""

    def draw(n: int, seed: int) -> Iterator[Chunk]:
        stream = torch.Generator().manual_seed(seed)
        rounds = [torch.randperm(len(dataset), generator=stream) for _ in range(-(-n // len(dataset)))]
        for videos in torch.cat(rounds)[:n].split(chunks(n, dataset.frames, dataset.size)):
            clips, labels = dataset.batch(videos.tolist(), generator=stream)
            yield clips, labels if dataset.n_classes else None, videos

    shape = f"{dataset.frames}x{dataset.size}/{dataset.stride}"
    return Source(name, note or f"{dataset.split} clips: {dataset.describe()}",
                  f"real {dataset.digest} {dataset.split} {shape}", draw, len(dataset))


def noise_clips(frames: int, size: int, name: str = "noise") -> Source:
    """Independent pixels, uniform in [-1, 1]."""

    def draw(n: int, seed: int) -> Iterator[Chunk]:
        stream = torch.Generator().manual_seed(seed)
        for m in chunks(n, frames, size):
            yield 2 * torch.rand(m, 3, frames, size, size, generator=stream) - 1, None, None

    return Source(name, "independent uniform pixels", f"noise {frames}x{size}", draw)


def generated(system, name: str = "hrvgan", note: str = "") -> Source:
    """Samples of a GAN system; a conditional one is asked for every class equally often (decision E3)."""

    def draw(n: int, seed: int) -> Iterator[Chunk]:
        stream = torch.Generator().manual_seed(seed)
        sizes = chunks(n, system.frames, system.size)
        for positions in torch.arange(n).split(sizes):
            labels = positions % system.n_classes if system.n_classes else None
            yield system.sample(len(positions), labels=labels, generator=stream), labels, None

    digest = f"system {system.name} {weights_digest(system.sampler)}"
    return Source(name, note or f"{system.name} samples", digest, draw)


def treated(source: Source, name: str, treatment: Callable[[Tensor], Tensor], note: str) -> Source:
    """The clips of `source` after `treatment`, which maps (m, 3, T, S, S) to the same shape; `note` names it."""

    def draw(n: int, seed: int) -> Iterator[Chunk]:
        for clips, labels, videos in source.draw(n, seed):
            yield treatment(clips), labels, videos

    return Source(name, f"{note}: {source.note}", f"{note} of {source.digest}", draw, source.distinct)


def freeze(clips: Tensor) -> Tensor:
    """Every frame of each clip (N, 3, T, H, W) replaced by its middle one: all appearance, no motion."""
    middle = clips.shape[2] // 2
    return clips[:, :, middle:middle + 1].expand_as(clips).contiguous()


def frozen(source: Source, name: str = "frozen") -> Source:
    """The clips of `source` with their middle frame standing still."""
    return treated(source, name, freeze, "middle frame standing still")


def untrained(system, seed: int = 0):
    """A fresh system with the same configuration and first weights of its own: what training starts from."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        fresh = build_system(system.name, frames=system.frames, size=system.size, n_classes=system.n_classes,
                             **asdict(system.config))
    return fresh.to(system.device).eval()
