"""Frequency of each area through an exchange, from the speeds of its machines on the inner clock."""

from collections.abc import Mapping, Sequence

import numpy as np

from cosim.core.types import Floats
from grids.dynamics.record import Segment
from grids.dynamics.session import Session

WINDOW_S = 0.5
"""Length of the sliding window of the rate of change of frequency, as in the area model."""


class AreaWatch:
    """Centre-of-inertia frequency of each area: end, extremes and RoCoF of each exchange.

    Parameters
    ----------
    session
        Where the machines turn.
    area_of_bus
        Area of each internal bus.
    f_start_hz
        (areas,) frequency that speed 1 means.
    """

    def __init__(self, session: Session, area_of_bus: Mapping[int, int], f_start_hz: Floats) -> None:
        groups = [group for group in session.system.groups if group.cls.rotor is not None]
        areas = np.array([area_of_bus[bus] for group in groups for bus in group.bus.tolist()], dtype=np.int64)
        self._member = (areas[None, :] == np.arange(f_start_hz.size)[:, None]).astype(np.float64)
        self._speed = session.solution.wiring.rotor_speed
        self._session = session
        base_mva = session.system.point.model.base_mva
        damping = [np.zeros(0)]
        for group in groups:
            has = "d_pu" in group.cls.params_type.model_fields
            damping.append(base_mva * group.parameter("d_pu") if has else np.zeros(len(group.elements)))
        self._damping_mw = np.concatenate(damping)
        self._f_start_hz = f_start_hz
        self._t_s: Floats = np.array([-np.inf])
        self._f_hz: Floats = f_start_hz[None, :]
        self.f_hz: Floats = f_start_hz.copy()
        """(areas,) at the end of the last exchange, nan where no machine turns."""

    def take(self, segments: Sequence[Segment]) -> tuple[Floats, Floats, Floats]:
        """Take the points of an exchange; return lowest, highest [Hz] and RoCoF [Hz/s], each (areas,)."""
        t_s = np.concatenate([part.record.t_s[: part.rows] for part in segments])
        f_hz = np.concatenate([self._of(part) for part in segments])
        all_t, all_f = np.concatenate([self._t_s, t_s]), np.concatenate([self._f_hz, f_hz])
        known = all_t.copy()
        known[0] = t_s[0] - 2.0 * WINDOW_S if not np.isfinite(known[0]) else known[0]
        rocof = np.empty(f_hz.shape[1])
        for area in range(rocof.size):
            then = np.interp(t_s - WINDOW_S, known, all_f[:, area])
            slope = (f_hz[:, area] - then) / WINDOW_S
            rocof[area] = slope[int(np.argmax(np.abs(slope)))]
        first = max(int(np.searchsorted(known, t_s[-1] - WINDOW_S)) - 1, 0)
        self._t_s, self._f_hz = known[first:], all_f[first:]
        self.f_hz = f_hz[-1].copy()
        return f_hz.min(axis=0), f_hz.max(axis=0), rocof

    def machines_damping_mw(self) -> Floats:
        """Return what the damping of the machines in service takes [MW], > 0 below speed 1, by area (areas,).

        Behind a tie it is that of the load outside the case.
        """
        slip = 1.0 - self._session.system.x[self._speed]
        live = self._session.solution.wiring.rotor_m_s > 0.0
        found: Floats = self._member @ (self._damping_mw * slip * live)
        return found

    def _of(self, part: Segment) -> Floats:
        weight = self._member * part.rotor_m_s
        total = weight.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = weight / total[:, None]
        return np.asarray((part.record.x[: part.rows, self._speed] @ share.T) * self._f_start_hz)
