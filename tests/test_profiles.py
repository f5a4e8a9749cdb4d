"""Profiles: every size can be cut from Table 1, a rehearsal keeps the shapes, names are told apart."""

import dataclasses
import subprocess
import sys

import pytest
import torch

from hrvgan_lib.networks import build_system
from hrvgan_lib.profiles import PROFILES, get_profile, precision, run_name


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


def test_the_gpu_profile_runs_the_paper_s_shape():
    assert get_profile("gpu").native[:2] == (32, 256)
    assert get_profile("smoke").native is None and get_profile("cpu").native is None


def test_profiles_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        get_profile("smoke").steps = 1


def test_unknown_profile():
    with pytest.raises(ValueError, match="unknown profile 'big': choose one of smoke, cpu, gpu, paper"):
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
