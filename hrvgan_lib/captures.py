"""An update of a network recorded once and replayed: on a GPU its thousand small launches become one (CUDA graphs).

What is recorded is the readable code: losses, backward, optimiser. The random draws stay outside, on the CPU, in the
order in which that code asks for them (`streams.Tape`). A recording that cannot be made, or whose losses are not those
of the code that it was made from, is not used, and a warning says so.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

from hrvgan_lib.streams import Tape

if TYPE_CHECKING:
    from hrvgan_lib.networks import System
    from hrvgan_lib.networks.system import Losses

WARM_UP = 3  # updates that pick algorithms and set up moments, before one is recorded
CLOSE = 0.02  # of a loss: bfloat16 adds up in another order each time

# Network, clips, labels, noise: one step down, and the losses.
Update: TypeAlias = Callable[[str, Tensor, Tensor | None, torch.Generator], dict[str, Tensor]]


_used = True


@contextmanager
def unrecorded() -> Iterator[None]:
    """Within it `captured` records nothing: for comparison."""
    global _used
    before, _used = _used, False
    try:
        yield
    finally:
        _used = before


class Recording:
    """One network's update: where its inputs have to be, the graph, and where its losses will be."""

    def __init__(self, clips: Tensor, labels: Tensor | None, noise: torch.Generator) -> None:
        self.clips, self.labels = clips.clone(), None if labels is None else labels.clone()
        self.tape = Tape(noise)
        self.losses: Mapping[str, Tensor] = {}

    def record(self, work: Callable[[], Mapping[str, Tensor]], stream: torch.cuda.Stream, pool: object) -> None:
        """Write down what `work` launches, without doing it. Raises RuntimeError where that cannot be written down."""
        self.graph = torch.cuda.CUDAGraph()
        try:
            # By default a recording forbids every thread to pin memory, and the one that fetches batches does.
            with torch.cuda.graph(self.graph, stream=stream, pool=pool, capture_error_mode="thread_local"):
                self.losses = work()
        except RuntimeError:
            # Where its end fails too, the allocator waits for that end for ever and gives no memory out again.
            with suppress(RuntimeError):
                torch._C._cuda_endAllocateToPool(torch.cuda.current_device(), pool)  # type: ignore[arg-type]
            raise

    def replay(self) -> dict[str, Tensor]:
        self.graph.replay()
        return {name: loss.clone() for name, loss in self.losses.items()}

    def again(self, clips: Tensor, labels: Tensor | None, noise: torch.Generator) -> dict[str, Tensor]:
        """The update with other clips and the next draws."""
        self.clips.copy_(clips)
        if self.labels is not None and labels is not None:
            self.labels.copy_(labels)
        self.tape.again(noise)
        return self.replay()


def captured(system: System, terms: Callable[..., Losses], update: Callable[..., dict[str, Tensor]]) -> Update:
    """`update`, recorded and replayed after `WARM_UP` calls for each network; `terms` are the losses that it descends.

    Both take (network, clips, labels, noise). Clips of another shape than those that were recorded go the plain way.
    """
    if not _used:
        return update
    side, pool = torch.cuda.Stream(), torch.cuda.graph_pool_handle()  # a recording never meets the default stream
    calls: Counter[str] = Counter()
    recordings: dict[str, Recording | None] = {}  # None: not to be had

    def faster(network: str, clips: Tensor, labels: Tensor | None, noise: torch.Generator) -> dict[str, Tensor]:
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            calls[network] += 1
            recording = recordings.get(network)
            # What one update hands to the other lies in fixed places only if both are recorded.
            if None in recordings.values():
                losses = update(network, clips, labels, noise)
            elif recording is not None and recording.clips.shape == clips.shape:
                losses = recording.again(clips, labels, noise)
            elif network in recordings or calls[network] <= WARM_UP:
                losses = update(network, clips, labels, noise)
            else:
                losses = record(network, clips, labels, noise)
        torch.cuda.current_stream().wait_stream(side)
        return losses

    def record(network: str, clips: Tensor, labels: Tensor | None, noise: torch.Generator) -> dict[str, Tensor]:
        """Record the update and carry it out: as its first replay, or plainly where it cannot be recorded."""
        kept, buffers = dict(system.__dict__), [buffer.clone() for buffer in system.buffers()]
        new = Recording(clips, labels, noise)
        with torch.no_grad():
            plain = {name: float(loss) for name, loss in terms(network, new.clips, new.labels, new.tape).items()}
        put_back(kept, buffers)
        new.tape.rewind()
        failed = ""
        try:
            new.record(lambda: update(network, new.clips, new.labels, new.tape), side, pool)
        except RuntimeError as error:  # a copy from the host, a question to the device: what no graph can hold
            failed = str(error).partition("\n")[0] or type(error).__name__
        if failed:  # behind the block: the error holds what the pass had made, and there must be room for another
            torch.cuda.synchronize()
            recordings[network] = None
            refuse(network, failed)
            put_back(kept, buffers)
            new.tape.rewind()
            return update(network, clips, labels, new.tape)
        losses = new.replay()
        off = {name: float(losses[name]) for name, value in plain.items()
               if not abs(float(losses[name]) - value) <= CLOSE * (1 + abs(value))}  # fmt: skip
        recordings[network] = None if off else new
        for name, value in off.items():
            refuse(network, f"its '{name}' is {value:.4g} in a replay and {plain[name]:.4g} without")
        return losses

    def refuse(network: str, why: str) -> None:
        warnings.warn(f"{system.name}: the {network}'s update is not recorded as a CUDA graph: {why}", stacklevel=4)

    @torch.no_grad()
    def put_back(kept: dict, buffers: list[Tensor]) -> None:
        """Undo what a look at the losses has left behind: latents to be used again, running statistics."""
        system.__dict__.update(kept)
        for buffer, before in zip(system.buffers(), buffers):
            buffer.copy_(before)

    return faster
