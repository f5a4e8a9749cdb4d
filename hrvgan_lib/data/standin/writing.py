"""Stand-ins for data sets that are not there, on disk in their real formats (chapter 01).

The folder's recipe.json says all that it was made from; every file in it follows from that and is written
on its own, by as many processes as there are cores.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from hrvgan_lib.data.formats.video import write_video
from hrvgan_lib.data.standin import scenes

VERSION = 4  # of the drawings: raise it when the same recipe would give other frames
FPS = 25
GROUPS = 25
HELD_OUT = {1: range(1, 8), 2: range(8, 15), 3: range(15, 22)}  # the groups that each split of UCF101 tests on
PEOPLE = 9
FEW = 16  # so few files are written faster than a second process starts


def write_actions(folder: Path, seed: int = 0, clips_per_group: int = 2, frames: int = 48) -> Path:
    """Write procedural actions in UCF101's official layout: 8 classes, 25 groups, 320x240 AVI at 25 fps.

    Groups 1-7 (8-14, 15-21) are the test side of split 1 (2, 3), as in UCF101. Returns `folder`, which is
    there as a whole or not at all. Raises FileExistsError where it holds something else.
    """
    recipe = {"kind": "actions", "seed": seed, "clips_per_group": clips_per_group, "frames": frames}
    return _write(Path(folder), recipe)


def write_stacks(folder: Path, kind: str, seed: int = 0, videos: int = 12, clips_per_video: int = 8) -> Path:
    """Write "golf"-like or "aeroplane"-like clips: a JPEG each, 16 to 34 frames of 128x128 stacked vertically.

    The index (golf.txt, aeroplane.txt) names one clip a line; its parent folder is the source video.
    Raises ValueError for another kind, FileExistsError where the folder holds something else.
    """
    if kind not in STACKS:
        raise ValueError(f"no stand-in of kind {kind!r}: use one of {', '.join(STACKS)}")
    recipe = {"kind": kind, "seed": seed, "videos": videos, "clips_per_video": clips_per_video}
    return _write(Path(folder), recipe)


def write_strips(folder: Path, seed: int = 0, frames: int = 48) -> Path:
    """Write Weizmann-like clips: horizontal strips of 64x64 frames (RGBA PNG named .jpg) and manifest.csv.

    9 people, classes 0, 1, 3 and 4, each clip and its mirror image; `frames` to `frames` + 16 frames long.
    Raises FileExistsError where the folder holds something else.
    """
    return _write(Path(folder), {"kind": "strips", "seed": seed, "frames": frames})


# --- one kind of stand-in: its jobs, the file of a job, the lists that name the files ---


def _action_jobs(recipe: dict) -> list[tuple]:
    clips = range(1, recipe["clips_per_group"] + 1)
    return [(name, group, clip) for name in scenes.MOTIONS for group in range(1, GROUPS + 1) for clip in clips]


def _action_file(name: str, group: int, clip: int) -> str:
    return f"{name}/v_{name}_g{group:02d}_c{clip:02d}.avi"


def _write_action(folder: Path, recipe: dict, job: tuple) -> None:
    name, group, clip = job

    def write(part: Path) -> None:
        write_video(part, scenes.action_frames(recipe["seed"], name, group, clip, recipe["frames"]), FPS)

    _once(folder / "UCF-101" / _action_file(name, group, clip), write)


def _write_action_lists(folder: Path, recipe: dict) -> None:
    lists = folder / "ucfTrainTestlist"
    lists.mkdir(exist_ok=True)
    labels = {name: label for label, name in enumerate(scenes.MOTIONS, 1)}
    text = {"classInd": [f"{label} {name}" for name, label in labels.items()]}
    for fold, held_out in HELD_OUT.items():
        jobs = _action_jobs(recipe)
        text[f"trainlist{fold:02d}"] = [f"{_action_file(*j)} {labels[j[0]]}" for j in jobs if j[1] not in held_out]
        text[f"testlist{fold:02d}"] = [_action_file(*j) for j in jobs if j[1] in held_out]
    for name, lines in text.items():  # CRLF, as the official lists have
        (lists / f"{name}.txt").write_bytes("".join(f"{line}\r\n" for line in lines).encode())


STACKS = {"golf": scenes.golf_frames, "aeroplane": scenes.aeroplane_frames}


def _stack_jobs(recipe: dict) -> list[tuple]:
    return [(video, clip) for video in range(recipe["videos"]) for clip in range(recipe["clips_per_video"])]


def _stack_file(recipe: dict, video: int, clip: int) -> str:
    return f"videos/{recipe['kind']}{video:04d}.mp4/{clip:04d}.jpg"


def _write_stack(folder: Path, recipe: dict, job: tuple) -> None:
    seed, kind, (video, clip) = recipe["seed"], recipe["kind"], job
    rng = scenes.rng_for(seed, kind, video, clip, "length")  # mostly 32 frames; the format allows 16 to 34
    frames = int(rng.choice([16, 23, 29, 33, 34])) if rng.uniform() < 0.15 else 32
    stack = Image.fromarray(STACKS[kind](seed, video, clip, frames).reshape(-1, 128, 3))
    path = folder / "frames-stable-many" / _stack_file(recipe, video, clip)
    _once(path, lambda part: stack.save(part, "JPEG", quality=92))


def _write_stack_index(folder: Path, recipe: dict) -> None:
    lines = [f"{_stack_file(recipe, *job)}\n" for job in _stack_jobs(recipe)]
    (folder / f"{recipe['kind']}.txt").write_text("".join(lines), encoding="utf-8")


def _strip_jobs(recipe: dict) -> list[tuple]:
    clips = [(p, c, m) for p in range(PEOPLE) for c in scenes.STRIP_CLASSES for m in (False, True)]
    return [(index, *clip) for index, clip in enumerate(clips)]


def _write_strip(folder: Path, recipe: dict, job: tuple) -> None:
    index, who, label, mirrored = job
    clip = scenes.strip_frames(recipe["seed"], label, who, mirrored, _strip_length(recipe, who, label))
    strip = Image.fromarray(clip.transpose(1, 0, 2, 3).reshape(64, -1, 3)).convert("RGBA")
    path = folder / f"actions/{label}/{index:08d}.jpg"
    _once(path, lambda part: strip.save(part, "PNG", compress_level=3))


def _strip_length(recipe: dict, who: int, label: int) -> int:
    return recipe["frames"] + int(scenes.rng_for(recipe["seed"], "strips", who, label, "length").integers(17))


def _write_manifest(folder: Path, recipe: dict) -> None:
    with open(folder / "manifest.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow("path class person hflip_pair frames height width bytes sha256".split())
        for index, who, label, mirrored in _strip_jobs(recipe):
            path = f"actions/{label}/{index:08d}.jpg"
            data = (folder / path).read_bytes()
            frames, digest = _strip_length(recipe, who, label), hashlib.sha256(data).hexdigest()
            writer.writerow([path, label, who, int(mirrored), frames, 64, 64, len(data), digest])


KINDS = {
    "actions": (_action_jobs, _write_action, _write_action_lists),
    "golf": (_stack_jobs, _write_stack, _write_stack_index),
    "aeroplane": (_stack_jobs, _write_stack, _write_stack_index),
    "strips": (_strip_jobs, _write_strip, _write_manifest),
}


# --- all kinds alike ---


def _write(folder: Path, recipe: dict) -> Path:
    """Write everything into a hidden folder beside `folder`, then rename it. An interrupted one is continued."""
    text = json.dumps({"procedural": True, "version": VERSION, **recipe}, indent=1) + "\n"
    if folder.exists():
        if _read(folder / "recipe.json") != text:
            raise FileExistsError(f"{folder} holds something other than this stand-in: remove it or use another folder")
        return folder
    part = folder.with_name(f".{folder.name}.part")
    if part.exists() and _read(part / "recipe.json") != text:
        shutil.rmtree(part)
    part.mkdir(parents=True, exist_ok=True)
    (part / "recipe.json").write_text(text, encoding="utf-8")
    _run(part, len(KINDS[recipe["kind"]][0](recipe)))
    KINDS[recipe["kind"]][2](part, recipe)
    for leftover in part.rglob("part-*"):
        leftover.unlink()
    os.replace(part, folder)
    return folder


def _run(folder: Path, jobs: int) -> None:
    """Share the jobs among processes, one a core.

    Fresh interpreters and not a process pool: this process may hold threads of torch, which a fork would lose,
    and a pool that spawns runs the caller's script again.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    others = 0 if jobs < FEW else min(cores, jobs // FEW + 1) - 1
    package_root = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join([package_root, *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "hrvgan_lib.data.standin.writing", str(folder)]
    helpers = [
        subprocess.Popen([*command, str(i), str(others + 1)], env={**os.environ, "PYTHONPATH": path},
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8")
        for i in range(1, others + 1)
    ]  # fmt: skip
    try:
        _do(folder, 0, others + 1)
        for helper in helpers:
            message = helper.communicate()[1].strip()
            if helper.returncode:
                reason = message.splitlines()[-1] if message else f"exit code {helper.returncode}"
                raise RuntimeError(f"drawing into {folder} failed ({reason}): run again to continue")
    finally:
        for helper in helpers:
            if helper.poll() is None:
                helper.kill()
                helper.communicate()


def _do(folder: Path, first: int, step: int) -> None:
    """Write every `step`-th file of the recipe in `folder`, from the one numbered `first`."""
    recipe = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    jobs, write, _ = KINDS[recipe["kind"]]
    for job in jobs(recipe)[first::step]:
        write(folder, recipe, job)


def _once(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name and rename it, unless an earlier run already did."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"part-{os.getpid()}-{path.name}")
    write(part)
    os.replace(part, path)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


if __name__ == "__main__":
    _do(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
