"""The first check: what is asked of a machine before a long run is started."""

import csv
import json

import first_check as timing
import pytest
import torch
from torch import nn

from hrvgan_lib.networks import build_system
from hrvgan_lib.profiles import get_profile


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
