"""Data: readers, splits, the packed store, windows; every bad file and what is said about it."""

import csv
import errno
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from functools import wraps
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import torch
from PIL import Image

from hrvgan_lib import data, keys
from hrvgan_lib.data import __main__ as command
from hrvgan_lib.data import open_dataset, read_video, store, write_video
from hrvgan_lib.data.__main__ import main
from hrvgan_lib.data.clips import ClipDataset
from hrvgan_lib.data.formats import stacks, strips, ucf101
from hrvgan_lib.data.formats import video as video_module
from hrvgan_lib.data.formats.listing import Folder, read_lines, read_rows
from hrvgan_lib.data.standin import writing as procedural
from hrvgan_lib.windows import starts, window

real = pytest.mark.skipif(not os.environ.get("DATA_ROOT"), reason="needs real data sets: set DATA_ROOT")
CLASSES = ("Archery", "JumpingJack", "TaiChi")


def drifting(frames=12, height=24, width=32, seed=0) -> np.ndarray:
    """A smooth picture that moves by a pixel a frame: what MPEG-4 and JPEG keep well."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (4, 8, 3), dtype=np.uint8))
    wide = np.asarray(small.resize((width + frames, height), Image.BICUBIC))
    return np.stack([wide[:, t : t + width] for t in range(frames)])


def save_stack(path: Path, frames: np.ndarray, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(frames.reshape(-1, *frames.shape[2:])).save(path, **options)


def save_strip(path: Path, frames: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    strip = Image.fromarray(np.ascontiguousarray(frames.swapaxes(0, 1)).reshape(len(frames[0]), -1, 3))
    strip.convert("RGBA").save(path, format="PNG")


def make_ucf101(folder: Path, ending="\r\n", frames=12) -> Path:
    """Three classes, three groups (1 held out), two clips each; one class's files differ from it in case."""
    lists = folder / "ucfTrainTestlist"
    lists.mkdir(parents=True)
    lines = {"train": [], "test": []}
    for label, name in enumerate(CLASSES, 1):
        prefix = name.replace("Jack", "jack")
        for group in (1, 2, 3):
            for clip in (1, 2):
                relative = f"{name}/v_{prefix}_g{group:02d}_c{clip:02d}.avi"
                path = folder / "UCF-101" / relative
                path.parent.mkdir(parents=True, exist_ok=True)
                write_video(path, drifting(frames + clip, seed=label))
                listed = relative.replace("v_Tai", "v_tai")  # as the lists spell it
                train = group > 1
                lines["train" if train else "test"].append(f"{listed} {label}" if train else listed)
    classes = [f"{label} {name}" for label, name in enumerate(CLASSES, 1)]
    for path, rows in (
        ("classInd.txt", classes),
        ("trainlist01.txt", lines["train"]),
        ("testlist01.txt", lines["test"]),
    ):
        (lists / path).write_bytes((ending.join(rows) + ending).encode())
    return folder


def make_stacks(folder: Path, videos=(3, 2, 5, 4), size=16, place="frames-stable-many") -> Path:
    index = []
    for video, clips in enumerate(videos):
        for clip in range(clips):
            relative = f"videos/{video}.mp4/{clip:04d}.jpg"
            save_stack(folder / place / relative, drifting(16 + clip, size, size, seed=video), quality=95)
            index.append(relative)
    (folder / "golf.txt").write_text("\n".join(index) + "\n")
    return folder


def make_strips(folder: Path, people=range(9), frames=20) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for person in people:
        for label in (0, 3):
            clip = drifting(frames + person, 16, 16, seed=person)
            for mirrored in (0, 1):
                path = f"actions/{label}/{len(rows):08d}.jpg"
                save_strip(folder / path, clip[:, :, ::-1] if mirrored else clip)
                rows.append((path, label, person, mirrored))
    with open(folder / "manifest.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("path", "class", "person", "hflip_pair"), *rows])
    return folder


MAKERS = {"ucf101": make_ucf101, "golf": make_stacks, "weizmann": make_strips}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    for name, make in MAKERS.items():
        make(folder / name)
    return folder


@pytest.fixture
def root(written, tmp_path):
    return Path(shutil.copytree(written, tmp_path / "root"))


@pytest.fixture
def opened(root, tmp_path):
    """open_dataset on the written data sets, with small numbers."""

    def call(name, **options):
        options = dict(frames=8, size=12, cache=tmp_path / "cache", progress=False) | options
        return open_dataset(name, root, **options)

    return call


def one_line(error: pytest.ExceptionInfo, *words: str) -> None:
    message = str(error.value)
    assert "\n" not in message
    for word in words:
        assert word in message


# -- videos ---------------------------------------------------------------------------------------------------


def test_video_round_trip_in_rgb(tmp_path):
    frames = drifting(10, 48, 64)
    frames[..., 2] = 0  # no blue: a swapped channel order would show
    back = read_video(write_video(tmp_path / "a.avi", frames))
    assert back.shape == frames.shape and back.dtype == np.uint8
    assert np.abs(back.astype(int) - frames).mean() < 6


def test_write_video_is_reproducible(tmp_path):
    first, second = (write_video(tmp_path / name, drifting()).read_bytes() for name in ("a.avi", "b.avi"))
    assert first == second


@pytest.mark.parametrize("container, codec", [("mp4", "mpeg4"), ("mkv", "mpeg4"), ("mov", "mjpeg"), ("webm", "libvpx")])
def test_read_video_takes_any_container(tmp_path, container, codec):
    import av

    path = tmp_path / f"clip.{container}"
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.bit_rate = 64, 48, 800_000
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for frame in drifting(9, 48, 64):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())
    back = read_video(path)
    assert back.shape == (9, 48, 64, 3)
    assert np.abs(back.astype(int) - drifting(9, 48, 64)).mean() < 8


def test_a_title_that_is_not_utf_8_is_no_obstacle(tmp_path):
    import av

    path = tmp_path / "latin.avi"
    with av.open(str(path), "w") as out:
        out.metadata["title"] = "Aerobics"
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for frame in drifting(5, 48, 64):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())
    content = path.read_bytes()
    assert b"Aerobics" in content
    path.write_bytes(content.replace(b"Aerobics", b"A\xe9robics"))
    assert len(read_video(path)) == 5


def test_read_video_stops_early(tmp_path):
    path = write_video(tmp_path / "a.avi", drifting(10))
    assert np.array_equal(read_video(path, max_frames=4), read_video(path)[:4])


def damaged(kind: str, folder: Path) -> Path:
    """A file that is no whole video, called clip.avi where the kind does not say otherwise."""
    whole = write_video(folder / "whole.avi", drifting(60, 96, 128)).read_bytes()
    path = folder / ("clip.txt" if kind == "text named .txt" else "clip.avi")
    if kind == "picture":
        Image.new("RGB", (32, 32)).save(path, format="PNG")
    elif kind == "zero frames":
        head = whole.index(b"movi") + 4  # headers, and a list of frames that is over as soon as it begins
        path.write_bytes(whole[:head])
    else:
        content = {
            "empty": b"",
            "truncated": whole[: len(whole) // 2],
            "header only": whole[:100],
            "noise": np.random.default_rng(0).bytes(4000),
            "web page": b"<html><body>404 Not Found</body></html>",
            "text named .txt": b"not a video\n" * 50,
        }
        path.write_bytes(content[kind])
    return path


@pytest.mark.parametrize(
    "kind, words",
    [
        ("empty", ["0 bytes"]),
        ("truncated", ["truncated", "of 60 frames"]),
        ("zero frames", ["fetch it again"]),
        ("header only", ["not a readable video"]),
        ("noise", ["not a readable video"]),
        ("web page", ["not a readable video"]),
        ("text named .txt", ["not a video"]),
        ("picture", ["not a video"]),
    ],
)
def test_bad_video_is_named_in_one_line(tmp_path, kind, words):
    path = damaged(kind, tmp_path)
    with pytest.raises(ValueError) as error:
        read_video(path)
    one_line(error, str(path), *words)


def test_absent_video_and_wrong_frames(tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        read_video(tmp_path / "none.avi")
    one_line(error, "none.avi")
    for shape, kind in (
        ((0, 8, 8, 3), np.uint8), ((2, 8, 8, 3), np.float32), ((2, 8, 3), np.uint8), ((2, 8, 8, 4), np.uint8),
        ((1, 2, 8, 8, 3), np.uint8), ((2, 8, 8), float),
    ):  # fmt: skip
        frames = np.zeros(shape, kind)
        with pytest.raises(ValueError) as error:
            write_video(tmp_path / "a.avi", frames)
        one_line(error, "uint8 (T, H, W, 3)")


def test_a_video_is_mpeg_4_in_avi_of_one_quality_whatever_its_name(tmp_path):
    """Encoded here once more, with one thread, quantiser 4 and no trace of the encoder's version."""
    import av

    frames = drifting(6, 240, 320)
    with av.open(str(tmp_path / "own.avi"), "w", format="avi", options={"fflags": "+bitexact"}) as out:
        stream = out.add_stream("mpeg4", rate=25, options={"qmin": "4", "qmax": "4"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.flags |= 0x800000
        for frame in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())
    own = (tmp_path / "own.avi").read_bytes()
    for name in ("a.avi", "part-1-a.mp4"):
        content = write_video(tmp_path / name, frames).read_bytes()
        assert content == own and content[:4] == b"RIFF" and b"Lavc" not in content and b"Lavf" not in content
    with av.open(str(write_video(tmp_path / "slow.avi", frames, fps=10))) as video:
        assert video.streams.video[0].average_rate == 10


class Container:
    """A video whose header declares `declared` frames; where it is `broken`, the decoder stops at the last one."""

    def __init__(self, frames: int, declared: int, broken=False, kind="avi", cover=False) -> None:
        import av

        shape = dict(width=4, height=4, sample_aspect_ratio=None, codec_context=SimpleNamespace(sample_aspect_ratio=0))
        picture = SimpleNamespace(frames=1, disposition=video_module.Disposition.attached_pic, length=3, **shape)
        film = SimpleNamespace(frames=declared, disposition=video_module.Disposition.default, length=frames, **shape)
        self.format = SimpleNamespace(name=kind)
        self.streams = SimpleNamespace(video=[picture] * cover + [film] * (frames > 0))
        self.frame, self.broken = av.VideoFrame(4, 4, "rgb24"), broken

    def __enter__(self):
        return self

    def __exit__(self, *error) -> None:
        pass

    def demux(self, stream):
        import av

        yield from [SimpleNamespace(size=1, decode=lambda: [self.frame])] * stream.length
        yield SimpleNamespace(size=0, decode=list)
        if self.broken:
            raise av.error.InvalidDataError(1094995529, "Invalid data found")


@pytest.fixture
def read_container(tmp_path, monkeypatch):
    (tmp_path / "clip.avi").write_bytes(b"RIFF\xff\xff\0\0AVI something")  # less than it says

    def read(container: Container, max_frames: int | None = None) -> int:
        if not container.streams.video or not container.streams.video[-1].frames:  # then the file's end is the witness
            (tmp_path / "clip.avi").write_bytes(b"RIFF\4\0\0\0AVI ")
        monkeypatch.setattr(video_module, "open_video", lambda path: container)
        return len(read_video(tmp_path / "clip.avi", max_frames))

    return read


@pytest.mark.parametrize("frames, declared", [(10, 0), (10, 10), (10, 12), (17, 20), (36, 40), (95, 102), (12, 10)])
def test_a_header_that_is_off_by_a_frame_or_two_is_no_damage(read_container, frames, declared):
    assert read_container(Container(frames, declared)) == frames


@pytest.mark.parametrize("frames, declared", [(10, 13), (16, 20), (35, 40), (94, 102), (1, 4)])
def test_a_video_with_too_few_frames_is_truncated(read_container, frames, declared):
    with pytest.raises(ValueError) as error:
        read_container(Container(frames, declared))
    one_line(error, "truncated", f"{frames} of {declared} frames")
    assert read_container(Container(frames, declared), max_frames=frames) == frames  # all that was asked for


@pytest.mark.parametrize("declared, words", [(10, "damaged, 10 frames"), (0, "damaged, 10 frames"), (12, "10 of 12")])
def test_a_video_that_breaks_off_is_damaged_whatever_its_header_says(read_container, declared, words):
    with pytest.raises(ValueError) as error:
        read_container(Container(10, declared, broken=True))
    one_line(error, words)
    assert read_container(Container(10, declared, broken=True), max_frames=10) == 10
    with pytest.raises(ValueError) as error:
        read_container(Container(10, declared, broken=True), max_frames=11)
    one_line(error, words)


def test_album_covers_and_pictures_are_no_videos(read_container):
    assert read_container(Container(5, 5, cover=True)) == 5
    for container in (
        Container(0, 0, cover=True), Container(0, 0), Container(5, 5, kind="tty"), Container(5, 5, kind="png_pipe"),
    ):  # fmt: skip
        with pytest.raises(ValueError) as error:
            read_container(container)
        one_line(error, "not a video")


def test_frames_of_another_size_are_brought_to_that_of_the_first(tmp_path):
    import av

    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for width, height in ((64, 48), (32, 32)):
            codec = av.CodecContext.create("mjpeg", "w")
            codec.width, codec.height, codec.pix_fmt, codec.time_base = width, height, "yuvj420p", Fraction(1, 25)
            frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), 2 * width, np.uint8), format="rgb24")
            for packet in codec.encode(frame) + codec.encode():
                packet.stream, packet.pts, packet.dts = stream, int(width == 32), int(width == 32)
                out.mux(packet)
    frames = read_video(path)
    assert frames.shape == (2, 48, 64, 3) and np.abs(frames.mean(axis=(1, 2, 3)) - [128, 64]).max() < 3


@pytest.mark.parametrize("version, lenient", [("18.20.0", True), ("17.0.1", True), ("19.0.0", False), ("21.1", False)])
def test_older_pyav_is_told_to_take_any_title(monkeypatch, version, lenient):
    import av

    monkeypatch.setattr(av, "__version__", version)
    monkeypatch.setattr(av, "open", lambda path, **options: (path, options))
    place, options = video_module.open_video(Path("a:b.avi"))
    assert place == str(Path("a:b.avi").absolute()) and options == ({"metadata_errors": "ignore"} if lenient else {})


# -- stacks and strips ----------------------------------------------------------------------------------------


def test_stack_and_strip_give_the_frames_back(tmp_path):
    frames = drifting(17, 16, 16)
    save_stack(tmp_path / "stack.png", frames)
    save_strip(tmp_path / "strip.jpg", frames)  # PNG bytes, RGBA, under another name
    assert np.array_equal(stacks.read_stack(tmp_path / "stack.png"), frames)
    assert np.array_equal(strips.read_strip(tmp_path / "strip.jpg"), frames)
    assert np.array_equal(strips.read_strip(tmp_path / "strip.jpg", max_frames=5), frames[:5])


def test_bad_images_are_named_in_one_line(tmp_path):
    good = tmp_path / "good.jpg"
    save_stack(good, drifting(16, 16, 16))
    cases = {"empty": b"", "noise": b"no image", "cut": good.read_bytes()[:-400]}
    for name, content in cases.items():
        path = tmp_path / f"{name}.jpg"
        path.write_bytes(content)
        for read in (stacks.read_stack, strips.read_strip):
            with pytest.raises(ValueError) as error:
                read(path)
            reason = {"empty": "0 bytes", "noise": "not an image", "cut": "truncated"}[name]
            one_line(error, str(path), "fetch it again", reason)
    Image.new("RGB", (16, 16 * 16 + 5)).save(tmp_path / "odd.png")
    with pytest.raises(ValueError) as error:
        stacks.read_stack(tmp_path / "odd.png")
    one_line(error, "odd.png", "height 261", "16")
    Image.new("RGB", (50, 16)).save(tmp_path / "wide.png")
    with pytest.raises(ValueError) as error:
        strips.read_strip(tmp_path / "wide.png")
    one_line(error, "wide.png", "width 50", "16")
    with pytest.raises(FileNotFoundError):
        stacks.read_stack(tmp_path / "none.jpg")


def test_frames_are_read_from_the_first_and_huge_images_are_refused(tmp_path, monkeypatch):
    frames = drifting(17, 16, 16)
    save_stack(tmp_path / "stack.png", frames)
    assert np.array_equal(stacks.read_stack(tmp_path / "stack.png", max_frames=5), frames[:5])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ValueError) as error:
        stacks.read_stack(tmp_path / "stack.png")
    one_line(error, "stack.png", "cut it into more files")


# -- listings and splits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_ucf101_lists(tmp_path, ending):
    listing = ucf101.scan(make_ucf101(tmp_path / "ucf101", ending))
    assert listing.classes == CLASSES and not listing.missing and listing.expected == 18
    for entry in listing.entries:
        assert entry.path.is_file()
        assert listing.classes[entry.label] == entry.path.parent.name  # the folder, whatever the prefix's case
        assert entry.split == ("test" if "_g01_" in entry.path.name else "train")
        assert entry.group == f"{entry.path.parent.name}/{re.search(r'g0.', entry.path.name)[0]}"


@pytest.mark.parametrize(
    "list_name, line, words",
    [
        ("trainlist01.txt", "Archery/v_Archery_g02_c01.avi 2", ["label 2", "1 in classInd"]),
        ("trainlist01.txt", "Surfing/v_Surfing_g02_c01.avi 4", ["Surfing", "classInd"]),
        ("trainlist01.txt", "no slash", ["no slash"]),
        ("testlist01.txt", "Archery/v_Archery_g02_c01.avi", ["train clip too"]),
        ("classInd.txt", "9 Surfing", ["numbered from 1"]),
    ],
)
def test_ucf101_lists_that_contradict_each_other(tmp_path, list_name, line, words):
    folder = make_ucf101(tmp_path / "ucf101")
    with open(folder / "ucfTrainTestlist" / list_name, "a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError) as error:
        ucf101.scan(folder)
    one_line(error, list_name, *words)


def test_ucf101_without_its_lists(tmp_path):
    folder = make_ucf101(tmp_path / "ucf101")
    with pytest.raises(FileNotFoundError) as error:
        ucf101.scan(folder, fold=2)
    one_line(error, "trainlist02.txt", "data/README.md")


@pytest.mark.parametrize("place", ["frames-stable-many", "frames", "."])
def test_stacks_are_found_and_split_by_video(tmp_path, place):
    listing = stacks.scan(make_stacks(tmp_path / "golf", place=place))
    assert len(listing.entries) == 14 and not listing.missing and listing.classes == ()
    assert {entry.label for entry in listing.entries} == {-1}
    assert {entry.split for entry in listing.entries} == {"train", "test"}


def test_stack_index_with_absolute_paths(tmp_path):
    folder = make_stacks(tmp_path / "aeroplane", place="videos")
    lines = (folder / "golf.txt").read_text().replace("videos/", "/home/someone/clips/")
    (folder / "golf.txt").unlink()
    (folder / "aeroplane.txt").write_text(lines)
    for source in (folder / "videos" / "videos").iterdir():
        source.rename(folder / source.name)
    assert len(stacks.scan(folder).entries) == 14


@pytest.mark.parametrize("counts", [(1, 1), (50, 1), (1, 50), (7, 2, 60), (8,) * 12, (3,) * 200])
def test_held_out_videos(counts):
    groups = [f"v{video}" for video, clips in enumerate(counts) for _ in range(clips)]
    held_out = stacks.test_videos(groups)
    share = sum(group in held_out for group in groups) / len(groups)
    assert 0 < share < 1  # both splits have clips
    assert share <= max(stacks.TEST_SHARE, min(counts) / len(groups))
    assert held_out == stacks.test_videos(groups[::-1])  # whatever the order of the index


def test_one_video_or_person_is_for_training():
    assert stacks.test_videos(["a"] * 9) == set()
    assert strips.test_people(["4", "4"]) == set()


def test_people(tmp_path):
    assert strips.test_people([str(p) for p in range(9)]) == {"6", "7", "8"}
    assert strips.test_people(["1", "2", "10"]) == {"10"}  # by number, not by spelling
    assert strips.test_people(["ido", "eli"]) == {"ido"}
    listing = strips.scan(make_strips(tmp_path / "weizmann"))
    assert listing.classes == ("WaveOneHand", "JumpingJack")
    pairs = zip(listing.entries[::2], listing.entries[1::2])
    assert all(a.split == b.split for a, b in pairs)  # a clip and its mirror image


@pytest.mark.parametrize(
    "line, words", [("4 Surfing Board", "'<number> <class>'"), ("Surfing", "'<number> <class>'"), ("5 Surfing", "gaps")]
)
def test_classes_are_numbered_one_a_line(tmp_path, line, words):
    folder = make_ucf101(tmp_path / "ucf101")
    with open(folder / "ucfTrainTestlist/classInd.txt", "a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError) as error:
        ucf101.scan(folder)
    one_line(error, "classInd.txt", words)


def test_ucf101_without_its_inner_folders_and_with_other_names(root):
    folder = root / "ucf101"
    for inner in ("UCF-101", "ucfTrainTestlist"):
        for path in (folder / inner).iterdir():
            path.rename(folder / path.name)
        (folder / inner).rmdir()
    (folder / "classInd.txt").write_text("3 TaiChi\n1 Archery\n\n2 JumpingJack\n")  # any order, blank lines
    (folder / "Archery/v_Archery_g01_c01.avi").rename(folder / "Archery/bow.avi")
    (folder / "testlist02.txt").write_text("Archery/bow.avi\nArchery/v_Archery_g03_c02.avi\nArchery/gone.avi")
    (folder / "trainlist02.txt").write_text("\ufeffTaiChi/V_TAICHI_G01_C01.AVI 3\n", encoding="utf-8")
    listing = data.scan("ucf101", folder, fold=2)
    assert listing.classes == CLASSES and listing.missing == ("Archery/gone.avi",) and listing.expected == 4
    assert [(entry.path.name, entry.label, entry.group, entry.split) for entry in listing.entries] == [
        ("v_TaiChi_g01_c01.avi", 2, "TaiChi/g01", "train"),
        ("bow.avi", 0, "Archery/bow", "test"),
        ("v_Archery_g03_c02.avi", 0, "Archery/g03", "test"),
    ]
    assert data.scan("ucf101", folder).expected == 18  # the first split unless told otherwise


def test_a_clip_is_on_one_side_however_it_is_spelled(tmp_path):
    folder = make_ucf101(tmp_path / "ucf101")
    with open(folder / "ucfTrainTestlist/testlist01.txt", "a", encoding="utf-8") as file:
        file.write("archery/V_Archery_G02_c01.AVI\n")
    with pytest.raises(ValueError, match="train clip too"):
        ucf101.scan(folder)


def test_files_are_found_by_their_parts(tmp_path):
    (tmp_path / "A/b").mkdir(parents=True)
    (tmp_path / "A/b/C.avi").touch()
    (tmp_path / "top.avi").touch()
    files = Folder(tmp_path)
    for relative, any_case, found in (
        ("A/b/C.avi", False, "A/b/C.avi"), ("A/b/c.avi", False, None), ("a/B/c.AVI", True, "A/b/C.avi"),
        ("top.avi", False, "top.avi"), ("TOP.avi", True, "top.avi"), ("A/x/C.avi", True, None),
        ("x/C.avi", False, None), ("A/b/C.avi/D.avi", False, None), ("A/b/C.avi/D.avi", True, None),
    ):  # fmt: skip
        assert files.find(relative, any_case=any_case) == (found and tmp_path / found)
    assert files.find("top.avi") and not files.find("TOP.avi")  # case counts unless told otherwise


def test_lines_and_rows_of_text_files(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes("\ufeff a,b \r\n\r\n1,\u00fc\r\n2,\n".encode())
    assert read_lines(path, "remedy") == ["a,b", "1,\u00fc", "2,"]
    assert read_rows(path, ("a", "b"), "remedy") == [{"a": "1", "b": "\u00fc"}, {"a": "2", "b": ""}]
    for content, kind, words in (
        (b"\n \r\n", ValueError, "is empty: remedy"),
        (b"a,b\n\xff\xfe\n", ValueError, "is not a text file: remedy"),
        (b"a,b\n", ValueError, "has no column a, b: remedy"),
        (b"a,c\n1,2\n", ValueError, "has no column b: remedy"),
        (b"a,b\n1\n", ValueError, "has no column b: remedy"),
        (None, FileNotFoundError, "is missing: remedy"),
    ):
        path.unlink() if content is None else path.write_bytes(content)
        with pytest.raises(kind) as error:
            read_rows(path, ("a", "b"), "remedy")
        one_line(error, str(path), words)


def test_held_out_videos_follow_their_rule():
    """Written down once more: in the order of their hashes, each that fits into what is left of a fifth."""
    rng = np.random.default_rng(0)
    for _ in range(300):
        counts = {f"v{video}": int(n) for video, n in enumerate(rng.integers(1, 9, rng.integers(2, 12)))}
        ordered = sorted(counts, key=lambda video: hashlib.sha256(video.encode()).hexdigest())
        held_out, left = [], Fraction(sum(counts.values()), 5)
        for video in ordered:
            if counts[video] <= left:
                held_out, left = [*held_out, video], left - counts[video]
        held_out = held_out or sorted(ordered, key=counts.get)[:1]
        assert stacks.test_videos(list(Counter(counts).elements())) == set(held_out)


def test_an_index_is_found_and_names_what_is_missing(tmp_path):
    folder = make_stacks(tmp_path / "golf", videos=(2, 3))
    before = stacks.scan(folder)
    lines = (folder / "golf.txt").read_text().splitlines()
    lines[2] = lines[2].replace("/", "\\")
    (folder / "golf.txt").write_text("\n".join([*lines, "videos/1.mp4/gone.jpg"]))
    (folder / "other.txt").write_text("no/clip.jpg")
    listing = stacks.scan(folder)
    assert listing.entries == before.entries and listing.missing == ("videos/1.mp4/gone.jpg",)
    assert [entry.group for entry in listing.entries] == ["videos/0.mp4"] * 2 + ["videos/1.mp4"] * 3
    (folder / "golf.txt").rename(folder / "another.txt")
    with pytest.raises(FileNotFoundError, match=r"golf\.txt is missing"):  # which of the two others is it?
        stacks.scan(folder)
    (folder / "other.txt").unlink()
    assert stacks.scan(folder).entries == before.entries


@pytest.mark.parametrize("people, held_out", [(2, 1), (3, 1), (5, 1), (6, 2), (9, 3), (12, 4)])
def test_the_last_third_of_the_people_is_held_out(people, held_out):
    names = [str(person) for person in range(people)]
    assert strips.test_people(names * 2) == set(names[people - held_out :])
    assert strips.test_people(["ido", "11", "9"]) == {"ido"}  # names behind numbers


@pytest.mark.parametrize(
    "codes, classes",
    [
        ("4013", ("WaveOneHand", "WaveBothHands", "JumpingJack", "Bend")),
        ("30", ("WaveOneHand", "JumpingJack")),
        (("10", "9", "0"), ("0", "9", "10")),  # not Weizmann's
        (("run", "0"), ("0", "run")),
    ],
)
def test_classes_of_a_manifest(tmp_path, codes, classes):
    rows = [f"{code}.png,{code},1" for code in codes]
    (tmp_path / "manifest.csv").write_text("\n".join(["path,class,person", *rows, f"gone.png,{codes[0]},2"]))
    for code in codes:
        (tmp_path / f"{code}.png").touch()
    listing = strips.scan(tmp_path)
    assert listing.classes == classes and listing.missing == ("gone.png",)
    order = sorted(codes, key=lambda code: (not code.isdigit(), int(code) if code.isdigit() else 0))
    assert [entry.label for entry in listing.entries] == [order.index(code) for code in codes]
    assert {(entry.group, entry.split) for entry in listing.entries} == {("person 1", "train")}


@pytest.mark.parametrize(
    "name, unit, units",
    [
        ("ucf101", "group", {f"{name}/g0{group}": 2 for name in CLASSES for group in (2, 3)}),
        ("golf", "source video", {"videos/0.mp4": 3, "videos/2.mp4": 5, "videos/3.mp4": 4}),
        ("weizmann", "person", {f"person {person}": 4 for person in range(6)}),
    ],
)
def test_files_say_which_clips_are_of_one_unit(opened, name, unit, units):
    train = opened(name)
    assert train.unit == unit and Counter(train.units) == units
    assert not set(train.units) & set(opened(name, split="test").units)


def test_a_look_of_the_stand_in_is_one_unit_in_every_class(standins, tmp_path):
    train = open_dataset("ucf101", tmp_path, size=4, cache=tmp_path / "cache", progress=False)
    assert train.kind == "procedural" and train.unit == "look" and Counter(train.units) == {"g02": 6, "g03": 6}


@pytest.mark.parametrize("name", MAKERS)
def test_no_group_on_both_sides(opened, name):
    train, test = opened(name), opened(name, split="test")
    assert not set(train.groups) & set(test.groups)
    assert not set(train.paths) & set(test.paths)
    assert train.kind == "real" and train.digest != test.digest


# -- partial, unreadable, absent ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, victim",
    [
        ("ucf101", "UCF-101/TaiChi/v_TaiChi_g02_c01.avi"),
        ("golf", "frames-stable-many/videos/0.mp4/0001.jpg"),
        ("weizmann", "actions/0/00000000.jpg"),
    ],
)
def test_partial_data_set(opened, root, name, victim):
    (root / name / victim).unlink()
    with pytest.raises(FileNotFoundError) as error:
        opened(name)
    whole = {"ucf101": 18, "golf": 14, "weizmann": 36}[name]
    one_line(error, name, f"{whole - 1} of {whole} clips", "ALLOW_PARTIAL=1", "data/README.md")
    data_set = opened(name, allow_partial=True)
    assert f"{whole - 1} of {whole} clips" in data_set.describe()


def test_split_lists_alone_are_not_a_data_set(opened, root):
    shutil.rmtree(root / "ucf101" / "UCF-101")
    with pytest.raises(FileNotFoundError) as error:
        opened("ucf101", allow_partial=True)
    one_line(error, "0 of 18")


def test_unreadable_clip_is_reported_and_left_out(opened, root):
    (root / "golf/frames-stable-many/videos/0.mp4/0001.jpg").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"1 of 14 clips cannot be read.*0001\.jpg.*unreadable\.csv"):
        train = opened("golf")
    test = opened("golf", split="test")  # packed by now: said once, and in the description
    assert len(train) + len(test) == 13 and "1 unreadable" in train.describe()
    with open(train.folder / "unreadable.csv", encoding="utf-8", newline="") as file:
        [(source, reason)] = csv.reader(file)
    assert source.endswith("0.mp4/0001.jpg") and "0 bytes" in reason


def test_nothing_readable_is_an_error(opened, root):
    for path in (root / "golf").rglob("*.jpg"):
        path.write_bytes(b"no image")
    with pytest.raises(RuntimeError) as error:
        opened("golf")
    one_line(error, "none of 14 clips", "not an image")


def test_wrong_calls(opened, root, tmp_path):
    for options, words in (
        (dict(name="kinetics"), ["kinetics", "ucf101"]),
        (dict(name="golf", split="valid"), ["valid", "train or test"]),
        (dict(name="golf", frames=0), ["frames is 0"]),
        (dict(name="golf", size=0), ["size is 0"]),
        (dict(name="golf", stride=0), ["stride is 0"]),
    ):
        with pytest.raises(ValueError) as error:
            opened(**options)
        one_line(error, *words)
    with pytest.raises(FileNotFoundError) as error:
        open_dataset("golf", tmp_path / "nowhere")
    one_line(error, "nowhere")
    (root / "golf" / "golf.txt").unlink()
    with pytest.raises(FileNotFoundError) as error:
        opened("golf")
    one_line(error, "golf.txt")
    (root / "weizmann" / "manifest.csv").write_text("path,class\na.jpg,1\n")
    with pytest.raises(ValueError) as error:
        opened("weizmann")
    one_line(error, "manifest.csv", "person")


def test_a_partial_data_set_says_what_can_be_done(opened, root):
    for path in (root / "golf").rglob("*.jpg"):
        path.unlink()
    for accepted in (False, True):
        with pytest.raises(FileNotFoundError) as error:
            opened("golf", allow_partial=accepted)
        one_line(error, "0 of 14", "or remove the folder to use the stand-in")
        assert "ALLOW_PARTIAL" not in str(error.value)


def test_a_data_set_of_one_frame_windows_of_one_pixel_is_possible(opened):
    assert opened("golf", frames=1, size=1, stride=1)[0][0].shape == (3, 1, 1, 1)


def test_data_sets_are_opened_as_chapter_01_says(root, tmp_path, monkeypatch):
    monkeypatch.setenv("HRVGAN_CACHE", str(tmp_path / "cache"))
    data_set = open_dataset("ucf101", root)
    assert (data_set.split, data_set.frames, data_set.size, data_set.stride) == ("train", 8, 32, 4)
    assert (data_set.name, data_set.kind, data_set.title) == ("ucf101", "real", "real UCF101")
    assert data_set.root == root / "ucf101" and data_set.folder.parent == tmp_path / "cache" / "packed"
    assert data_set.describe() == "real UCF101: 12 train clips, 3 classes"
    assert {row.frames for row in data_set.rows} == {13, 14}  # all of them
    assert open_dataset("golf", root).describe() == "real Golf: 12 train clips, 3 source videos"
    assert {open_dataset("golf", root, frames=n).stride for n in (33, 64)} == {1}
    assert open_dataset("golf", root, frames=8, stride=3).stride == 3
    with pytest.raises(FileNotFoundError, match="trainlist02"):
        open_dataset("ucf101", root, fold=2)
    with pytest.raises(FileNotFoundError, match="ucf101/ golf/ aeroplane/ weizmann/ in it"):
        open_dataset("ucf101", root / "nowhere")
    (root / "ucf101/UCF-101/Archery/v_Archery_g02_c01.avi").unlink()
    with pytest.raises(FileNotFoundError, match="17 of 18"):
        open_dataset("ucf101", root)
    partial = open_dataset("ucf101", root, allow_partial=True)
    assert partial.describe() == "real UCF101, 17 of 18 clips: 11 train clips, 3 classes"


def test_data_lie_in_the_repository_unless_told_otherwise(root, tmp_path, monkeypatch):
    monkeypatch.delenv("HRVGAN_CACHE", raising=False)
    monkeypatch.setattr(data, "repo_root", lambda: tmp_path)
    root.rename(tmp_path / "data")
    data_set = open_dataset("golf", size=8)
    assert data_set.root == tmp_path / "data/golf" and data_set.folder.parent == tmp_path / "data/packed"
    monkeypatch.setenv("HRVGAN_CACHE", str(tmp_path / "env"))
    assert open_dataset("golf", size=8).folder.parent == tmp_path / "env/packed"
    assert open_dataset("golf", size=8, cache=tmp_path / "given").folder.parent == tmp_path / "given/packed"


@pytest.fixture
def bars(monkeypatch):
    """What the progress bars of packing were made with."""
    made = []
    monkeypatch.setattr(store, "tqdm", lambda clips, **options: made.append(options) or clips)
    return made


def test_options_reach_the_packing(root, tmp_path, bars):
    open_dataset("golf", root, cache=tmp_path, size=8)
    open_dataset("weizmann", root, cache=tmp_path, size=8, max_frames=3, progress=False)
    assert bars == [
        dict(desc="packing golf", unit="clip", total=14, initial=0, disable=None),  # None: where somebody watches
        dict(desc="packing weizmann", unit="clip", total=36, initial=0, disable=True),
    ]


def test_class_of_data_sets_is_there_on_demand():
    assert data.ClipDataset is ClipDataset
    with pytest.raises(AttributeError, match=r"hrvgan_lib\.data.*'Clips'"):
        data.Clips  # noqa: B018


# -- the packed store -----------------------------------------------------------------------------------------


def test_fit_keeps_the_centre_and_does_not_alias():
    wide = np.zeros((1, 8, 16, 3), np.uint8)
    wide[:, :, 4:12] = 200  # the central square
    assert (store.fit(wide, 4)[:, :, 1:3] == 200).all()  # the outer columns mix with what is beside the square
    stripes = np.zeros((1, 64, 64, 3), np.uint8)
    stripes[:, :, ::2] = 255
    assert np.abs(store.fit(stripes, 16).astype(int)[..., 2:-2, :] - 127).max() < 20  # grey, not stripes
    assert store.fit(stripes, 64) is stripes  # nothing to do, nothing done
    constant = np.full((2, 7, 5, 3), 77, np.uint8)
    assert (store.fit(constant, 12) == 77).all() and store.fit(constant, 12).shape == (2, 12, 12, 3)


@pytest.mark.parametrize("height, width", [(9, 16), (16, 9), (10, 10), (8, 13), (13, 8)])
def test_fit_of_a_mirror_image_is_the_mirror_image_of_the_fit(height, width):
    frames = np.random.default_rng(0).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    fitted = store.fit(frames, 8).astype(int)
    for axis in (1, 2):  # off by a pixel, or not in the middle, would show
        np.testing.assert_allclose(store.fit(np.flip(frames, axis), 8), np.flip(fitted, axis), atol=1)


def test_packed_pixels_are_the_decoded_ones(opened, root):
    data_set = opened("weizmann", size=16)
    for index, source in enumerate(data_set.paths):
        assert np.array_equal(data_set.pixels(index), strips.read_strip(root / "weizmann" / source))
    rows = list(csv.DictReader(open(data_set.folder / "index.csv", encoding="utf-8")))
    assert tuple(rows[0]) == store.COLUMNS and len(rows) == 36
    path = root / "weizmann" / rows[0]["source"]
    assert store.sha256_file(path) == rows[0]["sha256"]


def test_store_is_found_again_and_follows_its_files(opened, root):
    folder = opened("golf").folder
    assert opened("golf", split="test").folder == folder  # one store for both splits
    assert opened("golf", size=8).folder != folder
    path = next((root / "golf").rglob("*.jpg"))
    save_stack(path, drifting(20, 16, 16, seed=99))
    changed = opened("golf").folder
    assert changed != folder
    (root / "golf").rename(root.parent / "moved")
    (root / "golf").symlink_to(root.parent / "moved")
    assert opened("golf").folder == changed  # where the data set lies does not matter


def test_a_store_is_known_by_all_that_it_depends_on(root, tmp_path):
    listing = data.scan("golf", root / "golf")
    key = store.store_key(listing, 8)
    assert key == store.store_key(listing, 8, None) and re.fullmatch("[0-9a-f]{12}", key)
    entry, *rest = listing.entries
    changed = {store.store_key(listing, 9), store.store_key(listing, 8, 3)}
    for change in ({"label": 5}, {"group": "other"}, {"split": "other"}, {"path": rest[0].path}):
        changed.add(store.store_key(replace(listing, entries=(replace(entry, **change), *rest)), 8))
    stat = entry.path.stat()
    os.utime(entry.path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    changed.add(store.store_key(listing, 8))
    with open(entry.path, "ab") as file:
        file.write(b"more")
    os.utime(entry.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    changed.add(store.store_key(listing, 8))
    assert len(changed | {key}) == 9


def test_a_finished_store_is_read_only_and_says_how_it_was_made(root, tmp_path):
    listing = data.scan("golf", root / "golf")
    packed = store.pack(listing, 8, tmp_path / "deep" / "er", max_frames=5)
    assert packed.folder.name == f"clips-8-{store.store_key(listing, 8, 5)}" and not packed.clips.flags.writeable
    made = {"size": 8, "max_frames": 5, "code": packed.code}
    assert json.loads((packed.folder / "store.json").read_text()) == made and re.fullmatch("[0-9a-f]{16}", packed.code)
    assert [row.offset for row in packed.rows] == list(range(0, 14 * 5, 5)) and packed.clips.shape == (70, 8, 8, 3)
    assert packed.unreadable == 0 and sorted(path.name for path in packed.folder.iterdir()) == [
        "clips.bin", "index.csv", "store.json", "unreadable.csv",
    ]  # fmt: skip
    elsewhere = store.pack(replace(listing, folder=tmp_path / "elsewhere"), 8, tmp_path)
    assert [row.source for row in elsewhere.rows] == [entry.path.as_posix() for entry in listing.entries]


def test_max_frames_caps_a_clip(opened):
    assert {row.frames for row in opened("weizmann", max_frames=9).rows} == {9}


KILLED = """
import sys, time
from pathlib import Path
from hrvgan_lib.data import scan, store, strips
from dataclasses import replace
from functools import wraps
@wraps(strips.read_strip)
def slow(path, max_frames=None):
    time.sleep(0.05)
    return strips.read_strip(path, max_frames)
listing = replace(scan("weizmann", Path(sys.argv[1])), decode=slow)
store.pack(listing, 12, Path(sys.argv[2]), name="weizmann", progress=False, workers=1)
"""


def test_killed_packing_resumes(root, tmp_path):
    listing = data.scan("weizmann", root / "weizmann")
    whole = store.pack(listing, 12, tmp_path / "whole", name="weizmann", progress=False)
    folder = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", KILLED, root / "weizmann", folder])
    deadline = time.monotonic() + 240
    while not any(path.read_text().count("\n") > 2 for path in folder.glob("*.partial/index.csv")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    [partial] = folder.glob("*.partial")
    done = len((partial / "index.csv").read_text().splitlines()) - 1
    assert 0 < done < len(listing.entries) and not (folder / whole.folder.name).exists()
    # what a kill can leave behind besides: a line without its end, and half a clip that no line names
    with open(partial / "index.csv", "a", encoding="utf-8") as file:
        file.write("actions/0/0000")
    with open(partial / "clips.bin", "ab") as file:
        file.write(b"half a clip")
    decoded = []

    @wraps(strips.read_strip)
    def counting(path, max_frames=None):
        decoded.append(path)
        return strips.read_strip(path, max_frames)

    resumed = store.pack(replace(listing, decode=counting), 12, folder, name="weizmann", progress=False, workers=1)
    assert len(decoded) == len(listing.entries) - done  # nothing is decoded twice
    assert resumed.rows == whole.rows and np.array_equal(resumed.clips, whole.clips)
    assert not partial.exists()


@pytest.fixture
def counted(root):
    """The listing of golf, and the files that it has decoded; those in `bad` cannot be."""

    def decode(path, max_frames=None):
        decoded.append(path)
        if path in bad:
            raise ValueError(f'{path.name} is bad, "quoted", too')
        return stacks.read_stack(path, max_frames)

    decoded, bad = [], set()
    return SimpleNamespace(listing=replace(data.scan("golf", root / "golf"), decode=decode), decoded=decoded, bad=bad)


def cut(path: Path, size: int) -> None:
    os.truncate(path, path.stat().st_size + size)


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    "damage, decoded",
    [
        (lambda folder: None, 0),
        (lambda folder: (folder / "store.json").write_text("half"), 0),
        (lambda folder: cut(folder / "clips.bin", 10), 0),  # bytes that no line names
        (lambda folder: cut(folder / "clips.bin", -1), 1),  # the last clip is not whole
        (lambda folder: cut(folder / "index.csv", -1), 1),  # nor its line
        (lambda folder: cut(folder / "index.csv", -30), 1),
        (lambda folder: (folder / "clips.bin").unlink(), 13),
        (lambda folder: (folder / "index.csv").unlink(), 13),
        (lambda folder: (folder / "index.csv").write_text(""), 13),
        (lambda folder: rewrite(folder / "index.csv", "source,", "file,"), 13),
        (lambda folder: rewrite(folder / "index.csv", ",16,0,", ",16,1,"), 13),  # does not follow what is before it
        (lambda folder: rewrite(folder / "index.csv", ",17,16,", ",17,17,"), 12),
        (lambda folder: (folder / "unreadable.csv").unlink(), 1),
        (lambda folder: cut(folder / "unreadable.csv", -1), 1),  # tried again: that line has no end
        (lambda folder: (folder / "unreadable.csv").write_text("one,two,three\none\n"), 1),
    ],
)
def test_an_interrupted_packing_goes_on_behind_the_last_whole_clip(counted, tmp_path, damage, decoded):
    counted.bad.add(counted.listing.entries[4].path)
    with pytest.warns(UserWarning, match="1 of 14 clips cannot be read"):
        whole = store.pack(counted.listing, 8, tmp_path / "whole", progress=False, workers=1)
    partial = tmp_path / "again" / f"{whole.folder.name}.partial"
    shutil.copytree(whole.folder, partial)
    damage(partial)
    counted.decoded.clear()
    with pytest.warns(UserWarning, match="1 of 14 clips cannot be read"):
        again = store.pack(counted.listing, 8, tmp_path / "again", progress=False, workers=1)
    assert len(counted.decoded) == decoded and not partial.exists()
    assert {row.source: row.sha256 for row in again.rows} == {row.source: row.sha256 for row in whole.rows}
    assert again.unreadable == whole.unreadable == 1
    for row in again.rows:
        [same] = [other for other in whole.rows if other.source == row.source]
        pixels = whole.clips[same.offset : same.offset + same.frames]
        assert np.array_equal(again.clips[row.offset : row.offset + row.frames], pixels)
    assert len(again.clips) == sum(row.frames for row in again.rows)
    assert all(len(line.split(",")) == 7 for line in (again.folder / "index.csv").read_text().splitlines())


def test_a_bar_begins_behind_what_is_packed(counted, tmp_path, bars):
    counted.bad.add(counted.listing.entries[0].path)
    with pytest.warns(UserWarning):
        whole = store.pack(counted.listing, 8, tmp_path)
    whole.folder.rename(f"{whole.folder}.partial")
    cut(Path(f"{whole.folder}.partial") / "index.csv", -1)
    with pytest.warns(UserWarning):
        store.pack(counted.listing, 8, tmp_path)
    assert [bar["initial"] for bar in bars] == [0, 13] and bars[0]["disable"] is None


def test_unreadable_clips_are_warned_of_where_the_data_set_is_opened(opened, root):
    (root / "golf/frames-stable-many/videos/0.mp4/0001.jpg").write_bytes(b"")
    (root / "golf/frames-stable-many/videos/2.mp4/0000.jpg").write_bytes(b"noise")
    with pytest.warns(UserWarning) as warned:
        open_dataset("golf", root, cache=root, size=8)
    [warning] = warned
    assert warning.filename == __file__ and "2 of 14 clips" in str(warning.message)
    assert "0001.jpg: the file is empty" in str(warning.message) and "noise" not in str(warning.message)


def full_disk(monkeypatch, after: int, number: int) -> None:
    """Whatever is written to a packed file fails with error `number` once `after` clips are there."""

    class File:
        def __init__(self, file) -> None:
            self.file, self.written = file, 0

        def __enter__(self):
            return self

        def __exit__(self, *error) -> None:
            self.file.close()

        def __getattr__(self, name: str):
            return getattr(self.file, name)

        def write(self, content) -> int:
            self.written += 1
            if self.written > after:
                raise OSError(number, os.strerror(number))
            return self.file.write(content)

    def opening(path, mode="r", **options):
        file = open(path, mode, **options)
        return File(file) if Path(path).name == "clips.bin" else file

    monkeypatch.setattr(store, "open", opening, raising=False)


def test_a_full_disk_is_said_and_packing_goes_on_with_room(counted, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        full_disk(patch, 5, errno.ENOSPC)
        with pytest.raises(RuntimeError) as error:
            store.pack(counted.listing, 8, tmp_path, progress=False, workers=1)
        one_line(error, "the disk is full after 5 of 14 clips", str(tmp_path), "HRVGAN_CACHE")
    counted.decoded.clear()
    assert len(store.pack(counted.listing, 8, tmp_path, progress=False, workers=1).rows) == 14
    assert len(counted.decoded) == 9


def test_another_error_of_the_disk_is_not_taken_for_a_full_one(counted, tmp_path, monkeypatch):
    full_disk(monkeypatch, 5, errno.EIO)
    with pytest.raises(RuntimeError) as error:
        store.pack(counted.listing, 8, tmp_path, progress=False, workers=1)
    one_line(error, "packing stopped after 5 of 14 clips", "Input/output error", "call again, what is packed is kept")


def test_what_the_machine_cannot_read_today_is_not_unreadable_for_ever(counted, tmp_path, monkeypatch):
    """No permission, a disk that fails: packing stops and names it, and the next call has every clip."""
    decode, denied = counted.listing.decode, counted.listing.entries[3].path

    @wraps(decode)
    def refused(path, max_frames=None):
        if path == denied:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return decode(path, max_frames)

    with pytest.raises(RuntimeError) as error:
        store.pack(replace(counted.listing, decode=refused), 8, tmp_path, progress=False, workers=1)
    one_line(error, "packing stopped after 3 of 14 clips", str(denied), "Permission denied")
    whole = store.pack(counted.listing, 8, tmp_path, progress=False, workers=1)
    assert len(whole.rows) == 14 and whole.unreadable == 0


def broken_decoder(path, *_, **__):
    raise av.error.OSError(errno.EIO, "broken", path)


@pytest.mark.parametrize("read, name", [(read_video, "clip.avi"), (stacks.read_stack, "clip.jpg")])
def test_an_error_of_the_disk_is_told_as_one(tmp_path, monkeypatch, read, name):
    path = tmp_path / name
    path.write_bytes(b"something")

    def failing(*_, **__):
        raise OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr("av.open", broken_decoder)
    monkeypatch.setattr("builtins.open", failing)
    with pytest.raises(OSError) as error:
        read(path)
    assert error.value.errno == errno.EIO


def test_an_error_of_the_decoder_is_one_of_the_file(tmp_path, monkeypatch):
    path = tmp_path / "clip.avi"
    path.write_bytes(b"something")
    monkeypatch.setattr("av.open", broken_decoder)
    with pytest.raises(ValueError, match="not a readable video"):  # the disk reads it: what is in it is broken
        read_video(path)


def test_nothing_stays_of_a_packing_without_clips(counted, tmp_path):
    every = counted.listing.entries
    for entries, reason in (
        (every, f"none of 14 clips can be read, the first because {every[0].path.name}"),
        ((), "none of 0 clips can be read, the first because the list is empty"),
    ):
        counted.bad.update(entry.path for entry in entries)
        with pytest.raises(RuntimeError) as error:
            store.pack(replace(counted.listing, entries=entries), 8, tmp_path / "packed", name="golf", progress=False)
        one_line(error, f"golf: {reason}")
        assert not [path for path in (tmp_path / "packed").iterdir() if path.is_dir()]


def test_a_line_of_the_journal_is_a_promise_that_its_clip_is_on_disk(counted, tmp_path, monkeypatch):
    synced, seen = [], []

    def watched(clips, **options):
        for item in clips:
            yield item
            [partial] = tmp_path.glob("*.partial")
            lines = (partial / "index.csv").read_text().splitlines()[1:]
            frames = sum(int(line.split(",")[4]) for line in lines)
            assert (partial / "clips.bin").stat().st_size == frames * 8 * 8 * 3
            seen.append(len(lines))

    monkeypatch.setattr(store, "tqdm", watched)
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(os.readlink(f"/proc/self/fd/{number}")))
    store.pack(counted.listing, 8, tmp_path)
    assert seen == list(range(1, 15))
    assert sorted(Path(path).name for path in synced) == ["clips.bin", "index.csv", "unreadable.csv"]


def test_two_clips_a_worker_are_decoded_ahead_and_no_more(counted, tmp_path, monkeypatch):
    names, ahead = set(), []

    def decode(path, max_frames=None):
        names.add(threading.current_thread().name.split("_")[0])
        return counted.listing.decode(path, max_frames)

    def slowly(clips, **options):
        for number, item in enumerate(clips):
            if number < 3:
                deadline = time.monotonic() + 10
                while len(counted.decoded) < number + 4 and time.monotonic() < deadline:
                    time.sleep(0.001)
                time.sleep(0.02)
                ahead.append(len(counted.decoded) - number)
            yield item

    monkeypatch.setattr(store, "tqdm", slowly)
    store.pack(replace(counted.listing, decode=decode), 8, tmp_path, workers=2)
    assert ahead == [4, 4, 4] and names == {"pack"}


def test_clips_that_nobody_waits_for_any_more_are_not_decoded(counted, tmp_path, monkeypatch):
    first = counted.listing.entries[0].path

    def decode(path, max_frames=None):
        frames = counted.listing.decode(path, max_frames)
        time.sleep(0 if path == first else 0.2)
        return frames

    full_disk(monkeypatch, 0, errno.ENOSPC)
    with pytest.raises(RuntimeError, match="disk is full after 0 of 14"):
        store.pack(replace(counted.listing, decode=decode), 8, tmp_path, workers=4)
    assert len(counted.decoded) < 8  # of the eight in the queue


def test_every_core_that_this_process_may_use_decodes(counted, tmp_path, monkeypatch):
    started = []
    pool = store.ThreadPoolExecutor
    monkeypatch.setattr(store, "ThreadPoolExecutor", lambda n, **options: started.append(n) or pool(n, **options))
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 7}, raising=False)
    store.pack(counted.listing, 8, tmp_path)
    store.pack(counted.listing, 9, tmp_path, workers=2)
    assert started == [3, 2]
    monkeypatch.delattr(os, "sched_getaffinity")
    for count, found in ((6, 6), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        assert store.cores() == found


@pytest.mark.parametrize("workers", [1, 5])
def test_number_of_workers_does_not_change_a_byte(root, tmp_path, workers):
    listing = data.scan("ucf101", root / "ucf101")
    packed = store.pack(listing, 12, tmp_path / str(workers), progress=False, workers=workers)
    assert [row.source for row in packed.rows] == [
        e.path.relative_to(root / "ucf101").as_posix() for e in listing.entries
    ]
    first = store.fit(read_video(listing.entries[0].path), 12)
    assert np.array_equal(packed.clips[: len(first)], first)


# -- windows and batches --------------------------------------------------------------------------------------


@pytest.mark.parametrize("length, frames, stride", [(32, 8, 4), (29, 32, 1), (1, 16, 2), (100, 16, 2), (30, 8, 4)])
def test_windows(length, frames, stride):
    places = starts(length, frames, stride)
    assert places >= 1
    for start in (0, places - 1):
        numbers = window(length, frames, stride, start)
        assert len(numbers) == frames and numbers[0] == start and numbers.max() <= length - 1
        assert ((np.diff(numbers) == stride) | (numbers[1:] == length - 1)).all()
    if length > stride * (frames - 1):
        assert window(length, frames, stride, places - 1)[-1] == length - 1  # the last start reaches the end


def test_clips_that_end_before_their_window_does_are_told(tmp_path):
    """Clips of 13 and 14 frames: a window of two frames 13 apart needs 14 of them."""
    make_ucf101(tmp_path / "ucf101")
    for stride, expected in ((12, 1.0), (13, 0.5), (14, 0.0)):
        clips = open_dataset("ucf101", tmp_path, split="test", frames=2, size=8, stride=stride, progress=False)
        found = clips.unpadded()
        assert len(found) == expected * len(clips) and found.dtype == torch.int64
        assert all(clips.rows[number].frames > stride for number in found.tolist())


def test_short_clip_repeats_its_last_frame(opened):
    data_set = opened("ucf101", frames=32)  # clips have 13 or 14 frames
    clip, _ = data_set[0]
    assert clip.shape == (3, 32, 12, 12) and data_set.stride == 1
    last = len(data_set.pixels(0)) - 1
    assert torch.equal(clip[:, last:], clip[:, last : last + 1].expand(-1, 32 - last, -1, -1))
    assert not torch.equal(clip[:, last], clip[:, last - 1])


def test_clip_values_labels_and_layout(opened):
    data_set = opened("ucf101", frames=4, stride=2)
    clips, labels = data_set.batch(range(3))
    assert clips.shape == (3, 3, 4, 12, 12) and clips.dtype == torch.float32
    assert clips.is_contiguous(memory_format=torch.channels_last_3d)
    assert clips.min() >= -1 and clips.max() <= 1
    expected = torch.from_numpy(data_set.pixels(2)[[0, 2, 4, 6]].copy()).permute(3, 0, 1, 2) / 127.5 - 1
    assert torch.allclose(clips[2], expected)
    assert torch.equal(data_set[2][0], clips[2]) and data_set[2][1] == labels[2]
    assert data_set.n_classes == 3 and set(data_set.labels.tolist()) == {0, 1, 2}
    with pytest.raises(IndexError):
        data_set.batch([len(data_set)])


def made(
    rows: list[dict] | None = None, unreadable: int = 0, split: str = "train", code: str = "c", **options
) -> ClipDataset:
    """A data set of clips of eight frames, frame number n of the store being n everywhere."""
    rows = [{}, {"label": 1, "group": "b"}] if rows is None else rows
    plain = dict(source="a", label=0, group="a", split="train", frames=8, sha256="0")
    rows = tuple(store.Row(**plain | {"offset": 8 * number} | row) for number, row in enumerate(rows))
    pixels = np.broadcast_to(np.arange(8 * len(rows), dtype=np.uint8)[:, None, None, None], (8 * len(rows), 4, 4, 3))
    options = (
        dict(name="n", kind="real", title="real N", root=Path("r"), classes=("x", "y"), frames=3, size=4, stride=2)
        | options
    )
    return ClipDataset(store.Store(Path("f"), rows, pixels, code, unreadable), split, **options)


def test_a_digest_names_contents_labels_and_cut_and_nothing_else(monkeypatch):
    digest = made().digest
    assert re.fullmatch("[0-9a-f]{16}", digest)
    others = [made([{key: value}, {"label": 1, "group": "b"}]).digest
              for key, value in dict(sha256="1", label=1, group="c", frames=7).items()]  # fmt: skip
    others += [made(**{key: value}).digest for key, value in dict(frames=2, size=2, stride=1, classes=("x",)).items()]
    others += [made([{"label": 1, "group": "b"}, {}]).digest, made([{}]).digest]
    others.append(made(code="of another reader").digest)
    assert len({digest, *others}) == 12
    for same in (made([{"source": "moved"}, {"label": 1, "group": "b", "offset": 0}]), made(title="t", root=Path("q")),
                 made(unreadable=3), made(name="m", kind="procedural")):  # fmt: skip
        assert same.digest == digest


@pytest.mark.parametrize(
    "name, kind, groups, unit, units",
    [
        ("ucf101", "real", ("Archery/g07", "Bowling/g07"), "group", ["Archery/g07", "Bowling/g07"]),
        ("ucf101", "procedural", ("Archery/g07", "Bowling/g07"), "look", ["g07", "g07"]),
        ("ucf101", "procedural", ("Archery/g07", "odd"), "look", ["g07", "odd"]),
        ("weizmann", "real", ("person 1", "person 1"), "person", ["person 1", "person 1"]),
        ("weizmann", "procedural", ("person 1", "person 2"), "person", ["person 1", "person 2"]),
        ("golf", "real", ("a/b.mp4", "c/b.mp4"), "source video", ["a/b.mp4", "c/b.mp4"]),
        ("aeroplane", "procedural", ("a/b.mp4", "c/b.mp4"), "source video", ["a/b.mp4", "c/b.mp4"]),
    ],
)
def test_clips_of_one_look_person_or_source_video_are_one_unit(name, kind, groups, unit, units):
    """The looks of procedural actions are shared by all classes, the groups of the real UCF101 are not."""
    data_set = made([{"group": group, "label": number} for number, group in enumerate(groups)], name=name, kind=kind)
    assert (data_set.unit, data_set.units) == (unit, units) and data_set.groups == list(groups)


def test_a_data_set_describes_itself_and_has_the_clips_of_its_split():
    assert made().describe() == "real N: 2 train clips, 2 classes"
    unlabelled = made([{}, {"group": "b"}, {"group": "b"}], classes=(), unreadable=1200)
    assert unlabelled.describe() == "real N: 3 train clips, 2 source videos, 1,200 unreadable files left out"
    mixed = made([{"split": "test", "source": "s"}, {}, {"split": "test", "label": 1}], split="test")
    assert mixed.paths == ["s", "a"] and mixed.groups == ["a", "a"] and mixed.labels.tolist() == [0, 1]
    assert (mixed.name, mixed.kind, mixed.root, mixed.folder) == ("n", "real", Path("r"), Path("f"))
    assert mixed[1][0][0, :, 0, 0].tolist() == pytest.approx([n / 127.5 - 1 for n in (16, 18, 20)])
    assert mixed.pixels(1)[:, 0, 0, 0].tolist() == list(range(16, 24)) and isinstance(mixed[1][1], int)
    with pytest.raises(ValueError, match="real N has no test clips, only train and valid: add"):
        made([{}, {"split": "valid"}], split="test")


def test_windows_start_anywhere_that_leaves_them_whole():
    assert [starts(*sizes) for sizes in ((32, 8, 4), (29, 8, 4), (28, 8, 4), (8, 3, 2), (1, 1, 1))] == [4, 1, 1, 4, 1]
    assert window(5, 3, 2).tolist() == [0, 2, 4] and window(5, 3, 2, 1).tolist() == [1, 3, 4]
    clips, labels = made().batch([0] * 400, torch.Generator().manual_seed(0))
    first = ((clips[:, 0, 0, 0, 0] + 1) * 127.5).round().int().tolist()
    assert set(first) == {0, 1, 2, 3} and min(Counter(first).values()) > 70  # each equally likely
    assert ((clips[:, 0, 2, 0, 0] - clips[:, 0, 0, 0, 0]) * 127.5).round().int().unique().tolist() == [4]
    assert torch.equal(clips[0, 0], clips[0, 2]) and labels.tolist() == [0] * 400


def test_draws_go_round_the_data_set():
    data_set = made([{"label": number} for number in range(5)])
    for n in (1, 5, 6, 10, 13):
        clips, labels, indices = data_set.draw(n, torch.Generator().manual_seed(n))
        assert len(clips) == len(labels) == len(indices) == n and indices.dtype == torch.int64
        for begin in range(0, n, 5):
            turn = indices[begin : begin + 5].tolist()
            assert len(set(turn)) == len(turn)
        assert labels.tolist() == indices.tolist()


def test_clips_travel_to_the_device_that_is_named_as_bytes(monkeypatch):
    moved = []
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, device: moved.append((tensor.dtype, device)) or tensor)
    made().batch([1], device="there")
    assert moved == [(torch.uint8, "there"), (torch.int64, "there")]
    assert made().batch(torch.tensor([1, 0]))[1].tolist() == [1, 0] and moved[-1][1] == "cpu"


def test_stride_spans_the_same_window(opened):
    for frames in (4, 8, 16, 32):
        assert opened("golf", frames=frames).stride * frames == 32
    assert opened("golf", frames=48).stride == 1


def test_draws_follow_their_generator(opened):
    data_set = opened("weizmann", frames=4, stride=2)
    draws = [data_set.draw(30, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert all(torch.equal(a, b) for a, b in zip(draws[0], draws[1]))
    assert not torch.equal(draws[0][0], draws[2][0])
    clips, labels, indices = draws[0]
    assert clips.shape[0] == 30 and torch.equal(labels, data_set.labels[indices])
    n = len(data_set)
    assert sorted(indices[:n].tolist()) == list(range(n))  # each clip once before any comes again
    assert data_set.draw(0, torch.Generator())[0].shape == (0, 3, 4, 12, 12)


def test_random_windows_cover_the_clip(opened):
    data_set = opened("weizmann", frames=2, stride=1)
    generator, seen = torch.Generator().manual_seed(0), set()
    pixels = torch.from_numpy(data_set.pixels(0).copy()).permute(3, 0, 1, 2) / 127.5 - 1
    for _ in range(200):
        first = data_set.batch([0], generator)[0][0, :, :1]
        seen.add(int((pixels - first).abs().sum(dim=(0, 2, 3)).argmin()))
    assert seen == set(range(len(data_set.pixels(0)) - 1))


# -- stand-ins ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["golf", "aeroplane", "weizmann"])
def test_absent_data_set_gets_its_standin(tmp_path, monkeypatch, name):
    monkeypatch.setattr(procedural, "PEOPLE", 2)
    monkeypatch.setattr(procedural, "FEW", 100)
    options = dict(frames=4, size=16, cache=tmp_path / "cache", progress=False, standin_frames=2)
    options |= dict(stack_videos=2, clips_per_video=1)
    (tmp_path / "root").mkdir()
    train, test = (open_dataset(name, tmp_path / "root", split=split, **options) for split in ("train", "test"))
    assert train.kind == "procedural" and "procedural" in train.describe() and "(seed 0): " in train.describe()
    assert len(train) and len(test) and not set(train.groups) & set(test.groups)
    assert train.root.parent == tmp_path / "cache/standin" and train.root.is_dir()
    again = open_dataset(name, tmp_path / "root", **options)
    assert again.digest == train.digest
    if name == "golf":
        assert open_dataset(name, tmp_path / "root", seed=1, **options).digest != train.digest


@pytest.fixture
def standins(written, monkeypatch):
    """What the stand-ins were asked to be drawn with; the folders hold what this file's makers wrote."""
    asked = []
    for kind, name in (("actions", "ucf101"), ("stacks", "golf"), ("strips", "weizmann")):

        def write(folder, *, written=written / name, **options) -> None:
            asked.append(options)
            shutil.copytree(written, folder)

        monkeypatch.setattr(procedural, f"write_{kind}", write)
    return asked


def test_a_standin_is_drawn_in_the_sizes_asked_for(standins, tmp_path):
    def call(name, **options):
        opened = open_dataset(name, tmp_path, size=4, cache=tmp_path / "cache", progress=False, **options)
        return opened.root

    default = {
        "ucf101": dict(seed=0, clips_per_group=2, frames=48), "weizmann": dict(seed=0, frames=48),
        "golf": dict(seed=0, kind="golf", videos=12, clips_per_video=8),
        "aeroplane": dict(seed=0, kind="aeroplane", videos=12, clips_per_video=8),
    }  # fmt: skip
    other = dict(seed=5, clips_per_group=3, standin_frames=20, stack_videos=7, clips_per_video=6)
    renamed = dict(standin_frames="frames", stack_videos="videos")
    for name, expected in default.items():
        folders = [call(name)]
        assert standins == [expected] and folders[0].name.startswith(f"{name}-")
        for option, value in other.items():
            folders.append(call(name, **{option: value}))
            if folders[-1] != folders[0]:
                assert standins[-1] == expected | {renamed.get(option, option): value}
        assert len(set(folders)) == len(standins) == 1 + len({renamed.get(k, k) for k in other} & expected.keys())
        call(name, **other)
        drawn = len(standins)
        assert call(name, **other) and len(standins) == drawn  # it is there by now
        standins.clear()


def test_a_standin_has_the_splits_of_the_real_set_and_no_others(standins, tmp_path):
    def call(**options):
        return open_dataset("ucf101", tmp_path, size=4, cache=tmp_path / "cache", progress=False, **options)

    first = call()
    lists = first.root / "ucfTrainTestlist"
    for one, other in (("train", "test"), ("test", "train")):  # the second split is the first one turned round
        shutil.copy(lists / f"{one}list01.txt", lists / f"{other}list02.txt")
    second = call(fold=2)
    assert second.digest != first.digest and set(second.groups) == set(call(split="test").groups)
    for fold in (0, 4, 7):
        with pytest.raises(ValueError, match=f"fold is {fold}: UCF101 has splits 1, 2 and 3"):
            call(fold=fold)


def test_a_standin_that_other_code_drew_is_another_one(standins, tmp_path, monkeypatch):
    def call() -> Path:
        return open_dataset("weizmann", tmp_path, size=4, cache=tmp_path / "cache", progress=False).root

    shutil.copytree(keys.HOME / "hrvgan_lib", tmp_path / "hrvgan_lib", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(keys, "HOME", tmp_path)
    folders = {call()}
    assert call() in folders and re.fullmatch("weizmann-[0-9a-f]{12}", call().name)
    for module in ("standin/drawing", "standin/scenes", "standin/writing", "formats/video"):
        with open(tmp_path / f"hrvgan_lib/data/{module}.py", "a", encoding="utf-8") as file:
            file.write("\nADDED = 1\n")
        folders.add(call())
    assert len(folders) == 5


# -- the command ----------------------------------------------------------------------------------------------


def test_check_says_what_is_there(root, capsys):
    assert main(["check", "ucf101", "--root", str(root)]) == 0
    assert "18 of 18 clips" in capsys.readouterr().out
    (root / "ucf101/UCF-101/Archery/v_Archery_g02_c01.avi").unlink()
    (root / "ucf101/UCF-101/Archery/v_Archery_g02_c02.avi").write_bytes(b"")
    assert main(["check", "ucf101", "--root", str(root)]) == 1
    out = capsys.readouterr().out
    for words in ("17 of 18 clips", "missing: 1", "unreadable: 1", "crcv.ucf.edu", "ALLOW_PARTIAL=1"):
        assert words in out


def test_check_of_an_absent_data_set_and_of_broken_lists(root, capsys):
    assert main(["check", "aeroplane", "--root", str(root)]) == 1
    assert "stand-in" in capsys.readouterr().out
    (root / "golf/golf.txt").unlink()
    assert main(["check", "golf", "--root", str(root)]) == 2
    assert "golf.txt is missing" in capsys.readouterr().err


def test_pack_command(root, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HRVGAN_CACHE", str(tmp_path / "cache"))
    assert main(["pack", "golf", "--root", str(root), "--size", "8"]) == 0
    assert "8x8" in capsys.readouterr().out


def lines_of(capsys, *arguments: str) -> tuple[int, list[str]]:
    status = main([*arguments])
    return status, capsys.readouterr().out.splitlines()


def test_check_reports_line_by_line(root, capsys):
    folder = root / "ucf101/UCF-101"
    hint = "  (the first frame of each clip was decoded; --deep decodes all of them)"
    begin = [f"ucf101: 18 of 18 clips present in {root / 'ucf101'}", "  train: 12 clips of 6 groups",
             "  test: 6 clips of 3 groups"]  # fmt: skip
    whole = [*begin, "  missing: 0", "  unreadable: 0"]
    assert lines_of(capsys, "check", "ucf101", "--root", str(root)) == (0, [*whole, hint, "  complete"])
    assert lines_of(capsys, "check", "ucf101", "--root", str(root), "--deep") == (0, [*whole, "  complete"])
    video = write_video(folder / "whole.avi", drifting(60, 96, 128)).read_bytes()
    victim = folder / "Archery/v_Archery_g02_c01.avi"
    victim.write_bytes(video[: len(video) // 2])
    assert lines_of(capsys, "check", "ucf101", "--root", str(root))[0] == 0  # its first frame is there
    status, lines = lines_of(capsys, "check", "ucf101", "--root", str(root), "--deep")
    assert status == 1 and lines[:5] == [*begin, "  missing: 0", "  unreadable: 1"]
    assert lines[5].startswith(f"    {victim}: truncated") and len(lines) == 8
    assert lines[6].startswith("  Get the rest from https://www.crcv.ucf.edu") and lines[6].endswith("data/README.md).")
    assert lines[7].startswith("  To use what is there: ALLOW_PARTIAL=1")


@pytest.mark.parametrize("gone, shown", [(1, 1), (5, 5), (6, 5), (14, 5)])
def test_check_names_at_most_five_missing_clips(root, capsys, gone, shown):
    for path in sorted((root / "golf").rglob("*.jpg"))[:gone]:
        path.unlink()
    status, lines = lines_of(capsys, "check", "golf", "--root", str(root))
    begin = lines.index(f"  missing: {gone}")
    assert status == 1 and begin == 3 and "  complete" not in lines
    names = [f"    {line}" for line in (root / "golf/golf.txt").read_text().splitlines()[:shown]]
    more = [f"    and {gone - shown} more"] * (gone > shown)
    assert lines[begin + 1 :][: shown + len(more) + 1] == [*names, *more, "  unreadable: 0"]
    assert any("ALLOW_PARTIAL" in line for line in lines) == (gone < 14)  # of nothing there is no use


def test_check_looks_where_it_is_told(root, capsys, monkeypatch):
    monkeypatch.setattr(command, "repo_root", lambda: root.parent)
    root.rename(root.parent / "data")
    assert main(["check", "golf"]) == 0
    assert main(["check", "golf", "--root", str(root.parent)]) == 1
    capsys.readouterr()
    assert lines_of(capsys, "check", "golf", "--root", "nowhere")[1] == [
        "golf: not at nowhere/golf; its procedural stand-in is used.",
        "  To use the real one, get it from http://data.csail.mit.edu/videogan/ "
        "(sizes, licence and expected tree: data/README.md).",
    ]
    assert main(["check", "ucf101", "--fold", "1"]) == 0 and main(["check", "ucf101", "--fold", "3"]) == 2
    assert "trainlist03.txt is missing" in capsys.readouterr().err


def test_pack_passes_its_options_on(capsys, monkeypatch, tmp_path):
    asked = []

    def opening(*place, **options):
        asked.append((*place, options))
        return SimpleNamespace(describe=lambda: f"{options['split']} set", size=9, folder="there")

    monkeypatch.setattr(command, "open_dataset", opening)
    monkeypatch.setattr(command, "repo_root", lambda: tmp_path)
    assert lines_of(capsys, "pack", "golf") == (0, ["train set", "test set", "packed at 9x9 in there"])
    plain = dict(size=32, fold=1, max_frames=None, allow_partial=False)
    assert asked == [("golf", tmp_path / "data", dict(split=split) | plain) for split in ("train", "test")]
    asked.clear()
    main("pack ucf101 --root r --size 8 --fold 2 --max-frames 5 --allow-partial".split())
    other = dict(size=8, fold=2, max_frames=5, allow_partial=True)
    assert asked == [("ucf101", Path("r"), dict(split=split) | other) for split in ("train", "test")]


def test_pack_says_in_a_line_why_it_cannot(capsys, monkeypatch):
    for kind in (ValueError, FileNotFoundError, RuntimeError):

        def fails(*place, kind=kind, **options):
            raise kind("why")

        monkeypatch.setattr(command, "open_dataset", fails)
        assert main(["pack", "golf"]) == 2 and capsys.readouterr().err == "why\n"


@pytest.mark.parametrize(
    "arguments",
    ["", "check", "sweep golf", "check kinetics", "check golf --fold 0", "check golf --fold 4", "pack golf --size big",
     "check golf --size 8", "pack golf --deep", "pack golf --max-frames"],
)  # fmt: skip
def test_a_wrong_call_is_told_so(capsys, arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments.split())
    assert end.value.code == 2 and "usage: python -m hrvgan_lib.data" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, words",
    [
        ("", ["check|pack", "what is on disk, and decode it now", "what is present, missing", "decode ahead of time"]),
        ("check", ["NAME", "ucf101, golf, aeroplane, weizmann", "how to get the rest", "folder with ucf101/", "1 to 3",
                   "every frame of every clip"]),
        ("pack", ["Decode both splits", "NAME", "folder with ucf101/", "1 to 3", "side of the packed frames",
                  "first frames", "there in part"]),
    ],
)  # fmt: skip
def test_every_option_is_explained(capsys, arguments, words):
    with pytest.raises(SystemExit) as end:
        main([*arguments.split(), "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert end.value.code == 0
    for word in words:
        assert word in text


# -- real files -----------------------------------------------------------------------------------------------


@real
def test_real_ucf101_is_there_in_part(tmp_path, capsys):
    folder = os.environ["DATA_ROOT"]
    if ucf101.scan(Path(folder) / "ucf101").missing:
        assert main(["check", "ucf101", "--root", folder]) == 1
        assert re.search(r"[\d,]+ of 13,320 clips", capsys.readouterr().out)
        with pytest.raises(FileNotFoundError, match="13,320"):
            open_dataset("ucf101", folder, cache=tmp_path)
    data_set = open_dataset("ucf101", folder, cache=tmp_path, allow_partial=True, max_frames=40, progress=False)
    assert data_set.n_classes == 101 and data_set[0][0].shape == (3, 8, 32, 32)


@real
@pytest.mark.parametrize("fold, train", [(1, 9537), (2, 9586), (3, 9624)])
def test_real_ucf101_lists(fold, train):
    listing = ucf101.scan(Path(os.environ["DATA_ROOT"]) / "ucf101", fold)
    lists = listing.folder / "ucfTrainTestlist"
    assert listing.expected == 13320 and len(listing.classes) == 101
    assert len((lists / f"trainlist{fold:02d}.txt").read_text().split("\n")) - 1 == train


@real
def test_real_weizmann(tmp_path):
    folder = Path(os.environ["DATA_ROOT"])
    train, test = (
        open_dataset("weizmann", folder, split=split, cache=tmp_path, progress=False) for split in ("train", "test")
    )
    assert {*train.groups} == {f"person {p}" for p in range(6)} and len(train) == 48 and len(test) == 24
    assert train.classes == ("WaveOneHand", "WaveBothHands", "JumpingJack", "Bend")
    manifest = {
        row["path"]: row for row in csv.DictReader(open(folder / "weizmann" / "manifest.csv", encoding="utf-8"))
    }
    for row in (*train.rows, *test.rows):
        assert manifest[row.source]["sha256"] == row.sha256 and int(manifest[row.source]["frames"]) == row.frames


@real
def test_real_golf(tmp_path):
    folder = os.environ["DATA_ROOT"]
    train, test = (
        open_dataset("golf", folder, split=split, size=64, cache=tmp_path, progress=False)
        for split in ("train", "test")
    )
    assert len(train) + len(test) == 69 and not set(train.groups) & set(test.groups)
    assert len(train) > len(test) > 0 and train.labels.unique().tolist() == [-1]
