"""HRVGAN: Table 1, Table 2, the encoder behind the pixel loss, and how they train together; chapters 03, 04 and 06."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from hrvgan_lib import losses
from hrvgan_lib.networks import fused
from hrvgan_lib.networks.resampling import Downsample, Upsample
from hrvgan_lib.networks.system import BETAS, RATES, Losses, System, configure, on_device
from hrvgan_lib.norms import MinibatchStddev, PixelNorm, norms_around_activation
from hrvgan_lib.streams import Noise, drawn

# Table 1, second column of shapes: size of a stage, and its feature maps at width 1.
CHANNELS = {4: 128, 8: 128, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8}
BASE = 4  # both tables meet at 128 x 4 x 4 x 4


@dataclass(frozen=True)
class HRVGANConfig:
    """Every choice that the paper leaves open, one field each; the letters are entries of the decision ledger."""

    width: float = 1.0  # multiplies every channel count of Tables 1 and 2
    latent_dim: int = 128  # Table 1, first row
    latent: str = "single"  # A16: "single"; "sequence": one vector a base time step, of four; "frames": one a frame
    latent_distribution: str = "normal"  # A17: or "uniform" on (-1, 1)
    latent_norm: str = "none"  # A13: or "pixel", Eq. 8 on the latent too
    temporal_doublings: tuple[int, ...] = (8, 64, 256)  # A4: sizes at which time doubles too
    generator_norm: str = "batch+pixel"  # A12
    discriminator_norm: str = "instance"  # A12
    encoder_norm: str = "batch"  # A20: instance norm would hide the colours that the encoder has to report
    upsample: str = "nearest"  # A3: or "trilinear"
    convolution: str = "3d"  # section 1: or "2d+1d", over space and then over time, in every stage of both tables
    final_activation: str = "tanh"  # A5: or "relu" as printed, "linear"
    fc_activation: str = "leaky_relu"  # A10: or "linear" as printed
    leak: float = 0.2  # A11: slope of the leaky ReLU
    stddev_group: int = 4  # A8: 0 leaves the minibatch stddev out
    mismatched_labels: bool = False  # A18: a real clip under a wrong label is a fake pair too (Eqs 7, 14)
    adversarial: str = "bce_shift"  # L5: how Eqs 12-14 read
    k: float = 1.0  # L5: the k of Eqs 12-14, and the slope that the gradient penalty asks for
    lipschitz: str = "none"  # L6: "none", "clip", "gradient_penalty" or "spectral_norm"
    lambda_gp: float = 10.0  # L2
    clip: float = 0.01  # weight clipping's bound
    lambda_1: float = 1.0  # L8
    lambda_2: float = 1.0  # L8
    alpha: float = 0.5  # L9: weight of the adversarial term in Eq 15
    beta: float = 0.5  # L9: weight of the pixel term in Eq 15
    pixel_loss: str = "reconstruction"  # T1: G(E(Y)) against Y; "unpaired": G(z) against any Y; "off"
    adversarial_path: str = "noise"  # A20: which clips of G D judges: G(z), "reconstruction", G(E(Y)), or "both"
    pixel_reduction: str = "mean"  # L10: or "sum", "norm"
    code: str = "sphere"  # A20: codes of unit mean square; or "variational", a mean and a spread for each number
    code_noise: float = 0.5  # A20: of "sphere", the share of an encoded latent's variance that is fresh noise
    code_weight: float = 0.05  # A20: of "variational", the weight of its distance from N(0, I) beside Eq 15
    optimiser: str = "adam"  # O1: or "sgd"
    learning_rate: float = 2e-4  # O1: of the generator and the encoder, alpha_G of Algorithm 1
    discriminator_learning_rate: float = 2e-4  # O1: alpha_D of Algorithm 1
    betas: tuple[float, float] = (0.0, 0.99)  # O1
    critic_steps: int = 1  # L11


# "literal" is the paper's text with the smallest repairs that let it run. "stable" trains the headline rows and departs
# from the text in four fields: the pixel term is the norm without Eq 10's square, so that it is heard; G learns five
# times as fast as D; Adam keeps some momentum; and D is shown real clips under wrong labels, a term Eqs 13-14 have not.
# Its codes are variational; the text has no word on codes.
PRESETS: dict[str, dict] = {
    "literal": {},
    "stable": {
        "pixel_reduction": "norm",
        "learning_rate": RATES["generator"],
        "betas": BETAS,
        "mismatched_labels": True,
        "code": "variational",
    },
}

Configuration = TypeVar("Configuration", bound=HRVGANConfig)
CHOICES = {
    "latent": ("single", "sequence", "frames"),
    "latent_distribution": ("normal", "uniform"),
    "latent_norm": ("none", "pixel"),
    "upsample": ("nearest", "trilinear"),
    "convolution": ("3d", "2d+1d"),
    "final_activation": ("tanh", "relu", "linear"),
    "fc_activation": ("leaky_relu", "linear"),
    "adversarial": losses.ADVERSARIAL_READINGS,
    "lipschitz": losses.LIPSCHITZ,
    "pixel_reduction": losses.PIXEL_REDUCTIONS,
    "pixel_loss": ("reconstruction", "unpaired", "off"),
    "adversarial_path": ("noise", "reconstruction", "both"),
    "code": ("sphere", "variational"),
    "optimiser": ("adam", "sgd"),
}


def make_config(preset: str = "stable", **options: object) -> HRVGANConfig:
    """Return a preset's configuration with `options` on top.

    Raises:
        ValueError: an unknown preset, option, or value of an option.
    """
    if preset not in PRESETS:
        raise ValueError(f"unknown preset '{preset}'; choose one of {', '.join(PRESETS)}")
    return check(configure(HRVGANConfig(), "HRVGAN", {**PRESETS[preset], **options}, CHOICES))


def check(config: Configuration) -> Configuration:
    """Return a configuration whose fields fit each other.

    Raises ValueError where G has nothing to learn from, and for uniform latents beside normal codes.
    """
    if config.alpha == config.beta == 0:
        raise ValueError("alpha and beta are both 0, so Eq. 15 asks nothing of G: give one of them a weight")
    if config.code == "variational" and config.latent_distribution != "normal":
        raise ValueError("a variational code is a normal distribution, as latents then have to be: take code='sphere'")
    return config


class Stage(NamedTuple):
    """One resolution of Table 1: its feature maps, its shape, and how much the Upsample row before it enlarges."""

    channels: int
    frames: int
    size: int
    scale: tuple[int, int, int]


def stages(frames: int, size: int, config: HRVGANConfig, base: int = BASE) -> list[Stage]:
    """Cut Table 1 at `size`: the stages from 4x4x4 up to frames x size x size.

    base: time steps of the first stage; with one for each frame time is doubled nowhere.

    Raises:
        ValueError: a size that is no stage of Table 1, or a frame count that the table does not have there.
    """
    if size not in CHANNELS:
        raise ValueError(f"Table 1 has no stage of {size}x{size}; choose one of {', '.join(map(str, CHANNELS))}")
    plan, time = [], base
    doublings = config.temporal_doublings if base == BASE else ()
    for stage_size, channels in CHANNELS.items():
        scale = (1, 1, 1) if stage_size == BASE else (2 if stage_size in doublings else 1, 2, 2)
        time *= scale[0]
        plan.append(Stage(max(4, round(channels * config.width)), time, stage_size, scale))
        if stage_size == size:
            break
    if frames != time:
        raise ValueError(f"Table 1 cut at {size}x{size} has {time} frames, not {frames}; ask for {time} frames")
    return plan


def deconv(channels_in: int, channels_out: int, kernel: int = 3) -> nn.ConvTranspose3d:
    """A "DeConv" row: stride 1, size kept, the Upsample row does the enlarging (decision A2)."""
    return nn.ConvTranspose3d(channels_in, channels_out, kernel, stride=1, padding=kernel // 2)


def convolve(layer: type, channels_in: int, channels_out: int, kind: str) -> nn.Module:
    """A 3x3x3 row of either table, or the cheaper pair that section 1 sets it against: 1x3x3, then 3x1x1."""
    if kind == "3d":
        return layer(channels_in, channels_out, 3, padding=1)
    return nn.Sequential(
        layer(channels_in, channels_out, (1, 3, 3), padding=(0, 1, 1)),
        layer(channels_out, channels_out, (3, 1, 1), padding=(1, 0, 0)),
    )


def latents_of(frames: int, config: HRVGANConfig) -> int:
    """How many latent vectors a clip has (decision A16)."""
    return {"single": 1, "sequence": BASE, "frames": frames}[config.latent]


def base_times(frames: int, config: HRVGANConfig) -> int:
    """Time steps of the 4x4 map that G starts from and E ends at: four, or with one latent a frame as many as those."""
    return frames if config.latent == "frames" else BASE


def stack(frames: int, size: int, config: HRVGANConfig) -> nn.Sequential:
    """Table 1 below its fully-connected row: from 128x4x4x4 up to the clip."""
    plan = stages(frames, size, config, base_times(frames, config))
    channels = plan[0].channels

    def block(channels_in: int, channels_out: int) -> list[nn.Module]:
        before, after = norms_around_activation(config.generator_norm, channels_out)
        layer = convolve(nn.ConvTranspose3d, channels_in, channels_out, config.convolution)
        return [layer, before, nn.ReLU(), after]

    before, after = norms_around_activation(config.generator_norm, channels)
    layers = [before, nn.ReLU(), after, *block(channels, channels)]
    for previous, stage in pairwise(plan):
        layers += [
            Upsample(stage.scale, config.upsample),
            *block(previous.channels, stage.channels),
            *block(stage.channels, stage.channels),
        ]
    final = {"tanh": nn.Tanh, "relu": nn.ReLU, "linear": nn.Identity}[config.final_activation]()  # A5
    return nn.Sequential(*layers, deconv(plan[-1].channels, 3, kernel=1), final)


class Generator(nn.Module):
    """Table 1: a latent vector (batch, 128), or a sequence (batch, 4 or T, 128), to clips (batch, 3, T, S, S)."""

    def __init__(self, frames: int, size: int, n_classes: int, config: HRVGANConfig) -> None:
        super().__init__()
        base = stages(frames, size, config)[0].channels
        self.sequence = config.latent != "single"
        self.latent_norm = PixelNorm() if config.latent_norm == "pixel" else None  # A13
        self.embed = nn.Embedding(n_classes, config.latent_dim) if n_classes else None  # A18
        inputs = config.latent_dim * (2 if n_classes else 1)
        times = 1 if self.sequence else BASE
        self.fc = nn.Linear(inputs, base * times * BASE * BASE)  # A1
        self.shape = (base, times, BASE, BASE)

        self.layers = stack(frames, size, config)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        if self.latent_norm is not None:
            latents = self.latent_norm(latents.flatten(0, -2)).view_as(latents)
        if self.embed is not None:
            label = self.embed(labels)  # (batch, 128)
            if self.sequence:
                label = label[:, None].expand(-1, latents.shape[1], -1)  # (batch, 4 or T, 128)
            latents = torch.cat([latents, label], dim=-1)  # (batch, 256), or (batch, 4 or T, 256)
        features = self.fc(latents).unflatten(-1, self.shape)  # (batch, 128, 4, 4, 4) at width 1
        if self.sequence:  # (batch, 4 or T, 128, 1, 4, 4): the base time steps move from axis 1 into time
            features = features.squeeze(3).transpose(1, 2)  # (batch, 128, 4 or T, 4, 4)
        return fused.run(self.layers, features.contiguous(memory_format=torch.channels_last_3d))  # (batch, 3, T, S, S)


def trunk(frames: int, size: int, config: HRVGANConfig, norm: str, base: int = BASE) -> tuple[nn.Sequential, int]:
    """Table 2 read as Table 1's mirror image (decision A6), from the clip down to 128x4x4x4; and its channels."""

    def block(channels_in: int, channels_out: int) -> list[nn.Module]:
        before, after = norms_around_activation(norm, channels_out)
        layer = convolve(nn.Conv3d, channels_in, channels_out, config.convolution)
        return [layer, before, nn.LeakyReLU(config.leak), after]

    plan = stages(frames, size, config, base)
    layers = [nn.Conv3d(3, plan[-1].channels, 1), nn.LeakyReLU(config.leak)]
    for stage, smaller in zip(reversed(plan), reversed(plan[:-1])):
        layers += [
            *block(stage.channels, stage.channels),
            *block(stage.channels, smaller.channels),
            Downsample(stage.scale),
        ]
    return nn.Sequential(*layers), plan[0].channels


class Discriminator(nn.Module):
    """Table 2: clips (batch, 3, T, S, S) to logits (batch,), high for real; labels enter by projection (A18)."""

    def __init__(self, frames: int, size: int, n_classes: int, config: HRVGANConfig) -> None:
        super().__init__()
        self.trunk, channels = trunk(frames, size, config, config.discriminator_norm)
        self.stddev = MinibatchStddev(config.stddev_group) if config.stddev_group else None
        # No norm behind this convolution: instance norm would subtract the stddev map again (A12).
        self.conv = nn.Conv3d(channels + bool(config.stddev_group), channels, 3, padding=1)
        self.fc = nn.Linear(channels * BASE**3, 128)
        self.activation = nn.LeakyReLU(config.leak)
        self.fc_activation = nn.LeakyReLU(config.leak) if config.fc_activation == "leaky_relu" else nn.Identity()
        self.score = nn.Linear(128, 1)
        self.embed = nn.Embedding(n_classes, 128) if n_classes else None

    def features(self, clips: Tensor) -> Tensor:
        """Clips to the 128 numbers of the first fully-connected row, (batch, 128): what D sees in a clip."""
        features = fused.run(
            self.trunk, clips.contiguous(memory_format=torch.channels_last_3d)
        )  # (batch, 128, 4, 4, 4)
        if self.stddev is not None:
            features = self.stddev(features)  # (batch, 129, 4, 4, 4)
        features = self.activation(self.conv(features))  # (batch, 128, 4, 4, 4)
        return self.fc_activation(self.fc(features.flatten(1)))  # (batch, 8192) -> (batch, 128)

    def logits(self, features: Tensor, labels: Tensor | None = None) -> Tensor:
        """Features to logits (batch,): is the clip real, and does it show what its label says?"""
        logits = self.score(features).squeeze(1)  # (batch, 128) -> (batch,)
        if self.embed is not None:
            logits = logits + (self.embed(labels) * features).sum(dim=1) / features.shape[1] ** 0.5
        return logits

    def forward(self, clips: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.logits(self.features(clips), labels)


class Encoder(nn.Module):
    """The discriminator's mirror without its judge: clips to latents, so that G(E(Y)) can be held against Y (A20).

    A code has to land where G is sampled, among draws from N(0, I). On the "sphere" it has their length, unit mean
    square. A "variational" one (Kingma and Welling, 2014) is a distribution, a mean and a variance for each number,
    whose divergence from N(0, I) is charged: what a clip does not need stays a plain draw.
    """

    def __init__(self, frames: int, size: int, config: HRVGANConfig) -> None:
        super().__init__()
        self.trunk, channels = trunk(frames, size, config, config.encoder_norm, base_times(frames, config))
        self.sequence = config.latent != "single"
        self.variational = config.code == "variational"
        outputs = config.latent_dim * (2 if self.variational else 1)
        self.fc = nn.Linear(channels * BASE**2 * (1 if self.sequence else BASE), outputs)
        self.norm = PixelNorm()

    def posterior(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of a variational code, of the shape of latents each."""
        mean, log_variance = self.numbers(clips).chunk(2, dim=-1)
        return mean, log_variance.clamp(-8, 8)

    def forward(self, clips: Tensor) -> Tensor:
        """The code of each clip, of the shape of latents: on the sphere, or the mean of a variational one."""
        if self.variational:
            return self.posterior(clips)[0]
        codes = self.numbers(clips)
        return self.norm(codes.flatten(0, -2)).view_as(codes)

    def numbers(self, clips: Tensor) -> Tensor:
        """What the last layer says of each clip: (batch, 128), or (batch, 4 or T, 128); twice as many where a spread
        is asked for."""
        features = fused.run(
            self.trunk, clips.contiguous(memory_format=torch.channels_last_3d)
        )  # (batch, 128, 4, 4, 4)
        if self.sequence:  # one latent a base time step
            return self.fc(features.transpose(1, 2).flatten(2))  # (batch, 4 or T, 2048) -> (batch, 4 or T, 128)
        return self.fc(features.flatten(1))  # (batch, 8192) -> (batch, 128)


def initialise(module: nn.Module) -> None:
    """He's normal initialisation for weights, zero for biases, a standard normal for embeddings (decision A11)."""
    if isinstance(module, nn.Conv3d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, a=0.2)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.ConvTranspose3d):  # its weight is stored (in, out, ...): fan_out is its fan-in
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(module.bias)


def optimisers_of(
    config: HRVGANConfig, judges: Sequence[nn.Module | None], makers: Sequence[nn.Module | None]
) -> dict[str, torch.optim.Optimizer]:
    """The two optimisers of Algorithm 1 (decision O1): of what judges clips, and of what makes them."""

    def make(learning_rate: float, networks: Sequence[nn.Module | None]) -> torch.optim.Optimizer:
        parameters = [p for network in networks if network is not None for p in network.parameters()]
        if config.optimiser == "sgd":
            return torch.optim.SGD(parameters, lr=learning_rate)
        return torch.optim.Adam(
            parameters,
            lr=learning_rate,
            betas=config.betas,
            eps=1e-8,
            **on_device(torch.optim.Adam, parameters[0].device),
        )

    return {
        "discriminator": make(config.discriminator_learning_rate, judges),
        "generator": make(config.learning_rate, makers),
    }


def discriminator_terms(
    system: System, real: Tensor, fake: Tensor, between: tuple[Tensor, Tensor], labels: Tensor | None, noise: Noise
) -> Losses:
    """What D of HRVGAN, or of its predictor, descends: Eqs 13-14, and the gradient penalty where it is asked for.

    real, fake: logits, (batch,) each, or more fake ones. between: the real and the fake clips that a gradient penalty
    mixes. labels: of both.
    """
    c = system.config
    terms = {
        "adversarial": losses.adversarial_discriminator_loss(
            real, fake, k=c.k, reading=c.adversarial, lambda_1=c.lambda_1, lambda_2=c.lambda_2
        )
    }
    if c.lipschitz == "gradient_penalty":
        with fused.layer_by_layer():  # it is differentiated twice
            terms["gradient_penalty"] = c.lambda_gp * losses.gradient_penalty(
                lambda mixed: system.discriminator(mixed, labels), *between, generator=noise, target=c.k
            )
    return terms


class HRVGAN(System):
    """The paper's system: generator, discriminator, encoder, and the losses of Eqs 10-15."""

    name = "hrvgan"
    from_profile = ("width", "preset")

    def __init__(
        self, frames: int = 32, size: int = 256, n_classes: int = 0, preset: str = "stable", **options: object
    ) -> None:
        super().__init__(frames, size, n_classes)
        self.config = config = make_config(preset, **options)
        if config.adversarial_path != "noise" and config.pixel_loss != "reconstruction":
            raise ValueError(f"adversarial_path '{config.adversarial_path}' needs pixel_loss 'reconstruction'")
        self.critic_steps = config.critic_steps
        self.zero_means_won = config.adversarial != "wgan"
        self.fixed_work = config.lipschitz != "gradient_penalty"
        self.generator = Generator(frames, size, n_classes, config)
        self.discriminator = Discriminator(frames, size, n_classes, config)
        self.encoder = Encoder(frames, size, config) if config.pixel_loss == "reconstruction" else None
        self.apply(initialise)
        nn.init.normal_(self.generator.layers[-2].weight, std=0.02)  # start grey: tanh in its middle, not saturated
        if config.lipschitz == "spectral_norm":
            losses.add_spectral_norm(self.discriminator)
        self.follow(self.generator)

    def latents(self, n: int, generator: Noise | None = None) -> Tensor:
        """Draw from N(0, I), or uniformly (A17): (n, 128), or a sequence each (n, 4 or T, 128)."""
        c = self.config
        shape = (c.latent_dim,) if c.latent == "single" else (latents_of(self.frames, c), c.latent_dim)
        if c.latent_distribution == "uniform":
            return drawn(lambda n, g: 2 * torch.rand(n, *shape, generator=g) - 1, n, generator, self.device)
        return drawn(lambda n, g: torch.randn(n, *shape, generator=g), n, generator, self.device)

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return optimisers_of(self.config, [self.discriminator], [self.generator, self.encoder])

    def encode(self, clips: Tensor, noise: Noise) -> tuple[Tensor, Tensor | None]:
        """Return codes of clips with fresh noise in them (decision A20), so that G cannot rely on more detail than a
        draw from N(0, I) has; and what they are charged, in nats a clip, where they are variational."""
        assert self.encoder is not None  # it is there where the pixel term is a reconstruction's
        fresh = self.latents(len(clips), noise)
        if self.encoder.variational:
            mean, log_variance = self.encoder.posterior(clips)
            return mean + (log_variance / 2).exp() * fresh, losses.divergence_from_normal(mean, log_variance)
        share = self.config.code_noise
        return (1 - share) ** 0.5 * self.encoder(clips) + share**0.5 * fresh, None

    def reconstruct(self, clips: Tensor, labels: Tensor | None, noise: Noise) -> Tensor:
        """Return G(E(Y)), from codes with their noise."""
        return self.generator(self.encode(clips, noise)[0], labels)

    def discriminator_losses(self, clips: Tensor, labels: Tensor | None, noise: Noise) -> Losses:
        c = self.config
        with torch.no_grad():
            fakes = self.fakes(clips, labels, noise)
        seen = self.discriminator.features(clips)
        real = self.discriminator.logits(seen, labels)
        fake = torch.cat([self.discriminator(one, labels) for one in fakes])
        if self.n_classes > 1 and c.mismatched_labels:  # with one class no label is wrong
            assert labels is not None  # a system with classes is given labels
            away = drawn(
                lambda n, g: torch.randint(1, self.n_classes, (n,), generator=g), len(labels), noise, labels.device
            )
            wrong = (labels + away) % self.n_classes
            fake = torch.cat([fake, self.discriminator.logits(seen, wrong)])  # (2 * batch,)
        return discriminator_terms(self, real, fake, (clips, fakes[0]), labels, noise)

    def fakes(
        self, clips: Tensor, labels: Tensor | None, noise: Noise, reconstructed: Tensor | None = None
    ) -> list[Tensor]:
        """What D judges beside real clips (A20): G(z), G(E(Y)), or both. reconstructed: G(E(Y)), where it is there."""
        asked, made = self.config.adversarial_path, []
        if asked != "noise":
            made = [self.reconstruct(clips, labels, noise) if reconstructed is None else reconstructed]
        return made + ([] if asked == "reconstruction" else [self.generator(self.latents(len(clips), noise), labels)])

    def generator_losses(self, clips: Tensor, labels: Tensor | None, noise: Noise) -> Losses:
        c, reconstructed, charge = self.config, None, None
        if c.pixel_loss == "reconstruction":
            code, charge = self.encode(clips, noise)
            reconstructed = self.generator(code, labels)
        fakes = self.fakes(clips, labels, noise, reconstructed)
        compared = fakes[0] if c.pixel_loss == "unpaired" else reconstructed
        mse = None if compared is None else losses.mse_loss_paper(compared, clips, c.pixel_reduction)
        adversarial = losses.adversarial_generator_loss(
            torch.cat([self.discriminator(one, labels) for one in fakes]), k=c.k, reading=c.adversarial,
            lambda_1=c.lambda_1,
        )  # fmt: skip
        terms = losses.combined_terms(adversarial, mse, c.alpha, c.beta)
        return terms if charge is None else {**terms, "code": c.code_weight * charge}

    def constrain_discriminator(self, step: int) -> None:
        if self.config.lipschitz == "clip":
            losses.clip_weights_(self.discriminator, self.config.clip)


class TraceRow(NamedTuple):
    """One layer as it ran: the words of the paper's tables, and the output's shape without the batch."""

    layer: str
    activation: str
    shape: tuple[int, ...]


def trace(network: nn.Module, *inputs: Tensor | None) -> list[TraceRow]:
    """Run `network` once and write its layers down as Tables 1 and 2 do, in the order in which they ran.

    Works on the meta device too, where the full 32x256x256 network costs neither time nor memory.
    Norms are left out, as the tables leave them out; an activation belongs to the row before it.
    """
    rows: list[TraceRow] = []
    words = {nn.ReLU: "ReLU", nn.LeakyReLU: "Leaky ReLU", nn.Tanh: "tanh"}

    def note(module: nn.Module, _inputs: object, output: Tensor) -> None:
        shape = tuple(output.shape[1:])
        match module:
            case nn.ConvTranspose3d() | nn.Conv3d():
                kind = "DeConv" if isinstance(module, nn.ConvTranspose3d) else "Conv"
                rows.append(TraceRow(f"{kind} " + "×".join(map(str, module.kernel_size)), "-", shape))
            case nn.Linear():
                rows.append(TraceRow("Fully-connected", "-", shape))
            case Upsample() | Downsample() | MinibatchStddev():
                names = {Upsample: "Upsample", Downsample: "Downsample", MinibatchStddev: "Minibatch Stddev"}
                rows.append(TraceRow(names[type(module)], "-", shape))
            case nn.ReLU() | nn.LeakyReLU() | nn.Tanh() if rows:
                rows[-1] = rows[-1]._replace(activation=words[type(module)])

    handles = [module.register_forward_hook(note) for module in network.modules()]
    try:
        with torch.no_grad():
            network(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    return rows
