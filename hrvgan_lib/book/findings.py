"""What a run says, in five sentences made from its tables: of Tables 3 and 4, chapter 07 and the claims ledger."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrvgan_lib.book import ledgers
from hrvgan_lib.book.tables import read_csv
from hrvgan_lib.files import write_atomic
from hrvgan_lib.mishaps import command
from hrvgan_lib.profiles import MADE_BY, RECORDED_RUNS
from hrvgan_lib.provenance import repo_root

if TYPE_CHECKING:
    from hrvgan_lib.book.page import Page

Row = dict[str, str]
START = "<!-- made from figures/overnight: python -m hrvgan_lib.book.findings -->"  # what follows in README.md, ...
END = "<!-- end of what is made -->"  # ... up to here
TOLD = re.compile(r"(\S+) \[(\S+), (\S+)\]")  # an interval as tables print it
SAID = {  # headings of `ledgers.PAGE` in a sentence; of the others the first letter goes small
    "Holds by construction": "hold by construction", "Fails by construction": "fail by construction",
    "Undecided": "are undecided", "Void": "are void, since a control passes the same test",
    "Not testable here": "cannot be tested here", "Not measured in this run": "were not measured",
}  # fmt: skip


def findings(folder: Path) -> tuple[list[str], list[str]]:
    """What the tables in figures/<run>/ say: the sentences in order, and what is left out, each with the reason."""
    sentences, left_out = [], []
    for about, sentence in SENTENCES.items():
        try:
            sentences.append(sentence(folder))
        except FileNotFoundError as error:
            left_out.append(f"{about}: {Path(error.filename).name} is not there; make reproduce writes it")
        except KeyError as error:
            left_out.append(f"{about}: the table has no {error.args[0]!r}; make the run again with today's code")
    return sentences, left_out


def said(folder: Path) -> list[str]:
    """The lines that end `make edition`: the sentences, then what could not be said."""
    sentences, left_out = findings(folder)
    return [f"the run says: {one}" for one in sentences] + [f"not said of {one}" for one in left_out]


def tell(page: Page, *sentences: Callable[[Path], str]) -> None:
    """Say in a chapter what a recorded run's tables say: of each sentence the first run that ended the chapter."""
    from IPython.display import Markdown, display

    for sentence in sentences:
        for run in RECORDED_RUNS if page.run not in RECORDED_RUNS else (page.run,):
            if run != page.run and not page.ended(run):
                continue
            try:
                display(Markdown(f"**Recorded run `{run}`.** {sentence(page.root / 'figures' / run)}"))
                break
            except (FileNotFoundError, KeyError):
                continue
        else:
            print(f"no recorded run has the tables for this sentence: {MADE_BY[RECORDED_RUNS[-1]]} makes one")


def renewed(page: str, sentences: Iterable[str]) -> str:
    """A page of Markdown with these sentences, a list, between its two marks. ValueError where it has none."""
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"the page has no {START} ... {END}: put them where the sentences belong")
    return before + "\n".join([START, *(f"- {one}" for one in sentences), END]) + after


def score(folder: Path) -> str:
    """HRVGAN's Inception Score with labels, between real clips and the best rival, and whether it has learned."""
    rows, about = _table(folder, "table3_inception_score")
    ours = _find(rows, "HRVGAN, labels", "stable")
    real = _find(rows, "real clips (test split)")
    rivals = [row for row in _trained(rows) if not row["system"].startswith("HRVGAN") and isfinite(float(row["ours"]))]
    best = max(rivals, key=lambda row: float(row["ours"]), default=None)
    against = "no rival has a score"
    if best:
        behind = f"{best['recipe']}; {_seen([best])}"
        against = f"the best rival, {_plain(best['system'])} ({behind}), has {_interval(best)}"
    return (
        f"HRVGAN with labels has, after {_seen([ours])}, an Inception Score of {_interval(ours)} "
        f"where held-out real clips have {_interval(real)}, and {against}; it is "
        f"{'' if _clear(ours) else 'not '}clear of its own untrained network "
        f"({_data(about)}, {ours['N']} samples, 95 % intervals over {ours['interval over']}, {about['device']})."
    )


def learners(folder: Path) -> str:
    """Which trained systems of Table 3 are clear of their own untrained networks, and which are not."""
    rows, about = _table(folder, "table3_inception_score")
    trained = _trained(rows)
    clear, not_clear = ([row for row in trained if _clear(row) is held] for held in (True, False))
    if clear and not_clear:
        told = f"clear of their own untrained networks are {_names(clear)}; not clear are {_names(not_clear)}"
    elif clear:
        told = f"all {len(trained)} trained systems are clear of their own untrained networks"
    else:
        told = f"none of the {len(trained)} trained systems is clear of its own untrained network"
    behind = f"after {_seen(trained)}, {_numbers(trained, 'N')} samples each"
    return f"By Inception Score, {told} ({_data(about)}, {behind}, {about['device']})."


def samples(folder: Path) -> str:
    """What chapter 08 finds of the samples of HRVGAN with labels: named as asked, near, varied, and what is missing."""
    rows, about = _table(folder, "evaluation_panel")
    panel = {row["clips"]: row for row in rows}
    near, moves = (
        {row["clips"]: row for row in _table(folder, name)[0]}
        for name in ("evaluation_fidelity_variety", "evaluation_behaviour")
    )
    ours, real, start = (panel[name] for name in ("hrvgan", "real", "untrained"))
    named = {name: float(panel[name]["named right"]) for name in ("hrvgan", "hrvgan frozen", "real")}
    variety = float(moves["hrvgan"]["variety"]) / float(moves["real"]["variety"])
    covered, covered_by_real = (float(near[name]["coverage"].split()[0]) for name in ("hrvgan", "real"))
    asked = ours.get("named over") or f"{ours['N']} (a draw)"  # an older table does not say how many draws gave
    return (
        f"Of {asked} samples of HRVGAN with labels the judge names {named['hrvgan']:.0%} as asked (95 %: "
        f"{ours['named 95 %']}), of the same samples frozen {named['hrvgan frozen']:.0%}, of held-out real clips "
        f"{named['real']:.1%}. Their Fréchet distance is {float(ours['Fréchet distance']):.3g} (95 %: "
        f"{ours['FD 95 %']}), where real clips have {float(real['Fréchet distance']):.3g} and the untrained network "
        f"{float(start['Fréchet distance']):.3g}. They vary {variety:.2f} times as much as real clips, and "
        f"{covered:.0%} of the training clips have a sample near them, where {covered_by_real:.0%} have a held-out one "
        f"({_data(about)}, {about['device']})."
    )


def orders(folder: Path) -> str:
    """How many orders of Table 4 are decided between systems that have learned, which way, and how many are not."""
    rows, about = _table(folder, "table4_orders")
    trained = _trained(_table(folder, "table4_frechet_distance")[0])
    apart = [row for row in rows if row["order"] != "open"]
    firm = [row for row in apart if row["both clear of untrained"] == "True"]
    ways = Counter(row["order"] for row in firm)
    way = f", {ways['as in the paper']} as in the paper and {ways['the other way round']} the other way round"
    return (
        f"In Table 4, {len(firm)} of {len(rows)} orders of Fréchet distances are decided (the 95 % interval of the "
        f"difference leaves out zero, and both systems are clear of their own untrained networks){way if firm else ''}"
        f"; the interval of {len(apart) - len(firm)} leaves out zero but a system is not clear, that of "
        f"{len(rows) - len(apart)} holds zero "
        f"({_data(about)}, after {_seen(trained)}, {_numbers(trained, 'N')} samples a system, {about['device']})."
    )


def prediction(folder: Path) -> str:
    """How far a predictor with the combined objective is above or below the last frame held, and which way."""
    rows, about = _table(folder, "prediction_measures")
    named = {row["prediction"].removesuffix(" (diverged)"): row for row in rows}
    row = named["combined"]
    number = row["less held, dB"]
    found = TOLD.fullmatch(number)
    told, verdict = number.replace(" [", " dB [", 1), "which decides nothing"
    if found:
        value, low, high = map(float, found.groups())
        told = f"{value:.2f} dB [{low:.2f}, {high:.2f}]"
        verdict = "better" if low > 0 else "worse" if high < 0 else "no difference that can be told"
    return (
        f"In prediction, the PSNR of the {row['prediction']} objective less that of holding the last given frame is "
        f"{told}, {verdict} ({_data(about)}, {about['samples']} held-out clips, later half of the predicted frames, "
        f"after {_seen([row])}, {about['device']})."
    )


def claims(folder: Path) -> str:
    """How the paper's claims fare: held, did not, undecided, cannot be tested; printed shapes apart."""
    rows, about = _table(folder, "claims")
    rows = ledgers.reworded(rows)
    counts = Counter(ledgers.heading(row) for row in rows if row["kind"] != "shape")
    shapes = Counter(row["verdict"] for row in rows if row["kind"] == "shape")
    told = [f"{counts[name]} {SAID.get(name, name[:1].lower() + name[1:].replace(',', ''))}"
            for name, *_ in ledgers.PAGE if counts[name]]  # fmt: skip
    seeds = sorted({int(row["training seeds"]) for row in rows if row["training seeds"]})
    behind = f", from {' or '.join(map(str, seeds))} training seed{'s' * (seeds != [1])}" if seeds else ""
    printed = f"; of {shapes.total()} printed shapes {shapes[ledgers.AS_PRINTED]} are as printed" if shapes else ""
    where = f"{_kinds(rows)}{behind}, {about['device']}"
    return f"Of {counts.total()} claims of the paper, {_listed(told)}{printed} ({where})."


SENTENCES: dict[str, Callable[[Path], str]] = {
    "the Inception Score": score,
    "what has learned": learners,
    "the orders of Table 4": orders,
    "prediction": prediction,
    "the claims": claims,
}


def _table(folder: Path, name: str) -> tuple[list[Row], dict[str, Any]]:
    """A table's rows, and what its sidecar says of it. Raises FileNotFoundError."""
    rows = read_csv(Path(folder) / f"{name}.csv")
    return rows, json.loads((Path(folder) / f"{name}.json").read_text(encoding="utf-8"))


def _find(rows: Sequence[Row], system: str, recipe: str = "") -> Row:
    for row in rows:
        if row["system"] == system and row["recipe"] == recipe:
            return row
    raise KeyError(f"{system} {recipe}".strip())


def _trained(rows: Sequence[Row]) -> list[Row]:
    """The rows that have been held against their own untrained network. Raises KeyError where there is none."""
    if not (found := [row for row in rows if row["clear of untrained"]]):
        raise KeyError("trained system")
    return found


def _clear(row: Row) -> bool:
    return row["clear of untrained"] == "True"


def _interval(row: Row) -> str:
    return f"{float(row['ours']):.2f} [{float(row['95 % low']):.2f}, {float(row['95 % high']):.2f}]"


def _plain(system: str) -> str:
    return system.replace(", labels", " with labels").replace(", no labels", " without labels")


def _numbers(rows: Sequence[Row], column: str) -> str:
    """The least and the largest number of a column: "2,400 to 6,400"."""
    return " to ".join(f"{number:,}" for number in sorted({f(int(row[column]) for row in rows) for f in (min, max)}))


def _seen(rows: Sequence[Row]) -> str:
    return f"{_numbers(rows, 'clips seen')} clips"


def _names(rows: Sequence[Row]) -> str:
    """Systems with their recipes, each system once."""
    recipes: dict[str, list[str]] = {}
    for row in rows:
        recipes.setdefault(_plain(row["system"]), []).append(row["recipe"] + ", diverged" * bool(row["diverged"]))
    return _listed([f"{system} ({'; '.join(found)})" for system, found in recipes.items()])


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _data(about: dict[str, Any]) -> str:
    """The data sets of a sidecar in words: "procedural stand-ins for Golf and Aeroplane"."""
    names: dict[str, list[str]] = {}
    for one in about["data"]:
        title = "UCF101" if one["name"] == "ucf101" else one["name"].capitalize()
        if title not in names.setdefault(one["kind"], []):
            names[one["kind"]].append(title)
    told = {"procedural": "procedural stand-ins for ", "real": "real clips of "}
    return " and ".join(f"{told[kind]}{_listed(found)}" for kind, found in names.items())


def _kinds(rows: Sequence[Row]) -> str:
    """Of which kinds the data behind the claims is: the column holds "ucf101, procedural; golf, procedural"."""
    kinds = {one.rpartition(", ")[2] for row in rows for one in row["data"].split("; ") if one}
    return f"{_listed(sorted(kinds))} data" if kinds else "no data"


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Print what a recorded run says, and put it into README.md where all five sentences could be made."""
    parser = argparse.ArgumentParser("python -m hrvgan_lib.book.findings", description=main.__doc__)
    parser.add_argument("run", nargs="?", default="overnight", help="of which; default: overnight")
    root = repo_root()
    folder = root / "figures" / parser.parse_args(argv).run
    sentences, left_out = findings(folder)
    print("\n".join(said(folder)))
    if left_out:
        print(f"README.md is left as it is: lacking are {len(left_out)} of {len(SENTENCES)} sentences", file=sys.stderr)
        return 1
    page = root / "README.md"
    write_atomic(page, renewed(page.read_text(encoding="utf-8"), sentences))
    return 0


if __name__ == "__main__":
    sys.exit(main())
