"""The driver: honest about every way to fail, resumes, repeats nothing, refuses what no chapter knows.

With JOBS=1 chapters run in this process, one after the other; with more each in a process of its own.
"""

import argparse
import dataclasses
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from hrvgan_lib import files, provenance
from hrvgan_lib.book import learning, progress
from hrvgan_lib.book.page import Page
from hrvgan_lib.profiles import PROFILES
from hrvgan_lib.series import bench as series_bench
from hrvgan_lib.series import chapters, jobs, reproduce, timing, words
from hrvgan_lib.series.chapters import Outcome, read_chapter
from hrvgan_lib.trainings import trainings

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

# Reads what the others have measured, as chapter 12 does.
READER = """# %%
import json, os, pathlib
runs = pathlib.Path(os.environ["HRVGAN_ROOT"]) / "runs" / run
page = type("Page", (), {"measurements": lambda page: sorted(path.name for path in runs.glob("*.usage.json"))})()
print(page.measurements())
"""
SMOKE = ["--profile", "smoke", "--jobs", "1"]


@pytest.fixture(scope="module", autouse=True)
def quick_server():
    """What these chapters' processes are copied from has no need of torch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "PRELOAD", ["hrvgan_lib.series.kernel", "papermill", "jupytext"])
        patch.setenv("OMP_NUM_THREADS", "1")  # the driver's own setting does not outlive these tests
        patch.setenv("OMP_WAIT_POLICY", "passive")
        yield


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
    handler = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, handler)


def statuses(book: Path, run: str = "smoke") -> dict[str, str]:
    rows = json.loads((book / "runs" / run / "status.json").read_text())
    for row in rows:
        assert {"name", "status", "seconds", "peak_rss_mb", "peak_cuda_mb"} <= set(row)
    return {row["name"]: row["status"] for row in rows}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


class Bench:
    """Takes the kernel's place: runs the cells in this process, and notes what it was asked for."""

    def __init__(self) -> None:
        self.calls: list[SimpleNamespace] = []
        self.seconds, self.peak, self.log = 1.5, 100.0, True

    @property
    def ran(self) -> list[str]:
        return [call.path.stem for call in self.calls]

    def __call__(self, path, output, parameters, *, seconds, environment, on_cell):
        self.calls.append(SimpleNamespace(path=path, parameters=parameters, seconds=seconds, environment=environment))
        output.parent.mkdir(parents=True, exist_ok=True)
        notebook = read_chapter(path)
        place = next(number for number, cell in enumerate(notebook.cells) if cell.metadata.get("tags")) + 1
        given = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
        notebook.cells.insert(place, nbformat.v4.new_code_cell(given, metadata={"tags": ["injected-parameters"]}))
        cells, scope, told = [cell for cell in notebook.cells if cell.cell_type == "code"], {}, ""
        for number, cell in enumerate(cells, 1):
            on_cell(number, len(cells))
            with redirect_stdout(io.StringIO()) as said:
                try:
                    exec(cell.source, scope)
                except Exception as error:
                    told = f"{type(error).__name__}: {error}"
            cell.execution_count = number
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=said.getvalue())]
            if told:
                break
        nbformat.write(notebook, output)
        if self.log:
            output.with_suffix(".log").write_text("a kernel's own words")
        where = {"cell": number, "line": cell.source.splitlines()[-1], "error": told} if told else {}
        return Outcome("failed" if told else "ok", self.seconds, self.peak, **where)


@pytest.fixture
def bench(book, monkeypatch):
    bench = Bench()
    monkeypatch.setattr(reproduce, "execute", bench)
    return bench


class Terminal(io.StringIO):
    """Standard output that knows how much of it has been passed on."""

    def __init__(self, tty: bool) -> None:
        super().__init__()
        self.tty, self.passed_on = tty, ""

    def isatty(self) -> bool:
        return self.tty

    def flush(self) -> None:
        self.passed_on = self.getvalue()


def settings(*arguments: str) -> reproduce.Settings:
    return reproduce.parse(["--profile", "smoke", *arguments])


def record_of(book: Path, name: str, run: str = "smoke") -> dict:
    return nbformat.read(book / "runs" / run / f"{name}.ipynb", 4).metadata.get("hrvgan", {})


def test_a_finished_chapter_says_how_it_came_about(book, bench):
    entry = reproduce.run_chapter(book / "notebooks/00_first.py", settings("--seed", "5"))
    assert vars(entry) == {"name": "00_first", "status": "ok", "seconds": 1.5, "peak_rss_mb": 100.0,
                           "peak_cuda_mb": 0.0, "error": ""}  # fmt: skip
    record = record_of(book, "00_first")
    digest = files.sha256_file(book / "figures/smoke/answer.csv")
    assert record | {"files": {"answer.csv": digest}, "seconds": 1.5, "peak_rss_mb": 100.0,
                     "peak_cuda_mb": 0.0} == record  # fmt: skip
    assert re.fullmatch(r"[0-9a-f]{12}", record["key"])
    (call,) = bench.calls
    assert call.path == book / "notebooks/00_first.py" and call.environment == {"HRVGAN_ROOT": str(book)}
    assert call.seconds == 960 and call.parameters["seed"] == 5
    assert sorted(path.name for path in (book / "runs/smoke").iterdir()) == [
        "00_first.ipynb",
        "00_first.usage.json",
        "partial",
    ]
    assert not list((book / "runs/smoke/partial").iterdir())  # neither the notebook nor the kernel's words


@pytest.mark.parametrize(
    "name, usage, peaks",
    [
        ("00_first", {"peak_rss_mb": 120.5, "peak_cuda_mb": 7.0}, (120.5, 7.0)),
        ("00_first", {"peak_rss_mb": 0.2}, (0.4, 0.0)),
        ("00_first", {}, (0.4, 0.0)),
        ("08_last", None, (0.4, 0.0)),
    ],
)
def test_the_larger_of_both_peaks_counts_and_none_is_made_up(book, bench, name, usage, peaks):
    bench.peak, bench.log = 0.4, False
    if usage is not None:
        edit(book / "notebooks/00_first.py", '"peak_rss_mb": 1.0}', f"}} | {usage}")
    entry = reproduce.run_chapter(book / "notebooks" / f"{name}.py", settings())
    assert (entry.status, entry.peak_rss_mb, entry.peak_cuda_mb) == ("ok", *peaks)
    again = reproduce.run_chapter(book / "notebooks" / f"{name}.py", settings())
    assert vars(again) == vars(entry) | {"status": "cached"}
    assert bench.ran == [name]


def test_whoever_looks_reads_which_cell_a_chapter_is_at(book, bench, monkeypatch):
    (book / "todo").write_text(
        "global found; found = [path.read_text() for path in pathlib.Path(os.environ['HRVGAN_ROOT']).rglob('*.cell')]\n"
        "(pathlib.Path(os.environ['HRVGAN_ROOT']) / 'found').write_text(repr(found))"
    )
    reproduce.run_chapter(book / "notebooks/06_second.py", settings())
    assert (book / "found").read_text() == "['cell 4 of 5']" and not list(book.rglob("*.cell"))
    (book / "todo").write_text("raise ValueError")
    assert reproduce.run_chapter(book / "notebooks/06_second.py", settings("--seed", "2")).status == "failed"
    assert not list(book.rglob("*.cell"))  # or a status line would speak of a chapter that has ended


def test_a_chapter_that_fails_leaves_nothing_that_looks_finished(book, bench):
    chapter, folder = book / "notebooks/00_first.py", book / "runs/smoke"
    assert reproduce.run_chapter(chapter, settings()).status == "ok"
    edit(chapter, "import hashlib", "raise KeyError('gone')\nimport hashlib")
    entry = reproduce.run_chapter(chapter, settings())
    assert (entry.status, entry.error) == ("failed", 'code cell 3 ((root / "runs" / run / "00_first.usage.json")'
                                           ".write_text(json.dumps(usage))): KeyError: 'gone'")  # fmt: skip
    assert (entry.seconds, entry.peak_rss_mb, entry.peak_cuda_mb) == (1.5, 100.0, 0.0)
    assert [path.name for path in folder.iterdir()] == ["partial"]
    assert sorted(path.name for path in (folder / "partial").iterdir()) == ["00_first.ipynb", "00_first.log"]
    assert not nbformat.read(folder / "partial/00_first.ipynb", 4).metadata.get("hrvgan")


@pytest.mark.parametrize(
    "spoil, again",
    [
        (lambda figures: None, False),
        (lambda figures: (figures / "answer.csv").write_text("another"), True),
        (lambda figures: (figures / "answer.csv").unlink(), True),
        (lambda figures: (figures / "answer.json").write_text("another time"), False),  # a sidecar's times may differ
        (lambda figures: (figures / "answer.json").unlink(), True),
    ],
)
def test_a_chapter_runs_again_where_a_file_is_not_as_it_left_it(book, bench, spoil, again):
    chapter = book / "notebooks/00_first.py"
    edit(chapter, "usage = {", 'figure.with_suffix(".json").write_text("{}")\nusage = {')
    edit(chapter, ".hexdigest()}", '.hexdigest(), "answer.json": ""}')
    assert reproduce.run_chapter(chapter, settings()).status == "ok"
    spoil(book / "figures/smoke")
    assert reproduce.run_chapter(chapter, settings()).status == ("ok" if again else "cached")
    assert len(bench.calls) == 1 + again


def test_prose_retrains_nothing_yet_it_shows(book, bench):
    first, finished = book / "notebooks/00_first.py", book / "runs/smoke/00_first.ipynb"
    reproduce.run_chapter(first, settings("--seed", "5"))
    executed, before = nbformat.read(finished, 4), finished.stat().st_mtime_ns
    assert reproduce.run_chapter(first, settings("--seed", "5")).status == "cached"
    assert finished.stat().st_mtime_ns == before  # nothing to write
    edit(first, "# # A chapter", "# # A better title")
    assert reproduce.run_chapter(first, settings("--seed", "5")).status == "cached"
    merged = nbformat.read(finished, 4)
    assert merged.cells[0].source == "# A better title" and merged.metadata == executed.metadata
    assert [cell.get("outputs") for cell in merged.cells] == [cell.get("outputs") for cell in executed.cells]
    assert "seed = 5" in merged.cells[2].source and merged.cells[2].metadata.tags == ["injected-parameters"]
    assert reproduce.run_chapter(first, settings("--seed", "5")).status == "cached" and bench.ran == ["00_first"]


def test_only_what_changed_is_done_again(book, bench):
    run = [*SMOKE, "--seed", "5"]
    assert reproduce.main(run) == 0 and set(statuses(book).values()) == {"ok"}
    assert reproduce.main(run) == 0 and set(statuses(book).values()) == {"cached"}
    (book / "figures/smoke/answer.csv").write_text("seed\n6\n")  # a result that is not what the chapter left
    edit(book / "notebooks/08_last.py", '"last"', '"least"')
    bench.calls.clear()
    assert reproduce.main(run) == 0
    assert statuses(book) == {"00_first": "ok", "06_second": "cached", "08_last": "ok"}
    assert bench.ran == ["00_first", "08_last"]
    assert (book / "figures/smoke/answer.csv").read_text() == "seed\n5\n"


def test_a_failure_stops_no_other_chapter_and_a_run_resumes_there(book, bench, capsys):
    (book / "notebooks/12_reader.py").write_text(HEADER + READER)
    (book / "todo").write_text("raise ValueError('ö, on\\ntwo lines')")
    assert reproduce.main([*SMOKE, "--seed", "2"]) == 1
    assert bench.ran == ["00_first", "06_second", "08_last", "12_reader"]
    assert statuses(book) == {"00_first": "ok", "06_second": "failed", "08_last": "ok", "12_reader": "ok"}
    told = capsys.readouterr()
    assert told.err == (
        "06_second failed, code cell 4 (exec(todo)): ValueError: ö, on\ntwo lines\n"
        "what there is of it: runs/smoke/partial/06_second.ipynb; "
        "resume with: make reproduce PROFILE=smoke SEED=2 JOBS=1\n"
    )
    assert "[ 2/4] 06_second              failed " in told.out and "tables and figures" not in told.out
    measured = "(pathlib.Path(os.environ['HRVGAN_ROOT']) / 'runs' / run / '06_second.usage.json').write_text('{}')"
    (book / "todo").write_text(measured)
    assert reproduce.main([*SMOKE, "--seed", "2"]) == 0
    assert statuses(book) == {"00_first": "cached", "06_second": "ok", "08_last": "cached", "12_reader": "ok"}
    told = capsys.readouterr()
    assert told.err == "" and told.out.endswith(CLOSING)


def test_what_does_not_run_is_no_reader_of_a_failure(book, bench):
    (book / "notebooks/12_reader.py").write_text(HEADER + READER)
    (book / "todo").write_text("raise ValueError")
    assert reproduce.main([*SMOKE, "--chapters", "00,08,12"]) == 0
    assert statuses(book) == {"00_first": "ok", "06_second": "not_reached", "08_last": "ok", "12_reader": "ok"}


def test_the_status_file_says_it_in_both_folders(book):
    entries = [reproduce.Entry("00_first", "ok", 1.5, 100.0, 7.5), reproduce.Entry("06_second", error="ö"),
               reproduce.Entry("08_last")]  # fmt: skip
    reproduce.write_status(entries, settings("--run", "mine"))
    usual = {"status": "not_reached", "seconds": 0.0, "peak_rss_mb": 0.0, "peak_cuda_mb": 0.0}
    rows = [{"name": "00_first", "status": "ok", "seconds": 1.5, "peak_rss_mb": 100.0, "peak_cuda_mb": 7.5},
            {"name": "06_second", **usual, "error": "ö"}, {"name": "08_last", **usual}]  # fmt: skip
    texts = {(book / folder / "mine/status.json").read_text(encoding="utf-8") for folder in ("runs", "figures")}
    (text,) = texts
    assert json.loads(text) == rows
    assert text.startswith('[\n {\n  "name": "00_first",\n  "status": "ok",\n') and '"ö"' in text
    assert text.endswith(" }\n]\n")


def test_an_entry_is_short_in_print():
    entry = reproduce.Entry("00_first", error="a long story")
    assert "00_first" in repr(entry) and "story" not in repr(entry)
    assert reproduce.Entry("00_first").error == ""


def test_a_finished_notebook_is_read_whatever_the_machine_s_encoding_is(tmp_path, monkeypatch):
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"metadata": {"hrvgan": {"key": "ö"}}}, ensure_ascii=False), encoding="utf-8")
    read_text = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda path, encoding="ascii", errors=None: read_text(path, encoding))
    assert reproduce.finished_record(path) == {"key": "ö"}


@pytest.mark.parametrize("text", [None, "", "{", "{}", '{"metadata": {}}'])
def test_a_notebook_that_nobody_finished_has_no_record(tmp_path, text):
    if text is not None:
        (tmp_path / "a.ipynb").write_text(text)
    assert reproduce.finished_record(tmp_path / "a.ipynb") == {}


@pytest.mark.parametrize(
    "seconds, words",
    [
        (0, "0:00"),
        (59.4, "0:59"),
        (59.6, "1:00"),
        (61, "1:01"),
        (3599, "59:59"),
        (3600, "1:00:00"),
        (3661.2, "1:01:01"),
        (600_000, "166:40:00"),
    ],
)
def test_a_clock_shows_hours_where_there_are_some(seconds, words):
    assert reproduce.clock(seconds) == words


@pytest.mark.parametrize(
    "minutes, seconds, budget",
    [(5, 0, 1200), (1, 0, 900), (3.75, 0, 900), (4, 0, 960), (10_000, 0, 2_400_000), (5, 7, 7), (10_000, 0.5, 0.5)],
)
def test_a_chapter_gets_four_times_the_whole_series_and_at_least_a_quarter_of_an_hour(minutes, seconds, budget):
    profile = dataclasses.replace(PROFILES["smoke"], minutes=minutes)
    asked = {"seconds": seconds} if seconds else {}
    given = reproduce.Settings(Path("/book"), profile, None, "mine", {}, "make", **asked)
    assert given.budget == budget and given.folder == Path("/book/runs/mine") and given.selection == ""
    with pytest.raises(dataclasses.FrozenInstanceError):
        given.run = "other"


@pytest.fixture
def slow_clock(bench, monkeypatch):
    """Time that passes only in chapters: each takes 12.34 s."""
    now = SimpleNamespace(seconds=1000.0)
    for module in (reproduce, jobs):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now.seconds, time=time.time))

    def execute(*arguments, **options):
        now.seconds += 12.34
        return bench(*arguments, **options)

    monkeypatch.setattr(reproduce, "execute", execute)
    return now


FIRST_WORDS = "smoke: looking at what there is to do\n"
HEADING = "smoke: 3 chapters, about 6 minutes on 2 CPU cores (PROFILE=smoke takes about 4 minutes)\n"
LINES = ["[ 1/3] 00_first               ok            1.5 s    100 MB   0:12 of about 6 minutes\n",
         "[ 2/3] 06_second              ok            1.5 s    100 MB   0:25 of about 6 minutes\n",
         "[ 3/3] 08_last                ok            1.5 s    100 MB   0:37 of about 6 minutes\n"]  # fmt: skip
CLOSING = "tables and figures: figures/smoke/   chapters: runs/smoke/\n"


def test_a_pipe_gets_one_line_a_chapter(slow_clock, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal(False))
    assert reproduce.main(SMOKE) == 0
    assert sys.stdout.getvalue() == FIRST_WORDS + HEADING + "".join(LINES) + CLOSING


def test_the_first_words_come_before_anything_slow_is_imported(tmp_path):
    """In a process of its own, which stops where it would look at the chapters."""
    code = """
import sys
from hrvgan_lib.series import reproduce
def stop(*_):
    raise ValueError(f"imported: {sorted({'torch', 'papermill', 'jupytext', 'nbformat', 'IPython'} & {*sys.modules})}")
reproduce.set_threads = stop
sys.exit(reproduce.main(sys.argv[1:]))
"""
    environment = os.environ | {"HRVGAN_ROOT": str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", code, *SMOKE], env=environment, capture_output=True, text=True)
    assert (told.returncode, told.stdout, told.stderr) == (2, FIRST_WORDS, "imported: []\n")


def drawn(text: str) -> list[list[str]]:
    """The blocks of lines that a terminal was shown at its end, in order, as long as each differs from the last."""
    blocks = [block for block in re.split(r"\r(?:\x1b\[\d+A)?", text)[1:] if "\x1b[K" in block]
    return [re.findall(r"(?:^|\n)([^\n]*?)\x1b\[K", block) for block in blocks]


@pytest.mark.parametrize("count", ["1", "2"])
def test_on_a_terminal_the_clock_ticks_within_a_cell(book, monkeypatch, count):
    (book / "todo").write_text("time.sleep(4)")
    monkeypatch.setattr(sys, "stdout", Terminal(True))
    monkeypatch.setattr(reproduce, "preparations", lambda *_: [])  # the chapters alone
    monkeypatch.setenv("COLUMNS", "100")
    assert reproduce.main([*SMOKE[:-1], count, "--chapters", "06"]) == 0
    told = sys.stdout.getvalue()
    within = [lines for lines in drawn(told) if len(lines) == 2 and lines[1].endswith(", cell 4 of 5")]
    clocks = [re.fullmatch(r"  06_second (\d+:\d\d), cell 4 of 5", lines[1])[1] for lines in within]
    assert len({*clocks}) >= 3 and sorted(clocks) == clocks  # every second another one
    assert all(re.fullmatch(r"\d+:\d\d of (under a minute|about \d+ minutes?)", lines[0]) for lines in within)
    assert re.search(r"\r\x1b\[1A\x1b\[J\[ 1/1\] 06_second +ok ", told)  # what stands is what stayed
    assert told.startswith(FIRST_WORDS) and told.endswith(CLOSING)


def test_a_line_says_how_far_a_training_is_that_a_chapter_or_a_job_carries_out(book):
    asked, place = settings(), book / "runs/smoke/checkpoints/vgan-golf-8x32-0"
    place.mkdir(parents=True)
    note = {"chapter": "06_second", "training": "vgan, golf", "system": "vgan", "steps": 40, "seed": 0, "code": "0"}
    (place / "asked.json").write_text(json.dumps(note))
    record = {"discriminator": {"real": 0.25, "fake": 0.5}, "generator": {"adversarial": 1.5}, "clips_seen": 8}
    lines = [json.dumps(record | {"step": step, "seconds": 2.0 * step}) + "\n" for step in range(1, 11)]
    (place / "records.jsonl").write_text("".join(lines))
    words = "step 10 of 40, D 0.75, G 1.5, 1:00 left"
    assert reproduce.how_far("vgan, golf", 60, asked) == f", {words}"
    reproduce.cell_of("06_second", asked).parent.mkdir()
    reproduce.cell_of("06_second", asked).write_text("cell 4 of 5")
    assert reproduce.how_far("06_second", 60, asked) == f", cell 4 of 5, {words}"
    assert reproduce.how_far("00_first", 60, asked) == ""
    os.utime(place / "records.jsonl", (1e9, 1e9))  # of an earlier run
    assert reproduce.how_far("vgan, golf", 60, asked) == ""


@pytest.mark.parametrize("tty", [False, True])
def test_what_is_told_is_passed_on_at_once(bench, monkeypatch, tty):
    stdout, waiting = Terminal(tty), []
    monkeypatch.setattr(sys, "stdout", stdout)

    def execute(*arguments, on_cell, **options):
        def watched(cell, cells):
            waiting.append(stdout.getvalue().removeprefix(stdout.passed_on))
            on_cell(cell, cells)
            waiting.append(stdout.getvalue().removeprefix(stdout.passed_on))

        return bench(*arguments, on_cell=watched, **options)

    monkeypatch.setattr(reproduce, "execute", execute)
    assert reproduce.main([*SMOKE, "--chapters", "00,08"]) == 0
    assert waiting and not any(waiting) and stdout.passed_on == stdout.getvalue()


def test_the_status_is_written_before_and_after_each_chapter(book, bench, monkeypatch):
    found = []

    def execute(path, *arguments, **options):
        found.append(statuses(book))
        return bench(path, *arguments, **options)

    monkeypatch.setattr(reproduce, "execute", execute)
    (book / "todo").write_text("raise ValueError")
    assert reproduce.main(SMOKE) == 1
    blank = dict.fromkeys(("00_first", "06_second", "08_last"), "not_reached")
    after = blank | {"00_first": "ok"}
    assert found == [blank, after, after | {"06_second": "failed"}]
    assert statuses(book) == found[-1] | {"08_last": "ok"}


def test_a_chapter_that_measures_recorded_systems_runs_again_when_they_change(book):
    chapter = book / "notebooks/00_first.py"
    chapter.write_text(HEADER + "# %%\nfrom hrvgan_lib.book import learning\n\nlearning.judge(page)\n")
    kept = book / "figures/overnight/trainings/hrvgan-a.safetensors"
    kept.parent.mkdir(parents=True)
    keys = {}
    for weights in (b"1", b"2"):
        kept.write_bytes(weights)
        keys[weights] = [reproduce.chapter_key(chapter, reproduce.parse(["--profile", name]))
                         for name in ("smoke", "cpu")]  # fmt: skip
    assert keys[b"1"][0] != keys[b"2"][0]
    assert keys[b"1"][1] == keys[b"2"][1]  # at cpu everything is the reader's own


def test_an_end_from_outside_is_told_like_a_ctrl_c(book, slow_clock, monkeypatch, capsys):
    def execute(*arguments, **options):
        slow_clock.seconds += 12.34
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(reproduce, "execute", execute)
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        assert reproduce.main([*SMOKE, "--chapters", "06"]) == 130
    finally:
        signal.signal(signal.SIGTERM, before)
    told = capsys.readouterr()
    assert "06_second failed, interrupted\n" in told.err and "resume with: make reproduce PROFILE=smoke" in told.err
    row = json.loads((book / "runs/smoke/status.json").read_text())[1]
    assert (row["status"], row["seconds"], row["error"]) == ("failed", 12.3, "interrupted")


@pytest.mark.parametrize(
    "devices, torch_says, profile",
    [
        ([], "True", "cpu"),
        (["nvidiactl"], "True", "cpu"),  # no driver, or no card: torch is not asked
        (["nvidia0"], "True", "gpu"),
        (["nvidia0", "nvidia1"], "True", "gpu"),
        (["dxg"], "True", "gpu"),
        (["nvidia0", "dxg"], "True", "gpu"),
        (["nvidia0"], "False", "cpu"),
        (["dxg"], "", "cpu"),
    ],
)
def test_the_profile_follows_the_machine(tmp_path, monkeypatch, devices, torch_says, profile):
    for name in devices:
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / "dev" / name).touch()
    python = tmp_path / "python"  # answers in place of the interpreter
    python.write_text('#!/bin/sh\ncase "$1 $2" in "-c "*"torch.cuda.is_available()"*) echo ' + torch_says + ";; esac\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(reproduce, "Path", lambda text: Path(f"{tmp_path}{text}"))
    assert reproduce.default_profile() == profile


def test_a_profile_that_is_not_named_is_the_machine_s(book, monkeypatch):
    monkeypatch.setattr(reproduce, "default_profile", lambda: "gpu")
    asked = reproduce.parse([])
    assert (asked.profile, asked.run, asked.command) == (PROFILES["gpu"], "gpu", "make reproduce PROFILE=gpu")
    assert settings().profile == PROFILES["smoke"]


def test_what_is_not_asked_for_has_the_defaults_of_a_chapter(book):
    assert settings() == reproduce.Settings(
        root=book, profile=PROFILES["smoke"], data_root=None, run="smoke", command="make reproduce PROFILE=smoke",
        parameters={"profile": "smoke", "seed": 0, "data_root": "", "actions": "ucf101", "run": "smoke",
                    "rehearse": False, "allow_partial": False}, selection="", seconds=0,
        jobs=reproduce.default_jobs(PROFILES["smoke"]), minutes=0)  # fmt: skip


def test_what_is_asked_for_reaches_the_chapters(book, monkeypatch):
    (book / "data/golf").mkdir(parents=True)  # one of the four is enough
    asked = reproduce.parse([
        "--profile", "gpu", "--rehearse", "--allow-partial", "--actions", "weizmann", "--seed", "2", "--chapters",
        "06,08", "--data-root", str(book / "data"), "--run", "mine", "--seconds", "2.5", "--jobs", "03", "--minutes",
        "7.5", "colour=blue", "k=3", "b=a=b",
    ])  # fmt: skip
    assert asked.parameters == {
        "profile": "gpu",
        "seed": 2,
        "data_root": str(book / "data"),
        "actions": "weizmann",
        "run": "mine",
        "rehearse": True,
        "allow_partial": True,
        "colour": "blue",
        "k": "3",  # a number once the chapters have said that theirs is one
        "b": "a=b",
    }
    assert asked.profile.rehearse and asked.profile.frames == PROFILES["gpu"].frames
    assert (asked.selection, asked.seconds, asked.budget) == ("06,08", 2.5, 2.5)
    assert (asked.jobs, asked.minutes) == (3, 7.5)
    assert asked.data_root == book / "data" and asked.run == "mine" and asked.root == book
    monkeypatch.chdir(book)
    monkeypatch.setenv("HOME", str(book))
    for spelling in ("data", "~/data", "notebooks/../data"):
        assert settings("--data-root", spelling).data_root == book / "data"


@pytest.mark.parametrize(
    "profile, machine, cores, found",
    [("smoke", "cpu", 1, 1), ("smoke", "cpu", 2, 2), ("smoke", "cpu", 64, 2), ("gpu", "cpu", 7, 1),
     ("gpu", "cpu", 8, 2), ("gpu", "cpu", 2, 1), ("gpu", "gpu", 2, 4), ("smoke", "gpu", 1, 4)],
)  # fmt: skip
def test_as_many_jobs_as_the_machine_has_room_for(monkeypatch, profile, machine, cores, found):
    monkeypatch.setattr(reproduce, "default_profile", lambda: machine)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {*range(cores)}, raising=False)
    assert reproduce.default_jobs(PROFILES[profile]) == found
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert reproduce.default_jobs(PROFILES[profile]) == found


@pytest.mark.parametrize("text, default, value", [
    ("3", 0, 3), ("-3", 0, -3), ("0.5", 1.0, 0.5), ("2", 1.0, 2.0), ("blue", "red", "blue"), ("3", "", "3"),
    ("", "x", ""),
    ("true", False, True), ("False", True, False), ("NO", True, False), ("yes", False, True), ("1", False, True),
    ("0", True, False),
])  # fmt: skip
def test_a_parameter_is_of_its_default_s_kind(text, default, value):
    found = words.like("k", text, default)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("text, default, kind", [("1.7", 0, "a whole number"), ("x", 0, "a whole number"),
                                                 ("two", 1.0, "a number"), ("maybe", False, "yes or no")])  # fmt: skip
def test_a_parameter_of_another_kind_is_refused(text, default, kind):
    with pytest.raises(ValueError) as error:
        words.like("k", text, default)
    assert str(error.value) == f"k={text}: the parameter k is {kind}, like {default!r}"


@pytest.mark.parametrize("word, said", [*((word, "1") for word in ("1", "true", "YES", "y", "On")),
                                        *((word, "") for word in ("0", "False", "no", "N", "off", " ")),
                                        *((word, "neither") for word in ("maybe", "2", "-"))])  # fmt: skip
def test_the_makefile_s_words_for_yes_and_no(word, said, capsys):
    assert words.main(["REHEARSE", word]) == 0 and capsys.readouterr().out.strip() == said
    if said == "neither":
        with pytest.raises(ValueError) as error:
            words.yes("REHEARSE", word)
        assert str(error.value) == f"REHEARSE={word} says neither yes nor no: write REHEARSE=1 or REHEARSE=0"


@pytest.mark.parametrize("given, flag", [("ALLOW_PARTIAL=false", False), ("ALLOW_PARTIAL=No", False),
                                         ("REHEARSE=no", False),
                                         ("ALLOW_PARTIAL=TRUE", True), ("REHEARSE=yes", True)])  # fmt: skip
def test_make_reads_a_no_as_no(given, flag):
    told = subprocess.run(["make", "-n", "reproduce", f"PYTHON={sys.executable}", given], cwd=provenance.repo_root(),
                          capture_output=True, encoding="utf-8")  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert (("--allow-partial" in told.stdout) or ("--rehearse" in told.stdout)) == flag


def test_make_refuses_a_word_that_is_neither(tmp_path):
    told = subprocess.run(["make", "--no-print-directory", "reproduce", f"PYTHON={sys.executable}", "REHEARSE=perhaps"],
                          cwd=provenance.repo_root(), capture_output=True, encoding="utf-8")  # fmt: skip
    assert told.returncode == 2 and "REHEARSE=perhaps says neither yes nor no" in told.stderr and not told.stdout


def test_an_interpreter_whose_path_has_a_blank_is_used(tmp_path):
    place = tmp_path / "py env"
    place.mkdir()
    (place / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    (place / "python").chmod(0o755)
    told = subprocess.run(["make", "check-python", f"PYTHON={place / 'python'}"], cwd=provenance.repo_root(),
                          capture_output=True, encoding="utf-8")  # fmt: skip
    assert told.returncode == 0, told.stderr


def test_the_help_explains_every_option(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as end:
        reproduce.parse(["--help"])
    told = capsys.readouterr().out
    assert end.value.code == 0 and reproduce.__doc__ in told and told.startswith("usage: hrvgan_lib.series.reproduce ")
    options = dict(re.findall(r"^  (?:-h, )?(--[\w-]+|name=value)(?: [A-Z_]+)?(?: {2,}|\n {20,})(\S.*)$", told, re.M))
    assert set(options) == {
        "--help",
        "--profile",
        "--data-root",
        "--actions",
        "--run",
        "--chapters",
        "--rehearse",
        "--allow-partial",
        "--jobs",
        "--devices",
        "--minutes",
        "--seconds",
        "name=value",
    }  # a seed is a seed
    assert all(name in options["--profile"] for name in PROFILES)
    assert all(f"{name}/" in options["--data-root"] for name in provenance.DATA_SETS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--profile", "tiny"], "unknown profile 'tiny': choose one of smoke, cpu, overnight, gpu, paper"),
        (["--actions", "kinetics"], "unknown action data set 'kinetics'"),
        (["--data-root", "nowhere"], "DATA_ROOT=nowhere holds none of ucf101/"),
        (["--run", "../up"], "run name '../up'"),
        (["--chapters", "17"], "no chapter '17'"),
        (["colour=3"], "unknown parameter 'colour'"),
        (["colour"], "write name=value"),
        (["--seed", "x"], "SEED=x is no whole number"), (["--seed", "1.7"], "SEED=1.7 is no whole number"),
        (["run=other"], "run is a variable of its own: write RUN=... and not PARAMETERS=run=other"),
        (["profile=gpu"], "profile is a variable of its own"),
        (["--profile", "smoke*much"], "profile smoke*much: write a number behind the star"),
        *((["--jobs", text], f"JOBS={text} is no whole number above zero") for text in ("0", "-1", "two", "1.5", " 2")),
        *((["--minutes", text], f"MINUTES={text} is no number of minutes above zero")
          for text in ("0", "0.0", "soon", "-3", "inf", "nan", "1e3", "5\n")),
    ],
)  # fmt: skip
def test_what_no_chapter_knows_is_refused_in_one_line(book, capsys, monkeypatch, arguments, message):
    started = []
    monkeypatch.setattr(reproduce, "start_server", lambda: started.append(1))
    message = message.strip().split("\n")[0]
    assert reproduce.main([*SMOKE, *arguments]) == 2
    told = capsys.readouterr().err
    assert message in told and told.count("\n") == 1
    assert not (book / "runs/smoke/status.json").exists()
    if "smoke*much" in arguments or {"--jobs", "--minutes"} & {*arguments}:
        assert not started


@pytest.mark.parametrize("count", ["1", "2"])
def test_a_job_computes_with_the_profile_s_threads_whatever_jobs(book, monkeypatch, count):
    """Or sums would run in another order with JOBS=2 than with JOBS=1, and tables would differ in their last digits."""
    seen = []
    monkeypatch.setattr(reproduce, "start_server", lambda: None)
    monkeypatch.setattr(reproduce, "reproduce", lambda settings: seen.append(os.environ["OMP_NUM_THREADS"]) or 0)
    for profile in ("smoke", "gpu"):
        monkeypatch.setenv("OMP_NUM_THREADS", "7")
        assert reproduce.main(["--profile", profile, "--jobs", count]) == 0
    assert seen == [str(PROFILES[profile].threads) for profile in ("smoke", "gpu")] == ["1", "4"]


@pytest.mark.parametrize(
    "arguments, command",
    [
        ([], "make reproduce PROFILE=smoke"),
        (["--seed", "3"], "make reproduce PROFILE=smoke SEED=3"),
        (["--rehearse"], "make reproduce PROFILE=smoke REHEARSE=1"),
        (["--allow-partial"], "make reproduce PROFILE=smoke ALLOW_PARTIAL=1"),
        (["--run", "mine"], "make reproduce PROFILE=smoke RUN=mine"),
        (["--chapters", "06,08"], "make reproduce PROFILE=smoke CHAPTERS=06,08"),
        (["--actions", "weizmann"], "make reproduce PROFILE=smoke ACTIONS=weizmann"),
        (["k=3", "colour=blue"], "make reproduce PROFILE=smoke PARAMETERS='k=3 colour=blue'"),
        (["long=true", "k=3"], "make reproduce PROFILE=smoke PARAMETERS='long=true k=3'"),
        (["--seconds", "9.5"], "make reproduce PROFILE=smoke TIMEOUT=9.5"),
        (["--jobs", "3"], "make reproduce PROFILE=smoke JOBS=3"),
        (["--minutes", "7.5"], "make reproduce PROFILE=smoke MINUTES=7.5"),
        (["--jobs", "", "--minutes", ""], "make reproduce PROFILE=smoke"),  # as make hands on what is not set
    ],
)
def test_the_line_that_resumes_repeats_what_was_asked_for(book, arguments, command):
    assert settings(*arguments).command == command


def test_the_line_that_resumes_names_everything_at_once(book):
    (book / "data/golf").mkdir(parents=True)
    asked = reproduce.parse([
        "--profile", "gpu", "--rehearse", "--allow-partial", "--seed", "2", "--chapters", "06", "--run", "mine",
        "--data-root", str(book / "data"), "--actions", "weizmann", "--seconds", "60", "--minutes", "12", "--jobs", "2",
        "k=3"])  # fmt: skip
    assert asked.command == (f"make reproduce PROFILE=gpu REHEARSE=1 ALLOW_PARTIAL=1 DATA_ROOT={book / 'data'} "
                             "RUN=mine CHAPTERS=06 ACTIONS=weizmann SEED=2 PARAMETERS='k=3' TIMEOUT=60 "
                             "JOBS=2 MINUTES=12")  # fmt: skip
    assert reproduce.resume_command(argparse.Namespace(
        rehearse=False, allow_partial=False, data_root="", run="", chapters="", actions="ucf101", seed=0,
        seconds=0, parameters=[], jobs="", minutes="", devices=""), "cpu") == "make reproduce PROFILE=cpu"  # fmt: skip


def test_a_folder_outside_any_repository_is_refused_in_one_line(monkeypatch, capsys):
    def nowhere():
        raise FileNotFoundError("no pyproject.toml\n  above it")

    monkeypatch.setattr(provenance, "repo_root", nowhere)
    assert reproduce.main(SMOKE) == 2
    assert capsys.readouterr().err == "no pyproject.toml above it\n"


def test_what_a_killed_write_has_left_is_swept_up(book, bench):
    figures, runs = book / "figures/smoke", book / "runs/smoke/checkpoints/one"
    left, young, kept = figures / ".tmp.table.abc.csv", runs / ".tmp.step-00000050.xyz.pt", figures / "table.csv"
    for path in (left, young, kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    old = time.time() - 100
    for path in (left, kept):
        os.utime(path, (old, old))
    assert reproduce.main(SMOKE) == 0
    assert (left.exists(), young.exists(), kept.exists()) == (False, True, True)


def test_two_drivers_do_not_share_a_run(book, bench, capsys):
    folder = book / "runs/smoke"
    folder.mkdir(parents=True)
    lock, begun = reproduce.FileLock(folder / ".lock", thread_local=False), time.monotonic()
    with lock:
        end = threading.Timer(3.0, lock.release)  # a driver that waits would go on then
        end.start()
        assert reproduce.main(SMOKE) == 2
        assert time.monotonic() - begun < 1.0, "a driver has to say so at once"
        end.cancel()
    assert capsys.readouterr().err == "run 'smoke' is being made by another process: wait, or choose RUN=<name>\n"
    assert not bench.calls and not (folder / "status.json").exists()


@pytest.mark.parametrize(
    ("todo", "status", "message"),
    [
        ("raise ValueError('first line')", "failed", "ValueError: first line"),
        ("sys.exit(0)", "failed", "ended itself"),
        ("time.sleep(300)", "timed_out", "was given 4 s"),
    ],
)
def test_a_failing_chapter_is_told(book, capsys, todo, status, message):
    (book / "todo").write_text(todo)
    seconds = ["--seconds", "4"] if status == "timed_out" else []
    assert reproduce.main([*SMOKE, "--chapters", "06", *seconds]) == 1
    assert statuses(book) == {"00_first": "not_reached", "06_second": status, "08_last": "not_reached"}
    told = capsys.readouterr().err
    assert f"06_second {status}, code cell 4 (exec(todo)): " in told and message in told
    assert "resume with: make reproduce PROFILE=smoke" in told
    assert not (book / "runs/smoke/06_second.ipynb").exists()
    assert (book / "runs/smoke/partial/06_second.ipynb").exists()


def test_a_killed_chapter_is_told_and_resumed_with_what_was_done_before(book, capsys):
    (book / "todo").write_text("os.kill(os.getpid(), 9)")
    run = [*SMOKE, "--seed", "5", "--chapters", "00,06"]
    assert reproduce.main(run) == 1
    assert statuses(book) == {"00_first": "ok", "06_second": "killed", "08_last": "not_reached"}
    told = capsys.readouterr().err
    assert "06_second killed, code cell 4 (exec(todo)): the kernel died" in told
    assert "resume with: make reproduce PROFILE=smoke CHAPTERS=00,06 SEED=5 JOBS=1" in told
    assert (book / "runs/smoke/partial/06_second.ipynb").exists()
    executed = nbformat.read(book / "runs/smoke/00_first.ipynb", 4)
    assert "seed = 5" in executed.cells[2].source and "injected-parameters" in executed.cells[2].metadata.tags
    assert (book / "figures/smoke/answer.csv").read_text() == "seed\n5\n"

    (book / "todo").write_text("pass")
    edit(book / "notebooks/00_first.py", "# # A chapter", "# # A better title")  # prose retrains nothing, yet it shows
    assert reproduce.main(run) == 0
    assert statuses(book) == {"00_first": "cached", "06_second": "ok", "08_last": "not_reached"}
    merged = nbformat.read(book / "runs/smoke/00_first.ipynb", 4)
    assert merged.cells[0].source == "# A better title" and "seed = 5" in merged.cells[2].source
    assert [cell.get("outputs") for cell in merged.cells] == [cell.get("outputs") for cell in executed.cells]
    assert "answer 42\n" in [out.get("text") for cell in merged.cells for out in cell.get("outputs", [])]


@pytest.mark.parametrize(
    "asked, names, send",
    [
        (1, ["02_second"], os.kill),
        (2, ["02_second", "03_last"], os.killpg),  # as a terminal does: the jobs hear of it twice
    ],
)
def test_an_interrupted_run_says_so_and_leaves_no_kernel_and_no_job(pair, asked, names, send):
    todo = "print(os.getpid(), os.getppid(), file=open(f'pid{os.getpid()}', 'w')); time.sleep(300)"
    (pair / "todo").write_text(todo)
    (pair / "notebooks/03_last.py").write_text(HEADER + SECOND)
    command = [sys.executable, "-m", "hrvgan_lib.series.reproduce", *SMOKE[:-1], str(asked), "--chapters", "02,03"]
    (pair / "rfc3987_syntax.py").write_text("raise ImportError")  # of no use here, and 3 s to import
    paths = [str(pair), str(Path(reproduce.__file__).parents[2])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    streams = dict(stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    heeded = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a background job's children would ignore it
    driver = subprocess.Popen(command, env=environment, preexec_fn=heeded, **streams)
    deadline = time.monotonic() + 240

    def written():
        return [file.read_text().split() for file in (pair / "notebooks").glob("pid*")]

    while sum(map(len, written())) < 2 * len(names) and driver.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    send(driver.pid, signal.SIGINT)
    _, told = driver.communicate(timeout=120)
    assert driver.returncode == 130 and "Traceback" not in told
    found = statuses(pair)
    for name in names:
        assert f"{name} failed, interrupted" in told and found[name] == "failed"
    processes = {int(pid) for both in written() for pid in both} - {driver.pid}
    assert len(processes) == (1 if asked == 1 else 4)
    for pid in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.fixture
def pair(book):
    """The book with chapters that read no training: what is tested is how they run, not what they learn."""
    for old, new in (("06_second", "02_second"), ("08_last", "03_last")):
        (book / f"notebooks/{old}.py").rename(book / f"notebooks/{new}.py")
    return book


def test_side_by_side_gives_what_one_after_the_other_gives(pair, monkeypatch, capsys):
    (pair / "notebooks/03_last.py").unlink()  # three kernels will do
    (pair / "notebooks/12_reader.py").write_text(HEADER + READER)
    twin = pair.parent / "twin"
    shutil.copytree(pair, twin)
    made = {}
    for root, count in ((pair, "1"), (twin, "2")):
        monkeypatch.setenv("HRVGAN_ROOT", str(root))
        assert reproduce.main([*SMOKE[:-1], count, "--seed", "5"]) == 0
        assert statuses(root) == {"00_first": "ok", "02_second": "ok", "12_reader": "ok"}
        files = {path.relative_to(root): path.read_bytes() for path in root.glob("figures/**/*") if path.is_file()}
        files.pop(Path("figures/smoke/status.json"))  # how long it took
        books = {path.name: nbformat.read(path, 4) for path in root.glob("runs/smoke/*.ipynb")}
        records = {name: {key: book.metadata.hrvgan[key] for key in ("key", "files")} for name, book in books.items()}
        cells = {name: [(c.source, c.get("outputs")) for c in book.cells] for name, book in books.items()}
        kept = {path.name for path in root.glob("runs/smoke/**/*") if path.is_file()}
        made[count] = files, records, cells, kept
    assert made["1"] == made["2"] and len(made["2"][2]) == 3
    assert "['00_first.usage.json']" in str(made["2"][2]["12_reader.ipynb"])  # it ran behind the others
    capsys.readouterr()
    assert reproduce.main([*SMOKE[:-1], "2", "--seed", "5"]) == 0 and {*statuses(twin).values()} == {"cached"}
    told = capsys.readouterr()
    assert told.err == "" and told.out.count("cached") == 3 and told.out.endswith(CLOSING)


@pytest.mark.parametrize(
    "victim, message",
    [("os.getpid()", "code cell 4 (exec(todo)): the kernel died"), ("os.getppid()", "ended by signal 9")],
    ids=["kernel", "job"],
)
def test_a_killed_chapter_takes_no_other_along(pair, capsys, victim, message):
    (pair / "notebooks/12_reader.py").write_text(HEADER + READER)
    wait = "while not (root / '{}').exists(): time.sleep(0.05)\n"
    first = f"import time\n(root / 'begun').touch()\n{wait.format('killed')}time.sleep(1)\n"
    edit(pair / "notebooks/00_first.py", "figure = root", f"{first}figure = root")
    second = f"root = pathlib.Path(os.environ['HRVGAN_ROOT'])\n{wait.format('begun')}(root / 'killed').touch()\n"
    second += f"(root / 'pid').write_text(str(os.getpid()))\nos.kill({victim}, 9)\ntime.sleep(300)"
    (pair / "todo").write_text(second)
    assert reproduce.main([*SMOKE[:-1], "2"]) == 1
    found = {"00_first": "ok", "02_second": "killed", "03_last": "ok", "12_reader": "ok"}
    assert statuses(pair) == found
    told = capsys.readouterr().err
    assert "02_second killed, " in told and message in told and told.count("resume with") == 1
    assert not (pair / "runs/smoke/02_second.ipynb").exists() and (pair / "runs/smoke/00_first.ipynb").exists()
    kernel, deadline = Path("/proc") / (pair / "pid").read_text(), time.monotonic() + 60
    while kernel.exists() and time.monotonic() < deadline:  # one that lost its job notices within seconds
        time.sleep(0.1)
    assert not kernel.exists()


# What is done beside the chapters -------------------------------------------------------------------------------------
def planned(book, *arguments):
    asked = settings("--jobs", "2", *arguments)
    plan = reproduce.plan(chapters.find_chapters(book / "notebooks", asked.selection), asked)
    return {job.name: job for job in plan}, [job.name for job in plan]


def test_a_plan_holds_the_trainings_that_its_chapters_ask_for_and_no_others(book):
    found, order = planned(book)
    works = trainings(PROFILES["smoke"])
    asked = {work.name for work in works if {*work.readers} & {"06", "08"}}
    data = {f"clips of {name}, 32x32" for name in ("actions", "golf", "aeroplane")}
    assert {*order} == {"judge", "00_first", "06_second", "08_last"} | asked | data and 1 < len(asked) < len(works)
    for work in works:
        if work.name in asked:
            assert found[work.name].needs == {f"clips of {work.data}, 32x32"}
    assert found["judge"].needs == {"clips of actions, 32x32"}
    assert found["08_last"].needs == {"judge"} | {work.name for work in works if "08" in work.readers}
    assert found["06_second"].needs == {work.name for work in works if "06" in work.readers}
    assert found["00_first"].needs == frozenset()
    assert all(order.index(name) < order.index(job.name) for job in found.values() for name in job.needs)
    assert planned(book, "--chapters", "00")[1] == ["00_first"]


def test_every_reader_of_a_training_waits_for_it_and_a_reader_of_measurements_for_every_chapter(book):
    for name in ("07_a", "09_a", "10_b", "11_c"):
        (book / f"notebooks/{name}.py").write_text(HEADER + LAST)
    (book / "notebooks/12_reader.py").write_text(HEADER + READER)
    for profile, judges in (("smoke", {"judge"}), ("gpu", {"judge", "judge of short clips"})):
        found, order = planned(book, "--profile", profile)
        works = {work.name for work in trainings(PROFILES[profile])}
        data = {f"clips of {work.data}, {work.size}x{work.size}" for work in trainings(PROFILES[profile])}
        data |= {"clips of actions, 32x32"}  # of the judge of short clips
        stems = {path.stem for path in (book / "notebooks").glob("*.py")}
        assert {*order} == works | judges | stems | data and len(order) == len({*order})
        needs = {name: found[name].needs for name in stems}
        assert needs["12_reader"] == frozenset() and found["12_reader"].after == stems - {"12_reader"}
        assert needs["11_c"] - works == judges - ({"judge"} if len(judges) > 1 else set())
        assert needs["10_b"] - works == needs["09_a"] - works == {"judge"}
        assert set().union(*needs.values()) == works | judges


def test_nothing_is_trained_for_a_chapter_that_is_done(book, bench):
    assert reproduce.main(SMOKE) == 0
    assert planned(book)[1] == ["00_first", "06_second", "08_last"]
    edit(book / "notebooks/08_last.py", '"last"', '"least"')
    _, order = planned(book)
    again = {work.name for work in trainings(PROFILES["smoke"]) if "08" in work.readers} | {"judge"}
    assert {*order} == {"00_first", "06_second", "08_last", "clips of actions, 32x32"} | again


def test_the_long_form_of_the_ablations_trains_its_own_arms(book):
    (book / "notebooks/11_c.py").write_text(HEADER + "# %%\nlong = False\n")
    assert len(planned(book, "--chapters", "11")[1]) > 3
    assert {*planned(book, "--chapters", "11", "long=true")[1]} == {"clips of actions, 32x32", "judge", "11_c"}


def test_one_at_a_time_there_are_only_chapters_which_make_what_they_ask_for(book):
    assert planned(book, "--jobs", "1")[1] == ["00_first", "06_second", "08_last"]


# How long it will take ------------------------------------------------------------------------------------------------
ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = chapters.find_chapters(ROOT / "notebooks")


@pytest.mark.parametrize(
    "minutes, words",
    [(0, "under a minute"), (0.99, "under a minute"), (1, "about 1 minute"), (4.4, "about 4 minutes"),
     (18, "about 18 minutes"), (47.9, "about 50 minutes"), (119, "about 120 minutes"), (125, "about 2 hours"),
     (2879, "about 48 hours"), (10_000, "about 7 days")],
)  # fmt: skip
def test_an_expected_time_is_said_as_precisely_as_it_is_known(minutes, words):
    assert reproduce.about(minutes) == words


@pytest.fixture
def expected(tmp_path):
    """Minutes of real chapters, by number, in a run where nothing has been done."""

    def minutes(profile: str, selection: str = "", *more: str, jobs: int = 2) -> float:
        asked = reproduce.parse(["--profile", profile, "--jobs", str(jobs), *more])
        asked = dataclasses.replace(asked, root=tmp_path)
        chosen = chapters.find_chapters(ROOT / "notebooks", selection)
        return asked.profile.minutes * reproduce.share_of(chosen, CHAPTERS, asked)

    return minutes


def test_the_whole_series_takes_the_profile_s_minutes_and_half_as_long_again_one_by_one(expected):
    for profile in ("smoke", "cpu", "overnight"):
        assert expected(profile) == pytest.approx(PROFILES[profile].minutes)
        assert 1.2 < expected(profile, jobs=1) / expected(profile) < 2
        assert expected(profile, jobs=4) < expected(profile)


def test_a_chapter_alone_takes_what_it_was_measured_to_take(expected):
    rows = re.findall(r"\(notebooks/(\d\d)_\w+\.ipynb\) \|.*\| (\d+) \|\n", (ROOT / "README.md").read_text())
    assert len(rows) == len(CHAPTERS)
    for number, seconds in rows:  # 06 to 10 without the trainings that another chapter has asked for before
        beside = 3.7 if number in ("06", "07", "08", "09", "10") else 1.5
        assert 1 / 1.5 < 60 * expected("smoke", number, jobs=1) / int(seconds) < beside, number
    assert reproduce.about(expected("smoke", "00,01")) == "under a minute"
    assert 60 < expected("cpu", "11", "long=true") < 150  # make ablations: about 100 minutes


def test_more_chapters_take_longer_and_share_their_trainings(expected):
    for profile in PROFILES:
        both = expected(profile, "06,09", jobs=1)
        alone = [expected(profile, number, jobs=1) for number in ("06", "09")]
        assert max(alone) < both < sum(alone)
        assert expected(profile, "06") < expected(profile)


def test_what_is_done_does_not_count_and_what_is_half_done_counts_half(expected, tmp_path):
    longest = max((work for work in trainings(PROFILES["cpu"]) if "06" in work.readers), key=lambda work: work.cost)
    place = tmp_path / "runs/cpu/checkpoints/a"
    page = SimpleNamespace(chapter="trainings", seed=0)
    whole, found = expected("cpu", "06", jobs=1), []
    for step in (longest.steps // 2, longest.steps):
        progress.note(place, page, longest)
        record = {"step": step, "seconds": 1.0 * step, "discriminator": {}, "generator": {}}
        (place / "records.jsonl").write_text(json.dumps(record) + "\n")
        found.append(expected("cpu", "06", jobs=1))
    assert whole - found[0] == pytest.approx(found[0] - found[1]) and found[1] < 0.5 * whole
    assert expected("cpu", "06", "--seed", "1", jobs=1) == whole  # another training
    edit(place / "asked.json", '"code": "', '"code": "other')
    assert expected("cpu", "06", jobs=1) == whole  # other code would not find it


def test_a_chapter_that_is_done_does_not_count(book, bench, capsys):
    assert reproduce.main(SMOKE) == 0
    assert "smoke: 3 chapters, about 6 minutes on" in capsys.readouterr().out
    edit(book / "notebooks/00_first.py", "6 * 7", "7 * 6")
    assert reproduce.main(SMOKE) == 0
    assert "smoke: 3 chapters (2 done before), under a minute on" in capsys.readouterr().out


# A run that has to fit into some minutes ------------------------------------------------------------------------------
class Timers:
    """Takes the place of the processes that time the steps: each costs a tenth of a second."""

    def __init__(self, entry: reproduce.Entry) -> None:
        self.entry, self.calls = entry, []

    def __call__(self, asked, slots, on_end, on_tick):
        self.calls.append([job.name for job in asked])
        self.asked = {job.name: job for job in asked}
        if "timing" not in self.asked:
            return {}
        (current,) = self.asked["timing"].given
        record = {"seconds": dict.fromkeys(timing.kinds(current.profile), 0.1)}
        current.folder.mkdir(parents=True, exist_ok=True)
        (current.folder / "timing.json").write_text(json.dumps(record))
        return {"timing": self.entry}


@pytest.fixture
def timers(monkeypatch):
    timers = Timers(reproduce.Entry("timing", "ok"))
    monkeypatch.setattr(reproduce, "side_by_side", timers)
    monkeypatch.setattr(reproduce, "default_profile", lambda: "cpu")
    return timers


def test_minutes_scale_what_the_chapters_are_told_to_do(book, bench, timers, capsys):
    share = timing.share_that_fits(0.2, PROFILES["smoke"], dict.fromkeys(timing.kinds(PROFILES["smoke"]), 0.1), 1)
    run = [*SMOKE, "--minutes", "0.2", "--chapters", "00,08"]
    assert 0 < share < 1 and reproduce.main(run) == 0
    assert [call.parameters["profile"] for call in bench.calls] == [f"smoke*{share:g}"] * 2
    assert {call.parameters["run"] for call in bench.calls} == {"smoke"} and {*statuses(book)} > {"00_first"}
    told = capsys.readouterr().out
    assert f"MINUTES=0.2: {share:g} of the steps and samples of PROFILE=smoke\n" in told
    assert "smoke: 2 chapters, under a minute on" in told and " of under a minute\n" in told
    assert timers.calls == [["timing"]]  # alone, or what runs beside it would count
    assert reproduce.main(run) == 0 and len(timers.calls) == 1  # the share is kept, so nothing runs again
    assert len(bench.calls) == 2
    assert reproduce.main([*SMOKE, "--minutes", "500", "--chapters", "00"]) == 0 and len(timers.calls) == 2
    assert bench.calls[-1].parameters["profile"] == "smoke*1"


def test_more_jobs_get_more_done_in_the_same_minutes(book, timers):
    found = [reproduce.fitted(settings("--jobs", jobs, "--run", f"run{jobs}"), 0.2, print).profile for jobs in "12"]
    assert found[0].share < found[1].share and found[0].minutes == found[1].minutes == 0.2


def test_side_by_side_every_job_is_told_the_share_and_the_steps_are_timed_behind_all(book, timers):
    (book / "notebooks/12_claims_and_decisions.py").write_text(HEADER + READER)
    assert reproduce.main([*SMOKE[:-1], "2", "--minutes", "0.12"]) == 0
    first, second = timers.calls
    assert first[0] == "timing" and second[-1] == "bench"
    shares = {next(one for one in job.given if isinstance(one, reproduce.Settings)).parameters["profile"]
              for job in timers.asked.values()}  # fmt: skip
    assert len(shares) == 1 and shares.pop().startswith("smoke*0.")
    assert timers.asked["bench"].after >= {*second} - {"bench"} and not timers.asked["bench"].needs
    works = trainings(next(iter(timers.asked["bench"].given)).profile)
    assert max(work.steps for work in works) < PROFILES["smoke"].steps  # the shorter trainings are what is done
    assert reproduce.main([*SMOKE[:-1], "2"]) == 0 and "bench" not in timers.calls[-1]


def test_the_paper_s_shape_is_measured_as_soon_as_the_steps_are_timed(book, timers):
    reproduce.fitted(settings("--profile", "gpu", "--jobs", "4", "--run", "large"), 60, print)
    assert timers.calls == [["timing", reproduce.NATIVE_BENCH]]
    assert timers.asked[reproduce.NATIVE_BENCH].needs == {"timing"}
    reproduce.fitted(settings("--profile", "gpu", "--jobs", "1", "--run", "one"), 60, print)
    assert timers.calls[1:] == [["timing"]]  # as at the end: one job at a time is no booking


@pytest.mark.parametrize("machine, jobs, lanes", [("gpu", 8, 1), ("gpu", 1, 1), ("cpu", 8, 2), ("cpu", 1, 1)])
def test_trainings_on_one_gpu_take_the_sum_of_their_steps(book, timers, monkeypatch, machine, jobs, lanes):
    monkeypatch.setattr(reproduce, "default_profile", lambda: machine)
    monkeypatch.setattr(reproduce.provenance, "cores", lambda: 2)
    seconds = dict.fromkeys(timing.kinds(PROFILES["smoke"]), 0.1)
    found = reproduce.fitted(settings("--jobs", str(jobs)), 0.2, print).profile.share
    assert found == timing.share_that_fits(0.2, PROFILES["smoke"], seconds, lanes)


def test_the_bench_of_the_paper_s_shape_leaves_its_three_tables(book, monkeypatch):
    asked = settings("--profile", "gpu", "--run", "mine")
    seen = []

    def bench(works, profile):
        seen.append(list(works))
        yield {"system": "hrvgan", "ratio": ""}
        yield {"system": "hrvgan", "ratio": 5.5}

    monkeypatch.setattr(timing, "bench", bench)
    monkeypatch.setattr(series_bench, "layers_table", lambda works, profile: seen.append(works) or [{"part": "G"}])
    monkeypatch.setattr(series_bench, "rates_table", lambda tries: [{"GB/s": tries}])
    assert reproduce.bench_native(asked).good
    shapes = [[(work.frames, work.size, work.batch) for work in works] for works in seen]
    assert shapes == [[(32, 256, 8)], [(32, 256, 8), (16, 64, 16)]]
    figures = book / "figures/mine"
    assert (figures / "bench_native.csv").read_text() == "system,ratio\nhrvgan,\nhrvgan,5.5\n"
    assert (figures / "bench_layers.csv").read_text() == "part\nG\n"
    assert (figures / "bench_rates.csv").read_text() == "GB/s\n1\n"
    assert json.loads((figures / "bench_native.json").read_text())["note"] == timing.NOTE


def test_the_bench_at_the_end_leaves_each_row_at_once_and_the_paper_s_shape_out(book, monkeypatch):
    asked, found = settings("--profile", "gpu", "--run", "mine"), []

    def bench(works, profile):
        assert works and (32, 256) not in {(work.frames, work.size) for work in works}
        for number in (1, 2):
            yield {"clips/s": number}
            found.append((book / "figures/mine/bench_steps.csv").read_text())

    monkeypatch.setattr(timing, "bench", bench)
    assert reproduce.bench_steps(asked).good
    assert found == ["clips/s\n1\n", "clips/s\n1\n2\n"]


def test_jobs_beside_the_chapters_work_on_the_page_of_the_run(book, monkeypatch):
    seen, work = [], trainings(PROFILES["smoke"])[0]
    asked = settings("--seed", "5", "--run", "mine", "--actions", "weizmann", "--rehearse")
    monkeypatch.setattr(learning, "learn", lambda page, what, own: seen.append((page, (what, own))))
    monkeypatch.setattr(learning, "judge", lambda page, **shape: seen.append((page, shape)))
    monkeypatch.setattr(Page, "dataset", lambda page, name, **shape: seen.append((page, (name, shape))))
    monkeypatch.setattr(timing, "bench", lambda works, profile: [{"system": "hrvgan", "clips/s": 3.5 * len(works)}])
    entries = [
        reproduce.train_one(work, asked),
        reproduce.train_judge("judge of short clips", {"frames": 8, "size": 32, "stride": 4}, asked),
        reproduce.lay_out_data("clips of golf, 32x32", "golf", 8, 32, asked),
        reproduce.bench_steps(asked),
    ]
    assert [entry.name for entry in entries] == [work.name, "judge of short clips", "clips of golf, 32x32", "bench"]
    assert all(entry.status == "ok" and entry.seconds >= 0 and entry.peak_rss_mb > 0 for entry in entries)
    assert work.readers[0] == "06"
    assert [what for _, what in seen] == [
        (work, True),  # chapter 06 trains its own in any case
        {"frames": 8, "size": 32, "stride": 4},
        ("golf", {"frames": 8, "size": 32}),
    ]
    for page, _ in seen:
        assert (page.root, page.runs, page.seed, page.actions) == (book, book / "runs/mine", 5, "weizmann")
        assert page.profile == asked.profile
    assert (
        book / "figures/mine/bench_steps.csv"
    ).read_text() == "system,clips/s\nhrvgan,3.5\n"  # a rehearsal tries one kind


def test_minutes_of_a_profile_that_is_scaled_already_never_make_it_longer(book, timers):
    found = reproduce.fitted(settings("--profile", "smoke*0.5"), 10_000, print)
    assert found.profile.steps == 4 and found.parameters["profile"] == "smoke*0.5"
    smaller = reproduce.fitted(settings("--profile", "smoke*0.25"), 10_000, print)
    assert smaller.profile.steps == 2 and len(timers.calls) == 2


@pytest.mark.parametrize(
    "minutes, error",
    [
        ("0.0001", "MINUTES=0.0001 is too little for one step of each training: "),
        ("5", "MINUTES=5: the steps could not be timed: no such device"),
    ],
)
def test_minutes_that_come_to_nothing_are_refused_in_one_line(book, bench, timers, capsys, minutes, error):
    if minutes == "5":
        timers.entry = reproduce.Entry("timing", "failed", error="no such device")
    assert reproduce.main([*SMOKE, "--minutes", minutes]) == 2
    told = capsys.readouterr().err
    assert told.startswith(error) and told.count("\n") == 1 and not bench.calls
    assert not (book / "runs/smoke/minutes.json").exists()


def test_an_interrupt_before_the_first_chapter_is_told_by_the_exit_status(book, bench, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    try:
        with monkeypatch.context() as patch:
            patch.setattr(reproduce, "side_by_side", interrupted)  # while steps are timed
            assert reproduce.main([*SMOKE, "--minutes", "5"]) == 130
        with monkeypatch.context() as patch:
            patch.setattr(reproduce, "plan", interrupted)
            assert reproduce.main(SMOKE) == 130
    except KeyboardInterrupt:
        pytest.fail("an interrupt left the driver as it came")
    assert not bench.calls


def test_a_chapter_without_a_parameters_cell_is_named_before_anything_runs(book, capsys):
    edit(book / "notebooks/08_last.py", '# %% tags=["parameters"]', "# %%")
    assert reproduce.main(SMOKE) == 2
    told = capsys.readouterr().err
    assert told == "08_last.py: no cell is tagged `parameters`: tag the one with profile, seed and the others\n"
    assert not (book / "runs/smoke/status.json").exists()


def test_help_of_the_pairing_command_executes_nothing(capsys):
    with pytest.raises(SystemExit) as ended:
        chapters.main(["--help"])
    assert ended.value.code == 0 and "--prose" in capsys.readouterr().out
    assert chapters.main(["99"]) == 2 and "no chapter '99'" in capsys.readouterr().err
