"""`make wheels`: what an offline machine with torch lacks, collected as wheels; nothing of the book imports this."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hrvgan_lib.provenance import repo_root

PRESENT = ("torch", "torchvision", "scipy", "matplotlib")  # what a GPU machine has, with all that these need
RUNS_THE_BOOK = ("papermill", "jupytext", "ipykernel", "ipywidgets", "av", "safetensors", "tqdm", "filelock", "pillow")
GLIBC = (17, 24, 26, 27, 28, 31, 34, 35)  # 2.x: pip wants each one that a wheel may be built for by name


@dataclass(frozen=True)
class Locked:
    """A package of the lock that the other machine would get: name==version, its hashes, and who asks for it."""

    pin: str
    hashes: tuple[str, ...]
    asked_by: frozenset[str]


def read_lock(text: str, python: str) -> dict[str, Locked]:
    """requirements.lock as a 64-bit Linux machine with this Python reads it, whatever Python reads it here."""
    where = default_environment() | {
        "python_version": python, "python_full_version": f"{python}.0", "implementation_version": f"{python}.0",
        "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix",
    }  # fmt: skip
    found = {}
    for entry in re.findall(r"^[A-Za-z0-9].*(?:\n +.*)*", text, re.MULTILINE):
        head, *rest = [line.strip(" \\") for line in entry.splitlines()]
        requirement = Requirement(head)
        if requirement.marker is None or requirement.marker.evaluate(where | {"extra": ""}):
            askers = [line.strip("# ").removeprefix("via").strip() for line in rest if line.startswith("#")]
            found[canonicalize_name(requirement.name)] = Locked(
                f"{requirement.name}{requirement.specifier}", tuple(line for line in rest if line.startswith("--hash")),
                frozenset(canonicalize_name(asker.split()[0]) for asker in askers if asker))  # fmt: skip
    return found


def closure(names: tuple[str, ...], lock: dict[str, Locked]) -> set[str]:
    """`names` and all that they need, going by who asked for what. Raises KeyError for a name not in the lock."""
    found, queue = set(), [canonicalize_name(name) for name in names]
    while queue:
        name = queue.pop()
        if name not in found:
            found.add(name)
            lock[name]  # KeyError: the lock does not know it
            queue += [other for other, entry in lock.items() if name in entry.asked_by]
    return found


def collect(folder: Path, python: str, have: tuple[str, ...] = ()) -> list[Path]:
    """Download into `folder` the wheels that run the book beside `PRESENT` and `have` on that Python.

    Wheels of an earlier call are replaced once all new ones are there; other files are left alone. Raises RuntimeError,
    in one line, where a wheel is not to be had.
    """
    lock = read_lock((repo_root() / "requirements.lock").read_text(encoding="utf-8"), python)
    wanted = closure(RUNS_THE_BOOK, lock) - closure(PRESENT, lock) - {canonicalize_name(name) for name in have}
    folder.mkdir(parents=True, exist_ok=True)
    platforms = [flag for minor in GLIBC for flag in ("--platform", f"manylinux_2_{minor}_x86_64")]
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as new:
        listing = Path(new, "requirements.txt")
        lines = [" \\\n    ".join([lock[name].pin, *lock[name].hashes]) for name in sorted(wanted)]
        listing.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
                   "--require-hashes", "--implementation", "cp", "--python-version", python, *platforms,
                   "--platform", "manylinux2014_x86_64", "--platform", "manylinux1_x86_64", "-d", new,
                   "-r", str(listing)]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            reason = (errors or done.stderr.splitlines() or ["pip failed"])[0]
            raise RuntimeError(f"the wheels are not complete, {folder}/ is as it was: {reason}")
        for old in folder.glob("*.whl"):
            old.unlink()
        return sorted(wheel.replace(folder / wheel.name) for wheel in Path(new).glob("*.whl"))


def glibc_needed(wheels: list[Path]) -> str:
    """The C library that all of these wheels run on, as in 2.28, read off their names; "any" for pure Python."""
    oldest = [min(map(int, found)) for wheel in wheels if (found := re.findall(r"manylinux_2_(\d+)_", wheel.name))]
    return f"2.{max(oldest)}" if oldest else "any"


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
    print(f"{len(wheels)} wheels, {size:.1f} MiB, for Python {arguments.python} on Linux, x86-64, glibc "
          f"{glibc_needed(wheels)} or newer: {arguments.folder}/ (with the repository {size + book / 2**20:.1f} MiB)")
    print(f"there: python3 -m pip install --no-index --no-deps --target site {arguments.folder}/*.whl")
    print("       PYTHONPATH=$PWD/site make reproduce PYTHON=python3")
    return 0


if __name__ == "__main__":
    sys.exit(main())
