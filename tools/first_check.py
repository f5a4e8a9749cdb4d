"""`make first-check`: what a training step costs on this machine, layer by layer, before a long run is started."""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from hrvgan_lib import ablations, book, provenance
from hrvgan_lib.devices import pick_device, precision
from hrvgan_lib.metrics.eyes.judge import resize
from hrvgan_lib.metrics.rulers.frechet import eigenvalues
from hrvgan_lib.networks import build_system, system_class
from hrvgan_lib.profiles import PROFILES, Profile, get_profile
from hrvgan_lib.training import TrainConfig, train

ARITHMETIC = {"fp32": torch.float32, "bf16": torch.bfloat16}  # eager; HRVGAN's features are channels-last in both
LABELS = 8  # classes of the procedural actions


class RandomClips:
    """Random bytes in the shape of a data set: what a step costs does not depend on what the clips show."""

    name, kind, split, stride = "random", "procedural", "train", 1

    def __init__(self, frames: int, size: int, n_classes: int, n: int = 32) -> None:
        self.frames, self.size, self.n_classes, self.digest = frames, size, n_classes, f"random {n}"
        self.classes = tuple(f"class {label}" for label in range(n_classes))
        self.labels = torch.arange(n) % max(1, n_classes)
        self._bytes = np.random.default_rng(0).integers(0, 256, (n, frames, size, size, 3), dtype=np.uint8)

    def __len__(self) -> int:
        return len(self._bytes)

    def describe(self) -> str:
        return f"random pixels: {len(self)} clips"

    def batch(self, indices: Sequence[int] | Tensor, generator: torch.Generator | None = None,
              device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:  # fmt: skip
        """As `ClipDataset.batch`: (clips (B, 3, T, S, S) in [-1, 1], labels (B,))."""
        indices = torch.as_tensor(indices)
        pixels = torch.from_numpy(self._bytes[indices.numpy()]).to(device)
        clips = pixels.permute(0, 4, 1, 2, 3).float().div_(127.5).sub_(1)
        return clips, self.labels[indices].to(device)


@dataclass(frozen=True)
class Workload:
    """One kind of training in a profile: who learns, on what shape, and how many steps of it the profile asks for."""

    system: str
    frames: int
    size: int
    batch: int
    labels: bool
    width: float
    steps: int


def workloads(profile: Profile) -> list[Workload]:
    """Every training of the series in `profile`, those of one shape and system joined."""
    unlabelled = profile.rival_steps + 2 * profile.side_steps  # the actions without labels, Golf, Aeroplane
    shape = (profile.frames, profile.size, profile.batch)
    found = [Workload("hrvgan", *shape, True, profile.width, profile.steps)]
    for name in ("hrvgan", "vgan", "tgan", "mocogan"):
        found.append(Workload(name, *shape, False, profile.width, unlabelled))
    found.append(Workload("ivgan", *shape, False, profile.width, min(profile.rival_steps, 10)))  # a worked example
    arms = {repr(sorted(arm.options.items())) for study in ablations.STUDIES.values() for arm in study.chosen(False)}
    found += [
        Workload(
            "hrvgan",
            ablations.FRAMES,
            ablations.SIZE,
            profile.batch,
            True,
            profile.study_width,
            (len(arms) + 1) * profile.study_steps,
        )
    ]  # one arm has a second seed
    if profile.native:
        frames, size, batch, steps = profile.native
        found += [Workload("hrvgan", frames, size, batch, True, 1.0, steps)]
    return found


def build(work: Workload, preset: str) -> nn.Module:
    """The system of a workload on this machine's device, with first weights from seed 0."""
    options = {"width": work.width, "preset": preset}
    options = {name: options[name] for name in system_class(work.system).from_profile}
    torch.manual_seed(0)
    return build_system(work.system, frames=work.frames, size=work.size, n_classes=LABELS if work.labels else 0,
                        **options).to(pick_device())  # fmt: skip


def free_memory() -> None:
    """Give back what the last system held, and count the peak anew where the device can."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def step_cost(work: Workload, arithmetic: str, preset: str, steps: int) -> dict:
    """Train `steps` steps, the first few uncounted, and say what one costs. Keys are the columns of a table."""
    free_memory()
    system = build(work, preset)
    clips = RandomClips(work.frames, work.size, LABELS if work.labels else 0)
    config = TrainConfig(steps=steps, batch=work.batch)
    ends = [record.seconds for record in train(system, clips, config, dtype=ARITHMETIC[arithmetic])]
    spans = [late - early for early, late in zip([0.0, *ends], ends)]
    spans = spans[min(3, len(spans) - 1) :]
    seconds = statistics.median(spans)
    on_gpu = system.device.type == "cuda"
    memory = torch.cuda.max_memory_allocated() / 1e9 if on_gpu else provenance.peak_rss_mb() / 1000
    return {"system": f"{work.system}{', labels' if work.labels else ''}",
            "clip": f"{work.frames}x{work.size}x{work.size}",
            "width": work.width, "batch": work.batch, "arithmetic": arithmetic, "seconds a step": seconds,
            "clips a second": work.batch / seconds,
            "peak GB of the GPU" if on_gpu else "peak GB of the process so far": memory, "steps timed": len(spans),
            "steps in the profile": work.steps, "minutes in the profile": work.steps * seconds / 60}  # fmt: skip


def layer_costs(network: nn.Module, inputs: tuple, dtype: torch.dtype, repeats: int) -> list[dict]:
    """Milliseconds of each layer of `network`, forward and backward, timed alone on inputs as large as it sees.

    `inputs` is one real call's arguments. Layers are what has no parts of its own; one that a call does not reach has
    no row. Backward is towards the input and the weights, as in a training step.
    """
    seen: list[tuple[str, nn.Module, tuple]] = []

    def note(name: str) -> Callable:
        def hook(module: nn.Module, given: tuple, _output: Tensor) -> None:
            seen.append((name, module, tuple(given[0].shape)))

        return hook

    leaves = [(name, module) for name, module in network.named_modules() if not [*module.children()]]
    handles = [module.register_forward_hook(note(name)) for name, module in leaves]
    device = next(network.parameters()).device
    with torch.no_grad(), torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
        network(*inputs)
    for handle in handles:
        handle.remove()
    return [
        _layer_cost(name, module, shape, dtype, device, repeats)
        for name, module, shape in seen
        if not isinstance(module, nn.Embedding | nn.Identity)
    ]


def _layer_cost(name: str, module: nn.Module, shape: tuple, dtype: torch.dtype, device: torch.device,
                repeats: int) -> dict:  # fmt: skip
    given = torch.randn(shape, device=device, dtype=dtype)
    if len(shape) == 5:
        given = given.contiguous(memory_format=torch.channels_last_3d)
    given.requires_grad_(True)
    forward, backward = [], []
    for _ in range(repeats + 1):
        begun = _now(device)
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            output = module(given)
        middle = _now(device)
        torch.autograd.grad(output, [given, *module.parameters()], torch.ones_like(output))
        forward.append(1000 * (middle - begun))
        backward.append(1000 * (_now(device) - middle))
    kept = slice(1, None) if repeats else slice(None)  # the first call picks algorithms
    return {
        "layer": name,
        "kind": type(module).__name__,
        "input": "x".join(map(str, shape)),
        "forward ms": statistics.median(forward[kept]),
        "backward ms": statistics.median(backward[kept]),
    }


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


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


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("tools/first_check.py", description=__doc__)
    parser.add_argument("--profile", default="gpu", help=", ".join(PROFILES))
    parser.add_argument("--run", default="", help="name of the results folder")
    parser.add_argument("--rehearse", action="store_true", help="the same shapes, one step of two clips")
    arguments = parser.parse_args(argv)
    try:
        profile = get_profile(arguments.profile or "gpu")
        page = book.open_page("first_check", profile=profile.name, run=arguments.run, rehearse=arguments.rehearse)
    except (ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join([*machine(), *agreement(pick_device())]), flush=True)
    steps, layer_repeats = (1, 0) if arguments.rehearse else (12, 5)
    rows, layers = [], []
    for work in workloads(profile):
        work = replace(work, batch=2) if arguments.rehearse else work
        for arithmetic in ARITHMETIC:
            try:
                rows.append(row := step_cost(work, arithmetic, profile.preset, steps))
            except torch.OutOfMemoryError:
                name = f"{work.system}{', labels' if work.labels else ''}"
                print(f"{name:15} {f'{work.frames}x{work.size}x{work.size}':10} {arithmetic}: does not fit", flush=True)
                continue
            memory = next(value for column, value in row.items() if column.startswith("peak GB"))
            print(f"{row['system']:15} {row['clip']:10} batch {row['batch']:3} {arithmetic}: "
                  f"{row['seconds a step']:8.3f} s a step, {row['clips a second']:8.1f} clips/s, {memory:5.1f} GB, "
                  f"{row['minutes in the profile']:5.1f} minutes in the profile", flush=True)  # fmt: skip
            page.table(rows, name="timing_steps", data=[], show=False, note="Eager; random clips; the median step.")
    used = next(name for name, dtype in ARITHMETIC.items() if dtype == precision(pick_device()))
    minutes = sum(row["minutes in the profile"] for row in rows if row["arithmetic"] == used)
    print(f"training alone, in {used}: {minutes:.1f} of the {profile.minutes:g} minutes of PROFILE={profile.name}",
          flush=True)  # fmt: skip

    ours = [work for work in workloads(profile) if work.system == "hrvgan" and work.labels]
    work = max(ours, key=lambda work: (work.frames * work.size**2, work.steps))
    batch = 1 if arguments.rehearse else work.batch
    free_memory()
    system = build(work, profile.preset)
    clips, labels = RandomClips(work.frames, work.size, LABELS, batch).batch(torch.arange(batch), device=system.device)
    shape = f"{work.frames}x{work.size}x{work.size}"
    for label, network, inputs in (
        ("G", system.generator, (system.latents(batch), labels)),
        ("D", system.discriminator, (clips, labels)),
    ):
        for arithmetic, dtype in ARITHMETIC.items():
            layers += [
                {"network": label, "arithmetic": arithmetic} | row
                for row in layer_costs(network, inputs, dtype, layer_repeats)
            ]
            page.table(
                layers,
                name="timing_layers",
                data=[],
                show=False,
                note=f"HRVGAN at {shape}, batch {batch}; each layer alone, median.",
            )
    for row in sorted(layers, key=lambda row: -row["forward ms"] - row["backward ms"])[:5]:
        print(f"slowest: {row['network']} {row['layer']} {row['kind']} {row['input']} {row['arithmetic']}: "
              f"{row['forward ms']:.1f} + {row['backward ms']:.1f} ms", flush=True)  # fmt: skip
    print(f"written: {page.figures.relative_to(page.root)}/timing_steps.csv and timing_layers.csv")
    return 0


if __name__ == "__main__":
    sys.exit(main())
