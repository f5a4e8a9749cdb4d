"""`make wheels`: what an offline machine with torch lacks, collected as wheels; nothing of the book imports this."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hrvgan_lib.provenance import repo_root

PRESENT = ("torch", "torchvision", "scipy", "matplotlib")  # what a GPU machine has, with all that these need
RUNS_THE_BOOK = ("papermill", "jupytext", "ipykernel", "ipywidgets", "av", "safetensors", "tqdm", "filelock", "pillow")
GLIBC = (17, 24, 26, 27, 28, 31, 34, 35)  # 2.x: pip wants each one that a wheel may be built for by name


def environment(python: str) -> dict[str, str]:
    """Marker values of a 64-bit Linux machine with this Python."""
    return default_environment() | {
        "python_version": python, "python_full_version": f"{python}.0", "implementation_version": f"{python}.0",
        "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix",
    }  # fmt: skip


def closure(names: tuple[str, ...], where: dict[str, str]) -> set[str]:
    """`names` and everything that they require, by what is installed here."""
    found: set[str] = set()
    queue = [canonicalize_name(name) for name in names]
    while queue:
        name = queue.pop()
        if name in found:
            continue
        found.add(name)
        try:
            requires = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # wanted on another platform only
            continue
        for requirement in map(Requirement, requires):
            if requirement.marker is None or requirement.marker.evaluate(where | {"extra": ""}):
                queue.append(canonicalize_name(requirement.name))
    return found


def locked(lock: str, wanted: set[str], where: dict[str, str]) -> list[str]:
    """The lock's lines for `wanted`: name==version and hashes, its markers answered for the other machine."""
    chosen = []
    for entry in re.findall(r"^[A-Za-z0-9].*(?:\n +.*)*", lock, re.MULTILINE):
        head, *hashes = [line.rstrip(" \\") for line in entry.splitlines() if not line.lstrip().startswith("#")]
        requirement = Requirement(head)
        fits = requirement.marker is None or requirement.marker.evaluate(where | {"extra": ""})
        if canonicalize_name(requirement.name) in wanted and fits:
            chosen.append(" \\\n".join([f"{requirement.name}{requirement.specifier}", *hashes]))
    return chosen


def collect(folder: Path, python: str, have: tuple[str, ...] = ()) -> list[Path]:
    """Download into `folder` the wheels that run the book beside `PRESENT` and `have` on that Python.

    Raises RuntimeError, in one line, where a wheel is not to be had.
    """
    where = environment(python)
    wanted = closure(RUNS_THE_BOOK, where) - closure(PRESENT, where) - {canonicalize_name(name) for name in have}
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lines = locked((repo_root() / "requirements.lock").read_text(encoding="utf-8"), wanted, where)
    listing = folder / "requirements.txt"
    listing.write_text("\n".join(lines) + "\n", encoding="utf-8")
    platforms = [flag for minor in GLIBC for flag in ("--platform", f"manylinux_2_{minor}_x86_64")]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
               "--require-hashes", "--implementation", "cp", "--python-version", python, *platforms,
               "--platform", "manylinux2014_x86_64", "--platform", "manylinux1_x86_64", "-d", str(folder),
               "-r", str(listing)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise RuntimeError(f"the wheels are not complete: {(errors or done.stderr.splitlines() or ['pip failed'])[0]}")
    return sorted(folder.glob("*.whl"))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("hrvgan_lib.wheels", description=__doc__)
    parser.add_argument("folder", nargs="?", default="wheels")
    parser.add_argument("--python", default="3.12", help="the other machine's Python, as in 3.12")
    parser.add_argument("--have", default="", help="packages, by name, that it has besides " + " ".join(PRESENT))
    arguments = parser.parse_args(argv)
    try:
        wheels = collect(Path(arguments.folder), arguments.python, tuple(arguments.have.split()))
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    size = sum(wheel.stat().st_size for wheel in wheels) / 2**20
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=repo_root(), capture_output=True, text=True).stdout
    book = sum((repo_root() / name).stat().st_size for name in tracked.split("\0") if (repo_root() / name).is_file())
    print(f"{len(wheels)} wheels, {size:.1f} MiB, for Python {arguments.python} on 64-bit Linux: {arguments.folder}/ "
          f"(with the repository {size + book / 2**20:.1f} MiB)")  # fmt: skip
    print(f"there: pip install --no-index --no-deps --target site {arguments.folder}/*.whl")
    print("       PYTHONPATH=$PWD/site make reproduce PYTHON=python3")
    return 0


if __name__ == "__main__":
    sys.exit(main())
