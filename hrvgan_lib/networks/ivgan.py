"""iVGAN: one plain 3-D generator against a Wasserstein critic (Kratzwald et al. 2017); chapter 10."""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from hrvgan_lib import losses
from hrvgan_lib.networks.system import Losses, System, configure, cut_cube
from hrvgan_lib.streams import Noise, drawn


@dataclass(frozen=True)
class IVGANConfig:
    """The published settings."""

    width: float = 1.0  # multiplies every channel count
    latent_dim: int = 100
    lambda_gp: float = 10.0  # weight of the gradient penalty
    critic_steps: int = 5  # critic updates for each generator update
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.99)  # the paper's; the released code has 0.999


def shift_only(channels: int) -> nn.Module:
    """A batch norm with a shift and no scale, as in the authors' code."""
    norm = nn.BatchNorm3d(channels, eps=1e-3)
    del norm.weight
    norm.register_buffer("weight", torch.ones(channels))
    return norm


class Generator(nn.Module):
    """Latents (batch, 100) to a small map, doubled until it is the clip (batch, 3, T, S, S)."""

    def __init__(self, frames: int, size: int, config: IVGANConfig) -> None:
        super().__init__()
        base, channels = cut_cube("iVGAN", frames, size, config.width)
        layers = [nn.Linear(config.latent_dim, channels[0] * base * 16), nn.Unflatten(1, (channels[0], base, 4, 4))]
        for before, after in pairwise([*channels, 3]):
            layers += [shift_only(before), nn.ReLU(), nn.ConvTranspose3d(before, after, 4, 2, 1)]
        self.layers = nn.Sequential(*layers, nn.Tanh())

    def forward(self, latents: Tensor, labels: None = None) -> Tensor:
        return self.layers(latents)  # a first map (batch, 512, 2, 4, 4), then the clip (batch, 3, 32, 64, 64)


class Discriminator(nn.Module):
    """Clips (batch, 3, T, S, S), halved until they are a score (batch,), high for real."""

    def __init__(self, frames: int, size: int, config: IVGANConfig) -> None:
        super().__init__()
        base, channels = cut_cube("iVGAN", frames, size, config.width)
        layers = []
        for before, after in pairwise([3, *reversed(channels)]):
            # One group is layer norm: over channels, time and space of each clip, with a scale and a shift a channel.
            # A batch norm would mix the clips, and the penalty asks for the slope at each of them.
            layers += [nn.Conv3d(before, after, 4, 2, 1), nn.GroupNorm(1, after), nn.LeakyReLU(0.2)]
        odd = nn.ConstantPad3d((0, 0, 0, 0, 0, base % 2), 0.0)  # "same" padding: three frames become two, one stays
        self.layers = nn.Sequential(
            *layers,
            odd,
            nn.Conv3d(channels[0], 1, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear((base + 1) // 2 * 4, 1),
        )

    def forward(self, clips: Tensor) -> Tensor:
        return self.layers(clips).squeeze(1)  # (batch, 1) -> (batch,)


def initialise(module: nn.Module) -> None:
    """The authors' code: convolutions uniform with variance 4 / (fan in + fan out), where a stride of two in each of
    three dimensions leaves an eighth of the fan out; linear layers from N(0, 0.01); biases zero."""
    if isinstance(module, nn.Conv3d | nn.ConvTranspose3d):
        taps = math.prod(module.kernel_size)
        variance = 4 / (module.in_channels * taps + module.out_channels * taps / math.prod(module.stride))
        nn.init.uniform_(module.weight, -((3 * variance) ** 0.5), (3 * variance) ** 0.5)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.01)
        nn.init.zeros_(module.bias)


class IVGAN(System):
    """Kratzwald et al. (2017), section 3: VGAN's foreground stream alone, trained as a Wasserstein GAN with Eq. 6.
    Samples come from the averaged generator, like every other system's, so that averaging does not decide."""

    name = "ivgan"
    fixed_work = False
    takes_labels = False
    zero_means_won = False

    def __init__(self, frames: int = 32, size: int = 64, n_classes: int = 0, **options: object) -> None:
        super().__init__(frames, size, n_classes)
        self.config = config = configure(IVGANConfig(), "iVGAN", options)
        self.critic_steps = config.critic_steps
        self.generator = Generator(frames, size, config)
        self.discriminator = Discriminator(frames, size, config)
        self.apply(initialise)
        self.follow(self.generator)

    def latents(self, n: int, generator: Noise | None = None) -> Tensor:
        """Draw from N(0, I): (n, 100)."""
        return drawn(lambda n, g: torch.randn(n, self.config.latent_dim, generator=g), n, generator, self.device)

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return self.one_for_each(torch.optim.Adam, lr=self.config.learning_rate, betas=self.config.betas)

    def discriminator_losses(self, clips: Tensor, labels: None, noise: Noise) -> Losses:
        with torch.no_grad():
            fakes = self.generator(self.latents(len(clips), noise))
        penalty = losses.gradient_penalty(self.discriminator, clips, fakes, generator=noise)
        return {
            "adversarial": losses.critic_loss(self.discriminator(clips), self.discriminator(fakes)),
            "gradient_penalty": self.config.lambda_gp * penalty,
        }

    def generator_losses(self, clips: Tensor, labels: None, noise: Noise) -> Losses:
        fakes = self.generator(self.latents(len(clips), noise))
        return {"adversarial": losses.critic_generator_loss(self.discriminator(fakes))}
