"""Algorithm 1: resumes exactly, is deterministic, says when it diverges; and checkpoints that survive damage."""

import hashlib
import json
import os
import pickle
import signal
import threading
import time
from dataclasses import FrozenInstanceError, replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from hrvgan_lib import checkpoints, training
from hrvgan_lib.devices import precision
from hrvgan_lib.files import write_atomic
from hrvgan_lib.networks import System, build_system
from hrvgan_lib.profiles import get_profile
from hrvgan_lib.stops import held_back
from hrvgan_lib.streams import stream
from hrvgan_lib.training import Diverged, StepRecord, TrainConfig, descend, draw_batch, train, trained

CLIPS = torch.rand(12, 3, 8, 8, 8, generator=torch.Generator().manual_seed(5)) * 2 - 1


class Toy:
    """Twelve random clips that stand where a ClipDataset would."""

    name, digest, split, frames, size, stride, n_classes = "toy", "abc", "train", 8, 8, 4, 2

    def __len__(self) -> int:
        return len(CLIPS)

    def batch(self, indices, generator=None, device="cpu"):
        jitter = torch.rand(len(indices), generator=generator).view(-1, 1, 1, 1, 1) * 0.01
        return CLIPS[indices] + jitter, indices % 2


def build(**options):
    torch.manual_seed(0)
    return build_system("hrvgan", frames=8, size=8, n_classes=2, width=0.03, **options)


def state(system) -> torch.Tensor:
    return torch.cat([tensor.flatten().float() for tensor in system.state_dict().values()])


class Tiny(System):
    """The smallest system that Algorithm 1 can train; it notes what the loop asks of it, in order."""

    name = "tiny"

    def __init__(self, n_classes: int = 0, losses: tuple[float, ...] = ()) -> None:
        super().__init__(1, 2, n_classes)
        torch.manual_seed(0)
        self.generator, self.discriminator = nn.Linear(3, 12), nn.Linear(12, 1)
        self.register_buffer("statistic", torch.zeros(3))
        self.losses = list(losses)  # what D's loss is worth, turn by turn, where that matters
        self.asked: list[SimpleNamespace] = []
        self.follow(self.generator)

    def note(self, what, **more):
        self.asked.append(SimpleNamespace(what=what, training=self.generator.training, **more))

    def latents(self, n, generator=None):
        return torch.randn(n, 3, generator=generator)

    def optimisers(self):
        return self.one_for_each(torch.optim.Adam, lr=1e-2)

    def discriminator_losses(self, clips, labels, noise):
        self.note("D", clips=clips, labels=labels, seed=noise.initial_seed())
        real = self.discriminator(clips.flatten(1)).mean()
        fake = self.discriminator(self.generator(self.latents(len(clips), noise)).detach()).mean()
        if self.losses:
            worth = torch.tensor(self.losses.pop(0), dtype=torch.float64)
            return {"real": worth + 0 * real, "fake": 0 * fake}
        return {"real": nn.functional.softplus(-real), "fake": nn.functional.softplus(fake)}

    def generator_losses(self, clips, labels, noise):
        self.note("G", clips=clips, labels=labels, seed=noise.initial_seed())
        made = self.generator(self.latents(len(clips), noise))
        return {"adversarial": nn.functional.softplus(-self.discriminator(made)).mean()}

    def constrain_discriminator(self, step):
        self.note("constrain", step=step)

    def update_sampler(self, generator, step):
        self.note("average", step=step)
        super().update_sampler(generator, step)


class Rows:
    """Seven little clips that note which of them, and which windows, a mini-batch asked for."""

    def __init__(self) -> None:
        self.clips = torch.randn(7, 3, 1, 2, 2, generator=torch.Generator().manual_seed(5))
        self.indices, self.windows, self.devices = [], [], []

    def __len__(self) -> int:
        return len(self.clips)

    def batch(self, indices, generator=None, device="cpu"):
        self.indices.append(indices.tolist())
        self.windows.append(generator.initial_seed())
        self.devices.append(device)
        return self.clips[indices] + 0.1 * torch.rand(len(indices), 1, 1, 1, 1, generator=generator), indices % 2


def seed_of(*purpose) -> int:
    return stream(*purpose).initial_seed()


# What the loop asks for -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "critic_steps, order",
    [(1, ("discriminator", "generator")), (3, ("discriminator", "generator")), (1, ("generator", "discriminator"))],
)
def test_a_turn_is_the_updates_in_order_with_the_constraint_and_one_step_of_the_average(critic_steps, order):
    system = Tiny()
    system.critic_steps, system.order = critic_steps, order
    list(train(system, Rows(), TrainConfig(steps=3, batch=2)))
    updates = {"discriminator": ["D", "constrain"] * critic_steps, "generator": ["G"]}
    assert [asked.what for asked in system.asked] == [*updates[order[0]], *updates[order[1]], "average"] * 3
    for what in ("constrain", "average"):
        steps = [asked.step for asked in system.asked if asked.what == what]
        assert steps == sorted([0, 1, 2] * (critic_steps if what == "constrain" else 1))


@pytest.mark.parametrize("seed", [0, 3])
def test_every_step_has_noise_of_its_own_and_every_mini_batch_windows_of_its_own(seed):
    system, data = Tiny(), Rows()
    list(train(system, data, TrainConfig(steps=4, batch=3, seed=seed)))
    noises = [asked.seed for asked in system.asked if asked.what in "DG"]
    assert noises == [seed_of("noise", seed, step, 0) for step in range(4) for _ in "DG"]
    assert data.windows == [seed_of("window", seed, turn, 0) for turn in range(8)]
    assert len({*noises}) == 4 and len({*data.windows}) == 8


@pytest.mark.parametrize("seed", [0, 3])
def test_the_order_of_the_clips_is_a_permutation_an_epoch_also_where_a_batch_holds_the_end_of_one(seed):
    data = Rows()
    for turn in range(7):
        draw_batch(data, TrainConfig(steps=1, batch=3, seed=seed), turn, torch.device("cpu"))
    expected = torch.cat([torch.randperm(7, generator=stream("order", seed, epoch, 0)) for epoch in range(3)])
    assert data.indices == expected.view(7, 3).tolist()
    assert data.devices == [torch.device("cpu")] * 7


def test_a_batch_larger_than_the_data_spans_several_epochs():
    data = Rows()
    draw_batch(data, TrainConfig(steps=1, batch=21), 0, torch.device("cpu"))
    (indices,) = data.indices
    assert [sorted(indices[i : i + 7]) for i in (0, 7, 14)] == [list(range(7))] * 3


def test_clips_go_to_the_systems_own_device():
    seen = []

    class Far(Rows):
        def batch(self, indices, generator=None, device="cpu"):
            seen.append(device)
            return super().batch(indices, generator, device)

    draw_batch(Far(), TrainConfig(steps=1, batch=2), 0, torch.device("meta"))
    assert seen == [torch.device("meta")]


def test_labels_are_shown_to_a_system_that_has_classes_and_to_no_other():
    for n_classes in (0, 2):
        system, data = Tiny(n_classes), Rows()
        list(train(system, data, TrainConfig(steps=1, batch=3)))
        asked = [asked.labels for asked in system.asked if asked.what in "DG"]
        expected = [[i % 2 for i in indices] if n_classes else None for indices in data.indices]
        assert [None if labels is None else labels.tolist() for labels in asked] == expected


def test_a_system_that_was_looked_at_between_two_steps_is_in_training_mode_again():
    system = Tiny().eval()
    for _ in train(system, Rows(), TrainConfig(steps=3, batch=2)):
        system.eval()  # as a snapshot does
    assert all(asked.training for asked in system.asked if asked.what in "DG")


def test_a_stream_is_the_hash_of_its_purpose():
    """So that a run can go on under another version of this book."""
    digest = hashlib.sha256(b"('noise', 0, 7)").digest()
    assert stream("noise", 0, 7).initial_seed() == int.from_bytes(digest[:7], "big")


# One optimiser step ---------------------------------------------------------------------------------------------------
def test_a_step_goes_down_its_own_gradient_and_forgets_all_others():
    weight = nn.Parameter(torch.tensor([1.0, 2.0]))
    optimiser = torch.optim.SGD([weight], lr=0.5)
    weight.grad = torch.tensor([100.0, 100.0])  # left by another network's loss
    for _ in range(2):
        before = weight.detach().clone()
        values = descend(optimiser, {"a": 3 * weight[0], "b": 2 * weight[1]})
        torch.testing.assert_close(weight.detach(), before - 0.5 * torch.tensor([3.0, 2.0]))
        assert values == {"a": 3 * before[0].item(), "b": 2 * before[1].item()}


def test_a_weight_that_a_loss_does_not_reach_stays_though_adam_remembers_a_direction():
    weights = [nn.Parameter(torch.ones(2)) for _ in range(2)]
    optimiser = torch.optim.Adam(weights, lr=0.1)
    descend(optimiser, {"both": weights[0].sum() + weights[1].sum()})
    moved = weights[1].detach().clone()
    descend(optimiser, {"first": weights[0].sum()})
    assert torch.equal(weights[1].detach(), moved) and (moved < 1).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_not_finite_is_named_with_its_step(value):
    terms = {"discriminator": {"c": torch.tensor(1.0)}, "generator": {"a": torch.tensor(2.0), "b": torch.tensor(value)}}
    with pytest.raises(Diverged, match=f"step 5: the generator's 'b' term is {value}"):
        training.read(terms, 5)
    terms["generator"].pop("b")
    assert training.read(terms, 6) == {"discriminator": {"c": 1.0}, "generator": {"a": 2.0}}


# What a step reports --------------------------------------------------------------------------------------------------
def test_a_record_counts_steps_clips_and_seconds_over_all_sessions(tmp_path, monkeypatch):
    clock = iter(range(10**6))
    monkeypatch.setattr(training.time, "perf_counter", lambda: float(next(clock)))
    first = next(train(Tiny(), Rows(), TrainConfig(steps=4, batch=3, save_every=1), tmp_path))
    assert (first.step, first.clips_seen, first.seconds) == (1, 3, 1.0)
    for _ in range(50):  # the time between two sessions is not the training's
        next(clock)
    rest = list(train(Tiny(), Rows(), TrainConfig(steps=4, batch=3, save_every=1), tmp_path))
    assert [(r.step, r.clips_seen, r.seconds) for r in rest] == [(2, 6, 2.0), (3, 9, 3.0), (4, 12, 4.0)]
    assert set(first.discriminator) == {"real", "fake"} and set(first.generator) == {"adversarial"}


def test_configurations_and_records_cannot_be_changed():
    record = StepRecord(1, 4, 0.5, {}, {})
    for thing, field in ((record, "step"), (TrainConfig(steps=1, batch=1), "batch")):
        with pytest.raises(FrozenInstanceError):
            setattr(thing, field, 7)
    config = TrainConfig(steps=1, batch=1)
    assert (config.seed, config.save_every) == (0, 100)


@pytest.mark.parametrize("steps, every, saved", [(5, 2, [2, 4, 5]), (4, 2, [2, 4]), (3, 100, [3]), (3, 1, [1, 2, 3])])
def test_checkpoints_come_every_so_many_steps_and_at_the_end(steps, every, saved, tmp_path, monkeypatch):
    written, inner = [], checkpoints.save_checkpoint
    monkeypatch.setattr(checkpoints, "save_checkpoint", lambda *a, **k: written.append(a[1]) or inner(*a, **k))
    list(train(Tiny(), Rows(), TrainConfig(steps=steps, batch=2, save_every=every), tmp_path))
    assert written == saved
    list(train(Tiny(), Rows(), TrainConfig(steps=steps, batch=2, save_every=every)))
    assert written == saved  # nothing without a folder
    assert not list(train(Tiny(), Rows(), TrainConfig(steps=steps, batch=2, save_every=every), tmp_path))  # it is done


def test_a_run_that_finds_a_checkpoint_goes_on_with_its_weights_moments_batches_and_noise(tmp_path):
    config = TrainConfig(steps=5, batch=3, save_every=1)
    whole, data = Tiny(), Rows()
    straight = list(train(whole, data, config))
    for record in train(Tiny(), Rows(), config, tmp_path):
        if record.step == 3:
            break
    resumed, rest = Tiny(), Rows()
    records = list(train(resumed, rest, config, tmp_path))
    assert [record.step for record in records] == [4, 5]
    assert rest.indices == data.indices[6:] and rest.windows == data.windows[6:]
    assert torch.equal(state(whole), state(resumed))
    assert [r.generator for r in records] == [r.generator for r in straight[3:]]


# A discriminator that has won -----------------------------------------------------------------------------------------
def test_two_hundred_steps_below_a_ten_thousandth_are_the_end():
    system = Tiny(losses=(9e-5, -9e-5) * 110)
    with pytest.raises(Diverged, match=r"stuck at step 200: since step 1 .* is zero"):
        list(train(system, Rows(), TrainConfig(steps=220, batch=1)))


@pytest.mark.parametrize(
    "losses",
    [(1.1e-4,) * 8, (1e-4,) * 8, (0.0, 0.0, 0.0, 1.0) * 2, (-1.0,) * 8, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)],
)
def test_a_loss_that_is_not_zero_for_long_enough_goes_on(losses, monkeypatch):
    monkeypatch.setattr(training, "STUCK_FOR", 4)
    assert len(list(train(Tiny(losses=losses), Rows(), TrainConfig(steps=8, batch=1)))) == 8


def test_a_critics_loss_of_zero_is_no_end(monkeypatch):
    monkeypatch.setattr(training, "STUCK_FOR", 2)
    system = Tiny(losses=(0.0,) * 6)
    system.zero_means_won = False
    assert len(list(train(system, Rows(), TrainConfig(steps=6, batch=1)))) == 6


def test_one_number_that_is_not_finite_is_enough_to_refuse_a_checkpoint(tmp_path):
    system = Tiny()
    system.statistic[1] = float("inf")
    with pytest.raises(Diverged, match="step 1: statistic holds a number that is not finite"):
        list(train(system, Rows(), TrainConfig(steps=1, batch=2), tmp_path))
    assert checkpoints.load_checkpoint(tmp_path) is None


# `trained`, with a loop that does nothing but count -------------------------------------------------------------------
class Untrained:
    """Stands where `train` would: yields the records, moves the weights a little, and saves as the real loop does."""

    def __init__(self, monkeypatch, diverges_at: int | None = None, ends_at: int | None = None) -> None:
        self.calls, self.diverges_at, self.ends_at = [], diverges_at, ends_at
        monkeypatch.setattr(training, "train", self)

    def __call__(self, system, dataset, config, folder, pauses=(), stopping=None):
        self.calls.append((system, config))
        optimisers = {}
        first, *_ = training.restore(system, optimisers, folder)
        for step in range(first + 1, config.steps + 1):
            if step == self.diverges_at:
                raise Diverged(f"training diverged at step {step}")
            with torch.no_grad():
                for weight in system.parameters():
                    weight.add_(0.01)
            record = StepRecord(step, step * config.batch, 0.0, {"adversarial": 1.0}, {"adversarial": 2.0})
            if step % config.save_every == 0 or step == config.steps:
                training.save(system, optimisers, folder, record, 0, checkpoints.REGULAR)
            yield record


SMOKE = replace(get_profile("smoke"), width=0.03, batch=4, steps=8)


@pytest.mark.parametrize("steps, every", [(1, 1), (3, 1), (8, 2), (199, 50), (400, 50), (1500, 93), (90_000, 1000)])
def test_trained_keeps_four_checkpoints_a_run_and_one_every_fifty_steps_of_a_short_one(
    steps, every, tmp_path, monkeypatch
):
    loop = Untrained(monkeypatch, diverges_at=1)
    trained("hrvgan", Toy(), SMOKE, steps=steps, folder=tmp_path)
    ((_, config),) = loop.calls
    assert (config.steps, config.save_every) == (steps, every)


def test_trained_takes_from_the_profile_what_it_is_not_told(tmp_path, monkeypatch):
    loop = Untrained(monkeypatch, diverges_at=1)
    trained("hrvgan", Toy(), SMOKE, folder=tmp_path / "not" / "there" / "yet")
    trained(
        "hrvgan",
        Toy(),
        SMOKE,
        folder=tmp_path,
        seed=5,
        steps=3,
        batch=2,
        conditional=False,
        width=0.05,
        preset="literal",
    )
    (plain, config), (told, own) = loop.calls
    assert (config.steps, config.batch, config.seed) == (8, 4, 0) and (own.steps, own.batch, own.seed) == (3, 2, 5)
    assert (plain.n_classes, plain.config.width) == (2, 0.03)
    assert (told.n_classes, told.config.width, told.config.pixel_reduction) == (0, 0.05, "mean")
    assert plain.config.pixel_reduction == "norm"  # "stable", the profile's preset


def test_a_trained_system_has_the_shape_of_its_clips(tmp_path, monkeypatch):
    Untrained(monkeypatch, diverges_at=1)
    data = Toy()
    data.frames, data.size = 4, 4
    system, _ = trained("hrvgan", data, SMOKE, folder=tmp_path)
    assert (system.frames, system.size) == (4, 4) and system.sample(1).shape == (1, 3, 4, 4, 4)
    assert next(tmp_path.iterdir()).name.startswith("hrvgan-toy-4x4-")


def test_the_first_weights_depend_on_the_seed_alone(tmp_path, monkeypatch):
    Untrained(monkeypatch, diverges_at=1)
    weights = []
    for number, (global_seed, seed) in enumerate([(1, 0), (2, 0), (2, 1)]):
        torch.manual_seed(global_seed)
        weights.append(state(trained("hrvgan", Toy(), SMOKE, seed=seed, folder=tmp_path / str(number))[0]))
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[1], weights[2])


@pytest.mark.parametrize("steps, moments", [(4, [1, 2, 4]), (20, [1, 4, 10, 20]), (60, [3, 12, 30, 60]), (1, [1])])
def test_snapshots_are_taken_at_a_twentieth_a_fifth_a_half_and_the_end(steps, moments, tmp_path, monkeypatch):
    Untrained(monkeypatch)
    system, records = trained("hrvgan", Toy(), SMOKE, steps=steps, folder=tmp_path)
    assert [step for step, _ in system.snapshots] == moments and len(records) == steps
    assert not system.training


def test_snapshots_show_the_same_eight_latents_to_the_nearest_of_256_values(tmp_path):
    system = build()
    with torch.no_grad():
        system.sampler.layers[-2].weight.mul_(40)  # out of the grey
    for global_seed in (1, 2):
        torch.manual_seed(global_seed)
        training.take_snapshot(system.train(), Toy(), tmp_path, 90 + global_seed)
    (step, one), (_, two) = training.read_snapshots(tmp_path)
    assert step == 91 and len(one) == 8 and one.dtype == torch.float32 and torch.equal(one, two)
    now = system.sample(8, generator=stream("snapshot"))
    assert now.min() < -0.5 and now.max() > 0.5
    torch.testing.assert_close(one, now, atol=1 / 255 + 1e-6, rtol=0)  # rounded, not cut off


def test_one_clip_is_always_shown_however_large(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SNAPSHOT_BYTES", 1)
    system = build()
    training.take_snapshot(system, Toy(), tmp_path, 7)
    ((step, clips),) = training.read_snapshots(tmp_path)
    assert step == 7 and clips.shape == (1, 3, 8, 8, 8)


def test_a_snapshot_is_read_as_numbers_and_nothing_else(tmp_path):
    torch.save(Toy(), tmp_path / "snapshot-00000001.pt")
    with pytest.raises(pickle.UnpicklingError):
        training.read_snapshots(tmp_path)


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_stopped_run_goes_on_from_its_checkpoint_and_every_step_is_noted_once(stop, tmp_path, monkeypatch):
    loop = Untrained(monkeypatch)
    told = []

    def watch(record, system):
        (folder,) = tmp_path.iterdir()
        lines = (folder / "records.jsonl").read_text().splitlines()
        assert json.loads(lines[-1])["step"] == record.step  # on the disk before anybody hears of it
        told.append(record.step)
        assert system is loop.calls[-1][0]
        if record.step == stop and len(loop.calls) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained("hrvgan", Toy(), SMOKE, folder=tmp_path, on_step=watch)
    system, records = trained("hrvgan", Toy(), SMOKE, folder=tmp_path, on_step=watch)
    last = stop - stop % 2  # a checkpoint every two steps
    assert told == [*range(1, stop + 1), *range(last + 1, 9)]
    assert [record.step for record in records] == list(range(1, 9))
    (folder,) = tmp_path.iterdir()
    lines = (folder / "records.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(range(1, 9))
    whole, _ = trained("hrvgan", Toy(), SMOKE, folder=tmp_path / "whole")
    torch.testing.assert_close(state(system), state(whole))
    assert training.clips_seen(records) == 32 and training.clips_seen([]) == 0
    assert training.describe(system, records) == "HRVGAN with labels, 8 steps, 8x8x8"


def test_a_finished_training_is_read_and_its_loop_not_entered(tmp_path, monkeypatch):
    loop = Untrained(monkeypatch)
    first, records = trained("hrvgan", Toy(), SMOKE, folder=tmp_path)
    again, same = trained("hrvgan", Toy(), SMOKE, folder=tmp_path)
    assert len(loop.calls) == 1 and same == records and torch.equal(state(first), state(again))


def test_a_finished_checkpoint_is_written_once(tmp_path, monkeypatch):
    system = Tiny()
    list(train(system, Rows(), TrainConfig(steps=3, batch=2, save_every=1), tmp_path))
    assert checkpoints.load_checkpoint(tmp_path)["optimisers"]
    training.finish(tmp_path, system)
    assert len(list(tmp_path.glob("*.pt"))) == 1 and checkpoints.load_checkpoint(tmp_path)["optimisers"] == {}
    monkeypatch.setattr(checkpoints, "save_checkpoint", lambda *_, **__: pytest.fail("written again"))
    training.finish(tmp_path, system)
    assert checkpoints.load_checkpoint(tmp_path)["step"] == 3


@pytest.mark.parametrize("diverges_at, kept", [(1, 0), (2, 0), (4, 2), (5, 4)])
def test_a_diverged_run_has_what_its_last_checkpoint_had(diverges_at, kept, tmp_path, monkeypatch):
    loop = Untrained(monkeypatch, diverges_at=diverges_at)
    system, records = trained("hrvgan", Toy(), SMOKE, folder=tmp_path)
    assert system.diverged == f"training diverged at step {diverges_at}"
    assert [record.step for record in records] == list(range(1, kept + 1))
    loop.diverges_at = None
    torch.manual_seed(0)
    fresh = build_system("hrvgan", frames=8, size=8, n_classes=2, width=0.03, preset=SMOKE.preset)
    expected = torch.cat([tensor.flatten() + 0.01 * kept for tensor in fresh.generator.parameters()])
    found = torch.cat([tensor.flatten() for tensor in system.generator.parameters()])
    torch.testing.assert_close(found, expected)
    assert [step for step, _ in system.snapshots][-1] >= kept
    (folder,) = tmp_path.iterdir()
    (folder / "diverged.txt").write_text("")  # an older note had no words
    assert trained("hrvgan", Toy(), SMOKE, folder=tmp_path)[0].diverged == "training diverged"
    assert len(loop.calls) == 1


# The whole loop -------------------------------------------------------------------------------------------------------
def test_a_resumed_run_is_bit_for_bit_the_run_that_never_stopped(tmp_path):
    whole, stopped, resumed = build(), build(), build()
    straight = list(train(whole, Toy(), TrainConfig(steps=6, batch=4)))
    for record in train(stopped, Toy(), TrainConfig(steps=6, batch=4, save_every=2), tmp_path):
        if record.step == 5:  # killed between two checkpoints
            break
    rest = list(train(resumed, Toy(), TrainConfig(steps=6, batch=4, save_every=2), tmp_path))
    assert [record.step for record in rest] == [5, 6]
    assert torch.equal(state(whole), state(resumed))
    assert rest[-1].generator == straight[-1].generator


def test_other_seeds_give_other_runs_and_the_same_seed_the_same():
    runs = []
    for seed in (0, 0, 1):
        system = build()
        list(train(system, Toy(), TrainConfig(steps=2, batch=4, seed=seed)))
        runs.append(state(system))
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])


def test_every_epoch_sees_every_clip_once():
    seen = []

    class Spy(Toy):
        def batch(self, indices, generator=None, device="cpu"):
            seen.extend(indices.tolist())
            return super().batch(indices, generator)

    for turn in range(6):  # 6 batches of 4 are two epochs of 12
        draw_batch(Spy(), TrainConfig(steps=1, batch=4), turn, torch.device("cpu"))
    assert sorted(seen[:12]) == sorted(seen[12:]) == list(range(12)) and seen[:12] != seen[12:]


def test_streams_depend_on_their_purpose_alone():
    def draw(*purpose):
        return torch.rand(4, generator=stream(*purpose))

    assert torch.equal(draw("noise", 0, 7), draw("noise", 0, 7))
    assert not torch.equal(draw("noise", 0, 7), draw("noise", 0, 8))
    assert not torch.equal(draw("noise", 0, 7), draw("order", 0, 7))


def test_critic_steps_update_the_discriminator_more_often():
    calls = []
    system = build(critic_steps=3)
    inner = system.discriminator_losses
    system.discriminator_losses = lambda *arguments: calls.append(1) or inner(*arguments)
    list(train(system, Toy(), TrainConfig(steps=2, batch=4)))
    assert len(calls) == 6


def test_clipping_holds_after_training():
    system = build(lipschitz="clip", adversarial="wgan")
    list(train(system, Toy(), TrainConfig(steps=2, batch=4)))
    assert max(p.abs().max() for p in system.discriminator.parameters()) <= system.config.clip


def test_the_reconstruction_is_learned():
    class Plain(Toy):
        def batch(self, indices, generator=None, device="cpu"):
            return (indices.view(-1, 1, 1, 1, 1) % 2 * 2.0 - 1).expand(-1, 3, 8, 8, 8), indices % 2  # black or white

    system = build(learning_rate=5e-3, alpha=0.0, code_noise=0.0, pixel_reduction="mean")
    system.discriminator_losses = lambda *_: {"adversarial": 1 + system.discriminator.score.bias.sum()}  # has no part
    pixel = [record.generator["pixel"] for record in train(system, Plain(), TrainConfig(steps=40, batch=4))]
    assert sum(pixel[-5:]) < 0.6 * sum(pixel[:5])


def test_divergence_names_step_term_and_remedy_and_keeps_the_checkpoint(tmp_path):
    system = build()
    run = train(system, Toy(), TrainConfig(steps=9, batch=4, save_every=2), tmp_path)
    words = "diverged at step 4: the discriminator's 'adversarial' term is nan"
    with pytest.raises(RuntimeError, match=words) as caught:
        for record in run:
            if record.step == 3:
                system.discriminator.score.bias.data.fill_(float("nan"))
    assert "learning_rate" in str(caught.value) and "\n" not in str(caught.value)
    assert checkpoints.load_checkpoint(tmp_path)["step"] == 2


def test_a_discriminator_stuck_at_zero_is_named_and_the_count_survives_a_stop(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "STUCK_FOR", 4)
    system = build(lambda_1=0.0, lambda_2=0.0)  # nothing to learn: D's loss is zero
    for record in train(system, Toy(), TrainConfig(steps=9, batch=4, save_every=2), tmp_path):
        if record.step == 2:
            break
    with pytest.raises(Diverged, match="stuck at step 4: since step 1 the discriminator's loss is zero") as caught:
        list(train(build(lambda_1=0.0, lambda_2=0.0), Toy(), TrainConfig(steps=9, batch=4, save_every=2), tmp_path))
    assert "learning rate" in str(caught.value) and "\n" not in str(caught.value)


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    system = build()
    run = train(system, Toy(), TrainConfig(steps=4, batch=4, save_every=2), tmp_path)
    with pytest.raises(Diverged, match=r"step 4: encoder.* not finite"):
        for record in run:
            if record.step == 3:
                system.encoder.fc.bias.register_hook(lambda gradient: gradient * float("nan"))
    assert checkpoints.load_checkpoint(tmp_path)["step"] == 2


def test_a_diverged_run_comes_back_marked_and_is_not_tried_again(tmp_path):
    profile = replace(get_profile("smoke"), width=0.03, batch=4, steps=30)
    reckless = {"optimiser": "sgd", "discriminator_learning_rate": 1e9, "adversarial": "wgan", "folder": tmp_path}
    system, records = trained("hrvgan", Toy(), profile, **reckless)
    assert "diverged at step" in system.diverged and len(records) < 30
    assert all(weights.isfinite().all() for weights in system.parameters())
    again, same = trained("hrvgan", Toy(), profile, **reckless, on_step=lambda *_: pytest.fail("tried again"))
    assert again.diverged == system.diverged and same == records and torch.equal(state(again), state(system))


def test_a_run_that_diverges_before_its_first_checkpoint_can_still_be_shown(tmp_path):
    class Poisoned(Toy):
        def batch(self, indices, generator=None, device="cpu"):
            clips, labels = super().batch(indices, generator)
            return clips * float("nan"), labels

    profile = replace(get_profile("smoke"), width=0.03, batch=4, steps=8)
    for _ in range(2):  # and again from what the first time left
        system, records = trained("hrvgan", Poisoned(), profile, folder=tmp_path)
        assert records == [] and training.clips_seen(records) == 0 and "at step 1" in system.diverged
        ((step, clips),) = system.snapshots
        assert step == 0 and clips.isfinite().all()
        assert training.describe(system, records) == "HRVGAN with labels, 0 steps, 8x8x8, diverged"


def test_a_batch_that_the_stddev_group_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="use a batch of 4 or 8"):
        list(train(build(), Toy(), TrainConfig(steps=1, batch=6)))


def test_trained_trains_once_and_goes_on_after_a_stop(tmp_path):
    profile = replace(get_profile("smoke"), width=0.03, batch=4, steps=4)
    steps = []

    def stop_at_three(record, _system):
        steps.append(record.step)
        if record.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained("hrvgan", Toy(), profile, folder=tmp_path, on_step=stop_at_three)
    first, records = trained("hrvgan", Toy(), profile, folder=tmp_path, on_step=lambda r, _s: steps.append(r.step))
    assert [record.step for record in records] == [1, 2, 3, 4]
    again, same = trained("hrvgan", Toy(), profile, folder=tmp_path, on_step=lambda *_: pytest.fail("trained twice"))
    assert same == records and torch.equal(state(first), state(again))
    (folder,) = tmp_path.iterdir()
    (last,) = folder.glob("step-*.pt")  # a finished training keeps what sampling needs, and no more
    assert checkpoints.load_checkpoint(folder)["optimisers"] == {} and last.name == "step-00000004.pt"
    trained("hrvgan", Toy(), profile, folder=tmp_path, seed=1)
    assert len(list(tmp_path.iterdir())) == 2  # another seed is another folder


def test_a_journal_cut_off_in_a_line_and_a_lost_snapshot_are_no_loss(tmp_path):
    profile = replace(get_profile("smoke"), width=0.03, batch=4, steps=4)
    whole, records = trained("hrvgan", Toy(), profile, folder=tmp_path)
    (folder,) = tmp_path.iterdir()
    journal = folder / "records.jsonl"
    journal.write_text(journal.read_text()[:-9])
    (folder / "snapshot-00000004.pt").unlink()
    again, left = trained("hrvgan", Toy(), profile, folder=tmp_path, on_step=lambda *_: pytest.fail("trained again"))
    assert left == records[:3] and torch.equal(state(whole), state(again))
    assert [step for step, _ in again.snapshots][-1] == 4


def test_snapshots_of_large_clips_are_few(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SNAPSHOT_BYTES", 3 * 3 * 8 * 8 * 8)
    profile = replace(get_profile("smoke"), width=0.03, batch=4, steps=2)
    system, _ = trained("hrvgan", Toy(), profile, folder=tmp_path)
    assert {len(clips) for _, clips in system.snapshots} == {3}


def test_the_arithmetic_can_be_named(monkeypatch):
    seen = []
    system = build()
    system.discriminator.score.register_forward_pre_hook(lambda _m, inputs: seen.append(inputs[0].dtype))
    for dtype in (torch.float32, torch.bfloat16):
        list(train(system, Toy(), TrainConfig(steps=1, batch=4), dtype=dtype))
    assert {*seen} == {torch.float32, torch.bfloat16} and seen[0] == torch.float32
    seen.clear()
    list(train(system, Toy(), TrainConfig(steps=1, batch=4)))
    assert {*seen} == {precision(torch.device("cpu"))}  # this CPU's own


def test_the_newest_whole_checkpoint_is_loaded(tmp_path):
    for step in (1, 2, 3):
        checkpoints.save_checkpoint(tmp_path, step, {"step": step}, keep=2)
    assert [path.name for path in sorted(tmp_path.glob("*.pt"))] == ["step-00000002.pt", "step-00000003.pt"]
    newest = tmp_path / "step-00000003.pt"
    newest.write_bytes(newest.read_bytes()[:-7])
    with pytest.warns(UserWarning, match="step-00000003.pt is damaged and passed over") as caught:
        assert checkpoints.load_checkpoint(tmp_path)["step"] == 2
    assert len(caught) == 1 and caught[0].filename == __file__
    newest.unlink()
    (tmp_path / "step-00000002.sha256").unlink()  # a kill came before it was written: nothing to warn of
    assert checkpoints.load_checkpoint(tmp_path) is None


def test_a_checkpoint_runs_no_code(tmp_path):
    """Not even one whose sha256 is as noted beside it."""
    checkpoints.save_checkpoint(tmp_path, 1, {"step": Runs(tmp_path / "ran")})
    with pytest.raises(pickle.UnpicklingError):
        checkpoints.load_checkpoint(tmp_path)
    assert not (tmp_path / "ran").exists()


class Runs:
    """A pickle that makes a folder where it is believed."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


def test_a_checkpoint_in_between_is_kept_until_there_is_a_newer_one(tmp_path):
    def there():
        return sorted(path.name for path in tmp_path.glob("*.pt"))

    checkpoints.save_checkpoint(tmp_path, 50, {"step": 50})
    checkpoints.save_checkpoint(tmp_path, 60, {"step": 60}, kind=checkpoints.BETWEEN)
    checkpoints.save_checkpoint(tmp_path, 70, {"step": 70}, kind=checkpoints.BETWEEN)
    assert there() == ["between-00000070.pt", "step-00000050.pt"]
    assert checkpoints.load_checkpoint(tmp_path)["step"] == 70
    assert checkpoints.load_checkpoint(tmp_path, regular=True)["step"] == 50
    for step in (100, 150, 200):
        checkpoints.save_checkpoint(tmp_path, step, {"step": step})
    assert there() == [f"step-{step:08d}.pt" for step in (100, 150, 200)]
    assert {path.stem for path in tmp_path.glob("*.sha256")} == {path.stem for path in tmp_path.glob("*.pt")}


def test_a_slow_training_is_saved_between_its_regular_checkpoints(tmp_path, monkeypatch):
    """A kill costs a minute and not fifty steps, and what comes of the training is the same."""
    now = iter(range(0, 100_000, 25))  # every look at the clock is 25 s after the one before
    monkeypatch.setattr(training.time, "monotonic", lambda: next(now))
    config, saved = TrainConfig(steps=12, batch=3, save_every=100), []
    inner = checkpoints.save_checkpoint
    monkeypatch.setattr(
        checkpoints, "save_checkpoint", lambda *a, **k: saved.append((a[1], k["kind"])) or inner(*a, **k)
    )
    for record in train(Tiny(), Rows(), config, tmp_path):
        if record.step == 9:
            break
    assert saved and {kind for _, kind in saved} == {"between"} and 9 - saved[-1][0] <= 3
    resumed, straight = Tiny(), Tiny()
    records = list(train(resumed, Rows(), config, tmp_path))
    assert [record.step for record in records] == list(range(saved[-1][0] + 1, 13)) or records[-1].step == 12
    list(train(straight, Rows(), config))
    assert torch.equal(state(resumed), state(straight))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_waits_for_the_step_saves_it_and_costs_nothing(number, tmp_path):
    """Ctrl-C, a notebook's stop button, `kill`: the step at work is done, saved and noted, then training stops."""
    told = []

    def watch(record, system):
        told.append(record.step)
        if len(told) == 3:
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        trained("hrvgan", Toy(), SMOKE, steps=40, folder=tmp_path / "stopped", on_step=watch)
    assert signal.getsignal(number) is before
    (folder,) = (tmp_path / "stopped").iterdir()
    stopped_at = len((folder / "records.jsonl").read_text().splitlines())
    assert told == list(range(1, stopped_at + 1)) and 3 <= stopped_at <= 5
    assert checkpoints.load_checkpoint(folder)["step"] == stopped_at
    told.clear()
    system, records = trained(
        "hrvgan", Toy(), SMOKE, steps=40, folder=tmp_path / "stopped", on_step=lambda r, s: told.append(r.step)
    )
    assert told == list(range(stopped_at + 1, 41)) and [record.step for record in records] == list(range(1, 41))
    whole, straight = trained("hrvgan", Toy(), SMOKE, steps=40, folder=tmp_path / "whole")
    assert torch.equal(state(system), state(whole))
    assert [(one.discriminator, one.generator) for one in records] == [
        (one.discriminator, one.generator) for one in straight
    ]


def test_who_is_impatient_is_heard():
    with pytest.raises(KeyboardInterrupt), held_back() as asked:
        assert not asked()
        os.kill(os.getpid(), signal.SIGINT)
        assert asked()
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)  # the second one ends it before


def test_in_another_thread_nothing_is_held_back():
    found = []

    def work():
        before = signal.getsignal(signal.SIGINT)
        with held_back() as asked:
            found.append((asked(), signal.getsignal(signal.SIGINT) is before))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [(False, True)]


def test_what_a_diverged_run_gives_does_not_depend_on_when_it_was_saved(tmp_path, monkeypatch):
    """Its weights are those of the last regular checkpoint, also where a later one was saved in between."""
    loop = Untrained(monkeypatch, diverges_at=8)
    calls = []

    def between(system, dataset, config, folder, pauses=(), stopping=None):
        for record in loop(system, dataset, config, folder, pauses):
            if record.step == 7 and folder.parent.name == "slow":
                training.save(system, {}, folder, record, 0, checkpoints.BETWEEN)
                calls.append(folder)
            yield record

    monkeypatch.setattr(training, "train", between)
    slow, records = trained("hrvgan", Toy(), SMOKE, folder=tmp_path / "slow")
    fast, others = trained("hrvgan", Toy(), SMOKE, folder=tmp_path / "fast")
    assert calls and checkpoints.load_checkpoint(calls[0])["step"] == 7
    assert torch.equal(state(slow), state(fast)) and records == others and len(records) == 6


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "note"
    path.write_text("old")

    def fail(temporary):
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, fail)
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["note"]


def test_weights_round_trip_and_a_misfit_is_named(tmp_path):
    source, target, other = build(), build(learning_rate=1.0), build_system("hrvgan", frames=8, size=8, width=0.06)
    with torch.no_grad():
        source.generator.fc.bias.fill_(3)
    checkpoints.save_weights(tmp_path / "g.safetensors", source.generator)
    checkpoints.load_weights(tmp_path / "g.safetensors", target.generator)
    assert torch.equal(target.generator.fc.bias, source.generator.fc.bias)
    with pytest.raises(ValueError, match="does not fit this Generator") as caught:
        checkpoints.load_weights(tmp_path / "g.safetensors", other.generator)
    assert "\n" not in str(caught.value)


def test_a_generator_travels_alone_and_says_what_it_is(tmp_path):
    torch.manual_seed(0)
    options = {"width": 1 / 16, "betas": (0.1, 0.9), "generator_norm": "batch"}
    system = build_system("hrvgan", frames=8, size=8, n_classes=2, **options)
    for name, statistic in system.sampler.named_buffers():
        if name.endswith("running_mean"):
            statistic.fill_(1 / 3)  # half precision does not have this number
        if name.endswith("running_var"):
            statistic.fill_(4 / 3)
    checkpoints.save_generator(tmp_path / "g.safetensors", system, classes=["a", "b"], data="toys")
    back = checkpoints.load_generator(tmp_path / "g.safetensors")
    assert back.config == system.config and (back.frames, back.size, back.n_classes) == (8, 8, 2)
    assert back.about["data"] == "toys" and back.about["classes"] == '["a", "b"]'
    for (name, sent), got in zip(system.sampler.named_buffers(), back.sampler.buffers()):
        assert torch.equal(sent, got), name  # statistics keep all their digits
    for sent, got in zip(system.sampler.parameters(), back.sampler.parameters()):
        assert torch.equal(sent.half().float(), got)
    draws = [made.eval().sample(4, generator=stream("same")) for made in (system, back)]
    assert torch.allclose(*draws, atol=5e-3) and not torch.equal(*draws)  # half precision, and no less
    weights = sum(p.numel() for p in system.sampler.parameters())
    assert (tmp_path / "g.safetensors").stat().st_size < 2.2 * weights + 9000


@pytest.mark.parametrize(
    "kind, words",
    [
        ("gone", "no such generator"),
        ("cut", "not a whole safetensors file"),
        ("nameless", "does not say what system it holds"),
    ],
)
def test_a_file_that_is_no_generator_is_refused_in_a_line(tmp_path, kind, words):
    path = tmp_path / "g.safetensors"
    if kind == "nameless":
        checkpoints.save_weights(path, build().generator)
    elif kind == "cut":
        checkpoints.save_generator(path, build())
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises((ValueError, FileNotFoundError), match=words) as caught:
        checkpoints.load_generator(path)
    assert "\n" not in str(caught.value)


# A GPU that is too small ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("free, words", [(40e9, "a batch of 20 would fit"), (9e9, "a batch of 4 would fit"),
                                         (0, "not even 4 clips fit")])  # fmt: skip
def test_a_gpu_that_is_too_small_is_told_which_batch_would_fit(free, words, tmp_path, monkeypatch):
    memory = {"used": 1e9}

    def train(system, dataset, config, folder=None, dtype=None, pauses=(), stopping=None):
        if config.batch > 4 or not free:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate more\nthan there is")
        memory["peak"] = memory["used"] + 2e9 * config.batch
        yield StepRecord(1, 4, 0.0, {"a": 1.0}, {"a": 1.0})

    monkeypatch.setattr(training, "train", train)
    for name, value in (("empty_cache", lambda: None), ("reset_peak_memory_stats", lambda: None),
                        ("mem_get_info", lambda: (free, 80e9)), ("memory_allocated", lambda: memory["used"]),
                        ("max_memory_allocated", lambda: memory["peak"])):  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, value)
    with pytest.raises(RuntimeError) as told:
        trained("hrvgan", Toy(), replace(SMOKE, batch=32), steps=3, folder=tmp_path)
    assert words in str(told.value) and "with a batch of 32 needs more memory" in str(told.value)
    assert "\n" not in str(told.value)


def test_equal_generators_give_equal_files(tmp_path):
    """Byte for byte, so that two runs can be compared; a word about them more or less does not move the weights."""
    system = build_system("hrvgan", frames=8, size=8, width=0.05)
    facts = {f"fact {number}": "é" * number for number in range(9)}
    for number in range(5):
        about = dict(sorted(facts.items(), reverse=bool(number % 2)))
        checkpoints.save_generator(tmp_path / f"{number}.safetensors", system, **about)
    assert len({(tmp_path / f"{number}.safetensors").read_bytes() for number in range(5)}) == 1
    assert checkpoints.load_generator(tmp_path / "0.safetensors").about["fact 8"] == "é" * 8
