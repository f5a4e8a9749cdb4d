"""Files from the wild: videos and pictures as cameras, editors and half-finished downloads leave them."""

import struct
import tracemalloc
import warnings
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from hrvgan_lib.data import read_video, store
from hrvgan_lib.data.formats import stacks, strips, ucf101, video
from hrvgan_lib.data.formats.listing import Entry, Listing
from hrvgan_lib.data.formats.video import count_frames, video_frames

MP4 = {"movflags": "faststart"}  # the index first, so that half a file still has it


def drawn(frames: int = 25, height: int = 48, width: int = 64) -> np.ndarray:
    """uint8 (T, H, W, 3): a bright corner top left, a bar that wanders."""
    clip = np.full((frames, height, width, 3), 60, np.uint8)
    clip[:, : height // 3, : width // 4] = (250, 40, 40)
    for number, frame in enumerate(clip):
        frame[:, (3 * number) % width] = 255
    return clip


def encoded(
    path: Path, frames: np.ndarray, codec: str = "mpeg4", rate: int = 25, keep=lambda number: True, options=None,
    aspect: Fraction | None = None,
) -> Path:  # fmt: skip
    """A video of those frames that `keep` takes, each at its own time."""
    with av.open(str(path), "w", options=options or {}) as out:
        stream = out.add_stream(codec, rate=rate)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "rgb8" if codec == "gif" else "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        if codec == "mpeg4":
            stream.codec_context.bit_rate = 4_000_000
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        for number, frame in enumerate(frames):
            if keep(number):
                picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
                picture.pts, picture.time_base = number, Fraction(1, rate)
                out.mux(stream.encode(picture))
        out.mux(stream.encode())
    return path


def near(ours: np.ndarray, theirs: np.ndarray) -> bool:
    return ours.shape == theirs.shape and np.abs(ours.astype(int) - theirs).mean() < 12


def one_line(error: pytest.ExceptionInfo, *words: str) -> None:
    message = str(error.value)
    assert "\n" not in message and all(word in message for word in words), message


# -- whole or cut off ---------------------------------------------------------------------------------------------


def test_a_video_of_variable_rate_is_whole(tmp_path):
    """AVI counts the gaps as frames, MP4 and Matroska do not."""
    for name in ("a.avi", "a.mp4", "a.mkv"):
        frames = read_video(encoded(tmp_path / name, drawn(100), keep=lambda number: number % 20 == 0))
        assert near(frames, drawn(100)[::20]), name


WRITTEN = [("a.avi", "mpeg4", None), ("a.mp4", "mpeg4", MP4), ("a.mov", "mpeg4", MP4), ("a.mkv", "mpeg4", None),
           ("a.webm", "libvpx", None), ("a.gif", "gif", None)]  # fmt: skip


@pytest.mark.parametrize("name, codec, options", WRITTEN, ids=[name for name, *_ in WRITTEN])
@pytest.mark.parametrize("share", [0.5, 0.75])
def test_a_video_that_was_cut_off_is_seen(tmp_path, name, codec, options, share):
    path = encoded(tmp_path / name, drawn(60), codec, options=options)
    content = path.read_bytes()
    assert len(read_video(path)) == 60
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError) as error:
        read_video(path)
    one_line(error, str(path), "truncated or damaged", "frames decode")
    assert len(read_video(path, max_frames=3)) == 3  # all that was asked for


def test_a_recording_without_a_known_length_is_read(tmp_path):
    """Matroska written to a pipe: nobody could go back to write how long it is."""
    path = encoded(tmp_path / "live.mkv", drawn(20), options={"live": "1"})
    assert len(read_video(path)) == 20


def test_frames_that_an_edit_list_hides_are_not_shown(tmp_path):
    """Two frames are stored and hidden, as an editor leaves them that cuts between key frames."""
    path = encoded(tmp_path / "a.mp4", drawn(20))
    content = bytearray(path.read_bytes())
    place = content.index(b"elst") + 8  # flags, number of entries; then duration, media time
    entries, _duration, media = struct.unpack(">3I", content[place : place + 12])
    scale = struct.unpack(">I", content[(at := content.index(b"mdhd") + 16) : at + 4])[0]
    assert entries == 1
    content[place + 8 : place + 12] = struct.pack(">I", media + 2 * scale // 25)
    path.write_bytes(content)
    assert len(read_video(path)) == 18 == count_frames(path)


# -- as it is to be displayed -------------------------------------------------------------------------------------

TURNS = {  # a display matrix as (a, b, c, d), and what it does to an image
    (1, 0, 0, 1): lambda x: x,
    (-1, 0, 0, 1): lambda x: x[:, ::-1],
    (1, 0, 0, -1): lambda x: x[::-1],
    (-1, 0, 0, -1): lambda x: x[::-1, ::-1],
    (0, 1, -1, 0): lambda x: np.rot90(x, -1),  # a quarter turn clockwise: a telephone held upright
    (0, -1, 1, 0): lambda x: np.rot90(x, 1),
    (0, 1, 1, 0): lambda x: x.swapaxes(0, 1),
    (0, -1, -1, 0): lambda x: np.rot90(x, 2).swapaxes(0, 1),
}


def turned(path: Path, a: float, b: float, c: float, d: float) -> Path:
    content = path.read_bytes()
    place = content.index(b"tkhd") + 44
    matrix = struct.pack(">9i", *(int(one * 2**16) for one in (a, b, 0, c, d, 0, 0, 0)), 2**30)
    path.write_bytes(content[:place] + matrix + content[place + 36 :])
    return path


@pytest.mark.parametrize("matrix", TURNS, ids=str)
def test_a_video_is_turned_and_mirrored_as_it_says(tmp_path, matrix):
    frames = drawn(3)
    read = read_video(turned(encoded(tmp_path / "a.mp4", frames), *matrix))
    assert near(read, np.stack([TURNS[matrix](frame) for frame in frames]))


def test_a_video_that_is_to_be_turned_by_another_angle_is_refused(tmp_path):
    path = turned(encoded(tmp_path / "a.mp4", drawn(3)), 0.7071, 0.7071, -0.7071, 0.7071)
    with pytest.raises(ValueError) as error:
        read_video(path)
    one_line(error, str(path), "degrees", "turn it by a quarter")


def test_pixels_that_are_not_square_are_made_so(tmp_path):
    read = read_video(encoded(tmp_path / "a.mp4", drawn(3), aspect=Fraction(2)))
    assert read.shape == (3, 48, 128, 3) and near(read, drawn(3).repeat(2, axis=2))


def test_a_picture_is_turned_as_it_says_and_keeps_its_sixteen_bits(tmp_path):
    picture = Image.fromarray(np.arange(16 * 64 * 3, dtype=np.uint8).reshape(16, 64, 3))
    turn = picture.getexif()
    turn[0x112] = 6  # the camera was held upright
    picture.save(tmp_path / "turned.png", exif=turn)
    assert stacks.read_image(tmp_path / "turned.png").size == (16, 64)
    grey = np.linspace(0, 65535, 16 * 64).reshape(16, 64).astype(np.uint16)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    strip = strips.read_strip(tmp_path / "grey.png")
    assert strip.shape == (4, 16, 16, 3) and strip.min() == 0 and strip.max() == 255
    assert np.array_equal(strip[0, :, :, 0], np.round(grey[:, :16] / 257))
    for kind, name in ((np.int32, "i.tif"), (np.float32, "f.tif")):
        Image.fromarray(grey.astype(kind)).save(tmp_path / name)
        with pytest.raises(ValueError) as error:
            stacks.read_image(tmp_path / name)
        one_line(error, name, "8 or 16 bits")


# -- names, kinds, sizes ------------------------------------------------------------------------------------------


def test_an_animated_webp_is_a_video(tmp_path):
    films = [Image.fromarray(frame) for frame in drawn(6)]
    path = tmp_path / "film.webp"
    films[0].save(path, save_all=True, append_images=films[1:], lossless=True, duration=40)
    assert np.array_equal(read_video(path), drawn(6))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError) as error:
        read_video(path)
    one_line(error, str(path), "fetch it again")


def test_a_name_with_a_colon_is_no_address(tmp_path, monkeypatch):
    (tmp_path / "run:1").mkdir()
    encoded(tmp_path / "run:1/a.avi", drawn(3))
    monkeypatch.chdir(tmp_path)
    assert len(read_video("run:1/a.avi")) == 3


def test_huge_frames_are_refused_before_they_are_made(tmp_path, monkeypatch):
    path = encoded(tmp_path / "a.avi", drawn(2))
    monkeypatch.setattr(video, "MOST_PIXELS", 64 * 48 - 1)
    with pytest.raises(ValueError) as error:
        read_video(path)
    one_line(error, str(path), "64x48")
    Image.new("1", (2**14, 2**14)).save(tmp_path / "bomb.png")  # 34 kB
    with pytest.raises(ValueError) as error:
        stacks.read_image(tmp_path / "bomb.png")
    one_line(error, "bomb.png", "more than the 134,217,728 pixels that are read; cut it into more files")
    assert "fetch" not in str(error.value)


@pytest.mark.parametrize("side", [12_000, 16_000])  # the second is beyond what Pillow itself opens
@pytest.mark.parametrize("name, place, size", [("a.gif", 6, 2), ("a.webp", 24, 3)])
def test_a_header_that_asks_for_any_size_takes_no_memory(tmp_path, name, place, size, side):
    """A few hundred bytes that say 12,000 x 12,000 pixels a frame: 432 MB, were it believed."""
    path = tmp_path / name
    films = [Image.fromarray(frame) for frame in drawn(3)]
    films[0].save(path, save_all=True, append_images=films[1:])
    raw = bytearray(path.read_bytes())
    raw[place : place + 2 * size] = 2 * side.to_bytes(size, "little")
    path.write_bytes(raw)
    tracemalloc.start()
    with warnings.catch_warnings(), pytest.raises(ValueError) as error:
        warnings.simplefilter("error")
        read_video(path)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    one_line(error, str(path), "67,108,864 pixels", "are read")


def test_memory_does_not_grow_with_the_length_of_a_video(tmp_path):
    """What Python and NumPy take while a video is packed: as much for a long one as for a short one."""
    peaks = []
    for length in (30, 300):
        path = encoded(tmp_path / f"{length}.avi", drawn(length, 240, 320))
        listing = Listing(tmp_path, (), (Entry(path, -1, "a", "train"),), (), video_frames)
        tracemalloc.start()
        assert len(store.pack(listing, 16, tmp_path / "packed", progress=False).clips) == length
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0] + 300 * 16 * 16 * 3  # and the packed frames themselves


def test_a_clip_that_is_longer_than_memory_holds_goes_through_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "HELD", 1000)
    path = encoded(tmp_path / "a.avi", drawn(30))
    listing = Listing(tmp_path, (), (Entry(path, -1, "a", "train"),), (), video_frames)
    packed = store.pack(listing, 16, tmp_path / "packed", progress=False)
    assert np.array_equal(packed.clips, read_video(path, size=16)) and packed.rows[0].frames == 30
    assert {one.name for one in packed.folder.iterdir()} == {"clips.bin", "index.csv", "unreadable.csv", "store.json"}


# -- lists --------------------------------------------------------------------------------------------------------


def manifest(folder: Path, *rows: str) -> Path:
    (folder / "manifest.csv").write_text("\n".join(["path,class,person", *rows]) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "row, words",
    [
        ("b.png,walk,", "line 3: person left blank"),
        ("b.png, ,2", "line 3: class left blank"),
        (",walk,2", "line 3: path left blank"),
        ("a.png,walk,7", "line 3: a.png stands here with another class or person"),
        ("../a.png,walk,2", "line 3: '../a.png' leads out"),
        ("/etc/passwd,walk,2", "line 3: '/etc/passwd' leads out"),
        ("..\\a.png,walk,2", "line 3: '../a.png' leads out"),
    ],
)
def test_a_slip_in_a_manifest_is_named_with_its_line(tmp_path, row, words):
    with pytest.raises(ValueError) as error:
        strips.scan(manifest(tmp_path, "a.png,walk,1", row))
    one_line(error, "manifest.csv", words)


def test_a_manifest_may_have_backslashes_and_blanks(tmp_path):
    (tmp_path / "walk").mkdir()
    Image.new("RGB", (32, 16)).save(tmp_path / "walk/a.png")
    listing = strips.scan(manifest(tmp_path, "walk\\a.png, walk ,1", "walk/b.png,walk, 1"))
    assert [entry.path.name for entry in listing.entries] == ["a.png"] and listing.missing == ("walk/b.png",)
    assert {entry.group for entry in listing.entries} == {"person 1"}


def test_an_index_and_a_split_list_stay_in_their_folder(tmp_path):
    golf = tmp_path / "golf"
    golf.mkdir()
    (golf / "golf.txt").write_text("0000/a.jpg\n../../secret/b.jpg\n", encoding="utf-8")
    with pytest.raises(ValueError) as error:
        stacks.scan(golf)
    one_line(error, "golf.txt, line 2", "leads out")
    (tmp_path / "classInd.txt").write_text("1 ..\n", encoding="utf-8")
    for split in ("train", "test"):
        (tmp_path / f"{split}list01.txt").write_text("../v_x_g01_c01.avi\n", encoding="utf-8")
    with pytest.raises(ValueError) as error:
        ucf101.scan(tmp_path)
    one_line(error, "list01.txt", "leads out")
