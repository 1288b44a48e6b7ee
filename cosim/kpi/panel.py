"""One quantity over a run as a matrix, with what is unknown kept apart from what is out of service."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cosim.core.types import Bools, Floats
from cosim.kpi.nominal import is_frequency, nominal_hz

if TYPE_CHECKING:
    import pandas as pd

    from cosim.results import Results

GRID_TABLES = ("bus", "line", "trafo", "trafo3w", "gen", "area", "grid", "point")
"""Tables every grid writes; all others are component kinds."""

ACCOUNT_TABLES = ("campus", "meter", "service")
"""Sums of what other tables hold: never counted beside them."""

METERED = ("p_mw", "q_mvar")
"""Power at the terminals, which component kinds publish and the grid tells again at each point."""

SWITCHED_TABLES = ("bus", "line", "trafo", "trafo3w", "gen", "point")
"""Tables where NaN in a solved step means out of service or without voltage, which is known."""


@dataclass(frozen=True)
class Panel:
    """A quantity of several elements over time.

    `t_s`, `dt_s` have shape (rows,), `matrix` and `unknown` (rows, elements). `unknown` marks values
    that should be there and are not: those of a step without solution. A bus that lost its voltage or a
    branch out of service has NaN and is not unknown (the verdict reports buses that lost their voltage).
    An element that has no value in any solved step (never in service) is left out; whether that was
    somebody's supply is the verdict's question, which reads the tables themselves.

    `nominal_hz` of shape (elements,) is what frequencies rest at, NaN for other quantities.
    """

    t_s: Floats
    dt_s: Floats
    names: tuple[str, ...]
    matrix: Floats
    unknown: Bools
    nominal_hz: Floats = field(default_factory=lambda: np.full(0, np.nan))

    @property
    def unknown_s(self) -> float:
        """Return for how long at least one value is unknown [s]."""
        return float(self.dt_s[self.unknown.any(axis=1)].sum())


def component_tables(results: "Results") -> tuple[str, ...]:
    """Return the tables of component kinds."""
    return tuple(table for table in results.tables if table not in (*GRID_TABLES, *ACCOUNT_TABLES))


def tables_with(results: "Results", column: str) -> tuple[str, ...]:
    """Return the component tables that hold a quantity."""
    return tuple(table for table in component_tables(results) if column in results.columns(table))


def solved(results: "Results", rows: int) -> Bools:
    """Return which exchanges have a power-flow solution, of shape (rows,)."""
    if "grid" not in results.tables:
        return np.ones(rows, dtype=np.bool_)
    flags = results.series("grid", "converged_pu").to_numpy(dtype=np.float64)
    if not flags.size:
        return np.ones(rows, dtype=np.bool_)
    found: Bools = flags.min(axis=1) > 0.5
    return found


def panel(results: "Results", table: str, column: str, names: tuple[str, ...] | None = None) -> Panel:
    """Return one column of a table, of the elements `names` or of all.

    A table that starts or ends at other exchanges than the grid's is judged by its own rows. Stores answer
    within exchanges, so their power is what the grid saw where it has a solution.
    """
    frame = results.series(table, column)
    if column in METERED and table not in GRID_TABLES and "soc_pu" in results.columns(table):
        frame = _metered(results, column, frame)
    if names is not None:
        frame = frame[list(names)]
    t_s = frame.index.to_numpy(dtype=np.float64)
    dt_s = np.asarray(results.dt_s.reindex(frame.index), dtype=np.float64)
    values = frame.to_numpy(dtype=np.float64)
    missing = np.isnan(values)
    unknown = missing.copy()
    ok = solved(results, t_s.size)
    if ok.size == t_s.size and table in GRID_TABLES:
        if table in SWITCHED_TABLES:
            unknown &= ~ok[:, None]
        kept = ~missing[ok].all(axis=0) if ok.any() else np.ones(len(frame.columns), dtype=np.bool_)
        values, unknown, frame = values[:, kept], unknown[:, kept], frame.loc[:, kept]
    found = tuple(str(n) for n in frame.columns)
    rest = nominal_hz(results, table, found) if is_frequency(column) else np.full(len(found), np.nan)
    return Panel(t_s, dt_s, found, values, unknown, rest)


def _metered(results: "Results", column: str, told: "pd.DataFrame") -> "pd.DataFrame":
    """Return a power with what the grid saw of connected units in place of what they told it."""
    if "point" not in results.tables or column not in results.columns("point"):
        return told
    seen = results.series("point", column)
    connected = [name for name in told.columns if name in seen.columns]
    return told.assign(**{str(n): seen[n].reindex(told.index).fillna(told[n]) for n in connected})


def joined(panels: list[Panel]) -> Panel:
    """Return panels side by side; they share their exchanges, as all tables of a run do."""
    first = panels[0]
    return Panel(
        t_s=first.t_s,
        dt_s=first.dt_s,
        names=tuple(name for p in panels for name in p.names),
        matrix=np.hstack([p.matrix for p in panels]),
        unknown=np.hstack([p.unknown for p in panels]),
        nominal_hz=np.hstack([p.nominal_hz for p in panels]),
    )
