"""Which device computes, and in what arithmetic (all chapters)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def pick_device() -> torch.device:
    """The CUDA device where there is one, else the CPU."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def send(values: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    """`values` on `device`; a GPU fetches them from pinned memory, and the host does not wait for what it is doing."""
    import torch

    if str(device).startswith("cuda") and values.device.type == "cpu" and torch.cuda.is_available():
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)


def precision(device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware multiplies in it (CUDA; CPUs with avx512_bf16 or amx), else float32."""
    import torch

    if torch.device(device).type == "cuda":
        return torch.bfloat16
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            flags = set(next(line for line in file if line.startswith("flags")).split())
    except (OSError, StopIteration):  # not Linux, or not x86
        return torch.float32
    return torch.bfloat16 if flags & {"avx512_bf16", "amx_bf16"} else torch.float32
