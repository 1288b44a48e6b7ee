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
    return _curve(str(path), path.read_text(encoding="utf-8"))


def _curve(where: str, text: str) -> Curve:
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    columns = tuple(rows[0]) if rows else ()
    lacking = [name for name in ("duration_s", "vm_low_pu") if name not in columns]
    if lacking:
        msg = f"{where}: no column {' and no column '.join(lacking)}; the file has: {', '.join(columns)}"
        raise ScenarioError(msg)
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
