"""`python -m hrvgan_lib.training`: one training from the command line, alone or under `torchrun` (chapter 13)."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrvgan_lib import provenance, ranks
from hrvgan_lib.data import open_dataset
from hrvgan_lib.mishaps import command
from hrvgan_lib.networks import SYSTEMS
from hrvgan_lib.profiles import PROFILES, get_profile
from hrvgan_lib.training import StepRecord, plan, trained

if TYPE_CHECKING:
    from hrvgan_lib.networks import System


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m hrvgan_lib.training",
        description="Train one system, or go on with its training. Under torchrun all processes share every batch.",
    )
    parser.add_argument("--system", required=True, choices=[*SYSTEMS], help="prediction continues clips")
    parser.add_argument("--data", default="ucf101", help="ucf101, golf, aeroplane or weizmann")
    parser.add_argument("--data-root", help="the folder above them; without it, data/ of the repository")
    parser.add_argument("--allow-partial", action="store_true", help="accept a data set that is there in part")
    parser.add_argument("--profile", default="smoke", help=f"gives what is not named: {', '.join(PROFILES)}")
    parser.add_argument("--rehearse", action="store_true", help="the profile's rehearsal")
    for name in ("frames", "size", "stride", "batch", "steps"):
        parser.add_argument(f"--{name}", type=int, help="of all processes together" if name == "batch" else None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-labels", action="store_true", help="train without labels where the data has them")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="an option of the system")
    parser.add_argument("--folder", type=Path, help="where trained systems are kept; default: runs/checkpoints")
    parser.add_argument(
        "--backend", default="", choices=["", "nccl", "gloo"], help="default: NCCL where there are GPUs"
    )
    return parser


def option(word: str) -> tuple[str, Any]:
    """A system's option: its name, and its value as JSON or as it stands. Raises ValueError without a "="."""
    name, equals, text = word.partition("=")
    if not equals:
        raise ValueError(f"--set {word}: write NAME=VALUE")
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    return name, tuple(value) if isinstance(value, list) else value


def tell(record: StepRecord, system: System, steps: int) -> None:
    """A line now and then: twenty a training."""
    if record.step % max(1, steps // 20) == 0 or record.step == steps:
        losses = ", ".join(
            f"{name} {sum(getattr(record, name).values()):.4g}" for name in ("discriminator", "generator")
        )
        print(f"step {record.step:,} of {steps:,}, {record.seconds:.0f} s: {losses}", flush=True)


@command
def main(argv: list[str] | None = None) -> int:
    asked = parser().parse_args(argv)
    profile = get_profile(asked.profile, asked.rehearse)
    options = dict(map(option, asked.set))
    how = {"seed": asked.seed, "steps": asked.steps, "batch": asked.batch, "conditional": not asked.no_labels} | options
    with ranks.joined(asked.backend):
        dataset = open_dataset(
            asked.data, asked.data_root, frames=asked.frames or profile.frames, size=asked.size or profile.size,
            stride=asked.stride, clips_per_group=profile.clips_per_group, standin_frames=profile.standin_frames,
            stack_videos=profile.stack_videos, clips_per_video=profile.clips_per_video,
            allow_partial=asked.allow_partial, progress=not ranks.rank(),
        )  # fmt: skip
        training = plan(asked.system, dataset, profile, **how)
        ranks.agree_on_work({
            "torch": provenance.versions().get("torch"), "system": training.system, "options": training.options,
            "data": dataset.describe(), **asdict(training.config), "code, data or arithmetic": training.folder,
        })  # fmt: skip
        if not ranks.rank():
            shared = f", shared by {ranks.count()} processes" if ranks.count() > 1 else ""
            print(f"{training.folder}: {training.config.steps:,} steps of {training.config.batch} clips{shared}")
        system, records = trained(
            asked.system, dataset, profile, folder=asked.folder, **how,
            on_step=lambda record, system: tell(record, system, training.config.steps),
        )  # fmt: skip
        if not ranks.rank():
            print(system.diverged or f"done: {len(records):,} steps", flush=True)
    return 1 if system.diverged else 0
