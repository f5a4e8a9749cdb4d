"""`make mutants`: plant small bugs, one at a time, in a scratch copy; the tests that own the file have to see each.

Two lists. The named bugs are those that a review planted: every one must be seen. The others are drawn by a seeded
generator from all places where one of `OPERATORS` applies; a tenth of them may survive. Words do not count as
places: messages, annotations and docstrings change nothing that a test should hold.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the library is not installed

from planted import EQUIVALENT, LIB, OTHERS, OWNERS, PLANTED

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 2
LIMIT = 300  # seconds for the tests of one bug: one that makes a loop endless is seen too


@dataclass(frozen=True)
class Mutant:
    """One small bug: in `file`, the characters from `start` to `end` become `new`."""

    file: str  # relative to the repository
    start: int
    end: int
    new: str
    name: str  # of the planted bug, or of the operator
    where: str  # function, for the report and the draw
    line: int
    old_line: str

    def applied(self, source: str) -> str:
        return source[: self.start] + self.new + source[self.end :]

    @property
    def new_line(self) -> str:
        return self.applied((ROOT / self.file).read_text(encoding="utf-8")).splitlines()[self.line - 1].strip()


COMPARE = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
ARITHMETIC = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.Mod: "*", ast.Pow: "*"}
SWAPS = {
    "min": "max",
    "max": "min",
    "mean": "sum",
    "sum": "mean",
    "all": "any",
    "any": "all",
    "floor": "ceil",
    "argmax": "argmin",
    "argmin": "argmax",
    "cos": "sin",
    "sin": "cos",
}
OPERATORS = ("compare", "arithmetic", "boolean", "constant", "condition", "statement", "keyword", "function")


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST, str]]:
    """(operator, node to replace, what takes its place) of everything that one node of the syntax tree allows."""
    text = ast.unparse
    match node:
        case ast.Compare(left=left, ops=[kind], comparators=[right]):
            yield "compare", node, f"({text(left)} {COMPARE[type(kind)]} {text(right)})"
        case ast.BinOp(left=left, op=kind, right=right) if type(kind) in ARITHMETIC:
            if not isinstance(left, ast.JoinedStr) and not isinstance(getattr(left, "value", 0), str):
                yield "arithmetic", node, f"({text(left)} {ARITHMETIC[type(kind)]} {text(right)})"
        case ast.BoolOp(op=kind, values=values):
            joiner = " or " if isinstance(kind, ast.And) else " and "
            yield "boolean", node, "(" + joiner.join(f"({text(value)})" for value in values) + ")"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "boolean", node, f"bool({text(operand)})"
        case ast.Constant(value=bool(value)):
            yield "constant", node, str(not value)
        case ast.Constant(value=int(value)):
            yield "constant", node, str(value + 1)
        case ast.Constant(value=float(value)):
            yield "constant", node, repr(2 * value if value else 1.0)
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield "condition", test, f"(not ({text(test)}))"
        case ast.Expr(value=ast.Call()) | ast.AugAssign():
            yield "statement", node, "pass"
        case ast.Call(func=func, args=args, keywords=keywords):
            for dropped in keywords:
                if dropped.arg:
                    kept = [text(one) for one in (*args, *(k for k in keywords if k is not dropped))]
                    yield "keyword", node, f"{text(func)}({', '.join(kept)})"
            name = getattr(func, "attr", getattr(func, "id", ""))
            if name in SWAPS:
                swapped = SWAPS[name] if isinstance(func, ast.Name) else f"{text(func.value)}.{SWAPS[name]}"
                if swapped != "mean":  # no such builtin
                    yield "function", func, swapped


def places(file: str) -> list[Mutant]:
    """Every bug that the operators can plant in a file, in the order of the file."""
    source = (ROOT / file).read_text(encoding="utf-8")
    starts, found = [0], []
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines = source.splitlines(keepends=True)

    def offset(line: int, column: int) -> int:
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    def visit(node: ast.AST, where: str) -> None:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            where = f"{where}.{node.name}".lstrip(".")
        for operator, place, new in changes(node):
            start = offset(place.lineno, place.col_offset)
            end = offset(place.end_lineno, place.end_col_offset)
            old = lines[place.lineno - 1].strip()
            found.append(Mutant(file, start, end, new, operator, where, place.lineno, old))
        for field, child in ast.iter_fields(node):
            if field in ("annotation", "returns", "exc", "ctx"):
                continue  # words
            for one in child if isinstance(child, list) else [child]:
                wordy = isinstance(one, ast.JoinedStr | ast.Raise) or is_guard(one)
                if isinstance(one, ast.AST) and not wordy:
                    visit(one, where)

    visit(ast.parse(source), "")
    return found


def is_guard(node: object) -> bool:
    """Whether this is `if __name__ == "__main__"` or `if TYPE_CHECKING`."""
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("__name__ == '__main__'", "TYPE_CHECKING")


def drawn(seed: int, count: int) -> list[Mutant]:
    """`count` of all places, drawn by a generator that knows the seed and the place.

    Each place draws a number of its own, and the smallest are taken: a change elsewhere does not draw all anew.
    """
    ranked, seen = [], {}
    for file in sorted({file for pattern in OWNERS for file in files(pattern)}):
        for mutant in places(file):
            identity = (Path(file).stem, mutant.where, mutant.name, mutant.old_line, mutant.new)
            again = seen[identity] = seen.get(identity, -1) + 1
            ranked.append((random.Random(f"{seed} {identity} {again}").random(), mutant))
    print(f"{len(ranked):,} places in {len({m.file for _, m in ranked})} files; {count} drawn with seed {seed}")
    return [mutant for _, mutant in sorted(ranked, key=lambda pair: pair[0])[:count]]


def files(pattern: str) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)]


def owners(file: str) -> list[str]:
    """The test files that own a file: those of the first pattern that names it."""
    return next(tests for pattern, tests in (OWNERS | OTHERS).items() if file in files(pattern)).split()


def planted() -> list[Mutant]:
    """The named bugs, each found by its text, which stands in its file once."""
    found = []
    for name, (file, old, new) in PLANTED.items():
        file = LIB + file
        source = (ROOT / file).read_text(encoding="utf-8")
        if source.count(old) != 1:
            raise SystemExit(f"{name}: {file} holds {old!r} {source.count(old)} times, not once; name it anew")
        start = source.index(old)
        line = source.count("\n", 0, start) + 1
        found.append(Mutant(file, start, start + len(old), new, name, "", line, old.splitlines()[0].strip()))
    return found


def reason(mutant: Mutant) -> str:
    """Why a bug is none, where it is known to change nothing."""
    return EQUIVALENT.get((Path(mutant.file).name, mutant.old_line, mutant.new_line), "")


def scratch(folder: Path) -> None:
    """A copy of the tracked and new files, as they are now."""
    listed = subprocess.run(
        ["git", "ls-files", "-zco", "--exclude-standard"], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def tested(folder: Path, tests: list[str], limit: float = LIMIT) -> bool:
    """Whether the tests pass in `folder`, in a fork that has the large packages loaded already."""
    child = os.fork()
    if child == 0:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it
        os.chdir(folder)
        os.environ |= {"PYTHONPATH": str(folder), "HRVGAN_ROOT": ""}
        sys.path[:0] = [str(folder), str(folder / "tests"), str(folder / "tools")]
        log = os.open(folder / "mutant.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        import pytest

        os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests])))
    ended = time.monotonic() + limit
    while time.monotonic() < ended:
        gone, status = os.waitpid(child, os.WNOHANG)
        if gone:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def survives(mutant: Mutant, folder: Path) -> bool:
    """Whether no test of the file's owners fails while the bug is in it."""
    path = folder / mutant.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(mutant.applied(whole), encoding="utf-8")
    try:
        return tested(folder, owners(mutant.file))
    finally:
        path.write_text(whole, encoding="utf-8")


def unharmed(folders: Queue[Path], tests: list[str]) -> bool:
    """Whether these tests pass without a bug; if not, what they said is shown."""
    folder = folders.get()
    passed = not tests or tested(folder, tests, 4 * LIMIT)
    if not passed:
        print((folder / "mutant.log").read_text(encoding="utf-8")[-2000:])
    folders.put(folder)
    return passed


def preload() -> None:
    """Import what every test needs and no bug is planted in; forks then start in no time."""
    os.environ |= {
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "passive",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TQDM_DISABLE": "1",
        "PYTHONHASHSEED": "0",
        "DATA_ROOT": "",
    }
    sys.dont_write_bytecode = True
    for name in (
        "torch",
        "torch._dynamo",
        "sympy",
        "torchvision.models",
        "scipy.stats",
        "scipy.optimize",
        "matplotlib.pyplot",
        "PIL.Image",
        "av",
        "safetensors.torch",
        "papermill",
        "jupytext",
        "IPython",
        "ipywidgets",
        "pytest",
    ):
        __import__(name)
    if any(name.split(".")[0] == "hrvgan_lib" for name in sys.modules):
        raise SystemExit("the library is loaded already: its bugs would not be seen")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("mutants", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--only", default="", help="only bugs whose file or name holds this")
    options = parser.parse_args(argv)
    named, others = planted(), drawn(options.seed, options.count)
    waiting = [mutant for mutant in [*named, *others] if options.only in mutant.file + " " + mutant.name]
    preload()
    started, survivors, known = time.monotonic(), [], 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as place:
        folders: Queue[Path] = Queue()
        for number in range(WORKERS):
            folder = Path(place, str(number))
            scratch(folder)
            folders.put(folder)

        def judge(mutant: Mutant) -> tuple[Mutant, bool, float]:
            folder, begun = folders.get(), time.monotonic()
            alive = survives(mutant, folder)
            folders.put(folder)
            return mutant, alive, time.monotonic() - begun

        whole = sorted({test for mutant in waiting for test in owners(mutant.file)})
        with ThreadPoolExecutor(WORKERS) as pool:
            passed = list(pool.map(lambda tests: unharmed(folders, tests), [whole[n::WORKERS] for n in range(WORKERS)]))
        if not all(passed):  # a red test would see every bug
            raise SystemExit("the tests fail without a bug: mend them first")
        doubtful = []
        for mutant in waiting:
            if why := reason(mutant):
                known += 1
                print(f"equivalent  {mutant.file}:{mutant.line}  {mutant.old_line}  ->  {mutant.new_line}  ({why})")
            else:
                doubtful.append(mutant)
        with ThreadPoolExecutor(WORKERS) as pool:
            for mutant, alive, seconds in pool.map(judge, doubtful):
                if alive:
                    survivors.append(mutant)
                words = f"{mutant.name:12} {mutant.file}:{mutant.line}  {mutant.old_line}  ->  {mutant.new_line}"
                print(f"{'SURVIVED' if alive else 'seen':9} {seconds:5.1f} s  {words}", flush=True)
    lost = [mutant for mutant in survivors if mutant in named]
    free = [mutant for mutant in survivors if mutant not in named]
    judged = len(doubtful) - len([mutant for mutant in doubtful if mutant in named])
    minutes = (time.monotonic() - started) / 60
    print(
        f"mutants: {len(lost)} of {len(doubtful) - judged} named ones survived, {len(free)} of {judged} drawn ones "
        f"({100 * len(free) / max(1, judged):.1f} %), {known} equivalent, {minutes:.0f} minutes"
    )
    return 1 if lost or 10 * len(free) > judged or 10 * known > len(others) else 0


if __name__ == "__main__":
    from hrvgan_lib.mishaps import command

    for name in [name for name in sys.modules if name.split(".")[0] == "hrvgan_lib"]:
        del sys.modules[name]  # the tests load the library themselves, with the bug in it
    sys.exit(command(main)())
