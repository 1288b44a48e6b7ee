"""Elements that come and go: the topology, and what plan, frequency and ties make of it."""

from collections.abc import Sequence

import numpy as np

from cosim.core.component import Emit
from cosim.core.errors import ScenarioError
from cosim.core.grid import SWITCHING, GridEvent
from cosim.core.types import Bools
from grids.balance import Balance
from grids.inside import Inside
from grids.network_state import Islanding


class Switchgear:
    """Trips and closes elements of a grid that runs.

    Parameters
    ----------
    inside
        The network, its plan and its frequencies.
    balance
        What the slack carries besides.
    """

    def __init__(self, inside: Inside, balance: Balance) -> None:
        self._inside, self._balance = inside, balance
        self._gen = inside.elements.section["gen"]

    def ties_alive(self) -> Bools:
        """Return which ties (ties,) can let power in: the element in service, and its bus energised."""
        state = self._inside.state
        sgens, sources = state.alive[self._inside.elements.section["sgen"]], state.sources
        first = {"gen": 0, "ext_grid": sources.gens}
        alive = [
            sgens[tie.row] if tie.table == "sgen" else sources.alive[first[tie.table] + tie.row]
            for tie in self._inside.ties
        ]
        return np.array(alive, dtype=np.bool_)

    def refusal(self, event: GridEvent) -> str | None:
        """Return why an element can never be tripped or closed, or None."""
        e = self._inside.elements
        if event.action not in SWITCHING:
            return None
        table, row = e.find(event.element)
        if table == "gen" and e.reference[self._gen.start + row]:
            return f"{event.element!r} holds the angle of the grid (slack) and cannot be switched"
        return None

    def switch(self, t_s: float, events: Sequence[GridEvent], emit: Emit) -> None:
        """Trip and close, and tell what came of it.

        Raises
        ------
        ScenarioError
            When an element is unknown or holds the angle of the grid, or the action is another.
        """
        state, e = self._inside.state, self._inside.elements
        changes: list[tuple[str, int, bool]] = []
        for event in events:
            if event.action not in SWITCHING:
                allowed = ", ".join(SWITCHING)
                msg = f"t={event.at_s:g} s: action {event.action!r} is unknown; allowed: {allowed}"
                raise ScenarioError(msg)
            if (why := self.refusal(event)) is not None:
                raise ScenarioError(why)
            table, row = e.find(event.element)
            changes.append((table, row, event.action == "close"))
            emit(t_s, event.element, event.action, f"{table} {event.element} {event.action}s")
        if not changes:
            return
        before = state.alive.copy()
        islanding = state.switch(changes)
        self._balance.attach()
        self._inside.response.set_ties(self.ties_alive())
        after = state.alive
        for gen in np.flatnonzero(before[self._gen] != after[self._gen]):
            self._switch_gen(t_s, int(gen), emit, on=bool(after[self._gen][gen]))
        self._tell_islands(t_s, islanding, before & ~after & e.in_service, emit)

    def _switch_gen(self, t_s: float, gen: int, emit: Emit, *, on: bool) -> None:
        """Tell frequency and plan that a machine came or went; one that comes starts near its minimum."""
        response, schedule = self._inside.response, self._inside.schedule
        if not on:
            response.trip(gen)
            schedule.trip(gen)
            return
        response.close(gen)
        start_mw = schedule.close(gen)
        name, plan_mw = self._inside.elements.names["gen"][gen], -schedule.p_mw[self._gen.start + gen]
        text = f"{name} synchronises at {start_mw:.6g} MW of its {plan_mw:.6g} MW planned"
        emit(t_s, name, "synchronised", text)

    def _tell_islands(self, t_s: float, islanding: Islanding, dark: Bools, emit: Emit) -> None:
        """Tell which buses lost their source, and with them which elements (elements,), or regained it."""
        if islanding.lost:
            p_mw = self._inside.elements.p_mw[dark]
            text = (
                f"without a source: {', '.join(islanding.lost)}; lost load {p_mw[p_mw > 0].sum():.6g} MW, "
                f"lost generation {abs(p_mw[p_mw < 0].sum()):.6g} MW"
            )
            if islanding.machines:
                machines = ", ".join(islanding.machines)
                text += f"; no angle reference, so dark although {machines} could run"
            emit(t_s, "grid", "islanded", text)
        if islanding.regained:
            emit(t_s, "grid", "energised", f"energised again: {', '.join(islanding.regained)}")
