"""The kinds of one stage as one mosaik simulator."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from cosim.core.component import Ledger, ledgers_of
from cosim.core.types import Floats
from cosim.simulators.base import RingSimulator
from cosim.simulators.board import Board
from cosim.simulators.desk import Desk
from cosim.simulators.ranges import Answers, Ranges
from cosim.simulators.shared import Instant, Shared


class ComponentSimulator(RingSimulator):
    """Steps the kinds of one stage; they do not feed each other within an exchange.

    Raises StepError, naming kind and time, when a component cannot be reset.
    """

    def __init__(
        self, desks: Sequence[Desk], shared: Shared, ranges: Ranges, answers: Answers | None = None
    ) -> None:
        super().__init__(shared)
        self.desks, self._ranges, self._answers = tuple(desks), ranges, answers
        for desk in self.desks:
            with shared.watch.turn(desk.kind, 0.0):
                desk.component.reset(shared.context_for(desk.plan.units))

    def exchange(self, at: Instant, now: Board, late: Board) -> Board:
        """Step every kind and add what they publish."""
        found = {desk.kind: self._step(desk, at, now, late) for desk in self.desks}
        for desk in self.desks:
            for table in desk.side_tables:
                found[table.name] = cast("Any", desk.component).told(table.name)
        return now.with_outputs(found if self._answers is None else {**found, **self._answers.said})

    def ledgers(self) -> Mapping[str, Ledger]:
        """Return the tables of single things of all kinds of the stage. Raises StepError."""
        found: dict[str, Ledger] = {}
        for desk in self.desks:
            with self.shared.watch.turn(desk.kind, self.shared.clock.until_s):
                found |= ledgers_of(desk.component)
        return found

    def _step(self, desk: Desk, at: Instant, now: Board, late: Board) -> Mapping[str, Floats]:
        inputs = desk.inputs(at.tick, now, late)
        commands = desk.commands(at.tick)
        component: Any = desk.component  # `command` may be left out of a component without commands
        with self.shared.watch.turn(desk.kind, at.t_s):
            for item in commands:
                component.command(at.t_s, item.unit_index, item.name, item.params)
            outputs = component.step(at.t_s, at.dt_s, inputs)
            if self._ranges.asked:
                self._ranges.ask(desk.kind, component, at, inputs)
            if self._answers is not None:
                self._answers.ask(desk.kind, component, at, inputs)
        return desk.accept(at.t_s, outputs)
