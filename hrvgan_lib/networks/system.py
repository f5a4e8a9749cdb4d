"""The interface between a GAN system and Algorithm 1: what `training.py` may ask of any system; chapter 06."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import torch
from torch import Tensor, nn

Losses = Mapping[str, Tensor]  # named terms; their sum is what the optimiser descends


def configure(defaults, system: str, options: Mapping, choices: Mapping[str, Sequence] | None = None):
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


class System(nn.Module):
    """A generator, what judges it, their losses and their optimisers. One file in `networks/` is one system.

    A system fills in the four methods that raise NotImplementedError; `training.train` calls them in the order of
    Algorithm 1. Samples always come from `sampler`, a running average of the generator's weights (decision O2).
    """

    name = "system"
    order = ("discriminator", "generator")  # who is updated first in a turn
    critic_steps = 1  # discriminator updates for each generator update (decision L11)
    ema_decay = 0.999
    zero_means_won = True  # a discriminator's loss of zero: it has won, and G learns nothing; not so for a critic's
    from_profile = ("width",)  # options that `training.trained` takes from the profile
    diverged = ""  # why training ended early, in one sentence; set by `training.trained`

    def __init__(self, frames: int, size: int, n_classes: int) -> None:
        super().__init__()
        self.frames, self.size, self.n_classes = frames, size, n_classes

    # What Algorithm 1 needs ---------------------------------------------------------------------------------------
    def latents(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw n latent codes on the system's device."""
        raise NotImplementedError

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """Return the optimisers by network: "discriminator" and "generator"."""
        raise NotImplementedError

    def discriminator_losses(self, clips: Tensor, labels: Tensor | None, noise: torch.Generator) -> Losses:
        """Return the terms that the discriminator descends, on real clips (batch, 3, T, H, W) and fresh fakes."""
        raise NotImplementedError

    def generator_losses(self, clips: Tensor, labels: Tensor | None, noise: torch.Generator) -> Losses:
        """Return the terms that the generator descends."""
        raise NotImplementedError

    def constrain_discriminator(self, step: int) -> None:
        """Do what the system does to its discriminator after its update in turn `step`, from 0: by default nothing."""

    # What everybody else needs ------------------------------------------------------------------------------------
    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def follow(self, generator: nn.Module) -> None:
        """Set up `sampler`, the running average of `generator`."""
        self.sampler = copy.deepcopy(generator).eval().requires_grad_(False)

    def train(self, mode: bool = True) -> "System":
        """Switch every network but `sampler`, whose batch norms always use their running statistics."""
        super().train(mode)
        if hasattr(self, "sampler"):
            self.sampler.eval()
        return self

    @torch.no_grad()
    def update_sampler(self, generator: nn.Module, step: int) -> None:
        """Move `sampler` towards `generator`; the average is short at first, so that early steps are forgotten."""
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
    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None,
               batch: int = 32) -> Tensor:
        """Generate n clips from the averaged generator.

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
        chunks = [self.sampler(latents[i:i + batch], None if labels is None else labels[i:i + batch])
                  for i in range(0, n, batch)]
        return torch.cat([chunk.float().cpu() for chunk in chunks]).clamp(-1, 1)
