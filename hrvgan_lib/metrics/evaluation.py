"""One evaluation, one record: clips of any source through the judge, kept as JSON (chapters 08 and 10)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from math import isfinite, nan
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from filelock import FileLock

from hrvgan_lib import provenance, ranks
from hrvgan_lib.data.clips import Clips, identity
from hrvgan_lib.files import write_atomic
from hrvgan_lib.keys import key_of
from hrvgan_lib.metrics.answers import Answers, Eye, Namer, answers_key, ask, names_classes
from hrvgan_lib.metrics.comparisons import (
    frechet_estimate,
    inception_estimate,
    kernel_estimate,
    neighbourhood_estimates,
)
from hrvgan_lib.metrics.rulers.behaviour import Behaviour, behaviour
from hrvgan_lib.metrics.rulers.estimates import Estimate, average, read_estimate, share_estimate
from hrvgan_lib.metrics.rulers.frechet import CLOSE, frechet_distance
from hrvgan_lib.metrics.rulers.intervals import sweep
from hrvgan_lib.metrics.sources import (
    Source,
    frozen,
    generated,
    mean_clip,
    noise_clips,
    real_clips,
    resized,
    shuffle_frames,
    untrained,
)

if TYPE_CHECKING:
    from hrvgan_lib.networks import System

REFERENCE_SEED = 987_654  # the real clips of Eq. 17 are one draw, the same for every source
EXTRAPOLATE_FROM = 16  # clips below which no line in 1/N is drawn
CEILINGS = ("noise", "mean clip", "untrained")  # what shows nothing; a position is taken from the nearest
PUBLISHED_SIZE = 64  # side of the clips behind the published scores
ESTIMATES = ("inception", "frechet", "kernel", "precision", "recall", "density", "coverage", "accuracy")
_remembered: dict[str, Answers] = {}


@dataclass(frozen=True)
class Evaluation:
    """What the judge made of one source. Numbers are means over the draws of `n` clips, one a seed, and their 95 %
    intervals say what other draws, and another reference, would have given; nothing about other trainings.

    The fields of Eq. 16 are None where the network names no classes, extrapolations (of the first draw) where N is
    below 16. A number that a clip has made NaN says so in its interval's method.
    """

    source: str
    note: str
    data: str  # the data set that it is compared with, in words
    kind: str  # "real" or "procedural"
    n: int  # clips a draw; as many real ones stand on the other side of Eq. 17
    seeds: tuple[int, ...]
    distinct: int | None
    judge: str
    judge_accuracy: float | None
    protocol: str  # how clips were shown and scores joined
    classes: tuple[str, ...]
    layer: str
    inception: Estimate | None
    inception_seeds: tuple[float, ...]  # one score a seed, or a split
    inception_infinity: float | None  # the score that infinitely many clips would have
    frechet: Estimate
    frechet_seeds: tuple[float, ...]
    frechet_infinity: float | None
    frame_frechet: float  # between single frames: each clip's middle one, standing still
    kernel: Estimate  # kernel distance, unbiased
    precision: Estimate  # fidelity: share of clips that look like some real clip
    recall: Estimate  # variety: share of real clips that look like some of these
    density: Estimate  # fidelity, robust; about 1 for real clips
    coverage: Estimate  # variety, robust
    behaviour: Behaviour
    accuracy: Estimate | None  # share of clips whose asked class the judge names; None without labels
    confusion: tuple[tuple[int, ...], ...] | None  # [asked][named], counts
    device: str
    versions: dict[str, str]

    @property
    def chance(self) -> float:
        return 1 / len(self.classes)


def evaluate(
    source: Source,
    judge: Eye,
    reference: Clips,
    *,
    n: int,
    seeds: Sequence[int] = (0,),
    layer: str | None = None,
    held_out: Clips | None = None,
    folder: str | Path | None = None,
    progress: bool = False,
) -> Evaluation:
    """Everything that this book measures on `n` clips of `source`, for each seed.

    judge: a `Judge`, or an `Extractor`, which names no classes. reference: the `ClipDataset` that the clips should
    resemble, its training split by decision T4; `n` of its clips are drawn once, the same for every source. held_out:
    another split, whose distance from the training clips is the unit of `Behaviour.nearest`. With a `folder` features
    and record are kept there under keys of source, judge, reference, numbers and code, and read where they are there.
    Raises ValueError for fewer than 4 clips or no seed.
    """
    if n < 4 or not seeds:
        raise ValueError(f"an evaluation needs at least 4 clips and one seed, got {n} and {len(seeds)}")
    look = partial(ask, judge, n=n, layer=layer, folder=folder, progress=progress)
    if folder is not None and ranks.count() == 1:  # several processes would wait for each other here
        path = Path(folder) / f"{evaluation_key(source, judge, reference, held_out, n, seeds, layer)}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):  # two chapters want the same: one measures, the other waits and reads
            if path.is_file():
                try:
                    return read_evaluation(path)
                except ValueError as error:
                    warnings.warn(str(error), stacklevel=2)
            record = _evaluated(source, judge, reference, held_out, look, n=n, seeds=seeds, layer=layer)
            write_atomic(path, json.dumps(asdict(record)) + "\n")  # thousands of influences: one line
            return read_evaluation(path)
    return _evaluated(source, judge, reference, held_out, look, n=n, seeds=seeds, layer=layer)


def _evaluated(
    source: Source, judge: Eye, reference: Clips, held_out: Clips | None, look: Callable[..., Answers], *, n: int,
    seeds: Sequence[int], layer: str | None,
) -> Evaluation:  # fmt: skip
    """What `evaluate` returns, measured now."""
    real = _once(look, judge, real_clips(reference), n, layer)
    unseen = None if held_out is None else _once(look, judge, real_clips(held_out), n, layer).pictures
    given = [look(source, seed=seed) for seed in seeds]
    first = given[0]
    return Evaluation(
        source=source.name, note=source.note, data=reference.describe(), kind=reference.kind, n=n,
        seeds=tuple(seeds), distinct=source.distinct, judge=f"{judge.name} [{judge.digest}]", layer=first.layer,
        **_named(judge, given, n),
        **_compared(real, given, n),
        behaviour=behaviour(first.change, first.pictures, real.change, real.pictures, unseen),
        accuracy=None if first.accuracy is None else _accuracy(given),
        confusion=None if first.confusion is None else tuple(map(tuple, first.confusion.tolist())),
        device=provenance.device_name(), versions=provenance.versions(),
    )  # fmt: skip


class _Named(TypedDict):
    """The fields of an `Evaluation` that need a network that names classes."""

    judge_accuracy: float | None
    protocol: str
    classes: tuple[str, ...]
    inception: Estimate | None
    inception_seeds: tuple[float, ...]
    inception_infinity: float | None


def _named(judge: Eye, given: Sequence[Answers], n: int) -> _Named:
    """Eq. 16 of each draw, and who gave the answers; nothing where no classes are named."""
    repeats = f"{n:,} clips x {len(given)}"
    if not names_classes(judge, given[0]):
        return {
            "judge_accuracy": None,
            "protocol": f"{repeats}; features only",
            "classes": (),
            "inception": None,
            "inception_seeds": (),
            "inception_infinity": None,
        }
    found = [inception_estimate(answers, judge) for answers in given]
    said = [one.probabilities for one in given if one.probabilities is not None]
    whole = all(isfinite(one.value) for one in found)
    score = partial(_score, judge)
    return {
        "judge_accuracy": judge.accuracy.value if judge.accuracy else None,
        "protocol": f"{repeats}; {judge.way}",
        "classes": judge.classes,
        "inception": average(found, floor=1.0),
        "inception_seeds": judge.score(said)[2] if whole else (),
        "inception_infinity": sweep(score, said[0]).at_infinity if whole and n >= EXTRAPOLATE_FROM else None,
    }


class _Compared(TypedDict):
    """The fields of an `Evaluation` that compare features with those of real clips."""

    frechet: Estimate
    frechet_seeds: tuple[float, ...]
    frechet_infinity: float | None
    frame_frechet: float
    kernel: Estimate
    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate


def _compared(real: Answers, given: Sequence[Answers], n: int) -> _Compared:
    """Eq. 17 of each draw, the other distances, and what lies in whose neighbourhood, all from `real`."""
    found = [frechet_estimate(real, answers) for answers in given]
    whole = all(isfinite(one.value) for one in found)
    closely = partial(frechet_distance, tolerance=CLOSE)
    around = neighbourhood_estimates(real, given)
    still = np.isfinite(real.stills).all() and np.isfinite(given[0].stills).all()
    return {
        "frechet": average(found, floor=0.0),
        "frechet_seeds": tuple(one.value for one in found),
        "frechet_infinity": (
            sweep(closely, real.features, given[0].features).at_infinity if whole and n >= EXTRAPOLATE_FROM else None
        ),
        "frame_frechet": closely(real.stills, given[0].stills) if still else nan,
        "kernel": average([kernel_estimate(real, answers) for answers in given]),
        "precision": around.precision,
        "recall": around.recall,
        "density": around.density,
        "coverage": around.coverage,
    }


def _score(judge: Namer, rows: np.ndarray) -> float:
    """Eq. 16 as the judge's protocol takes it from one set of clips."""
    return judge.score([rows])[0]


def _accuracy(given: Sequence[Answers]) -> Estimate:
    """Share of clips, of all draws together, whose label the judge names."""
    found = [one.accuracy for one in given]
    return share_estimate(average([one for one in found if one is not None]))


def _once(look: Callable[..., Answers], judge: Eye, source: Source, n: int, layer: str | None) -> Answers:
    """Real clips through the judge. The latest few are remembered: a panel asks for the same ones seven times."""
    key = answers_key(judge, source, n, REFERENCE_SEED, layer or "")
    if key not in _remembered:
        if len(_remembered) >= 4:
            _remembered.pop(next(iter(_remembered)))
        _remembered[key] = look(source, seed=REFERENCE_SEED)
    return _remembered[key]


def read_evaluation(path: str | Path) -> Evaluation:
    """The record in a JSON file that `evaluate` wrote. Raises ValueError for a file that holds none."""
    try:
        raw = json.loads(Path(path).read_text(encoding="utf-8"))
        for name in ESTIMATES:
            raw[name] = raw[name] and read_estimate(raw[name])
        for name in ("seeds", "inception_seeds", "frechet_seeds", "classes"):
            raw[name] = tuple(raw[name])
        raw["behaviour"] = Behaviour(**raw["behaviour"])
        raw["confusion"] = raw["confusion"] and tuple(map(tuple, raw["confusion"]))
        return Evaluation(**raw)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{path}: no whole record of an evaluation ({reason}); it is made again") from None


def mean_and_std(values: Sequence[float]) -> tuple[float, float]:
    """Mean and population standard deviation over seeds, the form in which published scores are printed."""
    return float(np.mean(values)), float(np.std(values))


def evaluation_key(source: Source, eye: Eye, reference: Clips, held_out: Clips | None, n: int, seeds: Sequence[int],
                   layer: str | None) -> str:  # fmt: skip
    """A file name that changes with everything that the record depends on, code included."""
    accuracy = getattr(eye, "accuracy", None)
    key = key_of(
        __name__,
        answers=answers_key(eye, source, n, 0, layer or ""),
        reference=identity(reference),
        held_out=None if held_out is None else identity(held_out),
        seeds=list(seeds),
        accuracy=accuracy,
    )
    return f"{source.name.replace(' ', '-')}-{key}"


def panel(
    system: System,
    train_set: Clips,
    test_set: Clips,
    judge: Eye,
    *,
    n: int,
    seeds: Sequence[int] = (0,),
    layer: str | None = None,
    folder: str | Path | None = None,
    note: str = "",
    first_weights: int = 0,
    progress: bool = False,
) -> dict[str, Evaluation]:
    """A system between its floor and its ceilings, every row at the same `n` and against the same real clips.

    Rows: "real" (clips of the test split, so of other groups: the floor), "frozen" and "shuffled" (the same standing
    still, and in another order); three ceilings (`CEILINGS`): "noise", "mean clip" (of the training split) and
    "untrained" (the system before its first step); the system by its name, "<name> frozen", and "<name> at 64" where it
    is larger: published scores are of 64x64. The real clips and the system are drawn for every seed, the others for
    the first. `note` says in one line what the system is, `first_weights` the seed that its training began from.
    """
    real, fake = real_clips(test_set), generated(system, system.name, note)
    first = generated(untrained(system, first_weights), "untrained", f"{system.name} before its first step")
    noise = noise_clips(test_set.frames, test_set.size)
    mean = mean_clip(train_set)
    shown = [real, frozen(real), shuffle_frames(real), noise, mean, first, fake, frozen(fake, f"{fake.name} frozen")]
    if system.size > PUBLISHED_SIZE:
        shown.append(resized(fake, PUBLISHED_SIZE))
    rows = {}
    for source in shown:
        used = tuple(seeds) if source in (real, fake) else tuple(seeds)[:1]
        rows[source.name] = evaluate(
            source, judge, train_set, n=n, seeds=used, layer=layer, held_out=test_set, folder=folder, progress=progress
        )
    return rows
