"""Where a result comes from: repository, data on disk, versions, hardware, peak memory (all chapters)."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import re
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

from hrvgan_lib.files import listing_digest

DATA_SETS = ("ucf101", "golf", "aeroplane", "weizmann")


def repo_root() -> Path:
    """The repository: the folder around this package, else one above the working directory; HRVGAN_ROOT overrides.

    Only a folder whose pyproject.toml is this project's counts. Raises FileNotFoundError where there is none: an
    installed copy writes into nobody else's project.
    """
    if override := os.environ.get("HRVGAN_ROOT"):
        if not Path(override).is_dir():
            raise FileNotFoundError(f"HRVGAN_ROOT={override} is no folder: name a clone of the repository")
        return Path(override).resolve()
    for folder in (Path(__file__).resolve().parents[1], Path.cwd(), *Path.cwd().parents):
        if _is_repository(folder):
            return folder
    raise FileNotFoundError(
        "hrvgan_lib is installed outside its repository: run inside a clone, or name one with HRVGAN_ROOT=<folder>"
    )


def _is_repository(folder: Path) -> bool:
    try:
        return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"] == "hrvgan-lib"
    except (OSError, ValueError, KeyError):
        return False


def data_identity(data_root: Path) -> dict[str, str]:
    """{folder: listing digest} of the data sets, and of the published weights in `reference`, that are there."""
    folders = (*DATA_SETS, "reference")
    return {name: listing_digest(data_root / name) for name in folders if (data_root / name).is_dir()}


def lacking() -> list[str]:
    """Names of packages that this Python has to have and has not; the large ones are looked for, not imported."""
    gone = [
        name
        for name in ("torch", "torchvision", "scipy", "matplotlib", "torchmetrics")
        if not importlib.util.find_spec(name)
    ]
    for name in ("av", "ipykernel", "ipywidgets", "jupytext", "papermill", "safetensors"):
        try:
            importlib.import_module(name)
        except ImportError as error:  # of the package itself, or of what it needs
            gone.append(error.name or name)
    return sorted({*gone})


@cache
def versions() -> dict[str, str]:
    """Versions of what a result may depend on, without importing any of it."""
    found = {"python": platform.python_version()}
    for name in ("torch", "torchvision", "numpy", "scipy", "matplotlib", "av", "pillow"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def device_name() -> str:
    """The accelerator's name, else the processor's."""
    if any(Path("/dev").glob("nvidia[0-9]*")):  # also for a chapter that computes nothing itself
        import torch
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return torch.cuda.get_device_name()
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        model = re.search(r"model name\s*:\s*(.+)", text)
    except OSError:
        model = None
    return f"{model[1].strip() if model else platform.machine() or 'CPU'} ({os.cpu_count()} cores)"


def cores() -> int:
    """How many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def peak_rss_mb(pid: int | str = "self") -> float:
    """Most memory that the process has held, in MB (VmHWM); 0 where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    high = re.search(r"VmHWM:\s+(\d+) kB", text)
    return round(int(high[1]) / 1024, 1) if high else 0.0


def peak_cuda_mb() -> float:
    """Most memory that torch has held on the CUDA device, in MB; 0 without one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return 0.0
    return round(torch.cuda.max_memory_allocated() / 2**20, 1)
