r"""STATCOM: static synchronous condenser (compensator), a reactive current behind a voltage regulator.

.. math::
    e &= \mathrm{db}(V_{ref} - V_f - X_c i_q), \quad e_{min} \le e \le e_{max}, \quad T_r\dot V_f = V - V_f \\
    I^* &= K_p e + \int K_i e\,dt, \quad |I^*| \le g(V)\,I_{lim}, \qquad T_o\dot i_q = I^* - i_q

:math:`i_q > 0` delivers reactive power at the terminal voltage's angle: below its rating the current
does not fall with the voltage, as a capacitor's does. :math:`I_{lim}` is `imax_pu` times `ishort_pu`
until the current has been above `imax_pu` for `tshort_s`, then `imax_pu` until it has rested `trest_s`
for each second of overload. :math:`g(V)` falls from 1 to 0 between `uv1_pu` and `uv2_pu`, and between
`ov1_pu` and `ov2_pu`. Active power of the operating point (losses) stays a constant current. [1]_

A *rotating* synchronous condenser is no model of its own: it is GENROU or GENSAL with an exciter, without a
governor, at zero power.

References
----------
.. [1] P. Pourbeik et al., "Generic Model Structures for Simulating Static Var Systems in Power System
   Studies", *IEEE Trans. Power Syst.* 27(3), 2012 (WECC SVSMO3), without its slow susceptance control,
   switched shunts, non-linear droop and trip; the rest time is our own simplification of its I²t counter.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, not_below, rows
from grids.dynamics.kernels.blocks import clip, dead_band, lag, lag_rate
from grids.dynamics.kernels.converters import pi_rate, polar_current, ramp_between
from grids.numbers import Complexes


class StatcomParams(Params):
    """One static synchronous condenser, per unit of its rating."""

    sn_mva: float = Field(gt=0, description="continuous rating, base of all per-unit values here")
    xc_pu: float = Field(default=0.02, ge=0, description="droop: voltage per delivered reactive current")
    tr_s: float = Field(default=0.01, ge=0, description="filter of the voltage")
    kp_pu: float = Field(default=0, ge=0, description="proportional gain of the regulator")
    ki_per_s: float = Field(default=200, ge=0, description="integral gain of the regulator")
    emax_pu: float = Field(default=0.5, gt=0, description="largest voltage error")
    emin_pu: float = Field(default=-0.5, lt=0, description="smallest voltage error")
    dbd_pu: float = Field(default=0, ge=0, description="dead-band of the voltage error, either side")
    to_s: float = Field(default=0.01, gt=0, description="lag of the current control")
    imax_pu: float = Field(default=1, gt=0, description="largest continuous current")
    ishort_pu: float = Field(default=1.2, ge=1, description="short-term current per continuous current")
    tshort_s: float = Field(default=2, ge=0, description="how long the short-term current may flow")
    trest_s: float = Field(default=5, ge=0, description="rest for each second of overload")
    uv1_pu: float = Field(default=0.5, ge=0, description="voltage below which the limit falls")
    uv2_pu: float = Field(default=0.2, ge=0, description="voltage below which no current flows")
    ov1_pu: float = Field(default=1.3, gt=0, description="voltage above which the limit falls")
    ov2_pu: float = Field(default=1.5, gt=0, description="voltage above which no current flows")


DERIVED = ("ratio", "ip")
STATES = ("vf", "integral", "iq")
READS = ("v_set_pu",)
WRITES = ("p", "q", "vm", "i")
MEMORY = ("used_s", "resting")
"""Seconds of overload used up, and whether only the continuous current may flow."""

P: Any = rows(StatcomParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)
Z: Any = rows(MEMORY)


@jit
def _limit(u: Block, vm: float, k: int) -> Any:
    """Return the largest reactive current [pu of the rating]."""
    p = u.p
    most = p[P.imax_pu, k] * (1.0 if u.z[Z.resting, k] == 1.0 else p[P.ishort_pu, k])
    low = ramp_between(vm, p[P.uv2_pu, k], 0.0, p[P.uv1_pu, k], 1.0)
    return most * low * ramp_between(vm, p[P.ov1_pu, k], 1.0, p[P.ov2_pu, k], 0.0)


@jit
def _current(u: Block, x: Floats, at: Any, k: int) -> Any:
    """Return the current into the bus [pu of the system]."""
    return polar_current(at, u.p[P.ip, k], x[X.iq, k]) * u.p[P.ratio, k]


@jit
def inject(u: Block, x: Floats, v: Complexes, w: Floats, current: Complexes) -> None:
    """Add the current of each unit [pu]."""
    for k in range(u.port.size):
        if u.on[k]:
            current[u.port[k]] += _current(u, x, v[u.port[k]], k)


@jit
def measure(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats) -> None:
    """Write terminal quantities [pu of the system]."""
    for k in range(u.port.size):
        at = v[u.port[k]]
        i = _current(u, x, at, k) if u.on[k] else complex(0.0, 0.0)
        power = at * i.conjugate()
        s[u.wire[S.p, k]] = power.real
        s[u.wire[S.q, k]] = power.imag
        s[u.wire[S.vm, k]] = abs(at)
        s[u.wire[S.i, k]] = abs(i)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the derivatives [1/s]."""
    for k in range(u.port.size):
        p, vm = u.p, abs(v[u.port[k]])
        vf, most = lag(vm, x[X.vf, k], p[P.tr_s, k]), _limit(u, vm, k)
        miss = s[u.wire[S.v_set_pu, k]] - vf - p[P.xc_pu, k] * x[X.iq, k]
        error = clip(dead_band(miss, -p[P.dbd_pu, k], p[P.dbd_pu, k]), p[P.emin_pu, k], p[P.emax_pu, k])
        raw = p[P.kp_pu, k] * error + x[X.integral, k]
        live = 1.0 if u.on[k] else 0.0
        dx[X.vf, k] = live * lag_rate(vm, x[X.vf, k], p[P.tr_s, k])
        dx[X.integral, k] = live * pi_rate(error, p[P.ki_per_s, k], raw, -most, most)
        dx[X.iq, k] = live * lag_rate(clip(raw, -most, most), x[X.iq, k], p[P.to_s, k])


@jit
def after(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, t_s: float, h_s: float) -> bool:
    """Count overload and rest, and keep the integrator within its moving limit; never asks to act."""
    for k in range(u.port.size):
        if abs(x[X.iq, k]) > u.p[P.imax_pu, k] * (1.0 + 1e-6):
            u.z[Z.used_s, k] += h_s
        elif u.z[Z.used_s, k] > 0.0:
            rest = h_s / u.p[P.trest_s, k] if u.p[P.trest_s, k] > 0.0 else u.z[Z.used_s, k]
            u.z[Z.used_s, k] = max(u.z[Z.used_s, k] - rest, 0.0)
        if u.z[Z.used_s, k] >= u.p[P.tshort_s, k]:
            u.z[Z.resting, k] = 1.0
        elif u.z[Z.used_s, k] == 0.0:
            u.z[Z.resting, k] = 0.0
        most = _limit(u, abs(v[u.port[k]]), k)
        x[X.integral, k] = clip(x[X.integral, k], -most, most)
    return False


class Statcom(Device):
    """Static synchronous condenser."""

    params_type = StatcomParams
    role = "converter"
    carries_power = True
    tables = ("sgen", "gen", "ext_grid", "load", "storage")
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    measured = WRITES
    memory = MEMORY
    inject = staticmethod(inject)
    measure = staticmethod(measure)
    rhs = staticmethod(rhs)
    after = staticmethod(after)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Set the reference so that the reactive power of the operating point stands."""
        p, vm = u.p, np.abs(site.v_pu)
        p[P.ratio] = p[P.sn_mva] / site.base_mva
        p[P.ip] = site.s_pu.real / p[P.ratio] / vm
        x[X.vf], x[X.iq] = vm, site.s_pu.imag / p[P.ratio] / vm
        x[X.integral] = x[X.iq]
        s[u.wire[S.v_set_pu]] = vm + p[P.xc_pu] * x[X.iq]

    @classmethod
    def nonlinear(cls, u: Block) -> bool:
        """Return True: the current turns with the voltage."""
        return True

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the plain lags."""
        return {"vf": u.p[P.tr_s], "iq": u.p[P.to_s]}

    @classmethod
    def demands(
        cls, u: Block, x: Floats, v: Complexes, s: Floats
    ) -> dict[str, tuple[Floats, Floats, Floats]]:
        """Return the reactive current, which must flow for ever [pu of the rating]."""
        return {"current (imax_pu)": (x[X.iq], -u.p[P.imax_pu], u.p[P.imax_pu])}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse a voltage characteristic that runs backwards."""
        pairs = (("uv2_pu", "uv1_pu"), ("uv1_pu", "ov1_pu"), ("ov1_pu", "ov2_pu"))
        return not_below(params, pairs)


DEVICE = Statcom
