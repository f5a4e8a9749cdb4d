"""The two ledgers, written from what a run's chapters measured; chapter 12."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import inf, isfinite
from typing import Any

from hrvgan_lib.book.measurements import Control, Measurement, inside
from hrvgan_lib.book.tables import Link, entry
from hrvgan_lib.budgets import FIRM
from hrvgan_lib.paper import CLAIMS, DECISIONS, Claim, Decision
from hrvgan_lib.paper.claims import NEEDS

HELD, DID_NOT_HOLD, UNDECIDED, VOID = "held", "did not hold", "undecided", "void"
IN_THESE, NOT_IN_THESE = "held in these trainings", "did not hold in these trainings"
BY_CONSTRUCTION, NOT_BY_CONSTRUCTION = "holds by construction", "fails by construction"
AS_PRINTED, NOT_AS_PRINTED = "as printed", "not as printed"
NOT_TESTABLE, NOT_MEASURED = "not testable here", "not measured in this run"
TALLIES = {  # what may be counted together: a shape is no evidence, and one training speaks for itself
    "about the method": (HELD, DID_NOT_HOLD, UNDECIDED, VOID),
    "about these trainings only": (IN_THESE, NOT_IN_THESE),
    "by construction": (BY_CONSTRUCTION, NOT_BY_CONSTRUCTION),
    "printed shapes": (AS_PRINTED, NOT_AS_PRINTED),
    "without a verdict": (NOT_TESTABLE, NOT_MEASURED),
}
VERDICTS = tuple(word for words in TALLIES.values() for word in words)
OLDER = {"reproduced": HELD, "not reproduced": DID_NOT_HOLD, "as claimed in these trainings": IN_THESE,
         "not as claimed in these trainings": NOT_IN_THESE}  # words of runs that were recorded before  # fmt: skip
PAGE = (  # chapter 12's one page: heading, verdict, whether the test is of a part of the claim (None: either), meaning
    ("Held", HELD, False, "the whole interval lies where the claim asks"),
    ("Held, in the part that was tested", HELD, True, "the same, for less than the sentence says"),
    ("Held in these trainings", IN_THESE, False, f"the same, from fewer than {FIRM} training seeds"),
    ("Held in these trainings, in the part that was tested", IN_THESE, True, "both limits at once"),
    ("Did not hold", DID_NOT_HOLD, None, "an interval lies wholly outside of what is asked"),
    ("Did not hold in these trainings", NOT_IN_THESE, None, f"the same, from fewer than {FIRM} training seeds"),
    ("Void", VOID, None, "something that must not pass the test passes it too"),
    ("Undecided", UNDECIDED, None, "there is a number, and it may not or cannot decide"),
    ("Not testable here", NOT_TESTABLE, None, "data or weights that the claim is about are missing"),
    ("Not measured in this run", NOT_MEASURED, None, "its chapter has not run"),
    ("Holds by construction", BY_CONSTRUCTION, None, "true by algebra or design, and no evidence"),
    ("Fails by construction", NOT_BY_CONSTRUCTION, None, "false by algebra or design"),
)  # fmt: skip
ACROSS = "the interval reaches across what is asked"
REASONS = {  # how a reason begins: the same as a heading, and what it means
    "not clear of its own untrained network": (
        "A system has not learned",
        "its score is not clear of that of the same network before training. An order of two systems would then be "
        "one of accidents. Longer trainings would decide.",
    ),
    ACROSS: (
        "The interval reaches across what is asked",
        "values that would carry the claim and values that would sink it both lie in it. More samples, or more "
        "training seeds, would narrow it.",
    ),
    "a control passes": (  # which no reason begins with: `reasons` sees it in the controls
        "The interval reaches across, and a control passes",
        "more samples could sink such a claim and could not carry it: with the whole interval inside it would be void, "
        "since something that must not have the property passes the same test.",
    ),
    "may pass too": (
        "A control may pass too",
        "something that must not have the property comes too near to passing the same test. A sharper test, or more "
        "clips, would tell them apart.",
    ),
    "the paper sets no number": ("Nothing is asked for", "the paper sets no number to hold ours against."),
    "the order turns round with N": ("The order depends on N", "extrapolated to ever more clips it turns round."),
    "unequal budgets": ("Unequal budgets", "one side has seen more clips than the other."),
    "no negative control": ("There is no control", "nothing that must not pass was put to the test."),
}  # fmt: skip

WIDTH = 0.5  # widest interval of a number, as a share of the gap that it has to decide


def verdict(claim: Claim, measured: Iterable[Measurement]) -> tuple[str, str]:
    """What the measurements say of a claim, and why; both are words.

    A claim holds where every measurement answers for it, and fails where one that may be trusted
    answers against it. Raises ValueError for a claim that nothing was measured for: no verdict without a measurement.
    """
    measured = list(measured)
    if not measured:
        raise ValueError(f"claim {claim.id!r} has no measurement: run chapter {claim.chapter}")
    unmet = [need for need in claim.needs if any(need not in m.has for m in measured)]
    if missing := [NEEDS[need] for need in unmet]:
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
    """Whether a measurement answers for its claim (True), against it (False) or neither (None), and why."""
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
        return held, f"{'decided by' if held is False else ACROSS}: {m.what}"
    return True, "as asked"


def barred(claim: Claim, m: Measurement) -> str:
    """Why a measurement may decide nothing, in words; empty where it may."""
    if lost := [side.diverged for side in m.sides if side.diverged]:
        return lost[0]
    if claim.kind == "number" and (behind := _behind(m)):
        return behind
    if claim.kind == "number" and claim.value is not None and claim.gap is not None:
        most = WIDTH * max(claim.gap, abs(m.value - claim.value))
        wide = f"the interval is wider than {most:.4g}, {WIDTH:g} of the gap to decide"
        return "" if m.high - m.low < most else wide
    if not _compares(claim, m):
        return ""
    if len(m.sides) != 2:
        return f"who was trained on what is not said: {m.what}"
    if any(None in (side.clips, side.fakes) for side in m.sides):
        return "the budgets are not known"
    if len({(side.clips, side.fakes) for side in m.sides}) > 1:
        words = "{} {:,} real and {:,} generated clips"
        told = (words.format(side.name, side.clips or 0, side.fakes or 0) for side in m.sides)
        return f"unequal budgets: {', '.join(told)}"
    if behind := _behind(m):
        return behind
    asked, limit = (m.asked_low, m.asked_high), m.limit
    if limit is not None and inside(limit, limit, *asked) is not inside(m.value, m.value, *asked):
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
    return (HELD, DID_NOT_HOLD) if fewest >= FIRM else (IN_THESE, NOT_IN_THESE)


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
            "negative controls": _joined(_control(m, one) for m in mine for one in m.controls),
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


PASSES = {True: "passes", False: "does not pass", None: "may pass"}
NO_NUMBER = "no number"  # of a control


def _control(m: Measurement, one: Control) -> str:
    """A control's number, the range that its own test asks for, and whether it passes."""
    told = f"[{one.low:.4g}, {one.high:.4g}]" if isfinite(one.low) or isfinite(one.high) else NO_NUMBER
    passes = PASSES[inside(one.low, one.high, m.asked_low, m.asked_high)]
    return f"{one.name} {told} (asked: {m.asked}): {passes}" if m.asked else f"{one.name} {told}"


def _joined(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(word for word in words if word))


def reworded(rows: Iterable[dict]) -> list[dict]:
    """Rows of the claims ledger in the words of today, also where a run was recorded with older ones."""
    return [
        row
        | {"verdict": OLDER.get(row["verdict"], row["verdict"])}
        | {"negative controls": (row.get("negative controls") or "").replace("[-inf, inf]", NO_NUMBER)}
        for row in rows
    ]


def heading(row: dict) -> str:
    """The heading of `PAGE` for a row: its verdict, and whether of a part of the claim; of shapes the verdict."""
    claim, said = CLAIMS.get(row.get("claim", "")), row["verdict"]
    part = bool(claim and claim.part)
    return next((name for name, word, parts, _ in PAGE if word == said and parts in (None, part)), said)


def sections(rows: Iterable[dict]) -> dict[str, list[dict]]:
    """Rows of the claims ledger under the headings of `PAGE`, printed shapes left out."""
    found: dict[str, list[dict]] = {name: [] for name, *_ in PAGE}
    for row in rows:
        if row["kind"] != "shape":
            found.setdefault(heading(row), []).append(row)
    return {name: chosen for name, chosen in found.items() if chosen}


def counted(rows: Iterable[dict]) -> list[dict]:
    """How many rows stand under each heading of `PAGE`, and what it means."""
    found = sections(rows)
    unused = {"Void", "Not measured in this run"} - set(found)
    return [{"verdict": name, "claims": len(found.get(name, [])), "what it means": meaning}
            for name, _, _, meaning in PAGE if name not in unused]  # fmt: skip


def reasons(rows: Iterable[dict]) -> dict[tuple[str, str], list[dict]]:
    """Rows of one verdict by what stood in the way: {(heading, what it means): rows}, the most frequent first."""
    found: dict[tuple[str, str], list[dict]] = {}
    for row in rows:
        beginning = next((one for one in REASONS if row["why"].startswith(one)), "")
        if beginning == ACROSS and passing(row):
            beginning = "a control passes"
        if row["verdict"] == NOT_TESTABLE:
            missing = re.sub(r"the (UCF101|Golf|Aeroplane) data set", "the data set", row["why"])
            parts = dict.fromkeys(missing.removeprefix("missing: ").split("; "))
            key = "Missing", f"{'; '.join(parts)}."
        else:
            key = REASONS[beginning] if beginning else ("Another reason", f"{row['why']}.")
        found.setdefault(key, []).append(row)
    return dict(sorted(found.items(), key=lambda one: -len(one[1])))


def numbers(row: dict) -> list[tuple[str, str, str]]:
    """The measurements of a row of the claims ledger: what, the number with its interval, what was asked."""
    found = []
    for told in re.split(r"; (?=[^;]+: )", row["ours"]) if row["ours"] else []:
        asked = re.search(r" \(asked: ([^()]*)\)$", told)
        what, _, number = (told[: asked.start()] if asked else told).rpartition(": ")
        found.append((what, number, asked[1] if asked else ""))
    return found


def deciding(row: dict) -> tuple[str, str, str]:
    """The one of `numbers` that the row's reason names, or else the first; "no number" where there is none."""
    found = numbers(row)
    _, _, named = row["why"].partition(": ")
    whole = [one for one in found if one[0] == named]
    inside_of = [one for one in found if named and named.split(", ")[0] in one[0] and named in one[0]]
    return (whole or inside_of or found or [("", "no number", "")])[0]


def controls(row: dict) -> dict[str, list[str]]:
    """The tests of each control of a row: its number, the asked range, and whether it passes (older rows: number)."""
    found: dict[str, list[str]] = {}
    for told in row["negative controls"].split("; ") if row["negative controls"] else []:
        if one := re.match(rf"(.+?) (\[[^]]*\]|{NO_NUMBER})(.*)$", told):
            found.setdefault(one[1], []).append(f"{one[2]}{one[3]}")
    return found


def passing(row: dict) -> str:
    """The first control of a row that passes every test that it was put to; empty where none does."""
    ends = f": {PASSES[True]}"
    return next((name for name, tests in controls(row).items() if all(one.endswith(ends) for one in tests)), "")


def line(row: dict) -> dict[str, Any]:
    """A row of the claims ledger as chapter 12's page has it: the claim, our number, why, the chapter."""
    claim, found, (what, number, _) = CLAIMS[row["claim"]], numbers(row), deciding(row)
    said, reason = row["verdict"], row["why"].partition(": ")[0]
    held, failed = said in (HELD, IN_THESE), said in (DID_NOT_HOLD, NOT_IN_THESE)
    if said == NOT_TESTABLE:
        why = [what + (f", on {_sets(row['data'])}" if row["data"] else "")]
    else:
        why = [claim.bar[:1].upper() + claim.bar[1:]]
    if claim.part and said not in (UNDECIDED, NOT_TESTABLE):
        why.append(f"Tested only: {claim.part}")
    if len(found) > 1 and (failed or said == UNDECIDED):
        does = "decides" if failed else "reaches across" if reason == ACROSS else "stands here"
        why.append(f"Of {len(found)} numbers this one {does}: {what}")
    if held and len(found) == 1:
        why.append("It rests on this one number")
    if said in (IN_THESE, NOT_IN_THESE) and (clips := re.findall(r"([\d,]+) real", row["training clips"])):
        seen = f"{' or '.join(dict.fromkeys(clips))} clips"
        judge = row["training clips"].startswith("the judge")
        why.append(f"The clips are real ones, the training is the judge's, on {seen}" if judge else f"After {seen}")
    ours = "; ".join(one for _, one, _ in found) if held and len(found) == 2 else number
    return {"the paper's claim": Link(claim.title, f"#{claim.id}"), "ours": _easy(ours),
            "why": ". ".join(why + _behind_it(row, held)) + ".", "chapter": _chapter(row)}  # fmt: skip


def _behind_it(row: dict, held: bool) -> list[str]:
    """What a line says of untrained networks and of controls, in sentences."""
    (reason, _, named), tests = row["why"].partition(": "), controls(row)
    ends = f": {PASSES[not held]}"
    if held:
        every = [f"{name} {one}" for name, each in tests.items() for one in each]
        lost = [one.removesuffix(ends) for one in every if one.endswith(ends)]
        return [f"Does not pass: {one}" for one in (lost or every)[:1]]  # older rows do not say which
    if reason == ACROSS and (name := passing(row)):
        return [f"A control passes, which would make it void: {name} {' and '.join(tests[name])}".removesuffix(ends)]
    if reason == "may pass too":
        return [f"{reason.capitalize()}: {named}" + "".join(f", {one}" for one in tests.get(named, []))]
    arm = "the arm " * row["chapter"].startswith("11")  # whose names say nothing outside of their chapter
    return [f"{reason.capitalize()}: {arm}{named}"] if reason.startswith("not clear") else []


def _sets(data: str) -> str:
    """The column *data* in words: "procedural ucf101, golf"."""
    names: dict[str, list[str]] = {}
    for one in data.split("; "):
        name, _, kind = one.rpartition(", ")
        names.setdefault(kind, []).append(name)
    return "; ".join(f"{kind} {', '.join(found)}" for kind, found in names.items())


def _easy(number: str) -> str:
    """A number with its interval on one line, large ones without an exponent."""

    def plain(found: re.Match) -> str:
        return f"{float(found[0]):,.0f}"

    written = re.sub(r"-?\d+\.?\d*e\+0[3-6]", plain, number)
    return "; ".join(one.replace(" ", "\N{NO-BREAK SPACE}") for one in written.split("; "))


def claim_entry(row: dict, anchored: bool = True) -> str:
    """A row of the claims ledger as a short line of HTML that opens; `anchored`: links lead here and on."""
    claim = CLAIMS[row["claim"]]
    facts = {"the paper": f"{row['the paper']} ({row['where']})", "what would count": claim.bar,
             "tested only": claim.part, "test": row["test"], "ours": row["ours"].split("; "), "why": row["why"],
             "controls, which may not pass all tests": row["negative controls"].split("; "), "data": row["data"],
             "interval over": row["interval over"], "trained on": row["training clips"].split("; "),
             "chapter": _chapter(row) if anchored else row["chapter"][:2]}  # fmt: skip
    said = heading(row)
    return entry(row["claim"], claim.title, said[:1].lower() + said[1:], facts, anchored)


def decision_entry(row: dict, anchored: bool = True) -> str:
    """A row of the decision ledger as a short line of HTML that opens; `anchored`: links lead here and on."""
    facts = {"the paper": f"{row['the paper']} ({row['where']})", "options": row["options"].split("; "),
             "our choice": row["our choice"], "why": row["why"], "switch": row["switch"],
             "measured effect": row["measured effect"].split("; "), "data": row["data"],
             "chapter": _chapter(row) if anchored else row["chapter"][:2]}  # fmt: skip
    return entry(row["decision"], f"{row['decision']} · {row['title']}", row["our choice"], facts, anchored)


def _chapter(row: dict) -> Link:
    return Link(row["chapter"][:2], f"{row['chapter']}.ipynb")
