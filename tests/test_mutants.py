"""`make mutants`: its named bugs still have their places, and every file that it names has tests of its own."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from planted import EQUIVALENT, LIB, OTHERS, OWNERS, PLANTED  # noqa: E402


@pytest.mark.parametrize("name", PLANTED)
def test_a_named_bug_has_its_place_once_and_changes_it(name):
    file, old, new = PLANTED[name]
    assert (ROOT / LIB / file).read_text(encoding="utf-8").count(old) == 1 and old != new
    assert any(LIB + file in files(pattern) for pattern in OWNERS | OTHERS), f"nobody owns {file}"


def files(pattern: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)}


@pytest.mark.parametrize("pattern", OWNERS | OTHERS)
def test_what_is_owned_is_there_and_so_are_its_tests(pattern):
    assert files(pattern)
    for test in (OWNERS | OTHERS)[pattern].split():
        assert (ROOT / test).is_file(), test


def test_a_change_that_changes_nothing_is_of_a_line_that_is_there():
    lines = {
        line.strip() for path in (ROOT / LIB).rglob("*.py") for line in path.read_text(encoding="utf-8").splitlines()
    }
    for (_, old, new), why in EQUIVALENT.items():
        assert old in lines and old != new and why
