r"""REEC_C: electrical control of a battery's converter: REEC_A with charging, and limits by charge.

As REEC_A (`reec_a.py`), with :math:`I_{pmin} = -I_{pmax}`, the voltage injection always in service, and

.. math:: \dot{SOC} = -P_e/T, \qquad
    I_{pmax} = 0 \text{ where } SOC \le SOC_{min}, \qquad I_{pmin} = 0 \text{ where } SOC \ge SOC_{max}

with the measured power in pu of the rating, > 0 when discharging, and T the time a full battery lasts
at it. The charge is counted once a step, not a state: it moves at an operating point too. `soc_pu` is a
signal. Losses of the battery are outside the model. [1]_

References
----------
.. [1] WECC, *REEC_C Modeling Specification* and *WECC Battery Storage Dynamic Modeling Guideline*.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from cosim.core.jit import jit
from cosim.core.types import Floats
from grids.dynamics.device import Block, Site, not_below, parameter_names, rows
from grids.dynamics.devices.reec_a import (
    DERIVED,
    READS,
    ElectricalControl,
    ElectricalControlParams,
    commands,
    injection,
)
from grids.numbers import Complexes


class ReecCParams(ElectricalControlParams):
    """One battery converter's control, per unit of its rating."""

    pmin_pu: float = Field(
        default=-1, description="smallest power order: the largest charging power, negative"
    )
    t_s: float = Field(default=7200, gt=0, description="how long a full battery lasts at rated power")
    socini_pu: float = Field(default=0.5, ge=0, le=1, description="charge at the start")
    socmax_pu: float = Field(default=0.9, ge=0, le=1, description="charge above which it does not charge")
    socmin_pu: float = Field(default=0.1, ge=0, le=1, description="charge below which it does not discharge")


C_DERIVED = len(parameter_names(ReecCParams))
"""First derived row."""

P: Any = rows(ReecCParams, DERIVED)
S: Any = rows(READS, ("ipcmd", "iqcmd", "soc_pu"))
Z: Any = rows(("soc",))


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the current commands [pu of the rating], the charge [pu] and the derivatives [1/s]."""
    for k in range(u.port.size):
        vm, soc = abs(v[u.port[k]]), u.z[Z.soc, k]
        extra = injection(u, x, vm, k, C_DERIVED)
        charge = 0.0 if soc >= u.p[P.socmax_pu, k] else 1.0
        discharge = 0.0 if soc <= u.p[P.socmin_pu, k] else 1.0
        commands(u, x, vm, s, dx, k, C_DERIVED, extra, (charge, discharge, -1.0))
        s[u.wire[S.soc_pu, k]] = soc
        if not u.on[k]:
            for i in range(x.shape[0]):
                dx[i, k] = 0.0


@jit
def after(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, t_s: float, h_s: float) -> bool:
    """Count the charge; never asks to act."""
    for k in range(u.port.size):
        if u.on[k]:
            u.z[Z.soc, k] -= s[u.wire[S.p, k]] / u.p[P.ratio, k] / u.p[P.t_s, k] * h_s
    return False


class ReecC(ElectricalControl):
    """Electrical control of a battery's converter."""

    params_type = ReecCParams
    writes = ("ipcmd", "iqcmd", "soc_pu")
    memory = ("soc",)
    rhs = staticmethod(rhs)
    after = staticmethod(after)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Set the references so that the converter's powers stand, and the charge."""
        super().start(u, x, s, site)
        u.z[Z.soc] = u.p[P.socini_pu]
        s[u.wire[S.soc_pu]] = u.p[P.socini_pu]

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse limits in the wrong order."""
        return [*super().findings(params), *not_below(params, [("socmin_pu", "socmax_pu")])]


DEVICE = ReecC
