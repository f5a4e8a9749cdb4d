"""Ablations: arms that can be built and change something, intervals that say what they are over, nothing done twice."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from blobs import MovingBlobs

from hrvgan_lib import ablations, training
from hrvgan_lib.ablations import OURS, STUDIES, Arm, run_arm, run_study
from hrvgan_lib.networks import build_system
from hrvgan_lib.networks.hrvgan import make_config, stages
from hrvgan_lib.norms import norms_around_activation
from hrvgan_lib.paper import decision
from hrvgan_lib.profiles import PROFILES, get_profile

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
    assert (outcome.over, outcome.seeds, outcome.clips, outcome.diverged) == ("samples", 1, 8, "")
    assert 0 <= outcome.frechet.low <= outcome.frechet.value <= outcome.frechet.high
    assert "half-sampling" in outcome.frechet.method and outcome.sharpness.value > 0
    assert outcome.samples.shape == (4, 3, 8, 16, 16) and outcome.parameters > 0 and outcome.seconds > 0


def test_several_seeds_have_an_interval_over_seeds_and_nothing_is_trained_twice(settings, monkeypatch):
    one = run_arm(FIRST, **settings)
    both = run_arm(FIRST, **settings | {"seeds": (0, 1)})
    assert both.over == "2 training seeds" and both.seeds == len(both.systems) == 2
    assert "Student" in both.frechet.method and both.frechet.low <= both.frechet.value <= both.frechet.high
    other = 2 * both.frechet.value - one.frechet.value  # the mean of both is the value
    assert other != one.frechet.value

    def refuse(*_, **__):
        raise AssertionError("asked for a step that was taken before")
        yield

    monkeypatch.setattr(training, "descend", refuse)
    again = run_arm(FIRST, **settings | {"seeds": (0, 1)})
    assert again.frechet == both.frechet and torch.equal(again.samples, both.samples)


def test_an_arm_that_diverges_is_kept_and_marked(settings):
    reckless = Arm(
        "reckless",
        {"optimiser": "sgd", "learning_rate": 1e9, "discriminator_learning_rate": 1e9, "adversarial": "wgan"},
    )
    outcome = run_arm(reckless, **settings | {"steps": 6})
    assert "diverged at step" in outcome.diverged
    assert np.isfinite([outcome.frechet.value, outcome.frechet.low, outcome.frechet.high]).all()
    assert bool(outcome.samples.isfinite().all())


def test_a_study_runs_the_arms_of_its_form(settings):
    study = STUDIES["convolution"]
    assert list(run_study(study, **settings)) == [OURS, "2-D + 1-D"]
    assert run_study(STUDIES["latent"], **settings) == {}


def test_the_time_of_a_step_leaves_the_first_out():
    records = [training.StepRecord(step, 8 * step, seconds, {}, {}) for step, seconds in enumerate((9.0, 9.5, 10.0), 1)]
    assert ablations.step_seconds([records]) == pytest.approx(0.5)
    assert np.isnan(ablations.step_seconds([records[:1], []]))


# Rulers ---------------------------------------------------------------------------------------------------------------
def test_the_floor_is_a_distance_between_real_clips(sets, judge, tmp_path):
    floor = ablations.floor(*sets, judge, 8, tmp_path)
    assert 0 <= floor.low <= floor.value <= floor.high and floor.n == 8


def test_the_gap_is_zero_for_equal_sets_and_large_for_a_good_memory(sets):
    torch.manual_seed(0)
    system = build_system("hrvgan", frames=8, size=16, n_classes=4, width=1 / 32)
    equal = ablations.discriminator_gap(system, sets[0], sets[0], 24)
    assert abs(equal.value) < 0.2 and 0 in equal
    ablations.discriminator_gap(system, *sets, 23)  # any number of clips, whatever the groups of the stddev

    class Memory(Blobs):
        """The same clips, all brighter: what a D that goes by brightness tells apart."""

        def batch(self, indices, generator=None, device="cpu"):
            clips, labels = super().batch(indices, generator)
            return clips.add(1.0), labels

    class Brightness(torch.nn.Module):
        def forward(self, clips, labels):
            return clips.mean(dim=(1, 2, 3, 4)) + 0.01 * torch.randn(len(clips))

    system.discriminator = Brightness()
    assert ablations.discriminator_gap(system, Memory(24), sets[1], 24).low > 1
