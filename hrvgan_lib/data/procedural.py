"""Stand-ins for data sets that are not there, in their real formats: actions, Golf, Aeroplane, strips (chapter 01).

Everything follows from a seed. Who moves, in front of what, and in which pose is drawn alike for every
class; the class decides only which joints move and how fast. One frame therefore says little about it.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import cos, pi, sin
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from .figures import (
    Body,
    Pose,
    backdrop,
    cloudy_sky,
    colour,
    draw_aeroplane,
    draw_person,
    golf_course,
    person,
)

VERSION = 1  # of the drawings: part of the recipe, so that a change of theirs makes new stand-ins
GROUPS = 25
FPS = 25
FOLD_GROUPS = {
    1: range(1, 8),
    2: range(8, 15),
    3: range(15, 22),
}  # the groups held out by each split of UCF101
WIDTH, HEIGHT = 320, 240


@dataclass(frozen=True)
class Motion:
    """What a class moves: a period in frames and, for each moving joint, its lag in cycles."""

    period: float
    joints: dict[str, float]


MOTIONS = {
    "BodyWeightSquats": Motion(32, {"crouch": 0.0}),
    "HandWaving": Motion(22, {"right_arm": 0.0}),
    "HighKick": Motion(28, {"kick": 0.0}),
    "JumpingJack": Motion(24, {"left_arm": 0.0, "right_arm": 0.0, "legs": 0.0}),
    "SideBend": Motion(34, {"tilt": 0.0}),
    "SideStep": Motion(32, {"shift": 0.0}),
    "TaiChi": Motion(52, {"left_arm": 0.0, "right_arm": 0.5, "shift": 0.25}),
    "TrampolineJumping": Motion(26, {"jump": 0.0}),
}
# Where a joint may be, from and to: a moving one swings through the first range, one at rest keeps a place
# in the second. Angles in radians, distances in frame heights.
SWING = {
    "left_arm": (0.2, 2.9), "right_arm": (0.2, 2.9), "legs": (0.04, 0.55), "crouch": (0.0, 0.2),
    "shift": (-0.17, 0.17), "tilt": (-0.65, 0.65), "kick": (-0.3, 1.5), "jump": (0.0, 0.16),
}
REST = {
    "left_arm": (0.2, 2.0), "right_arm": (0.2, 2.0), "legs": (0.08, 0.4), "crouch": (0.0, 0.08),
    "shift": (-0.08, 0.08), "tilt": (-0.2, 0.2), "kick": (-0.3, 0.3), "jump": (0.0, 0.03),
}


def _rng(*key: object) -> np.random.Generator:
    """A generator for one purpose: the same key gives the same stream on every machine."""
    digest = hashlib.sha256(repr((VERSION, *key)).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest[:16], np.uint32))


def _start_phases(rng: np.random.Generator) -> dict[str, float]:
    """A random pose as a phase (in cycles) of every joint, drawn without knowing the class."""
    phases = {joint: rng.uniform() for joint in SWING}
    side = rng.integers(2)  # arms mirror each other or oppose each other
    phases["right_arm"] = phases["left_arm"] + 0.5 * side + rng.normal(0, 0.04)
    phases["legs"] = phases["left_arm"] + rng.normal(0, 0.1)
    return phases


def _pose(phases: dict[str, float], motion: Motion, cycles: float) -> Pose:
    """The pose after `cycles` periods of the motion that started at `phases`."""
    lead = phases[next(iter(motion.joints))]
    joints = {}
    for joint in SWING:
        moves = joint in motion.joints
        low, high = (SWING if moves else REST)[joint]
        turn = lead + motion.joints[joint] + cycles if moves else phases[joint]
        joints[joint] = low + (high - low) * (0.5 + 0.5 * cos(2 * pi * turn))
    return Pose(**joints, turn=0.85)


def action_frames(seed: int, name: str, group: int, clip: int, frames: int) -> np.ndarray:
    """Draw one action video: uint8 (frames, 240, 320, 3), RGB."""
    look = _rng(seed, "actions", group)  # what a group shares: actor, place, light, camera
    dark = bool(group % 2)
    body, margin = person(look, dark), 12
    place = backdrop(look, WIDTH + 2 * margin, HEIGHT + 2 * margin, dark)
    drift, pace = look.uniform(2, 6, 2), look.uniform(90, 180, 2)
    rng = _rng(seed, "actions", group, name, clip)
    phases, motion = _start_phases(rng), MOTIONS[name]
    period = motion.period * rng.uniform(0.92, 1.08)
    stand, camera = rng.uniform(-8, 8), rng.uniform(0, 2 * pi, 2)
    video = np.empty((frames, HEIGHT, WIDTH, 3), np.uint8)
    for t in range(frames):
        dx, dy = (drift * np.sin(2 * pi * t / pace + camera)).round().astype(int).tolist()
        frame = place.crop((margin + dx, margin + dy, margin + dx + WIDTH, margin + dy + HEIGHT))
        draw_person(
            ImageDraw.Draw(frame),
            body,
            _pose(phases, motion, t / period),
            HEIGHT,
            (WIDTH / 2 + stand - dx, 0.93 * HEIGHT - dy),
        )
        video[t] = np.asarray(frame)
    return video


def _write_action(folder: Path, seed: int, frames: int, job: tuple[str, int, int]) -> None:
    from .video import write_video

    name, group, clip = job
    path = folder / "UCF-101" / name / f"v_{name}_g{group:02d}_c{clip:02d}.avi"
    _once(path, lambda part: write_video(part, action_frames(seed, name, group, clip, frames), FPS))


def write_actions(folder: Path, seed: int = 0, clips_per_group: int = 2, frames: int = 48) -> Path:
    """Write procedural actions in UCF101's official layout: 8 classes, 25 groups, 320x240 AVI at 25 fps.

    Groups 1-7 (8-14, 15-21) are the test side of split 1 (2, 3), as in UCF101. Returns `folder`.
    """
    jobs = [(n, g, c) for n in MOTIONS for g in range(1, GROUPS + 1) for c in range(1, clips_per_group + 1)]

    def lists(part: Path) -> Iterator[tuple[str, str]]:
        yield "classInd.txt", "".join(f"{i} {name}\r\n" for i, name in enumerate(MOTIONS, 1))
        for fold, held_out in FOLD_GROUPS.items():
            train, test = [], []
            for name, group, clip in jobs:
                path, label = f"{name}/v_{name}_g{group:02d}_c{clip:02d}.avi", list(MOTIONS).index(name) + 1
                test.append(f"{path}\r\n") if group in held_out else train.append(f"{path} {label}\r\n")
            yield f"trainlist{fold:02d}.txt", "".join(train)
            yield f"testlist{fold:02d}.txt", "".join(test)

    def finish(part: Path) -> None:
        (part / "ucfTrainTestlist").mkdir(exist_ok=True)
        for name, text in lists(part):
            (part / "ucfTrainTestlist" / name).write_bytes(text.encode())

    recipe = {"kind": "actions", "seed": seed, "clips_per_group": clips_per_group, "frames": frames}
    return _build(Path(folder), recipe, lambda part: partial(_write_action, part, seed, frames), jobs, finish)


def golf_frames(seed: int, video: int, clip: int, frames: int) -> np.ndarray:
    """Draw one Golf-like clip, uint8 (frames, 128, 128, 3): a still camera and one moving subject."""
    look = _rng(seed, "golf", video)
    size = 256  # drawn at twice the size, halved at the end: smooth edges
    place, body = golf_course(look, size), person(look, dark_backdrop=bool(video % 2))
    subject = ("swing", "walk", "ball", "swing", "cart")[video % 5]
    x, ground, tall = (
        look.uniform(0.35, 0.65) * size,
        look.uniform(0.86, 0.94) * size,
        look.uniform(0.55, 0.75) * size,
    )
    paint = colour(look.uniform(), look.uniform(0, 0.7), 0.95)
    rng = _rng(seed, "golf", video, clip)
    phase, way = rng.uniform(), rng.choice([-1, 1])
    speed = rng.uniform(1.8, 3.4) * way
    start = size / 2 - way * rng.uniform(0.1, 0.4) * size
    clip_frames = np.empty((frames, 128, 128, 3), np.uint8)
    for t in range(frames):
        frame = place.copy()
        draw = ImageDraw.Draw(frame)
        if subject == "swing":
            reach = 1.5 * sin(2 * pi * (phase + t / 36))  # both arms swing the club across the body
            pose = Pose(left_arm=-reach, right_arm=reach, legs=0.22, crouch=0.02, tilt=0.12 * reach)
            hands = draw_person(draw, body, pose, tall, (x, ground))
            grip = ((hands[0][0] + hands[1][0]) / 2, (hands[0][1] + hands[1][1]) / 2)
            club = reach * 1.5
            draw.line(
                (*grip, grip[0] + sin(club) * 0.42 * tall, grip[1] + cos(club) * 0.42 * tall),
                fill=(235, 235, 235),
                width=4,
            )
        elif subject == "walk":
            step = sin(2 * pi * (phase + t / 16))
            pose = Pose(
                left_arm=0.35 + 0.3 * step,
                right_arm=0.35 - 0.3 * step,
                legs=0.04 + 0.22 * abs(step),
                turn=0.7,
            )
            draw_person(draw, body, pose, tall, (start + speed * t, ground))
        elif subject == "cart":
            _draw_cart(draw, start + 1.3 * speed * t, ground, tall * 0.5, paint)
        else:
            cx, cy, r = start + speed * t, ground - 0.12 * size + 0.1 * speed * t, 0.06 * size
            draw.ellipse((cx - r, cy + 0.6 * r, cx + 1.3 * r, cy + 1.2 * r), fill=(35, 70, 30))
            draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=(248, 248, 244))
        clip_frames[t] = np.asarray(frame.reduce(2))
    return clip_frames


def _draw_cart(draw: ImageDraw.ImageDraw, x: float, ground: float, s: float, paint: tuple) -> None:
    draw.rectangle((x - s, ground - 0.75 * s, x + s, ground - 0.3 * s), fill=paint)
    draw.rectangle((x - 0.8 * s, ground - 1.6 * s, x + 0.8 * s, ground - 1.48 * s), fill=(245, 245, 240))
    for post in (-0.7, 0.7):
        draw.line(
            (x + post * s, ground - 1.5 * s, x + post * s, ground - 0.7 * s), fill=(60, 60, 60), width=4
        )
    for wheel in (-0.6, 0.6):
        draw.ellipse(
            (x + (wheel - 0.27) * s, ground - 0.54 * s, x + (wheel + 0.27) * s, ground), fill=(25, 25, 25)
        )


def aeroplane_frames(seed: int, video: int, clip: int, frames: int) -> np.ndarray:
    """Draw one Aeroplane-like clip, uint8 (frames, 128, 128, 3): the camera pans with it, the clouds go by."""
    look = _rng(seed, "aeroplane", video)
    size, wide = 256, 768
    sky = cloudy_sky(look, wide, size)
    sky_twice = Image.new("RGB", (2 * wide, size))  # the sky joins itself: a crop may run over the edge
    sky_twice.paste(sky, (0, 0))
    sky_twice.paste(sky, (wide, 0))
    hull = colour(look.uniform(), look.uniform(0, 0.15), look.choice([0.25, 0.97]))
    accent = colour(look.uniform(), look.uniform(0.6, 0.95), look.uniform(0.6, 0.9))
    length, way = look.uniform(0.6, 0.95) * size, look.choice([-1, 1])
    rng = _rng(seed, "aeroplane", video, clip)
    pan, offset, y = way * rng.uniform(3.0, 7.0), rng.uniform(0, wide), rng.uniform(0.38, 0.6) * size
    sway, climb, phase = rng.uniform(0.03, 0.12) * size, rng.uniform(-0.12, 0.12), rng.uniform(0, 2 * pi)
    clip_frames = np.empty((frames, 128, 128, 3), np.uint8)
    for t in range(frames):
        left = round(offset + pan * t) % wide
        frame = sky_twice.crop((left, 0, left + size, size))
        wave = sin(phase + 2 * pi * t / 48)
        draw_aeroplane(
            ImageDraw.Draw(frame),
            size / 2 + sway * wave,
            y + 0.5 * sway * cos(phase + t / 11),
            way * length,
            climb + 0.05 * wave,
            hull,
            accent,
        )
        clip_frames[t] = np.asarray(frame.reduce(2))
    return clip_frames


_STACKS: dict[str, Callable[[int, int, int, int], np.ndarray]] = {
    "golf": golf_frames,
    "aeroplane": aeroplane_frames,
}


def _stack_length(seed: int, kind: str, video: int, clip: int) -> int:
    """Most clips have 32 frames; the format allows 16 to 34 and loaders have to cope."""
    rng = _rng(seed, kind, video, clip, "length")
    return int(rng.choice([16, 23, 29, 33, 34])) if rng.uniform() < 0.15 else 32


def _stack_path(kind: str, job: tuple[int, int]) -> str:
    video, clip = job
    return f"frames-stable-many/videos/{kind}{video:04d}.mp4/{clip:04d}.jpg"


def _write_stack(folder: Path, seed: int, kind: str, job: tuple[int, int]) -> None:
    frames = _STACKS[kind](seed, *job, _stack_length(seed, kind, *job))
    stack = Image.fromarray(frames.reshape(-1, 128, 3))
    _once(folder / _stack_path(kind, job), lambda part: stack.save(part, "JPEG", quality=92))


def write_stacks(folder: Path, kind: str, seed: int = 0, videos: int = 12, clips_per_video: int = 8) -> Path:
    """Write Golf-like or Aeroplane-like clips: one JPEG a clip, 16 to 34 frames of 128x128 stacked vertically.

    The index (golf.txt, aeroplane.txt) names one clip a line; its parent folder is the source video.
    """
    if kind not in _STACKS:
        raise ValueError(f"no stand-in of kind {kind!r}: use one of {', '.join(_STACKS)}")
    jobs = [(video, clip) for video in range(videos) for clip in range(clips_per_video)]

    def finish(part: Path) -> None:
        index = "".join(f"{_stack_path(kind, job).partition('/')[2]}\n" for job in jobs)
        (part / f"{kind}.txt").write_text(index)

    recipe = {"kind": kind, "seed": seed, "videos": videos, "clips_per_video": clips_per_video}
    return _build(Path(folder), recipe, lambda part: partial(_write_stack, part, seed, kind), jobs, finish)


STRIP_CLASSES = {1: "HandWaving", 0: "BothHands", 3: "JumpingJack", 4: "Bend"}  # in the manifest's order
STRIP_PEOPLE = 9


def strip_frames(seed: int, label: int, who: int, mirrored: bool, frames: int) -> np.ndarray:
    """Draw one Weizmann-like clip, uint8 (frames, 64, 64, 3): a plain wall, one person, one repeated movement."""
    look = _rng(seed, "strips", who)
    place, body = (
        backdrop(look, 128, 128, dark=False),
        replace(person(look, dark_backdrop=False), height=0.95),
    )
    rng = _rng(seed, "strips", who, label)
    phase, period, x = rng.uniform(), rng.uniform(22, 30), rng.uniform(58, 70)
    clip = np.empty((frames, 64, 64, 3), np.uint8)
    for t in range(frames):
        swing = 0.5 - 0.5 * cos(2 * pi * (phase + t / period))
        arm, rest = 0.2 + 2.6 * swing, 0.15
        pose = {
            0: Pose(left_arm=1.4 + swing, right_arm=1.4 + swing),
            1: Pose(left_arm=rest, right_arm=1.4 + 1.2 * swing),
            3: Pose(left_arm=arm, right_arm=arm, legs=0.05 + 0.4 * swing),
            4: Pose(left_arm=rest, right_arm=rest + 0.8 * swing, tilt=1.5 * swing, turn=0.6),
        }[label]
        frame = place.copy()
        draw_person(ImageDraw.Draw(frame), body, pose, 128, (x, 118))
        clip[t] = np.asarray(frame.reduce(2))
    return clip[:, :, ::-1] if mirrored else clip


def _write_strip(folder: Path, seed: int, job: tuple[int, int, int, bool, int]) -> None:
    index, who, label, mirrored, frames = job
    clip = strip_frames(seed, label, who, mirrored, frames)
    strip = Image.fromarray(clip.transpose(1, 0, 2, 3).reshape(64, -1, 3).copy()).convert("RGBA")
    _once(folder / f"actions/{label}/{index:08d}.jpg", lambda part: strip.save(part, "PNG", compress_level=3))


def write_strips(folder: Path, seed: int = 0, frames: int = 48) -> Path:
    """Write Weizmann-like clips: horizontal strips of 64x64 frames (RGBA PNG named .jpg) and manifest.csv.

    9 people, classes 0, 1, 3 and 4, each clip and its mirror image; `frames` to `frames` + 16 frames.
    """
    lengths = {
        (w, c): frames + int(_rng(seed, "strips", w, c, "length").integers(17))
        for w in range(STRIP_PEOPLE)
        for c in STRIP_CLASSES
    }
    keys = [(w, c, m) for w in range(STRIP_PEOPLE) for c in STRIP_CLASSES for m in (False, True)]
    jobs = [(i, w, c, m, lengths[w, c]) for i, (w, c, m) in enumerate(keys)]

    def finish(part: Path) -> None:
        with open(part / "manifest.csv", "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow("path class person hflip_pair frames height width bytes sha256".split())
            for index, who, label, mirrored, count in jobs:
                path = f"actions/{label}/{index:08d}.jpg"
                data = (part / path).read_bytes()
                sha = hashlib.sha256(data).hexdigest()
                writer.writerow([path, label, who, int(mirrored), count, 64, 64, len(data), sha])

    recipe = {"kind": "strips", "seed": seed, "frames": frames}
    return _build(Path(folder), recipe, lambda part: partial(_write_strip, part, seed), jobs, finish)


def _once(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name and rename it, unless an earlier run already did."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"part-{os.getpid()}-{path.name}")
    write(part)
    os.replace(part, path)


def _build(
    folder: Path, recipe: dict, worker: Callable[[Path], Callable], jobs: list, finish: Callable[[Path], None]
) -> Path:
    """Write all jobs into a folder beside `folder`, then rename: `folder` is there as a whole or not at all."""
    recipe_text = json.dumps({"procedural": True, "version": VERSION, **recipe}, indent=1) + "\n"
    if folder.exists():
        if (folder / "recipe.json").is_file() and (folder / "recipe.json").read_text() == recipe_text:
            return folder
        raise FileExistsError(
            f"{folder} holds something else than these stand-ins: remove it or name another folder"
        )
    part = folder.with_name(f".{folder.name}.part")
    if (
        part.exists()
        and ((part / "recipe.json").read_text() if (part / "recipe.json").exists() else "") != recipe_text
    ):
        shutil.rmtree(part)
    part.mkdir(parents=True, exist_ok=True)
    (part / "recipe.json").write_text(recipe_text)
    _each(worker(part), jobs)
    finish(part)
    for leftover in part.rglob("part-*"):
        leftover.unlink()
    os.replace(part, folder)
    return folder


def _each(work: Callable, jobs: list) -> None:
    """Run the jobs on all cores; a process that already runs torch is not forked, since its threads would not come along."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores == 1 or len(jobs) < 16:
        for job in jobs:
            work(job)
        return
    context = get_context("fork" if sys.platform == "linux" and "torch" not in sys.modules else "spawn")
    with _hidden_main(), ProcessPoolExecutor(cores, mp_context=context) as pool:
        for _ in pool.map(work, jobs, chunksize=4):
            pass


@contextmanager
def _hidden_main() -> Iterator[None]:
    """Keep spawned workers from running the caller's script again: they need this module only."""
    main = sys.modules["__main__"]
    kept = {name: vars(main).pop(name) for name in ("__file__", "__spec__") if name in vars(main)}
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(kept)
