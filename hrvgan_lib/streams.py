"""Random streams by purpose: one draw more in one place never shifts what another place draws; chapter 06."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from hrvgan_lib.devices import send


def stream(*purpose: int | str) -> torch.Generator:
    """Return a random stream that depends on `purpose` alone, for example ("noise", seed, step, rank).

    Every random draw of the training loop comes from such a stream. So resuming needs one integer, the step, and one
    more print or plot never shifts what another part draws.
    """
    digest = hashlib.sha256(repr(purpose).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


class Tape:
    """The draws of one update, in places that stay where they are: a captured step reads them there (captures.py).

    The first time through, each draw is made and its place is kept; after `rewind` the same places are handed out in
    the same order, and `again` fills them with the next draws of a stream, as the code that asked for them would.
    """

    def __init__(self, noise: torch.Generator) -> None:
        self.noise, self.position = noise, 0
        self.draws: list[tuple[Callable[[torch.Generator], Tensor], Tensor]] = []

    def take(self, sample: Callable[[torch.Generator], Tensor], device: torch.device) -> Tensor:
        if self.position == len(self.draws):
            self.draws.append((sample, send(sample(self.noise), device)))
        self.position += 1
        return self.draws[self.position - 1][1]

    def rewind(self) -> None:
        self.position = 0

    def again(self, noise: torch.Generator) -> None:
        for sample, place in self.draws:
            place.copy_(send(sample(noise), place.device))


Noise: TypeAlias = torch.Generator | Tape


def drawn(sample: Callable[[torch.Generator | None], Tensor], noise: Noise | None, device: torch.device) -> Tensor:
    """`sample(noise)` on `device`: drawn on the CPU, so that one seed means one value on every device."""
    return noise.take(sample, device) if isinstance(noise, Tape) else send(sample(noise), device)


def normal_like(values: Tensor, noise: Noise | None) -> Tensor:
    """Draws from N(0, 1) in the shape of `values`, and in their arithmetic."""
    shape = values.shape
    return drawn(lambda g: torch.randn(shape, generator=g), noise, values.device).to(values.dtype)
