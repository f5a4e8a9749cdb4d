"""One key for everything that is kept: trainings, judges, features, evaluations, packed clips, chapters.

A key changes with the code that makes a thing and with what goes into it, and with nothing else. The code is found by
following imports from the function or class that does the work. Comments, docstrings and layout do not count. A
`Registry` is not followed: what is made with one of its entries names that entry itself.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from importlib import metadata
from importlib.util import resolve_name
from pathlib import Path
from typing import Any, Generic, TypeVar

PACKAGE = "hrvgan_lib"
HOME = Path(__file__).resolve().parents[1]  # the folder that holds the package
Thing = TypeVar("Thing")


class Registry(Mapping[str, Thing], Generic[Thing]):
    """Things by name, each imported when it is asked for: {"vgan": "hrvgan_lib.networks.vgan.VGAN"}."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self.places = dict(places)

    def __getitem__(self, name: str) -> Thing:
        module, _, attribute = self.places[name].rpartition(".")
        return getattr(importlib.import_module(module), attribute)

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


def key_of(*makers: object, **ingredients: object) -> str:
    """Twelve hexadecimal digits that name a kept thing.

    makers: the functions and classes that make it, or modules by name; their code is followed. ingredients: what goes
    in, as numbers, text, dataclasses, and lists and dictionaries of these. torch's version is among them where the code
    imports torch. Raises TypeError for an ingredient whose content cannot be told, ValueError for code that cannot be
    parsed.
    """
    parts = [code_of(*makers), plain(ingredients)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def plain(value: object) -> object:
    """An ingredient as JSON holds it. Raises TypeError where its content would be lost."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {"dict": sorted(([plain(name), plain(one)] for name, one in value.items()), key=repr)}
    if isinstance(value, list | tuple | range):
        return [plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {type(value).__name__: [[field.name, plain(getattr(value, field.name))] for field in fields(value)]}
    raise TypeError(f"{type(value).__name__} cannot be part of a key: give its numbers, its text or its digest")


# --- code ---


def code_of(*makers: object) -> str:
    """Sixteen hexadecimal digits of the code behind functions, classes and named modules, with all that they import.

    Of other packages only torch counts, by its version: another one may add in another order.
    """
    digest, modules = hashlib.sha256(), []
    for maker in makers:
        name = maker if isinstance(maker, str) else getattr(maker, "__module__", None) or ""
        if module_file(name):
            modules.append(name)
        else:  # of a chapter, a test or another package
            digest.update(f"\0{name}\0{foreign(maker)}".encode())
    return with_modules(digest, closure(modules)).hexdigest()[:16]


def with_modules(digest: hashlib._Hash, modules: Mapping[str, Path]) -> hashlib._Hash:
    """The digest with the code of modules in it, and with torch's version where one of them imports torch."""
    sources = {name: source_of(path) for name, path in modules.items()}
    for name, source in sources.items():
        digest.update(f"\0{name}\0{source.code}".encode())
    if any(source.torch for source in sources.values()):
        digest.update(f"\0torch {metadata.version('torch')}".encode())
    return digest


def foreign(maker: Any) -> str:
    """The code of something outside the package, by itself; its name where its source is not to be had."""
    try:
        return source(textwrap.dedent(inspect.getsource(maker))).code
    except (OSError, TypeError, SyntaxError):
        code = getattr(maker, "__code__", None)
        words = (code.co_code.hex(), [repr(one) for one in code.co_consts], code.co_names) if code else ()
        return f"{getattr(maker, '__qualname__', type(maker).__qualname__)} {words}"


def closure(modules: list[str], registries: bool = False) -> dict[str, Path]:
    """Every module of the package that these reach by imports, lazy ones included: {dotted name: file}.

    A package's `__init__` counts where something is imported from it by name. registries: follow dotted names in
    text too, as a `Registry` and `python -m` have them.
    """
    found: dict[str, Path] = {}
    queue = list(modules)
    while queue:
        name = queue.pop()
        path = module_file(name)
        if path is None or name in found:
            continue
        found[name] = path
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        queue.extend(source_of(path).imports(package, registries))
    return dict(sorted(found.items()))


def module_file(name: str) -> Path | None:
    """The source file of a dotted name of the package; None where it is no module of it."""
    if name != PACKAGE and not name.startswith(PACKAGE + "."):
        return None
    base = HOME.joinpath(*name.split("."))
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)


@dataclass(frozen=True)
class Source:
    """What a key has to know of a piece of code."""

    code: str  # as text that comments, docstrings, annotations and layout do not change
    dotted: tuple[str, ...]  # `import a.b`, and a.b.c where it is used
    members: tuple[tuple[str, tuple[str, ...]], ...]  # `from ..a import b, c` is ("..a", ("b", "c"))
    words: tuple[str, ...]  # dotted names of the package in text
    torch: bool  # whether it imports torch, at any depth

    def imports(self, package: str = "", registries: bool = False) -> set[str]:
        """The modules that it imports, at any depth but for type checkers alone; `package` is where it stands."""
        names = set(self.dotted)
        for base, members in self.members:
            base = resolve_name(base, package)
            modules = {f"{base}.{member}" for member in members if module_file(f"{base}.{member}")}
            names |= modules
            if len(modules) < len(members):  # something that the package itself defines or passes on
                names.add(base)
        if registries:
            names |= {*self.words, *(word.rpartition(".")[0] for word in self.words)}
        return {name for name in names if module_file(name)}


def source_of(path: Path) -> Source:
    """A module as keys see it. Raises ValueError, in one line, where it cannot be parsed."""
    try:
        return source(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError) as error:
        line, reason = getattr(error, "lineno", None) or 1, getattr(error, "msg", error)
        said = f"{path.name}, line {line}, cannot be parsed ({reason}): mend it, or what depends on it has no key"
        raise ValueError(said) from None


@cache
def source(text: str) -> Source:
    """A piece of code as keys see it. Raises SyntaxError where it cannot be parsed."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        match node:
            case ast.arg():
                node.annotation = None  # a dataclass's stay: they are its fields
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                node.returns = None
        body = getattr(node, "body", None)
        if isinstance(body, list):
            body[:] = [one for one in body if not _for_type_checkers(one)]
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                if ast.get_docstring(node, clean=False) is not None:
                    del body[0]
    dotted, members, words = [], [], []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                dotted += [alias.name for alias in names]
            case ast.ImportFrom(module=module, names=names, level=level):
                members.append(("." * level + (module or ""), tuple(alias.name for alias in names)))
            case ast.Attribute():
                dotted.append(_dotted(node))
            case ast.Constant(value=str(word)) if re.fullmatch(PACKAGE + r"(\.\w+)+", word):
                words.append(word)
    torch = any(name.split(".")[0] == "torch" for name in (*dotted, *(base for base, _ in members)))
    ours = {name for name in dotted if name.startswith(PACKAGE)}
    within = [(base, names) for base, names in members if base.startswith((PACKAGE, "."))]
    return Source(ast.dump(tree), tuple(sorted(ours)), tuple(within), tuple(words), torch)


def _dotted(node: ast.expr) -> str:
    """`a.b.c` as text, "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    before = _dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{before}.{node.attr}" if before and isinstance(node, ast.Attribute) else ""


def _for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


# --- chapters ---


def code_cells(path: Path) -> list[str]:
    """Sources of a py:percent chapter's code cells, in order; markdown, raw cells and header left out."""
    cells: list[list[str]] = []
    current: list[str] | None = None
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if marker := re.match(r"# %%(.*)", line):
            current = None
            if not re.search(r"\[(markdown|md|raw)\]", marker[1]):
                cells.append(current := [])
        elif current is not None:
            current.append(line)
    return ["\n".join(cell).strip("\n") for cell in cells]


def chapter_code(path: Path) -> str:
    """sha256 over a chapter's code cells and every module that they reach, registries too; prose does not count."""
    digest, modules = hashlib.sha256(), set()
    for cell in code_cells(path):
        try:
            code = source(cell)
        except SyntaxError:  # a magic is no Python: what such a cell imports is found by the other cells' imports only
            digest.update(f"\0cell\0{cell}".encode())
        else:
            digest.update(f"\0cell\0{code.code}".encode())
            modules |= code.imports(registries=True)
    return with_modules(digest, closure(sorted(modules), registries=True)).hexdigest()
