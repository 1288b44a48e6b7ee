"""A campus as a single-line picture: meters, busbars, and what hangs on them, with its power."""

from collections.abc import Mapping
from html import escape
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from cosim.core.roles import role
from cosim.kpi.places import geography, unit_points
from cosim.report.symbols import BLOCK_PX, Hung, draw_unit, line, meter_symbol, text, tie
from cosim.scenario import parse
from cosim.verdict.cause import BRANCH_POWER

if TYPE_CHECKING:
    from cosim.results import Results

WIDTH_PX = 1180
MOST_IN_A_ROW = 12
"""Units side by side; a busbar with more goes on in the next row."""

TOP_PX, ROW_PX = 40, 300

TABLES = ("line", "trafo")

OPEN_MW = 1e-6
"""A branch that carries less is out of service or without voltage."""

Instant = tuple[str, int, str]
"""Name of an instant, its row in the series, and the class of its colour."""


def campus_names(results: "Results") -> tuple[str, ...]:
    """Return the campuses of a run that have something to show."""
    campuses = results.manifest.get("campuses") or ()
    if "campus" not in results.tables or not results.dt_s.size:
        return ()
    return tuple(str(campus["name"]) for campus in campuses)


def single_lines(results: "Results") -> str:
    """Return a section with one picture for each campus of the run, or nothing."""
    shown = [c for c in results.manifest.get("campuses") or () if c["name"] in campus_names(results)]
    heads = (f'<section id="campus_{escape(c["name"])}"><h2>Campus {escape(c["name"])}</h2>' for c in shown)
    return "".join(
        f"{head}{_Picture(results, c).svg()}</section>" for head, c in zip(heads, shown, strict=True)
    )


class _Picture:
    """One campus: rows of busbars, each with its units below and its meters above."""

    def __init__(self, results: "Results", campus: Mapping[str, Any]) -> None:
        self.results, self.campus = results, campus
        self.points = unit_points(results)
        self.specs = parse(results.manifest["scenario"]["text"]).units
        self.power = results.series("point", "p_mw")
        self.voltage = results.series("point", "vm_pu")
        self.instants = self._instants()
        self.out: list[str] = []

    def _instants(self) -> list[Instant]:
        """Return when the campus drew most from the grid, and when its own units gave most."""
        name = self.campus["name"]
        drawn = self.results.series("campus", "p_mw")[name].to_numpy(dtype=np.float64)
        own = sum(
            self.results.series("campus", f"p_{of}_mw")[name].to_numpy(dtype=np.float64)
            for of in ("store", "genset", "source")
        )
        found: list[Instant] = []
        if np.isfinite(drawn).any():
            found.append(("highest import", int(np.nanargmax(drawn)), "a"))
        if np.isfinite(own).any() and np.nanmax(own) > 1e-3 * np.nanmax(np.abs(drawn)):
            found.append(("most from its own units", int(np.nanargmax(own)), "b"))
        return found

    def svg(self) -> str:
        """Return the picture with its legend."""
        rows = self._rows()
        for number, blocks in enumerate(rows):
            self._row(TOP_PX + number * ROW_PX, blocks)
        height = TOP_PX + len(rows) * ROW_PX
        times = self.power.index.to_numpy(dtype=np.float64)
        legend = " ".join(
            f'<span class="sl{key}">{escape(label)}, {times[row]:g} s</span>'
            for label, row, key in self.instants
        )
        said = f"MW drawn from the busbar, negative where a unit delivers. {legend}{self._ties()}"
        note = f'<p class="note">{said}</p>'
        box = f'viewBox="0 0 {WIDTH_PX} {height}" role="img" class="singleline"'
        return f"<svg {box}>{''.join(self.out)}</svg>{note}"

    def _rows(self) -> list[list[tuple[str, list[str], bool]]]:
        """Return rows of (point, units, whether the busbar begins here)."""
        rows: list[list[tuple[str, list[str], bool]]] = [[]]
        used = 0
        for point in self.campus["points"]:
            units = [unit for unit in self.campus["units"] if self.points.get(unit) == point]
            for first in range(0, max(len(units), 1), MOST_IN_A_ROW):
                part = units[first : first + MOST_IN_A_ROW]
                if used and used + len(part) > MOST_IN_A_ROW:
                    rows.append([])
                    used = 0
                rows[-1].append((point, part, first == 0))
                used += max(len(part), 1)
        return rows

    def _row(self, top: float, blocks: list[tuple[str, list[str], bool]]) -> None:
        columns = sum(max(len(units), 1) for _, units, _ in blocks)
        step = min(BLOCK_PX, (WIDTH_PX - 30.0 * len(blocks)) / columns)
        x, before = 15.0, ""
        for point, units, begins in blocks:
            if begins and self._joining(before, point):
                self.out.append(tie(x - 30.0, x, top + 92.0))
            before = point
            width = step * max(len(units), 1)
            bar = top + 92.0
            self.out.append(line(x, bar, x + width - 8, bar, "bar"))
            name = point if begins else f"{point}, continued"
            self.out.append(text(x + 2, bar - 6, name, "barname"))
            if begins:
                self._meters(point, x, width, top, bar)
            for place, unit in enumerate(units):
                self._unit(unit, x + step * (place + 0.5) - 4, bar, step)
            x += width + 22.0

    def _meters(self, point: str, x: float, width: float, top: float, bar: float) -> None:
        """Draw the meters that feed a busbar: its own, or branches that end at its bus."""
        meters = [meter for meter in self.campus["meters"] if self._feeds(meter, point)]
        for place, meter in enumerate(meters):
            at = x + (width - 8) * (place + 0.5) / len(meters)
            frame = self.results.series("meter", "p_mw")[meter["name"]].to_numpy(dtype=np.float64)
            numbers = [(frame[row], key) for _, row, key in self.instants]
            self.out.append(meter_symbol(Hung(meter["name"], numbers, at, bar), top - 14, meter["table"]))

    def _feeds(self, meter: Mapping[str, Any], point: str) -> bool:
        """Say whether a meter hangs above a busbar; one that ends at none of them above the first."""
        if meter["table"] == "point":
            return bool(meter["name"] == point)
        ends = self._ends(meter["table"], meter["rows"][0])
        points: list[str] = self.campus["points"]
        return point == next((p for p in points if self._bus(p) in ends), points[0])

    def _bus(self, point: str) -> str:
        return str(geography(self.results).get("points", {}).get(point, point))

    def _ends(self, table: str, row: int) -> set[str]:
        sides = ("line_from", "line_to") if table == "line" else ("trafo_hv", "trafo_lv")
        buses = self.results.elements("bus")
        return {buses[int(geography(self.results)[side][row])] for side in sides}

    def _joining(self, one: str, other: str) -> list[str]:
        """Return the branches between two busbars."""
        wanted = {self._bus(one), self._bus(other)}
        tables = [table for table in TABLES if table in self.results.tables]
        return [
            name
            for table in tables
            for row, name in enumerate(self.results.elements(table))
            if len(wanted) == 2 and self._ends(table, row) == wanted
        ]

    def _ties(self) -> str:
        """Return which branches join the busbars, in words."""
        pairs = combinations(self.campus["points"], 2)
        said = (
            f" {name} joins {a} and {b}{self._carried(name)}."
            for a, b in pairs
            for name in self._joining(a, b)
        )
        return escape("".join(said))

    def _carried(self, branch: str) -> str:
        """Return what a branch carries at the instants, in words."""
        table = next(t for t in TABLES if t in self.results.tables and branch in self.results.elements(t))
        p_mw = self.results.series(table, BRANCH_POWER[table])[branch].to_numpy(dtype=np.float64)
        return "".join(
            f", {abs(p_mw[row]):.1f} MW at {label}" if abs(p_mw[row]) > OPEN_MW else f", open at {label}"
            for label, row, _ in self.instants
        )

    def _unit(self, unit: str, x: float, bar: float, step: float) -> None:
        spec = self.specs[unit]
        kind = role(self.results.columns(spec.component))
        numbers = []
        for _, row, key in self.instants:
            dark = not self.voltage[unit].iloc[row] > 0.0
            numbers.append((float(self.power[unit].iloc[row]), "dark" if dark else key))
        self.out.append(draw_unit(Hung(unit, numbers, x, bar), step, kind, spec.params))
