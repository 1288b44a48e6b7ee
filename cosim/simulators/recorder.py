"""The recorder: the last simulator of the ring, and the only one that writes."""

from collections.abc import Callable, Mapping

from cosim.core.component import side_tables_of
from cosim.core.errors import ComponentError, ResultsError
from cosim.plan import GRID, Plan
from cosim.results import TableSpec, Writer
from cosim.simulators.account import ACCOUNTS, Account, account_specs
from cosim.simulators.base import RingSimulator
from cosim.simulators.board import Board
from cosim.simulators.check import StepError
from cosim.simulators.ranges import TABLE, Ranges, ranges_spec
from cosim.simulators.shared import Instant, Shared

Beat = Callable[[float], None]
"""Called with the simulated time [s] reached, once per exchange."""

ACCOUNT = "results"
"""Name under which the recorder's time is kept."""


def table_specs(plan: Plan) -> Mapping[str, TableSpec]:
    """Return the tables of a run: those of component kinds, the grid's, and ranges and campuses if asked for.

    Raises ComponentError when a kind is called like another table.
    """
    specs = {
        name: TableSpec(tuple(names), tuple(plan.grid.columns[name]))
        for name, names in plan.grid.elements.items()
    }
    for kind in plan.kinds:
        if kind.kind in specs or kind.kind in (TABLE, *ACCOUNTS):
            whose = "of the grid" if kind.kind in specs else "that every run may have"
            msg = f"component kind {kind.kind!r} has the name of a table {whose}; register it under another"
            raise ComponentError(msg)
        specs[kind.kind] = TableSpec(kind.units, tuple(port.name for port in kind.component.outputs))
    for kind in plan.kinds:
        for table in () if kind.process else side_tables_of(kind.component):
            if table.name in specs:
                msg = f"component kind {kind.kind!r} writes a table {table.name!r}, as another kind does"
                raise ComponentError(msg)
            specs[table.name] = TableSpec(table.rows, table.columns)
    return {**specs, **ranges_spec(plan), **account_specs(plan)}


class Recorder(RingSimulator):
    """Writes one row per element and exchange, then lets the next exchange begin."""

    def __init__(self, writer: Writer, shared: Shared, beat: Beat, ranges: Ranges, account: Account) -> None:
        super().__init__(shared)
        self.writer, self._beat, self._ranges, self._account = writer, beat, ranges, account

    def exchange(self, at: Instant, now: Board, late: Board) -> Board:
        """Write outputs, tables and the events of this exchange."""
        del late
        with self.shared.watch.turn(ACCOUNT, at.t_s):
            self._write(at, now)
        self._beat(at.t_s + at.dt_s)
        return Board()

    def _write(self, at: Instant, now: Board) -> None:
        self.writer.add_events(self.shared.events)
        self.shared.events.clear()
        try:
            tables = {**now.outputs, **now.tables, **self._ranges.tables(), **self._account.tables(now)}
            self.writer.append(at.t_s, at.dt_s, tables)
        except ResultsError as error:
            raise StepError(GRID, at.t_s, str(error)) from error  # components' outputs were checked before
