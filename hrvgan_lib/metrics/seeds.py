"""Training seeds of one run, side by side: `SEED=1 make reproduce` adds to what `SEED=0` found (chapter 10)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from hrvgan_lib.budgets import FIRM, Side
from hrvgan_lib.files import write_atomic
from hrvgan_lib.metrics.rulers.estimates import Estimate, over_seeds, read_estimate


@dataclass(frozen=True)
class Score:
    """What one training seed gave: a number with its clips, the systems behind it, and its limit for many clips."""

    found: Estimate
    sides: tuple[Side, ...]
    limit: float | None


@dataclass(frozen=True)
class Joined:
    """A number over the training seeds of a run: with its interval, what that is over, and what stands behind it."""

    interval: Estimate
    over: str
    sides: tuple[Side, ...]
    limit: float | None  # extrapolated to infinitely many clips, mean over the seeds; None where not known

    @property
    def value(self) -> float:
        return self.interval.value


class Seeds:
    """What each training seed of a run scored, kept in `folder`; scores join where `identity` is the same.

    identity: anything whose `repr` names all that two seeds must share to be compared (judge, data, budget, code).
    """

    def __init__(self, folder: Path, seed: int, identity: object) -> None:
        self.folder, self.seed = Path(folder), seed
        self.identity = hashlib.sha256(repr(identity).encode()).hexdigest()[:12]
        self.scores: dict[str, Score] = {}

    def keep(self, name: str, found: Estimate, sides: Iterable[Side] = (), limit: float | None = None) -> None:
        """Note a number of this seed under a name of its own, and write all of them down."""
        self.scores[name] = Score(found, tuple(sides), limit)
        content = json.dumps({name: asdict(score) for name, score in self.scores.items()})
        write_atomic(self.folder / f"{self.identity}-seed{self.seed}.json", content + "\n")

    def found(self, name: str) -> list[Score]:
        """The number under `name` of every seed that has one, this one's included."""
        files = [
            json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(self.folder.glob(f"{self.identity}-seed*.json"))
        ]
        scores = [scores[name] for scores in files if name in scores]
        return [
            Score(read_estimate(score["found"]), tuple(Side(**side) for side in score["sides"]), score["limit"])
            for score in scores
        ]

    def joined(self, name: str) -> Joined:
        """The number under `name` over the training seeds found (`estimates.over_seeds`).

        A difference of two systems joins in the same way, seed by seed: keep it under a name of its own.
        """
        scores = self.found(name)
        interval, count = over_seeds([score.found for score in scores]), len(scores)
        over = interval.method if count >= FIRM else f"samples of {count} training seed{'s' if count > 1 else ''}"
        limits = [score.limit for score in scores if score.limit is not None]
        sides = tuple(_joined(several) for several in zip(*(score.sides for score in scores)))
        return Joined(interval, over, sides, float(np.mean(limits)) if len(limits) == count else None)


def _joined(sides: tuple[Side, ...]) -> Side:
    """One side over its training seeds: it has learned where it has in each, and diverged where it has in one."""
    return replace(
        sides[0],
        seeds=sum(side.seeds for side in sides),
        diverged=next((side.diverged for side in sides if side.diverged), ""),
        learned=None if any(side.learned is None for side in sides) else all(side.learned for side in sides),
    )
