"""Ride-through curves: how long which voltage must be borne, as files.

A curve is a table of steps, one a row: `duration_s`, `vm_low_pu`, and by choice `vm_high_pu`. For events no
longer than `duration_s` voltages from `vm_low_pu` to `vm_high_pu` are ridden through; the last row holds for
ever (`inf`). What follows from it for protection are stages: let go below the voltage of a row once that has
lasted longer than the row before allows.
"""

import csv
import math
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

from cosim.core.errors import ScenarioError, collected
from cosim.core.registry import nearest

SHIPPED = ("itic", "semi_f47")
LOW_STAGES, HIGH_STAGES = 5, 3
"""Stages a device has for each side."""

Stages = tuple[tuple[float, float], ...]
"""Voltage [pu] and how long it may be beyond it [s]."""


@dataclass(frozen=True)
class Curve:
    """One ride-through curve."""

    name: str
    duration_s: tuple[float, ...]
    vm_low_pu: tuple[float, ...]
    vm_high_pu: tuple[float, ...]
    """Infinite where the curve has no upper limit."""

    def low_stages(self) -> Stages:
        """Return the stages below, from the lowest voltage on."""
        stages = [(self.vm_low_pu[0], 0.0)] if self.vm_low_pu[0] > 0.0 else []
        rows = zip(pairwise(self.vm_low_pu), self.duration_s, strict=False)
        stages += [(vm, lasted_s) for (before, vm), lasted_s in rows if vm > before]
        return tuple(stages)

    def high_stages(self) -> Stages:
        """Return the stages above, from the highest voltage on."""
        stages = [(self.vm_high_pu[0], 0.0)] if self.vm_high_pu[0] < math.inf else []
        rows = zip(pairwise(self.vm_high_pu), self.duration_s, strict=False)
        stages += [(vm, lasted_s) for (before, vm), lasted_s in rows if vm < before]
        return tuple(stages)

    def findings(self, good_low_pu: float, good_high_pu: float) -> list[str]:
        """Return why what lets go by this curve could not come back at these voltages."""
        low_pu, high_pu = self.vm_low_pu[-1], self.vm_high_pu[-1]
        wrong = []
        if low_pu > good_low_pu:
            wrong.append(f"{self.name}: its last vm_low_pu={low_pu:g} is above good_low_pu={good_low_pu:g}")
        if high_pu < good_high_pu:
            wrong.append(f"{self.name}: its last vm_high_pu={high_pu:g} is below {good_high_pu=:g}")
        return wrong

    def device(self) -> dict[str, float]:
        """Return the stages as parameters of an `electronic_load`."""
        found = {"vcease_pu": 0.0, "tcease_s": 0.0, "vhigh_pu": 10.0, "thigh_s": 0.0}
        for side, stages in (("cease", self.low_stages()), ("high", self.high_stages())):
            for k, (vm_pu, lasted_s) in enumerate(stages):
                number = str(k + 1) if k else ""
                found |= {f"v{side}{number}_pu": vm_pu, f"t{side}{number}_s": lasted_s}
        return found


def ride_through(name: str) -> Curve:
    """Return a curve: one that comes with the project, or one's own CSV file.

    Raises
    ------
    ScenarioError
        With file, line and values of everything wrong.
    """
    if name in SHIPPED:
        source = files("datacenters.data").joinpath(f"ride_through_{name}.csv")
        return _curve(name, source.read_text(encoding="utf-8"))
    path = Path(name)
    if path.suffix != ".csv":
        known = ", ".join(SHIPPED)
        msg = f"ride_through={name!r} is neither {known} nor a CSV file.{nearest(name, SHIPPED)}"
        raise ScenarioError(msg)
    if not path.is_file():
        msg = f"{path}: no such file (paths are relative to {Path.cwd()})"
        raise ScenarioError(msg)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read as text in UTF-8: {error}"
        raise ScenarioError(msg) from None
    return _curve(str(path), text)


def _rows(where: str, text: str) -> list[dict[str, str]]:
    """Return the rows of a file that has the columns of a curve."""
    table = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    columns, rows = tuple(table.fieldnames or ()), list(table)
    lacking = [name for name in ("duration_s", "vm_low_pu") if name not in columns]
    if lacking:
        has = ", ".join(columns) or "nothing"
        msg = f"{where}: no column {' and no column '.join(lacking)}; the file has: {has}"
        raise ScenarioError(msg)
    if not rows:
        msg = (
            f"{where}: no row below the head {', '.join(columns)}; allowed is one or more, the last with inf"
        )
        raise ScenarioError(msg)
    return rows


def _curve(where: str, text: str) -> Curve:
    rows = _rows(where, text)
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line and not line.startswith("#")][1:]
    wrong: list[str] = []
    numbers = [
        [_number(row, column, f"{where}, line {line}", wrong) for row, line in zip(rows, lines, strict=True)]
        for column in ("duration_s", "vm_low_pu", "vm_high_pu")
    ]
    collected(wrong, ScenarioError)
    duration, low, high = numbers
    for k, line in enumerate(lines):
        here = f"{where}, line {line}"
        if not 0.0 <= low[k] < 1.0 < high[k]:
            wrong.append(f"{here}: allowed is 0 <= vm_low_pu={low[k]:g} < 1 < vm_high_pu={high[k]:g}")
        if k and duration[k] <= duration[k - 1]:
            wrong.append(f"{here}: duration_s={duration[k]:g} must rise, but follows {duration[k - 1]:g}")
        if k and low[k] < low[k - 1]:
            wrong.append(f"{here}: vm_low_pu={low[k]:g} may not fall, but follows {low[k - 1]:g}")
        if k and high[k] > high[k - 1]:
            wrong.append(f"{here}: vm_high_pu={high[k]:g} may not rise, but follows {high[k - 1]:g}")
    if duration[-1] < math.inf:
        wrong.append(f"{where}, line {lines[-1]}: the last duration_s is inf, not {duration[-1]:g}")
    curve = Curve(where, tuple(duration), tuple(low), tuple(high))
    for stages, most, side in (
        (curve.low_stages(), LOW_STAGES, "below"),
        (curve.high_stages(), HIGH_STAGES, "above"),
    ):
        if len(stages) > most:
            wrong.append(f"{where}: {len(stages)} stages {side}, at most {most} are allowed")
    collected(wrong, ScenarioError)
    return curve


def _number(row: dict[str, str], column: str, here: str, wrong: list[str]) -> float:
    """Return one number; a missing upper limit is infinite."""
    text = (row.get(column) or "").strip()
    if not text and column == "vm_high_pu":
        return math.inf
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value) or value < 0.0:
        wrong.append(f"{here}: {column}={text!r} is no number of at least 0")
    return value
