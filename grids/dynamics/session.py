"""A live system in time: events to come, steps, records, and states to return to."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cosim.core.errors import ScenarioError, SolveError, collected
from cosim.core.types import Floats, Ints
from grids.case import Case
from grids.dynamics.device import Block
from grids.dynamics.driver import driver
from grids.dynamics.events import Action, Event
from grids.dynamics.kernels.steps import (
    ACT,
    CULPRIT,
    DONE,
    NO_SOLUTION,
    SOLVES,
    STAGES,
    STEPS,
    UNHEALTHY,
    Record,
)
from grids.dynamics.live import LiveSystem
from grids.dynamics.network import Switching
from grids.dynamics.record import Segment, empty_record
from grids.dynamics.scheme import CODES, Method, check_step, coefficients, rates
from grids.dynamics.solution import Solution
from grids.dynamics.system import System
from grids.numbers import Complexes

SPEEDS = (0.5, 1.5)
"""Speeds outside of which a machine has left synchronism for good and the run stops [pu]."""

SCHEMES = 16
"""Lengths of a step whose coefficients are kept."""


@dataclass(frozen=True)
class State:
    """Everything that changes in a run: what `restore` needs to continue bit by bit."""

    t_s: float
    x: Floats
    s: Floats
    theta: Floats
    reference: Floats
    v: Complexes
    jacobian: Floats
    blocks: tuple[Block, ...]
    switching: Switching
    done: int
    tally: Ints
    stored: int
    logged: int


class Session(LiveSystem):
    """A case with its units at an operating point, advanced in steps; made by `begin`.

    Parameters
    ----------
    case
        The grid.
    system
        Its units, started.
    events
        Disturbances.
    step_s
        Inner step [s].
    method
        "heun" or "rk4".
    tolerance_pu
        Change of voltage at which non-linear injections have settled.
    """

    def __init__(
        self,
        case: Case,
        system: System,
        events: Sequence[Event],
        *,
        step_s: float,
        method: Method,
        tolerance_pu: float,
    ) -> None:
        check_step(system.groups, step_s, method)
        self._driver = driver(system.parts, system.order)
        super().__init__(system, Solution(system, self._driver, tolerance_pu))
        self.case = case
        self.step_s, self.method = step_s, method
        self.segments: list[Segment] = []
        self._blocks = tuple(group.block for group in system.groups)
        self._lam = rates(system.groups, system.x.size, step_s)
        self._schemes: dict[float, Floats] = {}
        self._actions: list[Action] = []
        self._done = 0
        self.schedule(events)

    def schedule(self, events: Iterable[Event]) -> None:
        """Let disturbances happen in what is still to come; those of one instant keep their order.

        Raises
        ------
        ScenarioError
            With every event whose element is not there, or whose time is past.
        """
        new, wrong = list[Action](), list[str]()
        for event in events:
            try:
                new += event.actions(self)
            except ScenarioError as error:
                wrong.append(str(error))
        early = [a for a in new if not self.t_s - 1e-9 <= a.at_s < np.inf]
        past = f"past, the run is at {self.t_s:g} s" if self.t_s > 0 else "before the start"
        collected([*wrong, *(f"{a.text}: at_s={a.at_s:g} is {past}" for a in early)], ScenarioError)
        ahead = sorted([*self._actions[self._done :], *new], key=lambda a: round(a.at_s, 9))
        self._actions = [*self._actions[: self._done], *ahead]

    @property
    def derivatives(self) -> Floats:
        """Derivatives at the present state [1/s], zero where a bound holds the state; shape (states,)."""
        self.observe()
        rate: Floats = self.solution.work.k[0].copy()
        x, wiring = self.system.x, self.solution.wiring
        rate[((x <= wiring.lower) & (rate < 0)) | ((x >= wiring.upper) & (rate > 0))] = 0.0
        return rate

    @property
    def solves_per_stage(self) -> float:
        """Mean number of network solves a stage since the start."""
        tally = self.solution.work.tally
        return float(tally[SOLVES]) / max(1, int(tally[STAGES]))

    @property
    def refactored_count(self) -> int:
        """Network matrices factorised since the start."""
        return self.solution.refactored_count

    def advance(self, to_s: float, injections: Mapping[str, complex] | None = None, every: int = 0) -> None:
        """Go on to `to_s`, through the events in between.

        Parameters
        ----------
        to_s
            When to stop [s]; steps are shortened evenly so that it and every event is met exactly.
        injections
            Loads whose power is set first: name -> p + jq drawn at the operating point's voltage [MVA].
        every
            Store every so many steps in `segments`; 0 stores nothing.

        Raises
        ------
        ScenarioError
            When `to_s` lies behind, or a load is not there.
        SolveError
            When the network has no solution (naming the bus), or a machine runs away (naming it).
        """
        if not (np.isfinite(to_s) and every >= 0):
            msg = f"advance to_s={to_s:g}, every={every}: a finite time and a count of 0 or more are allowed"
            raise ScenarioError(msg)
        if to_s < self.t_s - 1e-9:
            msg = f"cannot go back from {self.t_s:g} s to {to_s:g} s; use state and restore"
            raise ScenarioError(msg)
        if injections:
            self.set_loads(injections)
        while True:
            due = self._actions[self._done].at_s if self._done < len(self._actions) else np.inf
            self._run_to(min(due, to_s), every)
            if due > to_s + 1e-12:
                return
            while self._done < len(self._actions) and self._actions[self._done].at_s <= self.t_s + 1e-9:
                self._do(self._actions[self._done])
                self._done += 1

    def _do(self, action: Action) -> None:
        self.log.append((self.t_s, action.text))
        try:
            action.act(self)
        except SolveError as error:
            msg = f"t={self.t_s:.4f} s, {action.text}: {error}"
            raise SolveError(msg) from error

    def _run_to(self, to_s: float, every: int) -> None:
        span = to_s - self.t_s
        if span <= 1e-12 and every == 0:
            return
        steps = max(1, int(np.ceil(span / self.step_s - 1e-6))) if span > 1e-12 else 0
        h_s, t0, failed_at, done = (span / steps if steps else self.step_s), self.t_s, -1, 0
        while True:
            rows = (steps - done) // every + 2 if every > 0 else 1
            record = empty_record(rows, self.system, self.solution.theta.size)
            status = self._loop(t0 + done * h_s, h_s, steps - done, every, record)
            taken = int(self.solution.work.tally[STEPS])
            done += taken
            self.t_s = t0 + done * h_s if done < steps else to_s
            if every > 0:
                m = self.solution.wiring.rotor_m_s
                stored = -(-taken // every) + (status == DONE)
                self.segments.append(Segment(record, stored, self.solution.configuration, m))
            if status == DONE:
                return
            if status == NO_SOLUTION and failed_at == done:
                raise SolveError(self._say(self.solution.unsolved()))
            failed_at = done if status == NO_SOLUTION else -1
            self._answer(status)

    def _answer(self, status: int) -> None:
        """Do what the loop stopped for."""
        if status == UNHEALTHY:
            place = self._culprit()
            what = f"{self.system.state_name(place)} is {self.system.x[place]:g}"
            raise SolveError(self._say(f"{what}: out of step or unstable, the run cannot go on"))
        if status == NO_SOLUTION:
            self.solution.work.v[:] = self.solution.work.settled
        try:
            if status == ACT:
                for group in self.system.groups:
                    group.cls.act(group.block, self)
            else:
                self.solution.refresh()
        except SolveError as error:
            raise SolveError(self._say(str(error))) from error

    def _culprit(self) -> int:
        """Return the state that broke the run: where not all is a number, the one whose slope went first."""
        work = self.solution.work
        place = int(work.tally[CULPRIT])
        if np.isfinite(self.system.x[place]):
            return place
        first = next((slope for slope in work.k if not np.isfinite(slope).all()), self.system.x)
        return int(np.flatnonzero(~np.isfinite(first))[0])

    def _say(self, what: str) -> str:
        return f"t={self.t_s:.4f} s: {what}"

    def _loop(self, t_s: float, h_s: float, steps: int, every: int, record: Record) -> int:
        key = round(h_s, 15)
        if key not in self._schemes:
            if len(self._schemes) >= SCHEMES:
                self._schemes.clear()  # the last digits of a step differ all through a long run
            self._schemes[key] = coefficients(self._lam, key, self.method)
        solution = self.solution
        return int(
            self._driver.advance(
                t_s,
                h_s,
                steps,
                CODES[self.method],
                every,
                every > 0 or steps == 0,
                SPEEDS,
                self._blocks,
                solution.wiring,
                solution.configuration.net,
                solution.work,
                self._schemes[key],
                self.system.x,
                solution.views,
                solution.stages,
                solution.slopes,
                self.system.s,
                solution.theta,
                record,
            )
        )

    def observe(self) -> None:
        """Bring voltages, signals and derivatives up to the states."""
        record = empty_record(1, self.system, self.solution.theta.size)
        if self._loop(self.t_s, self.step_s, 0, 0, record) != DONE:
            self._answer(NO_SOLUTION)
            if self._loop(self.t_s, self.step_s, 0, 0, record) != DONE:
                raise SolveError(self._say(self.solution.unsolved()))

    def state(self) -> State:
        """Return everything that changes, to come back to."""
        solution = self.solution
        return State(
            t_s=self.t_s,
            x=self.system.x.copy(),
            s=self.system.s.copy(),
            theta=solution.theta.copy(),
            reference=solution.wiring.reference.copy(),
            v=solution.work.v.copy(),
            jacobian=solution.jacobian.copy(),
            blocks=copy.deepcopy(self._blocks),
            switching=solution.network.switching.copy(),
            done=self._done,
            tally=solution.work.tally.copy(),
            stored=len(self.segments),
            logged=len(self.log),
        )

    def restore(self, state: State) -> None:
        """Return to a state of this session: what follows is the same bit by bit; later records go."""
        solution = self.solution
        self.t_s, self._done = state.t_s, state.done
        self.system.x[:], self.system.s[:] = state.x, state.s
        for block, saved in zip(self._blocks, state.blocks, strict=True):
            for array, old in zip(block, saved, strict=True):
                array[...] = old
        solution.network.switching = state.switching.copy()
        solution.resume(state.jacobian, state.theta, state.reference, state.v)
        solution.work.tally[:] = state.tally
        del self.segments[state.stored :]
        del self.log[state.logged :]
