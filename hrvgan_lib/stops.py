"""Interrupts that wait until a step is done and saved (chapter 06): Ctrl-C, a notebook's stop button, `kill`."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def held_back() -> Iterator[Callable[[], bool]]:
    """Inside, SIGINT and SIGTERM end nothing at once: the function that is yielded says whether one has come.

    A second one raises KeyboardInterrupt where it meets the program: whoever is impatient is heard. In another thread
    than the main one, where Python gives no signals, nothing changes.
    """
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
