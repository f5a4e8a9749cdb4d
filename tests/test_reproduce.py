"""The driver: honest about every way to fail, resumes, repeats nothing, refuses what no chapter knows."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from hrvgan_lib import reproduce

HEADER = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A chapter

# %% tags=["parameters"]
profile = "smoke"
seed = 0
data_root = ""
actions = "ucf101"
run = ""
rehearse = False
allow_partial = False

"""

# Writes what a chapter's page writes, without the time that the real imports take.
FIRST = """# %%
import hashlib, json, os, pathlib
root = pathlib.Path(os.environ["HRVGAN_ROOT"])
figure = root / "figures" / run / "answer.csv"
figure.parent.mkdir(parents=True, exist_ok=True)
figure.write_text(f"seed\\n{seed}\\n")
usage = {"files": {figure.name: hashlib.sha256(figure.read_bytes()).hexdigest()}, "peak_rss_mb": 1.0}
(root / "runs" / run / "00_first.usage.json").write_text(json.dumps(usage))

# %%
print("answer", 6 * 7)
"""

SECOND = """# %%
import os, pathlib, sys, time
todo = (pathlib.Path(os.environ["HRVGAN_ROOT"]) / "todo").read_text()

# %%
# does what the test asks for
exec(todo)

# %%
print("the end")
"""

LAST = """# %%
print("last")
"""


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A repository with three small chapters; the second runs what the file `todo` says."""
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "todo").write_text("pass")
    for name, body in {"00_first": FIRST, "06_second": SECOND, "08_last": LAST}.items():
        (notebooks / f"{name}.py").write_text(HEADER + body)
    monkeypatch.setenv("HRVGAN_ROOT", str(tmp_path))
    return tmp_path


def statuses(book: Path, run: str = "smoke") -> dict[str, str]:
    rows = json.loads((book / "runs" / run / "status.json").read_text())
    for row in rows:
        assert {"name", "status", "seconds", "peak_rss_mb", "peak_cuda_mb"} <= set(row)
    return {row["name"]: row["status"] for row in rows}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("todo", "status", "message"),
    [
        ("raise ValueError('first line')", "failed", "ValueError: first line"),
        ("os.kill(os.getpid(), 9)", "killed", "the kernel died"),
        ("sys.exit(0)", "failed", "ended itself"),
        ("time.sleep(300)", "timed_out", "was given 6 s"),
    ],
)
def test_a_failing_chapter_is_told_and_resumed(book, capsys, todo, status, message):
    (book / "todo").write_text(todo)
    seconds = ["--seconds", "6"] if status == "timed_out" else []
    assert reproduce.main(["--profile", "smoke", *seconds]) == 1
    assert statuses(book) == {"00_first": "ok", "06_second": status, "08_last": "not_reached"}
    told = capsys.readouterr().err
    assert f"06_second {status}, code cell 4 (exec(todo)): " in told and message in told
    assert "resume with: make reproduce PROFILE=smoke" in told
    assert not (book / "runs/smoke/06_second.ipynb").exists()
    assert (book / "runs/smoke/partial/06_second.ipynb").exists()
    if status == "killed":
        (book / "todo").write_text("pass")
        assert reproduce.main(["--profile", "smoke"]) == 0
        assert statuses(book) == {"00_first": "cached", "06_second": "ok", "08_last": "ok"}


def test_the_long_form_of_a_chapter_serves_whoever_asks_for_the_usual_one(book):
    first = book / "notebooks/00_first.py"
    edit(first, "allow_partial = False\n", "allow_partial = False\nlong = False\n")
    assert reproduce.main(["--profile", "smoke", "--chapters", "00", "long=true"]) == 0
    assert reproduce.main(["--profile", "smoke"]) == 0
    assert statuses(book) == {"00_first": "cached", "06_second": "ok", "08_last": "ok"}
    edit(first, "6 * 7", "7 * 6")  # it is no longer current, and the usual form is what was asked for
    assert reproduce.main(["--profile", "smoke"]) == 0
    assert statuses(book)["00_first"] == "ok"
    injected = nbformat.read(book / "runs/smoke/00_first.ipynb", 4).cells[2].source
    assert "long" not in injected


def test_the_line_that_resumes_the_ablations_is_their_own_command():
    resumed = reproduce.parse(["--profile", "cpu", "--chapters", "11", "--seconds", "9", "long=true"]).command
    assert resumed == "make ablations PROFILE=cpu"


def test_nothing_is_done_twice(book):
    run = ["--profile", "smoke", "--seed", "5"]
    first, last = book / "notebooks/00_first.py", book / "notebooks/08_last.py"
    assert reproduce.main(run) == 0
    assert set(statuses(book).values()) == {"ok"}
    executed = nbformat.read(book / "runs/smoke/00_first.ipynb", 4)
    assert "seed = 5" in executed.cells[2].source and "injected-parameters" in executed.cells[2].metadata.tags

    edit(first, "# # A chapter", "# # A better title")  # prose retrains nothing, yet it shows
    assert reproduce.main(run) == 0
    assert set(statuses(book).values()) == {"cached"}
    merged = nbformat.read(book / "runs/smoke/00_first.ipynb", 4)
    assert merged.cells[0].source == "# A better title"
    assert [cell.get("outputs") for cell in merged.cells] == [cell.get("outputs") for cell in executed.cells]
    assert "seed = 5" in merged.cells[2].source
    assert reproduce.main(run) == 0 and set(statuses(book).values()) == {"cached"}

    (book / "figures/smoke/answer.csv").write_text("seed\n6\n")  # a result that is not what the chapter left
    edit(last, '"last"', '"least"')
    assert reproduce.main(run) == 0
    assert statuses(book) == {"00_first": "ok", "06_second": "cached", "08_last": "ok"}
    assert (book / "figures/smoke/answer.csv").read_text() == "seed\n5\n"


def test_keys_follow_what_a_chapter_depends_on(book):
    settings = reproduce.parse(["--profile", "smoke"])
    chapter = book / "notebooks/08_last.py"
    keys = [reproduce.chapter_key(chapter, settings)]
    (book / "runs/smoke").mkdir(parents=True)
    upstream = nbformat.v4.new_notebook(metadata={"hrvgan": {"key": "1", "files": {}}})
    nbformat.write(upstream, book / "runs/smoke/06_second.ipynb")
    keys.append(reproduce.chapter_key(chapter, settings))  # 08 reads 06, which is there now
    (book / "data/golf").mkdir(parents=True)
    (book / "data/golf/golf.txt").write_text("a\n")
    keys.append(reproduce.chapter_key(chapter, settings))  # data arrived
    keys.append(reproduce.chapter_key(chapter, reproduce.parse(["--profile", "smoke", "--seed", "1"])))
    (book / "hrvgan_lib").mkdir()
    (book / "hrvgan_lib/book.py").write_text("one = 1")
    keys.append(reproduce.chapter_key(chapter, settings))  # the library
    assert len(set(keys)) == len(keys)
    edit(chapter, "# # A chapter", "# # The same code")
    assert reproduce.chapter_key(chapter, settings) == keys[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--profile", "tiny"], "unknown profile 'tiny': choose one of smoke, cpu, gpu, paper"),
        (["--actions", "kinetics"], "unknown action data set 'kinetics'"),
        (["--data-root", "nowhere"], "DATA_ROOT=nowhere holds none of ucf101/"),
        (["--run", "../up"], "run name '../up'"),
        (["--chapters", "17"], "no chapter '17'"),
        (["colour=3"], "unknown parameter 'colour'"),
        (["colour"], "write name=value"),
    ],
)
def test_what_no_chapter_knows_is_refused_in_one_line(book, capsys, arguments, message):
    assert reproduce.main(["--profile", "smoke", *arguments]) == 2
    told = capsys.readouterr().err
    assert message in told and told.count("\n") == 1
    assert not (book / "runs/smoke/status.json").exists()


def test_the_resume_command_repeats_what_was_asked_for(book):
    (book / "data/golf").mkdir(parents=True)
    asked = ["--profile", "gpu", "--rehearse", "--seed", "2", "--chapters", "06", "--data-root", str(book / "data")]
    settings = reproduce.parse(asked)
    assert settings.run == "gpu-rehearsal"
    wanted = f"make reproduce PROFILE=gpu REHEARSE=1 DATA_ROOT={book / 'data'} CHAPTERS=06 SEED=2"
    assert settings.command == wanted


def test_an_interrupted_run_says_so_and_leaves_no_kernel(book):
    (book / "todo").write_text("print(os.getpid(), file=open('pid', 'w')); time.sleep(300)")
    command = [sys.executable, "-m", "hrvgan_lib.reproduce", "--profile", "smoke", "--chapters", "06"]
    environment = os.environ | {"PYTHONPATH": str(Path(reproduce.__file__).parents[1])}
    driver = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid_file = book / "notebooks/pid"
    deadline = time.monotonic() + 240
    while not (pid_file.exists() and pid_file.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.1)
    driver.send_signal(signal.SIGINT)
    _, told = driver.communicate(timeout=120)
    assert driver.returncode == 130 and "interrupted" in told and "Traceback" not in told
    assert statuses(book)["06_second"] == "failed"
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_two_drivers_do_not_share_a_run(book, capsys):
    folder = book / "runs/smoke"
    folder.mkdir(parents=True)
    with reproduce.FileLock(folder / ".lock"):
        assert reproduce.main(["--profile", "smoke"]) == 2
    assert "is being made by another process" in capsys.readouterr().err
