"""The short form of `make torture`: work that is killed and goes on, and spoilt files, a few of each kind."""

import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))
import fuzz
import torture

KILLS = {"packing": 2, "training hrvgan": 2, "training tgan": 1, "features": 1, "tables": 2}
SCENES = {scene.name: scene for scene in torture.SCENES}


@pytest.mark.parametrize("name", KILLS)
def test_work_that_is_killed_comes_to_the_same_end(name, tmp_path):
    assert torture.tortured(SCENES[name], KILLS[name], random.Random(name), tmp_path) == KILLS[name]


@pytest.mark.parametrize("name", [reader.name for reader in fuzz.READERS])
def test_a_good_file_is_read_and_spoilt_ones_are_refused_by_name(name, tmp_path):
    read, refused = fuzz.many(name, 10, 1, tmp_path)
    assert read + refused == 10


def test_a_loss_is_noticed(tmp_path):
    """Work that does not write what it should, and a reader that fails in its own way."""
    broken = torture.Scene("dice", lambda folder: [sys.executable, "-c", DICE], torture.contents("out.txt"))
    with pytest.raises(RuntimeError, match=r"dice: another result after 1 kills: out\.txt"):
        torture.tortured(broken, 1, random.Random(0), tmp_path)
    for code, said in (("print('-1\\tKeyError')", "file -1 .*KeyError"), ("import os; os.abort()", "exit status -6"),
                       ("print('-1\\tread'); print('0\\ta bad message')", "file 0 .*a bad message"),
                       ("print('-1\\tread')", "file 0 .*exit status 0")):  # fmt: skip
        with pytest.raises(RuntimeError, match=said):
            fuzz.many("toy", 3, 0, tmp_path, [sys.executable, "-c", code])
    fuzz_seconds, fuzz.SECONDS = fuzz.SECONDS, 1
    with pytest.raises(RuntimeError, match=r"file -1 .*hangs"):
        fuzz.many("toy", 3, 0, tmp_path, [sys.executable, "-c", "import time; time.sleep(60)"])
    fuzz.SECONDS = fuzz_seconds


@pytest.mark.parametrize("wrong, said", [
    (KeyError("inside"), "KeyError"), (ValueError("something is wrong"), "a bad message"),
    (ValueError("a.txt: two\nlines"), "a bad message"), (MemoryError(), "MemoryError"),
])  # fmt: skip
def test_how_a_reader_may_refuse(wrong, said, tmp_path):
    def read(path):
        raise wrong

    assert fuzz.outcome(read, tmp_path / "a.txt").startswith(said)
    wrong = ValueError(f"{tmp_path / 'a.txt'}: not a list; mend it")
    assert fuzz.outcome(read, tmp_path / "a.txt") == "refused" and fuzz.outcome(str, tmp_path) == "read"


DICE = """
import os, time
from pathlib import Path
Path("begun").touch()
time.sleep(1)
Path("out.txt").write_text(str(os.getpid()))
"""
