"""A chapter's page: data sets, figures, tables, films, expectations, measurements, each with its provenance."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrvgan_lib import keys, provenance
from hrvgan_lib.book.measurements import Control, Measurement, Side, read_measurements, write_measurement
from hrvgan_lib.book.pictures import STYLE, display_png, movie, small_webp
from hrvgan_lib.book.progress import waiting
from hrvgan_lib.book.tables import html_table, markdown_table
from hrvgan_lib.devices import pick_device
from hrvgan_lib.files import sha256_file, to_json, write_atomic
from hrvgan_lib.profiles import MADE_BY, OLDER, RECORDED_RUNS, check_actions, get_profile, run_name

if TYPE_CHECKING:
    import torch
    from matplotlib.figure import Figure

    from hrvgan_lib.data import ClipDataset
    from hrvgan_lib.networks import System


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

    Raises ValueError for an unknown profile or action data set, FileNotFoundError for a missing data_root.
    """
    return Page(chapter, profile, seed, data_root, actions, run, rehearse, allow_partial)


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
        self.trainings: list[str] = []  # names of what the chapter has asked for (`book.learning`)

    @cached_property
    def device(self) -> torch.device:
        return pick_device()

    @cached_property
    def _code_hash(self) -> str | None:
        source = self.root / "notebooks" / f"{self.chapter}.py"
        return keys.chapter_code(source) if source.is_file() else None

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
        self, fig: Figure, name: str | None = None, alt: str = "", data: Iterable | None = None,
        samples: int | None = None,
    ) -> None:  # fmt: skip
        """Show `fig` inline as PNG; with a `name` save figures/<run>/<name>.png and its sidecar too.

        data: the data sets behind it; by default every one that the page has opened so far.
        """
        import matplotlib.pyplot as plt

        buffer = io.BytesIO()
        fig.savefig(buffer, format="png", metadata={"Software": None})
        plt.close(fig)  # else the inline backend shows it a second time
        png = buffer.getvalue()
        if name:
            self._save(f"{name}.png", png)
            self._sidecar(name, [f"{name}.png"], data, samples, alt=alt)
        display_png(png, alt)

    def table(
        self, rows: Sequence[dict], name: str | None = None, data: Iterable | None = None,
        samples: int | None = None, note: str = "", show: bool = True,
    ) -> None:  # fmt: skip
        """Show rows as a table; with a `name` save figures/<run>/<name>.csv, .md and a sidecar with the rows."""
        from IPython.display import display

        rows = [dict(row) for row in rows]
        columns = list(dict.fromkeys(key for row in rows for key in row))
        markdown = markdown_table(rows, columns, note)
        if name:
            text = io.StringIO()
            writer = csv.DictWriter(text, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            self._save(f"{name}.csv", text.getvalue())
            self._save(f"{name}.md", markdown)
            self._sidecar(name, [f"{name}.csv", f"{name}.md"], data, samples, rows=rows, note=note)
        if show:
            display({"text/html": html_table(rows, columns, note), "text/plain": markdown}, raw=True)

    def save_file(
        self, name: str, writer: Callable[[Path], Any], data: Iterable | None = None,
        samples: int | None = None, beside: Sequence[str] = (), **extra: Any,
    ) -> Path:  # fmt: skip
        """Let `writer(path)` write figures/<run>/<name>, a name with its extension; one sidecar names it and the files
        that were saved `beside` it. Returns the path."""
        path = self.figures / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".tmp.{path.name}")  # keeps the extension, which writers go by
        writer(temporary)
        temporary.replace(path)
        self._written[name] = sha256_file(path)
        self._sidecar(path.stem, [name, *beside], data, samples, **extra)
        return path

    def film(
        self, clips: Any, name: str, alt: str = "", data: Iterable | None = None, samples: int | None = None,
        columns: int = 0, fps: int = 12,
    ) -> None:  # fmt: skip
        """Show clips (N, 3, T, H, W) moving, and save figures/<run>/<name>.webp and its sidecar."""
        from IPython.display import display

        def write(path: Path) -> None:
            display(movie(clips, path, fps=fps, alt=alt, columns=columns))

        self.save_file(f"{name}.webp", write, data, samples, alt=alt)

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
        """The same file from a committed run: `run`, or the first recorded one that has it and is not this."""
        runs = (run,) if run else (one for one in RECORDED_RUNS if one != self.run)
        paths = (self.root / "figures" / one / filename for one in runs)
        return next((path for path in paths if path.is_file()), None)

    def recorded_system(self, name: str = "hrvgan_generator") -> System | None:
        """A recorded run's generator, where there is one of another run."""
        from hrvgan_lib.checkpoints import load_generator

        path = self.recorded(f"{name}.safetensors")
        return None if path is None else load_generator(path, self.device)

    def show_recorded(self, *filenames: str, run: str = "") -> None:
        """Show figures (.png), clips (.webp) and tables (.md) of a committed run, or say that there are none."""
        from IPython.display import HTML, Markdown, display

        if self.run == (run or RECORDED_RUNS[0]):
            print("this is the run that is recorded")
            return
        for filename in filenames:
            path = self.recorded(filename, run)
            found = (run or RECORDED_RUNS[0]) if path is None else path.parent.name
            sidecar = None if path is None else self.recorded(f"{path.stem}.json", found)
            if path is None or sidecar is None:
                print(f"not recorded yet: figures/{found}/{filename} and its sidecar are written by {MADE_BY[found]}")
                continue
            record = json.loads(sidecar.read_text(encoding="utf-8"))
            sets = "; ".join(dict.fromkeys(f"{one['name']}, {one['kind']}" for one in record["data"]))
            said = (
                f"Recorded{' with older code' if self.recorded(OLDER, found) else ''} on {record['device']}: "
                f"{sets or 'no data set'}, "
                + (f"{record['samples']} samples, " if record["samples"] else "")
                + f"seed {record['seeds'][0]}."
            )
            if path.suffix == ".md":
                display(Markdown(f"**{said}**\n\n{path.read_text(encoding='utf-8')}"))
            else:
                alt = html.escape(record.get("alt") or path.stem, quote=True)
                code = base64.b64encode(small_webp(path)).decode()
                display(
                    HTML(
                        f'<figure><img alt="{alt}" style="max-width: 100%" src="data:image/webp;base64,{code}">'
                        f"<figcaption>{html.escape(said)} In full: figures/{found}/{filename}</figcaption>"
                        "</figure>"
                    )
                )

    def expect(
        self, name: str, value: float, low: float | None = None, high: float | None = None,
        rtol: float | None = None, of: float | None = None, why: str = "", digits: int | None = None,
    ) -> Verdict:  # fmt: skip
        """Say in words whether `value` is where it should be: in [low, high], or within rtol of `of`.

        Words, so that nbval compares the verdict and not a number; `digits` adds the number where it is
        stable. The numbers go to <chapter>.usage.json. Returns the verdict, true
        or false; never raises.
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
        number = f" = {value:.{digits}g}" if digits else ""
        verdict = "as expected" if met else "NOT as expected"
        print(f"{verdict}: {name}{number} ({' and '.join(bounds)}){' - ' + why if why else ''}")
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
        others = [measured for measured in read_measurements(self.runs) if measured.chapter != self.chapter]
        return others + self._measurements

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
            "data": [_about(dataset) for dataset in self._datasets.values()],
            "trainings": self.trainings,
        }
        write_atomic(self.runs / f"{self.chapter}.usage.json", to_json(usage))
        if self._times:
            times = {"device": provenance.device_name(), "seconds": self._times}
            write_atomic(self.figures / f"{self.chapter}.times.json", to_json(times))
        for line in dict.fromkeys(dataset.describe() for dataset in self._datasets.values()):
            print("data:", line)
        print(f"run {self.run}, profile {self.profile.name}, seed {self.seed}, {provenance.device_name()}")
        print(", ".join(f"{name} {version}" for name, version in provenance.versions().items()))

    def _save(self, filename: str, content: bytes | str) -> None:
        path = write_atomic(self.figures / filename, content)
        self._written[filename] = sha256_file(path)

    def _sidecar(self, name: str, files: list[str], data: Iterable | None, samples: int | None, **extra: Any) -> None:
        datasets = self._datasets.values() if data is None else data
        record = {
            "chapter": self.chapter,
            "code_sha256": self._code_hash,
            "files": {file: self._written[file] for file in files},
            "parameters": {  # data_root is a path of this machine: `data` says what was in it
                "profile": asdict(self.profile), "actions": self.actions, "run": self.run,
                "allow_partial": self.allow_partial,
            },
            "seeds": [self.seed],
            "data": [_about(dataset) for dataset in datasets],
            "samples": samples,
            "device": provenance.device_name(),
            "versions": provenance.versions(),
            "seconds_since_chapter_start": round(time.perf_counter() - self.started, 1),
        }  # fmt: skip
        write_atomic(self.figures / f"{name}.json", to_json(record | extra))
        self._written[f"{name}.json"] = ""  # it has to be there; its wall time may differ


def _about(dataset: ClipDataset) -> dict[str, Any]:
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
