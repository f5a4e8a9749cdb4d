"""The paper as data: complete, consistent with itself, and in step with the library's names."""

import dataclasses
import importlib
import inspect
import math
import re
from itertools import pairwise

import pytest

from hrvgan_lib import paper

NUMBER_OF = {"A": 23, "T": 9, "L": 13, "O": 3, "E": 9}


def test_ratios_follow_from_the_rows():
    assert paper.frechet_ratio("golf") == pytest.approx(0.908, abs=5e-4)
    assert paper.frechet_ratio("aeroplane") == pytest.approx(0.698, abs=5e-4)
    assert paper.frechet_ratio("golf", to="TGAN") == pytest.approx(0.916, abs=5e-4)
    assert paper.frechet_ratio("aeroplane", to="TGAN") == pytest.approx(0.864, abs=5e-4)
    assert paper.frechet_ratio("golf", "TGAN") == pytest.approx(0.991, abs=5e-4)
    assert paper.frechet_ratio("aeroplane", "TGAN") == pytest.approx(0.808, abs=5e-4)
    assert paper.inception_ratio(to="MoCoGAN") == pytest.approx(14.29 / 12.42)


def test_the_published_scores_are_those_of_tables_3_and_4():
    assert [(row.model, row.reference, row.score) for row in paper.TABLE3] == [
        ("VGAN", 30, 8.18),
        ("TGAN", 21, 11.85),
        ("MoCoGAN", 27, 12.42),
        (paper.OURS, None, 14.29),
    ]
    assert [(row.model, row.reference, row.golf, row.aeroplane) for row in paper.TABLE4] == [
        ("VGAN", 30, 113_007, 149_094),
        ("TGAN", 21, 112_029, 120_417),
        (paper.OURS, None, 102_584, 104_036),
    ]


def test_every_published_number_and_ordering_holds_of_the_tables():
    for row in paper.TABLE3:
        name = "hrvgan" if row.model == paper.OURS else row.model.lower()
        assert paper.claim(f"is-{name}").value == row.score and f": {row.score}" in paper.claim(f"is-{name}").words
    orders = [entry for entry in paper.CLAIMS.values() if "-order-" in entry.id]
    assert len(orders) == 6 + 2 * 3  # of every two rows
    for entry in orders:
        assert entry.kind == "ordering" and entry.needs == ("all systems",) and entry.id.count("hrvgan") <= 1
        assert entry.value > 1 if entry.id.startswith("is-") else entry.value < 1
    assert paper.claim("is-order-hrvgan-over-vgan").value == pytest.approx(14.29 / 8.18)
    assert paper.claim("fd-order-golf-hrvgan-below-tgan").value == pytest.approx(paper.frechet_ratio("golf", to="TGAN"))
    assert paper.claim("fd-golf-tgan").needs == ("golf", "named metric")


def test_an_entry_is_found_by_its_id():
    assert paper.decision("A12") is paper.DECISIONS["A12"] and paper.claim("nash") is paper.CLAIMS["nash"]


def test_a_shape_is_printed_as_the_paper_s_tables_do():
    assert paper.shape_text((128, 4, 4, 4)) == "128 × 4 × 4 × 4" and paper.shape_text((3,)) == "3"


def test_ours_is_best_in_every_column():
    assert max(paper.TABLE3, key=lambda row: row.score).model == paper.OURS
    for column in ("golf", "aeroplane"):
        assert min(paper.TABLE4, key=lambda row: getattr(row, column)).model == paper.OURS


def test_decisions_are_complete():
    expected = [f"{letter}{number}" for letter, last in NUMBER_OF.items() for number in range(1, last + 1)]
    assert list(paper.DECISIONS) == expected
    for entry in paper.DECISIONS.values():
        assert entry.title and entry.where and entry.open_point and entry.options
        assert entry.choice and entry.why
        assert re.fullmatch(r"\d\d_[a-z_]+", entry.chapter), entry.id
        assert entry.group == paper.GROUPS[entry.id[0]]


def test_every_decision_that_is_cited_exists():
    cited = [id for rows in (paper.TABLE1, paper.TABLE2) for row in rows for id in row.decisions]
    cited += [id for entry in paper.EQUATIONS.values() for id in entry.decisions]
    assert cited and set(cited) <= set(paper.DECISIONS)


def _resolve(switch: str):
    """The field or parameter that a switch such as "HRVGANConfig.latent" names."""
    owner, *path = switch.split(".")
    for module in (
        "networks.hrvgan",
        "networks.prediction",
        "networks",
        "losses",
        "data",
        "profiles",
        "training",
        "metrics",
        "book.explore",
        "networks.mocogan",
    ):
        found = getattr(importlib.import_module(f"hrvgan_lib.{module}"), owner, None)
        if found is not None:
            break
    else:
        raise AssertionError(f"nothing in hrvgan_lib is called {owner}")
    for name in path[:-1]:
        found = getattr(found, name)
    if dataclasses.is_dataclass(found):
        return path[-1] in {field.name for field in dataclasses.fields(found)}
    return path[-1] in inspect.signature(found).parameters


@pytest.mark.parametrize("entry", [e for e in paper.DECISIONS.values() if e.switch], ids=lambda e: e.id)
def test_every_switch_exists(entry):
    for switch in entry.switch.split(", "):
        assert _resolve(switch), f"{entry.id}: {switch}"


def test_claims_are_unique_and_well_formed():
    from hrvgan_lib.paper import claims

    sources = (*claims._numbers(), *claims._orderings(), *claims._READ_LINE_BY_LINE, *claims._shapes())
    assert len(paper.CLAIMS) == len(sources)
    for entry in paper.CLAIMS.values():
        assert entry.kind in claims.KINDS and entry.where and entry.words and entry.test
        assert set(entry.needs) <= set(claims.NEEDS)
        assert not hasattr(entry, "verdict")  # a verdict is measured, never typed


def test_every_cell_of_the_tables_has_its_claim():
    numbers = [entry.value for entry in paper.CLAIMS.values() if entry.kind == "number"]
    for row in paper.TABLE3:
        assert row.score in numbers
    for row in paper.TABLE4:
        assert row.golf in numbers and row.aeroplane in numbers
    shapes = [id for id in paper.CLAIMS if re.fullmatch(r"table[12]-row\d\d", id)]
    assert len(shapes) == len(paper.TABLE1) + len(paper.TABLE2)


def test_every_equation_is_there_and_has_its_function():
    assert list(paper.EQUATIONS) == list(range(1, 19))
    for entry in paper.EQUATIONS.values():
        module, name = entry.function.rsplit(".", 1)
        assert callable(getattr(importlib.import_module(f"hrvgan_lib.{module}"), name)), entry.function
        if entry.continues:
            assert entry.continues == entry.number - 1
        assert entry.printed or entry.number == 18  # the paper's Eq. 18 is an empty line


def test_latex_braces_balance():
    for entry in paper.EQUATIONS.values():
        for latex in (entry.printed, entry.resolved):
            depth = 0
            for brace in re.findall(r"(?<!\\)[{}]", latex):
                depth += 1 if brace == "{" else -1
                assert depth >= 0, entry.number
            assert depth == 0, entry.number
            assert latex.count(r"\left") == latex.count(r"\right"), entry.number


def test_table1_fits_together():
    rows = paper.TABLE1
    assert len(rows) == 22 and rows[-1].shape == (3, 32, 256, 256)
    for before, row in pairwise(rows):
        if row.layer.startswith("DeConv 3") and before.layer != "Fully-connected":
            assert row.shape[1:] == before.shape[1:]  # only Upsample rows change the volume
        if row.layer == "Upsample":
            assert row.shape[0] == before.shape[0]
            assert all(after in (size, 2 * size) for size, after in zip(before.shape[1:], row.shape[1:]))
    assert math.prod(rows[1].shape) == math.prod(rows[2].shape)  # 8192 = 128x4x4x4
    assert [row.layer for row in rows if not row.agrees] == ["Fully-connected", "DeConv 1×1×1"]


def test_table2_is_table1_in_a_mirror():
    rows = paper.TABLE2
    assert len(rows) == 24 and rows[0].shape == paper.TABLE1[-1].shape
    for before, row in pairwise(rows):
        if row.layer == "Downsample":
            assert all(size in (after, 2 * after) for size, after in zip(before.shape[1:], row.shape[1:]))
        elif row.layer.startswith("Conv 3"):
            assert row.shape[1:] == before.shape[1:]
    up = [row.shape for row in paper.TABLE1 if row.layer == "Upsample"]
    into_down = [before.shape for before, row in pairwise(rows) if row.layer == "Downsample"]
    assert into_down == up[::-1]
    assert all(row.decisions for row in rows if not row.agrees)


def test_unknown_names_are_refused_in_one_line():
    for call in (
        lambda: paper.decision("A99"), lambda: paper.equation(19), lambda: paper.claim("no-such-claim"),
        lambda: paper.inception_row("StyleGAN"), lambda: paper.frechet_row("MoCoGAN"), lambda: paper.cite(35),
        lambda: paper.frechet_ratio("ucf101"),
    ):  # fmt: skip
        with pytest.raises(ValueError) as error:
            call()
        assert "\n" not in str(error.value)


def test_the_bibliography_is_numbered_through():
    assert list(paper.REFERENCES) == list(range(1, 35))
    assert paper.cite(30) == "Vondrick et al. (VGAN), 2016 [30]"
    cited = [row.reference for table in (paper.TABLE3, paper.TABLE4) for row in table if row.reference]
    assert set(cited) <= set(paper.REFERENCES)
