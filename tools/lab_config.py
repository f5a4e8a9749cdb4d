"""JupyterLab's settings under `make lab`: looking at a chapter changes no file (docs/tools.md)."""

import json
import warnings
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import jupytext
from ipykernel.ipkernel import IPythonKernel
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = "notebooks/[0-9]*"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class Files(AsyncLargeFileManager):
    """Chapters are read as if the kernel of this Python had saved them.

    JupyterLab notes its kernel's Python in a notebook, and finds it there already: without a keystroke the page has no
    changes, is not saved, and closes without a question.
    """

    async def get(
        self, path: str, content: bool = True, type: Any = None, format: Any = None, require_hash: bool = False
    ) -> dict[str, Any]:
        model = await super().get(path, content, type, format, require_hash)
        if content and model["type"] == "notebook" and fnmatch(path, f"{CHAPTERS}.ipynb"):
            model["content"]["metadata"]["language_info"] = dict(IPythonKernel.language_info)
        return model


def cells_of(text: str) -> list[tuple]:
    """What a py:percent file says, however its cells' metadata are spelled."""
    return [(cell.cell_type, cell.source, cell.metadata) for cell in jupytext.reads(text, "py:percent").cells]


def keep_as_committed(model: dict[str, Any], path: str, contents_manager: Any, **_: Any) -> None:
    """Before a file is saved: take out what this machine would put into it, and not the reader.

    JupyterLab notes its kernel, jupytext its settings, and jupytext writes the source in a spelling of its own. Widgets
    are lost with their kernel: a view of one gives way to its static twin, so that the page shows something when it is
    opened again.
    """
    file, content = Path(contents_manager.root_dir, path), model.get("content")
    if model["type"] == "notebook":
        content["metadata"].pop("widgets", None)
        for output in (output for cell in content["cells"] for output in cell.get("outputs", [])):
            if len(output.get("data", {})) > 1:
                output["data"].pop(WIDGET_VIEW, None)
        if fnmatch(path, f"{CHAPTERS}.ipynb") and file.is_file():
            content["metadata"] = json.loads(file.read_text(encoding="utf-8"))["metadata"]
    elif model["type"] == "file" and fnmatch(path, f"{CHAPTERS}.py") and file.is_file():
        kept = file.read_text(encoding="utf-8")
        if cells_of(content) == cells_of(kept):
            model["content"] = kept


c = get_config()  # noqa: F821  (JupyterLab runs this file and puts it there)
c.ServerApp.root_dir = str(ROOT)
c.LabApp.default_url = "/lab/tree/notebooks/00_start_here.ipynb"
c.LabApp.extra_labextensions_path = [str(ROOT / "tools" / "lab_extensions")]  # links that land at the first click
c.ServerApp.contents_manager_class = Files
c.ContentsManager.pre_save_hook = keep_as_committed
c.Application.log_level = "WARN"  # else the line on the run and the address drown (LAB=--debug for all of it)
warnings.filterwarnings("ignore", "Overriding existing pre_save_hook")  # this file is read for each of its parts
