r"""REEC_A: electrical control of a wind or solar converter, from power references to current commands.

.. math::
    \dot p &= (P_{set} + P_{ext} - p)/T_{pfilt}, \quad dP_{min} \le \dot p \le dP_{max}; \qquad
    T_{pord}\dot P_{ord} = p - P_{ord}, \quad P_{min} \le P_{ord} \le P_{max} \\
    I_{pcmd} &= P_{ord}/V, \qquad I_{qcmd} = I_Q + I_{qinj}

:math:`I_Q` is, with `qflag_code = 0`, the lag :math:`T_{iq}` of :math:`Q_{ref}/V`; with 1 a PI
controller of the voltage whose reference is the set-point `v_set_pu` plus `qext` (`vflag_code = 0`) or
the output of a PI controller of :math:`Q_{ref}-Q` (1). :math:`Q_{ref}` is `q_set_mvar` plus `qext`, or
keeps the power factor of the operating point (`pfflag_code = 1`). Outside `vdip_pu .. vup_pu` the
integrators and :math:`P_{ord}` stand still and :math:`I_{qinj} = K_{qv}\,\mathrm{db}(V_{ref0}-V_f)`;
after the dip it stays at `iqfrz_pu` for `thld_s` (or continues for `-thld_s` where that is negative),
and the active limit stays what it was for `thld2_s`.

Limits: :math:`I_{qmax} = \min(VDL_1(V_f), I_{max})`, :math:`I_{pmax} = \min(VDL_2(V_f), I_{max})`, and
what has no priority (`pqflag_code` 1: active first) gets at most :math:`\sqrt{I_{max}^2 - i^2}`. A
table whose voltages do not rise is not in service. [1]_

The speed of a turbine (PFLAG) is not in the model, and the voltage is that of the own terminals. Powers are
divided by `V`, as in ANDES; PSS/E and Dynawo divide by the filtered :math:`V_f`.

References
----------
.. [1] P. Pourbeik et al., *IEEE Trans. Energy Convers.* 32(3), 2017; EPRI, *Model User Guide for Generic
   Renewable Energy System Models*; ANDES 2.0 `reeca1.py`. ANDES holds the whole output of a PI controller
   in a dip, not its integrator alone, and leaves the second table out with reactive priority.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, not_below, parameter_names, rows
from grids.dynamics.kernels.blocks import clip, dead_band, held, lag, lag_rate
from grids.dynamics.kernels.converters import (
    UNLIMITED_PU_PER_S,
    limited,
    pi_rate,
    ramp_between,
    rest_of_circle,
)
from grids.numbers import Complexes

LEAST_PU = 0.01
"""Voltage a power is divided by at least."""


class ElectricalControlParams(Params):
    """What REEC_A and REEC_C have in common, per unit of the converter's rating."""

    pfflag_code: int = Field(default=0, ge=0, le=1, description="1: constant power factor, 0: Q reference")
    vflag_code: int = Field(default=0, ge=0, le=1, description="1: Q controller sets the voltage reference")
    qflag_code: int = Field(default=0, ge=0, le=1, description="1: voltage controller, 0: Q divided by V")
    pqflag_code: int = Field(
        default=0, ge=0, le=1, description="current limit, 1: active first, 0: reactive first"
    )
    vdip_pu: float = Field(default=0.85, description="voltage below which a dip is seen")
    vup_pu: float = Field(default=1.2, gt=0, description="voltage above which a swell is seen")
    trv_s: float = Field(default=0.02, ge=0, description="filter of the voltage")
    dbd1_pu: float = Field(default=-0.05, le=0, description="dead-band of the injection, overvoltage side")
    dbd2_pu: float = Field(default=0.05, ge=0, description="dead-band of the injection, undervoltage side")
    kqv_pu: float = Field(default=2, ge=0, description="injected reactive current per voltage")
    iqh1_pu: float = Field(default=1.05, ge=0, description="largest injected current")
    iql1_pu: float = Field(default=-1.05, le=0, description="smallest injected current")
    vref0_pu: float = Field(
        default=0, ge=0, description="reference of the injection; 0: the operating point's"
    )
    tp_s: float = Field(default=0.05, ge=0, description="filter of the power (constant power factor)")
    qmax_pu: float = Field(default=0.436, description="largest Q reference")
    qmin_pu: float = Field(default=-0.436, description="smallest Q reference")
    vmax_pu: float = Field(default=1.1, gt=0, description="largest voltage reference")
    vmin_pu: float = Field(default=0.9, description="smallest voltage reference")
    kqp_pu: float = Field(default=0, ge=0, description="proportional gain of the Q controller")
    kqi_per_s: float = Field(default=0.1, ge=0, description="integral gain of the Q controller")
    kvp_pu: float = Field(default=0, ge=0, description="proportional gain of the voltage controller")
    kvi_per_s: float = Field(default=40, ge=0, description="integral gain of the voltage controller")
    tiq_s: float = Field(default=0.02, ge=0, description="lag of Q divided by V")
    tpfilt_s: float = Field(default=0.02, gt=0, description="lag whose rate the ramp limits hold")
    dpmax_pu_per_s: float = Field(default=999, gt=0, description="fastest rise of the power reference")
    dpmin_pu_per_s: float = Field(default=-999, lt=0, description="fastest fall of the power reference")
    pmax_pu: float = Field(default=1, description="largest power order")
    pmin_pu: float = Field(default=0, description="smallest power order")
    imax_pu: float = Field(default=1.11, gt=0, description="largest current")
    tpord_s: float = Field(default=0.02, ge=0, description="lag of the power order")
    vq1_pu: float = Field(default=0, ge=0, description="reactive limit: voltage of point 1")
    iq1_pu: float = Field(default=0, ge=0, description="reactive limit: current of point 1")
    vq2_pu: float = Field(default=0, ge=0, description="reactive limit: voltage of point 2")
    iq2_pu: float = Field(default=0, ge=0, description="reactive limit: current of point 2")
    vq3_pu: float = Field(default=0, ge=0, description="reactive limit: voltage of point 3")
    iq3_pu: float = Field(default=0, ge=0, description="reactive limit: current of point 3")
    vq4_pu: float = Field(default=0, ge=0, description="reactive limit: voltage of point 4")
    iq4_pu: float = Field(default=0, ge=0, description="reactive limit: current of point 4")
    vp1_pu: float = Field(default=0, ge=0, description="active limit: voltage of point 1")
    ip1_pu: float = Field(default=0, ge=0, description="active limit: current of point 1")
    vp2_pu: float = Field(default=0, ge=0, description="active limit: voltage of point 2")
    ip2_pu: float = Field(default=0, ge=0, description="active limit: current of point 2")
    vp3_pu: float = Field(default=0, ge=0, description="active limit: voltage of point 3")
    ip3_pu: float = Field(default=0, ge=0, description="active limit: current of point 3")
    vp4_pu: float = Field(default=0, ge=0, description="active limit: voltage of point 4")
    ip4_pu: float = Field(default=0, ge=0, description="active limit: current of point 4")


class ReecAParams(ElectricalControlParams):
    """One wind or solar converter's control, per unit of its rating."""

    iqfrz_pu: float = Field(default=0, description="injected current held after a dip")
    thld_s: float = Field(default=0, description="how long it is held (> 0), or the injection goes on (< 0)")
    thld2_s: float = Field(default=0, ge=0, description="how long the active limit is held after a dip")


DERIVED = ("own_mva", "ratio", "vref0", "slope")
STATES = ("vf", "pf", "qpi", "vpi", "iq", "pref", "pord")
READS = ("p", "q", "pext", "qext", "p_set_mw", "q_set_mvar", "v_set_pu")
WRITES = ("ipcmd", "iqcmd")
MEMORY = ("ipmax", "held_ipmax", "injection_left_s", "limit_left_s")

C: Any = rows(ElectricalControlParams)
D: Any = rows(DERIVED)
P: Any = rows(ReecAParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)
Z: Any = rows(MEMORY)
A_DERIVED = len(parameter_names(ReecAParams))
"""First derived row of REEC_A."""


@jit
def _table(u: Block, first: int, v: float, k: int) -> Any:
    """Return the current limit of a table of four points, the largest current where it is not in service."""
    p = u.p
    if not p[first, k] < p[first + 2, k] < p[first + 4, k] < p[first + 6, k]:
        return p[C.imax_pu, k]
    for i in (first + 4, first + 2, first):
        if v >= p[i, k] or i == first:
            found = ramp_between(v, p[i, k], p[i + 1, k], p[i + 2, k], p[i + 3, k])
            return min(found, p[C.imax_pu, k])
    return p[C.imax_pu, k]


@jit
def in_dip(u: Block, vm: float, k: int) -> Any:
    """Say whether the terminal voltage is outside the band of normal control."""
    return vm < u.p[C.vdip_pu, k] or vm > u.p[C.vup_pu, k]


@jit
def injection(u: Block, x: Floats, vm: float, k: int, d: int) -> Any:
    """Return the additional reactive current for the voltage deviation [pu of the rating]."""
    vf = lag(vm, x[X.vf, k], u.p[C.trv_s, k])
    error = dead_band(u.p[d + D.vref0, k] - vf, u.p[C.dbd1_pu, k], u.p[C.dbd2_pu, k])
    return clip(u.p[C.kqv_pu, k] * error, u.p[C.iql1_pu, k], u.p[C.iqh1_pu, k])


@jit
def _q_order(u: Block, x: Floats, vm: float, s: Floats, dx: Floats, k: int, d: int, iqmax: float) -> Any:
    """Return the reactive current before the injection, and write the rates of its controllers."""
    p = u.p
    vf, vp = lag(vm, x[X.vf, k], p[C.trv_s, k]), max(vm, LEAST_PU)
    free = 0.0 if in_dip(u, vm, k) else 1.0
    if p[C.pfflag_code, k] == 1.0:
        given = lag(s[u.wire[S.p, k]] / p[d + D.ratio, k], x[X.pf, k], p[C.tp_s, k]) * p[d + D.slope, k]
    else:
        given = s[u.wire[S.q_set_mvar, k]] / p[d + D.own_mva, k] + s[u.wire[S.qext, k]]
    given = clip(given, p[C.qmin_pu, k], p[C.qmax_pu, k])
    dx[X.iq, k] = free * lag_rate(given / vp, x[X.iq, k], p[C.tiq_s, k])
    dx[X.qpi, k] = 0.0
    dx[X.vpi, k] = 0.0
    if p[C.qflag_code, k] == 0.0:
        return lag(given / vp, x[X.iq, k], p[C.tiq_s, k])
    low, high = p[C.vmin_pu, k], p[C.vmax_pu, k]
    if p[C.vflag_code, k] == 1.0:
        miss = given - s[u.wire[S.q, k]] / p[d + D.ratio, k]
        wanted = p[C.kqp_pu, k] * miss + x[X.qpi, k]
        dx[X.qpi, k] = free * pi_rate(miss, p[C.kqi_per_s, k], wanted, low, high)
    else:
        wanted = s[u.wire[S.v_set_pu, k]] + s[u.wire[S.qext, k]]
    error = clip(wanted, low, high) - vf
    raw = p[C.kvp_pu, k] * error + x[X.vpi, k]
    dx[X.vpi, k] = free * pi_rate(error, p[C.kvi_per_s, k], raw, -iqmax, iqmax)
    return clip(raw, -iqmax, iqmax)


@jit
def _p_order(u: Block, x: Floats, vm: float, s: Floats, dx: Floats, k: int, d: int) -> Any:
    """Return the power order [pu of the rating], and write the rates of its filters."""
    p = u.p
    given = s[u.wire[S.p_set_mw, k]] / p[d + D.own_mva, k] + s[u.wire[S.pext, k]]
    rate = lag_rate(given, x[X.pref, k], p[C.tpfilt_s, k])
    dx[X.pref, k] = limited(rate, p[C.dpmin_pu_per_s, k], p[C.dpmax_pu_per_s, k])
    low, high = p[C.pmin_pu, k], p[C.pmax_pu, k]
    free = 0.0 if in_dip(u, vm, k) else 1.0
    rate = lag_rate(x[X.pref, k], x[X.pord, k], p[C.tpord_s, k])
    dx[X.pord, k] = free * held(rate, x[X.pord, k], low, high)
    return clip(lag(x[X.pref, k], x[X.pord, k], p[C.tpord_s, k]), low, high)


@jit
def commands(
    u: Block,
    x: Floats,
    vm: float,
    s: Floats,
    dx: Floats,
    k: int,
    d: int,
    extra: float,
    bounds: tuple[float, float, float],
) -> Any:
    """Write the current commands [pu of the rating] and all rates; return the largest active current.

    `d` is the first derived row; `bounds` are the share of the limit that may be absorbed, the share that
    may be delivered, and the active limit held from before (negative: none).
    """
    p = u.p
    vf = lag(vm, x[X.vf, k], p[C.trv_s, k])
    most_q, most_p = _table(u, C.vq1_pu, vf, k), _table(u, C.vp1_pu, vf, k)
    if bounds[2] >= 0.0:
        most_p = bounds[2]
    ip = _p_order(u, x, vm, s, dx, k, d) / max(vm, LEAST_PU)
    if p[C.pqflag_code, k] == 1.0:
        ip = clip(ip, -bounds[0] * most_p, bounds[1] * most_p)
        most_q = min(most_q, rest_of_circle(p[C.imax_pu, k], ip))
    iq = clip(_q_order(u, x, vm, s, dx, k, d, most_q) + extra, -most_q, most_q)
    if p[C.pqflag_code, k] == 0.0:
        if bounds[2] < 0.0:
            most_p = min(most_p, rest_of_circle(p[C.imax_pu, k], iq))
        ip = clip(ip, -bounds[0] * most_p, bounds[1] * most_p)
    dx[X.vf, k] = lag_rate(vm, x[X.vf, k], p[C.trv_s, k])
    dx[X.pf, k] = lag_rate(s[u.wire[S.p, k]] / p[d + D.ratio, k], x[X.pf, k], p[C.tp_s, k])
    s[u.wire[S.ipcmd, k]], s[u.wire[S.iqcmd, k]] = ip, iq
    return most_p


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the current commands [pu of the rating] and the derivatives [1/s]."""
    for k in range(u.port.size):
        vm = abs(v[u.port[k]])
        dip, extra, kept = in_dip(u, vm, k), 0.0, -1.0
        if dip or (u.z[Z.injection_left_s, k] > 0.0 and u.p[P.thld_s, k] < 0.0):
            extra = injection(u, x, vm, k, A_DERIVED)
        elif u.z[Z.injection_left_s, k] > 0.0:
            extra = u.p[P.iqfrz_pu, k]
        if not dip and u.z[Z.limit_left_s, k] > 0.0:
            kept = u.z[Z.held_ipmax, k]
        u.z[Z.ipmax, k] = commands(u, x, vm, s, dx, k, A_DERIVED, extra, (0.0, 1.0, kept))
        if not u.on[k]:
            for i in range(x.shape[0]):
                dx[i, k] = 0.0


@jit
def after(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, t_s: float, h_s: float) -> bool:
    """Count down what is held after a dip; never asks to act."""
    for k in range(u.port.size):
        if in_dip(u, abs(v[u.port[k]]), k):
            u.z[Z.injection_left_s, k] = abs(u.p[P.thld_s, k])
            u.z[Z.limit_left_s, k] = u.p[P.thld2_s, k]
            u.z[Z.held_ipmax, k] = u.z[Z.ipmax, k]
        else:
            u.z[Z.injection_left_s, k] = max(u.z[Z.injection_left_s, k] - h_s, 0.0)
            u.z[Z.limit_left_s, k] = max(u.z[Z.limit_left_s, k] - h_s, 0.0)
    return False


class ElectricalControl(Device):
    """What the electrical controls have in common: how they start, and their lags and limits."""

    role = "electrical_control"
    tables = ("sgen", "gen", "ext_grid", "load", "storage")
    derived = DERIVED
    states = STATES
    reads = READS

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Set the references so that the converter's powers stand."""
        p, d, vm = u.p, len(parameter_names(cls.params_type)), np.abs(site.v_pu)
        p[d + D.own_mva] = site.element_mva
        p[d + D.ratio] = site.element_mva / site.base_mva
        p[d + D.vref0] = np.where(p[C.vref0_pu] > 0.0, p[C.vref0_pu], vm)
        power = site.s_pu / p[d + D.ratio]
        real = np.where(np.abs(power.real) > 1e-9, power.real, 1.0)
        p[d + D.slope] = np.where(np.abs(power.real) > 1e-9, power.imag / real, 0.0)
        x[X.vf], x[X.pf], x[X.qpi] = vm, power.real, vm
        x[X.vpi], x[X.iq] = power.imag / vm, power.imag / vm
        x[X.pref], x[X.pord] = power.real, power.real
        s[u.wire[S.p_set_mw]] = site.s_pu.real * site.base_mva
        s[u.wire[S.q_set_mvar]] = site.s_pu.imag * site.base_mva
        s[u.wire[S.v_set_pu]] = vm

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the plain lags; a reference whose rate is limited is none."""
        names = (("vf", C.trv_s), ("pf", C.tp_s), ("iq", C.tiq_s), ("pord", C.tpord_s))
        return {name: u.p[row] for name, row in names} | {"pref": np.where(_free(u), u.p[C.tpfilt_s], 0.0)}

    @classmethod
    def time_constants(cls, u: Block) -> dict[str, Floats]:
        """Return that of the power reference where its rate is limited."""
        return {"tpfilt_s": np.where(_free(u), 0.0, u.p[C.tpfilt_s])}

    @classmethod
    def bounds(cls, u: Block) -> dict[str, tuple[Floats, Floats]]:
        """Return the limits of the power order."""
        return {"pord": (u.p[C.pmin_pu], u.p[C.pmax_pu])}

    @classmethod
    def demands(
        cls, u: Block, x: Floats, v: Complexes, s: Floats
    ) -> dict[str, tuple[Floats, Floats, Floats]]:
        """Return current, references and voltage the limits must leave room for [pu of the rating]."""
        p, vm = u.p, np.abs(v[u.port])
        zero, far = np.zeros(u.port.size), np.full(u.port.size, np.inf)
        by_q = (p[C.qflag_code] == 0) | (p[C.vflag_code] == 1)
        size = np.hypot(x[X.pord] / vm, x[X.iq])
        return {
            "current (imax_pu)": (size, zero, p[C.imax_pu]),
            "Q reference (qmin_pu, qmax_pu)": (
                x[X.iq] * vm,
                np.where(by_q, p[C.qmin_pu], -far),
                np.where(by_q, p[C.qmax_pu], far),
            ),
            "voltage reference (vmin_pu, vmax_pu)": (
                vm,
                np.where(p[C.qflag_code] == 1, p[C.vmin_pu], -far),
                np.where(p[C.qflag_code] == 1, p[C.vmax_pu], far),
            ),
            "voltage (vdip_pu, vup_pu)": (vm, p[C.vdip_pu], p[C.vup_pu]),
        }

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse limits in the wrong order."""
        pairs = (
            ("vdip_pu", "vup_pu"),
            ("qmin_pu", "qmax_pu"),
            ("vmin_pu", "vmax_pu"),
            ("pmin_pu", "pmax_pu"),
        )
        return not_below(params, pairs)


class ReecA(ElectricalControl):
    """Electrical control of a wind or solar converter."""

    params_type = ReecAParams
    writes = WRITES
    memory = MEMORY
    rhs = staticmethod(rhs)
    after = staticmethod(after)


def _free(u: Block) -> Any:
    slow = u.p[C.dpmax_pu_per_s] < UNLIMITED_PU_PER_S
    return ~(slow | (u.p[C.dpmin_pu_per_s] > -UNLIMITED_PU_PER_S))


DEVICE = ReecA
