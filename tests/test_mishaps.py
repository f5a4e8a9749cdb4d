"""Nothing is lost when the machine misbehaves: full disks, folders that cannot be written to, two at once, interrupts.

What needs a process of its own is in small_disk.py; it runs while the first tests do.
"""

import errno
import fcntl
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hrvgan_lib import files, mishaps
from hrvgan_lib.mishaps import command, in_full, line_of, told
from hrvgan_lib.series import edition, jobs, reproduce, study
from hrvgan_lib.series.jobs import Entry

ROOT = Path(__file__).resolve().parents[1]
MOUNTS = "mount -t tmpfs none /mnt"


@pytest.fixture(scope="module", autouse=True)
def trials(tmp_path_factory):
    """What small_disk.py says, by kind, once it is done: {"disk": {"packing": {...}, ...}, "file": ..., "twice": ...}.

    There is no "disk" where nobody may mount one.
    """
    apart = ["unshare", "-m"]
    try:
        may = subprocess.run([*apart, "sh", "-c", MOUNTS], stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        may = False
    paths = os.pathsep.join(str(path) for path in (ROOT, ROOT / "tests", ROOT / "tools"))
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    running = {}
    for kind in ("disk", "file", "twice")[not may :]:
        words = [sys.executable, str(ROOT / "tests/small_disk.py"), kind, str(tmp_path_factory.mktemp(kind))]
        running[kind] = subprocess.Popen(
            apart * (kind == "disk") + words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding="utf-8",
        )  # fmt: skip
    found: dict[str, dict] = {}

    def ask(kind):
        if kind not in running:
            pytest.skip("needs the right to mount a small disk (unshare, mount)")
        if kind not in found:
            said, wrong = running[kind].communicate()
            assert running[kind].returncode == 0, wrong
            found[kind] = {name: value for line in said.splitlines() for name, value in json.loads(line).items()}
        return found[kind]

    yield ask
    for process in running.values():
        process.kill()
        process.communicate()


# Every command line --------------------------------------------------------------------------------------------------

# The module of each -> what it is told, and what it answers in its last line. {file}, {folder}, {gone}: paths.
COMMANDS = {
    "hrvgan_lib.series.words": [("REHEARSE", "not enough values")],
    "hrvgan_lib.series.reproduce": [
        ("--magic", "unrecognized arguments"),
        ("--profile none", "unknown profile 'none'"),
        ("--profile smoke --data-root {gone}", "holds none of ucf101/"),
        ("--profile smoke --data-root {file}", "holds none of ucf101/"),
        ("--profile smoke --jobs 0", "JOBS=0 is no whole number above zero"),
        ("--profile smoke --chapters 99", "no chapter '99'"),
        ("--profile smoke --run a/b", "is not a folder name"),
    ],
    "hrvgan_lib.series.edition": [
        ("--profile none", "unknown profile 'none'"),
        ("--profile smoke --data-root {gone}", "holds none of ucf101/"),
    ],
    "hrvgan_lib.series.study": [
        ("--parts magic", "unknown part 'magic'"),
        ("--jobs 0", "JOBS=0 is no whole number above zero"),
        ("--run a/b", "is not a folder name"),
    ],
    "hrvgan_lib.series.chapters": [("--magic", "unrecognized arguments"), ("99", "no chapter '99'")],
    "hrvgan_lib.series.bench": [("--magic", "unrecognized arguments"), ("many", "no table of make bench")],
    "hrvgan_lib.book.findings": [("--magic", "unrecognized arguments")],
    "hrvgan_lib.launch": [
        ("--system magic", "invalid choice: 'magic'"),
        ("--system vgan --profile none", "unknown profile 'none'"),
        ("--system vgan --data magic", "magic"),
        ("--system vgan --data-root {gone}", "{gone} is no folder"),
        ("--system vgan --set width", "--set width: write NAME=VALUE"),
    ],
    "hrvgan_lib.metrics.__main__": [
        ("--real {folder}", "required"),
        ("--real {folder} --fake {folder} --network r3d_18", "write NAME=FILE"),
        ("--real {folder} --fake {folder} --network r3d_18={gone}", "{gone}"),
        ("--real {folder} --fake {folder} --weights {folder}", "{folder}"),
        ("--real {folder} --fake {folder} --weights {file}", "{file}"),
        ("--real {folder} --fake {folder} --judge {gone}", "{gone}"),
        ("--real {folder} --fake {folder} --judge {file}", "{file}"),
        ("--real {folder} --fake {folder} --judge {folder} --json {folder}", "this is a folder; name a file in it"),
        ("--real {folder} --fake {folder} --judge {folder} --cache {file}", "this is a file; name a folder"),
    ],
    "hrvgan_lib.data.__main__": [
        ("check magic", "invalid choice: 'magic'"),
        ("pack golf --root {gone}", "{gone} is no folder"),
        ("pack golf --root {file}", "{file} is no folder"),
        ("pack golf --root {folder} --size 0", "size is 0: give at least 1"),
        ("check ucf101 --root {folder}", "is missing"),
        ("check golf --root {folder}", "golf.txt"),
    ],
    "hrvgan_lib.predict": [
        ("{file} --weights {gone} -o x.mp4", "no such generator"),
        ("{file} --weights {folder} -o x.mp4", "no such generator"),
        ("{file} --weights {file} -o x.mp4", "is not a whole safetensors file"),
        ("{file} --weights {file} -o x.gif", "the output is an .mp4"),
        ("{file} --weights {file} -o x.mp4 --frames -1", "give a number above 0"),
    ],
    "tools.torture": [("magic", "invalid choice: 'magic'"), ("work magic", "unknown work 'magic'")],
    "tools.fuzz": [("many", "'many'")],
    "tools.lab": [("--profile none", "unknown profile 'none'"), ("--run a/b", "not a folder name"),
                  ("--lab=\"", "No closing quotation")],
    "tools.mutants": [("--count many", "invalid int value: 'many'")],
    "tools.booking": [
        ("magic", "invalid choice: 'magic'"),
        ("pack --profile none", "unknown profile 'none'"),
        ("pack --run nobody --parcels {folder}", "there is no run nobody"),
        ("unpack --parcels {file}", "is no folder"),
        ("unpack --parcels {folder}", "holds no parcel"),
    ],
    "tools.repeats": [("--magic", "unrecognized arguments"), ("--keep {file}", "Not a directory")],
    "tools.licences": [("--magic", "unrecognized arguments")],
    "tools.first_check": [("--profile none", "unknown profile 'none'")],
}  # fmt: skip
# It draws for a process that waits for it, and says in that one's line what went wrong.
HELPERS = {"hrvgan_lib.data.standin.writing", "hrvgan_lib.training"}  # the second starts hrvgan_lib.launch


def main_of(name):
    main = importlib.import_module(name.removeprefix("tools.")).main
    return command(main) if name == "tools.mutants" else main  # which must not load the library before its tests do


def test_every_command_line_is_here_and_ends_in_a_status():
    found = set()
    for path in [*(ROOT / "hrvgan_lib").rglob("*.py"), *(ROOT / "tools").glob("*.py")]:
        text = path.read_text(encoding="utf-8")
        if '__name__ == "__main__"' in text or re.search(r"^def main\(", text, re.M):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found.add(name)
            wrapped = "@command\ndef main(" in text or "sys.exit(command(main)())" in text
            assert wrapped or name in HELPERS, f"{path}: @command above main (hrvgan_lib/mishaps.py)"
    assert found == {*COMMANDS} | HELPERS


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A repository of one chapter, in which no command finds anything to do, and paths of every wrong kind."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/00_only.py").touch()
    (tmp_path / "file").write_text("something")
    for place in ("folder/ucf101", "folder/golf/golf.txt"):
        (tmp_path / place).mkdir(parents=True)
    monkeypatch.setenv("HRVGAN_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    yield {name: str(tmp_path / name) for name in ("file", "folder", "gone")}
    signal.signal(signal.SIGTERM, before)


def status_of(main, given):
    try:
        return main(given)
    except SystemExit as end:  # argparse's own
        return end.code


@pytest.mark.parametrize(
    "name, words, answer", [(name, *case) for name, cases in COMMANDS.items() for case in cases]
)  # fmt: skip
def test_what_a_command_cannot_do_is_said_in_a_line(name, words, answer, book, capsys):
    given = [word.format(**book) for word in words.split()]
    assert status_of(main_of(name), given) == 2
    *usage, line = capsys.readouterr().err.splitlines()
    assert answer.format(**book) in line and "Traceback" not in line
    assert not usage or usage[0].startswith("usage: ")


class Raising(list):
    """Arguments that cannot be read: every `main` looks at them first."""

    def __init__(self, error):
        self.error = error

    def __iter__(self):
        raise self.error

    __len__ = __getitem__ = __iter__


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("error, status, said", [
    (OSError(errno.EIO, "Input/output error", "x.csv"), 2, "x.csv: Input/output error\n"),
    (RuntimeError("two\nlines"), 2, "two lines\n"),
    (MemoryError(), 2, "not enough memory: ask for less\n"),
    (KeyboardInterrupt(), 130, "interrupted\n"),
])  # fmt: skip
def test_every_command_ends_in_a_line_whatever_happens(name, error, status, said, book, capsys):
    assert main_of(name)(Raising(error)) == status
    assert capsys.readouterr().err.removeprefix("edition: ") == said


def test_a_bug_keeps_its_traceback():
    @command
    def main() -> int:
        return {}["key"]

    with pytest.raises(KeyError):
        main()


@pytest.mark.parametrize("module", ["hrvgan_lib.metrics", "hrvgan_lib.series.study"])
def test_an_interrupt_while_it_imports_is_told_in_no_traceback(module):
    heeded = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", module, "--help"], cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, encoding="utf-8", preexec_fn=heeded,
    )  # fmt: skip
    said = []
    for line in process.stderr:
        said.append(line)
        if line.split("|")[-1].strip().startswith(("numpy", "torch")):  # in the middle of it
            process.send_signal(signal.SIGINT)
            break
    said += process.stderr.readlines()
    assert process.wait() == 130 and "Traceback" not in "".join(said) and process.stdout.read() == ""


MAIN = """
import os, sys, time
from hrvgan_lib.mishaps import command
@command
def main():
    print("begun", flush=True)
    {}
    return 0
sys.exit(main())
"""


def test_an_interrupt_at_work_ends_with_130():
    process = subprocess.Popen([sys.executable, "-c", MAIN.format("time.sleep(60)")], cwd=ROOT, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, encoding="utf-8",
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # fmt: skip
    assert process.stdout.readline() == "begun\n"  # a shell's background jobs are deaf to Ctrl-C
    process.send_signal(signal.SIGINT)
    assert process.communicate() == ("", "interrupted\n") and process.returncode == 130


@pytest.mark.parametrize("sink, said", [
    ("/dev/full", "No space left on device; make room there and give the same command again: what was finished before "
                  "is kept\n"),
    ("pipe", ""),
])  # fmt: skip
def test_output_that_nobody_takes_is_no_traceback_either(sink, said):
    """A log on a full disk, and `| head`."""
    code = MAIN.format("time.sleep(0.3); print('x' * 100)").replace(", flush=True", "")
    if sink == "pipe":
        reader, output = os.pipe()
        os.close(reader)
    else:
        output = os.open(sink, os.O_WRONLY)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=output, stderr=subprocess.PIPE, text=True)
    os.close(output)
    assert (done.returncode, done.stderr) == (2, said)


# Errors in one line --------------------------------------------------------------------------------------------------


def failing(path, number=errno.ENOSPC, error=None):
    def content(_):
        raise error or OSError(number, os.strerror(number))

    return files.write_atomic(path, content)


@pytest.mark.parametrize("number, remedy", [
    (errno.ENOSPC, "make room"), (errno.EDQUOT, "make room"), (errno.EROFS, "get the right to it"),
    (errno.EACCES, "get the right to it"), (errno.ENOTDIR, "move the file away"), (errno.EIO, ""),
])  # fmt: skip
def test_a_failed_write_names_its_file_and_the_remedy_and_leaves_the_earlier_file(tmp_path, number, remedy):
    path = files.write_atomic(tmp_path / "table.csv", "earlier")
    with pytest.raises(OSError) as failed:
        failing(path, number)
    words = f"{path}: {os.strerror(number)}"
    assert line_of(failed.value) == words if not remedy else line_of(failed.value).startswith(f"{words}; {remedy}")
    assert path.read_text() == "earlier" and [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("words, begins", [
    ("[enforce fail at inline_container.cc:671] . unexpected pos 128 vs 0", "No space left on device, as it seems ("),
    ("Error while serializing: I/O error: No space left on device (os error 28)", "Error while serializing: I/O error"),
])  # fmt: skip
def test_other_libraries_words_for_a_full_disk_are_understood(tmp_path, words, begins):
    with pytest.raises(RuntimeError) as failed:
        failing(tmp_path / "step.pt", error=RuntimeError(words))
    line = line_of(failed.value)
    assert line.startswith(f"{tmp_path / 'step.pt'}: {begins}") and words in line and line.endswith(mishaps.ROOM)
    with pytest.raises(OSError) as full:  # in a chapter
        in_full(in_full(failing))(tmp_path / "step.pt", error=RuntimeError(words))
    assert full.value.errno == errno.ENOSPC and full.value.strerror == line


def test_a_checkpoint_that_cannot_be_read_is_not_taken_for_a_full_disk():
    words = "[enforce fail at inline_container.cc:339] . file in archive is not in a subdirectory"
    assert told(words) == words


def test_in_full_touches_no_other_error(tmp_path):
    for error in (ValueError("a\nb"), FileNotFoundError(errno.ENOENT, "No such file", "x"), OSError("words alone")):

        @in_full
        def work(error=error):
            raise error

        with pytest.raises(type(error)) as same:
            work()
        assert same.value is error


def test_a_remedy_that_is_there_is_not_given_twice():
    words = "packing stopped after 3 clips ([Errno 28] No space left on device); mend that and call again"
    assert told(words) == words and told(told("x: No space left on device")).count("make room") == 1


# The disk is full ----------------------------------------------------------------------------------------------------

WORKS = {
    "packing": "free some space below|call again", "drawing": "make room there", "training": "make room there",
    "features": "make room there", "chapter": "make room there", "tables": "make room there",
}  # fmt: skip
NAMED = {"packing": "cache/packed|weizmann", "drawing": r"cache/standin/\S+\.jpg", "training": r"checkpoints/\S+\.pt",
         "features": r"kept/features/\S+\.npz", "chapter": "figures/smoke/large.csv",
         "tables": r"figures/small/\S+\.(csv|md|json|png)"}  # fmt: skip


@pytest.mark.parametrize("kind", ["disk", "file"])
@pytest.mark.parametrize("work", WORKS)
def test_a_full_disk_costs_nothing_but_the_time_to_make_room(kind, work, trials):
    found = trials(kind)[work]
    first, *more = found["said"].splitlines()
    space = {"disk": "No space left on device|the disk is full", "file": "File too large|No space left on device, as"}
    for pattern in (space[kind], NAMED[work], WORKS[work]):
        assert re.search(pattern, first), first
    assert found["status"] == 1 + (work != "chapter") and len(more) == (work == "chapter")  # "resume with: ..."
    assert found["left"] == [] and "Traceback" not in found["said"]
    assert found["steps"] == ([10] if (work, kind) == ("training", "disk") else [])  # an earlier checkpoint loads
    assert found["again"] == [0, ""] and found["made"] == found["expected"] != {}


@pytest.mark.parametrize("kind", ["disk", "file"])
@pytest.mark.parametrize("name", ["reproduce", "edition", "study", "chapters", "bench", "data", "metrics --json",
                                  "metrics --cache", "predict"])  # fmt: skip
def test_a_folder_that_cannot_be_written_to_is_named_and_left_as_it_was(kind, name, trials):
    found = trials(kind)[name]
    (line,) = found["said"].splitlines()
    assert found["status"] == 2 and found["same"]
    assert re.search(r"/locked/book/(runs|figures|cache)\b", line), line
    assert re.search("get the right to it|name another place|no folder that can be written to", line), line


# Two at once ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("work, worked", [("training", 1), ("packing", 1), ("features", 1), ("tables", 0)])
def test_two_who_want_the_same_do_it_once_and_both_have_it_whole(work, worked, trials):
    """Two `trained` of a key, two drivers that pack one data set, two `evaluate`, a page that is open twice."""
    found = trials("twice")[work]
    assert found["ended"] == [[0, ""], [0, ""]] and found["status"] == [0, ""] and found["unread"] == []
    assert found["worked"] == worked and found["made"] == found["expected"] != {}


@pytest.mark.parametrize("main, words, run", [(edition.main, ["--profile", "smoke"], "smoke"),
                                              (study.main, ["--small", "--parts", "layers"], "study")])  # fmt: skip
def test_an_edition_and_a_study_leave_a_run_alone_that_is_being_made(main, words, run, book, capsys, monkeypatch):
    """The driver itself: test_reproduce.py."""
    monkeypatch.setattr(edition, "take_up", lambda page: pytest.fail("it was taken up"))
    monkeypatch.setattr(study, "side_by_side", lambda *_: pytest.fail("it was run"))
    monkeypatch.setattr(study, "start_server", lambda: None)
    folder = Path(book["file"]).parent / "runs" / run
    folder.mkdir(parents=True)
    with reproduce.FileLock(folder / ".lock"):
        assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"run {run!r} is being made by another process: wait, or choose RUN=<name>" in line


def test_make_clean_waits_for_a_run_to_end(tmp_path):
    (tmp_path / "runs/mine").mkdir(parents=True)
    clean = ["make", "-s", "-f", str(ROOT / "Makefile"), "clean"]
    with open(tmp_path / "runs/mine/.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = subprocess.run(clean, cwd=tmp_path, capture_output=True, text=True)
        assert refused.returncode == 2 and refused.stderr.startswith("runs/mine is being made: end that first\n")
        assert (tmp_path / "runs/mine").is_dir()
    assert subprocess.run(clean, cwd=tmp_path).returncode == 0 and not (tmp_path / "runs").exists()


def asleep(seconds):
    time.sleep(seconds)
    return Entry("asleep", "ok")


def test_a_status_that_cannot_be_written_ends_the_jobs_that_run(monkeypatch):
    monkeypatch.setattr(jobs, "PRELOAD", [])
    full, begun = OSError(errno.ENOSPC, "No space left on device"), time.monotonic()

    def on_end(job, entry):
        raise full

    work = [jobs.Job(f"{seconds} s", asleep, (seconds,)) for seconds in (0.1, 120.0)]
    with pytest.raises(OSError) as raised:
        jobs.side_by_side(work, 2, on_end, lambda running: None)
    assert raised.value is full and time.monotonic() - begun < 100
