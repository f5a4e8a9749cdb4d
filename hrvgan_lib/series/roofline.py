"""How fast a training step could be: its operations and bytes, counted from the modules, and the device's rates."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from hrvgan_lib.devices import pick_device
from hrvgan_lib.streams import stream

if TYPE_CHECKING:
    from hrvgan_lib.networks import System

CONVOLUTIONS = (torch.ops.aten.convolution.default, torch.ops.aten.convolution_backward.default)
# What a device's two rates are measured with: side of the matrices, floats of the copy, and how many follow each other
# before the host waits for the device: a GPU that has nothing to do until it is asked again seems slower than it is.
ON_GPU, ON_CPU = (8192, 2**28, 10), (1024, 2**25, 1)


@dataclass(frozen=True)
class Work:
    """What one turn of the loop has to do, whatever does it: operations; numbers that convolutions read and write."""

    operations: float
    numbers: float


@dataclass(frozen=True)
class Rates:
    """What a device does at best: operations a second of a large matrix product, bytes a second of a large copy."""

    operations: float
    bytes: float

    def floor(self, work: Work, dtype: torch.dtype) -> float:
        """Seconds below which no turn comes: the longer of computing and of moving."""
        return max(work.operations / self.operations, work.numbers * dtype.itemsize / self.bytes)


class Moved(TorchDispatchMode):
    """Counts the numbers that convolutions read and write, forwards and backwards."""

    numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in CONVOLUTIONS:
            given = [*args, *(result if isinstance(result, tuple) else (result,))]
            self.numbers += sum(one.numel() for one in given if isinstance(one, Tensor))
        return result


def work_of(system: System, batch: int) -> Work | None:
    """Count one turn of Algorithm 1 on tensors that have a shape and no numbers: it takes no time, whatever the size.

    None where a penalty differentiates twice, which such tensors cannot. The system is moved there and stays.
    """
    if not system.fixed_work:
        return None
    system = system.to("meta").train()
    clips = torch.empty(batch, 3, system.frames, system.size, system.size, device="meta")
    labels = torch.zeros(batch, dtype=torch.long, device="meta") if system.n_classes else None
    updates = {"discriminator": system.critic_steps, "generator": 1}
    noise = stream("roofline")
    with FlopCounterMode(display=False) as counted, Moved() as moved:
        for network in system.order:
            for _ in range(updates[network]):
                terms = getattr(system, f"{network}_losses")(clips, labels, noise)
                sum(terms.values()).backward()
    return Work(float(counted.get_total_flops()), float(moved.numbers))


def rates(dtype: torch.dtype) -> Rates:
    """Measure the two rates of this machine's device in `dtype`, each as the best of five."""
    device = pick_device()
    side, numbers, times = ON_GPU if device.type == "cuda" else ON_CPU
    a, b = (torch.randn(side, side, generator=stream("rates", name)).to(device, dtype) for name in "ab")
    source = torch.ones(numbers, device=device)
    target = torch.empty_like(source)
    product, copy = _best(lambda: a @ b, device, times), _best(lambda: target.copy_(source), device, times)
    return Rates(2 * side**3 / product, 2 * source.nbytes / copy)


def _best(work: Callable[[], Any], device: torch.device, times: int) -> float:
    """Seconds of one piece of work, of `times` that follow each other; the best of five behind one to warm up."""
    found = []
    for _ in range(6):
        begun = time.perf_counter()
        for _ in range(times):
            work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        found.append((time.perf_counter() - begun) / times)
    return min(found[1:])
