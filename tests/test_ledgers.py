"""The ledgers: no verdict without a measurement, one rule for all of them, every claim measured where it says."""

import ast
import json
import pathlib
import re
from dataclasses import FrozenInstanceError, replace
from functools import cache
from itertools import product
from math import inf
from types import SimpleNamespace

import pytest

from hrvgan_lib import book, paper
from hrvgan_lib.book import ledgers, tables
from hrvgan_lib.book.measurements import Measurement, read_measurements, write_measurement
from hrvgan_lib.keys import code_cells
from hrvgan_lib.metrics import Interval, Seeds, gap, ratio, seed_interval
from hrvgan_lib.paper.claims import NEEDS
from hrvgan_lib.profiles import get_profile
from hrvgan_lib.provenance import repo_root

PROPERTY = paper.claim("temporal-coherence")
ORDERING = paper.claim("is-order-hrvgan-over-vgan")
NUMBER = paper.claim("is-hrvgan")


def measured(value=1.0, low=None, high=None, **fields):
    return Measurement(
        "10_tables", "ours", value, value if low is None else low, value if high is None else high, **fields
    )


@pytest.mark.parametrize(
    "low, high, said",
    [(1.1, 1.4, ledgers.REPRODUCED), (0.2, 0.9, ledgers.NOT_REPRODUCED), (0.9, 1.1, ledgers.UNDECIDED)],
)
def test_an_interval_within_outside_or_across_the_asked_range(low, high, said):
    assert ledgers.verdict(PROPERTY, [measured(1.0, low, high, asked_low=1.0, clips=10_000)])[0] == said


def test_every_measurement_of_a_claim_has_to_hold():
    good, bad = measured(2.0, asked_low=1.0), replace(measured(0.5, asked_low=1.0), what="the other number")
    assert ledgers.verdict(PROPERTY, [good, good])[0] == ledgers.REPRODUCED
    said, why = ledgers.verdict(PROPERTY, [good, bad])
    assert (said, why) == (ledgers.NOT_REPRODUCED, "decided by: the other number")
    across = replace(measured(1.0, 0.5, 1.5, asked_low=1.0), what="the wide one")
    assert ledgers.verdict(PROPERTY, [good, across]) == (
        ledgers.UNDECIDED,
        "the interval reaches across what is asked: the wide one",
    )
    assert ledgers.verdict(PROPERTY, [across, bad])[0] == ledgers.NOT_REPRODUCED


# What can be wrong with a measurement, the gravest first, and what the ledger then has to say.
FAULTS = {
    "a need is missing": ({"has": ()}, ledgers.NOT_TESTABLE),
    "diverged": ({"diverged": "training diverged at step 3"}, ledgers.UNDECIDED),
    "few clips": ({"clips": 29_999}, ledgers.UNDECIDED),
    "outside": ({"low": 0.2, "high": 0.4}, ledgers.NOT_REPRODUCED),
    "across": ({"low": 0.2, "high": 2.5}, ledgers.UNDECIDED),
    "nothing": ({}, ledgers.REPRODUCED),
    "nothing, and nothing was trained": ({"clips": None}, ledgers.REPRODUCED),
}
REASONS = {
    "a need is missing": "missing: VGAN, TGAN and MoCoGAN trained under one protocol",
    "diverged": "training diverged at step 3",
    "few clips": "trained on 29,999 clips; a verdict asks for 30,000",
    "outside": "decided by: the score",
    "across": "the interval reaches across what is asked: the score",
    "nothing": "as asked",
    "nothing, and nothing was trained": "as asked",
}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_gravest_fault_of_several_measurements_decides(number):
    sound = Measurement(
        "10_tables", "the score", 2.0, 1.5, 2.5, ORDERING.id, asked_low=1.0, clips=30_000, has=("all systems",)
    )
    for faults in product(FAULTS, repeat=number):
        gravest = min(faults, key=list(FAULTS).index)
        rows = [replace(sound, **FAULTS[fault][0]) for fault in faults]
        assert ledgers.verdict(ORDERING, iter(rows)) == (FAULTS[gravest][1], REASONS[gravest]), faults


def test_of_two_faults_in_one_measurement_the_graver_decides():
    sound = Measurement(
        "10_tables", "the score", 2.0, 1.5, 2.5, ORDERING.id, asked_low=1.0, clips=30_000, has=("all systems",)
    )
    kinds = ["a need is missing", "diverged", "few clips", "across"]
    for graver, other in [(a, b) for i, a in enumerate(kinds) for b in kinds[i + 1 :]]:
        row = replace(sound, **(FAULTS[graver][0] | FAULTS[other][0]))
        assert ledgers.verdict(ORDERING, [row]) == (FAULTS[graver][1], REASONS[graver])


def test_the_fewest_clips_and_the_first_fault_are_named():
    few = [measured(2.0, asked_low=1.0, clips=clips) for clips in (1_999, 7, 500)]
    assert ledgers.verdict(PROPERTY, few)[1] == "trained on 7 clips; a verdict asks for 2,000"
    lost = [measured(2.0, asked_low=1.0, diverged=words) for words in ("", "at step 3", "at step 9")]
    assert ledgers.verdict(PROPERTY, lost)[1] == "at step 3"
    bad = [replace(measured(value, asked_low=1.0), what=what) for value, what in ((2, "a"), (0, "b"), (-1, "c"))]
    assert ledgers.verdict(PROPERTY, bad)[1] == "decided by: b"
    wide = [replace(measured(1.0, low, 1.5, asked_low=1.0), what=what) for low, what in ((1, "a"), (0, "b"), (0, "c"))]
    assert ledgers.verdict(PROPERTY, wide)[1] == "the interval reaches across what is asked: b"


@pytest.mark.parametrize(
    "claim", [c for c in paper.CLAIMS.values() if c.needs and "prediction" not in c.needs], ids=lambda c: c.id
)
def test_each_need_has_to_be_met_by_each_measurement(claim):
    value = claim.value or 1.0
    sound = Measurement(claim.chapter, "ours", value, value, value, asked_low=value, has=claim.needs)
    assert ledgers.verdict(claim, [sound, sound])[0] == ledgers.REPRODUCED
    for need in claim.needs:
        lame = replace(sound, has=tuple(other for other in claim.needs if other != need))
        for rows in ([lame, sound], [sound, lame], [lame, lame]):
            assert ledgers.verdict(claim, rows) == (ledgers.NOT_TESTABLE, f"missing: {NEEDS[need]}")
    bare = replace(sound, has=())
    assert ledgers.verdict(claim, [sound, bare])[1] == "missing: " + "; ".join(NEEDS[need] for need in claim.needs)


def test_a_measurement_without_a_bar_stands_beside_one_with_a_bar():
    good, bad, free = measured(2.0, asked_low=1.0), measured(0.5, asked_low=1.0), measured(39)
    assert (
        ledgers.verdict(PROPERTY, [free, good])
        == ledgers.verdict(PROPERTY, [good, free])
        == (ledgers.REPRODUCED, "as asked")
    )
    assert ledgers.verdict(PROPERTY, [free, bad])[0] == ledgers.NOT_REPRODUCED
    assert ledgers.verdict(PROPERTY, [free, free]) == (ledgers.UNDECIDED, "the paper sets no number to hold it against")


def test_a_published_number_is_its_own_bar():
    whole = measured(14.0, 13.5, 14.29, clips=2_000, has=("ucf101", "published classifier"))
    assert NUMBER.value == 14.29 and whole.asked == ""
    assert ledgers.verdict(NUMBER, [whole]) == (ledgers.REPRODUCED, "as asked")
    assert ledgers.verdict(NUMBER, [replace(whole, low=14.29, high=15.0)])[0] == ledgers.REPRODUCED
    away = replace(whole, value=14.5, low=14.3, high=14.7)
    assert ledgers.verdict(NUMBER, [whole, away, replace(away, value=15.5, high=16.0)]) == (
        ledgers.NOT_REPRODUCED,
        "the published value is outside 14.5 [14.3, 14.7]",
    )
    assert ledgers.verdict(NUMBER, [replace(away, diverged="at step 3")]) == (ledgers.UNDECIDED, "at step 3")
    assert ledgers.verdict(NUMBER, [replace(away, clips=1_999)])[0] == ledgers.UNDECIDED


def test_the_recorded_profiles_reach_the_number_of_clips_that_a_verdict_asks_for():
    gpu, cpu = get_profile("gpu"), get_profile("cpu")
    assert ledgers.MINIMUM_CLIPS == {"ordering": 30_000} and ledgers.MINIMUM_CLIPS_OTHERS == 2_000
    assert gpu.batch * min(gpu.steps, gpu.rival_steps, gpu.side_steps) >= 30_000
    assert cpu.batch * cpu.steps >= 2_000


def test_a_claim_that_sets_no_bar_gets_no_verdict():
    assert ledgers.verdict(PROPERTY, [measured(39)])[0] == ledgers.UNDECIDED


def test_few_training_clips_leave_a_claim_undecided():
    for claim, least in ((PROPERTY, ledgers.MINIMUM_CLIPS_OTHERS), (ORDERING, ledgers.MINIMUM_CLIPS["ordering"])):
        row = measured(2.0, asked_low=1.0, clips=least - 1, has=("all systems",))
        assert ledgers.verdict(claim, [row])[0] == ledgers.UNDECIDED
        assert ledgers.verdict(claim, [replace(row, clips=least)])[0] == ledgers.REPRODUCED


def test_a_number_needs_its_data_set_and_its_classifier():
    near = measured(14.3, 14.0, 14.6, clips=10**6)
    assert ledgers.verdict(NUMBER, [near]) == (
        ledgers.NOT_TESTABLE,
        "missing: the UCF101 data set; the C3D weights of TGAN's protocol",
    )
    assert ledgers.verdict(NUMBER, [replace(near, has=("ucf101",))])[0] == ledgers.NOT_TESTABLE
    golf = ledgers.verdict(paper.claim("fd-golf-hrvgan"), [replace(near, has=("golf", "published classifier"))])
    assert golf[0] == ledgers.NOT_TESTABLE and "does not name" in golf[1]
    whole = replace(near, has=("ucf101", "published classifier"))
    assert ledgers.verdict(NUMBER, [whole])[0] == ledgers.REPRODUCED
    assert ledgers.verdict(NUMBER, [replace(whole, low=14.0, high=14.2)])[0] == ledgers.NOT_REPRODUCED


def test_no_verdict_without_a_measurement():
    with pytest.raises(ValueError, match="claim 'temporal-coherence' has no measurement: run chapter 09"):
        ledgers.verdict(PROPERTY, [])
    rows = {row["claim"]: row for row in ledgers.claims_ledger([])}
    assert len(rows) == len(paper.CLAIMS)
    assert {row["verdict"] for row in rows.values()} == {ledgers.NOT_MEASURED, ledgers.NOT_BUILT}


def test_a_diverged_run_gives_no_verdict_and_says_why():
    row = measured(2.0, asked_low=1.0, clips=10**6, diverged="training diverged at step 3")
    assert ledgers.verdict(PROPERTY, [row]) == (ledgers.UNDECIDED, "training diverged at step 3")


def test_what_is_not_built_says_so_and_needs_no_number():
    assert ledgers.verdict(paper.claim("prediction"), [])[0] == ledgers.NOT_BUILT


def test_a_number_that_is_none_holds_for_nothing():
    assert measured(float("nan"), asked_low=0.0).holds is None


@pytest.mark.parametrize(
    "bounds, words",
    [
        ({}, ""),
        ({"asked_low": 0.5}, "at least 0.5"),
        ({"asked_high": 12345.0}, "at most 1.234e+04"),
        ({"asked_low": -1.0, "asked_high": 1 / 3}, "at least -1 and at most 0.3333"),
        ({"asked_low": 256, "asked_high": 256.0}, "256"),
        ({"asked_low": 0, "asked_high": 0}, "0"),
    ],
)
def test_the_asked_range_in_words(bounds, words):
    assert measured(**bounds).asked == words


@pytest.mark.parametrize(
    "row, words",
    [
        (measured(1 / 3), "0.3333"),
        (measured(1 / 3, 0.25, 12345.0), "0.3333 [0.25, 1.234e+04]"),
        (measured(2.0, 2.0, 2.5), "2 [2, 2.5]"),
        (measured(1.0, 0.5, 1.5, shown="8 × 4"), "8 × 4"),
    ],
)
def test_a_number_in_words(row, words):
    assert row.number == words


@pytest.mark.parametrize(
    "low, high, holds",
    [
        (1.0, 2.0, True),
        (1.25, 1.75, True),
        (1.0, 1.0, True),
        (2.0, 2.0, True),  # the bounds are in the range
        (0.0, 0.75, False),
        (2.25, 9.0, False),
        (0.0, 1.0, None),
        (2.0, 3.0, None),
        (0.5, 1.5, None),
        (1.5, 2.5, None),
        (0.0, 3.0, None),
    ],
)
def test_an_interval_holds_where_all_of_it_is_asked_for(low, high, holds):
    row = measured(1.0, low, high, asked_low=1.0, asked_high=2.0)
    assert row.holds is holds
    mirrored = measured(-1.0, -high, -low, asked_low=-2.0, asked_high=-1.0)
    assert mirrored.holds is holds
    if low >= 1.0 or high < 1.0:
        assert replace(row, asked_high=inf).holds is (low >= 1.0)
    if high <= 2.0 or low > 2.0:
        assert replace(row, asked_low=-inf).holds is (high <= 2.0)
    assert replace(row, asked_low=-inf, asked_high=inf).holds is True


def test_a_measurement_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        measured().value = 2.0


def test_measurements_survive_the_way_through_json(tmp_path):
    rows = [measured(2.0, 1.5, 2.5, claim="nash", asked_high=3.0, clips=7, has=("ucf101",)), measured(decision="A12")]
    usage = {"measurements": [write_measurement(row) for row in rows]}
    (tmp_path / "05_losses.usage.json").write_text(json.dumps(usage))
    (tmp_path / "00_start_here.usage.json").write_text("{}")
    assert read_measurements(tmp_path) == rows
    assert "Infinity" not in json.dumps(usage) and rows[1].asked_high == inf


def test_a_measurement_as_json_keeps_every_bound_that_is_one():
    record = write_measurement(measured(2.0, asked_low=1.0, has=("golf",), clips=7))
    assert record == {
        "chapter": "10_tables", "what": "ours", "value": 2.0, "low": 2.0, "high": 2.0, "claim": "", "decision": "",
        "asked_low": 1.0, "asked_high": None, "over": "", "data": "", "clips": 7, "has": ("golf",), "shown": "",
        "diverged": "",
    }  # fmt: skip
    assert write_measurement(measured(asked_high=-3.0))["asked_high"] == -3.0
    assert write_measurement(measured())["asked_low"] is None


def test_usage_files_are_read_in_chapter_order_and_by_name(tmp_path, monkeypatch):
    for chapter in ("10_tables", "02_norm_layers", "aside"):
        record = write_measurement(replace(measured(), chapter=chapter, what="Fréchet distance"))
        (tmp_path / f"{chapter}.usage.json").write_text(
            json.dumps({"measurements": [record | {"of a later book": 1}]}, ensure_ascii=False), encoding="utf-8"
        )
    (tmp_path / "03_generator.usage.json").write_text(
        json.dumps(
            {
                "measurements": [
                    {"chapter": "03_generator", "what": "of an earlier book", "value": 1, "low": 0, "high": 2}
                ]
            }
        )
    )
    read_text = pathlib.Path.read_text
    monkeypatch.setattr(
        pathlib.Path, "read_text", lambda path, encoding="ascii", errors=None: read_text(path, encoding, errors)
    )  # a machine with another encoding than UTF-8
    rows = read_measurements(str(tmp_path))
    assert [row.chapter for row in rows] == ["02_norm_layers", "03_generator", "10_tables"]
    assert rows[0].what == "Fréchet distance"
    assert rows[1] == Measurement("03_generator", "of an earlier book", 1, 0, 2)
    assert read_measurements(tmp_path / "none") == []


def test_an_interval_that_leaves_out_zero_is_one_of_disjoint_intervals():
    a, b, c = (Interval(low, high, (low + high) / 2, 8, "") for low, high in ((3.0, 4.0), (1.0, 2.0), (1.5, 3.5)))
    assert gap(a, b).low > 0 and gap(b, a).high < 0 and gap(a, c).low < 0 < gap(a, c).high
    assert ratio(a, b).low == 1.5 and ratio(a, b).high == 4.0 and ratio(a, b).value == pytest.approx(3.5 / 1.5)


def test_the_interval_over_seeds_is_student_s():
    interval = seed_interval([1.0, 2.0, 3.0])
    assert interval.value == 2.0 and interval.high - 2.0 == pytest.approx(4.302653 / 3**0.5)
    with pytest.raises(ValueError, match="at least 2"):
        seed_interval([1.0])


@pytest.fixture
def pages(tmp_path, monkeypatch):
    """Opens a chapter's page in a repository of its own."""
    monkeypatch.setenv("HRVGAN_ROOT", str(tmp_path))
    return book.open_page


def toy_set(name="golf", kind="real"):
    return SimpleNamespace(name=name, kind=kind)


def test_what_a_chapter_measures_reaches_the_ledger(pages):
    first = pages("09_latent_space")
    samples = Interval(1.1, 1.4, 1.2, 8, "half-sampling")
    first.measure(
        "change",
        1,
        claim="temporal-coherence",
        low=1,
        high=2,
        interval=samples,
        clips=5_000,
        data=[toy_set(), toy_set("ucf101", "procedural"), toy_set()],
        over="3 training seeds",
    )
    first.measure("length", 0.5, decision="A12", shown="half")
    first.colophon()
    last = pages("12_claims_and_decisions")
    assert last.measurements() == [
        Measurement("09_latent_space", "change", 1.0, 1.1, 1.4, "temporal-coherence", "", 1, 2, "3 training seeds",
                    "golf, real; ucf101, procedural", 5_000, ("golf",)),
        Measurement("09_latent_space", "length", 0.5, 0.5, 0.5, "", "A12", shown="half"),
    ]  # fmt: skip
    last.measure("entries", 56, claim="detailed-description")
    rows = {row["claim"]: row for row in ledgers.claims_ledger(last.measurements())}
    assert rows["temporal-coherence"]["verdict"] == ledgers.REPRODUCED
    assert rows["detailed-description"]["verdict"] == ledgers.UNDECIDED
    assert {
        row["verdict"] for name, row in rows.items() if name not in ("temporal-coherence", "detailed-description")
    } == {ledgers.NOT_MEASURED, ledgers.NOT_BUILT}
    decisions = {row["decision"]: row for row in ledgers.decisions_ledger(last.measurements())}
    assert decisions["A12"]["measured effect"] == "length: half"


def test_a_chapter_that_runs_again_replaces_what_it_measured(pages):
    for value in (1.0, 2.0):
        page = pages("05_losses")
        page.measure("value", value, claim="nash", low=1.5)
        assert [row.value for row in page.measurements()] == [value]  # not what its last run has left
        page.colophon()
    assert [row.value for row in pages("12_claims_and_decisions").measurements()] == [2.0]
    assert pages("12_claims_and_decisions", run="other").measurements() == []


@pytest.mark.parametrize("partial", [False, True])
def test_only_a_real_data_set_that_is_whole_meets_a_need(pages, partial):
    page = pages("10_tables", allow_partial=partial)
    both = [toy_set("golf"), toy_set("aeroplane"), toy_set("ucf101", "procedural")]
    page.measure("side", 128, claim="data-stacks", low=128, high=128, data=iter(both), has=["named metric", "golf"])
    (row,) = page.measurements()
    assert row.has == (("named metric", "golf") if partial else ("golf", "aeroplane", "named metric"))
    assert row.data == "golf, real; aeroplane, real; ucf101, procedural"
    said, why = ledgers.verdict(paper.claim("data-stacks"), [row])
    assert said == (ledgers.NOT_TESTABLE if partial else ledgers.REPRODUCED)
    assert why == ("missing: the Aeroplane data set" if partial else "as asked")


def test_what_a_measurement_leaves_open_is_filled_in_by_the_page(pages):
    page = pages("10_tables")
    page.measure("exact", True, claim="sgd")
    page.measure("estimated", 2.0, claim="sgd", interval=Interval(1.0, 3.0, 2.0, 8, ""), high=0, diverged="at step 3")
    assert page.measurements() == [
        Measurement("10_tables", "exact", 1.0, 1.0, 1.0, "sgd"),
        Measurement("10_tables", "estimated", 2.0, 1.0, 3.0, "sgd", asked_high=0, over="samples", diverged="at step 3"),
    ]
    assert isinstance(page.measurements()[0].value, float)


def test_a_row_of_the_claims_ledger_field_by_field():
    claim = paper.claim("generality")
    rows = {row["claim"]: row for row in ledgers.claims_ledger(iter([
        measured(2.0, claim=ORDERING.id, asked_low=1.0, over="samples", data="golf, real", clips=40_000,
                 has=("all systems",)),
        measured(7.0, claim="nash"),
        measured(3.0, 2.5, 3.5, claim=ORDERING.id, asked_low=1.0, over="samples", data="ucf101, real", clips=35_000,
                 has=("all systems",)),
        measured(4.0, claim=ORDERING.id, asked_low=1.0, shown="four", has=("all systems",), over="2 training seeds"),
    ]))}  # fmt: skip
    assert list(rows) == list(paper.CLAIMS)
    assert rows[ORDERING.id] == {
        "claim": ORDERING.id, "kind": "ordering", "where": "Table 3", "the paper": ORDERING.words,
        "test": ORDERING.test, "published": ORDERING.value, "verdict": ledgers.REPRODUCED,
        "ours": "ours: 2 (asked: at least 1); ours: 3 [2.5, 3.5] (asked: at least 1); ours: four",
        "asked": "at least 1", "interval over": "samples; 2 training seeds", "data": "golf, real; ucf101, real",
        "training clips": 35_000, "why": "as asked", "chapter": "10_tables",
    }  # fmt: skip
    assert rows["nash"]["verdict"] == ledgers.UNDECIDED
    assert (rows["nash"]["ours"], rows["nash"]["asked"], rows["nash"]["training clips"]) == ("ours: 7", "", None)
    assert rows["generality"] == {
        "claim": "generality", "kind": claim.kind, "where": claim.where, "the paper": claim.words, "test": claim.test,
        "published": None, "verdict": ledgers.NOT_BUILT, "ours": "", "asked": "", "interval over": "", "data": "",
        "training clips": None, "why": NEEDS["prediction"], "chapter": "10_tables",
    }  # fmt: skip
    sgd = rows["sgd"]
    assert (sgd["verdict"], sgd["why"], sgd["ours"]) == (ledgers.NOT_MEASURED, "11_ablations", "")


def test_a_claim_that_needs_what_is_not_built_stays_not_built_when_it_is_measured():
    rows = {row["claim"]: row for row in ledgers.claims_ledger([measured(1.0, claim="generality", asked_high=2)])}
    assert rows["generality"]["verdict"] == ledgers.NOT_BUILT
    assert rows["generality"]["ours"] == "ours: 1 (asked: at most 2)"


def test_every_verdict_that_the_ledger_gives_is_one_of_six_words():
    words = [ledgers.REPRODUCED, ledgers.NOT_REPRODUCED, ledgers.UNDECIDED, ledgers.NOT_TESTABLE, ledgers.NOT_BUILT,
             ledgers.NOT_MEASURED]  # fmt: skip
    assert list(ledgers.VERDICTS) == words and len(set(words)) == 6


def test_a_row_of_the_decision_ledger_field_by_field():
    rows = {row["decision"]: row for row in ledgers.decisions_ledger(iter([
        measured(3.0, decision="A12", data="golf, real"), measured(5.0, claim="A12"),
        replace(measured(4.0, 3.5, 4.5, decision="A12", data="golf, real"), chapter="02_norm_layers", what="theirs"),
    ]))}  # fmt: skip
    entry = paper.decision("A12")
    assert rows["A12"] == {
        "decision": "A12", "group": "architecture", "title": entry.title, "where": entry.where,
        "the paper": entry.open_point, "options": "; ".join(entry.options), "our choice": entry.choice,
        "why": entry.why, "switch": entry.switch, "measured effect": "ours: 3; theirs: 4 [3.5, 4.5]",
        "data": "golf, real", "measured in": "10_tables; 02_norm_layers", "chapter": entry.chapter,
        "not built yet": entry.pending,
    }  # fmt: skip
    assert len(entry.options) > 1 and rows["A1"]["measured in"] == rows["A1"]["data"] == ""


def test_the_decision_ledger_has_a_row_for_every_entry_and_joins_the_effects():
    rows = {
        row["decision"]: row
        for row in ledgers.decisions_ledger(
            [measured(3.0, decision="A12", data="ucf101, procedural"), measured(4.0, 3.5, 4.5, decision="A12")]
        )
    }
    assert list(rows) == list(paper.DECISIONS)
    assert rows["A12"]["measured effect"] == "ours: 3; ours: 4 [3.5, 4.5]" and rows["A1"]["measured effect"] == ""
    assert rows["T2"]["not built yet"]


def hands_on(function: ast.AST) -> bool:
    """Whether a chapter's own function gives its further keywords to page.measure."""
    rest = isinstance(function, ast.FunctionDef) and function.args.kwarg
    return bool(rest) and any(
        call.func.attr == "measure"
        and any(not word.arg and ast.unparse(word.value) == rest.arg for word in call.keywords)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
    )


def spellings(node: ast.expr, tree: ast.Module) -> list[str]:
    """Patterns of what an expression can be: a string, an f-string, one of two, or what a loop goes through."""
    match node:
        case ast.Constant():
            return [re.escape(str(node.value))]
        case ast.JoinedStr():
            return [
                "".join(re.escape(part.value) if isinstance(part, ast.Constant) else r"\w+" for part in node.values)
            ]
        case ast.IfExp():
            return spellings(node.body, tree) + spellings(node.orelse, tree)
        case ast.Name():
            loops = [one for one in ast.walk(tree) if isinstance(one, ast.For) and isinstance(one.iter, ast.Tuple)]
            return [
                spelling
                for loop in loops
                if getattr(loop.target, "id", "") == node.id
                for one in loop.iter.elts
                for spelling in spellings(one, tree)
            ]
    return []


@cache
def ids_measured(source: str, kind: str) -> list[str]:
    """Patterns of the ids that a source gives to page.measure as `claim` or `decision`."""
    tree = ast.parse(source)
    functions = {"page.measure"} | {function.name for function in ast.walk(tree) if hands_on(function)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.keywords
             and ast.unparse(node.func) in functions]  # fmt: skip
    return [
        spelling
        for call in calls
        for word in call.keywords
        if word.arg == kind
        for spelling in spellings(word.value, tree)
    ]


@cache
def cells_of(chapter: str) -> str:
    return "\n".join(code_cells(repo_root() / "notebooks" / f"{chapter}.py"))


@pytest.mark.parametrize("claim", [c for c in paper.CLAIMS.values() if c.id != "prediction"], ids=lambda c: c.id)
def test_every_claim_is_measured_in_its_chapter(claim):
    found = ids_measured(cells_of(claim.chapter), "claim")
    assert any(re.fullmatch(spelling, claim.id) for spelling in found), f"{claim.chapter} does not measure {claim.id}"


def test_a_comment_or_a_word_in_a_string_measures_nothing():
    found = ids_measured(
        """# page.measure("a", 1, claim="nash")
words = 'page.measure("a", 1, claim="nash")'
other.measure("a", 1, claim="sgd")
page.measure("a", 1, decision="A1", claim=f"is-{name}")
page.measure("a", 1, claim="figure4" if words else "leaky")
for one in ("generality", "unsupervised"):
    page.measure("a", 1, claim=one)
def tell(words, **asked):
    page.measure(words, 1, **asked)
tell("a", claim="least")
""",
        "claim",
    )
    assert sorted(found[1:]) == ["figure4", "generality", "leaky", "least", "unsupervised"]
    assert re.fullmatch(found[0], "is-vgan") and not re.fullmatch(found[0], "is-order-vgan-over-tgan")


def test_every_id_that_a_chapter_measures_is_in_a_ledger():
    chapters = [path.stem for path in (repo_root() / "notebooks").glob("[0-9]*.py")]
    for chapter, (kind, ledger) in product(chapters, (("claim", paper.CLAIMS), ("decision", paper.DECISIONS))):
        for spelling in ids_measured(cells_of(chapter), kind):
            assert any(re.fullmatch(spelling, entry) for entry in ledger), f"{chapter}: {spelling}"
    assert sum(len(ids_measured(cells_of(chapter), "decision")) for chapter in chapters) > 50


def test_a_link_shows_in_both_forms_of_a_table():
    rows = [{"chapter": book.Link("10 <a>", "10_tables.ipynb"), "id": book.Link("A12", name="A12")}]
    assert "[10 <a>](10_tables.ipynb)" in tables.markdown_table(rows, ["chapter", "id"], "")
    page = tables.html_table(rows, ["chapter", "id"], "")
    assert '<a href="10_tables.ipynb">10 &lt;a&gt;</a>' in page and '<a id="A12">A12</a>' in page


def test_training_seeds_join_where_everything_else_is_the_same(tmp_path):
    samples = Interval(0.5, 1.5, 1.0, 8, "half-sampling")
    first = Seeds(tmp_path, 0, ["judge", "data"])
    first.keep("is vgan", 1.1, clips=400)
    alone = first.joined("is vgan", samples)
    assert (alone.value, alone.interval, alone.over) == (1.1, samples, "samples, 1 training seed")
    second = Seeds(tmp_path, 1, ["judge", "data"])
    second.keep("is vgan", 3.1, clips=80, diverged="training diverged at step 10")
    both = first.joined("is vgan", samples)
    assert (both.value, both.over) == (pytest.approx(2.1), "2 training seeds")
    assert (both.clips, both.diverged) == (80, "training diverged at step 10")  # the worse of the two
    assert Seeds(tmp_path, 2, ["judge", "other data"]).found("is vgan") == []
