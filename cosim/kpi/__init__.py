"""KPIs: pure functions from a run to numbers, by name."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cosim.core.errors import ScenarioError
from cosim.core.registry import closest
from cosim.core.units import unit_of
from cosim.kpi.catalog import KPIS, Kpi
from cosim.kpi.orders import Order, orders, settled
from cosim.kpi.panel import ACCOUNT_TABLES, Panel, joined, panel, tables_with
from cosim.kpi.places import Place, places
from cosim.kpi.record import recorded
from cosim.kpi.reduce import Measure

if TYPE_CHECKING:
    from cosim.results import Results

__all__ = ["Measure", "compute", "compute_all", "describe", "measure", "names", "orders", "places_of"]


def names() -> tuple[str, ...]:
    """Return the names of all KPIs."""
    return tuple(KPIS)


def describe(name: str) -> str:
    """Return what a KPI means. Raises ScenarioError for an unknown name."""
    return _kpi(name).description


def places_of(results: "Results", name: str) -> tuple[str, ...]:
    """Return what `at` may be for a KPI of this run: elements, voltage levels, units, points."""
    kpi = _kpi(name)
    return _ordered(results) if kpi.of_orders else tuple(places(results, _tables_at(results, kpi)))


def compute(results: "Results", name: str, at: str | None = None) -> float:
    """Return a KPI of the whole run or at one place, in the unit its name ends in.

    Raises ScenarioError for an unknown KPI or place (with the nearest match), and for a KPI whose
    quantity this run does not hold.
    """
    return measure(results, name, at).value


def measure(results: "Results", name: str, at: str | None = None) -> Measure:
    """Return a KPI with the place and time it occurred at. Raises as `compute`."""
    kpi = _kpi(name)
    if kpi.of_orders:
        return kpi.measure(_orders(results, kpi, at))
    tables = _tables(results, kpi)
    if not tables:
        wanted = " or ".join(kpi.tables) or "any component"
        msg = f"kpi {name}: this run has no {' and '.join(kpi.columns)} of {wanted}"
        raise ScenarioError(msg)
    if at is None:
        return kpi.measure(*(_everywhere(results, kpi, tables, column) for column in kpi.columns))
    place = _place(results, kpi, _tables_at(results, kpi), at)
    found = kpi.measure(*(panel(results, place.table, c, place.names) for c in kpi.columns))
    return found if found.at else Measure(found.value, at, found.t_s, found.unknown_s)


def compute_all(results: "Results") -> dict[str, dict[str, Any]]:
    """Return every KPI this run can tell, for `kpis.json` and golden files.

    Keys are `kpi` for the whole run and `kpi@place` for voltage levels and units; each holds `value`
    (None when unknown), `unit`, `at`, `t_s` and `unknown_s`.
    """
    results = recorded(results)
    found: dict[str, dict[str, Any]] = {}
    for name, kpi in KPIS.items():
        tables = _tables(results, kpi)
        units = _ordered(results) if kpi.of_orders else ()
        if not tables and not units:
            continue
        found[name] = _record(name, measure(results, name))
        for at in units or _told_apart(results, kpi, _tables_at(results, kpi)):
            found[f"{name}@{at}"] = _record(name, measure(results, name, at))
    return found


def _ordered(results: "Results") -> tuple[str, ...]:
    """Return the units that were ordered something."""
    return tuple(dict.fromkeys(order.name for order in settled(results)))


def _orders(results: "Results", kpi: Kpi, at: str | None) -> list[Order]:
    """Return the orders of a run or of one unit. Raises ScenarioError where there are none."""
    found = [order for order in settled(results) if at in (None, order.name)]
    if not found:
        where = "" if at is None else f" to {at!r}{_nearest(at, dict.fromkeys(_ordered(results)))}"
        msg = f"kpi {kpi.name}: this run has no order `activate`{where}"
        raise ScenarioError(msg)
    return found


def _record(name: str, value: Measure) -> dict[str, Any]:
    unit = unit_of(name)
    return {
        "value": value.value if math.isfinite(value.value) else None,
        "unit": unit.symbol if unit else "",
        "at": value.at,
        "t_s": value.t_s,
        "unknown_s": value.unknown_s,
    }


def _told_apart(results: "Results", kpi: Kpi, tables: tuple[str, ...]) -> list[str]:
    """Places worth a number of their own: voltage levels, units, campuses, meters; not each bus and line."""
    known: Mapping[str, Place] = places(results, tables)
    units = {str(n) for n in results.units["name"]}
    levels = [at for at in known if at.endswith(" kV")] if not kpi.name.startswith("tap_") else []
    accounts = [table for table in tables if table in ACCOUNT_TABLES]
    own = {name for table in accounts for name in results.elements(table)}
    return levels + [at for at in known if at in units or at in own]


def _kpi(name: str) -> Kpi:
    if name in KPIS:
        return KPIS[name]
    msg = f"unknown kpi {name!r}{_nearest(name, KPIS)}; known: {', '.join(KPIS)}"
    raise ScenarioError(msg)


def _tables(results: "Results", kpi: Kpi) -> tuple[str, ...]:
    if kpi.of_orders:
        return ()
    if kpi.tables:
        return tuple(t for t in kpi.tables if t in results.tables and kpi.columns[0] in results.columns(t))
    holding = [set(tables_with(results, column)) for column in kpi.columns]
    return tuple(t for t in tables_with(results, kpi.columns[0]) if all(t in h for h in holding))


def _tables_at(results: "Results", kpi: Kpi) -> tuple[str, ...]:
    """Return the tables whose rows a KPI may be asked at: sums such as campuses and meters, too."""
    accounts = () if kpi.tables or kpi.of_orders else tuple(t for t in ACCOUNT_TABLES if t in results.tables)
    held = tuple(t for t in accounts if set(kpi.columns) <= set(results.columns(t)))
    return (*_tables(results, kpi), *held)


def _everywhere(results: "Results", kpi: Kpi, tables: tuple[str, ...], column: str) -> Panel:
    if kpi.tables == ("bus", "point"):
        tables = tables[:1]  # a connection point is a bus: counted once
    return joined([panel(results, table, column) for table in tables])


def _place(results: "Results", kpi: Kpi, tables: tuple[str, ...], at: str) -> Place:
    known = places(results, tables)
    if at in known:
        return known[at]
    msg = f"kpi {kpi.name}: nothing called {at!r} in {', '.join(tables)}{_nearest(at, known)}"
    raise ScenarioError(msg)


def _nearest(word: str, known: Mapping[str, object]) -> str:
    match = closest(word, known, cutoff=0.5)
    return f"; did you mean {match!r}?" if match else ""
