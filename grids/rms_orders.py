"""Orders to governors: the plan and AGC change what machines deliver through their auxiliary inputs."""

import numpy as np

from cosim.core.types import Floats
from grids.dynamics.session import Session
from grids.dynamics.system import Group

INPUT, OUTPUT = "paux", "tm"
STEP = 1e-6
"""Change of a state or input by which the gains are taken; the equations are linear there."""
NO_GAIN_PU = 1e-9


def power_gains(session: Session) -> dict[str, float]:
    r"""Return, for each machine whose governor takes orders, steady power [MW] over its input `paux`.

    From the governor's own equations where it stands: :math:`D - C A^{-1} B` of its states, speed held.
    """
    gains: dict[str, float] = {}
    before = session.state()
    for group in session.system.groups:
        if INPUT in group.cls.reads and OUTPUT in group.cls.writes:
            found = _gains(session, group) * session.system.point.model.base_mva
            pairs = zip(group.elements, found.tolist(), strict=True)
            gains.update({name: gain for name, gain in pairs if abs(gain) > NO_GAIN_PU})
    session.restore(before)
    return gains


def _gains(session: Session, group: Group) -> Floats:
    """Return the steady change of torque [pu] over the input of each unit, shape (units,)."""
    system, slopes = session.system, session.solution.slopes
    place = next(k for k, one in enumerate(system.groups) if one is group)
    x, slope = system.views(system.x)[place], slopes[0][place]
    states, units = x.shape

    def look() -> tuple[Floats, Floats]:
        session.observe()
        return slope.copy(), system.s[group.signal(OUTPUT)].copy()

    rate, torque = look()
    a, c = np.empty((units, states, states)), np.empty((units, states))
    for state in range(states):
        x[state] += STEP
        there, more = look()
        x[state] -= STEP
        a[:, :, state], c[:, state] = (there - rate).T / STEP, (more - torque) / STEP
    system.s[group.signal(INPUT)] += STEP
    there, more = look()
    system.s[group.signal(INPUT)] -= STEP
    b, d = (there - rate).T / STEP, (more - torque) / STEP
    gains = np.empty(units)
    for k in range(units):
        moved, *_ = np.linalg.lstsq(a[k], -b[k], rcond=None)
        gains[k] = d[k] + c[k] @ moved
    return gains


class Orders:
    """What each machine was ordered beyond the operating point, handed to its governor as it changes."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._gain = power_gains(session)
        self._slot = {name: session.system.slots[name, INPUT] for name in self._gain}
        self._given_mw: dict[str, float] = dict.fromkeys(self._gain, 0.0)

    def give(self, names: tuple[str, ...], order_mw: Floats) -> None:
        """Order machines to deliver so much more than at the operating point [MW], shape (machines,)."""
        signals = self._session.system.s
        for name, wanted in zip(names, order_mw.tolist(), strict=True):
            if name in self._gain and wanted != self._given_mw[name]:
                signals[self._slot[name]] += (wanted - self._given_mw[name]) / self._gain[name]
                self._given_mw[name] = wanted
