"""What procedural videos are drawn with: a jointed person, backdrops, a golf course, an aeroplane (chapter 01)."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from math import acos, atan2, cos, hypot, pi, sin

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]


def colour(hue: float, saturation: float, value: float) -> Colour:
    """One RGB colour, 0..255, from hue (a turn is 1), saturation and value in [0, 1]."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


@dataclass(frozen=True)
class Body:
    """Who moves: the proportions are multiples of the frame height, 1 being the average build."""

    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    height: float = 1.0
    girth: float = 1.0


@dataclass(frozen=True)
class Pose:
    """Where the joints are: angles in radians, distances in frame heights; an arm hangs down at 0."""

    left_arm: float = 0.3
    right_arm: float = 0.3
    legs: float = 0.15  # half the angle between the legs
    crouch: float = 0.0
    shift: float = 0.0
    tilt: float = 0.0
    turn: float = 1.0  # width of the body as the camera sees it: 1 is the front, towards 0 the side
    kick: float = 0.0  # how far the right leg is lifted to the side
    jump: float = 0.0


def person(rng: np.random.Generator, dark_backdrop: bool) -> Body:
    """A person in clothes that stand out: light ones on a dark backdrop, dark ones on a light one."""
    low, high = (0.85, 1.0) if dark_backdrop else (0.1, 0.3)
    hue = rng.uniform()
    tone = rng.uniform(0.55, 0.95) if dark_backdrop else rng.uniform(0.3, 0.6)
    return Body(
        skin=colour(rng.uniform(0.05, 0.09), rng.uniform(0.3, 0.55), tone),
        hair=colour(rng.uniform(0.03, 0.12), rng.uniform(0.2, 0.7), rng.uniform(0.1, 0.45)),
        shirt=colour(hue, rng.uniform(0.3, 0.9), rng.uniform(low, high)),
        trousers=colour(hue + rng.uniform(0.3, 0.7), rng.uniform(0.2, 0.7), rng.uniform(low, high)),
        height=rng.uniform(0.92, 1.04),
        girth=rng.uniform(0.85, 1.15),
    )


def _limb(draw: ImageDraw.ImageDraw, points: list, width: float, fill: Colour) -> None:
    """A thick line with round joints and ends."""
    draw.line(points, fill=fill, width=round(width))
    r = width / 2
    for x, y in points:
        draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)


def _knee(hip: tuple, foot: tuple, segment: float, outward: float) -> tuple:
    """The joint of a leg of two equal segments between hip and foot, bent to one side."""
    dx, dy = foot[0] - hip[0], foot[1] - hip[1]
    reach = min(hypot(dx, dy), 2 * segment - 1e-6)
    angle = atan2(dy, dx) - outward * acos(reach / (2 * segment))
    return hip[0] + segment * cos(angle), hip[1] + segment * sin(angle)


def draw_person(draw: ImageDraw.ImageDraw, body: Body, pose: Pose, unit: float, foot: tuple[float, float]) -> tuple:
    """Draw a person whose feet stand around `foot` = (x, y) pixels; `unit` is the frame height in pixels.

    Returns the pixel positions of the two hands (left and right as the camera sees them).
    """
    u = unit * body.height
    thick = 0.082 * u * body.girth
    wide = max(pose.turn, 0.2)
    x, ground = foot[0] + pose.shift * unit, foot[1]
    leg, trunk, arm = 0.37 * u, 0.23 * u, 0.30 * u
    shadow = (0.2 - 0.4 * pose.jump) * u
    draw.ellipse((x - shadow, ground - 0.02 * u, x + shadow, ground + 0.035 * u), fill=_shade(body.trousers, 0.35))
    ground -= pose.jump * unit
    hip_y = ground - leg * cos(pose.legs) + pose.crouch * u

    for side in (-1, 1):
        hip = (x + side * 0.045 * u * wide, hip_y)
        dx, dy = side * leg * sin(pose.legs) * wide, ground - hip_y
        lift = max(pose.kick, 0) if side > 0 else 0  # the kicking leg turns out and up
        sole = (hip[0] + dx * cos(lift) + dy * sin(lift), hip[1] + dy * cos(lift) - dx * sin(lift))
        _limb(draw, [hip, _knee(hip, sole, leg / 2, side), sole], thick * 1.05, body.trousers)

    up = (sin(pose.tilt) * trunk, -cos(pose.tilt) * trunk)
    across = (cos(pose.tilt) * wide, sin(pose.tilt) * wide)
    neck = (x + up[0], hip_y + up[1])
    half = 0.075 * u
    corners = [(neck[0] + s * half * across[0], neck[1] + s * half * across[1]) for s in (-1, 1)]
    _limb(
        draw,
        [corners[0], corners[1], (x + 0.04 * u * wide, hip_y), (x - 0.04 * u * wide, hip_y), corners[0]],
        thick,
        body.shirt,
    )
    draw.polygon([*corners, (x + 0.04 * u * wide, hip_y), (x - 0.04 * u * wide, hip_y)], fill=body.shirt)

    hands = []
    for side, raised, shoulder in ((-1, pose.left_arm, corners[0]), (1, pose.right_arm, corners[1])):
        points = [shoulder]
        for angle in (raised, raised + 0.25):  # upper arm, forearm
            dx, dy = side * sin(angle) * wide * arm / 2, cos(angle) * arm / 2
            bent = (dx * cos(pose.tilt) - dy * sin(pose.tilt), dx * sin(pose.tilt) + dy * cos(pose.tilt))
            points.append((points[-1][0] + bent[0], points[-1][1] + bent[1]))
        _limb(draw, points, thick * 0.85, body.shirt)
        hx, hy = points[-1]
        r = thick * 0.48
        draw.ellipse((hx - r, hy - r, hx + r, hy + r), fill=body.skin)
        hands.append((hx, hy))

    r = 0.078 * u
    cx, cy = neck[0] + up[0] * 0.52, neck[1] + up[1] * 0.52
    draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=body.hair)
    draw.ellipse((cx - 0.85 * r, cy - 0.55 * r, cx + 0.85 * r, cy + r), fill=body.skin)
    return tuple(hands)


def _shade(c: Colour, amount: float) -> Colour:
    red, green, blue = c
    return round(red * amount), round(green * amount), round(blue * amount)


def _gradient(top: Colour, bottom: Colour, width: int, height: int) -> np.ndarray:
    ramp = np.linspace(0, 1, height)[:, None, None]
    return np.broadcast_to(np.array(top) * (1 - ramp) + np.array(bottom) * ramp, (height, width, 3)).copy()


def backdrop(rng: np.random.Generator, width: int, height: int, dark: bool) -> Image.Image:
    """A wall with a soft texture and light from one side, and a floor below 82 % of the height."""
    hue, value = rng.uniform(), rng.uniform(0.2, 0.36) if dark else rng.uniform(0.75, 0.95)
    saturation = rng.uniform(0.25, 0.6) if dark else rng.uniform(0.08, 0.35)
    wall = _gradient(colour(hue, saturation, value), colour(hue + 0.08, saturation, value * 0.85), width, height)
    y, x = np.mgrid[:height, :width] / height
    kind, wave = rng.integers(4), rng.uniform(2.0, 4.5)
    texture = (
        np.zeros_like(x),
        np.sin(2 * pi * wave * x),
        np.sin(2 * pi * wave * (x + y)),
        np.sign(np.sin(2 * pi * wave * x) * np.sin(2 * pi * wave * y)),
    )[kind]
    wall *= 1 + 0.07 * texture[..., None]
    floor = round(0.82 * height)
    wall[floor:] = np.array(colour(hue + rng.uniform(0.1, 0.5), saturation * 0.8, value * 0.72))
    side = rng.uniform(-0.14, 0.14)  # lighting: one side of the scene is brighter
    wall *= 1 + side * (x[..., None] - 0.6)
    return Image.fromarray(wall.clip(0, 255).astype(np.uint8)).filter(ImageFilter.BoxBlur(1))


def golf_course(rng: np.random.Generator, size: int) -> Image.Image:
    """Sky, a line of trees, a mown fairway and a flag; `size` pixels square."""
    horizon = round(size * rng.uniform(0.28, 0.42))
    sky = _gradient(colour(0.58, rng.uniform(0.1, 0.5), 0.95), colour(0.57, 0.08, 1.0), size, size)
    y, x = np.mgrid[:size, :size]
    grass = np.array(colour(rng.uniform(0.24, 0.32), rng.uniform(0.5, 0.75), rng.uniform(0.45, 0.7)))
    depth = np.maximum(y - horizon, 0) / (size - horizon) + 0.15
    mown = np.sign(np.sin((x - size / 2) / size / depth * rng.uniform(5, 9) + rng.uniform(0, 6)))
    sky[horizon:] = (grass * (1 + 0.06 * mown[..., None]) * (0.8 + 0.25 * depth[..., None]))[horizon:]
    image = Image.fromarray(sky.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    tree = colour(rng.uniform(0.25, 0.36), 0.6, rng.uniform(0.18, 0.35))
    left: float
    for left in np.arange(-0.05, 1.05, 0.06) * size:
        r = size * rng.uniform(0.04, 0.11)
        draw.ellipse(
            (left - r, horizon - 1.3 * r, left + r, horizon + 0.3 * r), fill=_shade(tree, rng.uniform(0.8, 1.2))
        )
    flag, base = size * rng.uniform(0.08, 0.92), horizon + size * rng.uniform(0.06, 0.14)
    draw.line((flag, base, flag, base - 0.22 * size), fill=(240, 240, 235), width=max(1, size // 100))
    draw.polygon(
        [(flag, base - 0.22 * size), (flag + 0.09 * size, base - 0.19 * size), (flag, base - 0.16 * size)],
        fill=colour(rng.choice([0.0, 0.14, 0.6]), 0.85, 0.95),
    )
    return image.filter(ImageFilter.BoxBlur(size / 256))


def cloudy_sky(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """A sky with soft clouds that joins itself at its left and right edge, so that a camera can pan for ever."""
    hue = rng.choice([0.56, 0.58, 0.61, 0.07])
    top, bottom = colour(hue, rng.uniform(0.45, 0.8), rng.uniform(0.55, 0.9)), colour(hue, 0.25, 0.97)
    sky = Image.fromarray(_gradient(top, bottom, width, height).astype(np.uint8))
    clouds = Image.new("L", (3 * width, height))
    draw = ImageDraw.Draw(clouds)
    for _ in range(rng.integers(5, 10)):
        cx, cy, scale = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.06, 0.14) * height
        for dx, dy, r in rng.uniform((-2, -0.4, 0.7), (2, 0.4, 1.3), (7, 3)) * scale:
            for copy in range(3):
                x = cx + dx + copy * width
                draw.ellipse((x - r, cy + dy - r, x + r, cy + dy + r), fill=235)
    clouds = clouds.filter(ImageFilter.BoxBlur(0.02 * height)).crop((width, 0, 2 * width, height))
    sky.paste(Image.new("RGB", sky.size, (250, 250, 250)), mask=clouds)
    return sky


def draw_aeroplane(
    draw: ImageDraw.ImageDraw, x: float, y: float, length: float, pitch: float, hull: Colour, accent: Colour
) -> None:
    """An airliner seen from the side, its middle at (x, y) pixels; a negative `length` flies to the left."""

    def place(points: list) -> list:
        return [
            (x + length * (px * cos(pitch) - py * sin(pitch)), y + abs(length) * (px * sin(pitch) + py * cos(pitch)))
            for px, py in points
        ]

    tube = [(0.5 * cos(a), 0.055 * sin(a) * (1.2 - 0.4 * cos(a))) for a in np.linspace(0, 2 * pi, 40)]
    draw.polygon(place([(-0.36, -0.03), (-0.46, -0.02), (-0.52, -0.22), (-0.44, -0.22)]), fill=accent)  # fin
    draw.polygon(place([(0.06, 0.0), (-0.06, 0.0), (-0.2, -0.2), (-0.15, -0.2)]), fill=_shade(hull, 0.7))  # far wing
    draw.polygon(place(tube), fill=hull)
    draw.polygon(place([(-0.4, -0.01), (-0.46, -0.01), (-0.56, 0.06), (-0.51, 0.06)]), fill=_shade(hull, 0.6))
    draw.polygon(place([(0.1, 0.02), (-0.08, 0.02), (-0.24, 0.3), (-0.18, 0.3)]), fill=_shade(hull, 0.5))  # near wing
    draw.line(place([(-0.3, -0.012), (0.36, -0.012)]), fill=accent, width=max(1, round(abs(length) * 0.014)))
    draw.polygon(place([(0.42, -0.03), (0.47, -0.015), (0.43, -0.005)]), fill=(40, 50, 70))  # cockpit
