r"""HYGOV: hydro turbine with a non-linear, inelastic water column, and a governor with temporary droop [1]_.

.. math::
    e &= \frac{1}{1+sT_f}\left(p_{ref}+p_{aux}-d(\omega-1)-R\,c\right), \quad
    \dot c = \frac{e+T_r\dot e}{r\,T_r}, \quad |\dot c|\le V_{elm}, \quad G_{min}\le c\le G_{max} \\
    g &= \frac{c}{1+sT_g}, \quad h = (q/g)^2, \quad T_W\dot q = 1-h \\
    \tau_m &= A_t\,h\,(q-q_{nl}) - D_t\,d(\omega-1)\,g

with the dead-band `d` of HYGOVDB (none where `dbl_pu = dbu_pu = 0`). `plim_pu` clips :math:`d(\omega-1)`
of the first line to :math:`\pm P_{lim} R/A_t`: the settled response of the turbine is at most `plim_pu`, as
plants in China limit theirs; other programs have no such limit. The output is a torque; some programs divide
by the speed. Velocity and position limits act on the desired gate `c`, without wind-up.

ANDES 2.0 integrates `e` without :math:`1/(rT_r)` and the flow on the system's base: the two agree where
:math:`rT_r = 1` s and the machine's rating is the system's base.

References
----------
.. [1] PSS/E HYGOV; IEEE Working Group, "Hydraulic turbine and turbine control models for system dynamic
   studies", *IEEE Trans. Power Syst.* 7(1), 1992; ANDES 2.0 `hygov.py`.
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

CLOSED_PU = 0.02
"""Gate below which the head is taken as if it were open so far: a shut gate has no head equation."""


class HygovParams(Params):
    """One turbine and governor, per unit of `sn_mva`."""

    sn_mva: float = Field(default=0, ge=0, description="turbine rating; 0 takes the machine's")
    rperm_pu: float = Field(gt=0, description="permanent droop R")
    rtemp_pu: float = Field(gt=0, description="temporary droop r")
    tr_s: float = Field(gt=0, description="governor (dashpot) time constant")
    tf_s: float = Field(gt=0, description="filter")
    tg_s: float = Field(ge=0, description="gate servo")
    velm_pu_per_s: float = Field(gt=0, description="largest speed of the gate")
    gmax_pu: float = Field(description="largest gate opening")
    gmin_pu: float = Field(ge=0, description="smallest gate opening")
    tw_s: float = Field(gt=0, description="water starting time")
    at_pu: float = Field(gt=0, description="turbine gain")
    dt_pu: float = Field(default=0, ge=0, description="damping per speed deviation and gate opening")
    qnl_pu: float = Field(default=0, ge=0, description="flow without load at nominal head")
    dbl_pu: float = Field(default=0, le=0, description="lower edge of the speed dead-band")
    dbu_pu: float = Field(default=0, ge=0, description="upper edge of the speed dead-band")
    plim_pu: float = Field(default=0, ge=0, description="largest response to speed; 0: no limit")


DERIVED = ("ratio", "pref", "column_s")
STATES = ("filtered", "order", "gate", "flow")
READS = ("speed", "paux")
WRITES = ("tm",)

P: Any = rows(HygovParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the mechanical torque [pu of the system] and the derivatives [1/s]."""
    for k in range(u.port.size):
        live = 1.0 if u.on[k] else 0.0
        slip = dead_band(s[u.wire[S.speed, k]] - 1.0, u.p[P.dbl_pu, k], u.p[P.dbu_pu, k])
        order, flow, tr = x[X.order, k], x[X.flow, k], u.p[P.tr_s, k]
        droop = slip
        if u.p[P.plim_pu, k] > 0.0:
            most_slip = u.p[P.plim_pu, k] * u.p[P.rperm_pu, k] / u.p[P.at_pu, k]
            droop = clip(slip, -most_slip, most_slip)
        error = u.p[P.pref, k] + s[u.wire[S.paux, k]] - droop - u.p[P.rperm_pu, k] * order
        filtered_rate = (error - x[X.filtered, k]) / u.p[P.tf_s, k]
        rate = (x[X.filtered, k] + tr * filtered_rate) / (u.p[P.rtemp_pu, k] * tr)
        most = u.p[P.velm_pu_per_s, k]
        gate = lag(order, x[X.gate, k], u.p[P.tg_s, k])
        opening = max(gate, CLOSED_PU)
        head = flow * abs(flow) / (opening * opening)
        power = u.p[P.at_pu, k] * head * (flow - u.p[P.qnl_pu, k]) - u.p[P.dt_pu, k] * slip * gate
        s[u.wire[S.tm, k]] = power * u.p[P.ratio, k]
        dx[X.filtered, k] = live * filtered_rate
        dx[X.order, k] = live * clip(rate, -most, most)
        dx[X.gate, k] = live * lag_rate(order, x[X.gate, k], u.p[P.tg_s, k])
        dx[X.flow, k] = live * (1.0 - head) / u.p[P.tw_s, k]


class Hygov(Device):
    """Hydro turbine and governor."""

    params_type = HygovParams
    role = "governor"
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    rhs = staticmethod(rhs)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Open the gate so that nominal head gives the machine's torque."""
        p = u.p
        p[P.ratio] = own_ratio(p[P.sn_mva], site)
        flow = s[u.wire[S.tm]] / p[P.ratio] / p[P.at_pu] + p[P.qnl_pu]
        x[X.filtered], x[X.order], x[X.gate], x[X.flow] = 0.0, flow, flow, flow
        p[P.pref] = p[P.rperm_pu] * flow
        p[P.column_s] = p[P.tw_s] * np.maximum(flow, CLOSED_PU) / 2.0

    @classmethod
    def aux_per_power(cls, u: Block) -> Floats | None:
        """Return what orders one pu of power: `paux` is a speed."""
        return np.asarray(u.p[P.rperm_pu] / (u.p[P.at_pu] * u.p[P.ratio]))

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the gate servo."""
        return {"gate": u.p[P.tg_s]}

    @classmethod
    def time_constants(cls, u: Block) -> dict[str, Floats]:
        """Return the filter's, and the water column's where it starts: the gate times half of TW."""
        return {"tf_s": u.p[P.tf_s], "tw_s times gate / 2": u.p[P.column_s]}

    @classmethod
    def bounds(cls, u: Block) -> dict[str, tuple[Floats, Floats]]:
        """Return the limits of the gate."""
        return {"order": (u.p[P.gmin_pu], u.p[P.gmax_pu])}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse limits in the wrong order."""
        return not_below(params, [("gmin_pu", "gmax_pu")])


DEVICE = Hygov
