"""What a chapter has trained: systems and the judge of its run, made where they are not there yet (chapters 06-11)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from hrvgan_lib.book.progress import waiting, watched
from hrvgan_lib.kept import header_of, load_kept, read_kept
from hrvgan_lib.metrics import judge_for
from hrvgan_lib.metrics import judge_shape as judge_shape_of
from hrvgan_lib.metrics.eyes.judge import load_judge
from hrvgan_lib.mishaps import in_full
from hrvgan_lib.profiles import get_profile
from hrvgan_lib.training import StepRecord
from hrvgan_lib.training import trained as train_or_read
from hrvgan_lib.trainings import LABELLED, Training, training
from hrvgan_lib.trainings import frame_by_frame as training_frame_by_frame
from hrvgan_lib.trainings import native as native_training
from hrvgan_lib.trainings import predictor as training_of_predictor
from hrvgan_lib.trainings import row as training_of_row
from hrvgan_lib.trainings import side_row as training_of_side_row
from hrvgan_lib.trainings import trainings as all_trainings

if TYPE_CHECKING:
    from hrvgan_lib.book.page import Page
    from hrvgan_lib.data import ClipDataset
    from hrvgan_lib.metrics import Judge
    from hrvgan_lib.networks import System


TRAININGS, JUDGES = "trainings", "judges"  # of figures/<run>/, where that run's weights are recorded


def trained(
    page: Page, system: str, data: str = LABELLED, labels: bool = False, own: bool = False
) -> tuple[System, list[StepRecord]]:  # fmt: skip
    """A system of the page's run and its records, as `training.trained` returns them.

    data: "actions", "golf" or "aeroplane". labels: with them HRVGAN is the main system, which is trained for longest.
    own: trained here in any case, and not taken from a recorded run.
    """
    return learn(page, training(page.profile, system, data, labels), own)


def row(page: Page, name: str) -> tuple[System, list[StepRecord]]:
    """The system behind a row of Table 3, one of `trainings.ROWS`, and its records."""
    return learn(page, training_of_row(page.profile, name))


def side_row(page: Page, name: str, data: str) -> tuple[System, list[StepRecord]]:
    """The system behind a row of Table 4, one of `trainings.SIDE_ROWS`, on "golf" or "aeroplane", and its records."""
    return learn(page, training_of_side_row(page.profile, name, data))


def native(page: Page) -> tuple[System, list[StepRecord]]:
    """HRVGAN with labels in the paper's own shape. Raises ValueError where the profile trains no such system."""
    if (large := native_training(page.profile)) is None:
        raise ValueError(f"profile {page.profile.name} trains nothing in the paper's own shape: take gpu or paper")
    return learn(page, large)


def predictor(page: Page, arm: str, short: bool = False) -> tuple[System, list[StepRecord]]:
    """A predictor of the run, one of `trainings.FORECASTS` or `FORECAST_CHOICES`, and its records.

    short: an objective for as long as the choices only, to compare them with.
    """
    return learn(page, training_of_predictor(page.profile, arm, short))


def frame_by_frame(page: Page) -> tuple[System, list[StepRecord]]:
    """HRVGAN with one latent a frame, and its records."""
    return learn(page, training_frame_by_frame(page.profile))


@in_full
def learn(page: Page, training: Training, own: bool = False) -> tuple[System, list[StepRecord]]:
    """Carry out a training, or read it where it has been carried out before.

    Where the profile names a recorded run (`Profile.weights`) its trained system is taken, unless `own` is asked for.
    """
    page.learning = True
    page.trainings.append(training.name)
    clips, how = clips_of(page, training), planned(page, training)
    if not own and (path := recorded_file(page, training, clips)):
        try:
            system, kept = load_kept(path, page.device), read_kept(path)
        except ValueError as error:
            print(f"{error}; trained here instead, for {training.steps} steps")
        else:
            page.trainings[-1] = kept.about["training"]
            page.taken.append(kept.about["training"])
            system.snapshots = [(step, pixels / 127.5 - 1) for step, pixels in sorted(kept.snapshots.items())]
            return system, kept.records
    carry_out = watched(page, training, train_or_read)
    return carry_out(training.system, clips, page.profile, folder=page.runs / "checkpoints", **how)


def launch(page: Page, training: Training, devices: int, own: bool = False) -> None:
    """Carry out a training in `devices` processes, which share every batch (`torchrun`), unless it is there already.

    `learn` reads it afterwards. Raises ChildProcessError in one line where it does not end well; its log is named.
    """
    clips, how = clips_of(page, training), planned(page, training)
    if not own and recorded_file(page, training, clips):
        return
    log = page.runs / "partial" / f"{training.system}-{clips.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={devices}",
             "-m", "hrvgan_lib.training", *words_of(page, training, clips, how)]  # fmt: skip
    with open(log, "w", encoding="utf-8") as file:
        ended = subprocess.run(words, cwd=page.root, stdout=file, stderr=file)
    if ended.returncode:
        said = log.read_text(encoding="utf-8", errors="replace").splitlines()
        why = next((line for line in said if "process " in line or "batch of" in line), " ".join(said[-1:]))
        raise ChildProcessError(f"{devices} processes ended with status {ended.returncode}: {why} ({log})")
    log.unlink()


def words_of(page: Page, training: Training, clips: ClipDataset, how: dict[str, Any]) -> list[str]:
    """A training of the page as `python -m hrvgan_lib.training` is told it."""
    profile = page.profile
    words = {
        "system": training.system, "data": clips.name, "data-root": page.data_root,
        "profile": profile.name + (f"*{profile.share:g}" if profile.share != 1 else ""), "frames": clips.frames,
        "size": clips.size, "stride": clips.stride, "batch": how["batch"], "steps": how["steps"], "seed": how["seed"],
        "folder": page.runs / "checkpoints",
    }  # fmt: skip
    flags = {"no-labels": not how["conditional"], "allow-partial": page.allow_partial, "rehearse": profile.rehearse}
    options = [f"--set={name}={json.dumps(value)}" for name, value in training.options.items()]
    return [*(f"--{name}={value}" for name, value in words.items()),
            *(f"--{name}" for name, value in flags.items() if value), *options]  # fmt: skip


def recorded_file(page: Page, training: Training, clips: ClipDataset) -> Path | None:
    """Where the run that `Profile.weights` names keeps this training, on clips of the same kind and with this seed."""
    run = page.profile.weights
    if not run or page.run == run or clips.kind != "procedural":
        return None
    same = [
        one for one in all_trainings(get_profile(run))
        if (one.system, one.data, one.labels, one.frames, one.size, one.options, one.seed)
        == (training.system, training.data, training.labels, training.frames, training.size, training.options,
            training.seed)
    ]  # fmt: skip
    if not same:
        return None
    name = max(same, key=lambda one: one.steps).name
    for path in sorted((page.root / "figures" / run / TRAININGS).glob(f"{training.system}-{clips.name}-*.safetensors")):
        about = header_of(path)
        words = f"{page.seed + training.seed}"
        if about.get("training", name) == name and about.get("seed", words) == words:  # a broken file says nothing
            return path
    return None


def clips_of(page: Page, training: Training) -> ClipDataset:
    """The clips that a training learns from, in its shape."""
    return page.dataset(training.data, frames=training.frames, size=training.size)


def clips_behind(page: Page, name: str, split: str = "train") -> ClipDataset:
    """The clips that the page's systems have learned from, or by `split` have not, in the page's shape.

    Ask after the systems. Where they were taken from a recorded run (`Profile.weights`) these are that run's stand-ins,
    of which there are more than the page's own: what is measured between systems and clips is measured on these.
    Everywhere else, and where the data is real, they are the page's own.
    """
    own = page.dataset(name, split=split)
    run = page.profile.weights
    if not run or not page.taken or own.kind != "procedural":
        return own
    recorded = get_profile(run)
    counts = ("standin_frames", "clips_per_group", "stack_videos", "clips_per_video")
    return page.dataset(name, split=split, **{count: getattr(recorded, count) for count in counts})


def planned(page: Page, training: Training) -> dict[str, Any]:
    """A training as `training.trained` and `training.plan` are told it, in words."""
    return {
        "seed": page.seed + training.seed,
        "steps": training.steps,
        "batch": training.batch,
        "conditional": training.labels,
        **training.options,
    }


def judge_shape(page: Page) -> dict[str, int]:
    """Frames, size and stride of the clips that the run's judge reads: `metrics.judge_shape`, or consecutive frames."""
    shape = judge_shape_of(page.profile)
    return shape | {"stride": min(shape["stride"], page.stride(shape["frames"]))}


@in_full
def judge(page: Page, **shape: int) -> Judge:
    """The run's judge of clips of `shape` (frames, size and stride; by default `judge_shape`), trained once.

    Where the profile names a recorded run, the judge of that run is taken if it was trained on clips of this shape.
    """
    page.learning = True
    clips = [page.dataset("actions", split=split, **shape or judge_shape(page)) for split in ("train", "test")]
    if place := recorded_judge(page, clips[0]):
        try:
            return load_judge(place, page.device)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            print(f"{place}: {str(error).splitlines()[0]}; a judge is trained here instead")
    with waiting("the judge learns, or is read"):
        return judge_for(clips[0], clips[1], page.profile, data_root=page.data_root, folder=page.runs / "judges")


def recorded_judge(page: Page, clips: ClipDataset) -> Path | None:
    """Where the run that `Profile.weights` names keeps the judge of such clips: procedural, of the same classes."""
    run = page.profile.weights
    if not run or page.run == run or clips.kind != "procedural":
        return None
    for place in sorted((page.root / "figures" / run / JUDGES).glob(f"{clips.name}-*")):
        try:
            record = json.loads((place / "judge.json").read_text(encoding="utf-8"))
            seen = record["data"]["frames"], record["data"]["size"], record["stride"], tuple(record["classes"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if seen == (clips.frames, clips.size, clips.stride, tuple(clips.classes)):
            return place
    return None
