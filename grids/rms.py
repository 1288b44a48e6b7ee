"""The `rms` engine: every machine, control and load integrated, for a whole run or in windows of one."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import numpy as np

from cosim.core.component import Context, DeviceReport
from cosim.core.errors import CaseError, ScenarioError, SolveError
from cosim.core.grid import (
    SWITCHING,
    Connections,
    EventParams,
    Geography,
    GridEvent,
    GridWindow,
    Tables,
)
from cosim.core.registry import nearest
from cosim.core.types import Floats
from grids.dynamics.events_hvdc import ROLE as HVDC
from grids.dynamics.operating import dcline_ends
from grids.engine import PowerFlowGrid
from grids.params import GridSource, PowerFlowParams, RmsParams, RmsWindowParams
from grids.rms_entry import (
    Standing,
    check_models,
    hosted_units,
    is_hosted,
    models_of,
    rotor_angles,
)
from grids.rms_events import ACTIONS, Input, inputs_of
from grids.rms_modes import told_modes
from grids.rms_run import OFFERED, RmsRun
from grids.rms_tables import RMS_GEN
from grids.tables import GRID

OUT_OF_STEP = "out of step"
"""How a session says that a machine ran away."""

KINDS = {"fault": "fault", "tripped": "trip", "opened": "trip", "closed": "close", "connected": "close"}
"""Words of a session's log, and the kind of event they stand for."""

MEASURED = ("p_mw", "q_mvar")
"""Signals of a report that are read off the network for every model."""


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

    def __init__(
        self, flow: PowerFlowGrid, windows: Sequence[GridWindow], connections: Connections, *, policy: str
    ) -> None:
        self._flow, self._windows, self._connections = flow, tuple(windows), connections
        self._inside = inside = flow.inside
        self._policy = policy
        check_models(inside)
        for unit, offer in zip(connections.units, connections.hosted, strict=False):
            if offer is not None:
                hosted_units(offer, unit)
        self._reports = _reports(connections)
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
        model = ACTIONS[action]
        if action in {"trip", "close"}:
            return self.switchable
        buses = self.elements["bus"]
        if model.subject == "bus":
            return buses
        if action == "load_step":
            names = self._inside.elements.names
            return (*names["load"], *names["sgen"], *buses)
        models = models_of(self._inside, self._connections)
        if action == "set_input":
            return tuple(name for name, known in models.items() if inputs_of(known))
        ends = [name for name, known in models.items() if any(cls.role == HVDC for cls in known)]
        net = self._inside.case.net
        lines = [str(name) for name in net["dcline"]["name"]] if "dcline" in net else []
        return (*(name for name in lines if set(dcline_ends(name)) & set(ends)), *ends)

    def expect(self, events: Sequence[GridEvent]) -> list[str | None]:
        """Take what is scheduled; returns for each event why it cannot be, or None."""
        self._ahead = tuple(events)
        return [self._refusal(event) for event in events]

    def _refusal(self, event: GridEvent) -> str | None:
        if isinstance(event.params, Input):
            known = inputs_of(models_of(self._inside, self._connections).get(event.element, []))
            if event.params.signal not in known:
                hint = nearest(event.params.signal, known)
                return (
                    f"{event.element!r} has no input {event.params.signal!r}, only {', '.join(known)}.{hint}"
                )
        if event.action != "close" or self._window(event.at_s) is None:
            return None
        names = self._inside.elements.names
        if event.element in names["gen"]:
            return (
                f"{event.element!r}: the dynamic model cannot synchronise a machine; only the power flow can"
            )
        tables = [table for table, known in names.items() if event.element in known]
        row = names[tables[0]].index(event.element)
        if not bool(self._inside.case.net[tables[0]]["in_service"].iloc[row]):
            return f"{event.element!r} is out of service in the case: the dynamic model does not know it"
        return None

    def reset(self, context: Context) -> Tables:
        """Return to the operating point, units drawing nothing."""
        self._context = context
        self._flow.shadow(on=False)
        self._run, self._lost, self._begun = None, False, False
        self._modes = []
        self._last = tables = self._padded(self._flow.reset(context))
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
            return self._padded(self._last)
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
                return self._padded(self._last)
            self._enter(t_s, window, inputs)
            if switching := _switching(events):
                flow.switch(t_s, switching)
        else:
            if self._run is None:
                self._enter(t_s, window, inputs)
            self._last = flow.step(t_s, dt_s, self._as_drawn(inputs), _switching(events))
        run = cast("RmsRun", self._run)
        try:
            run.step(t_s + dt_s, inputs, events)
        finally:
            self._tell(t_s + dt_s)
        self._follow_trips(t_s + dt_s)
        self._inside.response.set_frequency(
            np.where(np.isfinite(run.watch.f_hz), run.watch.f_hz, self._f_hz())
        )
        return self._tables(dt_s)

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

    def _tables(self, dt_s: float) -> Tables:
        """Return the tables of the dynamic model as it stands; `dt_s` is 0 before the first exchange."""
        run, inside = cast("RmsRun", self._run), self._inside
        reader, sources = run.reader, inside.state.sources
        f_nominal_hz = inside.response.f_nominal_hz
        area_of_source = inside.row_area[sources.row]
        gen = reader.sources(run.planned_mw(), (run.f_start_hz / f_nominal_hz)[area_of_source])
        slack_mw = float(gen["p_mw"] @ sources.reference)
        totals = {
            "converged_pu": 1.0,
            "iterations_count": float(run.solves_count()),
            **reader.totals(),
            "slack_mw": slack_mw,
            "slack_residual_mw": 0.0,
        }
        response_mw, energy_mws = run.droop_mw()
        return {
            "bus": reader.buses(),
            **reader.branches(),
            "gen": gen,
            "area": self._area_table(response_mw),
            "grid": {name: np.array([totals[name]]) for name in GRID},
            "point": self._points(energy_mws / dt_s if dt_s > 0.0 else response_mw),
        }

    def _area_table(self, response_mw: Floats) -> dict[str, Floats]:
        """Return the area table; who answered is counted from where the dynamic model began."""
        run, inside = cast("RmsRun", self._run), self._inside
        areas = len(self.elements["area"])
        area_of_source = inside.row_area[inside.state.sources.row]
        last = self._last["area"]
        f_hz = run.watch.f_hz
        slip = (f_hz - inside.response.f_nominal_hz) / inside.response.f_nominal_hz
        damping = run.load_damping_pu * slip
        return {
            "f_hz": f_hz.copy(),
            "f_min_hz": run.f_min_hz,
            "f_max_hz": run.f_max_hz,
            "rocof_hz_per_s": run.rocof_hz_per_s,
            "p_imbalance_mw": last["p_imbalance_mw"].copy(),
            "p_governor_mw": np.bincount(area_of_source, run.governed_mw(), minlength=areas).astype(
                np.float64
            ),
            "p_droop_mw": np.bincount(inside.unit_area, response_mw, minlength=areas).astype(np.float64),
            "p_agc_mw": last["p_agc_mw"].copy(),
            "p_damping_mw": -run.reader.load_mw(areas) * damping / (1.0 + damping),
        }

    def _points(self, droop_mw: Floats) -> dict[str, Floats]:
        """Return the table of connected units: what they drew, and what their devices report."""
        run, unit_area = cast("RmsRun", self._run), self._inside.unit_area
        vm_pu, drawn, speed = run.reader.units()
        f_hz = np.where(np.isfinite(speed), speed * run.f_start_hz[unit_area], run.watch.f_hz[unit_area])
        point = {"vm_pu": vm_pu, "f_hz": f_hz, "p_droop_mw": droop_mw}
        point |= {"p_mw": drawn.real.copy(), "q_mvar": drawn.imag.copy()}
        for port, reports in self._reports.items():
            point[port] = np.array(
                [
                    np.nan
                    if r is None
                    else float(point[r.signal][k]) * r.scale
                    if r.signal in MEASURED
                    else run.signal(k, r.signal, r.rest / (r.scale or 1.0)) * r.scale
                    for k, r in enumerate(reports)
                ]
            )
        return point

    def _nothing(self) -> Tables:
        tables = {
            table: {column: np.full(len(names), np.nan) for column in self.columns[table]}
            for table, names in self.elements.items()
        }
        tables["grid"]["converged_pu"][:] = 0.0
        tables["grid"]["iterations_count"][:] = 0.0
        return tables

    def _padded(self, tables: Tables) -> Tables:
        """Return the power flow's tables with the columns only the dynamic model fills."""
        gens = len(self.elements["gen"])
        nothing = np.full(gens, np.nan)
        point = dict(tables["point"])
        for port, reports in self._reports.items():
            at_rest = [
                np.nan
                if r is None
                else float(point[r.signal][k]) * r.scale
                if r.signal in MEASURED
                else r.rest
                for k, r in enumerate(reports)
            ]
            point[port] = np.array(at_rest)
        gen = {**tables["gen"], "delta_degree": nothing, "speed_pu": nothing}
        return {**tables, "gen": gen, "point": point}


class RmsGrid(RmsWindows):
    """A grid case whose machines, controls and loads are integrated through the whole run.

    See `cosim.core.grid.Grid` for the contract. Units are constant powers, or the dynamic models they
    hand over; their powers, and what drivers scale, are set at the start of each exchange and held.

    Raises
    ------
    ScenarioError
        When a point or driven element is unknown, or a unit's device is wrong.
    CaseError
        When the case is wrong, or a machine has no dynamic model.
    """

    params_type: ClassVar[type[RmsParams]] = RmsParams
    window_type: ClassVar[type[RmsWindowParams]] = RmsWindowParams

    def __init__(self, params: RmsParams, connections: Connections) -> None:
        source = {name: getattr(params, name) for name in GridSource.model_fields}
        flow = PowerFlowGrid(
            PowerFlowParams(**source, q_limits=params.q_limits, tap_control=False), connections
        )
        whole = GridWindow("run", 0.0, np.inf, params)
        super().__init__(flow, [whole], connections, policy=params.on_no_solution)

    @staticmethod
    def points_of(params: RmsParams) -> tuple[str, ...]:
        """Return the named points and buses units can connect to, without building the grid."""
        return PowerFlowGrid.points_of(params)

    @classmethod
    def within(cls, grid: Any, windows: Sequence[GridWindow], connections: Connections) -> RmsWindows:
        """Return a power flow that is integrated in windows.

        Raises
        ------
        ScenarioError
            When the grid is no power flow.
        CaseError
            When a machine of its case has no dynamic model.
        """
        if not isinstance(grid, PowerFlowGrid):
            msg = "windows of engine rms need engine powerflow around them"
            raise ScenarioError(msg)
        return RmsWindows(grid, windows, connections, policy=grid.on_no_solution)


def _reports(connections: Connections) -> dict[str, tuple[DeviceReport | None, ...]]:
    """Return who reports what: input port -> report of each unit."""
    ports = dict.fromkeys(
        port
        for offer in connections.hosted
        if offer is not None
        for port, report in offer.reports.items()
        if report is not None
    )
    return {
        port: tuple(None if offer is None else offer.reports.get(port) for offer in connections.hosted)
        for port in ports
    }


def _switching(events: Sequence[GridEvent]) -> list[GridEvent]:
    """Return the events the power flow knows, too."""
    return [event for event in events if event.action in SWITCHING]


def _hz(f_hz: Floats) -> str:
    return ", ".join(f"{f:.4f} Hz" for f in f_hz)
