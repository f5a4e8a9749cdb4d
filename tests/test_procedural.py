"""Stand-ins: deterministic, in the real formats, resumable, and told apart by motion only."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from hrvgan_lib import data
from hrvgan_lib.data import procedural, read_video, scenes, store, ucf101


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


def test_actions_have_ucf101_layout_and_its_loader_reads_them(tmp_path):
    folder = procedural.write_actions(tmp_path / "actions", seed=3, clips_per_group=1, frames=2)
    listing = ucf101.scan(folder, fold=1)
    assert len(listing.classes) == 8 and {"JumpingJack", "TaiChi"} <= set(listing.classes)
    assert len(listing.entries) == 8 * 25 and not listing.missing
    held_out = {entry.group.split("/g")[1] for entry in listing.entries if entry.split == "test"}
    assert held_out == {f"{group:02d}" for group in range(1, 8)}
    for path in (folder / "ucfTrainTestlist").iterdir():
        assert path.read_bytes().count(b"\r\n") == path.read_bytes().count(b"\n") > 0
    entry = listing.entries[0]
    frames = read_video(entry.path)
    assert frames.shape == (2, 240, 320, 3)
    drawn = scenes.action_frames(3, listing.classes[entry.label], int(entry.group.split("/g")[1]), 1, 2)
    assert np.abs(frames.astype(int) - drawn).mean() < 8  # MPEG-4 keeps the picture


@pytest.mark.parametrize("kind", ["golf", "aeroplane"])
def test_stacks_are_read_by_the_loader_of_golf(tmp_path, kind):
    folder = procedural.write_stacks(tmp_path / kind, kind, videos=5, clips_per_video=4)
    listing = data.scan(kind, folder)
    assert len(listing.entries) == 20 and not listing.missing
    assert {entry.split for entry in listing.entries} == {"train", "test"}
    lengths = [len(listing.decode(entry.path)) for entry in listing.entries]
    assert max(set(lengths), key=lengths.count) == 32 and 16 <= min(lengths) < 32 and max(lengths) <= 34


def test_strips_are_read_by_the_loader_of_weizmann(tmp_path):
    folder = procedural.write_strips(tmp_path / "weizmann", frames=3)
    listing = data.scan("weizmann", folder)
    assert len(listing.entries) == 9 * 4 * 2 and len(listing.classes) == 4
    plain, mirrored = (listing.decode(listing.entries[i].path) for i in (0, 1))
    assert np.array_equal(plain[:, :, ::-1], mirrored)


def test_an_interrupted_writing_goes_on_and_a_foreign_folder_is_kept(tmp_path):
    folder = procedural.write_stacks(tmp_path / "golf", "golf", videos=2, clips_per_video=2)
    kept, redone = sorted((folder / "frames-stable-many").rglob("*.jpg"))[:2]
    before, stamp, name = redone.read_bytes(), kept.stat().st_mtime_ns, redone.relative_to(folder)
    redone.unlink()
    folder.rename(tmp_path / ".golf.part")  # what a kill leaves behind
    assert procedural.write_stacks(folder, "golf", videos=2, clips_per_video=2) == folder
    assert (folder / name).read_bytes() == before and kept.stat().st_mtime_ns == stamp
    with pytest.raises(FileExistsError, match="remove it or use another folder"):
        procedural.write_stacks(folder, "golf", seed=1, videos=2, clips_per_video=2)
    assert json.loads((folder / "recipe.json").read_text())["procedural"] is True


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"'sea'.*golf, aeroplane"):
        procedural.write_stacks(tmp_path, "sea")


def test_drawing_needs_no_torch():
    code = "import sys, hrvgan_lib.data.procedural; sys.exit('torch' in sys.modules)"
    path = os.pathsep.join(p for p in sys.path if p)
    assert subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}).returncode == 0


def held_out_accuracy(clips: torch.Tensor, labels: torch.Tensor, train: torch.Tensor, steps: int) -> float:
    """Train a small 3-D network on (N, 3, T, 32, 32) and test it on the other groups; T may be 1."""
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


def test_classes_differ_by_motion_and_not_by_appearance():
    """Groups that nobody trained on: a frame tells less than half of what the clip tells."""
    jobs = [(name, group, clip) for name in scenes.MOTIONS for group in range(1, 26) for clip in range(2)]
    drawn = [store.fit(scenes.action_frames(7, *job, frames=8, every=4), 32) for job in jobs]
    clips = torch.from_numpy(np.stack(drawn)).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
    labels = torch.tensor([list(scenes.MOTIONS).index(name) for name, _, _ in jobs])
    train = torch.tensor([group not in procedural.HELD_OUT[1] for _, group, _ in jobs])
    clip_accuracy = held_out_accuracy(clips, labels, train, steps=120)
    frames = clips.permute(0, 2, 1, 3, 4).reshape(-1, 3, 1, 32, 32)  # every frame of every clip, on its own
    frame_accuracy = held_out_accuracy(
        frames, labels.repeat_interleave(8), train.repeat_interleave(8), steps=300
    )
    print(f"one frame {frame_accuracy:.3f}, the clip {clip_accuracy:.3f}")
    assert clip_accuracy >= 0.8 and frame_accuracy < clip_accuracy / 2
