"""The house: a module imports only modules above it, and the driver starts without the heavy ones."""

import ast
import json
import subprocess
import sys
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


HEAVY = {"torch", "torchvision", "scipy", "matplotlib.pyplot"} | {
    f"hrvgan_lib.{room}" for room in ("data", "networks", "training", "metrics")}  # fmt: skip
LIGHT = ["paper", "profiles", "provenance", "measurements", "ledgers", "pictures", "book", "chapters", "reproduce"]


@pytest.fixture(scope="module")
def loaded():
    """{module: what a fresh interpreter has loaded once it has imported this one and those before it}."""
    code = """
import importlib, json, sys
sys.modules["rfc3987_syntax"] = None  # 3 s to import, and one that nbformat does without
found = {}
for name in sys.argv[1:]:
    importlib.import_module(f"hrvgan_lib.{name}")
    found[name] = sorted(sys.modules)
print(json.dumps(found))
"""
    told = subprocess.run([sys.executable, "-c", code, *LIGHT], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(told.stdout)


@pytest.mark.parametrize("name", LIGHT)
def test_machinery_imports_nothing_heavy_at_import_time(loaded, name):
    assert f"hrvgan_lib.{name}" in loaded[name]
    assert not set(loaded[name]) & HEAVY


THAWED = {"reproduce.Entry": "the driver adds the error once the chapter has ended"}


def dataclasses_of(source: str) -> dict[str, bool]:
    """{class: whether it is frozen} of every dataclass in a source."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        for one in node.decorator_list if isinstance(node, ast.ClassDef) else []:
            if ast.unparse(getattr(one, "func", one)).split(".")[-1] == "dataclass":
                keywords = {word.arg: ast.unparse(word.value) for word in getattr(one, "keywords", [])}
                found[node.name] = keywords.get("frozen") == "True"
    return found


def test_every_dataclass_is_frozen():
    found = {f"{path.stem}.{name}": frozen for path in FILES
             for name, frozen in dataclasses_of(path.read_text(encoding="utf-8")).items()}  # fmt: skip
    assert len(found) > 40 and {name for name, frozen in found.items() if not frozen} == set(THAWED)


def test_a_dataclass_is_found_however_it_is_spelled():
    source = "@dataclass\nclass A: pass\n@dataclasses.dataclass(frozen=False)\nclass B: pass\n"
    source += "@dataclass(frozen=True, slots=True)\nclass C: pass\n@other\nclass D: pass\n"
    assert dataclasses_of(source) == {"A": False, "B": False, "C": True}
