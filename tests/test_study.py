"""The definitive study: what it trains, what its tables hold, and that it goes on where it stopped."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from blobs import MovingBlobs
from scipy import stats

from hrvgan_lib.losses import LIPSCHITZ
from hrvgan_lib.metrics.eyes.c3d import C3D
from hrvgan_lib.networks.hrvgan import PRESETS, make_config
from hrvgan_lib.profiles import get_profile
from hrvgan_lib.series import study
from hrvgan_lib.series.study import FIELDS, GAPS, SMALL, Size, field_arms, lipschitz_arms, seeds_for, trainings


def test_the_fields_are_all_mixtures_of_text_and_preset():
    arms = field_arms()
    assert len(arms) == 2 ** len(FIELDS) == 16 and len({arm.name for arm in arms.values()}) == 16
    assert make_config(**arms[frozenset()].options) == make_config("literal")
    assert make_config(**arms[frozenset(FIELDS)].options) == make_config("stable", code="sphere")
    for some, arm in arms.items():
        config = make_config(**arm.options)
        for field in FIELDS:
            ours = PRESETS["stable"][field]
            assert getattr(config, field) == (ours if field in some else getattr(make_config("literal"), field))


def test_critics_are_held_in_every_way_in_two_readings():
    arms = lipschitz_arms()
    assert len(arms) == 2 * len(LIPSCHITZ) == 8
    for (reading, way), arm in arms.items():
        config = make_config(**arm.options)
        assert (config.adversarial, config.lipschitz) == (reading, way)


def test_each_part_waits_for_what_it_reads_and_every_training_is_one_job():
    found = trainings(get_profile("cpu"), Size())
    assert {part: len(some) for part, some in found.items()} == {
        "fields": 16 * 3, "lipschitz": 8 * 5, "rivals": 8 * 3, "decisions": 8 * 3 + 5, "tries": 12
    }  # fmt: skip
    ways = {(one.system, *one.options.items()) for one in found["rivals"]}
    assert ways == {
        *((system, *more) for system in ("vgan", "tgan", "mocogan") for more in ((), (("recipe", "common"),))),
        ("mocogan", ("batches", "shared out")),
        ("mocogan", ("first_weights", "2017")),
    }
    assert {one.steps for one in found["rivals"]} == {100, 400, 1500}
    settings = SimpleNamespace(profile=get_profile("cpu"))
    jobs = {job.name: job for job in study.jobs_of(settings, Size(), list(study.PARTS))}
    names = {one.name for some in found.values() for one in some}
    assert len(names) == 16 * 3 + 8 * 5 + 8 * 3 + 12 and jobs.keys() == {"judge", *names, *study.PARTS}
    for part in study.PARTS:
        assert jobs[part].needs == {"judge", *(one.name for one in found.get(part, []))}
    assert study.jobs_of(settings, Size(), ["layers"])[1:] == [jobs["layers"]]


@pytest.mark.parametrize("noise", [0.05, 0.2, 0.5])
def test_seeds_that_confirm_a_gap_are_the_fewest_whose_interval_is_no_wider(noise):
    numbers = [seeds_for(gap, noise) for gap in GAPS]
    assert numbers == sorted(numbers, reverse=True) and min(numbers) >= 2

    def half(seeds):  # of Student's interval for the difference of two means of so many seeds each
        return stats.t.ppf(0.975, 2 * (seeds - 1)) * noise * (2 / seeds) ** 0.5

    for gap, enough in zip(GAPS, numbers):
        assert half(enough) <= gap and (enough == 2 or half(enough - 1) > gap)
    assert seeds_for(1e-6, 0.5) is None


def test_so_many_seeds_confirm_the_gap_in_half_of_all_experiments_or_more():
    seeds, draws = seeds_for(0.3, 0.2), np.random.default_rng(0)
    one, other = draws.normal(0, 0.2, (2, 4000, seeds)) + np.array([0.3, 0.0])[:, None, None]
    pooled = ((one.var(axis=1, ddof=1) + other.var(axis=1, ddof=1)) / 2) ** 0.5
    half = stats.t.ppf(0.975, 2 * (seeds - 1)) * pooled * (2 / seeds) ** 0.5
    assert 0.45 < (one.mean(axis=1) - other.mean(axis=1) > half).mean() < 0.75


def test_clips_that_go_through_a_smaller_size_lose_detail_and_nothing_else():
    clips = torch.rand(2, 3, 4, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    through = [study._through(clips, side) for side in (8, 16)]
    assert all(one.shape == clips.shape and one.abs().max() <= 1 for one in through)
    lost = [(one - clips).square().mean() for one in through]
    assert lost[0] > lost[1] > 0
    torch.testing.assert_close(through[0].mean(), clips.mean(), atol=0.01, rtol=0)


def test_the_published_shape_sees_grey_levels():
    class Seen(torch.nn.Module):
        def forward(self, clips):
            return clips

    clips = torch.tensor([0.0, 127.0, 255.0]) / 127.5 - 1
    torch.testing.assert_close(study._GreyLevels(Seen())(clips), torch.tensor([-128.0, -1.0, 127.0]))


def test_a_folded_classifier_has_the_published_shape_and_says_the_same():
    torch.manual_seed(0)
    network = C3D(3, 1 / 16, 8, 16, batch_norm=True).eval()
    for norm in (one for one in network.modules() if isinstance(one, torch.nn.BatchNorm3d)):
        for values, low in ((norm.weight, 0.5), (norm.bias, -0.5), (norm.running_mean, -1), (norm.running_var, 0.5)):
            torch.nn.init.uniform_(values, low, low + 1)
    plain, clips = study.folded(network), 100 * torch.randn(2, 3, 8, 16, 16)
    assert [name for name, _ in plain.named_parameters()] == [
        name for name, _ in C3D(3, 1 / 16, 8, 16).named_parameters()
    ]
    assert not any(isinstance(one, torch.nn.BatchNorm3d) for one in plain.modules())
    for layer, said in network.layers(clips).items():
        assert said.std() > 0
        torch.testing.assert_close(plain.layers(clips)[layer], said, rtol=1e-4, atol=1e-3)


def test_an_unknown_part_is_refused_in_one_line(capsys):
    assert study.main(["--parts", "layers,magic"]) == 2
    told = capsys.readouterr().err
    assert told == "unknown part 'magic': choose from layers, fields, lipschitz, rivals, paces, decisions, tries\n"


def test_the_first_try_is_the_preset_and_every_other_changes_it():
    tried = {one.name: one for one in study.try_trainings(get_profile("cpu"), Size()).values()}
    assert len(tried) == len(study.TRIES) and len({one.steps * one.batch for one in tried.values()}) == 1
    first, *others = study.try_trainings(get_profile("cpu"), Size()).values()
    assert first.options == {} and first.batch == get_profile("cpu").batch
    for one in others:
        assert make_config("stable", **one.options) != make_config("stable") or one.batch != first.batch
    assert study.TRIES_SEED not in range(max(Size().field_seeds, Size().lipschitz_seeds))


def test_looks_found_counts_the_looks_that_some_clip_is_nearest_to():
    clips = MovingBlobs(12)
    every, _ = clips.batch(range(12))
    units = list(dict.fromkeys(clips.units))
    assert len(units) > 2 and study.looks_found(every, clips) == len(units)
    some = [number for number in range(12) if clips.units[number] in units[:2]]
    assert study.looks_found(every[some] + 0.001, clips) == 2
    green = every * torch.tensor([0.5, 1.0, 0.5])[:, None, None, None]
    assert study.chroma(every) == 0 < study.chroma(green) == pytest.approx(2 * study.chroma(green / 2))


@pytest.fixture(scope="module")
def small_study(tmp_path_factory):
    """Every part once, in small and with fewer arms; and again, to see what is done twice."""
    patch, root = pytest.MonkeyPatch(), tmp_path_factory.mktemp("study")
    patch.setenv("HRVGAN_ROOT", str(root))
    (root / "data").mkdir()
    patch.setattr(study, "FIELDS", study.FIELDS[:2])
    patch.setattr(study, "LIPSCHITZ", ("none", "clip"))
    patch.setattr(study, "TRIES", dict([*study.TRIES.items()][:1] + [*study.TRIES.items()][-1:]))
    page = study.open_page("study", profile="smoke", run="study")
    made = study.Study(page, SMALL)
    for part in study.PARTS.values():
        part(made)
    yield root, made
    patch.undo()


def table(root, name):
    with (root / f"figures/study/{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_part_leaves_a_table_and_a_figure_with_their_provenance(small_study):
    root, _ = small_study
    for name in study.PARTS:
        assert table(root, name), name
        for ending in (".csv", ".md", ".json"):
            assert (root / f"figures/study/{name}{ending}").is_file(), name + ending
        assert (root / f"figures/study/{name}_figure.png").is_file()


def test_the_tables_hold_every_row_that_was_asked_for(small_study):
    root, _ = small_study
    assert [row["field"] for row in table(root, "fields")] == list(study.FIELDS) and len(table(root, "fields_all")) == 4
    held = table(root, "lipschitz")
    assert [(row["reading"], row["held by"], row["of"]) for row in held] == [
        (reading, way, "2") for reading in study.READINGS for way in study.LIPSCHITZ
    ]
    assert all(float(row["slope of D, median"]) >= 0 and float(row["Fisher's p against none"]) == 1 for row in held)
    rivals = table(root, "rivals")
    assert len(rivals) == 8 * 2 and {row["clips seen"] for row in rivals} == {"8", "16"}
    layers = table(root, "layers")
    assert len(layers) == 2 * 3 * 2 and {row["layer"] for row in layers} == {"pool5", "fc6", "fc7"}
    assert [float(row["gap"]) for row in table(root, "decisions")] == list(GAPS)
    tries = table(root, "tries")
    assert [row["change"] for row in tries] == list(study.TRIES) and {row["clips seen"] for row in tries} == {"8"}
    assert all(1 <= int(row["looks"]) <= 18 and float(row["colour, of real clips'"]) > 0 for row in tries)
    paces = {(row["size"], row["frames apart"]) for row in table(root, "paces")}
    assert len(paces) == 8 and ("32", "4") in paces and ("8", "1") not in paces


def test_a_study_that_was_interrupted_trains_nothing_twice(small_study, monkeypatch):
    _, made = small_study

    def refuse(*arguments, **options):
        raise AssertionError("trained again")

    monkeypatch.setattr("hrvgan_lib.training.train", refuse)
    monkeypatch.setattr(study, "train_judge", refuse)
    for part in study.PARTS.values():
        part(study.Study(made.page, SMALL))
