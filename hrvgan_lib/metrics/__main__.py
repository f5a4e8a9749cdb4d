"""`python -m hrvgan_lib.metrics --real DIR --fake DIR`: compare two folders of videos (chapter 08)."""

from __future__ import annotations

import argparse
import math
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hrvgan_lib import ranks
from hrvgan_lib.data.folders import Folder
from hrvgan_lib.devices import pick_device
from hrvgan_lib.files import to_json, write_atomic
from hrvgan_lib.metrics.evaluation import Evaluation, evaluate
from hrvgan_lib.metrics.eyes.extractors import FRAME_NETWORKS, VIDEO_NETWORKS, Extractor
from hrvgan_lib.metrics.eyes.judge import Judge, load_judge
from hrvgan_lib.metrics.eyes.protocols import PROTOCOLS
from hrvgan_lib.metrics.eyes.published import published_judge
from hrvgan_lib.metrics.sources import real_clips
from hrvgan_lib.mishaps import command


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


def check_outputs(options: argparse.Namespace) -> None:
    """Whether the results can be written, before hours are spent on them. Raises ValueError where they cannot."""
    if options.json:
        path = Path(options.json)
        if path.is_dir():
            raise ValueError(f"--json {path}: this is a folder; name a file in it")
        if not path.absolute().parent.is_dir() or not os.access(path.absolute().parent, os.W_OK):
            raise ValueError(f"--json {path}: {path.absolute().parent} is no folder that can be written to")
    if options.cache and Path(options.cache).exists() and not Path(options.cache).is_dir():
        raise ValueError(f"--cache {options.cache}: this is a file; name a folder")


NO_UNIT = {  # why a share of what real clips have may not exist
    "the real videos stand still": ("motion", "motion_gap", "frozen"),
    "the real videos are all alike": ("variety", "nearest"),
}


def _nan(record: object, name: str) -> bool:
    return getattr(record, name) != getattr(record, name)


def strict(value: Any) -> Any:
    """Plain values as every reader of JSON takes them: what is no number is null."""
    if isinstance(value, dict):
        return {name: strict(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [strict(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def report(fake: Evaluation, floor: Evaluation) -> str:
    """The comparison as text: each number of the fake videos beside that of real against real."""

    def row(name: str, a: object, b: object) -> str:
        shown = ["-" if x is None or x != x else f"{x:.4g}" if isinstance(x, float) else str(x) for x in (a, b)]
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
    unknown = {why: names for why, names in NO_UNIT.items() if any(_nan(fake.behaviour, name) for name in names)}
    rows += [f"  -: {', '.join(names).replace('_', ' ')}: {why}" for why, names in unknown.items()]
    return "\n".join([f"{fake.judge}; {fake.protocol}", f"N = {fake.n} a side, in both columns", *rows])


@command
def main(arguments: list[str] | None = None) -> int:
    """Print the comparison. Under torchrun the processes share the looking, and the first one speaks."""
    options = parser().parse_args(arguments)
    with ranks.joined():
        compare(options)
    return 0


def compare(options: argparse.Namespace) -> None:
    """Look at both folders and say how far apart they are. Raises ValueError for what cannot be compared."""
    check_outputs(options)
    speaks = not ranks.rank()
    eye = eye_of(options)
    shape = shape_of(options, eye)
    real, fake = (Folder(folder, *shape, progress=True) for folder in (options.real, options.fake))
    if speaks:
        print(*real.report.lines(), *fake.report.lines(), sep="\n", flush=True)
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
    if speaks:
        print(report(ours, floor))
    if options.json and speaks:
        videos = {"real": real.report.as_json(), "fake": fake.report.as_json()}
        record = {"fake": asdict(ours), "real against real": asdict(floor), "videos": videos}
        write_atomic(Path(options.json), to_json(strict(record)))


if __name__ == "__main__":
    sys.exit(main())
