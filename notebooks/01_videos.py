# %% [markdown]
# # 01 · Most mistakes with videos raise no error
#
# | | |
# |---|---|
# | **You will build** | readers for three formats, the smallest window function, and a meter for leaks between training and test |
# | **Reads** | the data sets of section 4.1 where you have them; where not, stand-ins are drawn, written in the same formats and read back |
# | **Writes** | the packed clips that every later chapter reads |
# | **Budget** | a few seconds on two cores, and half a minute more the first time, while the clips are drawn and packed |
#
# Swap two colour channels, cut a strip along the wrong axis, draw the test clips from the training videos: each time the shapes are right, nothing is raised, and
# a network trains happily on it for days. This chapter makes these mistakes now, while they are cheap, and looks at them.
#
# **By the end you can**
#
# - decode an AVI file, a vertical stack and a horizontal strip by hand, and see when the result is wrong although its shape is right;
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
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image


def show(pictures: dict[str, np.ndarray], height: float = 2.4) -> plt.Figure:
    """Pictures side by side, each under its title, source pixels sharp."""
    widths = [picture.shape[1] / picture.shape[0] for picture in pictures.values()]
    fig, axes = plt.subplots(1, len(pictures), figsize=(height * sum(widths) + 0.2 * len(widths), height + 0.4),
                             width_ratios=widths, squeeze=False)
    for axis, (title, picture) in zip(axes[0], pictures.items()):
        axis.imshow(picture)
        axis.set_title(title, fontsize=9)
        axis.set_axis_off()
    return fig


# %% [markdown]
# ## What the paper trains on
#
# > *Section 4.1.* "UCF101 Dataset: The purpose of this dataset was to train networks robust for action recognition tasks. It contains 13320 videos of 101
# > different action categories …
# >
# > Golf and Aeroplane Datasets: It contains 128×128 resolution frames, which can be used for evaluating video generative adversarial networks [30] and [15]."
#
# **What it does not say.** How 240×320 and 128×128 become 256×256 ([**A21**](12_claims_and_decisions.ipynb#A21)); which 32 of a video's frames make a clip ([**T3**](12_claims_and_decisions.ipynb#T3)); what is training and what is test ([**T4**](12_claims_and_decisions.ipynb#T4));
# whether clips are flipped ([**T5**](12_claims_and_decisions.ipynb#T5), they are not here); in what range pixels lie ([**T6**](12_claims_and_decisions.ipynb#T6)). Each of these is decided below, and each decision is one argument of
# `open_dataset`.
#
# Beside these three the book knows Weizmann, nine people in 72 short clips: small enough for a laptop, real enough to be convincing. Here is what this run has. A set that is
# absent gets a *procedural stand-in*: drawn from a seed, **written to disk in the real format**, and read by the code that reads the real one. So nothing below depends on which of
# the two you have, except what you see. (`python -m hrvgan_lib.data check ucf101` says what is on your disk, what is missing and where the rest comes from.)

# %% tags=["nbval-check-output"]
labelled = page.dataset("actions")
videos = labelled if page.actions == "ucf101" else page.dataset("ucf101", allow_partial=True)
people = labelled if page.actions == "weizmann" else page.dataset("weizmann", allow_partial=True)
golf, aeroplane = page.dataset("golf"), page.dataset("aeroplane")
page.table([{"data set": data.name, "here": data.kind, "training clips": len(data), "classes": data.n_classes or "none",
             "groups": len(set(data.groups)), "one file": data.paths[0]} for data in (videos, golf, aeroplane, people)])

# %% [markdown]
# The section's first number can be held against the disk at once: 13,320 videos. UCF101's official lists name each of them. We count the names, and the files that are there. (`page.measure` prints nothing: it
# puts a number where the ledger of [chapter 12](12_claims_and_decisions.ipynb) finds it. Where the lists are a stand-in's, the ledger says so and gives no verdict.)

# %%
from hrvgan_lib.data import scan

listing = scan("ucf101", videos.root)
whole = [] if listing.missing else [videos]
three = [videos, golf, aeroplane]
page.measure("of the three data sets, how many are real here", sum(data.kind == "real" for data in three),
             claim="data-public", low=3, high=3, data=three)
for what, count in (("videos that the official lists name", listing.expected),
                    ("files that are there", len(listing.entries))):
    page.measure(what, count, claim="data-ucf101", data=whole, shown=f"{count:,} of {len(listing.classes)} classes")

# %% [markdown]
# Three formats for four data sets: AVI files (UCF101), JPEG stacks with an index (Golf, Aeroplane), strips with a manifest (Weizmann). We open one of each with our own hands.
#
# ## A video file is a recipe, not an array

# %% tags=["nbval-check-output"]
from hrvgan_lib.data.formats.video import open_video  # PyAV's av.open, for titles in any encoding

choice = next((i for i, source in enumerate(videos.paths) if "JumpingJack" in source), 0)
path = videos.root / videos.paths[choice]
with open_video(path) as container:
    packets = [(packet.size, packet.is_keyframe) for packet in container.demux(video=0) if packet.size]
with open_video(path) as container:
    video = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
print(path.name, video.dtype, video.shape, "= (time, height, width, RGB)")
print(f"on disk {path.stat().st_size / 1e6:.2f} MB, decoded {video.nbytes / 1e6:.1f} MB")

# %%
sizes, whole = np.array(packets).T
fig, axis = plt.subplots(figsize=(9, 2))
axis.bar(range(len(sizes)), sizes / 1000, color=np.where(whole, "#332288", "#88CCEE"))
axis.set(xlabel="packet", ylabel="kB")
page.figure(fig,
            caption="Bytes that each frame of the AVI file takes. Dark: stored whole. Light: stored as changes to "
                    "its neighbours.",
            alt="Bars of packet sizes over time: a few tall bars for frames stored whole, low bars between them "
                "for frames stored as changes.")

# %% [markdown]
# Only the dark bars are pictures. Everything between them says *take the frame before and change this*. Jump to frame 20 and a decoder may hand you a neighbour, or yesterday's picture with
# today's changes on top. UCF101's files make it worse: they pack frames that also refer to the *next* one. Hence two rules, which `read_video` keeps: decode from the start, in order, and count
# frames by decoding them, never by asking the header.
#
# The header is still good for one thing. A file that was cut off in transfer decodes without complaint up to the cut, and the header's count is the only witness.

# %% tags=["nbval-check-output"]
import tempfile
from pathlib import Path

from hrvgan_lib.data import read_video

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
# ### Red, green, blue, in this order
#
# Some libraries, and the C3D network of chapter 08, count colours from blue. Nothing in the array tells you: shape, range, brightness and every difference between two frames stay as they
# are. Only eyes notice.

# %%
swapped = video[..., ::-1]
print("same shape:", swapped.shape == video.shape, "| same mean:", swapped.mean() == video.mean(),
      "| same motion:", np.array_equal(np.diff(swapped, axis=0)[..., ::-1], np.diff(video, axis=0)))
page.figure(show({"RGB": video[len(video) // 2], "the same numbers as BGR": swapped[len(video) // 2]}),
            caption="One frame read as RGB, and the same numbers read as BGR.",
            alt="The same video frame twice: with true colours, and with red and blue exchanged, which turns skin "
                "blue.")

# %% [markdown]
# ## Stacks and strips: right shape, wrong picture
#
# Golf and Aeroplane keep each clip as **one JPEG, its frames stacked from top to bottom**: 128 wide, 128 times the number of frames high. A row of pixels is a row of one frame, so cutting the
# stack is a single `reshape` that moves nothing in memory.

# %% tags=["nbval-check-output"]
stack_path = golf.root / golf.paths[len(golf) // 2]
picture = np.asarray(Image.open(stack_path).convert("RGB"))
side = picture.shape[1]
stack = picture.reshape(-1, side, side, 3)
print("picture", picture.shape, "-> clip", stack.shape)

# %% [markdown]
# Weizmann comes as **strips, frames from left to right**. (Its files are called `.jpg` and hold PNG with an alpha channel. Believe bytes, not names.) Now a row of pixels runs through *all* frames. The
# same `reshape` still gives an array of the shape that we want. Look at what is in it:

# %%
picture = np.asarray(Image.open(people.root / people.paths[0]).convert("RGB"))
side = picture.shape[0]
strip = picture.reshape(side, -1, side, 3).swapaxes(0, 1)  # (row, frame, column) -> (frame, row, column)
wrong = picture.reshape(-1, side, side, 3)
print("shapes agree:", strip.shape == wrong.shape, "| pixels agree:", np.array_equal(strip, wrong))
half = len(strip) // 2
page.figure(show({"right": strip[half], "right shape, wrong picture": wrong[half]}, height=2.2),
            caption="The middle frame of a strip: cut along the right axis, and by a reshape that gives the same "
                    "shape.",
            alt="Two pictures of the same size: a person in front of a wall, and vertical bars: one row of pixels, "
                "repeated from many frames.")

# %% tags=["nbval-check-output"]
from hrvgan_lib.data.formats.stacks import read_stack
from hrvgan_lib.data.formats.strips import read_strip

print("read_stack gives the same:", np.array_equal(read_stack(stack_path), stack))
print("read_strip gives the same:", np.array_equal(read_strip(people.root / people.paths[0]), strip))

# %% [markdown]
# With the reader at hand we can look at the section's other number, 128×128: the sides of the frames of a few stacks of each set, of which the ledger gets the one that is farthest from it.

# %%
from hrvgan_lib import paper

for stacked in (golf, aeroplane):
    sides = {side for source in stacked.paths[:8] for side in read_stack(stacked.root / source).shape[1:3]}
    farthest = max(sides, key=lambda side: abs(side - paper.SETTINGS.stack_size))
    page.measure(f"side of a decoded frame of {stacked.name}, pixels", farthest, claim="data-stacks",
                 low=paper.SETTINGS.stack_size, high=paper.SETTINGS.stack_size, data=[golf, aeroplane])

# %% [markdown]
# All three formats end in the same thing, an array (time, height, width, RGB) of bytes. Here they are, a few frames of each.

# %%
formats = {"AVI": video, "stack": stack, "strip": strip}
fig, axes = plt.subplots(3, 4, figsize=(6.4, 4.6))
for row, (name, clip) in zip(axes, formats.items()):
    for column, axis in enumerate(row):
        axis.imshow(clip[min(8 * column, len(clip) - 1)])
        axis.set_axis_off()
    row[0].set_title(f"{name}, {clip.shape[2]}×{clip.shape[1]}, {len(clip)} frames", loc="left", fontsize=9)
page.figure(fig,
            caption="Every eighth frame of one clip from an AVI file, a stack and a strip.",
            alt="Three rows of four frames: a person doing an exercise, a golf scene, a person in front of a plain "
                "wall.")

# %% [markdown]
# ## Smaller, without sparkle
#
# **What it does not say (A21).** The paper generates 256×256 from sources of 240×320 and 128×128. We resize the short side to the clip's size and keep the central square; anything above the
# source's own size is interpolation and is marked as such.
#
# To make a picture seven times smaller you can keep every seventh pixel, or average. Keeping is shorter and, on one frame, looks crisp. On a *video* it sparkles: move the camera by one pixel and every kept
# pixel is another one. A discriminator would learn that sparkle as a mark of real clips.

# %%
from hrvgan_lib.data.store import fit

height, width = video.shape[1:3]
top, left, short = (height - min(height, width)) // 2, (width - min(height, width)) // 2, min(height, width)
square = video[:, top : top + short, left : left + short]
grid = np.linspace(0, short - 1, 32).round().astype(int)
kept = square[:, grid][:, :, grid]
averaged = fit(video, 32)
page.figure(show({"source": square[0], "single pixels kept": kept[0], "averaged": averaged[0]}),
            caption="The central square of a frame; the same by keeping single pixels; the same by averaging.",
            alt="One frame as a large square, and twice at low resolution: jagged from dropped pixels, smooth from "
                "averaged ones.")

# %% tags=["nbval-check-output"]
moved = np.roll(video[:4], 1, axis=2)  # the camera pans by one source pixel: less than a seventh of ours
sparkle = np.abs(moved[:, top : top + short, left : left + short][:, grid][:, :, grid].astype(int) - kept[:4]).mean()
calm = np.abs(fit(moved, 32).astype(int) - averaged[:4]).mean()
page.expect("change from one pixel of pan, kept over averaged", sparkle / calm, low=1.3,
            why="averages hardly move, single pixels jump")
page.measure("change of a shrunk frame when the camera pans by one pixel, single pixels kept over averages",
             sparkle / calm, decision="A21", data=[videos])
for source, clip in ((videos, video), (golf, stack)):
    page.measure(f"pixels of the central square of a frame of {source.name}, for each pixel of 256×256",
                 min(clip.shape[1:3]) ** 2 / paper.SETTINGS.size**2, decision="A21", data=[source])

# %% [markdown]
# ## Decode once, read often
#
# Decoding and shrinking costs about a millisecond a frame; training would ask for each frame hundreds of times. So every data set is decoded once into one long file of bytes with an index beside
# it. The file is *mapped*: indexing it reads from disk what is asked for and nothing else, so a data set larger than memory is no special case.

# %%
import csv
import time

begin = time.perf_counter()
decoded = fit(read_video(path), labelled.size)
middle = time.perf_counter()
packed = videos.pixels(choice).copy()
end = time.perf_counter()
print(f"decode and shrink {1000 * (middle - begin):.0f} ms, read packed {1000 * (end - middle):.2f} ms")
print("same bytes:", np.array_equal(packed, decoded))
rows = list(csv.DictReader(open(labelled.folder / "index.csv")))
page.table([{key: value[:12] + "…" if key == "sha256" else value for key, value in row.items()} for row in rows[:3]])

# %% [markdown]
# `offset` is the clip's first frame in the file, `frames` how many follow. `sha256` names the *content* of the source file, so that a score in chapter 10 can say exactly which clips it was computed from. `group` is
# the column that matters most; we come back to it at the end.
#
# ## A clip is a window
#
# Table 1 ends in 32 frames, and videos are longer. A **window** takes `frames` of them, `stride` apart, from some `start`. Where the video ends too soon, its last frame is repeated, as the data loader of VGAN does.

# %% tags=["nbval-check-output"]
def window(clip: np.ndarray, frames: int, stride: int, start: int = 0) -> np.ndarray:
    """(T, H, W, 3) -> (frames, H, W, 3); past the end, the last frame again."""
    numbers = np.minimum(start + stride * np.arange(frames), len(clip) - 1)
    return clip[numbers]


numbers = np.arange(20)  # a clip of 20 frames that shows its own frame numbers
for frames, stride in ((8, 1), (8, 2), (8, 4)):
    print(f"8 frames, stride {stride}:", window(numbers, frames, stride))

# %% [markdown]
# The last line is a short clip: six frames run, two stand still. The clip *stops*, and a generator trained on many such clips learns to stop. That is why short clips are counted rather than hidden, and why the
# window should not be longer than most clips.
#
# **What it does not say (T3).** Neither stride nor start. At stride 1 the paper's 32 frames span 1.28 seconds at 25 frames a second. When we cut the networks down to 16 or 8 frames, we keep that *time span* and not the stride:
# stride = 32 / frames. A jumping jack then stays a jumping jack at every size.

# %%
fig, axis = plt.subplots(figsize=(9, 1.6))
for height, (frames, ink) in enumerate(((8, "#882255"), (16, "#44AA99"), (32, "#332288"))):
    axis.plot(window(np.arange(32), frames, 32 // frames), [height] * frames, "o", color=ink, markersize=4)
axis.set(yticks=range(3), yticklabels=["8, stride 4", "16, stride 2", "32, stride 1"], xlabel="source frame",
         ylim=(-0.6, 2.6))
page.figure(fig,
            caption="Source frames that a clip of 32, 16 and 8 frames is made of.",
            alt="Three rows of dots over the frame numbers 0 to 31: 32 dots next to each other, 16 dots two apart, "
                "8 dots four apart, all spanning the same range.")

# %% [markdown]
# What would the same eight frames be at stride 1? Below is one clip both ways. `to_clip` also does the last step of every loader: from bytes 0…255 to numbers in [−1, 1], the range of the generator's tanh, and channels first.

# %%
def to_clip(frames: np.ndarray) -> torch.Tensor:
    """uint8 (T, H, W, 3) -> float (3, T, H, W) in [-1, 1]."""
    return torch.from_numpy(frames.copy()).permute(3, 0, 1, 2).float() / 127.5 - 1


one = next((i for i, label in enumerate(labelled.labels) if labelled.classes[label] == "JumpingJack"), 0)
frames = labelled.pixels(one)
page.figure(book.clip_grid(torch.stack([to_clip(window(frames, 8, stride)) for stride in (1, 4)]),
                           labels=["stride 1", "stride 4"]),
            caption="Eight frames of one clip at stride 1 (a third of a second) and at stride 4 (more than a "
                    "second).",
            alt="Two rows of eight frames of the same clip: at stride one the figure hardly moves, at stride four "
                "it goes through its movement.")

# %% tags=["nbval-check-output"]
ours = to_clip(window(frames, labelled.frames, labelled.stride))
theirs, label = labelled[one]
print("hrvgan_lib gives the same clip:", torch.allclose(ours, theirs, atol=1e-6),
      "| its label:", labelled.classes[label])

# %%
def change(data, gap: int, clips: int = 20) -> float:
    """Mean |difference| between frames `gap` apart, over the first clips of `data`."""
    chosen = [data.pixels(i)[:32].astype(np.float32) for i in range(min(clips, len(data)))]
    return float(np.mean([np.abs(c[gap:] - c[:-gap]).mean() for c in chosen if len(c) > gap])) / 127.5


gaps = range(1, 29, 3)
fig, axis = plt.subplots(figsize=(7, 2.6))
for data, ink in ((labelled, "#332288"), (golf, "#44AA99"), (aeroplane, "#882255")):
    axis.plot(gaps, [change(data, gap) for gap in gaps], color=ink, marker=".", label=f"{data.name} ({data.kind})")
axis.set(xlabel="frames between", ylabel="mean difference", ylim=(0, None))
axis.legend()
page.figure(fig,
            caption="Mean difference between two frames of the same clip, over the number of frames between them, "
                    "on a scale where black to white is 2.",
            alt="Two rising curves: the mean difference between two frames of a clip grows with the number of "
                "frames between them and then levels off.")

# %% tags=["nbval-check-output"]
page.expect("motion four frames apart over one frame apart", change(labelled, 4) / change(labelled, 1), low=1.5,
            why="a stride of 1 would show eight nearly equal frames")
page.measure("change between frames four apart, over that between neighbours",
             change(labelled, 4) / change(labelled, 1), decision="T3", data=[labelled])
page.measure("share of training clips shorter than 32 frames, which end standing still",
             np.mean([row.frames < 32 for row in labelled.rows]), decision="T3", data=[labelled])
page.measure("change from the first to the last of eight consecutive frames, over that of eight spread over 32",
             change(labelled, 7) / change(labelled, 28), decision="T9", data=[labelled])

# %% [markdown]
# ## A batch
#
# A batch has five axes, in the order of Table 1's rows and of PyTorch ([**A23**](12_claims_and_decisions.ipynb#A23)): clip, channel, time, height, width. Where windows start is random, and drawn from a generator that we hand in: the same generator, the
# same batch, on every machine. That is what lets training resume in the middle as if nothing had happened.

# %% tags=["nbval-check-output"]
clips, labels, indices = labelled.draw(6, torch.Generator().manual_seed(page.seed))
again, _, _ = labelled.draw(6, torch.Generator().manual_seed(page.seed))
other, _, _ = labelled.draw(6, torch.Generator().manual_seed(page.seed + 1))
print("shape", tuple(clips.shape), clips.dtype, "| labels", labels.dtype)
print("same generator, same batch:", torch.equal(clips, again), "| another generator:", torch.equal(clips, other))
page.expect("smallest value", clips.min(), low=-1, high=0)
page.expect("largest value", clips.max(), low=0, high=1)
page.measure("share of pixel values below the middle of [-1, 1], where a last ReLU cannot reach",
             (clips < 0).float().mean(), decision="T6", data=[labelled])

# %%
page.figure(book.clip_grid(clips, every=max(1, labelled.frames // 8),
                           labels=[labelled.classes[label] for label in labels]),
            caption="A batch as the discriminator sees it: one clip a row.",
            alt="Six rows of frames, one clip a row, each with the name of its class.")

# %%
book.movie(clips, fps=max(4, 25 // labelled.stride), alt="The six clips of the batch, moving.")

# %% [markdown]
# Read the names against the movements. A list with two classes exchanged raises no error either, and no number so far would have shown it.
#
# (In memory the numbers lie channel by channel *within* each pixel, `channels_last_3d`, because the packed frames do and because 3-D convolutions are faster that way. The shape says nothing about it, and nothing but speed depends on it.)
#
# ## The mistake that improves your scores
#
# Golf's clips are cut from long videos, a second at a time: neighbours show the same golfer on the same lawn. Shuffle all clips, hold a fifth out, and you have a test set that looks honest. To see what is wrong with it we ask, for
# each held-out clip, how far its **nearest training clip** is. That is the error of the laziest generator there is: one that has memorised its training clips and plays them back.

# %% tags=["nbval-check-output"]
def thumbnails(data, most: int = 120) -> torch.Tensor:
    """(N, D): the first window of each clip, at most 8 frames of 32x32, as one vector."""
    t, s = max(1, data.frames // 8), max(1, data.size // 32)
    return torch.cat([data.batch([i])[0][:, :, ::t, ::s, ::s].flatten(1) for i in range(min(most, len(data)))])


golf_test = page.dataset("golf", "test")
vectors = torch.cat([thumbnails(golf), thumbnails(golf_test)])
source = [*golf.groups[: len(vectors) - len(thumbnails(golf_test))], *golf_test.groups[: len(thumbnails(golf_test))]]
distances = torch.cdist(vectors, vectors) / vectors.shape[1] ** 0.5  # root mean square difference of a pixel
same_video = torch.tensor([[a == b for b in source] for a in source])
print("clips:", len(vectors), "| source videos:", len(set(source)))

# %% [markdown]
# Two kinds of held-out clip. In a **random split** most of a clip's own video is among the training clips. In a split **by video** all of it is held out. For every clip we find the nearest training clip under each; for the random split
# we average over twenty shuffles.

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
page.measure("share of held-out Golf clips whose nearest training clip is of their own video, clips split at random",
             own_video.mean(), decision="T4", data=[golf, golf_test])
page.measure("distance to the nearest training clip on Golf, split by video over split at random",
             honest.median() / leaky.median(), decision="T4", data=[golf, golf_test])

# %%
example = int((honest - nearest(torch.arange(len(vectors)), ~torch.eye(len(vectors), dtype=torch.bool))[0]).argmax())
close = int(distances[example].masked_fill(torch.arange(len(vectors)) == example, float("inf")).argmin())
fig, axes = plt.subplots(1, 4, figsize=(10, 2.6), width_ratios=[2.2, 1, 1, 1])
bins = np.linspace(0, max(honest.max(), leaky.max()).item() * 1.02, 25)
axes[0].hist(leaky, bins, density=True, color="#CC6677", alpha=0.8, label="random split")
axes[0].hist(honest, bins, density=True, color="#332288", alpha=0.6, label="split by video")
axes[0].set(xlabel="difference from the nearest training clip", yticks=[])
axes[0].legend(fontsize=8)
small = (vectors.view(len(vectors), 3, -1, 32, 32) if golf.size >= 32
         else vectors.view(len(vectors), 3, -1, golf.size, golf.size))
for axis, clip, title in zip(axes[1:], (example, close, int(twin[example])),
                             ("held out", "nearest, random", "nearest, by video")):
    axis.imshow((small[clip, :, 0].permute(1, 2, 0) + 1) / 2)
    axis.set_title(title, fontsize=9)
    axis.set_axis_off()
page.figure(fig,
            caption="The laziest generator under two splits: how far each held-out clip is from the nearest "
                    "training clip, and one example.",
            alt="Left: two histograms of distances to the nearest training clip, close to zero for the random "
                "split, larger for the split by video. Right: a held-out frame, its nearest neighbour under the "
                "random split, which shows the same scene, and under the split by video, which shows another.")
flipped = (vectors - small.flip(-1).flatten(1)).norm(dim=1) / vectors.shape[1] ** 0.5  # left and right exchanged
page.measure("difference of a Golf clip from its mirror image, over that from the nearest clip of another video",
             flipped.median() / honest.median(), decision="T5", data=[golf, golf_test])

# %% [markdown]
# Under the random split the memoriser looks like a good generator. It has learned nothing, and the test set cannot tell. Any score of chapter 08 that compares samples with held-out clips would be flattered in the same way.
#
# **What it does not say (T4).** The paper names no split. We split by **group**, the unit that shares a scene: UCF101 by its official lists, which keep its groups of clips from one video together; Golf and Aeroplane by source video, chosen by
# a hash of the video's name so that the choice never changes; Weizmann by person, a clip and its mirror image on one side. No group is ever on both sides:

# %% tags=["nbval-check-output"]
rows = []
for data, name in ((labelled, "actions"), (golf, "golf"), (aeroplane, "aeroplane")):
    test = page.dataset(name, "test")
    rows.append({"data set": data.name, "training clips": len(data), "test clips": len(test),
                 "groups": len(set(data.groups)), "held-out groups": len(set(test.groups)),
                 "on both sides": len(set(data.groups) & set(test.groups))})
page.table(rows)

# %% [markdown]
# ## Check yourself
#
# 1. A colleague's clips have the right shape and range, and the people in them are blue. What happened, and which of the checks of this chapter would have noticed?
# 2. Why is stride = 32 / frames a better rule for small networks than stride = 1?
# 3. A strip of 60 frames of 64×64 is 64 high and 3,840 wide. What does `read_stack` say about it, and why is that luck?
# 4. Weizmann holds each clip and its mirror image. What goes wrong if the two are split at random?
# 5. Why does the index keep the sha256 of the source file and not just its name?
#
# <details><summary>Answers</summary>
#
# 1. BGR was read as RGB. None of the numeric checks; only the picture.
# 2. It keeps the time span, so the movement that a class is named after still happens within the clip. At stride 1 eight frames are nearly one picture.
# 3. Height 64 is not a multiple of width 3,840: an error. Luck, because the `reshape` itself would have gone through: it only counts elements.
# 4. The test clip's mirror image is in training: same person, same moment. The nearest training clip is then a flipped copy.
# 5. Files are replaced under the same name. A score belongs to contents.
#
# </details>
#
# ## Exercises
#
# 1. *(easy)* In how many places can a window of 8, 16 or 32 frames start in a clip of 100 frames, with stride 32 / frames, without running over the end? *Expected:* 72, 70, 69.
# 2. *(easy)* Turn the `wrong` strip of this chapter back into the right one without opening the file again. *Expected:* no pixel was lost; two calls do it.
# 3. *(medium)* Write `bounce`, a window that runs backwards at the end instead of standing still. *Expected:* for a clip of 5 frames, 8 frames at stride 1 are 0 1 2 3 4 3 2 1.
# 4. *(hard)* How much of the leak is the background? Subtract from each clip its mean frame and measure the leak again. *Expected:* the share of held-out clips whose nearest neighbour is of their own video falls: what stays is the motion.

# %% tags=["solution", "nbval-check-output"]
print("1.", [100 - 32 // frames * (frames - 1) for frames in (8, 16, 32)])

# %% tags=["solution", "nbval-check-output"]
restored = wrong.reshape(side, -1, side, 3).swapaxes(0, 1)
print("2. restored:", np.array_equal(restored, strip))

# %% tags=["solution", "nbval-check-output"]
def bounce(clip: np.ndarray, frames: int, stride: int, start: int = 0) -> np.ndarray:
    period = max(1, 2 * (len(clip) - 1))
    numbers = (start + stride * np.arange(frames)) % period
    return clip[np.minimum(numbers, period - numbers)]


print("3.", bounce(np.arange(5), 8, 1))

# %% tags=["solution", "nbval-check-output"]
moving = vectors.view(*small.shape)
moving = (moving - moving.mean(dim=2, keepdim=True)).flatten(1)
among_others = torch.cdist(moving, moving) + torch.diag(torch.full((len(moving),), float("inf")))
left_over = same_video[torch.arange(len(moving)), among_others.argmin(dim=1)].float().mean()
page.expect("4. nearest neighbour of the same video, without background", left_over,
            high=0.95 * float(own_video.mean()), why="the lawn gave it away")

# %% [markdown]
# ## What we now know
#
# - We decoded an AVI file, a stack and a strip by hand; the library's readers gave the same bytes. BGR and a wrong `reshape` passed every check but the look at the picture.
# - Clips of 8, 16 and 32 frames span the same 32 source frames; a short clip repeats its last frame.
# - A batch is (clip, channel, time, height, width) in [−1, 1], and its randomness is the generator that we pass in.
# - Under a random split the nearest training clip was nearly always from the held-out clip's own video. Splits by group close that leak.
#
# ## Where next
#
# [Chapter 02](02_norm_layers.ipynb) builds the layers that keep a network's numbers in range; [chapter 03](03_generator.ipynb) builds the generator that ends in clips such as these. Sources, sizes and licences of the real data sets are in `data/README.md`.

# %%
page.colophon()
