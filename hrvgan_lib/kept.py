"""A finished training as one file: its networks in half precision, its records, and all that names it (figures/)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hrvgan_lib import checkpoints
from hrvgan_lib.files import write_atomic
from hrvgan_lib.half import halved
from hrvgan_lib.networks import System, build_system
from hrvgan_lib.training import StepRecord

NETWORKS = ("generator", "discriminator", "encoder", "sampler")


@dataclass(frozen=True)
class Kept:
    """A training out of its file."""

    about: Mapping[str, str]  # the header: what was trained, on what, by what code
    state: dict[str, Tensor]  # of the system, as far as it is kept: "sampler.fc.weight"
    records: list[StepRecord]
    snapshots: dict[int, Tensor]  # by step: uint8 (n, 3, T, S, S)


def keep(
    path: Path, system: System, records: Sequence[StepRecord], networks: Sequence[str], snapshots: Mapping[int, Tensor],
    **about: object,
) -> None:  # fmt: skip
    """Write a finished training as one file. Raises ValueError for one that has diverged or not begun."""
    if system.diverged or not records:
        raise ValueError(f"{path.stem} has nothing to keep: {system.diverged or 'no step was taken'}")
    state = {name: tensor.contiguous().cpu() for name, tensor in halved(system.state_dict(), system).items()}
    tensors = {name: tensor for name, tensor in state.items() if name.partition(".")[0] in networks}
    terms = [f"D {term}" for term in records[0].discriminator] + [f"G {term}" for term in records[0].generator]
    tensors["records"] = torch.tensor(
        [
            [one.clips_seen, one.seconds, *one.discriminator.values(), *one.generator.values()]
            for one in records
        ],
        dtype=torch.float64,
    )  # fmt: skip
    tensors |= {f"snapshot.{step}": pixels.contiguous() for step, pixels in snapshots.items()}
    words = {name: value if isinstance(value, str) else json.dumps(value) for name, value in about.items()}
    header = {**words, "system": system.name, "terms": json.dumps(terms)}

    def write(temporary: Path) -> None:
        save_file(tensors, temporary, metadata=header)
        checkpoints.sort_header(temporary)

    write_atomic(path, write)


def read_kept(path: Path) -> Kept:
    """Read what `keep` wrote. Raises ValueError, in one line, for a file that is not whole or something else."""
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        terms = json.loads(about["terms"])
        rows = tensors.pop("records").tolist()
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is not a whole kept training ({error}); fetch it again, or delete it") from None
    snapshots = {int(name.split(".")[1]): tensors.pop(name) for name in [*tensors] if name.startswith("snapshot.")}
    records = []
    for step, (clips, seconds, *values) in enumerate(rows, 1):
        by = {side: {term[2:]: value for term, value in zip(terms, values) if term.startswith(side)} for side in "DG"}
        records.append(StepRecord(step, int(clips), seconds, by["D"], by["G"]))
    return Kept(about, tensors, records, snapshots)


def fill(system: System, kept: Kept, path: Path) -> System:
    """Give `system` the weights of a kept training; a generator that is not kept is the average that is.

    Raises:
        ValueError: weights of other names or shapes.
    """
    state = dict(kept.state)
    if not any(name.startswith("generator.") for name in state):
        state |= {f"generator.{name[8:]}": tensor for name, tensor in state.items() if name.startswith("sampler.")}
    own = system.state_dict()
    wrong = [name for name in state if name not in own or own[name].shape != state[name].shape]
    missing = [name for name in own if name.partition(".")[0] == "sampler" and name not in state]
    if wrong or missing:
        raise ValueError(f"{path} does not fit this {type(system).__name__}: {[*wrong, *missing][0]}; delete it")
    system.load_state_dict(own | state)
    return system.eval()


def load_kept(path: Path, device: torch.device | str = "cpu") -> System:
    """The system of a kept training, built by what its file says, as far as its networks were kept.

    `system.about` is the file's header. Raises ValueError, in one line, for a file that is not whole or that today's
    code does not build.
    """
    kept = read_kept(path)
    try:
        options = {
            name: tuple(value) if isinstance(value, list) else value  # JSON knows no tuples
            for name, value in json.loads(kept.about["options"]).items()
        }
        frames, size, n_classes = (int(kept.about[name]) for name in ("frames", "size", "n_classes"))
        system = build_system(kept.about["system"], frames=frames, size=size, n_classes=n_classes, **options)
    except (ValueError, TypeError, KeyError) as error:  # another version's options
        raise ValueError(f"{path} cannot be built by this version: {error}") from None
    system = fill(system, kept, path).to(device)
    system.about = kept.about
    return system


def header_of(path: Path) -> dict[str, str]:
    """What a kept training's file says of itself, nothing where it is not whole."""
    try:
        with safe_open(path, "pt") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError):
        return {}
