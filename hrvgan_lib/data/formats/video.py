"""Video files in and out: any container to uint8 RGB frames, frames to AVI as UCF101 has it (chapter 01)."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.stream import Disposition
from PIL import Image

from hrvgan_lib.data.formats.squares import fit

# FFmpeg "demuxers" that turn a text file or a picture into frames: handy elsewhere, a mistake here.
NOT_VIDEO = {"tty", "image2", "image2pipe", "data", "lrc", "srt", "concat", "hls"}
QUANTISER = "4"  # the same for all frames: even quality, and about UCF101's bytes a frame
MOST_PIXELS = 2**26  # of one frame, twice what 8K has: a header may ask for any size, and memory is taken by it


def open_video(path: str | os.PathLike) -> av.container.InputContainer:
    """PyAV's `open`, for a file of any name and with a title in any encoding."""
    lenient = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}  # 19 on is so by itself
    return av.open(os.path.abspath(path), **lenient)  # FFmpeg reads "run:1/a.avi" as an address


def read_video(path: str | os.PathLike, max_frames: int | None = None, size: int | None = None) -> np.ndarray:
    """Decode a video file in any container: uint8 (T, H, W, 3), RGB, 0..255.

    max_frames: stop after so many. size: bring each frame to a square of this side as it is decoded (`squares.fit`),
    so that a long video in high resolution needs little memory.

    Raises as `video_frames` does.
    """
    frames = video_frames(path, max_frames)
    return np.stack([frame if size is None else fit(frame[None], size)[0] for frame in frames])


def count_frames(path: str | os.PathLike) -> int:
    """How many frames `read_video` gives, by decoding them: headers count otherwise. Raises as `video_frames` does."""
    return sum(1 for _ in video_frames(path))


def video_frames(path: str | os.PathLike, max_frames: int | None = None) -> Iterator[np.ndarray]:
    """The frames of a video file one by one, as they are to be displayed: uint8 (H, W, 3), RGB, 0..255.

    Frames are decoded in order from the first, never sought: UCF101's AVI files hold packed B-frames, in which a frame
    number means nothing before its neighbours are decoded. `max_frames` stops early. A rotation or mirroring and the
    shape of the pixels, where the file names them, are applied; a frame of another size than the first is brought to
    that.

    Raises, also behind the last frame of a file that was cut off:
        FileNotFoundError: no such file.
        OSError: a file that the machine cannot read (no permission, a disk that fails).
        ValueError: empty, truncated, without frames, too large (`MOST_PIXELS`), or not a video; one line that names
            the file and the remedy.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such video file")
    with open(path, "rb") as file:
        head = file.read(12)
    if not head:
        raise ValueError(f"{path}: the file is empty (0 bytes); fetch it again")
    found = 0
    for frame in _webp_frames(path) if head[:4] == b"RIFF" and head[8:] == b"WEBP" else _decoded(path):
        found += 1
        yield frame
        if found == max_frames:
            return
    if not found:
        raise ValueError(f"{path}: no frame in it can be decoded; fetch it again")


def frame_rate(path: str | os.PathLike) -> float:
    """Frames a second of a video, as its container says; 25, UCF101's, where it says nothing.

    Raises as `video_frames`.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such video file")
    try:
        with open_video(path) as container:
            stream = _video_stream(container)
            if stream is None:
                raise ValueError(f"{path}: not a video; name another file")
            return float(stream.average_rate or stream.guessed_rate or 25)
    except av.FFmpegError as error:
        raise ValueError(f"{path}: not a readable video ({error.strerror}); fetch it again") from None


def _decoded(path: Path) -> Iterator[np.ndarray]:
    """What FFmpeg makes of a file."""
    found, packets, broken = 0, 0, ""
    try:
        with open_video(path) as container:
            stream = _video_stream(container)
            if stream is None:
                raise ValueError(f"{path}: not a video; name another file")
            _refuse_huge(path, stream.width, stream.height)
            shape = aspect = None
            for packet in container.demux(stream):
                packets += packet.size > 0
                for frame in packet.decode():
                    if shape is None:
                        shape = (frame.width, frame.height)
                        _refuse_huge(path, *shape)
                        aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
                    found += 1
                    yield _displayed(path, frame, *shape, float(aspect or 1))
            declared, name = stream.frames, container.format.name
    except av.FFmpegError as error:
        if isinstance(error, OSError):  # of the machine, if plain reading fails too; else of what is in the file
            with open(path, "rb") as file:
                while file.read(2**20):
                    pass
        broken = error.strerror or "damaged"
        if not found:
            raise ValueError(f"{path}: not a readable video ({broken}); fetch it again") from None
        declared, name = stream.frames, ""  # type: ignore[union-attr]  # a frame was found, so there is a stream
    if broken or _cut(path, name, packets, found, declared):
        of = f" of {declared:,}" if declared > found else ""
        raise ValueError(f"{path}: truncated or damaged, {found:,}{of} frames decode; fetch it again")


def _displayed(path: Path, frame: av.VideoFrame, width: int, height: int, aspect: float) -> np.ndarray:
    """A frame as it is to be displayed: RGB, in square pixels, turned and mirrored as its display matrix says.

    The matrix maps a picture's (x, y) to (ax + cy, bx + dy). Raises ValueError for one that is no multiple of a
    quarter turn.
    """
    pixels = frame.to_ndarray(format="rgb24", width=width, height=height)
    if abs(aspect - 1) > 1e-3:
        pixels = np.asarray(Image.fromarray(pixels).resize((max(1, round(width * aspect)), height), Image.BILINEAR))
    matrix = frame.side_data.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return pixels
    a, b, _, c, d, *_ = np.frombuffer(bytes(matrix), dtype=np.int32) / 2**16
    if abs(a) + abs(d) < 0.02:
        pixels, a, d = pixels.swapaxes(0, 1), c, b
    elif abs(b) + abs(c) > 0.02:
        raise ValueError(f"{path}: it is to be turned by {frame.rotation} degrees; turn it by a quarter or not at all")
    return np.ascontiguousarray(pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def _refuse_huge(path: Path, width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise ValueError(f"{path}: frames of {width:,}x{height:,}; at most {MOST_PIXELS:,} pixels are read")


def _cut(path: Path, name: str, packets: int, found: int, declared: int) -> bool:
    """Whether a file that decoded without complaint was cut off: each container has a witness of its own.

    Frames alone are none: a file of variable rate declares frames that it does not store, and one with an edit list
    stores frames that it does not show. Streams (MPEG-TS, Ogg, FLV) have none.
    """
    if name == "gif":
        with open(path, "rb") as file:
            file.seek(-min(64, path.stat().st_size), os.SEEK_END)
            return not file.read().rstrip(b"\0").endswith(b";")
    if name == "matroska,webm":
        return _segment_end(path) > path.stat().st_size
    if declared and max(found, packets) >= 0.95 * declared - 2:  # some headers are off by a frame or two
        return False
    return _riff_end(path) > path.stat().st_size if name == "avi" else bool(declared)


def _riff_end(path: Path) -> int:
    """Where an AVI file ends by its own account, which may be in several parts."""
    end, size = 0, path.stat().st_size
    with open(path, "rb") as file:
        while end < size:
            file.seek(end)
            head = file.read(8)
            if head[:4] != b"RIFF" or len(head) < 8:
                break
            end += 8 + int.from_bytes(head[4:], "little")
    return end


def _segment_end(path: Path) -> int:
    """Where a Matroska file ends by its own account; 0 where it gives none, as a recording of a stream."""

    def number(file, keep_marker: bool) -> tuple[int, bool]:  # type: ignore[no-untyped-def]  # any binary file
        first = file.read(1)
        if not first or not first[0]:
            return 0, False
        length = 9 - first[0].bit_length()
        rest = file.read(length - 1)
        value = int.from_bytes(first + rest, "big")
        bits = 7 * length
        return value if keep_marker else value & (1 << bits) - 1, value & (1 << bits) - 1 != (1 << bits) - 1

    with open(path, "rb") as file:
        for _ in range(4):  # the EBML header, perhaps a void element, the segment
            element, _ = number(file, keep_marker=True)
            length, known = number(file, keep_marker=False)
            if element == 0x18538067:
                return file.tell() + length if known else 0
            file.seek(length, os.SEEK_CUR)
    return 0


def _webp_frames(path: Path) -> Iterator[np.ndarray]:
    """The frames of an animated WebP, which FFmpeg does not read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # `MOST_PIXELS` is the limit here
            film = Image.open(path)
        with film:
            _refuse_huge(path, *film.size)
            for number in range(getattr(film, "n_frames", 1)):
                film.seek(number)
                yield np.asarray(film.convert("RGB"))
    except Image.DecompressionBombError:  # Pillow refuses before the size can be asked for
        raise ValueError(f"{path}: frames of more than the {MOST_PIXELS:,} pixels that are read") from None
    except (OSError, EOFError, SyntaxError) as error:
        if getattr(error, "errno", None) is not None:  # of the machine; Pillow's own have no number
            raise
        raise ValueError(f"{path}: truncated or damaged ({error}); fetch it again") from None


def _video_stream(container: av.container.InputContainer) -> av.VideoStream | None:
    name = container.format.name
    if name in NOT_VIDEO or name.endswith("_pipe"):
        return None
    streams = (s for s in container.streams.video if not s.disposition & Disposition.attached_pic)  # no album covers
    return next((s for s in streams if s.codec_context is not None), None)  # none where FFmpeg does not know the codec


def write_video(path: str | os.PathLike, frames: np.ndarray, fps: int = 25) -> Path:
    """Write uint8 RGB frames (T, H, W, 3) as UCF101 does, MPEG-4 in AVI: the same bytes on every machine.

    Raises ValueError for anything that is not a non-empty uint8 array of that shape.
    """
    path, frames = Path(path), np.asarray(frames)
    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8 or not frames.size:
        got = f"{frames.dtype} {frames.shape}"
        raise ValueError(f"{path.name}: frames are {got}; give at least one frame as uint8 (T, H, W, 3)")
    with av.open(str(path), "w", format="avi", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("mpeg4", rate=fps, options={"qmin": QUANTISER, "qmax": QUANTISER})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        codec = stream.codec_context
        codec.thread_count = 1  # more threads cut the frame into more slices: other bytes
        codec.flags |= 1 << 23  # AV_CODEC_FLAG_BITEXACT: no encoder version in the file
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode())
    return path
