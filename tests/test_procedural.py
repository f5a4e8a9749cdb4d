"""Stand-ins: deterministic, in the real formats, resumable, and told apart by motion only."""

import csv
import dataclasses
import hashlib
import importlib
import io
import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from hrvgan_lib import data
from hrvgan_lib.data import read_video, store
from hrvgan_lib.data.formats import ucf101
from hrvgan_lib.data.formats.video import open_video
from hrvgan_lib.data.standin import scenes
from hrvgan_lib.data.standin import writing as procedural


@pytest.mark.parametrize(
    "draw",
    [
        lambda seed: scenes.action_frames(seed, "TaiChi", 3, 1, 4),
        lambda seed: scenes.golf_frames(seed, 1, 0, 4),
        lambda seed: scenes.aeroplane_frames(seed, 1, 0, 4),
        lambda seed: scenes.strip_frames(seed, 3, 2, False, 4),
    ],
    ids=["actions", "golf", "aeroplane", "strips"],
)
def test_frames_follow_from_the_seed_and_move(draw):
    first, again, other = draw(0), draw(0), draw(1)
    assert first.dtype == np.uint8 and np.array_equal(first, again) and not np.array_equal(first, other)
    assert (np.abs(np.diff(first.astype(int), axis=0)).mean(axis=(1, 2, 3)) > 0.1).all()


@contextmanager
def sketching() -> Iterator[SimpleNamespace]:
    """Drawings of a few pixels, in this process: enough wherever only files and their lists are tested."""

    def sketch(shape: tuple[int, int], *place: object, frames: int, mirrored: bool = False) -> np.ndarray:
        drawn.append(place)
        lengths.append(frames)
        smooth = scenes.rng_for(*place).integers(0, 256, (frames, 1, shape[1], 3), np.uint8)
        return np.broadcast_to(np.sort(smooth, axis=2)[:, :, :: -1 if mirrored else 1], (frames, *shape, 3))

    drawn: list[tuple] = []
    lengths: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenes, "action_frames", lambda *job: sketch((16, 32), "action", *job[:-1], frames=job[-1]))
        patch.setattr(
            scenes, "strip_frames",
            lambda seed, label, who, mirrored, n: sketch((64, 64), seed, label, who, frames=n, mirrored=mirrored),
        )  # fmt: skip
        for kind in procedural.STACKS:
            patch.setitem(
                procedural.STACKS, kind, lambda *job, kind=kind: sketch((128, 128), kind, *job[:-1], frames=job[-1])
            )
        patch.setattr(procedural, "FEW", 10**6)
        yield SimpleNamespace(drawn=drawn, lengths=lengths)


@pytest.fixture
def sketches():
    with sketching() as notes:
        yield notes


@pytest.fixture
def unsaved(monkeypatch):
    """Images are not encoded: their files are there, and empty."""
    monkeypatch.setattr(Image.Image, "save", lambda image, path, *how, **options: Path(path).touch())


@pytest.fixture(scope="module")
def actions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "a" / "actions"
    with sketching():
        return procedural.write_actions(folder, 3, clips_per_group=2, frames=1)


@pytest.fixture(scope="module")
def stacks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    with sketching():
        return {kind: procedural.write_stacks(folder / kind, kind, 2, 5, 4) for kind in ("golf", "aeroplane")}


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    with sketching():
        return procedural.write_strips(tmp_path_factory.mktemp("data") / "weizmann", frames=2)


def recipe(folder: Path) -> dict:
    return json.loads((folder / "recipe.json").read_text())


@pytest.mark.parametrize("fold, held_out", [(1, range(1, 8)), (2, range(8, 15)), (3, range(15, 22))])
def test_actions_have_ucf101_layout_and_its_loader_reads_them(actions, fold, held_out):
    listing = ucf101.scan(actions, fold=fold)
    assert len(listing.classes) == 8 and {"JumpingJack", "TaiChi"} <= set(listing.classes)
    assert len(listing.entries) == 8 * 25 * 2 and not listing.missing
    assert len({entry.group for entry in listing.entries}) == 8 * 25
    for entry in listing.entries:
        assert (int(entry.group.split("/g")[1]) in held_out) == (entry.split == "test")
        assert listing.classes[entry.label] == entry.path.parent.name and entry.path.stem.endswith(("_c01", "_c02"))
    for path in (actions / "ucfTrainTestlist").iterdir():
        assert path.read_bytes().count(b"\r\n") == path.read_bytes().count(b"\n") > 0
    with open_video(listing.entries[0].path) as video:
        assert video.streams.video[0].average_rate == 25


def test_an_action_is_filmed_in_its_place(tmp_path, monkeypatch):
    """One of all 200 videos is drawn as it is; every file must hold the frames of its own class, group and clip."""
    jobs, draw = [], scenes.action_frames

    def some(*job) -> np.ndarray:
        jobs.append(job)
        return draw(*job) if job[1:3] == ("TaiChi", 9) else np.full((job[-1], 16, 16, 3), job[2], np.uint8)

    monkeypatch.setattr(scenes, "action_frames", some)
    monkeypatch.setattr(procedural, "FEW", 1000)
    folder = procedural.write_actions(tmp_path / "actions", seed=3, clips_per_group=1, frames=2)
    assert jobs == [(3, name, group, 1, 2) for name in scenes.MOTIONS for group in range(1, 26)]
    frames = read_video(folder / "UCF-101/TaiChi/v_TaiChi_g09_c01.avi")
    assert frames.shape == (2, 240, 320, 3)
    assert np.abs(frames.astype(int) - draw(3, "TaiChi", 9, 1, 2)).mean() < 8  # MPEG-4 keeps the picture
    assert abs(read_video(folder / "UCF-101/HighKick/v_HighKick_g21_c01.avi").mean() - 21) < 4


@pytest.mark.parametrize("kind", ["golf", "aeroplane"])
def test_stacks_are_read_by_the_loader_of_golf(stacks, kind):
    listing = data.scan(kind, stacks[kind])
    assert len(listing.entries) == 5 * 4 and not listing.missing
    assert {entry.split for entry in listing.entries} == {"train", "test"}
    assert len({entry.group for entry in listing.entries}) == 5
    assert {listing.decode(entry.path).shape[1:] for entry in listing.entries} == {(128, 128, 3)}
    assert [path.name for path in sorted(stacks[kind].iterdir())] == sorted(
        ["frames-stable-many", f"{kind}.txt", "recipe.json"]
    )


def test_most_stacks_have_32_frames_and_the_others_what_the_format_allows(sketches, unsaved, tmp_path):
    procedural.write_stacks(tmp_path / "golf", "golf", videos=30, clips_per_video=5)
    assert set(sketches.lengths) == {16, 23, 29, 32, 33, 34}
    assert 0.08 < 1 - sketches.lengths.count(32) / 150 < 0.22  # 15 % by the recipe


def test_a_stack_is_a_jpeg_of_quality_92_and_a_strip_a_png_with_an_alpha_channel(sketches, stacks, people):
    path = stacks["golf"] / "frames-stable-many/videos/golf0003.mp4/0002.jpg"
    rng = scenes.rng_for(2, "golf", 3, 2, "length")
    frames = int(rng.choice([16, 23, 29, 33, 34])) if rng.uniform() < 0.15 else 32
    drawn = Image.fromarray(procedural.STACKS["golf"](2, 3, 2, frames).reshape(-1, 128, 3))
    drawn.save(content := io.BytesIO(), "JPEG", quality=92)
    assert path.read_bytes() == content.getvalue()
    strip = Image.open(next((people / "actions").rglob("*.jpg")))
    assert (strip.format, strip.mode, strip.height) == ("PNG", "RGBA", 64)
    strip.save(content := io.BytesIO(), "PNG", compress_level=3)
    assert Path(strip.filename).read_bytes() == content.getvalue()


def test_strips_are_read_by_the_loader_of_weizmann(people):
    listing = data.scan("weizmann", people)
    assert len(listing.entries) == 9 * 4 * 2 and len(listing.classes) == 4
    for plain, mirrored in zip(listing.entries[::2], listing.entries[1::2]):
        assert (plain.label, plain.group) == (mirrored.label, mirrored.group)
        assert np.array_equal(listing.decode(plain.path)[:, :, ::-1], listing.decode(mirrored.path))


def test_the_manifest_says_of_every_strip_what_is_in_it(people):
    with open(people / "manifest.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert b"\r" not in (people / "manifest.csv").read_bytes()
    assert sorted({(row["person"], row["class"]) for row in rows}) == [(str(p), c) for p in range(9) for c in "0134"]
    assert [row["hflip_pair"] for row in rows] == ["0", "1"] * 36
    for number, row in enumerate(rows):
        path, frames = people / row["path"], int(row["frames"])
        assert row["path"] == f"actions/{row['class']}/{number:08d}.jpg"
        assert Image.open(path).size == (64 * frames, 64) and (row["height"], row["width"]) == ("64", "64")
        assert int(row["bytes"]) == path.stat().st_size
        assert row["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_strips_are_up_to_16_frames_longer_than_asked_for(sketches, unsaved, tmp_path):
    for seed in range(3):
        procedural.write_strips(tmp_path / str(seed), seed=seed, frames=1)
    assert {min(sketches.lengths), max(sketches.lengths)} == {1, 17}


@pytest.mark.parametrize(
    "write, kind, parts",
    [
        (procedural.write_actions, "actions", {"clips_per_group": 2, "frames": 48}),
        (lambda folder: procedural.write_stacks(folder, "golf"), "golf", {"videos": 12, "clips_per_video": 8}),
        (procedural.write_strips, "strips", {"frames": 48}),
    ],
)
def test_a_folder_says_what_it_was_made_from(tmp_path, monkeypatch, write, kind, parts):
    monkeypatch.setitem(procedural.KINDS, kind, (lambda recipe: [], None, lambda folder, recipe: None))
    folder = write(tmp_path / kind)
    made = {"procedural": True, "version": procedural.VERSION, "kind": kind, "seed": 0} | parts
    assert (folder / "recipe.json").read_text() == json.dumps(made, indent=1) + "\n"  # another text: another folder


def test_an_interrupted_writing_goes_on_and_a_foreign_folder_is_kept(sketches, tmp_path):
    folder = procedural.write_stacks(tmp_path / "golf", "golf", videos=2, clips_per_video=2)
    kept, redone = sorted((folder / "frames-stable-many").rglob("*.jpg"))[:2]
    before, stamp, name = redone.read_bytes(), kept.stat().st_mtime_ns, redone.relative_to(folder)
    assert sketches.drawn == [("golf", 0, video, clip) for video in (0, 1) for clip in (0, 1)]
    redone.unlink()
    (redone.parent / f"part-1-{redone.name}").write_bytes(b"half a JPEG")
    folder.rename(tmp_path / ".golf.part")  # what a kill leaves behind
    assert procedural.write_stacks(folder, "golf", videos=2, clips_per_video=2) == folder
    assert (folder / name).read_bytes() == before and kept.stat().st_mtime_ns == stamp
    assert not list(tmp_path.rglob("*part*"))
    sketches.drawn.clear()
    assert procedural.write_stacks(folder, "golf", videos=2, clips_per_video=2) == folder and not sketches.drawn
    with pytest.raises(FileExistsError, match="remove it or use another folder"):
        procedural.write_stacks(folder, "golf", seed=1, videos=2, clips_per_video=2)
    assert recipe(folder)["procedural"] is True and recipe(folder)["seed"] == 0
    (folder / "recipe.json").unlink()
    with pytest.raises(FileExistsError):
        procedural.write_stacks(folder, "golf", videos=2, clips_per_video=2)


def test_what_another_recipe_left_unfinished_is_thrown_away(sketches, tmp_path):
    for kind, write in (
        ("golf", lambda folder, seed: procedural.write_stacks(folder, "golf", seed, videos=1, clips_per_video=2)),
        ("weizmann", lambda folder, seed: procedural.write_strips(folder, seed, frames=1)),
    ):
        write(tmp_path / kind, 0).rename(tmp_path / f".{kind}.part")
        (tmp_path / f".{kind}.part" / "from the other").touch()
        write(tmp_path / kind, 1)
        write(tmp_path / "fresh" / kind, 1)
        files = [sorted(p.relative_to(f) for p in f.rglob("*")) for f in (tmp_path / kind, tmp_path / "fresh" / kind)]
        assert files[0] == files[1]
        for name in files[0]:
            both = tmp_path / kind / name, tmp_path / "fresh" / kind / name
            assert both[0].is_dir() or both[0].read_bytes() == both[1].read_bytes()


def test_a_kill_among_the_lists_is_no_obstacle(sketches, actions):
    before = {path.name: path.read_bytes() for path in (actions / "ucfTrainTestlist").iterdir()}
    actions.rename(actions.with_name(".actions.part"))
    procedural.write_actions(actions, 3, clips_per_group=2, frames=1)
    assert not sketches.drawn  # all videos are there
    assert {path.name: path.read_bytes() for path in (actions / "ucfTrainTestlist").iterdir()} == before


def test_a_writing_that_fails_leaves_no_half_file(tmp_path, monkeypatch):
    def fails(*job):
        raise KeyboardInterrupt

    monkeypatch.setitem(procedural.STACKS, "golf", fails)
    with pytest.raises(KeyboardInterrupt):
        procedural.write_stacks(tmp_path / "golf", "golf", videos=1, clips_per_video=1)
    assert not (tmp_path / "golf").exists() and not list(tmp_path.rglob("*.jpg"))


class Helper:
    """Stands where a second process would be started, and says what it was started with."""

    returncode, message, ended = 0, "", True

    def __init__(self, command: list[str], env: dict, **options) -> None:
        self.command, self.env, self.options, self.killed = command, env, options, False
        type(self).started.append(self)

    def communicate(self) -> tuple[None, str]:
        return None, self.message

    def poll(self) -> int | None:
        return self.returncode if self.ended else None

    def kill(self) -> None:
        self.killed = True


@pytest.fixture
def helpers(sketches, monkeypatch):
    class Fresh(Helper):
        pass

    Fresh.started = []
    monkeypatch.setattr(procedural, "FEW", 16)
    monkeypatch.setattr(subprocess, "Popen", Fresh)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2}, raising=False)
    return Fresh


@pytest.mark.parametrize("jobs, processes", [(15, 1), (16, 2), (31, 2), (32, 3), (100, 3)])
def test_many_files_are_shared_among_the_cores(helpers, sketches, unsaved, tmp_path, jobs, processes):
    folder = procedural.write_stacks(tmp_path / "golf", "golf", videos=jobs, clips_per_video=1)
    assert sketches.drawn == [("golf", 0, video, 0) for video in range(0, jobs, processes)]  # this process's share
    shares = [helper.command[-3:] for helper in helpers.started]
    assert shares == [[f"{folder.parent}/.golf.part", str(i), str(processes)] for i in range(1, processes)]
    assert len((folder / "golf.txt").read_text().splitlines()) == jobs


def test_helpers_run_this_library_and_keep_the_callers_path(helpers, unsaved, tmp_path, monkeypatch):
    package_root = Path(data.__file__).resolve().parents[2]
    for path, found in (("/elsewhere", [str(package_root), "/elsewhere"]), ("", [str(package_root)])):
        monkeypatch.setenv("PYTHONPATH", path)
        procedural.write_stacks(tmp_path / f"golf{len(path)}", "golf", videos=16, clips_per_video=1)
        assert helpers.started[-1].env == {**os.environ, "PYTHONPATH": os.pathsep.join(found)}
    assert helpers.started[-1].command[:3] == [sys.executable, "-m", procedural.__name__]


@pytest.mark.parametrize(
    "message, reason", [("Traceback:\n  a line\nMemoryError: no room\n", "MemoryError: no room"), ("", "exit code 7")]
)
def test_a_helper_that_fails_stops_the_writing(helpers, unsaved, tmp_path, message, reason):
    helpers.message, helpers.returncode = message, 7
    with pytest.raises(RuntimeError, match=rf"drawing into .* failed \({reason}\): run again to continue"):
        procedural.write_stacks(tmp_path / "golf", "golf", videos=16, clips_per_video=1)
    assert not (tmp_path / "golf").exists() and not helpers.started[0].killed


def test_no_helper_outlives_a_writing_that_fails(helpers, tmp_path, monkeypatch):
    def fails(*job):
        raise KeyboardInterrupt

    monkeypatch.setitem(procedural.STACKS, "golf", fails)
    helpers.ended = False
    with pytest.raises(KeyboardInterrupt):
        procedural.write_stacks(tmp_path / "golf", "golf", videos=40, clips_per_video=1)
    assert [helper.killed for helper in helpers.started] == [True, True]


def test_a_real_helper_draws_the_same_files_and_says_why_it_cannot(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/av.py").write_text("raise ImportError('a broken av')")
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match=r"failed \(ImportError: a broken av\)"):
        patch.setenv("PYTHONPATH", str(tmp_path / "broken"))
        procedural.write_stacks(tmp_path / "golf", "golf", videos=16, clips_per_video=1)
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / ".golf.part").rglob("*.jpg")}
    assert len(stamps) == 8  # this process's half
    folder = procedural.write_stacks(tmp_path / "golf", "golf", videos=16, clips_per_video=1)
    listing = data.scan("golf", folder)
    assert len(listing.entries) == 16
    assert {folder / path.relative_to(tmp_path / ".golf.part"): stamp for path, stamp in stamps.items()}.items() <= {
        entry.path: entry.path.stat().st_mtime_ns for entry in listing.entries
    }.items()
    helped = listing.decode(listing.entries[1].path)
    assert np.abs(helped.astype(int) - scenes.golf_frames(0, 1, 0, len(helped))).mean() < 3  # JPEG keeps the picture


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"'sea'.*golf, aeroplane"):
        procedural.write_stacks(tmp_path, "sea")


def test_what_is_said_of_a_data_set_cannot_be_changed_afterwards():
    found = pkgutil.walk_packages(data.__path__, f"{data.__name__}.")
    modules = [importlib.import_module(info.name) for info in found if "__main__" not in info.name]
    records = {one for module in (data, *modules) for one in vars(module).values() if dataclasses.is_dataclass(one)}
    assert len(records) >= 7 and all(record.__dataclass_params__.frozen for record in records)


def test_drawing_needs_no_torch():
    code = "import sys, hrvgan_lib.data.standin.writing; sys.exit('torch' in sys.modules)"
    path = os.pathsep.join(p for p in sys.path if p)
    assert subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}).returncode == 0


def held_out_accuracy(clips: torch.Tensor, labels: torch.Tensor, train: torch.Tensor, steps: int) -> float:
    """Train a small 3-D network on (N, 3, T, S, S) and test it on the other groups; T may be 1."""
    torch.manual_seed(0)
    stem = nn.Sequential(nn.Conv3d(3, 16, 3, (1, 2, 2), 1), nn.BatchNorm3d(16), nn.ReLU())
    deep = nn.Sequential(nn.Conv3d(16, 32, 3, 2, 1), nn.BatchNorm3d(32), nn.ReLU())
    deeper = nn.Sequential(nn.Conv3d(32, 64, 3, 2, 1), nn.BatchNorm3d(64), nn.ReLU())
    network = nn.Sequential(stem, deep, deeper, nn.Flatten(), nn.Dropout(0.5), nn.LazyLinear(len(labels.unique())))
    network(clips[:2])
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-3, steps)
    members = train.nonzero().flatten()
    for _ in range(steps):
        chosen = members[torch.randint(len(members), (32,))]
        light = 0.8 + 0.4 * torch.rand(32, 3, 1, 1, 1)  # actors differ: only the movement is to be learnt
        batch = clips[chosen] * light + 0.2 * torch.randn(32, 3, 1, 1, 1)
        mirrored, reversed_ = torch.rand(2, 32, 1, 1, 1, 1) < 0.5  # still the same movement
        batch = torch.where(mirrored, batch.flip(4), batch)
        batch = torch.where(reversed_, batch.flip(2), batch)
        loss = nn.functional.cross_entropy(network(batch), labels[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        correct = network.eval()(clips[~train]).argmax(1) == labels[~train]
    return correct.float().mean().item()


@pytest.fixture
def small_actions(monkeypatch):
    """Action videos of half the size, and one backdrop a group: drawn in a fifth of the time."""

    def backdrop(rng, *size) -> Image.Image:
        state = repr(rng.bit_generator.state)
        if state not in drawn:
            drawn[state] = draw(rng, *size), rng.bit_generator.state
        picture, rng.bit_generator.state = drawn[state]
        return picture

    drawn, draw = {}, scenes.backdrop
    monkeypatch.setattr(scenes, "WIDTH", 160)
    monkeypatch.setattr(scenes, "HEIGHT", 120)
    monkeypatch.setattr(scenes, "backdrop", backdrop)


def test_classes_differ_by_motion_and_not_by_appearance(small_actions):
    """Groups that nobody trained on: a frame tells less than half of what the clip tells."""
    jobs = [(name, group, clip) for name in scenes.MOTIONS for group in range(1, 26) for clip in range(2)]
    drawn = [store.fit(scenes.action_frames(7, *job, frames=6, every=5), 24) for job in jobs]
    clips = torch.from_numpy(np.stack(drawn)).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
    labels = torch.tensor([list(scenes.MOTIONS).index(name) for name, _, _ in jobs])
    train = torch.tensor([group not in procedural.HELD_OUT[1] for _, group, _ in jobs])
    clip_accuracy = held_out_accuracy(clips, labels, train, steps=120)
    frames = clips.permute(0, 2, 1, 3, 4).reshape(-1, 3, 1, 24, 24)  # every frame of every clip, on its own
    frame_accuracy = held_out_accuracy(frames, labels.repeat_interleave(6), train.repeat_interleave(6), steps=300)
    print(f"one frame {frame_accuracy:.3f}, the clip {clip_accuracy:.3f}")
    assert clip_accuracy >= 0.8 and frame_accuracy < clip_accuracy / 2
