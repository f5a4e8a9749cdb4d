"""Walks through latent space: what they measure, and the widget that takes them (chapter 09, section 5)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hrvgan_lib.book.pictures import movie
from hrvgan_lib.book.widgets import Live, captioned, film, sized
from hrvgan_lib.networks import System
from hrvgan_lib.streams import stream

PATHS = ("line", "great circle")


def interpolate(start: Tensor, end: Tensor, steps: int, path: str = "line") -> Tensor:
    """Walk from one latent to another in `steps` points, both ends included (decision T8).

    Args:
        start, end: (..., D), of one shape; a sequence of latents walks each of them.
        steps: at least 2.
        path: "line" (the paper's) or "great circle" (slerp), which turns the direction evenly and blends the length.

    Returns:
        (steps, ..., D).

    Raises ValueError for fewer than two steps or an unknown path.
    """
    if steps < 2:
        raise ValueError(f"steps is {steps}: a walk has at least its 2 ends")
    if path not in PATHS:
        raise ValueError(f"unknown path {path!r}: choose {' or '.join(PATHS)}")
    share = torch.linspace(0, 1, steps, device=start.device).view(-1, *[1] * start.dim())
    line = start + share * (end - start)
    if path == "line":
        return line
    lengths = start.norm(dim=-1, keepdim=True), end.norm(dim=-1, keepdim=True)
    directions = start / lengths[0], end / lengths[1]
    angle = (directions[0] * directions[1]).sum(-1, keepdim=True).clamp(-1, 1).acos()
    length = lengths[0] + share * (lengths[1] - lengths[0])
    turned = torch.sin((1 - share) * angle) * directions[0] + torch.sin(share * angle) * directions[1]
    between = length * turned / angle.sin()
    return torch.where(angle.sin() > 1e-4, between, line)  # parallel ends: there is nothing to turn


def random_walk(start: Tensor, steps: int, step_length: float, generator: torch.Generator) -> Tensor:
    """Take `steps` - 1 steps of one length in directions that forget each other: (steps, *start.shape)."""
    moves = torch.randn(steps - 1, *start.shape, generator=generator).to(start.device)
    moves *= step_length / moves.flatten(1).norm(dim=1).view(-1, *[1] * start.dim())
    return torch.cat([start[None], start + moves.cumsum(0)])


@torch.no_grad()
def decode(system: System, latents: Tensor, label: int = 0, batch: int = 8) -> Tensor:
    """Clips of a walk: (steps, 3, T, S, S) in [-1, 1], on the CPU; `label` counts only for a system with classes."""
    labels = torch.full((len(latents),), label, device=system.device) if system.n_classes else None
    parts = [
        system.sampler(latents[i : i + batch].to(system.device), None if labels is None else labels[i : i + batch])
        for i in range(0, len(latents), batch)
    ]
    return torch.cat([part.float().cpu() for part in parts]).clamp(-1, 1)


@dataclass(frozen=True)
class WalkShape:
    """How a walk lies in the space where it is looked at; 1 and 1 is a straight line at an even pace."""

    detour: float  # length of the walk over the distance between its ends
    jump: float  # longest step over the mean step: the number of steps where one step does it all


def walk_shape(points: Tensor | np.ndarray) -> WalkShape:
    """Measure a walk through (steps, ...) points: clips, or features of clips. NaN where nothing moves."""
    points = torch.as_tensor(points).flatten(1).double()
    strides = points.diff(dim=0).norm(dim=1)
    reach = (points[-1] - points[0]).norm()
    if strides.sum() == 0:
        return WalkShape(float("nan"), float("nan"))
    return WalkShape(float(strides.sum() / reach), float(strides.max() / strides.mean()))


def origin_of(generator: Path) -> str:
    """Which recorded run a generator's file is from and on what machine, by its sidecar: a name for the menu."""
    about = json.loads(generator.with_suffix(".json").read_text(encoding="utf-8"))
    return f"recorded run {about['parameters']['run']}, {about['device']}"


class LatentExplorer(Live):
    """Two latents, a slider between them, a class selector, a play button; the clip there between those at the ends.

    `systems` are generators by name; a menu chooses among them, the last is shown first. Each says its class names. A
    menu with one entry is not shown. `strip` is the same walk as clips for a picture.
    """

    def __init__(self, systems: Mapping[str, tuple[System, Sequence[str]]], seed: int = 0, steps: int = 21,
                 width: int = 320):  # fmt: skip
        import ipywidgets

        self.systems, self.steps, self.width = dict(systems), steps, width
        wide = {"description_width": "110px"}
        names = list(systems)
        self.source = ipywidgets.Dropdown(options=names, value=names[-1], description="generator", style=wide)
        hide(self.source, len(systems) < 2)
        self.label = ipywidgets.Dropdown(description="class", style=wide)
        self._choose()
        self.source.observe(self._choose, names="value")
        self.start = ipywidgets.BoundedIntText(2 * seed, 0, 10**6, description="latent A, seed", style=wide)
        self.end = ipywidgets.BoundedIntText(2 * seed + 1, 0, 10**6, description="latent B, seed", style=wide)
        self.path = ipywidgets.ToggleButtons(options=PATHS, description="path", style=wide)
        self.place = ipywidgets.IntSlider(0, 0, steps - 1, description="from A to B", style=wide, layout=sized(640))
        self.play = ipywidgets.Play(value=0, min=0, max=steps - 1, interval=400)
        ipywidgets.jslink((self.play, "value"), (self.place, "value"))
        self.picture, self.caption = ipywidgets.HTML(), ipywidgets.HTML()
        self.ends = ipywidgets.HTML(), ipywidgets.HTML()
        for control in (self.source, self.label, self.start, self.end):
            control.observe(self._draw_ends, names="value")
        for control in (self.source, self.label, self.start, self.end, self.path, self.place):
            control.observe(self._draw, names="value")
        middle = ipywidgets.Layout(align_items="center")
        self.widget = ipywidgets.VBox([
            ipywidgets.HBox([self.ends[0], self.picture, self.ends[1]], layout=middle), self.caption,
            ipywidgets.HBox([self.place, self.play]), self.path, self.label, self.source,
            ipywidgets.HBox([self.start, self.end]),
        ])  # fmt: skip
        self._draw_ends()
        self._draw()

    @property
    def system(self) -> System:
        return self.systems[self.source.value][0]

    def _choose(self, _change: object = None) -> None:
        system, classes = self.systems[self.source.value]
        names = [*classes, *(f"class {index}" for index in range(len(classes), system.n_classes))]
        named = [(name, index) for index, name in enumerate(names)] if system.n_classes else [("no classes", 0)]
        self.label.options, self.label.index = named, 0
        hide(self.label, len(named) < 2)

    def walk(self, steps: int | None = None) -> Tensor:
        """The latents of the walk that the controls describe."""
        start, end = (self.system.latents(1, stream("explorer", seed.value))[0] for seed in (self.start, self.end))
        return interpolate(start, end, steps or self.steps, self.path.value)

    def strip(self, steps: int = 5) -> Tensor:
        """Clips (steps, 3, T, S, S) at even places of the walk."""
        return decode(self.system, self.walk(steps), self.label.value or 0)

    def twin(self) -> str:
        alt = (f"Five generated clips side by side, moving, {self.source.value}, {self.label.label}: latent A, three "
               "places on the way, latent B")  # fmt: skip
        picture = film(self.strip(5), alt, columns=5, each=2 * self.width // 5)
        return captioned(picture, f"From left to right: latent A, 25, 50 and 75 % of the way, latent B. {self.how}")

    def _draw_ends(self, _change: object = None) -> None:
        clips = self.strip(2)
        for picture, clip, end, seed in zip(self.ends, clips, "AB", (self.start, self.end)):
            alt = f"generated clip at latent {end}, {self.label.label}"
            small = movie(clip[None], alt=alt, width=2 * self.width // 5).data
            picture.value = captioned(small, f"{end}, seed {seed.value}")

    def _draw(self, _change: object = None) -> None:
        latent = self.walk()[self.place.value]
        percent = round(100 * self.place.value / (self.steps - 1))
        alt = f"generated clip, {self.label.label}, {percent} % of the way from latent A to latent B"
        clip = decode(self.system, latent[None], self.label.value or 0)
        self.picture.value = movie(clip, alt=alt, width=self.width).data
        norm = latent.flatten().norm() / latent[..., 0].numel() ** 0.5
        typical = latent.shape[-1] ** 0.5
        self.caption.value = f"{percent} % of the way; length of the latent {norm:.1f} (typical {typical:.1f})"


def hide(control: Any, hidden: bool) -> None:
    """Take a control that offers no choice off the page, or bring it back."""
    control.layout.display = "none" if hidden else None
