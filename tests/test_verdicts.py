"""The verdict rule on made-up evidence: twenty cases that a statistician wrote without sight of the rule (chapter 12).

tests/verdict_cases.json holds the cases, each with the verdict and the sentence that goes with it. They were written
from the policy in words, before the rule was first run on them, and are not to be changed to suit it. Only the words
for the verdicts have been renamed since, each for each, with those of the ledger.
"""

import json
from math import inf, nan
from pathlib import Path

import pytest

from hrvgan_lib.book.ledgers import verdict
from hrvgan_lib.book.measurements import Control, Measurement, Side
from hrvgan_lib.paper.claims import Claim

CASES = json.loads((Path(__file__).parent / "verdict_cases.json").read_text(encoding="utf-8"))


def number(value, missing=nan):
    return missing if value is None else float(value)  # "NaN" is a float's own spelling


def claim_of(case):
    told = case["claim"]
    return Claim(
        "made-up", told["kind"], "", "", "", "", value=told["value"], gap=told["gap"],
        by_construction=told["by_construction"],
    )  # fmt: skip


def measurements_of(case):
    return [
        Measurement(
            "", one["what"], number(one["value"]), number(one["low"]), number(one["high"]), claim="made-up",
            asked_low=number(one["asked_low"], -inf), asked_high=number(one["asked_high"], inf),
            sides=tuple(Side(**side) for side in one["sides"]),
            controls=tuple(Control(row["name"], number(row["low"]), number(row["high"])) for row in one["controls"]),
        )
        for one in case["evidence"]
    ]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_rule_says_what_the_statistician_says(case):
    assert verdict(claim_of(case), measurements_of(case))[0] == case["verdict"], case["why"]


def test_the_cases_are_many_and_of_every_kind():
    assert len(CASES) >= 20
    assert len({case["verdict"] for case in CASES}) >= 9
    assert {case["claim"]["kind"] for case in CASES} >= {"ordering", "number", "property", "shape", "statement"}
