"""A dynamic session driven exchange by exchange: set-points in, what happened out."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cosim.core.grid import Connections, GridEvent
from cosim.core.types import Floats
from grids.dynamics.events import Event
from grids.dynamics.kernels.steps import SOLVES
from grids.inside import Inside
from grids.numbers import Complexes
from grids.params import RmsWindowParams
from grids.response import tie_to_row
from grids.rms_devices import UnitDevices, takes_orders
from grids.rms_entry import Standing, area_of_buses, start_session
from grids.rms_events import Step, disturbance
from grids.rms_frequency import AreaWatch
from grids.rms_orders import Orders
from grids.rms_tables import Reader
from grids.rms_units import device_elements, elements_of_units

SLIP_DEGREE = 180.0
"""Two machines of one island farther apart than this have lost synchronism."""


class RmsRun:
    """One stretch of a run on the dynamic model, from where the power flow stands.

    Parameters
    ----------
    inside
        The power flow; it steps along and has the plan.
    connections
        Who is connected.
    standing
        What the power flow says of the moment.
    params
        How to integrate.
    start_s
        Time of the run at which the session begins [s].
    inputs
        What the units publish at the start: what their devices count from.
    ahead
        Events to come: those that need an element of their own get it now.
    """

    def __init__(
        self,
        inside: Inside,
        connections: Connections,
        standing: Standing,
        params: RmsWindowParams,
        *,
        start_s: float,
        inputs: Mapping[str, Floats],
        ahead: Sequence[GridEvent] = (),
    ) -> None:
        self.start_s = start_s
        self._inside = inside
        self._units = elements_of_units(inside, connections)
        self._tables = {name: table for table, names in inside.elements.names.items() for name in names}
        self._tables |= dict.fromkeys(inside.state.bus_names, "bus")
        stepping = [self._disturbance(event) for event in ahead if event.action == "load_step"]
        self.session = start_session(inside, connections, standing, params, stepping, inputs=inputs)
        self.f_start_hz: Floats = standing.f_hz.copy()
        """(areas,) frequency that speed 1 of the session means."""
        self.watch = AreaWatch(self.session, area_of_buses(inside), self.f_start_hz)
        self.reader = Reader(self.session, inside, device_elements(connections, self._units))
        self._orders = Orders(self.session) if params.secondary else None
        self._made_mw = standing.generation_mva.real.copy()
        gens, sources = inside.state.sources.gens, len(inside.state.sources.names)
        self._tie_to_row = tie_to_row(inside.ties, gens, sources - gens)
        self._plan_start_mw, self._agc_start_mw = self._planned()
        self._given = self._given_loads()
        self._plan_mva = self._plan_start_mva = self._scheduled_mva()
        self.devices = UnitDevices(self.session, connections, self._units, inputs, standing.droop_mw)
        self._stepped: dict[str, complex] = {}
        """What loads were ordered by events beside their plan [MVA]."""
        damping = inside.case.net["areas"]["load_damping_pu"].to_numpy(dtype=float)
        self.load_damping_pu: Floats = damping * params.load_damping
        """(areas,) relative change of the case's loads per relative change of frequency."""
        self._made_start_mw = self.mechanical_mw()
        self.f_min_hz: Floats = self.f_start_hz.copy()
        self.f_max_hz: Floats = self.f_start_hz.copy()
        self.rocof_hz_per_s: Floats = np.zeros(self.f_start_hz.size)
        self._solved = 0

    def _disturbance(self, event: GridEvent) -> Event:
        return disturbance(event, round(event.at_s - self.start_s, 9), self._tables.get(event.element, ""))

    def step(self, to_s: float, inputs: Mapping[str, Floats], events: Sequence[GridEvent]) -> None:
        """Take set-points, let the events happen, and integrate up to `to_s`.

        Raises
        ------
        SolveError
            When the network has no solution or a machine falls out of step.
        """
        session = self.session
        session.schedule(self._disturbance(event) for event in events)
        self._follow_plan()
        self.devices.give(inputs)
        session.advance(round(to_s - self.start_s, 9), every=1)
        for event in events:
            if isinstance(event.params, Step) and event.element in self._given:
                change = complex(event.params.p_mw, event.params.q_mvar)
                self._stepped[event.element] = self._stepped.get(event.element, 0j) + change
        self.f_min_hz, self.f_max_hz, self.rocof_hz_per_s = self.watch.take(session.segments)
        session.segments.clear()
        self.reader.read()

    def told(self) -> Iterator[tuple[float, str]]:
        """Yield time of the run [s] and text of what has happened since the last call."""
        log = self.session.log
        for t_s, text in log:
            yield self.start_s + t_s, text
        log.clear()

    def planned_mw(self) -> Floats:
        """Return the scheduled power of each source (gens + ext_grids,) [MW]: a reference keeps its own."""
        gens = self._inside.state.sources.gens
        plan = self._made_mw.copy()
        plan[:gens] = np.where(
            self._inside.state.sources.reference[:gens], plan[:gens], self._inside.schedule.gens_mw()
        )
        return plan

    def governed_mw(self) -> Floats:
        """Return what governors added by themselves since the start (gens + ext_grids,) [MW]."""
        return self.mechanical_mw() - self._made_start_mw - self.ordered_mw()

    def solves_count(self) -> int:
        """Return how often the network was solved since the last call."""
        total = int(self.session.solution.work.tally[SOLVES])
        done, self._solved = total - self._solved, total
        return done

    def slipping(self) -> list[tuple[str, str, float]]:
        """Return the machines of each island that lost synchronism: ahead, behind, how far [°]."""
        solution, system = self.session.solution, self.session.system
        wiring = solution.wiring
        names = [n for g in system.groups if g.cls.rotor is not None for n in g.elements]
        delta = np.rad2deg(system.x[wiring.rotor_angle])
        found = []
        for island in range(solution.configuration.islands):
            here = np.flatnonzero((wiring.rotor_island == island) & (wiring.rotor_m_s > 0.0))
            if here.size > 1 and np.ptp(delta[here]) > SLIP_DEGREE:
                ahead, behind = here[np.argmax(delta[here])], here[np.argmin(delta[here])]
                found.append((names[ahead], names[behind], float(delta[ahead] - delta[behind])))
        return found

    def tripped(self) -> list[str]:
        """Return the elements of which every model is out of service."""
        on: dict[str, bool] = {}
        groups = self.session.system.groups
        if all(group.block.on.all() for group in groups):
            return []
        for group in groups:
            for name, live in zip(group.elements, group.block.on.tolist(), strict=True):
                on[name] = on.get(name, False) or live
        return [name for name, live in on.items() if not live]

    def shed(self) -> dict[str, float]:
        """Return what is left of the loads of which a share was shed [pu]."""
        names = self._inside.elements.names["load"]
        found = {}
        for group in self.session.system.groups:
            if "left" in group.cls.derived:
                left = zip(group.elements, group.parameter("left").tolist(), strict=True)
                found.update({name: share for name, share in left if share < 1.0 and name in names})
        return found

    def subject(self, text: str) -> str:
        """Return the element a line of the log is about, or `grid`."""
        known = (*self._tables, *self._units)
        named = [name for name in known if text.startswith((f"{name} ", f"{name}:", f"fault at {name}"))]
        return max(named, key=len, default="grid")

    def mechanical_mw(self) -> Floats:
        """Return the mechanical power of each source that has one (gens + ext_grids,) [MW], else 0."""
        system = self.session.system
        names, base = self._inside.state.sources.names, system.point.model.base_mva
        slots = [(system.slots.get((name, "tm")), system.slots.get((name, "speed"))) for name in names]
        s = system.s
        power = [0.0 if t is None or w is None else float(s[t] * s[w]) * base for t, w in slots]
        return np.array(power)

    def _planned(self) -> tuple[Floats, Floats]:
        """Return what plan and AGC want of each source (gens + ext_grids,) [MW]."""
        agc_mw, tie_mw = self._inside.response.ordered_mw()
        order = self._tie_to_row @ tie_mw
        gens = agc_mw.size
        order[:gens] += agc_mw
        plan = np.zeros(order.size)
        plan[:gens] = self._inside.schedule.gens_mw()
        return plan, order

    def ordered_mw(self) -> Floats:
        """Return what was ordered of each source since the start (gens + ext_grids,) [MW]."""
        if self._orders is None:
            return np.zeros(self._made_mw.size)
        plan, agc = self._planned()
        return (plan - self._plan_start_mw) + (agc - self._agc_start_mw)

    def _given_loads(self) -> dict[str, tuple[int, complex]]:
        """Return place in the plan and drawn power at the start [MVA] of the elements that take orders."""
        e, session = self._inside.elements, self.session
        base = session.system.point.model.base_mva
        s = {element.name: element.s_pu for element in session.system.point.elements}
        able = takes_orders(session)
        found = {}
        for table in ("load", "sgen"):
            for row, name in enumerate(e.names[table]):
                if name in able:
                    found[name] = (e.section[table].start + row, -s[name] * base)
        return found

    def _scheduled_mva(self) -> Complexes:
        plan, links = self._inside.schedule, self._inside.links
        planned = np.asarray(plan.p_mw + 1j * plan.q_mvar)
        if links is None:
            return planned
        more_mw, more_mvar = links.deviation(planned.size)
        return planned + more_mw + 1j * more_mvar

    def _follow_plan(self) -> None:
        """Scale loads and static generators as planned, and order the machines."""
        now, start = self._scheduled_mva(), self._plan_start_mva
        moved = now != self._plan_mva
        self._plan_mva = now
        if moved.any():
            wanted = {
                name: _scaled(drawn, complex(now[at]), complex(start[at])) + self._stepped.get(name, 0j)
                for name, (at, drawn) in self._given.items()
                if moved[at]
            }
            self.session.set_loads(wanted)
        if self._orders is not None:
            self._orders.give(self._inside.state.sources.names, self.ordered_mw())


def _scaled(drawn: complex, now: complex, start: complex) -> complex:
    """Return what is drawn once a plan has changed: in proportion, or as planned where that began at zero."""
    p = now.real if start.real == 0.0 else drawn.real * now.real / start.real
    q = now.imag if start.imag == 0.0 else drawn.imag * now.imag / start.imag
    return complex(p, q)
