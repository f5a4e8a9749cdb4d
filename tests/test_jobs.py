"""Jobs side by side: in the right order, never too many, and one that ends badly stops only what reads it."""

import os
import signal
import subprocess
import sys
import time
from multiprocessing import forkserver
from pathlib import Path

import pytest

from hrvgan_lib.series import jobs
from hrvgan_lib.series.jobs import GAIN, Entry, Job, duration, one_by_one, priorities, side_by_side

SLEEP = "time.sleep(300)"


class Diary:
    """What all jobs of a test have written down, in the order in which it happened: (name, word) pairs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, name: str, word: object) -> None:
        with open(self.path, "a", encoding="utf-8") as file:  # a short line is appended whole, whoever else writes
            file.write(f"{name}\t{word}\n")

    def notes(self) -> list[tuple[str, str]]:
        text = self.path.read_text() if self.path.exists() else ""
        return [tuple(line.split("\t", 1)) for line in text.splitlines()]

    def words(self, name: str) -> list[str]:
        return [word for whose, word in self.notes() if whose == name]

    def named(self, word: str) -> list[str]:
        return [name for name, said in self.notes() if said == word]

    def await_words(self, *names: str, word: str = "begins") -> None:
        until(lambda: {*names} <= {*self.named(word)})


def until(true, seconds: float = 60.0) -> None:
    """Wait for what has to come; a test that waits in vain fails."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def does(path: Path, name: str, todo: str = "pass") -> Entry:
    """A job, in a process of its own: it does what the test asks for."""
    diary = Diary(path)
    diary.note(name, f"pid {os.getpid()}")
    diary.note(name, "begins")
    scope = {"diary": diary, "os": os, "signal": signal, "time": time, "until": until}
    exec(todo, scope)
    diary.note(name, "ends")
    return scope.get("entry") or Entry(name, "ok", 1.5, 100.0, error="")


@pytest.fixture(scope="module", autouse=True)
def quick_server():
    """Jobs of these tests need neither torch nor papermill; a server that runs already stays as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "PRELOAD", ["pytest", "hrvgan_lib.series.jobs"])
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("OMP_WAIT_POLICY", "passive")
        jobs.start_server()
        yield


@pytest.fixture
def diary(tmp_path):
    yield Diary(tmp_path / "diary")
    assert not left_behind()


def left_behind() -> list[int]:
    """Processes of jobs that are still there: what the server has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = status.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # gone meanwhile
            continue
        if int(parent) == forkserver._forkserver._forkserver_pid and state != "Z":
            found.append(int(status.parent.name))
    return found


class Run:
    """One call of the driver, and what it told of it."""

    def __init__(self, diary: Diary) -> None:
        self.diary, self.jobs, self.on_tick = diary, [], lambda running: None
        self.told: list[tuple[str, str]] = []
        self.running: list[set[str]] = []

    def add(self, name: str, todo: str = "pass", needs: str = "", cost: float = 1.0, after: str = "") -> None:
        given = (self.diary.path, name, todo)
        self.jobs.append(Job(name, does, given, frozenset(needs.split()), cost, frozenset(after.split())))

    def tick(self, running):
        assert all(seconds >= 0 for seconds in running.values())
        self.running.append({*running})
        self.on_tick(running)

    def __call__(self, slots: int = 2, doing=side_by_side) -> dict[str, Entry]:
        return doing(self.jobs, slots, lambda job, entry: self.told.append((job.name, entry.status)), self.tick)


@pytest.fixture
def run(diary):
    return Run(diary)


# The order ------------------------------------------------------------------------------------------------------------
def test_a_job_ranks_by_the_longest_chain_that_begins_with_it(run):
    run.add("short", cost=1)
    run.add("long", cost=5)
    run.add("alone", cost=2)
    run.add("reader", needs="short first elsewhere", cost=4.5)
    run.add("first", cost=2)
    run.add("last", after="reader", cost=1)
    assert priorities(run.jobs) == {"short": 6.5, "long": 5, "alone": 2, "reader": 5.5, "first": 7.5, "last": 1}
    assert priorities(run.jobs[::-1]) == priorities(run.jobs)  # however they stand


def test_of_what_can_start_the_longest_chain_does(run):
    run.add("brief", cost=1)
    run.add("reader", needs="source", cost=3)
    run.add("long", cost=4)
    run.add("source", cost=2)
    ended = run(slots=1)
    order = ["source", "long", "reader", "brief"]  # 5, 4, 3, 1
    assert run.diary.named("begins") == order and list(ended) == order
    assert run.told == [(name, "ok") for name in order]


def test_never_more_at_once_than_there_are_slots_and_never_fewer_without_need(run):
    for name in "abcd":  # each pair has to be there at the same time, or neither comes to its end
        run.add(
            name, f"until(lambda: len(diary.named('begins')) >= {2 if name in 'ab' else 4})", cost=5 - "abcd".find(name)
        )
    assert all(entry.status == "ok" for entry in run(slots=2).values())
    there, most = 0, 0
    for _, word in run.diary.notes():
        there += {"begins": 1, "ends": -1}.get(word, 0)
        most = max(most, there)
    assert most == 2 and max(map(len, run.running)) == 2
    assert {*run.running[-1]} <= {*"abcd"}


def test_a_job_starts_when_all_that_it_needs_has_ended_well(run):
    run.add("late", needs="one other", cost=9)
    run.add("one")
    run.add("other", "diary.await_words('one', word='ends'); time.sleep(0.3)")
    run.add("free", needs="nobody of these")  # what is no job of this run is there
    run(slots=4)
    notes = run.diary.notes()
    assert notes.index(("late", "begins")) > max(notes.index(("one", "ends")), notes.index(("other", "ends")))
    assert run.diary.words("free")[-1] == "ends"


def test_what_was_done_before_is_good_enough(run):
    run.add("cached", "from hrvgan_lib.series.jobs import Entry; entry = Entry('cached', 'cached')")
    run.add("reader", needs="cached")
    assert [entry.status for entry in run().values()] == ["cached", "ok"]


# What ends badly ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "todo, status, error",
    [
        ("raise ValueError('ö, on\\n  two lines')", "failed", "ValueError: ö, on two lines"),
        (
            "from hrvgan_lib.series.jobs import Entry; entry = Entry('bad', 'timed_out', error='late')",
            "timed_out",
            "late",
        ),
        ("os.kill(os.getpid(), 9)", "killed", "its process was ended by signal 9 (out of memory?)"),
        ("os.kill(os.getpid(), 6)", "killed", "its process was ended by signal 6 (out of memory?)"),
        ("os._exit(3)", "killed", "exit status 3"),
        ("raise KeyboardInterrupt", "failed", "interrupted"),
    ],
)
def test_a_job_that_ends_badly_says_so_and_stops_only_what_reads_it(run, todo, status, error):
    run.add("bad", todo, cost=9)
    run.add("reader", needs="bad good")
    run.add("reader's reader", needs="reader", cost=20)
    run.add("good", "diary.await_words('bad')")  # runs on beside it
    run.add("good reader", needs="good")
    ended = run()
    assert {name: entry.status for name, entry in ended.items()} == {
        "bad": status, "reader": "not_reached", "reader's reader": "not_reached", "good": "ok", "good reader": "ok",
    }  # fmt: skip
    assert ended["bad"].error == error and ended["bad"].name == "bad" and ended["bad"].seconds >= 0
    assert {*run.diary.named("begins")} == {"bad", "good", "good reader"}
    assert sorted(run.told) == sorted((name, entry.status) for name, entry in ended.items())


@pytest.mark.parametrize("doing", [side_by_side, one_by_one])
def test_who_only_waits_begins_when_all_others_have_ended_well_or_not(run, doing):
    run.add("bad", "from hrvgan_lib.series.jobs import Entry; entry = Entry('bad', 'failed')")
    run.add("reader", needs="bad")
    run.add("good", "time.sleep(0.5)")
    run.add("ledger", after="bad reader good elsewhere", cost=9)
    run.add("its reader", needs="ledger")
    ended = run(slots=3, doing=doing)
    assert {name: entry.status for name, entry in ended.items()} == {
        "bad": "failed", "reader": "not_reached", "good": "ok", "ledger": "ok", "its reader": "ok",
    }  # fmt: skip
    notes = run.diary.notes()
    assert notes.index(("ledger", "begins")) > notes.index(("good", "ends"))


def test_an_entry_comes_back_as_the_job_left_it(run):
    run.add("a")
    (entry,) = run().values()
    assert vars(entry) == vars(Entry("a", "ok", 1.5, 100.0))


def test_a_long_story_holds_nobody_up(run):
    def patience(running):
        assert sum(running.values()) < 60, "the job waits for the driver, the driver for the job"

    run.on_tick = patience
    run.add("a", "raise ValueError(300_000 * 'x')")
    (entry,) = run().values()
    assert entry.status == "failed" and entry.error.startswith("ValueError: xxx")


@pytest.mark.parametrize("status, good", [("ok", True), ("cached", True), ("failed", False), ("timed_out", False),
                                          ("killed", False), ("not_reached", False)])  # fmt: skip
def test_only_what_is_done_is_good(status, good):
    assert Entry("a", status).good is good and Entry("a").status == "not_reached"


# An end from outside --------------------------------------------------------------------------------------------------
def interrupting(run, *names, first=lambda: None):
    """An on_tick that interrupts once the jobs of these names have begun."""

    def on_tick(running):
        if {*names} <= {*running}:
            run.diary.await_words(*names)
            first()
            raise KeyboardInterrupt

    return on_tick


def test_an_interrupt_ends_every_job_and_starts_no_other(run):
    run.on_tick = interrupting(run, "a", "b")
    run.add("a", SLEEP)
    run.add("b", SLEEP)
    run.add("c")
    with pytest.raises(KeyboardInterrupt):
        run()
    assert not left_behind()
    assert sorted(run.told) == [("a", "failed"), ("b", "failed")]
    assert not run.diary.named("ends") and not run.diary.words("c")


def test_the_interrupted_say_so(run):
    told = []
    run.on_tick = interrupting(run, "a")
    run.add("a", SLEEP)
    with pytest.raises(KeyboardInterrupt):
        side_by_side(run.jobs, 1, lambda job, entry: told.append(entry), run.tick)
    (entry,) = told
    assert (entry.name, entry.status, entry.error) == ("a", "failed", "interrupted") and entry.seconds >= 0


def test_a_job_that_ended_just_before_the_interrupt_spares_nobody(run):
    def gone():
        pid = int(run.diary.words("a")[0].split()[1])
        until(lambda: not Path(f"/proc/{pid}").exists())

    run.on_tick = interrupting(run, "a", "b", first=gone)
    run.add("a")
    run.add("b", SLEEP)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert not left_behind()
    assert run.told == [("a", "ok"), ("b", "failed")]  # a was done


def test_a_job_that_tidies_up_is_not_interrupted_twice(run):
    def as_a_terminal_does():  # Ctrl-C reaches the jobs too, before the driver tells them
        os.kill(int(run.diary.words("a")[0].split()[1]), signal.SIGINT)
        run.diary.await_words("a", word="tidies up")

    run.on_tick = interrupting(run, "a", first=as_a_terminal_does)
    run.add(
        "a", f"try: {SLEEP}\nfinally:\n  diary.note('a', 'tidies up')\n  time.sleep(1)\n  diary.note('a', 'is tidy')"
    )
    with pytest.raises(KeyboardInterrupt):
        run()
    assert run.diary.words("a")[-1] == "is tidy"


def test_an_interrupt_while_a_job_starts_leaves_none_behind(run, monkeypatch):
    read_signed = forkserver.read_signed

    def interrupted(pipe):  # what says that the process is there
        number = read_signed(pipe)
        monkeypatch.setattr(forkserver, "read_signed", read_signed)
        signal.raise_signal(signal.SIGINT)
        return number

    monkeypatch.setattr(forkserver, "read_signed", interrupted)
    run.add("a", SLEEP)
    with pytest.raises(KeyboardInterrupt):
        run()
    try:
        assert not left_behind()
    finally:
        for pid in left_behind():
            os.kill(pid, signal.SIGKILL)


KILLED = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from test_jobs import SLEEP, does, jobs
jobs.PRELOAD = ["test_jobs"]
given = (Path(sys.argv[1]), "a", f"try: {{SLEEP}}\\nfinally: diary.note('a', 'tidies up')")
jobs.side_by_side([jobs.Job("a", does, given)], 1, print, lambda running: None)
"""


def test_a_job_does_not_outlive_a_killed_driver(diary):
    script = KILLED.format(path=[str(Path(__file__).parent), str(Path(__file__).parents[1])])
    driver = subprocess.Popen([sys.executable, "-c", script, diary.path])
    diary.await_words("a")
    driver.kill()
    driver.wait()
    job = Path("/proc", diary.words("a")[0].split()[1])
    until(lambda: not job.exists())
    assert diary.words("a")[-1] == "tidies up"


# One after the other --------------------------------------------------------------------------------------------------
def test_one_by_one_runs_in_this_process_in_the_order_given(run):
    run.add("a")
    run.add("b", needs="a nobody", cost=9)
    ended = run(doing=one_by_one)
    assert list(ended) == run.diary.named("begins") == ["a", "b"] and run.told == [("a", "ok"), ("b", "ok")]
    assert {word for _, word in run.diary.notes() if word.startswith("pid")} == {f"pid {os.getpid()}"}


def test_one_by_one_goes_on_behind_a_failure_and_past_what_reads_it(run):
    bad = "from hrvgan_lib.series.jobs import Entry; entry = Entry('bad', 'failed')"
    run.add("bad", bad)
    run.add("reader", needs="bad")
    run.add("its reader", needs="reader")
    run.add("good")
    run(doing=one_by_one)
    assert run.told == [("bad", "failed"), ("reader", "not_reached"), ("its reader", "not_reached"), ("good", "ok")]


def test_one_by_one_tells_of_an_interrupt_and_passes_it_on(run):
    run.add("a", "raise KeyboardInterrupt")
    run.add("b")
    with pytest.raises(KeyboardInterrupt):
        run(doing=one_by_one)
    assert run.told == [("a", "failed")] and not run.diary.words("b")


def test_one_by_one_tells_while_a_job_runs_and_never_beside_its_end(run):
    told = []
    run.on_tick = lambda running: told.append(running)
    run.add("long", f"time.sleep({2.5 * jobs.TICK})")
    run.add("short")
    run(doing=one_by_one)
    assert [{*one} for one in told] == run.running and {*told[-1]} == {"short"}
    seconds = [one["long"] for one in told if "long" in one]
    assert len(seconds) >= 2 and seconds[0] < jobs.TICK <= seconds[1] and seconds == sorted(seconds)
    before = len(told)
    time.sleep(1.5 * jobs.TICK)
    assert len(told) == before  # nobody ticks on


def test_jobs_take_as_long_as_their_longest_chain_or_as_there_is_work_for_all():
    def job(name: str, cost: float, *needs: str) -> Job:
        return Job(name, does, needs=frozenset(needs), cost=cost)

    assert duration([], 2) == 0
    chain = [job("a", 3), job("b", 4, "a"), job("c", 1, "b")]
    assert duration(chain, 1) == duration(chain, 8) == 8
    many = [job(str(number), 2) for number in range(30)]
    assert duration(many, 1) == 60 and duration(many, 2) == pytest.approx(60 / 2**GAIN)
    assert 60 / 2 < duration(many, 2) < 60 and duration(many + chain, 1) == 68
