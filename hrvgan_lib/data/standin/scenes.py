"""The scenes of the procedural videos: who does what in front of what, frame by frame (chapter 01).

Everything follows from a seed. Who moves, in front of what, and in which pose is drawn alike for every
class; the class decides only which joints move and how fast. One frame therefore says little about it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw

from hrvgan_lib.data.standin.drawing import (
    Pose,
    backdrop,
    cloudy_sky,
    colour,
    draw_aeroplane,
    draw_person,
    golf_course,
    person,
)

WIDTH, HEIGHT = 320, 240  # of an action video


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
    "left_arm": (0.2, 2.9),
    "right_arm": (0.2, 2.9),
    "legs": (0.04, 0.55),
    "crouch": (0.0, 0.2),
    "shift": (-0.17, 0.17),
    "tilt": (-0.65, 0.65),
    "kick": (-0.3, 1.5),
    "jump": (0.0, 0.16),
}
REST = {
    "left_arm": (0.2, 2.0),
    "right_arm": (0.2, 2.0),
    "legs": (0.08, 0.4),
    "crouch": (0.0, 0.08),
    "shift": (-0.08, 0.08),
    "tilt": (-0.25, 0.25),
    "kick": (-0.3, 0.45),
    "jump": (0.0, 0.04),
}


def rng_for(*key: object) -> np.random.Generator:
    """A generator for one purpose: the same key gives the same stream on every machine."""
    digest = hashlib.sha256(repr(key).encode()).digest()
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


def action_frames(
    seed: int, name: str, group: int, clip: int, frames: int, every: int = 1
) -> np.ndarray:  # fmt: skip
    """Draw one action video, or `frames` frames of it that are `every` apart: uint8 (frames, 240, 320, 3), RGB."""
    look = rng_for(seed, "actions", group)  # what a group shares: actor, place, light, camera
    dark = bool(group % 2)
    body, margin = person(look, dark), 12
    place = backdrop(look, WIDTH + 2 * margin, HEIGHT + 2 * margin, dark)
    drift, pace = look.uniform(2, 6, 2), look.uniform(90, 180, 2)
    rng = rng_for(seed, "actions", group, name, clip)
    phases, motion = _start_phases(rng), MOTIONS[name]
    period = motion.period * rng.uniform(0.92, 1.08)
    stand, camera = rng.uniform(-8, 8), rng.uniform(0, 2 * pi, 2)
    video: np.ndarray = np.empty((frames, HEIGHT, WIDTH, 3), np.uint8)
    for index in range(frames):
        t = index * every
        dx, dy = (drift * np.sin(2 * pi * t / pace + camera)).round().astype(int).tolist()
        frame = place.crop((margin + dx, margin + dy, margin + dx + WIDTH, margin + dy + HEIGHT))
        draw_person(
            ImageDraw.Draw(frame),
            body,
            _pose(phases, motion, t / period),
            HEIGHT,
            (WIDTH / 2 + stand - dx, 0.93 * HEIGHT - dy),
        )
        video[index] = np.asarray(frame)
    return video


def golf_frames(seed: int, video: int, clip: int, frames: int) -> np.ndarray:
    """Draw one Golf-like clip, uint8 (frames, 128, 128, 3): a still camera and one moving subject."""
    look = rng_for(seed, "golf", video)
    size = 256  # drawn at twice the size, halved at the end: smooth edges
    place, body = golf_course(look, size), person(look, dark_backdrop=bool(video % 2))
    subject = ("swing", "walk", "ball", "swing", "cart")[video % 5]
    x, ground, tall = (
        look.uniform(0.35, 0.65) * size,
        look.uniform(0.86, 0.94) * size,
        look.uniform(0.55, 0.75) * size,
    )
    paint = colour(look.uniform(), look.uniform(0, 0.7), 0.95)
    rng = rng_for(seed, "golf", video, clip)
    phase, way = rng.uniform(), rng.choice([-1, 1])
    speed = rng.uniform(1.8, 3.4) * way
    start = size / 2 - way * rng.uniform(0.1, 0.4) * size
    clip_frames: np.ndarray = np.empty((frames, 128, 128, 3), np.uint8)
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
            pose = Pose(left_arm=0.35 + 0.3 * step, right_arm=0.35 - 0.3 * step, legs=0.04 + 0.22 * abs(step), turn=0.7)
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
        draw.line((x + post * s, ground - 1.5 * s, x + post * s, ground - 0.7 * s), fill=(60, 60, 60), width=4)
    for wheel in (-0.6, 0.6):
        draw.ellipse((x + (wheel - 0.27) * s, ground - 0.54 * s, x + (wheel + 0.27) * s, ground), fill=(25, 25, 25))


def aeroplane_frames(seed: int, video: int, clip: int, frames: int) -> np.ndarray:
    """Draw one Aeroplane-like clip, uint8 (frames, 128, 128, 3): the camera pans with it, the clouds go by."""
    look = rng_for(seed, "aeroplane", video)
    size, wide = 256, 768
    sky = cloudy_sky(look, wide, size)
    sky_twice = Image.new("RGB", (2 * wide, size))  # the sky joins itself: a crop may run over the edge
    sky_twice.paste(sky, (0, 0))
    sky_twice.paste(sky, (wide, 0))
    hull = colour(look.uniform(), look.uniform(0, 0.15), look.choice([0.25, 0.97]))
    accent = colour(look.uniform(), look.uniform(0.6, 0.95), look.uniform(0.6, 0.9))
    length, way = look.uniform(0.6, 0.95) * size, look.choice([-1, 1])
    rng = rng_for(seed, "aeroplane", video, clip)
    pan, offset, y = way * rng.uniform(3.0, 7.0), rng.uniform(0, wide), rng.uniform(0.38, 0.6) * size
    sway, climb, phase = rng.uniform(0.03, 0.12) * size, rng.uniform(-0.12, 0.12), rng.uniform(0, 2 * pi)
    clip_frames: np.ndarray = np.empty((frames, 128, 128, 3), np.uint8)
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


STRIP_CLASSES = (1, 0, 3, 4)  # Weizmann's numbers, in the manifest's order: both hands, one hand, jumping jack, bend


def strip_frames(seed: int, label: int, who: int, mirrored: bool, frames: int) -> np.ndarray:
    """Draw one Weizmann-like clip, uint8 (frames, 64, 64, 3): a plain wall, one person, one repeated movement."""
    look = rng_for(seed, "strips", who)
    place, body = (backdrop(look, 128, 128, dark=False), replace(person(look, dark_backdrop=False), height=0.95))
    rng = rng_for(seed, "strips", who, label)
    phase, period, x = rng.uniform(), rng.uniform(22, 30), rng.uniform(58, 70)
    clip: np.ndarray = np.empty((frames, 64, 64, 3), np.uint8)
    for t in range(frames):
        swing = 0.5 - 0.5 * cos(2 * pi * (phase + t / period))
        arm, rest = 0.2 + 2.6 * swing, 0.15
        pose = {
            0: Pose(left_arm=rest, right_arm=1.4 + 1.2 * swing),
            1: Pose(left_arm=1.4 + swing, right_arm=1.4 + swing),
            3: Pose(left_arm=arm, right_arm=arm, legs=0.05 + 0.4 * swing),
            4: Pose(left_arm=rest, right_arm=rest + 0.8 * swing, tilt=1.5 * swing, turn=0.6),
        }[label]
        frame = place.copy()
        draw_person(ImageDraw.Draw(frame), body, pose, 128, (x, 118))
        clip[t] = np.asarray(frame.reduce(2))
    return clip[:, :, ::-1] if mirrored else clip
