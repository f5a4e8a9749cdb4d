"""A chapter's page: data sets, figures, tables, films, expectations, measurements, each with its provenance."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import textwrap
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrvgan_lib import keys, provenance
from hrvgan_lib.book.measurements import Control, Measurement, Side, read_measurements, write_measurement
from hrvgan_lib.book.pictures import (
    EMBEDDED,
    STYLE,
    animation,
    figure_html,
    film_bytes,
    small_png,
    small_webp,
    width_of,
)
from hrvgan_lib.book.progress import waiting
from hrvgan_lib.book.tables import folded, header_of, html_table, markdown_table
from hrvgan_lib.devices import pick_device
from hrvgan_lib.files import sha256_file, to_json, write_atomic
from hrvgan_lib.mishaps import in_full
from hrvgan_lib.profiles import MADE_BY, OLDER, RECORDED_RUNS, check_actions, get_profile, run_name

if TYPE_CHECKING:
    import torch
    from matplotlib.figure import Figure

    from hrvgan_lib.data import ClipDataset
    from hrvgan_lib.networks import System

# The parameters that `make lab` stands in for: as every chapter is printed, and the variables that say otherwise.
AS_PRINTED = {"profile": "smoke", "run": "", "actions": "ucf101", "data_root": ""}
LAB_VARIABLES = {name: f"HRVGAN_{name.upper()}" for name in AS_PRINTED}


LEARNS = {"07": "prediction_steps", "09": "side_steps", "11": "study_steps"}  # of a profile, by chapter; else "steps"


def open_page(
    chapter: str,
    *,
    profile: str = "smoke",
    seed: int = 0,
    data_root: str = "",
    actions: str = "ucf101",
    run: str = "",
    rehearse: bool = False,
    allow_partial: bool = False,
) -> Page:
    """Open a chapter's page with the values of its parameters cell.

    Where profile and run stand as printed, they are what `make lab` was told, by its variables.
    Raises ValueError for an unknown profile or action data set, FileNotFoundError for a missing data_root.
    """
    values = {"profile": profile, "run": run, "actions": actions, "data_root": data_root}
    if told := _told(values):
        values |= told
        name = run_name(values["profile"], values["actions"], rehearse, values["run"])
        print(f"profile {values['profile']}, run {name}: as `make lab` was told")
    return Page(chapter, seed=seed, rehearse=rehearse, allow_partial=allow_partial, **values)


def _told(values: dict[str, str]) -> dict[str, str]:
    """What `make lab` was told of those values that stand as printed; nothing where profile or run do not."""
    if any(values[name] != AS_PRINTED[name] for name in ("profile", "run")):
        return {}
    told = {name: os.environ.get(LAB_VARIABLES[name], "") for name in values if values[name] == AS_PRINTED[name]}
    return {name: value for name, value in told.items() if value}


class Verdict(int):
    """Whether an expectation was met, 1 or 0. Shows nothing at the end of a cell: the sentence is printed already."""

    def _ipython_display_(self) -> None:
        pass


class Page:
    """One chapter of one run: where its results go, and what is to be said about each of them."""

    def __init__(
        self, chapter: str, profile: str, seed: int, data_root: str, actions: str, run: str, rehearse: bool,
        allow_partial: bool,
    ) -> None:  # fmt: skip
        import matplotlib

        matplotlib.rcParams.update(STYLE)
        self.started = time.perf_counter()
        self.root = provenance.repo_root()
        self.chapter = chapter
        self.profile = get_profile(profile, rehearse)
        self.seed = int(seed)
        self.actions = check_actions(actions)
        self.run = run_name(profile, actions, rehearse, run)
        self.rehearse, self.allow_partial = bool(rehearse), bool(allow_partial)
        self.data_root = self.root / data_root if data_root else self.root / "data"
        if data_root and not self.data_root.is_dir():
            raise FileNotFoundError(f"data_root {data_root!r} is no folder: name the one with ucf101/ golf/ ...")
        self.runs = self.root / "runs" / self.run
        self.figures = self.root / "figures" / self.run
        self._datasets: dict[tuple, ClipDataset] = {}
        self._written: dict[str, str] = {}
        self._expectations: list[dict[str, Any]] = []
        self._measurements: list[Measurement] = []
        self._times: dict[str, float] = {}
        self.trainings: list[str] = []  # names of what the chapter has asked for (`book.learning`) ...
        self.taken: list[str] = []  # ... and of those that it was given out of a recorded run
        self.learning = False  # whether anything in the chapter has learned: a judge, a system
        self._figures = 0

    @cached_property
    def device(self) -> torch.device:
        return pick_device()

    @cached_property
    def _code_hash(self) -> str | None:
        source = self.root / "notebooks" / f"{self.chapter}.py"
        return keys.chapter_code(source) if source.is_file() else None

    @in_full
    def dataset(
        self, name: str = "actions", split: str = "train", frames: int | None = None, size: int | None = None,
        **options: Any,
    ) -> ClipDataset:  # fmt: skip
        """The data set `name` ("actions" is the run's labelled one) cut to the profile's frames and size.

        `options` go to `open_dataset`. The procedural stand-in does not depend on the run's seed.
        """
        from hrvgan_lib.data import open_dataset

        profile = self.profile
        name = self.actions if name == "actions" else name
        settings: dict[str, Any] = dict(
            split=split,
            frames=frames or profile.frames,
            size=size or profile.size,
            stride=self.stride(frames or profile.frames),
            clips_per_group=profile.clips_per_group,
            standin_frames=profile.standin_frames,
            stack_videos=profile.stack_videos,
            clips_per_video=profile.clips_per_video,
            allow_partial=self.allow_partial,
            progress=profile.name != "smoke",
        )
        settings |= options
        key = (name, *sorted(settings.items(), key=lambda item: item[0]))
        if key not in self._datasets:
            with waiting(f"clips of {name} are laid out"):
                self._datasets[key] = open_dataset(name, self.data_root, **settings)
        return self._datasets[key]

    def stride(self, frames: int) -> int:
        """Source frames between two frames of a clip of `frames` frames (decisions T3, E1)."""
        from hrvgan_lib.metrics.eyes.published import stride_for

        return stride_for(self.data_root, self.actions, frames)

    @property
    def measured(self) -> list[Measurement]:
        """What this chapter has put into the ledgers so far."""
        return list(self._measurements)

    def figure(
        self, fig: Figure, name: str | None = None, caption: str = "", alt: str = "", data: Iterable | None = None,
        samples: int | None = None, trained: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        """Show `fig` with its number and caption; with a `name` save figures/<run>/<name>.png and its sidecar too.

        In a chapter that trains, a named figure stands first as a recorded run has it, and then, small, this run's.

        caption: what is to be seen, in a sentence or two. alt: the picture in words, for who does not see it.
        data: the data sets behind it; by default every one that the page has opened so far. None, as `()`: then no
        training is named either.
        trained: the names in `trainings` behind it; by default every one that the chapter has asked for so far.
        """
        png = _png(fig)
        behind = {} if trained is None else {"trained": [self._trained_of(trained)] if trained else []}
        about = self._about(data, samples, caption=caption, alt=alt, **behind)
        if name:
            self._save(f"{name}.png", png)
            self._sidecar(name, [f"{name}.png"], about)
        self._show(png, name and f"{name}.png", about)

    def table(
        self, rows: Sequence[dict], name: str | None = None, data: Iterable | None = None, samples: int | None = None,
        note: str = "", show: bool = True, page_columns: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Show rows as a table; with a `name` save figures/<run>/<name>.csv, .md and a sidecar with the rows.

        In a chapter that trains, a named table stands first as a recorded run has it, and then, folded, this run's.

        page_columns: those that the page has room for; the files have them all.
        """
        from IPython.display import display

        rows = [dict(row) for row in rows]
        columns = list(dict.fromkeys(key for row in rows for key in row))
        about = self._about(data, samples, rows=rows, note=note)
        if name:
            text = io.StringIO()
            writer = csv.DictWriter(text, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            self._save(f"{name}.csv", text.getvalue())
            self._save(f"{name}.md", markdown_table(rows, columns, note))
            self._sidecar(name, [f"{name}.csv", f"{name}.md"], about)
        if not show:
            return
        shown = [column for column in page_columns or columns if column in columns]
        page, plain = html_table(rows, shown, note), markdown_table(rows, shown, note)
        if name and (found := self._recorded_twin(f"{name}.csv")):
            theirs, wide = found[1]["rows"], header_of(found[0])
            kept = [column for column in page_columns or wide if column in wide]
            page = (
                html_table(theirs, kept, f"{self._facts(found[1], found[0].parent.name)} {found[1].get('note', '')}")
                + folded(f"The same table from this run. {self._facts(about)}", page)
            )  # fmt: skip
        display({"text/html": page, "text/plain": plain}, raw=True)

    @in_full
    def save_file(
        self, name: str, writer: Callable[[Path], Any], data: Iterable | None = None,
        samples: int | None = None, beside: Sequence[str] = (), **extra: Any,
    ) -> Path:  # fmt: skip
        """Let `writer(path)` write figures/<run>/<name>, a name with its extension; one sidecar names it and the files
        that were saved `beside` it. Returns the path."""
        path = write_atomic(self.figures / name, writer)
        self._written[name] = sha256_file(path)
        self._sidecar(path.stem, [name, *beside], self._about(data, samples, **extra))
        return path

    def film(
        self, clips: Any, name: str | None = None, caption: str = "", alt: str = "", data: Iterable | None = None,
        samples: int | None = None, columns: int = 0, fps: int = 12,
    ) -> None:  # fmt: skip
        """Show clips (N, 3, T, H, W) moving, as `figure` shows a figure; with a `name` save figures/<run>/<name>.webp
        and its sidecar too."""
        film = film_bytes(clips, fps=fps, columns=columns)
        about = self._about(data, samples, caption=caption, alt=alt)
        if name:
            self._save(f"{name}.webp", film)
            self._sidecar(name, [f"{name}.webp"], about)
        self._show(film, name and f"{name}.webp", about)

    def plot(self, table: str, draw: Callable[[list[dict]], Figure], caption: str = "", alt: str = "") -> None:
        """Show what `draw` makes of the rows of a named table: first of a recorded run's, where it has them, and then,
        small, of this run's. Raises FileNotFoundError before the table was shown."""
        from IPython.display import display

        self._figures += 1
        said = {"caption": caption, "alt": alt}
        own = json.loads((self.figures / f"{table}.json").read_text(encoding="utf-8"))
        small, page = own | said, ""
        if found := self._recorded_twin(f"{table}.csv"):
            path, record = found
            page = self._picture(_png(draw(record["rows"])), record | said, path.parent.name)
            small |= {"caption": "The same from this run."}
        figure = draw(own["rows"])
        beside = round(0.65 * figure.get_figwidth() * figure.dpi) if found else 0
        page += self._picture(_png(figure), small, beside=beside)
        display({"text/html": page, "text/plain": f"Figure {self._number}. {caption} [{alt}]"}, raw=True)

    def animation(self, figures: Iterable[Figure], caption: str = "", alt: str = "", fps: int = 8) -> None:
        """Show figures one after the other, with number and caption as `figure` shows one."""
        self._show(animation(figures, fps), None, self._about(None, None, caption=caption, alt=alt))

    def model(
        self, name: str, system: System, title: str, facts: dict[str, str], data: Iterable | None = None,
        classes: Sequence[str] = (), use: str = "",
    ) -> None:  # fmt: skip
        """Save what `system` samples from as figures/<run>/<name>.safetensors, with a model card <name>.md.

        facts: the card's table, {what: in words}. use: the card's lines of code behind `system = load_generator(...)`;
        by default they draw one sample of each class. `checkpoints.load_generator` reads the file.
        """
        from hrvgan_lib.checkpoints import save_generator

        datasets = list(self._datasets.values() if data is None else data)
        facts = facts | {
            "clips": f"{system.frames} frames of {system.size}×{system.size}, float32 in [-1, 1]",
            "actions": ", ".join(classes) or "none",
            "trained on": "; ".join(dict.fromkeys(f"{d.describe()} ({d.kind})" for d in datasets)),
            "trained with": f"{provenance.device_name()}, seed {self.seed}, PyTorch {provenance.versions()['torch']}",
            "weights": "the generator's running average (decision O2), in half precision",
            "good for": "trying out chapter 09; it knows the clips that it was trained on and nothing else",
            "licence": "MIT",
        }
        path = self.figures / f"{name}.safetensors"
        sampling = f"clips = system.sample({max(1, system.n_classes)})  # one of each class: (n, 3, frames, size, size)"
        card = f"""# {title}

| | |
|---|---|
{chr(10).join(f"| {what} | {words} |" for what, words in facts.items())}

```python
from hrvgan_lib.checkpoints import load_generator

system = load_generator("{path.relative_to(self.root)}")
{use or sampling}
```
"""
        self._save(f"{name}.md", card)
        about = {"classes": list(classes), "title": title, "stride": self.stride(system.frames)} | facts
        self.save_file(path.name, lambda place: save_generator(place, system, **about), datasets, beside=[f"{name}.md"])

    def recorded(self, filename: str, run: str = "") -> Path | None:
        """The same file from a committed run: `run`, or the other recorded one that has learned from most clips.

        Of the recorded runs only those count that ended this chapter.
        """
        runs = [run] if run else [one for one in RECORDED_RUNS if one != self.run and self.ended(one)]
        paths = [path for one in runs if (path := self.root / "figures" / one / filename).is_file()]
        return max(paths, key=self._learned_from, default=None)

    def _learned_from(self, path: Path) -> int:
        """Clips that the systems of this chapter have learned from in the run behind a recorded file."""
        profile = _profile_behind(path)
        return profile.get(LEARNS.get(self.chapter[:2], "steps"), 0) * profile.get("batch", 0)

    def recorded_profile(self, filename: str, run: str = "") -> dict[str, Any]:
        """The profile of the run behind a `recorded` file, a name and a value for each field; {} without the file."""
        path = self.recorded(filename, run)
        return {} if path is None else _profile_behind(path)

    def ended(self, run: str) -> bool:
        """Whether a recorded run came to the end of this chapter: else it has a part of its results only."""
        status = self.root / "figures" / run / "status.json"
        rows = json.loads(status.read_text(encoding="utf-8")) if status.is_file() else []
        return all(row["status"] in ("ok", "cached") for row in rows if row["name"] == self.chapter)

    def recorded_system(self, name: str = "hrvgan_generator") -> System | None:
        """A recorded run's generator, where there is one of another run."""
        from hrvgan_lib.checkpoints import load_generator

        path = self.recorded(f"{name}.safetensors")
        return None if path is None else load_generator(path, self.device)

    def show_recorded(
        self, *filenames: str, run: str = "", caption: str = "", alt: str = "",
        draw: Callable[[list[dict]], Figure] | None = None,
    ) -> None:  # fmt: skip
        """Show figures (.png), clips (.webp) and tables (.csv) of a committed run that this run makes none of.

        caption, alt: today's words for a picture, in place of those that were recorded with it.
        draw: makes a picture of a table's rows, which is shown in the table's place.
        """
        from IPython.display import HTML, display

        for filename in filenames:
            found = self._recorded_twin(filename, run)
            if found is None:
                print(
                    f"figures/{run}/{filename} is not there: {MADE_BY[run]} writes it"
                    if run
                    else f"no recorded run has {filename}"
                )
            elif filename.endswith(".csv") and draw is None:
                path, record = found
                columns = header_of(path)
                note = f"{self._facts(record, path.parent.name)} {record.get('note', '')}"
                page, plain = html_table(record["rows"], columns, note), markdown_table(record["rows"], columns, note)
                display({"text/html": page, "text/plain": plain}, raw=True)
            else:
                path, record = found
                self._figures += 1
                record = {**record, **{name: words for name, words in (("caption", caption), ("alt", alt)) if words}}
                picture = _png(draw(record["rows"])) if draw else path
                display(HTML(self._picture(picture, record, path.parent.name)))

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of the table `name` that stand first on the page: as a recorded run has them, or else this run's.

        What a chapter says of a table in words it says of these. Raises FileNotFoundError before the table was shown.
        """
        found = self._recorded_twin(f"{name}.csv")
        path = self.figures / f"{name}.json"
        return found[1]["rows"] if found else json.loads(path.read_text(encoding="utf-8"))["rows"]

    def origin(self, name: str) -> str:
        """Which run the `rows` of a named table are from, in a sentence: sizes, budgets, seed, device."""
        found = self._recorded_twin(f"{name}.csv")
        if found:
            record, who = found[1], f"the recorded run `{found[0].parent.name}`"
        else:
            path = self.figures / f"{name}.json"
            record, who = json.loads(path.read_text(encoding="utf-8")), f"this run, `{self.run}`"
        profile = record["parameters"]["profile"]
        return (
            f"{who}, profile {profile['name']}: clips of {profile['frames']} frames of {profile['size']}×"
            f"{profile['size']}, {profile['width']:g} of the printed width; {profile['steps']:,} steps of "
            f"{profile['batch']} clips for the main systems, {profile['side_steps']:,} on Golf and Aeroplane, "
            f"{profile['prediction_steps']:,} for prediction, {profile['study_steps']:,} in the ablations; "
            f"{profile['samples']:,} samples a score; seed {record['seeds'][0]}; {record['device']}"
        )

    def _recorded_twin(self, filename: str, run: str = "") -> tuple[Path, dict[str, Any]] | None:
        """A recorded file with what its sidecar says of it; None where nothing has learned yet, or there is none."""
        path = self.recorded(filename, run) if self.learning or run else None
        sidecar = path and path.with_suffix(".json")
        if path is None or sidecar is None or not sidecar.is_file():
            return None
        return path, json.loads(sidecar.read_text(encoding="utf-8"))

    def _show(self, picture: bytes, filename: str | None, about: dict[str, Any]) -> None:
        """Show a picture: first as it was recorded, where it was, then this run's."""
        from IPython.display import display

        self._figures += 1
        found = self._recorded_twin(filename) if filename else None
        if found is None:
            page = self._picture(picture, about)
        else:
            path, record = found
            record = {**record, "caption": about["caption"], "alt": about["alt"]}  # in today's words
            theirs = self._picture(path, record, path.parent.name)
            small = round(0.65 * width_of(path))
            page = theirs + self._picture(picture, {**about, "caption": "The same from this run."}, beside=small)
        plain = f"Figure {self._number}. {about['caption']} [{about['alt']}]"
        display({"text/html": page, "text/plain": plain}, raw=True)

    @property
    def _number(self) -> str:
        """Of the last figure, such as 6.2."""
        return f"{self.chapter.split('_')[0].lstrip('0') or '0'}.{self._figures}"

    def _picture(self, picture: bytes | Path, record: dict[str, Any], run: str = "", beside: int = 0) -> str:
        """A picture of this run, or a recorded one by its path, in its full width; beside: another width, in pixels."""
        style = f"width: {beside}px; " if beside else ""
        if isinstance(picture, Path):
            style, picture = f"width: {width_of(picture)}px; ", small_webp(picture)
        elif beside and len(picture) > EMBEDDED:  # its own width is in the style
            picture = small_webp(io.BytesIO(picture))
        number = "" if beside else f"Figure {self._number}"
        facts = self._facts(record, run) if run or self.learning else self._data_words(record)
        alt = record.get("alt", "")
        return figure_html(picture, alt, number, record.get("caption") or alt, facts, style)

    @staticmethod
    def _data_words(record: dict[str, Any]) -> str:
        sets = "; ".join(dict.fromkeys(f"{one['name']}, {one['kind']}" for one in record["data"]))
        return f"Data: {sets}." if sets else ""

    def _facts(self, record: dict[str, Any], run: str = "") -> str:
        """Where a result comes from, in one line: device, data, what was trained, samples, seed."""
        older = run and (self.root / "figures" / run / OLDER).is_file()
        who = f"Recorded{' with older code' if older else ''} on" if run else f"Run {self.run}, on"
        sets = "; ".join(dict.fromkeys(f"{one['name']}, {one['kind']}" for one in record["data"]))
        said = [f"{who} {record['device']}: {sets or 'no data set'}", *record.get("trained", [])]
        said += [f"{record['samples']:,} sample{'s' * (record['samples'] != 1)}"] if record["samples"] else []
        return ", ".join([*said, f"seed {record['seeds'][0]}"]) + "."

    def expect(
        self, name: str, value: float, low: float | None = None, high: float | None = None,
        rtol: float | None = None, of: float | None = None, why: str = "", digits: int | None = None,
    ) -> Verdict:  # fmt: skip
        """Say whether `value` is where it should be: in [low, high], or within rtol of `of`; with the value itself.

        nbval leaves out how large it is (tests/nbval.cfg) and compares the verdict: machines differ in a late digit.
        `digits` is how many are printed, four by default. The numbers go to <chapter>.usage.json. Returns the verdict,
        true or false; never raises.
        """
        value = float(value)
        bounds = []
        if of is not None:
            tolerance = (rtol if rtol is not None else 1e-6) * abs(of)
            low, high = of - tolerance, of + tolerance
            bounds.append(f"{of:.4g} within {100 * (rtol if rtol is not None else 1e-6):g} %")
        else:
            bounds += [f"at least {low:.4g}"] if low is not None else []
            bounds += [f"at most {high:.4g}"] if high is not None else []
        met = math.isfinite(value) and (low is None or value >= low) and (high is None or value <= high)
        verdict = "as expected" if met else "NOT as expected"
        print(f"{verdict}: {name} = {value:.{digits or 4}g} ({' and '.join(bounds)}){' - ' + why if why else ''}")
        self._expectations.append({"name": name, "value": value, "low": low, "high": high, "met": met, "why": why})
        return Verdict(met)

    def measure(
        self, what: str, value: float, *, claim: str = "", decision: str = "", low: float | None = None,
        high: float | None = None, interval: Any = None, over: str = "", data: Iterable = (),
        sides: Iterable[Side] = (), controls: Iterable[Control] = (), has: Iterable[str] = (), shown: str = "",
        limit: float | None = None,
    ) -> None:  # fmt: skip
        """Put a measured number into a ledger: chapter 12 reads it, and gives its verdict.

        Args:
            what: the number in words.
            claim, decision: the entry that it answers; one of the two.
            low, high: the values for which a claim holds.
            interval: anything with `low` and `high`, the 95 % interval; none for what is computed exactly.
            over: what the interval is over ("samples", "3 training seeds").
            data: the data sets behind it; a real one that is whole counts as met in `Claim.needs`.
            sides: the trained systems behind it; two where it compares them.
            controls: the same number for what must not have the property.
            has: further keys of `paper.claims.NEEDS` that are met.
            shown: words to print instead of the number.
            limit: the number extrapolated to infinitely many clips, where it depends on how many there are.
        """
        sets = list(data)
        whole = [dataset.name for dataset in sets if dataset.kind == "real" and not self.allow_partial]
        value = float(value)
        self._measurements.append(Measurement(
            self.chapter, what, value, value if interval is None else float(interval.low),
            value if interval is None else float(interval.high), claim, decision,
            -math.inf if low is None else low, math.inf if high is None else high,
            over or ("samples" if interval is not None else ""),
            "; ".join(dict.fromkeys(f"{dataset.name}, {dataset.kind}" for dataset in sets)),
            tuple(dict.fromkeys([*whole, *has])), shown, tuple(sides), tuple(controls), limit,
        ))  # fmt: skip

    def took(self, what: str, seconds: float) -> None:
        """Note how long something took, for figures/<run>/<chapter>.times.json.

        Times are of one machine on one day: tables and ledgers, which equal runs share, hold none.
        """
        self._times[what] = float(seconds)

    def measurements(self) -> list[Measurement]:
        """What every chapter of this run has measured, this one's so far included."""
        self.learning = True  # other chapters' systems are behind what is shown from here on
        others = [measured for measured in read_measurements(self.runs) if measured.chapter != self.chapter]
        return others + self._measurements

    @in_full
    def colophon(self) -> None:
        """The last cell: write runs/<run>/<chapter>.usage.json and say what the page was made with."""
        usage = {
            "chapter": self.chapter,
            "seconds": round(time.perf_counter() - self.started, 2),
            "peak_rss_mb": provenance.peak_rss_mb(),
            "peak_cuda_mb": provenance.peak_cuda_mb(),
            "files": self._written,
            "expectations": self._expectations,
            "measurements": [write_measurement(measurement) for measurement in self._measurements],
            "data": [_data_about(dataset) for dataset in self._datasets.values()],
            "trainings": self.trainings,
        }
        write_atomic(self.runs / f"{self.chapter}.usage.json", to_json(usage))
        if self._times:
            times = {"device": provenance.device_name(), "seconds": self._times}
            write_atomic(self.figures / f"{self.chapter}.times.json", to_json(times))
        for line in dict.fromkeys(dataset.describe() for dataset in self._datasets.values()):
            print("data:", line)
        if self.taken:
            print(f"trained systems taken from the recorded run {self.profile.weights}: {len(set(self.taken))}")
        print(f"run {self.run}, profile {self.profile.name}, seed {self.seed}, {provenance.device_name()}")
        print(textwrap.fill(", ".join(f"{name} {version}" for name, version in provenance.versions().items()), 100))

    @in_full
    def _save(self, filename: str, content: bytes | str) -> None:
        path = write_atomic(self.figures / filename, content)
        self._written[filename] = sha256_file(path)

    def _about(self, data: Iterable | None, samples: int | None, **extra: Any) -> dict[str, Any]:
        """What a sidecar says of a result: code, parameters, seeds, data, device."""
        datasets = list(self._datasets.values() if data is None else data)
        untrained = data is not None and not datasets  # it is said to rest on no data: then on no training either
        return {
            "chapter": self.chapter,
            "code_sha256": self._code_hash,
            "parameters": {  # data_root is a path of this machine: `data` says what was in it
                "profile": asdict(self.profile), "actions": self.actions, "run": self.run,
                "allow_partial": self.allow_partial,
            },
            "seeds": [self.seed],
            "data": [_data_about(dataset) for dataset in datasets],
            "samples": samples,
            "trained": [self._trained_of(self.trainings, " so far")] if self.trainings and not untrained else [],
            "device": provenance.device_name(),
            "versions": provenance.versions(),
            "seconds_since_chapter_start": round(time.perf_counter() - self.started, 1),
        } | extra  # fmt: skip

    def _trained_of(self, trainings: Iterable[str], when: str = "") -> str:
        """Trainings in words: the name of one, the number of several, and how many came out of the recorded run."""
        names = list(dict.fromkeys(trainings))
        words = f"trained: {names[0]}" if len(names) == 1 else f"{len(names)} trainings{when}"
        taken = len(set(self.taken).intersection(names))
        return words + (f" ({taken} taken from the recorded run)" if taken else "")

    @in_full
    def _sidecar(self, name: str, files: list[str], about: dict[str, Any]) -> None:
        record = {"files": {file: self._written[file] for file in files}} | about
        write_atomic(self.figures / f"{name}.json", to_json(record))
        self._written[f"{name}.json"] = ""  # it has to be there; its wall time may differ


def _png(figure: Figure) -> bytes:
    """A figure as a small PNG; it is closed, or else the inline backend would show it a second time."""
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    plt.close(figure)
    return small_png(buffer.getvalue())


def _profile_behind(path: Path) -> dict[str, Any]:
    """The profile that the sidecar of a recorded file names; {} where it names none."""
    sidecar = path.with_suffix(".json")
    about = json.loads(sidecar.read_text(encoding="utf-8")) if sidecar.is_file() else {}
    return about.get("parameters", {}).get("profile", {})


def _data_about(dataset: ClipDataset) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "kind": dataset.kind,
        "split": dataset.split,
        "clips": len(dataset),
        "classes": dataset.n_classes,
        "frames": dataset.frames,
        "size": dataset.size,
        "stride": dataset.stride,
        "digest": dataset.digest,
    }
