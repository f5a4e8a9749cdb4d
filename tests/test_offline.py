"""A run goes to another machine and comes back whole, or not at all; and recorded runs are what they say."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import time
from collections import Counter
from pathlib import Path

import booking
import pytest
from filelock import FileLock

from hrvgan_lib.files import sha256_file, to_json
from hrvgan_lib.provenance import repo_root

REPOSITORY = Path(__file__).resolve().parents[1]
SCRIPT = REPOSITORY / "tools/booking.py"


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
        "runs/trial/checkpoints/hrvgan-a/records.jsonl": 300,
        "runs/trial/checkpoints/hrvgan-a/asked.json": 100,
        "runs/trial/checkpoints/hrvgan-a/lock": 0,
        "runs/trial/evaluations/features/real-1/00000.npz": 900_000,
        "runs/trial/judges/c3d.lock": 0,
        "runs/trial/.lock": 0,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(os.urandom(size))
    (root / "figures/trial/table3.csv").write_text("system,ours\nhrvgan,4.1\n")
    return root


def environment_of(root: Path) -> dict[str, str]:
    """This process's, without what the Makefile would read from it, or from the make that runs the tests."""
    (root.parent / "tmp").mkdir(exist_ok=True)
    path = f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"
    read = {*re.findall(r"^(\w+) \?=", (REPOSITORY / "Makefile").read_text(), re.M), "MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    kept = {name: value for name, value in os.environ.items() if name not in read}
    return kept | {"HRVGAN_ROOT": str(root), "PYTHONPATH": str(REPOSITORY), "PATH": path,
                   "TMPDIR": str(root.parent / "tmp")}  # fmt: skip


def call(root: Path, verb: str, *options: object) -> subprocess.CompletedProcess:
    root.mkdir(exist_ok=True)
    words = [sys.executable, SCRIPT, verb, *map(str, options)]
    return subprocess.run(words, env=environment_of(root), capture_output=True, text=True, timeout=60)


def pack(root: Path, parcels: Path, run: str = "trial", limit: object = 60) -> subprocess.CompletedProcess:
    return call(root, "pack", "--parcels", parcels, "--run", run, "--limit", limit)


def unpack(root: Path, parcels: Path) -> subprocess.CompletedProcess:
    return call(root, "unpack", "--parcels", parcels)


def contents(root: Path) -> dict[str, bytes]:
    found = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.endswith("lock")}


def test_a_run_comes_back_as_it_was_less_its_locks(there, tmp_path):
    parcels, here = tmp_path / "parcels", tmp_path / "here"
    packed = pack(there, parcels)
    assert packed.returncode == 0 and "run trial: " in packed.stdout and "left out" not in packed.stdout, packed.stderr
    assert max(path.stat().st_size for path in parcels.iterdir()) <= 15 * 2**20
    unpacked = unpack(here, parcels)
    assert unpacked.returncode == 0 and "run trial is in place" in unpacked.stdout, unpacked.stderr
    assert contents(here) == contents(there)
    assert not list((here / "runs/trial").rglob("lock"))


def test_a_large_run_is_cut_into_pieces_and_a_second_parcel_replaces_the_first(there, tmp_path):
    parcels = tmp_path / "parcels"
    (there / "runs/trial/judges/c3d-1/large").write_bytes(os.urandom(17 * 2**20))
    assert pack(there, parcels).returncode == 0
    assert sorted(path.name for path in parcels.iterdir()) == [
        "trial.parcel-00",
        "trial.parcel-01",
        "trial.parcel.sha256",
    ]
    assert unpack(tmp_path / "here", parcels).returncode == 0
    assert contents(tmp_path / "here") == contents(there)
    (there / "runs/trial/judges/c3d-1/large").unlink()
    assert pack(there, parcels).returncode == 0
    assert sorted(path.name for path in parcels.iterdir()) == ["trial.parcel-00", "trial.parcel.sha256"]


def test_under_a_limit_results_go_first_and_what_stays_is_said(there, tmp_path):
    (there / "runs/trial/checkpoints/hrvgan-a/step-00000002.pt").write_bytes(os.urandom(3 * 2**20))
    parcels, here = tmp_path / "parcels", tmp_path / "here"
    packed = pack(there, parcels, limit=2)
    assert packed.returncode == 0 and "left out, to be made again where it is needed: 4 MB" in packed.stdout
    assert unpack(here, parcels).returncode == 0
    there_names, here_names = set(contents(there)), set(contents(here))
    assert there_names - here_names == {"runs/trial/checkpoints/hrvgan-a/step-00000002.pt"}


@pytest.mark.parametrize(
    "fault, words",
    [
        ("missing", "missing or not what"),
        ("damaged", "missing or not what"),
        ("truncated", "missing or not what"),
        ("wrong sum", "missing or not what"),
        ("sums of one piece only", "cut short"),
        ("no sums", "holds no parcel"),
        ("in the making", "is being made here"),
    ],
)
def test_a_parcel_that_is_not_whole_changes_nothing(there, tmp_path, fault, words):
    parcels, here = tmp_path / "parcels", tmp_path / "here"
    if fault == "sums of one piece only":
        (there / "runs/trial/judges/c3d-1/large").write_bytes(os.urandom(16 * 2**20))
    pack(there, parcels)
    piece, sums = parcels / "trial.parcel-00", parcels / "trial.parcel.sha256"
    if fault == "missing":
        piece.unlink()
    elif fault == "damaged":
        piece.write_bytes(piece.read_bytes()[:-1] + b"?")
    elif fault == "truncated":
        os.truncate(piece, piece.stat().st_size - 1)
    elif fault == "wrong sum":
        sums.write_text("0" * 64 + sums.read_text()[64:])
    elif fault == "sums of one piece only":
        sums.write_text(sums.read_text().splitlines()[0] + "\n")
    elif fault == "no sums":
        sums.unlink()
    (here / "runs/trial").mkdir(parents=True)
    with FileLock(here / "runs/trial/.lock") if fault == "in the making" else open(os.devnull, encoding="utf-8"):
        refused = unpack(here, parcels)
    assert refused.returncode == 2 and words in refused.stderr and contents(here) == {}
    assert refused.stderr.count("\n") == 1


def test_what_is_newer_here_stays(there, tmp_path):
    parcels, here = tmp_path / "parcels", tmp_path / "here"
    old = time.time() - 100
    for path in there.rglob("*"):
        os.utime(path, (old, old))
    pack(there, parcels)
    table = here / "figures/trial/table3.csv"
    table.parent.mkdir(parents=True)
    table.write_text("system,ours\nhrvgan,9.9\n")  # made since
    assert unpack(here, parcels).returncode == 0
    assert table.read_text().endswith("9.9\n") and (here / "runs/trial/10_tables.ipynb").is_file()


def test_pieces_are_filled_in_order_by_what_they_really_take(there, tmp_path, monkeypatch):
    """Results and records, generators, the main judge, seeds and scores, other judges, trainings from the earliest."""
    runs, figures = there / "runs/trial", there / "figures/trial"
    (figures / "long.csv").write_text("hrvgan,4.1\n" * 300_000)  # 3 MB, next to nothing once compressed
    (figures / "g.safetensors").write_bytes(os.urandom(400_000))
    (runs / "booking.log").write_text("[ 1/12]\n")
    (runs / "partial").mkdir()
    (runs / "partial/11_ablations.ipynb").write_text("what there is of a chapter that failed")
    (runs / "checkpoints/later").mkdir()
    (runs / "checkpoints/later/step.pt").write_bytes(os.urandom(100_000))
    (runs / "checkpoints/hrvgan-a/step-00000002.pt").write_bytes(os.urandom(150_000))
    os.utime(runs / "checkpoints/hrvgan-a", (1, 1))
    (runs / "evaluations/features/real-1/00000.npz").write_bytes(os.urandom(90_000))
    (runs / "judges/c3d-0").mkdir()
    (runs / "judges/c3d-0/judge.safetensors").write_bytes(os.urandom(200_000))  # of shorter clips
    files = set(contents(there))
    results = {name for name in files if Path(name).suffix in {".csv", ".json", ".jsonl", ".log", ".ipynb"}}
    order = [
        "figures/trial/g.safetensors",
        "runs/trial/judges/c3d-1/judge.safetensors",
        "runs/trial/judges/c3d-0/judge.safetensors",
        "runs/trial/checkpoints/hrvgan-a/step-00000002.pt",
        "runs/trial/checkpoints/later/step.pt",
        "runs/trial/evaluations/features/real-1/00000.npz",
    ]
    sizes = [(there / name).stat().st_size for name in order]
    for count in range(len(order) + 1):
        parcels, here = tmp_path / f"parcels{count}", tmp_path / f"here{count}"
        limit = (30_000 + sum(sizes[:count])) / 2**20
        monkeypatch.setenv("HRVGAN_ROOT", str(there))
        assert booking.main(["pack", "--run", "trial", "--parcels", str(parcels), "--limit", f"{limit:.4f}"]) == 0
        assert sum(path.stat().st_size for path in parcels.glob("*.parcel-*")) <= limit * 2**20
        here.mkdir()
        monkeypatch.setenv("HRVGAN_ROOT", str(here))
        assert booking.main(["unpack", "--parcels", str(parcels)]) == 0
        assert set(contents(here)) == results | set(order[:count]), count


def test_the_judge_of_the_actions_comes_before_all_that_it_can_make_again(there):
    names = ["judges/c3d-1/judge.safetensors", "evaluations/hrvgan-1.json", "judges/c3d-0/judge.safetensors"]
    (there / "runs/trial/judges/c3d-0").mkdir()
    (there / "runs/trial" / names[2]).write_bytes(os.urandom(200_000))
    order = [path.relative_to(there / "runs/trial").as_posix() for files in booking.parts(there, "trial")
             for path in files if path.is_relative_to(there / "runs")]  # fmt: skip
    assert sorted(names, key=order.index) == names


def test_there_are_never_more_than_four_pieces(there, tmp_path):
    parcels = tmp_path / "parcels"
    (there / "figures/trial/g.safetensors").write_bytes(os.urandom(50 * 2**20))
    (there / "runs/trial/checkpoints/hrvgan-a/step-00000002.pt").write_bytes(os.urandom(12 * 2**20))
    packed = pack(there, parcels)
    assert packed.returncode == 0 and "left out" in packed.stdout
    pieces = sorted(parcels.glob("trial.parcel-*"))
    assert len(pieces) == 4 and max(path.stat().st_size for path in pieces) < 16_000_000


def test_a_pack_that_fails_leaves_the_old_pieces(there, tmp_path, monkeypatch, capsys):
    parcels = tmp_path / "parcels"
    pack(there, parcels)
    before = contents(parcels)
    (there / "figures/trial/table3.csv").write_text("system,ours\nhrvgan,5.2\n")
    added = booking.add

    def full(stream, files, root):
        if files[0].suffix == ".safetensors":
            raise OSError(28, "No space left on device")
        added(stream, files, root)

    monkeypatch.setattr(booking, "add", full)
    monkeypatch.setenv("HRVGAN_ROOT", str(there))
    assert booking.main(["pack", "--run", "trial", "--parcels", str(parcels)]) == 2
    assert "No space left" in capsys.readouterr().err and contents(parcels) == before


def test_files_that_vanish_or_shrink_while_they_are_packed_are_left_to_the_next_parcel(there, tmp_path, monkeypatch):
    parcels, here = tmp_path / "parcels", tmp_path / "here"
    judge, table = there / "runs/trial/judges/c3d-1/judge.safetensors", there / "figures/trial/table3.csv"
    added = booking.add

    def hurried(stream, files, root):
        if table in files:
            table.unlink()
        if judge in files:  # shorter than its size says
            real = os.fstat
            monkeypatch.setattr(os, "fstat", lambda handle: Longer(real(handle)))
            try:
                return added(stream, files, root)
            finally:
                monkeypatch.setattr(os, "fstat", real)
        return added(stream, files, root)

    class Longer:
        def __init__(self, about):
            self.st_size, self.st_mtime, self.st_mode = about.st_size + 10, about.st_mtime, about.st_mode

    monkeypatch.setattr(booking, "add", hurried)
    monkeypatch.setenv("HRVGAN_ROOT", str(there))
    names = set(contents(there))
    assert booking.main(["pack", "--run", "trial", "--parcels", str(parcels)]) == 0
    assert unpack(here, parcels).returncode == 0
    assert names - set(contents(here)) == {path.relative_to(there).as_posix() for path in (judge, table)}


@pytest.mark.parametrize(
    "verb, options, said",
    [
        ("pack", ["--run", "none"], "there is no run none"),
        ("carry", [], "invalid choice: 'carry'"),
        ("booking", ["--wait", "soon"], "WAIT=soon"),
        ("booking", ["--minutes", "nan"], "MINUTES=nan"),
        ("booking", ["--minutes=-3"], "MINUTES=-3"),
        ("booking", ["--jobs", "1.5"], "JOBS=1.5"),
        ("booking", ["--limit", "0"], "LIMIT=0"),
        ("booking", ["--limit", "61"], "LIMIT=61"),
        ("booking", ["--run", "../gpu"], "run name"),
        ("booking", ["--profile", "huge"], "unknown profile"),
        ("booking", ["--parcels", "bin/make"], "is no folder"),
        ("booking", ["SPEED=9", "fast"], "'fast' is no NAME=value"),
    ],
)
def test_wrong_calls_are_answered_in_one_line_and_start_nothing(machine, verb, options, said):
    before = contents(machine)
    refused = call(machine, verb, *options)
    assert refused.returncode == 2 and said in refused.stderr and refused.stderr.count("\n") == 1, refused.stderr
    assert contents(machine) == before and not (machine / "runs").exists()


@pytest.mark.parametrize("tool", [path.name for path in sorted((REPOSITORY / "tools").glob("*.py"))
                                  if '\nif __name__ == "__main__"' in path.read_text(encoding="utf-8")])  # fmt: skip
def test_a_tool_works_as_it_is_typed_where_the_library_is_not_installed(tool):
    """Without `site` nothing that is installed for editing is found: only whole packages, which are named."""
    environment = os.environ | {"PYTHONPATH": sysconfig.get_path("purelib"), "HRVGAN_ROOT": ""}
    words = [sys.executable, "-S", f"tools/{tool}", "--help"]
    typed = subprocess.run(words, env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert typed.returncode == (2 if tool == "fuzz.py" else 0), typed.stderr  # which knows numbers only
    assert (typed.stdout + typed.stderr).count("Traceback") == 0 and typed.stderr.count("\n") <= 1


# --- a booked machine -------------------------------------------------------------------------------------------------

MAKES = """
mkdir -p figures/trial
echo start >> starts
i=0; until [ -e go ] || [ $((i += 1)) -gt 1000 ]; do echo "line $i"; echo $i > figures/trial/table.csv; sleep 0.05; done
echo '[]' > figures/trial/status.json
"""
QUICK = """
mkdir -p figures/trial
echo start >> starts
echo "$@"
env | grep -e ^MAKE -e ^PYTHONPATH
echo '[]' > figures/trial/status.json
"""


@pytest.fixture
def machine(tmp_path):
    """A repository whose `make` runs series.sh, with nothing to import but stand-ins."""
    root = tmp_path / "machine"
    for name, text in {
        "bin/make": "#!/bin/sh\n. ./series.sh\n",
        "series.sh": QUICK,
        "tools/first_check.py": "import sys\nprint('looked at', sys.argv[1:])\n",
        "hrvgan_lib/__init__.py": "",
        "hrvgan_lib/provenance.py": "def lacking(): return []\ndef versions(): return {'torch': '9.9'}\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "bin/make").chmod(0o755)
    for path in root.rglob("*"):
        os.utime(path, (1, 1))
    return root


def book(root: Path, *options: object, wait: object = 20) -> subprocess.CompletedProcess:
    return call(root, "booking", "--run", "trial", "--wait", wait, *options)


def starts(root: Path) -> int:
    return (root / "starts").read_text().count("start") if (root / "starts").exists() else 0


def test_the_series_outlives_the_command_and_the_next_one_attaches(machine, tmp_path):
    (machine / "series.sh").write_text(MAKES)
    first = book(machine, "--every", 0.3, wait=2.5)
    assert first.returncode == 3 and "still runs" in first.stdout, first
    assert re.search(r"0:0\d  line ", first.stdout), "a line of progress"
    daemon = int((machine / "runs/trial/booking.pid").read_text())
    assert os.getsid(daemon) == daemon != os.getsid(0)
    assert unpack(tmp_path / "here", machine / "parcels").returncode == 0
    assert (tmp_path / "here/figures/trial/table.csv").read_text().strip().isdigit(), "packed while it ran"
    words = [sys.executable, SCRIPT, "booking", "--run", "trial"]
    with subprocess.Popen(words, env=environment_of(machine), stdout=subprocess.PIPE, text=True) as second:
        said = [next(line for line in second.stdout if "attached" in line)]
        (machine / "go").touch()
        said += second.stdout
    assert second.returncode == 0 and "pieces" in said[-1], said
    third = book(machine)
    assert third.returncode == 0 and "finished already" in third.stdout and "pieces" in third.stdout
    assert starts(machine) == 1
    with tarfile.open(machine / "parcels/trial.parcel-00") as packed:
        assert "figures/trial/status.json" in packed.getnames()


def test_a_finished_series_is_made_again_for_other_settings_or_newer_code_or_lost_results(machine):
    assert book(machine).returncode == 0 and book(machine).returncode == 0 and starts(machine) == 1
    assert book(machine, "--minutes", 8).returncode == 0 and starts(machine) == 2
    (machine / "hrvgan_lib/__init__.py").write_text("new = 1\n")
    assert book(machine, "--minutes", 8).returncode == 0 and starts(machine) == 3
    (machine / "figures/trial/status.json").unlink()
    assert book(machine, "--minutes", 8).returncode == 0 and starts(machine) == 4


def test_a_process_number_that_is_left_over_stops_nothing(machine):
    (machine / "runs/trial").mkdir(parents=True)
    (machine / "runs/trial/booking.pid").write_text(f"{os.getpid()}\n")  # in use again, by somebody else
    done = book(machine)
    assert done.returncode == 0 and f"process {os.getpid()} is gone" in done.stdout and starts(machine) == 1


def test_a_series_that_is_killed_is_told_and_resumed(machine):
    (machine / "series.sh").write_text(MAKES)
    assert book(machine, wait=2).returncode == 3
    os.killpg(int((machine / "runs/trial/booking.pid").read_text()), 9)
    (machine / "go").touch()
    again = book(machine)
    assert again.returncode == 0 and "is gone): it is resumed" in again.stdout and starts(machine) == 2


def test_a_series_that_fails_shows_its_log_and_is_packed_and_resumed(machine):
    (machine / "series.sh").write_text('i=0; while [ $((i += 1)) -le 30 ]; do echo "line $i."; done; exit 4\n')
    failed = book(machine)
    assert failed.returncode == 1 and "line 16." in failed.stdout and "line 15." not in failed.stdout
    assert "failed (status 4)" in failed.stdout.splitlines()[-1]
    with tarfile.open(machine / "parcels/trial.parcel-00") as packed:
        assert b"line 1.\n" in packed.extractfile("runs/trial/booking.log").read()
    (machine / "series.sh").write_text(QUICK)
    resumed = book(machine)
    assert resumed.returncode == 0 and "ended (status 4)" in resumed.stdout


@pytest.mark.parametrize(
    "script, verdict",
    [
        ("print('all well')", "passed"),
        ("import sys; print('all well'); sys.exit(7)", "failed with status 7"),
        ("import time; print('all well', flush=True); time.sleep(30)", "not ended after 2 s"),
    ],
)
def test_whatever_the_first_check_says_the_series_starts(machine, script, verdict):
    (machine / "tools/first_check.py").write_text(script)
    done = book(machine, "--check-seconds", 2)
    assert done.returncode == 0 and f"first check: {verdict}" in done.stdout and starts(machine) == 1, done
    assert (machine / "runs/trial/first_check.log").read_text() == "all well\n"


def test_packages_are_unpacked_once_and_found(machine, tmp_path):
    (machine / "hrvgan_lib/provenance.py").write_text("import extra\nlacking = list\nversions = dict\n")
    refused = book(machine)
    assert refused.returncode == 2 and "No module named 'extra'" in refused.stderr and starts(machine) == 0
    archive = machine / "parcels/packages.tar.xz"
    archive.parent.mkdir(exist_ok=True)
    archive.write_bytes(b"no archive")
    refused = book(machine)
    assert refused.returncode == 2 and "copy it here again" in refused.stderr and starts(machine) == 0
    assert refused.stderr.count("\n") == 1 and not list((tmp_path / "tmp").iterdir())
    (tmp_path / "extra.py").write_text("")
    with tarfile.open(archive, "w:xz") as packed:
        packed.add(tmp_path / "extra.py", "packages/extra.py")
    done = book(machine)
    (place,) = (tmp_path / "tmp").glob("hrvgan-packages-*")
    assert done.returncode == 0 and f"PYTHONPATH={place}" in (machine / "runs/trial/booking.log").read_text()
    (place / "mark").touch()
    assert book(machine).returncode == 0 and (place / "mark").exists()
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == [place.name]


def test_a_lacking_module_is_named_and_what_is_there_is_packed(machine):
    (machine / "runs/trial").mkdir(parents=True)
    (machine / "runs/trial/status.json").write_text("[]")
    (machine / "hrvgan_lib/provenance.py").write_text("def lacking(): return ['av', 'papermill']\nversions = dict\n")
    refused = book(machine)
    assert refused.returncode == 2 and "lacks av, papermill: " in refused.stderr and refused.stderr.count("\n") == 1
    assert starts(machine) == 0 and (machine / "parcels/trial.parcel-00").is_file()


def test_make_hands_on_what_is_set_and_only_that(machine):
    make = [shutil.which("make"), "-C", str(REPOSITORY), "--no-print-directory", "booking", f"PYTHON={sys.executable}"]
    chosen = ["RUN=trial", "MINUTES=8", "JOBS=2", "SEED=3", "WAIT=20", "LIMIT=1", f"PARCELS={machine / 'out'}"]
    done = subprocess.run(make + chosen, env=environment_of(machine), capture_output=True, text=True)
    assert done.returncode == 0, done
    log = (machine / "runs/trial/booking.log").read_text()
    command, given = log.splitlines()[:2]
    assert set(given.split()) == {"reproduce", "PROFILE=gpu", "RUN=trial", "MINUTES=8", "JOBS=2", "SEED=3",
                                  f"PYTHON={sys.executable}"}, command  # fmt: skip
    assert "\nMAKE" not in log and (machine / "out/trial.parcel-00").is_file()
    done = subprocess.run([*make, "REHEARSE=1"], env=environment_of(machine), capture_output=True, text=True)
    given = (machine / "runs/gpu-rehearsal/booking.log").read_text().splitlines()[1]
    assert "RUN=gpu-rehearsal MINUTES=15 REHEARSE=1" in given and "JOBS" not in given


def test_packages_are_written_whole_or_not_at_all(machine, tmp_path, monkeypatch):
    uv = tmp_path / "uv"
    log = tmp_path / "asked"
    script = 'while [ "$1" != --target ]; do shift; done; mkdir -p "$2"; echo "$4" > "$2/wheel"'
    uv.write_text(f'#!/bin/sh\necho "$@" >> {log}\n{script}\n')
    uv.chmod(0o755)
    monkeypatch.setenv("UV", str(uv))
    made = call(machine, "packages", "--python-version", "3.12")
    whole, bare = log.read_text().splitlines()
    assert (
        "papermill" in whole and "torch" not in whole
    )  # torch is there already, and so large that nothing may bring it
    assert bare.endswith("--no-deps torchmetrics lightning-utilities") and "--no-deps" not in whole
    assert made.returncode == 0 and "MB for Python 3.12" in made.stdout and made.stderr == "", made
    with tarfile.open(machine / "parcels/packages.tar.xz") as packed:
        assert packed.extractfile("packages/wheel").read() == b"3.12\n"
    before = contents(machine)
    uv.write_text("#!/bin/sh\nexit 1\n")
    refused = call(machine, "packages")
    assert refused.returncode == 2 and "nothing is written" in refused.stderr and contents(machine) == before


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
    ended = {row["name"]: row["status"] for row in json.loads((figures / "status.json").read_text())}
    assert {*ended.values()} <= {"ok", "cached", "not_reached"}  # a booking may end before its run does
    if run == "gpu":
        assert ended["06_training_loop"] == "ok", "what is recorded has a system that was trained"
        first = (repo_root() / "docs/runs.md").read_text().split("![", 1)[1].split("](", 1)[1]
        assert first.startswith("../figures/gpu/"), "the first picture of docs/runs.md is from the recorded run"


def test_equal_objects_give_equal_json():
    assert (
        to_json({"b": (1, 2), "a": None})
        == to_json({"a": None, "b": [1, 2]})
        == '{\n "a": null,\n "b": [\n  1,\n  2\n ]\n}\n'
    )
