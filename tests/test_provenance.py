"""Where a result comes from: the repository and no other, data on disk, versions, memory; files that are whole."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hrvgan_lib import files, provenance

PACKAGE = Path(provenance.__file__).parent


@pytest.fixture
def installed(tmp_path):
    """An installed copy of the library, and a stranger's project with a folder to work in."""
    shutil.copytree(PACKAGE, tmp_path / "site/hrvgan_lib", ignore=shutil.ignore_patterns("__pycache__"))
    project = tmp_path / "stranger"
    (project / "work").mkdir(parents=True)
    (project / "pyproject.toml").write_text('[project]\nname = "something-else"\n')
    (tmp_path / "pyproject.toml").write_text("")  # above the installed copy too

    def run(code: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
        settings = {name: value for name, value in os.environ.items() if name not in ("HRVGAN_ROOT", "PYTHONPATH")}
        settings |= {"PYTHONPATH": str(tmp_path / "site")} | environment
        return subprocess.run([sys.executable, "-S", "-c", code], cwd=cwd, env=settings, capture_output=True, text=True)

    return run, project


ASK = "from hrvgan_lib.provenance import repo_root; print(repo_root())"


def test_an_installed_copy_writes_into_nobody_else_s_project(installed):
    run, project = installed
    refused = run(ASK, project / "work")
    assert refused.returncode == 1
    assert refused.stderr.strip().splitlines()[-1] == (
        "FileNotFoundError: hrvgan_lib is installed outside its repository: run inside a clone, or name one with "
        "HRVGAN_ROOT=<folder>"
    )
    assert sorted(path.name for path in project.iterdir()) == ["pyproject.toml", "work"]


def test_an_installed_copy_works_inside_a_clone_or_on_one_that_is_named(installed):
    run, project = installed
    clone = project / "work/clone"
    (clone / "notebooks").mkdir(parents=True)
    (clone / "pyproject.toml").write_text('[project]\nname = "hrvgan-lib"\n')
    assert run(ASK, clone / "notebooks").stdout.strip() == str(clone)
    assert run(ASK, project, HRVGAN_ROOT=str(clone)).stdout.strip() == str(clone)
    nowhere = run(ASK, clone, HRVGAN_ROOT="nowhere")
    assert nowhere.returncode == 1 and "HRVGAN_ROOT=nowhere is no folder" in nowhere.stderr


def test_the_repository_is_the_folder_around_the_package(monkeypatch, tmp_path):
    monkeypatch.delenv("HRVGAN_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    assert provenance.repo_root() == PACKAGE.parent


def test_listing_digest_sees_names_sizes_and_times(tmp_path):
    (tmp_path / "a").write_text("1")
    first = files.listing_digest(tmp_path)
    assert files.listing_digest(tmp_path) == first
    (tmp_path / "b").write_text("")
    second = files.listing_digest(tmp_path)
    os.utime(tmp_path / "a", (1, 1))
    third = files.listing_digest(tmp_path)
    (tmp_path / "a").write_text("22")
    os.utime(tmp_path / "a", (1, 1))
    assert len({first, second, third, files.listing_digest(tmp_path)}) == 4


def test_the_data_on_disk_is_told_by_data_set(tmp_path):
    assert provenance.data_identity(tmp_path) == {}
    for name in ("golf", "reference", "other"):
        (tmp_path / name).mkdir()
    assert set(provenance.data_identity(tmp_path)) == {"golf", "reference"}


def test_write_atomic_leaves_no_other_file(tmp_path):
    path = files.write_atomic(tmp_path / "new" / "x.json", files.to_json({"b": (1, 2), "a": None}))
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["x.json"] and path.stat().st_mode & 0o777 == 0o644
    assert path.read_text().startswith('{\n "a": null,\n "b"')
    assert files.write_atomic(path, b"\x00").read_bytes() == b"\x00"


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "clips.webp"
    path.write_text("old")

    def fail(temporary):
        assert temporary.suffix == ".webp"  # what some writers go by
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        files.write_atomic(path, fail)
    assert path.read_text() == "old" and [one.name for one in tmp_path.iterdir()] == ["clips.webp"]


def test_what_is_written_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(files.os, "fsync", lambda handle: told.append("sync"))
    replace = os.replace
    monkeypatch.setattr(files.os, "replace", lambda *names: told.append("name") or replace(*names))
    files.write_atomic(tmp_path / "a", "1")
    assert told == ["sync", "name", "sync"]


def test_peak_memory_is_told():
    assert provenance.peak_rss_mb() > 10
    assert provenance.peak_rss_mb(2**22 + 1) == 0


def test_what_a_python_lacks_is_named_down_to_the_needs_of_its_packages(monkeypatch):
    assert provenance.lacking() == []
    monkeypatch.setitem(sys.modules, "papermill", None)  # as if it could not be imported
    monkeypatch.setattr(provenance.importlib.util, "find_spec", lambda name: None if name == "scipy" else object())
    assert provenance.lacking() == ["papermill", "scipy"]
