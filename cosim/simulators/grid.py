"""The grid as one mosaik simulator."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cosim.core.component import Port
from cosim.core.grid import Tables
from cosim.core.shelf import Shelf, places_of
from cosim.core.types import Floats
from cosim.plan import GRID, Plan
from cosim.scenario.wiring import ASKING
from cosim.simulators.agenda import Agenda
from cosim.simulators.base import RingSimulator
from cosim.simulators.board import Board
from cosim.simulators.check import StepError
from cosim.simulators.inlet import Inlet, inlets
from cosim.simulators.shared import Instant, Shared

POINT = "point"
"""The grid's table with one row per connected unit: what components hear of the grid."""

UNIT_PORTS = tuple(
    Port(name, "from a connected unit", default=0.0)
    for name in ("p_mw", "q_mvar", "droop_mw_per_hz", "droop_up_mw", "droop_down_mw")
)
ASKING_PORTS = tuple(Port(name, "from a unit that asks for leave", default=0.0) for name in ASKING)
DRIVER_PORTS = (Port("scale_pu", "from a driver", default=1.0),)


def unit_ports(plan: Plan) -> tuple[Port, ...]:
    """Return the grid's ports over connected units: the usual ones, and those that drive their devices."""
    asking = ASKING_PORTS if any(plan.connections.asking) else ()
    usual = {port.name: port for port in (*UNIT_PORTS, *asking)}
    for offer in plan.connections.hosted:
        for name in () if offer is None else offer.inputs:
            usual.setdefault(name, Port(name, "drives the device of a unit", default=0.0))
    return tuple(usual.values())


def _check_shape(plan: Plan, tables: Tables, t_s: float) -> None:
    """Raise StepError when the grid returns other tables than it declares."""
    for table, names in plan.grid.elements.items():
        for column in plan.grid.columns[table]:
            found: Any = tables.get(table, {}).get(column)
            if np.shape(found) != (len(names),):
                what = "is missing" if found is None else f"has shape {np.shape(found)}"
                raise StepError(
                    GRID, t_s, f"column {column} of table {table} {what}, expected ({len(names)},)"
                )


class GridSimulator(RingSimulator):
    """Steps the grid with what its units draw, and publishes its tables.

    Where a step has no solution the tables hold NaN and are recorded so; components then keep hearing
    the last voltage and frequency there was, as a NaN in their inputs would only break them.

    Attributes
    ----------
    first
        The state just before t_s = 0: what late links carry into the first exchange.
    """

    def __init__(self, plan: Plan, shared: Shared) -> None:
        super().__init__(shared)
        self.plan = plan
        wires = plan.into(GRID)
        units, drivers = plan.connections.units, plan.connections.drivers
        driving = [wire for wire in wires if wire.target_port == DRIVER_PORTS[0].name]
        self._inlets: dict[str, Inlet] = {
            **inlets(GRID, unit_ports(plan), len(units), [wire for wire in wires if wire not in driving]),
            **inlets(GRID, DRIVER_PORTS, len(drivers), driving),
        }
        self._events = Agenda(shared.clock, plan.grid_events, lambda event: event.at_s)
        self._columns = tuple(plan.grid.columns.get(POINT, ()))
        self._places = places_of(self._columns)
        self._heard = np.full((len(self._columns), len(units)), np.nan)
        listened = {wire.source for wire in plan.wires if wire.source.startswith(f"{GRID} ")}
        self._listened = {source: source.partition(" ")[2] for source in sorted(listened)}
        """What wires call a table -> its name."""
        self._rows: dict[str, dict[str, Floats]] = {}
        with shared.watch.turn(GRID, 0.0):
            tables = plan.grid.reset(shared.context_for(units))
        _check_shape(plan, tables, 0.0)
        self.first = self._late = Board({GRID: self._hear(tables), **self._listen(tables)}, tables)

    def exchange(self, at: Instant, now: Board, late: Board) -> Board:
        """Step the grid and add its tables; its own late inputs come from its own last board."""
        del late
        inputs = {name: inlet.collect(now, self._late) for name, inlet in self._inlets.items()}
        events = self._events.due(at.tick)
        with self.shared.watch.turn(GRID, at.t_s):
            tables = self.plan.grid.step(at.t_s, at.dt_s, inputs, events)
        if self.exchanges_count == 0:
            _check_shape(self.plan, tables, at.t_s)
        heard = {GRID: self._hear(tables), **self._listen(tables)}
        self._late = Board({**now.outputs, **heard}, tables)
        return self._late

    def _hear(self, tables: Tables) -> Mapping[str, Floats]:
        point = tables.get(POINT, {})
        values = np.array([point[column] for column in self._columns]).reshape(self._heard.shape)
        lost = np.isnan(values)
        self._heard = np.where(lost, self._heard, values) if lost.any() else values
        return Shelf(self._places, self._heard)

    def _listen(self, tables: Tables) -> dict[str, Mapping[str, Floats]]:
        """Return the tables somebody listens to; where there is no value, the last there was."""
        for source, table in self._listened.items():
            before = self._rows.get(source, {})
            self._rows[source] = {
                column: np.where(np.isnan(values), before.get(column, values), values)
                for column, values in tables[table].items()
            }
        return {**self._rows}
