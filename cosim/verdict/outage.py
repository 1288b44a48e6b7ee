"""No solution, no voltage: judged always, whatever limits are named."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cosim.core.types import Bools
from cosim.kpi.panel import solved
from cosim.kpi.places import places, unit_buses
from cosim.verdict.cause import Evidence
from cosim.verdict.findings import SOLUTION, Finding
from cosim.verdict.quantities import where

if TYPE_CHECKING:
    from cosim.results import Results

SUPPLIED_MW = 0.1
"""A bus that drew more than this is somebody's supply."""

OUTAGE = "outage_max_s"
"""KPI that bounds an outage: where an expectation names it, the author knows of the outage."""


def without_solution(results: "Results", evidence: Evidence) -> list[Finding]:
    """Return whether every exchange has a power-flow solution: a failure when one has not.

    Nothing for a run without a grid.
    """
    if "grid" not in results.tables or "converged_pu" not in results.columns("grid"):
        return []
    flags = results.series("grid", "converged_pu")
    if not flags.size:
        return []
    rule: dict[str, Any] = {
        "id": SOLUTION,
        "kind": "always",
        "quantity": "grid.converged_pu",
        "unit": "pu",
        "at_least": 1.0,
        "document": "own rule",
        "clause": "1",
        "status": "derived",
        "remark": "an exchange without a solution is a collapse or an islanded network until shown otherwise",
        "element": str(flags.columns[0]),
    }
    failed: Bools = ~solved(results, len(flags))
    row = int(failed.argmax())
    if not failed.any():
        return [
            Finding(
                title="The power flow has a solution",
                outcome="held",
                value=1.0,
                limit=1.0,
                t_s=float(flags.index[0]),
                **rule,
            )
        ]
    t_s = float(flags.index[row])
    cause = evidence.cause(t_s, "grid", str(flags.columns[0]))
    return [
        Finding(
            title="The power flow has no solution",
            outcome="violated",
            t_s=t_s,
            lasted_s=_lasted_s(results, flags, failed),
            elements=(str(flags.columns[0]),),
            cause="; ".join(part for part in (cause, evidence.diagnosis(t_s)) if part),
            **rule,
        )
    ]


def without_voltage(
    results: "Results", evidence: Evidence, expectations: Sequence[Any] = ()
) -> list[Finding]:
    """Return a finding when buses have no voltage in exchanges that have a solution, else nothing.

    An outage the author expects (`OUTAGE` at a place) is judged by the bound he gives, not here.

    It fails when something is supplied there (a unit, or load), from the first exchange on, and warns
    for a plant or a switching station cut off: their limits are then without meaning, not broken. A
    bus that nothing is connected to and that never had a voltage is out of service, and no finding.
    """
    dead, table = _dead(results)
    dead = dead.drop(columns=[*_expected(results, expectations) & set(dead.columns)])
    if dead.empty or not dead.to_numpy().any():
        return []
    supplied = _supplied(results)
    order = dead.to_numpy().argmax(axis=0).argsort(kind="stable")
    names = [str(dead.columns[i]) for i in order if dead.iloc[:, i].any()]
    theirs = [name for name in names if name in supplied]
    named = theirs or names
    name = named[0]
    t_s = float(dead.index[int(dead[name].to_numpy().argmax())])
    return [
        Finding(
            id="without_voltage",
            title="Buses without voltage",
            kind="always",
            outcome="violated",
            severity="fail" if theirs else "warn",
            quantity=f"{table}.vm_pu",
            unit="pu",
            document="own rule",
            clause="3",
            status="derived",
            remark="a failure when a unit or load is supplied there, else a warning",
            t_s=t_s,
            element=name,
            where=where(results, table, name),
            value=0.0,
            lasted_s=_lasted_s(results, dead, _any(dead[named])),
            elements=tuple(named),
            cause=evidence.cause(t_s, table, name),
        )
    ]


def _expected(results: "Results", expectations: Sequence[Any]) -> set[str]:
    """Return the buses and units whose time without voltage an expectation bounds."""
    bus_of = unit_buses(results)
    known = places(results, ("bus", "point"))
    found: set[str] = set()
    for expectation in expectations:
        said = expectation if isinstance(expectation, Mapping) else vars(expectation)
        if said["kpi"] != OUTAGE:
            continue
        at = said.get("at")
        named = {name for place in known.values() for name in place.names}
        if at is not None:
            named = set(known[at].names) if at in known else set()
        found |= named | {bus_of[name] for name in named if name in bus_of}
    return found


def _dead(results: "Results") -> tuple[pd.DataFrame, str]:
    """Return which buses have no voltage in a solved exchange, and the table they are from.

    What units see (0 pu at `point`) counts for their bus; without a table of buses it is all there is.
    Buses that never had a voltage are left out unless something is supplied there.
    """
    seen = _unsupplied_points(results)
    if "bus" not in results.tables:
        return seen, "point"
    vm_pu = results.series("bus", "vm_pu")
    ok = solved(results, len(vm_pu))
    dead = vm_pu.isna() & ok[:, None]
    bus_of = unit_buses(results)
    for unit in seen.columns:
        bus = bus_of.get(str(unit))
        if bus in dead.columns and len(seen) == len(dead):
            dead[bus] = dead[bus].to_numpy() | seen[unit].to_numpy()
    never = vm_pu[ok].isna().all(axis=0) if ok.any() else pd.Series(False, index=vm_pu.columns)
    supplied = _supplied(results)
    kept = [name for name in vm_pu.columns if not never[name] or str(name) in supplied]
    return dead[kept], "bus"


def _unsupplied_points(results: "Results") -> pd.DataFrame:
    """Return which units had no voltage in a solved exchange."""
    if "point" not in results.tables or "vm_pu" not in results.columns("point"):
        return pd.DataFrame()
    vm_pu = results.series("point", "vm_pu")
    return (vm_pu == 0.0) & solved(results, len(vm_pu))[:, None]


def _supplied(results: "Results") -> set[str]:
    """Return buses with a unit and buses that drew power at some time; without buses, the units."""
    if "bus" not in results.tables:
        return set(results.elements("point")) if "point" in results.tables else set()
    found = set(unit_buses(results).values())
    if "p_mw" in results.columns("bus"):
        most = results.series("bus", "p_mw").max()
        found |= {str(name) for name, p_mw in most.items() if p_mw > SUPPLIED_MW}
    return found


def _any(dead: pd.DataFrame) -> Bools:
    rows: Bools = np.asarray(dead.to_numpy(dtype=np.bool_).any(axis=1), dtype=np.bool_)
    return rows


def _lasted_s(results: "Results", frame: pd.DataFrame, rows: Bools) -> float:
    return float(np.asarray(results.dt_s.reindex(frame.index), dtype=np.float64)[rows].sum())
