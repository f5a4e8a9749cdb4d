"""The recorded edition: what a run's long trainings have given, kept in figures/<run>/trainings/ (`make edition`).

A run of two hours need not be had in one piece: a sitting keeps each finished training at once, in a file that holds
its networks in half precision, its records and all that names it, and a later sitting, on a fresh clone too, takes up
those whose key is the key of today's code. What a sitting takes up and what it would have trained is the same, number
for number: a finished training is rounded to half precision before anybody looks at it.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from hrvgan_lib import checkpoints
from hrvgan_lib import training as loop
from hrvgan_lib.book import learning, movie, open_page
from hrvgan_lib.book.findings import said
from hrvgan_lib.book.progress import note
from hrvgan_lib.book.tables import markdown_table
from hrvgan_lib.files import write_atomic
from hrvgan_lib.half import halved
from hrvgan_lib.kept import NETWORKS, fill, header_of, keep, load_kept, read_kept
from hrvgan_lib.metrics.eyes.judge import judge_place, recipe_of
from hrvgan_lib.mishaps import command, line_of
from hrvgan_lib.profiles import OLDER, Profile
from hrvgan_lib.provenance import device_name, versions
from hrvgan_lib.series.reproduce import alone, parse
from hrvgan_lib.series.reproduce import main as reproduce
from hrvgan_lib.streams import stream
from hrvgan_lib.training import Plan, StepRecord, read_records, train, write_records
from hrvgan_lib.trainings import OPTIONS, Training, row, side_row, trainings

if TYPE_CHECKING:
    from hrvgan_lib.book.page import Page

FOLDER, JUDGES = learning.TRAININGS, learning.JUDGES  # of figures/<run>/; the second of runs/<run>/ too
STRIP, STRIP_CLIPS = "strip.webp", 8  # of figures/<run>/: what README shows first, and how many pairs it holds
REPLAYED = 3  # steps of a kept training that `differing` takes again
# What a CPU trains in, by its kind, and how near the first losses come when another CPU takes the steps again.
ARITHMETICS = {torch.float32: 1e-3, torch.bfloat16: 3e-2}
ACROSS = 0.15  # the same, from one arithmetic to the other: 0.07 at most was measured


def kept_trainings(profile: Profile) -> list[tuple[Training, tuple[str, ...]]]:
    """Which trainings of a run are kept, and what of each: every system on every data set, as its authors train it.

    Of HRVGAN with labels everything; of HRVGAN on Golf the encoder too, which chapter 09 reads. The short ones and the
    rows that only contrast (the common recipe, the paper's text) are trained again: their tables are recorded.
    """
    main, golf = row(profile, "hrvgan"), side_row(profile, "hrvgan", "golf")
    networks = {main.name: NETWORKS, golf.name: ("encoder", "sampler")}
    contrasts = [OPTIONS["common"], OPTIONS["literal"]]
    return [
        (training, networks.get(training.name, ("sampler",)))
        for training in trainings(profile)
        if training.steps >= profile.side_steps and "11" not in training.readers and training.options not in contrasts
    ]


@contextmanager
def trained_in(arithmetic: torch.dtype) -> Iterator[None]:
    """Plan and train here as a CPU that works in this arithmetic does: it is part of a training's key."""

    def chosen(device: torch.device) -> torch.dtype:
        return arithmetic

    before, loop.precision = loop.precision, chosen
    try:
        yield
    finally:
        loop.precision = before


def planned(page: Page, training: Training) -> Plan:
    """How a training of the run is carried out."""
    clips = learning.clips_of(page, training)
    return loop.plan(training.system, clips, page.profile, **learning.planned(page, training))


def arithmetic_of(page: Page, training: Training, key: str) -> torch.dtype | None:
    """In which arithmetic today's code would carry out the training under this key; None: its code is another."""
    for arithmetic in ARITHMETICS:
        with trained_in(arithmetic):
            if planned(page, training).folder == key:
                return arithmetic
    return None


def places(page: Page) -> Iterator[tuple[Training, tuple[str, ...], Plan, Path, Path]]:
    """Of every training that is kept: what of it, its plan, its folder in runs/ and its file in figures/.

    A file that a CPU of the other arithmetic has left is the training's file too.
    """
    for training, networks in kept_trainings(page.profile):
        how = planned(page, training)
        path = page.figures / FOLDER / f"{how.folder}.safetensors"
        if not path.is_file():
            others = [
                other for other in sorted(path.parent.glob(f"{training.system}-*.safetensors"))
                if header_of(other).get("training") == training.name and arithmetic_of(page, training, other.stem)
            ]  # fmt: skip
            path = (others or [path])[0]
        yield training, networks, how, page.runs / "checkpoints" / how.folder, path


def store(page: Page) -> list[str]:
    """Keep every training of the run that is finished and not kept yet; and its judge. Returns their names.

    A file of the same training under an older key is replaced.
    """
    found = []
    for training, networks, how, folder, path in places(page):
        done = checkpoints.load_checkpoint(folder)
        if header_of(path) or done is None or done["step"] < training.steps or (folder / "diverged.txt").exists():
            continue
        clips = learning.clips_of(page, training)
        system = how.build(clips)
        system.load_state_dict(done["system"])
        shots = sorted(folder.glob("snapshot-*.pt")) if networks == NETWORKS else []
        keep(
            path, system, read_records(folder / "records.jsonl", training.steps), networks,
            {int(shot.stem.split("-")[1]): torch.load(shot, weights_only=True) for shot in shots},
            training=training.name, key=path.stem, frames=training.frames, size=training.size,
            n_classes=how.n_classes, options=dict(how.options), batch=training.batch, seed=how.config.seed,
            data=clips.describe(), classes=list(clips.classes if how.n_classes else ()), stride=clips.stride,
            arithmetic=str(loop.precision(page.device)).removeprefix("torch."), device=device_name(),
            versions=versions(), run=page.run,
        )  # fmt: skip
        for other in path.parent.glob("*.safetensors"):
            if other != path and header_of(other).get("training") == training.name:
                other.unlink()
        found.append(training.name)
    mark(page, [name for name in older(page) if name not in found])
    if found:
        write_atomic(page.figures / FOLDER / "README.md", card(page))
    place = judges_place(page)
    target = page.figures / JUDGES / place.name
    if (place / "judge.json").is_file() and not recorded_judge(page):
        shutil.rmtree(page.figures / JUDGES, ignore_errors=True)
        shutil.copytree(place, target)
        found.append("judge")
    return found


def card(page: Page) -> str:
    """What lies in figures/<run>/trainings/, as a page: every file with what it holds and how to use it."""
    rows, example = [], ""
    for path in sorted((page.figures / FOLDER).glob("*.safetensors")):
        if not header_of(path):
            continue
        kept = read_kept(path)
        about, held = kept.about, {name.partition(".")[0] for name in kept.state}
        example = example or path.name
        rows.append(
            {
                "training": about["training"], "networks": ", ".join(name for name in NETWORKS if name in held),
                "trained on": f"{about['data']}, batches of {about['batch']}", "device": about["device"],
                "seed": about["seed"], "MB": f"{path.stat().st_size / 1e6:.1f}", "file": path.name,
            }
        )  # fmt: skip
    return f"""# Kept trainings of the run `{page.run}`

{markdown_table(rows, list(rows[0]) if rows else [], "")}

Networks are in half precision; `sampler` is the generator's running average (decision O2), which samples come from.
Each file holds the losses of every step too, and that of HRVGAN with labels what the same latents gave along the way.
Good for the chapters of this book: they know the clips that they were trained on and nothing else. Licence: MIT.

```python
from hrvgan_lib.kept import load_kept

system = load_kept("figures/{page.run}/{FOLDER}/{example}")
clips = system.sample(max(1, system.n_classes))  # (n, 3, frames, size, size) in [-1, 1], one of each class
```
"""


def take_up(page: Page) -> list[str]:
    """Put what earlier sittings have kept, and today's code would train, where the run looks for it. Returns names.

    A file that is not whole or does not fit is named on stderr, and its training is done anew.
    """
    found = []
    for training, _, how, folder, path in places(page):
        done = checkpoints.load_checkpoint(folder)
        if not path.is_file() or (done is not None and done["step"] >= training.steps):
            continue
        try:
            kept = read_kept(path)
            system = fill(how.build(learning.clips_of(page, training)), kept, path)
        except ValueError as error:
            print(error, file=sys.stderr)
            continue
        for step, pixels in kept.snapshots.items():
            write_atomic(folder / f"snapshot-{step:08d}.pt", partial(torch.save, pixels))
        write_records(folder / "records.jsonl", kept.records)
        state = {
            "step": training.steps, "seconds": kept.records[-1].seconds, "stuck": 0,
            "system": halved(system.state_dict(), system), "optimisers": {},
        }  # fmt: skip
        checkpoints.save_checkpoint(folder, training.steps, state, keep=1)
        note(folder, page, training)
        found.append(training.name)
    place, source = judges_place(page), recorded_judge(page)
    if source and not place.is_dir():
        shutil.copytree(source, place)
        found.append("judge")
    return found


def draw_strip(page: Page) -> list[str]:
    """Draw held-out real clips above samples of HRVGAN for the same classes, moving: figures/<run>/strip.webp.

    Nothing is chosen by eye: the real clips are drawn at random, the samples are those that chapter 08 shows. Returns
    the file's name, nothing where the training is not kept yet.
    """
    main = row(page.profile, "hrvgan")
    path = next(path for training, *_, path in places(page) if training.name == main.name)
    if not header_of(path):
        return []
    train_clips, held_out = page.dataset("actions"), page.dataset("actions", split="test")
    asked = sorted(set(held_out.labels.tolist()))[:STRIP_CLIPS]
    shuffled = torch.randperm(len(held_out), generator=stream("strip", page.seed)).tolist()
    real, _ = held_out.batch([next(i for i in shuffled if held_out.labels[i] == label) for label in asked])
    system = load_kept(path)
    made = system.sample(len(asked), torch.tensor(asked), torch.Generator().manual_seed(page.seed))
    page.save_file(
        STRIP, lambda place: movie(torch.cat([real, made]), place, columns=len(asked)), [train_clips, held_out],
        samples=len(asked), steps=main.steps, batch=main.batch, trained_on=system.about["device"],
        alt="real clips above, generated ones below, one class a column: "
        + ", ".join(held_out.classes[label] for label in asked),
    )  # fmt: skip
    return [STRIP]


def judges_place(page: Page) -> Path:
    """Where the run's judge lies, or will."""
    train_set, test_set = (
        page.dataset("actions", split=split, **learning.judge_shape(page)) for split in ("train", "test")
    )
    return judge_place(train_set, test_set, recipe_of(page.profile), page.runs / JUDGES)


def recorded_judge(page: Page) -> Path | None:
    """Where the run's judge is kept; None where it is not."""
    place = page.figures / JUDGES / judges_place(page).name
    return place if (place / "judge.json").is_file() else None


def older(page: Page) -> list[str]:
    """The kept trainings that are marked: today's code would carry them out otherwise."""
    path = page.figures / OLDER
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def mark(page: Page, names: Sequence[str]) -> None:
    """Mark these kept trainings, and no others. Where one is marked, the book says so beside all that it shows."""
    if names:
        write_atomic(page.figures / OLDER, "".join(f"{name}\n" for name in names))
    else:
        (page.figures / OLDER).unlink(missing_ok=True)


def differing(page: Page) -> list[str]:
    """The kept trainings whose first steps, taken again by today's code, have other losses than were recorded; or
    which the run does not have any more."""
    known = {training.name: (training, how) for training, _, how, *_ in places(page)}
    found = []
    for path in sorted((page.figures / FOLDER).glob("*.safetensors")):
        about = header_of(path)
        name = about.get("training", "")
        if name not in known:
            found.append(name or path.name)
            continue
        training, how = known[name]
        clips = learning.clips_of(page, training)
        steps = min(REPLAYED, training.steps)
        then_in = arithmetic_of(page, training, path.stem) or getattr(torch, about.get("arithmetic", "float32"))
        now_in = loop.precision(page.device)  # a CPU takes minutes for steps in an arithmetic that it does not have
        share = ARITHMETICS[now_in] if now_in == then_in else ACROSS
        now = list(train(how.build(clips), clips, replace(how.config, steps=steps)))
        if not _alike(now, read_kept(path).records[:steps], share):
            found.append(name)
    return found


def _alike(now: Sequence[StepRecord], then: Sequence[StepRecord], share: float) -> bool:
    """Whether the same steps have the same terms, to this share of the largest that a term was: CPUs round in their own
    order, and a critic's term is a difference that comes close to zero."""
    pairs = [(mine.discriminator, theirs.discriminator) for mine, theirs in zip(now, then, strict=True)]
    pairs += [(mine.generator, theirs.generator) for mine, theirs in zip(now, then, strict=True)]
    largest: dict[str, float] = {}
    for _, theirs in pairs:
        largest |= {term: max(abs(value), largest.get(term, 1e-2)) for term, value in theirs.items()}
    return all(
        mine.keys() == theirs.keys() and all(abs(mine[term] - theirs[term]) <= share * largest[term] for term in mine)
        for mine, theirs in pairs
    )


def mixed(folder: Path) -> str:
    """Why a recorded folder is not of one run, in one line; "" where it is."""
    runs: dict[str, str] = {}
    for path in sorted(folder.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(record, dict) and "parameters" in record:
            runs.setdefault(str(record["parameters"]["run"]), path.name)
    for path in sorted((folder / FOLDER).glob("*.safetensors")):
        if header := header_of(path):  # what is not whole is named where it is read
            runs.setdefault(header.get("run", "no run"), f"{FOLDER}/{path.name}")
    if len(runs) < 2:
        return ""
    return f"{folder} holds files of {len(runs)} runs: " + ", ".join(f"{run} ({name})" for run, name in runs.items())


@command
def main(argv: list[str] | None = None) -> int:
    """One sitting: take up what is kept, run the series as `reproduce` does, keep what is finished, stopped or not.

    `--keep` alone keeps what has been finished so far, also while the run goes on; `--check` alone marks what today's
    code would train otherwise. Returns the series' status, or 2 for a request that cannot be met.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    only_keep, only_check = "--keep" in given, "--check" in given
    given = [word for word in given if word not in ("--keep", "--check")]
    try:
        settings = parse(given)
        known = ("profile", "seed", "data_root", "actions", "run", "rehearse", "allow_partial")
        page = open_page("edition", **{word: settings.parameters[word] for word in known})
        if why := mixed(page.figures):
            raise ValueError(f"{why}; move one of them away")
        if only_check:
            mark(page, names := differing(page))
            _say("recorded with older code", names)
            return 0
        if not only_keep:
            with alone(settings):
                _say("taken up", take_up(page))
        status = 0 if only_keep else reproduce(given)
        _say("kept", store(page))
        _say("drawn", draw_strip(page))
        if status == 0 and not only_keep:
            print(*said(page.figures), sep="\n", flush=True)
    except (ValueError, OSError) as error:
        print(f"edition: {line_of(error)}", file=sys.stderr)
        return 2
    return status


def _say(what: str, names: Sequence[str]) -> None:
    for name in names:
        print(f"{what}: {name}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
