"""One evaluation, one record: clips of any source through the judge, kept as JSON (chapters 08 and 10)."""

import hashlib
import inspect
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from hrvgan_lib.metrics import frechet_distance as frechet_module
from hrvgan_lib.metrics import inception_score as inception_module
from hrvgan_lib.metrics import intervals as intervals_module
from hrvgan_lib.metrics import sources
from hrvgan_lib.metrics.frechet_distance import frechet_distance
from hrvgan_lib.metrics.inception_score import inception_score
from hrvgan_lib.metrics.intervals import Interval, accuracy_interval, half_sample_interval
from hrvgan_lib.metrics.judge import Judge
from hrvgan_lib.metrics.sources import Source, frozen, generated, noise_clips, real_clips, untrained
from hrvgan_lib.networks import c3d
from hrvgan_lib.provenance import to_json, write_atomic

REFERENCE_SEED = 987_654  # the real clips of Eq. 17 are one draw, the same for every source
_remembered: dict[tuple, "Answers"] = {}


@dataclass(frozen=True)
class Answers:
    """What a judge made of N clips."""

    features: np.ndarray  # float32 (N, D)
    probabilities: np.ndarray  # float64 (N, K)
    labels: np.ndarray | None  # (N,)
    videos: np.ndarray | None  # (N,)

    @property
    def accuracy(self) -> Interval | None:
        """Share of clips whose label the judge names, with Wilson's interval; None without labels."""
        if self.labels is None:
            return None
        right = self.probabilities.argmax(axis=1) == self.labels
        return accuracy_interval(int(right.sum()), len(right))

    @property
    def confusion(self) -> np.ndarray | None:
        """Counts [asked][named], (K, K); None without labels."""
        if self.labels is None:
            return None
        counts = np.zeros((self.probabilities.shape[1],) * 2, dtype=int)
        np.add.at(counts, (self.labels, self.probabilities.argmax(axis=1)), 1)
        return counts


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


def ask(judge: Judge, source: Source, n: int, seed: int = 0, layer: str = "fc6") -> Answers:
    """Show `n` clips of `source` to the judge."""
    seen, said, labels, videos = [], [], [], []
    for clips, asked, behind in source.draw(n, seed):
        features, probabilities = judge.look(clips, layer)
        seen.append(features)
        said.append(probabilities)
        labels += [] if asked is None else [asked.numpy()]
        videos += [] if behind is None else [behind.numpy()]
    return Answers(np.concatenate(seen), np.concatenate(said), np.concatenate(labels) if labels else None,
                   np.concatenate(videos) if videos else None)


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
    real = reference_answers(judge, reference, n, layer)
    given = [ask(judge, source, n, seed, layer) for seed in seeds]
    first = given[0]
    record = Evaluation(
        source=source.name, note=source.note, data=reference.describe(), kind=reference.kind, n=n,
        seeds=tuple(seeds), distinct=source.distinct, judge=f"{judge.name} [{judge.digest}]",
        judge_accuracy=judge.accuracy.value, classes=judge.classes, layer=layer,
        inception=half_sample_interval(inception_score, first.probabilities, groups=[first.videos], floor=1.0),
        inception_seeds=tuple(inception_score(answers.probabilities) for answers in given),
        frechet=half_sample_interval(frechet_distance, real.features, first.features,
                                     groups=[real.videos, first.videos], floor=0.0),
        frechet_seeds=tuple(frechet_distance(real.features, answers.features) for answers in given),
        accuracy=first.accuracy,
        confusion=None if first.confusion is None else tuple(map(tuple, first.confusion.tolist())),
    )
    if path is not None:
        write_atomic(path, to_json(asdict(record)))
    return record


def reference_answers(judge: Judge, reference, n: int, layer: str) -> Answers:
    """The real side of Eq. 17. The latest is remembered: a panel asks for the same one six times."""
    key = (judge.digest, reference.digest, reference.split, reference.frames, reference.size, reference.stride,
           n, layer)
    if key not in _remembered:
        _remembered.clear()
        _remembered[key] = ask(judge, real_clips(reference), n, REFERENCE_SEED, layer)
    return _remembered[key]


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
    parts = (inception_module, frechet_module, intervals_module, sources, c3d, Judge, evaluate, ask)
    code = "".join(inspect.getsource(part) for part in parts)
    identity = [asdict(replace(source, draw=None)), judge.digest, judge.name, reference.digest,
                reference.split, reference.frames, reference.size, reference.stride, n,
                tuple(seeds), layer, code]
    return f"{source.name.replace(' ', '-')}-{hashlib.sha256(repr(identity).encode()).hexdigest()[:12]}"


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
