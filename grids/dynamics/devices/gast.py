r"""GAST: gas turbine with a temperature limit that takes over through a low-value gate [1]_.

.. math::
    y &= \frac{1}{1+sT_1}\min\left(p_{ref} + \frac{p_{aux} - d(\omega-1)}{R},\;
         A_T + K_T(A_T - x_T)\right), \quad V_{min}\le y\le V_{max} \\
    f &= \frac{y}{1+sT_2}, \qquad x_T = \frac{f}{1+sT_3}, \qquad \tau_m = f - D_t\,d(\omega-1)

with the dead-band `d` (none where `dbl_pu = dbu_pu = 0`). `plim_pu` clips :math:`d(\omega-1)/R`, as plants
in China limit their response; other programs have no such limit. The output is a torque.

References
----------
.. [1] NEPLAN, *Turbine-governor models*, GAST; PSS/E GAST, ANDES 2.0 `gast.py`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, not_below, own_ratio, rows
from grids.dynamics.kernels.blocks import clip, dead_band, lag, lag_rate
from grids.numbers import Complexes


class GastParams(Params):
    """One turbine and governor, per unit of `sn_mva`."""

    sn_mva: float = Field(default=0, ge=0, description="turbine rating; 0 takes the machine's")
    r_pu: float = Field(gt=0, description="droop: speed per power")
    t1_s: float = Field(gt=0, description="fuel valve")
    t2_s: float = Field(ge=0, description="turbine")
    t3_s: float = Field(ge=0, description="measurement of the exhaust temperature")
    at_pu: float = Field(gt=0, description="power at the temperature limit, at ambient temperature")
    kt_pu: float = Field(ge=0, description="gain of the temperature limiter")
    vmax_pu: float = Field(description="largest valve position")
    vmin_pu: float = Field(description="smallest valve position")
    dt_pu: float = Field(default=0, ge=0, description="damping power per speed deviation")
    dbl_pu: float = Field(default=0, le=0, description="lower edge of the speed dead-band")
    dbu_pu: float = Field(default=0, ge=0, description="upper edge of the speed dead-band")
    plim_pu: float = Field(default=0, ge=0, description="largest response to speed; 0: no limit")


DERIVED = ("ratio", "pref")
STATES = ("valve", "fuel", "exhaust")
READS = ("speed", "paux")
WRITES = ("tm",)

P: Any = rows(GastParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the mechanical torque [pu of the system] and the derivatives [1/s]."""
    for k in range(u.port.size):
        live = 1.0 if u.on[k] else 0.0
        slip = dead_band(s[u.wire[S.speed, k]] - 1.0, u.p[P.dbl_pu, k], u.p[P.dbu_pu, k])
        t1, t2, t3 = u.p[P.t1_s, k], u.p[P.t2_s, k], u.p[P.t3_s, k]
        droop = slip / u.p[P.r_pu, k]
        if u.p[P.plim_pu, k] > 0.0:
            droop = clip(droop, -u.p[P.plim_pu, k], u.p[P.plim_pu, k])
        wanted = u.p[P.pref, k] + s[u.wire[S.paux, k]] / u.p[P.r_pu, k] - droop
        fuel = lag(x[X.valve, k], x[X.fuel, k], t2)
        exhaust = lag(fuel, x[X.exhaust, k], t3)
        allowed = u.p[P.at_pu, k] + u.p[P.kt_pu, k] * (u.p[P.at_pu, k] - exhaust)
        s[u.wire[S.tm, k]] = (fuel - u.p[P.dt_pu, k] * slip) * u.p[P.ratio, k]
        dx[X.valve, k] = live * lag_rate(min(wanted, allowed), x[X.valve, k], t1)
        dx[X.fuel, k] = live * lag_rate(x[X.valve, k], x[X.fuel, k], t2)
        dx[X.exhaust, k] = live * lag_rate(fuel, x[X.exhaust, k], t3)


class Gast(Device):
    """Gas turbine and governor."""

    params_type = GastParams
    role = "governor"
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    rhs = staticmethod(rhs)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Set the reference so that the machine's torque stands."""
        p = u.p
        p[P.ratio] = own_ratio(p[P.sn_mva], site)
        power = s[u.wire[S.tm]] / p[P.ratio]
        p[P.pref], x[X.valve], x[X.fuel], x[X.exhaust] = power, power, power, power

    @classmethod
    def aux_per_power(cls, u: Block) -> Floats | None:
        """Return what orders one pu of power: `paux` is a speed."""
        return np.asarray(u.p[P.r_pu] / u.p[P.ratio])

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the three lags."""
        return {"valve": u.p[P.t1_s], "fuel": u.p[P.t2_s], "exhaust": u.p[P.t3_s]}

    @classmethod
    def bounds(cls, u: Block) -> dict[str, tuple[Floats, Floats]]:
        """Return the valve's limits."""
        return {"valve": (u.p[P.vmin_pu], u.p[P.vmax_pu])}

    @classmethod
    def demands(
        cls, u: Block, x: Floats, v: Complexes, s: Floats
    ) -> dict[str, tuple[Floats, Floats, Floats]]:
        """Return the power the temperature limit must allow."""
        return {"power (at_pu)": (x[X.valve], np.full(u.port.size, -np.inf), u.p[P.at_pu])}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse limits in the wrong order."""
        return not_below(params, [("vmin_pu", "vmax_pu")])


DEVICE = Gast
