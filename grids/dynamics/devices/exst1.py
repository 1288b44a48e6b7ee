r"""EXST1: static exciter fed from the terminals through a controlled bridge [1]_.

.. math::
    v_e &= \mathrm{clip}\left(v_{ref}+v_s-\frac{V}{1+sT_R}-\frac{sK_F}{1+sT_F}v_r;\,
        V_{Imin},V_{Imax}\right) \\
    v_r &= \frac{K_A}{1+sT_A}\frac{1+sT_C}{1+sT_B}v_e, \qquad
    v_f = \mathrm{clip}\left(v_r;\; V V_{Rmin}-K_C I_{fd},\; V V_{Rmax}-K_C I_{fd}\right)

with :math:`I_{fd}` the field current :math:`X_{ad}I_{fd}` of the machine. ANDES 2.0 leaves the factor `V` out
and compares its limits with the rate feedback instead of :math:`v_r`, so they never act there.

References
----------
.. [1] IEEE Committee Report, "Excitation system models for power system stability studies", 1981, type ST1;
   PSS/E EXST1, ANDES 2.0 `exst1.py`, PowerSimulationsDynamics `EXST1`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, not_below, rows
from grids.dynamics.kernels.blocks import clip, lag, lag_rate, lead_lag, washout
from grids.numbers import Complexes


class Exst1Params(Params):
    """One exciter."""

    tr_s: float = Field(default=0, ge=0, description="sensing lag")
    vimax_pu: float = Field(description="largest voltage error")
    vimin_pu: float = Field(description="smallest voltage error")
    tc_s: float = Field(default=0, ge=0, description="lead of the lead-lag")
    tb_s: float = Field(default=0, ge=0, description="lag of the lead-lag")
    ka_pu: float = Field(gt=0, description="regulator gain")
    ta_s: float = Field(ge=0, description="regulator lag")
    vrmax_pu: float = Field(description="ceiling of the bridge at nominal voltage")
    vrmin_pu: float = Field(description="floor of the bridge at nominal voltage")
    kc_pu: float = Field(default=0, ge=0, description="voltage drop of the bridge per field current")
    kf_pu: float = Field(default=0, ge=0, description="gain of the rate feedback")
    tf_s: float = Field(gt=0, description="time constant of the rate feedback")


DERIVED = ("vref",)
STATES = ("sensed", "lead", "regulator", "feedback")
READS = ("vs", "xadifd")
WRITES = ("vf",)

P: Any = rows(Exst1Params, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the field voltage [pu] and the derivatives [1/s]."""
    for k in range(u.port.size):
        live = 1.0 if u.on[k] else 0.0
        at = abs(v[u.port[k]])
        ta, tb = u.p[P.ta_s, k], u.p[P.tb_s, k]
        back = washout(x[X.regulator, k], x[X.feedback, k], u.p[P.kf_pu, k], u.p[P.tf_s, k])
        sensed = lag(at, x[X.sensed, k], u.p[P.tr_s, k])
        error = u.p[P.vref, k] + s[u.wire[S.vs, k]] - sensed - back
        error = clip(error, u.p[P.vimin_pu, k], u.p[P.vimax_pu, k])
        order = u.p[P.ka_pu, k] * lead_lag(error, x[X.lead, k], u.p[P.tc_s, k], tb)
        drop = u.p[P.kc_pu, k] * s[u.wire[S.xadifd, k]]
        low, high = at * u.p[P.vrmin_pu, k] - drop, at * u.p[P.vrmax_pu, k] - drop
        s[u.wire[S.vf, k]] = live * clip(lag(order, x[X.regulator, k], ta), low, high)
        dx[X.sensed, k] = live * lag_rate(at, x[X.sensed, k], u.p[P.tr_s, k])
        dx[X.lead, k] = live * lag_rate(error, x[X.lead, k], tb)
        dx[X.regulator, k] = live * lag_rate(order, x[X.regulator, k], ta)
        dx[X.feedback, k] = live * lag_rate(x[X.regulator, k], x[X.feedback, k], u.p[P.tf_s, k])


class Exst1(Device):
    """Static exciter."""

    params_type = Exst1Params
    role = "exciter"
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    rhs = staticmethod(rhs)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Set the reference so that the machine's field voltage stands."""
        p, vf = u.p, s[u.wire[S.vf]]
        x[X.sensed], x[X.lead] = np.abs(site.v_pu), vf / p[P.ka_pu]
        x[X.regulator], x[X.feedback] = vf, vf
        p[P.vref] = np.abs(site.v_pu) + vf / p[P.ka_pu]

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the plain lags."""
        names = (("sensed", P.tr_s), ("lead", P.tb_s), ("regulator", P.ta_s), ("feedback", P.tf_s))
        return {name: u.p[row] for name, row in names}

    @classmethod
    def demands(
        cls, u: Block, x: Floats, v: Complexes, s: Floats
    ) -> dict[str, tuple[Floats, Floats, Floats]]:
        """Return voltage error and field voltage."""
        p, at = u.p, np.abs(v[u.port])
        drop = p[P.kc_pu] * s[u.wire[S.xadifd]]
        return {
            "voltage error (vimin_pu, vimax_pu)": (p[P.vref] - at, p[P.vimin_pu], p[P.vimax_pu]),
            "field voltage (vrmin_pu, vrmax_pu)": (
                x[X.regulator],
                at * p[P.vrmin_pu] - drop,
                at * p[P.vrmax_pu] - drop,
            ),
        }

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse rate feedback around nothing that moves, and limits in the wrong order."""
        wrong = []
        if params.ta_s == 0.0 and params.kf_pu > 0.0:
            wrong.append(f"ta_s=0 leaves no lag inside the rate feedback kf_pu={params.kf_pu:g}")
        return wrong + not_below(params, [("vimin_pu", "vimax_pu"), ("vrmin_pu", "vrmax_pu")])


DEVICE = Exst1
