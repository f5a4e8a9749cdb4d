"""Weights that somebody else trained: C3D from the files in which it is handed around (chapter 08)."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from hrvgan_lib.metrics.eyes.c3d import C3D

ALIASES = {"conv1": "conv1a", "conv2": "conv2a"}  # as popular PyTorch ports call them
MOST_BYTES = 2 * 10**9  # of an archive once unpacked; C3D has a third of a gigabyte
READABLE = (".npz", ".safetensors", ".pt", ".pth", ".pickle")


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """The named tensors of a file: Chainer .npz ("conv1a/W"), safetensors, or a PyTorch state dict.

    A file that needs code to be run before it can be read is refused.
    Raises FileNotFoundError, or ValueError that names the file and the remedy.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such weight file")
    _check_size(path)
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return {name: torch.from_numpy(np.asarray(arrays[name], np.float32)) for name in arrays.files}
        if path.suffix == ".safetensors":
            return {name: tensor.float() for name, tensor in load_file(path).items()}
        if path.suffix in READABLE:
            found = torch.load(path, map_location="cpu", weights_only=True)
            found = found.get("state_dict", found)
            return {name.removeprefix("module."): tensor.float() for name, tensor in found.items()}
    except pickle.UnpicklingError:
        raise ValueError(
            f"{path}: this pickle wants to run code, which is refused; save it as a plain state dict or as safetensors"
        ) from None
    except Exception as error:  # each library has its own for a damaged file
        if "TorchScript" in str(error):
            raise ValueError(
                f"{path}: this is a TorchScript program, which would be run to be read; "
                "give its state dict (torch.save(module.state_dict(), ...)) or the .npz"
            ) from None
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{path}: cannot be read as weights ({reason}); fetch it again") from None
    raise ValueError(f"{path}: weights are read from {', '.join(READABLE)}, not from '{path.suffix}'")


def _check_size(path: Path) -> None:
    """Raise ValueError for an archive that says it would fill the memory: kilobytes can hold gigabytes of zeros."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError):  # no archive, or a damaged one: whoever reads it says what is wrong
        return
    if unpacked > MOST_BYTES:
        raise ValueError(
            f"{path}: unpacks to {unpacked / 1e9:.0f} GB, where weights have {MOST_BYTES / 1e9:.0f} at most: "
            "is it the right file?"
        )


def load_c3d(path: str | Path, n_classes: int | None = None, width: float = 1.0) -> C3D:
    """The published C3D, 16x112x112 without batch norm, in eval mode, with the weights in `path`.

    width: 1 for the published one; a narrower relative needs to be asked for.

    Layers may be called conv1a or conv1, with /W and /b (Chainer) or .weight and .bias behind it. Every layer has to
    be there, in its shape, and nothing else: a partial file is no judge.
    Raises ValueError that lists missing, unexpected and misshapen layers, or names another number of classes.
    """
    given = {_our_name(name): tensor for name, tensor in read_tensors(path).items()}
    classes = len(given["fc8.bias"]) if "fc8.bias" in given else n_classes or 101
    if n_classes is not None and classes != n_classes:
        raise ValueError(
            f"{path}: these weights know {classes} classes, {n_classes} are asked for; "
            "use weights that were trained on this data set"
        )
    with torch.device("meta"):  # no random weights, not even for a moment
        network = C3D(n_classes=classes, width=width)
    wanted = network.state_dict()
    short = {name.split(".", 2)[-1] if name.startswith("blocks.") else name: name for name in wanted}
    complaints = {
        "missing": sorted(set(short) - set(given)),
        "unexpected": sorted(set(given) - set(short)),
        "of another shape": [
            f"{name} {tuple(given[name].shape)} instead of {tuple(wanted[short[name]].shape)}"
            for name in short if name in given and given[name].shape != wanted[short[name]].shape
        ],
    }  # fmt: skip
    if any(complaints.values()):
        listed = "; ".join(f"{what}: {', '.join(names)}" for what, names in complaints.items() if names)
        raise ValueError(f"{path}: not the weights of C3D ({listed})")
    network.load_state_dict({short[name]: tensor for name, tensor in given.items()}, assign=True)
    return network.eval().requires_grad_(False)


def _our_name(name: str) -> str:
    """ "conv1a/W", "conv1.weight" and "blocks.block1.conv1a.weight" are all "conv1a.weight"."""
    parts = name.replace("/", ".").split(".")
    if len(parts) < 2:
        return name
    layer, kind = parts[-2], {"W": "weight", "b": "bias"}.get(parts[-1], parts[-1])
    return f"{ALIASES.get(layer, layer)}.{kind}"


def load_mean(path: str | Path) -> Tensor:
    """A mean volume as float32 (3, 16, H, W), BGR, on the scale 0 to 255.

    Read from .npy, or from .npz under the name "mean"; stored as (3, 16, H, W), with an axis of one in front, as
    (16, H, W, 3), or flat at 128x171.
    Raises FileNotFoundError, or ValueError for anything else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such mean volume")
    _check_size(path)
    try:
        found = np.load(path, allow_pickle=False)
        array = np.asarray(found["mean"] if path.suffix == ".npz" else found, np.float32).squeeze()
    except Exception as error:  # NumPy has many for a damaged file
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{path}: no mean volume in it ({reason}); fetch it again") from None
    if array.size == 3 * 16 * 128 * 171:
        array = array.reshape(3, 16, 128, 171)
    if array.ndim == 4 and array.shape[-1] == 3:
        array = array.transpose(3, 0, 1, 2)
    if array.ndim != 4 or array.shape[:2] != (3, 16) or not np.isfinite(array).all():
        raise ValueError(f"{path}: a mean volume is (3, 16, H, W), this is {array.shape}")
    return torch.from_numpy(np.ascontiguousarray(array))
