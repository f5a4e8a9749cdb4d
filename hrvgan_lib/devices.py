"""Which device computes, and in what arithmetic (all chapters)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def pick_device() -> torch.device:
    """The CUDA device where there is one, else the CPU."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precision(device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware multiplies in it (CUDA; CPUs with avx512_bf16 or amx), else float32."""
    import torch

    if torch.device(device).type == "cuda":
        return torch.bfloat16
    try:
        with open("/proc/cpuinfo") as file:
            flags = set(next(line for line in file if line.startswith("flags")).split())
    except (OSError, StopIteration):  # not Linux, or not x86
        return torch.float32
    return torch.bfloat16 if flags & {"avx512_bf16", "amx_bf16"} else torch.float32
