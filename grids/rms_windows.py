"""A power flow with windows in which every machine, control and load is integrated."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import numpy as np

from cosim.core.component import Context
from cosim.core.errors import CaseError, SolveError
from cosim.core.grid import (
    Connections,
    EventParams,
    Geography,
    GridEvent,
    GridWindow,
    Tables,
)
from cosim.core.types import Floats
from grids.engine import PowerFlowGrid
from grids.params import RmsWindowParams
from grids.rms_actions import WindowEvents
from grids.rms_checks import check_hosted, check_models, check_steps
from grids.rms_devices import OFFERED
from grids.rms_entry import Standing, rotor_angles
from grids.rms_events import ACTIONS
from grids.rms_modes import told_modes
from grids.rms_results import dynamic_tables, flow_tables, reports_of
from grids.rms_run import RmsRun
from grids.rms_tables import RMS_GEN
from grids.rms_units import is_hosted
from grids.tables import ROOM

OUT_OF_STEP = "out of step"
"""How a session says that a machine ran away."""

KINDS = {"fault": "fault", "tripped": "trip", "opened": "trip", "closed": "close", "connected": "close"}
"""Words of a session's log, and the kind of event they stand for."""


class RmsWindows:
    """A power flow with windows in which the dynamic model takes over.

    In a window the power flow steps along: it has the plan, the dispatch and AGC, takes its frequency from
    the dynamic model after every exchange, and goes on from there when the window ends. Taps and shunts
    stand still. Entering starts every machine, control and load where the power flow stands; what was
    moving (a frequency on its way) comes to rest for a moment. Leaving keeps frequency, topology, plan and
    orders; swings of rotors and voltages are over.

    Parameters
    ----------
    flow
        The power flow of the whole run.
    windows
        When the dynamic model takes over, and how it integrates.
    connections
        Who is connected.
    """

    actions: ClassVar[Mapping[str, type[EventParams]]] = ACTIONS
    hosts_devices: ClassVar[bool] = True
    guards: ClassVar[bool] = True

    def __init__(
        self, flow: PowerFlowGrid, windows: Sequence[GridWindow], connections: Connections, *, policy: str
    ) -> None:
        self._flow, self._windows, self._connections = flow, tuple(windows), connections
        self._inside = inside = flow.inside
        self._policy = policy
        check_models(inside)
        check_steps(inside, self._windows)
        check_hosted(inside, connections)
        self._events = WindowEvents(flow, connections)
        self._reports = reports_of(connections)
        self.elements: Mapping[str, tuple[str, ...]] = flow.elements
        more = {"gen": RMS_GEN, "point": (*flow.columns["point"], *self._reports)}
        self.columns: Mapping[str, tuple[str, ...]] = {**flow.columns, **more}
        self.switchable = flow.switchable
        self._ahead: tuple[GridEvent, ...] = ()
        self._run: RmsRun | None = None
        self._modes: list[dict[str, Any]] = []
        self._context = Context()

    def subjects(self, action: str) -> tuple[str, ...]:
        """Return the names an action may act on."""
        return self._events.subjects(action)

    def expect(self, events: Sequence[GridEvent]) -> list[str | None]:
        """Take what is scheduled; returns for each event why it cannot be, or None."""
        self._ahead = tuple(events)
        said = zip(events, self._flow.expect(events), strict=True)
        return [known or self._events.refusal(event, self._window(event.at_s)) for event, known in said]

    def reset(self, context: Context) -> Tables:
        """Return to the operating point, units drawing nothing."""
        self._context = context
        self._flow.shadow(on=False)
        self._run, self._lost, self._begun = None, False, False
        self._modes = []
        self._last = tables = flow_tables(self._flow.reset(context), self._reports)
        if self._window(0.0) is None:
            return tables
        angles = rotor_angles(self._inside, self._connections, self._standing())
        speed = np.where(np.isfinite(angles), 1.0, np.nan)
        return {**tables, "gen": {**tables["gen"], "delta_degree": angles, "speed_pu": speed}}

    def _standing(self) -> Standing:
        """Return what the last exchange of the power flow says of the moment."""
        gen = self._last["gen"]
        return Standing(self._f_hz().copy(), self._flow.droop_mw.copy(), gen["p_mw"] + 1j * gen["q_mvar"])

    def step(
        self, t_s: float, dt_s: float, inputs: Mapping[str, Floats], events: Sequence[GridEvent]
    ) -> Tables:
        """Advance by one exchange; see `cosim.core.grid.Grid.step`."""
        window = self._window(t_s)
        if self._lost:
            return self._nothing()
        if self._run is not None and window is not self._in:
            self._leave(t_s)
        if window is None or (self._run is None and self._begun and not self._solved()):
            self._begun = True
            self._last = self._flow.step(t_s, dt_s, inputs, events)
            return flow_tables(self._last, self._reports)
        try:
            return self._dynamic(t_s, dt_s, window, inputs, events)
        except SolveError as error:
            return self._unsolved(t_s, error)

    def finish(self) -> None:
        """Do what the power flow has to do at the end, unless the dynamic model is running."""
        if self._run is None:
            self._flow.finish()

    def geography(self) -> Geography:
        """Return coordinates and connections of all elements."""
        return self._flow.geography()

    def provenance(self) -> Mapping[str, Any]:
        """Return what the report says about the model, and the modes of the dynamic one where it began."""
        return {**self._flow.provenance(), "modes": self._modes} if self._modes else self._flow.provenance()

    def _window(self, t_s: float) -> GridWindow | None:
        return next((w for w in self._windows if w.from_s <= t_s < w.to_s), None)

    def _dynamic(
        self,
        t_s: float,
        dt_s: float,
        window: GridWindow,
        inputs: Mapping[str, Floats],
        events: Sequence[GridEvent],
    ) -> Tables:
        flow = self._flow
        if not self._begun:  # the first exchange defines the scheduled state
            self._begun = True
            self._last = flow.step(t_s, dt_s, inputs, ())
            if not self._solved():
                return flow_tables(self._last, self._reports)
            self._enter(t_s, window, inputs)
            if switching := self._events.of_flow(events):
                flow.switch(t_s, switching)
        else:
            if self._run is None:
                self._enter(t_s, window, inputs)
            with contextlib.suppress(SolveError):  # no machine left for the area model; converters may go on
                self._last = flow.step(t_s, dt_s, self._as_drawn(inputs), self._events.of_flow(events))
        run = cast("RmsRun", self._run)
        try:
            run.step(t_s + dt_s, inputs, self._events.of_session(events))
        finally:
            self._tell(t_s + dt_s)
        self._follow_trips(t_s + dt_s)
        self._inside.response.set_frequency(
            np.where(np.isfinite(run.watch.f_hz), run.watch.f_hz, self._f_hz())
        )
        tables = dynamic_tables(run, self._inside, self._last["area"], self._reports, dt_s)
        if ROOM not in self.columns["point"]:
            return tables
        return {**tables, "point": {**tables["point"], ROOM: flow.rooms(run)}}

    def _solved(self) -> bool:
        """Say whether the power flow has a state to start from; where it has none, it goes on by itself."""
        return bool(self._last["grid"]["converged_pu"][0] > 0.5)

    def _f_hz(self) -> Floats:
        return self._last["area"]["f_hz"]

    def _as_drawn(self, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Return what the power flow is told: what devices drew last instead of what was published."""
        run = cast("RmsRun", self._run)
        hosted = is_hosted(self._connections)
        if not hosted.any():
            return inputs
        drawn = run.reader.units()[1]
        told = {"p_mw": drawn.real, "q_mvar": drawn.imag, **dict.fromkeys(OFFERED, np.zeros(hosted.size))}
        return {**inputs, **{port: np.where(hosted, value, inputs[port]) for port, value in told.items()}}

    def _enter(self, t_s: float, window: GridWindow, inputs: Mapping[str, Floats]) -> None:
        """Start the dynamic model where the power flow stands."""
        e, standing = self._inside.elements, self._standing()
        unit = e.section["unit"]
        ahead = [event for event in self._ahead if t_s <= event.at_s < window.to_s]
        params = cast("RmsWindowParams", window.params)
        started = {**inputs, "p_mw": e.p_mw[unit] - standing.droop_mw, "q_mvar": e.q_mvar[unit]}
        self._in = window
        try:
            self._run = RmsRun(
                self._inside, self._connections, standing, params, start_s=t_s, inputs=started, ahead=ahead
            )
        except CaseError as error:
            msg = f"t={t_s:g} s: the dynamic model cannot start where the power flow stands: {error}"
            raise CaseError(msg) from error
        self._dark, self._slipped = self._run.reader.dark_rows(), False
        if self._begun and not self._modes:
            self._modes = told_modes(self._run.session)
        self._flow.shadow(on=True)
        if len(self._windows) > 1 or window.from_s > 0.0 or np.isfinite(window.to_s):
            text = f"{window.name}: rms from here, at {_hz(standing.f_hz)}"
            self._context.emit(t_s, "grid", "window_begins", text)

    def _follow_trips(self, t_s: float) -> None:
        """Let the power flow lose what relays have tripped."""
        run = cast("RmsRun", self._run)
        tripped = [name for name in run.tripped() if name in self.switchable and self._in_service(name)]
        if tripped:
            self._flow.switch(t_s, [GridEvent(t_s, "trip", name) for name in tripped])

    def _leave(self, t_s: float) -> None:
        """Let the power flow go on where the dynamic model stands."""
        run, names = cast("RmsRun", self._run), self._inside.elements.names
        self._flow.shadow(on=False)
        shed = run.shed()
        for name, left_pu in shed.items():
            self._inside.schedule.shed(names["load"].index(name), left_pu)
        text = f"{self._in.name}: power flow from here, at {_hz(run.watch.f_hz)}; swings and transients end"
        if shed:
            text += f"; what was shed stays out of the plan: {', '.join(shed)}"
        self._context.emit(t_s, "grid", "window_ends", text)
        self._run = None

    def _in_service(self, name: str) -> bool:
        e = self._inside.elements
        table, row = e.find(name)
        return table in e.section and bool(e.in_service[e.section[table].start + row])

    def _tell(self, t_s: float) -> None:
        """Write what the session logged, and which buses lost or regained their source."""
        run = cast("RmsRun", self._run)
        for at_s, text in run.told():
            kind = next((kind for word, kind in KINDS.items() if word in text), "dynamics")
            self._context.emit(at_s, run.subject(text), kind, text)
        slipping = run.slipping()
        if slipping and not self._slipped:
            ahead, behind, degree = slipping[0]
            text = f"{ahead} is {degree:.0f}° ahead of {behind}: out of step"
            self._context.emit(t_s, ahead, "out_of_step", text)
        self._slipped = bool(slipping)
        now = run.reader.dark_rows()
        names = self._inside.state.bus_names
        for change, kind, what in (
            (now & ~self._dark, "islanded", "without a source"),
            (~now & self._dark, "energised", "energised again"),
        ):
            if change.any():
                lost = ", ".join(names[k] for k in np.flatnonzero(change))
                self._context.emit(t_s, "grid", kind, f"{what}: {lost}")
        self._dark = now

    def _unsolved(self, t_s: float, error: SolveError) -> Tables:
        """Record that the dynamic model cannot go on; from here on nothing is known."""
        kind = "out_of_step" if OUT_OF_STEP in str(error) else "no_solution"
        self._context.emit(t_s, "grid", kind, f"{error}; the grid has no state from here on")
        self._lost, self._run = True, None
        if self._policy == "stop":
            raise error
        return self._nothing()

    def _nothing(self) -> Tables:
        tables = {
            table: {column: np.full(len(names), np.nan) for column in self.columns[table]}
            for table, names in self.elements.items()
        }
        tables["grid"]["converged_pu"][:] = 0.0
        tables["grid"]["iterations_count"][:] = 0.0
        if ROOM in tables["point"]:
            tables["point"][ROOM][:] = 0.0
        return tables


def _hz(f_hz: Floats) -> str:
    return ", ".join(f"{f:.4f} Hz" for f in f_hz)
