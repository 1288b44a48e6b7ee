r"""EXDC2: excitation with a direct-current machine, in the form ANDES and PSS/E call EXDC2 [1]_.

Sensing lag, lead-lag, limited regulator, exciter with quadratic saturation, rate feedback; the field
voltage is multiplied by the speed. `vr_follows_v_code = 1` lets the regulator's limits follow the
terminal voltage (regulator fed from the terminals); 0 keeps them fixed, which is what ANDES 2.0 does.

.. math::
    T_A\dot v_r &= K_A\frac{1+sT_C}{1+sT_B}(v_{ref}+v_s-v_m-v_w)-v_r, \quad V_{Rmin}\le v_r\le V_{Rmax} \\
    T_E\dot v_p &= v_r-K_E v_p-S_E(v_p)v_p, \quad v_w = \frac{sK_{F1}}{1+sT_{F1}}v_p, \quad v_f=\omega v_p

References
----------
.. [1] IEEE Std 421.5, type DC2; ANDES 2.0 `exdc2.py`.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, not_below, quadratic_saturation, rows
from grids.dynamics.kernels.blocks import clip, held, lag, lag_rate, lead_lag, saturation, washout
from grids.numbers import Complexes


class Exdc2Params(Params):
    """One exciter."""

    tr_s: float = Field(default=0, ge=0, description="sensing lag")
    ka_pu: float = Field(gt=0, description="regulator gain")
    ta_s: float = Field(ge=0, description="regulator lag")
    tb_s: float = Field(default=0, ge=0, description="lag of the lead-lag")
    tc_s: float = Field(default=0, ge=0, description="lead of the lead-lag")
    vrmax_pu: float = Field(description="largest regulator output")
    vrmin_pu: float = Field(description="smallest regulator output")
    ke_pu: float = Field(description="exciter constant")
    te_s: float = Field(gt=0, description="exciter time constant")
    kf1_pu: float = Field(ge=0, description="gain of the rate feedback")
    tf1_s: float = Field(gt=0, description="time constant of the rate feedback")
    e1_pu: float = Field(default=0, ge=0, description="first field voltage of the saturation curve")
    se1_pu: float = Field(default=0, ge=0, description="saturation there")
    e2_pu: float = Field(default=0, ge=0, description="second field voltage of the saturation curve")
    se2_pu: float = Field(default=0, ge=0, description="saturation there")
    vr_follows_v_code: int = Field(default=0, ge=0, le=1, description="1: limits are times the voltage")


DERIVED = ("vref", "sat_start", "sat_gain", "by_speed")
STATES = ("sensed", "lead", "regulator", "field", "feedback")
READS = ("speed", "vs")
WRITES = ("vf",)

P: Any = rows(Exdc2Params, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the field voltage [pu] and the derivatives [1/s]."""
    for k in range(u.port.size):
        at = abs(v[u.port[k]])
        ta, tb, field = u.p[P.ta_s, k], u.p[P.tb_s, k], x[X.field, k]
        back = washout(field, x[X.feedback, k], u.p[P.kf1_pu, k], u.p[P.tf1_s, k])
        sensed = lag(at, x[X.sensed, k], u.p[P.tr_s, k])
        error = u.p[P.vref, k] + s[u.wire[S.vs, k]] - sensed - back
        order = u.p[P.ka_pu, k] * lead_lag(error, x[X.lead, k], u.p[P.tc_s, k], tb)
        scale = at if u.p[P.vr_follows_v_code, k] == 1.0 else 1.0
        low, high = scale * u.p[P.vrmin_pu, k], scale * u.p[P.vrmax_pu, k]
        regulator = clip(lag(order, x[X.regulator, k], ta), low, high)
        excess = saturation(field, u.p[P.sat_start, k], u.p[P.sat_gain, k])
        live = 1.0 if u.on[k] else 0.0
        speed = s[u.wire[S.speed, k]] if u.p[P.by_speed, k] == 1.0 else 1.0
        s[u.wire[S.vf, k]] = live * speed * field
        dx[X.sensed, k] = live * lag_rate(at, x[X.sensed, k], u.p[P.tr_s, k])
        dx[X.lead, k] = live * lag_rate(error, x[X.lead, k], tb)
        dx[X.regulator, k] = live * held(lag_rate(order, x[X.regulator, k], ta), x[X.regulator, k], low, high)
        dx[X.field, k] = live * (regulator - u.p[P.ke_pu, k] * field - excess) / u.p[P.te_s, k]
        dx[X.feedback, k] = live * lag_rate(field, x[X.feedback, k], u.p[P.tf1_s, k])


class Exdc2(Device):
    """Exciter with a direct-current machine."""

    params_type = Exdc2Params
    role = "exciter"
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    rhs = staticmethod(rhs)
    by_speed: ClassVar[bool] = True
    """The field voltage is proportional to the speed of the shaft."""

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Set the reference so that the machine's field voltage stands."""
        p = u.p
        curve = (p[P.e1_pu], p[P.se1_pu], p[P.e2_pu], p[P.se2_pu])
        p[P.sat_start], p[P.sat_gain] = quadratic_saturation(*curve)
        p[P.by_speed] = float(cls.by_speed)
        vf = s[u.wire[S.vf]]
        excess = p[P.sat_gain] * np.maximum(vf - p[P.sat_start], 0.0) ** 2
        order = p[P.ke_pu] * vf + excess
        x[X.sensed], x[X.lead], x[X.regulator] = np.abs(site.v_pu), order / p[P.ka_pu], order
        x[X.field], x[X.feedback] = vf, vf
        p[P.vref] = np.abs(site.v_pu) + order / p[P.ka_pu]

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the plain lags."""
        p = u.p
        names = (("sensed", P.tr_s), ("lead", P.tb_s), ("regulator", P.ta_s), ("feedback", P.tf1_s))
        return {name: p[row] for name, row in names}

    @classmethod
    def time_constants(cls, u: Block) -> dict[str, Floats]:
        """Return the exciter's time constant."""
        return {"te_s": u.p[P.te_s]}

    @classmethod
    def bounds(cls, u: Block) -> dict[str, tuple[Floats, Floats]]:
        """Return the regulator's limits where they are fixed."""
        free = u.p[P.vr_follows_v_code] == 1.0
        low, high = u.p[P.vrmin_pu], u.p[P.vrmax_pu]
        return {"regulator": (np.where(free, -np.inf, low), np.where(free, np.inf, high))}

    @classmethod
    def demands(
        cls, u: Block, x: Floats, v: Complexes, s: Floats
    ) -> dict[str, tuple[Floats, Floats, Floats]]:
        """Return the regulator's output where its limits follow the voltage."""
        free, at = u.p[P.vr_follows_v_code] == 1.0, np.abs(v[u.port])
        low = np.where(free, at * u.p[P.vrmin_pu], -np.inf)
        high = np.where(free, at * u.p[P.vrmax_pu], np.inf)
        return {"regulator (vrmin_pu, vrmax_pu)": (x[X.regulator], low, high)}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse limits in the wrong order."""
        return not_below(params, [("vrmin_pu", "vrmax_pu")])


DEVICE = Exdc2
