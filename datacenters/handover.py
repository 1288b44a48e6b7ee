"""Hand-overs: work that moves from one hall to another, phase by phase, with nothing lost."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from cosim.core.component import Balance, Context, Link, Port
from cosim.core.errors import ScenarioError
from cosim.core.params import Params, column
from cosim.core.shelf import Shelf, places_of
from cosim.core.types import Floats
from datacenters.handover_params import HandoverParams, Migrate
from datacenters.kernels.handover import (
    CUT_OVER,
    DONE,
    DOUBLE,
    DRAIN,
    EDGE_S,
    IDLE,
    N_INPUTS,
    N_OUTPUTS,
    TRANSFER,
    WARM_UP,
    Rules,
    State,
    advance,
)

NO_LIMIT_GPU = 1e12
"""Capacity of a hall that publishes none."""

PHASES = {
    IDLE: "idle",
    WARM_UP: "warm-up",
    TRANSFER: "transfer",
    DRAIN: "drain",
    DOUBLE: "double running",
    CUT_OVER: "cut-over",
    DONE: "done",
}
"""What the values of `phase_code` mean."""


class Handover:
    """Shares the work of a demand between two halls, and moves it."""

    params_type: ClassVar[type[Params]] = HandoverParams
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("work_in_gpu", "work to share between the halls"),
        Port("capacity_source_gpu", "work the source can do", NO_LIMIT_GPU),
        Port("capacity_target_gpu", "work the target can do", NO_LIMIT_GPU),
        Port("offered_source_gpu", "work the source was given, by this unit and others", 0.0),
        Port("offered_target_gpu", "work the target was given, by this unit and others", 0.0),
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("work_given_gpu", "work to share between the halls, mean over the step"),
        Port("work_source_gpu", "work for the source, with overhead and double running"),
        Port("work_target_gpu", "work for the target, with overhead and double running"),
        Port("work_overhead_gpu", "part of it that loads weights at the destination"),
        Port("double_running_gpu", "part of it that the origin runs a second time"),
        Port("backlog_gpu_h", "work that waits, at the end of the step"),
        Port("moved_pu", "share of the work at the target at the end of the step"),
        Port(
            "phase_code",
            "0 idle, 1 warm-up, 2 transfer, 3 drain, 4 double running, 5 cut-over, 6 done; at the end",
        ),
    )
    links: ClassVar[tuple[Link, ...]] = (
        Link("work", takes={"work_gpu": "work_in_gpu"}),
        Link(
            "source",
            gives={"work_source_gpu": "work_gpu"},
            late={"capacity_gpu": "capacity_source_gpu", "work_offered_gpu": "offered_source_gpu"},
        ),
        Link(
            "target",
            gives={"work_target_gpu": "work_gpu"},
            late={"capacity_gpu": "capacity_target_gpu", "work_offered_gpu": "offered_target_gpu"},
        ),
    )
    commands: ClassVar[Mapping[str, type[Params]]] = {"migrate": Migrate}
    balances: ClassVar[tuple[Balance, ...]] = (
        Balance(
            "work",
            inflow=("work_given_gpu", "work_overhead_gpu", "double_running_gpu"),
            outflow=("work_source_gpu", "work_target_gpu"),
            stored="backlog_gpu_h",
        ),
    )

    def __init__(self, params: Sequence[HandoverParams]) -> None:
        self.params = tuple(params)
        self._rules = Rules(
            warm_up_pu=column(params, "warm_up_pu"),
            double_pu=column(params, "double_running_pu"),
            catch_up_pu=column(params, "catch_up_pu"),
            exponential=np.array([float(unit.drain == "exponential") for unit in params]),
            stops=np.array([float(unit.stops_during_transfer) for unit in params]),
            reserved_gpu=np.array([column(params, f"reserved_{end}_gpu") for end in ("source", "target")]),
        )
        self._inputs = np.empty((N_INPUTS, len(params)))
        self._places = places_of([port.name for port in self.outputs])
        self.reset(Context())

    def reset(self, context: Context) -> None:
        """Return to the first sharing: nothing moves, nothing waits."""
        self._context = context
        units = len(self.params)
        self._state = State(
            moved_pu=column(self.params, "moved_start_pu"),
            share_pu=np.zeros(units),
            begins_s=np.full((units, DONE + 1), np.inf),
            backlog_gpu_h=np.zeros(units),
            emptied_s=np.full(units, np.nan),
            given_gpu=np.zeros((2, units)),
        )

    def refusal(self, unit: int, command: Migrate) -> str | None:
        """Return why a unit cannot move work as ordered, whatever its state, or None."""
        params, least_s = self.params[unit], self.params[unit].least_s()
        if command.over_s >= least_s - EDGE_S:
            return None
        warm_s, transfer_s, _, double_s, cut_s = params.durations(command.over_s)
        return (
            f"{self._name(unit)}: over_s = {command.over_s:g} is too short, {least_s:.4g} s are needed:"
            f" warm-up {warm_s:g} s, copy {params.copy_s:.4g} s ({params.state_gb:g} GB at"
            f" {params.bandwidth_gbit_per_s:g} Gbit/s; {transfer_s:.4g} s of it after the warm-up),"
            f" drain {params.drain_s:g} s, double running {double_s:g} s, cut-over {cut_s:g} s"
        )

    def command(self, t_s: float, unit: int, name: str, command: Migrate) -> None:
        """Begin to move work at `t_s`.

        Raises ScenarioError when the time is too short, the last move is not over, or more would
        move than there is; nothing changes then.
        """
        del name
        state, end_s = self._state, self._state.begins_s[unit, DONE]
        if text := self.refusal(unit, command):
            raise ScenarioError(text)
        if state.begins_s[unit, WARM_UP] <= t_s < end_s - EDGE_S:
            msg = f"{self._name(unit)}: the last move lasts until t_s = {end_s:g}, none can begin at {t_s:g}"
            raise ScenarioError(msg)
        before_pu = state.moved_pu[unit] + state.share_pu[unit]
        after_pu = before_pu + command.share_pu
        if not -1e-9 <= after_pu <= 1.0 + 1e-9:
            msg = (
                f"{self._name(unit)}: share_pu = {command.share_pu:g} cannot move, {before_pu:g} of the work"
                f" is at {self.params[unit].target}, {1.0 - before_pu:g} at {self.params[unit].source}"
            )
            raise ScenarioError(msg)
        state.moved_pu[unit] = before_pu
        state.share_pu[unit] = min(max(after_pu, 0.0), 1.0) - before_pu
        lasts_s = self.params[unit].durations(command.over_s)
        state.begins_s[unit, IDLE] = -np.inf
        state.begins_s[unit, WARM_UP:] = t_s + np.cumsum([0.0, *lasts_s])
        self._announce(unit, command)

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Share the work of the step; phases begin at their own times, also within it."""
        for row, port in enumerate(self.inputs):
            self._inputs[row] = inputs[port.name]
        outputs = np.empty((N_OUTPUTS, len(self.params)))
        if advance(t_s, dt_s, self._inputs, self._rules, self._state, outputs):
            self._report(t_s, t_s + dt_s)
        return Shelf(self._places, outputs)

    def _announce(self, unit: int, command: Migrate) -> None:
        params, begin_s = self.params[unit], float(self._state.begins_s[unit, WARM_UP])
        ends = (params.source, params.target) if command.share_pu > 0 else (params.target, params.source)
        text = f"{abs(command.share_pu):.0%} of the work moves from {ends[0]} to {ends[1]}"
        self._context.emit(begin_s, self._name(unit), "migrate", f"{text} within {command.over_s:g} s")
        self._report(begin_s - 1.0, begin_s, only=unit)

    def _report(self, after_s: float, until_s: float, only: int | None = None) -> None:
        """Emit the phases that begin in (after_s, until_s] and the backlogs that are gone."""
        state = self._state
        for unit in range(len(self.params)) if only is None else (only,):
            begins_s = state.begins_s[unit]
            for phase in range(WARM_UP, DONE + 1):
                lasts = phase == DONE or begins_s[phase + 1] > begins_s[phase]
                if lasts and after_s + EDGE_S < begins_s[phase] <= until_s + EDGE_S:
                    self._context.emit(float(begins_s[phase]), self._name(unit), "phase", PHASES[phase])
            if only is None and state.emptied_s[unit] >= after_s:
                self._context.emit(
                    float(state.emptied_s[unit]), self._name(unit), "backlog", "the backlog is worked off"
                )

    def _name(self, unit: int) -> str:
        return self._context.names[unit] if self._context.names else f"handover {unit}"
