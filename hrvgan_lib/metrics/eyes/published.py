"""The judge that users bring: published weights and a mean volume, by a published protocol (chapter 08, E1)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from hrvgan_lib.devices import pick_device
from hrvgan_lib.metrics.eyes.extractors import Extractor
from hrvgan_lib.metrics.eyes.judge import Judge, exam, trained_judge, weights_digest
from hrvgan_lib.metrics.eyes.protocols import FRAMES, get_protocol
from hrvgan_lib.metrics.eyes.weights import READABLE, load_c3d, load_mean
from hrvgan_lib.windows import WINDOW

if TYPE_CHECKING:
    from hrvgan_lib.data.clips import Clips
    from hrvgan_lib.profiles import Profile

FOLDER = "reference"  # beside the data sets
PATTERNS = {
    "weights": ("c3d_ucf101*", "conv3d_deepnetA_ucf*"),
    "mean": ("mean2.npz", "c3d*mean*"),
    "frames": ("squeezenet1_0*",),
}


def reference_files(data_root: str | Path) -> dict[str, Path]:
    """What lies in `data_root`/reference: "weights" of C3D, its "mean" volume, a network of "frames"; each may lack."""
    folder, found = Path(data_root) / FOLDER, {}
    for what, patterns in PATTERNS.items():
        suffixes = (".npy", ".npz") if what == "mean" else READABLE
        files = [
            path
            for pattern in patterns
            for path in sorted(folder.glob(pattern))
            if path.suffix in suffixes and ("mean" in path.name) == (what == "mean")
        ]
        if files:
            found[what] = files[0]
    return found


def published_judge(
    weights: str | Path,
    mean: str | Path | None = None,
    classes: Sequence[str] | None = None,
    protocol: str = "tgan-v1",
    device: torch.device | None = None,
    width: float = 1.0,
) -> Judge:
    """A judge from published weights (any file that `load_c3d` reads); its accuracy is not known yet.

    classes: names in the order of the outputs; by default numbers. Raises ValueError for weights that know another
    number of classes, and as `load_c3d`, `load_mean` and `get_protocol` do.
    """
    network = load_c3d(weights, None if classes is None else len(classes), width).to(device or pick_device())
    network = network.to(memory_format=torch.channels_last_3d)
    names = tuple(classes) if classes is not None else tuple(f"class {i}" for i in range(network.n_classes))
    volume = None if mean is None else load_mean(mean)
    centre = "mean volume " + Path(mean).name if mean is not None else "no mean volume, 128 subtracted"
    return Judge(
        network,
        f"C3D, published weights {Path(weights).name}, {centre}",
        names,
        1,
        None,
        weights_digest(network),
        protocol=get_protocol(protocol),
        mean=volume,
    )


def stride_for(data_root: str | Path, name: str, frames: int) -> int:
    """Source frames between two frames of a clip of `frames` frames, where the labelled data set `name` is judged.

    The published classifier has learned from 16 consecutive frames: where it will judge, clips are consecutive
    (decision E1). Else every clip spans the same 32 source frames (decision T3).
    """
    judged = name == "ucf101" and (Path(data_root) / name).is_dir() and "weights" in reference_files(data_root)
    return 1 if judged and frames >= FRAMES else max(1, WINDOW // frames)


def judge_for(
    train_set: Clips,
    test_set: Clips,
    profile: Profile,
    *,
    data_root: str | Path,
    protocol: str = "tgan-v1",
    **options: Any,
) -> Judge:
    """The judge of a labelled data set: published weights where they fit it, else a C3D that is trained here.

    Published weights are used for clips of the real UCF101 with at least 16 frames when `data_root`/reference holds
    them; they are examined on the test split first. They have learned split 1: for another fold, whose test clips they
    know, a judge is trained, with a warning. `options` go to `trained_judge`.
    """
    files = reference_files(data_root)
    fits = train_set.name == "ucf101" and train_set.kind == "real" and train_set.frames >= FRAMES
    if "weights" in files and fits and getattr(train_set, "fold", 1) != 1:
        warnings.warn(
            f"{files['weights'].name} has learned split 1 and knows test clips of this one: a judge is trained",
            stacklevel=2,
        )
    elif "weights" in files and fits:
        judge = published_judge(files["weights"], files.get("mean"), train_set.classes, protocol, options.get("device"))
        accuracy = {"accuracy": exam(judge, test_set), "video_accuracy": exam(judge, test_set, views=4)}
        return replace(judge, **accuracy)
    return trained_judge(train_set, test_set, profile, **options)


def frame_network(data_root: str | Path) -> Extractor | None:
    """SqueezeNet 1.0 from `data_root`/reference, the converted Caffe weights; None where it is not there."""
    path = reference_files(data_root).get("frames")
    return None if path is None else Extractor("squeezenet1_0", path, "caffe")
