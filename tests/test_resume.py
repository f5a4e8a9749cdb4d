"""Stop and go on, at any step, for every kind of training in the series: bit for bit what was never stopped."""

import shutil

import pytest
import torch

from hrvgan_lib import training
from hrvgan_lib.checkpoints import load_checkpoint
from hrvgan_lib.networks import build_system, system_class
from hrvgan_lib.profiles import get_profile
from hrvgan_lib.training import TrainConfig, train
from hrvgan_lib.trainings import trainings

STEPS = 4
SMOKE = get_profile("smoke")
KINDS = {  # every system with every set of options that the series trains it with, with labels and without
    " ".join([one.system, "labels" if one.labels else "", *(f"{name}={value}" for name, value in one.options.items())]):
    one for one in trainings(SMOKE)
}  # fmt: skip


class Clips:
    """Ten random clips that stand where a ClipDataset would; it notes what is asked of it."""

    clips = torch.rand(10, 3, 8, 16, 16, generator=torch.Generator().manual_seed(5)) * 2 - 1

    def __init__(self):
        self.asked = []

    def __len__(self):
        return len(self.clips)

    def batch(self, indices, generator=None, device="cpu"):
        window = torch.rand(len(indices), generator=generator)
        self.asked.append((indices.tolist(), window.tolist()))
        return self.clips[indices] + 0.01 * window.view(-1, 1, 1, 1, 1), indices % 2


def build(one):
    options = {name: getattr(SMOKE, name) for name in system_class(one.system).from_profile} | one.options
    torch.manual_seed(0)
    return build_system(one.system, frames=8, size=16, n_classes=2 * one.labels, **options | {"width": 0.05})


def same(one, other):
    """Whether two nested values are equal, tensors to the bit (a number that is none equals itself)."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one.nan_to_num(), other.nan_to_num())
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def kept(folder):
    """A checkpoint without the time it took: step, weights with the average, optimisers, count of steps at zero."""
    state = load_checkpoint(folder)
    del state["seconds"]
    return state


@pytest.fixture
def draws(monkeypatch):
    """Notes every stream of random numbers that the loop opens."""
    opened, stream = [], training.stream
    monkeypatch.setattr(training, "stream", lambda *purpose: opened.append(purpose) or stream(*purpose))
    return opened


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_stopped_at_any_step_ends_as_the_one_that_was_not(kind, tmp_path, draws):
    config = TrainConfig(steps=STEPS, batch=4, save_every=1)
    clips, places, records = Clips(), [tmp_path / str(step) for step in range(STEPS)], []
    for record in train(build(KINDS[kind]), clips, config, tmp_path / "whole"):
        records.append(record)
        if record.step < STEPS:
            shutil.copytree(tmp_path / "whole", places[record.step])  # what a kill would leave here
    a_step, noises = len(clips.asked) // STEPS, [purpose for purpose in draws if purpose[0] == "noise"]
    whole = kept(tmp_path / "whole")
    for stop in range(1, STEPS):
        draws.clear()
        again = Clips()
        resumed = list(train(build(KINDS[kind]), again, config, places[stop]))
        assert [(one.step, one.clips_seen) for one in resumed] == [(n, 4 * n) for n in range(stop + 1, STEPS + 1)]
        for one, other in zip(resumed, records[stop:]):
            assert one.discriminator == other.discriminator and one.generator == other.generator
        assert again.asked == clips.asked[a_step * stop :]
        assert [purpose for purpose in draws if purpose[0] == "noise"] == noises[stop:]
        assert same(kept(places[stop]), whole)


def test_the_kinds_are_all_systems_and_both_modes():
    assert {one.system for one in KINDS.values()} == {"hrvgan", "prediction", "vgan", "tgan", "mocogan", "ivgan"}
    assert len({repr(sorted(one.options.items())) for one in KINDS.values()}) > 10


def test_the_comparison_sees_one_bit():
    weights = {"a": [torch.tensor([1.0, float("nan")])]}
    assert same(weights, {"a": [torch.tensor([1.0, float("nan")])]})
    assert not same(weights, {"a": [torch.tensor([1.0 + 2**-23, float("nan")])]})
    assert not same(weights, {"a": [torch.tensor([1.0, float("nan")]), 1]}) and not same(weights, {"b": 1})
