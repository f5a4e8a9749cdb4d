"""What a result depends on: code cells without prose, library files reached by any import."""

import sys

from hrvgan_lib import provenance

CHAPTER = '''# %% [markdown]
# # Title

# %% tags=["nbval-check-output"]
from hrvgan_lib import losses


# %%
%magic that no parser reads

# %% [markdown]
# Prose.

# %%
def later():
    import hrvgan_lib.metrics
'''

LIBRARY = {
    "__init__.py": "",
    "book.py": "def f():\n    from hrvgan_lib.data import video\n",
    "profiles.py": "",
    "losses.py": "from . import norms",
    "norms.py": "",
    "training.py": "",
    "data/__init__.py": "from .video import read",
    "data/video.py": "from .. import paper",
    "data/unused.py": "",
    "paper.py": "",
    "metrics/__init__.py": "NAMES = ['hrvgan_lib.metrics.extra']",
    "metrics/extra.py": "",
}


def library(root):
    for name, source in LIBRARY.items():
        path = root / "hrvgan_lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)


def test_code_cells_leave_prose_out(tmp_path):
    (tmp_path / "x.py").write_text(CHAPTER)
    cells = provenance.code_cells(tmp_path / "x.py")
    assert [cell.splitlines()[0] for cell in cells] == [
        "from hrvgan_lib import losses", "%magic that no parser reads", "def later():",
    ]  # fmt: skip


def test_closure_follows_lazy_relative_and_named_imports(tmp_path):
    library(tmp_path)
    reached = set(provenance.library_closure(["import hrvgan_lib.metrics", "from hrvgan_lib import losses"], tmp_path))
    assert {"hrvgan_lib." + name for name in ("book", "profiles", "losses", "norms", "paper", "data")} <= reached
    assert {"hrvgan_lib", "hrvgan_lib.data.video", "hrvgan_lib.metrics", "hrvgan_lib.metrics.extra"} <= reached
    assert not {"hrvgan_lib.training", "hrvgan_lib.data.unused"} & reached


def test_code_hash(tmp_path):
    library(tmp_path)
    chapter = tmp_path / "x.py"
    chapter.write_text(CHAPTER)
    first = provenance.code_hash(chapter, tmp_path)
    chapter.write_text(CHAPTER.replace("Prose", "Better prose"))
    (tmp_path / "hrvgan_lib/training.py").write_text("not reached")
    assert provenance.code_hash(chapter, tmp_path) == first
    (tmp_path / "hrvgan_lib/norms.py").write_text("reached = True")
    assert provenance.code_hash(chapter, tmp_path) != first


def test_listing_digest_sees_names_sizes_and_times(tmp_path):
    (tmp_path / "a").write_text("1")
    first = provenance.listing_digest(tmp_path)
    assert provenance.listing_digest(tmp_path) == first
    (tmp_path / "b").write_text("")
    assert provenance.listing_digest(tmp_path) != first


def test_write_atomic_leaves_no_other_file(tmp_path):
    provenance.write_atomic(tmp_path / "new" / "x.json", provenance.to_json({"b": (1, 2), "a": None}))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x.json"]
    assert (tmp_path / "new/x.json").read_text().startswith('{\n "a": null,\n "b"')


def test_peak_memory_is_told():
    assert provenance.peak_rss_mb() > 10
    assert provenance.peak_rss_mb(2**22 + 1) == 0


def test_what_a_python_lacks_is_named_down_to_the_needs_of_its_packages(monkeypatch):
    assert provenance.lacking() == []
    monkeypatch.setitem(sys.modules, "papermill", None)  # as if it could not be imported
    monkeypatch.setattr(provenance.importlib.util, "find_spec", lambda name: None if name == "scipy" else object())
    assert provenance.lacking() == ["papermill", "scipy"]
