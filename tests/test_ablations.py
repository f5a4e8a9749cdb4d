"""Ablations: arms that can be built and change something, intervals that say what they are over, nothing done twice."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from blobs import MovingBlobs

from hrvgan_lib import ablations, training
from hrvgan_lib.ablations import OURS, STUDIES, Arm, run_arm, run_study
from hrvgan_lib.budgets import Side
from hrvgan_lib.metrics import (
    drawn,
    estimate,
    evaluate,
    generated,
    influence,
    over_seeds,
    seed_interval,
    sharpness,
    untrained,
)
from hrvgan_lib.networks import build_system
from hrvgan_lib.networks.hrvgan import make_config, stages
from hrvgan_lib.norms import norms_around_activation
from hrvgan_lib.paper import decision
from hrvgan_lib.profiles import PROFILES, get_profile
from hrvgan_lib.streams import stream

PROFILE = replace(get_profile("smoke"), study_width=1 / 32, batch=4)
FIRST = STUDIES["pixel term"].arms[0]


class Blobs(MovingBlobs):
    """Moving blobs, with what training and evaluation ask of a split besides clips."""

    def draw(self, n, generator):
        indices = torch.randperm(len(self), generator=generator)[:n]
        return *self.batch(indices.tolist(), generator), indices


@pytest.fixture(scope="module")
def sets():
    train_set, test_set = Blobs(24), Blobs(24, seed=1)
    test_set.split = "test"
    return train_set, test_set


@pytest.fixture
def settings(sets, judge, tmp_path):
    return dict(
        train_set=sets[0], test_set=sets[1], judge=judge, profile=PROFILE, steps=2, seeds=(0,), n=8, folder=tmp_path
    )


# The studies ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))
def test_every_arm_is_valid_and_changes_something(study):
    assert study.arms[0] == Arm(OURS), "the first arm is our choice"
    configurations = [make_config("stable", **arm.options) for arm in study.arms]
    assert len({repr(config) for config in configurations}) == len(study.arms), "two arms are one"
    for config in configurations:
        stages(ablations.FRAMES, ablations.SIZE, config)  # Table 1 can be cut there
        for norm in (config.generator_norm, config.discriminator_norm):
            norms_around_activation(norm, 4)
    for profile in PROFILES.values():  # what the profiles train
        assert make_config(profile.preset) == configurations[0]


@pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))
def test_names_lead_somewhere(study):
    names = [arm.name for arm in study.arms]
    assert len(set(names)) == len(names) and set(study.short) < set(names) and OURS not in study.short
    assert not study.decision or decision(study.decision)
    assert [arm.name for arm in study.chosen(long=True)] == names
    assert [arm.name for arm in study.chosen(long=False)] == ([OURS, *study.short] if study.short else [])


def test_the_arms_that_the_profiles_train_take_a_step(sets):
    terms = set()
    for study in STUDIES.values():
        for arm in study.chosen(long=False)[1:]:
            system = build_system("hrvgan", frames=8, size=16, n_classes=4, width=1 / 32, **arm.options)
            (record,) = training.train(system, sets[0], training.TrainConfig(steps=1, batch=4))
            assert np.isfinite([*record.discriminator.values(), *record.generator.values()]).all(), arm
            terms.add((*record.discriminator, *record.generator))
    assert any("gradient_penalty" in names for names in terms) and any("pixel" not in names for names in terms)


# One arm --------------------------------------------------------------------------------------------------------------
def test_one_seed_has_an_interval_over_samples(settings):
    outcome = run_arm(FIRST, **settings)
    assert (outcome.over, outcome.seeds, outcome.clips, outcome.diverged) == ("samples of 1 training seed", 1, 8, "")
    assert outcome.frechet.low <= outcome.frechet.value <= outcome.frechet.high
    assert outcome.frechet.method == "influences, 8 clips" and outcome.sharpness.value > 0
    assert outcome.samples.shape == (4, 3, 8, 16, 16) and outcome.parameters > 0 and outcome.seconds > 0
    (record,), (edge,) = outcome.records, outcome.edges
    assert record.source == "hrvgan" and record.note == "HRVGAN, ours, 2 steps" and record.n == 8
    assert outcome.frechet.value == record.frechet.value and outcome.named_right.value == record.accuracy.value
    assert outcome.sharpness.value == edge.value and ablations.distances(outcome) == [record.frechet]


def test_an_arm_says_what_it_was_trained_on_and_whether_it_is_clear_of_its_untrained_network(settings, monkeypatch):
    asked = []
    monkeypatch.setattr(
        ablations, "learned", lambda *numbers, better: better == -1 and (asked.append(numbers) or len(asked) < 3)
    )
    outcome = run_arm(FIRST, **settings | {"seeds": (0, 1)})
    assert outcome.side == Side("ours", 8, 8, extra=8, seeds=2, learned=True)
    real = ablations.floor(*(settings[name] for name in ("train_set", "test_set", "judge")), 8, settings["folder"])
    for seed, (record, start, (trained, untouched, at)) in enumerate(zip(outcome.records, outcome.starts, asked)):
        first = untrained(outcome.systems[seed], seed)  # its own first weights
        again = evaluate(generated(first, "untrained"), settings["judge"], settings["train_set"], n=8)
        assert trained == record.frechet and untouched == start.frechet and at == real
        assert again.frechet.value == pytest.approx(start.frechet.value)
    assert outcome.starts[0].frechet.value != outcome.starts[1].frechet.value
    assert run_arm(FIRST, **settings | {"seeds": (0, 1)}).side.learned is False  # the third and fourth are not clear


def test_from_three_seeds_on_an_interval_is_over_seeds_and_nothing_is_trained_twice(settings, monkeypatch):
    one, two, three = (run_arm(FIRST, **settings | {"seeds": range(count)}) for count in (1, 2, 3))
    assert two.over == "samples of 2 training seeds" and two.seeds == len(two.systems) == two.side.seeds == 2
    assert "Student" not in two.frechet.method and "influences" in two.frechet.method
    assert three.over.startswith("3 training seeds (±") and three.seeds == len(three.records) == len(three.edges) == 3
    values = [found.value for found in ablations.distances(three)]
    assert len(set(values)) == 3 and three.frechet == over_seeds(ablations.distances(three))
    assert three.frechet.high - three.frechet.value > 0.9 * (seed_interval(values).high - three.frechet.value)
    assert two.frechet.value == pytest.approx(np.mean(values[:2])) and one.frechet.value == pytest.approx(values[0])
    assert three.sharpness == over_seeds(three.edges)
    assert three.named_right == over_seeds([record.accuracy for record in three.records])

    def refuse(*_, **__):
        raise AssertionError("asked for a step that was taken before")
        yield

    monkeypatch.setattr(training, "descend", refuse)
    again = run_arm(FIRST, **settings | {"seeds": (0, 1)})
    assert again.frechet == two.frechet and torch.equal(again.samples, two.samples)


def test_sharpness_is_over_that_of_real_clips_with_the_spread_of_both(settings):
    outcome = run_arm(FIRST, **settings)
    real, _, numbers = settings["train_set"].draw(8, stream("sharpness"))
    samples = outcome.systems[0].sample(8, generator=stream("ablation samples", 0))
    (edge,) = outcome.edges
    assert edge.value == pytest.approx(sharpness(samples).mean() / sharpness(real).mean(), rel=1e-5)
    mine, theirs = (part for part in edge.influences)
    assert mine.source.startswith("samples of ") and theirs.source == "blobs-24-0 train"
    assert set(theirs.units) == set(numbers.tolist()) and len(mine.units) == 8


def test_an_arm_that_diverges_is_kept_and_marked(settings):
    reckless = Arm(
        "reckless",
        {"optimiser": "sgd", "learning_rate": 1e9, "discriminator_learning_rate": 1e9, "adversarial": "wgan"},
    )
    outcome = run_arm(reckless, **settings | {"steps": 6})
    assert "diverged at step" in outcome.diverged
    assert np.isfinite([outcome.frechet.value, outcome.frechet.low, outcome.frechet.high]).all()
    assert outcome.side.diverged == outcome.diverged and outcome.side.clips == outcome.clips
    assert bool(outcome.samples.isfinite().all())


def test_a_study_runs_the_arms_of_its_form(settings):
    study = STUDIES["convolution"]
    assert list(run_study(study, **settings)) == [OURS, "2-D + 1-D"]
    assert run_study(STUDIES["latent"], **settings) == {}


def test_the_time_of_a_step_leaves_the_first_out():
    records = [training.StepRecord(step, 8 * step, seconds, {}, {}) for step, seconds in enumerate((9.0, 9.5, 10.0), 1)]
    assert ablations.step_seconds([records]) == pytest.approx(0.5)
    assert np.isnan(ablations.step_seconds([records[:1], []]))


# Two arms -------------------------------------------------------------------------------------------------------------
def trainings(*values, source=""):
    """The distances of an arm's trainings, each over 40 clips of its own and the same real ones."""
    real = influence(drawn(40, "real"), np.tile([30.0, -30.0], 20))
    own = np.random.default_rng(0).normal(size=40)
    return [
        estimate(value, real * (value / 10), influence(drawn(40, f"{source} {seed}"), own))
        for seed, value in enumerate(values)
    ]


def test_two_arms_are_compared_by_ratios_in_which_the_real_clips_cancel():
    above, below = trainings(20.0, source="a"), trainings(10.0, source="b")
    assert not above[0].disjoint(below[0])
    found = ablations.compared(above, below)
    assert found.value == pytest.approx(2) and 1.7 < found.low < 2 < found.high < 2.3
    both = ablations.compared(trainings(20.0, 24.0, source="a"), trainings(10.0, 12.0, source="b"))
    assert both.value == pytest.approx(2) and found.low < both.low < both.high < found.high
    uneven = ablations.compared(trainings(20.0, 80.0, source="a"), trainings(10.0, 10.0, source="b"))
    assert uneven.value == pytest.approx(4)  # the geometric mean of 2 and 8
    assert ablations.compared(above, above).low == ablations.compared(above, above).high == 1


def test_from_three_seeds_on_the_ratio_is_a_geometric_mean_with_an_interval_over_seeds():
    above, below = trainings(20.0, 40.0, 80.0, source="a"), trainings(10.0, 10.0, 10.0, source="b")
    found = ablations.compared(above, below)
    logs = seed_interval(np.log([2.0, 4.0, 8.0]).tolist())
    assert (found.value, found.low, found.high) == pytest.approx((4, np.exp(logs.low), np.exp(logs.high)), rel=1e-3)
    assert found.method.startswith("3 training seeds (±")
    turned = ablations.compared(below, above)
    assert (turned.value, turned.low, turned.high) == pytest.approx((1 / 4, 1 / found.high, 1 / found.low))


def test_arms_are_compared_seed_by_seed_in_what_is_asked_of_them(settings):
    ours, off = (run_arm(arm, **settings) for arm in STUDIES["pixel term"].arms[:2])
    found = ablations.compared(ablations.distances(off), ablations.distances(ours))
    assert found.value == pytest.approx(off.frechet.value / ours.frechet.value)
    edges = ablations.compared(off.edges, ours.edges)
    assert edges.value == pytest.approx(off.sharpness.value / ours.sharpness.value) and edges.low < edges.high


# Rulers ---------------------------------------------------------------------------------------------------------------
def test_the_floor_is_a_distance_between_real_clips(sets, judge, tmp_path):
    floor = ablations.floor(*sets, judge, 8, tmp_path)
    assert 0 <= floor.low <= floor.value <= floor.high and floor.n == 8


class Brighter(Blobs):
    """The same clips, all brighter: what a D that goes by brightness tells apart."""

    def batch(self, indices, generator=None, device="cpu"):
        clips, labels = super().batch(indices, generator)
        return clips.add(1.0), labels


def test_the_gap_is_zero_for_equal_sets_and_large_for_a_good_memory(sets):
    torch.manual_seed(0)
    system = build_system("hrvgan", frames=8, size=16, n_classes=4, width=1 / 32)
    equal = ablations.discriminator_gap(system, sets[0], sets[0], 24)
    assert abs(equal.value) < 0.2 and 0 in equal
    ablations.discriminator_gap(system, *sets, 23)  # any number of clips, whatever the groups of the stddev

    class Brightness(torch.nn.Module):
        def forward(self, clips, labels):
            return clips.mean(dim=(1, 2, 3, 4)) + 0.01 * torch.randn(len(clips))

    system.discriminator = Brightness()
    assert ablations.discriminator_gap(system, Brighter(24), sets[1], 24).low > 1


def test_the_gap_of_two_discriminators_is_the_difference_of_their_gaps_on_the_same_clips(sets):
    systems = []
    for seed in range(2):
        torch.manual_seed(seed)
        systems.append(build_system("hrvgan", frames=8, size=16, n_classes=4, width=1 / 32))
    one, other = (ablations.discriminator_gap(system, *sets, 24) for system in systems)
    both = ablations.gap_between(systems, *sets, 24)
    assert both.value == pytest.approx(one.value - other.value, abs=1e-5) and both.low < both.value < both.high
    assert both.method == "influences, 24 clips"
    same = ablations.gap_between(systems[:1] * 2, *sets, 24)
    assert same.low == same.value == same.high == 0


def test_the_gap_counts_looks_and_not_clips(sets):
    looks = [f"look {i // 4}" for i in range(24)]
    train_set, test_set = Blobs(24, units=looks), Blobs(24, seed=1, units=looks)
    train_set.unit = test_set.unit = "look"
    torch.manual_seed(0)
    system = build_system("hrvgan", frames=8, size=16, n_classes=4, width=1 / 32)
    found = ablations.discriminator_gap(system, train_set, test_set, 24)
    assert found.method == "influences, 6 looks"
    assert found.value == pytest.approx(ablations.discriminator_gap(system, *sets, 24).value)


class Corner(torch.nn.Module):
    def forward(self, clips, labels):
        return clips[:, 0, 0, :12, :12].mean(dim=(1, 2))


def test_the_interval_of_a_gap_is_what_leaving_clips_out_gives(sets):
    """The spread of the held-out scores is part of the number, so their influences hold it too."""
    system = build_system("hrvgan", frames=8, size=16, n_classes=4, width=1 / 32)
    system.discriminator = Corner()
    found = ablations.discriminator_gap(system, Brighter(24), sets[1], 24)
    seen, unseen = (
        ablations._scores(system, one, 24, stream("gap", name))[0].astype(float)
        for one, name in ((Brighter(24), "train"), (sets[1], "held out"))
    )

    def gap(seen, unseen):
        return (seen.mean() - unseen.mean()) / unseen.std()

    assert found.value == pytest.approx(gap(seen, unseen), rel=1e-5) and found.value > 2
    lost = [[gap(np.delete(seen, i), unseen), gap(seen, np.delete(unseen, i))] for i in range(24)]
    spread = np.sqrt(23 * np.var(lost, axis=0).sum())  # the jackknife's standard error
    assert (found.high - found.low) / 2 == pytest.approx(2.05 * spread, rel=0.15)


# What it would take ---------------------------------------------------------------------------------------------------
def test_a_spread_is_read_back_from_the_interval_that_it_gave():
    logs = [0.02, -0.05, 0.01, 0.07, 0.03]
    found = seed_interval(logs)
    spread = ablations.spread_behind(np.exp(found.low), np.exp(found.high), len(logs))
    assert spread == pytest.approx(np.std(logs, ddof=1))


@pytest.mark.parametrize("ratio", [1.1, 1 / 1.1])
def test_so_many_trainings_leave_out_one_and_one_fewer_does_not(ratio):
    seeds = ablations.seeds_needed(ratio, 0.15)

    def low(count):  # of count trainings with this mean and just this spread
        logs = np.linspace(-1, 1, count)
        found = seed_interval(abs(np.log(ratio)) + 0.15 * (logs - logs.mean()) / logs.std(ddof=1))
        return found.low

    assert low(seeds) > 0 > low(seeds - 1) and seeds == 12
    assert ablations.seeds_needed(1.0, 0.15, most=50) is None and ablations.seeds_needed(2.0, 0.0) == 2


def test_so_many_samples_make_the_interval_as_wide_as_the_ratio_is_far_from_one():
    low, high = 1.02 * np.exp(-0.04), 1.02 * np.exp(0.04)
    needed = ablations.samples_needed(1.02, low, high, 100)
    assert 0.04 * (100 / needed) ** 0.5 <= np.log(1.02) < 0.04 * (100 / (needed - 1)) ** 0.5
    assert ablations.samples_needed(1.0, 0.9, 1.1, 100) is None
