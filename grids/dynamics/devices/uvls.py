r"""UVLS: under-voltage load shedding of one load, in three stages.

A stage sheds its share of the load once the voltage, behind a lag, has been below its threshold without a
break for its delay. Delays must outlast faults, which the relay cannot tell from a slow collapse; below
`vblock_pu` it does not count. Shares are of the load as it was before the first stage. [1]_

References
----------
.. [1] C. W. Taylor, *Power System Voltage Stability*, 1994, section 7.4; settings are regional, the
   defaults are (unconfirmed).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, rows
from grids.dynamics.kernels.blocks import lag, lag_rate
from grids.dynamics.kernels.relays import below_s, expired
from grids.dynamics.protection import DUE, falling, shed_due, too_much
from grids.numbers import Complexes


class UvlsParams(Params):
    """Stages of one load; a share of 0 leaves a stage out. Defaults (unconfirmed)."""

    tv_s: float = Field(default=0.02, ge=0, description="lag of the voltage measurement")
    vblock_pu: float = Field(default=0.3, ge=0, lt=1, description="voltage below which a fault is assumed")
    v1_pu: float = Field(default=0.9, gt=0, description="threshold of stage 1")
    t1_s: float = Field(default=3.0, ge=0, description="its delay")
    share1_pu: float = Field(default=0.05, ge=0, le=1, description="its share of the load")
    v2_pu: float = Field(default=0.87, gt=0, description="threshold of stage 2")
    t2_s: float = Field(default=3.0, ge=0, description="its delay")
    share2_pu: float = Field(default=0.05, ge=0, le=1, description="its share of the load")
    v3_pu: float = Field(default=0.84, gt=0, description="threshold of stage 3")
    t3_s: float = Field(default=3.0, ge=0, description="its delay")
    share3_pu: float = Field(default=0.05, ge=0, le=1, description="its share of the load")


STAGES = 3
WIDTH = 3
"""Columns a stage has: threshold, delay, share."""

STATES = ("vm",)
WRITES = ("uvls_shed_pu",)
MEMORY = ("before", "left", "timer1", "timer2", "timer3", "done1", "done2", "done3")

P: Any = rows(UvlsParams)
X: Any = rows(STATES)
S: Any = rows(WRITES)
Z: Any = rows(MEMORY)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the share shed so far [pu], and how the measured voltage follows."""
    for k in range(u.port.size):
        s[u.wire[S.uvls_shed_pu, k]] = 1.0 - u.z[Z.left, k]
        dx[X.vm, k] = lag_rate(abs(v[u.port[k]]), x[X.vm, k], u.p[P.tv_s, k])


@jit
def after(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, t_s: float, h_s: float) -> bool:
    """Count the time below each threshold; True when a stage operates."""
    due = False
    for k in range(u.port.size):
        if not u.on[k]:
            continue
        now = lag(abs(v[u.port[k]]), x[X.vm, k], u.p[P.tv_s, k])
        for i in range(STAGES):
            if u.p[P.share1_pu + WIDTH * i, k] <= 0.0 or u.z[Z.done1 + i, k] > 0.0:
                continue
            threshold = u.p[P.v1_pu + WIDTH * i, k]
            timer = below_s(u.z[Z.timer1 + i, k], u.z[Z.before, k], now, threshold, h_s)
            u.z[Z.timer1 + i, k] = 0.0 if now < u.p[P.vblock_pu, k] else timer
            if expired(u.z[Z.timer1 + i, k], u.p[P.t1_s + WIDTH * i, k]):
                u.z[Z.done1 + i, k] = DUE
                due = True
        u.z[Z.before, k] = now
    return due


class Uvls(Device):
    """Under-voltage load shedding."""

    params_type = UvlsParams
    role = "uvls"
    tables = ("load",)
    states = STATES
    writes = WRITES
    memory = MEMORY
    rhs = staticmethod(rhs)
    after = staticmethod(after)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Measure the voltage of the operating point."""
        x[X.vm] = np.abs(site.v_pu)
        u.z[Z.before], u.z[Z.left] = np.abs(site.v_pu), 1.0

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the lag of the measurement."""
        return {"vm": u.p[P.tv_s]}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse stages out of order, and more than the whole load."""
        shares = [getattr(params, f"share{n}_pu") for n in (1, 2, 3)]
        stages = [(f"v{n}_pu", getattr(params, f"v{n}_pu"), shares[n - 1] > 0.0) for n in (1, 2, 3)]
        return [*falling(stages), *too_much(shares)]

    @classmethod
    def act(cls, u: Block, session: Any) -> None:
        """Shed what the stages that are due stand for."""

        def told(i: int, k: int) -> tuple[str, str]:
            return f"uvls stage {i + 1}", f"{u.z[Z.before, k]:.3f} pu"

        shares = u.p[P.share1_pu : P.share1_pu + WIDTH * STAGES : WIDTH]
        shed_due(session, u, told, left=u.z[Z.left], done=u.z[Z.done1 :], shares=shares)


DEVICE = Uvls
