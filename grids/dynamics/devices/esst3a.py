r"""ESST3A: static exciter fed from terminal voltage and current, with an inner field voltage regulator [1]_.

.. math::
    v_R &= \frac{K_A}{1+sT_A}\frac{1+sT_C}{1+sT_B}\,
        \mathrm{clip}\left(v_{ref}+v_s-\frac{V}{1+sT_R}\right), \quad V_{Rmin}\le v_R\le V_{Rmax} \\
    v_M &= \frac{K_M}{1+sT_M}\left(v_R-\min(K_Gv_f,V_{Gmax})\right), \quad V_{Mmin}\le v_M\le V_{Mmax} \\
    V_E &= \left|\bar K_P\bar V+j(K_I+\bar K_PX_L)\bar I\right|, \quad \bar K_P=K_Pe^{j\theta_P} \\
    V_B &= \min\left(V_E\,F_{EX}(K_CI_{fd}/V_E),\;V_{Bmax}\right), \qquad v_f = V_B v_M

with the current per unit of the machine's rating (ANDES 2.0 takes the system's base). An inner loop
faster than `FAST_S` is solved, not integrated. There is no under-excitation limiter.

References
----------
.. [1] IEEE Std 421.5-2016, type ST3A; PSS/E ESST3A, ANDES 2.0 `esst3a.py`.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, not_below, rows
from grids.dynamics.kernels.blocks import clip, lag, lag_rate, lead_lag, rectifier
from grids.numbers import Complexes

FAST_S = 2e-3
"""Closed-loop time constant of the inner regulator below which it counts as instantaneous."""


class Esst3aParams(Params):
    """One exciter."""

    tr_s: float = Field(default=0, ge=0, description="sensing lag")
    vimax_pu: float = Field(description="largest voltage error")
    vimin_pu: float = Field(description="smallest voltage error")
    km_pu: float = Field(gt=0, description="gain of the inner regulator")
    tc_s: float = Field(default=0, ge=0, description="lead of the lead-lag")
    tb_s: float = Field(default=0, ge=0, description="lag of the lead-lag")
    ka_pu: float = Field(gt=0, description="regulator gain")
    ta_s: float = Field(ge=0, description="regulator lag")
    vrmax_pu: float = Field(description="largest regulator output")
    vrmin_pu: float = Field(description="smallest regulator output")
    kg_pu: float = Field(ge=0, description="feedback of the inner regulator")
    kp_pu: float = Field(gt=0, description="source voltage per terminal voltage")
    ki_pu: float = Field(default=0, ge=0, description="source voltage per terminal current")
    vbmax_pu: float = Field(gt=0, description="largest source voltage")
    kc_pu: float = Field(default=0, ge=0, description="rectifier loading per field current")
    xl_pu: float = Field(default=0, ge=0, description="reactance of the potential source")
    vgmax_pu: float = Field(description="largest feedback of the inner regulator")
    thetap_degree: float = Field(default=0, description="angle of the potential circuit's gain")
    tm_s: float = Field(ge=0, description="lag of the inner regulator")
    vmmax_pu: float = Field(description="largest output of the inner regulator")
    vmmin_pu: float = Field(description="smallest output of the inner regulator")


DERIVED = ("vref", "own", "by_v", "by_i", "by_p", "by_q", "inner_s")
STATES = ("sensed", "lead", "regulator", "inner")
READS = ("vs", "xadifd", "p", "q", "id", "iq")
WRITES = ("vf",)

P: Any = rows(Esst3aParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)


@jit
def _source(u: Block, s: Floats, k: int, at: float) -> Any:
    r"""Return :math:`V_B` [pu].

    :math:`|a\bar V+b\bar I|^2=|a|^2V^2+|b|^2I^2+2\Re(a\bar b(P+jQ))` needs no common frame of V and I.
    """
    own = u.p[P.own, k]
    id_, iq = s[u.wire[S.id, k]] / own, s[u.wire[S.iq, k]] / own
    square = u.p[P.by_v, k] * at * at + u.p[P.by_i, k] * (id_ * id_ + iq * iq)
    square += (u.p[P.by_p, k] * s[u.wire[S.p, k]] + u.p[P.by_q, k] * s[u.wire[S.q, k]]) / own
    if square <= 0.0:
        return 0.0
    ve = math.sqrt(square)
    return min(ve * rectifier(u.p[P.kc_pu, k] * s[u.wire[S.xadifd, k]] / ve), u.p[P.vbmax_pu, k])


@jit
def _settled(u: Block, k: int, regulator: float, source: float) -> Any:
    """Return the output an instantaneous inner regulator has [pu]."""
    km, kg, most = u.p[P.km_pu, k], u.p[P.kg_pu, k], u.p[P.vgmax_pu, k]
    inner = km * regulator / (1.0 + km * kg * source)
    if kg * source * inner > most:
        inner = km * (regulator - most)
    return clip(inner, u.p[P.vmmin_pu, k], u.p[P.vmmax_pu, k])


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the field voltage [pu] and the derivatives [1/s]."""
    for k in range(u.port.size):
        live = 1.0 if u.on[k] else 0.0
        at = abs(v[u.port[k]])
        ta, tb = u.p[P.ta_s, k], u.p[P.tb_s, k]
        sensed = lag(at, x[X.sensed, k], u.p[P.tr_s, k])
        error = u.p[P.vref, k] + s[u.wire[S.vs, k]] - sensed
        error = clip(error, u.p[P.vimin_pu, k], u.p[P.vimax_pu, k])
        order = u.p[P.ka_pu, k] * lead_lag(error, x[X.lead, k], u.p[P.tc_s, k], tb)
        low, high = u.p[P.vrmin_pu, k], u.p[P.vrmax_pu, k]
        regulator = clip(lag(order, x[X.regulator, k], ta), low, high)
        source = _source(u, s, k, at)
        inner, rate = x[X.inner, k], 0.0
        if u.p[P.inner_s, k] > 0.0:
            back = min(u.p[P.kg_pu, k] * source * inner, u.p[P.vgmax_pu, k])
            rate = (u.p[P.km_pu, k] * (regulator - back) - inner) / u.p[P.tm_s, k]
        else:
            inner = _settled(u, k, regulator, source)
        s[u.wire[S.vf, k]] = live * source * inner
        dx[X.sensed, k] = live * lag_rate(at, x[X.sensed, k], u.p[P.tr_s, k])
        dx[X.lead, k] = live * lag_rate(error, x[X.lead, k], tb)
        dx[X.regulator, k] = live * lag_rate(order, x[X.regulator, k], ta)
        dx[X.inner, k] = live * rate


class Esst3a(Device):
    """Static exciter with compound source."""

    params_type = Esst3aParams
    role = "exciter"
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    rhs = staticmethod(rhs)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Set the reference so that the machine's field voltage stands; at rest it is the field current."""
        p, vf, v = u.p, s[u.wire[S.vf]], site.v_pu
        p[P.own] = site.element_mva / site.base_mva
        a = p[P.kp_pu] * np.exp(1j * np.deg2rad(p[P.thetap_degree]))
        b = 1j * (p[P.ki_pu] + a * p[P.xl_pu])
        mixed = 2.0 * a * np.conj(b)
        p[P.by_v], p[P.by_i] = np.abs(a) ** 2, np.abs(b) ** 2
        p[P.by_p], p[P.by_q] = mixed.real, -mixed.imag
        ve = np.abs(a * v + b * np.conj(site.s_pu / v) / p[P.own])
        loaded = np.array([rectifier(float(i)) for i in p[P.kc_pu] * vf / ve])
        source = np.minimum(ve * loaded, p[P.vbmax_pu])
        inner = vf / source
        back = p[P.kg_pu] * vf
        loop_s = p[P.tm_s] / (1.0 + np.where(back < p[P.vgmax_pu], p[P.km_pu] * p[P.kg_pu] * source, 0.0))
        p[P.inner_s] = np.where(loop_s >= FAST_S, loop_s, 0.0)
        order = inner / p[P.km_pu] + np.minimum(back, p[P.vgmax_pu])
        x[X.sensed], x[X.lead] = np.abs(v), order / p[P.ka_pu]
        x[X.regulator], x[X.inner] = order, inner
        p[P.vref] = np.abs(v) + order / p[P.ka_pu]

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the plain lags, and the inner loop as it closes at the operating point."""
        names = (("sensed", P.tr_s), ("lead", P.tb_s), ("regulator", P.ta_s), ("inner", P.inner_s))
        return {name: u.p[row] for name, row in names}

    @classmethod
    def bounds(cls, u: Block) -> dict[str, tuple[Floats, Floats]]:
        """Return the limits of both regulators."""
        p = u.p
        return {
            "regulator": (p[P.vrmin_pu], p[P.vrmax_pu]),
            "inner": (p[P.vmmin_pu], p[P.vmmax_pu]),
        }

    @classmethod
    def demands(
        cls, u: Block, x: Floats, v: Complexes, s: Floats
    ) -> dict[str, tuple[Floats, Floats, Floats]]:
        """Return the voltage error."""
        error = u.p[P.vref] - np.abs(v[u.port])
        return {"voltage error (vimin_pu, vimax_pu)": (error, u.p[P.vimin_pu], u.p[P.vimax_pu])}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse limits in the wrong order."""
        pairs = (("vimin_pu", "vimax_pu"), ("vrmin_pu", "vrmax_pu"), ("vmmin_pu", "vmmax_pu"))
        return not_below(params, pairs)


DEVICE = Esst3a
