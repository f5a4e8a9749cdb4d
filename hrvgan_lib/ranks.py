"""Several processes that train one system, each on its part of every batch: `torchrun` (chapters 06 and 13).

A process is a *rank*. All ranks hold the same weights. Each works on its rows of the batch, the gradients are averaged
in one message, batch norms take the statistics of the whole batch, and all optimisers take the same step: what comes
out is what one process makes of the whole batch, up to the order in which numbers are added. Rank 0 writes the files.

Alone, without `joined`, every function here does nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from hrvgan_lib.norms import full

LOST = re.compile(r"onnection (closed|reset|refused)|roken pipe|imed out|NCCL|aborted", re.IGNORECASE)
PATIENCE = timedelta(minutes=10)  # that a rank waits for the others: one may be packing, or measuring


def rank() -> int:
    """This process's number, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def count() -> int:
    """How many processes share the training."""
    return dist.get_world_size() if dist.is_initialized() else 1


@contextmanager
def joined(backend: str = "") -> Iterator[None]:
    """Inside, this process is one of those that `torchrun` has started; without torchrun, it is alone.

    backend: "nccl" or "gloo"; by default NCCL where there is a GPU for each process of this machine. Raises ValueError
    in one line for a backend that is not to be had, and where the processes do not find each other.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    here, gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
    if backend == "nccl" and not gpus:
        raise ValueError("--backend nccl needs CUDA devices, and torch sees none here: take --backend gloo")
    if gpus and backend != "gloo":
        if here >= gpus:
            raise ValueError(f"process {here} of this machine has no GPU of its own, of {gpus}: start {gpus} a machine")
        torch.cuda.set_device(here)
        backend = "cpu:gloo,cuda:nccl"  # what the host asks of the others goes past the device
    try:
        store, number, world = next(dist.rendezvous("env://", timeout=PATIENCE))
        # torchrun keeps one store for all its restarts: without a name of its own, each would meet those who are gone.
        store = dist.PrefixStore(f"attempt {os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}", store)
        dist.init_process_group(backend or "gloo", store=store, rank=number, world_size=world, timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:  # a port in use, a host that does not answer
        where = f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}"
        why = str(error).splitlines()[0]
        raise ValueError(f"no meeting at {where} ({why}): name a free port (torchrun --master-port)") from None
    try:
        yield
    except RuntimeError as error:
        if LOST.search(str(error)):
            raise RuntimeError(
                f"process {rank()} waits for another that is gone ({str(error).splitlines()[0]}): what was saved is "
                "kept, and the same command goes on from there; torchrun --max-restarts=3 does so by itself"
            ) from None
        raise
    finally:
        dist.destroy_process_group()


def agree_on_work(work: Mapping[str, object]) -> None:
    """Raise ValueError where the processes do not all have the same in mind; the message says what differs, and where.

    work: by name, what has to be the same: code, configuration, data, versions.
    """
    if count() == 1:
        return
    everyone: list[Any] = [None] * count()
    dist.all_gather_object(everyone, {name: str(value) for name, value in work.items()})
    for number, other in enumerate(everyone):
        if differing := [name for name in everyone[0] if everyone[0][name] != other.get(name)]:
            name = differing[0]
            raise ValueError(
                f"process {number} has another {name} than process 0 ({other.get(name)} and {everyone[0][name]}): "
                "start all of them from the same checkout with the same words"
            )


def told(value: Any = None) -> Any:
    """What rank 0 says, on all ranks: anything that these processes of one program may hand to each other."""
    if count() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
    return box[0]


def on_the_host(value: Any) -> Any:
    """A value with every tensor in it on the CPU: a GPU's number means another device to another process."""
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if isinstance(value, dict):
        return {name: on_the_host(one) for name, one in value.items()}
    return type(value)(map(on_the_host, value)) if isinstance(value, list | tuple) else value


def any_of(*flags: bool) -> tuple[bool, ...]:
    """Each flag, set where it is set on any rank."""
    if count() == 1:
        return flags
    values = torch.tensor(flags, dtype=torch.uint8)
    dist.all_reduce(values, dist.ReduceOp.MAX)
    return tuple(bool(value) for value in values)


def average_(parameters: Sequence[Tensor], terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Average the gradients of `parameters` in place, and return the terms averaged: one message for all of it."""
    if count() == 1:
        return dict(terms)
    gradients = [one.grad for one in parameters if one.grad is not None]
    numbers = [*gradients, *terms.values()]
    kind = torch.promote_types(gradients[0].dtype, torch.float32)
    flat = torch.cat([one.detach().reshape(-1).to(kind) for one in numbers])
    dist.all_reduce(flat)
    parts = (flat / count()).split([one.numel() for one in numbers])
    for gradient, part in zip(gradients, parts):
        gradient.copy_(part.view_as(gradient))
    return {name: part.view(()) for name, part in zip(terms, parts[len(gradients) :])}


@contextmanager
def norms_shared(system: nn.Module) -> Iterator[None]:
    """Inside, batch norms in training take mean and variance over the clips of all ranks."""
    norms = [module for module in system.modules() if isinstance(module, _BatchNorm)] if count() > 1 else []
    for norm in norms:
        norm.forward = partial(_over_all_ranks, norm)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for norm in norms:
            del norm.forward


class _Summed(torch.autograd.Function):
    """The sum of a tensor over all ranks; on the way back that of its gradients, as all of them depend on each part."""

    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:
        whole = part.detach().clone()
        dist.all_reduce(whole)
        return whole

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _Summed.apply(gradient.contiguous())  # in the same order on every rank, as the graph is the same


class _Gathered(torch.autograd.Function):
    """A tensor of every rank, stacked: (ranks, ...)."""

    @staticmethod
    def forward(ctx: Any, mine: Tensor) -> Tensor:
        parts = [torch.empty_like(mine) for _ in range(count())]
        dist.all_gather(parts, mine.detach().contiguous())
        return torch.stack(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _Summed.apply(gradient.contiguous())[rank()]  # what every rank's result asks of this one's part


def _over_all_ranks(norm: _BatchNorm, features: Tensor) -> Tensor:
    """What a batch norm in training makes of (batch, channel, ...), its statistics over the clips of all ranks."""
    if not norm.training:
        return type(norm).forward(norm, features)
    values, others = full(features), [0, *range(2, features.ndim)]
    shape = [-1 if axis == 1 else 1 for axis in range(features.ndim)]
    many = count() * features.numel() // features.shape[1]
    # One message: each rank's mean and variance, over equally many values. (ranks, channel) each.
    means, variances = _Gathered.apply(torch.stack(torch.var_mean(values, others, correction=0)[::-1])).unbind(1)
    mean = means.mean(0)  # (channel,)
    variance = (variances + (means - mean).square()).mean(0)
    centred = values - mean.view(shape)
    assert norm.running_mean is not None and norm.running_var is not None and norm.momentum is not None
    with torch.no_grad():
        norm.running_mean.lerp_(mean.to(norm.running_mean), norm.momentum)
        norm.running_var.lerp_((variance * many / (many - 1)).to(norm.running_var), norm.momentum)
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked.add_(1)
    normed = centred * torch.rsqrt(variance + norm.eps).view(shape)
    if norm.weight is not None:
        normed = normed * norm.weight.view(shape)
    if norm.bias is not None:
        normed = normed + norm.bias.view(shape)
    return normed.to(features.dtype)


def gathered(mine: Sequence[Any]) -> list[Any]:
    """The lists of all ranks as one, in the order in which `range(rank(), n, count())` shares n things out."""
    if count() == 1:
        return list(mine)
    everyone: list[Any] = [None] * count()
    dist.all_gather_object(everyone, list(mine))
    longest = max(map(len, everyone))
    return [part[turn] for turn in range(longest) for part in everyone if turn < len(part)]
