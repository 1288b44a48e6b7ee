r"""DEGOV1: reciprocating engine with an electronic governor, droop fed back from the throttle [1]_ [2]_.

.. math::
    e &= \omega_{ref} + p_{aux} - \omega - R\,\theta, \qquad
    b = \frac{1+sT_3}{1+sT_1+s^2T_1T_2}\,e \\
    \theta &= \frac{K}{s}\,\frac{1+sT_4}{(1+sT_5)(1+sT_6)}\,b, \quad
    T_{min}\le\theta\le\min(T_{max}, c), \qquad \tau_m = \frac{\min(\theta, c)}{1+sT_D}

The output is a torque: the throttle sets the fuel of a stroke. Feedback of the throttle, not of electric
power (`M = 0` there). The dead time of combustion :math:`e^{-sT_D}` is a lag of the same time, which delays
slow changes alike. The ceiling `c` is not in [1]_: an engine with a turbocharger takes no more torque than
its air allows, and whoever knows that sets it from outside; it starts without one.

References
----------
.. [1] PSS/E model library, DEGOV1 (Woodward diesel governor); parameters as in PowerSystems.jl.
.. [2] K. E. Yeager, J. R. Willis, "Modeling of emergency diesel generators in an 800 megawatt nuclear power
   plant", *IEEE Trans. Energy Convers.* 8(3), 1993: the usual values of T1 to T6, TD and K.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, not_below, own_ratio, rows
from grids.dynamics.kernels.blocks import held, lag, lag_rate, lead_lag
from grids.numbers import Complexes

UNLIMITED = 1e9
"""Ceiling of an engine nobody limits [pu of the system]."""


class Degov1Params(Params):
    """One engine and governor, per unit of `sn_mva`."""

    sn_mva: float = Field(default=0, ge=0, description="engine rating; 0 takes the machine's")
    r_pu: float = Field(gt=0, description="droop: speed per throttle")
    t1_s: float = Field(gt=0, description="control box, first lag")
    t2_s: float = Field(gt=0, description="control box, second lag")
    t3_s: float = Field(ge=0, description="control box, lead")
    k_per_s: float = Field(gt=0, description="gain of the actuator")
    t4_s: float = Field(ge=0, description="actuator, lead")
    t5_s: float = Field(ge=0, description="actuator, first lag")
    t6_s: float = Field(gt=0, description="actuator, second lag")
    td_s: float = Field(ge=0, description="dead time of the engine")
    tmax_pu: float = Field(description="largest throttle")
    tmin_pu: float = Field(description="smallest throttle")


DERIVED = ("ratio", "wref")
STATES = ("box", "inner", "fuel", "lead", "throttle", "torque")
READS = ("speed", "paux", "ceiling")
WRITES = ("tm",)

P: Any = rows(Degov1Params, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the mechanical torque [pu of the system] and the derivatives [1/s]."""
    for k in range(u.port.size):
        live = 1.0 if u.on[k] else 0.0
        throttle, box = x[X.throttle, k], x[X.box, k]
        t1, t6, td = u.p[P.t1_s, k], u.p[P.t6_s, k], u.p[P.td_s, k]
        most = min(u.p[P.tmax_pu, k], s[u.wire[S.ceiling, k]] / u.p[P.ratio, k])
        error = u.p[P.wref, k] + s[u.wire[S.paux, k]] - s[u.wire[S.speed, k]] - u.p[P.r_pu, k] * throttle
        fuel = lag(box, x[X.fuel, k], u.p[P.t5_s, k])
        rate = u.p[P.k_per_s, k] * lead_lag(fuel, x[X.lead, k], u.p[P.t4_s, k], t6)
        burnt = min(throttle, most)
        s[u.wire[S.tm, k]] = live * lag(burnt, x[X.torque, k], td) * u.p[P.ratio, k]
        dx[X.box, k] = live * (x[X.inner, k] - t1 * box + u.p[P.t3_s, k] * error) / (t1 * u.p[P.t2_s, k])
        dx[X.inner, k] = live * (error - box)
        dx[X.fuel, k] = live * lag_rate(box, x[X.fuel, k], u.p[P.t5_s, k])
        dx[X.lead, k] = live * lag_rate(fuel, x[X.lead, k], t6)
        dx[X.throttle, k] = live * held(rate, throttle, u.p[P.tmin_pu, k], most)
        dx[X.torque, k] = live * lag_rate(burnt, x[X.torque, k], td)


class Degov1(Device):
    """Reciprocating engine and governor."""

    params_type = Degov1Params
    role = "governor"
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    rhs = staticmethod(rhs)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Set the speed reference so that the machine's torque stands; no ceiling."""
        p = u.p
        p[P.ratio] = own_ratio(p[P.sn_mva], site)
        torque = s[u.wire[S.tm]] / p[P.ratio]
        x[X.throttle], x[X.torque] = torque, torque
        p[P.wref] = 1.0 + p[P.r_pu] * torque
        s[u.wire[S.ceiling]] = UNLIMITED

    @classmethod
    def aux_per_power(cls, u: Block) -> Floats | None:
        """Return what orders one pu of power: `paux` is a speed."""
        return np.asarray(u.p[P.r_pu] / u.p[P.ratio])

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the lags of actuator and engine."""
        return {"fuel": u.p[P.t5_s], "lead": u.p[P.t6_s], "torque": u.p[P.td_s]}

    @classmethod
    def time_constants(cls, u: Block) -> dict[str, Floats]:
        """Return that of the fastest pole of the control box."""
        t1, t2 = u.p[P.t1_s], u.p[P.t2_s]
        apart = np.sqrt((t1 * t1 - 4.0 * t1 * t2).astype(np.complex128))
        return {"t1_s and t2_s": 2.0 * t1 * t2 / np.abs(t1 + apart)}

    @classmethod
    def bounds(cls, u: Block) -> dict[str, tuple[Floats, Floats]]:
        """Return the throttle's limits."""
        return {"throttle": (u.p[P.tmin_pu], u.p[P.tmax_pu])}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse limits in the wrong order."""
        return not_below(params, [("tmin_pu", "tmax_pu")])


DEVICE = Degov1
