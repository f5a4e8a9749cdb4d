"""How a judge learns: the recipe, its augmentation, its training loop (chapter 08)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from hrvgan_lib.devices import precision
from hrvgan_lib.metrics.eyes.c3d import C3D

if TYPE_CHECKING:
    from hrvgan_lib.data.clips import Clips


@dataclass(frozen=True)
class Recipe:
    """How a judge is trained. Every field is part of the cache key."""

    width: float = 0.25  # channel multiplier of C3D
    steps: int = 250
    batch: int = 16
    learning_rate: float = 3e-3  # the peak of a one-cycle schedule for Adam
    weight_decay: float = 1e-3  # decoupled, as in AdamW
    warm_up: float = 0.1  # share of the steps until the peak
    dropout: float = 0.2  # the published 0.5 slows a narrow network down
    shift: float = 0.0625  # random translation, up to this share of the side; one for all frames of a clip
    brightness: float = 0.2  # random offset; one for all frames of a clip
    contrast: float = 0.2  # random gain 1 +- this
    batch_norm: bool = True  # the published C3D has none; from scratch in a minute it needs it
    seed: int = 0


@dataclass(frozen=True)
class LearningStep:
    """One step of the judge's training: cross-entropy and share of the batch named right."""

    step: int
    loss: float
    accuracy: float


def augment(clips: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Shift, brighten and stretch whole clips (batch, 3, T, S, S); motion stays as it is.

    No mirroring and no reversal in time: either may turn one class into another.
    """
    n, size = len(clips), clips.shape[-1]
    reach = int(recipe.shift * size)
    gain, offset = (2 * torch.rand(2, n, 1, 1, 1, 1, generator=generator) - 1).to(clips.device)  # (n, 1, 1, 1, 1) each
    moves = torch.randint(-reach, reach + 1, (n, 2), generator=generator)  # (n, 2): down, right
    padded = F.pad(clips, (reach,) * 4 + (0, 0), mode="replicate")  # (n, 3, T, S + 2 reach, S + 2 reach)
    shifted = torch.stack(
        [
            clip[:, :, reach + y : reach + y + size, reach + x : reach + x + size]
            for clip, (y, x) in zip(padded, moves.tolist())
        ]
    )  # (n, 3, T, S, S)
    return shifted * (1 + recipe.contrast * gain) + recipe.brightness * offset


def judge_precision(device: torch.device) -> torch.dtype:
    """What a judge trains in: `devices.precision` on a GPU, float32 on every CPU.

    Where maps are two frames deep, as in C3D's fourth block, the bfloat16 gradient of a 3-D convolution's weights on a
    CPU (PyTorch 2.15, avx512_bf16) reads memory that nothing has written: it differs from run to run, and is NaN at
    times. No GAN of this book has such a map (tests/test_judge.py).
    """
    return precision(device) if torch.device(device).type == "cuda" else torch.float32


def train_judge(network: C3D, train_set: Clips, recipe: Recipe) -> Iterator[LearningStep]:
    """Train `network` on random windows of `train_set`, one record a step. Leaves it in training mode.

    Each pass visits every clip once, in an order that derives from the seed. Raises RuntimeError for a loss that is no
    number.
    """
    device = next(network.parameters()).device
    dtype = judge_precision(device)
    data, noise = torch.Generator().manual_seed(recipe.seed), torch.Generator().manual_seed(recipe.seed + 1)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, betas=(0.9, 0.99), fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.learning_rate, pct_start=recipe.warm_up, total_steps=recipe.steps + 1
    )
    network.train()
    queue = torch.empty(0, dtype=torch.long)
    for step in range(recipe.steps):
        while len(queue) < recipe.batch:
            queue = torch.cat([queue, torch.randperm(len(train_set), generator=data)])
        clips, labels = train_set.batch(queue[: recipe.batch].tolist(), generator=data, device=device)
        queue = queue[recipe.batch :]
        clips = augment(clips, recipe, noise)
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            logits = network(clips)
        loss = F.cross_entropy(logits.float(), labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        right = (logits.argmax(dim=1) == labels).float().mean()
        if not loss.isfinite():
            raise RuntimeError(
                f"the judge's loss is {loss.item()} at step {step + 1} of {recipe.steps}: no judge is kept; is a clip "
                "of the data set NaN, or the learning rate too large?"
            )
        yield LearningStep(step + 1, loss.item(), right.item())
