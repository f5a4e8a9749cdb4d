"""The house: a module imports only modules above it, and the driver starts without the heavy ones."""

import ast
import json
import re
import subprocess
import sys
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "hrvgan_lib").rglob("*.py"))
# One rule: a module imports only what stands above it here, inside a folder too. Files of one line may know each other.
LAYERS = """
windows files stops
mishaps
keys streams devices half
provenance profiles
paper
data.formats
data.standin data.store
data.report
data.clips data.folders
data
norms losses
networks
captures checkpoints ranks
training launch predict
kept
budgets
metrics.rulers
metrics.eyes
metrics.sources
metrics.damage metrics.answers metrics.seeds metrics.forecasts
metrics.comparisons
metrics.evaluation
metrics
ablations
trainings
book.measurements book.pictures book.tables
book.widgets
book.ledgers book.explore book.progress
book.page
book.findings
book
book.learning
series
""".split("\n")[1:-1]
HEIGHT = {place: height for height, line in enumerate(LAYERS) for place in line.split()}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def place_of(module: str) -> str:
    """The longest name in `LAYERS` that a dotted name begins with, "" for the package itself."""
    parts = module.split(".")[1:]
    names = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
    return next((name for name in names if name in HEIGHT), "")


def imports(path: Path) -> set[str]:
    """Every module of the library that a file imports, at any depth, for type checkers too."""
    package = module_of(path) if path.name == "__init__.py" else module_of(path).rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith("hrvgan_lib.")}


@pytest.mark.parametrize("path", FILES, ids=[module_of(path) for path in FILES])
def test_a_module_imports_only_what_stands_above_it(path):
    here = place_of(module_of(path))
    assert here or module_of(path) == "hrvgan_lib", f"{path.name} has no place in the layers yet"
    for name in imports(path):
        there = place_of(name)
        if there and there != here:
            assert HEIGHT[there] <= HEIGHT[here], f"{module_of(path)} imports {name}, which is not above it"


def test_every_place_of_the_layers_is_there():
    assert {place_of(module_of(path)) for path in FILES} - {""} == set(HEIGHT)


def test_no_module_shares_its_name_with_something_that_its_package_exports():
    """`from hrvgan_lib.metrics import behaviour` has to mean one thing, whatever was imported before."""
    for init in (path for path in FILES if path.name == "__init__.py"):
        bound = set()
        for node in ast.walk(ast.parse(init.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                base = resolve_name("." * node.level + (node.module or ""), module_of(init))
                bound |= {alias.name for alias in node.names if base != module_of(init)}
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                bound.add(node.name)
        modules = {path.stem for path in init.parent.glob("*.py")}
        modules |= {path.parent.name for path in init.parent.glob("*/__init__.py")}
        assert not bound & modules, f"{module_of(init)}: {bound & modules}"


def test_the_names_that_code_outside_relies_on():
    from hrvgan_lib import data, metrics, networks

    assert callable(data.read_video) and callable(data.open_dataset)
    assert callable(metrics.inception_score) and callable(metrics.frechet_distance)
    assert callable(networks.build_system("mocogan", n_classes=None, width=1 / 16).sample)  # None: no classes
    for module in ("hrvgan_lib.data", "hrvgan_lib.metrics", "hrvgan_lib.predict"):
        told = subprocess.run([sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True)
        assert told.returncode == 0 and "usage" in told.stdout


HEAVY = {"torch", "torchvision", "scipy", "matplotlib.pyplot"} | {
    f"hrvgan_lib.{room}" for room in ("data", "networks", "training", "metrics")}  # fmt: skip
LIGHT = ["windows", "files", "mishaps", "keys", "provenance", "profiles", "paper", "book.measurements", "book.ledgers",
         "book.findings", "book", "series.chapters", "series.reproduce"]  # fmt: skip


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


THAWED = {"chapters._Place": "where the running cell is"}


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


def test_text_is_utf_8_whatever_the_locale_says():
    """What ruff's PLW1514 does not see: methods of paths, and what processes print."""
    found = []
    for path in [*FILES, *(ROOT / "tools").glob("*.py"), *(ROOT / "notebooks").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                words = {word.arg for word in node.keywords}
                reads = node.func.attr in ("read_text", "write_text") and "encoding" not in words
                if reads or (
                    words & {"text", "universal_newlines"} and node.func.attr in ("run", "Popen", "check_output")
                ):
                    found.append(f'{path.relative_to(ROOT)}:{node.lineno}: say encoding="utf-8"')
    assert not found, "\n".join(found)


def calls_of(path: Path) -> list[tuple[str, dict[str, str]]]:
    """(what is called, {argument: its source}) of every call in a file."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    words = [{word.arg or "**": ast.unparse(word.value) for word in node.keywords} for node in nodes]
    return [(ast.unparse(node.func), given) for node, given in zip(nodes, words)]


def test_no_file_that_is_read_can_run_code():
    """Whoever it comes from: torch reads weights and no objects, NumPy no objects, and nothing else unpickles."""
    safe, read = {"torch.load": ("weights_only", "True"), "np.load": ("allow_pickle", "False")}, []
    for path in [*FILES, *(ROOT / "tools").glob("*.py"), *(ROOT / "notebooks").glob("*.py")]:
        for name, words in calls_of(path):
            assert name not in ("eval", "exec") and not re.match(r"(pickle|marshal|shelve|yaml|joblib|dill)\.", name), (
                path
            )
            if name in safe:
                word, value = safe[name]
                assert words.get(word) == value, f"{path.name}: {name} without {word}={value}"
                read.append(name)
    assert set(read) == set(safe)
