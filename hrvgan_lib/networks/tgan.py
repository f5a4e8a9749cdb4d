"""TGAN: one generator for time, one for images, and a critic with clipped singular values (Saito et al. 2017);
chapter 10."""

from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from hrvgan_lib import losses
from hrvgan_lib.networks.system import (
    RECIPES,
    Losses,
    System,
    configure,
    count_stages,
    refuse_cut,
    stage_channels,
    statistics_kept,
)
from hrvgan_lib.streams import Noise, drawn, normal_like

VARIANTS = ("svc", "clip", "normal")
EPS = 2e-5  # of every batch norm: Chainer's, in which the authors' code is written


@dataclass(frozen=True)
class TGANConfig:
    """The published settings: singular value clipping, and no shift in the batch norms of time and critic."""

    recipe: str = "published"  # or "common": HRVGAN's optimisers, all else as published
    width: float = 1.0  # multiplies every channel count
    latent_dim: int = 100  # of z_slow, one a clip, and of z_fast, one a frame
    variant: str = "svc"  # or "clip", WGAN with weight clipping; "normal", the game of Eqs 1-3
    clip_every: int = 5  # updates from one singular value clipping to the next
    weight_clip: float = 0.01  # bound of the variant "clip"
    noise: float = 0.3  # of the variant "normal": deviation of what is added before the discriminator's activations
    leak: float = 0.2  # slope of the leaky ReLU
    learning_rate: float = 5e-5
    alpha: float = 0.99  # RMSprop's memory


def cut(frames: int, size: int, width: float) -> tuple[list[int], list[int], list[int]]:
    """Cut the networks, published for 16x64x64, by dropping or adding stages.

    Returns:
        The channels of the temporal generator from its one time step on, without the last layer; of the image
        generator from 4x4 to the pixels; and of the discriminator from the pixels to 4x4.

    Raises:
        ValueError: a size that is not 4 doubled, or frames that are no power of two or fewer than a quarter of it.
    """
    halvings, doublings = count_stages("TGAN", frames, size), frames.bit_length() - 1
    if frames < size // 4 or frames & (frames - 1):
        raise refuse_cut("TGAN", frames, size, f"frames must be a power of two, at least {size // 4}")
    temporal = [max(4, round(count * width)) for count in [512, *[256, *[128] * doublings][: doublings - 1]]]
    return temporal, stage_channels(halvings + 1, 32, width)[::-1], stage_channels(halvings, 64, width)


def scale_only(norm: nn.Module) -> nn.Module:
    """Take the shift ("beta") out of a batch norm."""
    norm.register_parameter("bias", None)
    return norm


class TemporalGenerator(nn.Module):
    """z_slow (batch, 100) to z_fast (batch, T, 100) in (-1, 1), one vector a frame."""

    def __init__(self, latent_dim: int, channels: list[int]) -> None:
        super().__init__()
        layers = [
            nn.ConvTranspose1d(latent_dim, channels[0], 1),
            scale_only(nn.BatchNorm1d(channels[0], eps=EPS)),
            nn.ReLU(),
        ]
        for before, after in pairwise(channels):
            layers += [
                nn.ConvTranspose1d(before, after, 4, 2, 1),
                scale_only(nn.BatchNorm1d(after, eps=EPS)),
                nn.ReLU(),
            ]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose1d(channels[-1], latent_dim, 4, 2, 1), nn.Tanh())

    def forward(self, slow: Tensor) -> Tensor:
        return self.layers(slow[:, :, None]).transpose(1, 2)  # (batch, 100, 1) -> (batch, 100, T) -> (batch, T, 100)


class ImageGenerator(nn.Module):
    """z_slow (batch, 100) and z_fast (batch, T, 100) to clips (batch, 3, T, S, S), every frame on its own."""

    def __init__(self, latent_dim: int, channels: list[int]) -> None:
        super().__init__()

        def half() -> nn.Sequential:
            features = channels[0] // 2 * 4 * 4
            return nn.Sequential(
                nn.Linear(latent_dim, features, bias=False),
                nn.BatchNorm1d(features, eps=EPS),
                nn.ReLU(),
                nn.Unflatten(1, (-1, 4, 4)),
            )

        self.slow, self.fast = half(), half()
        layers, first = [], channels[0] // 2 * 2
        for before, after in pairwise([first, *channels[1:]]):
            layers += [
                nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False),
                nn.BatchNorm2d(after, eps=EPS),
                nn.ReLU(),
            ]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(channels[-1], 3, 3, 1, 1), nn.Tanh())

    def forward(self, slow: Tensor, fast: Tensor) -> Tensor:
        frames = fast.shape[1]
        still = self.slow(slow).repeat_interleave(frames, dim=0)  # (batch * T, 256, 4, 4), one for a clip
        images = self.layers(torch.cat([still, self.fast(fast.flatten(0, 1))], dim=1))  # (batch * T, 3, S, S)
        return images.unflatten(0, (-1, frames)).transpose(1, 2)  # (batch, 3, T, S, S)


class Generator(nn.Module):
    """Latents (batch, 100) to clips (batch, 3, T, S, S): first a vector for each frame, then the frames."""

    def __init__(self, frames: int, size: int, config: TGANConfig) -> None:
        super().__init__()
        temporal, image, _ = cut(frames, size, config.width)
        self.temporal = TemporalGenerator(config.latent_dim, temporal)
        self.image = ImageGenerator(config.latent_dim, image)

    def forward(self, latents: Tensor, labels: None = None) -> Tensor:
        return self.image(latents, self.temporal(latents))


class Discriminator(nn.Module):
    """Clips (batch, 3, T, S, S) to scores (batch,), high for real; `noise` draws what the variant "normal" adds."""

    def __init__(self, frames: int, size: int, config: TGANConfig) -> None:
        super().__init__()
        *_, channels = cut(frames, size, config.width)
        layers = [nn.Conv3d(3, channels[0], 4, 2, 1)]
        for before, after in pairwise(channels):
            layers.append(nn.Sequential(nn.Conv3d(before, after, 4, 2, 1), scale_only(nn.BatchNorm3d(after, eps=EPS))))
        self.layers = nn.ModuleList(layers)
        self.activation = nn.LeakyReLU(config.leak)
        self.score = nn.Conv3d(channels[-1], 1, (frames // (size // 4), 4, 4))
        self.sigma = config.noise if config.variant == "normal" else 0.0

    def forward(self, clips: Tensor, noise: Noise | None = None) -> Tensor:
        features = clips
        for layer in self.layers:
            features = layer(features)
            if self.sigma and noise is not None:
                features = features + self.sigma * normal_like(features, noise)
            features = self.activation(features)
        return self.score(features).flatten()  # (batch, 1, 1, 1, 1) -> (batch,)


@torch.no_grad()
def singular_value_clip_(module: nn.Module) -> nn.Module:
    """Lower every singular value above one to one, in place, in each convolution weight of `module`.

    A weight counts as an (out, in x taps) matrix W; what W does in directions that it stretches by one or less is
    left alone (Saito et al. 2017, section 4.3). The squared singular values are the eigenvalues of the small matrix
    W W^T, which makes this many times cheaper than the singular value decomposition of W.
    """
    for weight in module.parameters():
        if weight.ndim < 4 or not weight.isfinite().all():  # training has diverged: the next loss says so
            continue
        matrix = weight.flatten(1).double()  # squaring halves the digits that float32 has
        wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T  # (n, m), n <= m
        squares, directions = torch.linalg.eigh(wide @ wide.T)  # (n,), (n, n): a column each
        above = squares > 1
        if above.any():
            top, excess = directions[:, above], 1 - squares[above].rsqrt()
            wide -= (top * excess) @ (top.T @ wide)  # `wide` looks into `matrix`
            weight.copy_(matrix.reshape(weight.shape))
    return module


@torch.no_grad()
def clip_scales_(module: nn.Module) -> nn.Module:
    """Hold each batch norm's scale between 0.01 sigma and sigma, its running deviation: it stretches by at most one."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm3d):
            sigma = norm.running_var.sqrt()
            norm.weight.clamp_(0.01 * sigma, sigma)
    return module


def initialise(module: nn.Module) -> None:
    """LeCun's normal initialisation, Chainer's default; a transposed convolution counts its outputs, as there."""
    if isinstance(module, nn.Conv3d | nn.ConvTranspose1d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear | nn.ConvTranspose2d):  # the image generator
        nn.init.uniform_(module.weight, -0.01, 0.01)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class TGAN(System):
    """Saito et al. (2017), sections 3 and 4, in the setting that its authors recommend for UCF101. Samples come from
    the averaged generator, like every other system's: one protocol for all, so that averaging does not decide."""

    name = "tgan"
    takes_labels = False
    order = ("generator", "discriminator")

    def __init__(self, frames: int = 16, size: int = 64, n_classes: int = 0, **options: object) -> None:
        super().__init__(frames, size, n_classes)
        self.config = config = configure(TGANConfig(), "TGAN", options, {"variant": VARIANTS, "recipe": RECIPES})
        self.zero_means_won = config.variant == "normal"
        self.generator = Generator(frames, size, config)
        self.discriminator = Discriminator(frames, size, config)
        self.apply(initialise)
        self.fakes: Tensor | None = None  # what G was updated on in this turn
        self.follow(self.generator)

    def latents(self, n: int, generator: Noise | None = None) -> Tensor:
        """Draw from the uniform distribution on (-1, 1): (n, 100)."""
        return drawn(lambda n, g: 2 * torch.rand(n, self.config.latent_dim, generator=g) - 1, n, generator, self.device)

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        c = self.config
        if c.recipe == "common":
            return self.common_optimisers()
        return self.one_for_each(torch.optim.RMSprop, lr=c.learning_rate, alpha=c.alpha, eps=1e-8)

    def generator_losses(self, clips: Tensor, labels: None, noise: Noise) -> Losses:
        fakes = self.generator(self.latents(len(clips), noise))
        self.fakes = fakes.detach()
        loss = losses.nonsaturating_generator_loss if self.config.variant == "normal" else losses.critic_generator_loss
        return {"adversarial": loss(self.discriminator(fakes, noise))}

    def discriminator_losses(self, clips: Tensor, labels: None, noise: Noise) -> Losses:
        fakes, self.fakes = self.fakes, None  # as published, one batch of fakes serves both updates
        told = fakes is not None
        if fakes is None:
            with torch.no_grad():
                fakes = self.generator(self.latents(len(clips), noise))
        loss = losses.gan_value if self.config.variant == "normal" else losses.critic_loss
        real = self.discriminator(clips, noise)
        # D's running deviations, which bound its scales, count each batch of fakes once: they did so in G's update.
        with statistics_kept(self.discriminator) if told else nullcontext():
            return {"adversarial": loss(real, self.discriminator(fakes, noise))}

    def constrain_discriminator(self, step: int) -> None:
        if self.config.variant == "clip":
            losses.clip_weights_(self.discriminator, self.config.weight_clip)
        elif self.config.variant == "svc" and (step + 1) % self.config.clip_every == 0:
            clip_scales_(singular_value_clip_(self.discriminator))
