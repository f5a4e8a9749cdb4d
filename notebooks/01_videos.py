# %% [markdown]
# # 01 · From video files to clips: most mistakes raise no error
#
# | | |
# |---|---|
# | **You will build** | readers for three formats, a window function of two lines, and a measure of leaks between training and test |
# | **Reads** | the data sets of section 4.1 where you have them; where not, stand-ins are drawn, written in the same formats and read back |
# | **Writes** | the packed clips that every later chapter reads |
# | **Budget** | a few seconds on two cores, and half a minute more the first time, while the clips are drawn and packed |
#
# Swap two colour channels, cut a picture into frames along the wrong axis, draw the test clips from the training videos:
# each time the shapes are right, no error is raised, and a network can be trained on the result for days. This chapter
# makes these mistakes on purpose, at the start, and looks at what they do.
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
from hrvgan_lib.streams import stream


def show(pictures: dict[str, np.ndarray], height: float = 2.4) -> plt.Figure:
    """Pictures side by side, each under its title, source pixels sharp."""
    widths = [picture.shape[1] / picture.shape[0] for picture in pictures.values()]
    fig, axes = plt.subplots(1, len(pictures), figsize=(height * sum(widths) + 0.2 * len(widths), height + 0.4),
                             width_ratios=widths, squeeze=False)
    for axis, (title, picture) in zip(axes[0], pictures.items()):
        axis.imshow(picture)
        axis.set_title(title)
        axis.set_axis_off()
    fig.get_layout_engine().set(h_pad=0.12)  # inches between the titles and what is printed above
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
# and where the rest comes from.) Here is what this run has. *Groups* are clips that belong together, because they show
# the same scene or the same person:

# %% tags=["nbval-check-output"]
labelled = page.dataset("actions")
videos = labelled if page.actions == "ucf101" else page.dataset("ucf101", allow_partial=True)
people = labelled if page.actions == "weizmann" else page.dataset("weizmann", allow_partial=True)
golf, aeroplane = page.dataset("golf"), page.dataset("aeroplane")
page.table([{"data set": data.name, "here": data.kind, "training clips": len(data), "classes": data.n_classes or "none",
             "groups": len(set(data.groups)), "one file": data.paths[0]} for data in (videos, golf, aeroplane, people)])

# %% [markdown]
# One statement of section 4.1 can be checked on the disk at once: 13,320 videos of 101 actions. UCF101 comes with
# official lists that name every video. We count the names and the files that are there. (The lists of a stand-in are
# shorter, and their count says nothing about the paper's number.)

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
page.figure(fig, data=[videos],
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
# Some libraries, and the C3D network of [chapter 08](08_evaluation.ipynb), store colours in the order blue, green, red.
# Nothing in the array tells you which order it has: shape, range, brightness and the size of every difference between
# two frames are the same. You have to look.

# %%
swapped = video[..., ::-1]
print("same shape:", swapped.shape == video.shape, "| same mean:", swapped.mean() == video.mean(),
      "| same motion:", np.array_equal(np.diff(swapped, axis=0)[..., ::-1], np.diff(video, axis=0)))
page.figure(show({"RGB": video[len(video) // 2], "the same numbers as BGR": swapped[len(video) // 2]}), data=[videos],
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
# Weizmann comes as **strips: one picture a clip, its frames side by side from left to right**. (The files are called
# `.jpg` but hold PNG with an alpha channel: go by the bytes of a file, not by its name.)

# %%
picture = np.asarray(Image.open(people.root / people.paths[0]).convert("RGB"))
side = picture.shape[0]  # frames are square, so the height of the strip is the width of a frame
print("picture", picture.shape, "= one strip of", picture.shape[1] // side, "frames")
page.figure(show({"the first six frames of a strip": picture[:, : 6 * side]}, height=1.5), data=[people],
            caption="The left end of a strip as the file holds it: the first six frames of a clip. Time runs from "
                    "left to right, and each square is one frame.",
            alt="Six square frames in one row, without gaps: a person in front of a wall, whose posture changes from "
                "frame to frame.")

# %% [markdown]
# Now a row of pixels runs through *all* frames, and the `reshape` that was right for a stack is wrong for a strip: it
# takes the pixels in the order in which they are stored, row after row. A toy strip shows what happens. It has three
# frames of 2×2 pixels, and each pixel holds the letter of its frame.

# %% tags=["nbval-check-output"]
toy = np.array([list("AABBCC"), list("AABBCC")])
for name, cut in (("right", toy.reshape(2, -1, 2).swapaxes(0, 1)), ("wrong", toy.reshape(-1, 2, 2))):
    print(f"{name}:", "   ".join(" / ".join("".join(row) for row in frame) for frame in cut))

# %% [markdown]
# Both have three frames of two rows (the rows are separated by `/`). But the first "frame" of the wrong one is the top
# row of A above the top row of B. In a real strip such a "frame" is made of one row of pixels (or parts of two rows) of
# frame after frame, one below the other. A row hardly changes from frame to frame, so the picture becomes vertical bars.

# %%
strip = picture.reshape(side, -1, side, 3).swapaxes(0, 1)  # (row, frame, column) -> (frame, row, column)
wrong = picture.reshape(-1, side, side, 3)
print("shapes agree:", strip.shape == wrong.shape, "| pixels agree:", np.array_equal(strip, wrong))
half = len(strip) // 2
page.figure(show({"cut along the right axis": strip[half], "right shape, wrong picture": wrong[half]}, height=2.6),
            data=[people],
            caption="The middle frame of a strip: cut along the right axis, and by a reshape that gives the same "
                    "shape.",
            alt="Two pictures of the same size: a person in front of a wall, and vertical bars that show no person.")

# %% tags=["nbval-check-output"]
print("read_stack gives the same:", np.array_equal(read_stack(stack_path), stack))
print("read_strip gives the same:", np.array_equal(read_strip(people.root / people.paths[0]), strip))

# %% [markdown]
# The readers also check what a `reshape` by itself does not. Frames of a stack are square, so its width is the side of a
# frame. Where the height is not a multiple of the width, `read_stack` raises an error that says so, and asks you to
# fetch the file again.
#
# With a reader at hand we can check the other number of section 4.1, frames of 128×128. We decode the first eight stacks
# of each set and print the height or width that is farthest from 128.

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
page.figure(fig, data=[videos, golf, people],
            caption="Every eighth frame of one clip from an AVI file, a stack and a strip: one clip a row, time from "
                    "left to right.",
            alt="Three rows of four frames: a person doing an exercise, a golf scene, a person in front of a plain "
                "wall.")

# %% [markdown]
# ## Aliasing when a clip is made smaller
#
# > **What it does not say.** How sources of 240×320 and 128×128 become 256×256
# > ([**A21**](12_claims_and_decisions.ipynb#A21)). We resize the short side to the clip's size and keep the central
# > square. Where the clip is larger than its source, the pixels in between are interpolated: they add size and no detail.
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
                  "averaged": averaged[0]}, height=2.7), data=[videos],
            caption="The central square of a frame; the same by keeping single pixels; the same by averaging.",
            alt="One frame as a large square, and twice at low resolution: jagged from dropped pixels, smooth from "
                "averaged ones.")

# %% [markdown]
# In a *video* the difference is worse. Let the camera pan by one source pixel, much less than one pixel of the small
# picture. (Below, `np.roll` moves the picture to the right, as it moves when the camera pans to the left.) An averaged
# pixel changes a little. A kept pixel is now another source pixel, and if an edge lies between the two it jumps at once from
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
page.figure(fig, data=[videos],
            caption=f"One pixel of the small picture ({short / 32:.1f} source pixels wide) while the camera pans over "
                    "an edge: the kept pixel jumps in one step, the average slides.",
            alt="Two curves of a pixel's brightness over seventeen camera positions: single pixels kept, with sudden "
                "jumps between dark and bright, and averages, with slow slopes.")

# %%
moved = np.roll(video[:4], 1, axis=2)  # one source pixel
kept_change = np.abs(keep(moved).astype(int) - kept[:4])
averaged_change = np.abs(fit(moved, 32).astype(int) - averaged[:4])
sparkle, calm = kept_change.mean(), averaged_change.mean()
print(f"mean change in grey levels: kept {sparkle:.2f}, averaged {calm:.2f}, ratio {sparkle / calm:.2f}")
print(f"largest change: kept {kept_change.max()}, averaged {averaged_change.max()}")
page.expect("largest change, kept over averaged", kept_change.max() / averaged_change.max(), low=2,
            why="few pixels jump, but far")

# %% [markdown]
# Kept pixels change more than averaged ones even in the mean; the first line has the ratio. For the *largest* change the
# ratio is much higher (last line). Most pixels lie far from any edge and change little in either way, and they make up
# the mean. The few kept pixels at an edge jump, and these jumps are what the eye sees as flicker.
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
        for row in csv.DictReader(open(labelled.folder / "index.csv", encoding="utf-8"))]
page.table(rows[:3], page_columns=["source", "group", "split", "frames", "offset", "sha256"])

# %% [markdown]
# `offset` is the place of the clip's first frame in the packed file, and `frames` says how many frames the clip has.
# `sha256` is a fingerprint of the source file's *content*, so that a score in [chapter 10](10_tables.ipynb) can say
# exactly which clips it was computed from. `group` matters most, for the split into training and test at the end of
# this chapter.
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
# For the third window the clip is too short: its last frame, number 19, stands there three times. A generator
# ([G](00_start_here.ipynb#Glossary)) that is trained on many such clips learns to stand still at the end. This is why we
# count the short clips, and why a window should not be longer than most clips.
#
# > **What it does not say.** Neither stride nor start ([**T3**](12_claims_and_decisions.ipynb#T3)). At stride 1 the
# > paper's 32 frames take 32 / 25 = 1.28 seconds at UCF101's 25 frames a second. When we cut the networks down to 16 or 8
# > frames, we keep that *time span*: stride = 32 / frames.

# %%
fig, axis = plt.subplots(figsize=(9, 1.8))
for height, (frames, ink) in enumerate(((8, "#AA4499"), (16, "#44AA99"), (32, "#332288"))):
    axis.plot(window(np.arange(32), frames, 32 // frames), [height] * frames, "o", color=ink, markersize=5)
axis.set(yticks=range(3), yticklabels=["8, stride 4", "16, stride 2", "32, stride 1"], xlabel="source frame",
         ylim=(-0.6, 2.6))
page.figure(fig, data=(),
            caption="Source frames that clips of 32, 16 and 8 frames are made of. All three cover the same 32 source "
                    "frames: a dot stands for itself and for the frames that are skipped behind it.",
            alt="Three rows of dots over the frame numbers 0 to 31: 32 dots next to each other, 16 dots two apart, "
                "8 dots four apart. All begin at 0 and end near 31.")

# %% [markdown]
# What would a clip of eight frames show at stride 1? Below is one clip at both strides. The function `to_clip` also does
# the last step of every loader: from bytes 0…255 to numbers in [−1, 1], the range of the generator's tanh, and channels
# first.

# %%
def to_clip(frames: np.ndarray) -> torch.Tensor:
    """uint8 (T, H, W, 3) -> float (3, T, H, W) in [-1, 1]."""
    return torch.from_numpy(frames.copy()).permute(3, 0, 1, 2).float() / 127.5 - 1


one = next((i for i, label in enumerate(labelled.labels) if labelled.classes[label] == "JumpingJack"), 0)
frames = labelled.pixels(one)
page.figure(book.clip_grid(torch.stack([to_clip(window(frames, 8, stride)) for stride in (1, 4)]),
                           labels=["stride 1", "stride 4"]), data=[labelled],
            caption="Eight frames of one clip, in the upper row at stride 1 and in the lower row at stride 4. From the "
                    f"first frame to the last it takes {7 / 25:.2f} s above and {28 / 25:.2f} s below, at 25 frames a "
                    "second.",
            alt="Two rows of eight frames of the same clip: at stride one the figure moves a little, at stride four "
                "it goes through its movement.")

# %% tags=["nbval-check-output"]
ours = to_clip(window(frames, labelled.frames, labelled.stride))
theirs, label = labelled[one]
print("hrvgan_lib gives the same clip:", torch.allclose(ours, theirs, atol=1e-6),
      "| its label:", labelled.classes[label])

# %% [markdown]
# How does the difference of two frames of a clip grow with their distance in time? We take the mean over the first
# clips of each set.

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
axis.set(xlabel="distance in frames (1: neighbours)", ylabel="mean difference", ylim=(0, None))
axis.legend()
page.figure(fig, data=[labelled, golf, aeroplane],
            caption="Mean difference between two frames of the same clip, over their distance in frames, on a scale "
                    "where black and white differ by 2.",
            alt="Three curves of the mean difference between two frames of a clip, over their distance in frames. "
                "Each rises steeply at first and more slowly later; one with periodic movements may fall again.")

# %% tags=["nbval-check-output"]
page.expect("difference 4 frames apart over 1 apart", change(labelled, 4) / change(labelled, 1), low=1.5,
            why="neighbours look alike")
page.expect("difference 7 frames apart over 28 apart", change(labelled, 7) / change(labelled, 28), low=0.2, high=2)

# %% [markdown]
# The first number speaks against stride 1: neighbours differ much less than frames that are four apart, so eight of them
# show little of the movement. The second number is a warning about a measure. Someone who wants to know how much of the
# movement a clip shows might compare its first frame with its last. In a clip of eight frames these are 7 source frames
# apart at stride 1 and 28 at stride 4, so the ratio of the two differences should be far below one. But a movement that
# repeats brings the person back to where it began. Its first and last frames then look alike although much has happened
# between them, and the ratio can come out near one. So the difference of first and last frame is a poor measure of motion.
#
# ## A batch: five axes, a range and a seed
#
# A batch has five axes, in the order of Table 1's rows and of PyTorch ([**A23**](12_claims_and_decisions.ipynb#A23)):
# clip, channel, time, height, width. Which clips it holds and where their windows start is random, and drawn from a
# random-number generator (not the network G) that we hand in. Two random-number generators that start from the same seed
# draw the same batch.

# %% tags=["nbval-check-output"]
clips, labels, indices = labelled.draw(6, torch.Generator().manual_seed(page.seed))
again, _, _ = labelled.draw(6, torch.Generator().manual_seed(page.seed))
other, _, _ = labelled.draw(6, torch.Generator().manual_seed(page.seed + 1))
print("shape", tuple(clips.shape), clips.dtype, "| labels", labels.dtype)
print("same seed, same batch:", torch.equal(clips, again), "| another seed, same batch:", torch.equal(clips, other))
page.expect("smallest value", clips.min(), low=-1, high=0)
page.expect("largest value", clips.max(), low=0, high=1)

# %% [markdown]
# Training uses this to be *resumable*: interrupted after 1,000 steps, it goes on with the very batches that it would have
# seen. If one random-number generator ran through all steps, what it draws at step 1,001 would depend on all that was
# drawn before. So the loop of [chapter 06](06_training_loop.ipynb) makes a fresh one for each step, whose seed is
# computed from the run's seed and the number of the step. (The order of the clips is drawn anew for each *epoch*, a round
# through all clips, from the number of the epoch, which follows from that of the step.) To go on it needs to know the
# number of the step, and nothing of the draws before. We compare four steps in a row with a start in the middle:

# %% tags=["nbval-check-output"]
def batch_of(step: int) -> torch.Tensor:
    """The numbers of the six clips in the batch of a step: they depend on the seed and the step alone."""
    return labelled.draw(6, stream("batch", page.seed, step))[2]  # stream: a generator, seeded by all that it is given


without_a_break = [batch_of(step) for step in range(4)]
print("started at step 3, same batch:", torch.equal(batch_of(3), without_a_break[3]))
print("step 2 and step 3, same batch:", torch.equal(without_a_break[2], without_a_break[3]))

# %% [markdown]
# Here is the batch that we drew first.

# %%
page.figure(book.clip_grid(clips, every=max(1, labelled.frames // 8),
                           labels=[labelled.classes[label] for label in labels]), data=[labelled],
            caption="A batch as the discriminator sees it: one clip a row, time from left to right, with the name of "
                    "the clip's class.",
            alt="Six rows of frames, one clip a row, each with the name of its class.")

# %% [markdown]
# And the same clips in motion:

# %%
page.film(clips, fps=max(4, 25 // labelled.stride), columns=3, data=[labelled],
          caption="The six clips of the batch, moving.",
          alt="Six small films in two rows, one a clip of the batch: drawn people at their exercises.")

# %% [markdown]
# Compare the names with the movements. A list in which two classes are exchanged raises no error either, and no number
# so far would have shown it.
#
# (An aside on speed. The five axes say how a batch is indexed, not in which order its numbers lie in memory. Here the
# red, green and blue value of one pixel lie next to each other, as they do in the packed frames, then those of the next
# pixel. PyTorch calls this layout `channels_last_3d`. 3-D convolutions are faster with it; no result depends on it.)
#
# ## A leak between training and test
#
# Golf's clips are cut from long videos, a second at a time: neighbours show the same golfer on the same lawn. Shuffle all
# clips and hold out a fifth of them, and you have a test set that looks fair. What is wrong with it shows when we ask,
# for each held-out clip, how far away its **nearest training clip** is. This distance is the error of a *memoriser*: a
# generator that has stored its training clips and plays them back.

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
page.expect("random split: share whose nearest clip is of the same video", own_video.mean(), low=0.8)
page.expect("split by video: distance over the random split's", honest.median() / leaky.median(), low=1.5)

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
axes[0].set(xlabel="distance to nearest training clip", ylabel="how many clips", yticks=[])
axes[0].legend()
for axis, clip, title in zip(axes[1:], (example, close, int(twin[example])),
                             ("held out", "nearest of\nall others", "nearest of\nother videos")):
    axis.imshow((small[clip, :, 0].permute(1, 2, 0) + 1) / 2)
    axis.set_title(title)
    axis.set_axis_off()
page.figure(fig, data=[golf, golf_test],
            caption="A generator that has memorised its training clips, under two splits: how far each held-out clip "
                    f"is from the nearest training clip (left; medians {leaky.median():.2f} for the random split and "
                    f"{honest.median():.2f} for the split by video), and one example (right): a clip, the nearest of "
                    "all other clips, and the nearest clip of another video.",
            alt="Left: two histograms of distances to the nearest training clip, smaller for the random "
                "split, larger for the split by video. Right: a held-out frame, the nearest of all other clips, which "
                "shows the same scene, and the nearest clip of another video, which shows another.")

# %% [markdown]
# Under the random split the memoriser looks like a good generator. It has learned nothing, and the test set cannot tell.
# Any score of [chapter 08](08_evaluation.ipynb) that compares samples with held-out clips would come out too good in the
# same way. No other score would mend this. Another split does: a clip of a video that is held out as a whole cannot be
# played back.
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
# clips share a group, as in Golf and Aeroplane, a split that ignored the groups could have put clips of one group on both
# sides. Where each clip is a group of its own, as in the stand-in for UCF101 at `smoke`, no split could, and the 0 says
# nothing. (The real UCF101 has several clips in each group.)
#
# ## Check yourself
#
# 1. A colleague's clips have the right shape and range, and the people in them are blue. What happened, and which of the
#    checks of this chapter would have noticed?
# 2. *(Calculation)* How many bytes does one second of UCF101 (240×320, 25 frames) take decoded, and how many when it is packed at 32×32?
# 3. *(Figure)* One figure above shows three rows of dots. Which source frames are in all three clips?
# 4. Why is stride = 32 / frames a better rule for small networks than stride = 1?
# 5. A strip of 60 frames of 64×64 is 64 high and 3,840 wide. What does `read_stack` say about it, and why is that luck?
# 6. Weizmann holds each clip and its mirror image. What goes wrong if the two are split at random?
# 7. *(Figure)* Look at the two histograms of the distance to the nearest training clip. By which of the two splits would a
#    generator that memorises like to be scored, and why?
#
# <details><summary>Answers</summary>
#
# 1. BGR was read as RGB. None of the numeric checks would notice; only the picture shows it.
# 2. 25 · 240 · 320 · 3 = 5,760,000 bytes; 25 · 32 · 32 · 3 = 76,800 bytes, a 75th.
# 3. 0, 4, 8, 12, 16, 20, 24 and 28: those of the clip with eight frames.
# 4. It keeps the time span, so the movement that a class is named after still happens within the clip. At stride 1 eight
#    frames show only a quarter of that time.
# 5. It raises an error, since the height 64 is not a multiple of the width 3,840. It is luck because that check is meant
#    for damaged files; a `reshape` to frames of 64×64, as in this chapter, raises no error.
# 6. Of many test clips the mirror image is in training: same person, same moment. The nearest training clip is then a flipped
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
# Exercise 1
starts = [100 - 32 // frames * (frames - 1) for frames in (8, 16, 32)]
assert starts == [72, 70, 69]
print("places to start:", starts)

# %% tags=["solution", "nbval-check-output"]
# Exercise 2
long_side = wrong.shape[1]
restored = wrong.reshape(long_side, -1, long_side, 3).swapaxes(0, 1)
assert np.array_equal(restored, strip)
print("restored:", np.array_equal(restored, strip))

# %% tags=["solution", "nbval-check-output"]
# Exercise 3
def bounce(clip: np.ndarray, frames: int, stride: int, start: int = 0) -> np.ndarray:
    period = max(1, 2 * (len(clip) - 1))
    numbers = (start + stride * np.arange(frames)) % period
    return clip[np.minimum(numbers, period - numbers)]


there_and_back = bounce(np.arange(5), 8, 1)
assert list(there_and_back) == [0, 1, 2, 3, 4, 3, 2, 1]
print("frames:", there_and_back)

# %% tags=["solution", "nbval-check-output"]
# Exercise 4
moving = (small - small.mean(dim=2, keepdim=True)).flatten(1)
among_others = torch.cdist(moving, moving) + torch.diag(torch.full((len(moving),), float("inf")))
left_over = same_video[torch.arange(len(moving)), among_others.argmin(dim=1)].float().mean()
page.expect("nearest of the same video, without background", left_over, high=0.95 * float(own_video.mean()),
            why="less leak")

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
