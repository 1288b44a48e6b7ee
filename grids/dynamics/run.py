"""A run from start to end, and its trajectories as frames with element names as columns."""

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from cosim.core.types import Floats
from grids.case import Case
from grids.dynamics.devices.zip import ZipParams
from grids.dynamics.events import Event
from grids.dynamics.record import Segment
from grids.dynamics.scheme import Method
from grids.dynamics.session import Session
from grids.dynamics.start import IMPEDANCE, begin
from grids.dynamics.system import Group
from grids.dynamics.tables import Unit
from grids.numbers import Complexes


class Run:
    """Trajectories of a session. Every instant of an event has two rows: before and after it.

    Frames are indexed by `t_s`; what a tripped machine or a dead bus no longer has is nan.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._segments: list[Segment] = session.segments
        self._index = pd.Index(self.t_s, name="t_s")

    @cached_property
    def t_s(self) -> Floats:
        """Stored instants [s]."""
        return self._joined(lambda part: part.record.t_s)

    @property
    def log(self) -> list[tuple[float, str]]:
        """What happened when."""
        return self.session.log

    @cached_property
    def f_coi_hz(self) -> "pd.Series[float]":
        """Frequency of the centre of inertia of all machines in service [Hz]."""
        rotors = self._rotor_speeds()

        def mean(part: Segment, x: Floats) -> Floats:
            if not part.rotor_m_s.any():
                return np.full(len(x), np.nan)
            return np.asarray(x @ part.rotor_m_s / part.rotor_m_s.sum())

        f_hz = self.session.system.point.f_hz
        value = self._joined(lambda part: mean(part, part.record.x[:, rotors])) * f_hz
        return pd.Series(value, self._index, name="f_coi_hz")

    @cached_property
    def f_bus_hz(self) -> pd.DataFrame:
        """Frequency of the centre of inertia of the island each bus belongs to [Hz]."""
        point = self.session.system.point

        def of_buses(part: Segment) -> Floats:
            row_bus = point.row_bus
            island = np.where(row_bus >= 0, part.configuration.island[row_bus], -1)
            coi = np.column_stack([part.record.coi, np.full(len(part.record.coi), np.nan)])
            return np.asarray(coi[:, island] * point.f_hz)

        return pd.DataFrame(self._joined(of_buses), self._index, list(point.bus_names))

    @cached_property
    def speed_pu(self) -> pd.DataFrame:
        """Speed of each machine [pu]."""
        rotors = self._rotor_speeds()
        return self._machines(lambda part: part.record.x[:, rotors])

    @cached_property
    def delta_degree(self) -> pd.DataFrame:
        """Rotor angle of each machine against the synchronous frame [°]."""
        groups = self._rotor_groups()
        rotors = np.concatenate([np.r_[g.state(g.cls.rotor[0])] for g in groups if g.cls.rotor])
        bus = np.concatenate([g.bus for g in groups])

        def angle(part: Segment) -> Floats:
            island = part.configuration.island[bus]
            theta = np.column_stack([part.record.theta, np.zeros(len(part.record.theta))])
            return np.asarray(np.rad2deg(part.record.x[:, rotors] + theta[:, island]))

        return self._machines(angle)

    @cached_property
    def vm_pu(self) -> pd.DataFrame:
        """Voltage of each bus [pu], 0 where dead."""
        return self._buses(np.abs)

    @cached_property
    def va_degree(self) -> pd.DataFrame:
        """Voltage angle of each bus in the frame of its island's centre of inertia [°]."""
        return self._buses(lambda v: np.rad2deg(np.angle(v)))

    @cached_property
    def p_mw(self) -> pd.DataFrame:
        """Active power each source delivers [MW]."""
        return self.signal("p") * self.session.system.point.model.base_mva

    @cached_property
    def q_mvar(self) -> pd.DataFrame:
        """Reactive power each source delivers [Mvar]."""
        return self.signal("q") * self.session.system.point.model.base_mva

    def signal(self, name: str) -> pd.DataFrame:
        """Return a signal of all elements that have it, in its model's unit."""
        slots = {e: k for (e, signal), k in self.session.system.slots.items() if signal == name}
        value = self._joined(lambda part: part.record.s[:, list(slots.values())])
        return pd.DataFrame(value, self._index, list(slots))

    def state(self, model: str, name: str) -> pd.DataFrame:
        """Return a state of all units of a model."""
        group = self.session.system.group(model)
        value = self._joined(lambda part: part.record.x[:, group.state(name)])
        return pd.DataFrame(value, self._index, list(group.elements))

    def _joined(self, of: Callable[[Segment], Floats]) -> Floats:
        return np.concatenate([of(part)[: part.rows] for part in self._segments])

    def _rotor_groups(self) -> list[Group]:
        return [group for group in self.session.system.groups if group.cls.rotor is not None]

    def _rotor_speeds(self) -> Floats:
        groups = self._rotor_groups()
        return np.concatenate([np.r_[g.state(g.cls.rotor[1])] for g in groups if g.cls.rotor])

    def _machines(self, of: Callable[[Segment], Floats]) -> pd.DataFrame:
        names = [name for group in self._rotor_groups() for name in group.elements]

        def live(part: Segment) -> Floats:
            return np.where(part.rotor_m_s > 0.0, of(part), np.nan)

        return pd.DataFrame(self._joined(live), self._index, names)

    def _buses(self, of: Callable[[Complexes], Floats]) -> pd.DataFrame:
        point = self.session.system.point

        def at_rows(part: Segment) -> Floats:
            expand = part.configuration.expand
            v = part.record.v if expand is None else part.record.v @ expand.T
            dark = np.zeros((len(v), 1), dtype=np.complex128)
            return of(np.column_stack([v, dark])[:, point.row_bus])

        return pd.DataFrame(self._joined(at_rows), self._index, list(point.bus_names))


def simulate(
    case: Case,
    events: Sequence[Event] = (),
    *,
    until_s: float,
    step_s: float = 0.005,
    method: Method = "rk4",
    loads: ZipParams = IMPEDANCE,
    units: Sequence[Unit] = (),
    every: int = 1,
    tolerance_pu: float = 1e-6,
) -> Run:
    """Return the trajectories of a case after disturbances.

    Parameters
    ----------
    case
        Grid with dynamic tables (`load_case`).
    events
        Disturbances, in any order.
    until_s
        End [s].
    step_s
        Inner step [s]; it is shortened evenly so that every event is met exactly.
    method
        "rk4", or "heun": half the work, ten times the error after a fault.
    loads
        Kind of every load without a row in `zip.csv`: `IMPEDANCE`, `CURRENT`, `POWER` or a mixture.
    units
        Units beside those of the case's tables.
    every
        Store every so many steps; instants of events are always stored.
    tolerance_pu
        Change of voltage at which non-linear injections have settled.

    Raises
    ------
    CaseError, ScenarioError, SolveError
        As `begin` and `Session.advance`.
    """
    session = begin(
        case,
        events,
        step_s=step_s,
        method=method,
        loads=loads,
        units=units,
        tolerance_pu=tolerance_pu,
    )
    session.advance(until_s, every=every)
    return Run(session)
