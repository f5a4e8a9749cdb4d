"""Keys of what is kept: every ingredient counts, code is followed through imports, words do not count."""

import inspect
import shutil
import subprocess
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from blobs import MovingBlobs

from hrvgan_lib import keys, metrics, training
from hrvgan_lib.data import formats, store
from hrvgan_lib.data.clips import Clips, identity
from hrvgan_lib.metrics.answers import answers_key
from hrvgan_lib.metrics.evaluation import evaluation_key
from hrvgan_lib.metrics.eyes.judge import judge_key
from hrvgan_lib.networks import SYSTEMS, build_system, system_class
from hrvgan_lib.profiles import get_profile
from hrvgan_lib.series import reproduce

CPU = torch.device("cpu")


def other(value):
    """Another value of the same kind: what a test puts in place of an ingredient."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return value + "x"
        case tuple():
            return (*value, *value[-1:]) if value else (1,)
        case None:
            return 1
    raise AssertionError(f"give the test a way to change a {type(value).__name__}")


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A copy of the library that a test may edit; keys are taken of its code."""
    shutil.copytree(keys.HOME / "hrvgan_lib", tmp_path / "hrvgan_lib", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(keys, "HOME", tmp_path)
    return tmp_path / "hrvgan_lib"


def edit(path: Path, old: str = "", new: str = "") -> None:
    """Put `new` for `old`, or a statement at the end; a file's time alone must not decide, so its size changes too."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1) if old else text + f"\nADDED = {new or 1}\n", encoding="utf-8")


# --- what goes in ---


@dataclass(frozen=True)
class Pair:
    left: object = 1
    right: object = ()


def test_no_two_ingredients_are_taken_for_each_other():
    plain = [None, True, 0, 1, 1.0, 1.5, "1", "", (), (1,), ((1,),), (1, 2), Pair(), Pair(left=2), Pair(right=(1,))]
    plain += [{"a": 1}, {"a": 2}, {"b": 1}, {1: 1}, {"a": {"b": 1}}]
    assert len({keys.key_of(x=one) for one in plain}) == len(plain)
    assert all(keys.key_of(x=one) == keys.key_of(x=one) != keys.key_of(y=one) for one in plain)


def test_the_order_of_names_does_not_count_and_of_a_list_does():
    assert keys.key_of(x={"a": 1, "b": 2}) == keys.key_of(x={"b": 2, "a": 1})
    assert keys.key_of(x=[1, 2]) != keys.key_of(x=[2, 1])


@pytest.mark.parametrize("value", [object(), np.zeros(3), torch.zeros(3), {1, 2}, Path("x"), len, int])
def test_what_cannot_be_told_is_refused(value):
    with pytest.raises(TypeError, match="cannot be part of a key"):
        keys.key_of(x=[value])


# --- code ---


def test_words_and_layout_do_not_count_and_code_does(library):
    path = library / "losses.py"
    first = keys.code_of("hrvgan_lib.losses")
    text = path.read_text()
    edit(path, '"""Losses and Lipschitz constraints', '"""Other words for losses')
    edit(path, "def full(", "# a comment\n\n\ndef full(")
    edit(
        path,
        "return values if values.dtype == torch.float64 else values.float()",
        "return (values if values.dtype == torch.float64\n            else values.float())",
    )
    edit(path, "def clip_weights_(module: nn.Module, c: float) -> nn.Module:", "def clip_weights_(module, c):")
    assert path.read_text() != text and keys.code_of("hrvgan_lib.losses") == first
    edit(path, "else values.float())", "else values.double())")
    assert keys.code_of("hrvgan_lib.losses") != first


def test_imports_are_followed_at_any_depth_but_not_those_for_type_checkers(library):
    for name, text in {
        "one.py": "def f():\n    from hrvgan_lib.two import g\n    return g()\n",
        "two.py": "from . import three\nif TYPE_CHECKING:\n    import hrvgan_lib.four\n",
        "three.py": "import hrvgan_lib.five.six as six\n",
        "four.py": "",
        "seven.py": "",
        "five/__init__.py": "from hrvgan_lib import seven\n",
        "five/six.py": "",
    }.items():
        (library / name).parent.mkdir(exist_ok=True)
        (library / name).write_text(text)
    reached = set(keys.closure(["hrvgan_lib.one"]))
    assert reached == {"hrvgan_lib.one", "hrvgan_lib.two", "hrvgan_lib.three", "hrvgan_lib.five.six"}
    (library / "three.py").write_text("from hrvgan_lib.five import something\n")  # of the package itself
    assert {"hrvgan_lib.five", "hrvgan_lib.seven"} <= set(keys.closure(["hrvgan_lib.one"]))


def test_names_in_text_are_followed_for_chapters_alone(library):
    (library / "one.py").write_text("PLACES = {'two': 'hrvgan_lib.two.Two'}\n")
    (library / "two.py").write_text("")
    assert set(keys.closure(["hrvgan_lib.one"])) == {"hrvgan_lib.one"}
    assert set(keys.closure(["hrvgan_lib.one"], registries=True)) == {"hrvgan_lib.one", "hrvgan_lib.two"}


def test_torch_counts_where_it_is_imported(library, monkeypatch):
    def both():
        return keys.code_of("hrvgan_lib.losses"), keys.code_of("hrvgan_lib.windows")

    first = both()
    monkeypatch.setattr(keys.metadata, "version", lambda name: "0.0")
    second = both()
    assert first[0] != second[0] and first[1] == second[1]


def test_a_module_that_cannot_be_parsed_is_named_in_one_line(library):
    edit(library / "norms.py", "class PixelNorm", "class class PixelNorm")
    with pytest.raises(ValueError, match=r"norms\.py, line \d+, cannot be parsed.*mend it") as caught:
        keys.code_of(system_class("hrvgan"))
    assert "\n" not in str(caught.value)


def test_code_outside_the_package_counts_by_itself():
    def one():
        return 1

    def two():
        return 2

    assert keys.code_of(one) != keys.code_of(two) and keys.code_of(one) == keys.code_of(one)
    scope: dict = {}
    exec("f = lambda: 1\ng = lambda: 2\nh = lambda: 1", scope)  # no source to be had, as in some notebooks
    assert keys.code_of(scope["f"]) != keys.code_of(scope["g"])


def test_a_registry_imports_what_is_asked_for():
    places = keys.Registry({"sha": "hashlib.sha256", "stream": "hrvgan_lib.streams.stream"})
    assert [*places] == ["sha", "stream"] and len(places) == 2 and "md5" not in places
    assert places["stream"] is training.stream
    with pytest.raises(KeyError):
        places["md5"]


# --- trainings ---


def of_systems() -> dict[str, str]:
    options = dict(dataset=MovingBlobs(), n_classes=0, config=training.TrainConfig(1, 4), options={})
    return {name: training.training_key(name, **options) for name in SYSTEMS}


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_change_in_one_system_trains_that_one_anew(library, name):
    before = of_systems()
    edit(library / "networks" / f"{name}.py")
    built_on = {"hrvgan": ["hrvgan", "prediction"]}.get(name, [name])  # the predictor is made of HRVGAN's networks
    assert [one for one, key in of_systems().items() if key != before[one]] == built_on


@pytest.mark.parametrize(
    "module, trained",
    [
        ("training", set(SYSTEMS)),
        ("checkpoints", set(SYSTEMS)),
        ("networks/system", set(SYSTEMS)),
        ("streams", set(SYSTEMS)),
        ("data/clips", set(SYSTEMS)),
        ("data/store", set(SYSTEMS)),
        ("windows", set(SYSTEMS)),
        ("losses", {"hrvgan", "prediction", "vgan", "tgan", "mocogan", "ivgan"}),
        ("norms", set(SYSTEMS)),  # the minibatch stddev says which clips belong together
        ("ranks", set(SYSTEMS)),
        ("launch", set()),
        ("profiles", set()),
        ("metrics/sources", set()),
        ("book/page", set()),
        ("series/reproduce", set()),
        ("data/standin/writing", set()),
        ("paper/claims", set()),
    ],
)
def test_a_change_of_code_trains_what_it_reaches(library, module, trained):
    before = of_systems()
    edit(library / f"{module}.py")
    assert {one for one, key in of_systems().items() if key != before[one]} == trained


def test_a_docstring_trains_nothing_anew(library):
    before = of_systems()
    for name in ("training", "networks/hrvgan", "networks/system", "data/clips"):
        edit(library / f"{name}.py", '"""', '"""Other words. ')
    assert of_systems() == before


def base_training():
    return dict(
        name="hrvgan", dataset=MovingBlobs(), n_classes=4, config=training.TrainConfig(8, 4), options={"k": 1.0}
    )


@pytest.mark.parametrize("ingredient", inspect.signature(training.training_key).parameters)
def test_every_ingredient_of_a_training_counts(ingredient):
    given = base_training()
    first = training.training_key(**given)
    assert training.training_key(**base_training()) == first
    if ingredient == "dataset":
        for field in identity(given["dataset"]):
            changed = MovingBlobs()
            setattr(changed, field, other(getattr(changed, field)))
            assert training.training_key(**given | {"dataset": changed}) != first, field
    elif ingredient == "config":
        for field in fields(training.TrainConfig):
            changed = replace(given["config"], **{field.name: other(getattr(given["config"], field.name))})
            assert training.training_key(**given | {"config": changed}) != first, field.name
    elif ingredient == "options":
        for changed in ({}, {"k": 2.0}, {"clip": 1.0}):
            assert training.training_key(**given | {"options": changed}) != first, changed
    else:
        changed = {"name": "vgan", "n_classes": 5}[ingredient]
        assert training.training_key(**given | {ingredient: changed}) != first


def test_what_a_key_knows_of_a_data_set_is_all_that_decides_its_clips():
    told = {name for name in inspect.get_annotations(Clips)} | {"n_classes"}
    words = {"name", "kind", "classes", "labels", "unit"}  # for tables and folders; labels and units are in the digest
    assert set(identity(MovingBlobs())) == told - words


def test_a_training_s_key_names_device_and_arithmetic(monkeypatch):
    keys_of = {training.training_key(**base_training())}
    monkeypatch.setattr(training, "precision", lambda device: torch.float64)
    keys_of.add(training.training_key(**base_training()))
    monkeypatch.setattr(training, "pick_device", lambda: torch.device("cuda"))
    keys_of.add(training.training_key(**base_training()))
    assert len(keys_of) == 3


def test_every_argument_of_a_training_leads_to_another_folder(tmp_path, monkeypatch):
    """By construction: a new parameter of `plan` or `trained` is in the key, or is named here: it changes nothing."""
    asked = []

    class Enough(Exception):
        pass

    def note(name, dataset, n_classes, config, options):
        asked.append(keys.key_of(name=name, data=identity(dataset), n=n_classes, config=config, options=options))
        raise Enough

    monkeypatch.setattr(training, "training_key", note)
    profile = replace(get_profile("smoke"), width=1 / 16)
    given = dict(name="hrvgan", dataset=MovingBlobs(), profile=profile, seed=0, steps=8, batch=4, conditional=True)
    changed = dict(
        name="mocogan",
        dataset=MovingBlobs(9),
        profile=replace(profile, width=1 / 8),
        seed=1,
        steps=9,
        batch=8,
        conditional=False,
        options={"k": 2.0},
    )
    idle = {"folder", "on_step"}
    assert set(inspect.signature(training.plan).parameters) == set(changed)
    assert set(inspect.signature(training.trained).parameters) == {"name", "dataset", "profile", "planned"} | idle
    for what, value in [("", None), *changed.items()]:
        more = value if what == "options" else {what: value} if what else {}
        with pytest.raises(Enough):
            training.trained(**given | more, folder=tmp_path)
    assert len(set(asked)) == len(asked) == len(changed) + 1


# --- judges, features, evaluations ---


@pytest.mark.parametrize("ingredient", inspect.signature(judge_key).parameters)
def test_every_ingredient_of_a_judge_counts(ingredient):
    given = dict(train_set=MovingBlobs(8), test_set=MovingBlobs(8, seed=1), recipe=metrics.Recipe(), device=CPU)
    first = judge_key(**given)
    assert judge_key(MovingBlobs(8), MovingBlobs(8, seed=1), metrics.Recipe(), CPU) == first
    if ingredient == "recipe":
        changes = [
            {"recipe": replace(given["recipe"], **{field.name: other(getattr(given["recipe"], field.name))})}
            for field in fields(metrics.Recipe)
        ]
    else:
        changes = [
            {
                ingredient: {
                    "train_set": MovingBlobs(9),
                    "test_set": MovingBlobs(9, seed=1),
                    "device": torch.device("cuda"),
                }[ingredient]
            }
        ]
    assert all(judge_key(**given | change) != first for change in changes)


def test_every_field_of_a_source_and_of_an_eye_counts(judge):
    source = metrics.noise_clips(8, 16)
    first = answers_key(judge, source, 8, 0, "fc6")
    told = {"draw", "restrict", "unit", "population", "base"}  # functions, and whose the clips are: so says the digest
    for field in fields(metrics.Source):
        if field.name not in told:
            changed = replace(source, **{field.name: other(getattr(source, field.name))})
            assert answers_key(judge, changed, 8, 0, "fc6") != first, field.name
    for change in ({"n": 9}, {"seed": 1}, {"layer": "fc7"}):
        assert answers_key(judge, source, **dict(n=8, seed=0, layer="fc6") | change) != first
    same = {
        "accuracy",
        "video_accuracy",
        "history",
        "recipe",
        "classes",
        "network",
    }  # change no feature; digest: network
    changes = {
        "name": "another",
        "stride": 2,
        "digest": "1",
        "protocol": metrics.get_protocol("tgan-v1"),
        "mean": torch.zeros(3, 16, 112, 112),
        "dtype": torch.bfloat16,
    }
    assert {field.name for field in fields(metrics.Judge)} == same | set(changes)
    found = {answers_key(replace(judge, **{name: value}), source, 8, 0, "fc6") for name, value in changes.items()}
    assert len(found | {first}) == len(changes) + 1


def test_the_digest_of_a_source_speaks_for_whose_clips_they_are():
    """No two sources of one digest differ in unit, population or base, which are in no key."""
    test = MovingBlobs()
    test.split = "test"
    sets = [MovingBlobs(), MovingBlobs(9), MovingBlobs(units=["a"] * 64), MovingBlobs(units=["b"] * 64), test]
    sources = [metrics.real_clips(one) for one in sets] + [metrics.mean_clip(one) for one in sets]
    sources += [metrics.noise_clips(8, 16), metrics.noise_clips(8, 8)]
    sources += [treatment(source) for source in sources for treatment in (metrics.frozen, metrics.shuffle_frames)]
    sources.append(metrics.frozen(metrics.shuffle_frames(sources[0])))
    whose = {(source.digest, source.unit, source.population, source.base) for source in sources}
    assert len(whose) == len({source.digest for source in sources}) == len(sources)


@pytest.mark.parametrize("ingredient", inspect.signature(evaluation_key).parameters)
def test_every_ingredient_of_an_evaluation_counts(judge, ingredient):
    given = dict(
        source=metrics.noise_clips(8, 16),
        eye=judge,
        reference=MovingBlobs(),
        held_out=MovingBlobs(seed=1),
        n=8,
        seeds=(0,),
        layer=None,
    )
    changed = dict(
        source=metrics.noise_clips(8, 8),
        eye=replace(judge, digest="1"),
        reference=MovingBlobs(9),
        n=9,
        held_out=MovingBlobs(9),
        seeds=(0, 1),
        layer="fc7",
    )[ingredient]
    assert evaluation_key(**given) != evaluation_key(**given | {ingredient: changed})
    if ingredient == "held_out":
        assert evaluation_key(**given | {"held_out": None}) != evaluation_key(**given)
    if ingredient == "eye":
        examined = replace(judge, accuracy=metrics.share(np.arange(4) < 2, metrics.drawn(4, "exam")))
        assert evaluation_key(**given | {"eye": examined}) != evaluation_key(**given)


def test_every_argument_of_ask_and_evaluate_is_in_their_keys():
    idle = {"folder", "progress"}
    assert set(inspect.signature(metrics.ask).parameters) - idle == set(inspect.signature(answers_key).parameters)
    assert {
        "eye" if name == "judge" else name for name in inspect.signature(metrics.evaluate).parameters
    } - idle == set(inspect.signature(evaluation_key).parameters)


@pytest.mark.parametrize(
    "module, changed",
    [
        ("metrics/rulers/kernel", "evaluation"),
        ("metrics/rulers/neighbours", "evaluation"),
        ("metrics/comparisons", "evaluation"),
        ("metrics/evaluation", "evaluation"),
        ("metrics/rulers/draws", "features"),
        ("metrics/rulers/estimates", "features"),
        ("metrics/answers", "features"),
        ("metrics/eyes/judge", "features"),
        ("metrics/eyes/c3d", "features"),
        ("metrics/eyes/protocols", "features"),
        ("metrics/sources", "features"),
        ("metrics/rulers/behaviour", "features"),
        ("data/clips", "features"),
        ("networks/vgan", ""),
        ("training", ""),
        ("profiles", ""),
        ("metrics/eyes/extractors", ""),
        ("metrics/seeds", ""),
        ("budgets", "features"),  # estimates ask it how many seeds are enough
    ],
)
def test_a_change_of_code_measures_anew_what_it_reaches(library, judge, module, changed):
    def both():
        source = metrics.noise_clips(8, 16)
        return (
            answers_key(judge, source, 8, 0, "fc6"),
            evaluation_key(source, judge, MovingBlobs(), None, 8, (0,), None),
        )

    before = both()
    edit(library / f"{module}.py")
    after = both()
    assert (before[0] != after[0], before[1] != after[1]) == (changed == "features", bool(changed))


def test_a_source_s_digest_follows_system_options_and_treatment(library):
    systems = []
    for options in ({}, {"final_activation": "linear"}, {"upsample": "trilinear"}):  # no weight differs
        torch.manual_seed(0)
        systems.append(build_system("hrvgan", frames=8, size=8, width=1 / 16, **options))
    digests = [metrics.generated(system).digest for system in systems]
    assert len(set(digests)) == len(digests)
    edit(library / "networks/vgan.py")
    assert metrics.generated(systems[0]).digest == digests[0]
    edit(library / "networks/hrvgan.py")
    assert metrics.generated(systems[0]).digest != digests[0]
    noise = metrics.noise_clips(8, 16)
    bright = [
        metrics.treated(noise, "noise", treatment, "brighter").digest
        for treatment in (lambda clips: clips + 0.1, lambda clips: clips + 0.2)
    ]
    assert bright[0] != bright[1]
    damaged = metrics.damaged(noise, "blur", 0.4).digest
    edit(library / "metrics/damage.py")
    assert metrics.damaged(noise, "blur", 0.4).digest != damaged


# --- packed clips ---


def test_a_store_s_key_follows_files_and_the_code_that_reads_them(library, tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"1")
    entry = formats.listing.Entry(folder / "a.jpg", 0, "g", "train")
    listing = formats.listing.Listing(folder, ("one",), (entry,), (), formats.stacks.read_stack)
    first = store.store_key(listing, 32)
    for change in ({"label": 1}, {"group": "h"}, {"split": "test"}):
        assert store.store_key(replace(listing, entries=(replace(entry, **change),)), 32) != first
    assert store.store_key(listing, 16) != first and store.store_key(listing, 32, max_frames=4) != first
    assert store.store_key(replace(listing, decode=formats.strips.read_strip), 32) != first
    edit(library / "data/formats/video.py")
    assert store.store_key(listing, 32) == first  # stacks are no videos
    edit(library / "data/formats/stacks.py")
    second = store.store_key(listing, 32)
    edit(library / "data/store.py")
    assert len({first, second, store.store_key(listing, 32)}) == 3


# --- chapters ---

CHAPTER = '''# %% [markdown]
# # Title

# %% tags=["nbval-check-output"]
from hrvgan_lib import losses

# %%
%magic that no parser reads

# %% [markdown]
# Prose.

# %%
def later():
    """Words."""
    import hrvgan_lib.networks
'''


def test_code_cells_leave_prose_out(tmp_path):
    (tmp_path / "x.py").write_text(CHAPTER)
    assert [cell.splitlines()[0] for cell in keys.code_cells(tmp_path / "x.py")] == [
        "from hrvgan_lib import losses",
        "%magic that no parser reads",
        "def later():",
    ]


def test_a_chapter_s_code_is_its_cells_and_all_that_they_reach(library, tmp_path):
    chapter = tmp_path / "x.py"
    chapter.write_text(CHAPTER)
    first = keys.chapter_code(chapter)
    chapter.write_text(CHAPTER.replace("Prose", "Better prose").replace("Words", "Better words"))
    edit(library / "ablations.py")  # not reached
    assert keys.chapter_code(chapter) == first
    found = {first}
    for old, new in (("%magic that", "%other magic that"), ("def later", "def sooner")):
        chapter.write_text(CHAPTER.replace(old, new))
        found.add(keys.chapter_code(chapter))
    chapter.write_text(CHAPTER)
    for module in ("losses", "networks/__init__", "networks/tgan"):  # a chapter may ask the registry for any system
        edit(library / f"{module}.py")
        found.add(keys.chapter_code(chapter))
    assert len(found) == 6


@pytest.fixture
def chapter(tmp_path):
    """(path, settings) of a chapter that shows the recorded run and reads what the others have measured."""
    (tmp_path / "notebooks").mkdir()
    path = tmp_path / "notebooks/12_x.py"
    path.write_text("# %%\npage.show_recorded('x.png')\nrows = page.measurements()\n")
    parameters = {
        "profile": "smoke",
        "seed": 0,
        "data_root": "",
        "actions": "ucf101",
        "run": "smoke",
        "rehearse": False,
        "allow_partial": False,
    }
    return path, reproduce.Settings(tmp_path, get_profile("smoke"), None, "smoke", parameters, "make reproduce")


def test_every_parameter_of_a_chapter_counts_but_where_the_data_lie(chapter):
    path, settings = chapter
    first = reproduce.chapter_key(path, settings)
    for name, value in settings.parameters.items():
        changed = replace(settings, parameters=settings.parameters | {name: other(value)})
        assert (reproduce.chapter_key(path, changed) != first) == (name != "data_root"), name
    assert reproduce.chapter_key(path, replace(settings, parameters=settings.parameters | {"more": 1})) != first


def test_all_that_a_chapter_may_read_counts_and_what_it_does_not_read_does_not(chapter, monkeypatch):
    path, settings = chapter
    found = [reproduce.chapter_key(path, settings)]

    def changed() -> bool:
        found.append(reproduce.chapter_key(path, settings))
        return found[-1] != found[-2]

    assert not changed()
    root = settings.root
    for file, content in {
        "data/golf/golf.txt": "a\n",
        "data/reference/c3d.npz": "w",
        "figures/gpu/x.png": "p",
        "runs/smoke/06_y.usage.json": '{"measurements": [{"what": "x", "value": 1}]}',
    }.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(content)
        assert changed(), file
    (root / "figures/gpu/x.png").write_text("q")
    assert changed()
    (root / "runs/smoke/06_y.usage.json").write_text('{"seconds": 9, "measurements": [{"what": "x", "value": 1}]}')
    (root / "runs/smoke/12_x.usage.json").write_text('{"measurements": [{"what": "its own", "value": 1}]}')
    (root / "runs/smoke/06_y.ipynb").write_text("{}")  # another chapter ran again and measured the same
    assert not changed()
    monkeypatch.setattr(reproduce.provenance, "versions", lambda: {"torch": "0.0"})
    assert changed()


@pytest.mark.parametrize("run", ["study", "bench"])
def test_a_record_beside_the_runs_counts_for_the_chapter_that_names_it(chapter, run):
    path, settings = chapter
    file = settings.root / "figures" / run / "x.csv"
    file.parent.mkdir(parents=True)
    for cell, counts in ((f'page.recorded("x.csv", run="{run}")', True), ('page.recorded("x.csv", run="gpu")', False)):
        path.write_text(f"# %%\n{cell}\n")
        file.write_text("1")
        first = reproduce.chapter_key(path, settings)
        file.write_text("2")
        assert (reproduce.chapter_key(path, settings) != first) == counts


def test_a_chapter_that_reads_nothing_of_others_does_not_run_again_for_them(chapter):
    path, settings = chapter
    path.write_text("# %%\nprint(1)\n")
    first = reproduce.chapter_key(path, settings)
    for file in ("figures/gpu/x.png", "runs/smoke/06_y.usage.json"):
        (settings.root / file).parent.mkdir(parents=True, exist_ok=True)
        (settings.root / file).write_text("{}")
    assert reproduce.chapter_key(path, settings) == first
    path.write_text("# %%\npage.recorded_system()\n")
    recorded = replace(settings, run="gpu")  # the recorded run does not depend on itself
    first = reproduce.chapter_key(path, recorded)
    (settings.root / "figures/gpu/x.png").write_text("other")
    assert reproduce.chapter_key(path, recorded) == first


def test_what_an_older_key_left_is_neither_read_nor_lost(tmp_path, judge):
    """A kept file of another key lies beside the new one until `make clean`."""
    old = tmp_path / "noise-0123456789ab.json"
    old.write_text("{}")
    record = metrics.evaluate(metrics.noise_clips(8, 16), judge, MovingBlobs(), n=8, folder=tmp_path)
    assert record.n == 8 and old.read_text() == "{}" and len(list(tmp_path.glob("noise-*.json"))) == 2


def test_make_clean_removes_what_was_kept_and_nothing_else(tmp_path):
    shutil.copy(keys.HOME / "Makefile", tmp_path / "Makefile")
    gone = (
        "runs/smoke/checkpoints/hrvgan-1/step-00000001.pt",
        "runs/smoke/judges/c3d-1/judge.json",
        "data/packed/golf-1/x",
        "data/standin/golf-1/x",
        "figures/smoke/table1.csv",
    )
    stay = (
        "figures/gpu/table1.csv",
        "figures/readme/x.png",
        "data/README.md",
        "data/golf/golf.txt",
        "parcels/gpu.parcel-00",
        "notebooks/01_videos.ipynb",
        "hrvgan_lib/keys.py",
    )
    for name in gone + stay:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    subprocess.run(["make", "-s", "clean"], cwd=tmp_path, check=True)
    assert [name for name in gone + stay if (tmp_path / name).exists()] == list(stay)
