"""VGAN: a moving foreground over a still background, mixed by a mask (Vondrick et al. 2016); chapter 10."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hrvgan_lib.losses import full
from hrvgan_lib.networks.system import RECIPES, Losses, System, configure, cut_cube, statistics_kept
from hrvgan_lib.streams import Noise, drawn

FAKE, REAL = 0, 1  # the two classes of the discriminator's softmax


@dataclass(frozen=True)
class VGANConfig:
    """The published settings, which are those of the released code."""

    recipe: str = "published"  # or "common": HRVGAN's optimisers, all else as published
    width: float = 1.0  # multiplies every channel count
    latent_dim: int = 100
    mask_weight: float = 0.1  # lambda of the L1 penalty on the mask
    leak: float = 0.2  # slope of the leaky ReLU
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)


def upward(layer: type, norm: type, latent_dim: int, base: int | tuple, channels: list[int]) -> nn.Sequential:
    """Latents with axes of length one to the last feature map before the pixels: every layer but the first doubles."""
    layers = [layer(latent_dim, channels[0], base), norm(channels[0]), nn.ReLU()]
    for before, after in pairwise(channels):
        layers += [layer(before, after, 4, 2, 1), norm(after), nn.ReLU()]
    return nn.Sequential(*layers)


class Generator(nn.Module):
    """Two streams: latents (batch, 100) to clips (batch, 3, T, S, S)."""

    def __init__(self, frames: int, size: int, config: VGANConfig) -> None:
        super().__init__()
        base, channels = cut_cube("VGAN", frames, size, config.width)
        self.foreground = upward(nn.ConvTranspose3d, nn.BatchNorm3d, config.latent_dim, (base, 4, 4), channels)
        self.colour = nn.ConvTranspose3d(channels[-1], 3, 4, 2, 1)
        self.mask = nn.ConvTranspose3d(channels[-1], 1, 4, 2, 1)
        self.background = nn.Sequential(
            *upward(nn.ConvTranspose2d, nn.BatchNorm2d, config.latent_dim, 4, channels),
            nn.ConvTranspose2d(channels[-1], 3, 4, 2, 1),
            nn.Tanh(),
        )

    def streams(self, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return foreground (batch, 3, T, S, S), mask (batch, 1, T, S, S) in [0, 1], background (batch, 3, 1, S, S)."""
        features = self.foreground(latents[:, :, None, None, None])  # (batch, 64, T / 2, S / 2, S / 2)
        background = self.background(latents[:, :, None, None])  # (batch, 3, S, S): it knows no time
        return torch.tanh(self.colour(features)), torch.sigmoid(self.mask(features)), background[:, :, None]

    @staticmethod
    def mix(foreground: Tensor, mask: Tensor, background: Tensor) -> Tensor:
        """m f + (1 - m) b: where the mask is open the foreground shows, and the same background in every frame else."""
        return mask * foreground + (1 - mask) * background

    def forward(self, latents: Tensor, labels: None = None) -> Tensor:
        return self.mix(*self.streams(latents))


class Discriminator(nn.Module):
    """Clips (batch, 3, T, S, S) to the two logits (batch, 2) of "fake" and "real"."""

    def __init__(self, frames: int, size: int, config: VGANConfig) -> None:
        super().__init__()
        base, channels = cut_cube("VGAN", frames, size, config.width)
        channels = channels[::-1]
        layers = [nn.Conv3d(3, channels[0], 4, 2, 1), nn.LeakyReLU(config.leak)]
        for before, after in pairwise(channels):
            layers += [nn.Conv3d(before, after, 4, 2, 1), nn.BatchNorm3d(after, eps=1e-3), nn.LeakyReLU(config.leak)]
        self.layers = nn.Sequential(*layers, nn.Conv3d(channels[-1], 2, (base, 4, 4)))

    def forward(self, clips: Tensor) -> Tensor:
        return self.layers(clips).flatten(1)  # (batch, 2, 1, 1, 1) -> (batch, 2)


def softmax_loss(logits: Tensor, answer: int) -> Tensor:
    """Cross entropy of two-class logits (batch, 2) where every clip's answer is FAKE or REAL: the batch mean.

    A softmax over two logits is a sigmoid of their difference, so this is the loss of Goodfellow et al. (2014).
    """
    return F.cross_entropy(full(logits), torch.full((len(logits),), answer, device=logits.device))


def initialise(module: nn.Module) -> None:
    """Small normal convolutions and scales around one, as in DCGAN."""
    if isinstance(module, nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d):
        nn.init.normal_(module.weight, std=0.01)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
        nn.init.normal_(module.weight, mean=1, std=0.02)


class VGAN(System):
    """Vondrick et al. (2016), section 3. Its clips come from the averaged generator, like every other system's: one
    protocol for all, so that averaging does not decide who is better."""

    name = "vgan"
    takes_labels = False

    def __init__(self, frames: int = 32, size: int = 64, n_classes: int = 0, **options: object) -> None:
        super().__init__(frames, size, n_classes)
        self.config = config = configure(VGANConfig(), "VGAN", options, {"recipe": RECIPES})
        self.generator = Generator(frames, size, config)
        self.discriminator = Discriminator(frames, size, config)
        self.apply(initialise)
        self.judged: Tensor | None = None  # latents of the fakes that D has judged in this turn,
        self.fooled: Tensor | None = None  # G's loss on them,
        self.pull: Tensor | None = None  # and its slope at each of their pixels, (batch, 3, T, S, S)
        self.follow(self.generator)

    def latents(self, n: int, generator: Noise | None = None) -> Tensor:
        """Draw from N(0, I): (n, 100)."""
        return drawn(lambda n, g: torch.randn(n, self.config.latent_dim, generator=g), n, generator, self.device)

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        if self.config.recipe == "common":
            return self.common_optimisers()
        return self.one_for_each(torch.optim.Adam, lr=self.config.learning_rate, betas=self.config.betas)

    def discriminator_losses(self, clips: Tensor, labels: None, noise: Noise) -> Losses:
        """D's cross entropy. As in the released code, D looks once at one batch of fakes in a turn, and both networks
        learn from that look: G's slope is that of D before D's own update."""
        self.judged = self.latents(len(clips), noise)
        with torch.no_grad(), statistics_kept(self.generator):
            fakes = self.generator(self.judged)
        real = softmax_loss(self.discriminator(clips), REAL)
        with torch.enable_grad():  # also where only the losses are asked for
            answers = self.discriminator(fakes.requires_grad_().view_as(fakes))
            fooled = softmax_loss(answers, REAL)
            (self.pull,) = torch.autograd.grad(fooled, fakes, retain_graph=True)
        self.fooled = fooled.detach()
        return {"adversarial": real + softmax_loss(answers, FAKE)}

    def generator_losses(self, clips: Tensor, labels: None, noise: Noise) -> Losses:
        """G's cross entropy and the mask's price; its value and its slope are those of D's look at the same fakes."""
        if self.judged is None:  # D has not looked yet
            self.discriminator_losses(clips, labels, noise)
        latents, fooled, pull = self.judged, self.fooled, self.pull
        self.judged = None
        foreground, mask, background = self.generator.streams(latents)
        pulled = (pull * self.generator.mix(foreground, mask, background)).sum()  # its slope at the fakes is `pull`
        return {
            "adversarial": fooled + pulled - pulled.detach(),
            "mask": self.config.mask_weight * full(mask).abs().mean(),
        }
