"""`python -m hrvgan_lib.training`: what it trains, what it says, and that a run's chapters find what it leaves."""

import subprocess
import sys
from pathlib import Path

import pytest
from test_mishaps import status_of

from hrvgan_lib import book, launch
from hrvgan_lib.book import learning
from hrvgan_lib.checkpoints import load_checkpoint
from hrvgan_lib.series import reproduce
from hrvgan_lib.trainings import trainings

ROOT = Path(__file__).resolve().parents[1]
TINY = "--system vgan --frames 8 --size 16 --stride 1 --batch 4 --set width=0.05 --no-labels".split()


@pytest.mark.parametrize("word, meant", [
    ("width=0.25", ("width", 0.25)), ("latent=frames", ("latent", "frames")), ("change=false", ("change", False)),
    ("betas=[0.5, 0.9]", ("betas", (0.5, 0.9))), ("recipe=a=b", ("recipe", "a=b")),
])  # fmt: skip
def test_an_option_is_read_as_it_is_meant(word, meant):
    assert launch.option(word) == meant


def test_a_training_is_carried_out_goes_on_and_is_found_again(tmp_path, capsys):
    words = [*TINY, "--data", "golf", "--folder", str(tmp_path), "--steps"]
    assert status_of(launch.main, [*words, "3"]) == 0
    said = capsys.readouterr().out
    (place,) = tmp_path.iterdir()
    assert said.startswith(f"{place.name}: 3 steps of 4 clips\n") and "step 3 of 3" in said and "done: 3 steps" in said
    assert load_checkpoint(place)["step"] == 3
    assert status_of(launch.main, [*words, "3"]) == 0  # it is there
    assert "step 3" not in capsys.readouterr().out


def test_a_training_that_diverges_ends_with_one(tmp_path, capsys):
    words = [*TINY, "--data", "golf", "--folder", str(tmp_path), "--steps", "4", "--set", "learning_rate=1e30"]
    assert status_of(launch.main, words) == 1
    assert "diverged at step" in capsys.readouterr().out


@pytest.mark.parametrize("profile, rehearse", [("smoke", False), ("gpu*0.5", True)])
def test_a_run_asks_for_the_training_that_its_chapters_will_look_for(profile, rehearse, monkeypatch):
    """The same folder, so the same key, from the words as from the page: every system, options and labels."""
    page = book.open_page("99_launch", profile=profile, run="launch", rehearse=rehearse)
    small = [one for one in trainings(page.profile) if one.size <= 64 and one.data != "aeroplane"]
    seen = []
    monkeypatch.setattr(launch, "trained", lambda *given, **more: pytest.fail("not to be trained here"))
    monkeypatch.setattr(launch.ranks, "agree_on_work", lambda work: seen.append(work) or (_ for _ in ()).throw(Seen))
    for one in {(one.system, one.labels, repr(one.options)): one for one in small}.values():
        clips, how = learning.clips_of(page, one), learning.planned(page, one)
        with pytest.raises(Seen):
            launch.main.__wrapped__(learning.words_of(page, one, clips, how))
        assert seen[-1]["code, data or arithmetic"] == launch.plan(one.system, clips, page.profile, **how).folder
    assert len(seen) > 10


class Seen(Exception):
    """All that the test wants to know is known."""


def test_processes_that_cannot_share_a_batch_say_so(tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
               "-m", "hrvgan_lib.training", *TINY, "--data=golf", f"--folder={tmp_path}", "--steps=2"]  # fmt: skip
    command[command.index("vgan")] = "hrvgan"
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode and "in groups of 4 cannot be shared out to 2 processes" in done.stderr


# DEVICES=n ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("words, said", [
    ("--jobs 2", "DEVICES=2: all of them work on one training at a time, so JOBS=2 cannot be"),
    ("--minutes 5", "DEVICES=2: MINUTES= times the steps of one device"),
])  # fmt: skip
def test_what_devices_do_not_go_with_is_said(words, said):
    with pytest.raises(ValueError, match=said):
        reproduce.parse(["--profile", "smoke", "--devices", "2", *words.split()])


def test_more_devices_than_there_are_are_refused(monkeypatch):
    monkeypatch.setattr(reproduce, "default_profile", lambda: "gpu")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(ValueError, match="DEVICES=3: torch sees 1 CUDA device here"):
        reproduce.parse(["--profile", "smoke", "--devices", "3"])


def test_each_training_is_started_for_all_devices_and_then_read(monkeypatch):
    settings = reproduce.parse(["--profile", "smoke", "--devices", "2", "--run", "launch"])
    assert settings.devices == 2 and settings.jobs == 1 and "DEVICES=2" in settings.command
    calls = []
    monkeypatch.setattr(learning, "launch", lambda page, one, devices, own: calls.append((one.name, devices, own)))
    monkeypatch.setattr(learning, "learn", lambda page, one, own: calls.append(one.name))
    (one,) = [one for one in trainings(settings.profile) if one.name.startswith("hrvgan, actions, labels, 8x32, 8")][:1]
    assert reproduce.train_one(one, settings).good
    assert calls == [(one.name, 2, True), one.name]


def test_a_job_of_several_processes_that_fails_is_told_in_a_line(monkeypatch, tmp_path):
    page = book.open_page("99_launch", profile="smoke", run="launch")
    page.runs = tmp_path
    one = next(one for one in trainings(page.profile) if one.system == "vgan" and one.data == "golf")
    said = "print('process 1 waits for another that is gone'); import sys; sys.exit(3)"
    monkeypatch.setattr(learning, "words_of", lambda *given: [])
    run = subprocess.run

    def fails(words, **how):
        assert words[1:5] == ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
        return run([sys.executable, "-c", said], **how)

    monkeypatch.setattr(learning.subprocess, "run", fails)
    with pytest.raises(ChildProcessError, match=r"2 processes ended with status 3: process 1 waits for another"):
        learning.launch(page, one, 2, own=True)
    assert "process 1 waits" in (tmp_path / "partial/vgan-golf.log").read_text()
