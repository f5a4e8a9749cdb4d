"""The words that make's variables are given: yes and no, numbers, parameters of chapters (`make reproduce`)."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

from hrvgan_lib.mishaps import command

YES, NO = ("1", "true", "yes", "y", "on"), ("", "0", "false", "no", "n", "off")


def yes(variable: str, text: str) -> bool:
    """Whether a word says yes, in any case. Raises ValueError for one that says neither yes nor no."""
    word = text.strip().lower()
    if word not in YES + NO:
        raise ValueError(f"{variable}={text} says neither yes nor no: write {variable}=1 or {variable}=0")
    return word in YES


def whole_number(variable: str, text: str, least: int = 1) -> int:
    """A count. Raises ValueError for anything but a whole number, `least` (0 or 1) at least."""
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) < least:
        raise ValueError(f"{variable}={text} is no whole number{' above zero' if least else ', zero or more'}")
    return int(text)


def some_minutes(text: str) -> float:
    """A length of time. Raises ValueError for anything but a number above zero."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", text) or not float(text) > 0:
        raise ValueError(f"MINUTES={text} is no number of minutes above zero")
    return float(text)


def like(name: str, text: str, default: Any) -> Any:
    """A chapter's parameter as its default is: yes or no, a whole number, a number, or text.

    Raises ValueError for a word of another kind.
    """
    kinds = {bool: "yes or no", int: "a whole number", float: "a number"}
    try:
        if isinstance(default, bool):
            return yes(name, text)
        if isinstance(default, int):
            return int(text)
        return float(text) if isinstance(default, float) else text
    except ValueError:
        raise ValueError(f"{name}={text}: the parameter {name} is {kinds[type(default)]}, like {default!r}") from None


@command
def main(arguments: Sequence[str]) -> int:
    """For the Makefile: `words VARIABLE TEXT` prints 1 for yes, nothing for no, `neither` for what is neither."""
    variable, text = arguments
    try:
        print("1" if yes(variable, text) else "")
    except ValueError:
        print("neither")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
