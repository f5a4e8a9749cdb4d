"""Profiles: every size can be cut from Table 1, a rehearsal keeps the shapes, names are told apart."""

import csv
import dataclasses
import subprocess
import sys

import pytest
import torch

from hrvgan_lib.book.page import LEARNS
from hrvgan_lib.devices import pick_device, precision
from hrvgan_lib.networks import build_system
from hrvgan_lib.profiles import LEAST_SAMPLES, PROFILES, check_actions, get_profile, run_name, scaled
from hrvgan_lib.provenance import repo_root


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_a_clip_spans_the_paper_s_window(profile):
    assert profile.frames * profile.stride == 32
    assert (profile.frames, profile.size) in {(8, 32), (16, 64), (16, 128), (32, 256)}
    assert profile.standin_frames >= (profile.frames - 1) * profile.stride + 1
    assert profile.batch % 4 == 0  # minibatch stddev groups


@pytest.mark.parametrize("name", ["hrvgan", "vgan", "tgan", "mocogan", "ivgan"])
@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_every_system_can_be_cut_to_the_profile_s_clips(profile, name):
    with torch.device("meta"):
        system = build_system(name, frames=profile.frames, size=profile.size, width=profile.width)
    assert system.size == profile.size


@pytest.mark.parametrize("name", PROFILES)
def test_a_rehearsal_keeps_the_shapes(name):
    real, rehearsal = get_profile(name), get_profile(name, rehearse=True)
    for field in ("frames", "size", "width", "judge_width", "preset"):
        assert getattr(real, field) == getattr(rehearsal, field)
    assert rehearsal.rehearse and rehearsal.steps == 2 and rehearsal.samples <= 16
    assert (real.native or (0, 0))[:2] == (rehearsal.native or (0, 0))[:2]


@pytest.mark.parametrize("name", PROFILES)
def test_a_rehearsal_costs_next_to_nothing(name):
    rehearsal = get_profile(name, rehearse=True)
    steps = {field: value for field, value in vars(rehearsal).items() if field.endswith("steps")}
    assert len(steps) == 8 and all(1 <= number <= 2 for number in steps.values())
    assert rehearsal.batch == 2 and rehearsal.judge_batch <= 4 and rehearsal.minutes <= 10 and rehearsal.threads == 1
    assert rehearsal.native is None or rehearsal.native[2:] == (1, 1)
    assert (rehearsal.name, rehearsal.hardware) == (name, "2 CPU cores")
    assert get_profile(name) is PROFILES[name] and not PROFILES[name].rehearse


def test_the_profiles_grow_and_the_paper_s_has_the_paper_s_width():
    for field in ("clips_per_group", "width", "samples"):
        values = [getattr(profile, field) for profile in PROFILES.values()]
        assert values == sorted(values), field
    for steps, batch in (("steps", "batch"), ("rival_steps", "batch"), ("side_steps", "batch"),
                         ("judge_steps", "judge_batch")):  # fmt: skip
        clips = [getattr(profile, steps) * getattr(profile, batch) for profile in PROFILES.values()]
        assert clips == sorted(clips), steps
    assert get_profile("paper").width == get_profile("gpu").width == 1.0
    assert get_profile("smoke").minutes <= 5


@pytest.mark.parametrize("share", [1e-6, 0.1, 0.35, 0.5, 1.0])
@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_a_share_of_a_profile_has_fewer_steps_and_samples_and_the_same_judge(profile, share):
    part = scaled(profile, share)
    for field in (
        "steps",
        "rival_steps",
        "contrast_steps",
        "side_steps",
        "prediction_steps",
        "choice_steps",
        "study_steps",
    ):
        assert getattr(part, field) == max(1, round(share * getattr(profile, field)))
    least = min(profile.samples, LEAST_SAMPLES)
    assert part.samples == max(least, round(share * profile.samples))
    assert (part.native or ())[:3] == (profile.native or ())[:3]
    assert profile.native is None or part.native[3] == max(1, round(share * profile.native[3]))
    assert (part.share, part.minutes) == (share, share * profile.minutes)
    touched = {
        "steps",
        "rival_steps",
        "contrast_steps",
        "side_steps",
        "prediction_steps",
        "choice_steps",
        "study_steps",
        "samples",
        "native",
        "share",
        "minutes",
    }
    assert {name for name, value in vars(part).items() if value != vars(profile)[name]} <= touched
    assert scaled(profile, 1.0) == profile


def test_in_ten_minutes_of_a_gpu_every_training_sees_enough_clips_to_tell():
    with open(repo_root() / "figures/study/rivals.csv", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["clear of untrained"] == "True"]
    enough = {system: min(int(row["clips seen"]) for row in rows if row["system"] == system)
              for system in {row["system"] for row in rows}}  # fmt: skip
    gpu = get_profile("gpu*0.345")  # what ten minutes of an H100 are reckoned to hold
    assert enough.keys() == {"vgan", "mocogan"} and gpu.rival_steps * gpu.batch >= max(enough.values()) == 12_000
    for name in ("steps", *LEARNS.values()):  # else a chapter shows the run that learned from more
        seen, elsewhere = (getattr(one, name) * one.batch for one in (gpu, get_profile("overnight")))
        assert seen > elsewhere, name


def test_a_name_can_carry_a_share():
    gpu = PROFILES["gpu"]
    assert get_profile("gpu*0.5") == scaled(gpu, 0.5) and get_profile("gpu*0.5").name == "gpu"
    assert get_profile("gpu*1") == gpu and get_profile("gpu*1.5").steps == 1.5 * gpu.steps
    rehearsal = get_profile("gpu*0.5", rehearse=True)
    assert rehearsal == dataclasses.replace(
        get_profile("gpu", rehearse=True), share=0.5, minutes=min(10, 0.5 * gpu.minutes)
    )
    assert run_name("gpu*0.5") == "gpu" and run_name("gpu*0.5", "weizmann", rehearse=True) == "gpu-weizmann-rehearsal"


@pytest.mark.parametrize("share", ["", "half", "0.5*2", "1,5", "nan", "inf", "-inf", "0", "-0.5"])
def test_a_share_that_is_no_number_above_zero_is_refused_in_one_line(share):
    with pytest.raises(ValueError) as told:
        get_profile(f"gpu*{share}")
    assert str(told.value) == f"profile gpu*{share}: write a number behind the star, as in gpu*0.5"
    with pytest.raises(ValueError, match=r"unknown profile 'big': choose one of smoke, cpu, overnight, gpu, paper"):
        get_profile(f"big*{share}")


def test_only_a_labelled_data_set_can_be_the_actions():
    assert [check_actions(name) for name in ("ucf101", "weizmann")] == ["ucf101", "weizmann"]
    with pytest.raises(ValueError, match="unknown action data set 'golf': choose one of ucf101, weizmann"):
        check_actions("golf")


@pytest.mark.parametrize("there", [True, False])
def test_the_device_is_cuda_where_there_is_one(monkeypatch, there):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert pick_device() == torch.device("cuda" if there else "cpu")


def test_the_gpu_profile_runs_the_paper_s_shape():
    assert get_profile("gpu").native[:2] == (32, 256)
    assert get_profile("smoke").native is None and get_profile("cpu").native is None


def test_profiles_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        get_profile("smoke").steps = 1


def test_unknown_profile():
    with pytest.raises(ValueError, match="unknown profile 'big': choose one of smoke, cpu, overnight, gpu, paper"):
        get_profile("big")


def test_run_names():
    assert run_name("cpu") == "cpu"
    assert run_name("cpu", "weizmann") == "cpu-weizmann"
    assert run_name("gpu", "weizmann", rehearse=True) == "gpu-weizmann-rehearsal"
    assert run_name("gpu", "weizmann", rehearse=True, run="mine") == "mine"
    with pytest.raises(ValueError, match="run name"):
        run_name("cpu", run="a/b")


def test_precision_is_one_that_torch_has():
    assert precision(torch.device("cuda")) == torch.bfloat16
    assert precision(torch.device("cpu")) in (torch.bfloat16, torch.float32)


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, hrvgan_lib, hrvgan_lib.profiles, hrvgan_lib.book; print('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "False"
