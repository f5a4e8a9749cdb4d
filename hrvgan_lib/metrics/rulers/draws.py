"""How a set of clips was drawn: for which classes, and of which looks, people or videos (chapter 08)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Draw:
    """How a set of N clips was drawn: who is independent of whom.

    `strata` (N,): the class that each clip was drawn for, in fixed shares; zeros where there are none. `units` (N,):
    the look, person or source video behind each clip; clips of one unit are no independent evidence. A unit may hold
    clips of one class, as a source video does, or of several, as a person does who shows every action.
    """

    source: str  # equal names: the same units
    strata: np.ndarray
    units: np.ndarray
    unit: str = "clip"

    def __len__(self) -> int:
        return len(self.units)

    def design(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(ids of the units (U,), each clip's place among them (N,), its stratum (N,), the stratum of each unit (U,)).

        Where a unit holds several classes, units are of one stratum, number 0.
        """
        units, which = np.unique(self.units, return_inverse=True)
        strata = with_company(self.strata, which)
        of_units: np.ndarray = np.zeros(len(units), int)
        of_units[which] = strata
        if (of_units[which] != strata).any():
            of_units[:] = 0
        return units, which, strata, of_units

    def half(self, random: np.random.Generator) -> np.ndarray:
        """Rows of a random half of the units of each stratum; an odd unit is in it every second time."""
        _, which, _, of_units = self.design()
        chosen: np.ndarray = np.zeros(len(of_units), bool)
        for stratum in np.unique(of_units):
            members = random.permutation(np.flatnonzero(of_units == stratum))
            chosen[members[: (len(members) + random.integers(2)) // 2]] = True
        return np.flatnonzero(chosen[which])


def drawn(
    n: int, source: str, labels: ArrayLike | None = None, units: ArrayLike | None = None, unit: str = "clip"
) -> Draw:
    """The `Draw` of n clips: each a unit of its own, and of one stratum, where nothing else is said."""
    strata = np.zeros(n, int) if labels is None else np.unique(np.asarray(labels), return_inverse=True)[1]
    return Draw(source, strata, np.arange(n) if units is None else np.asarray(units, int), unit)


def with_company(strata: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Strata numbered from 0, each with two units at least where there are two: lone ones are joined.

    A class with a single unit says nothing about its own spread; joined with others it says too much rather than too
    little, since the classes' differences count as spread.
    """
    pairs = np.unique(np.stack([strata, which]), axis=1)[0]
    names, units = np.unique(pairs, return_counts=True)
    lone = names[units < 2]
    if len(lone) == 1 and len(names) > 1:  # one alone joins the smallest of the others
        others = names[units >= 2]
        lone = np.append(lone, others[units[units >= 2].argmin()])
    joined = np.where(np.isin(strata, lone), lone[0] if len(lone) else 0, strata)
    return np.unique(joined, return_inverse=True)[1]
