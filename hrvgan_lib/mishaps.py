"""Errors in one line: the file, the system's own words, the remedy; and how every command line ends (all commands)."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import hrvgan_lib
from hrvgan_lib.files import write_atomic

ROOM = "make room there and give the same command again: what was finished before is kept"
RIGHT = "get the right to it or name another place, and give the same command again"
WAY = "move the file away that stands where a folder has to be, or name another place, and try again"
REMEDIES = {
    errno.ENOSPC: ROOM, errno.EDQUOT: ROOM, errno.EFBIG: ROOM,
    errno.EROFS: RIGHT, errno.EACCES: RIGHT, errno.EPERM: RIGHT,
    errno.ENOTDIR: WAY, errno.EEXIST: WAY,
}  # fmt: skip
# torch says nothing else of a file that it could not write to its end; hardly ever is it another thing than the disk.
TORCH = re.compile(r"unexpected pos \d|PytorchStreamWriter|iostream error")
# Of the input or of the machine. Anything else is a bug, and whoever reports it needs its traceback.
MISHAPS = (OSError, ValueError, RuntimeError, ArithmeticError, MemoryError, EOFError, subprocess.SubprocessError)
_ADVICE = " again"  # in every remedy, here and where packing or drawing stops
Given = ParamSpec("Given")
Made = TypeVar("Made")


def command(main: Callable[Given, int]) -> Callable[Given, int]:
    """A command line's `main` that ends in an exit status, never in a traceback, but for a bug's.

    130 where it was interrupted; 2, and a line on stderr, for a mishap that it does not tell itself.
    """

    @wraps(main)
    def run(*given: Given.args, **named: Given.kwargs) -> int:
        if signal.getsignal(signal.SIGINT) is hrvgan_lib.leave:  # from here on there is something to tidy up
            signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            status = main(*given, **named)
            sys.stdout.flush()  # else it is done on the way out, where nobody catches what it raises
            return status
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130
        except Exception as error:
            if not (isinstance(error, MISHAPS) or written(error)):
                raise
            if not isinstance(error, BrokenPipeError):  # `| head` has seen enough
                print(line_of(error), file=sys.stderr)
            _drop_output()
            return 2

    return run


def in_full(work: Callable[Given, Made]) -> Callable[Given, Made]:
    """A function whose error, where a disk is behind it, is an OSError that holds `line_of`: what a chapter shows."""

    @wraps(work)
    def run(*given: Given.args, **named: Given.kwargs) -> Made:
        try:
            return work(*given, **named)
        except Exception as error:
            number = getattr(error, "errno", None)
            if _ADVICE in str(error) or not (number in REMEDIES or (number is None and written(error))):
                raise
            raise OSError(number or errno.ENOSPC, line_of(error)) from None

    return run


def line_of(error: BaseException) -> str:
    """An error in one line: of a file that could not be read or written its name, the system's words, the remedy."""
    if isinstance(error, MemoryError):
        return f"not enough memory: ask for less at once ({error})" if str(error) else "not enough memory: ask for less"
    words, place = _without_torch(str(error)) or type(error).__name__, written(error)
    if isinstance(error, OSError) and error.strerror:
        words, place = error.strerror, place or error.filename or _near(error)
    return told(f"{place}: {words}" if place and str(place) not in words else words)


def told(words: str) -> str:
    """The words of an error in one line, with a remedy where they tell of a disk and name none."""
    words = " ".join(_without_torch(words).split())
    known = [remedy for number, remedy in REMEDIES.items() if os.strerror(number) in words and _ADVICE not in words]
    return "; ".join([words, *known[:1]])


def _near(error: BaseException) -> str:
    """What the library's innermost function was at when this error came, by the names that it has for it."""
    for frame in reversed([frame for frame, _ in traceback.walk_tb(error.__traceback__)]):
        if frame.f_globals.get("__name__", "").startswith(hrvgan_lib.__name__):
            for name in ("path", "partial", "folder"):
                if isinstance(place := frame.f_locals.get(name), Path):
                    return str(place)
    return ""


def _without_torch(words: str) -> str:
    seems = f"{os.strerror(errno.ENOSPC)}, as it seems"
    return f"{seems} ({words})" if TORCH.search(words) and seems not in words else words


def written(error: BaseException) -> str:
    """The file that `write_atomic` was writing when this error came; "" where it was not at work."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code is write_atomic.__code__]
    return str(frames[0].f_locals["path"]) if frames else ""


def _drop_output() -> None:
    """Forget what stdout still holds where nobody takes it: the interpreter would complain on its way out."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
