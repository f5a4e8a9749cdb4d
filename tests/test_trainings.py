"""The list of trainings: every one that chapters ask for, each once, and found again by whoever asks for it."""

import ast
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from blobs import MovingBlobs

from hrvgan_lib import ablations, training
from hrvgan_lib.ablations import FRAMES, OURS, SIZE, STUDIES
from hrvgan_lib.book import learning
from hrvgan_lib.keys import code_cells
from hrvgan_lib.networks import system_class
from hrvgan_lib.networks.system import RECIPES
from hrvgan_lib.profiles import PROFILES, get_profile
from hrvgan_lib.series.reproduce import JUDGED
from hrvgan_lib.trainings import (
    FORECAST_CHOICES,
    FORECASTS,
    LABELLED,
    RIVALS,
    ROWS,
    SIDE_ROWS,
    SIDES,
    Training,
    frame_by_frame,
    native,
    native_predictor,
    predictor,
    row,
    side_row,
    trainings,
)
from hrvgan_lib.trainings import training as one_training

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CHAPTERS = {path.stem.split("_")[0]: path for path in sorted(NOTEBOOKS.glob("[0-9]*.py"))}
every_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))


def arms_of(profile) -> list[Training]:
    return [work for work in trainings(profile) if work.readers == ("11",)]


def asked_in(path: Path) -> set[tuple]:
    """What a chapter's `learning` calls ask for: (system, data, labels), ("row", name), ("side", name, data) or
    ("native",).

    Names are those of loops.
    """
    tree = ast.parse("\n".join(code_cells(path)))
    constants = {node.targets[0].id: node.value for node in tree.body
                 if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)}  # fmt: skip
    found = set()

    def words(node) -> list[str]:
        node = constants.get(node.id, node) if isinstance(node, ast.Name) else node
        each = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", [])
        return [one.value for one in each if isinstance(one, ast.Constant)]

    def walk(node, scope) -> None:
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name) and (values := words(node.iter)):
            for value in values:
                for child in node.body:
                    walk(child, scope | {node.target.id: value})
            return
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "learning.native":
            found.add(("native",))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "learning.row":
            assert any(ast.unparse(loop).startswith("for row in ROWS:") for loop in tree.body)
            found.update(("row", name) for name in ROWS)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "learning.side_row":
            loops = [ast.unparse(loop) for loop in tree.body if isinstance(loop, ast.For)]
            assert any(one.startswith("for dataset, (real, held_out) in SETS.items():\n") and
                       "for name in SIDE_ROWS:" in one for one in loops)  # fmt: skip
            assert "for name in ('golf', 'aeroplane')" in ast.unparse(constants["SETS"])
            found.update(("side", name, data) for name in SIDE_ROWS for data in SIDES)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "learning.trained":
            given = [one.value if isinstance(one, ast.Constant) else scope[one.id] for one in node.args[1:]]
            named = {one.arg: ast.literal_eval(one.value) for one in node.keywords}
            asked = dict(zip(("system", "data", "labels"), given)) | named
            found.add((asked["system"], asked.get("data", LABELLED), asked.get("labels", False)))
        for child in ast.iter_child_nodes(node):
            walk(child, scope)

    walk(tree, {})
    return found


# The list -------------------------------------------------------------------------------------------------------------
@every_profile
def test_every_training_has_a_name_of_its_own_and_the_longest_comes_first(profile):
    works = trainings(profile)
    assert len({work.name for work in works}) == len(works)
    costs = [work.cost for work in works]
    assert costs == sorted(costs, reverse=True)
    assert {work.data for work in works} == {LABELLED, *SIDES} and all(work.steps > 0 for work in works)


def test_a_training_costs_what_its_steps_read():
    work = Training("vgan", "golf", False, 8, 32, 4, 10, ("10",))
    assert work.cost == 10 * 4 * 8 * 32 * 32
    assert replace(work, steps=20).cost == 2 * work.cost and replace(work, size=64).cost == 4 * work.cost
    assert replace(work, system="hrvgan").cost > work.cost


def test_a_name_says_what_sets_a_training_apart():
    work = Training("hrvgan", "actions", True, 8, 16, 4, 10, ("11",), {"width": 0.5, "k": 4.0}, seed=1)
    assert work.name == "hrvgan, actions, labels, 8x16, width 0.5, k 4.0, 10 steps, seed +1"
    assert Training("vgan", "golf", False, 8, 32, 4, 10, ("10",)).name == "vgan, golf, no labels, 8x32, 10 steps"


@every_profile
def test_the_list_is_what_chapters_ask_for_and_nothing_else(profile):
    asked = {number: asked_in(path) for number, path in CHAPTERS.items()}
    everything = set().union(*asked.values()) - {("native",)}
    found_by = {"row": row, "side": side_row}
    plain = {
        what: found_by[what[0]](profile, *what[1:]) if what[0] in found_by else one_training(profile, *what)
        for what in everything
    }
    large = [native(profile)] if profile.native else []
    listed = [work for work in trainings(profile) if work.readers not in (("07",), ("11",))]
    expected = {work.name: work for work in [*plain.values(), *large]}
    assert sorted(listed, key=lambda work: work.name) == [expected[name] for name in sorted(expected)]
    for work in plain.values():  # who reads a training is who asks for it
        assert work.readers == tuple(
            number for number, found in asked.items() if any(plain[what] == work for what in found - {("native",)})
        ), work.name
    for work in large:
        assert work.readers == tuple(number for number, found in asked.items() if ("native",) in found)
    # iVGAN, and rows that other chapters ask for by system: the main one, and HRVGAN's on the other two data sets
    assert len(plain) == len(ROWS) + 1 + 1 + len(SIDE_ROWS) * len(SIDES) + 2


@every_profile
def test_chapter_07_asks_for_predictors_and_for_one_latent_a_frame(profile):
    expected = [predictor(profile, arm) for arm in (*FORECASTS, *FORECAST_CHOICES)] + [frame_by_frame(profile)]
    reference = predictor(profile, "combined", short=True)
    expected += [reference] * (reference not in expected)
    listed = [work for work in trainings(profile) if work.readers == ("07",)]
    assert sorted(listed, key=lambda work: work.name) == sorted(expected, key=lambda work: work.name)
    for work in listed:
        assert (work.frames, work.size, work.batch) == (profile.frames, profile.size, profile.batch)
        assert work.system == ("hrvgan" if work.labels else "prediction")
    assert {predictor(profile, arm).steps for arm in FORECASTS} == {profile.prediction_steps}
    others = [predictor(profile, arm) for arm in FORECAST_CHOICES] + [reference, frame_by_frame(profile)]
    assert {work.steps for work in others} == {profile.choice_steps} and reference.options == {}
    code = "\n".join(code_cells(CHAPTERS["07"]))
    assert code.count("learning.predictor(page, arm)") == 2 and "for arm in trainings.FORECASTS:" in code
    assert "for arm in trainings.FORECAST_CHOICES:" in code
    assert 'short = trainings.predictor(page.profile, "combined", short=True)' in code and "learn(page, short" in code
    assert "learning.frame_by_frame(page)" in code and "trainings.native_predictor(page.profile)" in code


def test_a_rehearsal_predicts_in_the_papers_own_shape_once():
    assert native_predictor(PROFILES["gpu"]) is None and native_predictor(get_profile("cpu", rehearse=True)) is None
    large = native_predictor(get_profile("gpu", rehearse=True))
    assert (large.system, large.frames, large.size, large.steps) == ("prediction", 32, 256, 1)
    assert large in trainings(get_profile("gpu", rehearse=True))


def test_readers_are_chapters():
    for profile in PROFILES.values():
        assert {number for work in trainings(profile) for number in work.readers} <= {*CHAPTERS}
    assert "ablations.run_study" in CHAPTERS["11"].read_text() and not asked_in(CHAPTERS["11"])


@every_profile
def test_who_learns_for_how_long(profile):
    steps = {name: row(profile, name).steps for name in ROWS}
    assert steps.pop("hrvgan") == profile.steps
    assert steps.pop("hrvgan, no labels") == steps.pop("hrvgan, literal") == profile.contrast_steps
    assert len(steps) == 8 and set(steps.values()) == {profile.rival_steps}
    for system in ("hrvgan", *RIVALS):
        assert {one_training(profile, system, data).steps for data in SIDES} == {profile.side_steps}
    assert 0 < one_training(profile, "ivgan").steps <= min(profile.rival_steps, 10)  # a worked example
    large = [work for work in trainings(profile) if work.size > profile.size]
    assert [(work.frames, work.size, work.batch, work.steps) for work in large] == [profile.native] * bool(
        profile.native
    )
    assert all(work.system == "hrvgan" and work.labels and work.options == {"width": 1.0} for work in large)


def test_rows_are_each_rival_in_both_recipes_with_labels_where_it_takes_them_and_hrvgan_by_text_and_stable():
    found = {(one.system, one.recipe, one.labels) for one in ROWS.values()}
    expected = {(system, recipe, labels) for system in RIVALS for recipe in RECIPES
                for labels in {False, system_class(system).takes_labels}}  # fmt: skip
    expected |= {("hrvgan", "stable", False), ("hrvgan", "stable", True), ("hrvgan", "literal", True)}
    assert found == expected and len(ROWS) == len(found)
    smoke = PROFILES["smoke"]
    options = {name: {**row(smoke, name).options} for name in ROWS}
    for name, one in ROWS.items():
        wanted = {"common": {"recipe": "common"}, "literal": {"preset": "literal"}}.get(one.recipe, {})
        assert options[name] == wanted and row(smoke, name).labels == one.labels
    assert one_training(smoke, "hrvgan", labels=True) == row(smoke, "hrvgan")  # the main system is the stable one
    assert one_training(smoke, "vgan") == row(smoke, "vgan") and row(smoke, "vgan").options == {}


@every_profile
def test_the_arms_are_the_short_ones_each_once_and_ours_twice(profile):
    arms = arms_of(profile)
    for arm in arms:
        assert (arm.system, arm.data, arm.labels, arm.frames, arm.size) == ("hrvgan", LABELLED, True, FRAMES, SIZE)
        assert (arm.batch, arm.steps, arm.options["width"]) == (profile.batch, profile.study_steps, profile.study_width)
    short = [{**arm.options} for study in STUDIES.values() for arm in study.arms if arm.name in study.short]
    assert len({repr(options) for options in short}) == len(short) and all(short)
    found = [({name: value for name, value in arm.options.items() if name != "width"}, arm.seed) for arm in arms]
    expected = [({}, 0), ({}, 1), *((options, 0) for options in short)]
    assert sorted(found, key=repr) == sorted(expected, key=repr)


def test_chapters_train_only_through_the_list():
    for path in CHAPTERS.values():
        for cell in code_cells(path):
            assert not re.search(r"(?<!learning\.)\btrained\(", cell), path.name
            assert not re.search(r"import .*\btrained\b|getattr\(training", cell), path.name
            assert "train_once(" not in cell and "judge_for(" not in cell and "trained_judge(" not in cell, path.name
    cells = {number: "\n".join(code_cells(path)) for number, path in CHAPTERS.items()}
    assert {n for n, code in cells.items() if re.search(r"\blearning\.(trained|native)\(", code)} == {
        "06",
        "08",
        "09",
        "10",
    }
    assert {n for n, code in cells.items() if "learning.judge(" in code} == {*JUDGED}


# Made once, found by everybody ----------------------------------------------------------------------------------------
@pytest.fixture
def page(tmp_path):
    """As much of a page as `learning` needs, of a run with a seed of its own."""
    tiny = replace(PROFILES["smoke"], size=SIZE, width=1 / 32, study_width=1 / 32, batch=4,
                   steps=1, rival_steps=1, contrast_steps=1, side_steps=1, study_steps=1, weights="")  # fmt: skip
    opened = []

    def dataset(name, split="train", frames=None, size=None):
        opened.append((name, split, frames, size))
        return MovingBlobs(n=12, seed=sum(map(ord, name + split)))

    return SimpleNamespace(
        chapter="trainings", profile=tiny, seed=3, runs=tmp_path, trainings=[], dataset=dataset, opened=opened
    )


@pytest.fixture
def turns(monkeypatch):
    """How often Algorithm 1 was really started, and with which seeds."""
    started, train = [], training.train

    def counted(system, dataset, config, *arguments, **options):
        started.append(config.seed)
        return train(system, dataset, config, *arguments, **options)

    monkeypatch.setattr(training, "train", counted)
    return started


def folders(page) -> Counter:
    return Counter(path.name for path in (page.runs / "checkpoints").iterdir())


def test_a_training_is_carried_out_once(page, turns):
    work = one_training(page.profile, "hrvgan", "golf")
    system, records = learning.learn(page, work)
    assert turns == [3] and len(records) == 1 and records[0].clips_seen == 4 and system.n_classes == 0
    assert page.opened == [("golf", "train", 8, 16)]
    again, read = learning.trained(page, "hrvgan", "golf")
    assert turns == [3] and read == records and page.trainings == [work.name] * 2
    assert all(one.equal(other) for one, other in zip(system.state_dict().values(), again.state_dict().values()))
    assert len(folders(page)) == 1
    learning.trained(page, "hrvgan", labels=True)  # another data set, and labels
    assert len(turns) == 2 and len(folders(page)) == 2
    page.seed = 4
    learning.trained(page, "hrvgan", "golf")
    assert turns == [3, 3, 4] and len(folders(page)) == 3


def test_every_arm_of_the_list_is_found_by_the_chapter_that_asks_for_it(page, turns, monkeypatch):
    arms = arms_of(page.profile)
    for work in arms:
        learning.learn(page, work)
    made = folders(page)
    assert len(turns) == len(arms) == len(made) and Counter(turns) == {3: len(arms) - 1, 4: 1}
    found = []

    class Enough(Exception):
        """The arm has been trained; what is measured of it is not asked here."""

    def generated(system, *arguments):
        found.append(system)
        raise Enough

    monkeypatch.setattr(ablations, "generated", generated)
    data = page.dataset(LABELLED, frames=FRAMES, size=SIZE)
    asked = [(arm, 3) for study in STUDIES.values() for arm in study.chosen(long=False)] + [(ablations.Arm(OURS), 4)]
    for arm, seed in asked:  # as chapter 11 calls it
        with pytest.raises(Enough):
            ablations.run_arm(arm, data, data, None, page.profile, steps=page.profile.study_steps, seeds=(seed,), n=4,
                              folder=page.runs)  # fmt: skip
    assert len(found) == len(asked) > len(arms)
    assert len(turns) == len(arms) and folders(page) == made


def test_the_large_shape_is_the_profile_s_own_and_refused_where_there_is_none(page, monkeypatch):
    with pytest.raises(ValueError, match="profile smoke trains nothing in the paper's own shape"):
        learning.native(page)
    page.profile, asked = replace(page.profile, native=(32, 256, 2, 7)), []
    monkeypatch.setattr(learning, "train_or_read", lambda *what, **how: asked.append((what[0], how)))
    learning.native(page)
    (system, how), *_ = asked
    assert page.opened == [(LABELLED, "train", 32, 256)] and system == "hrvgan"
    assert how == {"seed": 3, "steps": 7, "batch": 2, "conditional": True, "folder": page.runs / "checkpoints",
                   "width": 1.0}  # fmt: skip
    assert page.trainings == ["hrvgan, actions, labels, 32x256, width 1.0, 7 steps"]
