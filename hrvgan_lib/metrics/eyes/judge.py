"""The judge: a C3D that has learned to name the classes of real clips (chapter 08).

Both rulers of the paper look at clips through a classifier. The published one was fine-tuned on UCF101; where
its weights are not given, one is trained here on the training split and tried on the test split, which it
never sees.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from filelock import FileLock
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from hrvgan_lib.data.clips import Clips, identity
from hrvgan_lib.devices import pick_device
from hrvgan_lib.half import halved
from hrvgan_lib.keys import key_of
from hrvgan_lib.metrics.eyes.c3d import C3D, LAYERS
from hrvgan_lib.metrics.eyes.judge_training import LearningStep, Recipe, judge_precision, train_judge
from hrvgan_lib.metrics.eyes.protocols import Protocol, softmax64
from hrvgan_lib.metrics.rulers.draws import drawn
from hrvgan_lib.metrics.rulers.estimates import Estimate, read_estimate, share
from hrvgan_lib.metrics.rulers.inception import inception_influences, inception_score
from hrvgan_lib.provenance import repo_root
from hrvgan_lib.windows import WINDOW

if TYPE_CHECKING:
    from hrvgan_lib.profiles import Profile

VIEWS = 4  # windows of each video behind the video accuracy


def judge_shape(profile: Profile) -> dict[str, int]:
    """Frames, size and stride of the clips that a profile's judge reads, ready for `open_dataset`.

    The profile's own shape while that is small; 16 consecutive frames of 112x112, the published classifier's
    input, once clips are that large (decision E1).
    """
    if profile.size >= 112:
        return {"frames": 16, "size": 112, "stride": 1}
    return {"frames": profile.frames, "size": profile.size, "stride": profile.stride}


@dataclass(frozen=True)
class Judge:
    """A trained C3D, the classifier, and what it was trained on. Eval mode, no gradients; answers are NumPy arrays."""

    network: C3D
    name: str  # for tables: what it is, where it learned
    classes: tuple[str, ...]
    stride: int  # source frames between two frames of its training clips
    accuracy: Estimate | None  # held-out clip accuracy; None where it was not examined
    digest: str  # of the weights
    history: tuple[LearningStep, ...] = ()
    recipe: Recipe | None = None
    protocol: Protocol | None = None  # how clips become its input; None: as in its own training
    mean: Tensor | None = None  # the protocol's mean volume
    video_accuracy: Estimate | None = None  # the same, from the mean answer to several windows of each video
    dtype: torch.dtype = torch.float32  # what the network computes in; features and answers come out in full
    layers = LAYERS
    frames_only = False  # it sees clips

    def features(self, clips: Tensor, layer: str = "fc6") -> np.ndarray:
        """Features of clips (N, 3, T, S, S) in [-1, 1] at `layer`: float32 (N, D)."""
        return self.look(clips, layer)[0]

    def probabilities(self, clips: Tensor) -> np.ndarray:
        """Class probabilities of clips (N, 3, T, S, S) in [-1, 1]: float64 (N, K), rows sum to 1."""
        return self.look(clips)[1]

    @torch.inference_mode()
    def look(self, clips: Tensor, layer: str = "fc6", batch: int = 64) -> tuple[np.ndarray, np.ndarray]:
        """Features and probabilities in one pass. Raises ValueError for clips with too few frames."""
        device = next(self.network.parameters()).device
        seen, said = [], []
        for part in clips.split(batch):
            part = self.fit(part.to(device)).to(memory_format=torch.channels_last_3d)
            with torch.autocast(device.type, self.dtype, enabled=self.dtype != torch.float32):
                layers = self.network.layers(part)
            seen.append(layers[layer].float().cpu())
            said.append(softmax64(layers["logits"]))
        return torch.cat(seen).numpy(), np.concatenate(said)

    def score(self, probabilities: Sequence[np.ndarray]) -> tuple[float, float, tuple[float, ...]]:
        """(mean, population standard deviation, single scores) of Eq. 16, by protocol: one (N, K) a repeat."""
        if self.protocol is not None:
            return self.protocol.score(probabilities)
        scores = tuple(inception_score(rows) for rows in probabilities)
        return float(np.mean(scores)), float(np.std(scores)), scores

    def score_influences(self, rows: np.ndarray) -> np.ndarray:
        """How much each of N clips moves the score of one repeat, (N, K) -> (N,)."""
        return inception_influences(rows) if self.protocol is None else self.protocol.score_influences(rows)

    @property
    def identity(self) -> str:
        """Names everything that its features depend on: two judges with one identity give the same features."""
        mean = "" if self.mean is None else hashlib.sha256(self.mean.numpy().tobytes()).hexdigest()[:12]
        return f"{self.digest} stride {self.stride} {self.dtype} {self.protocol} mean {mean}"

    @property
    def way(self) -> str:
        """One line for tables: how clips are shown and scores are joined."""
        if self.protocol is not None:
            return self.protocol.describe()
        shape = f"{self.network.frames} frames of {self.network.size}x{self.network.size}"
        return f"this book: {shape}, {self.stride} source frames apart, softmax, one split, population std over seeds"

    def fit(self, clips: Tensor) -> Tensor:
        """Clips in the judge's own frame count and size.

        A clip of T frames spans the same 32 source frames as any other, so it is thinned until frames are as
        far apart as in training; the first `frames` of them are used (decision E1). Frames of another size
        are resized, bicubic and antialiased. A judge with a published protocol reads what that prepares.
        """
        if self.protocol is not None:
            return self.protocol.prepare(clips, self.mean)
        step = max(1, self.stride * clips.shape[2] // WINDOW)
        clips = clips[:, :, ::step][:, :, : self.network.frames]  # (N, 3, frames, H, W)
        if clips.shape[2] < self.network.frames:
            raise ValueError(
                f"the judge reads {self.network.frames} frames, these have {clips.shape[2]}; "
                "sample longer clips or train a judge on shorter ones"
            )
        size = self.network.size
        if clips.shape[-2:] == (size, size):
            return clips
        return resize(clips, size)


def resize(clips: Tensor, size: int) -> Tensor:
    """Clips (N, 3, T, H, W) in [-1, 1] with every frame at `size`, bicubic and antialiased."""
    n, _, frames = clips.shape[:3]
    flat = clips.transpose(1, 2).flatten(0, 1)  # (N * T, 3, H, W)
    flat = F.interpolate(flat, size=(size, size), mode="bicubic", antialias=True).clamp(-1, 1)
    return flat.unflatten(0, (n, frames)).transpose(1, 2)  # (N, 3, T, size, size)


@torch.no_grad()
def exam(judge: Judge, dataset: Clips, batch: int = 64, views: int = 1) -> Estimate:
    """Share of the clips of `dataset` that the judge names right; its interval goes by looks, people or source videos.

    views: 1 shows the first window of each; more average the answers to so many random windows ("video accuracy").
    """
    right: list[bool] = []
    for start in range(0, len(dataset), batch):
        rows, answer = list(range(start, min(start + batch, len(dataset)))), np.zeros(())
        for view in range(views):
            window = torch.Generator().manual_seed(view) if views > 1 else None
            clips, labels = dataset.batch(rows, window)
            answer = answer + judge.probabilities(clips)
        right += (answer.argmax(axis=1) == labels.numpy()).tolist()
    units = np.unique(dataset.units, return_inverse=True)[1]
    source = f"{dataset.digest} {dataset.split}"
    return share(right, drawn(len(dataset), source, dataset.labels.numpy(), units, dataset.unit))


def trained_judge(
    train_set: Clips,
    test_set: Clips,
    profile: Profile,
    *,
    seed: int = 0,
    folder: str | Path | None = None,
    device: torch.device | None = None,
    **changes: Any,
) -> Judge:
    """The judge of a labelled data set, trained once and kept in `folder` (default: runs/judges).

    `train_set` and `test_set` are `ClipDataset`s of one shape; `profile` gives width, steps and batch;
    `changes` set further fields of `Recipe`. Held-out accuracy is measured on the first window of every test
    clip. The cache key holds data, recipe and code, so nothing stale is ever loaded. Raises ValueError where
    a set has no labels.
    """
    if not train_set.n_classes:
        raise ValueError(f"{train_set.name} has no labels; train the judge on a labelled data set")
    recipe = recipe_of(profile, seed=seed, **changes)
    device = device or pick_device()
    place = judge_place(train_set, test_set, recipe, folder, device)
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{place}.lock"):  # two chapters at once: the second waits, then loads
        if not all((place / name).is_file() for name in ("judge.json", "judge.safetensors")):
            save_judge(make_judge(train_set, test_set, recipe, device), train_set, place)
    return load_judge(place, device)


def recipe_of(profile: Profile, **changes: Any) -> Recipe:
    """How a profile's judge is trained; `changes` set fields of it."""
    settings = {"width": profile.judge_width, "steps": profile.judge_steps, "batch": profile.judge_batch}
    return Recipe(**settings | changes)


def judge_place(
    train_set: Clips, test_set: Clips, recipe: Recipe, folder: str | Path | None = None,
    device: torch.device | None = None,
) -> Path:  # fmt: skip
    """The folder of a judge: its name ends in `judge_key`, so nothing stale is ever loaded."""
    folder = repo_root() / "runs" / "judges" if folder is None else Path(folder)
    return folder / f"{train_set.name}-{judge_key(train_set, test_set, recipe, device or pick_device())}"


def make_judge(train_set: Clips, test_set: Clips, recipe: Recipe, device: torch.device) -> Judge:
    """Train and examine a judge, whatever the cache holds."""
    with torch.random.fork_rng():  # dropout draws from the global generator; leave the caller's as it was
        torch.manual_seed(recipe.seed)
        network = blank_network(train_set.n_classes, train_set.frames, train_set.size, recipe).to(device)
        history = tuple(train_judge(network, train_set, recipe))
    network.load_state_dict(halved(network.state_dict(), network))
    network.eval().requires_grad_(False)
    norm = " with batch norm" if recipe.batch_norm else ""
    name = f"C3D x{recipe.width:g}{norm}, trained {recipe.steps} steps on {train_set.describe()}"
    judge = Judge(
        network, name, tuple(train_set.classes), train_set.stride, None, weights_digest(network), history, recipe
    )
    return replace(judge, accuracy=exam(judge, test_set), video_accuracy=exam(judge, test_set, views=VIEWS))


def blank_network(n_classes: int, frames: int, size: int, recipe: Recipe) -> C3D:
    """An untrained C3D for clips of `frames` frames of size x size."""
    network = C3D(n_classes, recipe.width, frames, size, recipe.batch_norm, recipe.dropout)
    return network.to(memory_format=torch.channels_last_3d)


def weights_digest(network: torch.nn.Module) -> str:
    """Twelve hexadecimal digits that name the weights and buffers of a network."""
    state = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        state.update(name.encode() + tensor.detach().contiguous().cpu().numpy().tobytes())
    return state.hexdigest()[:12]


def judge_key(train_set: Clips, test_set: Clips, recipe: Recipe, device: torch.device) -> str:
    """Names everything that the judge depends on: data, recipe, code, what it is trained on."""
    return key_of(
        __name__,
        train=identity(train_set),
        test=identity(test_set),
        recipe=recipe,
        device=device.type,
        arithmetic=str(judge_precision(device)),
    )


def save_judge(judge: Judge, data: Clips, place: Path) -> None:
    """Write weights and record of a judge that was examined to the folder `place`, all or nothing."""
    assert judge.accuracy is not None and judge.video_accuracy is not None and judge.recipe is not None
    record = {
        "name": judge.name,
        "classes": judge.classes,
        "stride": judge.stride,
        "digest": judge.digest,
        "data": {"name": data.name, "digest": data.digest, "frames": data.frames, "size": data.size},
        "accuracy": asdict(judge.accuracy),
        "video_accuracy": asdict(judge.video_accuracy),
        "recipe": asdict(judge.recipe),
        "history": [[row.step, round(row.loss, 5), round(row.accuracy, 5)] for row in judge.history],
    }
    half_done = Path(tempfile.mkdtemp(prefix=f"{place.name}.", suffix=".partial", dir=place.parent))
    state = halved(judge.network.state_dict(), judge.network)
    weights = {name: tensor.contiguous().cpu() for name, tensor in state.items()}
    save_file(weights, half_done / "judge.safetensors")
    (half_done / "judge.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(place, ignore_errors=True)
    os.replace(half_done, place)


def load_judge(place: Path, device: torch.device) -> Judge:
    """Read what `save_judge` wrote. Raises RuntimeError where the weights are not those of the record."""
    record = json.loads((place / "judge.json").read_text(encoding="utf-8"))
    recipe = Recipe(**record["recipe"])
    network = blank_network(len(record["classes"]), record["data"]["frames"], record["data"]["size"], recipe)
    network.load_state_dict(load_file(place / "judge.safetensors"))
    network.to(device).eval().requires_grad_(False)
    if weights_digest(network) != record["digest"]:
        raise RuntimeError(f"{place.name}: the weights are not those that its record names; delete it")
    history = tuple(LearningStep(*row) for row in record["history"])
    return Judge(
        network,
        record["name"],
        tuple(record["classes"]),
        record["stride"],
        read_estimate(record["accuracy"]),
        record["digest"],
        history,
        recipe,
        video_accuracy=read_estimate(record["video_accuracy"]),
    )
