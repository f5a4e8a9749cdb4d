"""The house: a module imports only modules above it, and the driver starts without the heavy ones."""

import ast
from pathlib import Path

import pytest

from hrvgan_lib import provenance

ROOT = Path(__file__).resolve().parents[1]
LAYERS = [
    "paper", "profiles", "provenance", "measurements", "ledgers", "data", "norms", "losses", "networks", "checkpoints",
    "training", "metrics", "ablations", "pictures", "explore", "book", "timing", "chapters", "reproduce",
    "parcels", "wheels",
]  # fmt: skip
FILES = sorted((ROOT / "hrvgan_lib").rglob("*.py"))


def rooms(path: Path, source: str) -> set[str]:
    """The top-level names of hrvgan_lib that a file imports, at any depth of the file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    module = ".".join(parts[:-1] if is_package else parts)
    imported = provenance.imported_modules(source, module, is_package)
    return {name.split(".")[1] for name in imported if name.count(".") >= 1}


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_imports_point_upwards(path):
    room = path.relative_to(ROOT).with_suffix("").parts[1]
    if room == "__init__":
        return
    assert room in LAYERS, f"{room} has no place in the layers yet"
    above = LAYERS[: LAYERS.index(room)]
    for other in rooms(path, path.read_text(encoding="utf-8")) & set(LAYERS):
        assert other in above or other == room, f"{path.name} imports {other}, which is not above it"
    if room not in ("book", "timing"):
        assert "book" not in rooms(path, path.read_text(encoding="utf-8")), "only chapters and timing open a page"


@pytest.mark.parametrize("name", ["book", "chapters", "provenance", "profiles", "pictures", "reproduce"])
def test_machinery_imports_nothing_heavy_at_import_time(name):
    tree = ast.parse((ROOT / "hrvgan_lib" / f"{name}.py").read_text(encoding="utf-8"))
    found = {name for node in tree.body if isinstance(node, ast.Import) for name in [a.name for a in node.names]}
    found |= {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    heavy = {"torch", "torchvision", "matplotlib.pyplot", "scipy"}
    assert not found & (heavy | {f"hrvgan_lib.{room}" for room in ("data", "networks", "training", "metrics")})
