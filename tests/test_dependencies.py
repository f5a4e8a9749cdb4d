"""What is imported is declared, what is declared is used, and the lock and other lists agree with pyproject.toml."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import PathDistribution, packages_distributions
from pathlib import Path

import licences
import pytest
import yaml

from hrvgan_lib import book

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = [
    pin for pin in re.split(r"\n(?=\S)", LOCK) if not pin.startswith("#")
]  # each with its hashes and for whom it is

# {what is used otherwise than by an import: (the file that uses it, how)}
USED = {
    "jupyterlab": ("tools/lab.py", '"-m", "jupyter", "lab"'),
    "ipykernel": ("hrvgan_lib/series/kernel.py", '"-m", "ipykernel_launcher"'),
    "setuptools": ("pyproject.toml", 'build-backend = "setuptools.build_meta"'),
    "uv": ("Makefile", ".venv/bin/uv pip sync"),
    "ruff": ("Makefile", "-m ruff check"),
    "mypy": ("Makefile", "-m mypy"),
    "nbval": ("Makefile", "--nbval-lax"),
    "pytest-xdist": ("Makefile", "--dist loadfile"),
}
EXTRAS = {"itables[widget]": ("hrvgan_lib/book/widgets.py", "from itables.widget import ITable")}
# {what is imported and not declared: the declared one that brings it, in the version that it asks for}
BROUGHT = {"triton": "torch", "jupyter-server": "jupyterlab"}
# What chapters can do without, or what is there wherever a chapter runs: the first cell does not ask for it.
NOT_ASKED_FOR = {"triton", "IPython", "itables"}


def plain(name: str) -> str:
    """A distribution's name as the lock spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def floors(requirements: list[str]) -> dict[str, str]:
    """{name, with its extra: the lowest version that is admitted}."""
    return dict(re.fullmatch(r"([\w.-]+(?:\[\w+\])?)>=([\d.]+)", one).groups() for one in requirements)


RUNTIME, DEV = floors(PROJECT["dependencies"]), floors(PROJECT["optional-dependencies"]["dev"])
DECLARED, DECLARED_DEV = ({plain(name.partition("[")[0]) for name in names} for names in (RUNTIME, DEV))


@cache
def imported(path: Path) -> set[str]:
    """The first name of every absolute import of a file, at any depth, for type checkers too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module)
    return {name.partition(".")[0] for name in found}


def modules_of(*places: str) -> set[str]:
    """Every module of another package that files and folders import."""
    files = [file for place in places for file in sorted((ROOT / place).rglob("*.py")) or [ROOT / place]]
    ours = {"hrvgan_lib", *(path.stem for folder in ("tools", "tests") for path in (ROOT / folder).glob("*.py"))}
    return set().union(*map(imported, files)) - ours - sys.stdlib_module_names - {"_typeshed"}


distributions = cache(packages_distributions)


def packages_of(*places: str) -> set[str]:
    """The distributions that those modules belong to; a module that is not installed stands for itself."""
    known = distributions()
    return {plain(name) for module in modules_of(*places) for name in known.get(module, [module])}


def pinned_for(name: str) -> set[str]:
    """What the lock has because `name` asks for it."""
    asks = re.compile(rf"^    # +(via )?{re.escape(name)}$", re.MULTILINE)
    return {pin.partition("==")[0] for pin in PINS if asks.search(pin)}


LIBRARY = ("hrvgan_lib", "notebooks")
EVERYWHERE = (*LIBRARY, "tools", "tests")


def test_what_the_library_and_the_chapters_import_is_declared():
    found = packages_of(*LIBRARY)
    assert len(found) > 15 and found - DECLARED - set(BROUGHT) == set()


def test_what_tools_and_tests_import_is_declared_for_developers():
    assert packages_of(*EVERYWHERE) - DECLARED - DECLARED_DEV - set(BROUGHT) == set()


@pytest.mark.parametrize("name, by", BROUGHT.items())
def test_what_is_not_declared_is_imported_and_asked_for_by_what_is(name, by):
    assert name in packages_of(*EVERYWHERE) and by in DECLARED
    assert name in pinned_for(by)


def test_what_is_declared_is_imported_or_used_by_a_command():
    """What readers install is used by the library, the chapters or `make lab`; tests alone are no reason."""
    assert DECLARED - packages_of(*LIBRARY) - set(USED) == set()
    assert DECLARED_DEV - packages_of("tools", "tests") - set(USED) == set()
    assert not DECLARED & DECLARED_DEV
    assert set(USED) <= DECLARED | DECLARED_DEV and not set(USED) & packages_of(*LIBRARY)


@pytest.mark.parametrize("name", {**USED, **EXTRAS})
def test_the_use_of_what_is_not_imported_is_where_it_is_said_to_be(name):
    file, words = {**USED, **EXTRAS}[name]
    assert words in (ROOT / file).read_text(encoding="utf-8")


def test_the_extras_are_those_that_are_used():
    assert {name for name in {**RUNTIME, **DEV} if "[" in name} == set(EXTRAS)


def test_the_lock_was_solved_for_what_is_declared():
    """Each pin says for whom it is there: `make lock` is due where pyproject.toml asks for something else."""
    assert pinned_for("hrvgan-lib (pyproject.toml)") == DECLARED | DECLARED_DEV
    for name, floor in {**RUNTIME, **DEV}.items():
        pinned = re.findall(rf"^{plain(name.partition('[')[0])}==(\S+)", LOCK, re.MULTILINE)
        assert pinned and all(number(version) >= number(floor) for version in pinned), f"make lock: {name}>={floor}"


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.match(r"[\d.]*\d", version)[0].split("."))


def test_versions_are_compared_as_numbers():
    assert number("3.15.1") > number("3.9") and number("2.11.0+cpu") == (2, 11, 0)


def test_conda_takes_the_lock_and_a_python_that_the_project_admits():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    python, pip, section = listed
    assert pip == "pip" and section == {"pip": ["-r requirements.lock"]}
    assert f">={python.removeprefix('python=')}" == PROJECT["requires-python"]


def test_the_first_cell_asks_for_what_chapters_import():
    """All but what only the driver imports, which runs outside the kernel."""
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "hrvgan_lib").rglob("*.py")]
    found = modules_of("notebooks", *(name for name in files if not name.startswith("hrvgan_lib/series/")))
    assert NOT_ASKED_FOR < found and set(book.NEEDED) == found - NOT_ASKED_FOR


# --- the network ---

ASKS = {"urllib", "http", "socket", "ssl", "ftplib", "smtplib", "requests", "httpx", "aiohttp", "urllib3"}


def test_the_library_and_the_chapters_have_nothing_to_ask_the_network_with():
    files = [path for place in LIBRARY for path in (ROOT / place).rglob("*.py")]
    assert len(files) > 60 and [path.name for path in files if imported(path) & ASKS] == []
    asks = re.compile(
        r"torch\.hub|load_state_dict_from_url|pretrained=|weights=['\"][A-Z]|IMAGENET1K|KINETICS400|%pip|!curl|!wget"
    )
    assert [path.name for path in files if asks.search(path.read_text(encoding="utf-8"))] == []


# --- docs/licences.md ---


def test_the_page_of_licences_is_what_its_tool_makes_of_this_lock():
    """To the letter on the system and the Python that it was made on, with the lock's versions; else name by name."""
    kept = licences.PAGE.read_text(encoding="utf-8")
    try:
        made = licences.page()
    except ValueError:  # other versions than the lock's: test-lowest, a Python of one's own
        made = ""
    systems = {line for page in (kept, made) for line in page.splitlines() if line.startswith("Versions are those of")}
    assert not made or len(systems) == 2 or kept == made, "make licences"
    for name, version, _ in licences.locked():
        assert re.search(rf"(^\| |[|,:] ){name}( \| | ){re.escape(version)}[ ,]", kept, re.MULTILINE), (
            f"{name} {version}"
        )


def test_every_declared_package_says_what_it_is_for():
    assert set(licences.FOR) == DECLARED | DECLARED_DEV == {name for names in licences.declared() for name in names}


@pytest.mark.parametrize(
    "metadata, named",
    [("License-Expression: MIT\nLicense: BSD", "MIT"),
     ("License: BSD 3-Clause License\n        Copyright", "BSD-3-Clause"),
     ("License: Copyright (c) 2020 Somebody\nClassifier: License :: OSI Approved :: BSD License", "BSD License"),
     ("License: UNKNOWN\nClassifier: License :: OSI Approved :: ISC License (ISCL)", "ISC"), ("", "none is named")],
)  # fmt: skip
def test_a_licence_is_read_where_the_metadata_name_it(tmp_path, metadata, named):
    (tmp_path / "METADATA").write_text(f"Metadata-Version: 2.4\nName: a\nVersion: 1\n{metadata}".rstrip() + "\n\n")
    assert licences.licence(PathDistribution(tmp_path)) == named


@pytest.mark.parametrize("marker, words", [
    ("python_full_version < '3.12' and sys_platform == 'linux'", "Python < 3.12, Linux"),
    ("os_name == 'nt'", "Windows"),
    ("python_full_version == '3.12.*'", "Python 3.12"), ("platform_machine == 's390x'", "platform_machine == 's390x'"),
])  # fmt: skip
def test_a_marker_of_the_lock_is_put_in_words(marker, words):
    assert licences.where(marker) == words
