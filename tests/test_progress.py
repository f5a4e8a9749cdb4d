"""What moves during long work: told truly, only where somebody looks, and without a change to what is learned."""

import json
import os
import re
import time
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import IPython
import IPython.display
import nbformat
import pytest
from blobs import MovingBlobs
from nbclient import NotebookClient

from hrvgan_lib import training
from hrvgan_lib.book import learning, progress
from hrvgan_lib.checkpoints import load_checkpoint
from hrvgan_lib.profiles import PROFILES
from hrvgan_lib.series.chapters import KERNEL_ENVIRONMENT
from hrvgan_lib.series.kernel import Kernel
from hrvgan_lib.training import StepRecord
from hrvgan_lib.trainings import Training

ROOT = Path(__file__).resolve().parents[1]
WORK = Training("mocogan", "golf", False, 8, 16, 4, 40, ("10",))


def record(step: int, pace: float = 2.0) -> StepRecord:
    return StepRecord(step, 4 * step, pace * step, {"real": 0.25, "fake": 0.5}, {"adversarial": 1.5})


def journal(folder: Path, last: int, tail: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(asdict(record(step))) + "\n" for step in range(1, last + 1)]
    path = folder / "records.jsonl"
    path.write_text("".join(lines) + tail)
    return path


# In words -------------------------------------------------------------------------------------------------------------
def test_the_rest_is_reckoned_from_the_pace_of_the_records_that_are_given():
    assert progress.rest_of([record(1)], 40) is None
    assert progress.rest_of([record(1), record(11)], 40) == 29 * 2.0
    slower = [replace(record(10), seconds=100.0), replace(record(12), seconds=110.0)]  # the last steps, after a stop
    assert progress.rest_of(slower, 40) == 28 * 5.0
    assert progress.rest_of([record(39), record(40)], 40) == 0


def test_words_say_step_losses_and_rest():
    assert progress.in_words([record(1)], 1434) == "step 1 of 1,434, D 0.75, G 1.5"
    assert progress.in_words([record(1), record(10)], 40) == "step 10 of 40, D 0.75, G 1.5, 1:00 left"


def test_a_journal_is_read_from_its_end_and_as_far_as_its_lines_are_whole(tmp_path):
    assert progress.last_records(tmp_path / "records.jsonl") == []
    assert [one.step for one in progress.last_records(journal(tmp_path, 3))] == [1, 2, 3]
    assert [one.step for one in progress.last_records(journal(tmp_path, 3, '{"step": 4, "sec'))] == [1, 2, 3]
    path = journal(tmp_path, 5000)
    assert path.stat().st_size > 10 * progress.TAIL
    found = progress.last_records(path)
    assert [one.step for one in found] == [*range(5001 - progress.PACE, 5001)] and found[-1].seconds == 10_000
    path.write_text("")
    assert progress.last_records(path) == []
    path.write_text("not\njson\n")
    assert progress.last_records(path) == []


# Who is at what -------------------------------------------------------------------------------------------------------
def page_of(chapter: str, seed: int = 0) -> SimpleNamespace:
    return SimpleNamespace(chapter=chapter, seed=seed)


def test_a_job_is_at_the_training_that_it_asked_for_last(tmp_path):
    for place, chapter, work in (("a", "trainings", WORK), ("b", "10_tables", replace(WORK, data="actions"))):
        progress.note(tmp_path / place, page_of(chapter), work)
    assert progress.at_work(tmp_path, WORK.name, 0) == ""  # no step yet
    journal(tmp_path / "a", 10)
    words = "step 10 of 40, D 0.75, G 1.5, 1:00 left"
    assert progress.at_work(tmp_path, WORK.name, 0) == words
    assert progress.at_work(tmp_path, WORK.name, time.time() + 60) == ""  # what an earlier run has written
    assert progress.at_work(tmp_path, "10_tables", 0) == progress.at_work(tmp_path, "06_training_loop", 0) == ""
    journal(tmp_path / "b", 20)
    assert progress.at_work(tmp_path, "10_tables", 0) == words.replace("10", "20").replace("1:00", "0:40")
    journal(tmp_path / "b", 40)
    assert progress.at_work(tmp_path, "10_tables", 0) == ""  # it is done
    progress.note(tmp_path / "c", page_of("10_tables"), WORK)
    os.utime(journal(tmp_path / "c", 30), (1e9, 1e9))  # stopped long ago
    assert progress.at_work(tmp_path, "10_tables", 0) == ""
    assert progress.at_work(tmp_path / "nowhere", "10_tables", 0) == ""


def test_done_is_the_share_of_the_steps_that_todays_code_has_taken(tmp_path):
    assert progress.done(tmp_path, 0) == {}
    progress.note(tmp_path / "a", page_of("trainings"), WORK)
    assert progress.done(tmp_path, 0) == {}  # only asked for
    journal(tmp_path / "a", 10)
    assert progress.done(tmp_path, 0) == {WORK.name: 0.25} and progress.done(tmp_path, 1) == {}
    (tmp_path / "a/diverged.txt").write_text("training diverged")
    assert progress.done(tmp_path, 0) == {WORK.name: 1.0}  # it is not tried a second time
    note = json.loads((tmp_path / "a/asked.json").read_text())
    (tmp_path / "a/asked.json").write_text(json.dumps(note | {"code": "0" * 16}))
    assert progress.done(tmp_path, 0) == {}


# Live -----------------------------------------------------------------------------------------------------------------
@pytest.fixture
def page(tmp_path):
    """As much of a page as `learning` needs, of a run of tiny systems."""
    tiny = replace(PROFILES["smoke"], size=16, width=1 / 32, batch=4, weights="")

    def dataset(name, **shape):
        return MovingBlobs(n=12)

    return SimpleNamespace(
        chapter="06_training_loop", profile=tiny, seed=3, runs=tmp_path / "runs", trainings=[], dataset=dataset
    )


class Screen:
    """Takes the place of a notebook's front end: what each of its outputs has shown, in order."""

    def __init__(self) -> None:
        self.outputs: list[list[dict]] = []

    def display(self, data, raw, display_id):
        assert raw and display_id is True
        shown = [data]
        self.outputs.append(shown)
        return SimpleNamespace(update=lambda data, raw: shown.append(data))

    def texts(self) -> list[str]:
        return [data["text/plain"] for data in self.outputs[0]]

    def strips(self) -> list[str]:
        return [data["text/html"] for data in self.outputs[1]]


@pytest.fixture
def screen(monkeypatch):
    """A notebook that a person looks at, to whom everything is shown at once."""
    screen = Screen()
    monkeypatch.delenv(progress.HEADLESS, raising=False)
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel="a kernel"))
    monkeypatch.setattr(IPython.display, "display", screen.display)
    for name in ("PATIENCE", "WORDS_EVERY", "LOOK_EVERY"):
        monkeypatch.setattr(progress, name, 0.0)
    monkeypatch.setattr(progress, "LOOKING", 1e9)
    return screen


def works() -> list[Training]:
    """Different ways to draw, to look and to learn: a predictor looks at clips, HRVGAN at latents."""
    tiny = dict(frames=8, size=16, batch=4, steps=8, readers=("06",))
    return [
        Training("hrvgan", "actions", True, **tiny),
        Training("mocogan", "actions", False, **tiny),
        Training("prediction", "actions", False, **tiny),
    ]


@pytest.mark.parametrize("work", works(), ids=lambda work: work.system)
def test_who_looks_changes_nothing(page, screen, monkeypatch, work):
    system, records = learning.learn(page, work)
    assert len(screen.strips()) > work.steps / 2  # it was looked at, again and again
    monkeypatch.setenv(progress.HEADLESS, "1")
    page.runs = page.runs.with_name("unseen")
    again, same = learning.learn(page, work)
    assert len(screen.outputs) == 2  # of the first training only
    assert [replace(one, seconds=0) for one in records] == [replace(one, seconds=0) for one in same]
    weights, others = system.state_dict(), again.state_dict()
    assert weights.keys() == others.keys() and all(weights[name].equal(others[name]) for name in weights)
    assert [step for step, _ in system.snapshots] == [step for step, _ in again.snapshots]
    assert all(one.equal(other) for (_, one), (_, other) in zip(system.snapshots, again.snapshots))
    kept = [next((place / "checkpoints").iterdir()) for place in (page.runs.with_name("runs"), page.runs)]
    assert kept[0].name == kept[1].name and load_checkpoint(kept[0])["step"] == work.steps
    assert {path.name for path in kept[0].iterdir()} == {path.name for path in kept[1].iterdir()}


def test_a_training_shows_step_losses_rest_and_a_strip_that_grows_and_settles_into_one_line(page, screen, monkeypatch):
    monkeypatch.setattr(progress, "LOOKS", 4)
    (work,) = [one for one in works() if one.system == "mocogan"]
    _, records = learning.learn(page, work)
    texts, strips = screen.texts(), screen.strips()
    first, *terms = texts[1].splitlines()
    assert re.fullmatch(rf"{re.escape(work.name)}: step 2 of 8, D [\d.e-]+, G [\d.e-]+, \d+:\d\d left", first)
    assert [line.split(":")[0] for line in terms] == ["D", "G"]
    for line, values in zip(terms, (records[1].discriminator, records[1].generator)):
        assert line[3:] == ", ".join(f"{name} {value:.3g}" for name, value in values.items())
    assert len(texts) == len(records) + 1
    last = progress.in_words(records[-1:], 8)
    assert re.fullmatch(rf"{re.escape(work.name)}: {re.escape(last)} \(\d+:\d\d\)", texts[-1])  # one line is left
    steps = [re.search(r"<br>4 samples from the same latents after step ([\d, ]+)$", strip) for strip in strips[:-1]]
    assert [found[1] for found in steps[:5]] == ["1", "1, 2", "1, 2, 3", "1, 2, 3, 4", "1, 3, 5"]  # 5 are thinned out
    assert all("data:image/webp;base64," in strip and 'alt="4 samples' in strip for strip in strips[:-1])
    assert strips[-1] == ""
    learning.learn(page, work)  # read, not trained: nothing to show
    assert len(screen.outputs) == 2


@pytest.mark.filterwarnings("error")  # a picture of what is not a number warns
def test_a_training_that_is_stopped_or_diverges_says_so_in_its_line(page, screen, monkeypatch):
    work = works()[1]
    train = training.train

    def stopped(*arguments, **options):
        for one in train(*arguments, **options):
            yield one
            if one.step == 3:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "train", stopped)
        with pytest.raises(KeyboardInterrupt):
            learning.learn(page, work)
    assert re.search(r": stopped; the same cell goes on from its last checkpoint \(\d:\d\d\)$", screen.texts()[-1])
    screen.outputs.clear()
    reckless = replace(works()[0], options={"learning_rate": 1e30, "optimiser": "sgd"})
    system, _ = learning.learn(page, reckless)
    assert system.diverged and system.diverged in screen.texts()[-1]


def test_a_quick_training_shows_nothing(page, screen, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 600.0)
    learning.learn(page, works()[1])
    assert screen.outputs == []


def test_nothing_is_shown_where_nobody_looks(page, screen, monkeypatch, capfd):
    monkeypatch.setenv(progress.HEADLESS, "1")
    learning.learn(page, works()[1])
    with progress.waiting("the clips"):
        time.sleep(0.05)
    monkeypatch.delenv(progress.HEADLESS)
    monkeypatch.setattr(IPython, "get_ipython", lambda: None)  # a plain Python
    assert not progress.somebody_looks()
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(colors="a terminal's shell"))
    assert not progress.somebody_looks()
    assert screen.outputs == [] and capfd.readouterr() == ("", "")


def test_a_wait_shows_a_clock_and_leaves_how_long_it_was(screen, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    with progress.waiting("the clips"):
        pass
    assert screen.outputs == []  # over in a moment
    with pytest.raises(KeyError), progress.waiting("the clips"):
        time.sleep(1.3)
        raise KeyError
    first, *others, last = screen.texts()
    assert first == "the clips: 0:00 so far" and others
    assert all(re.fullmatch(r"the clips: 0:0\d so far", text) for text in others)
    assert re.fullmatch(r"the clips: 0:0[1-9]", last)
    time.sleep(1.2)
    assert screen.texts()[-1] == last  # its clock has stopped


def test_headless_runs_say_so():
    assert KERNEL_ENVIRONMENT[progress.HEADLESS] == "1"
    quiet = re.search(r"^QUIET := (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"{progress.HEADLESS}=1" in quiet[1].split()


CELL = """
import sys; sys.path.insert(0, {tests!r})
from pathlib import Path
from blobs import MovingBlobs
from test_progress import works, PROFILES, SimpleNamespace, replace
from hrvgan_lib.book import learning, progress
progress.PATIENCE = progress.WORDS_EVERY = progress.LOOK_EVERY = 0.0
tiny = replace(PROFILES["smoke"], size=16, width=1 / 32, batch=4, weights="")
page = SimpleNamespace(chapter="06", profile=tiny, seed=3,
                       runs=Path({runs!r}), trainings=[], dataset=lambda name, **shape: MovingBlobs(n=12))
print("before")
learning.learn(page, works()[1]);
"""


@pytest.mark.parametrize("headless", [False, True])
def test_a_notebook_keeps_one_line_and_a_headless_one_nothing(tmp_path, monkeypatch, headless):
    """In a real kernel, through the messages that a front end gets."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]))
    monkeypatch.delenv(progress.HEADLESS, raising=False)
    if headless:
        monkeypatch.setenv(progress.HEADLESS, "1")
    cell = nbformat.v4.new_code_cell(CELL.format(tests=str(ROOT / "tests"), runs=str(tmp_path)))
    notebook = nbformat.v4.new_notebook(cells=[cell])
    monkeypatch.setattr(Kernel, "output", tmp_path / "log")
    NotebookClient(notebook, kernel_manager_class=Kernel, timeout=300).execute()
    stream, *shown = notebook.cells[0].outputs
    assert stream.text == "before\n"
    if headless:
        assert shown == []
    else:
        line, strip = shown
        assert re.search(r"^mocogan, .*: step 8 of 8, D .*, G .* \(\d:\d\d\)$", line.data["text/plain"])
        assert strip.data == {"text/html": ""}
    assert "widget" not in nbformat.writes(notebook)
