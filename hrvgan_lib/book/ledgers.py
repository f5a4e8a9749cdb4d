"""The two ledgers, written from what a run's chapters measured; chapter 12."""

from __future__ import annotations

from collections.abc import Iterable

from hrvgan_lib.book.measurements import Measurement
from hrvgan_lib.paper import CLAIMS, DECISIONS, Claim, Decision
from hrvgan_lib.paper.claims import NEEDS

REPRODUCED, NOT_REPRODUCED, UNDECIDED = "reproduced", "not reproduced", "undecided"
NOT_TESTABLE, NOT_BUILT, NOT_MEASURED = "not testable here", "not built yet", "not measured in this run"
VERDICTS = (REPRODUCED, NOT_REPRODUCED, UNDECIDED, NOT_TESTABLE, NOT_BUILT, NOT_MEASURED)

# Training clips that every network behind a verdict must have seen: below it a verdict would judge our patience.
# TGAN's published score comes after 3.2 million; the gpu profile reaches the first line, the cpu profile the second.
MINIMUM_CLIPS = {"ordering": 30_000}
MINIMUM_CLIPS_OTHERS = 2_000


def verdict(claim: Claim, measured: Iterable[Measurement]) -> tuple[str, str]:
    """What the measurements say of a claim, and why; both are words.

    A claim holds where every measurement answers for it. Raises ValueError for a claim that nothing was measured for:
    no verdict without a measurement, but for what is not built.
    """
    measured = list(measured)
    if "prediction" in claim.needs:
        return NOT_BUILT, NEEDS["prediction"]
    if not measured:
        raise ValueError(f"claim {claim.id!r} has no measurement: run chapter {claim.chapter}")
    if missing := [NEEDS[need] for need in claim.needs if any(need not in m.has for m in measured)]:
        return NOT_TESTABLE, "missing: " + "; ".join(missing)
    if claim.kind != "number" and not any(m.asked for m in measured):
        return UNDECIDED, "the paper sets no number to hold it against"
    if lost := [m.diverged for m in measured if m.diverged]:
        return UNDECIDED, lost[0]
    least = MINIMUM_CLIPS.get(claim.kind, MINIMUM_CLIPS_OTHERS)
    if few := [m.clips for m in measured if m.clips is not None and m.clips < least]:
        return UNDECIDED, f"trained on {min(few):,} clips; a verdict asks for {least:,}"
    if claim.kind == "number":
        assert claim.value is not None  # what makes a claim one of a number
        off = [m for m in measured if not m.low <= claim.value <= m.high]
        return (NOT_REPRODUCED, f"the published value is outside {off[0].number}") if off else (REPRODUCED, "as asked")
    if outside := [m for m in measured if m.holds is False]:
        return NOT_REPRODUCED, f"decided by: {outside[0].what}"
    if across := [m for m in measured if m.holds is None]:
        return UNDECIDED, f"the interval reaches across what is asked: {across[0].what}"
    return REPRODUCED, "as asked"


def claims_ledger(measured: Iterable[Measurement]) -> list[dict]:
    """One row for each claim of the paper, in ledger order."""
    measured = list(measured)
    rows = []
    for claim in CLAIMS.values():
        mine = [m for m in measured if m.claim == claim.id]
        said, why = verdict(claim, mine) if mine or "prediction" in claim.needs else (NOT_MEASURED, claim.chapter)
        rows.append({
            "claim": claim.id, "kind": claim.kind, "where": claim.where, "the paper": claim.words, "test": claim.test,
            "published": claim.value, "verdict": said, "ours": "; ".join(map(_told, mine)),
            "asked": _joined(m.asked for m in mine), "interval over": _joined(m.over for m in mine),
            "data": _joined(m.data for m in mine),
            "training clips": min((m.clips for m in mine if m.clips is not None), default=None),
            "why": why, "chapter": claim.chapter,
        })  # fmt: skip
    return rows


def decisions_ledger(measured: Iterable[Measurement]) -> list[dict]:
    """One row for each decision, in ledger order, with the effects that were measured."""
    measured = list(measured)
    return [_decision_row(entry, [m for m in measured if m.decision == entry.id]) for entry in DECISIONS.values()]


def _decision_row(entry: Decision, mine: list[Measurement]) -> dict:
    return {
        "decision": entry.id, "group": entry.group, "title": entry.title, "where": entry.where,
        "the paper": entry.open_point, "options": "; ".join(entry.options), "our choice": entry.choice,
        "why": entry.why, "switch": entry.switch,
        "measured effect": "; ".join(f"{m.what}: {m.number}" for m in mine), "data": _joined(m.data for m in mine),
        "measured in": _joined(m.chapter for m in mine), "chapter": entry.chapter, "not built yet": entry.pending,
    }  # fmt: skip


def _told(measured: Measurement) -> str:
    asked = f" (asked: {measured.asked})" if measured.asked and not measured.shown else ""
    return f"{measured.what}: {measured.number}{asked}"


def _joined(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(word for word in words if word))
