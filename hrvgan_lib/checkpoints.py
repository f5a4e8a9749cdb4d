"""Save and resume: checkpoints that are whole or not there at all; chapter 06."""

import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from hrvgan_lib.files import sha256_file, write_atomic
from hrvgan_lib.networks import System, build_system

REGULAR, BETWEEN = "step", "between"  # every so many steps, the same in every run; and when a minute has passed


def save_checkpoint(folder: Path, step: int, state: Mapping, keep: int = 3, kind: str = REGULAR) -> Path:
    """Write `state` as the checkpoint of `step`, its sha256 beside it, and drop all but the last `keep` regular ones.

    One that is saved in `BETWEEN` is dropped as soon as there is a newer one of either kind.
    """
    path = Path(folder) / f"{kind}-{step:08d}.pt"
    write_atomic(path, lambda temporary: torch.save(dict(state), temporary))
    digest = sha256_file(path)
    write_atomic(path.with_suffix(".sha256"), digest + "\n")
    regular = sorted(path.parent.glob(f"{REGULAR}-*.pt"))
    for old in [*regular[:-keep], *path.parent.glob(f"{BETWEEN}-*.pt")]:
        if old != path:
            old.unlink()
            old.with_suffix(".sha256").unlink(missing_ok=True)
    return path


def load_checkpoint(folder: Path, device: torch.device | str = "cpu", regular: bool = False) -> dict | None:
    """Return the newest checkpoint in `folder` that its sha256 confirms, or None where there is none.

    A file that was cut off or changed is passed over for the one before it, with a warning. regular: leave out those
    that were saved between the regular ones.
    """
    kinds = (REGULAR,) if regular else (REGULAR, BETWEEN)
    paths = [path for kind in kinds for path in Path(folder).glob(f"{kind}-*.pt")]
    for path in sorted(paths, key=lambda path: path.stem.split("-")[1], reverse=True):
        note = path.with_suffix(".sha256")
        if not note.is_file():  # a kill came before it was written
            continue
        if note.read_text(encoding="utf-8").strip() == sha256_file(path):
            return torch.load(path, map_location=device, weights_only=True)
        warnings.warn(f"{path} is damaged and passed over: training goes on from an earlier checkpoint", stacklevel=2)
    return None


def save_weights(path: Path, module: nn.Module) -> None:
    """Write a module's weights as safetensors."""
    tensors = {name: tensor.detach().contiguous().cpu() for name, tensor in module.state_dict().items()}
    write_atomic(Path(path), lambda temporary: save_file(tensors, temporary))


def load_weights(path: Path, module: nn.Module) -> None:
    """Read weights that `save_weights` wrote.

    Raises:
        ValueError: names or shapes that do not fit the module.
    """
    try:
        module.load_state_dict(load_file(path))
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise ValueError(f"{path} does not fit this {type(module).__name__}: {first}") from None


def save_generator(path: Path, system: System, **about: object) -> None:
    """Write what `system` samples from, its averaged generator, in half precision: one file that needs nothing else.

    The header says how to build it; `about` adds what a user should know, as text or as JSON (`classes`, `data`, ...).
    Raises ValueError for a weight that half precision cannot hold.
    """
    learned = dict(system.sampler.named_parameters())  # a norm's running statistics keep all their digits
    tensors = {
        name: (tensor.half() if name in learned else tensor).detach().contiguous().cpu()
        for name, tensor in system.sampler.state_dict().items()
    }
    if bad := [name for name, tensor in tensors.items() if not tensor.isfinite().all()]:
        raise ValueError(f"{bad[0]} of the generator is too large for half precision: {path} is not written")
    header = {
        **about,
        "system": system.name,
        "frames": system.frames,
        "size": system.size,
        "n_classes": system.n_classes,
        "options": asdict(system.config),
    }
    words = {key: value if isinstance(value, str) else json.dumps(value) for key, value in header.items()}

    def write(temporary: Path) -> None:
        save_file(tensors, temporary, metadata=words)
        sort_header(temporary)

    write_atomic(Path(path), write)


def sort_header(path: Path) -> None:
    """Put the names in a safetensors header in order: the library shuffles them, and equal files should be equal."""
    raw = path.read_bytes()
    end = 8 + int.from_bytes(raw[:8], "little")
    header = json.dumps(json.loads(raw[8:end]), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)  # what follows stays aligned
    path.write_bytes(len(header).to_bytes(8, "little") + header + raw[end:])


def load_generator(path: Path, device: torch.device | str = "cpu") -> System:
    """Read what `save_generator` wrote: a system that samples, with what its file says of it in `system.about`.

    Only the generator has learned: the discriminator is a fresh one. Raises FileNotFoundError or ValueError, in one
    line, for a file that is not there, not whole or not a generator.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such generator; `make reproduce` writes one to figures/<run>/")
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file ({error}); fetch it again") from None
    if not {"system", "frames", "size", "n_classes", "options"} <= about.keys():
        raise ValueError(f"{path} does not say what system it holds; write it with `save_generator`")
    try:
        options = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in json.loads(about["options"]).items()
        }
        system = build_system(
            about["system"],
            frames=int(about["frames"]),
            size=int(about["size"]),
            n_classes=int(about["n_classes"]),
            **options,
        ).to(device)
    except (ValueError, TypeError) as error:  # another version's options
        raise ValueError(f"{path} cannot be built by this version: {error}") from None
    for network in (system.sampler, system.generator):
        load_weights(path, network)
    system.about = about
    return system.eval()
