"""A run goes to another machine and comes back whole, or not at all; and recorded runs are what they say."""

import json
import os
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from filelock import FileLock

from hrvgan_lib.files import sha256_file, to_json
from hrvgan_lib.provenance import repo_root

SCRIPT = Path(__file__).resolve().parents[1] / "tools/offline.sh"


@pytest.fixture
def there(tmp_path):
    """A machine with a run: a table with its sidecar, an executed chapter, a judge, a training, features, locks."""
    root = tmp_path / "there"
    for name, size in {
        "figures/trial/table3.csv": 30,
        "figures/trial/status.json": 3,
        "runs/trial/10_tables.ipynb": 400,
        "runs/trial/10_tables.usage.json": 3,
        "runs/trial/seeds/a-seed0.json": 3,
        "runs/trial/judges/c3d-1/judge.safetensors": 300_000,
        "runs/trial/evaluations/hrvgan-1.json": 3,
        "runs/trial/checkpoints/hrvgan-a/step-00000002.pt": 500_000,
        "runs/trial/checkpoints/hrvgan-a/lock": 0,
        "runs/trial/evaluations/features/real-1/00000.npz": 900_000,
        "runs/trial/judges/c3d.lock": 0,
        "runs/trial/.lock": 0,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(os.urandom(size))
    (root / "figures/trial/table3.csv").write_text("system,ours\nhrvgan,4.1\n")
    return root


def call(root: Path, *words: object) -> subprocess.CompletedProcess:
    root.mkdir(exist_ok=True)
    environment = os.environ | {"HRVGAN_ROOT": str(root)}
    return subprocess.run(["bash", SCRIPT, *map(str, words)], env=environment, capture_output=True, text=True)


def contents(root: Path) -> dict[str, bytes]:
    found = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.endswith("lock")}


def test_a_run_comes_back_as_it_was_less_its_locks(there, tmp_path):
    parcels, here = tmp_path / "parcels", tmp_path / "here"
    packed = call(there, "pack", parcels, "trial")
    assert packed.returncode == 0 and "run trial: " in packed.stdout and "left out" not in packed.stdout, packed.stderr
    assert max(path.stat().st_size for path in parcels.iterdir()) <= 15 * 2**20
    unpacked = call(here, "unpack", parcels)
    assert unpacked.returncode == 0 and "run trial is in place" in unpacked.stdout, unpacked.stderr
    assert contents(here) == contents(there)
    assert not list((here / "runs/trial").rglob("lock"))


def test_a_large_run_is_cut_into_pieces_and_a_second_parcel_replaces_the_first(there, tmp_path):
    parcels = tmp_path / "parcels"
    (there / "runs/trial/judges/c3d-1/large").write_bytes(os.urandom(17 * 2**20))
    assert call(there, "pack", parcels, "trial").returncode == 0
    assert sorted(path.name for path in parcels.iterdir()) == [
        "trial.parcel-00",
        "trial.parcel-01",
        "trial.parcel.sha256",
    ]
    assert call(tmp_path / "here", "unpack", parcels).returncode == 0
    assert contents(tmp_path / "here") == contents(there)
    (there / "runs/trial/judges/c3d-1/large").unlink()
    assert call(there, "pack", parcels, "trial").returncode == 0
    assert sorted(path.name for path in parcels.iterdir()) == ["trial.parcel-00", "trial.parcel.sha256"]


def test_under_a_limit_results_go_first_and_what_stays_is_said(there, tmp_path):
    (there / "runs/trial/checkpoints/hrvgan-a/step-00000002.pt").write_bytes(os.urandom(3 * 2**20))
    parcels, here = tmp_path / "parcels", tmp_path / "here"
    packed = call(there, "pack", parcels, "trial", 2)
    assert packed.returncode == 0 and "left out, to be made again where it is needed: 4 MB" in packed.stdout
    assert call(here, "unpack", parcels).returncode == 0
    there_names, here_names = set(contents(there)), set(contents(here))
    assert there_names - here_names == {"runs/trial/checkpoints/hrvgan-a/step-00000002.pt"}


@pytest.mark.parametrize(
    "fault, words",
    [
        ("missing", "missing or damaged"),
        ("damaged", "missing or damaged"),
        ("no sums", "holds no parcel"),
        ("in the making", "is being made here"),
    ],
)
def test_a_parcel_that_is_not_whole_changes_nothing(there, tmp_path, fault, words):
    parcels, here = tmp_path / "parcels", tmp_path / "here"
    call(there, "pack", parcels, "trial")
    piece = parcels / "trial.parcel-00"
    if fault == "missing":
        piece.unlink()
    elif fault == "damaged":
        piece.write_bytes(piece.read_bytes()[:-1] + b"?")
    elif fault == "no sums":
        (parcels / "trial.parcel.sha256").unlink()
    (here / "runs/trial").mkdir(parents=True)
    with FileLock(here / "runs/trial/.lock") if fault == "in the making" else open(os.devnull):
        refused = call(here, "unpack", parcels)
    assert refused.returncode == 2 and words in refused.stderr and contents(here) == {}


def test_what_is_newer_here_stays(there, tmp_path):
    parcels, here = tmp_path / "parcels", tmp_path / "here"
    old = time.time() - 100
    for path in there.rglob("*"):
        os.utime(path, (old, old))
    call(there, "pack", parcels, "trial")
    table = here / "figures/trial/table3.csv"
    table.parent.mkdir(parents=True)
    table.write_text("system,ours\nhrvgan,9.9\n")  # made since
    assert call(here, "unpack", parcels).returncode == 0
    assert table.read_text().endswith("9.9\n") and (here / "runs/trial/10_tables.ipynb").is_file()


def test_wrong_calls_are_answered_in_one_line(there, tmp_path):
    for words, said in (
        (("pack", tmp_path / "p", "none"), "there is no run none"),
        (("carry", tmp_path / "p"), "choose packages, pack or unpack"),
        (("pack",), "usage"),
    ):
        refused = call(there, *words)
        assert refused.returncode == 2 and said in refused.stderr and refused.stderr.count("\n") == 1


@pytest.mark.parametrize("run", ["gpu", "gpu-weizmann"])
def test_what_is_recorded_came_from_a_gpu_and_is_as_its_sidecars_say(run):
    figures = repo_root() / "figures" / run
    if not figures.is_dir():
        pytest.skip(f"no recorded run figures/{run}/")
    devices: Counter = Counter()
    for sidecar in sorted(figures.glob("*.json")):
        record = json.loads(sidecar.read_text(encoding="utf-8"))
        if isinstance(record, dict) and "files" in record:
            devices[record["device"]] += 1
            for name, digest in record["files"].items():
                assert sha256_file(figures / name) == digest, f"{name} is not what {sidecar.name} describes"
    assert devices and not any("cores" in device for device in devices), devices
    assert {row["status"] for row in json.loads((figures / "status.json").read_text())} <= {"ok", "cached"}
    if run == "gpu":
        first = (repo_root() / "README.md").read_text().split("![", 1)[1].split("](", 1)[1]
        assert first.startswith("figures/gpu/"), "the README's first picture is from the recorded run"


def test_equal_objects_give_equal_json():
    assert (
        to_json({"b": (1, 2), "a": None})
        == to_json({"a": None, "b": [1, 2]})
        == '{\n "a": null,\n "b": [\n  1,\n  2\n ]\n}\n'
    )
