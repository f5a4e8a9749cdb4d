"""`python -m hrvgan_lib.predict`: any video in, the continued clip out, and one line for whatever is wrong."""

import subprocess
import sys
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
import torch

from hrvgan_lib import predict
from hrvgan_lib.checkpoints import save_generator
from hrvgan_lib.data import read_video
from hrvgan_lib.data.formats.video import frame_rate, write_video
from hrvgan_lib.networks import build_system


def moving(frames: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A bright bar that moves to the right by one pixel a frame: uint8 (T, H, W, 3)."""
    video = np.full((frames, height, width, 3), 40, np.uint8)
    for number in range(frames):
        video[number, 8:-8, 4 + number : 12 + number] = (220, 120, 60)
    return video


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A predictor that has learned nothing: what it adds is the last frame, held."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    for name, system in (
        ("predictor", build_system("prediction", frames=8, size=16, width=1 / 16)),
        ("labelled", build_system("prediction", frames=8, size=16, width=1 / 16, n_classes=2)),
        ("generator", build_system("hrvgan", frames=8, size=16, width=1 / 16)),
    ):
        torch.nn.init.zeros_(system.sampler.layers[-2].weight)
        save_generator(folder / f"{name}.safetensors", system, stride=4, classes=["jump", "walk"])
    return folder


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / "bar.avi", moving(33))


def run(capsys, *words):
    status = predict.main([str(word) for word in words])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_a_video_is_continued_plays_and_starts_where_the_input_ends(weights, video, tmp_path, capsys):
    out = tmp_path / "new" / "out.mp4"
    status, said, _ = run(capsys, "--weights", weights / "predictor.safetensors", video, "-o", out)
    assert status == 0 and "9 frames of bar.avi (green), 4 predicted (orange)" in said
    assert "64x48 to 16x16" in said and "25 to 6.25 frames a second" in said
    frames = read_video(out)
    assert len(frames) == 13 and frame_rate(out) == pytest.approx(6.25)
    corner = frames[:, 3, 3].astype(int)
    assert (corner[:9, 1] > corner[:9, 0]).all() and (corner[9:, 0] > corner[9:, 1]).all()  # green, then orange
    inside = frames[:, 8:-8, 8:-8].astype(int)
    assert np.abs(inside[9] - inside[8]).mean() < 3  # the first predicted frame goes on from the last one given
    assert np.abs(inside[8] - inside[4]).mean() > 3  # and the input had moved


def test_the_last_frame_of_the_video_is_the_last_one_given():
    assert predict.every(33, 25, 4 / 25).tolist() == [0, 4, 8, 12, 16, 20, 24, 28, 32]
    assert predict.every(35, 25, 4 / 25).tolist()[-3:] == [26, 30, 34]
    assert predict.every(66, 50, 4 / 25).tolist()[-3:] == [49, 57, 65]  # twice the rate: every eighth
    assert predict.every(10, 12.5, 4 / 25).tolist() == [1, 3, 5, 7, 9]
    assert predict.every(1, 25, 4 / 25).tolist() == [0]


def test_a_video_of_any_length_is_never_held(weights, tmp_path, capsys):
    """Twelve times the length takes no more memory at its peak than a copy of a few frames."""
    peaks = []
    for name, frames in (("short", 34), ("long", 400)):
        write_video(tmp_path / f"{name}.avi", np.repeat(moving(1, 480, 640), frames, axis=0))
        out = tmp_path / f"{name}.mp4"
        tracemalloc.start()
        assert run(capsys, "--weights", weights / "predictor.safetensors", tmp_path / f"{name}.avi", "-o", out)[0] == 0
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 4 * 480 * 640 * 3


def test_a_failure_leaves_the_older_film(weights, video, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out.mp4"
    out.write_bytes(b"older")
    monkeypatch.setattr(predict, "continued", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    status, _, error = run(capsys, "--weights", weights / "predictor.safetensors", video, "-o", out)
    assert status == 2 and "No space left" in error and out.read_bytes() == b"older"
    assert [path.name for path in tmp_path.glob(".tmp.*")] == []


def test_a_longer_horizon_and_a_label(weights, video, tmp_path, capsys):
    out = tmp_path / "out.mp4"
    status, said, _ = run(capsys, "--weights", weights / "predictor.safetensors", video, "-o", out, "--frames", 10)
    assert status == 0 and "10 predicted" in said and len(read_video(out)) == 19
    named = ("--weights", weights / "labelled.safetensors", video, "-o", out)
    assert run(capsys, *named, "--label", "walk")[0] == 0
    status, _, error = run(capsys, *named)
    assert status == 2 and "one of jump, walk" in error


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights": "generator.safetensors"}, "makes clips from noise"),
        ({"weights": "nothing.safetensors"}, "no such generator"),
        ({"video": "gone.avi"}, "no such video file"),
        ({"video": "short.avi"}, "give one of 0.52 s at least"),
        ({"video": "text.avi"}, "not a"),
        ({"out": "out.gif"}, "the output is an .mp4"),
        ({"more": ("--frames", -1)}, "give a number above 0"),
        ({"more": ("--label", "walk")}, "takes no label"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(weights, video, tmp_path, capsys, change, words):
    write_video(tmp_path / "short.avi", moving(12))
    (tmp_path / "text.avi").write_text("no video at all, but a text of some length\n" * 50)
    out = tmp_path / change.get("out", "out.mp4")
    status, said, error = run(
        capsys, "--weights", weights / change.get("weights", "predictor.safetensors"),
        tmp_path / change.get("video", "bar.avi"), "-o", out, *change.get("more", ()),
    )  # fmt: skip
    assert status == 2 and words in error and error.count("\n") == 1 and said == "" and not out.exists()


def test_a_frame_of_colour_has_even_sides_and_keeps_every_pixel():
    frames = np.arange(2 * 15 * 15 * 3, dtype=np.uint8).reshape(2, 15, 15, 3)
    canvas = predict.framed(frames, (1, 2, 3))
    assert canvas.shape[1] % 2 == 0 and canvas.shape[1] >= 255
    factor = 256 // 15
    assert (canvas[:, 8 : 8 + 15 * factor : factor, 8 : 8 + 15 * factor : factor] == frames).all()
    assert (canvas[:, :8] == (1, 2, 3)).all()


def test_the_rate_comes_from_the_file(tmp_path):
    assert frame_rate(write_video(tmp_path / "slow.avi", moving(12), fps=10)) == 10
    predict.write_mp4(tmp_path / "a.mp4", predict.framed(moving(4, 16, 16), (0, 0, 0)), Fraction(25, 4))
    assert frame_rate(tmp_path / "a.mp4") == pytest.approx(6.25)
    with pytest.raises(FileNotFoundError):
        frame_rate(tmp_path / "gone.avi")


def test_the_command_runs_from_the_shell(weights, video, tmp_path):
    words = [
        "-m",
        "hrvgan_lib.predict",
        "--weights",
        weights / "predictor.safetensors",
        video,
        "-o",
        tmp_path / "o.mp4",
    ]
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0 and "predicted (orange)" in done.stdout, done
