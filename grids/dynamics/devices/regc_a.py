r"""REGC_A: converter of a renewable source or battery as a current source at the terminal voltage's angle.

.. math::
    T_g\dot i_p &= I_{pcmd} - i_p, \quad \dot i_p \le r_{rpwr}, \quad i_p \le L_{VPL}(V_f) \\
    T_g\dot i_q &= I_{qcmd} - i_q, \quad I_{qrmin} \le \dot i_q \le I_{qrmax} \\
    i &= \bigl(i_p L_{VACM}(V) - j\max(i_q - K_{hv}\max(V-V_{olim},0), I_{olim})\bigr)e^{j\theta}

with :math:`T_{fltr}\dot V_f = V - V_f`; the reactive rate limit upwards holds where the operating point
delivers reactive power, downwards where it absorbs it. `ipcmd` and `iqcmd` [pu of the rating, > 0 delivers]
come from REEC_A or REEC_C; without one they stay what they were, and can be set from outside. The reactive
command has the sign of the delivery (the block diagram's minus sign stands between). [1]_

Below 0.01 pu the current falls with the voltage: there is no angle to follow in a bolted fault. The inner
current loop and the phase-locked loop are not in this model, so a very weak connection (short-circuit ratio
below about 3, (unconfirmed)) is outside its range.

References
----------
.. [1] P. Pourbeik et al., "Generic Dynamic Models for Modeling Wind Power Plants and Other Renewable
   Technologies in Large-Scale Power System Studies", *IEEE Trans. Energy Convers.* 32(3), 2017; WECC,
   *Solar PV Plant Modeling and Validation Guideline*; ANDES 2.0 `regca1.py`, which limits
   :math:`T_g\dot i` where the specification limits :math:`\dot i`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, not_below, rows
from grids.dynamics.kernels.blocks import held, lag_rate
from grids.dynamics.kernels.converters import (
    UNLIMITED_PU_PER_S,
    limited,
    polar_current,
    ramp_between,
)
from grids.numbers import Complexes

FREE_PU = 1e4
"""Current limit where the low-voltage power logic does not limit."""


class RegcAParams(Params):
    """One converter, per unit of its rating."""

    sn_mva: float = Field(gt=0, description="rating, base of all per-unit values here")
    tg_s: float = Field(default=0.02, gt=0, description="lag of the current control")
    rrpwr_pu_per_s: float = Field(default=10, gt=0, description="largest rise of the active current")
    lvplsw_code: int = Field(default=1, ge=0, le=1, description="1: low-voltage power logic is on")
    zerox_pu: float = Field(default=0.4, ge=0, description="LVPL: voltage at which the limit is zero")
    brkpt_pu: float = Field(default=0.9, gt=0, description="LVPL: voltage above which there is no limit")
    lvpl1_pu: float = Field(default=1.22, gt=0, description="LVPL: limit at `brkpt_pu`")
    tfltr_s: float = Field(default=0.02, ge=0, description="LVPL: filter of the voltage")
    lvpnt0_pu: float = Field(
        default=0.4, ge=0, description="LVACM: voltage below which no active current flows"
    )
    lvpnt1_pu: float = Field(default=0.8, gt=0, description="LVACM: voltage above which all of it flows")
    volim_pu: float = Field(
        default=1.2, gt=0, description="HVRCM: voltage above which reactive power is absorbed"
    )
    khv_pu: float = Field(default=0.7, ge=0, description="HVRCM: reactive current per overvoltage")
    iolim_pu: float = Field(default=-1.3, lt=0, description="smallest (most absorbing) reactive current")
    iqrmax_pu_per_s: float = Field(default=999, gt=0, description="largest rise of the reactive current")
    iqrmin_pu_per_s: float = Field(default=-999, lt=0, description="fastest fall of the reactive current")


DERIVED = ("ratio", "rise", "fall")
STATES = ("ip", "iq", "vf")
READS = ("ipcmd", "iqcmd")
WRITES = ("p", "q", "vm")

P: Any = rows(RegcAParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)


@jit
def _ceiling(u: Block, vf: float, k: int) -> Any:
    """Return the largest active current the low-voltage power logic allows [pu of the rating]."""
    if u.p[P.lvplsw_code, k] == 0.0 or vf > u.p[P.brkpt_pu, k]:
        return FREE_PU
    return ramp_between(vf, u.p[P.zerox_pu, k], 0.0, u.p[P.brkpt_pu, k], u.p[P.lvpl1_pu, k])


@jit
def _sensed(u: Block, x: Floats, vm: float, k: int) -> Any:
    return x[X.vf, k] if u.p[P.tfltr_s, k] > 0.0 else vm


@jit
def _current(u: Block, x: Floats, at: Any, k: int) -> Any:
    """Return the current into the bus [pu of the system]."""
    vm = abs(at)
    gain = ramp_between(vm, u.p[P.lvpnt0_pu, k], 0.0, u.p[P.lvpnt1_pu, k], 1.0)
    ip = min(x[X.ip, k], _ceiling(u, _sensed(u, x, vm, k), k)) * gain
    over = u.p[P.khv_pu, k] * max(vm - u.p[P.volim_pu, k], 0.0)
    iq = max(x[X.iq, k] - over, u.p[P.iolim_pu, k])
    return polar_current(at, ip, iq) * u.p[P.ratio, k]


@jit
def inject(u: Block, x: Floats, v: Complexes, w: Floats, current: Complexes) -> None:
    """Add the current of each converter [pu]."""
    for k in range(u.port.size):
        if u.on[k]:
            current[u.port[k]] += _current(u, x, v[u.port[k]], k)


@jit
def measure(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats) -> None:
    """Write powers [pu of the system] and voltage at the terminals."""
    for k in range(u.port.size):
        at = v[u.port[k]]
        i = _current(u, x, at, k) if u.on[k] else complex(0.0, 0.0)
        power = at * i.conjugate()
        s[u.wire[S.p, k]] = power.real
        s[u.wire[S.q, k]] = power.imag
        s[u.wire[S.vm, k]] = abs(at)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the derivatives [1/s]."""
    for k in range(u.port.size):
        vm, tg = abs(v[u.port[k]]), u.p[P.tg_s, k]
        live = 1.0 if u.on[k] else 0.0
        top = _ceiling(u, _sensed(u, x, vm, k), k)
        ip = limited(lag_rate(s[u.wire[S.ipcmd, k]], x[X.ip, k], tg), -1e9, u.p[P.rrpwr_pu_per_s, k])
        iq = limited(lag_rate(s[u.wire[S.iqcmd, k]], x[X.iq, k], tg), u.p[P.fall, k], u.p[P.rise, k])
        dx[X.ip, k] = live * held(ip, x[X.ip, k], -1e9, top)
        dx[X.iq, k] = live * iq
        dx[X.vf, k] = live * lag_rate(vm, x[X.vf, k], u.p[P.tfltr_s, k])


@jit
def after(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, t_s: float, h_s: float) -> bool:
    """Bring the active current down to its ceiling, from which it ramps up again; never asks to act."""
    for k in range(u.port.size):
        x[X.ip, k] = min(x[X.ip, k], _ceiling(u, _sensed(u, x, abs(v[u.port[k]]), k), k))
    return False


class RegcA(Device):
    """Converter that follows current commands."""

    params_type = RegcAParams
    role = "converter"
    carries_power = True
    tables = ("sgen", "gen", "ext_grid", "load", "storage")
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    measured = WRITES
    inject = staticmethod(inject)
    measure = staticmethod(measure)
    rhs = staticmethod(rhs)
    after = staticmethod(after)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Find the currents of the operating point, and the commands that keep them."""
        p = u.p
        p[P.ratio] = p[P.sn_mva] / site.base_mva
        vm = np.abs(site.v_pu)
        gain = np.clip((vm - p[P.lvpnt0_pu]) / (p[P.lvpnt1_pu] - p[P.lvpnt0_pu]), 1e-6, 1.0)
        q = site.s_pu.imag / p[P.ratio]
        x[X.ip] = site.s_pu.real / p[P.ratio] / vm / gain
        x[X.iq] = q / vm + p[P.khv_pu] * np.maximum(vm - p[P.volim_pu], 0.0)
        x[X.vf] = vm
        p[P.rise] = np.where(q > 0.0, p[P.iqrmax_pu_per_s], 1e9)
        p[P.fall] = np.where(q < 0.0, p[P.iqrmin_pu_per_s], -1e9)
        s[u.wire[S.ipcmd]], s[u.wire[S.iqcmd]] = x[X.ip], x[X.iq]

    @classmethod
    def nonlinear(cls, u: Block) -> bool:
        """Return True: the current turns with the voltage."""
        return True

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the plain lags; a current whose rate is limited is none."""
        tg = u.p[P.tg_s]
        free_p = u.p[P.rrpwr_pu_per_s] >= UNLIMITED_PU_PER_S
        return {
            "ip": np.where(free_p, tg, 0.0),
            "iq": np.where(_free_q(u), tg, 0.0),
            "vf": u.p[P.tfltr_s],
        }

    @classmethod
    def time_constants(cls, u: Block) -> dict[str, Floats]:
        """Return the current control's where its rate is limited."""
        free = (u.p[P.rrpwr_pu_per_s] >= UNLIMITED_PU_PER_S) & _free_q(u)
        return {"tg_s": np.where(free, 0.0, u.p[P.tg_s])}

    @classmethod
    def demands(
        cls, u: Block, x: Floats, v: Complexes, s: Floats
    ) -> dict[str, tuple[Floats, Floats, Floats]]:
        """Return the voltage, which must leave active and reactive current alone [pu]."""
        return {"voltage (lvpnt1_pu, volim_pu)": (np.abs(v[u.port]), u.p[P.lvpnt1_pu], u.p[P.volim_pu])}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse characteristics that run backwards."""
        pairs = (("zerox_pu", "brkpt_pu"), ("lvpnt0_pu", "lvpnt1_pu"))
        return not_below(params, pairs)


def _free_q(u: Block) -> Any:
    return (u.p[P.rise] >= UNLIMITED_PU_PER_S) & (u.p[P.fall] <= -UNLIMITED_PU_PER_S)


DEVICE = RegcA
