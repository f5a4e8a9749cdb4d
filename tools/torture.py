"""Kill the book's work at random moments, give it spoilt files, and see that nothing is lost (`make torture`).

A scene does one kind of work in a process of its own: packing, training, features, chapters, tables. It is killed with
SIGKILL at random moments and started again until it is done; then what it made has to be, byte for byte, what an
undisturbed process makes. The fuzz gives spoilt copies of real files to every reader: each has to be refused in a line
that names the file, or to be read, in bounded time and memory.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the library is not installed

from hrvgan_lib.mishaps import command

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 600.0  # seconds that one process of a scene may take


@dataclass(frozen=True)
class Scene:
    """One kind of work: `command` does it in a folder, `made` tells what came of it, as {name: sha256}."""

    name: str
    command: Callable[[Path], Sequence[str]]
    made: Callable[[Path], dict[str, str]]
    prepare: Callable[[Path], None] = lambda folder: None


# --- what is done in a process of its own ----------------------------------------------------------------------------


def begin() -> None:
    """Say that the imports are done: a kill before that would meet nobody at work."""
    Path("begun").touch()


class Noise:
    """Random clips that stand where a ClipDataset would."""

    name, digest, split, frames, size, stride, classes, n_classes = "noise", "torture", "train", 8, 32, 4, ("a", "b"), 2
    kind, unit = "procedural", "clip"

    def __init__(self, frames: int = 8, size: int = 32) -> None:
        import torch

        self.frames, self.size = frames, size
        self.clips = torch.rand(24, 3, frames, size, size, generator=torch.Generator().manual_seed(5)) * 2 - 1
        self.labels = torch.arange(24) % 2

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def units(self) -> list[str]:
        return [str(number) for number in range(len(self))]

    def describe(self) -> str:
        return "24 clips of noise"

    def batch(self, indices, generator=None, device="cpu"):
        import torch

        indices = torch.as_tensor(indices, dtype=torch.long)
        jitter = torch.rand(len(indices), generator=generator).view(-1, 1, 1, 1, 1) * 0.01
        return (self.clips[indices] + jitter).to(device), self.labels[indices].to(device)


def packing() -> None:
    """Draw the stand-in of each format, decode it and pack it."""
    from hrvgan_lib.data import open_dataset

    begin()
    for name in ("ucf101", "golf", "weizmann"):
        open_dataset(
            name, None, frames=4, size=16, clips_per_group=1, standin_frames=12, stack_videos=6, clips_per_video=3,
            cache="cache", progress=False,
        )  # fmt: skip


def training(system: str) -> None:
    """A training of 60 steps, saved after every fifth of a second and every tenth step."""
    import torch

    from hrvgan_lib import training as loop
    from hrvgan_lib.profiles import get_profile

    torch.set_num_threads(1)
    data = Noise(8, 16)
    begin()
    loop.SAVE_EVERY, loop.SAVE_SECONDS = 10, 0.2
    loop.trained(
        system, data, get_profile("smoke"), steps=60, batch=4, folder="checkpoints", width=0.05, conditional=False
    )


def features() -> None:
    """What the recorded judge makes of random clips, kept chunk by chunk."""
    import torch

    from hrvgan_lib import metrics
    from hrvgan_lib.metrics.eyes.judge import load_judge

    torch.set_num_threads(1)
    (place,) = (ROOT / "figures/overnight/judges").iterdir()
    judge, data = load_judge(place, torch.device("cpu")), Noise()
    begin()
    for seed in range(3):
        metrics.evaluate(metrics.noise_clips(8, 32), judge, data, n=256, seeds=(seed,), folder="kept")


def tables() -> None:
    """A page's tables and figures, again and again."""
    import matplotlib.pyplot as plt

    from hrvgan_lib import book

    page = book.open_page("99_torture", profile="smoke", run="torture")
    begin()
    for number in range(40):
        rows = [{"row": row, "value": (row * number) % 7} for row in range(200)]
        page.table(rows, name=f"table{number}", data=(), show=False)
        if number % 8 == 0:
            fig, axis = plt.subplots()
            axis.plot([row["value"] for row in rows])
            page.figure(fig, name=f"figure{number}", data=(), caption="A line.", alt="a line that goes up and down")


# --- scenes ----------------------------------------------------------------------------------------------------------


def worker(*words: str) -> Callable[[Path], Sequence[str]]:
    return lambda folder: [sys.executable, str(Path(__file__)), "work", *words]


def series(jobs: int) -> Callable[[Path], Sequence[str]]:
    words = ["--profile", "smoke", "--chapters", "00,01,02", "--run", "torture", "--jobs", str(jobs)]
    return lambda folder: [sys.executable, "-m", "hrvgan_lib.series.reproduce", *words]


def copied(folder: Path) -> None:
    """A copy of the repository, which the work takes for its own."""
    from mutants import scratch

    scratch(folder)


def contents(*patterns: str, drop: Sequence[str] = ()) -> Callable[[Path], dict[str, str]]:
    """sha256 of the files below a folder that match; of JSON without the fields in `drop`, which hold the time."""

    def digest(path: Path) -> str:
        raw = path.read_bytes()
        if drop and path.suffix in (".json", ".jsonl"):
            lines = raw.decode().splitlines() if path.suffix == ".jsonl" else [raw.decode()]
            raw = json.dumps([without(json.loads(line)) for line in lines], sort_keys=True).encode()
        return hashlib.sha256(raw).hexdigest()

    def without(value: object) -> object:
        if isinstance(value, dict):
            return {name: without(one) for name, one in value.items() if name not in drop}
        return [without(one) for one in value] if isinstance(value, list) else value

    def made(folder: Path) -> dict[str, str]:
        found = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
        found -= {path for path in found if path.name.startswith(".tmp.")}  # of a write that was killed; swept up later
        return {str(path.relative_to(folder)): digest(path) for path in sorted(found)}

    return made


def packed(folder: Path) -> dict[str, str]:
    """Of every store what it holds; its name has the times of the files in it."""
    found = {}
    for store in sorted((folder / "cache/packed").glob("*-16-*")):
        if store.is_dir():
            for name in ("clips.bin", "index.csv", "unreadable.csv"):
                found[f"{store.name.rsplit('-', 1)[0]}/{name}"] = hashlib.sha256(
                    (store / name).read_bytes()
                ).hexdigest()
            assert not store.name.endswith(".partial"), f"{store} was left behind"
    assert len(found) == 9, f"{len(found)} files of packed stores"
    return found


def weights(folder: Path) -> dict[str, str]:
    """The last checkpoint's tensors, every loss, every snapshot."""
    import torch

    from hrvgan_lib.checkpoints import load_checkpoint

    (place,) = (folder / "checkpoints").iterdir()
    state = load_checkpoint(place)
    assert state is not None
    digest = hashlib.sha256()
    for name, tensor in [*sorted(state["system"].items()), *sorted(snapshots(place).items())]:
        digest.update(name.encode() + tensor.contiguous().view(-1).to(torch.float64).numpy().tobytes())
    return {"weights and snapshots": digest.hexdigest()} | contents("*.jsonl", drop=("seconds",))(place)


def snapshots(place: Path) -> dict:
    import torch

    return {path.name: torch.load(path, weights_only=True) for path in place.glob("snapshot-*.pt")}


# How long something took, which no two runs share; and the value beside an expectation, as in nbval.cfg: where it is
# rounding, the place of a number in memory decides how it is summed.
TIME = re.compile(r"[0-9.,]+ (?=(ms|s|seconds)\b)|(?<= = )\S+(?= \()")


def told(folder: Path) -> dict[str, str]:
    """What chapters printed, drew and measured, and the tables of the run; without times."""
    import nbformat

    found = contents("figures/torture/*.csv", "figures/torture/*.png", "figures/torture/*.md")(folder)
    for path in sorted((folder / "runs/torture").glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        found[path.stem] = hashlib.sha256(json.dumps([
            [TIME.sub("", out.get("text", "")),
             {kind: data for kind, data in out.get("data", {}).items() if kind != "image/png"}]
            for cell in cells for out in cell.get("outputs", [])
        ], sort_keys=True).encode()).hexdigest()  # fmt: skip
    return found


TIMES = ("seconds", "seconds_since_chapter_start", "peak_rss_mb", "peak_cuda_mb", "key")
SCENES = [
    Scene("packing", worker("packing"), packed),
    *(Scene(f"training {name}", worker("training", name), weights) for name in ("hrvgan", "tgan", "mocogan", "vgan")),
    Scene("features", worker("features"), contents("kept/*.json", drop=TIMES)),
    Scene("tables", worker("tables"), contents("figures/torture/*", drop=TIMES), copied),
    *(Scene(f"chapters, {jobs} at once", series(jobs), told, copied) for jobs in (1, 2)),
]  # fmt: skip


# --- killing ---------------------------------------------------------------------------------------------------------


def start(scene: Scene, folder: Path) -> subprocess.Popen:
    """The scene's work in its folder, in a session of its own so that all of it can be killed at once."""
    (folder / "begun").unlink(missing_ok=True)
    environment = os.environ | {
        "PYTHONPATH": str(folder if (folder / "hrvgan_lib").is_dir() else ROOT), "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "passive", "HRVGAN_HEADLESS": "1", "TQDM_DISABLE": "1", "PYTHONHASHSEED": "0",
    }  # fmt: skip
    with open(folder / "torture.log", "ab") as log:
        return subprocess.Popen(
            scene.command(folder), cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )


def at_work(process: subprocess.Popen, folder: Path) -> bool:
    """Wait until the process has imported what it needs; whether it is still there then."""
    ended = time.monotonic() + 60
    marks = (folder / "begun", folder / "runs/torture/status.json")
    while time.monotonic() < ended and process.poll() is None and not any(mark.exists() for mark in marks):
        time.sleep(0.01)
    return process.poll() is None


def kill(process: subprocess.Popen) -> None:
    """End a process and its children in the way that leaves them no time."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def finish(scene: Scene, folder: Path) -> float:
    """Let the scene's work come to its end; seconds behind its imports. Raises RuntimeError where it does not."""
    process = start(scene, folder)
    at_work(process, folder)
    begun = time.monotonic()
    try:
        code = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        kill(process)
        raise RuntimeError(f"{scene.name}: no end after {PATIENCE:g} s: {folder}/torture.log") from None
    if code:
        raise RuntimeError(f"{scene.name}: exit status {code}: {tail(folder / 'torture.log')}")
    return time.monotonic() - begun


def tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return " | ".join(lines[-3:])


def tortured(scene: Scene, kills: int, dice: random.Random, scratch: Path) -> int:
    """Kill the scene's work `kills` times, finish it, compare. Returns how many kills met somebody at work.

    Raises RuntimeError where the work does not end well, or what it made is not what it makes undisturbed.
    """
    calm, torn = (scratch / f"{scene.name.replace(' ', '-')}-{kind}" for kind in ("calm", "torn"))
    for folder in (calm, torn):
        folder.mkdir(parents=True)
        scene.prepare(folder)
    seconds = finish(scene, calm)
    expected, met, rounds = scene.made(calm), 0, 0
    if not expected:
        raise RuntimeError(f"{scene.name}: it made nothing")
    while met < kills:
        rounds += 1
        process = start(scene, torn)
        if at_work(process, torn):
            time.sleep(dice.uniform(0, 0.8) ** 2 * max(seconds, 0.5))  # early ones more often: the work is resumed
            met += process.poll() is None
        kill(process)
        if process.returncode == 0:  # it was done before: begin again
            if scene.made(torn) != expected:
                raise RuntimeError(
                    f"{scene.name}: another result after {met} kills: {differing(scene, torn, expected)}"
                )
            shutil.rmtree(torn)
            torn.mkdir()
            scene.prepare(torn)
        elif process.returncode not in (0, -signal.SIGKILL):
            raise RuntimeError(f"{scene.name}: exit status {process.returncode}: {tail(torn / 'torture.log')}")
        if rounds > 10 * kills + 10:
            raise RuntimeError(f"{scene.name}: it ends before it can be killed")
    time.sleep(2)  # a kernel notices within a second that whoever started it is gone
    finish(scene, torn)
    if scene.made(torn) != expected:
        raise RuntimeError(f"{scene.name}: another result after {met} kills: {differing(scene, torn, expected)}")
    for folder in (calm, torn):
        shutil.rmtree(folder)
    return met


def differing(scene: Scene, folder: Path, expected: dict[str, str]) -> str:
    found = scene.made(folder)
    names = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
    return f"{', '.join(names[:5])} ({folder})"


def campaign(kills: int, seed: int, only: str = "", scratch: Path | None = None) -> Iterator[str]:
    """Torture every scene, `kills` in all; one line for each. Raises RuntimeError at the first loss."""
    scenes = [scene for scene in SCENES if only in scene.name]
    slow = [scene for scene in scenes if scene.name.startswith("chapters")]
    shares = {scene.name: 1.0 if scene in slow else 1.6 for scene in scenes}
    done = 0
    with tempfile.TemporaryDirectory(prefix="torture-", dir=scratch) as folder:
        for number, scene in enumerate(scenes):
            left = sum(shares[one.name] for one in scenes[number:])
            many = max(1, round((kills - done) * shares[scene.name] / left))
            begun = time.monotonic()
            met = tortured(scene, many, random.Random(f"{seed} {scene.name}"), Path(folder))
            done += met
            yield f"{scene.name}: {met} kills, nothing lost ({time.monotonic() - begun:.0f} s)"
    yield f"{done} kills in all, nothing lost"


@command
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("tools/torture.py", description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", default="all", choices=("all", "kill", "fuzz", "work"))
    parser.add_argument("words", nargs="*", help="of work: which, and with what")
    parser.add_argument("--kills", type=int, default=110)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="only scenes or readers whose name holds this")
    asked = parser.parse_args(argv)
    if asked.what == "work":
        work = {"packing": packing, "training": training, "features": features, "tables": tables}
        name, *words = asked.words or [""]
        if name not in work:
            raise ValueError(f"unknown work {name!r}: choose one of {', '.join(work)}")
        work[name](*words)
        return 0
    sys.path.insert(0, str(ROOT))
    try:
        if asked.what in ("all", "kill"):
            for line in campaign(asked.kills, asked.seed, asked.only):
                print(line, flush=True)
        if asked.what in ("all", "fuzz"):
            from fuzz import fuzzed

            for line in fuzzed(asked.files, asked.seed, asked.only):
                print(line, flush=True)
    except RuntimeError as error:
        print(f"lost: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
