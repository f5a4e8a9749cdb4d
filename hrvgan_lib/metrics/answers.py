"""What a network makes of clips, kept as it comes: features, answers, motion, thumbnails (chapter 08)."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol, TypeGuard

import numpy as np
from torch import Tensor, nn
from tqdm import tqdm

from hrvgan_lib import ranks
from hrvgan_lib.files import write_atomic
from hrvgan_lib.keys import key_of
from hrvgan_lib.metrics.rulers.behaviour import frame_change, thumbnails
from hrvgan_lib.metrics.rulers.draws import Draw, drawn
from hrvgan_lib.metrics.rulers.estimates import Estimate, share
from hrvgan_lib.metrics.rulers.frechet import EXACT, frechet_distance
from hrvgan_lib.metrics.rulers.intervals import Interval
from hrvgan_lib.metrics.sources import Source, freeze


class Eye(Protocol):
    """A network that looks at clips (a feature extractor): a `Judge`, which names classes too, or an `Extractor`."""

    @property
    def name(self) -> str: ...  # for tables

    @property
    def digest(self) -> str: ...  # of the weights

    @property
    def identity(self) -> str: ...  # two eyes with one identity give the same features

    @property
    def layers(self) -> Sequence[str]: ...

    @property
    def frames_only(self) -> bool: ...  # it sees frames one by one

    @property
    def network(self) -> nn.Module: ...

    def look(self, clips: Tensor, layer: str) -> tuple[np.ndarray, np.ndarray | None]:
        """(features (N, D), probabilities (N, K) or None) of clips (N, 3, T, S, S) in [-1, 1]."""


class Namer(Eye, Protocol):
    """An eye that names classes too (a classifier), as `Judge` does."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def accuracy(self) -> Interval | None: ...  # on held-out clips; None where it was not examined

    @property
    def way(self) -> str: ...  # one line: how clips are shown and scores are joined

    def score(self, probabilities: Sequence[np.ndarray]) -> tuple[float, float, tuple[float, ...]]:
        """(mean, population standard deviation, single scores) of Eq. 16: one (N, K) a repeat."""

    def score_influences(self, rows: np.ndarray) -> np.ndarray:
        """How much each of N clips moves the mean score of one repeat, (N, K) -> (N,)."""


@dataclass(frozen=True)
class Answers:
    """What a network made of N clips. `extractor` and `layer` say whose features these are."""

    features: np.ndarray  # float32 (N, D)
    stills: np.ndarray  # float32 (N, D), of each clip's middle frame standing still
    probabilities: np.ndarray | None  # float64 (N, K); None where no class is named
    labels: np.ndarray | None  # (N,)
    units: np.ndarray | None  # (N,), the look, person or source video behind each clip; None where every clip is new
    change: np.ndarray  # (N,), mean change from frame to frame
    pictures: np.ndarray  # float32 (N, P), thumbnails
    extractor: str = ""
    layer: str = ""
    source: str = ""  # where the clips come from; equal names: the same units
    unit: str = "clip"

    @property
    def draw(self) -> Draw:
        """How the clips were drawn, which is what their intervals go by."""
        return drawn(len(self.features), self.source, self.labels, self.units, self.unit)

    @property
    def right(self) -> np.ndarray | None:
        """Whether the judge names each clip's label, (N,); None without labels."""
        if self.labels is None or self.probabilities is None:
            return None
        return (self.probabilities.argmax(axis=1) == self.labels) & np.isfinite(self.probabilities).all(axis=1)

    @property
    def accuracy(self) -> Estimate | None:
        """Share of clips whose label the judge names, with its interval; None without labels."""
        return None if self.right is None else share(self.right, self.draw)

    @property
    def confusion(self) -> np.ndarray | None:
        """Counts [asked][named], (K, K); None without labels."""
        if self.labels is None or self.probabilities is None:
            return None
        counts = np.zeros((self.probabilities.shape[1],) * 2, dtype=int)
        np.add.at(counts, (self.labels, self.probabilities.argmax(axis=1)), 1)
        return counts

    def distance(self, real: Answers, tolerance: float = EXACT) -> float:
        """Fréchet distance (FVD) to `real` (see there). Raises ValueError for features of another network or layer."""
        if (self.extractor, self.layer) != (real.extractor, real.layer):
            raise ValueError(
                f"features of {self.extractor} {self.layer} and of {real.extractor} {real.layer} do not "
                "compare; extract both with one network and layer"
            )
        return frechet_distance(real.features, self.features, tolerance)


def names_classes(eye: Eye, answers: Answers) -> TypeGuard[Namer]:
    """Whether `eye`, which gave these answers, names classes."""
    return answers.probabilities is not None


ARRAYS = [field.name for field in fields(Answers) if field.type != "str"]


def ask(
    eye: Eye,
    source: Source,
    n: int,
    seed: int = 0,
    layer: str | None = None,
    folder: str | Path | None = None,
    progress: bool = False,
) -> Answers:
    """Show `n` clips of `source` to `eye`, a `Judge` or an `Extractor`.

    layer: one of `eye.layers`; by default "fc6" where there is one, else the first. With a `folder` each chunk is kept
    there as it comes, under a key of network, source, numbers and code: a killed evaluation goes on behind its last
    whole chunk and ends with the same numbers. progress: a bar with the time left, where somebody watches.

    Inside `ranks.joined` each process takes its share of the chunks, and all of them return everything; rank 0 writes.
    """
    layer = layer or ("fc6" if "fc6" in eye.layers else eye.layers[0])
    place = None if folder is None else Path(folder) / "features" / answers_key(eye, source, n, seed, layer)
    parts = ranks.told([] if place is None or ranks.rank() else _kept(place))
    done = sum(len(part["features"]) for part in parts)
    with tqdm(desc=source.name, unit="clip", total=n, initial=done, disable=None if progress else True) as bar:
        looked = (_looked(eye, layer, *chunk) for chunk in (source.draw(n, seed, len(parts)) if done < n else ()))
        for part in looked if ranks.count() == 1 else _shared(eye, layer, source, n, seed, parts):
            if place is not None and not ranks.rank():
                packed = io.BytesIO()
                np.savez(packed, **{name: array for name, array in part.items() if array is not None})
                write_atomic(place / f"{len(parts):05d}.npz", packed.getvalue())
            parts.append(part)
            bar.update(len(part["features"]))
    joined: dict[str, Any] = {
        name: None if parts[0].get(name) is None else np.concatenate([one[name] for one in parts]) for name in ARRAYS
    }
    return Answers(**joined, extractor=eye.identity, layer=layer, source=source.drawn_from(seed), unit=source.unit)


def _looked(eye: Eye, layer: str, clips: Tensor, asked: Tensor | None, behind: Tensor | None) -> dict[str, Any]:
    """What an eye makes of one chunk of clips, by the names in `ARRAYS`."""
    clips = clips.to(next(eye.network.parameters()).device)  # once, for all that is asked of them
    features, probabilities = eye.look(clips, layer)
    middle = clips.shape[2] // 2
    still = clips[:, :, middle : middle + 1] if eye.frames_only else freeze(clips)
    return {
        "features": features, "stills": eye.look(still, layer)[0], "probabilities": probabilities,
        "labels": None if asked is None else asked.numpy(),
        "units": None if behind is None else behind.numpy(),
        "change": frame_change(clips), "pictures": thumbnails(clips),
    }  # fmt: skip


def _shared(eye: Eye, layer: str, source: Source, n: int, seed: int, parts: Sequence) -> Iterator[dict[str, Any]]:
    """The chunks behind `parts`, in order, each looked at by one of the processes: a round of one each, and again."""
    done = sum(len(part["features"]) for part in parts)
    number = len(parts)
    while done < n:
        mine = next(source.draw(n, seed, number + ranks.rank()), None)  # a chunk does not need those before it
        for part in ranks.gathered([] if mine is None else [_looked(eye, layer, *mine)]):
            yield part
            number, done = number + 1, done + len(part["features"])


def _kept(place: Path) -> list[dict[str, np.ndarray]]:
    """The chunks of an earlier run, from the first, as far as they go without a gap and are whole."""
    parts: list[dict[str, np.ndarray]] = []
    while (path := place / f"{len(parts):05d}.npz").is_file():
        try:
            with np.load(path, allow_pickle=False) as arrays:
                parts.append({name: arrays[name] for name in arrays.files})
        except (ValueError, EOFError, zipfile.BadZipFile, zlib.error):  # cut off or damaged: it is made again
            break
    return parts


def answers_key(eye: Eye, source: Source, n: int, seed: int, layer: str) -> str:
    """A folder name that changes with everything that the features depend on, code included."""
    key = key_of(
        __name__,
        type(eye),
        source=[source.name, source.note, source.digest],
        distinct=source.distinct,
        eye=[eye.name, eye.identity],
        layer=layer,
        n=n,
        seed=seed,
    )
    return f"{source.name.replace(' ', '-')}-{key}"
