"""Every training of the series: who learns from what, in what shape, how long, and who reads it (chapters 06-11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hrvgan_lib.profiles import Profile

RIVALS = ("vgan", "tgan", "mocogan")
LABELLED = "actions"


@dataclass(frozen=True)
class Row:
    """A trained row of Table 3: which system, whether it is told the labels, and its recipe.

    A rival's recipe is "published", its authors', or "common", HRVGAN's optimisers; HRVGAN's is a preset.
    """

    system: str
    recipe: str
    labels: bool = False


ROWS: Mapping[str, Row] = {
    "vgan": Row("vgan", "published"),
    "vgan, common": Row("vgan", "common"),
    "tgan": Row("tgan", "published"),
    "tgan, common": Row("tgan", "common"),
    "mocogan": Row("mocogan", "published"),
    "mocogan, common": Row("mocogan", "common"),
    "mocogan, labels": Row("mocogan", "published", labels=True),
    "mocogan, labels, common": Row("mocogan", "common", labels=True),
    "hrvgan, no labels": Row("hrvgan", "stable"),
    "hrvgan": Row("hrvgan", "stable", labels=True),
    "hrvgan, literal": Row("hrvgan", "literal", labels=True),
}
SIDES = ("golf", "aeroplane")  # without labels
SIDE_ROWS: Mapping[str, Row] = {  # of Table 4, on either of the two
    **{name: one for name, one in ROWS.items() if one.system in RIVALS and not one.labels},
    "hrvgan": Row("hrvgan", "stable"),
}
OPTIONS: Mapping[str, Mapping[str, str]] = {  # of the system, by recipe
    "published": {},
    "stable": {},
    "common": {"recipe": "common"},
    "literal": {"preset": "literal"},
}
# What chapter 07 sets side by side: a name, and what is changed in the predictor's configuration. First the objectives,
FORECASTS: Mapping[str, Mapping[str, Any]] = {
    "combined": {},
    "MSE only": {"alpha": 0.0},
    "adversarial only": {"beta": 0.0},
}
# then choices, which are compared after `Profile.choice_steps` steps.
FORECAST_CHOICES: Mapping[str, Mapping[str, Any]] = {
    "frames, not their change": {"change": False},
    "one vector": {"features": "vector"},
    "with noise": {"noise": True},
}
WORKED_EXAMPLE_STEPS = 10  # of iVGAN: five critic updates in each, with the gradient of a gradient


@dataclass(frozen=True)
class Training:
    """One training. Equal fields and an equal seed give equal weights."""

    system: str  # a key of `networks.SYSTEMS`
    data: str  # "actions", "golf" or "aeroplane"
    labels: bool
    frames: int
    size: int
    batch: int
    steps: int
    readers: tuple[str, ...]  # numbers of the chapters that ask for it
    options: Mapping[str, Any] = field(default_factory=dict)  # of the system, beside the profile's
    seed: int = 0  # added to the run's

    @property
    def name(self) -> str:
        """In words, for a line of status."""
        words = [self.system, self.data, "labels" if self.labels else "no labels", f"{self.frames}x{self.size}"]
        words += [f"{name} {value}" for name, value in self.options.items()]
        return ", ".join(words + [f"{self.steps:,} steps"] + ([f"seed +{self.seed}"] if self.seed else []))

    @property
    def cost(self) -> float:
        """How long it takes, roughly, against the others: numbers that a step reads times steps."""
        return self.steps * self.batch * self.frames * self.size**2 * (3 if self.system == "hrvgan" else 1)


def training(profile: Profile, system: str, data: str = LABELLED, labels: bool = False) -> Training:
    """The training of `system` in the profile's shape: HRVGAN with labels is the main one, the others are shorter."""
    if data == LABELLED and system != "ivgan":
        return row(profile, next(name for name, one in ROWS.items() if (one.system, one.labels) == (system, labels)))
    if system == "ivgan":
        steps = min(profile.rival_steps, WORKED_EXAMPLE_STEPS)
        return Training(system, data, False, profile.frames, profile.size, profile.batch, steps, ("10",))
    return side_row(profile, system, data)


def row(profile: Profile, name: str) -> Training:
    """The training behind a row of Table 3, one of `ROWS`."""
    one = ROWS[name]
    main = one == Row("hrvgan", "stable", labels=True)
    steps = profile.steps if main else profile.contrast_steps if one.system == "hrvgan" else profile.rival_steps
    return Training(
        one.system, LABELLED, one.labels, profile.frames, profile.size, profile.batch, steps,
        ("06", "08", "09", "10") if main else ("10",), OPTIONS[one.recipe],
    )  # fmt: skip


def side_row(profile: Profile, name: str, data: str) -> Training:
    """The training behind a row of Table 4, one of `SIDE_ROWS`, on "golf" or "aeroplane"."""
    one = SIDE_ROWS[name]
    return Training(
        one.system, data, False, profile.frames, profile.size, profile.batch, profile.side_steps,
        ("06", "09", "10") if one.system == "hrvgan" else ("10",), OPTIONS[one.recipe],
    )  # fmt: skip


def native(profile: Profile) -> Training | None:
    """HRVGAN with labels in the paper's own shape, where the profile has it."""
    if not profile.native:
        return None
    frames, size, batch, steps = profile.native
    return Training("hrvgan", LABELLED, True, frames, size, batch, steps, ("06", "09", "10"), {"width": 1.0})


def predictor(profile: Profile, arm: str, short: bool = False) -> Training:
    """The training of a predictor, one of `FORECASTS` or `FORECAST_CHOICES`: half of a clip is given, half predicted.

    short: an objective for as long as the choices only, to compare them with.
    """
    choice = short or arm in FORECAST_CHOICES
    return Training(
        "prediction", LABELLED, False, profile.frames, profile.size, profile.batch,
        profile.choice_steps if choice else profile.prediction_steps, ("07",), {**FORECASTS, **FORECAST_CHOICES}[arm],
    )  # fmt: skip


def native_predictor(profile: Profile) -> Training | None:
    """One step of a predictor in the paper's own shape, 16 frames to 16: a rehearsal takes it."""
    if not (profile.native and profile.rehearse):
        return None
    frames, size, batch, _ = profile.native
    return Training("prediction", LABELLED, False, frames, size, batch, 1, ("07",), {"width": 1.0})


def frame_by_frame(profile: Profile) -> Training:
    """HRVGAN with one latent a frame, which chapter 07 reconstructs, edits and splices."""
    shape = (profile.frames, profile.size, profile.batch, profile.choice_steps)
    return Training("hrvgan", LABELLED, True, *shape, ("07",), {"latent": "frames"})


def trainings(profile: Profile) -> list[Training]:
    """All of them, the arms of chapter 11 too, longest first."""
    from hrvgan_lib.ablations import FRAMES, SIZE, STUDIES

    found = [row(profile, name) for name in ROWS] + [training(profile, "ivgan")]
    found += [side_row(profile, name, data) for data in SIDES for name in SIDE_ROWS]
    found += [predictor(profile, arm) for arm in (*FORECASTS, *FORECAST_CHOICES)] + [frame_by_frame(profile)]
    found += [predictor(profile, "combined", short=True)] * (profile.choice_steps != profile.prediction_steps)
    found += [large for large in (native(profile), native_predictor(profile)) if large]
    arms = {repr(sorted(arm.options.items())): arm for study in STUDIES.values() for arm in study.chosen(long=False)}
    for arm in arms.values():
        options = {"width": profile.study_width} | dict(arm.options)
        seeds = (0,) if arm.options else (0, 1)  # our choice twice: what luck does
        found += [
            Training("hrvgan", LABELLED, True, FRAMES, SIZE, profile.batch, profile.study_steps, ("11",), options, seed)
            for seed in seeds
        ]
    return sorted(found, key=lambda one: -one.cost)
