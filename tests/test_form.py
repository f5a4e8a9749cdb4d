"""The book's form, as far as a machine can see it: short cells, narrow tables, printed values, exercises, links.

A rule is a function from a chapter to its complaints, each with the cell and the remedy. One test holds every chapter
that has been rewritten against every rule; another spoils a made-up chapter that keeps them all, once for each rule.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import nbformat
import pytest

from hrvgan_lib.profiles import RECORDED_RUNS
from hrvgan_lib.series.chapters import FOLDED, find_chapters, read_chapter

ROOT = Path(__file__).resolve().parents[1]
REWRITTEN = ("00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13")

LINES, WIDTH, COLUMNS = 30, 120, 6  # of a code cell, of a line of code, of a table on the page
QUESTIONS, EXERCISES = 5, (3, 5)
WORDS, BOUNDS = "2,000 to 4,000", (1800, 4500)  # what a chapter aims at, and where the test says so
ALT_WORDS, CAPTION_WORDS = 5, 4
PICTURES = {  # what shows a picture, and its arguments in order
    "page.figure": ("fig", "name", "caption", "alt"),
    "page.film": ("clips", "name", "caption", "alt"),
    "page.plot": ("table", "draw", "caption", "alt"),
    "page.animation": ("figures", "caption", "alt"),
}


@dataclass(frozen=True)
class Chapter:
    """A chapter's source as cells, and its committed page: the same cells with what they printed."""

    path: Path
    cells: list
    page: list

    def at(self, cell: Any, complaint: str) -> str:
        """A complaint with its place: the chapter, the cell's id and the first line that says something."""
        lines = [line.strip() for line in cell.source.splitlines() if line.strip()]
        first = next((line for line in lines if cell.cell_type != "code" or not line.startswith("#")), "empty")
        return f"{self.path.stem}, {cell['id']} ({first[:60]}): {complaint}"

    def of(self, complaint: str) -> str:
        return f"{self.path.stem}: {complaint}"

    @property
    def code(self) -> list:
        return [cell for cell in self.cells if cell.cell_type == "code"]

    @property
    def prose(self) -> list:
        return [cell for cell in self.cells if cell.cell_type == "markdown"]


@cache
def committed(path: Path) -> Chapter:
    return Chapter(path, read_chapter(path).cells, nbformat.read(path.with_suffix(".ipynb"), as_version=4).cells)


# --- what a page consists of -----------------------------------------------------------------------------------------


def tags(cell: Any) -> set[str]:
    return {*cell.metadata.get("tags", [])}


def printed(cell: Any) -> Iterator[str]:
    """What a cell has printed, one text for each stream."""
    yield from ("".join(out.get("text", "")) for out in cell.get("outputs", []) if out.output_type == "stream")


def shown(chapter: Chapter, kind: str) -> Iterator[tuple[Any, str]]:
    """Every output of the kind "text/html" or "text/markdown", and the cell that it is in."""
    for cell in chapter.page:
        for out in cell.get("outputs", []):
            if kind in out.get("data", {}):
                yield cell, "".join(out.data[kind])


def plain(markdown: str) -> str:
    """Markdown without what is no text in it: code, formulas, comments."""
    for pattern in (r"^```.*?^```", r"<!--.*?-->", r"`[^`\n]+`", r"\$\$.*?\$\$", r"\$(?!\s)(?:[^$\n]|\n(?!\n))+\$"):
        markdown = re.sub(pattern, " ", markdown, flags=re.S | re.M)
    return markdown


def open_part(page: str) -> str:
    """HTML or Markdown without what is folded in it."""
    return re.sub(r"<details\b.*?</details>", " ", page, flags=re.S)


def headings(markdown: str) -> list[tuple[int, str]]:
    """Level and text of each heading; code has none."""
    markdown = re.sub(r"^```.*?^```", "", markdown, flags=re.S | re.M)
    return [(len(marks), text.strip()) for marks, text in re.findall(r"^(#{1,6})\s+(.+?)\s*$", markdown, re.M)]


def anchor(heading: str) -> str:
    """Where JupyterLab and nbconvert let a link to a heading end: its text without marks, hyphens for blanks."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[*`$]|<[^>]*>", "", text).strip().replace(" ", "-")


def section(chapter: Chapter, title: str) -> tuple[str, list]:
    """The Markdown below `## title`, up to the next heading of its level, and the code cells in it."""
    text, code, inside = [], [], False
    for cell in chapter.cells:
        if cell.cell_type == "code":
            code += [cell] if inside else []
            continue
        for line in cell.source.splitlines():
            if re.match(r"#{1,2}\s", line):
                inside = line.lstrip("#").strip() == title
            elif inside:
                text.append(line)
        text.append("")
    return "\n".join(text), code


def items(markdown: str) -> list[str]:
    """The items of the numbered lists in a text, each with what is indented below it."""
    parts = re.split(r"^(\d+)[.)]\s+", markdown, flags=re.M)
    found = []
    for number, text in zip(parts[1::2], parts[2::2]):
        kept = re.split(r"\n\s*\n(?=\S)", text)[0]  # a paragraph at the margin is no part of the item
        found.append(kept if int(number) == len(found) + 1 else f"{kept} (numbered {number})")
    return found


class Tables(HTMLParser):
    """The width in columns of every table that HTML holds, and of its first heads."""

    def __init__(self, page: str):
        super().__init__()
        self.widths: list[tuple[int, str]] = []
        self._row, self._widest, self._heads, self._in_head = 0, 0, [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self._widest, self._heads = 0, []
        elif tag == "tr":
            self._row = 0
        elif tag in ("th", "td"):
            self._row += int(dict(attrs).get("colspan") or 1)
            self._widest = max(self._widest, self._row)
            self._in_head = tag == "th"

    def handle_data(self, data):
        if self._in_head:
            self._heads.append(data.strip())
            self._in_head = False

    def handle_endtag(self, tag):
        if tag == "table":
            self.widths.append((self._widest, ", ".join(filter(None, self._heads[: self._widest]))))


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call below `tree` and the name of what is called: `print`, `page.expect`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


# --- the rules -------------------------------------------------------------------------------------------------------


def short_cells(chapter: Chapter) -> list[str]:
    remedy = (
        f"split it where something can be looked at, or move what two chapters need to the library (at most {LINES})"
    )
    lengths = [(cell, len(cell.source.splitlines())) for cell in chapter.code]
    return [chapter.at(cell, f"{length} lines: {remedy}") for cell, length in lengths if length > LINES]


def short_lines(chapter: Chapter) -> list[str]:
    return [
        chapter.at(cell, f"a line of {len(line)} characters: break it at {WIDTH}: {line.strip()[:50]}...")
        for cell in chapter.code
        for line in cell.source.splitlines()
        if len(line) > WIDTH
    ]


def narrow_tables(chapter: Chapter) -> list[str]:
    remedy = f"name at most {COLUMNS} of them in page.table(..., page_columns=[...]); the file keeps them all"
    found = [
        chapter.at(cell, f"a table of {width} columns ({heads[:70]}): {remedy}")
        for cell, page in shown(chapter, "text/html")
        for width, heads in Tables(open_part(page)).widths
        if width > COLUMNS
    ]
    written = [(cell, cell.source) for cell in chapter.prose] + [*shown(chapter, "text/markdown")]
    for cell, text in written:
        for line in re.findall(r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)+\|?\s*$", open_part(text), re.M):
            width = len(line.strip().strip("|").split("|"))
            if width > COLUMNS:
                found.append(chapter.at(cell, f"a table of {width} columns: write one of at most {COLUMNS}"))
    return found


def values_printed(chapter: Chapter) -> list[str]:
    """Every check prints its number, and no page is kept on which one fails."""
    found = []
    for cell in chapter.page:
        for line in (line for text in printed(cell) for line in text.splitlines() if "as expected" in line):
            value = re.search(r"as expected: .+ = (\S+) \(", line)
            if not value or not is_number(value[1]):
                found.append(chapter.at(cell, f"no value in {line.strip()!r}: use page.expect and execute the chapter"))
            if line.startswith("NOT"):
                found.append(chapter.at(cell, f"{line.strip()!r}: mend the sentence or its bounds"))
    return found


def is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def questions_answered(chapter: Chapter) -> list[str]:
    text, _ = section(chapter, "Check yourself")
    folds = re.findall(r"<details\b.*?</details>", text, re.S)
    questions, answers = items(open_part(text)), items("\n".join(folds))
    found = []
    if len(questions) < QUESTIONS:
        found.append(f"{len(questions)} numbered questions under '## Check yourself': ask at least {QUESTIONS}")
    if len(answers) != len(questions):
        found.append(
            f"{len(questions)} questions and {len(answers)} answers: one numbered list of them, folded, "
            "<details><summary>Answers</summary>"
        )
    found += ["a fold without <summary>: it says what it hides" for fold in folds if "<summary>" not in fold]
    found += [f"the list under '## Check yourself' does not count on at: {item[:50]}"
              for item in questions + answers if "(numbered" in item]  # fmt: skip
    return [chapter.of(complaint) for complaint in found]


def exercises_solved(chapter: Chapter) -> list[str]:
    text, code = section(chapter, "Exercises")
    tasks, solutions = items(text), [cell for cell in code if "solution" in tags(cell)]
    least, most = EXERCISES
    found = []
    if not least <= len(tasks) <= most:
        found.append(f"{len(tasks)} numbered exercises under '## Exercises': set {least} to {most}")
    found += [f"exercise {number} does not say what is *Expected:* ({task.split('.')[0][:50]})"
              for number, task in enumerate(tasks, 1) if "*Expected" not in task]  # fmt: skip
    if len(solutions) < len(tasks):
        found.append(f'{len(tasks)} exercises and {len(solutions)} cells tagged "solution" below them: solve each')
    held = [cell for cell in solutions if holds(cell)]
    if len(held) < len(tasks) <= len(solutions):
        loose = ", ".join(cell["id"] for cell in solutions if cell not in held)
        found.append(
            f"{len(tasks)} exercises and {len(held)} solutions that hold what is expected: assert it or page.expect it "
            f"in {loose}"
        )
    return [chapter.of(complaint) for complaint in found]


def holds(cell: Any) -> bool:
    """Whether a cell fails, or its page says so, where its result is another."""
    tree = ast.parse(cell.source)
    checks = [name for name, _ in calls(tree) if name == "page.expect" or name.split(".")[-1].startswith("assert_")]
    return bool(checks) or any(isinstance(node, ast.Assert) for node in ast.walk(tree))


def folded(chapter: Chapter) -> list[str]:
    wanted = {"source_hidden": True, "outputs_hidden": True}
    return [
        chapter.at(cell, f"tagged {', '.join(sorted(FOLDED & tags(cell)))} and not folded: make notebooks")
        for cell in chapter.page
        if FOLDED & tags(cell) and cell.metadata.get("jupyter") != wanted
    ]


def headings_unique(chapter: Chapter) -> list[str]:
    places = [(anchor(text).casefold(), cell) for cell in chapter.prose for _, text in headings(cell.source)]
    seen: set[str] = set()
    found = []
    for name, cell in places:
        if name in seen:
            found.append(chapter.at(cell, f"the heading {name!r} stands here again: a link could lead to either"))
        seen.add(name)
    return found


def links_lead_somewhere(chapter: Chapter) -> list[str]:
    texts = [(cell, plain(cell.source)) for cell in chapter.prose]
    texts += [*shown(chapter, "text/html"), *shown(chapter, "text/markdown")]
    found = []
    for cell, text in texts:
        for target in re.findall(r'\]\(([^)\s]+)[^)]*\)|<a\b[^>]*\bhref="([^"]*)"', text):
            if wrong := leads_nowhere(chapter, target[0] or target[1]):
                found.append(chapter.at(cell, wrong))
    return list(dict.fromkeys(found))


def leads_nowhere(chapter: Chapter, target: str) -> str:
    """Why a link leads nowhere; empty where it does lead somewhere, or out of the book."""
    if re.match(r"\w+:", target):
        return ""
    place, _, name = target.partition("#")
    path = (chapter.path.parent / unquote(place)).resolve() if place else chapter.path
    recorded = [ROOT / "figures" / run for run in RECORDED_RUNS]
    if any(run in (path, *path.parents) and not run.is_dir() for run in recorded):
        return ""  # the recorded run is not in this clone
    if not path.exists():
        return f"the link {target} leads to no file: chapters are NN_topic.ipynb, in the same folder"
    if name and unquote(name) not in (anchors(chapter) if path == chapter.path else anchors_of(path)):
        return f"the link {target} leads to no heading (write its text with - for blanks) and no ledger entry"
    return ""


@cache
def anchors_of(path: Path) -> set[str]:
    source = path.with_suffix(".py")
    return anchors(committed(source)) if source.is_file() else set()


def anchors(chapter: Chapter) -> set[str]:
    """Where a link into a chapter may end: headings, and what has an id, such as the ledger's entries."""
    written = [cell.source for cell in chapter.prose] + [text for _, text in shown(chapter, "text/markdown")]
    pages = [*written, *(page for _, page in shown(chapter, "text/html"))]
    names = {anchor(text) for markdown in written for _, text in headings(markdown)}
    return names | {name for page in pages for name in re.findall(r'<\w+\b[^>]*\bid="([^"]+)"', page)}


def pictures_described(chapter: Chapter) -> list[str]:
    found = []
    for cell in chapter.code:
        for name, call in calls(ast.parse(cell.source)):
            if name in PICTURES:
                given = {word.arg for word in call.keywords} | {*PICTURES[name][: len(call.args)]}
                found += [chapter.at(cell, f"{name} without {word}=...") for word in ("caption", "alt")
                          if word not in given]  # fmt: skip
    for cell, page in shown(chapter, "text/html"):
        found += [chapter.at(cell, wrong) for wrong in undescribed(page)]
    for cell in chapter.page:
        kinds = {kind for out in cell.get("outputs", []) for kind in out.get("data", {}) if kind.startswith("image/")}
        found += [chapter.at(cell, f"a bare {kind}: show it with page.figure") for kind in sorted(kinds)]
    for cell in chapter.prose:
        for alt, rest in re.findall(r"!\[([^]]*)\]\([^)]*\)(.{0,5})", plain(cell.source), re.S):
            if len(alt.split()) < ALT_WORDS:
                found.append(chapter.at(cell, f"a picture in prose with the alt text {alt!r}: say what it shows"))
            if not re.match(r"\n\n\*\w", rest):
                found.append(chapter.at(cell, "a picture in prose without a caption: a line *in italics* below it"))
        found += [chapter.at(cell, wrong) for wrong in undescribed(cell.source)]
    return found


def undescribed(page: str) -> list[str]:
    """What the pictures in HTML lack: an alt text in words, and a caption of their own."""
    alts = [re.search(r'\balt="([^"]*)"', tag) for tag in re.findall(r"<img\b[^>]*>", page)]
    found = [f"the alt text {alt[1] if alt else ''!r}: say what the picture shows, alt=..."
             for alt in alts if not alt or len(alt[1].split()) < ALT_WORDS]  # fmt: skip
    captions = re.findall(r"<figure\b.*?</figure>", page, re.S)
    if sum("<img" in figure for figure in captions) < len(alts):
        found.append("a picture without a caption below it: page.figure, page.film or book.widgets.captioned")
    for figure in captions:
        caption = re.search(r"<figcaption>(.*?)</figcaption>", open_part(figure), re.S)
        words = re.sub(r"<i>.*?</i>|<b>.*?</b>|<[^>]*>", "", caption[1] if caption else "", flags=re.S)
        if "<img" in figure and len(words.split()) < CAPTION_WORDS:
            found.append(f"the caption {words.strip()!r}: say what to see, caption=...")
    return found


def words_of(chapter: Chapter) -> int:
    """Words in a chapter's prose, its tables, questions and answers included; formulas and code are none."""
    text = " ".join(re.sub(r"\]\([^)]*\)|<[^>]*>", " ", plain(cell.source)) for cell in chapter.prose)
    return len([word for word in text.split() if re.search(r"[^\W\d_]", word)])


def fair_length(chapter: Chapter) -> list[str]:
    words, (least, most) = words_of(chapter), BOUNDS
    return [] if least <= words <= most else [chapter.of(f"{words:,} words of prose: {WORDS} are a chapter")]


def measurements_seen(chapter: Chapter) -> list[str]:
    """A measurement answers a question on the page, or stands with the others in a folded cell."""
    remedy = 'print its number there, or move it to the cell tagged "ledger"'
    printers = {"print", "display", "page.expect", "page.table"}
    found = []
    for cell in chapter.code:
        tree = ast.parse(cell.source)
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        inner = [{name for name, _ in calls(function)} for function in functions]
        printers |= {function.name for function, names in zip(functions, inner) if printers & names}
        inside = {call for function in functions for _, call in calls(function)}
        outer = {name for name, call in calls(tree) if call not in inside}
        silent = [names for names in (outer, *inner) if "page.measure" in names and not printers & (names | outer)]
        if silent and "ledger" not in tags(cell):
            found.append(chapter.at(cell, f"page.measure in a cell that prints nothing: {remedy}"))
    return found


RULES: tuple[Callable[[Chapter], list[str]], ...] = (
    short_cells, short_lines, narrow_tables, values_printed, questions_answered, exercises_solved, folded,
    headings_unique, links_lead_somewhere, pictures_described, fair_length, measurements_seen,
)  # fmt: skip
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
SOURCES = find_chapters(ROOT / "notebooks", ",".join(REWRITTEN))


@every_rule
@pytest.mark.parametrize("path", SOURCES, ids=[path.stem for path in SOURCES])
def test_a_chapter_keeps_to_the_book_s_form(path, rule):
    complaints = rule(committed(path))
    assert not complaints, "\n".join(["", *complaints])


# --- the rules themselves: a made-up chapter that keeps them all, and what each of them sees --------------------------

TOY = """# %% [markdown]
# # 01 · A toy
#
# WORDS of every kind, one formula $a | b$ and a link: [A12](12_ledger.ipynb#A12), [below](#What-we-do).
#
# ## What *we* do
#
# | short | table |
# |---|---|
# | one | two |

# %%
value = 2
page.measure("a number", value, claim="toy")
page.expect("a number", value, high=3)
#> as expected: a number = 2 (at most 3) - it is two

# %%
page.figure(fig, name="toy", caption="A line that goes up.", alt="A line plot of five points, rising.")
#<figure><img alt="A line plot of five points, rising." src="data:,">
#<figcaption><b>Figure 1.1.</b> A line that goes up. <i>Data: none.</i>
#<details><summary>The picture in words</summary>A line plot.</details></figcaption></figure>

# %%
page.table(rows, page_columns=["one", "two"])
#<table><thead><tr><th>one</th><th>two</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>
#<details><summary>The same from this run</summary><table><tr><th colspan="9">wide</th></tr></table></details>

# %% [markdown]
# ## Check yourself
#
# 1. First?
# 2. Second?
# 3. Third?
# 4. Fourth?
# 5. Fifth?
#
# <details><summary>Answers</summary>
#
# 1. One.
# 2. Two.
# 3. Three.
# 4. Four.
# 5. Five.
#
# </details>
#
# ## Exercises
#
# 1. *(warm-up)* Add. *Expected:* 2.
# 2. *(easy)* Double it.
#    *Expected:* 4.
# 3. *(hard)* Square it. *Expected:* 16.

# %% tags=["solution"]
assert value == 2

# %% tags=["solution"]
page.expect("double", 2 * value, of=4)
#> as expected: double = 4 (4 within 0.0001 %)

# %% tags=["solution"]
assert (2 * value) ** 2 == 16

# %% [markdown]
# ## For the ledger

# %% tags=["ledger"]
page.measure("another number", 1, decision="A12")
""".replace("WORDS", "word " * 2000)
LEDGER = """# %% [markdown]
# # 12 · The ledger

# %%
show(rows)
#<table><tr><td><a id="A12">A12</a></td></tr></table>
"""


def made_up(folder: Path, source: str, name: str = "01_toy") -> Chapter:
    """A chapter out of its source, in which lines `#> ...` are printed and lines `#<...` are shown as HTML."""
    path = folder / f"{name}.py"
    path.write_text(re.sub(r"^#[<>].*\n", "", source, flags=re.M), encoding="utf-8")
    cells, page = read_chapter(path).cells, read_chapter(path).cells
    for cell, text in zip(page, re.split(r"^# %%.*\n", source, flags=re.M)[1:], strict=True):
        if lines := re.findall(r"^#> (.*)", text, re.M):
            cell.outputs.append(nbformat.v4.new_output("stream", name="stdout", text="\n".join(lines)))
        if lines := re.findall(r"^#(<.*)", text, re.M):
            data = {"text/html": "\n".join(lines), "text/plain": "shown"}
            cell.outputs.append(nbformat.v4.new_output("display_data", data))
    nbformat.write(nbformat.v4.new_notebook(cells=page), path.with_suffix(".ipynb"))
    return Chapter(path, cells, page)


def spoilt(folder: Path, old: str, new: str) -> Chapter:
    assert old in TOY
    made_up(folder, LEDGER, "12_ledger")
    return made_up(folder, TOY.replace(old, new, 1))


@every_rule
def test_nothing_is_held_against_a_chapter_that_keeps_to_the_form(tmp_path, rule):
    assert rule(spoilt(tmp_path, "value = 2", "value = 2")) == []


BROKEN = [
    (short_cells, "value = 2", "# why\n\n" * 14 + "value = 2", "cell-001 (value = 2): 31 lines: split it"),
    (short_lines, "value = 2", f"value = 2  # {'so ' * 40}", "cell-001 (value = 2"),
    (narrow_tables, "<th>one</th>", "<th>one</th>" * 6, "cell-003 (page.table(rows, page_columns=["),
    (narrow_tables, "<tr><td>1", "<tr><td colspan=\"6\">1", "a table of 7 columns (one, two)"),
    (narrow_tables, "# |---|---|", "# |" + "---|" * 7, "cell-000 (# 01 · A toy): a table of 7 columns"),
    (values_printed, "a number = 2 (", "a number (", "no value in 'as expected: a number (at most 3)"),
    (values_printed, "a number = 2 (", "a number = fine (", "no value in"),
    (values_printed, "#> as expected: a number", "#> this is as expected", "no value in 'this is as expected"),
    (values_printed, "#> as", "#> NOT as", "mend the sentence or its bounds"),
    (questions_answered, "# 5. Fifth?\n", "", "4 numbered questions"),
    (questions_answered, "# 5. Five.\n", "", "5 questions and 4 answers"),
    (questions_answered, "<details><summary>Answers</summary>\n", "\n", "10 questions and 0 answers"),
    (questions_answered, "<summary>Answers</summary>", "Answers", "a fold without <summary>"),
    (questions_answered, "# 3. Third?", "# 2. Third?", "does not count on at: Third?"),
    (questions_answered, "## Check yourself", "## Test yourself", "0 numbered questions"),
    (exercises_solved, "# 3. *(hard)* Square it. *Expected:* 16.\n", "", "2 numbered exercises"),
    (exercises_solved, "#    *Expected:* 4.\n", "", "exercise 2 does not say what is *Expected:* (*(easy)* Double it)"),
    (exercises_solved, '# %% tags=["solution"]\nassert (', "# %%\nassert (", "3 exercises and 2 cells"),
    (exercises_solved, "assert value == 2", "print(value)", "3 exercises and 2 solutions that hold what is expected: "
     "assert it or page.expect it in cell-005"),
    (headings_unique, "## For the ledger", "## What we do", "cell-008 (## What we do): the heading 'what-we-do'"),
    (links_lead_somewhere, "(12_ledger.ipynb#A12)", "(13_ledger.ipynb#A12)", "cell-000 (# 01 · A toy): the link "
     "13_ledger.ipynb#A12 leads to no file"),
    (links_lead_somewhere, "#A12)", "#A13)", "12_ledger.ipynb#A13 leads to no heading"),
    (links_lead_somewhere, "(#What-we-do)", "(#what-we-do)", "#what-we-do leads to no heading"),
    (links_lead_somewhere, "<td>1</td>", '<td><a href="03_gone.ipynb">1</a></td>', "cell-003"),
    (pictures_described, ', alt="A line plot of five points, rising.")', ")", "page.figure without alt="),
    (pictures_described, 'caption="A line that goes up.", ', "", "page.figure without caption="),
    (pictures_described, '<img alt="A line plot of five points, rising."', "<img", "the alt text ''"),
    (pictures_described, " A line that goes up. <i>", " <i>", "the caption ''"),
    (pictures_described, "<td>1</td>", '<td><img alt="A line plot of five points."></td>', "without a caption below"),
    (pictures_described, "# ## For the ledger", "# ![](a.png)", "a picture in prose with the alt text ''"),
    (pictures_described, "# ## For the ledger", "# ![five points on a rising line](a.png)", "without a caption"),
    (fair_length, "word " * 300, "", "1,7"),
    (fair_length, "word ", "word " * 2600, "4,6"),
    (measurements_seen, 'page.expect("a number", value, high=3)\n', "", "cell-001 (value = 2): page.measure"),
    (measurements_seen, 'page.expect("a number", value, high=3)', "def later():\n    print(value)", "cell-001"),
    (measurements_seen, 'tags=["ledger"]', "", "cell-009 (page.measure"),
]  # fmt: skip


@pytest.mark.parametrize("rule, old, new, complaint", BROKEN)
def test_a_rule_sees_what_breaks_it(tmp_path, rule, old, new, complaint):
    complaints = rule(spoilt(tmp_path, old, new))
    assert [one for one in complaints if one.startswith("01_toy") and complaint in one], complaints


def test_a_cell_that_stands_open_is_seen(tmp_path):
    chapter = spoilt(tmp_path, "value = 2", "value = 2")
    del chapter.page[-1].metadata["jupyter"]
    (complaint,) = folded(chapter)
    assert complaint.startswith("01_toy, cell-009 (page.measure") and complaint.endswith("make notebooks")


def test_every_rule_is_tried_on_a_chapter_that_breaks_it():
    tried = {rule for rule, *_ in BROKEN}
    assert tried | {folded} == {*RULES}
