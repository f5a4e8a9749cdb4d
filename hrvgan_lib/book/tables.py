"""Tables on a page and in files: Markdown, HTML and CSV (all chapters)."""

from __future__ import annotations

import csv
import html
import math
from numbers import Integral
from pathlib import Path

UNBROKEN = 24  # characters: a cell of at most so many that holds a digit, such as an interval, stays on one line


class Link(str):
    """A table's cell that leads to `target`, or that others can lead to by `name`."""

    target: str
    name: str

    def __new__(cls, text: str, target: str = "", name: str = "") -> Link:
        link = super().__new__(cls, text)
        link.target, link.name = target, name
        return link


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a table that a page has saved."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def header_of(path: Path) -> list[str]:
    """The columns of a table that a page has saved, in their order."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    if isinstance(value, Integral):
        return f"{int(value):,}" if abs(int(value)) >= 10_000 else str(value)
    return str(value)


def _linked(value: object) -> str:
    target = getattr(value, "target", "")
    return f"[{value}]({target})" if target else _cell(value)


def markdown_table(rows: list[dict], columns: list[str], note: str) -> str:
    """Rows as a Markdown table with a note below it; links are kept."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        cells = [_linked(row.get(column)).replace("|", "\\|") for column in columns]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines + (["", note] if note else [])) + "\n"


def html_table(rows: list[dict], columns: list[str], note: str) -> str:
    """Rows as an HTML table with a note below it; links and their targets are kept."""
    words = "text-align: left"  # JupyterLab sets every cell to the right, which suits numbers only
    told = {column for column in columns if any(isinstance(row.get(column), str) for row in rows)}
    head = "".join(f"<th{_style(words * (column in told))}>{html.escape(column)}</th>" for column in columns)

    def cell(value: object) -> str:
        text = _cell(value)
        unbroken = {*text} & {*" –"} and len(text) <= UNBROKEN and any(map(str.isdigit, text))
        style = _style(words * isinstance(value, str), "white-space: nowrap" * bool(unbroken))
        return f"<td{style}>{_html(value)}</td>"

    body = "".join("<tr>" + "".join(cell(row.get(column)) for column in columns) + "</tr>\n" for row in rows)
    caption = f"<p>{html.escape(note)}</p>" if note else ""
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>{caption}"


def _style(*rules: str) -> str:
    kept = "; ".join(rule for rule in rules if rule)
    return f' style="{kept}"' if kept else ""


def _html(value: object) -> str:
    text = html.escape(_cell(value))
    if isinstance(value, Link):
        where = f'href="{html.escape(value.target)}"' if value.target else f'id="{html.escape(value.name)}"'
        text = f"<a {where}>{text}</a>"
    return text


def entry(name: str, title: str, said: str, facts: dict[str, object], anchored: bool = True) -> str:
    """A ledger's entry: a short line that opens, `title` and what is `said` of it, with its facts inside.

    A fact that is empty is left out, one that is a list has a line for each of its parts. With `anchored` a link to
    `name` leads here: JupyterLab looks for `data-jupyter-id`, which it makes of every id in a notebook that is not
    trusted and of none in one that is; a browser looks for `id`, and opens what it finds it in.
    """
    told = {what: [one for one in (fact if isinstance(fact, list) else [fact]) if one] for what, fact in facts.items()}
    items = [(what, parts) for what, parts in told.items() if parts]
    listed = "".join(
        f"<li><b>{html.escape(what)}</b>: "
        + (_html(parts[0]) if len(parts) == 1 else f"<ul>{''.join(f'<li>{_html(one)}</li>' for one in parts)}</ul>")
        + "</li>"
        for what, parts in items
    )
    here = html.escape(name)
    lands, place = (f' data-jupyter-id="{here}"', f'<span id="{here}" style="scroll-margin-top: 4em"></span>')
    summary = f"<summary><b>{html.escape(title)}</b>: {html.escape(said)}</summary>"
    return f"<details{lands if anchored else ''}>{summary}{place if anchored else ''}<ul>{listed}</ul></details>"


def folded(summary: str, page: str) -> str:
    """HTML that opens at a click on its summary, in JupyterLab, in nbconvert's pages and on a code host."""
    return f"<details><summary>{html.escape(summary)}</summary>{page}</details>"
