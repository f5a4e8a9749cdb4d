"""What `make repeats` calls equal, and how far apart two threads may be from one."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))
import repeats
from test_mishaps import status_of


@pytest.mark.parametrize("one, other, share", [
    ("6.42 [5.4, 7.4]", "6.42 [5.4, 7.4]", 0.0),
    ("6.42 [5.4, 7.4]", "6.67 [5.4, 7.4]", 0.5),  # half of half the width is allowed: 0.5
    ("6.42 [5.4, 7.4]", "7.42 [5.4, 7.4]", 2.0),
    ("6.42 [5.4, 7.4]; 1.000", "6.42 [5.4, 7.4]; 1.020", 1.96),  # a number without an interval: a hundredth
    ("1,234", "1,247", 1.04),
    ("-0.01", "0.00", 1 / 1.01),  # one of the last digit
    ("8 clips", "9 clips", 11.1),  # a count has no last digit
    ("held", "did not hold", float("inf")),
    ("3 of 4", "3", float("inf")),
])  # fmt: skip
def test_how_far_two_cells_are_apart(one, other, share):
    assert repeats.far(one, other) == pytest.approx(share, rel=0.01)


@pytest.fixture
def runs(monkeypatch, tmp_path):
    """Runs that take no time: what each copy of the repository writes."""
    said = {"first": "4.000", "second": "4.000", "two-threads": "4.001"}

    def series(folder, threads, chapters):
        assert threads == 1 + (folder.name == "two-threads")
        place = folder / "figures" / repeats.RUN
        place.mkdir(parents=True)
        (place / "a.csv").write_text(f"row,value\nx,{said[folder.name]}\n")
        (place / "a.json").write_text(f'{{"seconds": {threads}, "rows": 1}}')
        (place / "status.json").write_text(f'"{folder.name}"')
        return folder

    monkeypatch.setattr(repeats, "series", series)
    monkeypatch.setattr(repeats, "scratch", lambda folder: None)
    return said


def test_equal_runs_are_equal_but_for_times(runs, capsys):
    assert status_of(repeats.main, []) == 0
    said = capsys.readouterr().out
    assert "first and second: none of 2 differ" in said and "1 tables, at most 0.025 of what is allowed" in said


def test_a_byte_and_a_number_too_far_are_named(runs, capsys):
    runs |= {"second": "4.100", "two-threads": "5.000"}
    assert status_of(repeats.main, []) == 1
    said = capsys.readouterr().out
    assert "1 of 2 differ: figures/torture/a.csv" in said and "\n  a: 20" in said


def test_a_run_that_fails_is_told(monkeypatch, capsys):
    monkeypatch.setattr(repeats, "scratch", lambda folder: None)
    monkeypatch.setattr(repeats, "SERIES", "import sys; print('the chapter fell over'); sys.exit(3)")
    assert status_of(repeats.main, []) == 2
    assert capsys.readouterr().err == "first: the series ended with status 3: the chapter fell over\n"
