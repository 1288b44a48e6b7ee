"""The result tables of an exchange, read off a dynamic session."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from cosim.core.types import Bools, Floats, Ints
from grids.branches import BUS, LINE, TRAFO, TRAFO3W, Branches, Columns, Ratings
from grids.dynamics.session import Session
from grids.elements import DRIVEN
from grids.inside import Inside
from grids.numbers import Complexes
from grids.sources import GEN

RMS_GEN = (*GEN, "delta_degree", "speed_pu")
"""Columns of the gen table: angle in the frame of the island's centre of inertia, speed per nominal."""


class Reader:
    """Reads voltages, flows and powers off a session that stands where a power flow stood.

    Parameters
    ----------
    session
        The session.
    inside
        The power flow it started from: names, ratings, and the order of its tables.
    units
        Elements of each connected unit.
    """

    def __init__(self, session: Session, inside: Inside, units: tuple[tuple[str, ...], ...]) -> None:
        self._session, self._inside = session, inside
        model = inside.state.model
        self._y_whole = model.branch_y
        self._model = replace(model, branch_y=model.branch_y.copy())
        self._open: frozenset[int] = frozenset()
        self._branches = Branches(self._model, Ratings(inside.state.net), inside.elements)
        self._tap_pos = inside.state.tap_pos.copy()
        system = session.system
        self._views = system.views(system.x)
        self._place = {element.name: k for k, element in enumerate(system.point.elements)}
        self._of = [
            np.array([self._places(name) for name in group.elements], dtype=np.int64)
            for group in system.groups
        ]
        self._extra = len(self._place)
        names = inside.elements.names
        sources = inside.state.sources
        self._sources = self._rows(sources.names)
        self._given = np.concatenate([self._rows(names[table]) for table in DRIVEN])
        self._injecting = np.concatenate([self._sources, self._rows(names["sgen"])])
        self._units = self._rows(tuple(name for names in units for name in names))
        self._first = np.cumsum([0, *(len(names) for names in units)])[:-1]
        self._rotor = self._rotors(sources.names)
        self._unit_bus = model.row_bus[inside.unit_row]
        self.read()

    def _places(self, name: str) -> int:
        """Return the place of an element; units that stand in no table come after those of the case."""
        return self._place.setdefault(name, len(self._place))

    def _rows(self, names: tuple[str, ...]) -> Ints:
        return np.array([self._place.get(name, -1) for name in names], dtype=np.int64)

    def _rotors(self, names: tuple[str, ...]) -> Ints:
        """Return the rotor of each source, -1 where none turns."""
        session = self._session
        order = [name for g in session.system.groups if g.cls.rotor is not None for name in g.elements]
        return np.array([order.index(name) if name in order else -1 for name in names], dtype=np.int64)

    def read(self) -> None:
        """Take the session as it stands."""
        session = self._session
        switching = session.solution.network.switching
        if frozenset(switching.open_branches) != self._open:
            self._open = frozenset(switching.open_branches)
            self._model.branch_y[:] = self._y_whole
            self._model.branch_y[sorted(self._open)] = 0.0
        self.v = session.v_pu
        self.vm_pu: Floats = np.abs(self.v)
        self._branches.solve(self.v)
        base = self._model.base_mva
        self._delivered: Complexes = self._powers() * base
        self.dead: Bools = session.solution.configuration.island < 0
        """Internal buses without a source."""
        faults = switching.fault_y.items()
        self._fault_mw = base * sum(self.vm_pu[bus] ** 2 * y.real for bus, y in faults)

    def _powers(self) -> Complexes:
        """Return what every element delivers into its bus [pu], from its own current."""
        session = self._session
        work, total = session.solution.work, np.zeros(len(self._place), dtype=np.complex128)
        for group, x, at in zip(session.system.groups, self._views, self._of, strict=True):
            block, port = group.block, group.block.port
            v = work.v[port]
            current = -group.cls.admittance(block) * v * block.on
            if group.cls.inject is not None:
                own = np.zeros(v.size, dtype=np.complex128)
                apart = block._replace(port=np.arange(v.size))
                group.cls.inject(apart, x, v, work.w[port], own)
                current = current + own
            np.add.at(total, at, v * np.conj(current))
        return total

    def _at(self, rows: Ints) -> Complexes:
        """Return what the elements at `rows` deliver [MVA], zero for those out of service."""
        found: Complexes = np.where(rows >= 0, self._delivered[rows], 0.0)
        return found

    def _units_mva(self) -> Complexes:
        """Return what each unit delivers [MVA], over the devices that share its power."""
        found = self._at(self._units)
        return found if found.size == self._first.size else np.add.reduceat(found, self._first)

    def dark_rows(self) -> Bools:
        """Return which rows of the bus table have no source, or none they had at the start."""
        row_bus = self._model.row_bus
        return (row_bus < 0) | self.dead[np.maximum(row_bus, 0)]

    def buses(self) -> Columns:
        """Return the bus table; a bus without a source has no voltage."""
        e = self._inside.elements
        drawn = -np.concatenate([self._at(self._given), self._units_mva()])
        row = np.where(e.row[: drawn.size] >= 0, e.row[: drawn.size], -1)
        table = self._branches.bus(self.v, self.vm_pu, row, drawn.real.copy(), drawn.imag.copy())
        table[:, self.dark_rows()] = np.nan
        return dict(zip(BUS, table, strict=True))

    def branches(self) -> dict[str, Columns]:
        """Return the tables of lines and transformers."""
        own = self._branches
        tables: dict[str, Columns] = {
            "line": dict(zip(LINE, own.line(), strict=True)),
            "trafo": dict(zip(TRAFO, own.trafo(self._tap_pos), strict=True)),
        }
        if self._inside.elements.names["trafo3w"]:
            tables["trafo3w"] = dict(zip(TRAFO3W, own.trafo3w(), strict=True))
        return tables

    def sources(self, planned_mw: Floats, f_start_pu: Floats) -> Columns:
        """Return the gen table.

        Parameters
        ----------
        planned_mw
            Scheduled power of each source (gens + ext_grids,).
        f_start_pu
            Frequency of its area that speed 1 of the session means, per nominal.
        """
        session, sources = self._session, self._inside.state.sources
        s = self._at(self._sources)
        wiring, x = session.solution.wiring, session.system.x
        turns = self._rotor >= 0
        if wiring.rotor_m_s.size:
            turns &= wiring.rotor_m_s[self._rotor] > 0.0
            speed = x[wiring.rotor_speed][self._rotor] * f_start_pu
            angle = np.rad2deg(x[wiring.rotor_angle][self._rotor])
        else:
            speed, angle = np.zeros(self._rotor.size), np.zeros(self._rotor.size)
        row_bus = self._model.row_bus[sources.row]
        lit = (row_bus >= 0) & ~self.dead[np.maximum(row_bus, 0)]
        live = (self._sources >= 0) & (np.abs(s) > 0.0)
        return {
            "p_mw": s.real.copy(),
            "q_mvar": s.imag.copy(),
            "vm_pu": np.where(lit, self.vm_pu[np.maximum(row_bus, 0)], np.nan),
            "p_response_mw": np.where(live, s.real - planned_mw, 0.0),
            "delta_degree": np.where(turns, angle, np.nan),
            "speed_pu": np.where(turns, speed, np.nan),
        }

    def units(self) -> tuple[Floats, Complexes, Floats]:
        """Return voltage [pu], power drawn [MVA] and speed of the island [pu] of each unit; dark: 0 V."""
        bus = np.maximum(self._unit_bus, 0)
        lit = (self._unit_bus >= 0) & ~self.dead[bus]
        vm = np.where(lit, self.vm_pu[bus], 0.0)
        wiring = self._session.solution.configuration
        speed = np.where(lit, self._session.solution.work.coi[np.maximum(wiring.island[bus], 0)], np.nan)
        return vm, -self._units_mva(), speed

    def totals(self) -> Mapping[str, float]:
        """Return load, generation and losses of the whole grid [MW]; a fault's power counts as a loss.

        Generation is what sources and sgens deliver, as in the power flow.
        """
        made = float(self._at(self._injecting).real.sum())
        drawn = float(self._delivered.real.sum()) - made
        losses = self._branches.losses_mw(self.vm_pu) + self._fault_mw
        return {"load_mw": -drawn, "generation_mw": made, "losses_mw": losses}

    def drawn_mw(self, elements: Ints) -> Floats:
        """Return what loads, sgens and gens draw, by their place in `grids.elements.Elements`."""
        return -self._at(self._given[elements]).real

    def load_mw(self, areas: int) -> Floats:
        """Return what the case's loads draw, by area."""
        e = self._inside.elements
        part = e.section["load"]
        at = self._given[part]
        area = self._inside.row_area[e.row[part]]
        return np.asarray(np.bincount(area, -self._at(at).real, minlength=areas), dtype=np.float64)
