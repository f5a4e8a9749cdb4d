"""Damage by degrees: what every honest ruler has to notice, on real clips (chapter 08)."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from hrvgan_lib.metrics.sources import Source, treated

KINDS = ("blur", "noise", "held", "shuffled", "fewer classes")
GRADES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # none, and five


def blur(clips: Tensor, grade: float) -> Tensor:
    """Gaussian blur of every frame; at grade 1 its deviation is an eighth of the side."""
    sigma = grade * clips.shape[-1] / 8
    if sigma == 0:
        return clips
    reach = min(int(3 * sigma) + 1, clips.shape[-1] - 1)
    at = torch.arange(-reach, reach + 1, dtype=clips.dtype, device=clips.device)
    kernel = torch.softmax(-0.5 * (at / sigma) ** 2, 0)
    flat = clips.flatten(0, 2).unsqueeze(1)
    flat = F.conv2d(F.pad(flat, (reach, reach, 0, 0), mode="replicate"), kernel.view(1, 1, 1, -1))
    flat = F.conv2d(F.pad(flat, (0, 0, reach, reach), mode="replicate"), kernel.view(1, 1, -1, 1))
    return flat.view_as(clips)


def noise(clips: Tensor, grade: float) -> Tensor:
    """Blend into independent uniform pixels; at grade 1 nothing else is left. The same noise for the same shape."""
    drawn = torch.rand(clips.shape, generator=torch.Generator().manual_seed(0)).to(clips)
    return (1 - grade) * clips + grade * (2 * drawn - 1)


def held(clips: Tensor, grade: float) -> Tensor:
    """A share of the frames does not arrive: the last one that did stands in. At grade 1 nothing moves."""
    frames = clips.shape[2]
    arrives = torch.linspace(0, frames - 1, max(1, round(frames * (1 - grade)))).round().long()
    arrives[0] = 0
    shown = torch.stack([arrives[arrives <= t].max() for t in range(frames)])
    return clips[:, :, shown]


def shuffled(clips: Tensor, grade: float) -> Tensor:
    """A share of the frames changes places, other ones in each clip, so that no single order decides."""
    frames, stream = clips.shape[2], torch.Generator().manual_seed(0)
    order = torch.arange(frames).repeat(len(clips), 1)
    for row in order:
        chosen = torch.randperm(frames, generator=stream)[: round(frames * grade)]
        row[chosen] = chosen.roll(1)  # a cycle through all of them: none stays
    return clips.gather(2, order.to(clips.device)[:, None, :, None, None].expand_as(clips))


TREATMENTS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "blur": blur, "noise": noise, "held": held, "shuffled": shuffled,
}  # fmt: skip


def damaged(source: Source, kind: str, grade: float) -> Source:
    """`source` with damage of one of `KINDS`, grade 0 (none) to 1 (all of it).

    "fewer classes" keeps the first ones, at grade 1 a single one; it needs a labelled source that can be restricted.
    Raises ValueError for an unknown kind, a grade outside [0, 1] or a source without labels.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown damage {kind!r}: choose one of {', '.join(KINDS)}")
    if not 0 <= grade <= 1:
        raise ValueError(f"grade is {grade}: it lies between 0 (none) and 1")
    if kind == "fewer classes":
        if source.restrict is None:
            raise ValueError(f"{source.name} has no labels: it cannot lose classes")
        return source.restrict(grade)
    name = f"{source.name}, {kind} {grade:g}"
    return treated(source, name, lambda clips: TREATMENTS[kind](clips, grade), f"{kind} {grade:g}")
