#!/usr/bin/env python3
"""`make licences`: docs/licences.md from the lock and from the metadata of what it has installed."""

from __future__ import annotations

import argparse
import platform
import re
import sys
import tomllib
from collections import defaultdict
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the library is not installed

from hrvgan_lib.mishaps import command

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "licences.md"
TEXT = """# Licences of what is installed

<!-- made by `make licences` -->

Versions are those of `requirements.lock` for {system}.
Licences are as the metadata of each package name them; where these leave open which BSD or Apache licence it is, so
does this page.

The project's own files are under the MIT licence, and none of these packages is among them: their terms concern whoever
passes on what is installed (an environment, a container, the archive of `make packages`). Three of these terms ask for
more than that a notice is kept:

- The wheel of PyAV (`av`) holds FFmpeg's libraries, whose builds say of themselves: {ffmpeg}. Beside them
  it holds x264 and x265; the source files of both name the GNU General Public License, version 2 or later, or a
  commercial licence. `hrvgan_lib.predict` writes its videos with x264.
- The packages `nvidia-...`, which torch asks for on Linux, are proprietary.
- Under MPL-2.0 whoever passes on changed files of a package passes on their source.

## What the library, the chapters and `make lab` use

| package | version | licence | for |
|---|---|---|---|
{everybody}

## What tests and tools use

| package | version | licence | for |
|---|---|---|---|
{developers}

## What those bring

| licence | packages |
|---|---|
{brought}

## Elsewhere

For other systems and other Pythons the lock has these too, whose metadata this page has not read: {elsewhere}.
"""
FOR = {  # what each declared package is here for
    "torch": "networks, training, every metric",
    "torchvision": "networks that look at frames and clips, grids of pictures",
    "numpy": "arrays, random draws, the packed store",
    "scipy": "distributions behind intervals, linear programs, filters",
    "matplotlib": "figures",
    "av": "decoding and writing videos",
    "pillow": "pictures, WebP films",
    "safetensors": "weights without code",
    "torchmetrics": "structural similarity of predicted frames",
    "filelock": "two runs at once",
    "tqdm": "progress bars",
    "ipywidgets": "sliders and buttons in chapters",
    "itables": "the ledgers of chapter 12, to be searched",
    "ipykernel": "the kernel of a chapter",
    "ipython": "what a cell shows",
    "jupyter-client": "starting kernels",
    "nbclient": "errors of a chapter that runs",
    "nbformat": "reading and writing notebooks",
    "jupyterlab": "`make lab`",
    "jupytext": "the two files of a chapter",
    "papermill": "running a chapter with parameters",
    "nbval": "checked cells",
    "mypy": "types",
    "pytest": "tests",
    "pytest-xdist": "tests side by side",
    "ruff": "lint and format",
    "pyyaml": "reading environment.yml in tests",
    "torch-fidelity": "another implementation of the metrics, to compare with",
    "uv": "building `.venv`, solving the lock",
    "setuptools": "putting the library into `.venv`",
}
# One name for what metadata spell in several ways. Where they leave open which BSD or Apache licence, so does the page.
SPELLED = {
    "MIT License": "MIT", "MIT license": "MIT", "BSD 3-Clause License": "BSD-3-Clause", "BSD": "BSD License",
    "BSD 2-Clause License": "BSD-2-Clause", "Apache 2.0": "Apache-2.0", "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0", "ISC License (ISCL)": "ISC", "ISC license": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0", "PSFL": "Python Software Foundation License",
    "NVIDIA Proprietary Software": "LicenseRef-NVIDIA-Proprietary",
}  # fmt: skip
PLACES = {"sys_platform == 'darwin'": "macOS", "sys_platform == 'win32'": "Windows", "os_name == 'nt'": "Windows",
          "sys_platform == 'linux'": "Linux"}  # fmt: skip


def locked() -> list[tuple[str, str, str]]:
    """(name, version, marker or nothing) of every line of the lock."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return re.findall(r"^([\w.-]+)==(\S+)(?: ; (.+?))? \\$", text, re.MULTILINE)


def installed(name: str, version: str) -> Distribution | None:
    """That very version, where it is installed."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    return found if found.version == version else None


def licence(package: Distribution) -> str:
    """What a package's metadata say: the expression, else the field where it is a name and not a text, else classes."""
    about = package.metadata
    first = ((about["License"] or "").strip().splitlines() or [""])[0].strip()
    classes = [one.rpartition(" :: ")[2] for one in about.get_all("Classifier") or [] if one.startswith("License ::")]
    named = first if re.fullmatch(r"[\w ,.+-]{2,40}", first) and not re.search("copyright|unknown", first, re.I) else ""
    said = about["License-Expression"] or named or ", ".join(classes)
    return SPELLED.get(said, said) or "none is named"


def where(marker: str) -> str:
    """A marker of the lock in words."""
    words = [f"Python {version.removesuffix('.*')}" if sign == "==" else f"Python {sign} {version}"
             for sign, version in re.findall(r"python_full_version (<|>=|==) '([\d.]+(?:\.\*)?)'", marker)]  # fmt: skip
    words += [place for test, place in PLACES.items() if test in marker]
    return ", ".join(words) or marker


def declared() -> tuple[list[str], list[str]]:
    """Names that pyproject.toml asks for: for everybody, for developers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    both = project["dependencies"], project["optional-dependencies"]["dev"]
    everybody, developers = (re.findall(r"^[\w.-]+", "\n".join(names), re.MULTILINE) for names in both)
    return everybody, developers


def of_ffmpeg() -> str:
    """What FFmpeg in PyAV's wheel says of its own licence. Raises ValueError where x264 and x265 are not beside it."""
    from av._core import library_meta

    beside = {file.name.partition("-")[0] for file in distribution("av").files or [] if file.parts[0] == "av.libs"}
    if not {"libx264", "libx265"} <= beside:
        raise ValueError("PyAV's wheel holds x264 and x265 no longer: say so in tools/licences.py")
    return ", ".join(sorted({library["license"] for library in library_meta.values()}))


def page() -> str:
    """docs/licences.md. Raises ValueError where another version is installed than the lock has."""
    everybody, developers = declared()
    here, elsewhere, brought = {}, [], defaultdict(list)
    for name, version, marker in locked():
        if package := installed(name, version):
            here[name] = version, licence(package)
            if name not in FOR:
                brought[here[name][1]].append(f"{name} {version}")
        elif marker:
            elsewhere.append(f"{name} {version} ({where(marker)})")
        else:
            raise ValueError(f"{name} is not installed as {version}, the lock's: `make setup`, and run it from .venv")

    def table(names: list[str]) -> str:
        return "\n".join(f"| {name} | {' | '.join(here[name])} | {FOR[name]} |" for name in names)

    return TEXT.format(
        system=f"{platform.system()} {platform.machine()} and Python {sys.version_info.major}.{sys.version_info.minor}",
        ffmpeg=of_ffmpeg(), everybody=table(everybody), developers=table(developers),
        brought="\n".join(f"| {terms} | {', '.join(brought[terms])} |" for terms in sorted(brought, key=str.lower)),
        elsewhere=", ".join(elsewhere),
    )  # fmt: skip


@command
def main(argv: list[str] | None = None) -> int:
    argparse.ArgumentParser("tools/licences.py", description=__doc__.splitlines()[0]).parse_args(argv)
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} is made")
    return 0


if __name__ == "__main__":
    sys.exit(main())
