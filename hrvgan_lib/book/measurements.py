"""What chapters measure for the ledgers, on its way from one chapter to another; chapter 12."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from math import inf, isfinite, isnan, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrvgan_lib.budgets import Side

if TYPE_CHECKING:
    from hrvgan_lib.metrics.rulers.intervals import Interval


@dataclass(frozen=True)
class Control:
    """The same number for something that must not have the property: an untrained network, a memory, a cross-fade."""

    name: str
    low: float
    high: float


@dataclass(frozen=True)
class Measurement:
    """One number that a chapter measured for an entry of a ledger (`paper.CLAIMS`, `paper.DECISIONS`).

    `low` and `high` are its 95 % interval (both the value itself where it is no estimate); of an order it is the
    interval of the paired difference, positive where the order is as claimed. `asked_low` and `asked_high` bound the
    values for which the claim holds. `sides` are the trained systems behind it, none where nothing was trained; `has`
    lists the keys of `paper.claims.NEEDS` that are met; `over`: what the interval is over.
    """

    chapter: str
    what: str
    value: float
    low: float
    high: float
    claim: str = ""  # id of the claim or
    decision: str = ""  # decision that it belongs to
    asked_low: float = -inf
    asked_high: float = inf
    over: str = ""
    data: str = ""
    has: tuple[str, ...] = ()
    shown: str = ""  # instead of the number, where it is a shape or a word
    sides: tuple[Side, ...] = ()
    controls: tuple[Control, ...] = ()
    limit: float | None = None  # the same number extrapolated to infinitely many clips, where it depends on N

    @property
    def asked(self) -> str:
        """The asked range in words."""
        if self.asked_low == self.asked_high:
            return f"{self.asked_low:.4g}"
        words = [f"at least {self.asked_low:.4g}"] if self.asked_low > -inf else []
        return " and ".join(words + ([f"at most {self.asked_high:.4g}"] if self.asked_high < inf else []))

    @property
    def number(self) -> str:
        """The value with its interval, or what stands for it."""
        if self.shown:
            return self.shown
        if not isfinite(self.low) and not isfinite(self.high):
            return f"{self.value:.4g} [cannot be told]"
        interval = f" [{self.low:.4g}, {self.high:.4g}]" if self.low < self.high else ""
        return f"{self.value:.4g}{interval}"

    @property
    def holds(self) -> bool | None:
        """True where the whole interval lies in the asked range, False where none of it does, None between."""
        return inside(self.low, self.high, self.asked_low, self.asked_high)

    @property
    def finite(self) -> bool:
        """Whether there is a number at all: NaN says that something broke, and decides nothing."""
        return isfinite(self.value) and not isnan(self.low) and not isnan(self.high)

    @property
    def seeds(self) -> int | None:
        """The fewest training seeds of a side; None where nothing was trained."""
        return min((side.seeds for side in self.sides), default=None)


def inside(low: float, high: float, asked_low: float, asked_high: float) -> bool | None:
    """Whether [low, high] lies in the asked range: True, False, or None where it reaches across (or is no interval)."""
    if isnan(low) or isnan(high):
        return None
    if asked_low <= low and high <= asked_high:
        return True
    return False if high < asked_low or low > asked_high else None


def read_measurements(folder: Path) -> list[Measurement]:
    """Everything that the chapters of one run measured, in chapter order: from <folder>/<chapter>.usage.json."""
    known = {field.name for field in fields(Measurement)}
    found = []
    for path in sorted(Path(folder).glob("[0-9]*.usage.json")):
        for record in json.loads(path.read_text(encoding="utf-8")).get("measurements", []):
            values = {name: value for name, value in record.items() if name in known}
            values["has"] = tuple(values.get("has", ()))
            values["sides"] = tuple(Side(**side) for side in values.get("sides", ()))
            values["controls"] = tuple(Control(**_floats(control)) for control in values.get("controls", ()))
            found.append(Measurement(**_floats(values)))
    return found


def write_measurement(measurement: Measurement) -> dict:
    """The measurement as JSON holds it: nothing in place of what is not finite.

    A bound that is no number would come back as no bound, so that the number, or the control, goes as a whole.
    """
    if not measurement.finite:
        measurement = replace(measurement, value=nan)
    return _finite(asdict(measurement))


MISSING = {"value": nan, "low": -inf, "high": inf, "asked_low": -inf, "asked_high": inf}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _floats(values: dict[str, Any]) -> dict[str, Any]:
    return {name: MISSING[name] if name in MISSING and value is None else value for name, value in values.items()}


def control(name: str, interval: Interval) -> Control:
    """The `Control` with this interval; without bounds where one of them is no number."""
    low, high = float(interval.low), float(interval.high)
    return Control(name, -inf, inf) if isnan(low) or isnan(high) else Control(name, low, high)
