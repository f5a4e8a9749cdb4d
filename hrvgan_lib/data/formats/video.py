"""Video files in and out: any container to uint8 RGB frames, frames to AVI as UCF101 has it (chapter 01)."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition

# FFmpeg "demuxers" that turn a text file or a picture into frames: handy elsewhere, a mistake here.
NOT_VIDEO = {"tty", "image2", "image2pipe", "data", "lrc", "srt"}
QUANTISER = "4"  # the same for all frames: even quality, and about UCF101's bytes a frame


def open_video(path: str | os.PathLike) -> av.container.InputContainer:
    """PyAV's `open`, also for a file whose title is not UTF-8: from 19 on PyAV takes it, before it has to be told."""
    lenient = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}
    return av.open(str(path), **lenient)


def read_video(path: str | os.PathLike, max_frames: int | None = None) -> np.ndarray:
    """Decode a video file in any container: uint8 (T, H, W, 3), RGB, 0..255.

    Frames are decoded in order from the first, never sought: UCF101's AVI files hold packed B-frames, in
    which a frame number means nothing before its neighbours are decoded. `max_frames` stops early.

    Raises:
        FileNotFoundError: no such file.
        OSError: a file that the machine cannot read (no permission, a disk that fails).
        ValueError: empty, truncated, without frames, or not a video; one line that names the file and the
            remedy.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such video file")
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty (0 bytes); fetch it again")
    frames: list[np.ndarray] = []
    declared, broken = 0, False
    try:
        with open_video(path) as container:
            stream = _video_stream(container)
            if stream is None:
                raise ValueError(f"{path}: not a video; delete the file or fetch it again")
            declared = stream.frames
            for frame in container.decode(stream):
                height, width = frames[0].shape[:2] if frames else (frame.height, frame.width)
                frames.append(frame.to_ndarray(format="rgb24", width=width, height=height))
                if len(frames) == max_frames:
                    break
    except av.FFmpegError as error:
        if isinstance(error, OSError):  # of the machine, if plain reading fails too; else of what is in the file
            with open(path, "rb") as file:
                while file.read(2**20):
                    pass
        if not frames:
            raise ValueError(f"{path}: not a readable video ({error.strerror}); fetch it again") from None
        broken = True
    if not frames:
        raise ValueError(f"{path}: no frame in it can be decoded; fetch it again")
    # A container that was cut off decodes without complaint up to the cut, so its own count is the only
    # witness. Some headers are off by a frame or two, which is no damage.
    complete = len(frames) == max_frames or (len(frames) >= 0.95 * declared - 2 and not broken)
    if not complete:
        of = f" of {declared:,}" if declared else ""
        raise ValueError(f"{path}: truncated or damaged, {len(frames):,}{of} frames decode; fetch it again")
    return np.stack(frames)


def frame_rate(path: str | os.PathLike) -> float:
    """Frames a second of a video, as its container says; 25, UCF101's, where it says nothing.

    Raises as `read_video`.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such video file")
    try:
        with open_video(path) as container:
            stream = _video_stream(container)
            if stream is None:
                raise ValueError(f"{path}: not a video; delete the file or fetch it again")
            return float(stream.average_rate or stream.guessed_rate or 25)
    except av.FFmpegError as error:
        raise ValueError(f"{path}: not a readable video ({error.strerror}); fetch it again") from None


def _video_stream(container: av.container.InputContainer) -> av.VideoStream | None:
    name = container.format.name
    if name in NOT_VIDEO or name.endswith("_pipe"):
        return None
    streams = (s for s in container.streams.video if not s.disposition & Disposition.attached_pic)  # no album covers
    return next(streams, None)


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
