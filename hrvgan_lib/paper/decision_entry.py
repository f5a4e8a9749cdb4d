"""One entry of the decision ledger, and the groups that the entries fall into (chapter 12)."""

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
    (several with commas, empty where one reading is built); `chapter` is where the book shows it.
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

    @property
    def group(self) -> str:
        return GROUPS[self.id[0]]
