"""The matrix a limit is compared with: table, column, filter and transform of its `quantity`."""

import fnmatch
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cosim.core.errors import ScenarioError
from cosim.core.registry import closest
from cosim.core.types import Floats
from cosim.kpi.oscillation import Oscillation, oscillations
from cosim.kpi.panel import Panel, panel, tables_with
from cosim.kpi.places import level_label, unit_points, vn_kv_of
from cosim.kpi.reduce import apart, change_within, spread
from cosim.verdict.limits import Quantity

if TYPE_CHECKING:
    from cosim.results import Results


def tables_of(results: "Results", quantity: Quantity) -> tuple[str, ...]:
    """Return the tables of a run a quantity speaks of.

    Raises ScenarioError when the table is there and lacks the column.
    """
    if quantity.table == "*":
        return tables_with(results, quantity.column)
    if quantity.table not in results.tables:
        return ()
    known = results.columns(quantity.table)
    if known and quantity.column not in known:
        match = closest(quantity.column, known)
        hint = f"; did you mean {match!r}?" if match else ""
        msg = f"table {quantity.table!r} has no column {quantity.column!r}{hint} (it has {', '.join(known)})"
        raise ScenarioError(msg)
    return (quantity.table,)


def names_of(results: "Results", quantity: Quantity, table: str) -> tuple[str, ...]:
    """Return the elements of a table that pass the filter of a quantity."""
    names = results.elements(table)
    levels = vn_kv_of(results, table)
    if quantity.vn_kv_at_least is not None:
        names = tuple(n for n in names if levels.get(n, -np.inf) >= quantity.vn_kv_at_least)
    if quantity.vn_kv_at_most is not None:
        names = tuple(n for n in names if levels.get(n, np.inf) <= quantity.vn_kv_at_most)
    if quantity.vn_kv_above is not None:
        names = tuple(n for n in names if levels.get(n, -np.inf) > quantity.vn_kv_above)
    if quantity.vn_kv_below is not None:
        names = tuple(n for n in names if levels.get(n, np.inf) < quantity.vn_kv_below)
    if quantity.names:
        names = tuple(n for n in names if any(fnmatch.fnmatchcase(n, p) for p in quantity.names))
    return names


def raw_panel(results: "Results", quantity: Quantity, table: str) -> Panel | None:
    """Return the values of one table that pass the filter, or None when it leaves none."""
    names = names_of(results, quantity, table)
    found = panel(results, table, quantity.column, names) if names else None
    return found if found is not None and found.names and found.t_s.size else None


def limited_panel(results: "Results", quantity: Quantity, table: str) -> Panel | None:
    """Return the values of one table to compare with the bounds, or None when the filter leaves none."""
    found = raw_panel(results, quantity, table)
    return None if found is None else replace(found, matrix=MEASURES[quantity.measure](quantity, found))


MEASURES: dict[str, Callable[[Quantity, Panel], Floats]] = {
    "value": lambda _, found: found.matrix,
    "magnitude": lambda _, found: np.abs(found.matrix),
    "change": lambda quantity, found: change_within(found.t_s, found.matrix, quantity.window_s),
    "spread": lambda _, found: spread(found.matrix),
    "deviation": lambda _, found: found.matrix - found.nominal_hz,
    "apart": lambda _, found: apart(found.matrix),
    "oscillation": lambda quantity, found: swings(quantity, found).amplitude,
}


def swings(quantity: Quantity, found: Panel) -> Oscillation:
    """Return what swings in the values of a quantity, in its window."""
    return oscillations(found.t_s, found.dt_s, found.matrix, quantity.window_s)


def where(results: "Results", table: str, element: str) -> str:
    """Return where an element is: its table, voltage, and point: `bus, 220 kV`."""
    level = vn_kv_of(results, table).get(element)
    point = unit_points(results).get(element)
    parts = [table if table not in ("grid", "area") else ""]
    parts += [level_label(level)] if level is not None else []
    parts += [f"at {point}"] if point else []
    return ", ".join(part for part in parts if part)
