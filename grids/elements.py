"""Everything that draws or injects a given power: loads, sgens, gens, connected units, ties."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from cosim.core.errors import ScenarioError
from cosim.core.registry import nearest
from cosim.core.types import Bools, Floats, Ints
from grids.build import Model, nominal_mva

DRIVEN = ("load", "sgen", "gen")
"""Tables a driver may scale."""

RATED = "rated "
"""Before what a driver scales: its factor is of the rating, not of the power at the operating point."""

SWITCHED = ("line", "trafo", "trafo3w", "gen", "sgen", "load")
"""Tables whose elements a scenario may trip and close."""


def element_names(frame: Any, table: str) -> tuple[str, ...]:
    """Return one distinct name per row: its own where it has one, else `<table>_<index>`."""
    names: list[str] = []
    given = frame["name"] if "name" in frame else [None] * len(frame)
    taken: set[str] = set()
    for index, name in zip(frame.index, given, strict=True):
        own = "" if name is None or name != name else str(name).strip()  # noqa: PLR0124 - nan
        text = own or f"{table}_{index}"
        if text in taken:
            text = f"{text} ({table}_{index})"
        taken.add(text)
        names.append(text)
    return tuple(names)


def bus_rows(net: Any, buses: Iterable[int]) -> Ints:
    """Return the rows of `net.bus` that hold the given bus indices."""
    return np.asarray(net.bus.index.get_indexer(list(buses)), dtype=np.int64)


class Elements:
    """Powers of all given-power elements in one pair of arrays, consumption > 0.

    `section` says where each kind lies. Ties are where the answer of the rest of a synchronous area
    comes in. Constant-current and constant-impedance shares of loads are kept apart.
    """

    def __init__(self, net: Any, unit_row: Ints, tie_row: Ints) -> None:
        self.names = {table: element_names(net[table], table) for table in (*SWITCHED, "ext_grid", "shunt")}
        counts = [len(net[t]) for t in DRIVEN] + [unit_row.size, tie_row.size]
        edges = np.cumsum([0, *counts])
        self.section = {
            kind: slice(int(edges[i]), int(edges[i + 1])) for i, kind in enumerate((*DRIVEN, "unit", "tie"))
        }
        own = [bus_rows(net, net[table]["bus"]) for table in DRIVEN]
        self.row: Ints = np.concatenate([*own, unit_row, tie_row])
        size = self.row.size
        self.p0_mw: Floats = np.zeros(size)
        self.q0_mvar: Floats = np.zeros(size)
        self.in_service: Bools = np.ones(size, dtype=np.bool_)
        for table, sign in (("load", 1.0), ("sgen", -1.0), ("gen", -1.0)):
            here, power = self.section[table], sign * nominal_mva(net[table])
            self.p0_mw[here] = power.real
            self.q0_mvar[here] = power.imag if table != "gen" else 0.0
            self.in_service[here] = net[table]["in_service"].to_numpy(dtype=bool)
        self.reference: Bools = _reference(net, self.section["gen"], size)
        self.p0_mw[self.reference] = 0.0
        self.start_in_service = self.in_service.copy()
        self._planned = (self.p0_mw.copy(), self.q0_mvar.copy())
        self.shares = _voltage_shares(net)
        self.p_mw: Floats = self.p0_mw.copy()
        self.q_mvar: Floats = self.q0_mvar.copy()

    def reset(self) -> None:
        """Return to the operating point."""
        self.in_service[:] = self.start_in_service
        self.p0_mw[:], self.q0_mvar[:] = self._planned
        self.p_mw[:] = self.p0_mw
        self.q_mvar[:] = self.q0_mvar

    def bus(self, model: Model) -> Ints:
        """Return the bus of each element, -1 where it is out of service or not energised."""
        return np.where(self.in_service, model.row_bus[self.row], -1)

    def find(self, name: str) -> tuple[str, int]:
        """Return table and row of the element a scenario calls `name`; ScenarioError when unclear."""
        found = [(t, self.names[t].index(name)) for t in SWITCHED if name in self.names[t]]
        if len(found) == 1:
            return found[0]
        if found:
            where = ", ".join(t for t, _ in found)
            msg = f"element {name!r} is in several tables: {where}; give the elements distinct names"
            raise ScenarioError(msg)
        every = [n for t in SWITCHED for n in self.names[t]]
        msg = f"{name!r} is no line, transformer, gen, sgen or load of the grid.{nearest(name, every)}"
        raise ScenarioError(msg)

    def driven(self, net: Any, what: str) -> tuple[Ints, Floats]:
        """Return the elements a driver of `what` scales, and what their factor is of [MW, > 0 consumes].

        All of a type, or one by its name; in joined cases `gansu/wind` is the type in one of them. `rated pv`
        has factors of the ratings, so that what stands at 0 at the operating point can be driven.
        """
        rows = self._driven(net, what.removeprefix(RATED))
        if not what.startswith(RATED):
            return rows, self.p0_mw[rows]
        here, sgens = self.section["sgen"], net["sgen"]
        inside = bool(((rows >= here.start) & (rows < here.stop)).all())
        rated = sgens["sn_mva"].to_numpy(dtype=float)[rows - here.start] if inside else np.full(1, np.nan)
        if not np.isfinite(rated).all():
            msg = f"driven {what!r}: only sgens with an sn_mva have a rating to drive"
            raise ScenarioError(msg)
        return rows, -rated

    def _driven(self, net: Any, what: str) -> Ints:
        by_type: list[int] = []
        types: set[str] = set()
        for table in DRIVEN:
            if "type" in net[table]:
                kinds = net[table]["type"].astype(str)
                types |= set(kinds) - {"None", "nan", ""}
                chosen = kinds == what
                if "case" in net[table]:
                    chosen |= net[table]["case"] + "/" + kinds == what
                by_type += list(self.section[table].start + np.flatnonzero(chosen))
        if by_type:
            return np.array(by_type, dtype=np.int64)
        found = [self.section[t].start + self.names[t].index(what) for t in DRIVEN if what in self.names[t]]
        if len(found) == 1:
            return np.array(found, dtype=np.int64)
        if found:
            msg = f"driven element {what!r} is in several tables; give the elements distinct names"
            raise ScenarioError(msg)
        every = [*types, *(n for t in DRIVEN for n in self.names[t])]
        known = ", ".join(sorted(types)) or "none"
        what_for = "neither a type nor an element in the load, sgen and gen tables"
        msg = f"{what!r} is {what_for} (types: {known}).{nearest(what, every)}"
        raise ScenarioError(msg)


def _reference(net: Any, here: slice, size: int) -> Bools:
    """Return which elements are gens that hold the angle: their power follows, it is not given."""
    reference = np.zeros(size, dtype=np.bool_)
    if "slack" in net.gen:
        reference[here] = net.gen["slack"].fillna(value=False).to_numpy(dtype=bool)
    return reference


def _voltage_shares(net: Any) -> Floats | None:
    """Return const-current and const-impedance shares of p and q per load, shape (4, loads), or None."""
    columns = ("const_i_p_percent", "const_z_p_percent", "const_i_q_percent", "const_z_q_percent")
    if not all(c in net.load for c in columns):
        return None
    shares = np.array([net.load[c].to_numpy(dtype=float) / 100.0 for c in columns])
    return shares if np.any(shares) else None
