"""What campuses draw and make, and what their meters see, each exchange."""

from collections.abc import Mapping

import numpy as np

from cosim.core.roles import role
from cosim.core.types import Floats
from cosim.plan import KindPlan, Meter, Plan
from cosim.results import TableSpec
from cosim.simulators.board import Board

CAMPUS, METER = "campus", "meter"
ACCOUNTS = (CAMPUS, METER)

METER_COLUMNS = ("p_mw", "q_mvar", "p_import_mw", "p_export_mw")
SHARES = ("p_load_mw", "p_store_mw", "p_genset_mw", "p_source_mw")
CAMPUS_COLUMNS = ("p_mw", "q_mvar", *SHARES, "p_it_mw", "p_facility_mw")

ENDS = {"line": ("p_from_mw", "q_from_mvar"), "trafo": ("p_hv_mw", "q_hv_mvar")}
"""Columns that tell the power into the end of a branch which the tables have."""


COUNTED = {"genset": "p_genset_mw", "store": "p_store_mw", "source": "p_source_mw"}
"""Where what a unit delivers is counted, by its role; everything else is load, > 0 when it draws."""


def share_of(kind: KindPlan) -> str:
    """Return the column a kind's power is counted in."""
    return COUNTED.get(role(port.name for port in kind.component.outputs), "p_load_mw")


def account_specs(plan: Plan) -> dict[str, TableSpec]:
    """Return the tables of campuses and meters, or nothing."""
    if not plan.campuses:
        return {}
    meters = tuple(meter.name for campus in plan.campuses for meter in campus.meters)
    return {
        CAMPUS: TableSpec(tuple(campus.name for campus in plan.campuses), CAMPUS_COLUMNS),
        METER: TableSpec(meters, METER_COLUMNS),
    }


class Account:
    """Adds up a plan's campuses from what the grid says each unit drew and each branch carried.

    A meter at a point counts its units; one in a branch what flows through it towards the campus, with
    the losses behind it. Where the grid has no solution nothing is known.
    """

    def __init__(self, plan: Plan) -> None:
        self._campuses = plan.campuses
        self._meters = [meter for campus in plan.campuses for meter in campus.meters]
        order = {unit: row for row, unit in enumerate(plan.connections.units)}
        of_unit = {unit: share_of(kind) for kind in plan.kinds for unit in kind.units}
        self._sums = np.zeros((len(plan.campuses), len(SHARES), len(order)))
        self._meter_sums = np.zeros((len(plan.campuses), len(self._meters)))
        first = 0
        for place, campus in enumerate(plan.campuses):
            for unit in campus.units:
                column = of_unit[unit]
                self._sums[place, SHARES.index(column), order[unit]] = 1.0 if column == "p_load_mw" else -1.0
            self._meter_sums[place, first : first + len(campus.meters)] = 1.0
            first += len(campus.meters)
        self._halls = [
            (place, kind.kind, rows)
            for place, campus in enumerate(plan.campuses)
            for kind in plan.kinds
            if {"it_mw", "facility_mw"} <= {port.name for port in kind.component.outputs}
            and (rows := [row for row, unit in enumerate(kind.units) if unit in campus.units])
        ]

    def tables(self, now: Board) -> Mapping[str, Mapping[str, Floats]]:
        """Return both tables for one exchange, nothing where there is no campus."""
        if not self._campuses:
            return {}
        known = bool(now.tables["grid"]["converged_pu"].min() > 0.5)
        rest = 0.0 if known else np.nan  # what is out of service carries nothing
        p_mw = np.array([self._metered(meter, now, 0, rest) for meter in self._meters])
        q_mvar = np.array([self._metered(meter, now, 1, rest) for meter in self._meters])
        shares = self._sums @ np.nan_to_num(now.tables["point"]["p_mw"], nan=rest)
        halls = np.zeros((2, len(self._campuses)))
        for place, kind, rows in self._halls:
            for row, port in enumerate(("it_mw", "facility_mw")):
                halls[row, place] += now.outputs[kind][port][rows].sum()
        own = (self._meter_sums @ p_mw, self._meter_sums @ q_mvar, *shares.T, *halls)
        meters = (p_mw, q_mvar, np.maximum(p_mw, 0.0), np.maximum(-p_mw, 0.0))
        return {
            CAMPUS: dict(zip(CAMPUS_COLUMNS, own, strict=True)),
            METER: dict(zip(METER_COLUMNS, meters, strict=True)),
        }

    def _metered(self, meter: Meter, now: Board, which: int, rest: float) -> float:
        """Return active (0) or reactive (1) power towards the campus."""
        columns = ("p_mw", "q_mvar") if meter.table == "point" else ENDS[meter.table]
        values = now.tables[meter.table][columns[which]]
        return meter.sign * float(np.nan_to_num(values[list(meter.rows)], nan=rest).sum())
