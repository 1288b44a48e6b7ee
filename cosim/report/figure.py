"""One plot as plain data: lines, limits, marks. The page's script turns it into plotly."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cosim.core.types import Floats
from cosim.core.units import unit_of
from cosim.kpi.catalog import KPIS
from cosim.kpi.nominal import nominal_hz
from cosim.kpi.places import unit_points
from cosim.kpi.reduce import highest, lowest
from cosim.report.series import Pool
from cosim.verdict import Limit, Verdict
from cosim.verdict.quantities import names_of
from cosim.verdict.text import number

if TYPE_CHECKING:
    from cosim.results import Results

MOST_LINES = 12
"""Lines in one plot; beyond, those that move most are drawn and the caption says so."""

_AXES = ((120.0, 1.0, "s"), (7200.0, 60.0, "min"), (4 * 86400.0, 3600.0, "h"), (np.inf, 86400.0, "d"))


@dataclass(frozen=True)
class Axis:
    """Time as the page shows it: seconds for a minute, minutes for an hour, and so on."""

    unit: str
    unit_s: float
    end_s: float

    @classmethod
    def of(cls, end_s: float) -> "Axis":
        """Return the axis for a run of `end_s` seconds."""
        _, unit_s, unit = next(axis for axis in _AXES if end_s <= axis[0])
        return cls(unit, unit_s, end_s)

    def __call__(self, t_s: Floats) -> Floats:
        """Return times in the unit of the axis."""
        scaled: Floats = np.asarray(t_s, dtype=np.float64) / self.unit_s
        return scaled


@dataclass
class Line:
    """One line of a plot."""

    name: str
    t_s: Floats
    values: Floats
    dash: str = "solid"
    colour: int | None = None
    """Number in the palette; None takes the next."""
    fill: bool = False
    legend: bool = True


@dataclass
class Figure:
    """One plot."""

    title: str
    unit: str
    lines: list[Line] = field(default_factory=list)
    limits: list[dict[str, Any]] = field(default_factory=list)
    marks: list[dict[str, Any]] = field(default_factory=list)
    caption: str = ""
    wide: bool = False
    floor: float | None = None
    """Lower end of the y axis, where zero means something."""
    ticks: list[tuple[float, str]] = field(default_factory=list)
    """What numbers on the y axis mean, where they are names."""

    @property
    def zero(self) -> bool:
        """Whether nothing but zero (or the rounding of sums that cancel) would be drawn."""
        return all(np.nanmax(np.abs(line.values), initial=0.0) < 1e-9 for line in self.lines)

    def packed(self, pool: Pool, axis: Axis) -> dict[str, Any]:
        """Return the plot as JSON-ready data, its arrays in `pool`."""
        lines = []
        for line in self.lines:
            t_s, values = closed(line.t_s, line.values, axis.end_s)
            x, y = pool.line(axis(t_s), values)
            stepped = values.size <= pool.most
            lines.append(
                {
                    "name": line.name,
                    "x": x,
                    "y": y,
                    "dash": line.dash,
                    "colour": line.colour,
                    "fill": line.fill,
                    "legend": line.legend,
                    "step": stepped,
                }
            )
        marks = [{**mark, "x": float(axis(np.array(mark["t_s"])))} for mark in self.marks]
        return {
            "title": self.title,
            "unit": self.unit,
            "lines": lines,
            "limits": self.limits,
            "marks": marks,
            "caption": self.caption,
            "wide": self.wide,
            "floor": self.floor,
            "ticks": self.ticks,
        }


def closed(t_s: Floats, values: Floats, end_s: float) -> tuple[Floats, Floats]:
    """Return a series that holds its last value until the end of its last interval."""
    if not t_s.size or t_s[-1] >= end_s:
        return t_s, values
    return np.append(t_s, end_s), np.append(values, values[-1])


def symbol(column: str) -> str:
    """Return the printed unit of a column."""
    unit = unit_of(column)
    return unit.symbol if unit else ""


def lines_of(
    results: "Results", table: str, column: str, names: Sequence[str] | None = None, *, label: str = "{}"
) -> list[Line]:
    """Return a column as lines, one an element; those that move most when there are too many."""
    frame = results.series(table, column)
    chosen = list(frame.columns) if names is None else [n for n in names if n in frame.columns]
    if len(chosen) > MOST_LINES:
        moved = (frame[chosen].max() - frame[chosen].min()).sort_values(ascending=False, kind="stable")
        best = set(moved.index[:MOST_LINES])
        chosen = [name for name in chosen if name in best]
    t_s = frame.index.to_numpy(dtype=np.float64)
    return [Line(label.format(name), t_s, frame[name].to_numpy(dtype=np.float64)) for name in chosen]


def limit_lines(
    results: "Results",
    verdict: Verdict,
    table: str,
    column: str,
    names: Sequence[str] | None = None,
    *,
    rules_of: str | None = None,
) -> list[dict[str, Any]]:
    """Return the limits to draw for elements of a table: per side the tightest failure and warning.

    `rules_of` names the table the rules speak of when it is another one: `bus` for the voltages of
    connection points.
    """
    tightest: dict[tuple[str, str], tuple[float, Limit]] = {}
    for limit in verdict.limits:
        quantity = limit.quantity
        if quantity.column != column or quantity.measure not in ("value", "magnitude", "deviation"):
            continue
        if quantity.table not in ("*", rules_of or table):
            continue
        covered = [n for n in names_of(results, quantity, table) if names is None or n in names]
        if not covered:
            continue
        is_deviation = quantity.measure == "deviation"
        rest = float(nominal_hz(results, table, tuple(covered[:1]))[0]) if is_deviation else 0.0
        for side, bound in _sides(limit, rest):
            key = (side, limit.severity)
            inner = tightest.get(key)
            tighter = inner is None or (bound > inner[0] if side == "low" else bound < inner[0])
            if tighter:
                tightest[key] = (bound, limit)
    drawn = [_drawn(side, severity, *found) for (side, severity), found in tightest.items()]
    return drawn + _expected(results, verdict, column, names)


def _expected(
    results: "Results", verdict: Verdict, column: str, names: Sequence[str] | None
) -> list[dict[str, Any]]:
    """Return what the scenario expects of the extremes of a column, at one of `names` or anywhere."""
    found = []
    for finding in (*verdict.findings, *verdict.held):
        kpi = KPIS.get(finding.kpi)
        if kpi is None or kpi.columns[:1] != (column,) or kpi.measure not in (lowest, highest):
            continue
        here = {finding.at, *(unit for unit, point in unit_points(results).items() if point == finding.at)}
        if finding.at and names is not None and not here.intersection(names):
            continue
        place = f" at {finding.at}" if finding.at else ""
        for side, bound in (("low", finding.at_least), ("high", finding.at_most)):
            if bound is not None:
                text = f"{number(bound)} {symbol(column)}, expected{place}"
                found.append({"y": bound, "side": side, "severity": "fail", "text": text})
    return found


def _sides(limit: Limit, rest: float = 0.0) -> list[tuple[str, float]]:
    """Return the bounds of a limit as they are drawn: those of a deviation about `rest`, where known."""
    sides = [("low", limit.at_least), ("high", limit.at_most)]
    if limit.quantity.measure == "magnitude" and limit.at_most is not None:
        sides.append(("low", -limit.at_most))
    return [(side, rest + bound) for side, bound in sides if bound is not None and np.isfinite(rest)]


def _drawn(side: str, severity: str, bound: float, limit: Limit) -> dict[str, Any]:
    clause = "" if limit.clause.number == "-" else f" {limit.clause.number}"
    mark = " (unconfirmed)" if limit.status == "unconfirmed" else ""
    return {
        "y": bound,
        "side": side,
        "severity": severity,
        "text": f"{number(bound)} {symbol(limit.quantity.column)}, {limit.clause.document}{clause}{mark}",
    }
