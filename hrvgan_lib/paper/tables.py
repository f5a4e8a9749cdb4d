"""Tables 1-4, the figures and the few settings that the paper prints (chapters 03, 04, 09 and 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

OURS = "Ours"  # the paper's name for HRVGAN in Tables 3 and 4


@dataclass(frozen=True)
class LayerRow:
    """One row of Table 1 or 2: what is printed, and how this book resolves it.

    Shapes are channels x time x height x width; a layer that emits a vector has one entry and ones. `shape`
    and `resolved_activation` equal the printed values unless `decisions` names what explains the change.
    """

    layer: str
    activation: str
    printed: tuple[int, ...]
    shape: tuple[int, ...]
    resolved_activation: str
    decisions: tuple[str, ...] = ()

    @property
    def shape_agrees(self) -> bool:
        return self.printed == self.shape

    @property
    def agrees(self) -> bool:
        return self.shape_agrees and self.activation == self.resolved_activation


def shape_text(shape: tuple[int, ...]) -> str:
    """(128, 4, 4, 4) -> "128 × 4 × 4 × 4", the way the paper's tables print it."""
    return " × ".join(str(size) for size in shape)


def _row(
    layer: str, activation: str, printed: tuple[int, ...], shape: tuple[int, ...] | None = None,
    resolved_activation: str | None = None, decisions: tuple[str, ...] = (),
) -> LayerRow:  # fmt: skip
    resolved = (shape or printed, resolved_activation or activation)
    return LayerRow(layer, activation, printed, *resolved, decisions)


def _generator_rows() -> tuple[LayerRow, ...]:
    deconv = "DeConv 3×3×3"
    rows = [
        _row("Latent vector", "-", (128, 1, 1, 1)),
        _row("Fully-connected", "ReLU", (128, 1, 1, 1), shape=(8192, 1, 1, 1), decisions=("A1",)),
        _row(deconv, "ReLU", (128, 4, 4, 4)),
    ]
    # (channels in, channels out, time, height and width) of the six blocks, as printed
    for before, after, time, side in (
        (128, 128, 8, 8), (128, 128, 8, 16), (128, 64, 8, 32),
        (64, 32, 16, 64), (32, 16, 16, 128), (16, 8, 32, 256),
    ):  # fmt: skip
        rows.append(_row("Upsample", "-", (before, time, side, side)))
        rows += [_row(deconv, "ReLU", (after, time, side, side))] * 2
    last = _row("DeConv 1×1×1", "ReLU", (3, 32, 256, 256), resolved_activation="tanh", decisions=("A5",))
    return (*rows, last)


def _discriminator_rows() -> tuple[LayerRow, ...]:
    leaky, mirror = "Leaky ReLU", ("A6",)
    conv = "Conv 3×3×3"
    rows = [
        _row("Input Image", "-", (128, 1, 1), (3, 32, 256, 256), decisions=("A7",)),
        _row("Conv 1×1×1", leaky, (128, 4, 4, 4), (8, 32, 256, 256), decisions=mirror),
    ]
    # printed: (channels of the two convolutions, shape after Downsample); resolved: Table 1 seen in a mirror
    printed = (
        ((128, 4, 4, 4), (128, 8, 8, 8)),
        ((128, 8, 8, 8), (128, 8, 16, 16)),
        ((128, 8, 16, 16), (128, 8, 32, 32)),
        ((64, 8, 32, 32), (64, 16, 64, 64)),
        ((32, 16, 64, 64), (32, 16, 128, 128)),
        ((16, 16, 128, 128), (16, 32, 256, 256)),
    )
    resolved = (
        ((8, 32, 256, 256), (16, 32, 256, 256), (16, 16, 128, 128)),
        ((16, 16, 128, 128), (32, 16, 128, 128), (32, 16, 64, 64)),
        ((32, 16, 64, 64), (64, 16, 64, 64), (64, 8, 32, 32)),
        ((64, 8, 32, 32), (128, 8, 32, 32), (128, 8, 16, 16)),
        ((128, 8, 16, 16), (128, 8, 16, 16), (128, 8, 8, 8)),
        ((128, 8, 8, 8), (128, 8, 8, 8), (128, 4, 4, 4)),
    )
    for block, ((both, after), (first, second, down)) in enumerate(zip(printed, resolved)):
        rows.append(_row(conv, leaky, both, first, decisions=mirror))
        spelled = "LReLU" if block == 3 else leaky  # one row prints the short name: A11
        rows.append(_row(conv, spelled, both, second, leaky, (*mirror, "A11") if block == 3 else mirror))
        rows.append(_row("Downsample", "-", after, down, decisions=mirror))
    rows += [
        _row("Minibatch Stddev", "-", (129, 4, 4, 4), decisions=("A8",)),
        _row(conv, leaky, (8, 32, 256, 256), (128, 4, 4, 4), decisions=("A9",)),
        _row("Fully-connected", "linear", (1, 1, 1, 128), (128, 1, 1, 1), leaky, ("A10", "A23")),
        _row("Fully-connected", "linear", (1, 1, 1, 1)),
    ]
    return tuple(rows)


TABLE1: tuple[LayerRow, ...] = _generator_rows()
TABLE2: tuple[LayerRow, ...] = _discriminator_rows()


@dataclass(frozen=True)
class InceptionRow:
    """One row of Table 3: Inception Score on UCF101, higher is better."""

    model: str
    reference: int | None
    score: float


@dataclass(frozen=True)
class FrechetRow:
    """One row of Table 4: Fréchet distance on Golf and Aeroplane, lower is better."""

    model: str
    reference: int | None
    golf: int
    aeroplane: int


TABLE3 = (
    InceptionRow("VGAN", 30, 8.18),
    InceptionRow("TGAN", 21, 11.85),
    InceptionRow("MoCoGAN", 27, 12.42),
    InceptionRow(OURS, None, 14.29),
)
TABLE4 = (
    FrechetRow("VGAN", 30, 113_007, 149_094),
    FrechetRow("TGAN", 21, 112_029, 120_417),
    FrechetRow(OURS, None, 102_584, 104_036),
)


ModelRow = TypeVar("ModelRow", InceptionRow, FrechetRow)


def inception_row(model: str) -> InceptionRow:
    """The row of Table 3 with this model. Raises ValueError for a model that Table 3 does not list."""
    return _find(TABLE3, model, "Table 3")


def frechet_row(model: str) -> FrechetRow:
    """The row of Table 4 with this model. Raises ValueError for a model that Table 4 does not list."""
    return _find(TABLE4, model, "Table 4")


def inception_ratio(model: str = OURS, to: str = "VGAN") -> float:
    """Published Inception Score of `model` over that of `to`."""
    return inception_row(model).score / inception_row(to).score


def frechet_ratio(dataset: str, model: str = OURS, to: str = "VGAN") -> float:
    """Published Fréchet distance of `model` over that of `to` on "golf" or "aeroplane" (see E2)."""
    if dataset not in ("golf", "aeroplane"):
        raise ValueError(f"Table 4 has no data set {dataset!r}: choose golf or aeroplane")
    return getattr(frechet_row(model), dataset) / getattr(frechet_row(to), dataset)


def _find(rows: Sequence[ModelRow], model: str, table: str) -> ModelRow:
    for row in rows:
        if row.model == model:
            return row
    raise ValueError(f"{table} has no row {model!r}: choose one of {', '.join(row.model for row in rows)}")


@dataclass(frozen=True)
class Settings:
    """The other numbers that the paper prints, each with the section it stands in."""

    frames: int = 32  # Tables 1 and 2, last and first row
    size: int = 256  # abstract, section 2, Tables 1 and 2
    latent: int = 128  # Table 1, first row
    alpha: float = 0.5  # section 4.5, Eq. 15, weight of the adversarial term
    beta: float = 0.5  # section 4.5, Eq. 15, weight of the mean squared error
    ucf101_videos: int = 13_320  # section 4.1
    ucf101_classes: int = 101  # section 4.1
    stack_size: int = 128  # section 4.1: frames of Golf and Aeroplane are 128x128
    rival_size: int = 64  # section 2: resolution of MoCoGAN's clips
    figure4_frames: int = 8  # section 5
    figure4_actions: tuple[str, str] = ("JumpingJack", "TaiChi")  # section 5


SETTINGS = Settings()
