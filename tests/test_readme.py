"""README.md and docs/: links that lead somewhere, pictures from recorded runs with captions as recorded, the layout."""

import json
import re
import subprocess

import pytest

from hrvgan_lib import training
from hrvgan_lib.data.formats import stacks, video
from hrvgan_lib.files import sha256_file
from hrvgan_lib.profiles import RECORDED_RUNS
from hrvgan_lib.provenance import repo_root
from hrvgan_lib.series.chapters import find_chapters

ROOT = repo_root()
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PICTURE = re.compile(r"!\[([^]]*)\]\(([^)]+)\)\n\n\*(.+?)\*\n\n", re.DOTALL)


@pytest.mark.parametrize("path", PAGES, ids=[path.name for path in PAGES])
def test_every_link_leads_to_a_file_of_the_repository(path):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    files = set(listed.stdout.splitlines())
    folders = {"/".join(name.split("/")[:depth]) for name in files for depth in range(1, name.count("/") + 1)}
    targets = re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8"))
    linked = [target for target in targets if not target.startswith("https://")]
    assert linked or path.name != "README.md"
    for target in linked:
        place = (path.parent / target).resolve().relative_to(ROOT).as_posix()
        if place.startswith("figures/overnight") and not (ROOT / "figures/overnight").is_dir():
            continue  # the recorded run is not in this clone
        assert place in files | folders, f"{path.name} leads to {place}, which is not there"


def test_the_first_picture_is_of_a_recorded_run_and_its_caption_says_what_its_sidecar_says():
    alt, place, caption = PICTURE.search(README).groups()
    folder, run, name = place.split("/")
    assert folder == "figures" and run in RECORDED_RUNS
    if not (ROOT / folder / run).is_dir():
        pytest.skip(f"no recorded run figures/{run}/")
    picture = ROOT / place
    sidecar = json.loads(picture.with_suffix(".json").read_text(encoding="utf-8"))
    assert sidecar["files"][name] == sha256_file(picture)
    assert sidecar["alt"] in alt
    words = " ".join(caption.split())
    first = sidecar["data"][0]
    shape = f"{first['frames']} frames of {first['size']}×{first['size']}"
    trained = f"{sidecar['steps']:,} steps of {sidecar['batch']} clips"
    for fact in (sidecar["trained_on"], first["kind"], shape, trained, f"seed {sidecar['seeds'][0]}"):
        assert fact in words, f"the caption does not say {fact!r}"


def test_the_readme_is_short_and_lists_every_chapter():
    assert README.count("\n") <= 110
    linked = re.findall(r"^\| \[\d\d [^]]+\]\(notebooks/(\w+)\.ipynb\)", README, re.MULTILINE)
    assert linked == [chapter.stem for chapter in find_chapters(ROOT / "notebooks")]


def test_stand_in_is_explained_where_it_is_first_used():
    first = re.search(r"stand-ins?", README)
    assert README[first.start() - 3 : first.end() + 4] == "A *stand-in* is"


def test_the_layout_names_every_module_and_folder():
    layout = (ROOT / "docs" / "code.md").read_text(encoding="utf-8")
    library = ROOT / "hrvgan_lib"
    names = [path.name for path in library.glob("[!_]*.py")]
    names += [f"{path.parent.name}/" for path in library.glob("*/__init__.py")]
    names += [path.name for folder in ("book", "series") for path in (library / folder).glob("[!_]*.py")]
    assert len(names) > 30 and [name for name in sorted(names) if name not in layout] == []


def test_what_holds_a_promise_is_there():
    """Every test and every command that docs/promises.md names."""
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!promise|--)(.+) \| (`.+`) \|$", page, re.MULTILINE)
    assert len(rows) > 15 and len(rows) == page.count("\n|") - 2
    named = [name for _, holders in rows for name in re.findall(r"`([^`]+)`", holders)]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    if not (ROOT / "tools" / "repeats.py").is_file():
        targets.append("repeats")
    sources = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py")}
    tests = {
        f"tests/{file}::{name}" for file, text in sources.items() for name in re.findall(r"^def (test_\w+)", text, re.M)
    }
    assert [name for name in named if name not in tests | {f"make {target}" for target in targets}] == []


def test_the_limits_that_are_promised_are_those_of_the_code():
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    assert f"more than {video.MOST_PIXELS:,} pixels or a picture of more than {stacks.MOST_PIXELS:,} is" in page
    assert "at most a minute" in page and training.SAVE_SECONDS == 60
