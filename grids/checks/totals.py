"""Totals of a case against published ones: capacities, peak, and the energy that leaves in a year.

A case says what is published in `totals.csv` beside its tables: `quantity, value, without, evidence, source`.
`without` names, separated by `;`, sgens that do not count, such as links younger than the year.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cosim.core.errors import CaseError
from cosim.core.registry import nearest
from grids.case import Case
from grids.checks.finding import Finding, State, listed

CHECK = "totals"
WITHIN_PERCENT = 2.0
YEAR_H = 8760.0


def _machines_mw(net: Any, kinds: tuple[str, ...]) -> float:
    chosen = net.gen["dispatchable"] & net.gen["plant_type"].str.startswith(kinds)
    return float(net.gen.loc[chosen, "max_p_mw"].sum())


def _injecting_mw(net: Any, kind: str) -> float:
    return float(net.sgen.loc[net.sgen["type"] == kind, "sn_mva"].sum())


CAPACITIES: dict[str, Callable[[Any], float]] = {
    "thermal_mw": lambda net: _machines_mw(net, ("coal", "gas")) + _injecting_mw(net, "thermal"),
    "hydro_mw": lambda net: _machines_mw(net, ("hydro",)) + _injecting_mw(net, "hydro"),
    "nuclear_mw": lambda net: _machines_mw(net, ("nuclear",)) + _injecting_mw(net, "nuclear"),
    "pumped_storage_mw": lambda net: _machines_mw(net, ("pumped_storage",)),
    "wind_mw": lambda net: _injecting_mw(net, "wind"),
    "pv_mw": lambda net: _injecting_mw(net, "pv"),
    "wind_and_pv_mw": lambda net: _injecting_mw(net, "wind") + _injecting_mw(net, "pv"),
    "storage_mw": lambda net: _injecting_mw(net, "storage"),
}
"""Installed capacities: largest power of machines, rating of what injects."""

LEAVING: dict[str, tuple[tuple[str, ...], bool]] = {
    "dc_out_twh": (("dc",), False),
    "out_twh": (("dc", "rest"), True),
}
"""Energies of the year that leave, import is negative: types of sgen, and whether fixed machines count."""

QUANTITIES = (*CAPACITIES, "peak_mw", *LEAVING)
"""What `totals.csv` may ask for."""


def check_totals(points: Sequence[Case]) -> list[Finding]:
    """Return one finding: what is published against all operating points of a case, `points`.

    Raises
    ------
    CaseError
        When `totals.csv` names what is not known, or a number is none.
    """
    found = compare_totals(points)
    if not found:
        return []
    apart: list[str] = []
    worst = 0.0
    for total in found:
        percent = abs(total["apart_percent"])
        worst = max(worst, percent)
        if percent > WITHIN_PERCENT:
            apart.append(f"{total['quantity']} {total['value']:.6g}, published {total['published']:.6g}")
    text = f"{len(found)} published totals within {worst:.2f} % (allowed: {WITHIN_PERCENT:g} %)"
    text += f"; apart: {listed(apart, len(apart))}" if apart else ""
    return [Finding(CHECK, State.of(not apart), text, worst, WITHIN_PERCENT)]


def compare_totals(points: Sequence[Case]) -> list[dict[str, Any]]:
    """Return each row of `totals.csv` beside the case's own value, all operating points of a case given.

    Raises
    ------
    CaseError
        When `totals.csv` names what is not known, or a number is none.
    """
    folder = points[0].folder
    path = Path(folder) / "totals.csv" if folder is not None else None
    if path is None or not path.is_file():
        return []
    return [
        {
            "quantity": quantity,
            "value": value,
            "published": published,
            "apart_percent": 100.0 * (value - published) / abs(published),
            "evidence": row.get("evidence") or "",
            "source": row.get("source") or "",
        }
        for quantity, published, without, row in _rows(path)
        for value in [_value(points, quantity, without)]
    ]


def _rows(path: Path) -> list[tuple[str, float, frozenset[str], Mapping[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    wrong: list[str] = []
    found: list[tuple[str, float, frozenset[str], Mapping[str, str]]] = []
    for line, row in enumerate(rows, start=2):
        where, quantity = f"{path.parent.name}/{path.name}, row {line}", row.get("quantity") or ""
        if quantity not in QUANTITIES:
            allowed = f"(allowed: {', '.join(QUANTITIES)}){nearest(quantity, QUANTITIES)}"
            wrong.append(f"{where}, column quantity: {quantity!r} is unknown {allowed}")
        value = _number(row)
        if value is None:
            wrong.append(f"{where}, column value: {row.get('value')!r} is not a number other than 0")
            continue
        without = (name.strip() for name in (row.get("without") or "").split(";"))
        found.append((quantity, value, frozenset(without) - {""}, row))
    if wrong:
        raise CaseError("\n".join(wrong))
    return found


def _number(row: Mapping[str, str | None]) -> float | None:
    try:
        return float(row.get("value") or "") or None
    except ValueError:
        return None


def _value(points: Sequence[Case], quantity: str, without: frozenset[str]) -> float:
    if quantity in CAPACITIES:
        return CAPACITIES[quantity](points[0].net)
    if quantity == "peak_mw":
        return max(float(p.net.load.loc[p.net.load["type"] != "pumping", "p_mw"].sum()) for p in points)
    kinds, fixed = LEAVING[quantity]
    return -sum(_hours(p) * _entering_mw(p.net, kinds, without, fixed=fixed) for p in points) / 1e6


def _hours(case: Case) -> float:
    return float(case.meta["operating_point"].get("stands_for_h", 0.0))


def _entering_mw(net: Any, kinds: tuple[str, ...], without: frozenset[str], *, fixed: bool) -> float:
    ends = net.sgen["type"].isin(kinds) & ~net.sgen["name"].isin(without)
    machines = net.gen.loc[~net.gen["dispatchable"], "p_mw"].sum() if fixed else 0.0
    return float(net.sgen.loc[ends, "p_mw"].sum() + machines)


def check_year(points: Sequence[Case]) -> list[Finding]:
    """Return whether the operating points together stand for a year, where they say for how long."""
    hours = sum(_hours(point) for point in points)
    if hours == 0.0:
        return []
    text = f"operating points stand for {hours:g} h (wanted: {YEAR_H:g} h)"
    return [Finding(CHECK, State.of(hours == YEAR_H), text, hours, YEAR_H)]
