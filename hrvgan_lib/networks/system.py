"""The interface between a GAN system and Algorithm 1: what `training.py` may ask of any system; chapter 06."""

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor, nn

from hrvgan_lib.norms import MinibatchStddev
from hrvgan_lib.streams import Noise, stream

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from hrvgan_lib.data.clips import Clips

Configuration = TypeVar("Configuration", bound="DataclassInstance")
Losses = Mapping[str, Tensor]  # named terms; their sum is what the optimiser descends


def configure(
    defaults: Configuration, system: str, options: Mapping[str, object], choices: Mapping[str, Sequence] | None = None
) -> Configuration:
    """Return the configuration `defaults` (a frozen dataclass) with `options` on top.

    Raises:
        ValueError: an option that is no field of it, or a value that is not among the `choices` of its option.
    """
    known = {field.name for field in fields(defaults)}
    for name, value in options.items():
        if name not in known:
            raise ValueError(f"{system} has no option '{name}'; it has {', '.join(sorted(known))}")
        if choices and value not in choices.get(name, (value,)):
            raise ValueError(f"{name} cannot be '{value}'; choose one of {', '.join(choices[name])}")
    return replace(defaults, **options)


def on_device(kind: type[torch.optim.Optimizer], device: torch.device) -> dict[str, bool]:
    """Settings of an optimiser that only a GPU has: a graph can hold it, and Adam is one launch for all weights."""
    if device.type != "cuda" or kind not in (torch.optim.Adam, torch.optim.RMSprop):
        return {}
    # PyTorch warns of every step that is not recorded, and the first ones never are.
    warnings.filterwarnings("ignore", "This instance was constructed with capturable=True")
    return {"capturable": True} | ({"fused": True} if kind is torch.optim.Adam else {})


# How a rival is trained: with its authors' optimisers and batches, or with those of HRVGAN's headline row (chapter 10),
# whose rates these are. They stand here, so that a change of HRVGAN trains no rival anew.
RECIPES = ("published", "common")
RATES: Mapping[str, float] = {"discriminator": 2e-4, "generator": 1e-3}
BETAS = (0.5, 0.99)

# What the systems with DCGAN's stages share: each stage halves or doubles the side of a map, 4x4 at its smallest.
STAGE_SIZES = (16, 32, 64, 128, 256)


def refuse_cut(system: str, frames: int, size: int, why: str) -> ValueError:
    """The error for a shape that a system cannot be cut to; `why` names what it can be."""
    return ValueError(f"{system} cannot be cut to {frames} frames of {size}x{size}: {why}")


def count_stages(system: str, frames: int, size: int) -> int:
    """Return how often `size` is halved down to 4. Raises ValueError where it is not 4 doubled."""
    if size not in STAGE_SIZES:
        raise refuse_cut(system, frames, size, f"the size must be one of {', '.join(map(str, STAGE_SIZES))}")
    return (size // 4).bit_length() - 1


def stage_channels(stages: int, first: int, width: float) -> list[int]:
    """Channels from the pixels to 4x4: `first` beside the pixels, doubled at each stage up to 512, times `width`."""
    return [max(4, round(min(512, first * 2**stage) * width)) for stage in range(stages)]


def cut_cube(system: str, frames: int, size: int, width: float) -> tuple[int, list[int]]:
    """Cut a 32x64x64 network whose stages double space and time together, by dropping or adding stages.

    Returns:
        The frames of the 4x4 map that everything starts from, and the channels from there to the pixels.

    Raises:
        ValueError: a size that is not 4 doubled, or frames that cannot be halved as often as the size.
    """
    stages = count_stages(system, frames, size)
    factor = 2**stages
    if frames < factor or frames % factor:
        ask = max(1, frames // factor) * factor
        raise refuse_cut(system, frames, size, f"frames must be a multiple of {factor}; ask for {ask}")
    return frames // factor, stage_channels(stages, 64, width)[::-1]


@contextmanager
def statistics_kept(network: nn.Module) -> Iterator[None]:
    """Within it batch norms work as in training, but leave their running statistics as they are."""
    norms = [norm for norm in network.modules() if isinstance(norm, nn.modules.batchnorm._BatchNorm)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, before):
            norm.momentum = momentum


def lay_out(module: nn.Module) -> nn.Module:
    """Store the weights of convolutions channels-last, as clips are: maps then never change their layout on the way."""
    layouts = {4: torch.channels_last, 5: torch.channels_last_3d}
    for parameter in module.parameters():
        if parameter.ndim in layouts:
            parameter.data = parameter.data.contiguous(memory_format=layouts[parameter.ndim])
    return module


class System(nn.Module):
    """A generator, what judges it, their losses and their optimisers. One file in `networks/` is one system.

    A system fills in the four methods that raise NotImplementedError; `training.train` calls them in the order of
    Algorithm 1. Samples always come from `sampler`, a running average (EMA) of the generator's weights (decision O2).
    """

    name = "system"
    takes_labels = True
    order: tuple[str, str] = ("discriminator", "generator")  # who is updated first in a turn
    critic_steps = 1  # discriminator updates for each generator update (decision L11)
    ema_decay = 0.999
    fixed_work = True  # an update launches the same kernels each time, and differentiates once: it can be recorded
    zero_means_won = True  # a discriminator's loss of zero: it has won, and G learns nothing; not so for a critic's
    from_profile: tuple[str, ...] = ("width",)  # options that `training.trained` takes from the profile
    about: Mapping[str, str] = {}  # what its file says of it, where `checkpoints.load_generator` read it
    diverged = ""  # why training ended early, in one sentence; set by `training.trained`

    def __init__(self, frames: int, size: int, n_classes: int) -> None:
        if n_classes and not self.takes_labels:
            raise ValueError(
                f"{type(self).__name__} takes no labels; build it with n_classes=0, or train it with conditional=False"
            )
        super().__init__()
        self.frames, self.size, self.n_classes = frames, size, n_classes

    # What Algorithm 1 needs ---------------------------------------------------------------------------------------
    def latents(self, n: int, generator: Noise | None = None) -> Tensor:
        """Draw n latent codes on the system's device."""
        raise NotImplementedError

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """Return the optimisers by network: "discriminator" and "generator"."""
        raise NotImplementedError

    def one_for_each(self, kind: type[torch.optim.Optimizer], **settings: object) -> dict[str, torch.optim.Optimizer]:
        """Two optimisers of one kind and the same settings: all that `optimisers` needs in most systems."""
        settings |= on_device(kind, self.device)
        return {name: kind(getattr(self, name).parameters(), **settings) for name in ("discriminator", "generator")}

    def common_optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """What trains HRVGAN's headline row, for this system's two networks: the recipe "common"."""
        how = {"betas": BETAS, "eps": 1e-8} | on_device(torch.optim.Adam, self.device)
        return {
            name: torch.optim.Adam(getattr(self, name).parameters(), lr=rate, **how) for name, rate in RATES.items()
        }

    def discriminator_losses(self, clips: Tensor, labels: Tensor | None, noise: Noise) -> Losses:
        """Return the terms that the discriminator descends, on real clips (batch, 3, T, H, W) and fresh fakes."""
        raise NotImplementedError

    def generator_losses(self, clips: Tensor, labels: Tensor | None, noise: Noise) -> Losses:
        """Return the terms that the generator descends."""
        raise NotImplementedError

    def rows(self, n: int, rank: int, ranks: int) -> Tensor:
        """Which of n draws, one a clip, process `rank` of `ranks` works on: int64 (n / ranks,).

        Clips of one group of the minibatch stddev stay together. Raises ValueError where that cannot be.
        """
        found = (layer.group for layer in self.discriminator.modules() if isinstance(layer, MinibatchStddev))
        group = min(n, next(found, 1))
        if n % (group * ranks):
            groups = f", which the minibatch stddev looks at in groups of {group}" if group > 1 else ""
            raise ValueError(
                f"a batch of {n}{groups} cannot be shared out to {ranks} processes: the batch has to be a multiple of "
                f"{group * ranks} (--batch), or take fewer processes"
            )
        # Table of (group, groups), as the layer sees it: a process takes whole columns.
        return torch.arange(n).view(group, ranks, -1)[:, rank].flatten()

    def clip_rows(self, n: int, rank: int, ranks: int) -> Tensor:
        """Which of the n clips of a mini-batch process `rank` of `ranks` works on: as `rows`."""
        return self.rows(n, rank, ranks)

    def constrain_discriminator(self, step: int) -> None:
        """Do what the system does to its discriminator after its update in turn `step`, from 0: by default nothing."""

    # What everybody else needs ------------------------------------------------------------------------------------
    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def follow(self, generator: nn.Module) -> None:
        """Set up `sampler`, the running average (EMA) of `generator`, once all networks are there."""
        lay_out(self)
        self.sampler = copy.deepcopy(generator).eval().requires_grad_(False)

    def train(self, mode: bool = True) -> "System":
        """Switch every network but `sampler`, whose batch norms always use their running statistics."""
        super().train(mode)
        if hasattr(self, "sampler"):
            self.sampler.eval()
        return self

    @torch.no_grad()
    def update_sampler(self, generator: nn.Module, step: int) -> None:
        """Move `sampler`, the EMA, towards `generator`; it is short at first, so that early steps are forgotten."""
        decay = min(self.ema_decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.sampler.parameters()), list(generator.parameters()), 1 - decay)
        for kept, fresh in zip(self.sampler.buffers(), generator.buffers()):
            kept.copy_(fresh)

    def uniform_labels(self, n: int) -> Tensor | None:
        """Return n labels with every class as often as every other (decision E3), None without classes."""
        return torch.arange(n, device=self.device) % self.n_classes if self.n_classes else None

    def check_labels(self, labels: Tensor | None) -> None:
        """Raise ValueError where labels and the system do not fit each other."""
        if labels is None and self.n_classes:
            raise ValueError(f"{self.name} was built with {self.n_classes} classes; pass labels")
        if labels is not None and len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < self.n_classes:
            raise ValueError(f"label {int(labels.max())} is outside the {self.n_classes} classes of this {self.name}")

    @torch.no_grad()
    def sample(
        self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None, batch: int = 32
    ) -> Tensor:
        """Generate n clips from the averaged (EMA) generator.

        Args:
            n: how many.
            labels: (n,) classes; None draws them evenly (a system without classes takes none).
            generator: source of the latents, so that the same seed gives the same clips at any `batch`.
            batch: how many at once.

        Returns:
            float32 (n, 3, frames, size, size) in [-1, 1], on the CPU.
        """
        labels = self.uniform_labels(n) if labels is None else labels.to(self.device)
        self.check_labels(labels)
        latents = self.latents(n, generator)
        chunks = [
            self.sampler(latents[i : i + batch], None if labels is None else labels[i : i + batch])
            for i in range(0, n, batch)
        ]
        return torch.cat([chunk.float().cpu() for chunk in chunks]).clamp(-1, 1)

    def snapshot(self, n: int, dataset: "Clips") -> Tensor:
        """What a look during training shows: n samples, always from the same latents. dataset: of the training."""
        return self.sample(n, generator=stream("snapshot"))
