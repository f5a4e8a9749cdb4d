"""The ledgers: no verdict without a measurement, one rule for all of them, every claim measured where it says."""

import json
import re
from dataclasses import replace
from math import inf

import pytest

from hrvgan_lib import book, ledgers, paper
from hrvgan_lib.measurements import Measurement, read_measurements, write_measurement
from hrvgan_lib.metrics import Interval, Seeds, gap, ratio, seed_interval
from hrvgan_lib.provenance import repo_root

PROPERTY = paper.claim("temporal-coherence")
ORDERING = paper.claim("is-order-hrvgan-over-vgan")
NUMBER = paper.claim("is-hrvgan")


def measured(value=1.0, low=None, high=None, **fields):
    return Measurement("10_tables", "ours", value, value if low is None else low, value if high is None else high,
                       **fields)


@pytest.mark.parametrize("low, high, said", [
    (1.1, 1.4, ledgers.REPRODUCED), (0.2, 0.9, ledgers.NOT_REPRODUCED), (0.9, 1.1, ledgers.UNDECIDED)])
def test_an_interval_within_outside_or_across_the_asked_range(low, high, said):
    assert ledgers.verdict(PROPERTY, [measured(1.0, low, high, asked_low=1.0, clips=10_000)])[0] == said


def test_every_measurement_of_a_claim_has_to_hold():
    good, bad = measured(2.0, asked_low=1.0), replace(measured(0.5, asked_low=1.0), what="the other number")
    assert ledgers.verdict(PROPERTY, [good, good])[0] == ledgers.REPRODUCED
    said, why = ledgers.verdict(PROPERTY, [good, bad])
    assert said == ledgers.NOT_REPRODUCED and "the other number" in why


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
        ledgers.NOT_TESTABLE, "missing: the UCF101 data set; the C3D weights of TGAN's protocol")
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


def test_measurements_survive_the_way_through_json(tmp_path):
    rows = [measured(2.0, 1.5, 2.5, claim="nash", asked_high=3.0, clips=7, has=("ucf101",)), measured(decision="A12")]
    usage = {"measurements": [write_measurement(row) for row in rows]}
    (tmp_path / "05_losses.usage.json").write_text(json.dumps(usage))
    (tmp_path / "00_start_here.usage.json").write_text("{}")
    assert read_measurements(tmp_path) == rows
    assert "Infinity" not in json.dumps(usage) and rows[1].asked_high == inf


def test_an_interval_that_leaves_out_zero_is_one_of_disjoint_intervals():
    a, b, c = (Interval(low, high, (low + high) / 2, 8, "") for low, high in ((3.0, 4.0), (1.0, 2.0), (1.5, 3.5)))
    assert gap(a, b).low > 0 and gap(b, a).high < 0 and gap(a, c).low < 0 < gap(a, c).high
    assert ratio(a, b).low == 1.5 and ratio(a, b).high == 4.0 and ratio(a, b).value == pytest.approx(3.5 / 1.5)


def test_the_interval_over_seeds_is_student_s():
    interval = seed_interval([1.0, 2.0, 3.0])
    assert interval.value == 2.0 and interval.high - 2.0 == pytest.approx(4.302653 / 3**0.5)
    with pytest.raises(ValueError, match="at least 2"):
        seed_interval([1.0])


def test_the_decision_ledger_has_a_row_for_every_entry_and_joins_the_effects():
    rows = {row["decision"]: row for row in ledgers.decisions_ledger([
        measured(3.0, decision="A12", data="ucf101, procedural"), measured(4.0, 3.5, 4.5, decision="A12")])}
    assert list(rows) == list(paper.DECISIONS)
    assert rows["A12"]["measured effect"] == "ours: 3; ours: 4 [3.5, 4.5]" and rows["A1"]["measured effect"] == ""
    assert rows["T2"]["not built yet"]


LOOPS = {  # claims that a chapter measures in a loop over the paper's rows, and what its source must hold
    r"table1-row\d\d": 'f"table1-row', r"table2-row\d\d": 'f"table2-row', r"is-order-.*": 'f"is-order-',
    r"fd-order-.*": 'f"fd-order-', r"is-(vgan|tgan|mocogan|hrvgan)": 'f"is-{', r"fd-(golf|aeroplane)-\w+": 'f"fd-{',
}


@pytest.mark.parametrize("claim", [c for c in paper.CLAIMS.values() if c.id != "prediction"], ids=lambda c: c.id)
def test_every_claim_is_measured_in_its_chapter(claim):
    source = (repo_root() / "notebooks" / f"{claim.chapter}.py").read_text()
    words = next((words for pattern, words in LOOPS.items() if re.fullmatch(pattern, claim.id)), f'"{claim.id}"')
    assert words in source, f"{claim.chapter} does not measure {claim.id}"


def test_every_id_that_a_chapter_measures_is_in_a_ledger():
    for chapter in (repo_root() / "notebooks").glob("[0-9]*.py"):
        for kind, entry in re.findall(r'\b(claim|decision)="([\w-]+)"', chapter.read_text()):
            assert entry in (paper.CLAIMS if kind == "claim" else paper.DECISIONS), f"{chapter.stem}: {entry}"


def test_a_link_shows_in_both_forms_of_a_table():
    rows = [{"chapter": book.Link("10 <a>", "10_tables.ipynb"), "id": book.Link("A12", name="A12")}]
    assert "[10 <a>](10_tables.ipynb)" in book._markdown(rows, ["chapter", "id"], "")
    page = book._html(rows, ["chapter", "id"], "")
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
