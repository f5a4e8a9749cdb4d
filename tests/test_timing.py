"""The first check and the wheelhouse: what is asked before a machine is booked, and what goes there."""

import csv
import json
from pathlib import Path

import pytest
import torch
from torch import nn

from hrvgan_lib import timing, wheels
from hrvgan_lib.networks import build_system
from hrvgan_lib.profiles import get_profile
from hrvgan_lib.provenance import repo_root


def test_workloads_are_all_trainings_of_a_profile():
    gpu = get_profile("gpu")
    works = timing.workloads(gpu)
    by_name = {(work.system, work.labels, work.size): work for work in works}
    assert len(by_name) == len(works)
    assert by_name["hrvgan", True, gpu.size].steps == gpu.steps
    for name in ("hrvgan", "vgan", "tgan", "mocogan"):
        assert by_name[name, False, gpu.size].steps == gpu.rival_steps + 2 * gpu.side_steps
    native = by_name["hrvgan", True, 256]
    assert (native.frames, native.size, native.batch, native.steps) == gpu.native
    arms = by_name["hrvgan", True, 16].steps / gpu.study_steps
    assert arms == int(arms) and 6 < arms < 20
    assert by_name["ivgan", False, gpu.size].steps < by_name["vgan", False, gpu.size].steps  # a worked example
    assert not any(work.size == 256 for work in timing.workloads(get_profile("smoke")))


def test_a_step_has_a_cost_in_either_arithmetic():
    work = timing.Workload("hrvgan", 8, 8, 4, True, 1 / 16, 600)
    for arithmetic in timing.ARITHMETIC:
        row = timing.step_cost(work, arithmetic, "stable", steps=4)
        assert row["arithmetic"] == arithmetic and row["clip"] == "8x8x8"
        assert row["steps timed"] == 1  # the first three set things up
        assert row["clips a second"] == pytest.approx(4 / row["seconds a step"])
        assert row["minutes in the profile"] == pytest.approx(10 * row["seconds a step"])


def test_random_clips_are_a_data_set_to_the_loop():
    clips, labels = timing.RandomClips(8, 16, 3).batch(torch.tensor([0, 4, 5]))
    assert clips.shape == (3, 3, 8, 16, 16) and clips.dtype == torch.float32 and labels.tolist() == [0, 1, 2]
    assert -1 <= clips.min() < -0.9 and 0.9 < clips.max() <= 1


def test_every_layer_that_runs_is_timed_on_what_it_sees():
    torch.manual_seed(0)
    generator = build_system("hrvgan", frames=8, size=8, n_classes=2, width=1 / 16).generator
    inputs = torch.randn(3, 128), torch.zeros(3, dtype=torch.long)
    rows = timing.layer_costs(generator, inputs, torch.float32, repeats=1)
    convolutions = [module for module in generator.modules() if isinstance(module, nn.ConvTranspose3d)]
    assert sum(row["kind"] == "ConvTranspose3d" for row in rows) == len(convolutions)
    assert rows[0]["kind"] == "Linear" and rows[0]["input"] == "3x256"
    assert all(row["forward ms"] > 0 and row["backward ms"] > 0 for row in rows)


@pytest.mark.slow
def test_the_first_check_writes_two_tables_with_sidecars(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HRVGAN_ROOT", str(tmp_path))
    tiny = [timing.Workload("tgan", 8, 16, 4, False, 0.125, 6), timing.Workload("hrvgan", 8, 16, 4, True, 0.125, 6)]
    monkeypatch.setattr(timing, "workloads", lambda profile: tiny)
    assert timing.main(["--profile", "smoke", "--rehearse"]) == 0
    said = capsys.readouterr().out
    assert "eigenvalues: largest relative difference" in said and "resizing: largest difference" in said
    assert "device: " in said and "tgan            8x16x16" in said and "training alone, in" in said
    folder = tmp_path / "figures/smoke-rehearsal"
    with open(folder / "timing_steps.csv", newline="") as file:
        assert [row["arithmetic"] for row in csv.DictReader(file)] == 2 * ["fp32", "bf16"]
    with open(folder / "timing_layers.csv", newline="") as file:
        assert {row["network"] for row in csv.DictReader(file)} == {"G", "D"}
    assert json.loads((folder / "timing_steps.json").read_text())["device"]
    assert timing.main(["--profile", "none"]) == 2 and capsys.readouterr().err.count("\n") == 1


def test_the_wheelhouse_holds_what_a_machine_with_torch_lacks():
    text = (repo_root() / "requirements.lock").read_text()
    lock = wheels.read_lock(text, "3.12")
    wanted = wheels.closure(wheels.RUNS_THE_BOOK, lock) - wheels.closure(wheels.PRESENT, lock)
    assert {"papermill", "nbclient", "ipykernel", "jupytext", "ipywidgets", "av", "platformdirs"} <= wanted
    assert {"aiohttp", "yarl", "multidict"} <= wanted  # papermill asks for these on 3.12 alone
    assert not {"torch", "numpy", "pillow", "matplotlib", "jupyterlab", "pytest"} & wanted
    assert all(lock[name].hashes and ";" not in lock[name].pin for name in wanted)
    older = wheels.read_lock(text, "3.11")
    assert older["av"].pin != lock["av"].pin and "aiohttp" not in older  # that machine's Python chooses, not ours


def test_wheels_that_cannot_be_had_leave_the_old_ones_and_everything_else(tmp_path, monkeypatch, capsys):
    (tmp_path / "old.whl").write_text("old")
    (tmp_path / "thesis.tex").write_text("mine")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    assert wheels.main([str(tmp_path)]) == 1
    assert "is as it was" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.whl", "thesis.tex"]


def test_the_c_library_that_all_wheels_run_on():
    names = ["a-1-py3-none-any.whl", "b-1-cp312-abi3-manylinux_2_28_x86_64.whl",
             "c-1-cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_34_x86_64.whl"]
    assert wheels.glibc_needed([Path(name) for name in names]) == "2.28"
    assert wheels.glibc_needed([Path(names[0])]) == "any"


def test_what_does_not_fit_is_said_and_the_rest_is_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HRVGAN_ROOT", str(tmp_path))
    tiny = [timing.Workload("hrvgan", 8, 16, 4, True, 0.125, 6), timing.Workload("tgan", 8, 16, 4, False, 0.125, 6)]
    monkeypatch.setattr(timing, "workloads", lambda profile: tiny)
    measured = timing.step_cost

    def full(work, *arguments):
        if work.system == "hrvgan":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return measured(work, *arguments)

    monkeypatch.setattr(timing, "step_cost", full)
    assert timing.main(["--profile", "smoke", "--rehearse"]) == 0
    said = capsys.readouterr().out
    assert "hrvgan, labels  8x16x16    fp32: does not fit" in said and "tgan            8x16x16" in said
