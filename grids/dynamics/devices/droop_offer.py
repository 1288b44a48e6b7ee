r"""Fast frequency response a connected unit offers: proportional beyond a dead-band, limited, behind a lag.

.. math::
    T\dot p &= \operatorname{clip}(k\,d(f - f_n), -p_{down}, p_{up}) - p

`p` is consumption on top of what the unit draws, a constant power above 0.7 pu and an impedance below.
It is the response the area model has for the same offer [1]_. :math:`f` is that of the island's centre of
inertia; gain and limits are inputs, set each exchange.

References
----------
.. [1] `cosim.core.component.DroopOffer`, `docs/models/frequency.md`.
"""

from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Bools, Floats
from grids.dynamics.device import Block, Device, Site, rows
from grids.dynamics.kernels.blocks import dead_band
from grids.numbers import Complexes


class DroopOfferParams(Params):
    """One offer; its size is set from outside."""

    deadband_hz: float = Field(default=0.033, ge=0, description="no response within it")
    time_constant_s: float = Field(default=0.2, gt=0, description="lag of the response")
    f_nominal_hz: float = Field(gt=0, description="frequency at which nothing is delivered")
    f_start_hz: float = Field(
        gt=0, description="frequency of the unit's area at the start: speed 1 of the run"
    )
    p_start_mw: float = Field(default=0, description="response at the start, > 0 consumes more")


DERIVED = ("base_mva",)
STATES = ("response", "energy")
READS = ("droop_mw_per_hz", "droop_up_mw", "droop_down_mw", "acting")
P: Any = rows(DroopOfferParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS)

VMIN_PU = 0.7


@jit
def inject(u: Block, x: Floats, v: Complexes, w: Floats, current: Complexes) -> None:
    """Add the current of each response [pu]."""
    for k in range(u.port.size):
        if u.on[k] and x[X.response, k] != 0.0:
            at = v[u.port[k]]
            square = max(at.real * at.real + at.imag * at.imag, VMIN_PU * VMIN_PU)
            current[u.port[k]] -= x[X.response, k] / u.p[P.base_mva, k] * at / square


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write how fast the response [MW] and its integral [MW s] move; nothing does before `acting` is 1."""
    for k in range(u.port.size):
        acting = s[u.wire[S.acting, k]] if u.on[k] else 0.0
        f_hz = w[u.port[k]] * u.p[P.f_start_hz, k]
        band = u.p[P.deadband_hz, k]
        wanted = dead_band(f_hz - u.p[P.f_nominal_hz, k], -band, band) * s[u.wire[S.droop_mw_per_hz, k]]
        wanted = min(max(wanted, -s[u.wire[S.droop_down_mw, k]]), s[u.wire[S.droop_up_mw, k]])
        dx[X.response, k] = acting * (wanted - x[X.response, k]) / u.p[P.time_constant_s, k]
        dx[X.energy, k] = acting * x[X.response, k]


class DroopOffer(Device):
    """Fast frequency response."""

    params_type = DroopOfferParams
    role = "fast_response"
    tables = ("load", "sgen", "storage")
    derived = DERIVED
    states = STATES
    reads = READS
    inject = staticmethod(inject)
    rhs = staticmethod(rhs)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Stand where the operating point has it; the unit's power is without it."""
        u.p[P.base_mva] = site.base_mva
        x[X.response], x[X.energy] = u.p[P.p_start_mw], 0.0

    @classmethod
    def nonlinear(cls, u: Block) -> bool:
        """Say that the current follows the voltage."""
        return True

    @classmethod
    def injects(cls, u: Block) -> Bools:
        """Say that every offer does."""
        return np.ones(u.port.size, dtype=np.bool_)

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the lag of the response."""
        return {"response": u.p[P.time_constant_s]}


DEVICE = DroopOffer
