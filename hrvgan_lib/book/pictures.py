"""Clips as pictures: sharp grids, small movies, one colour for each system (all chapters)."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrvgan_lib.files import write_atomic

if TYPE_CHECKING:
    import numpy as np
    from IPython.display import HTML
    from matplotlib.figure import Figure

GAP = 2  # pixels between two pictures
EMBEDDED = 60_000  # bytes of a recorded picture, and of one beside it, inside a notebook, which stays under 1 MB

# Okabe and Ito's palette, which colour-blind readers tell apart. One colour is one system everywhere.
SYSTEM_COLOURS = {
    "hrvgan": "#0072B2",
    "vgan": "#E69F00",
    "tgan": "#009E73",
    "mocogan": "#CC79A7",
    "ivgan": "#F0E442",
    "real": "#000000",
    "frozen": "#56B4E9",
    "shuffled": "#882255",
    "untrained": "#D55E00",
    "noise": "#999999",
    "mean": "#DDCC77",
}

STYLE: dict[str, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": "figure",
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "font.size": 10,
    "image.interpolation": "nearest",
    "svg.hashsalt": "hrvgan",  # else every SVG has its own random ids
}


def to_frames(clips: Any) -> np.ndarray:
    """(N, 3, T, H, W) in [-1, 1], tensor or array -> uint8 array (N, T, H, W, 3)."""
    import numpy as np

    if hasattr(clips, "detach"):
        clips = clips.detach().float().cpu().numpy()
    array = np.asarray(clips, np.float32)
    if array.ndim == 4:
        array = array[None]
    if array.ndim != 5 or array.shape[1] != 3:
        raise ValueError(f"clips of shape {tuple(array.shape)}: expected (clips, 3, frames, height, width)")
    return np.round((array.clip(-1, 1) + 1) * 127.5).astype(np.uint8).transpose(0, 2, 3, 4, 1)


def sheet(pictures: np.ndarray, columns: int) -> np.ndarray:
    """Pictures uint8 (N, H, W, 3) side by side, `columns` in a row, on white with a gap of two pixels: (H', W', 3)."""
    import torch
    from torchvision.utils import make_grid

    if len(pictures) == 1:  # which make_grid would leave without a frame
        return pictures[0]
    grid = make_grid(torch.from_numpy(pictures).permute(0, 3, 1, 2), nrow=columns, padding=GAP, pad_value=255)
    return grid[:, GAP:-GAP, GAP:-GAP].permute(1, 2, 0).numpy()  # it frames the whole too


def clip_grid(
    clips: Any, rows: int | None = None, every: int = 1, labels: Sequence[str] | None = None, title: str = "",
    width: float = 9.0,
) -> Figure:  # fmt: skip
    """One clip a row, every `every`-th frame side by side; source pixels stay sharp squares.

    clips: (N, 3, T, H, W) in [-1, 1]. rows: at most so many clips. labels: one a row. width: about, in inches.
    Raises ValueError for another shape.
    """
    import matplotlib.pyplot as plt

    frames = to_frames(clips)[:rows, ::every]
    n, t, h = frames.shape[:3]
    strip = sheet(frames.reshape(-1, *frames.shape[2:]), columns=t)
    dpi = STYLE["figure.dpi"]
    scale = max(1, round(width * dpi / strip.shape[1]))  # whole screen pixels for each source pixel
    strip = strip.repeat(scale, 0).repeat(scale, 1)
    labels = [str(label) for label in (labels if labels is not None else [])][:n]
    left = round(18 + 7.5 * max(map(len, labels))) if labels else 0
    top = 24 if title else 0
    total_w, total_h = strip.shape[1] + left, strip.shape[0] + top
    fig = plt.figure(figsize=(total_w / dpi, total_h / dpi), dpi=dpi, layout="none")
    axes = fig.add_axes((left / total_w, 0, strip.shape[1] / total_w, strip.shape[0] / total_h))
    axes.imshow(strip, interpolation="nearest", aspect="auto")
    axes.set_axis_off()
    for i, label in enumerate(labels):
        centre = top + (i * (h + GAP) + h / 2) * scale
        fig.text((left - 6) / total_w, 1 - centre / total_h, label, ha="right", va="center", fontsize=9.5)
    if title:
        fig.text(left / total_w, 1 - 4 / total_h, title, ha="left", va="top", fontsize=10)
    return fig


def film_bytes(clips: Any, fps: int = 12, columns: int = 0) -> bytes:
    """Clips (N, 3, T, H, W) in [-1, 1] side by side, `columns` in a row (0: all), as one animated WebP."""
    from PIL import Image

    frames = to_frames(clips)
    scale = max(1, 128 // frames.shape[2])  # the format halves the resolution of colour: give each source pixel several
    columns = columns or len(frames)
    moments = [sheet(moment, columns).repeat(scale, 0).repeat(scale, 1) for moment in frames.swapaxes(0, 1)]
    images = [Image.fromarray(moment) for moment in moments]
    buffer = io.BytesIO()
    images[0].save(
        buffer, "WEBP", save_all=True, append_images=images[1:], duration=round(1000 / fps), loop=0,
        quality=85, method=4,
    )  # fmt: skip
    return buffer.getvalue()


def animation(figures: Iterable[Figure], fps: int = 8) -> bytes:
    """Figures one after the other as one animated WebP, without loss: dots and lines on white stay sharp and small.

    figures: of one size; a generator may yield the same figure again, changed. It is laid out the first time only, so
    that nothing jumps. Raises ValueError where there is none.
    """
    import matplotlib.pyplot as plt
    from PIL import Image

    images: list[Image.Image] = []
    for figure in figures:
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        figure.set_layout_engine("none")
        plt.close(figure)  # else the inline backend shows it a second time
        images.append(Image.open(buffer).convert("RGB"))
    if not images:
        raise ValueError("animation: no figure to show; give at least one")
    buffer = io.BytesIO()
    images[0].save(
        buffer, "WEBP", save_all=True, append_images=images[1:], duration=round(1000 / fps), loop=0,
        lossless=True, method=4,
    )  # fmt: skip
    return buffer.getvalue()


def movie(
    clips: Any, path: Path | None = None, fps: int = 12, alt: str = "moving clips", width: int = 0, columns: int = 0
) -> HTML:  # fmt: skip
    """Clips side by side as one animated WebP (32 frames: tens of kB), shown without smoothing.

    clips: (N, 3, T, H, W) in [-1, 1]. path: also write the file there. width: on screen, in pixels. columns: so many
    in a row, by default all of them.
    """
    from IPython.display import HTML

    film = film_bytes(clips, fps, columns)
    if path is not None:
        write_atomic(Path(path), film)
    return HTML(image_html(film, alt, "image-rendering: pixelated; " + (f"width: {width}px; " if width else "")))


def image_html(picture: bytes, alt: str, style: str = "") -> str:
    """A PNG or WebP as an <img> that holds it. style: CSS before the common part."""
    kind = "png" if picture.startswith(b"\x89PNG") else "webp"
    code, alt = base64.b64encode(picture).decode(), html.escape(alt, quote=True)
    style = f"{style}max-width: 100%"
    return f'<img alt="{alt}" style="{style}" src="data:image/{kind};base64,{code}">'


def figure_html(picture: bytes, alt: str, number: str, caption: str, facts: str, style: str = "") -> str:
    """A picture with number, caption and facts below it, and itself in words, folded. style: CSS of the picture.

    The words are there twice: JupyterLab, nbconvert and code hosts show `alt` to a screen reader only.
    """
    caption += "." * (caption != "" and caption[-1] not in ".!?:")
    words = [f"<b>{html.escape(number)}.</b>" if number else "", html.escape(caption), f"<i>{html.escape(facts)}</i>"]
    said = " ".join(word for word in words if word and word != "<i></i>")
    told = f"<details><summary>The picture in words</summary>{html.escape(alt)}</details>"
    told = told if alt and number and alt != caption else ""
    image = image_html(picture, alt or caption, style)
    return f'<figure style="margin: 0 0 1em 0">{image}<figcaption>{said}{told}</figcaption></figure>'


def width_of(path: Path) -> int:
    """How wide a picture or film is, in pixels."""
    from PIL import Image

    with Image.open(path) as picture:
        return picture.width


def small_webp(path: Path | io.BytesIO) -> bytes:
    """A picture or a moving clip as WebP in at most `EMBEDDED` bytes: smaller and coarser until it fits."""
    from PIL import Image, ImageSequence

    with Image.open(path) as source:
        frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(source)]
        duration = source.info.get("duration", 83)
    for scale, quality in ((1, 85), (1, 60), (1, 35), (0.75, 50), (0.5, 50), (0.35, 50), (0.25, 40)):
        size = [max(1, round(scale * side)) for side in frames[0].size]
        first, *others = [frame.resize(size) if scale < 1 else frame for frame in frames]
        buffer = io.BytesIO()
        moving = {"save_all": True, "append_images": others, "duration": duration, "loop": 0} if others else {}
        first.save(buffer, "WEBP", quality=quality, method=4, **moving)
        if buffer.tell() <= EMBEDDED:
            break
    return buffer.getvalue()


def small_png(png: bytes) -> bytes:
    """A PNG in 256 colours, less than half of its bytes: notebooks and recorded runs are kept in a repository."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(256).save(buffer, "PNG", optimize=True)
    return min(png, buffer.getvalue(), key=len)
