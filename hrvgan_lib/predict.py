"""Continue a video from the shell: `python -m hrvgan_lib.predict --weights FILE VIDEO -o OUT.mp4` (chapter 07)."""

from __future__ import annotations

import argparse
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import torch
from torch import Tensor

from hrvgan_lib.checkpoints import load_generator
from hrvgan_lib.data.formats.video import frame_rate, video_frames
from hrvgan_lib.data.store import fit
from hrvgan_lib.devices import pick_device
from hrvgan_lib.files import write_atomic
from hrvgan_lib.mishaps import command, line_of
from hrvgan_lib.networks.prediction import Prediction
from hrvgan_lib.streams import stream

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

RATE = 25  # frames a second of every data set of the book; a clip takes every `stride`-th
GIVEN, PREDICTED = (0, 158, 115), (213, 94, 0)  # the frames around input and prediction: green, then orange
SHOWN = 256  # pixels: smaller clips are enlarged by a whole number


def every(length: int, rate: float, seconds: float) -> np.ndarray:
    """Numbers of the frames of a video that lie `seconds` apart, counted back from its last: (n,), rising.

    length, rate: its frames, and how many of them a second has. Between two frames the nearer one is taken.
    """
    steps = int((length - 1) / rate / seconds + 1e-9)
    return np.rint(length - 1 - np.arange(steps, -1, -1) * seconds * rate).astype(int)


def chosen(length: int, rate: float, system: Prediction) -> np.ndarray:
    """Numbers of the frames that the predictor is shown, of a video of `length` frames, `rate` a second.

    Raises ValueError for a video that is too short.
    """
    seconds = step_of(system)
    numbers = every(length, rate, float(seconds))
    if len(numbers) < system.given:
        raise ValueError(
            f"the video lasts {length / rate:.2f} s, and a prediction starts from {system.given} frames that are "
            f"{float(seconds):g} s apart: give one of {(system.given - 1) * float(seconds) + 1 / rate:.2f} s at least"
        )
    return numbers


def step_of(system: Prediction) -> Fraction:
    """Seconds between two frames as the predictor has learned them."""
    return Fraction(int(system.about.get("stride", 1)), RATE)


def continued(
    system: Prediction, given: np.ndarray, ahead: int = 0, label: int | None = None, seed: int = 0
) -> np.ndarray:  # fmt: skip
    """What comes next, uint8 (ahead, S, S, 3), after the `system.given` frames `given`, uint8 (T, S, S, 3).

    ahead: how many frames (default: as many as the predictor learned to).
    """
    clip = torch.from_numpy(given).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
    labels = None if label is None else torch.tensor([label])
    return bytes_of(system.predict(clip, labels, stream("predict", seed), frames=ahead)[0])


def film(
    system: Prediction, video: Path, numbers: np.ndarray, ahead: int = 0, label: int | None = None, seed: int = 0
) -> Iterator[np.ndarray]:
    """The frames `numbers` of a video in green frames, then those that are predicted in orange ones, one by one.

    The video is decoded once more and never held: only what the prediction starts from is.
    """
    wanted, last = set(numbers.tolist()), deque[np.ndarray](maxlen=system.given)
    for number, frame in enumerate(video_frames(video)):
        if number in wanted:
            last.append(fit(frame[None], system.size)[0])
            yield framed(last[-1][None], GIVEN)[0]
    yield from framed(continued(system, np.stack(last), ahead, label, seed), PREDICTED)


def extent(video: Path) -> tuple[int, int, int]:
    """Height, width and number of frames of a video, by decoding it."""
    height = width = length = 0
    for frame in video_frames(video):
        height, width = frame.shape[:2]
        length += 1
    return height, width, length


def bytes_of(clip: Tensor) -> np.ndarray:
    """A clip (3, T, S, S) in [-1, 1] as uint8 (T, S, S, 3)."""
    return ((clip + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 3, 0).numpy()


def framed(frames: np.ndarray, colour: ArrayLike) -> np.ndarray:
    """Frames (T, S, S, 3), enlarged to about `SHOWN` pixels, in a frame of one colour; sides are even."""
    factor = max(1, SHOWN // frames.shape[1])
    large = frames.repeat(factor, axis=1).repeat(factor, axis=2)
    border = 8
    side = large.shape[1] + 2 * border
    inside = slice(border, border + large.shape[1])
    canvas = np.empty((len(frames), side + side % 2, side + side % 2, 3), np.uint8)
    canvas[:] = colour
    canvas[:, inside, inside] = large
    return canvas


def write_mp4(path: Path, frames: Iterable[np.ndarray], rate: Fraction) -> None:
    """Write uint8 RGB frames (H, W, 3), `rate` a second, as H.264 in MP4, which every browser plays."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "14"})
        stream.pix_fmt = "yuv420p"
        for number, frame in enumerate(frames):
            if not number:
                stream.height, stream.width = frame.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode())


def label_of(system: Prediction, name: str) -> int | None:
    """The number of a class by its name. Raises ValueError where the predictor wants one, or knows none."""
    import json

    classes = json.loads(system.about.get("classes", "[]"))
    if not system.n_classes:
        if name:
            raise ValueError("this predictor takes no label: leave --label out")
        return None
    if name not in classes:
        raise ValueError(f"--label {name!r}: this predictor asks for one of {', '.join(classes)}")
    return classes.index(name)


def load_predictor(path: Path) -> Prediction:
    """Read a predictor's weights. Raises FileNotFoundError or ValueError for a file that holds none."""
    system = load_generator(path, pick_device())
    if not isinstance(system, Prediction):
        raise ValueError(
            f"{path} holds {system.name}, which makes clips from noise: --weights takes a predictor's file"
        )
    return system


@command
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m hrvgan_lib.predict", description=__doc__)
    parser.add_argument("video", type=Path, help="any video file")
    parser.add_argument(
        "--weights", type=Path, required=True, help="a predictor, such as figures/<run>/predictor.safetensors"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="the continued clip, an .mp4")
    parser.add_argument("--frames", type=int, default=0, help="how many to predict; more than learned are fed back")
    parser.add_argument("--label", default="", help="what the clip shows, for a predictor with classes")
    parser.add_argument("--seed", type=int, default=0, help="of the latents, for a predictor that takes them")
    asked = parser.parse_args(argv)
    try:
        if asked.frames < 0:
            raise ValueError(f"--frames {asked.frames}: give a number above 0")
        if asked.output.suffix.lower() != ".mp4":
            raise ValueError(f"{asked.output}: the output is an .mp4")
        system = load_predictor(asked.weights)
        label, rate = label_of(system, asked.label), frame_rate(asked.video)
        height, width, length = extent(asked.video)
        numbers, step = chosen(length, rate, system), step_of(system)
        frames = film(system, asked.video, numbers, asked.frames, label, asked.seed)
        write_atomic(asked.output, lambda temporary: write_mp4(temporary, frames, 1 / step))
    except av.FFmpegError as error:  # not every one is an OSError or a ValueError
        print(line_of(error), file=sys.stderr)
        return 2
    changes = [f"{width}x{height} to {system.size}x{system.size}"] if (height, width) != (system.size,) * 2 else []
    changes += [f"{rate:g} to {float(1 / step):g} frames a second"] if rate != 1 / step else []
    ahead = asked.frames or system.frames - system.given
    print(
        f"{asked.output}: {len(numbers)} frames of {asked.video.name} (green), {ahead} predicted (orange)"
        + (f"; from {' and '.join(changes)}" if changes else "")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
