"""The two ledgers, written from what a run's chapters measured; chapter 12."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from hrvgan_lib.book.measurements import Measurement, inside
from hrvgan_lib.budgets import FIRM
from hrvgan_lib.paper import CLAIMS, DECISIONS, Claim, Decision
from hrvgan_lib.paper.claims import NEEDS

REPRODUCED, NOT_REPRODUCED, UNDECIDED, VOID = "reproduced", "not reproduced", "undecided", "void"
IN_THESE, NOT_IN_THESE = "as claimed in these trainings", "not as claimed in these trainings"
BY_CONSTRUCTION, NOT_BY_CONSTRUCTION = "holds by construction", "fails by construction"
AS_PRINTED, NOT_AS_PRINTED = "as printed", "not as printed"
NOT_TESTABLE, NOT_MEASURED = "not testable here", "not measured in this run"
TALLIES = {  # what may be counted together: a shape is no evidence, and one training speaks for itself
    "about the method": (REPRODUCED, NOT_REPRODUCED, UNDECIDED, VOID),
    "about these trainings only": (IN_THESE, NOT_IN_THESE),
    "by construction": (BY_CONSTRUCTION, NOT_BY_CONSTRUCTION),
    "printed shapes": (AS_PRINTED, NOT_AS_PRINTED),
    "without a verdict": (NOT_TESTABLE, NOT_MEASURED),
}
VERDICTS = tuple(word for words in TALLIES.values() for word in words)

WIDTH = 0.5  # widest interval of a number, as a share of the gap that it has to decide


def verdict(claim: Claim, measured: Iterable[Measurement]) -> tuple[str, str]:
    """What the measurements say of a claim, and why; both are words.

    A claim holds where every measurement answers for it, and fails where one that may be trusted answers against it.
    Raises ValueError for a claim that nothing was measured for: no verdict without a measurement.
    """
    measured = list(measured)
    if not measured:
        raise ValueError(f"claim {claim.id!r} has no measurement: run chapter {claim.chapter}")
    if missing := [NEEDS[need] for need in claim.needs if any(need not in m.has for m in measured)]:
        return NOT_TESTABLE, "missing: " + "; ".join(missing)
    answers = [answer(claim, m) for m in measured]
    against = [(m, why) for m, (held, why) in zip(measured, answers) if held is False]
    against.sort(key=lambda one: -(one[0].seeds or 0))  # the firmest first: it decides
    unanswered = [why for held, why in answers if held is None]
    words = _words(claim, [m for m, _ in against], measured)
    if against:
        return words[1], against[0][1]
    if unanswered:
        return UNDECIDED, unanswered[0]
    if claim.kind == "property" and not claim.by_construction:
        trained = [m for m in measured if not _compares(claim, m)]
        if trained and (passing := _what_passes_too(trained)):
            return passing
    return words[0], "as asked"


def answer(claim: Claim, m: Measurement) -> tuple[bool | None, str]:
    """Whether one measurement answers for its claim (True), against it (False) or not at all (None), and why."""
    exact = claim.by_construction or claim.kind == "shape"
    asked = _around(claim) if claim.kind == "number" else (m.asked_low, m.asked_high)
    if not m.finite:
        return None, f"no finite number: {m.what}"
    if asked == (-inf, inf):
        return None, "the paper sets no number to hold it against"
    if not exact and (reason := barred(claim, m)):
        return None, reason
    held = inside(m.low, m.high, *asked)
    if held and not exact and _compares(claim, m):  # an order has to exclude equality itself
        held = True if asked[0] < m.low and m.high < asked[1] else None
    if held is not True:
        return held, f"{'decided by' if held is False else 'the interval reaches across what is asked'}: {m.what}"
    return True, "as asked"


def barred(claim: Claim, m: Measurement) -> str:
    """Why a measurement may decide nothing, in words; empty where it may."""
    if lost := [side.diverged for side in m.sides if side.diverged]:
        return lost[0]
    if claim.kind == "number" and (behind := _behind(m)):
        return behind
    if claim.kind == "number" and claim.value is not None and claim.gap is not None:
        most = WIDTH * max(claim.gap, abs(m.value - claim.value))
        return "" if m.high - m.low < most else f"the interval is wider than {most:.4g}, {WIDTH:g} of the gap to decide"
    if not _compares(claim, m):
        return ""
    if len(m.sides) != 2:
        return f"who was trained on what is not said: {m.what}"
    if any(None in (side.clips, side.fakes) for side in m.sides):
        return "the budgets are not known"
    budgets = {f"{side.name} {side.clips or 0:,} real and {side.fakes or 0:,} generated clips": (side.clips, side.fakes)
               for side in m.sides}  # fmt: skip
    if len(set(budgets.values())) > 1:
        return f"unequal budgets: {', '.join(budgets)}"
    if behind := _behind(m):
        return behind
    asked = m.asked_low, m.asked_high
    if m.limit is not None and inside(m.limit, m.limit, *asked) is not inside(m.value, m.value, *asked):
        return f"the order turns round with N, at infinitely many clips {m.limit:.4g}: {m.what}"
    return ""


def _behind(m: Measurement) -> str:
    """Which of the systems behind a number have not learned, in words."""
    behind = [side.name for side in m.sides if not side.learned]
    return f"not clear of its own untrained network: {', '.join(behind)}" if behind else ""


def _what_passes_too(measured: list[Measurement]) -> tuple[str, str] | None:
    """The verdict where a negative control passes the whole test, or may; None where each fails a part of it."""
    names = dict.fromkeys(control.name for m in measured for control in m.controls)
    if not names:
        return UNDECIDED, f"no negative control: {measured[0].what}"
    passes = {
        name: [
            inside(control.low, control.high, m.asked_low, m.asked_high)
            for m in measured for control in m.controls if control.name == name
        ]
        for name in names
    }  # fmt: skip
    if sure := [name for name, parts in passes.items() if all(parts)]:
        return VOID, f"passes too: {sure[0]}"
    if maybe := [name for name, parts in passes.items() if False not in parts]:
        return UNDECIDED, f"may pass too: {maybe[0]}"
    return None


def _compares(claim: Claim, m: Measurement) -> bool:
    return claim.kind == "ordering" or len(m.sides) == 2


def _around(claim: Claim) -> tuple[float, float]:
    """The numbers that are nearer to the published one than half of its gap to the next published one."""
    if claim.value is None or not claim.gap:
        return -inf, inf
    return claim.value - claim.gap / 2, claim.value + claim.gap / 2


def _words(claim: Claim, against: list[Measurement], measured: list[Measurement]) -> tuple[str, str]:
    """The two words for "yes" and "no": by kind of claim, and by how many trainings stand behind what decides."""
    if claim.kind == "shape":
        return AS_PRINTED, NOT_AS_PRINTED
    if claim.by_construction:
        return BY_CONSTRUCTION, NOT_BY_CONSTRUCTION
    seeds = [m.seeds for m in measured if m.seeds is not None]
    deciding = [m.seeds for m in against if m.seeds is not None]  # one firm answer against a claim is enough
    fewest = max(deciding) if deciding else min(seeds, default=FIRM)
    return (REPRODUCED, NOT_REPRODUCED) if fewest >= FIRM else (IN_THESE, NOT_IN_THESE)


def claims_ledger(measured: Iterable[Measurement]) -> list[dict]:
    """One row for each claim of the paper, in ledger order."""
    measured = list(measured)
    rows = []
    for claim in CLAIMS.values():
        mine = [m for m in measured if m.claim == claim.id]
        said, why = verdict(claim, mine) if mine else (NOT_MEASURED, claim.chapter)
        rows.append({
            "claim": claim.id, "kind": claim.kind, "where": claim.where, "the paper": claim.words, "test": claim.test,
            "published": claim.value, "verdict": said, "ours": "; ".join(map(_told, mine)),
            "asked": _joined(m.asked for m in mine), "interval over": _joined(m.over for m in mine),
            "data": _joined(m.data for m in mine),
            "training clips": _joined(map(_trained_on, mine)),
            "training seeds": min((m.seeds for m in mine if m.seeds is not None), default=None),
            "negative controls": _joined(
                f"{one.name} [{one.low:.4g}, {one.high:.4g}]" for m in mine for one in m.controls
            ),
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
        "measured in": _joined(m.chapter for m in mine), "chapter": entry.chapter,
    }  # fmt: skip


def _trained_on(m: Measurement) -> str:
    """The budgets of a measurement's sides, in clips of each kind."""

    def told(clips: int | None) -> str:
        return "unknown" if clips is None else f"{clips:,}"

    return ", ".join(
        f"{side.name} {told(side.clips)} real, {told(side.fakes)} generated"
        + (f", {side.extra:,} more in its pixel term" if side.extra else "")
        for side in m.sides
    )


def _told(measured: Measurement) -> str:
    asked = f" (asked: {measured.asked})" if measured.asked and not measured.shown else ""
    return f"{measured.what}: {measured.number}{asked}"


def _joined(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(word for word in words if word))
