"""Chapters as notebooks: read, run through papermill, judged honestly, paired with .ipynb (all chapters)."""

from __future__ import annotations

import argparse
import ast
import copy
import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrvgan_lib.book.page import LAB_VARIABLES
from hrvgan_lib.files import write_atomic
from hrvgan_lib.mishaps import command, line_of, told
from hrvgan_lib.provenance import peak_rss_mb, repo_root

if TYPE_CHECKING:
    from nbformat import NotebookNode

# One result on every machine and no progress bars in the pages.
KERNEL_ENVIRONMENT = {
    "TQDM_DISABLE": "1",
    "HRVGAN_HEADLESS": "1",  # nothing live: no progress (book/progress.py), no widgets (book/widgets.py)
    "PYTHONHASHSEED": "0",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "SOURCE_DATE_EPOCH": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # else ipykernel warns about frozen modules
    **dict.fromkeys(LAB_VARIABLES.values(), ""),  # in a terminal of JupyterLab they are set: meant for readers only
}
KERNELSPEC = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
# Cells that a reader opens when ready: what a run is told, an exercise's answer, a ledger's measurements.
FOLDED = {"parameters", "solution", "ledger"}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class Outcome:
    """How one execution ended: ok, failed, timed_out or killed; `cell` and `line` say where it stopped."""

    status: str
    seconds: float
    peak_rss_mb: float
    cell: int = 0  # number among the code cells, from 1
    line: str = ""  # the first line of that cell
    error: str = ""  # the error's last line

    @property
    def where(self) -> str:
        return f"code cell {self.cell} ({self.line})"


@dataclass
class _Place:
    """How far an execution has come, and its peak memory in MB."""

    cell: int = 0
    line: str = ""
    peak: float = 0.0


def find_chapters(folder: Path, selection: str = "") -> list[Path]:
    """The chapters' sources in order; `selection` is a comma-separated list of numbers or names.

    Raises ValueError for a selection that names no chapter.
    """
    chapters = sorted(Path(folder).glob("[0-9]*.py"))
    if not chapters:
        raise ValueError(f"no chapters ([0-9]*.py) in {folder}")
    wanted = [name.strip().removesuffix(".py") for name in selection.split(",") if name.strip()]
    for name in wanted:
        if not any(path.stem == name or path.stem.split("_")[0] == name for path in chapters):
            raise ValueError(f"no chapter {name!r}: there are {', '.join(path.stem for path in chapters)}")
    return [path for path in chapters if not wanted or {path.stem, path.stem.split("_")[0]} & {*wanted}]


def read_chapter(path: Path) -> NotebookNode:
    """The chapter as a notebook without outputs; cell ids are positions: equal sources give equal files.

    What is tagged `parameters`, `solution` or `ledger` stands folded in JupyterLab; a click on the bar beside it opens
    it.
    """
    import jupytext  # here and below: what takes seconds to import is imported when it is needed
    from nbformat import NotebookNode

    notebook = jupytext.read(path)
    for index, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{index:03d}"
        if FOLDED & {*cell.metadata.get("tags", [])}:
            cell.metadata["jupyter"] = NotebookNode(source_hidden=True, outputs_hidden=True)
    notebook.metadata = NotebookNode(kernelspec=NotebookNode(KERNELSPEC), language_info={"name": "python"})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def parameter_defaults(notebook: NotebookNode) -> dict[str, Any]:
    """Names and values that the cell tagged `parameters` assigns.

    Raises ValueError where no cell has that tag, or one assigns what is no plain value.
    """
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if not tagged:
        raise ValueError("no cell is tagged `parameters`: tag the one with profile, seed and the others")
    lines = [node for cell in tagged for node in ast.parse(cell.source).body if isinstance(node, ast.Assign)]
    try:
        return {ast.unparse(target): ast.literal_eval(line.value) for line in lines for target in line.targets}
    except ValueError:
        raise ValueError("the parameters cell assigns what is no plain value: move that to a cell below") from None


def code_cells_of(notebook: NotebookNode) -> list[NotebookNode]:
    """Code cells with something in them, without the one that papermill injects."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return [cell for cell in cells if "injected-parameters" not in cell.metadata.get("tags", [])]


def execute(
    path: Path, output: Path, parameters: dict[str, Any] | None = None, *, seconds: float = 3600,
    environment: dict[str, str] | None = None, on_cell: Callable[[int, int], None] = lambda cell, cells: None,
) -> Outcome:  # fmt: skip
    """Run a chapter in its own kernel, in its own folder, and leave what came of it at `output`.

    seconds: budget of the whole chapter. on_cell(cell, cells) is called as each code cell starts.
    papermill reports a killed kernel, a timeout and sys.exit(0) as success in one way or another (its saved
    notebook or its exit), so success here means: no exception, no error output, every code cell counted.
    """
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    from hrvgan_lib.series.kernel import Kernel

    source = read_chapter(path)
    started = time.monotonic()
    cells = len(code_cells_of(source)) + bool(parameters)  # papermill adds one with the injected values
    place = _Place()

    def starting(cell: NotebookNode, cell_index: int) -> None:
        if cell.cell_type == "code" and cell.source.strip():
            lines = [line for line in cell.source.splitlines() if line.strip() and not line.startswith("#")]
            place.cell, place.line = place.cell + 1, (lines or [""])[0].strip()
            on_cell(place.cell, cells)

    def executed(**_: Any) -> None:
        place.peak = max(place.peak, peak_rss_mb(Kernel.pid))

    def outcome(status: str, error: str = "") -> Outcome:
        took = round(time.monotonic() - started, 1)
        if status == "ok":
            return Outcome(status, took, place.peak)
        return Outcome(status, took, place.peak, place.cell, place.line, error)

    for name in ("papermill", "traitlets", "nbclient"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    package = str(Path(__file__).resolve().parents[2])  # the kernel imports the library that runs it
    path_variable = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
    settings = KERNEL_ENVIRONMENT | {"PYTHONPATH": path_variable} | (environment or {})
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    output.parent.mkdir(parents=True, exist_ok=True)
    Kernel.output = output.with_suffix(".log")
    Kernel.output.unlink(missing_ok=True)
    try:
        notebook = papermill.execute_notebook(
            source, str(output), parameters, kernel_name="python3", progress_bar=False, cwd=str(path.parent),
            kernel_manager_class=Kernel, coalesce_streams=True, on_cell_start=starting,
            on_cell_executed=executed, shell_timeout_interval=1, iopub_timeout=60, start_timeout=300,
            shutdown_kernel="immediate",
            timeout_func=lambda cell: max(1, round(seconds - (time.monotonic() - started))),
        )  # fmt: skip
    except PapermillExecutionError as error:
        return outcome("failed", told(f"{error.ename}: {error.evalue}".strip().splitlines()[0]))
    except CellTimeoutError:
        return outcome("timed_out", f"the chapter was given {seconds:g} s")
    except DeadKernelError:
        return outcome("killed", f"the kernel died (out of memory?) at {place.peak:,.0f} MB or more")
    except RuntimeError as error:
        return outcome("failed", f"the kernel did not start: {str(error).splitlines()[0]}")
    except OSError as error:  # of this process: papermill writes down what the kernel says
        return outcome("failed", f"{output}: {line_of(error)}")
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    for cell in code_cells_of(notebook):
        errors = [out for out in cell.outputs if out.output_type == "error"]
        if errors or cell.execution_count is None:
            return outcome("failed", "the chapter ended itself (sys.exit) before its last cell")
    return outcome("ok")


def merge_outputs(source: NotebookNode, executed: NotebookNode) -> NotebookNode:
    """`source` with the outputs of `executed`, whose code cells are the same: new prose, old results.

    Raises ValueError where the code cells differ.
    """
    merged, old = copy.deepcopy(source), code_cells_of(executed)
    new = code_cells_of(merged)
    if [cell.source for cell in new] != [cell.source for cell in old]:
        raise ValueError("the code cells differ from those that were executed: execute the chapter again")
    for cell, before in zip(new, old):
        cell.outputs, cell.execution_count = before.outputs, before.execution_count
    injected = [cell for cell in executed.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    for index, cell in enumerate(merged.cells):
        if injected and "parameters" in cell.metadata.get("tags", []):
            merged.cells[index + 1 : index + 1] = injected
            break
    merged.metadata = executed.metadata
    return merged


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    import nbformat

    write_atomic(path, nbformat.writes(notebook).rstrip("\n") + "\n")


def tidy(source: NotebookNode, executed: NotebookNode) -> NotebookNode:
    """What is committed: sources, outputs and counts; no timings, versions, paths or widget ids."""
    notebook = merge_outputs(source, executed)
    notebook.metadata = source.metadata
    for number, cell in enumerate(code_cells_of(notebook), 1):
        cell.execution_count = number
        for output in cell.outputs:
            if "execution_count" in output:
                output["execution_count"] = number
            if len(output.get("data", {})) > 1:
                output.data.pop(WIDGET_VIEW, None)  # its model is not in the file: the static twin shows
    return notebook


def write_pair(path: Path, prose_only: bool = False) -> Outcome:
    """Make NN_topic.ipynb from NN_topic.py: executed as it stands (smoke), or with the outputs that it has."""
    import nbformat

    pair = path.with_suffix(".ipynb")
    if prose_only:
        write_notebook(tidy(read_chapter(path), nbformat.read(pair, as_version=4)), pair)
        return Outcome("ok", 0.0, 0.0)
    partial = repo_root() / "runs" / "notebooks" / pair.name
    outcome = execute(path, partial)
    if outcome.status == "ok":
        write_notebook(tidy(read_chapter(path), nbformat.read(partial, as_version=4)), pair)
    return outcome


@command
def main(argv: list[str] | None = None) -> int:
    """`make notebooks`: execute the chapters named, all where none is, and write their pairs."""
    parser = argparse.ArgumentParser("hrvgan_lib.series.chapters", description=main.__doc__)
    parser.add_argument("selection", nargs="?", default="", help="only these: 06,08")
    parser.add_argument("--prose", action="store_true", help="new prose, old outputs: execute nothing")
    arguments = parser.parse_args(argv)
    for path in find_chapters(repo_root() / "notebooks", arguments.selection):
        outcome = write_pair(path, arguments.prose)
        size = path.with_suffix(".ipynb").stat().st_size / 1e6 if outcome.status == "ok" else 0
        print(f"{path.stem:24} {outcome.status:9} {outcome.seconds:6.1f} s  {size:.2f} MB", flush=True)
        if outcome.status != "ok":
            print(f"{path.stem}, {outcome.where}: {outcome.error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
