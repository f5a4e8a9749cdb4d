"""The chapters: pairs agree, one parameters cell, all executed, every picture described, small, no paths."""

import ast
import json
import re
from pathlib import Path

import nbformat
import pytest
from jupytext.config import load_jupytext_config

from hrvgan_lib.series.chapters import read_chapter

ROOT = Path(__file__).resolve().parents[1]
OWN_PARAMETERS = {"11_ablations": {"long": False}}  # behind the book's, in chapters with a command of their own
SOURCES = sorted((ROOT / "notebooks").glob("[0-9]*.py"))
MACHINE_PATH = re.compile(r"(/(home|root|Users|tmp|work)/|[A-Z]:\\\\Users|" + re.escape(str(ROOT)) + ")")

chapters = pytest.mark.parametrize("path", SOURCES, ids=[path.stem for path in SOURCES])


def pair(path: Path):
    notebook = path.with_suffix(".ipynb")
    assert notebook.is_file(), f"{notebook.name} is missing: make notebooks"
    return nbformat.read(notebook, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


@chapters
def test_the_pair_is_equal(path):
    both = [
        [(cell.cell_type, cell.source, cell.metadata) for cell in nb.cells] for nb in (read_chapter(path), pair(path))
    ]
    assert both[0] == both[1], "make notebooks"


@chapters
def test_every_code_cell_has_run_without_error(path):
    for cell in code_cells(pair(path)):
        assert cell.execution_count is not None, cell.source
        allowed = "raises-exception" in cell.metadata.get("tags", [])
        assert allowed or not [out for out in cell.outputs if out.output_type == "error"], cell.source
        assert not [out for out in cell.outputs if out.get("name") == "stderr"], f"warnings: {cell.outputs}"


@chapters
def test_every_picture_has_a_caption_and_is_described(path):
    for cell in code_cells(pair(path)):
        for out in cell.outputs:
            data = out.get("data", {})
            assert not {"image/png", "image/jpeg", "image/svg+xml"} & {*data}, f"not through the page: {cell.source}"
            page = str(data.get("text/html", ""))
            for tag in re.findall(r"<img\b[^>]*>", page):
                assert re.search(r'\balt="[^"]{10,}"', tag), f"no alt text: {tag[:80]}"
            for figure in re.findall(r"<figcaption>(.*?)</figcaption>", page, re.S):
                words = re.sub(r"<details>.*|<i>.*?</i>|<b>.*?</b>|<[^>]*>", "", figure, flags=re.S)
                assert len(words.strip()) > 10, f"no caption: {cell.source}"
    for cell in pair(path).cells:
        if cell.cell_type == "markdown":
            assert "![](" not in cell.source, "no alt text in prose"


def test_solutions_and_ledgers_stand_folded(tmp_path):
    source = tmp_path / "01_toy.py"
    source.write_text('# %% tags=["solution", "nbval-check-output"]\nprint(1)\n\n# %%\nprint(2)\n')
    folded, open_ = read_chapter(source).cells
    assert folded.metadata["jupyter"] == {"source_hidden": True, "outputs_hidden": True}
    assert "jupyter" not in open_.metadata


@chapters
def test_the_file_is_small_and_knows_no_machine(path):
    notebook = pair(path)
    assert path.with_suffix(".ipynb").stat().st_size < 1_000_000
    for cell in code_cells(notebook):
        text = json.dumps([{**out.get("data", {}), "text": out.get("text", "")} for out in cell.outputs])
        text = re.sub(r'"image/\w+": "[^"]*"|base64,[A-Za-z0-9+/=]+', "", text)
        assert not (found := MACHINE_PATH.search(text)), f"{found[0]} in the output of: {cell.source}"


@chapters
def test_the_parameters_are_the_book_s(path):
    def parameters(source):
        tagged = [cell for cell in read_chapter(source).cells if "parameters" in cell.metadata.get("tags", [])]
        assert len(tagged) == 1
        return tagged[0].source

    own = OWN_PARAMETERS.get(path.stem, {})
    assert parameters(path).splitlines()[:7] == parameters(SOURCES[0]).splitlines()
    values = {node.targets[0].id: ast.literal_eval(node.value) for node in ast.parse(parameters(path)).body}
    assert values == {
        "profile": "smoke", "seed": 0, "data_root": "", "actions": "ucf101", "run": "", "rehearse": False,
        "allow_partial": False, **own,
    }  # fmt: skip


@chapters
def test_the_page_is_opened_under_its_name_and_closed(path):
    cells = [cell.source for cell in read_chapter(path).cells if cell.cell_type == "code"]
    assert any(f'book.open_page("{path.stem}"' in cell for cell in cells)
    assert any("page.colophon()" in cell for cell in cells)


def test_jupyterlab_accepts_the_pairing_settings():
    """With a setting of the wrong type JupyterLab shows no file at all, and nothing else notices."""
    settings = load_jupytext_config(str(SOURCES[0]))
    assert settings.outdated_text_notebook_margin == float("inf") and settings.formats


def test_only_chapters_are_pairs():
    assert load_jupytext_config(str(ROOT / "runs" / "cpu" / "09_latent_space.ipynb")) is None


@chapters
def test_the_source_has_no_header(path):
    """JupyterLab would write the reader's kernel into it."""
    assert path.read_text(encoding="utf-8").startswith("# %% [markdown]\n# # ")
