# %% [markdown]
# # 01 · From video files to clips: most mistakes raise no error
#
# | | |
# |---|---|
# | **You will build** | readers for three formats, the smallest window function, and a meter for leaks between training and test |
# | **Reads** | the data sets of section 4.1 where you have them; where not, stand-ins are drawn, written in the same formats and read back |
# | **Writes** | the packed clips that every later chapter reads |
# | **Budget** | a few seconds on two cores, and half a minute more the first time, while the clips are drawn and packed |
#
# Swap two colour channels, cut a strip along the wrong axis, draw the test clips from the training videos: each time the
# shapes are right, nothing is raised, and a network trains happily on it for days. This chapter makes these mistakes
# now, while they are cheap, and looks at them.
#
# **By the end you can**
#
# - decode an AVI file, a vertical stack and a horizontal strip by hand, and see when the result is wrong although its
#   shape is right;
# - say what 8, 16 and 32 frames of a clip have in common here, and what happens to a clip that is too short;
# - read a batch: its five axes, its range, where its randomness comes from;
# - measure a leak between training and test clips, and name the split that closes it.

# %% tags=["parameters"]
profile = "smoke"  # smoke, cpu, overnight, gpu or paper
seed = 0
data_root = ""  # folder with ucf101/ golf/ aeroplane/ weizmann/; empty: data/
actions = "ucf101"  # the labelled data set: ucf101 or weizmann
run = ""  # name of the results folder; empty: the profile's name
rehearse = False  # true shapes, two steps
allow_partial = False  # accept a data set that is there in part

# %%
import sys

sys.path.append("..")  # the library lies beside this folder; not found: open the notebook there, with make lab
from hrvgan_lib import book

page = book.open_page("01_videos", profile=profile, seed=seed, data_root=data_root, actions=actions, run=run,
                 rehearse=rehearse, allow_partial=allow_partial)

# %%
import csv
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image

from hrvgan_lib import paper
from hrvgan_lib.data import read_video, scan
from hrvgan_lib.data.formats.stacks import read_stack
from hrvgan_lib.data.formats.strips import read_strip
from hrvgan_lib.data.formats.video import open_video  # PyAV's av.open, for titles in any encoding
from hrvgan_lib.data.store import fit


def show(pictures: dict[str, np.ndarray], height: float = 2.4) -> plt.Figure:
    """Pictures side by side, each under its title, source pixels sharp."""
    widths = [picture.shape[1] / picture.shape[0] for picture in pictures.values()]
    fig, axes = plt.subplots(1, len(pictures), figsize=(height * sum(widths) + 0.2 * len(widths), height + 0.4),
                             width_ratios=widths, squeeze=False)
    for axis, (title, picture) in zip(axes[0], pictures.items()):
        axis.imshow(picture)
        axis.set_title(title)
        axis.set_axis_off()
    return fig


# %% [markdown]
# ## What the paper trains on
#
# > *Section 4.1.* "UCF101 Dataset: The purpose of this dataset was to train networks robust for action recognition
# > tasks. It contains 13320 videos of 101 different action categories …
# >
# > Golf and Aeroplane Datasets: It contains 128×128 resolution frames, which can be used for evaluating video generative
# > adversarial networks [30] and [15]."
#
# > **What it does not say.** How 240×320 and 128×128 become 256×256 ([**A21**](12_claims_and_decisions.ipynb#A21)); which
# > 32 of a video's frames make a clip ([**T3**](12_claims_and_decisions.ipynb#T3)); what is training and what is test
# > ([**T4**](12_claims_and_decisions.ipynb#T4)); whether clips are flipped
# > ([**T5**](12_claims_and_decisions.ipynb#T5); here they are not); in what range pixels lie
# > ([**T6**](12_claims_and_decisions.ipynb#T6)).
#
# Beside these three data sets the book knows Weizmann: nine people in 72 short clips, small enough for a laptop. A set
# that you do not have is replaced by a procedural [stand-in](00_start_here.ipynb#Glossary): clips drawn from a seed,
# **written to disk in the real format** and read by the code that reads the real ones. So everything below works with
# either; only what you see differs. (`python -m hrvgan_lib.data check ucf101` says what is on your disk, what is missing
# and where the rest comes from.) Here is what this run has:

# %% tags=["nbval-check-output"]
labelled = page.dataset("actions")
videos = labelled if page.actions == "ucf101" else page.dataset("ucf101", allow_partial=True)
people = labelled if page.actions == "weizmann" else page.dataset("weizmann", allow_partial=True)
golf, aeroplane = page.dataset("golf"), page.dataset("aeroplane")
page.table([{"data set": data.name, "here": data.kind, "training clips": len(data), "classes": data.n_classes or "none",
             "groups": len(set(data.groups)), "one file": data.paths[0]} for data in (videos, golf, aeroplane, people)])

# %% [markdown]
# One number of section 4.1 can be held against the disk at once: 13,320 videos of 101 actions. UCF101 comes with
# official lists that name every video. We count the names and the files that are there. (Lists of a stand-in are shorter,
# and then the count says nothing about the paper's.)

# %% tags=["nbval-check-output"]
listing = scan("ucf101", videos.root)
print(f"the paper: {paper.SETTINGS.ucf101_videos:,} videos")
print(f"the lists here ({videos.kind}) name {listing.expected:,} videos of {len(listing.classes)} classes, "
      f"and {len(listing.entries):,} files are there")

# %% [markdown]
# There are three formats for the four data sets: AVI files (UCF101), JPEG stacks with an index (Golf, Aeroplane), and
# strips with a manifest (Weizmann). We open one of each by hand.
#
# ## Decoding an AVI file: whole frames and changes
#
# A video file holds *packets*, one a frame. A decoder turns them into pictures. We ask for both.

# %% tags=["nbval-check-output"]
choice = next((i for i, source in enumerate(videos.paths) if "JumpingJack" in source), 0)
path = videos.root / videos.paths[choice]
with open_video(path) as container:
    packets = [(packet.size, packet.is_keyframe) for packet in container.demux(video=0) if packet.size]
with open_video(path) as container:
    video = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
print(path.name, video.dtype, video.shape, "= (time, height, width, RGB)")
print(f"on disk {path.stat().st_size / 1e6:.2f} MB, decoded {video.nbytes / 1e6:.1f} MB")

# %%
sizes, keyframe = np.array(packets).T
keyframe = keyframe.astype(bool)
fig, axis = plt.subplots(figsize=(9, 2.3))
for chosen, ink, label in ((keyframe, "#332288", "stored whole (key frame)"),
                           (~keyframe, "#88CCEE", "stored as changes")):
    axis.bar(np.flatnonzero(chosen), sizes[chosen] / 1000, color=ink, label=label)
axis.set(xlabel="packet", ylabel="kB", ylim=(0, 1.35 * sizes.max() / 1000))
axis.legend(ncols=2, loc="upper right")
page.figure(fig,
            caption=f"Bytes that each frame of the AVI file takes. {keyframe.sum()} of {len(sizes)} frames are stored "
                    "whole, the others as changes to their neighbours.",
            alt="Bars of packet sizes over time: a few dark bars for frames stored whole, light bars between them "
                "for frames stored as changes.")

# %% [markdown]
# A *key frame* (dark) is a complete picture. A light bar holds only what changed since another frame, so it cannot be
# decoded without that frame. If you jump into the middle of a file, a decoder may return a neighbour of the frame that
# you asked for, or apply changes to the wrong picture. UCF101's files also contain frames that refer to the *next* one.
# Two rules follow, and `read_video` keeps them: decode from the start and in order, and count frames by decoding them,
# because the number in a file's header need not be true.
#
# The header is still good for one thing. A file that was cut off in transfer decodes without complaint up to the cut,
# and the header's count is the only hint that something is missing.

# %% tags=["nbval-check-output"]
print("read_video gives the same:", np.array_equal(read_video(path), video))
with tempfile.TemporaryDirectory() as folder:
    for name, content in (("cut.avi", path.read_bytes()[: path.stat().st_size // 2]), ("empty.avi", b""),
                          ("page.avi", b"<html>404")):
        (Path(folder) / name).write_bytes(content)
        try:
            read_video(Path(folder) / name)
        except ValueError as error:
            print(str(error).removeprefix(folder)[1:])

# %% [markdown]
# ## Colour order: RGB and BGR
#
# Some libraries, and the C3D network of chapter 08, store colours in the order blue, green, red. Nothing in the array
# tells you which order it has: shape, range, brightness and the size of every difference between two frames are the
# same. You have to look.

# %%
swapped = video[..., ::-1]
print("same shape:", swapped.shape == video.shape, "| same mean:", swapped.mean() == video.mean(),
      "| same motion:", np.array_equal(np.diff(swapped, axis=0)[..., ::-1], np.diff(video, axis=0)))
page.figure(show({"RGB": video[len(video) // 2], "the same numbers as BGR": swapped[len(video) // 2]}),
            caption="One frame read as RGB, and the same numbers read as BGR: red and blue change places.",
            alt="The same video frame twice: with true colours, and with red and blue exchanged, which turns skin "
                "blue.")

# %% [markdown]
# ## Stacks and strips: cutting along the right axis
#
# Golf and Aeroplane keep each clip as **one JPEG with its frames stacked from top to bottom**. Every row of pixels
# belongs to one frame, so a single `reshape` cuts the stack into frames.

# %% tags=["nbval-check-output"]
stack_path = golf.root / golf.paths[len(golf) // 2]
picture = np.asarray(Image.open(stack_path).convert("RGB"))
side = picture.shape[1]
stack = picture.reshape(-1, side, side, 3)
print("picture", picture.shape, "-> clip", stack.shape)

# %% [markdown]
# Weizmann comes as **strips, with the frames from left to right**. (The files are called `.jpg` and hold PNG with an
# alpha channel: believe bytes, not names.) Now a row of pixels runs through *all* frames. The same `reshape` still
# returns an array of the shape that we want, but each of its "frames" is one row or two of the whole strip, chopped
# into pieces as wide as a frame that lie one below the other. The pieces show the same height of successive frames and
# look alike, and pieces that look alike, stacked, are vertical bars.

# %%
picture = np.asarray(Image.open(people.root / people.paths[0]).convert("RGB"))
side = picture.shape[0]
strip = picture.reshape(side, -1, side, 3).swapaxes(0, 1)  # (row, frame, column) -> (frame, row, column)
wrong = picture.reshape(-1, side, side, 3)
print("shapes agree:", strip.shape == wrong.shape, "| pixels agree:", np.array_equal(strip, wrong))
half = len(strip) // 2
page.figure(show({"cut along the right axis": strip[half], "right shape, wrong picture": wrong[half]}, height=2.6),
            caption="The middle frame of a strip: cut along the right axis, and by a reshape that gives the same "
                    "shape.",
            alt="Two pictures of the same size: a person in front of a wall, and vertical bars: one or two rows "
                "of the strip, chopped into pieces as wide as a frame that lie one below the other.")

# %% tags=["nbval-check-output"]
print("read_stack gives the same:", np.array_equal(read_stack(stack_path), stack))
print("read_strip gives the same:", np.array_equal(read_strip(people.root / people.paths[0]), strip))

# %% [markdown]
# The readers also check what a bare `reshape` does not. Frames of a stack are square, so its width is the side of a
# frame; where the height is not a multiple of the width, `read_stack` raises an error that says so, and asks to fetch
# the file again.
#
# With a reader at hand we can check the other number of section 4.1, frames of 128×128: of a few stacks of each set, the
# side that is farthest from it.

# %% tags=["nbval-check-output"]
farthest = {}
for stacked in (golf, aeroplane):
    sides = {side for source in stacked.paths[:8] for side in read_stack(stacked.root / source).shape[1:3]}
    farthest[stacked.name] = max(sides, key=lambda side: abs(side - paper.SETTINGS.stack_size))
    page.expect(f"side of a frame of {stacked.name} ({stacked.kind})", farthest[stacked.name],
                of=paper.SETTINGS.stack_size)

# %% [markdown]
# All three formats end in the same thing, an array (time, height, width, RGB) of bytes.

# %%
formats = {"AVI": video, "stack": stack, "strip": strip}
fig, axes = plt.subplots(3, 4, figsize=(8, 6.2))
for row, (name, clip) in zip(axes, formats.items()):
    for column, axis in enumerate(row):
        axis.imshow(clip[min(8 * column, len(clip) - 1)])
        axis.set_axis_off()
    row[0].set_title(f"{name}, {clip.shape[2]}×{clip.shape[1]}, {len(clip)} frames", loc="left")
page.figure(fig,
            caption="Every eighth frame of one clip from an AVI file, a stack and a strip.",
            alt="Three rows of four frames: a person doing an exercise, a golf scene, a person in front of a plain "
                "wall.")

# %% [markdown]
# ## Aliasing when a clip is made smaller
#
# > **What it does not say.** How sources of 240×320 and 128×128 become 256×256
# > ([**A21**](12_claims_and_decisions.ipynb#A21)). We resize the short side to the clip's size and keep the central
# > square. Anything above the source's own size is interpolation, and is marked as such.
#
# To make a picture several times smaller you can keep every n-th pixel in each direction, or average over all of them.
# Keeping is shorter to write and looks crisp on a single frame.

# %%
height, width = video.shape[1:3]
short = min(height, width)
top, left = (height - short) // 2, (width - short) // 2
grid = np.linspace(0, short - 1, 32).round().astype(int)


def keep(clip: np.ndarray) -> np.ndarray:
    """32×32 of the central square's pixels."""
    return clip[:, top : top + short, left : left + short][:, grid][:, :, grid]


kept, averaged = keep(video), fit(video, 32)
page.figure(show({"source": video[0, top : top + short, left : left + short], "single pixels kept": kept[0],
                  "averaged": averaged[0]}, height=2.7),
            caption="The central square of a frame; the same by keeping single pixels; the same by averaging.",
            alt="One frame as a large square, and twice at low resolution: jagged from dropped pixels, smooth from "
                "averaged ones.")

# %% [markdown]
# In a *video* the difference is worse. Let the camera pan by one source pixel, much less than one pixel of the small
# picture. (Below, `np.roll` moves the picture to the right, as it moves when the camera pans to the left.) An average
# changes a little. A kept pixel is now another source pixel, and if an edge lies between the two it jumps at once from
# one side of the edge to the other. In motion the edges flicker: this is *aliasing*, detail finer than the pixels that
# comes back as a false, coarser pattern. A discriminator ([D](00_start_here.ipynb#Glossary), the network that learns to
# tell real clips from generated ones) would learn the flicker as a mark of real clips.

# %%
panned = np.concatenate([np.roll(video[:1], pan, axis=2) for pan in range(17)])  # moves the picture right
two_ways = {"kept": keep(panned)[..., 1].astype(int), "averaged": fit(panned, 32)[..., 1].astype(int)}
steps = {name: np.abs(np.diff(pixels, axis=0)) for name, pixels in two_ways.items()}
_, y, x = np.unravel_index(steps["kept"].argmax(), steps["kept"].shape)  # the pixel with the largest jump
fig, axis = plt.subplots(figsize=(9, 2.6))
for (name, pixels), style, ink in zip(two_ways.items(), ("s--", "o-"), ("#CC6677", "#332288")):
    axis.plot(range(17), pixels[:, y, x], style, color=ink, label=name)
axis.set(xlabel="pan of the camera, source pixels", ylabel="grey level (green)", ylim=(-5, 260))
axis.legend(ncols=2)
page.figure(fig,
            caption=f"One pixel of the small picture ({short / 32:.1f} source pixels wide) while the camera pans over "
                    "an edge: the kept pixel jumps in one step, the average slides.",
            alt="Two curves of a pixel's brightness over seventeen camera positions: single pixels kept, with sudden "
                "jumps between dark and bright, and averages, with slow slopes.")

# %%
moved = np.roll(video[:4], 1, axis=2)  # one source pixel
kept_change = np.abs(keep(moved).astype(int) - kept[:4])
averaged_change = np.abs(fit(moved, 32).astype(int) - averaged[:4])
sparkle, calm = kept_change.mean(), averaged_change.mean()
print(f"mean change in grey levels: kept {sparkle:.2f}, averaged {calm:.2f}")
print(f"largest change: kept {kept_change.max()}, averaged {averaged_change.max()}")
page.expect("largest change, kept over averaged", kept_change.max() / averaged_change.max(), low=2,
            why="few pixels jump, but those jump far")

# %% [markdown]
# The means do not differ by much: most pixels lie far from any edge. What differs is the largest change, and this is
# what the eye sees.
#
# ## Packed clips: decode once, read often
#
# Training asks for each frame hundreds of times, and decoding is slow. So every data set is decoded once into one long
# file of bytes, with an index beside it. The file is *memory-mapped*: indexing it reads from disk what is asked for and
# nothing else, so a data set larger than memory is no special case.

# %%
begin = time.perf_counter()
decoded = fit(read_video(path), labelled.size)
middle = time.perf_counter()
packed = videos.pixels(choice).copy()
end = time.perf_counter()
print(f"{len(packed)} frames: decode and shrink {1000 * (middle - begin):.0f} ms, "
      f"read packed {1000 * (end - middle):.2f} ms")
print("same bytes:", np.array_equal(packed, decoded))
rows = [{**row, "source": Path(row["source"]).name, "sha256": row["sha256"][:12] + "…"}
        for row in csv.DictReader(open(labelled.folder / "index.csv"))]
page.table(rows[:3], page_columns=["source", "group", "split", "frames", "offset", "sha256"])

# %% [markdown]
# `offset` is the clip's first frame in the packed file, and `frames` says how many follow. `sha256` is a fingerprint of
# the source file's *content*, so that a score in chapter 10 can say exactly which clips it was computed from. `group` is
# the column that matters most; we come back to it at the end.
#
# ## Windows: frames, stride and start
#
# Table 1 of the paper ends in 32 frames, and videos are longer. A **window** takes `frames` of them, `stride` apart, from
# some `start`. Where the video ends too soon its last frame is repeated, as the data loader of VGAN does.

# %% tags=["nbval-check-output"]
def window(clip: np.ndarray, frames: int, stride: int, start: int = 0) -> np.ndarray:
    """(T, H, W, 3) -> (frames, H, W, 3); past the end, the last frame again."""
    numbers = np.minimum(start + stride * np.arange(frames), len(clip) - 1)
    return clip[numbers]


numbers = np.arange(20)  # a clip of 20 frames that shows its own frame numbers
for frames, stride in ((8, 1), (8, 2), (8, 4)):
    print(f"8 frames, stride {stride}:", window(numbers, frames, stride))
too_short = np.mean([row.frames < 32 for row in labelled.rows])
print(f"training clips of {labelled.name} here that are shorter than 32 frames: {too_short:.1%}")

# %% [markdown]
# In the third window the clip is too short: the last frames stand still. A generator
# ([G](00_start_here.ipynb#Glossary)) that is trained on many such clips learns to stop. This is why we count the short
# clips, and why a window should not be longer than most clips.
#
# > **What it does not say.** Neither stride nor start ([**T3**](12_claims_and_decisions.ipynb#T3)). At stride 1 the
# > paper's 32 frames span 1.28 seconds at UCF101's 25 frames a second. When we cut the networks down to 16 or 8 frames,
# > we keep that *time span*: stride = 32 / frames.
#
# (The 1.28 seconds count all 32 frames, 1/25 second each. The caption of the second figure below counts from the first
# frame shown to the last, which at stride 4 is 28 frames later.)

# %%
fig, axis = plt.subplots(figsize=(9, 1.8))
for height, (frames, ink) in enumerate(((8, "#AA4499"), (16, "#44AA99"), (32, "#332288"))):
    axis.plot(window(np.arange(32), frames, 32 // frames), [height] * frames, "o", color=ink, markersize=5)
axis.set(yticks=range(3), yticklabels=["8, stride 4", "16, stride 2", "32, stride 1"], xlabel="source frame",
         ylim=(-0.6, 2.6))
page.figure(fig,
            caption="Source frames that a clip of 32, 16 and 8 frames is made of: the same stretch of time.",
            alt="Three rows of dots over the frame numbers 0 to 31: 32 dots next to each other, 16 dots two apart, "
                "8 dots four apart, all spanning the same range.")

# %% [markdown]
# What would the same eight frames be at stride 1? Below is one clip both ways. The function `to_clip` also does the last
# step of every loader: from bytes 0…255 to numbers in [−1, 1], the range of the generator's tanh, and channels first.

# %%
def to_clip(frames: np.ndarray) -> torch.Tensor:
    """uint8 (T, H, W, 3) -> float (3, T, H, W) in [-1, 1]."""
    return torch.from_numpy(frames.copy()).permute(3, 0, 1, 2).float() / 127.5 - 1


one = next((i for i, label in enumerate(labelled.labels) if labelled.classes[label] == "JumpingJack"), 0)
frames = labelled.pixels(one)
page.figure(book.clip_grid(torch.stack([to_clip(window(frames, 8, stride)) for stride in (1, 4)]),
                           labels=["stride 1", "stride 4"]),
            caption=f"Eight frames of one clip at stride 1 (first to last {7 / 25:.2f} s at 25 frames a second) and at "
                    f"stride 4 ({28 / 25:.2f} s).",
            alt="Two rows of eight frames of the same clip: at stride one the figure moves a little, at stride four "
                "it goes through its movement.")

# %% tags=["nbval-check-output"]
ours = to_clip(window(frames, labelled.frames, labelled.stride))
theirs, label = labelled[one]
print("hrvgan_lib gives the same clip:", torch.allclose(ours, theirs, atol=1e-6),
      "| its label:", labelled.classes[label])

# %% [markdown]
# How much do frames differ that are some distance apart? The curves give the mean over the first clips of each set.

# %%
def change(data, gap: int, clips: int = 20) -> float:
    """Mean |difference| between frames `gap` apart, over the first clips of `data`."""
    chosen = [data.pixels(i)[:32].astype(np.float32) for i in range(min(clips, len(data)))]
    return float(np.mean([np.abs(c[gap:] - c[:-gap]).mean() for c in chosen if len(c) > gap])) / 127.5


gaps = range(1, 29, 3)
curves = {data.name: [change(data, gap) for gap in gaps] for data in (labelled, golf, aeroplane)}
fig, axis = plt.subplots(figsize=(9, 2.8))
for data, ink, style in ((labelled, "#332288", "o-"), (golf, "#44AA99", "s--"), (aeroplane, "#AA4499", "^:")):
    axis.plot(gaps, curves[data.name], style, color=ink, label=f"{data.name} ({data.kind})")
axis.set(xlabel="frames between", ylabel="mean difference", ylim=(0, None))
axis.legend()
page.figure(fig,
            caption="Mean difference between two frames of the same clip, over the number of frames between them, "
                    "on a scale where black to white is 2.",
            alt="Three curves of the mean difference between two frames of a clip, over the number of frames between "
                "them. Each rises steeply at first and more slowly later; one with periodic movements may fall again.")

# %% tags=["nbval-check-output"]
page.expect("difference four frames apart over one frame apart", change(labelled, 4) / change(labelled, 1), low=1.5,
            why="neighbours are nearly the same picture")
page.expect("difference 7 frames apart over 28 apart", change(labelled, 7) / change(labelled, 28), low=0.2, high=2)

# %% [markdown]
# The first number is the case against stride 1: eight neighbours are nearly one picture. The second is a warning. It
# compares two clips of eight frames by their first and last frames alone. At stride 1 these lie 7 frames apart, at
# stride 4 they lie 28 apart. One would expect a ratio far below one, since the second clip shows more of the movement.
# But a movement that repeats brings the figure back to where it was, and then its first and last frames may differ as
# little as those of the short clip, which makes the ratio come out near one. So the difference of first and last frame
# is a poor measure of motion.
#
# ## A batch: five axes, a range and a seed
#
# A batch has five axes, in the order of Table 1's rows and of PyTorch ([**A23**](12_claims_and_decisions.ipynb#A23)):
# clip, channel, time, height, width. Where windows start is random, and drawn from a random-number generator (not the
# network G) that we hand in. Two of them that start from the same seed give the same batch. So training that was
# interrupted can go on as if nothing had happened.

# %% tags=["nbval-check-output"]
clips, labels, indices = labelled.draw(6, torch.Generator().manual_seed(page.seed))
again, _, _ = labelled.draw(6, torch.Generator().manual_seed(page.seed))
other, _, _ = labelled.draw(6, torch.Generator().manual_seed(page.seed + 1))
print("shape", tuple(clips.shape), clips.dtype, "| labels", labels.dtype)
print("same seed, same batch:", torch.equal(clips, again), "| another seed, same batch:", torch.equal(clips, other))
page.expect("smallest value", clips.min(), low=-1, high=0)
page.expect("largest value", clips.max(), low=0, high=1)

# %%
page.figure(book.clip_grid(clips, every=max(1, labelled.frames // 8),
                           labels=[labelled.classes[label] for label in labels]),
            caption="A batch as the discriminator sees it: one clip a row, with the name of its class.",
            alt="Six rows of frames, one clip a row, each with the name of its class.")

# %% [markdown]
# And the same clips in motion:

# %%
page.film(clips, fps=max(4, 25 // labelled.stride), columns=3, caption="The six clips of the batch, moving.",
          alt="Six small films in two rows, one a clip of the batch: drawn people at their exercises.")

# %% [markdown]
# Read the names against the movements. A list with two classes exchanged raises no error either, and no number so far
# would have shown it.
#
# (An aside on speed. The five axes say how a batch is indexed, not in which order its numbers lie in memory. Here the
# red, green and blue value of one pixel lie next to each other, as they do in the packed frames, then those of the next
# pixel. PyTorch calls this layout `channels_last_3d`. 3-D convolutions are faster with it; no result depends on it.)
#
# ## A leak between training and test
#
# Golf's clips are cut from long videos, a second at a time: neighbours show the same golfer on the same lawn. Shuffle all
# clips and hold a fifth out, and you have a test set that looks honest. What is wrong with it shows when we ask, for each
# held-out clip, how far away its **nearest training clip** is. This is the error of the laziest generator there is, one
# that has memorised its training clips and plays them back.

# %% tags=["nbval-check-output"]
def thumbnails(data, most: int = 120) -> torch.Tensor:
    """(N, D): the first window of each clip, at most 8 frames of 32x32, as one vector."""
    t, s = max(1, data.frames // 8), max(1, data.size // 32)
    return torch.cat([data.batch([i])[0][:, :, ::t, ::s, ::s].flatten(1) for i in range(min(most, len(data)))])


golf_test = page.dataset("golf", "test")
parts = [(data, thumbnails(data)) for data in (golf, golf_test)]
vectors = torch.cat([found for _, found in parts])
source = [group for data, found in parts for group in data.groups[: len(found)]]
distances = torch.cdist(vectors, vectors) / vectors.shape[1] ** 0.5  # root mean square difference of a pixel
same_video = torch.tensor([[a == b for b in source] for a in source])
print("clips:", len(vectors), "| source videos:", len(set(source)))

# %% [markdown]
# There are two ways to hold clips out. In a **random split** most of a clip's own video is among the training clips. In a
# split **by video** all of it is held out. For every clip we find the nearest training clip under each; for the random
# split we average over twenty shuffles.

# %% tags=["nbval-check-output"]
def nearest(held_out: torch.Tensor, allowed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Distance and number of the nearest clip that `allowed` (N, N) grants each held-out clip."""
    return distances.masked_fill(~allowed, float("inf"))[held_out].min(dim=1)


shuffles = torch.Generator().manual_seed(page.seed)
leaky, own_video = [], []
for _ in range(20):
    held_out = torch.randperm(len(vectors), generator=shuffles)[: max(2, len(vectors) // 5)]
    training = torch.ones(len(vectors), dtype=torch.bool)
    training[held_out] = False
    error, which = nearest(held_out, training.expand(len(vectors), -1))
    leaky.append(error)
    own_video.append(same_video[held_out, which].float())
leaky, own_video = torch.cat(leaky), torch.cat(own_video)
honest, twin = nearest(torch.arange(len(vectors)), ~same_video)
page.expect("random split: nearest training clip is of the same video", own_video.mean(), low=0.8)
page.expect("split by video: error over that of the random split", honest.median() / leaky.median(), low=1.5,
            why="a clip from a video that it has never seen cannot be played back")

# %%
everyone = torch.arange(len(vectors))
others = ~torch.eye(len(vectors), dtype=torch.bool)
example = int((honest - nearest(everyone, others)[0]).argmax())
close = int(nearest(everyone, others)[1][example])
small = vectors.view(len(vectors), 3, -1, min(32, golf.size), min(32, golf.size))
fig, axes = plt.subplots(1, 4, figsize=(9, 2.8), width_ratios=[2.2, 1, 1, 1])
bins = np.linspace(0, max(honest.max(), leaky.max()).item() * 1.02, 25)
axes[0].hist(leaky, bins, density=True, color="#CC6677", alpha=0.8, label="random split")
axes[0].hist(honest, bins, density=True, color="#332288", histtype="step", linewidth=2, label="split by video")
axes[0].set(xlabel="distance to nearest training clip", ylabel="share of clips", yticks=[])
axes[0].legend()
for axis, clip, title in zip(axes[1:], (example, close, int(twin[example])),
                             ("held out", "nearest,\nrandom split", "nearest,\nsplit by video")):
    axis.imshow((small[clip, :, 0].permute(1, 2, 0) + 1) / 2)
    axis.set_title(title)
    axis.set_axis_off()
page.figure(fig,
            caption="A generator that has memorised its training clips, under two splits: how far each held-out clip "
                    f"is from the nearest training clip (left; medians {leaky.median():.2f} for the random split and "
                    f"{honest.median():.2f} for the split by video), and one example (right).",
            alt="Left: two histograms of distances to the nearest training clip, smaller for the random "
                "split, larger for the split by video. Right: a held-out frame, its nearest neighbour under the "
                "random split, which shows the same scene, and under the split by video, which shows another.")

# %% [markdown]
# Under the random split the memoriser looks like a good generator. It has learned nothing, and the test set cannot tell.
# Any score of chapter 08 that compares samples with held-out clips would be flattered in the same way. The remedy is not a
# better score but a better split.
#
# > **What it does not say.** The paper names no split ([**T4**](12_claims_and_decisions.ipynb#T4)). We split by
# > **group**, the unit that shares a scene: UCF101 by its official lists, which keep its groups of clips from one video
# > together; Golf and Aeroplane by source video, chosen by a hash of the video's name so that the choice never changes;
# > Weizmann by person, a clip and its mirror image on one side.

# %% tags=["nbval-check-output"]
rows = []
for data, name in ((labelled, "actions"), (golf, "golf"), (aeroplane, "aeroplane")):
    test = page.dataset(name, "test")
    rows.append({"data set": data.name, "training clips": len(data), "test clips": len(test),
                 "training groups": len(set(data.groups)), "test groups": len(set(test.groups)),
                 "groups on both sides": len(set(data.groups) & set(test.groups))})
page.table(rows)
page.expect("groups on both sides, all sets", sum(row["groups on both sides"] for row in rows), high=0)

# %% [markdown]
# How much does a 0 in the last column say? Compare the columns of training clips and training groups. Where several
# clips share a group, as in Golf and Aeroplane, a split that ignored the groups could have torn one apart. Where each
# clip is a group of its own, as in the stand-in for UCF101, no split could, and the 0 says nothing. (The real UCF101
# has several clips in each group.)
#
# ## Check yourself
#
# 1. A colleague's clips have the right shape and range, and the people in them are blue. What happened, and which of the
#    checks of this chapter would have noticed?
# 2. How many bytes does one second of UCF101 (240×320, 25 frames) take decoded, and how many when it is packed at 32×32?
# 3. One figure above shows three rows of dots. Which source frames does every one of the three clips contain?
# 4. Why is stride = 32 / frames a better rule for small networks than stride = 1?
# 5. A strip of 60 frames of 64×64 is 64 high and 3,840 wide. What does `read_stack` say about it, and why is that luck?
# 6. Weizmann holds each clip and its mirror image. What goes wrong if the two are split at random?
# 7. Look at the two histograms of the distance to the nearest training clip. By which of the two splits would a
#    generator that memorises like to be scored, and why?
#
# <details><summary>Answers</summary>
#
# 1. BGR was read as RGB. None of the numeric checks would notice; only the picture shows it.
# 2. 25 · 240 · 320 · 3 = 5,760,000 bytes; 25 · 32 · 32 · 3 = 76,800 bytes, a 75th.
# 3. 0, 4, 8, 12, 16, 20, 24 and 28: those of the clip with eight frames.
# 4. It keeps the time span, so the movement that a class is named after still happens within the clip. At stride 1 eight
#    frames are nearly one picture.
# 5. Height 64 is not a multiple of width 3,840: an error. It is luck because a `reshape` by itself would have gone
#    through: it only counts elements.
# 6. The test clip's mirror image is in training: same person, same moment. The nearest training clip is then a flipped
#    copy, and the test set no longer tells memory from learning.
# 7. The random split's: the distances are smaller, because other clips of the held-out clip's own video were there to be
#    memorised.
#
# </details>
#
# ## Exercises
#
# 1. *(warm-up)* In how many places can a window of 8, 16 or 32 frames start in a clip of 100 frames, with stride
#    32 / frames, without running over the end? *Expected:* 72, 70, 69.
# 2. *(easy)* Turn the `wrong` strip of this chapter back into the right one without opening the file again. *Expected:*
#    equal to `strip`: no pixel was lost, and two calls bring it back.
# 3. *(easy)* Write `bounce`, a window that runs backwards at the end instead of standing still. *Expected:* for a clip of
#    5 frames, 8 frames at stride 1 are 0 1 2 3 4 3 2 1.
# 4. *(hard)* How much of the leak is the background? Subtract from each clip its mean frame and find the nearest
#    neighbours again. *Expected:* the share of clips whose nearest neighbour is of their own video falls by at least a
#    twentieth: much of the leak was the lawn.

# %% tags=["solution", "nbval-check-output"]
starts = [100 - 32 // frames * (frames - 1) for frames in (8, 16, 32)]
assert starts == [72, 70, 69]
print("1.", starts)

# %% tags=["solution", "nbval-check-output"]
long_side = wrong.shape[1]
restored = wrong.reshape(long_side, -1, long_side, 3).swapaxes(0, 1)
assert np.array_equal(restored, strip)
print("2. restored:", np.array_equal(restored, strip))

# %% tags=["solution", "nbval-check-output"]
def bounce(clip: np.ndarray, frames: int, stride: int, start: int = 0) -> np.ndarray:
    period = max(1, 2 * (len(clip) - 1))
    numbers = (start + stride * np.arange(frames)) % period
    return clip[np.minimum(numbers, period - numbers)]


there_and_back = bounce(np.arange(5), 8, 1)
assert list(there_and_back) == [0, 1, 2, 3, 4, 3, 2, 1]
print("3.", there_and_back)

# %% tags=["solution", "nbval-check-output"]
moving = (small - small.mean(dim=2, keepdim=True)).flatten(1)
among_others = torch.cdist(moving, moving) + torch.diag(torch.full((len(moving),), float("inf")))
left_over = same_video[torch.arange(len(moving)), among_others.argmin(dim=1)].float().mean()
page.expect("4. nearest neighbour of the same video, without background", left_over,
            high=0.95 * float(own_video.mean()), why="much of the leak was the lawn")

# %% [markdown]
# ## For the ledger
#
# The folded cell below puts the numbers of this chapter where the ledgers of
# [chapter 12](12_claims_and_decisions.ipynb) find them. Where the data are a stand-in's, the ledger says so and gives
# no verdict on the paper's.

# %% tags=["ledger"]
complete, three = [] if listing.missing else [videos], [videos, golf, aeroplane]
page.measure("of the three data sets, how many are real here", sum(data.kind == "real" for data in three),
             claim="data-public", low=3, high=3, data=three)
for what, count in (("videos that the official lists name", listing.expected),
                    ("files that are there", len(listing.entries))):
    page.measure(what, count, claim="data-ucf101", data=complete, shown=f"{count:,} of {len(listing.classes)} classes")
for name, pixels in farthest.items():
    page.measure(f"side of a decoded frame of {name}, pixels", pixels, claim="data-stacks",
                 low=paper.SETTINGS.stack_size, high=paper.SETTINGS.stack_size, data=[golf, aeroplane])
page.measure("change of a shrunk frame when the camera pans by one pixel, single pixels kept over averages",
             sparkle / calm, decision="A21", data=[videos])
for of, clip in ((videos, video), (golf, stack)):
    page.measure(f"pixels of the central square of a frame of {of.name}, for each pixel of 256×256",
                 min(clip.shape[1:3]) ** 2 / paper.SETTINGS.size**2, decision="A21", data=[of])
page.measure("change between frames four apart, over that between neighbours",
             change(labelled, 4) / change(labelled, 1), decision="T3", data=[labelled])
page.measure("share of training clips shorter than 32 frames, which end standing still", too_short, decision="T3",
             data=[labelled])
page.measure("change from the first to the last of eight consecutive frames, over that of eight spread over 32",
             change(labelled, 7) / change(labelled, 28), decision="T9", data=[labelled])
page.measure("share of pixel values below the middle of [-1, 1], where a last ReLU cannot reach",
             (clips < 0).float().mean(), decision="T6", data=[labelled])
page.measure("share of held-out Golf clips whose nearest training clip is of their own video, clips split at random",
             own_video.mean(), decision="T4", data=[golf, golf_test])
page.measure("distance to the nearest training clip on Golf, split by video over split at random",
             honest.median() / leaky.median(), decision="T4", data=[golf, golf_test])
flipped = (vectors - small.flip(-1).flatten(1)).norm(dim=1) / vectors.shape[1] ** 0.5  # left and right exchanged
page.measure("difference of a Golf clip from its mirror image, over that from the nearest clip of another video",
             flipped.median() / honest.median(), decision="T5", data=[golf, golf_test])

# %% [markdown]
# ## What we now know
#
# - We decoded an AVI file, a stack and a strip by hand; the library's readers gave the same bytes. BGR and a wrong
#   `reshape` passed every check but the look at the picture.
# - Clips of 8, 16 and 32 frames spanned the same 32 source frames; a short clip repeated its last frame.
# - A batch was (clip, channel, time, height, width) in [−1, 1], and its randomness came from the random-number
#   generator that we passed in.
# - Under a random split the nearest training clip was nearly always from the held-out clip's own video. Splits by group
#   closed that leak.
#
# ## Where next
#
# [Chapter 02](02_norm_layers.ipynb) builds the layers that keep a network's numbers in range;
# [chapter 03](03_generator.ipynb) builds the generator that ends in clips such as these. Sources, sizes and licences of
# the real data sets are in `data/README.md`.

# %%
page.colophon()
