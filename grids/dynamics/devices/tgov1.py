r"""TGOV1: steam turbine and governor, a lag with valve limits and a lead-lag [1]_.

.. math::
    T_1\dot y &= p_{ref} + (p_{aux} - d(\omega-1))/R - y, \quad V_{min} \le y \le V_{max} \\
    \tau_m &= \frac{1+sT_2}{1+sT_3}\,y - D_t\,d(\omega-1)

with the dead-band `d` of TGOV1DB (none where `dbl_pu = dbu_pu = 0`). The output is a torque.

References
----------
.. [1] NEPLAN, *Turbine-governor models*; PSS/E TGOV1, ANDES 2.0 `tgov1.py` (TGOV1, TGOV1DB).
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, not_below, own_ratio, rows
from grids.dynamics.kernels.blocks import dead_band, lag, lag_rate, lead_lag
from grids.numbers import Complexes


class Tgov1Params(Params):
    """One turbine and governor, per unit of `sn_mva`."""

    sn_mva: float = Field(default=0, ge=0, description="turbine rating; 0 takes the machine's")
    r_pu: float = Field(gt=0, description="droop: speed per power")
    vmax_pu: float = Field(description="largest valve position")
    vmin_pu: float = Field(description="smallest valve position")
    t1_s: float = Field(ge=0, description="governor lag")
    t2_s: float = Field(ge=0, description="lead of the turbine (high-pressure share times reheat time)")
    t3_s: float = Field(gt=0, description="lag of the turbine (reheater)")
    dt_pu: float = Field(default=0, ge=0, description="damping power per speed deviation")
    dbl_pu: float = Field(default=0, le=0, description="lower edge of the speed dead-band")
    dbu_pu: float = Field(default=0, ge=0, description="upper edge of the speed dead-band")


DERIVED = ("ratio", "pref", "aux_gain")
STATES = ("valve", "reheat")
READS = ("speed", "paux")
WRITES = ("tm",)

P: Any = rows(Tgov1Params, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the mechanical torque [pu of the system] and the derivatives [1/s]."""
    for k in range(u.port.size):
        if not u.on[k]:
            dx[X.valve, k] = 0.0
            dx[X.reheat, k] = 0.0
            continue
        slip = dead_band(s[u.wire[S.speed, k]] - 1.0, u.p[P.dbl_pu, k], u.p[P.dbu_pu, k])
        aux = s[u.wire[S.paux, k]] * u.p[P.aux_gain, k]
        wanted = u.p[P.pref, k] + aux - slip / u.p[P.r_pu, k]
        t1, t3 = u.p[P.t1_s, k], u.p[P.t3_s, k]
        held = min(max(wanted, u.p[P.vmin_pu, k]), u.p[P.vmax_pu, k])
        valve = lag(held, x[X.valve, k], t1)
        power = lead_lag(valve, x[X.reheat, k], u.p[P.t2_s, k], t3) - u.p[P.dt_pu, k] * slip
        s[u.wire[S.tm, k]] = power * u.p[P.ratio, k]
        dx[X.valve, k] = lag_rate(wanted, x[X.valve, k], t1)
        dx[X.reheat, k] = lag_rate(valve, x[X.reheat, k], t3)


class Tgov1(Device):
    """Steam turbine and governor."""

    params_type = Tgov1Params
    role = "governor"
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    rhs = staticmethod(rhs)
    aux_after_droop: ClassVar[bool] = False
    """The auxiliary power is added after the droop, so it is not multiplied by 1/R."""

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Set the reference so that the machine's torque stands."""
        p = u.p
        p[P.ratio] = own_ratio(p[P.sn_mva], site)
        p[P.aux_gain] = 1.0 if cls.aux_after_droop else 1.0 / p[P.r_pu]
        power = s[u.wire[S.tm]] / p[P.ratio]
        p[P.pref], x[X.valve], x[X.reheat] = power, power, power

    @classmethod
    def aux_per_power(cls, u: Block) -> Floats | None:
        """Return what orders one pu of power: before the droop `paux` is a speed, after it a power."""
        return np.asarray(1.0 / (u.p[P.aux_gain] * u.p[P.ratio]))

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the two lags."""
        return {"valve": u.p[P.t1_s], "reheat": u.p[P.t3_s]}

    @classmethod
    def bounds(cls, u: Block) -> dict[str, tuple[Floats, Floats]]:
        """Return the valve limits."""
        return {"valve": (u.p[P.vmin_pu], u.p[P.vmax_pu])}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse limits in the wrong order."""
        return not_below(params, [("vmin_pu", "vmax_pu")])


DEVICE = Tgov1
