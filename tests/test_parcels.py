"""Parcels: a run goes to another machine and comes back whole, or not at all."""

import hashlib
import json
import shutil

import pytest
from filelock import FileLock

from hrvgan_lib import parcels
from hrvgan_lib.provenance import repo_root, to_json


def checkpoint(folder, step):
    content = bytes([step]) * 5000
    (folder / f"step-{step:08d}.pt").write_bytes(content)
    (folder / f"step-{step:08d}.sha256").write_text(hashlib.sha256(content).hexdigest() + "\n")


@pytest.fixture
def there(tmp_path):
    """A machine with a run: a table with its sidecar, an executed chapter, a judge, a training with two checkpoints."""
    root = tmp_path / "there"
    figures, runs = root / "figures/trial", root / "runs/trial"
    for folder in (figures, runs / "judges", runs / "checkpoints/hrvgan-a", runs / "evaluations/features/real-1"):
        folder.mkdir(parents=True)
    table = b"system,ours\nhrvgan,4.1\n"
    (figures / "table3.csv").write_bytes(table)
    sidecar = {"files": {"table3.csv": hashlib.sha256(table).hexdigest()}, "device": "NVIDIA H200"}
    (figures / "table3.json").write_text(to_json(sidecar))
    (figures / "status.json").write_text("[]\n")
    (runs / "10_tables.ipynb").write_text("{}\n")
    (runs / "judges/c3d-1").mkdir()
    (runs / "judges/c3d-1/judge.safetensors").write_bytes(b"j" * 3000)
    (runs / "judges/c3d-1/judge.json").write_text("{}\n")
    (runs / "evaluations/hrvgan-1.json").write_text("{}\n")
    (runs / "evaluations/features/real-1/00000.npz").write_bytes(b"f" * 9000)
    for step in (1, 2):
        checkpoint(runs / "checkpoints/hrvgan-a", step)
    (runs / "checkpoints/hrvgan-a/lock").write_text("")
    (runs / "judges/c3d.lock").write_text("")
    (runs / ".lock").write_text("")
    return root


def contents(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_run_comes_back_as_it_was_less_locks_and_old_checkpoints(there, tmp_path, monkeypatch):
    monkeypatch.setattr(parcels, "PIECE", 200)
    index = parcels.pack("trial", tmp_path / "parcels", there)
    assert len(index["pieces"]) > 1
    assert max((tmp_path / "parcels" / name).stat().st_size for name in index["pieces"]) <= 200
    here = tmp_path / "here"
    here.mkdir()
    (unpacked,) = parcels.unpack(tmp_path / "parcels", here)
    old = {"runs/trial/checkpoints/hrvgan-a/step-00000001.pt", "runs/trial/checkpoints/hrvgan-a/step-00000001.sha256"}
    kept = {name: content for name, content in contents(there).items() if not name.endswith("lock") and name not in old}
    (here / "runs/trial/.lock").unlink()  # its own
    assert contents(here) == kept and unpacked["left out, MB"] == {}
    assert parcels.check_sidecars(here / "figures/trial") == {"NVIDIA H200": 1}


def test_under_a_limit_results_go_first_and_what_stays_is_named(there, tmp_path):
    index = parcels.pack("trial", tmp_path / "parcels", there, limit=0.004)
    assert {"figures/trial/table3.csv", "runs/trial/10_tables.ipynb", "runs/trial/judges/c3d-1/judge.safetensors",
            "runs/trial/evaluations/hrvgan-1.json"} <= {*index["files"]}
    assert index["left out, MB"].keys() == {"trainings", "features"}
    assert not any("step-" in name for name in index["files"])
    index = parcels.pack("trial", tmp_path / "parcels", there, limit=0.0029)
    assert not any("judges" in name for name in index["files"])  # a record without its weights would be no judge


@pytest.mark.parametrize("fault, words", [
    ("missing", "is missing: fetch all"), ("damaged", "is damaged"), ("foreign", "not what was packed"),
    ("outside", "is no parcel's index"), ("cut", "is no parcel's index"), ("elsewhere", "is no file of the run"),
    ("empty", "holds no parcel"),
])  # fmt: skip
def test_a_parcel_that_is_not_whole_changes_nothing(there, tmp_path, monkeypatch, fault, words):
    monkeypatch.setattr(parcels, "PIECE", 200)
    folder = tmp_path / "parcels"
    if fault == "elsewhere":
        (there / "etc").mkdir()
        (there / "etc/passwd").write_text("")
        monkeypatch.setattr(parcels, "bundles", lambda root, run: [("results", lambda: [there / "etc/passwd"])])
    index = parcels.pack("trial", folder, there)
    last = folder / list(index["pieces"])[-1]
    index_file = folder / "trial.parcel.json"
    if fault == "missing":
        last.unlink()
    elif fault == "damaged":
        last.write_bytes(last.read_bytes()[:-1] + b"?")
    elif fault == "foreign":
        index_file.write_text(to_json(index | {"files": index["files"] | {"figures/trial/table3.csv": "0" * 64}}))
    elif fault == "outside":
        index_file.write_text(to_json(index | {"run": "../../etc"}))
    elif fault == "cut":
        index_file.write_text(index_file.read_text()[:40])
    elif fault == "empty":
        shutil.rmtree(folder)
    here = tmp_path / "here"
    here.mkdir()
    with pytest.raises((ValueError, FileNotFoundError), match=words) as caught:
        parcels.unpack(folder, here)
    assert "\n" not in str(caught.value) and list(here.iterdir()) == []


def test_the_shell_packs_and_unpacks_in_one_line_each(there, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(parcels, "repo_root", lambda: there)
    assert parcels.main(["pack", str(tmp_path / "parcels"), "--run", "trial"]) == 0
    assert "files of run trial: 1 pieces" in capsys.readouterr().out
    assert parcels.main(["unpack", str(tmp_path / "parcels")]) == 0
    assert "1 from NVIDIA H200" in capsys.readouterr().out
    (there / "figures/trial/table3.csv").write_text("system,ours\nhrvgan,9.9\n")
    parcels.main(["pack", str(tmp_path / "parcels"), "--run", "trial"])
    assert parcels.main(["unpack", str(tmp_path / "parcels")]) == 2
    said = capsys.readouterr()  # everything is there all the same: it may be the last copy
    assert "files in place" in said.out and "is not what table3.json describes" in said.err
    assert parcels.main(["pack", str(tmp_path / "parcels"), "--run", "none"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_run_that_goes_on_is_packed_at_one_moment_or_not_at_all(there, tmp_path, monkeypatch):
    folder = there / "runs/trial/checkpoints/hrvgan-a"
    monkeypatch.setattr(parcels.time, "sleep", lambda _s: checkpoint(folder, 2))  # the other process has caught up
    (folder / "step-00000002.pt").write_bytes(b"half of a new checkp")
    index = parcels.pack("trial", tmp_path / "parcels", there)
    assert "runs/trial/checkpoints/hrvgan-a/step-00000002.pt" in index["files"] and index["left out, MB"] == {}
    monkeypatch.setattr(parcels.time, "sleep", lambda _s: None)
    (folder / "step-00000002.pt").write_bytes(b"half of a new checkp")
    index = parcels.pack("trial", tmp_path / "parcels", there)
    assert not any("hrvgan-a" in name for name in index["files"]) and "trainings" in index["left out, MB"]
    pieces = {path.name for path in (tmp_path / "parcels").glob("*.parcel-*")}
    assert pieces == {*index["pieces"]}  # nothing of the first parcel is left


def test_what_has_gone_further_here_stays_and_a_run_in_the_making_is_left_alone(there, tmp_path, monkeypatch, capsys):
    folder = there / "runs/trial/checkpoints/hrvgan-a"
    parcels.pack("trial", tmp_path / "parcels", there)
    checkpoint(folder, 3)
    (there / "runs/trial/10_tables.ipynb").unlink()
    parcels.unpack(tmp_path / "parcels", there)
    assert (folder / "step-00000003.pt").is_file() and (there / "runs/trial/10_tables.ipynb").is_file()
    monkeypatch.setattr(parcels, "repo_root", lambda: there)
    with FileLock(there / "runs/trial/.lock"):
        assert parcels.main(["unpack", str(tmp_path / "parcels")]) == 2
    assert "is being made here" in capsys.readouterr().err


@pytest.mark.parametrize("run", ["gpu", "gpu-weizmann"])
def test_what_is_recorded_came_from_a_gpu_and_is_as_its_sidecars_say(run):
    figures = repo_root() / "figures" / run
    if not figures.is_dir():
        pytest.skip(f"no recorded run figures/{run}/")
    devices = parcels.check_sidecars(figures)
    assert devices and not any("cores" in device for device in devices), devices
    assert {row["status"] for row in json.loads((figures / "status.json").read_text())} <= {"ok", "cached"}
    if run == "gpu":
        first = (repo_root() / "README.md").read_text().split("![", 1)[1].split("](", 1)[1]
        assert first.startswith("figures/gpu/"), "the README's first picture is from the recorded run"
