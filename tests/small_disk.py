"""What test_mishaps.py needs a process of its own for, a JSON object a line; all in one, which imports torch once.

`small_disk.py KIND FOLDER`, KIND what stands in the way: "disk" is a disk that is too small or cannot be written to
(it needs the right to mount, in a name space of its own), "file" a limit to the size of files, or a file where a folder
should be. `small_disk.py twice FOLDER`: the same work in two processes at once.
"""

import contextlib
import io
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torture
from blobs import CLASSES, MovingBlobs

from hrvgan_lib import metrics, predict
from hrvgan_lib import training as loop
from hrvgan_lib.book import open_page
from hrvgan_lib.checkpoints import load_checkpoint, save_generator
from hrvgan_lib.data import __main__ as data_command
from hrvgan_lib.data import open_dataset, store, write_video
from hrvgan_lib.files import sha256_file, write_atomic
from hrvgan_lib.metrics import __main__ as metrics_command
from hrvgan_lib.metrics import evaluation
from hrvgan_lib.metrics.eyes import judge as eyes
from hrvgan_lib.mishaps import command
from hrvgan_lib.networks import build_system
from hrvgan_lib.profiles import get_profile
from hrvgan_lib.series import bench, chapters, edition, reproduce, study


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


CHAPTER = """# %% tags=["parameters"]
profile = "smoke"
seed = 0
data_root = ""
actions = "ucf101"
run = ""
rehearse = False
allow_partial = False

# %%
import os
from pathlib import Path
from hrvgan_lib.files import write_atomic
from hrvgan_lib.mishaps import in_full
figures = Path(os.environ["HRVGAN_ROOT"], "figures", run)
write_atomic(figures / "small.csv", "1")
in_full(write_atomic)(figures / "large.csv", bytes(2**20))  # as a page does
"""


def chapter() -> int:
    """A chapter by the driver, in a book of one."""
    os.environ["HRVGAN_ROOT"] = os.getcwd()
    notebook = Path("notebooks/00_only.py")
    if not notebook.exists():
        write_atomic(notebook, CHAPTER)
    with contextlib.redirect_stdout(io.StringIO()):
        return reproduce.main(["--profile", "smoke", "--jobs", "1"])


def packed(folder: Path) -> dict[str, str]:
    """What the store holds; its name has the times of the files in it."""
    (store,) = (path for path in folder.glob("cache/packed/weizmann-*") if path.is_dir())
    assert not store.name.endswith(".partial")
    return {name: sha256_file(store / name) for name in ("clips.bin", "index.csv", "unreadable.csv")}


# Work, what came of it, and where it is to fail: the disk's kilobytes, and those that one file may have.
WORKS: dict[str, tuple[Callable[[], int | None], Callable[[Path], dict[str, str]], int, int]] = {
    "packing": (packing, packed, 1700, 400),
    "drawing": (packing, packed, 300, 8),
    "training": (training, torture.weights, 700, 200),
    "features": (features, torture.contents("kept/*.json", drop=torture.TIMES), 500, 200),
    "chapter": (chapter, torture.contents("figures/smoke/*.csv"), 500, 200),
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


def told(work: Callable[[], int | None], folder: Path) -> tuple[int, str]:
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


def locked_out(kind: str, folder: Path) -> Iterator[dict[str, object]]:
    """What the commands that write say where runs/, figures/ and data/ cannot be written to."""
    root, inputs = folder / "book", folder / "inputs"
    root.mkdir(parents=True)
    if kind == "disk":
        subprocess.run(["mount", "-t", "tmpfs", "none", str(root)], check=True)
    write_atomic(root / "notebooks/00_only.py", CHAPTER)
    write_atomic(root / "data/README.md", "earlier")
    torch.manual_seed(0)
    save_generator(inputs / "p.safetensors", build_system("prediction", frames=8, size=16, width=1 / 16), stride=4)
    for number in range(12):
        frames = np.random.default_rng(number).integers(0, 255, (34, 16, 16, 3), dtype=np.uint8)
        side = inputs / ("real" if number < 8 else "fake")
        side.mkdir(exist_ok=True)
        write_video(side / f"{number}.avi", frames)
    if kind == "disk":
        subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
    else:
        for name in ("runs", "cache", "figures/out", "figures/bench"):
            write_atomic(root / name, "earlier")
    (judge,) = (torture.ROOT / "figures/overnight/judges").iterdir()
    os.environ |= {"HRVGAN_ROOT": str(root), "HRVGAN_CACHE": str(root / "cache")}
    bench.rates_table = lambda: [{"what": 1}]
    out, sides = str(root / "figures/out"), ["--real", str(inputs / "real"), "--fake", str(inputs / "fake")]
    compare = [*sides, "--judge", str(judge)]
    video, weights = str(inputs / "real/0.avi"), str(inputs / "p.safetensors")
    before = torture.contents("**/*")(root)
    calls: dict[str, tuple[Callable[..., int], list[str]]] = {
        "reproduce": (reproduce.main, ["--profile", "smoke", "--jobs", "1"]),
        "edition": (edition.main, ["--profile", "smoke"]),
        "study": (study.main, ["--small", "--parts", "layers"]),
        "chapters": (chapters.main, ["00"]),
        "bench": (bench.main, ["bench_rates"]),
        "data": (data_command.main, ["pack", "weizmann", "--size", "16"]),
        "metrics --json": (metrics_command.main, [*compare, "--json", f"{out}/x.json"]),
        "metrics --cache": (metrics_command.main, [*compare, "--cache", f"{out}/kept"]),
        "predict": (predict.main, [video, "--weights", weights, "-o", f"{out}/x.mp4"]),
    }
    for name, (main, words) in calls.items():
        with contextlib.redirect_stdout(io.StringIO()):
            status, said = told(lambda main=main, words=words: main(words), folder)
        yield {name: {"status": status, "said": said, "same": torture.contents("**/*")(root) == before}}


def at_once(name: str, folder: Path) -> dict[str, object]:
    """The same work in two processes at the same time, in one folder, and what came of it."""
    work, made, *_ = WORKS[name]
    calm, shared = folder / "calm", folder / "shared"
    context = multiprocessing.get_context("fork")
    start, said = context.Barrier(2), context.SimpleQueue()

    def one() -> None:
        counted: list[int] = []
        train, evaluated, write = loop.train, evaluation._evaluated, store._write
        loop.train = lambda *given, **named: counted.append(1) or train(*given, **named)
        evaluation._evaluated = lambda *given, **named: counted.append(1) or evaluated(*given, **named)
        store._write = lambda *given, **named: counted.append(1) or write(*given, **named)
        start.wait()
        said.put((*told(work, shared), len(counted)))

    shared.mkdir(parents=True), calm.mkdir()
    both = [context.Process(target=one) for _ in range(2)]
    for process in both:
        process.start()
    unread = []
    while any(process.is_alive() for process in both):
        for path in (*shared.glob("figures/small/[!.]*.json"), *shared.glob("kept/[!.]*.json")):
            try:
                json.loads(path.read_text())
            except ValueError:
                unread.append(str(path))
        time.sleep(0.01)
    ended = [said.get() for _ in both]
    found = made(shared)
    return {"ended": [one[:2] for one in ended], "worked": sum(one[2] for one in ended), "made": found,
            "unread": unread, "status": told(work, calm), "expected": made(calm)}  # fmt: skip


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    kind, place = sys.argv[1:3]
    if kind == "twice":
        for name in ("training", "packing", "features", "tables"):
            print(json.dumps({name: at_once(name, Path(place, name))}), flush=True)
    else:
        for name in WORKS if len(sys.argv) < 4 else sys.argv[3:]:
            print(json.dumps({name: tried(name, kind, Path(place, name))}), flush=True)
        for said in locked_out(kind, Path(place, "locked")):
            print(json.dumps(said), flush=True)
