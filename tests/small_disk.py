"""Work on a disk that is too small, for test_mishaps.py: it fails, is given room, and goes on (a process of its own)."""

import contextlib
import io
import json
import os
import resource
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from blobs import CLASSES, MovingBlobs

import torture
from hrvgan_lib import metrics
from hrvgan_lib import training as loop
from hrvgan_lib.book import open_page
from hrvgan_lib.checkpoints import load_checkpoint
from hrvgan_lib.data import open_dataset
from hrvgan_lib.metrics.eyes import judge as eyes
from hrvgan_lib.files import sha256_file
from hrvgan_lib.mishaps import command
from hrvgan_lib.profiles import get_profile


def packing() -> None:
    open_dataset("weizmann", None, frames=4, size=16, standin_frames=12, cache="cache", progress=False)


def training() -> None:
    """Fifty steps, saved after every tenth."""
    loop.SAVE_EVERY = 10
    data = torture.Noise(8, 16)
    loop.trained(
        "vgan", data, get_profile("smoke"), steps=50, batch=4, folder="checkpoints", width=0.05, conditional=False
    )


def features() -> None:
    """What a judge that has learned nothing makes of random clips, kept chunk by chunk."""
    data, recipe = MovingBlobs(), metrics.Recipe(width=0.05, steps=1)
    torch.manual_seed(0)
    network = eyes.blank_network(data.n_classes, data.frames, data.size, recipe).eval().requires_grad_(False)
    exam = metrics.share(np.arange(4) < 1, metrics.drawn(4, "exam"))
    judge = metrics.Judge(network, "blank", CLASSES, 4, exam, "0")
    metrics.evaluate(metrics.noise_clips(data.frames, data.size), judge, data, n=192, folder="kept")


def tables() -> None:
    import matplotlib.pyplot as plt

    os.environ["HRVGAN_ROOT"] = os.getcwd()
    page = open_page("99_small", profile="smoke", run="small")
    for number in range(6):
        rows = [{"row": row, "value": (row * number) % 7} for row in range(200)]
        page.table(rows, name=f"table{number}", data=(), show=False)
    fig, axis = plt.subplots()
    axis.plot([row["value"] for row in rows])
    with contextlib.redirect_stdout(io.StringIO()):
        page.figure(fig, name="figure", data=(), caption="A line.", alt="a line that goes up and down")


def packed(folder: Path) -> dict[str, str]:
    """What the store holds; its name has the times of the files in it."""
    (store,) = (path for path in folder.glob("cache/packed/weizmann-*") if path.is_dir())
    assert not store.name.endswith(".partial")
    return {name: sha256_file(store / name) for name in ("clips.bin", "index.csv", "unreadable.csv")}


# Work, what came of it, and where it is to fail: the disk's kilobytes, and those that one file may have.
WORKS: dict[str, tuple[Callable[[], None], Callable[[Path], dict[str, str]], int, int]] = {
    "packing": (packing, packed, 1700, 400),
    "drawing": (packing, packed, 300, 8),
    "training": (training, torture.weights, 700, 200),
    "features": (features, torture.contents("kept/*.json", drop=torture.TIMES), 500, 200),
    "tables": (tables, torture.contents("figures/small/*", drop=torture.TIMES), 60, 10),
}


def size_of(folder: Path) -> int:
    """Kilobytes of the files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) // 1024


@contextlib.contextmanager
def short_of(kind: str, folder: Path, disk: int, file: int) -> Iterator[None]:
    """Inside, `folder` is a disk of so many kilobytes, or no file grows beyond so many."""
    if kind == "disk":
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={disk}k", "none", str(folder)], check=True)
        os.chdir(folder)
        yield
        subprocess.run(["mount", "-o", "remount,size=1g", str(folder)], check=True)
    else:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * file, before[1]))
        yield
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def told(work: Callable[[], None], folder: Path) -> tuple[int, str]:
    """The status that a command line with this work ends with, and what it says on stderr."""
    os.chdir(folder)
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        status = command(lambda: work() or 0)()
    return status, said.getvalue()


def tried(name: str, kind: str, folder: Path) -> dict[str, object]:
    """What test_mishaps.py asks after."""
    work, made, disk, file = WORKS[name]
    calm, small = folder / "calm", folder / "small"
    calm.mkdir(parents=True), small.mkdir()
    assert told(work, calm) == (0, "")
    expected = made(calm)
    with short_of(kind, small, disk, file):
        status, said = told(work, small)
    left = [str(path) for path in small.rglob(".tmp.*")]
    for path in small.rglob("*.json"):
        json.loads(path.read_text())
    states = [load_checkpoint(place) for place in small.glob("checkpoints/*")]
    before = [state["step"] for state in states if state]
    return {
        "expected": expected, "status": status, "said": said, "left": left, "steps": before,
        "files": sorted(str(path.relative_to(small)) for path in small.rglob("*") if path.is_file()),
        "again": told(work, small), "made": made(small), "size": size_of(calm),
    }  # fmt: skip


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    kind, place = sys.argv[1:3]
    for name in WORKS if len(sys.argv) < 4 else sys.argv[3:]:
        print(json.dumps({name: tried(name, kind, Path(place, name))}), flush=True)
