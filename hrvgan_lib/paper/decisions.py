"""The decision ledger: what the paper leaves open, the options, our choice, its switch (chapter 12)."""

from __future__ import annotations

from .decision_entry import GROUPS, Decision
from .decisions_evaluation import EVALUATION
from .decisions_networks import NETWORKS
from .decisions_training import TRAINING

DECISIONS: dict[str, Decision] = {entry.id: entry for entry in (*NETWORKS, *TRAINING, *EVALUATION)}


def decision(id: str) -> Decision:
    """The entry with this id, such as "A12". Raises ValueError for an id that the ledger does not hold."""
    if id not in DECISIONS:
        raise ValueError(f"no decision {id!r} in the ledger: ids are A1-A23, T1-T9, L1-L13, O1-O3, E1-E9")
    return DECISIONS[id]


__all__ = ["DECISIONS", "GROUPS", "Decision", "decision"]
