"""MoCoGAN: one content code a clip, a recurrent motion code a frame, two discriminators (Tulyakov et al. 2018);
chapter 10."""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hrvgan_lib import losses
from hrvgan_lib.networks.system import RECIPES, Losses, System, configure, count_stages, refuse_cut, stage_channels
from hrvgan_lib.streams import Noise, drawn, normal_like


@dataclass(frozen=True)
class MoCoGANConfig:
    """The settings of the released code."""

    recipe: str = "published"  # or "common": HRVGAN's optimisers
    first_weights: str = "today"  # E9: PyTorch's defaults, which the released code starts from; or those of "2017"
    batches: str = "whole"  # E9: the loop's for D_I and for D_V; or "shared out" between them in the published
    frames_batch: int = 10  # proportion: so many frames for D_I
    clips_batch: int = 3  # and so many clips for D_V
    width: float = 1.0  # multiplies every channel count
    content_dim: int = 50  # z_C, fixed for a clip
    motion_dim: int = 10  # z_M, one a frame, and the noise that drives it
    categories: bool | None = None  # D_V learns the classes of real clips; None: where there are labels
    infogan: bool | None = None  # G learns to make clips that D_V's classifier recognises; None: where there are labels
    noise: float = 0.0  # deviation of the Gaussian noise at the inputs of the discriminators' blocks
    leak: float = 0.2  # slope of the leaky ReLU
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    weight_decay: float = 1e-5


CHOICES = {"recipe": RECIPES, "first_weights": ("today", "2017"), "batches": ("whole", "shared out")}


def cut(frames: int, size: int, width: float) -> tuple[list[int], int]:
    """Cut the networks, published for 16x64x64, by dropping or adding stages and by shorter kernels in time.

    Returns:
        The channels from the pixels to 4x4, and how many frames a kernel of the video discriminator spans.

    Raises:
        ValueError: a size that is not 4 doubled, or so few frames that no kernel would see two of them.
    """
    halvings = count_stages("MoCoGAN", frames, size)
    if frames < halvings + 2:
        raise refuse_cut("MoCoGAN", frames, size, f"it needs at least {halvings + 2} frames")
    span = min(4, 1 + (frames - 2) // halvings)  # leaves at least two frames behind the last stage
    return stage_channels(halvings, 64, width), span


class Generator(nn.Module):
    """Latents (batch, 50 + 10 + 10 T), see `MoCoGAN.latents`, and labels to clips (batch, 3, T, S, S)."""

    def __init__(self, frames: int, size: int, n_classes: int, config: MoCoGANConfig) -> None:
        super().__init__()
        channels = cut(frames, size, config.width)[0][::-1]
        self.content_dim, self.motion_dim, self.n_classes = config.content_dim, config.motion_dim, n_classes
        self.recurrent = nn.GRUCell(config.motion_dim, config.motion_dim)
        inputs = config.content_dim + n_classes + config.motion_dim
        layers = [nn.ConvTranspose2d(inputs, channels[0], 4, bias=False), nn.BatchNorm2d(channels[0]), nn.ReLU()]
        for before, after in pairwise(channels):
            layers += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(channels[-1], 3, 4, 2, 1, bias=False), nn.Tanh())

    def codes(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """What every frame is made from, [z_C, category, z_M(t)]: (batch, T, 50 + K + 10), K classes."""
        content, motion = (
            latents[:, : self.content_dim],
            latents[:, self.content_dim :],
        )  # (batch, 50), (batch, 10 + 10T)
        state, *drive = motion.unflatten(1, (-1, self.motion_dim)).unbind(1)  # (batch, 10) each: h_0, one eps_t a frame
        path = []
        for kick in drive:
            state = self.recurrent(kick, state)
            path.append(state)
        if self.n_classes:
            content = torch.cat([content, F.one_hot(labels, self.n_classes).to(content)], dim=1)  # (batch, 50 + K)
        return torch.cat([content[:, None].expand(-1, len(path), -1), torch.stack(path, dim=1)], dim=2)

    def images(self, codes: Tensor) -> Tensor:
        """Codes (n, 60 + K) to frames (n, 3, S, S), each on its own."""
        return self.layers(codes[:, :, None, None])  # each code is a map of 1x1: (n, 60 + K, 1, 1)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        codes = self.codes(latents, labels)  # (batch, T, 60 + K)
        return self.images(codes.flatten(0, 1)).unflatten(0, codes.shape[:2]).transpose(1, 2)  # (batch, 3, T, S, S)


class Judge(nn.Module):
    """Blocks that halve the image, then a convolution that scores what is left: logits (batch, outputs, ...)."""

    def __init__(self, blocks: list[nn.Module], score: nn.Module, sigma: float) -> None:
        super().__init__()
        self.blocks, self.score, self.sigma = nn.ModuleList(blocks), score, sigma

    def forward(self, features: Tensor, noise: Noise | None = None) -> Tensor:
        for block in self.blocks:
            if self.sigma and noise is not None:
                features = features + self.sigma * normal_like(features, noise)
            features = block(features)
        return self.score(features)


class Discriminator(nn.Module):
    """D_I looks at single frames, D_V at clips; both judge patches, but with labels D_V judges the whole clip."""

    def __init__(self, frames: int, size: int, n_classes: int, config: MoCoGANConfig) -> None:
        super().__init__()
        channels, span = cut(frames, size, config.width)
        self.n_classes = n_classes
        activation = nn.LeakyReLU(config.leak)
        flat = {"kernel_size": 4, "stride": 2, "padding": 1, "bias": False}
        deep = {"kernel_size": (span, 4, 4), "stride": (1, 2, 2), "padding": (0, 1, 1), "bias": False}

        def blocks(layer: type, norm: type, how: dict, channels: list[int]) -> list[nn.Module]:
            rest = [
                nn.Sequential(layer(before, after, **how), norm(after), activation)
                for before, after in pairwise(channels)
            ]
            return [nn.Sequential(layer(3, channels[0], **how), activation), *rest]

        patches = channels[:-1]  # a patch discriminator's last halving is its score
        self.image = Judge(
            blocks(nn.Conv2d, nn.BatchNorm2d, flat, patches), nn.Conv2d(patches[-1], 1, **flat), config.noise
        )
        if n_classes:
            left = frames - len(channels) * (span - 1)
            score = nn.Conv3d(channels[-1], 1 + n_classes, (min(4, left), 4, 4), bias=False)
        else:
            channels, score = patches, nn.Conv3d(patches[-1], 1, **deep)
        self.video = Judge(blocks(nn.Conv3d, nn.BatchNorm3d, deep, channels), score, config.noise)

    def clips(self, clips: Tensor, noise: Noise | None = None) -> tuple[Tensor, Tensor | None]:
        """D_V: clips (batch, 3, T, S, S) to logits, high for real, and to class logits (batch, K) where there are
        labels."""
        logits = self.video(clips, noise)  # (batch, 1 + K, t, 1, 1); of patches, (batch, 1, t, 4, 4), without labels
        if not self.n_classes:
            return logits, None
        logits = logits.mean(dim=(2, 3, 4))  # one position, unless a clip is longer than the published 16 frames
        return logits[:, 0], logits[:, 1:]  # (batch,), (batch, K)


def initialise(module: nn.Module) -> None:
    """What the released code started from in 2017, PyTorch's defaults of that year: convolutions uniform within one
    over the root of their inputs (of a transposed one too), batch norms with scales from (0, 1)."""
    if isinstance(module, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d):
        bound = (module.in_channels * math.prod(module.kernel_size)) ** -0.5
        nn.init.uniform_(module.weight, -bound, bound)
    elif isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
        nn.init.uniform_(module.weight)


class MoCoGAN(System):
    """Tulyakov et al. (2018), section 3.

    The released code shows D_I ten frames a step and D_V three clips, each from videos of its own. Of the small batches
    of this book two clips would be left for D_V, and it would learn later; so both look at all clips of a batch.
    It names no first weights: it starts from what its PyTorch gives a layer, which has changed since 2017.
    Chapter 11 measures both (decision E9). The released code trains on every second frame, too: a clip of this book
    spans 32 source frames, which at 16 frames is the same. Samples come from the averaged generator, as every other
    system's.
    """

    name = "mocogan"

    def __init__(self, frames: int = 16, size: int = 64, n_classes: int = 0, **options: object) -> None:
        super().__init__(frames, size, n_classes)
        self.config = config = configure(MoCoGANConfig(), "MoCoGAN", options, CHOICES)
        for option in ("categories", "infogan"):
            if getattr(config, option) and not n_classes:
                raise ValueError(f"{option} needs labels, and this data set has none; leave the option out")
        self.categories = bool(n_classes) and config.categories is not False
        self.infogan = bool(n_classes) and config.infogan is not False
        self.generator = Generator(frames, size, n_classes, config)
        self.discriminator = Discriminator(frames, size, n_classes, config)
        if config.first_weights == "2017":
            self.apply(initialise)
        self.follow(self.generator)

    def latents(self, n: int, generator: Noise | None = None) -> Tensor:
        """Draw z_C, h_0 and eps_1 ... eps_T from N(0, I), side by side: (n, 50 + 10 + 10 T)."""
        size = self.config.content_dim + self.config.motion_dim * (1 + self.frames)
        return drawn(lambda n, g: torch.randn(n, size, generator=g), n, generator, self.device)

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        c = self.config  # Adam treats every weight on its own: one over D_I and D_V equals the published two
        if c.recipe == "common":
            return self.common_optimisers()
        return self.one_for_each(torch.optim.Adam, lr=c.learning_rate, betas=c.betas, weight_decay=c.weight_decay)

    def shares(self, batch: int) -> tuple[int, int]:
        """How many of a batch's clips give D_I one frame each, and how many D_V looks at."""
        c = self.config
        if c.batches == "whole" or batch == 1:
            return batch, batch
        clips = min(batch - 1, max(1, round(batch * c.clips_batch / (c.frames_batch + c.clips_batch))))
        return batch - clips, clips

    def clip_rows(self, n: int, rank: int, ranks: int) -> Tensor:
        """As many of D_V's clips, the first of a batch, and as many of D_I's, the last, for every process."""
        n_frames, n_clips = self.shares(n)
        if n_clips == n:  # both look at all of them
            return self.rows(n, rank, ranks)
        for_clips, for_frames = self.rows(n_clips, rank, ranks), self.rows(n_frames, rank, ranks)
        if self.shares(n // ranks) != (len(for_frames), len(for_clips)):
            raise ValueError(
                f"a batch of {n} gives D_V {n_clips} clips and D_I {n_frames}, which {ranks} processes cannot share "
                "evenly: take another batch (--batch), or fewer processes"
            )
        return torch.cat([for_clips, n_clips + for_frames])

    def draw_labels(self, n: int, noise: Noise) -> Tensor | None:
        """The classes of n fakes, all equally likely as published: (n,); None without labels."""
        if not self.n_classes:
            return None
        return drawn(lambda n, g: torch.randint(self.n_classes, (n,), generator=g), n, noise, self.device)

    def draw_frames(self, n: int, noise: Noise) -> Tensor:
        """Make one random frame of each of n new clips, and only that one: (n, 3, S, S)."""
        codes = self.generator.codes(self.latents(n, noise), self.draw_labels(n, noise))
        return self.generator.images(pick(codes, noise))  # (n, 60 + K) -> (n, 3, S, S)

    def draw_clips(self, n: int, noise: Noise) -> tuple[Tensor, Tensor | None]:
        """Make n clips and return them with the classes that they were asked for."""
        labels = self.draw_labels(n, noise)
        return self.generator(self.latents(n, noise), labels), labels

    def discriminator_losses(self, clips: Tensor, labels: Tensor | None, noise: Noise) -> Losses:
        judge = self.discriminator
        n_frames, n_clips = self.shares(len(clips))
        with torch.no_grad():
            fake_frames, (fake_clips, _) = self.draw_frames(n_frames, noise), self.draw_clips(n_clips, noise)
        real_frames = pick(clips[-n_frames:].transpose(1, 2), noise)
        real, classes = judge.clips(clips[:n_clips], noise)
        fake, _ = judge.clips(fake_clips, noise)
        terms = {
            "adversarial frames": losses.bce_with_logits(judge.image(real_frames, noise), 1)
            + losses.bce_with_logits(judge.image(fake_frames, noise), 0),
            "adversarial clips": losses.bce_with_logits(real, 1) + losses.bce_with_logits(fake, 0),
        }
        if self.categories:
            assert classes is not None and labels is not None  # there are categories only where there are labels
            terms["categories"] = F.cross_entropy(losses.full(classes), labels[:n_clips])
        return terms

    def generator_losses(self, clips: Tensor, labels: Tensor | None, noise: Noise) -> Losses:
        judge = self.discriminator
        n_frames, n_clips = self.shares(len(clips))
        frames = judge.image(self.draw_frames(n_frames, noise), noise)
        fakes, asked = self.draw_clips(n_clips, noise)
        fake, classes = judge.clips(fakes, noise)
        terms = {
            "adversarial frames": losses.bce_with_logits(frames, 1),
            "adversarial clips": losses.bce_with_logits(fake, 1),
        }
        if self.infogan:
            assert classes is not None
            terms["infogan"] = F.cross_entropy(losses.full(classes), asked)
        return terms


def pick(sequences: Tensor, noise: Noise) -> Tensor:
    """Return one random element of each sequence: (batch, T, ...) to (batch, ...)."""
    n, length = sequences.shape[:2]
    moments = drawn(lambda n, g: torch.randint(length, (n,), generator=g), n, noise, sequences.device)
    return sequences[torch.arange(n, device=sequences.device), moments]
