"""HRVGAN, reproduced: what the chapters in notebooks/ import. The package alone loads nothing heavy."""

import os
import signal
import sys
from types import FrameType

__version__ = "0.1.0"


def leave(number: int, frame: FrameType | None) -> None:
    """End at once, as an interrupted command does (`mishaps.command` listens from `main` on)."""
    os._exit(130)


# `python -m hrvgan_lib...` is about to import for seconds, and an interrupt then would be told in a traceback.
if sys.argv[:1] == ["-m"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, leave)
