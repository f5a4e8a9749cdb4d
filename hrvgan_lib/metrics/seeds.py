"""Training seeds of one run, side by side: `SEED=1 make reproduce` adds to what `SEED=0` found (chapter 10)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from hrvgan_lib import provenance
from hrvgan_lib.metrics.intervals import Interval, seed_interval


class Seeds:
    """What each training seed of a run scored, kept in `folder`; scores join where `identity` is the same.

    identity: anything whose `repr` names all that two seeds must share to be compared (judge, data, budget).
    """

    def __init__(self, folder: Path, seed: int, identity: object) -> None:
        self.folder, self.seed = Path(folder), seed
        self.identity = hashlib.sha256(repr(identity).encode()).hexdigest()[:12]
        self.scores: dict[str, float] = {}

    def keep(self, scores: Mapping[str, float]) -> None:
        """Add scores of this seed, each under a name of its own, and write them down."""
        self.scores |= {name: float(score) for name, score in scores.items()}
        provenance.write_atomic(self.folder / f"{self.identity}-seed{self.seed}.json", provenance.to_json(self.scores))

    def values(self, name: str) -> list[float]:
        """The score under `name` of every seed that has one, this one's included."""
        found = [json.loads(path.read_text()) for path in sorted(self.folder.glob(f"{self.identity}-seed*.json"))]
        return [scores[name] for scores in found if name in scores]

    def interval(self, name: str, samples: Interval) -> tuple[Interval, str]:
        """The interval over training seeds where there are two or more, else `samples`; and what it is over."""
        values = self.values(name)
        if len(values) > 1:
            return seed_interval(values), f"{len(values)} training seeds"
        return samples, "samples, 1 training seed"
