"""What a system has been trained on, in clips of each kind: an order asks for equal budgets (chapters 10 and 12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hrvgan_lib.networks import System
    from hrvgan_lib.training import StepRecord

FIRM = 3  # training seeds from which a number speaks of a method; Student's interval for two is wider than any question
PIXEL = "pixel"  # the term of Eq. 15 that holds generated clips against real ones (`losses.combined_terms`)


@dataclass(frozen=True)
class Budget:
    """Clips behind one training."""

    clips: int  # real ones that the discriminator was shown
    fakes: int  # generated ones that it was shown in its own updates
    extra: int  # real ones that another term of the generator's loss was held against

    def __str__(self) -> str:
        extra = f", {self.extra:,} more in its pixel term" if self.extra else ""
        return f"{self.clips:,} real and {self.fakes:,} generated{extra}"


@dataclass(frozen=True)
class Side:
    """One trained system behind a number. Clips are those of each training seed, as in `Budget`."""

    name: str
    clips: int | None  # None: not known
    fakes: int | None
    extra: int = 0
    seeds: int = 1  # training seeds behind the number
    diverged: str = ""  # why training ended early, where it did
    learned: bool | None = None  # clear of its own untrained network (`comparisons.learned`); None: not measured


def side_of(
    name: str, system: System, records: Sequence[StepRecord], learned: bool | None = None, seeds: int = 1
) -> Side:
    """The `Side` of a trained system, its budget included."""
    spent = budget(system, records)
    return Side(name, spent.clips, spent.fakes, spent.extra, seeds, system.diverged, learned)


def budget(system: System, records: Sequence[StepRecord]) -> Budget:
    """The budget of a training that gave `records`; zeros where it diverged before its first checkpoint."""
    turns = records[-1].clips_seen if records else 0
    seen = turns * system.critic_steps
    return Budget(seen, seen, turns if records and PIXEL in records[-1].generator else 0)
