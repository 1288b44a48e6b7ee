r"""RoCoF relay: trips its element when the frequency changes too fast.

The rate is the difference over a sliding window, :math:`(f(t) - f(t-W))/W`, of the frequency measured as in
`ufls`; the element is tripped once its size has been at or above `rocof_hz_per_s` without a break for
`delay_s`. While the voltage is below `vblock_pu` the frequency is held and nothing counts. It is the
loss-of-mains protection that took small generators off in many events. The defaults are those proposed for
stations of 5 MW and more in Great Britain [1]_, read as a rate that lasts 500 ms; the window is
(unconfirmed). Older relays stood at 0.125 Hz/s. Without a delay the jump of the voltage's angle at a fault
alone trips the relay.

References
----------
.. [1] *Frequency Changes during Large Disturbances and their Impact on the Total System*, consultation of
   the G59 workgroup, August 2013: 1 Hz/s measured over 500 ms.
"""

from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, rows
from grids.dynamics.kernels.relays import above_s, angle_lead, expired, frequency_pu
from grids.dynamics.protection import FrequencyMeter
from grids.numbers import Complexes


class RocofRelayParams(FrequencyMeter):
    """One relay."""

    rocof_hz_per_s: float = Field(default=1.0, gt=0, description="rate at which it counts, up or down")
    window_s: float = Field(default=0.1, ge=0.02, description="width of the sliding window")
    delay_s: float = Field(default=0.5, ge=0, description="how long the rate must last")


PARTS = 32
"""Parts the window is kept in; the frequency is interpolated between their edges."""

DERIVED = ("omega_base",)
STATES = ("angle",)
WRITES = ("rocof_hz_per_s",)
MEMORY = ("before", "rate", "timer", "due", "following_s", "head", *(f"kept{i}" for i in range(PARTS + 1)))

P: Any = rows(RocofRelayParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(WRITES)
Z: Any = rows(MEMORY)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the rate as of the last step [Hz/s], and how the kept angle follows."""
    for k in range(u.port.size):
        at = v[u.port[k]]
        live = 1.0 if u.on[k] and abs(at) > 0.0 else 0.0
        s[u.wire[S.rocof_hz_per_s, k]] = u.z[Z.rate, k]
        dx[X.angle, k] = live * angle_lead(at, x[X.angle, k]) / u.p[P.tf_s, k]


@jit
def after(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, t_s: float, h_s: float) -> bool:
    """Take the rate over the window and count the time it is too large; True when the relay operates."""
    due = False
    for k in range(u.port.size):
        if not u.on[k]:
            continue
        at, omega, before = v[u.port[k]], u.p[P.omega_base, k], u.z[Z.before, k]
        now = frequency_pu(angle_lead(at, x[X.angle, k]), u.p[P.tf_s, k], omega) * omega / (2.0 * np.pi)
        blocked = abs(at) <= u.p[P.vblock_pu, k]
        now = before if blocked else now
        part_s = u.p[P.window_s, k] / PARTS
        head = int(u.z[Z.head, k])
        while u.z[Z.following_s, k] <= t_s:
            share = (u.z[Z.following_s, k] - (t_s - h_s)) / h_s
            head = (head + 1) % (PARTS + 1)
            u.z[Z.kept0 + head, k] = before + (now - before) * share
            u.z[Z.following_s, k] += part_s
        u.z[Z.head, k] = head
        since = (t_s - (u.z[Z.following_s, k] - part_s)) / part_s
        oldest = u.z[Z.kept0 + (head + 1) % (PARTS + 1), k]
        next_one = u.z[Z.kept0 + (head + 2) % (PARTS + 1), k]
        rate = (now - oldest - (next_one - oldest) * since) / u.p[P.window_s, k]
        timer = above_s(u.z[Z.timer, k], abs(u.z[Z.rate, k]), abs(rate), u.p[P.rocof_hz_per_s, k], h_s)
        u.z[Z.timer, k] = 0.0 if blocked else timer
        u.z[Z.rate, k] = rate
        u.z[Z.before, k] = now
        if u.z[Z.due, k] == 0.0 and expired(u.z[Z.timer, k], u.p[P.delay_s, k]):
            u.z[Z.due, k] = 1.0
            due = True
    return due


class RocofRelay(Device):
    """Rate-of-change-of-frequency relay."""

    params_type = RocofRelayParams
    role = "rocof_relay"
    tables = ("gen", "ext_grid", "sgen", "load")
    derived = DERIVED
    states = STATES
    writes = WRITES
    angles = ("angle",)
    memory = MEMORY
    rhs = staticmethod(rhs)
    after = staticmethod(after)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Measure nominal frequency, for as long as the window reaches back."""
        u.p[P.omega_base] = site.omega_base
        x[X.angle] = np.angle(site.v_pu)
        u.z[Z.before] = site.omega_base / (2.0 * np.pi)
        u.z[Z.kept0 :] = site.omega_base / (2.0 * np.pi)
        u.z[Z.following_s] = u.p[P.window_s] / PARTS

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the lag of the measurement."""
        return {"angle": u.p[P.tf_s]}

    @classmethod
    def act(cls, u: Block, session: Any) -> None:
        """Trip the elements whose frequency changes too fast."""
        names = session.elements_of(u)
        for k in np.flatnonzero((u.z[Z.due] > 0.0) & u.on).tolist():
            session.note(f"{names[k]} tripped: rocof relay at {u.z[Z.rate, k]:.3f} Hz/s")
            session.trip(names[k])


DEVICE = RocofRelay
