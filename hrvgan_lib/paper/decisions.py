"""The decision ledger: what the paper leaves open, the options, our choice, its switch (chapter 12)."""

from __future__ import annotations

from dataclasses import dataclass

GROUPS = {
    "A": "architecture",
    "T": "task and data",
    "L": "losses and equations",
    "O": "optimisation",
    "E": "evaluation",
}


@dataclass(frozen=True)
class Decision:
    """One entry of the ledger.

    `where` is the section, equation or table; `open_point` what it leaves to the reader; `choice` is our
    default; `switch` names what selects another reading, as "HRVGANConfig.latent" or "open_dataset.fold"
    (several with commas, empty where one reading is built); `chapter` is where the book shows it; `pending`
    says what of it is not built yet (empty: nothing).
    """

    id: str
    title: str
    where: str
    open_point: str
    options: tuple[str, ...]
    choice: str
    why: str
    switch: str = ""
    chapter: str = ""
    pending: str = ""

    @property
    def group(self) -> str:
        return GROUPS[self.id[0]]


def _ledger() -> dict[str, Decision]:
    from .decisions_evaluation import EVALUATION  # these three need Decision from this module
    from .decisions_networks import NETWORKS
    from .decisions_training import TRAINING

    return {entry.id: entry for entry in (*NETWORKS, *TRAINING, *EVALUATION)}


DECISIONS: dict[str, Decision] = _ledger()


def decision(id: str) -> Decision:
    """The entry with this id, such as "A12". Raises ValueError for an id that the ledger does not hold."""
    if id not in DECISIONS:
        raise ValueError(f"no decision {id!r} in the ledger: ids are A1-A23, T1-T9, L1-L13, O1-O3, E1-E8")
    return DECISIONS[id]


def decisions_in(chapter: str) -> tuple[Decision, ...]:
    """The entries that a chapter shows, in ledger order."""
    return tuple(entry for entry in DECISIONS.values() if entry.chapter == chapter)
