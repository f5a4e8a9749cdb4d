"""What a step costs: the share of a run that fits into some minutes, and the table of `make bench`."""

import dataclasses
import inspect
import itertools
import json
import math
from types import SimpleNamespace

import pytest
import torch

from hrvgan_lib import captures, training
from hrvgan_lib.networks import SYSTEMS, fused
from hrvgan_lib.profiles import PROFILES, get_profile, scaled
from hrvgan_lib.series import roofline, timing
from hrvgan_lib.series.timing import LEARNING, Cost, RandomClips, bench, kinds, share_that_fits, step_cost, time_kinds
from hrvgan_lib.training import StepRecord
from hrvgan_lib.trainings import Training, trainings

TINY = dataclasses.replace(PROFILES["smoke"], size=16, width=1 / 32, study_width=1 / 32, batch=4)
WORK = Training("hrvgan", "actions", True, 8, 8, 4, 9, ("06",))

COLUMNS = ("system", "clip", "batch", "arithmetic", "clips/s", "peak GB", "ratio", "share of the floor")


def each(profile) -> dict[str, float]:
    """Made-up seconds of a step of each kind, all different."""
    return {kind: 0.01 * number for number, kind in enumerate(kinds(profile), 1)}


def total(profile, seconds) -> float:
    return sum(work.steps * seconds[kind] for kind, group in kinds(profile).items() for work in group)


# The clips ------------------------------------------------------------------------------------------------------------
def test_random_clips_are_a_data_set_to_the_loop():
    data = RandomClips(8, 16, 3)
    clips, labels = data.batch(torch.tensor([0, 4, 5]))
    assert clips.shape == (3, 3, 8, 16, 16) and clips.dtype == torch.float32 and labels.tolist() == [0, 1, 2]
    assert -1 <= clips.min() < -0.9 and 0.9 < clips.max() <= 1
    assert len(data) == len(data.units) == len(data.labels) == 32 and data.n_classes == len(data.classes) == 3
    assert torch.equal(clips, RandomClips(8, 16, 3).batch([0, 4, 5], torch.Generator())[0])
    assert torch.equal(data.batch([4, 5])[0], clips[1:]) and not torch.equal(clips[0], clips[1])
    assert torch.equal(clips[0] * 127.5 + 127.5, data._bytes[0].permute(3, 0, 1, 2).float())
    without = RandomClips(4, 8, 0, n=5)
    assert len(without) == 5 and not without.classes and without.batch([4])[1].tolist() == [0]


def test_random_clips_travel_to_a_device_once():
    data = RandomClips(4, 8, 2)
    clips, labels = data.batch([3, 0], device="meta")  # a device that any machine has
    assert clips.shape == (2, 3, 4, 8, 8) and clips.is_meta and labels.is_meta and data._bytes.is_meta


# Kinds ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_every_training_is_of_one_kind_and_a_kind_is_one_system_in_one_shape(profile):
    found = kinds(profile)
    assert sorted(work.name for group in found.values() for work in group) == sorted(w.name for w in trainings(profile))
    shapes = [{(work.system, work.frames, work.size, work.batch) for work in group} for group in found.values()]
    assert all(len(shape) == 1 for shape in shapes) and len(set().union(*shapes)) == len(found)


# The share that fits --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["cpu", "gpu", "paper"])
@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_the_trainings_of_a_share_take_the_learning_part_of_the_minutes(name, lanes):
    profile = PROFILES[name]
    seconds = each(profile)
    minutes = 0.4 * total(profile, seconds) / lanes / 60
    share = share_that_fits(minutes, profile, seconds, lanes)
    assert share == pytest.approx(60 * minutes * LEARNING * lanes / total(profile, seconds), rel=5e-3)
    assert share == float(f"{share:.3g}")  # what is printed is what is meant
    taken = total(scaled(profile, share), seconds) / lanes  # whole steps, and a worked example that stays as it is
    assert taken == pytest.approx(60 * minutes * LEARNING, rel=0.05)


def test_more_minutes_or_more_lanes_give_a_larger_share_and_never_more_than_everything():
    profile = PROFILES["cpu"]
    seconds = each(profile)
    whole = total(profile, seconds) / 60 / LEARNING
    shares = [share_that_fits(part * whole, profile, seconds, 1) for part in (0.1, 0.3, 0.9, 1.0, 1.1, 1e6)]
    assert shares == sorted(shares) and shares[:3] == [0.1, 0.3, 0.9] and set(shares[3:]) == {1.0}
    longest = max(work.steps * seconds[kind] for kind, group in kinds(profile).items() for work in group)
    most = float(f"{min(1, 0.1 * total(profile, seconds) / longest):.3g}")  # nothing is done before the longest is
    shares = [share_that_fits(0.1 * whole, profile, seconds, lanes) for lanes in (1, 2, 4, 20, 1000)]
    assert shares == [min(most, share) for share in (0.1, 0.2, 0.4, 1.0, 1.0)] and shares[0] < shares[-1]


def test_too_few_minutes_are_refused_with_the_least_that_are_enough():
    profile = PROFILES["smoke"]
    count = len(trainings(profile))
    for lanes in (1, 2):
        for tenths in range(1, 120):  # the least is just this many tenths of a minute, but for the last digits
            exact = 60 * LEARNING * tenths / 10 / count * lanes
            for one in (exact, math.nextafter(exact, 0), math.nextafter(exact, 9), 1.03 * exact):
                seconds = dict.fromkeys(kinds(profile), one)
                with pytest.raises(ValueError) as told:
                    share_that_fits(0.97 * tenths / 10, profile, seconds, lanes)
                words = str(told.value)
                assert words.startswith(f"MINUTES={0.97 * tenths / 10:g} is too little for one step of each training")
                least = float(words.rpartition(" at least ")[2])
                assert 0 < share_that_fits(least, profile, seconds, lanes) <= 1  # it really works
                with pytest.raises(ValueError):
                    share_that_fits(least - 0.11, profile, seconds, lanes)


# Timing the kinds -----------------------------------------------------------------------------------------------------
@pytest.fixture
def costs(monkeypatch):
    """Takes the place of training a few steps; notes what it was asked for."""
    calls = []

    def step_cost(work, profile, dtype=None, plain=False, uncounted=None, counted=None):
        calls.append((work, dtype, plain, uncounted, counted))
        return Cost(work.system, f"{work.frames}x{work.size}x{work.size}", work.batch,
                    "fp32" if dtype == torch.float32 else "bf16", 3.0 if plain else 0.5, 1.23456, plain)  # fmt: skip

    monkeypatch.setattr(timing, "step_cost", step_cost)
    return calls


def test_steps_are_timed_once_and_then_read(tmp_path, costs):
    path = tmp_path / "run" / "timing.json"
    seconds = time_kinds(TINY, path)
    assert seconds == dict.fromkeys(kinds(TINY), 0.5) and len(costs) == len(seconds)
    assert {call[3:] for call in costs} == {(timing.UNCOUNTED, timing.COUNTED)}
    assert json.loads(path.read_text())["seconds"] == seconds
    assert time_kinds(TINY, path) == seconds and len(costs) == len(seconds)


def test_steps_are_timed_again_where_profile_code_or_device_differ(tmp_path, costs, monkeypatch):
    path, once = tmp_path / "timing.json", len(kinds(TINY))
    for number, profile in enumerate((TINY, dataclasses.replace(TINY, width=1 / 16), TINY), 1):
        time_kinds(profile, path)
        assert len(costs) == number * once
    monkeypatch.setattr(timing.provenance, "device_name", lambda: "another")
    time_kinds(TINY, path)
    assert len(costs) == 4 * once
    monkeypatch.setattr(timing, "code_of", lambda *makers: "other code")
    time_kinds(TINY, path)
    assert len(costs) == 5 * once
    time_kinds(TINY, path)
    assert len(costs) == 5 * once


def test_every_system_s_own_code_counts(tmp_path, costs, monkeypatch):
    makers = []
    monkeypatch.setattr(timing, "code_of", lambda *given: makers.extend(given) or "code")
    time_kinds(TINY, tmp_path / "timing.json")
    modules = {maker if isinstance(maker, str) else inspect.getmodule(maker).__name__ for maker in makers}
    assert modules == {timing.__name__, *(place.rpartition(".")[0] for place in SYSTEMS.places.values())}


def test_a_rehearsal_times_a_single_step(tmp_path, costs):
    time_kinds(get_profile("gpu", rehearse=True), tmp_path / "timing.json")
    assert {call[3:] for call in costs} == {(0, 1)}


def works(profile):
    """One training of each kind."""
    return [group[0] for group in kinds(profile).values()]


@pytest.fixture(autouse=True)
def device(monkeypatch):
    """A device with known rates, and steps of which only the operations are counted."""
    monkeypatch.setattr(timing, "rates", lambda dtype: roofline.Rates(1e9, 1e9))
    monkeypatch.setattr(
        timing, "work_of", lambda system, batch: roofline.Work(5e7 * batch, 1.0) if system.fixed_work else None
    )
    monkeypatch.setattr(timing, "precision", lambda device: torch.bfloat16)


# The table ------------------------------------------------------------------------------------------------------------
def test_the_table_has_two_rows_a_kind_and_a_ratio_over_the_plain_one(costs):
    rows = list(bench(works(TINY), TINY))
    groups = list(kinds(TINY).values())
    assert [call[:3] for call in costs] == [
        (group[0], *how) for group in groups for how in ((torch.float32, True), (torch.bfloat16, False))
    ]
    assert all([*row] == [*COLUMNS] for row in rows)
    work = groups[0][0]
    same = {"system": work.system, "clip": f"8x{work.size}x{work.size}", "batch": 4, "peak GB": 1.23}
    assert rows[:2] == [same | {"arithmetic": "fp32, plain layers", "clips/s": 1.33, "ratio": "",
                                "share of the floor": ""},
                        same | {"arithmetic": "bf16", "clips/s": 8.0, "ratio": 6.0,
                                "share of the floor": 0.4}]  # fmt: skip
    assert [row["ratio"] for row in rows] == ["", 6.0] * len(groups)
    floors = {row["system"]: row["share of the floor"] for row in rows if row["ratio"]}
    assert floors.pop("ivgan") == "" and set(floors.values()) == {
        0.4
    }  # nothing is counted of what differentiates twice


def test_a_row_is_there_before_the_next_is_measured(costs):
    rows = bench(works(TINY), TINY)
    for count in (1, 2, 3):
        next(rows)
        assert len(costs) == count


def test_what_a_checkpoint_costs_is_a_share_of_the_time_between_two(monkeypatch):
    (work,) = [one for one in works(TINY) if one.system == "vgan"][:1]
    profile = dataclasses.replace(TINY, steps=800)  # a checkpoint every fifty steps
    cost = Cost("vgan", "8x16x16", 4, "fp32", 2.0, 1.0, False)
    monkeypatch.setattr(timing, "step_cost", lambda *_: cost)
    clock = iter([0.0, 0.6, 1.0, 1.5, 2.0, 2.7])
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(timing, "train", lambda *_: [StepRecord(1, 4, 0.0, {}, {})])
    monkeypatch.setattr(timing.training, "restore", lambda *_: (1, 0.0, 0))
    (row,) = timing.saving([work], profile)
    assert row == {"system": "vgan", "clip": "8x16x16", "batch": 4, "MB": 0.0, "ms": 600.0, "seconds apart": 60.0,
                   "share": "1.00%"}  # fmt: skip
    cost = dataclasses.replace(cost, seconds=0.5)  # fifty steps take less than a minute
    clock = iter([0.0, 0.6, 1.0, 1.5, 2.0, 2.7])
    assert timing.saving([work], profile)[0]["share"] == "2.40%"


def test_what_does_not_fit_is_said_and_the_rest_is_measured(costs, monkeypatch, capsys):
    measured, full = timing.step_cost, next(iter(kinds(TINY).values()))[0]

    def step_cost(work, profile, dtype, plain, *few):
        if plain and work.name == full.name:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return measured(work, profile, dtype, plain, *few)

    monkeypatch.setattr(timing, "step_cost", step_cost)
    rows = list(bench(works(TINY), TINY))
    assert [row["ratio"] for row in rows] == ["", *["", 6.0] * (len(kinds(TINY)) - 1)]
    assert f"{full.name}, plain: does not fit into the memory of this GPU\n" in capsys.readouterr().out


def test_without_its_plain_row_a_row_has_no_ratio(costs, monkeypatch):
    measured = timing.step_cost

    def step_cost(work, profile, dtype, plain, *few):
        if plain:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return measured(work, profile, dtype, plain, *few)

    monkeypatch.setattr(timing, "step_cost", step_cost)
    assert [row["ratio"] for row in bench(works(TINY), TINY)] == [""] * len(kinds(TINY))


# A step ---------------------------------------------------------------------------------------------------------------
def test_a_step_has_a_cost_in_either_arithmetic():
    for dtype, words in ((torch.float32, "fp32"), (torch.bfloat16, "bf16")):
        cost = step_cost(WORK, TINY, dtype, uncounted=1, counted=1)
        assert (cost.system, cost.clip, cost.batch, cost.arithmetic) == ("hrvgan, labels", "8x8x8", 4, words)
        assert cost.seconds > 0 and cost.clips_a_second == pytest.approx(4 / cost.seconds) and cost.peak_gb > 0
        assert not cost.plain
    without = step_cost(dataclasses.replace(WORK, labels=False), TINY, uncounted=0, counted=1)
    assert (without.system, without.clip) == ("hrvgan", "8x8x8")


def records_at(*seconds):
    return [training.StepRecord(number, 4 * number, at, {}, {}) for number, at in enumerate(seconds, 1)]


def test_only_the_later_steps_count(monkeypatch):
    asked = []

    def train(system, clips, config, **options):
        asked.append((config.steps, config.batch, options["pauses"]))
        return iter(records_at(50.0, 90.0, 91.0, 93.0, 96.0))

    monkeypatch.setattr(timing, "train", train)
    assert step_cost(WORK, TINY, uncounted=2, counted=3).seconds == 2.0  # of 1, 2 and 3
    assert asked == [(5, 4, {2})]


@pytest.mark.parametrize("place, fixed_work, plain, asked, taken", [
    ("cpu", True, False, (3, 5), (3, 5)),
    ("cuda", False, False, (3, 5), (3, 5)),  # a gradient of a gradient is not recorded
    ("cuda", True, True, (2, 4), (2, 4)),
    ("cuda", True, False, (2, 4), (captures.WARM_UP + 2, 10)),
    ("cuda", True, False, (7, 20), (7, 20)),
])  # fmt: skip
def test_where_updates_are_recorded_only_replays_count(monkeypatch, place, fixed_work, plain, asked, taken):
    system = SimpleNamespace(device=torch.device(place), fixed_work=fixed_work)
    monkeypatch.setattr(timing, "build", lambda *_: system)
    steps = []

    def train(system, clips, config, pauses, **_):
        steps.append((*pauses, config.steps - sum(pauses)))
        calls = range(1, config.steps + 1)  # of each network: it warms up, is recorded, is replayed
        return iter(records_at(*itertools.accumulate(9.0 if call <= captures.WARM_UP + 1 else 1.0 for call in calls)))

    monkeypatch.setattr(timing, "train", train)
    cost = step_cost(WORK, TINY, torch.float32, plain, *asked)
    assert steps == [taken]
    if taken[0] > captures.WARM_UP:
        assert cost.seconds == 1.0


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("fails", [True, False])
def test_a_plain_step_leaves_everything_as_it_found_it(monkeypatch, plain, fails):
    often, seen = training.READ_EVERY, []
    assert often > 1 and not fused._plain

    def train(*arguments, **options):
        seen.append((training.READ_EVERY, fused._plain))
        yield from records_at(1.0, 2.0)
        if fails:
            raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(timing, "train", train)
    try:
        assert step_cost(WORK, TINY, plain=plain, uncounted=1, counted=1).plain is plain
        assert not fails
    except torch.OutOfMemoryError:
        assert fails
    assert seen == [(1, True) if plain else (often, False)]
    assert (training.READ_EVERY, fused._plain) == (often, False)
