"""`python -m hrvgan_lib.metrics --real DIR --fake DIR`: compare two folders of videos (chapter 08)."""

from __future__ import annotations

import argparse
import copy
import hashlib
import sys
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hrvgan_lib.data import read_video
from hrvgan_lib.data.store import fit
from hrvgan_lib.devices import pick_device
from hrvgan_lib.files import sha256_file, to_json, write_atomic
from hrvgan_lib.metrics.evaluation import Evaluation, evaluate
from hrvgan_lib.metrics.eyes.extractors import FRAME_NETWORKS, VIDEO_NETWORKS, Extractor
from hrvgan_lib.metrics.eyes.judge import Judge, load_judge
from hrvgan_lib.metrics.eyes.protocols import PROTOCOLS
from hrvgan_lib.metrics.eyes.published import published_judge
from hrvgan_lib.metrics.sources import real_clips
from hrvgan_lib.windows import starts, window

VIDEOS = (".avi", ".mp4", ".mkv", ".webm", ".mov", ".gif", ".webp")


class Folder:
    """The videos below a folder as a data set without labels: one window of each, the same for the same seed."""

    classes, n_classes, kind, unit = (), 0, "real", "video"

    def __init__(self, folder: str | Path, frames: int, size: int, stride: int) -> None:
        self.folder, self.frames, self.size, self.stride = Path(folder), frames, size, stride
        if not self.folder.is_dir():
            raise FileNotFoundError(f"{folder}: no such folder")
        self.paths: list[Path] = []
        unreadable = []
        digest = hashlib.sha256()
        for path in sorted(p for p in self.folder.rglob("*") if p.suffix.lower() in VIDEOS):
            try:
                read_video(path, max_frames=1)
            except ValueError as error:
                unreadable.append(str(error))
                continue
            self.paths.append(path)
            digest.update(sha256_file(path).encode())
        if not self.paths:
            reason = (
                f"{len(unreadable)} cannot be read, the first: {unreadable[0]}"
                if unreadable
                else f"it holds no file that ends in {', '.join(VIDEOS)}"
            )
            raise ValueError(f"{folder}: no video to compare ({reason})")
        if unreadable:
            warnings.warn(f"{folder}: {len(unreadable)} videos are left out, the first: {unreadable[0]}", stacklevel=2)
        self.name = self.split = self.folder.name
        self.digest = digest.hexdigest()[:16]
        self.labels = torch.zeros(len(self.paths), dtype=torch.long)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def units(self) -> list[str]:
        """Each video is one of its own: nothing here says which of them belong together."""
        return [str(path) for path in self.paths]

    def half(self, part: int) -> Folder:
        """Every second video, from the first (0) or the second (1): two sides that share none."""
        side = copy.copy(self)
        side.paths, side.labels = self.paths[part::2], self.labels[part::2]
        side.digest, side.split = f"{self.digest} {part}", f"half {part}"
        return side

    def describe(self) -> str:
        return f"{len(self)} videos in {self.folder.name}"

    def batch(
        self,
        indices: Sequence[int] | Tensor,
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> tuple[Tensor, Tensor]:
        """(clips (B, 3, T, S, S) in [-1, 1], labels of zeros (B,)): random windows with a generator."""
        clips = []
        for index in indices:
            frames = fit(read_video(self.paths[index]), self.size)
            places = starts(len(frames), self.frames, self.stride)
            start = 0 if generator is None else int(torch.randint(places, (), generator=generator))
            clips.append(torch.from_numpy(frames[window(len(frames), self.frames, self.stride, start)].copy()))
        pixels = torch.stack(clips).to(device).permute(0, 4, 1, 2, 3).float().div_(127.5).sub_(1)
        return pixels, self.labels[torch.as_tensor(list(indices))].to(device)


def parser() -> argparse.ArgumentParser:
    text = argparse.ArgumentParser("hrvgan_lib.metrics", description=__doc__)
    text.add_argument("--real", required=True, help="folder of real videos")
    text.add_argument("--fake", required=True, help="folder of generated videos")
    eyes = text.add_mutually_exclusive_group(required=True)
    eyes.add_argument("--weights", help="published C3D: .npz, .safetensors or a state dict")
    eyes.add_argument("--judge", help="a judge that the book has trained: a folder in runs/<run>/judges")
    known = ", ".join(VIDEO_NETWORKS + FRAME_NETWORKS)
    eyes.add_argument("--network", help=f"a torchvision network and its weights, NAME=FILE: {known}")
    text.add_argument("--mean", help="mean volume for --weights: .npz or .npy")
    text.add_argument("--protocol", default="tgan-v1", choices=PROTOCOLS, help="for --weights")
    text.add_argument("--caffe", action="store_true", help="--network expects BGR less the Caffe mean")
    text.add_argument("--layer", help="fc6 (default), fc7, pool5 of C3D")
    text.add_argument("--n", type=int, default=0, help="clips a side; default and limit: half of the real videos")
    text.add_argument("--frames", type=int, help="of a clip; default 16, with --judge its own")
    text.add_argument("--size", type=int, help="both sides are brought to it first; default 64, with --judge its own")
    text.add_argument("--stride", type=int, help="source frames between two frames; default 1, with --judge its own")
    text.add_argument("--seed", type=int, default=0)
    text.add_argument("--cache", help="folder for features and records: a killed comparison goes on from there")
    text.add_argument("--json", help="write the two records to this file")
    return text


def eye_of(options: argparse.Namespace) -> Judge | Extractor:
    """The network that the options name."""
    if options.weights:
        return published_judge(options.weights, options.mean, protocol=options.protocol)
    if options.judge:
        return load_judge(Path(options.judge), pick_device())
    name, equals, path = options.network.partition("=")
    if not equals:
        raise ValueError(f"--network {options.network}: write NAME=FILE, for example r3d_18=weights.safetensors")
    return Extractor(name, path, "caffe" if options.caffe else "torchvision")


def shape_of(options: argparse.Namespace, eye: Judge | Extractor) -> tuple[int, int, int]:
    """Frames, size and stride of the clips: a judge of the book reads motion at the rate at which it learned it.

    Raises ValueError where the options contradict the judge.
    """
    asked = (options.frames, options.size, options.stride)
    if not options.judge or isinstance(eye, Extractor):
        return options.frames or 16, options.size or 64, options.stride or 1
    own = (eye.network.frames, eye.network.size, eye.stride)
    if any(given not in (None, value) for given, value in zip(asked, own)):
        raise ValueError("this judge reads {} frames of size {} at stride {}: leave out other values".format(*own))
    return own


def report(fake: Evaluation, floor: Evaluation) -> str:
    """The comparison as text: each number of the fake videos beside that of real against real."""

    def row(name: str, a: object, b: object) -> str:
        shown = [f"{x:.4g}" if isinstance(x, float) else "-" if x is None else str(x) for x in (a, b)]
        return f"  {name:34} {shown[0]:>34} {shown[1]:>34}"

    rows = [
        row("", "fake", "real against real"),
        row(f"Fréchet distance, {fake.layer}", fake.frechet, floor.frechet),
        row("  at infinitely many clips", fake.frechet_infinity, floor.frechet_infinity),
        row("  of single frames", fake.frame_frechet, floor.frame_frechet),
        row("kernel distance", fake.kernel, floor.kernel),
        *(
            row(name, getattr(fake, name), getattr(floor, name))
            for name in ("precision", "recall", "density", "coverage")
        ),
    ]
    if fake.inception is not None:
        rows += [row("Inception Score", fake.inception, floor.inception)]
    for name in ("motion", "motion_gap", "frozen", "variety", "nearest"):
        rows.append(row(name.replace("_", " "), getattr(fake.behaviour, name), getattr(floor.behaviour, name)))
    return "\n".join([f"{fake.judge}; {fake.protocol}", f"N = {fake.n} a side, in both columns", *rows])


def main(arguments: list[str] | None = None) -> int:
    """Print the comparison; the exit status: 0, or 1 with one line about what is wrong."""
    options = parser().parse_args(arguments)
    try:
        eye = eye_of(options)
        shape = shape_of(options, eye)
        real, fake = Folder(options.real, *shape), Folder(options.fake, *shape)
        most = min(len(real) // 2, len(fake))
        if not 4 <= (options.n or most) <= most:
            raise ValueError(
                f"there are {len(real)} real and {len(fake)} fake videos, and half of the real ones are "
                f"compared with the other half: --n can be 4 to {most}; give 8 real and 4 fake or more"
            )
        settings: dict[str, Any] = dict(
            n=options.n or most, seeds=(options.seed,), layer=options.layer, folder=options.cache, progress=True
        )
        reference, others = real.half(0), real.half(1)
        ours = evaluate(real_clips(fake, "fake"), eye, reference, **settings)
        floor = evaluate(real_clips(others, "floor"), eye, reference, **settings)
        print(report(ours, floor))
        if options.json:
            write_atomic(Path(options.json), to_json({"fake": asdict(ours), "real against real": asdict(floor)}))
    except (ValueError, FileNotFoundError, RuntimeError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
