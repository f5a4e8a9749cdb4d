#!/usr/bin/env python3
"""`make lab`: JupyterLab on the chapters, which look at the run that is named (docs/tools.md)."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the library is not installed

from hrvgan_lib.book.page import LAB_VARIABLES
from hrvgan_lib.mishaps import command
from hrvgan_lib.profiles import get_profile, run_name

ROOT = Path(__file__).resolve().parents[1]
DOOR = re.compile(r"--(?:\w+\.)?(ip|token|\w*password\w*|allow_unauthenticated_access|sock)\b=?(.*)", re.DOTALL)
HERE = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1")


def parameters_of(run: str) -> dict[str, Any]:
    """What the newest finished chapter of a run was made with; {} where the run has none."""
    for notebook in sorted((ROOT / "runs" / run).glob("[0-9]*.ipynb"), key=os.path.getmtime, reverse=True):
        metadata = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]
        return metadata.get("papermill", {}).get("parameters", {})
    return {}


def chosen(profile: str, run: str) -> tuple[dict[str, str], str]:
    """What chapters are told ({} where they stay as they are), and the same in one line.

    A run that is there says itself how it was made. Raises ValueError for what is no profile or no name, and for a
    profile that is not the run's.
    """
    name = run_name(profile or "smoke", run=run)
    made = parameters_of(name)
    get_profile(profile or "smoke")
    if made.get("rehearse"):
        raise ValueError(f"run {name} is a rehearsal, with nothing to look at: choose another RUN=")
    if profile and made and profile not in (made["profile"], made["profile"].partition("*")[0]):
        raise ValueError(
            f"run {name} was made with PROFILE={made['profile']}: leave PROFILE= out or choose another RUN="
        )
    told = {"profile": made.get("profile", profile or "smoke"), "run": name}
    told |= {word: made.get(word, "") for word in ("actions", "data_root")}
    words = f"PROFILE={told['profile']}, results in runs/{name}/ and figures/{name}/"
    if not profile and not run:
        return {}, f"chapters open as they stand: {words}; make lab PROFILE=cpu opens them on that run"
    if made:
        return told, f"chapters open on the run {name}, which is there: {words}"
    make = f"make reproduce PROFILE={told['profile']}" + (f" RUN={run}" if run else "")
    return told, f"chapters open on the run {name}, which is not there yet ({make}): {words}"


def door(flags: list[str]) -> dict[str, str]:
    """{ip, token, password, ...: its value} of JupyterLab's flags that say who is let in."""
    matches = zip(map(DOOR.fullmatch, flags), [*flags[1:], ""])
    return {match[1]: (match[2] if "=" in match[0] else value).strip("'\"") for match, value in matches if match}


def let_in(flags: list[str]) -> list[str]:
    """The flags, with this machine's own address where they name none, whatever a settings file of Jupyter says.

    In a container one is root, and JupyterLab refuses. On this machine's own address, with its token, nothing is open
    to others; who names another address or token decides about root too. Raises ValueError for flags that would let in
    whoever reaches the address.
    """
    says = door(flags)
    locked = says.get("token", "its own") or says.get("hashed_password") or says.get("password")
    if not HERE.fullmatch(says.get("ip", "localhost")) and not locked:
        raise ValueError("LAB= opens files and a shell to everybody, without a token: leave the token as it is")
    own = [] if {"ip", "sock"} & {*says} else ["--ServerApp.ip=localhost"]
    root = ["--allow-root"] if not says and hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [*flags, *own, *root]


@command
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("lab", description=__doc__)
    parser.add_argument("--profile", default="")
    parser.add_argument("--run", default="", help="a run that was made before, or a new name")
    parser.add_argument("--lab", default="", help="JupyterLab's own flags")
    arguments = parser.parse_args(argv)
    told, line = chosen(arguments.profile, arguments.run)
    flags = let_in(shlex.split(arguments.lab))
    os.environ |= {variable: told.get(name, "") for name, variable in LAB_VARIABLES.items()}
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))  # for kernels
    print(line, flush=True)
    words = [sys.executable, "-m", "jupyter", "lab", "--config", str(ROOT / "tools" / "lab_config.py"), *flags]
    os.execv(sys.executable, words)


if __name__ == "__main__":
    sys.exit(main())
