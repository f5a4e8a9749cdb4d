"""What a chapter has trained: systems and the judge of its run, made where they are not there yet (chapters 06-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hrvgan_lib.book.progress import waiting, watched
from hrvgan_lib.metrics import judge_for
from hrvgan_lib.metrics import judge_shape as judge_shape_of
from hrvgan_lib.training import StepRecord
from hrvgan_lib.training import trained as train_or_read
from hrvgan_lib.trainings import LABELLED, Training, training
from hrvgan_lib.trainings import frame_by_frame as training_frame_by_frame
from hrvgan_lib.trainings import native as native_training
from hrvgan_lib.trainings import predictor as training_of_predictor
from hrvgan_lib.trainings import row as training_of_row
from hrvgan_lib.trainings import side_row as training_of_side_row

if TYPE_CHECKING:
    from hrvgan_lib.book.page import Page
    from hrvgan_lib.data import ClipDataset
    from hrvgan_lib.metrics import Judge
    from hrvgan_lib.networks import System


def trained(page: Page, system: str, data: str = LABELLED, labels: bool = False) -> tuple[System, list[StepRecord]]:
    """A system of the page's run and its records, as `training.trained` returns them.

    data: "actions", "golf" or "aeroplane". labels: with them HRVGAN is the main system, which is trained for longest.
    """
    return learn(page, training(page.profile, system, data, labels))


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


def learn(page: Page, training: Training) -> tuple[System, list[StepRecord]]:
    """Carry out a training, or read it where it has been carried out before."""
    page.trainings.append(training.name)
    clips, how = clips_of(page, training), planned(page, training)
    carry_out = watched(page, training, train_or_read)
    return carry_out(training.system, clips, page.profile, folder=page.runs / "checkpoints", **how)


def clips_of(page: Page, training: Training) -> ClipDataset:
    """The clips that a training learns from, in its shape."""
    return page.dataset(training.data, frames=training.frames, size=training.size)


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


def judge(page: Page, **shape: int) -> Judge:
    """The run's judge of clips of `shape` (frames, size and stride; by default `judge_shape`), trained once."""
    clips = [page.dataset("actions", split=split, **shape or judge_shape(page)) for split in ("train", "test")]
    with waiting("the judge learns, or is read"):
        return judge_for(clips[0], clips[1], page.profile, data_root=page.data_root, folder=page.runs / "judges")
