"""The matrix a limit is compared with: table, column, filter and transform of its `quantity`."""

import fnmatch
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cosim.core.errors import ScenarioError
from cosim.core.registry import closest
from cosim.core.types import Floats
from cosim.kpi.panel import Panel, panel, tables_with
from cosim.kpi.places import level_label, unit_points, vn_kv_of
from cosim.kpi.reduce import change_within, spread
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


def limited_panel(results: "Results", quantity: Quantity, table: str) -> Panel | None:
    """Return the values of one table to compare with the bounds, or None when the filter leaves none."""
    names = names_of(results, quantity, table)
    if not names:
        return None
    found = panel(results, table, quantity.column, names)
    if not found.names or not found.t_s.size:
        return None
    values = transformed(quantity, found)
    return replace(found, matrix=values)


def transformed(quantity: Quantity, found: Panel) -> Floats:
    """Return the measure of a quantity from its raw values, of the same shape."""
    if quantity.measure == "magnitude":
        magnitude: Floats = np.abs(found.matrix)
        return magnitude
    if quantity.measure == "change":
        return change_within(found.t_s, found.matrix, quantity.window_s)
    if quantity.measure == "spread":
        return spread(found.matrix)
    if quantity.measure == "deviation":
        return found.matrix - found.nominal_hz
    return found.matrix


def where(results: "Results", table: str, element: str) -> str:
    """Return where an element is: its table, voltage, and point: `bus, 220 kV`."""
    level = vn_kv_of(results, table).get(element)
    point = unit_points(results).get(element)
    parts = [table if table not in ("grid", "area") else ""]
    parts += [level_label(level)] if level is not None else []
    parts += [f"at {point}"] if point else []
    return ", ".join(part for part in parts if part)
