"""A first look at a machine before a long run: versions, and whether what is fast gives what is plain.

It may be stopped at any moment: every line is said as soon as it is known, and what takes longest comes last.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the library is not installed

from hrvgan_lib import provenance
from hrvgan_lib.captures import WARM_UP, unrecorded
from hrvgan_lib.devices import pick_device
from hrvgan_lib.metrics.eyes.judge import resize
from hrvgan_lib.metrics.rulers.frechet import eigenvalues
from hrvgan_lib.mishaps import command
from hrvgan_lib.networks import SYSTEMS, build_system, kernels
from hrvgan_lib.profiles import get_profile
from hrvgan_lib.series.timing import RandomClips, step_cost
from hrvgan_lib.training import TrainConfig, train
from hrvgan_lib.trainings import training


def machine() -> list[str]:
    """What a result on this machine depends on, a line each."""
    lines = [f"device: {provenance.device_name()}", *(f"{k} {v}" for k, v in provenance.versions().items())]
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        lines += [
            f"CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}",
            f"GPU memory: {free / 1e9:.0f} of {total / 1e9:.0f} GB free",
        ]
        if torch.backends.cudnn.version() < 91500:
            lines.append("WARNING: cuDNN below 9.15 is known for slow or wrong 3-D convolutions in bf16")
    return lines


def agreement(device: torch.device) -> list[str]:
    """What the measurements compute on `device` and on the CPU: a line each, with the largest difference."""
    draws = torch.Generator().manual_seed(0)
    rows = torch.randn(300, 400, generator=draws, dtype=torch.float64).numpy()
    found = eigenvalues(rows @ rows.T)  # on the GPU where there is one
    known = np.linalg.eigvalsh(rows @ rows.T)
    clips = torch.rand(1, 3, 4, 64, 64, generator=draws)
    shrunk = [resize(clips.to(where), 16).cpu() for where in (device, "cpu")]
    return [
        f"eigenvalues: largest relative difference {np.abs(found / known - 1).max():.1e}",
        f"resizing: largest difference {(shrunk[0] - shrunk[1]).abs().max():.1e}",
    ]


def fused_kernels(device: torch.device) -> list[str]:
    """How far the GPU kernels are from the plain layers, or why they are not used: a line each."""
    if device.type != "cuda" or kernels.triton is None:
        return ["GPU kernels: none here, plain layers"]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        used = kernels.trusted(device)
    if not used:
        return [f"GPU kernels: not used; {said[-1].message if said else ''}"]
    return [f"GPU kernels, {what}: off by {off:.1e}" for what, off in kernels.differences(device).items()]


def replays(device: torch.device) -> Iterator[str]:
    """How far the losses of ten recorded updates are from those of ten plain ones, a line for each system."""
    if device.type != "cuda":
        yield "CUDA graphs: none here"
        return
    config = TrainConfig(steps=WARM_UP + 10, batch=8)
    for name, kind in SYSTEMS.items():
        if not kind.fixed_work:
            continue
        found = []
        for way in (nullcontext, unrecorded):
            torch.manual_seed(0)
            system = build_system(name, frames=8, size=32, n_classes=2 * kind.takes_labels, width=0.25).to(device)
            clips = RandomClips(8, 32, 2 * kind.takes_labels)
            with way():
                records = train(system, clips, config, dtype=torch.float32)
                losses = [[*record.discriminator.values(), *record.generator.values()] for record in records]
            found.append(np.array(losses[WARM_UP:]))
        off = np.abs(found[0] - found[1]) / (1 + np.abs(found[1]))
        yield f"CUDA graphs, {name}: ten turns are off by {off[0].max():.1e} at first, {off.max():.1e} at most"


def say(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


@command
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("tools/first_check.py", description=__doc__)
    parser.add_argument("--profile", default="gpu", help="whose main training takes a few steps")
    parser.add_argument("--run", default="", help="not used: the name of the run that follows")
    parser.add_argument("--rehearse", action="store_true", help="two clips instead of the profile's batch")
    arguments = parser.parse_args(argv)
    begun = time.monotonic()
    profile = get_profile(arguments.profile or "gpu", arguments.rehearse)
    device = pick_device()
    say(machine())
    say(agreement(device))
    say(fused_kernels(device))
    few = {"uncounted": 1, "counted": 1} if device.type == "cpu" else {}
    cost = step_cost(training(profile, "hrvgan", labels=True), profile, **few)
    step = f"{cost.seconds:.3f} s a step, {cost.clips_a_second:.1f} clips/s, {cost.peak_gb:.1f} GB"
    say([f"HRVGAN at {cost.clip}, batch {cost.batch}, {cost.arithmetic}: {step}"])
    say(replays(device))
    say([f"{time.monotonic() - begun:.0f} s in all"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
