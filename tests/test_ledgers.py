"""The ledgers: no verdict without a measurement, one rule for all of them, every claim measured where it says."""

import ast
import json
import pathlib
import re
from dataclasses import FrozenInstanceError, replace
from functools import cache
from itertools import combinations, permutations, product
from math import inf, isnan, nan, sqrt
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hrvgan_lib import book, losses, paper
from hrvgan_lib.book import ledgers, tables
from hrvgan_lib.book.measurements import Control, Measurement, Side, inside, read_measurements, write_measurement
from hrvgan_lib.budgets import FIRM, PIXEL, Budget, budget
from hrvgan_lib.keys import code_cells
from hrvgan_lib.metrics import Interval, Seeds, drawn, estimate, influence, mean_estimate, seed_interval
from hrvgan_lib.metrics.seeds import Joined, Score
from hrvgan_lib.paper.claims import NEEDS, Claim
from hrvgan_lib.profiles import get_profile
from hrvgan_lib.provenance import repo_root
from hrvgan_lib.training import StepRecord

PROPERTY = paper.claim("temporal-coherence")
ORDERING = paper.claim("is-order-hrvgan-over-vgan")
NUMBER = paper.claim("is-hrvgan")
SHAPE = paper.claim("resolution-256")
BY_DESIGN = paper.claim("leaky-relu")
TEN = Claim("ten", "number", "", "", "", "", value=10.0, gap=4.0)  # asks for 8 to 12, within less than 2

OURS, RIVAL = (Side(name, 32_000, 32_000, seeds=3, learned=True) for name in ("HRVGAN", "VGAN"))
STILL = Control("untrained network", 0.1, 0.2)  # fails wherever at least 1 is asked


def measured(value=1.0, low=None, high=None, **fields):
    return Measurement(
        "10_tables", "ours", value, value if low is None else low, value if high is None else high, **fields
    )


def having(low=1.1, high=1.4, *controls, **fields):
    """A measured property of one system: at least 1 is asked, and something must not have it."""
    fields = {"asked_low": 1.0, "sides": (OURS,), "controls": controls or (STILL,)} | fields
    return measured((low + high) / 2, low, high, **fields)


def order(low=0.1, high=0.9, ours=OURS, rival=RIVAL, **fields):
    """A measured order of two systems: the interval of their difference has to lie above zero."""
    fields = {"asked_low": 0.0, "has": ("all systems",), "sides": (ours, rival)} | fields
    return measured((low + high) / 2, low, high, **fields)


def number(low, high, **fields):
    return measured((low + high) / 2, low, high, **{"sides": (OURS,)} | fields)


def said(claim, *rows):
    return ledgers.verdict(claim, iter(rows))[0]


def why(claim, *rows):
    return ledgers.verdict(claim, iter(rows))[1]


@pytest.mark.parametrize(
    "low, high, word",
    [(1.1, 1.4, ledgers.REPRODUCED), (0.2, 0.9, ledgers.NOT_REPRODUCED), (0.9, 1.1, ledgers.UNDECIDED)],
)
def test_an_interval_within_outside_or_across_the_asked_range(low, high, word):
    assert said(PROPERTY, having(low, high)) == word


def test_every_measurement_of_a_claim_has_to_hold():
    good, bad = having(2, 2), replace(having(0.5, 0.5), what="the other number")
    assert said(PROPERTY, good, good) == ledgers.REPRODUCED
    assert ledgers.verdict(PROPERTY, [good, bad]) == (ledgers.NOT_REPRODUCED, "decided by: the other number")
    across = replace(having(0.5, 1.5), what="the wide one")
    assert ledgers.verdict(PROPERTY, [good, across]) == (
        ledgers.UNDECIDED,
        "the interval reaches across what is asked: the wide one",
    )
    assert said(PROPERTY, across, bad) == said(PROPERTY, bad, across) == ledgers.NOT_REPRODUCED


# What can be wrong with an order, the gravest first: changes of the measurement, of its first and of its second side,
# what the ledger then has to say, and why.
FAULTS = {
    "a need is missing": ({"has": ()}, {}, {}, ledgers.NOT_TESTABLE,
                          "missing: VGAN, TGAN and MoCoGAN trained under one protocol"),
    "no number": ({"value": nan}, {}, {}, ledgers.UNDECIDED, "no finite number: the score"),
    "nothing asked": ({"asked_low": -inf}, {}, {}, ledgers.UNDECIDED, "the paper sets no number to hold it against"),
    "diverged": ({}, {"diverged": "diverged at step 3"}, {}, ledgers.UNDECIDED, "diverged at step 3"),
    "one side": ({"sides": (OURS,)}, {}, {}, ledgers.UNDECIDED, "who was trained on what is not said: the score"),
    "unknown budget": ({}, {}, {"fakes": None}, ledgers.UNDECIDED, "the budgets are not known"),
    "unequal budgets": ({}, {}, {"clips": 16_000}, ledgers.UNDECIDED,
                        "unequal budgets: HRVGAN 32,000 real and 32,000 generated clips, "
                        "VGAN 16,000 real and 32,000 generated clips"),
    "not learned": ({}, {}, {"learned": False}, ledgers.UNDECIDED, "not clear of its own untrained network: VGAN"),
    "across": ({"low": -0.2}, {}, {}, ledgers.UNDECIDED, "the interval reaches across what is asked: the score"),
    "outside": ({"low": -0.9, "high": -0.1}, {}, {}, ledgers.NOT_REPRODUCED, "decided by: the score"),
    "one seed": ({}, {"seeds": 1}, {}, ledgers.IN_THESE, "as asked"),
    "nothing": ({}, {}, {}, ledgers.REPRODUCED, "as asked"),
}  # fmt: skip


def faulty(*faults):
    """A sound order with these faults."""
    fields, first, second = ({k: v for fault in faults for k, v in FAULTS[fault][place].items()} for place in range(3))
    sides = (replace(OURS, **first), replace(RIVAL, **second))
    return replace(order(), **{"what": "the score", "sides": sides[: len(fields.pop("sides", sides))]} | fields)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_of_several_measurements_a_need_comes_first_then_an_answer_against_then_what_is_open(count):
    ranks = [ledgers.NOT_TESTABLE, ledgers.NOT_REPRODUCED, ledgers.UNDECIDED, ledgers.IN_THESE, ledgers.REPRODUCED]
    for faults in product(FAULTS, repeat=count):
        decides = min(faults, key=lambda fault: ranks.index(FAULTS[fault][3]))  # the first of the gravest
        assert ledgers.verdict(ORDERING, iter(map(faulty, faults))) == FAULTS[decides][3:], faults


def test_of_two_faults_in_one_measurement_the_graver_decides():
    for graver, other in combinations(list(FAULTS)[:-3], 2):  # an interval cannot reach across and lie outside
        assert ledgers.verdict(ORDERING, [faulty(graver, other)]) == FAULTS[graver][3:], (graver, other)
    for graver in list(FAULTS)[:8]:
        assert ledgers.verdict(ORDERING, [faulty(graver, "outside")]) == FAULTS[graver][3:], graver


def test_the_first_of_several_equal_faults_is_named():
    lost = [having(2, 2, sides=(replace(OURS, diverged=words),)) for words in ("", "at step 3", "at step 9")]
    assert why(PROPERTY, *lost) == "at step 3"
    bad = [replace(having(value, value), what=what) for value, what in ((2, "a"), (0, "b"), (-1, "c"))]
    assert why(PROPERTY, *bad) == "decided by: b"
    wide = [replace(having(low, 1.5), what=what) for low, what in ((1, "a"), (0, "b"), (0, "c"))]
    assert why(PROPERTY, *wide) == "the interval reaches across what is asked: b"


def sound(claim):
    """A measurement that leaves nothing to ask for."""
    if claim.kind == "ordering":
        return order(claim=claim.id, has=claim.needs)
    value = claim.value or 1.0
    return measured(value, claim=claim.id, asked_low=value, sides=(OURS,), has=claim.needs, controls=(STILL,))


@pytest.mark.parametrize("claim", [c for c in paper.CLAIMS.values() if c.needs], ids=lambda c: c.id)
def test_each_need_has_to_be_met_by_each_measurement(claim):
    whole = sound(claim)
    assert said(claim, whole, whole) in (ledgers.REPRODUCED, ledgers.AS_PRINTED, ledgers.BY_CONSTRUCTION)
    for need in claim.needs:
        lame = replace(whole, has=tuple(other for other in claim.needs if other != need))
        for rows in ([lame, whole], [whole, lame], [lame, lame]):
            assert ledgers.verdict(claim, rows) == (ledgers.NOT_TESTABLE, f"missing: {NEEDS[need]}")
    bare = replace(whole, has=())
    assert why(claim, whole, bare) == "missing: " + "; ".join(NEEDS[need] for need in claim.needs)


def test_a_number_needs_its_data_set_and_its_classifier():
    near = number(14.1, 14.5)
    assert ledgers.verdict(NUMBER, [near]) == (
        ledgers.NOT_TESTABLE,
        "missing: the UCF101 data set; the C3D weights of TGAN's protocol",
    )
    assert said(NUMBER, replace(near, has=("ucf101",))) == ledgers.NOT_TESTABLE
    golf = ledgers.verdict(paper.claim("fd-golf-hrvgan"), [replace(near, has=("golf", "published classifier"))])
    assert golf[0] == ledgers.NOT_TESTABLE and "does not name" in golf[1]
    whole = replace(near, has=("ucf101", "published classifier"))
    assert said(NUMBER, whole) == ledgers.REPRODUCED
    assert said(NUMBER, replace(whole, value=15.4, low=15.3, high=15.5)) == ledgers.NOT_REPRODUCED


def test_no_verdict_without_a_measurement():
    with pytest.raises(ValueError, match="claim 'temporal-coherence' has no measurement: run chapter 09"):
        ledgers.verdict(PROPERTY, iter(()))
    for claim in (SHAPE, BY_DESIGN):
        with pytest.raises(ValueError, match="has no measurement"):
            ledgers.verdict(claim, [])
    rows = {row["claim"]: row for row in ledgers.claims_ledger([])}
    assert len(rows) == len(paper.CLAIMS)
    assert {row["verdict"] for row in rows.values()} == {ledgers.NOT_MEASURED}


def test_a_claim_that_sets_no_bar_gets_no_verdict():
    free = replace(having(), asked_low=-inf, what="free")
    for claim in (PROPERTY, SHAPE, BY_DESIGN, paper.claim("sgd")):
        assert ledgers.verdict(claim, [free]) == (ledgers.UNDECIDED, "the paper sets no number to hold it against")
    assert said(PROPERTY, having(), free) == said(PROPERTY, free, having()) == ledgers.UNDECIDED
    assert said(PROPERTY, free, having(0.2, 0.4)) == ledgers.NOT_REPRODUCED


def test_what_has_no_bar_is_told_before_divergence_and_controls():
    lost = replace(OURS, diverged="at step 3")
    free = having(asked_low=-inf, sides=(lost,), controls=(Control("memory", -inf, inf),))
    assert why(PROPERTY, free) == why(ORDERING, order(asked_low=-inf, ours=lost)) == why(PROPERTY, free, having(0, 2))
    assert why(PROPERTY, free) == "the paper sets no number to hold it against"


@pytest.mark.parametrize("broken", [{"value": nan}, {"value": inf}, {"low": nan}, {"high": nan}], ids=str)
def test_what_is_not_a_number_decides_nothing_for_any_kind_of_claim(broken):
    shape = measured(2.0, asked_low=1.0)
    for claim, row in ((PROPERTY, having()), (ORDERING, order()), (TEN, number(9.8, 10.2)), (SHAPE, shape),
                       (BY_DESIGN, shape)):  # fmt: skip
        assert said(claim, replace(row, **broken)) == ledgers.UNDECIDED
        assert why(claim, replace(row, **broken)) == "no finite number: ours"


def test_what_is_not_a_number_lies_outside_of_nothing():
    for row in (having(0.2, 0.4), having(0.2, 0.4, asked_low=-inf, asked_high=0.0)):
        assert said(PROPERTY, replace(row, low=nan)) == said(PROPERTY, replace(row, high=nan)) == ledgers.UNDECIDED


def test_an_interval_that_cannot_be_told_reaches_across():
    untold = {"low": -inf, "high": inf}
    for claim, row in ((PROPERTY, having()), (ORDERING, order()), (SHAPE, having()), (BY_DESIGN, having())):
        row = replace(row, **untold)
        assert ledgers.verdict(claim, [row]) == (ledgers.UNDECIDED, "the interval reaches across what is asked: ours")
    assert ledgers.verdict(TEN, [replace(number(9.8, 10.2), **untold)]) == (
        ledgers.UNDECIDED,
        "the interval is wider than 2, 0.5 of the gap to decide",
    )


def test_an_interval_without_an_upper_end_tells_no_order():
    assert said(ORDERING, replace(order(), high=inf)) == ledgers.UNDECIDED


@pytest.mark.parametrize("claim, row", [(PROPERTY, having()), (TEN, number(9.8, 10.2)), (ORDERING, order())])
def test_a_side_that_diverged_decides_nothing(claim, row):
    lost = tuple(replace(side, diverged="training diverged at step 3") for side in row.sides)
    assert said(claim, row) == ledgers.REPRODUCED
    for place in range(len(row.sides)):
        sides = (*row.sides[:place], lost[place], *row.sides[place + 1 :])
        assert ledgers.verdict(claim, [replace(row, sides=sides)]) == (ledgers.UNDECIDED, "training diverged at step 3")
    outside = replace(row, value=-9.0, low=-9.0, high=-9.0)
    assert said(claim, outside) == ledgers.NOT_REPRODUCED
    assert said(claim, replace(outside, sides=lost)) == ledgers.UNDECIDED


def test_two_that_diverged_do_not_differ_by_nothing():
    lost = [Side(name, 0, 0, diverged="at step 3", learned=False) for name in ("HRVGAN", "VGAN")]
    assert ledgers.verdict(ORDERING, [order(0.0, 0.0, *lost)]) == (ledgers.UNDECIDED, "at step 3")


@pytest.mark.parametrize("low, high, word", [
    (0.1, 0.9, ledgers.REPRODUCED), (1e-9, 0.9, ledgers.REPRODUCED), (0.0, 0.9, ledgers.UNDECIDED),
    (-0.1, 0.9, ledgers.UNDECIDED), (-0.9, 0.0, ledgers.UNDECIDED), (0.0, 0.0, ledgers.UNDECIDED),
    (-0.9, -1e-9, ledgers.NOT_REPRODUCED),
])  # fmt: skip
def test_the_interval_of_an_order_has_to_leave_out_zero(low, high, word):
    assert said(ORDERING, order(low, high)) == word
    mirrored = order(-high, -low, asked_low=-inf, asked_high=0.0)
    assert said(ORDERING, mirrored) == word


def test_a_property_that_compares_two_systems_has_to_leave_out_equality_too():
    assert said(PROPERTY, having(1.0, 1.4)) == ledgers.REPRODUCED
    assert said(PROPERTY, having(1.0, 1.4, sides=(OURS, RIVAL))) == ledgers.UNDECIDED
    assert said(PROPERTY, having(1.1, 1.4, sides=(OURS, RIVAL))) == ledgers.REPRODUCED


def test_an_order_is_one_of_two_systems():
    third = replace(RIVAL, name="TGAN")
    for sides in ((), (OURS,), (OURS, RIVAL, third)):
        for interval in ((0.1, 0.9), (-0.9, -0.1)):
            assert ledgers.verdict(ORDERING, [order(*interval, sides=sides)]) == (
                ledgers.UNDECIDED,
                "who was trained on what is not said: ours",
            )


@pytest.mark.parametrize("claim, row", [(ORDERING, order()), (PROPERTY, having(sides=(OURS, RIVAL)))])
def test_two_systems_compare_on_equal_and_known_budgets(claim, row):
    def changed(*changes):
        return replace(row, sides=tuple(replace(side, **change) for side, change in zip(row.sides, changes)))

    assert said(claim, row) == ledgers.REPRODUCED
    for name in ("clips", "fakes"):
        for changes in ([{name: 16_000}, {}], [{}, {name: 16_000}]):
            for one in (changed(*changes), replace(changed(*changes), value=-0.5, low=-0.9, high=-0.1)):
                assert said(claim, one) == ledgers.UNDECIDED and why(claim, one).startswith("unequal budgets: HRVGAN ")
        for changes in ([{name: None}, {}], [{}, {name: None}], [{name: None}, {name: None}]):
            assert ledgers.verdict(claim, [changed(*changes)]) == (ledgers.UNDECIDED, "the budgets are not known")
    swapped = {"clips": 32_000, "fakes": 16_000}, {"clips": 16_000, "fakes": 32_000}
    assert said(claim, changed(*swapped)) == ledgers.UNDECIDED  # as many in all, but of other kinds
    assert said(claim, changed({"extra": 32_000}, {})) == ledgers.REPRODUCED  # part of a method, and no budget


def test_each_side_of_an_order_has_to_be_clear_of_its_own_untrained_network():
    for clear in (False, None):  # None: nobody has measured it
        for place, sides in enumerate([(replace(OURS, learned=clear), RIVAL), (OURS, replace(RIVAL, learned=clear))]):
            for interval in ((0.1, 0.9), (-0.9, -0.1)):
                assert ledgers.verdict(ORDERING, [order(*interval, *sides)]) == (
                    ledgers.UNDECIDED,
                    f"not clear of its own untrained network: {('HRVGAN', 'VGAN')[place]}",
                )
    both = order(ours=replace(OURS, learned=False), rival=replace(RIVAL, learned=None))
    assert why(ORDERING, both) == "not clear of its own untrained network: HRVGAN, VGAN"


def test_a_property_of_one_system_asks_for_no_budget_and_lets_its_controls_say_what_was_learned():
    assert said(PROPERTY, having(sides=(Side("HRVGAN", None, None, seeds=3, learned=False),))) == ledgers.REPRODUCED


def test_an_unfair_measurement_neither_carries_a_claim_nor_sinks_it():
    unfair = replace(RIVAL, clips=16_000)
    assert said(ORDERING, order(), order(-0.9, -0.1, rival=unfair)) == ledgers.UNDECIDED
    assert said(ORDERING, order(rival=unfair), order(-0.9, -0.1)) == ledgers.NOT_REPRODUCED


def seeded(seeds, *interval):
    """An order with so many training seeds on one of its sides."""
    return order(*interval, rival=replace(RIVAL, seeds=seeds))


def test_from_fewer_than_three_seeds_a_verdict_speaks_of_these_trainings():
    assert FIRM == ledgers.FIRM == 3
    for seeds in (1, 2, 3, 4):
        firm = seeds >= 3
        assert said(ORDERING, seeded(seeds)) == (ledgers.REPRODUCED if firm else ledgers.IN_THESE)
        assert said(ORDERING, seeded(seeds, -0.9, -0.1)) == (ledgers.NOT_REPRODUCED if firm else ledgers.NOT_IN_THESE)
        for claim, good, bad in ((PROPERTY, having(), having(0.2, 0.4)), (TEN, number(9.8, 10.2), number(2, 2.2))):
            sides = (replace(OURS, seeds=seeds),)
            assert said(claim, replace(good, sides=sides)) == (ledgers.REPRODUCED if firm else ledgers.IN_THESE)
            assert said(claim, replace(bad, sides=sides)) == (ledgers.NOT_REPRODUCED if firm else ledgers.NOT_IN_THESE)


def test_the_fewest_seeds_of_a_side_count():
    for seeds in permutations((1, 3)):
        sides = [replace(side, seeds=many) for side, many in zip((OURS, RIVAL), seeds)]
        assert said(ORDERING, order(0.1, 0.9, *sides)) == ledgers.IN_THESE
        assert said(ORDERING, order(-0.9, -0.1, *sides)) == ledgers.NOT_IN_THESE


def test_for_a_claim_the_weakest_evidence_counts_and_against_it_one_firm_answer_is_enough():
    firm, loose, reversed_order, lone = seeded(3), seeded(1), seeded(3, -0.9, -0.1), seeded(1, -0.9, -0.1)
    for rows in permutations([firm, loose]):
        assert said(ORDERING, *rows) == ledgers.IN_THESE
    for rows in permutations([reversed_order, lone]):
        assert said(ORDERING, *rows) == ledgers.NOT_REPRODUCED
    for rows in permutations([firm, lone]):
        assert said(ORDERING, *rows) == ledgers.NOT_IN_THESE  # three seeds for it make one against it no firmer
    for rows in permutations([loose, reversed_order, seeded(1, -0.1, 0.1)]):
        assert said(ORDERING, *rows) == ledgers.NOT_REPRODUCED
    assert said(ORDERING, reversed_order) == ledgers.NOT_REPRODUCED
    assert said(ORDERING, lone, lone, lone) == ledgers.NOT_IN_THESE  # three measurements are not three trainings


def test_where_nothing_was_trained_there_are_no_seeds_to_ask_for():
    free, lone = having(sides=()), having(sides=(replace(OURS, seeds=1),))
    assert said(PROPERTY, free) == ledgers.REPRODUCED and said(PROPERTY, free, lone) == ledgers.IN_THESE
    assert said(PROPERTY, having(0.2, 0.4, sides=())) == ledgers.NOT_REPRODUCED


MEMORY = Control("memory", 1.2, 1.3)  # passes where at least 1 is asked


@pytest.mark.parametrize("controls, word, reason", [
    ((STILL,), ledgers.REPRODUCED, "as asked"),
    ((STILL, Control("cross-fade", 0.5, 0.9)), ledgers.REPRODUCED, "as asked"),
    ((MEMORY,), ledgers.VOID, "passes too: memory"),
    ((STILL, MEMORY), ledgers.VOID, "passes too: memory"),
    ((MEMORY, STILL), ledgers.VOID, "passes too: memory"),
    ((Control("cross-fade", 0.8, 1.2),), ledgers.UNDECIDED, "may pass too: cross-fade"),
    ((STILL, Control("cross-fade", 0.8, 1.2)), ledgers.UNDECIDED, "may pass too: cross-fade"),
    ((Control("lost", nan, nan),), ledgers.UNDECIDED, "may pass too: lost"),
    ((Control("lost", 0.2, nan),), ledgers.UNDECIDED, "may pass too: lost"),
    ((Control("lost", nan, 5.0),), ledgers.UNDECIDED, "may pass too: lost"),
    ((Control("untold", -inf, inf),), ledgers.UNDECIDED, "may pass too: untold"),
])  # fmt: skip
def test_a_property_is_void_where_something_that_must_not_have_it_passes_too(controls, word, reason):
    assert ledgers.verdict(PROPERTY, [having(1.1, 1.4, *controls)]) == (word, reason)


def test_a_property_without_a_negative_control_is_undecided():
    bare = [replace(having(controls=()), what=what) for what in ("first", "second")]
    for rows in (bare, [bare[0]]):
        assert ledgers.verdict(PROPERTY, rows) == (ledgers.UNDECIDED, "no negative control: first")
    assert said(PROPERTY, bare[0], having()) == ledgers.REPRODUCED  # one for the whole test is enough
    assert said(PROPERTY, having(controls=(), sides=())) == ledgers.UNDECIDED


def test_a_control_has_to_pass_every_measurement_that_it_is_in():
    passed, failed, across = (having(1.1, 1.4, Control("memory", *ends)) for ends in ((1, 2), (0, 0.5), (0.5, 2)))
    for rows in permutations([passed, failed, across]):
        assert said(PROPERTY, *rows) == ledgers.REPRODUCED
    for rows in permutations([passed, failed]):
        assert said(PROPERTY, *rows) == ledgers.REPRODUCED
    for rows in permutations([passed, across]):
        assert ledgers.verdict(PROPERTY, rows) == (ledgers.UNDECIDED, "may pass too: memory")
    for rows in permutations([passed, passed]):
        assert ledgers.verdict(PROPERTY, rows) == (ledgers.VOID, "passes too: memory")
    for rows in permutations([passed, having(1.1, 1.4, STILL)]):  # where it is not, it need not pass
        assert ledgers.verdict(PROPERTY, rows) == (ledgers.VOID, "passes too: memory")


def test_a_control_is_held_against_the_range_of_its_own_measurement():
    wide, narrow = having(1.1, 1.4, Control("memory", 0.6, 0.8), asked_low=0.5), having(2.1, 2.4, asked_low=2.0)
    assert said(PROPERTY, wide, narrow) == ledgers.VOID
    assert said(PROPERTY, wide, replace(narrow, controls=wide.controls)) == ledgers.REPRODUCED
    low = having(0.1, 0.2, Control("memory", 0.3, 0.4), asked_low=-inf, asked_high=0.25)
    assert said(PROPERTY, low) == ledgers.REPRODUCED and said(PROPERTY, replace(low, asked_high=0.5)) == ledgers.VOID


def test_a_control_spoils_a_pass_and_no_failure():
    assert said(PROPERTY, having(0.2, 0.4, MEMORY)) == ledgers.NOT_REPRODUCED
    assert said(PROPERTY, having(0.2, 0.4, controls=())) == ledgers.NOT_REPRODUCED
    wide = ledgers.verdict(PROPERTY, [having(0.2, 1.4, MEMORY)])
    assert wide == (ledgers.UNDECIDED, "the interval reaches across what is asked: ours")


def test_controls_are_asked_for_before_seeds():
    sides = (replace(OURS, seeds=1),)
    assert said(PROPERTY, having(1.1, 1.4, MEMORY, sides=sides)) == ledgers.VOID
    assert said(PROPERTY, having(controls=(), sides=sides)) == ledgers.UNDECIDED


def test_a_comparison_is_its_own_control():
    paired = having(sides=(OURS, RIVAL), controls=())
    assert said(PROPERTY, paired) == said(PROPERTY, replace(paired, controls=(MEMORY,))) == ledgers.REPRODUCED
    alone = replace(having(controls=()), what="alone")
    assert ledgers.verdict(PROPERTY, [paired, alone]) == (ledgers.UNDECIDED, "no negative control: alone")
    assert said(PROPERTY, replace(paired, controls=(STILL,)), alone) == ledgers.UNDECIDED


def test_only_a_property_asks_for_a_control():
    for claim, row in ((paper.claim("sgd"), having()), (TEN, number(9.8, 10.2)), (ORDERING, order())):
        for controls in ((), (MEMORY,), (Control("zero", -inf, inf),)):
            assert said(claim, replace(row, controls=controls)) == ledgers.REPRODUCED


@pytest.mark.parametrize("low, high, word", [
    (9.5, 10.5, ledgers.REPRODUCED), (10.4, 10.6, ledgers.REPRODUCED), (10.0, 10.0, ledgers.REPRODUCED),
    (8.0, 9.5, ledgers.REPRODUCED), (10.5, 12.0, ledgers.REPRODUCED),  # the edges are near enough
    (7.5, 8.5, ledgers.UNDECIDED), (11.5, 12.5, ledgers.UNDECIDED), (12.0, 13.0, ledgers.UNDECIDED),
    (12.25, 13.0, ledgers.NOT_REPRODUCED), (7.0, 7.75, ledgers.NOT_REPRODUCED),
    (9.0, 10.75, ledgers.REPRODUCED), (9.0, 11.0, ledgers.UNDECIDED), (8.0, 12.0, ledgers.UNDECIDED),
    (18.0, 22.0, ledgers.NOT_REPRODUCED), (17.5, 22.5, ledgers.UNDECIDED),  # half of our own distance, where it is more
    (-2.0, 2.0, ledgers.NOT_REPRODUCED), (-2.5, 2.5, ledgers.UNDECIDED),
])  # fmt: skip
def test_a_number_is_reproduced_within_half_of_its_gap_by_an_interval_that_could_tell(low, high, word):
    assert said(TEN, number(low, high)) == word


def test_a_number_says_which_width_was_too_much():
    assert why(TEN, number(8, 12)) == "the interval is wider than 2, 0.5 of the gap to decide"
    assert why(TEN, number(17.5, 22.5)) == "the interval is wider than 5, 0.5 of the gap to decide"
    assert why(TEN, number(11.5, 12.5)) == "the interval reaches across what is asked: ours"
    assert why(TEN, number(12.25, 13)) == "decided by: ours"
    assert ledgers.WIDTH == 0.5


def test_a_published_number_is_its_own_bar():
    assert said(TEN, number(9.5, 10.5, asked_low=100.0)) == ledgers.REPRODUCED
    assert said(TEN, number(20, 20, asked_low=20.0)) == ledgers.NOT_REPRODUCED
    for claim in (replace(TEN, gap=None), replace(TEN, value=None)):
        assert ledgers.verdict(claim, [number(10, 10, asked_low=1.0)]) == (
            ledgers.UNDECIDED,
            "the paper sets no number to hold it against",
        )


def test_a_number_of_one_system_asks_for_no_budget():
    assert (
        said(TEN, number(9.8, 10.2, sides=(Side("HRVGAN", None, None, seeds=3, learned=True),))) == ledgers.REPRODUCED
    )


def test_each_published_number_knows_the_gap_to_its_neighbour():
    assert {claim.id: claim.gap for claim in paper.CLAIMS.values() if claim.kind == "number"} == {
        "is-vgan": pytest.approx(3.67), "is-tgan": pytest.approx(0.57), "is-mocogan": pytest.approx(0.57),
        "is-hrvgan": pytest.approx(1.87), "fd-golf-vgan": 978.0, "fd-golf-tgan": 978.0, "fd-golf-hrvgan": 9_445.0,
        "fd-aeroplane-vgan": 28_677.0, "fd-aeroplane-tgan": 16_381.0, "fd-aeroplane-hrvgan": 16_381.0,
        "data-ucf101": 1.0,
    }  # fmt: skip
    assert {claim.gap for claim in paper.CLAIMS.values() if claim.kind != "number"} == {None}


def test_the_count_of_videos_is_exact():
    claim = paper.claim("data-ucf101")
    for count, word in ((13_320, ledgers.REPRODUCED), (13_319, ledgers.NOT_REPRODUCED)):
        assert said(claim, measured(float(count), has=("ucf101",))) == word


@pytest.mark.parametrize("claim, words", [
    (SHAPE, (ledgers.AS_PRINTED, ledgers.NOT_AS_PRINTED)),
    (replace(SHAPE, by_construction=True), (ledgers.AS_PRINTED, ledgers.NOT_AS_PRINTED)),
    (BY_DESIGN, (ledgers.BY_CONSTRUCTION, ledgers.NOT_BY_CONSTRUCTION)),
    (replace(ORDERING, by_construction=True), (ledgers.BY_CONSTRUCTION, ledgers.NOT_BY_CONSTRUCTION)),
])  # fmt: skip
def test_shapes_and_what_holds_by_construction_have_words_of_their_own(claim, words):
    lost = Side("HRVGAN", None, 8, diverged="at step 3")
    for sides in ((), (lost,), (lost, RIVAL), (OURS, RIVAL)):
        for controls in ((), (STILL,), (MEMORY,)):
            row = measured(1.0, asked_low=1.0, sides=sides, controls=controls, has=claim.needs)  # at the very edge
            assert ledgers.verdict(claim, [row]) == (words[0], "as asked")
            assert said(claim, row, replace(row, value=0.5, low=0.5, high=0.5)) == words[1]
            assert said(claim, replace(row, value=nan, low=nan, high=nan)) == ledgers.UNDECIDED
            assert said(claim, replace(row, low=0.5, high=1.5)) == ledgers.UNDECIDED


def test_a_number_by_construction_may_be_as_wide_as_its_margin():
    assert said(replace(TEN, by_construction=True), number(8, 12)) == ledgers.BY_CONSTRUCTION
    assert said(replace(TEN, by_construction=True), number(8, 13)) == ledgers.UNDECIDED


def test_what_no_data_could_contradict_is_marked_as_such():
    assert {claim.id for claim in paper.CLAIMS.values() if claim.by_construction} == {
        "resolution-rivals", "labels-in-training-and-inference", "k-absorbed", "k-absorbed-bce", "wgan-less-collapse",
        "weight-clipping", "nash", "least-squares", "leaky-relu", "equal-weights", "latent-per-frame",
        "minibatch-discrimination", "conv1d-cheaper", "rivals-low-resolution", "vgan-two-streams", "tgan-cascade",
    }  # fmt: skip


def test_a_profile_can_train_all_rows_of_table_3_on_equal_budgets():
    paper_sized = get_profile("paper")
    assert paper_sized.steps == paper_sized.rival_steps


def test_every_verdict_is_a_word_of_its_own_and_in_one_tally():
    assert ledgers.TALLIES == {
        "about the method": (ledgers.REPRODUCED, ledgers.NOT_REPRODUCED, ledgers.UNDECIDED, ledgers.VOID),
        "about these trainings only": (ledgers.IN_THESE, ledgers.NOT_IN_THESE),
        "by construction": (ledgers.BY_CONSTRUCTION, ledgers.NOT_BY_CONSTRUCTION),
        "printed shapes": (ledgers.AS_PRINTED, ledgers.NOT_AS_PRINTED),
        "without a verdict": (ledgers.NOT_TESTABLE, ledgers.NOT_MEASURED),
    }
    tallied = [word for words in ledgers.TALLIES.values() for word in words]
    assert list(ledgers.VERDICTS) == tallied and len(set(tallied)) == len(tallied) == 12
    assert {value for name, value in vars(ledgers).items() if name.isupper() and isinstance(value, str)} == set(tallied)
    assert (ledgers.IN_THESE, ledgers.NOT_IN_THESE) == (
        "as claimed in these trainings",
        "not as claimed in these trainings",
    )


def test_a_number_that_is_none_holds_for_nothing():
    assert measured(nan, asked_low=0.0).holds is None


@pytest.mark.parametrize("fields, finite", [
    ({}, True), ({"low": -inf}, True), ({"high": inf}, True), ({"value": inf}, False), ({"value": -inf}, False),
    ({"value": nan}, False), ({"low": nan}, False), ({"high": nan}, False),
])  # fmt: skip
def test_a_number_is_finite_but_its_bounds_need_not_be(fields, finite):
    assert replace(measured(1.0, 0.0, 2.0), **fields).finite is finite


def test_a_measurement_has_the_seeds_of_its_side_with_the_fewest():
    assert measured().seeds is None and measured(sides=(OURS,)).seeds == 3
    assert measured(sides=(OURS, replace(RIVAL, seeds=1))).seeds == 1


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
        (measured(1.0, 0.5, inf), "1 [0.5, inf]"),
        (measured(1.0, -inf, inf), "1 [cannot be told]"),
        (measured(nan), "nan [cannot be told]"),
        (measured(nan, shown="diverged"), "diverged"),
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
    assert inside(low, high, 1.0, 2.0) is holds


RECORDS = [measured(), STILL, OURS, Budget(1, 1, 0), Score(None, (), None), Joined(None, "", (), None)]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_what_was_measured_cannot_be_changed(record):
    for name in vars(record):
        with pytest.raises(FrozenInstanceError):
            setattr(record, name, 2.0)


def test_measurements_survive_the_way_through_json(tmp_path):
    rows = [
        measured(2.0, 1.5, 2.5, claim="nash", asked_high=3.0, has=("ucf101",), over="samples", data="golf, real"),
        having(1.1, 1.4, STILL, Control("untold", -inf, inf), sides=(OURS, Side("VGAN", None, 8, 4, 1, "at step 3"))),
        measured(3.0, -inf, inf, decision="A12", asked_low=-1.0),
    ]
    usage = {"measurements": [write_measurement(row) for row in rows]}
    (tmp_path / "05_losses.usage.json").write_text(json.dumps(usage, allow_nan=False))
    (tmp_path / "00_start_here.usage.json").write_text("{}")
    assert read_measurements(tmp_path) == rows
    assert rows[0].asked_low == -inf and rows[2].asked_high == inf


def test_what_is_not_a_number_is_nothing_in_json_and_decides_nothing_afterwards(tmp_path):
    rows = [measured(value, asked_low=0.5) for value in (nan, inf, -inf)]
    rows += [having(2, 2, Control("lost", nan, nan)), replace(having(2, 2), value=nan), measured(1.0, nan, nan)]
    usage = json.dumps({"measurements": [write_measurement(row) for row in rows]}, allow_nan=False)
    assert json.loads(usage)["measurements"][3]["controls"] == [{"name": "lost", "low": None, "high": None}]
    (tmp_path / "05_losses.usage.json").write_text(usage)
    *lost, spoilt, valueless, boundless = read_measurements(tmp_path)
    for row in lost:
        assert isnan(row.value) and (row.low, row.high) == (-inf, inf)
    assert spoilt.controls == (Control("lost", -inf, inf),)
    assert isnan(boundless.value) and (boundless.low, boundless.high) == (-inf, inf)  # the number goes as a whole
    for row in (*lost, spoilt, valueless):
        assert said(PROPERTY, row) == ledgers.UNDECIDED


def test_a_measurement_as_json_keeps_every_bound_that_is_one():
    record = write_measurement(measured(2.0, asked_low=1.0, has=("golf",), sides=(OURS,), controls=(STILL,)))
    assert record == {
        "chapter": "10_tables", "what": "ours", "value": 2.0, "low": 2.0, "high": 2.0, "claim": "", "decision": "",
        "asked_low": 1.0, "asked_high": None, "over": "", "data": "", "has": ["golf"], "shown": "",
        "sides": [{"name": "HRVGAN", "clips": 32_000, "fakes": 32_000, "extra": 0, "seeds": 3, "diverged": "",
                   "learned": True}],
        "controls": [{"name": "untrained network", "low": 0.1, "high": 0.2}], "limit": None,
    }  # fmt: skip
    assert write_measurement(measured(asked_high=-3.0))["asked_high"] == -3.0
    assert write_measurement(measured())["asked_low"] is None
    lost = write_measurement(measured(nan, -inf, inf, controls=(Control("lost", nan, 2.0),)))
    assert (lost["value"], lost["low"], lost["high"]) == (None, None, None)
    assert lost["controls"] == [{"name": "lost", "low": None, "high": 2.0}]


def test_a_control_is_made_from_an_interval():
    made = book.control("untrained network", Interval(1, 3, 2, 8, ""))
    assert made == Control("untrained network", 1.0, 3.0)
    assert isinstance(made.low, float) and isinstance(made.high, float)


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


def test_the_interval_over_seeds_is_student_s():
    interval = seed_interval([1.0, 2.0, 3.0])
    assert interval.value == 2.0 and interval.high - 2.0 == pytest.approx(4.302653 / 3**0.5)
    two, same = seed_interval([1.0, 3.0]), seed_interval([0.25] * 3)
    assert two.high - 2.0 == pytest.approx(12.706205) and (same.low, same.value, same.high) == (0.25, 0.25, 0.25)
    with pytest.raises(ValueError, match="at least 2"):
        seed_interval([1.0])


def turn(step, clips_seen, *terms):
    return StepRecord(step, clips_seen, 0.0, {"real": 1.0}, dict.fromkeys(terms, 1.0))


def trained_system(critic_steps=1, diverged=""):
    return SimpleNamespace(critic_steps=critic_steps, diverged=diverged)


def test_a_budget_counts_what_the_discriminator_was_shown():
    records = [turn(1, 64, "adversarial"), turn(2, 128, "adversarial")]
    assert budget(trained_system(), records) == Budget(clips=128, fakes=128, extra=0)
    assert budget(trained_system(critic_steps=5), records) == Budget(clips=640, fakes=640, extra=0)
    assert budget(trained_system(critic_steps=5), []) == Budget(0, 0, 0)


def test_clips_of_the_pixel_term_are_extra_where_there_is_one():
    (term,) = losses.combined_terms(torch.zeros(()), torch.zeros(())).keys() - {"adversarial"}
    assert term == PIXEL  # the name under which the loop records it
    records = [turn(1, 64, "adversarial"), turn(2, 128, "adversarial", PIXEL)]
    assert budget(trained_system(critic_steps=5), records) == Budget(clips=640, fakes=640, extra=128)
    assert budget(trained_system(), [turn(1, 64, "adversarial", "norm of pixels")]).extra == 0


def test_a_budget_in_words():
    assert str(Budget(32_000, 16_000, 0)) == "32,000 real and 16,000 generated"
    assert str(Budget(32_000, 16_000, 1_000)) == "32,000 real and 16,000 generated, 1,000 more in its pixel term"


def test_a_side_is_a_system_and_its_budget():
    records = [turn(1, 64, "adversarial", PIXEL)]
    assert book.side_of("HRVGAN", trained_system(2), records) == Side("HRVGAN", 128, 128, 64, 1, "", None)
    assert book.side_of("HRVGAN", trained_system(2, "at step 2"), records, True, 3) == Side(
        "HRVGAN", clips=128, fakes=128, extra=64, seeds=3, diverged="at step 2", learned=True
    )
    assert book.side_of("VGAN", trained_system(diverged="at step 1"), [], learned=False) == Side(
        "VGAN", clips=0, fakes=0, extra=0, seeds=1, diverged="at step 1", learned=False
    )


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
        data=[toy_set(), toy_set("ucf101", "procedural"), toy_set()],
        over="3 training seeds",
        sides=iter([OURS]),
        controls=iter([STILL]),
    )
    first.measure("length", 0.5, decision="A12", shown="half")
    first.colophon()
    last = pages("12_claims_and_decisions")
    assert last.measurements() == [
        Measurement("09_latent_space", "change", 1.0, 1.1, 1.4, "temporal-coherence", "", 1, 2, "3 training seeds",
                    "golf, real; ucf101, procedural", ("golf",), sides=(OURS,), controls=(STILL,)),
        Measurement("09_latent_space", "length", 0.5, 0.5, 0.5, "", "A12", shown="half"),
    ]  # fmt: skip
    last.measure("entries", 56, claim="detailed-description")
    rows = {row["claim"]: row for row in ledgers.claims_ledger(last.measurements())}
    assert rows["temporal-coherence"]["verdict"] == ledgers.REPRODUCED
    assert rows["detailed-description"]["verdict"] == ledgers.UNDECIDED
    assert {
        row["verdict"] for name, row in rows.items() if name not in ("temporal-coherence", "detailed-description")
    } == {ledgers.NOT_MEASURED}
    decisions = {row["decision"]: row for row in ledgers.decisions_ledger(last.measurements())}
    assert decisions["A12"]["measured effect"] == "length: half"


def test_a_chapter_whose_number_broke_leaves_strict_json_and_no_verdict(pages):
    first = pages("09_latent_space")
    lost = Interval(-inf, inf, nan, 8, "cannot be told: features that are not finite")
    first.measure("change", nan, claim="temporal-coherence", low=1, interval=lost, controls=[Control("a", nan, inf)])
    first.colophon()
    (path,) = first.runs.glob("09*.usage.json")
    json.loads(path.read_text(), parse_constant=lambda token: pytest.fail(f"{token} is no JSON"))
    rows = {row["claim"]: row for row in ledgers.claims_ledger(pages("12_claims_and_decisions").measurements())}
    assert rows["temporal-coherence"]["verdict"] == ledgers.UNDECIDED
    assert rows["temporal-coherence"]["ours"] == "change: nan [cannot be told] (asked: at least 1)"


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
    word, reason = ledgers.verdict(paper.claim("data-stacks"), [row])
    assert word == (ledgers.NOT_TESTABLE if partial else ledgers.AS_PRINTED)
    assert reason == ("missing: the Aeroplane data set" if partial else "as asked")


def test_what_a_measurement_leaves_open_is_filled_in_by_the_page(pages):
    page = pages("10_tables")
    page.measure("exact", True, claim="sgd")
    page.measure("estimated", 2.0, claim="sgd", interval=Interval(1.0, 3.0, 2.0, 8, ""), high=0, sides=[RIVAL])
    assert page.measurements() == [
        Measurement("10_tables", "exact", 1.0, 1.0, 1.0, "sgd"),
        Measurement("10_tables", "estimated", 2.0, 1.0, 3.0, "sgd", asked_high=0, over="samples", sides=(RIVAL,)),
    ]
    assert isinstance(page.measurements()[0].value, float)


def test_a_row_of_the_claims_ledger_field_by_field():
    claim = paper.claim("generality")
    lone = replace(OURS, extra=1_000, seeds=1)
    rows = {row["claim"]: row for row in ledgers.claims_ledger(iter([
        order(claim=ORDERING.id, over="samples", data="golf, real", controls=(STILL,)),
        measured(7.0, claim="nash"),
        order(1.5, 2.5, lone, RIVAL, claim=ORDERING.id, over="samples", data="ucf101, real",
              controls=(STILL, Control("cross-fade", -1 / 3, 12345.0))),
        order(4.0, 4.0, claim=ORDERING.id, shown="four", over="3 training seeds"),
        having(claim="temporal-coherence", sides=()),
    ]))}  # fmt: skip
    assert list(rows) == list(paper.CLAIMS)
    assert rows[ORDERING.id] == {
        "claim": ORDERING.id, "kind": "ordering", "where": "Table 3", "the paper": ORDERING.words,
        "test": ORDERING.test, "published": ORDERING.value, "verdict": ledgers.IN_THESE,
        "ours": "ours: 0.5 [0.1, 0.9] (asked: at least 0); ours: 2 [1.5, 2.5] (asked: at least 0); ours: four",
        "asked": "at least 0", "interval over": "samples; 3 training seeds", "data": "golf, real; ucf101, real",
        "training clips": "HRVGAN 32,000 real, 32,000 generated, VGAN 32,000 real, 32,000 generated; "
                          "HRVGAN 32,000 real, 32,000 generated, 1,000 more in its pixel term, "
                          "VGAN 32,000 real, 32,000 generated",
        "training seeds": 1, "negative controls": "untrained network [0.1, 0.2]; cross-fade [-0.3333, 1.234e+04]",
        "why": "as asked", "chapter": "10_tables",
    }  # fmt: skip
    assert rows["nash"]["verdict"] == ledgers.UNDECIDED
    assert (rows["nash"]["ours"], rows["nash"]["asked"], rows["nash"]["training clips"]) == ("ours: 7", "", "")
    assert (rows["nash"]["training seeds"], rows["nash"]["negative controls"]) == (None, "")
    assert rows["temporal-coherence"]["verdict"] == ledgers.REPRODUCED
    assert rows["temporal-coherence"]["negative controls"] == "untrained network [0.1, 0.2]"
    assert rows["generality"] == {
        "claim": "generality", "kind": claim.kind, "where": claim.where, "the paper": claim.words, "test": claim.test,
        "published": None, "verdict": ledgers.NOT_MEASURED, "ours": "", "asked": "", "interval over": "", "data": "",
        "training clips": "", "training seeds": None, "negative controls": "", "why": "10_tables",
        "chapter": "10_tables",
    }  # fmt: skip
    sgd = rows["sgd"]
    assert (sgd["verdict"], sgd["why"], sgd["ours"]) == (ledgers.NOT_MEASURED, "11_ablations", "")


def test_the_training_seeds_of_a_row_are_the_fewest_where_something_was_trained():
    claim = PROPERTY.id
    (row,) = [row for row in ledgers.claims_ledger([
        having(claim=claim, sides=()), having(claim=claim), having(claim=claim, sides=(replace(OURS, seeds=4),)),
    ]) if row["claim"] == claim]  # fmt: skip
    assert row["training seeds"] == 3 and row["training clips"] == "HRVGAN 32,000 real, 32,000 generated"


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


def hands_on(function: ast.AST) -> bool:
    """Whether a chapter's own function gives its further keywords to page.measure."""
    rest = isinstance(function, ast.FunctionDef) and function.args.kwarg
    return bool(rest) and any(
        call.func.attr == "measure"
        and any(not word.arg and ast.unparse(word.value) == rest.arg for word in call.keywords)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
    )


def assigned(name: str, tree: ast.Module) -> list[ast.expr]:
    """What a source assigns to a name, also as in `one, name = 1, value`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts))
                found += [value for one, value in pairs if getattr(one, "id", "") == name]
    return found


def spellings(node: ast.expr, tree: ast.Module, seen: frozenset[str] = frozenset()) -> list[str]:
    """Patterns of what an expression can be: a string, an f-string, one of two, or what a name stands for.

    seen: names on the way here, which a source may define by themselves.
    """
    match node:
        case ast.Constant():
            return [re.escape(str(node.value))]
        case ast.JoinedStr():
            return [
                "".join(re.escape(part.value) if isinstance(part, ast.Constant) else r"\w+" for part in node.values)
            ]
        case ast.IfExp():
            return spellings(node.body, tree, seen) + spellings(node.orelse, tree, seen)
        case ast.Name(id=name) if name not in seen:
            loops = [one for one in ast.walk(tree) if isinstance(one, ast.For)]
            passed = [loop.iter for loop in loops if getattr(loop.target, "id", "") == name]
            return [spelling for one in passed for spelling in elements(one, tree, seen | {name})] + [
                spelling for one in assigned(name, tree) for spelling in spellings(one, tree, seen | {name})
            ]
    return []


def elements(node: ast.expr, tree: ast.Module, seen: frozenset[str] = frozenset()) -> list[str]:
    """Patterns of what a loop over an expression goes through: a tuple or list, a sum, one of two, or a name of one."""
    match node:
        case ast.Tuple() | ast.List():
            return [
                spelling
                for one in node.elts
                for spelling in (
                    elements(one.value, tree, seen) if isinstance(one, ast.Starred) else spellings(one, tree, seen)
                )
            ]
        case ast.BinOp(op=ast.Add()):
            return elements(node.left, tree, seen) + elements(node.right, tree, seen)
        case ast.IfExp():
            return elements(node.body, tree, seen) + elements(node.orelse, tree, seen)
        case ast.Name(id=name) if name not in seen:
            return [spelling for one in assigned(name, tree) for spelling in elements(one, tree, seen | {name})]
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


@pytest.mark.parametrize("claim", paper.CLAIMS.values(), ids=lambda c: c.id)
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


@pytest.mark.parametrize("code, names", [
    ('for one in ["a", "b"]:', {"a", "b"}),
    ('for one in ["a"] + ["b"]:', {"a", "b"}),
    ('for one in ("a",) + ("b", "c") + more:', {"a", "b", "c"}),
    ('for one in ["a"] + (["b"] if last else ["c"]):', {"a", "b", "c"}),
    ('names = ["a"] + (["b"] if last else [])\nfor one in names:', {"a", "b"}),
    ('lead, names = found("x"), ["a"]\nfor one in names + ["b"]:', {"a", "b"}),
    ('names = ("a", "b")\nfor one in [*names, "c"]:', {"a", "b", "c"}),
    ('names = ["a"]\nnames = names + ["b"]\nfor one in names:', {"a", "b"}),
    ('best = "a"\nfor one in (best, "b"):', {"a", "b"}),
    ('names = {"a": 1} if last else sorted(["b"])\nfor one in names:', set()),  # more than this it need not read
    ('for other in ["a"]:', set()),
    ('names, one_more = "a", ["b"]\nfor one in one_more:', {"b"}),
    ('for one in one:', set()),
])  # fmt: skip
def test_a_claim_may_be_named_by_a_loop_over_lists_and_names(code, names):
    source = f'{code}\n    page.measure("the words", 1, claim=one)\n'
    assert set(ids_measured(source, "claim")) == names and ids_measured(source, "decision") == []


def test_a_loop_over_f_strings_names_what_they_can_be():
    source = """def measure_order(dataset, better, worse):
    claims = [f"fd-order-{dataset}-{better}-below-{worse}"] + (["novel-results-fd"] if better == "hrvgan" else [])
    for claim in claims:
        page.measure("the words", 1, claim=claim)
"""
    first, second = ids_measured(source, "claim")
    assert re.fullmatch(first, "fd-order-golf-hrvgan-below-vgan") and not re.fullmatch(first, "fd-golf-vgan")
    assert second == re.escape("novel-results-fd")
    chosen = 'name = f"is-{row}"\npage.measure("the words", 1, claim=name)'
    assert re.fullmatch(*ids_measured(chosen, "claim"), "is-vgan")


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


def found(value, half, source, shared=0.0):
    """An estimate with this half width from clips of its own, and `shared` more from real clips that all have."""
    rows = np.tile([1.0, -1.0], 200) / mean_estimate(np.tile([1.0, -1.0], 200), drawn(400, "")).high
    parts = [influence(drawn(400, source), half * rows), influence(drawn(400, "real"), shared * rows)]
    return estimate(value, *(part for part in parts if any(part.totals)))


def kept(folder, *estimates, sides=(), limits=(), name="is vgan"):
    """The view of the last of several training seeds, each of which gave one number."""
    for seed, given in enumerate(estimates):
        view = Seeds(folder, seed, ["judge", "data"])
        view.keep(name, given, iter(sides[seed] if sides else ()), limits[seed] if limits else None)
    return view


def test_the_number_of_one_seed_is_over_samples_of_this_training(tmp_path):
    one = found(1.1, 0.6, "seed 0")
    alone = kept(tmp_path, one, sides=[[OURS]], limits=[0.9]).joined("is vgan")
    assert alone == Joined(one, "samples of 1 training seed", (OURS,), 0.9) and alone.value == 1.1


def test_the_number_of_two_seeds_is_over_samples_of_these_trainings(tmp_path):
    both = kept(tmp_path, found(1.0, 3.0, "seed 0"), found(3.0, 4.0, "seed 1")).joined("is vgan")
    assert (both.value, both.over, both.limit) == (2.0, "samples of 2 training seeds", None)
    assert both.interval.high - 2.0 == pytest.approx(sqrt(3**2 + 4**2) / 2, rel=0.01)
    shared = kept(tmp_path / "b", found(1.0, 0, "", 3.0), found(3.0, 0, "", 3.0)).joined("is vgan")
    assert shared.interval.high - 2.0 == pytest.approx(3.0, rel=0.01)  # the real clips are the same ones twice


def test_from_three_seeds_on_the_interval_is_over_seeds_and_both_spreads_are_said(tmp_path):
    alone = [found(value, 0.3, f"seed {seed}") for seed, value in enumerate((1.0, 2.0, 3.0))]
    three = kept(tmp_path, *alone).joined("is vgan")
    student = seed_interval([1.0, 2.0, 3.0])
    assert (three.value, three.interval.low, three.interval.high) == pytest.approx((2.0, student.low, student.high))
    half, samples = 4.302653 / sqrt(3), 0.3 / sqrt(3)
    assert three.over == f"3 training seeds (±{half:.3g}; of samples and real clips alone ±{samples:.3g})"


def test_real_clips_that_every_seed_was_measured_on_stay_in_the_interval_over_seeds(tmp_path):
    """Three seeds that agree to a hair, on real clips that move each of them by ±5: the mean moves by ±5 too."""
    values = (10.0, 10.01, 10.02)
    alike = kept(tmp_path, *(found(value, 0.1, f"seed {seed}", 5.0) for seed, value in enumerate(values)))
    interval = alike.joined("is vgan").interval
    assert interval.high - interval.value == pytest.approx(5.0, rel=0.02)


def test_what_cannot_be_told_of_one_of_several_seeds_cannot_be_told_of_all(tmp_path):
    for count in (1, 2, 3):
        lost = estimate(nan, influence(drawn(4, "seed 9"), np.arange(4.0)))
        folder = tmp_path / str(count)
        view = kept(folder, *(found(1.0, 0.1, f"seed {seed}") for seed in range(count)), lost).joined("is vgan")
        assert isnan(view.value) and (view.interval.low, view.interval.high) == (-inf, inf)


def test_the_limit_for_many_clips_is_the_mean_of_the_seeds_where_each_has_one(tmp_path):
    three = [found(1.0, 0.1, f"seed {seed}") for seed in range(3)]
    assert kept(tmp_path / "a", *three, limits=(1.0, 2.0, 6.0)).joined("is vgan").limit == 3.0
    assert kept(tmp_path / "b", *three, limits=(1.0, None, 6.0)).joined("is vgan").limit is None


def test_the_sides_of_several_seeds_are_one(tmp_path):
    ours, rival = Side("HRVGAN", 640, 320, 64), Side("VGAN", 640, 640, 0, 2)
    trainings = [
        (replace(ours, learned=one), replace(rival, learned=other, diverged=lost))
        for one, other, lost in ((True, True, ""), (True, False, "at step 10"), (None, True, "at step 3"))
    ]
    view = kept(tmp_path, *[found(2, 1, "s")] * 3, sides=trainings)
    assert view.joined("is vgan").sides == (
        Side("HRVGAN", 640, 320, 64, seeds=3, diverged="", learned=None),
        Side("VGAN", 640, 640, 0, seeds=6, diverged="at step 10", learned=False),
    )


@pytest.mark.parametrize("each, all_of_them", [
    ((True, True), True), ((True, False), False), ((False, False), False), ((True, None), None), ((None, False), None),
    ((False, None), None),
])  # fmt: skip
def test_seeds_have_learned_where_each_has_and_unknown_is_not_a_yes(tmp_path, each, all_of_them):
    view = kept(tmp_path, found(2, 1, "a"), found(2, 1, "b"), sides=[[replace(OURS, learned=one)] for one in each])
    assert view.joined("is vgan").sides[0].learned is all_of_them


def test_training_seeds_join_where_everything_else_is_the_same(tmp_path):
    first = Seeds(tmp_path, 0, ["judge", "data"])
    numbers = [found(1.1, 0.5, "seed 0"), found(3.1, 0.5, "seed 1"), found(1.0, 1.0, "seed 0")]
    first.keep("is vgan", numbers[0], [RIVAL])
    first.keep("is hrvgan", found(3.5, 1.0, "seed 0"))
    second = Seeds(tmp_path, 1, ["judge", "data"])
    second.keep("is vgan", numbers[1], [RIVAL], 2.5)
    scores = [Score(numbers[0], (RIVAL,), None), Score(numbers[1], (RIVAL,), 2.5)]
    assert first.found("is vgan") == second.found("is vgan") == scores
    assert first.joined("is hrvgan").over == "samples of 1 training seed"  # the other seed has none
    first.keep("is vgan", numbers[2])  # once more: it replaces its own
    assert second.found("is vgan") == [Score(numbers[2], (), None), scores[1]]
    assert Seeds(tmp_path, 2, ["judge", "other data"]).found("is vgan") == []


def test_three_joined_seeds_make_a_verdict_about_the_method(tmp_path):
    words = []
    for seed, lead in enumerate((0.50, 0.52, 0.54)):
        view = Seeds(tmp_path, seed, "all the same")
        view.keep("lead", found(lead, 0.1, f"seed {seed}"), [replace(side, seeds=1) for side in (OURS, RIVAL)])
        joined = view.joined("lead")
        words.append(said(ORDERING, order(joined.interval.low, joined.interval.high, *joined.sides)))
    assert words == [ledgers.IN_THESE, ledgers.IN_THESE, ledgers.REPRODUCED]


def test_an_order_that_turns_round_with_the_number_of_clips_decides_nothing():
    """Few clips favour a system that has lost its variety: what counts at this N must count at any."""
    lead = order(0.2, 0.4)
    assert said(ORDERING, replace(lead, limit=0.1)) == said(ORDERING, lead) == ledgers.REPRODUCED
    assert said(ORDERING, replace(lead, limit=-0.1)) == ledgers.UNDECIDED
    behind = order(-0.4, -0.2)
    assert said(ORDERING, replace(behind, value=-0.3, limit=-0.1)) == ledgers.NOT_REPRODUCED
    assert said(ORDERING, replace(behind, value=-0.3, limit=0.1)) == ledgers.UNDECIDED


def test_a_published_number_is_not_refuted_by_a_network_that_has_not_learned():
    for learned in (False, None):
        side = replace(OURS, learned=learned)
        assert said(TEN, number(2.9, 3.1, sides=(side,))) == said(TEN, number(9.9, 10.1, sides=(side,)))
        assert said(TEN, number(2.9, 3.1, sides=(side,))) == ledgers.UNDECIDED
    assert said(TEN, number(2.9, 3.1, sides=(OURS,))) == ledgers.NOT_REPRODUCED


def test_what_was_not_trained_makes_a_claim_about_trainings_no_firmer():
    """Four draws of untrained weights against it, beside one training that is open: it speaks of these trainings."""
    untrained = having(0.2, 0.4, STILL, sides=())
    trained = having(0.9, 1.1, STILL, sides=(replace(OURS, seeds=1),))
    assert said(PROPERTY, untrained, trained) == ledgers.NOT_IN_THESE
    assert said(PROPERTY, untrained) == ledgers.NOT_REPRODUCED


def test_a_control_that_is_no_number_may_pass(tmp_path):
    for low, high in ((nan, 0.2), (0.1, nan)):
        lost = Control("lost", low, high)
        assert said(PROPERTY, having(2.0, 3.0, lost)) == ledgers.UNDECIDED
        made = book.control("lost", Interval(low, high, 0.15, 8, ""))
        assert (made.low, made.high) == (-inf, inf)


@pytest.mark.parametrize(("low", "high"), [(nan, 0.4), (2.0, nan)])
def test_a_bound_that_is_no_number_says_the_same_before_and_after_json(tmp_path, low, high):
    row = having(low, high, STILL)
    (tmp_path / "09_latent_space.usage.json").write_text(json.dumps({"measurements": [write_measurement(row)]}))
    assert said(PROPERTY, row) == said(PROPERTY, *read_measurements(tmp_path)) == ledgers.UNDECIDED


def test_a_control_that_surely_passes_makes_it_void_whatever_the_order():
    sure, maybe = Control("memory", 1.5, 2.0), Control("cross-fade", 0.5, 2.0)
    assert said(PROPERTY, having(2, 3, sure, maybe)) == said(PROPERTY, having(2, 3, maybe, sure)) == ledgers.VOID


def test_the_firmest_answer_against_a_claim_is_the_one_that_is_named():
    lone = replace(having(0.2, 0.4, STILL, sides=(replace(OURS, seeds=1),)), what="one training")
    firm = replace(having(0.2, 0.4, STILL), what="three trainings")
    assert ledgers.verdict(PROPERTY, [lone, firm]) == (ledgers.NOT_REPRODUCED, "decided by: three trainings")


def test_a_budget_that_is_not_known_is_no_zero_in_the_ledger():
    row = replace(having(2, 3, STILL, sides=(Side("the judge", None, 0, seeds=1),)), claim=PROPERTY.id)
    (found,) = (line for line in ledgers.claims_ledger([row]) if line["claim"] == PROPERTY.id)
    assert found["training clips"] == "the judge unknown real, 0 generated"


# --- chapter 12's one page, and the entries ---


def row_of(claim, verdict, ours="ours: 0.5 [0.1, 0.9] (asked: at least 0)", why="as asked", **more):
    given = paper.claim(claim)
    return {"claim": claim, "kind": given.kind, "where": given.where, "the paper": given.words, "test": given.test,
            "verdict": verdict, "ours": ours, "why": why, "chapter": given.chapter, "negative controls": "",
            "data": "", "training clips": "", "interval over": ""} | more  # fmt: skip


def test_every_claim_has_a_short_line_and_says_what_would_count():
    for claim in paper.CLAIMS.values():
        assert len(claim.title) <= 70 and claim.bar, claim.id
        assert bool(claim.short) == (claim.id in {one.id for one in paper.claims._READ_LINE_BY_LINE})
    assert paper.claim(ORDERING.id).title == ORDERING.words


def test_the_page_has_every_claim_once_and_shapes_apart():
    rows = [row_of(claim.id, said) for claim, said in zip(paper.CLAIMS.values(), ledgers.VERDICTS * 20)]
    assert all(row["kind"] != "shape" for found in ledgers.sections(rows).values() for row in found)
    properties = [row_of("nash", said) for said in ledgers.VERDICTS if said not in ledgers.TALLIES["printed shapes"]]
    assert [row["claim"] for rows in ledgers.sections(properties).values() for row in rows] == ["nash"] * len(
        properties
    )
    split = ledgers.sections([row_of("figure4", ledgers.IN_THESE), row_of("class-conditional", ledgers.IN_THESE)])
    assert {heading: [row["claim"] for row in rows] for heading, rows in split.items()} == {
        "Held in these trainings": ["class-conditional"],
        "Held in these trainings, in the part that was tested": ["figure4"],
    }
    counts = {row["verdict"]: row["claims"] for row in ledgers.counted([row_of("figure4", ledgers.IN_THESE)])}
    assert counts["Held in these trainings, in the part that was tested"] == 1 and sum(counts.values()) == 1
    assert "Void" not in counts and "Undecided" in counts


def test_what_is_undecided_is_grouped_by_what_stands_in_the_way():
    behind = [row_of(ORDERING.id, ledgers.UNDECIDED, why=f"not clear of its own untrained network: {name}")
              for name in ("VGAN", "TGAN")]  # fmt: skip
    rows = [row_of("prediction", ledgers.UNDECIDED, why="diverged at step 40"), *behind]
    assert [(heading, len(found)) for (heading, _), found in ledgers.reasons(rows).items()] == [
        ("A system has not learned", 2), ("Another reason", 1)]  # fmt: skip
    missing = [
        row_of(f"fd-{name.lower()}-vgan", ledgers.NOT_TESTABLE, why=f"missing: the {name} data set; a network")
        for name in ("Golf", "Aeroplane")
    ]
    ((key, found),) = ledgers.reasons(missing).items()
    assert key == ("Missing", "the data set; a network.") and found == missing


def test_the_reasons_are_those_that_the_rule_gives():
    given = {
        ledgers.verdict(ORDERING, [order(sides=(OURS, replace(RIVAL, learned=False)))])[1],
        ledgers.verdict(ORDERING, [order(sides=(OURS, replace(RIVAL, clips=1)))])[1],
        ledgers.verdict(ORDERING, [order(-0.1, 0.9)])[1],
        ledgers.verdict(ORDERING, [replace(order(), limit=-1.0)])[1],
        ledgers.verdict(PROPERTY, [having(2, 3, controls=())])[1],
        ledgers.verdict(PROPERTY, [having(2, 3, Control("memory", 0.5, 1.5))])[1],
        ledgers.verdict(paper.claim("detailed-description"), [measured(39.0)])[1],
    }
    told = {next((one for one in ledgers.REASONS if why.startswith(one)), why) for why in given}
    assert told <= {*ledgers.REASONS} and len(told) == len(given)


def test_the_numbers_of_a_recorded_row_are_read_back():
    ours = (
        "a: b, over c: 0.5 [0.1, 0.9] (asked: at least 0 and at most 1); the rest: 4 words; shape: 3 × 32 (A5); d: 2e4"
    )
    row = row_of("prediction", ledgers.NOT_IN_THESE, ours, "decided by: the rest")
    assert ledgers.numbers(row) == [
        ("a: b, over c", "0.5 [0.1, 0.9]", "at least 0 and at most 1"), ("the rest", "4 words", ""),
        ("shape", "3 × 32 (A5)", ""), ("d", "2e4", ""),
    ]  # fmt: skip
    assert ledgers.deciding(row)[0] == "the rest" and ledgers.deciding(row | {"why": "as asked"})[0] == "a: b, over c"
    assert ledgers.deciding(row | {"ours": ""}) == ("", "no number", "")
    behind = "difference of A, late: 1 [0, 2]; difference of B, early: 3 [2, 4]"
    assert ledgers.deciding(row_of(ORDERING.id, ledgers.UNDECIDED, behind, "not clear of its own untrained network: "
                                   "B, early"))[1] == "3 [2, 4]"  # fmt: skip


def test_a_line_of_the_page_says_what_decided_and_what_was_left_out():
    claim = paper.claim("figure4")
    line = ledgers.line(
        row_of(
            "figure4",
            ledgers.IN_THESE,
            "share: 2.5e+04 [1e+03, 3e+04] (asked: at least 0)",
            **{
                "negative controls": "untrained network [0, 1]; noise [0, 2]",
                "training clips": "HRVGAN 6,400 real, 6,400 made",
            },
        )
    )
    assert (line["the paper's claim"], line["the paper's claim"].target) == (claim.title, "#figure4")
    assert line["ours"] == "25,000\N{NO-BREAK SPACE}[1,000,\N{NO-BREAK SPACE}30,000]"
    assert f"Tested only: {claim.part}. Does not pass: untrained network [0, 1]. It rests" in line["why"]
    assert line["why"].endswith("on this one number. After 6,400 clips.")
    two = "a: 0.5 [0.1, 0.9] (asked: at least 0); b: -2 [-3, -1] (asked: at least 0)"
    failed = ledgers.line(row_of(ORDERING.id, ledgers.NOT_IN_THESE, two, "decided by: b"))
    assert failed["ours"].startswith("-2") and failed["why"].endswith("Of 2 numbers this one decides: b.")
    held = ledgers.line(row_of(ORDERING.id, ledgers.IN_THESE, two))
    assert held["ours"].replace("\N{NO-BREAK SPACE}", " ") == "0.5 [0.1, 0.9]; -2 [-3, -1]"
    barred = row_of("mse-balance", ledgers.UNDECIDED, two, "not clear of its own untrained network: off")
    assert ledgers.line(barred)["why"].endswith("Not clear of its own untrained network: the arm off.")
    gone = ledgers.line(
        row_of(
            "is-vgan", ledgers.NOT_TESTABLE, "score: 2.3", "missing: all", data="ucf101, procedural; golf, procedural"
        )
    )
    assert gone["why"] == "score, on procedural ucf101, golf."


def test_an_entry_opens_lands_and_says_everything_that_is_there():
    row = row_of("prediction", ledgers.IN_THESE, "one: 1 <b>; two: 2", **{"interval over": "samples"})
    page = ledgers.claim_entry(row)
    assert page.startswith('<details data-jupyter-id="prediction"><summary><b>Predicts frames Y from frames X</b>: as')
    assert '<span id="prediction"' in page and page.count("<details") == 1 and page.endswith("</details>")
    assert "<li>one: 1 &lt;b&gt;</li><li>two: 2</li>" in page and "<b>interval over</b>: samples" in page
    assert "<b>data</b>" not in page and '<a href="07_prediction.ipynb">07</a>' in page
    loose = ledgers.claim_entry(row, anchored=False)
    assert "id=" not in loose and "<a " not in loose
    decisions = ledgers.decisions_ledger([measured(3.0, decision="A12", data="golf, real")])
    (twelve,) = [ledgers.decision_entry(row) for row in decisions if row["decision"] == "A12"]
    assert '<span id="A12"' in twelve and f"A12 · {paper.decision('A12').title}" in twelve
    assert twelve.count("<li>") > len(paper.decision("A12").options) and "<b>measured effect</b>: ours: 3" in twelve
