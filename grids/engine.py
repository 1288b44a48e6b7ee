"""The `powerflow` engine: AC power flow and area frequency behind the grid protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cosim.core.component import Context, silent
from cosim.core.errors import ScenarioError, SolveError
from cosim.core.grid import SWITCHING, Connections, EventParams, Geography, GridEvent, Tables
from cosim.core.registry import nearest
from cosim.core.types import Floats, Ints
from grids.balance import Balance
from grids.case import Case, load_case, load_cases, load_network
from grids.drawn import Drawn
from grids.elements import SWITCHED, Elements, bus_rows
from grids.guard.desk import Desk
from grids.guard.guard import Guard
from grids.guard.params import GuardParams
from grids.guard.trial import Present
from grids.inside import Inside
from grids.links.links import Links
from grids.links.orders import LINK_ACTIONS
from grids.network_state import NetworkState
from grids.params import GridSource, PowerFlowParams
from grids.portrait import geography_of, provenance_of
from grids.reactive import Switch
from grids.response import Answer, Response, area_of_rows, rest_load_mw, tie_rows, ties_of
from grids.returning import return_rate_mw_per_s
from grids.schedule import Schedule
from grids.solver import Solution
from grids.switchgear import Switchgear
from grids.tables import TableMaker
from grids.telling import ShortageTeller, tell_switch
from grids.witness import Witness, explain

if TYPE_CHECKING:
    from grids.guard.swings import Swings
    from grids.rms_run import RmsRun

UNIT_INPUTS = ("p_mw", "q_mvar", "droop_mw_per_hz", "droop_up_mw", "droop_down_mw")
"""What connected units give, in the order of the rows they are kept in."""

MAX_MOVES = 50
"""Rounds of tap and shunt moves within one exchange."""


def load_grid(params: GridSource) -> Case:
    """Return the case, joined cases or network a scenario names."""
    if params.cases is not None:
        return load_cases(params.cases, params.point)
    return load_network(params.network) if params.network else load_case(params.case or "", params.point)


class PowerFlowGrid:
    """A grid case stepped by AC power flow; see `cosim.core.grid.Grid` for the contract.

    Powers given are held over the exchange; the power flow is that of its end. What answers a frequency
    deviation (governors, AGC, inertia, damping, droop) enters it where it comes from, so the slack
    closes the change in losses only, and for one exchange what loads draw because voltages changed.

    Raises
    ------
    ScenarioError
        When a point or driven element is unknown, with the nearest match.
    CaseError
        When the case is wrong.
    """

    params_type: ClassVar[type[PowerFlowParams]] = PowerFlowParams
    actions: ClassVar[Mapping[str, type[EventParams]]] = {**SWITCHING, **LINK_ACTIONS}
    guards: ClassVar[bool] = True

    def __init__(self, params: PowerFlowParams, connections: Connections) -> None:
        self._params = params
        self._case = case = load_grid(params)
        net = case.net
        self._unit_row = _unit_rows(case, connections)
        areas, row_area = area_of_rows(net)
        self._ties = ties_of(net, areas)
        self._elements = e = Elements(net, self._unit_row, tie_rows(net, self._ties))
        self._unit = e.section["unit"]
        area = row_area[e.row]
        unit_area = area[self._unit]
        has_links = "links" in net and len(net["links"]) > 0
        self._links = Links(net, e, area, len(areas)) if has_links else None
        self._response = Response(
            case,
            self._ties,
            unit_area,
            devices=connections.devices,
            inner_step_s=params.inner_step_s,
            support=None if self._links is None else self._links.support,
        )
        rate = return_rate_mw_per_s(self._response.fleet, len(net.gen))
        has_rest = rest_load_mw(net) > 0.0
        self._schedule = Schedule(
            net, e, connections, area, has_rest=has_rest, return_rate_mw_per_s=rate, links=self._links
        )  # fmt: skip
        acting = {"q_limits": params.q_limits, "tap_control": params.tap_control}
        self._state = NetworkState(net, e, tolerance_mva=params.tolerance_mva, **acting)
        self._balance = Balance(self._state, row_area, len(areas))
        self._witness = Witness(self._state, params.cross_check_every_count)
        asking = any(connections.asking)
        self._maker = TableMaker(
            self._state, self._ties, areas, connections.units, unit_area, links=self._links, rooms=asking
        )
        self.inside = Inside(
            case,
            self._state,
            e,
            self._schedule,
            self._response,
            self._ties,
            row_area,
            self._unit_row,
            unit_area,
            self._links,
        )
        self._drawn = Drawn(self.inside)
        self._switchgear = Switchgear(self.inside, self._balance)
        self._desk = self._desk_of(params.guard, connections, unit_area) if asking else None
        self.elements: Mapping[str, tuple[str, ...]] = self._maker.elements
        self.columns: Mapping[str, tuple[str, ...]] = self._maker.columns
        self.switchable = tuple(name for table in SWITCHED for name in e.names[table])
        """Names a scenario may trip and close."""
        self._context = Context()
        self._loud = self._context
        self._shadows = False
        self._asked: tuple[Mapping[str, Floats], bool, Present] | None = None
        self.on_no_solution = params.on_no_solution

    def _desk_of(self, params: GuardParams | None, connections: Connections, unit_area: Ints) -> Desk:
        """Return who answers the units that ask for leave."""
        guard = None
        if params is not None:
            guard = Guard(
                params,
                self._state,
                self._response,
                self._drawn.as_if,
                names=connections.units,
                unit_area=unit_area,
                swings=self._swings(params, connections),
            )
        return Desk(guard, connections)

    def _swings(self, params: GuardParams, connections: Connections) -> "Swings | None":
        """Return the dynamic model where the guard follows frequency with it."""
        if params.frequency != "rms":
            return None
        from grids.guard.swings import Swings  # noqa: PLC0415 - dynamics, of no use to others

        return Swings(params.swings, self.inside, connections)

    def subjects(self, action: str) -> tuple[str, ...]:
        """Return the names an action may act on."""
        if action in LINK_ACTIONS:
            return () if self._links is None else self._links.names
        return self.switchable

    def expect(self, events: Sequence[GridEvent]) -> list[str | None]:
        """Return for each scheduled event why it cannot be, or None."""
        links, gear = self._links, self._switchgear
        return [
            links.refusal(event) if links and event.action in LINK_ACTIONS else gear.refusal(event)
            for event in events
        ]

    @staticmethod
    def points_of(params: GridSource) -> tuple[str, ...]:
        """Return the named points and buses units can connect to, without building the grid."""
        case = load_grid(params)
        return tuple(dict.fromkeys([*case.points, *(str(name) for name in case.net.bus["name"])]))

    def reset(self, context: Context) -> Tables:
        """Return to the operating point, units drawing nothing, and solve it.

        Raises
        ------
        SolveError
            When the operating point itself has no solution.
        """
        self._context = self._loud = context
        self._shadows = False
        self._state.reset()
        self._response.reset(self._switchgear.ties_alive())
        if self._links is not None:
            self._links.reset(self._state.alive)
        self._schedule.reset(self._state.alive)
        self._witness.reset()
        self._maker.reset()
        self._balance.reset()
        self._shortage = ShortageTeller()
        self._solved = False
        if self._desk is not None:
            self._maker.room_mw = self._desk.reset(context)
        self._response.set_schedule(self._schedule.gens_mw())
        answer = self._response.rest()
        nothing = np.zeros((2, self._unit_row.size))
        self._compose(answer, nothing)
        demand = self._state.demand()
        found, _ = self._state.solve(demand)
        if not found.converged:
            text = explain(self._state, demand).text()
            msg = f"the operating point of {self._case.name!r} has no solution: {text}"
            raise SolveError(msg)
        self._balance.solved()
        return self._maker.solved(found, answer, 0.0)

    def step(
        self, t_s: float, dt_s: float, inputs: Mapping[str, Floats], events: Sequence[GridEvent]
    ) -> Tables:
        """Advance by one exchange; see `cosim.core.grid.Grid.step`."""
        state = self._state
        if events:
            self.switch(t_s, events)
        if self._desk is not None:
            self._maker.room_mw = np.zeros(self._unit_row.size)
        units = np.array([inputs[name] for name in UNIT_INPUTS], dtype=np.float64)
        units_mw, alive, plan = units[0], state.alive, self._schedule
        delivered = self._response.delivered_mw
        if plan.advance(inputs["scale_pu"], units_mw, alive, dt_s=dt_s, delivered_mw=delivered):
            self._response.set_schedule(plan.gens_mw())
            self._shortage.tell(self._context, t_s, plan.import_mw, plan.missing_mw)
        units[2:] *= alive[self._unit]
        beyond_mw, links = self._balance.beyond_mw(), self._links
        if links is not None:
            links.step(t_s, dt_s, plan.p_mw, plan.q_mvar, alive)
            beyond_mw = beyond_mw + links.beyond_mw
        imbalance_mw = plan.imbalance_mw(units_mw, alive, beyond_mw)
        answer = self._response.step(
            t_s,
            dt_s,
            imbalance_mw,
            units[2:],
            loads_mw=plan.loads_mw,
            import_mw=plan.import_mw,
        )
        through_slack_mw = self._compose(answer, units[:2])
        found, switches, moved = self._solve(t_s, dt_s)
        for switch in switches:
            tell_switch(self._context, t_s, state, switch)
        if self._desk is not None:
            self._ask(
                inputs,
                Present(
                    t_s + dt_s, units[:2], units[2:], imbalance_mw, plan.loads_mw, plan.import_mw, answer
                ),
                solved=found.converged,
            )
        if not found.converged:
            self._solved = False
            return self._unsolved(t_s, found, answer)
        self._solved = True
        doubt = bool(switches) or moved
        if self._shadows:
            return self._maker.solved(found, answer, through_slack_mw=0.0)
        if wrong := self._witness.look(doubt=doubt, changed=bool(events)):
            self._context.emit(t_s, "grid", "cross_check", wrong)
        through_slack_mw += self._balance.solved()
        return self._maker.solved(found, answer, through_slack_mw)

    def _ask(self, inputs: Mapping[str, Floats], present: Present, *, solved: bool) -> None:
        """Hear who asks for leave, and answer at once unless this engine steps along."""
        self._asked = inputs, solved, present
        if not self._shadows:
            self.rooms()

    def rooms(self, run: "RmsRun | None" = None) -> Floats:
        """Return what those who ask may add after the last exchange (units,) [MW].

        While this engine steps along, the other one asks, once it has stepped; `run` is its dynamic model.
        """
        if self._desk is not None and self._asked is not None:
            (inputs, solved, present), self._asked = self._asked, None
            live = self._state.alive[self._unit]
            self._maker.room_mw = self._desk.rooms(present, inputs, live, solved=solved, run=run)
        return np.zeros(self._unit_row.size) if self._maker.room_mw is None else self._maker.room_mw

    def shadow(self, *, on: bool) -> None:
        """Step along while another engine runs: nothing is told or checked, taps and shunts stand still."""
        self._shadows = on
        self._context = replace(self._loud, emit=silent) if on else self._loud

    def switch(self, t_s: float, events: Sequence[GridEvent]) -> None:
        """Trip and close elements, and order links, between two exchanges."""
        links, switching = self._links, list[GridEvent]()
        for event in events:
            if links is not None and event.action in LINK_ACTIONS:
                links.take(event, self._loud)
            else:
                switching.append(event)
        self._switchgear.switch(t_s, switching, self._context.emit)

    def cross_check(self) -> float:
        """Let pandapower solve the present state; returns the largest difference of voltages [pu]."""
        return self._witness.difference_pu()

    def finish(self) -> None:
        """Cross-check the last exchange, where it had a solution."""
        if self._solved:
            self.cross_check()

    def geography(self) -> Geography:
        """Return coordinates and connections of all elements."""
        return geography_of(self._case)

    def provenance(self) -> Mapping[str, Any]:
        """Return what the report says about the model, and what the cross-checks found."""
        return provenance_of(self._case, self._witness.record)

    def _compose(self, answer: Answer, units: Floats) -> float:
        """Take what every element draws at the end of the exchange; returns what the slack brings [MW]."""
        self.droop_mw: Floats = answer.droop_mw
        """Response of each unit's fast offer at the end of the last exchange [MW], > 0 consumes more."""
        return self._drawn.write(answer, units)

    def _solve(self, t_s: float, dt_s: float) -> tuple[Solution, list[Switch], bool]:
        """Solve, then let tap changers and shunts act until none is due; tells whether one did."""
        state = self._state
        demand = state.demand()
        found, switches = state.solve(demand)
        if not found.converged and not self._shadows and self._witness.second_opinion():
            found, switches = state.solve(demand)
        regulator = state.regulator
        if not found.converged or regulator is None or self._shadows:
            return found, switches, False
        regulator.watch(state.flow.vm_pu, dt_s)
        iterations, moved = found.iterations, False
        for _ in range(MAX_MOVES):
            moves = regulator.act(state.flow.vm_pu)
            if not moves:
                break
            for move in moves:
                name = self._elements.names[move.table][move.row]
                what = "tap" if move.table == "trafo" else "step"
                self._context.emit(t_s, name, f"{what}_move", f"{what} of {name} moves to {move.position:g}")
            moved = True
            state.move(moves)
            found, more = state.solve(demand)
            iterations += found.iterations
            switches = switches + more
            if not found.converged:
                break
        return Solution(found.v, found.converged, iterations), switches, moved

    def _unsolved(self, t_s: float, found: Solution, answer: Answer) -> Tables:
        """Record a step without solution: nothing is repeated, nothing is guessed."""
        if self._shadows:
            return self._maker.unsolved(found, answer)
        text = explain(self._state, self._state.demand()).text()
        self._context.emit(t_s, "grid", "no_solution", text)
        if self._params.on_no_solution == "stop":
            msg = f"t={t_s:g} s: {text}"
            raise SolveError(msg)
        return self._maker.unsolved(found, answer)


def _unit_rows(case: Case, connections: Connections) -> Ints:
    """Return the row of `net.bus` of each unit; ScenarioError names all that are nowhere."""
    buses = zip(case.net.bus["name"], case.net.bus.index, strict=True)
    known = {str(name): int(index) for name, index in buses}
    known.update(case.points)
    wrong = [
        f"unit {unit!r}: the grid has no point or bus {point!r}.{nearest(point, known)}"
        for unit, point in zip(connections.units, connections.points, strict=True)
        if point not in known
    ]
    if wrong:
        raise ScenarioError("\n".join(wrong))
    return bus_rows(case.net, [known[point] for point in connections.points])
