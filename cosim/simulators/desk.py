"""One kind's place in the exchange: what goes in, what is due, and the check of what comes out."""

from collections.abc import Iterable, Mapping
from typing import Any

from cosim.core.component import side_tables_of
from cosim.core.types import Floats
from cosim.plan import Command, KindPlan, Wire
from cosim.simulators.agenda import Agenda
from cosim.simulators.board import Board
from cosim.simulators.check import Check
from cosim.simulators.inlet import inlets
from cosim.simulators.shared import Shared


class Desk:
    """Everything around a kind's `step` that does not depend on where the component lives.

    Parameters
    ----------
    plan
        The kind.
    wires
        The wires that end at it.
    shared
        Clock, watchdog and events of the run.

    Raises
    ------
    ScenarioError
        For wires, commands or set inputs that fit neither ports nor clock.
    """

    def __init__(self, plan: KindPlan, wires: Iterable[Wire], shared: Shared) -> None:
        self.plan, self.shared = plan, shared
        self.kind, self.component = plan.kind, plan.component
        self.side_tables = () if plan.process else side_tables_of(plan.component)
        self._inlets = inlets(plan.kind, plan.component.inputs, len(plan.units), wires)
        ports = tuple(port.name for port in plan.component.outputs)
        self._check = Check(plan.kind, plan.units, ports)
        self._commands = Agenda(shared.clock, plan.commands, lambda item: item.t_s)
        self._sets = Agenda(shared.clock, plan.sets, lambda item: item.t_s)

    def inputs(self, tick: int, now: Board, late: Board) -> dict[str, Floats]:
        """Return the inputs of the exchange at `tick`, read-only, set inputs applied."""
        for item in self._sets.due(tick):
            self._inlets[item.port].hold(item.unit_index, item.value)
            unit = self.plan.units[item.unit_index]
            self.shared.note(item.t_s, unit, "set", f"{item.port} = {item.value:g}", {item.port: item.value})
        return {name: inlet.collect(now, late) for name, inlet in self._inlets.items()}

    def commands(self, tick: int) -> tuple[Command, ...]:
        """Return the commands due in the exchange at `tick`, each noted as an event."""
        due = self._commands.due(tick)
        for item in due:
            data = item.params.model_dump(mode="json")
            self.shared.note(item.t_s, self.plan.units[item.unit_index], "command", item.name, data)
        return due

    def accept(self, t_s: float, outputs: Any) -> Mapping[str, Floats]:
        """Return checked copies of what `step` returned. Raises StepError."""
        return self._check(outputs, t_s)
