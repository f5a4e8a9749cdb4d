"""Training seeds of one run, side by side: `SEED=1 make reproduce` adds to what `SEED=0` found (chapter 10)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from hrvgan_lib.files import to_json, write_atomic
from hrvgan_lib.metrics.rulers.intervals import Interval, seed_interval


@dataclass(frozen=True)
class Score:
    """What one training seed scored, after how many training clips, and why it ended early, where it did."""

    value: float
    clips: int = 0
    diverged: str = ""


@dataclass(frozen=True)
class Joined:
    """A score over the training seeds of a run: its mean and interval, the fewest clips, the first divergence."""

    value: float
    interval: Interval
    over: str  # what the interval is over
    clips: int
    diverged: str


class Seeds:
    """What each training seed of a run scored, kept in `folder`; scores join where `identity` is the same.

    identity: anything whose `repr` names all that two seeds must share to be compared (judge, data, budget, code).
    """

    def __init__(self, folder: Path, seed: int, identity: object) -> None:
        self.folder, self.seed = Path(folder), seed
        self.identity = hashlib.sha256(repr(identity).encode()).hexdigest()[:12]
        self.scores: dict[str, Score] = {}

    def keep(self, name: str, value: float, clips: int = 0, diverged: str = "") -> None:
        """Note a score of this seed under a name of its own, and write all of them down."""
        self.scores[name] = Score(float(value), clips, diverged)
        content = to_json({name: asdict(score) for name, score in self.scores.items()})
        write_atomic(self.folder / f"{self.identity}-seed{self.seed}.json", content)

    def found(self, name: str) -> list[Score]:
        """The score under `name` of every seed that has one, this one's included."""
        files = [json.loads(path.read_text()) for path in sorted(self.folder.glob(f"{self.identity}-seed*.json"))]
        return [Score(**scores[name]) for scores in files if name in scores]

    def joined(self, name: str, samples: Interval) -> Joined:
        """The score under `name`, with the interval over training seeds where there are two or more, else `samples`."""
        scores = self.found(name)
        clips, diverged = min(score.clips for score in scores), next((s.diverged for s in scores if s.diverged), "")
        if len(scores) > 1:
            interval = seed_interval([score.value for score in scores])
            return Joined(interval.value, interval, f"{len(scores)} training seeds", clips, diverged)
        return Joined(scores[0].value, samples, "samples, 1 training seed", clips, diverged)
