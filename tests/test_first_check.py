"""The first check: what is asked of a machine before a long run is started."""

import io
import re
import sys
import warnings
from types import SimpleNamespace

import first_check
import pytest
import torch

from hrvgan_lib import captures
from hrvgan_lib.networks import SYSTEMS
from hrvgan_lib.profiles import get_profile
from hrvgan_lib.series.timing import Cost


@pytest.fixture
def asked(monkeypatch):
    """Takes the place of the steps themselves; notes what they were asked for."""
    calls = []

    def step_cost(work, profile, **few):
        calls.append((work, profile, few))
        return Cost("hrvgan, labels", f"{work.frames}x{work.size}x{work.size}", work.batch, "fp32", 0.5, 1.25, False)

    monkeypatch.setattr(first_check, "step_cost", step_cost)
    monkeypatch.setattr(first_check, "pick_device", lambda: torch.device("cpu"))
    return calls


def test_a_machine_is_told_by_its_versions_and_measured_against_itself(asked, capsys):
    assert first_check.main([]) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0].startswith("device: ") and any(line.startswith("torch ") for line in lines) and not told.err
    assert "GPU kernels: none here, plain layers" in lines
    (eigen,), (shrunk,) = (
        [line for line in lines if line.startswith(word)] for word in ("eigenvalues: ", "resizing: ")
    )
    assert float(eigen.split()[-1]) < 1e-6 and float(shrunk.split()[-1]) < 1e-5
    batch = get_profile("gpu").batch
    step = f"HRVGAN at 16x64x64, batch {batch}, fp32: 0.500 s a step, {2 * batch:.1f} clips/s, 1.2 GB"
    assert lines[-3:-1] == [step, "CUDA graphs: none here"] and re.fullmatch(r"\d+ s in all", lines[-1])


def test_what_is_known_is_said_before_what_takes_longest(asked, monkeypatch):
    passed_on = []
    pipe = io.StringIO()
    pipe.flush = lambda: passed_on.append(pipe.getvalue().splitlines())

    def stopped(device):
        yield "CUDA graphs, hrvgan: well"
        raise KeyboardInterrupt

    for name in ("machine", "agreement", "fused_kernels"):
        monkeypatch.setattr(first_check, name, lambda *_, name=name: [name])
    monkeypatch.setattr(first_check, "replays", stopped)
    monkeypatch.setattr(sys, "stdout", pipe)
    assert first_check.main([]) == 130
    assert [lines[-1].partition(",")[0] for lines in passed_on] == [
        "machine", "agreement", "fused_kernels", "HRVGAN at 16x64x64", "CUDA graphs",
    ]  # fmt: skip


@pytest.mark.parametrize("profile", ["", "smoke", "gpu*0.5"])
@pytest.mark.parametrize("rehearse", [False, True])
def test_the_main_training_of_the_profile_takes_a_few_steps(asked, profile, rehearse):
    assert first_check.main(["--profile", profile, "--run", "mine", *(["--rehearse"] if rehearse else [])]) == 0
    ((work, used, few),) = asked
    assert used == get_profile(profile or "gpu", rehearse) and few == {"uncounted": 1, "counted": 1}
    assert (work.system, work.labels, work.steps) == ("hrvgan", True, used.steps)
    assert (work.frames, work.size, work.batch) == (used.frames, used.size, used.batch)


def test_a_gpu_takes_as_many_steps_as_every_timing(asked, monkeypatch):
    monkeypatch.setattr(first_check, "pick_device", lambda: torch.device("cuda"))
    for name in ("agreement", "fused_kernels", "replays"):
        monkeypatch.setattr(first_check, name, lambda device: [])
    assert first_check.main([]) == 0
    assert asked[0][2] == {}


def test_ten_recorded_turns_of_each_system_are_held_against_ten_plain_ones(monkeypatch):
    def train(system, clips, config, dtype):
        assert (config.steps, dtype) == (captures.WARM_UP + 10, torch.float32)
        for step in range(config.steps):
            off = 0.5 * (step == config.steps - 1) * captures._used  # the last recorded turn goes astray
            yield SimpleNamespace(discriminator={"a": 1.0 + off}, generator={"b": 2.0})

    monkeypatch.setattr(first_check, "train", train)
    monkeypatch.setattr(first_check, "build_system", lambda name, **_: SimpleNamespace(to=lambda device: name))
    lines = list(first_check.replays(SimpleNamespace(type="cuda")))
    names = [name for name, kind in SYSTEMS.items() if kind.fixed_work]
    assert lines == [f"CUDA graphs, {name}: ten turns are off by 0.0e+00 at first, 2.5e-01 at most" for name in names]
    assert list(first_check.replays(torch.device("cpu"))) == ["CUDA graphs: none here"]


@pytest.mark.parametrize("differ, word", [({"norms": 1e-6, "adam": 2e-7}, "norms"), ({"norms": 1.0}, "not used")])
def test_the_gpu_kernels_are_told_with_how_far_they_are_off(monkeypatch, differ, word):
    def trusted(device):
        if word == "not used":
            warnings.warn("the kernels of this GPU differ: plain layers are used", stacklevel=2)
        return word != "not used"

    monkeypatch.setattr(first_check.kernels, "triton", object())
    monkeypatch.setattr(first_check.kernels, "trusted", trusted)
    monkeypatch.setattr(first_check.kernels, "differences", lambda device: differ)
    lines = first_check.fused_kernels(torch.device("cuda"))
    if word == "not used":
        assert lines == ["GPU kernels: not used; the kernels of this GPU differ: plain layers are used"]
    else:
        assert lines == ["GPU kernels, norms: off by 1.0e-06", "GPU kernels, adam: off by 2.0e-07"]


def test_an_unknown_profile_is_refused_in_one_line(asked, capsys):
    assert first_check.main(["--profile", "none"]) == 2 and not asked
    told = capsys.readouterr()
    assert told.err == "unknown profile 'none': choose one of smoke, cpu, overnight, gpu, paper\n" and not told.out


def test_a_few_steps_are_really_taken(capsys):
    assert first_check.main(["--profile", "smoke", "--rehearse"]) == 0
    assert "HRVGAN at 8x32x32, batch 2, " in capsys.readouterr().out.splitlines()[-3]
