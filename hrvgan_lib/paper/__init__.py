"""The paper as data, the only place where a published number is typed (chapters 03, 04, 10 and 12)."""

from .claims import CLAIMS, Claim, claim
from .decisions import DECISIONS, GROUPS, Decision, decision
from .equations import EQUATIONS, Equation, equation
from .references import REFERENCES, Reference, cite
from .tables import (
    OURS,
    SETTINGS,
    TABLE1,
    TABLE2,
    TABLE3,
    TABLE4,
    FrechetRow,
    InceptionRow,
    LayerRow,
    Settings,
    frechet_ratio,
    frechet_row,
    inception_ratio,
    inception_row,
    shape_text,
)

TITLE = "HRVGAN: High Resolution Video Generation using Spatio-Temporal GAN"

__all__ = [
    "CLAIMS", "DECISIONS", "EQUATIONS", "GROUPS", "OURS", "REFERENCES", "SETTINGS",
    "TABLE1", "TABLE2", "TABLE3", "TABLE4", "TITLE",
    "Claim", "Decision", "Equation", "FrechetRow", "InceptionRow", "LayerRow", "Reference",
    "Settings", "cite", "claim", "decision", "equation", "frechet_ratio",
    "frechet_row", "inception_ratio", "inception_row", "shape_text",
]  # fmt: skip
