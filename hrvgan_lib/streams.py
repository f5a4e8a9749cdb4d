"""Random streams by purpose: one draw more in one place never shifts what another place draws; chapter 06."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from hrvgan_lib.devices import send

Sample: TypeAlias = Callable[[int, "torch.Generator | None"], Tensor]  # so many rows of a draw


def stream(*purpose: int | str) -> torch.Generator:
    """Return a random stream that depends on `purpose` alone, for example ("noise", seed, step, 0).

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
        self.draws: list[tuple[Sample, int, Tensor]] = []

    def take(self, sample: Sample, n: int, device: torch.device) -> Tensor:
        if self.position == len(self.draws):
            self.draws.append((sample, n, send(sample(n, self.noise), device)))
        self.position += 1
        return self.draws[self.position - 1][2]

    def rewind(self) -> None:
        self.position = 0

    def again(self, noise: torch.Generator) -> None:
        for sample, n, place in self.draws:
            place.copy_(send(sample(n, noise), place.device))


class Share:
    """The draws of a batch of which several processes work on a part each: all are made, and some rows are taken.

    Whatever the number of processes, a clip of the batch then meets the same draws. rows: which of n that is, given n.
    """

    def __init__(self, noise: torch.Generator, processes: int, rows: Callable[[int], Tensor]) -> None:
        self.noise, self.processes, self.rows = noise, processes, rows

    def take(self, sample: Sample, n: int, device: torch.device) -> Tensor:
        whole = n * self.processes
        return send(sample(whole, self.noise)[self.rows(whole)], device)


Noise: TypeAlias = torch.Generator | Tape | Share


def drawn(sample: Sample, n: int, noise: Noise | None, device: torch.device) -> Tensor:
    """`sample(n, noise)`, n rows, on `device`: drawn on the CPU, so that one seed means one value on every device."""
    return noise.take(sample, n, device) if isinstance(noise, Tape | Share) else send(sample(n, noise), device)


def normal_like(values: Tensor, noise: Noise | None) -> Tensor:
    """Draws from N(0, 1) in the shape of `values` (batch, ...), and in their arithmetic."""
    shape = values.shape[1:]
    draw = drawn(lambda n, g: torch.randn(n, *shape, generator=g), len(values), noise, values.device)
    return draw.to(values.dtype)
