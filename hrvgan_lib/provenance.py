"""Where a result comes from: repository, code hashes, versions, hardware, peak memory (all chapters)."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import json
import os
import platform
import re
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

PACKAGE = "hrvgan_lib"
DATA_SETS = ("ucf101", "golf", "aeroplane", "weizmann")


def repo_root() -> Path:
    """The folder with pyproject.toml, above this package or the working directory; HRVGAN_ROOT overrides.

    Raises FileNotFoundError where there is none.
    """
    if override := os.environ.get("HRVGAN_ROOT"):
        return Path(override).resolve()
    for start in (Path(__file__).resolve().parent, Path.cwd()):
        for folder in (start, *start.parents):
            if (folder / "pyproject.toml").is_file():
                return folder
    raise FileNotFoundError("no pyproject.toml above the working directory: run inside the repository")


def write_atomic(path: Path, content: bytes | str) -> Path:
    """Write a temporary file in the same folder, then rename it: a reader sees all of it or nothing."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(temporary, path)
    return path


def to_json(value: object) -> str:
    """Sorted, indented JSON; tuples become lists, anything else unknown its string."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, default=str) + "\n"


def sha256_file(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_cells(path: Path) -> list[str]:
    """Sources of a py:percent chapter's code cells, in order; markdown, raw cells and header left out."""
    cells, current = [], None
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if marker := re.match(r"# %%(.*)", line):
            current = None
            if not re.search(r"\[(markdown|md|raw)\]", marker[1]):
                cells.append(current := [])
        elif current is not None:
            current.append(line)
    return ["\n".join(cell).strip("\n") for cell in cells]


def imported_modules(source: str, module: str = "", is_package: bool = False) -> set[str]:
    """Names of hrvgan_lib modules that `source` mentions: imports at any depth, dotted names, dotted strings.

    Some of the names may be functions rather than modules; the caller keeps those that are files.
    """
    names: set[str] = set()
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
                base = f"{above}.{base}".rstrip(".")
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == PACKAGE:
            names.add(f"{PACKAGE}.{node.attr}")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.fullmatch(PACKAGE + r"(\.\w+)+", node.value):  # `python -m hrvgan_lib.training`
                names.add(node.value)
    return {name for name in names if name == PACKAGE or name.startswith(PACKAGE + ".")}


def module_file(name: str, root: Path) -> Path | None:
    """The source file of a dotted hrvgan_lib name; None where it is no module."""
    base = root.joinpath(*name.split("."))
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)


def library_closure(sources: list[str], root: Path) -> dict[str, Path]:
    """Every hrvgan_lib module that `sources` reach by imports, lazy ones included: {dotted name: file}."""
    found: dict[str, Path] = {}
    queue = [f"{PACKAGE}.book", f"{PACKAGE}.profiles"]
    for source in sources:
        queue.extend(imported_modules(source))
    while queue:
        name = queue.pop()
        parent = name.rpartition(".")[0]
        if parent and parent not in found:
            queue.append(parent)
        path = module_file(name, root)
        if path is None or name in found:
            continue
        found[name] = path
        is_package = path.name == "__init__.py"
        queue.extend(imported_modules(path.read_text(encoding="utf-8"), name, is_package))
    return dict(sorted(found.items()))


def code_hash(chapter: Path, root: Path | None = None) -> str:
    """sha256 over the chapter's code cells and every library file that they reach; prose does not count."""
    cells = code_cells(chapter)
    digest = hashlib.sha256()
    # A cell with a magic in it is no Python: what it imports is then found by the other cells' imports only.
    for cell in cells:
        digest.update(b"\0cell\0" + cell.encode())
    for name, path in library_closure([cell for cell in cells if _parses(cell)], root or repo_root()).items():
        digest.update(f"\0{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def listing_digest(folder: Path) -> str:
    """A cheap identity of a folder's content: sha256 over path, size and time of every file below it."""
    digest = hashlib.sha256()
    for base, folders, files in os.walk(folder, followlinks=True):
        folders.sort()
        for name in sorted(files):
            path = Path(base, name)
            stat = path.stat()
            digest.update(f"{path.relative_to(folder)}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def data_identity(data_root: Path) -> dict[str, str]:
    """{folder: listing digest} of the data sets, and of the published weights in `reference`, that are there."""
    folders = (*DATA_SETS, "reference")
    return {name: listing_digest(data_root / name) for name in folders if (data_root / name).is_dir()}


def lacking() -> list[str]:
    """Names of packages that this Python has to have and has not; the large ones are looked for, not imported."""
    gone = [name for name in ("torch", "torchvision", "scipy", "matplotlib") if not importlib.util.find_spec(name)]
    for name in ("av", "ipykernel", "ipywidgets", "jupytext", "papermill", "safetensors"):
        try:
            importlib.import_module(name)
        except ImportError as error:  # of the package itself, or of what it needs
            gone.append(error.name or name)
    return sorted({*gone})


@cache
def versions() -> dict[str, str]:
    """Versions of what a result may depend on, without importing any of it."""
    found = {"python": platform.python_version()}
    for name in ("torch", "torchvision", "numpy", "scipy", "matplotlib", "av", "pillow"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def device_name() -> str:
    """The accelerator's name, else the processor's."""
    if any(Path("/dev").glob("nvidia[0-9]*")):  # also for a chapter that computes nothing itself
        import torch
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return torch.cuda.get_device_name()
    try:
        text = Path("/proc/cpuinfo").read_text()
        model = re.search(r"model name\s*:\s*(.+)", text)
    except OSError:
        model = None
    return f"{model[1].strip() if model else platform.machine() or 'CPU'} ({os.cpu_count()} cores)"


def peak_rss_mb(pid: int | str = "self") -> float:
    """Most memory that the process has held, in MB (VmHWM); 0 where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    high = re.search(r"VmHWM:\s+(\d+) kB", text)
    return round(int(high[1]) / 1024, 1) if high else 0.0


def peak_cuda_mb() -> float:
    """Most memory that torch has held on the CUDA device, in MB; 0 without one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return 0.0
    return round(torch.cuda.max_memory_allocated() / 2**20, 1)
