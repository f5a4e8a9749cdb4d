"""One evaluation, one record: clips of any source through the judge, kept as JSON (chapters 08 and 10)."""

import hashlib
import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hrvgan_lib.metrics import frechet_distance as frechet_module
from hrvgan_lib.metrics import inception_score as inception_module
from hrvgan_lib.metrics import intervals as intervals_module
from hrvgan_lib.metrics.frechet_distance import frechet_distance
from hrvgan_lib.metrics.inception_score import inception_score
from hrvgan_lib.metrics.intervals import Interval, accuracy_interval, half_sample_interval
from hrvgan_lib.metrics.judge import Judge, weights_digest
from hrvgan_lib.networks import build_system, c3d
from hrvgan_lib.provenance import to_json, write_atomic

REFERENCE_SEED = 987_654  # the real clips of Eq. 17 are one draw, the same for every source


@dataclass(frozen=True)
class Source:
    """Something that gives clips: `draw(n, seed)` -> (n, 3, T, S, S) in [-1, 1], labels (n,) or None."""

    name: str  # for tables, and the key of the colour in figures
    note: str  # one line: what exactly it is
    digest: str  # names data, weights and treatment: equal digests give equal clips
    draw: Callable[[int, int], tuple[Tensor, Tensor | None]]
    distinct: int | None = None  # different videos behind it, None where every clip is new


@dataclass(frozen=True)
class Evaluation:
    """What the judge made of one source. Intervals are for one draw of `n` clips, the first seed's."""

    source: str
    note: str
    data: str  # the data set that it is compared with, in words
    kind: str  # "real" or "procedural"
    n: int  # clips a draw; as many real ones stand on the other side of Eq. 17
    seeds: tuple[int, ...]
    distinct: int | None
    judge: str
    judge_accuracy: float
    classes: tuple[str, ...]
    layer: str
    inception: Interval
    inception_seeds: tuple[float, ...]  # one score a seed
    frechet: Interval
    frechet_seeds: tuple[float, ...]
    accuracy: Interval | None  # share of clips whose asked class the judge names; None without labels
    confusion: tuple[tuple[int, ...], ...] | None  # [asked][named], counts

    @property
    def chance(self) -> float:
        return 1 / len(self.classes)


def real_clips(dataset, name: str = "real", note: str = "") -> Source:
    """Clips of a `ClipDataset`, each draw a new permutation with new windows."""

    def draw(n: int, seed: int) -> tuple[Tensor, Tensor | None]:
        clips, labels, _ = dataset.draw(n, torch.Generator().manual_seed(seed))
        return clips, labels if dataset.n_classes else None

    shape = f"{dataset.frames}x{dataset.size}/{dataset.stride}"
    return Source(name, note or f"{dataset.split} clips: {dataset.describe()}",
                  f"real {dataset.digest} {dataset.split} {shape}", draw, len(dataset))


def freeze(clips: Tensor) -> Tensor:
    """Every frame of each clip (N, 3, T, H, W) replaced by its middle one: all appearance, no motion."""
    middle = clips.shape[2] // 2
    return clips[:, :, middle:middle + 1].expand_as(clips).contiguous()


def frozen(source: Source, name: str = "frozen") -> Source:
    """The same clips with their middle frame standing still."""

    def draw(n: int, seed: int) -> tuple[Tensor, Tensor | None]:
        clips, labels = source.draw(n, seed)
        return freeze(clips), labels

    return Source(name, f"middle frame standing still: {source.note}", f"frozen {source.digest}", draw,
                  source.distinct)


def noise_clips(frames: int, size: int, name: str = "noise") -> Source:
    """Independent pixels, uniform in [-1, 1]."""

    def draw(n: int, seed: int) -> tuple[Tensor, None]:
        stream = torch.Generator().manual_seed(seed)
        return 2 * torch.rand(n, 3, frames, size, size, generator=stream) - 1, None

    return Source(name, "independent uniform pixels", f"noise {frames}x{size}", draw)


def generated(system, name: str = "hrvgan", note: str = "", batch: int = 16) -> Source:
    """Samples of a GAN system; a conditional one is asked for every class equally often (decision E3)."""

    def draw(n: int, seed: int) -> tuple[Tensor, Tensor | None]:
        labels = torch.arange(n) % system.n_classes if system.n_classes else None
        clips = system.sample(n, labels=labels, generator=torch.Generator().manual_seed(seed), batch=batch)
        return clips, labels

    digest = f"system {system.name} {weights_digest(system.sampler)}"
    return Source(name, note or f"{system.name} samples", digest, draw)


def evaluate(source: Source, judge: Judge, reference, *, n: int, seeds: Sequence[int] = (0,),
             layer: str = "fc6", folder: str | Path | None = None) -> Evaluation:
    """Inception Score, Fréchet distance and class accuracy of `n` clips of `source` for each seed.

    `reference` is the `ClipDataset` that the clips should resemble, its training split by decision T4; `n` of
    its clips are drawn once, the same for every source. With a `folder` the record is kept there under a key
    of source, judge, reference, numbers and code, and read where it is there. Raises ValueError for fewer
    than 4 clips or no seed.
    """
    if n < 4 or not seeds:
        raise ValueError(f"an evaluation needs at least 4 clips and one seed, got {n} and {len(seeds)}")
    key = evaluation_key(source, judge, reference, n, seeds, layer)
    path = None if folder is None else Path(folder) / f"{key}.json"
    if path is not None and path.is_file():
        return read_evaluation(path)
    real = judge.features(real_clips(reference).draw(n, REFERENCE_SEED)[0], layer)
    scores, distances, first = [], [], None
    for seed in seeds:
        clips, labels = source.draw(n, seed)
        features, probabilities = judge.look(clips, layer)
        scores.append(inception_score(probabilities))
        distances.append(frechet_distance(real, features))
        first = first or (features, probabilities, labels)
    features, probabilities, labels = first
    accuracy, confusion = class_accuracy(probabilities, labels)
    record = Evaluation(
        source=source.name, note=source.note, data=reference.describe(), kind=reference.kind, n=n,
        seeds=tuple(seeds), distinct=source.distinct, judge=f"{judge.name} [{judge.digest}]",
        judge_accuracy=judge.accuracy.value, classes=judge.classes, layer=layer,
        inception=half_sample_interval(inception_score, probabilities, floor=1.0),
        inception_seeds=tuple(scores),
        frechet=half_sample_interval(frechet_distance, real, features, floor=0.0),
        frechet_seeds=tuple(distances),
        accuracy=accuracy, confusion=confusion,
    )
    if path is not None:
        write_atomic(path, to_json(asdict(record)))
    return record


def class_accuracy(probabilities: np.ndarray, labels: Tensor | None) -> tuple[Interval | None, tuple | None]:
    """Share of clips whose label the judge names, with Wilson's interval, and the counts [asked][named]."""
    if labels is None:
        return None, None
    asked, named = labels.numpy(), probabilities.argmax(axis=1)
    counts = np.zeros((probabilities.shape[1],) * 2, dtype=int)
    np.add.at(counts, (asked, named), 1)
    return accuracy_interval(int((asked == named).sum()), len(asked)), tuple(map(tuple, counts.tolist()))


def read_evaluation(path: str | Path) -> Evaluation:
    """The record in a JSON file that `evaluate` wrote."""
    raw = json.loads(Path(path).read_text())
    for name in ("inception", "frechet", "accuracy"):
        raw[name] = raw[name] and Interval(**raw[name])
    for name in ("seeds", "inception_seeds", "frechet_seeds", "classes"):
        raw[name] = tuple(raw[name])
    raw["confusion"] = raw["confusion"] and tuple(map(tuple, raw["confusion"]))
    return Evaluation(**raw)


def mean_and_std(values: Sequence[float]) -> tuple[float, float]:
    """Mean and population standard deviation over seeds, the form in which published scores are printed."""
    return float(np.mean(values)), float(np.std(values))


def evaluation_key(source: Source, judge: Judge, reference, n: int, seeds: Sequence[int],
                   layer: str) -> str:
    """A file name that changes with everything that the record depends on, code included."""
    parts = (inception_module, frechet_module, intervals_module, c3d, Judge, evaluate, class_accuracy, freeze)
    code = "".join(inspect.getsource(part) for part in parts)
    identity = [asdict(replace(source, draw=None)), judge.digest, judge.name, reference.digest,
                reference.split, reference.frames, reference.size, reference.stride, n,
                tuple(seeds), layer, code]
    return f"{source.name.replace(' ', '-')}-{hashlib.sha256(repr(identity).encode()).hexdigest()[:12]}"


def untrained(system, seed: int = 0):
    """A fresh system with the same configuration and first weights of its own: what training starts from."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        fresh = build_system(system.name, frames=system.frames, size=system.size, n_classes=system.n_classes,
                             **asdict(system.config))
    return fresh.to(system.device).eval()


def panel(system, train_set, test_set, judge: Judge, *, n: int, seeds: Sequence[int] = (0,), layer: str = "fc6",
          folder: str | Path | None = None, note: str = "") -> dict[str, Evaluation]:
    """A system between its floor and its ceilings, every row at the same `n` and against the same real clips.

    Rows: "real" (clips of the test split), "frozen" (the same, standing still), "noise", "untrained" (the
    system before its first step), the system by its name, and "<name> frozen". The real clips and the system
    are drawn for every seed, the others for the first. `note` says in one line what the system is.
    """
    real, fake = real_clips(test_set), generated(system, system.name, note)
    first = generated(untrained(system), "untrained", f"{system.name} before its first step")
    noise = noise_clips(test_set.frames, test_set.size)
    rows = {}
    for source in (real, frozen(real), noise, first, fake, frozen(fake, f"{fake.name} frozen")):
        used = tuple(seeds) if source in (real, fake) else tuple(seeds)[:1]
        rows[source.name] = evaluate(source, judge, train_set, n=n, seeds=used, layer=layer, folder=folder)
    return rows
