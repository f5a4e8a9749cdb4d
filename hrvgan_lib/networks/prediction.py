"""HRVGAN that continues a clip: frames Y from the frames X before them; Figure 1, Eqs 10-15; chapter 07."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from hrvgan_lib import losses
from hrvgan_lib.networks import fused
from hrvgan_lib.networks.hrvgan import (
    BASE,
    CHOICES,
    Discriminator,
    HRVGANConfig,
    check,
    discriminator_terms,
    initialise,
    optimisers_of,
    stack,
    stages,
    trunk,
)
from hrvgan_lib.networks.system import Losses, System, configure
from hrvgan_lib.norms import PixelNorm
from hrvgan_lib.streams import Noise, drawn, stream

if TYPE_CHECKING:
    from hrvgan_lib.data.clips import Clips


@dataclass(frozen=True)
class PredictionConfig(HRVGANConfig):
    """HRVGAN's choices, and those that only a prediction has."""

    given: int = 0  # T2: m, the frames of X; 0: half of the clip
    features: str = "map"  # T2: what E hands to G, its last map (128, 4, 4, 4), or "vector", 128 numbers
    change: bool = False  # G writes the difference to the last frame of X, not the frames themselves
    noise: bool = False  # G gets a draw from N(0, I) too, so that one past has several futures


# "literal" is the text of section 4.5 with the smallest repairs that let it run; "stable" is what learns here. Its
# pixel term is the sum of Eq 10 as printed: with the norm, which trains HRVGAN, D is louder here than the pixels are.
PRESETS: dict[str, dict] = {
    "literal": {},
    "stable": {"pixel_reduction": "sum", "learning_rate": 1e-3, "betas": (0.5, 0.99), "change": True},
}


def make_config(preset: str = "stable", **options: object) -> PredictionConfig:
    """Return a preset's configuration with `options` on top. Raises ValueError as `networks.hrvgan.make_config`."""
    if preset not in PRESETS:
        raise ValueError(f"unknown preset '{preset}'; choose one of {', '.join(PRESETS)}")
    choices = {**CHOICES, "features": ("map", "vector")}
    return check(configure(PredictionConfig(), "prediction", {**PRESETS[preset], **options}, choices))


def cut(frames: int, size: int, config: HRVGANConfig) -> tuple[int, HRVGANConfig]:
    """Cut the tables in time: the shortest cut with at least `frames` frames, and its configuration (decision T2).

    Time is doubled at some stages of Table 1; the last of these doublings are left out. So 16 frames of 256x256 keep
    the doublings at 8x8 and 64x64, and the base stays 4x4x4.
    """
    doublings = [size_of_stage for size_of_stage in sorted(config.temporal_doublings) if size_of_stage <= size]
    for kept in range(len(doublings) + 1):
        if BASE * 2**kept >= frames:
            return BASE * 2**kept, replace(config, temporal_doublings=tuple(doublings[:kept]))
    most = BASE * 2 ** len(doublings)
    raise ValueError(f"Table 1 cut at {size}x{size} has {most} frames: {frames} are too many to read or to predict")


class Predictor(nn.Module):
    """G of Figure 1: X (batch, 3, m, S, S) to Y (batch, 3, n, S, S), through E's trunk and Table 1.

    Table 2's trunk reads X into a map of 128x4x4x4, from which Table 1 goes on as from its fully-connected row. Where
    m or n is not 4 times a power of two, the first frame is repeated in front, and what is too much at the end is cut.
    """

    def __init__(self, given: int, ahead: int, size: int, n_classes: int, config: PredictionConfig) -> None:
        super().__init__()
        self.given, self.ahead, self.change = given, ahead, config.change
        self.read_frames, reading = cut(given, size, config)
        written, writing = cut(ahead, size, config)
        self.trunk, channels = trunk(self.read_frames, size, reading, config.encoder_norm)
        shape = (channels, BASE, BASE, BASE)
        self.code = None
        if config.features == "vector":
            self.code = nn.Sequential(nn.Linear(channels * BASE**3, config.latent_dim), PixelNorm())
        self.embed = nn.Embedding(n_classes, config.latent_dim) if n_classes else None  # A18
        vectors = (self.code is not None) + bool(n_classes) + config.noise
        self.fc = nn.Linear(vectors * config.latent_dim, channels * BASE**3) if vectors else None
        self.unflatten = nn.Unflatten(1, shape)
        self.layers = stack(written, size, writing)

    def forward(self, given: Tensor, labels: Tensor | None = None, noise: Tensor | None = None) -> Tensor:
        first = given[:, :, :1].expand(-1, -1, self.read_frames - self.given, -1, -1)
        x = torch.cat([first, given], dim=2).contiguous(memory_format=torch.channels_last_3d)
        features = fused.run(self.trunk, x)  # (batch, 128, 4, 4, 4) at width 1
        vectors = [] if self.code is None else [self.code(features.flatten(1))]
        vectors += [] if self.embed is None else [self.embed(labels)]
        vectors += [] if noise is None else [noise]
        if self.fc is not None:
            told = self.unflatten(self.fc(torch.cat(vectors, dim=1)))
            features = told if self.code is not None else features + told
        frames = fused.run(self.layers, features.contiguous(memory_format=torch.channels_last_3d))
        frames = frames[:, :, : self.ahead]  # (batch, 3, n, S, S)
        # A pixel of [-1, 1] changes by at most 2.
        return given[:, :, -1:] + 2 * frames if self.change else frames


class Prediction(System):
    """HRVGAN's second task: G predicts, D sees X and Y as one clip, and Eq 15 weighs D's word against the pixels'."""

    name = "prediction"
    from_profile = ("width", "preset")

    def __init__(
        self, frames: int = 32, size: int = 256, n_classes: int = 0, preset: str = "stable", **options: object
    ) -> None:
        super().__init__(frames, size, n_classes)
        self.config = config = make_config(preset, **options)
        stages(frames, size, config)  # D sees m + n frames: Table 2 has to have that cut
        self.given = config.given or frames // 2
        self.ahead = frames - self.given
        if not 0 < self.given < frames:
            raise ValueError(f"{self.given} of {frames} frames are given: leave at least one on either side")
        self.adversarial = config.alpha > 0  # else nobody asks D, and it does not learn
        self.critic_steps = config.critic_steps if self.adversarial else 0
        self.zero_means_won = config.adversarial != "wgan" and self.adversarial
        self.fixed_work = config.lipschitz != "gradient_penalty" or not self.adversarial
        self.generator = Predictor(self.given, self.ahead, size, n_classes, config)
        self.discriminator = Discriminator(frames, size, n_classes, config)
        self.apply(initialise)
        nn.init.normal_(self.generator.layers[-2].weight, std=0.02)  # start grey, or with no change
        if config.lipschitz == "spectral_norm":
            losses.add_spectral_norm(self.discriminator)
        self.follow(self.generator)

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return optimisers_of(self.config, [self.discriminator], [self.generator])

    def latents(self, n: int, generator: Noise | None = None) -> Tensor | None:
        """Draw n latents from N(0, I): (n, 128); None where G takes none."""
        if not self.config.noise:
            return None
        return drawn(lambda n, g: torch.randn(n, self.config.latent_dim, generator=g), n, generator, self.device)

    def split(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """Clips (batch, 3, T, S, S) to X and Y: the first m frames and the others."""
        return clips[:, :, : self.given], clips[:, :, self.given :]

    def discriminator_losses(self, clips: Tensor, labels: Tensor | None, noise: Noise) -> Losses:
        """Eqs 13-14: D sees X with the true Y, and X with the predicted one."""
        given, _ = self.split(clips)
        with torch.no_grad():
            fakes = torch.cat([given, self.generator(given, labels, self.latents(len(clips), noise))], dim=2)
        real, fake = self.discriminator(clips, labels), self.discriminator(fakes, labels)
        return discriminator_terms(self, real, fake, (clips, fakes), labels, noise)

    def generator_losses(self, clips: Tensor, labels: Tensor | None, noise: Noise) -> Losses:
        """Eq 15: alpha times Eq 12 on X and the predicted Y, beta times Eq 10 between the predicted Y and the true."""
        c, (given, truth) = self.config, self.split(clips)
        predicted = self.generator(given, labels, self.latents(len(clips), noise))
        mse = losses.mse_loss_paper(predicted, truth, c.pixel_reduction) if c.beta > 0 else None
        if not self.adversarial:
            assert mse is not None  # `check` refuses a configuration without either
            return {"pixel": c.beta * mse}
        adversarial = losses.adversarial_generator_loss(
            self.discriminator(torch.cat([given, predicted], dim=2), labels),
            k=c.k,
            reading=c.adversarial,
            lambda_1=c.lambda_1,
        )
        return losses.combined_terms(adversarial, mse, c.alpha, c.beta)

    def constrain_discriminator(self, step: int) -> None:
        if self.config.lipschitz == "clip":
            losses.clip_weights_(self.discriminator, self.config.clip)

    @torch.no_grad()
    def predict(
        self,
        given: Tensor,
        labels: Tensor | None = None,
        generator: torch.Generator | None = None,
        frames: int = 0,
        batch: int = 32,
    ) -> Tensor:
        """Continue clips with the averaged (EMA) generator.

        Args:
            given: (N, 3, m, S, S) in [-1, 1].
            labels: (N,) classes, where the system was built with classes.
            generator: source of the latents, where G takes them.
            frames: how many to predict (default: n). Beyond n a prediction is fed back: its last m frames are given.
            batch: how many clips at once.

        Returns:
            float32 (N, 3, frames, S, S) in [-1, 1], on the CPU.

        Raises:
            ValueError: clips of another shape, or labels that do not fit.
        """
        shape = (3, self.given, self.size, self.size)
        if given.ndim != 5 or tuple(given.shape[1:]) != shape:
            raise ValueError(
                f"{self.name} continues clips of shape (N, {', '.join(map(str, shape))}), not {tuple(given.shape)}"
            )
        self.check_labels(labels)
        frames, parts = frames or self.ahead, []
        latents = [self.latents(len(given), generator) for _ in range(-(-frames // self.ahead))]
        for start in range(0, len(given), batch):
            part = slice(start, start + batch)
            seen = given[part].to(self.device)
            asked = None if labels is None else labels[part].to(self.device)
            for drawn_here in latents:
                ahead = self.sampler(seen[:, :, -self.given :], asked, None if drawn_here is None else drawn_here[part])
                seen = torch.cat([seen, ahead.clamp(-1, 1)], dim=2)
            parts.append(seen[:, :, self.given : self.given + frames].float().cpu())
        return torch.cat(parts) if parts else given.new_zeros((0, 3, frames, self.size, self.size))

    def sample(self, n: int, labels=None, generator=None, batch: int = 32) -> Tensor:  # type: ignore[no-untyped-def]
        """Raise ValueError: a prediction starts from a clip; `predict` takes it."""
        raise ValueError(f"{self.name} makes no clip from nothing: use predict(given)")

    def snapshot(self, n: int, dataset: "Clips") -> Tensor:
        """The first n clips of the training data, with the true frames behind X replaced by predicted ones."""
        clips, labels = dataset.batch(torch.arange(n) % len(dataset))
        given, _ = self.split(clips)
        future = self.predict(given, labels if self.n_classes else None, stream("snapshot"))
        return torch.cat([given, future], dim=2)
