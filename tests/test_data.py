"""Data: readers, splits, the packed store, windows; every bad file and what is said about it."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from hrvgan_lib import data
from hrvgan_lib.data import open_dataset, read_video, stacks, store, strips, ucf101, write_video
from hrvgan_lib.data.__main__ import main
from hrvgan_lib.data.clips import starts, window

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
    with open(folder / "manifest.csv", "w", newline="") as file:
        csv.writer(file).writerows([("path", "class", "person", "hflip_pair"), *rows])
    return folder


MAKERS = {"ucf101": make_ucf101, "golf": make_stacks, "weizmann": make_strips}


@pytest.fixture
def root(tmp_path):
    for name, make in MAKERS.items():
        make(tmp_path / "root" / name)
    return tmp_path / "root"


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


@pytest.mark.parametrize(
    "container, codec", [("mp4", "mpeg4"), ("mkv", "mpeg4"), ("mov", "mjpeg"), ("webm", "libvpx")]
)
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
    for frames in (np.zeros((0, 8, 8, 3), np.uint8), np.zeros((2, 8, 8, 3), np.float32), np.zeros((2, 8, 8))):
        with pytest.raises(ValueError) as error:
            write_video(tmp_path / "a.avi", frames)
        one_line(error, "uint8 (T, H, W, 3)")


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
            one_line(error, str(path), "fetch it again")
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
    with open(folder / "ucfTrainTestlist" / list_name, "a") as file:
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
    import shutil

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
    with open(train.folder / "unreadable.csv", newline="") as file:
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


def test_packed_pixels_are_the_decoded_ones(opened, root):
    data_set = opened("weizmann", size=16)
    for index, source in enumerate(data_set.paths):
        assert np.array_equal(data_set.pixels(index), strips.read_strip(root / "weizmann" / source))
    rows = list(csv.DictReader(open(data_set.folder / "index.csv")))
    assert tuple(rows[0]) == store.COLUMNS and len(rows) == 36
    path = root / "weizmann" / rows[0]["source"]
    assert store.sha256_file(path) == rows[0]["sha256"]


def test_version_names_the_packed_bytes():
    """Pinned on purpose: when this fails, raise store.VERSION, so that no old store is taken for a new one."""
    import hashlib

    frames = np.random.default_rng(0).integers(0, 256, (2, 20, 30, 3), dtype=np.uint8)
    digest = hashlib.sha256(store.fit(frames, 8).tobytes()).hexdigest()[:12]
    assert (store.VERSION, digest) == (1, "2b076bbeb64a")


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


def test_max_frames_caps_a_clip(opened):
    assert {row.frames for row in opened("weizmann", max_frames=9).rows} == {9}


KILLED = """
import sys, time
from pathlib import Path
from hrvgan_lib.data import scan, store, strips
from dataclasses import replace
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
    with open(partial / "index.csv", "a") as file:
        file.write("actions/0/0000")
    with open(partial / "clips.bin", "ab") as file:
        file.write(b"half a clip")
    decoded = []

    def counting(path, max_frames=None):
        decoded.append(path)
        return strips.read_strip(path, max_frames)

    from dataclasses import replace

    resumed = store.pack(
        replace(listing, decode=counting), 12, folder, name="weizmann", progress=False, workers=1
    )
    assert len(decoded) == len(listing.entries) - done  # nothing is decoded twice
    assert resumed.rows == whole.rows and np.array_equal(resumed.clips, whole.clips)
    assert not partial.exists()


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


@pytest.fixture(scope="module")
def standin_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("name", ["golf", "aeroplane", "weizmann"])
def test_absent_data_set_gets_its_standin(standin_cache, tmp_path, name):
    options = dict(frames=4, size=16, cache=standin_cache, progress=False, standin_frames=16)
    options |= dict(stack_videos=3, clips_per_video=2)
    train, test = (open_dataset(name, tmp_path, split=split, **options) for split in ("train", "test"))
    assert train.kind == "procedural" and "procedural" in train.describe() and "seed 0" in train.describe()
    assert len(train) and len(test) and not set(train.groups) & set(test.groups)
    again = open_dataset(name, tmp_path, **options)
    assert again.digest == train.digest
    if name == "golf":
        assert open_dataset(name, tmp_path, seed=1, **options).digest != train.digest


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
    assert main(["check", "golf", "--root", str(root)]) == 1
    assert "golf.txt is missing" in capsys.readouterr().err


def test_pack_command(root, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HRVGAN_CACHE", str(tmp_path / "cache"))
    assert main(["pack", "golf", "--root", str(root), "--size", "8"]) == 0
    assert "8x8" in capsys.readouterr().out


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
    manifest = {row["path"]: row for row in csv.DictReader(open(folder / "weizmann" / "manifest.csv"))}
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
