"""Tables on a page and in files: Markdown, HTML and CSV (all chapters)."""

from __future__ import annotations

import csv
import html
import math
from pathlib import Path


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
    words = ' style="text-align: left"'  # JupyterLab sets every cell to the right, which suits numbers only
    told = {column for column in columns if any(isinstance(row.get(column), str) for row in rows)}
    head = "".join(f"<th{words if column in told else ''}>{html.escape(column)}</th>" for column in columns)

    def cell(value: object) -> str:
        text = html.escape(_cell(value))
        if isinstance(value, Link):
            where = f'href="{html.escape(value.target)}"' if value.target else f'id="{html.escape(value.name)}"'
            text = f"<a {where}>{text}</a>"
        return f"<td{words if isinstance(value, str) else ''}>{text}</td>"

    body = "".join("<tr>" + "".join(cell(row.get(column)) for column in columns) + "</tr>\n" for row in rows)
    caption = f"<p>{html.escape(note)}</p>" if note else ""
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>{caption}"


def folded(summary: str, page: str) -> str:
    """HTML that opens at a click on its summary, in JupyterLab, in nbconvert's pages and on a code host."""
    return f"<details><summary>{html.escape(summary)}</summary>{page}</details>"
