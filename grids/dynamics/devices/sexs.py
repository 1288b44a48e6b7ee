r"""SEXS: simplified excitation system, a lead-lag and a limited lag [1]_.

.. math:: v_f = \frac{K}{1+sT_E}\cdot\frac{1+sT_A}{1+sT_B}\,(v_{ref}+v_s-V), \quad E_{min}\le v_f\le E_{max}

References
----------
.. [1] PSS/E SEXS; ANDES 2.0 `sexs.py`.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, not_below, rows
from grids.dynamics.kernels.blocks import clip, lag, lag_rate, lead_lag
from grids.numbers import Complexes


class SexsParams(Params):
    """One exciter."""

    ta_tb_pu: float = Field(ge=0, description="ratio TA/TB of the lead-lag")
    tb_s: float = Field(ge=0, description="lag TB of the lead-lag")
    k_pu: float = Field(gt=0, description="gain")
    te_s: float = Field(ge=0, description="lag of the exciter")
    emin_pu: float = Field(description="smallest field voltage")
    emax_pu: float = Field(description="largest field voltage")


DERIVED = ("vref",)
STATES = ("lead", "field")
READS = ("vs",)
WRITES = ("vf",)

P: Any = rows(SexsParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the field voltage [pu] and the derivatives [1/s]."""
    for k in range(u.port.size):
        tb, te = u.p[P.tb_s, k], u.p[P.te_s, k]
        error = u.p[P.vref, k] + s[u.wire[S.vs, k]] - abs(v[u.port[k]])
        order = u.p[P.k_pu, k] * lead_lag(error, x[X.lead, k], u.p[P.ta_tb_pu, k] * tb, tb)
        field = lag(order, x[X.field, k], te)
        live = 1.0 if u.on[k] else 0.0
        s[u.wire[S.vf, k]] = live * clip(field, u.p[P.emin_pu, k], u.p[P.emax_pu, k])
        dx[X.lead, k] = live * lag_rate(error, x[X.lead, k], tb)
        dx[X.field, k] = live * lag_rate(order, x[X.field, k], te)


class Sexs(Device):
    """Simplified exciter."""

    params_type = SexsParams
    role = "exciter"
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    rhs = staticmethod(rhs)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Set the reference so that the machine's field voltage stands."""
        p = u.p
        vf = s[u.wire[S.vf]]
        x[X.field], x[X.lead] = vf, vf / p[P.k_pu]
        p[P.vref] = abs(site.v_pu) + vf / p[P.k_pu]

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the two lags."""
        return {"lead": u.p[P.tb_s], "field": u.p[P.te_s]}

    @classmethod
    def bounds(cls, u: Block) -> dict[str, tuple[Floats, Floats]]:
        """Return the ceiling."""
        return {"field": (u.p[P.emin_pu], u.p[P.emax_pu])}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse limits in the wrong order."""
        return not_below(params, [("emin_pu", "emax_pu")])


DEVICE = Sexs
