r"""UFLS: under-frequency load shedding of one load, in six stages and a slow special one.

A stage sheds its share of the load once the frequency at the bus has been below its threshold without a
break for its delay; the special stage lifts a frequency that stays low after the others have acted. Shares
are of the load as it was before the first stage. While the voltage is below `vblock_pu` the relay neither
counts nor acts. The frequency is that of the bus voltage's angle behind a lag,
:math:`f = f_0(1 + (\theta - x)/(\Omega T_f))` with :math:`\dot x = (\theta - x)/T_f`: a frequency that falls
evenly is measured :math:`T_f` late. [1]_

References
----------
.. [1] P. Kundur, *Power System Stability and Control*, 1994, section 11.1.7. Thresholds, delays and shares
   are regional; the defaults follow what is usual under DL/T 428 and GB/T 40596 (unconfirmed).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, rows
from grids.dynamics.kernels.relays import angle_lead, below_s, expired, frequency_pu
from grids.dynamics.protection import DUE, FrequencyMeter, check_thresholds, falling, shed_due, too_much
from grids.numbers import Complexes


class UflsParams(FrequencyMeter):
    """Stages of one load; a share of 0 leaves a stage out. Defaults for 50 Hz (unconfirmed)."""

    f1_hz: float = Field(default=49.0, description="threshold of stage 1")
    t1_s: float = Field(default=0.2, ge=0, description="its delay")
    share1_pu: float = Field(default=0.05, ge=0, le=1, description="its share of the load")
    f2_hz: float = Field(default=48.75, description="threshold of stage 2")
    t2_s: float = Field(default=0.2, ge=0, description="its delay")
    share2_pu: float = Field(default=0.05, ge=0, le=1, description="its share of the load")
    f3_hz: float = Field(default=48.5, description="threshold of stage 3")
    t3_s: float = Field(default=0.2, ge=0, description="its delay")
    share3_pu: float = Field(default=0.05, ge=0, le=1, description="its share of the load")
    f4_hz: float = Field(default=48.25, description="threshold of stage 4")
    t4_s: float = Field(default=0.2, ge=0, description="its delay")
    share4_pu: float = Field(default=0.05, ge=0, le=1, description="its share of the load")
    f5_hz: float = Field(default=48.0, description="threshold of stage 5")
    t5_s: float = Field(default=0.2, ge=0, description="its delay")
    share5_pu: float = Field(default=0.05, ge=0, le=1, description="its share of the load")
    f6_hz: float = Field(default=47.75, description="threshold of stage 6")
    t6_s: float = Field(default=0.2, ge=0, description="its delay")
    share6_pu: float = Field(default=0, ge=0, le=1, description="its share of the load")
    fspecial_hz: float = Field(default=49.25, description="threshold of the special stage")
    tspecial_s: float = Field(default=20.0, ge=0, description="its delay")
    sharespecial_pu: float = Field(default=0, ge=0, le=1, description="its share of the load")


NAMES = ("1", "2", "3", "4", "5", "6", "special")
STAGES = len(NAMES)
WIDTH = 3
"""Columns a stage has: threshold, delay, share."""

DERIVED = ("omega_base",)
STATES = ("angle",)
WRITES = ("ufls_f_pu", "ufls_shed_pu")
MEMORY = ("before", "left", *(f"timer{n}" for n in NAMES), *(f"done{n}" for n in NAMES))

P: Any = rows(UflsParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(WRITES)
Z: Any = rows(MEMORY)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the measured frequency [pu], the share shed so far [pu], and how the kept angle follows."""
    for k in range(u.port.size):
        at = v[u.port[k]]
        lead = angle_lead(at, x[X.angle, k])
        live = 1.0 if u.on[k] and abs(at) > 0.0 else 0.0
        s[u.wire[S.ufls_f_pu, k]] = 1.0 + live * (
            frequency_pu(lead, u.p[P.tf_s, k], u.p[P.omega_base, k]) - 1.0
        )
        s[u.wire[S.ufls_shed_pu, k]] = 1.0 - u.z[Z.left, k]
        dx[X.angle, k] = live * lead / u.p[P.tf_s, k]


@jit
def after(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, t_s: float, h_s: float) -> bool:
    """Count the time below each threshold; True when a stage operates."""
    due = False
    for k in range(u.port.size):
        if not u.on[k]:
            continue
        at, omega = v[u.port[k]], u.p[P.omega_base, k]
        now = frequency_pu(angle_lead(at, x[X.angle, k]), u.p[P.tf_s, k], omega) * omega / (2.0 * np.pi)
        blocked = abs(at) <= u.p[P.vblock_pu, k]
        for i in range(STAGES):
            if u.p[P.share1_pu + WIDTH * i, k] <= 0.0 or u.z[Z.done1 + i, k] > 0.0:
                continue
            threshold = u.p[P.f1_hz + WIDTH * i, k]
            timer = below_s(u.z[Z.timer1 + i, k], u.z[Z.before, k], now, threshold, h_s)
            u.z[Z.timer1 + i, k] = 0.0 if blocked else timer
            if expired(u.z[Z.timer1 + i, k], u.p[P.t1_s + WIDTH * i, k]):
                u.z[Z.done1 + i, k] = DUE
                due = True
        u.z[Z.before, k] = now
    return due


class Ufls(Device):
    """Under-frequency load shedding."""

    params_type = UflsParams
    role = "ufls"
    tables = ("load",)
    derived = DERIVED
    states = STATES
    writes = WRITES
    angles = ("angle",)
    memory = MEMORY
    rhs = staticmethod(rhs)
    after = staticmethod(after)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Measure nominal frequency."""
        settings = [
            (f"f{n}_hz", u.p[P.f1_hz + WIDTH * i], u.p[P.share1_pu + WIDTH * i]) for i, n in _stages()
        ]
        check_thresholds("ufls", site, settings)
        u.p[P.omega_base] = site.omega_base
        x[X.angle] = np.angle(site.v_pu)
        u.z[Z.before], u.z[Z.left] = site.omega_base / (2.0 * np.pi), 1.0

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the lag of the measurement."""
        return {"angle": u.p[P.tf_s]}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse stages out of order, and more than the whole load."""
        shares = [getattr(params, f"share{n}_pu") for n in NAMES]
        basic = [(f"f{n}_hz", getattr(params, f"f{n}_hz"), shares[i] > 0.0) for i, n in _stages()[:-1]]
        return [*falling(basic), *too_much(shares)]

    @classmethod
    def act(cls, u: Block, session: Any) -> None:
        """Shed what the stages that are due stand for."""

        def told(i: int, k: int) -> tuple[str, str]:
            stage = f"stage {NAMES[i]}" if NAMES[i].isdigit() else f"{NAMES[i]} stage"
            return f"ufls {stage}", f"{u.z[Z.before, k]:.3f} Hz"

        shares = u.p[P.share1_pu : P.share1_pu + WIDTH * STAGES : WIDTH]
        shed_due(session, u, told, left=u.z[Z.left], done=u.z[Z.done1 :], shares=shares)


def _stages() -> list[tuple[int, str]]:
    return list(enumerate(NAMES))


DEVICE = Ufls
