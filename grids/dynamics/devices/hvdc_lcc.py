r"""HVDC_LCC: line-commutated converter station of a direct-current link, with its filters.

The converter follows the quasi-static equations of a bridge [1]_ (`kernels/hvdc.py`). The rectifier controls
the current, the inverter the extinction angle; where the rectifier's voltage does not suffice, the
inverter takes the current over at the order less a margin:

.. math::
    i_{ord} &= \min\{(P_{ord} + P_{mod} + k_f\,d(\omega-1)) / (n V_{dr}),\ VDCOL(V_{dr}),\ a\,i_{max}\} \\
    T_i\,\dot\imath &= \min\{i_{ord},\ \max(i_{lim},\ i_{ord}-i_{margin})\} - i, \quad
    i_{lim} = \frac{V_{d0}e\cos\alpha_{min} - v}{V_{d0}x/2 + r} \\
    T_v\,\dot v &= V_{di} - v, \qquad V_{dr} = v + r i \\
    T_\beta\,\frac{d\cos\beta}{dt} &= \min\{\cos\gamma_{ref} - x i/e,\ \text{current control}\} - \cos\beta

with `n` the share of poles in service, `a` the recovery ramp and `e` the voltage over that of the
operating point, for which the transformer taps stand. :math:`\gamma` follows from the present voltage and
the angle :math:`\beta` ordered before, so a sudden dip shortens it: below `gamma_fail_degree` the commutation
fails [2]_. The inverter then delivers nothing, the direct voltage collapses, and after `t_fail_s` at
`v_recover_pu` the current ramps up again. Filters are what the operating point's reactive power leaves;
`t_filter_s` after a block their share is switched off, until then they raise the voltage. With
`filter_count` banks they are also switched one by one to hold the reactive power of the start.

A terminal without `partner` stands alone: its other end has an alternating voltage of its own that does
not change. `vfar` scales the direct voltage a lone rectifier feeds (0: commutation failure at the other end).

References
----------
.. [1] P. Kundur, *Power System Stability and Control*, 1994, ch. 10; VDCOL as in M. O. Faruque et al.,
   "Detailed modeling of CIGRE HVDC benchmark system", *IEEE Trans. Power Del.* 21(1), 2006.
.. [2] C. V. Thio, J. B. Davies, K. L. Kent, "Commutation failures in HVDC transmission systems",
   *IEEE Trans. Power Del.* 11(2), 1996.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cosim.core.jit import jit
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, not_below
from grids.dynamics.hvdc_lcc_start import balance, stand
from grids.dynamics.hvdc_partners import partners
from grids.dynamics.kernels.blocks import clip
from grids.dynamics.kernels.hvdc import (
    bridge,
    current_limit,
    frequency_support,
    inverter_voltage,
    order_rate,
    rectifier_cosine,
)
from grids.dynamics.kernels.hvdc_lcc_rows import (
    DERIVED,
    IDLE_PU,
    MEMORY,
    READS,
    STATES,
    WRITES,
    HvdcLccParams,
    P,
    S,
    X,
    Z,
)
from grids.numbers import Complexes

SWITCHED, FAILED, RESUMED = 1, 2, 3
SWITCH_PU = 0.75
"""Deviation of the reactive power, in banks, at which one is switched: above a half, so none hunts."""
LOWEST_PU = 0.3
"""Direct voltage below which the power control asks for no more current."""
COLLAPSE_PER_S = 10.0
"""How fast the permission to carry current is withdrawn by a block."""


@jit
def drawn(u: Block, x: Floats, v: Complexes, k: int) -> complex:
    """Return what the bridges of station `k` draw [pu of the link], filters apart."""
    e = abs(v[u.port[k]]) / u.p[P.v0, k]
    current = x[X.current, int(u.p[P.master, k])]
    xc, no_load, poles = u.p[P.xc_pu, k], u.p[P.no_load, k], u.z[Z.poles, k]
    power = complex(0.0, 0.0)
    if poles <= 0.0 or u.z[Z.failing, k] > 0.0:
        return power
    if u.p[P.rectifier, k] > 0.0:
        vd = x[X.vdc, k] + u.p[P.line, k] * current
        most = u.p[P.cos_min, k]
        current = min(current, 2.0 * e * most / xc)  # the bridge cannot drive more against a short circuit
        power = bridge(e, rectifier_cosine(e, vd, current, xc, no_load, most), current, xc, no_load)
    else:
        power = bridge(e, -x[X.cos_beta, k], current, xc, no_load)
    return complex(poles * power.real, poles * power.imag)


@jit
def inject(u: Block, x: Floats, v: Complexes, w: Floats, current: Complexes) -> None:
    r"""Add :math:`-(S/V)^*` of the bridges and the current of the filters [pu]."""
    for k in range(u.port.size):
        if u.on[k]:
            at = v[u.port[k]]
            power = drawn(u, x, v, k) * u.p[P.ratio, k]
            if power != 0.0:
                current[u.port[k]] -= (power / at).conjugate()
            current[u.port[k]] -= complex(0.0, u.p[P.filter_b, k] * u.z[Z.filters, k]) * at


@jit
def measure(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats) -> None:
    """Write what the station delivers [pu of the system], direct voltage and current, and the angle [°]."""
    for k in range(u.port.size):
        square = abs(v[u.port[k]]) ** 2
        e, live = abs(v[u.port[k]]) / u.p[P.v0, k], 1.0 if u.on[k] else 0.0
        power = drawn(u, x, v, k) * u.p[P.ratio, k]
        current = x[X.current, int(u.p[P.master, k])]
        s[u.wire[S.p, k]] = -live * power.real
        s[u.wire[S.q, k]] = live * (u.p[P.filter_b, k] * u.z[Z.filters, k] * square - power.imag)
        s[u.wire[S.id, k]] = current
        xc, no_load = u.p[P.xc_pu, k], u.p[P.no_load, k]
        if u.p[P.rectifier, k] > 0.0:
            vd = x[X.vdc, k] + u.p[P.line, k] * current
            cosine = rectifier_cosine(e, vd, current, xc, no_load, u.p[P.cos_min, k])
        else:
            vd = inverter_voltage(e, x[X.cos_beta, k], current, xc, no_load) * (1.0 - u.z[Z.failing, k])
            cosine = clip(x[X.cos_beta, k] + xc * current / max(e, 1e-9), -1.0, 1.0)
        s[u.wire[S.vd, k]] = vd
        s[u.wire[S.angle, k]] = math.degrees(math.acos(cosine))
        s[u.wire[S.failing, k]] = u.z[Z.failing, k]


@jit
def ordered(u: Block, x: Floats, w: Floats, s: Floats, k: int) -> float:
    """Return the current order of the station that controls the link."""
    poles, j = u.z[Z.poles, k], int(u.p[P.other, k])
    if poles <= 0.0 or not u.on[k] or (j >= 0 and not u.on[j]):
        return 0.0
    sign = 1.0 if u.p[P.rectifier, k] > 0.0 else -1.0
    wanted = x[X.order, k] + s[u.wire[S.pmod, k]]
    wanted += sign * frequency_support(
        w[u.port[k]], u.p[P.kf_pu, k], u.p[P.f_band_pu, k], u.p[P.kf_max_pu, k]
    )
    j = int(u.p[P.other, k])
    if j >= 0:
        wanted -= sign * frequency_support(
            w[u.port[j]], u.p[P.kf_pu, j], u.p[P.f_band_pu, j], u.p[P.kf_max_pu, j]
        )
    sending = x[X.vdc, k] + u.p[P.line, k] * x[X.current, k]
    own = sending if u.p[P.rectifier, k] > 0.0 else x[X.vdc, k]
    most = u.p[P.i_max_pu, k]
    limit = current_limit(
        sending, u.p[P.vdcol_low_pu, k], u.p[P.vdcol_high_pu, k], u.p[P.vdcol_i_pu, k], most
    )
    asked = max(wanted, 0.0) / (poles * max(own, LOWEST_PU))
    return float(min(asked, limit, most * x[X.available, k]))


@jit
def highest(u: Block, v: Complexes, k: int, current: float) -> float:
    """Return the voltage rectifier `k` can hold at the far end of the line with this current."""
    e, no_load = abs(v[u.port[k]]) / u.p[P.v0, k], u.p[P.no_load, k]
    drop = 0.5 * no_load * u.p[P.xc_pu, k] + u.p[P.line, k]
    return float(max(no_load * e * u.p[P.cos_min, k] - drop * current, 0.0))


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the derivatives [1/s]; states a station does not use stand still."""
    for k in range(u.port.size):
        for i in range(5):
            dx[i, k] = 0.0
        m, j = int(u.p[P.master, k]), int(u.p[P.other, k])
        current, xc, no_load = x[X.current, m], u.p[P.xc_pu, k], u.p[P.no_load, k]
        e = abs(v[u.port[k]]) / u.p[P.v0, k]
        order = ordered(u, x, w, s, m)
        margin = max(order - u.p[P.i_margin_pu, m], 0.0)
        own_vd = inverter_voltage(e, x[X.cos_beta, k], current, xc, no_load) * (1.0 - u.z[Z.failing, k])
        if u.p[P.rectifier, k] > 0.0:
            voltage = highest(u, v, k, margin)
            if j < 0:
                voltage = min(voltage, s[u.wire[S.vfar, k]] * u.p[P.far, k])
            else:
                ej = abs(v[u.port[j]]) / u.p[P.v0, j]
                voltage = inverter_voltage(ej, x[X.cos_beta, j], current, u.p[P.xc_pu, j], u.p[P.no_load, j])
                voltage *= 1.0 - u.z[Z.failing, j]
            drop = 0.5 * no_load * xc + u.p[P.line, k]
            top = no_load * e * u.p[P.cos_min, k]
            order = min(order, max((top - x[X.vdc, k]) / drop, min(margin, top / drop)))
        else:
            voltage = own_vd
            floor = max(e, 0.2)
            wanted = u.p[P.cos_ref, k] - xc * current / floor
            if m != k:
                wanted = min(wanted, (highest(u, v, m, margin) / no_load - 0.5 * xc * current) / floor)
            dx[X.cos_beta, k] = (max(wanted, -0.3) - x[X.cos_beta, k]) / u.p[P.t_angle_s, k]
        dx[X.vdc, k] = (voltage - x[X.vdc, k]) / u.p[P.t_vdc_s, k]
        if m == k:
            dx[X.order, k] = order_rate(s[u.wire[S.pref, k]], x[X.order, k], s[u.wire[S.ramp, k]])
            dx[X.current, k] = (max(order, 0.0) - current) / u.p[P.t_current_s, k]
            blocked = u.z[Z.poles, k] <= 0.0
            dx[X.available, k] = -COLLAPSE_PER_S if blocked else 1.0 / u.p[P.t_recover_s, k]


@jit
def fails(u: Block, x: Floats, k: int, e: float, current: float) -> bool:
    """Say whether the extinction angle that is left at inverter `k` is too short."""
    cos_gamma = x[X.cos_beta, k] + u.p[P.xc_pu, k] * current / max(e, 1e-9)
    return bool(u.z[Z.poles, k] > 0.0 and current > IDLE_PU and cos_gamma > u.p[P.cos_fail, k])


@jit
def filters_wanted(u: Block, x: Floats, v: Complexes, k: int) -> float:
    """Return the share of filters that should be on: by poles, or by what holds the reactive power."""
    count, poles, j = u.p[P.filter_count, k], u.z[Z.poles, k], int(u.p[P.other, k])
    if j >= 0 and not u.on[j]:
        return 0.0
    vm, on = abs(v[u.port[k]]), u.z[Z.filters, k]
    if count <= 0.0 or poles <= 0.0:
        return float(poles)
    if u.z[Z.failing, k] > 0.0:
        return float(on)
    full = u.p[P.filter_b, k] * vm * vm
    surplus = full * on - drawn(u, x, v, k).imag * u.p[P.ratio, k] - u.p[P.q0, k]
    if surplus > SWITCH_PU * full / count:
        on -= 1.0 / count
    elif surplus < -SWITCH_PU * full / count:
        on += 1.0 / count
    return float(round(min(max(on, 0.0), 1.0) * count) / count)


@jit
def after(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, t_s: float, h_s: float) -> bool:
    """Switch filters, and find failures of commutation and their end."""
    act = False
    for k in range(u.port.size):
        u.z[Z.news, k] = 0.0
        if not u.on[k]:
            continue
        wanted = filters_wanted(u, x, v, k)
        if u.z[Z.filters, k] != wanted:
            u.z[Z.switch_s, k] += h_s
            if u.z[Z.switch_s, k] >= u.p[P.t_filter_s, k] - 1e-9:
                u.z[Z.filters, k], u.z[Z.switch_s, k], u.z[Z.news, k] = wanted, 0.0, SWITCHED
        else:
            u.z[Z.switch_s, k] = 0.0
        m = int(u.p[P.master, k])
        e, current = abs(v[u.port[k]]) / u.p[P.v0, k], x[X.current, m]
        if u.p[P.rectifier, k] > 0.0:
            pass
        elif u.z[Z.failing, k] > 0.0:
            u.z[Z.fail_s, k] += h_s
            if u.z[Z.fail_s, k] >= u.p[P.t_fail_s, k] - 1e-9 and e >= u.p[P.v_recover_pu, k]:
                u.z[Z.failing, k], u.z[Z.news, k] = 0.0, RESUMED
                x[X.available, m] = min(x[X.available, m], current / u.p[P.i_max_pu, m])
        elif fails(u, x, k, e, current):
            u.z[Z.failing, k], u.z[Z.fail_s, k], u.z[Z.news, k] = 1.0, 0.0, FAILED
            u.z[Z.failures, k] += 1.0
        act = act or u.z[Z.news, k] > 0.0
    return act


class HvdcLcc(Device):
    """Line-commutated converter station."""

    params_type = HvdcLccParams
    role = "hvdc"
    carries_power = True
    tables = ("load", "sgen", "dcline")
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
        """Find current, taps and filters with which the station delivers what the operating point says."""
        p = u.p
        p[P.ratio], p[P.v0] = p[P.p_rated_mw] / site.base_mva, abs(site.v_pu)
        p[P.q0] = site.s_pu.imag
        p[P.cos_min] = np.cos(np.deg2rad(p[P.alpha_min_degree]))
        p[P.cos_ref] = np.cos(np.deg2rad(p[P.gamma_degree]))
        p[P.cos_fail] = np.cos(np.deg2rad(p[P.gamma_fail_degree]))
        p[P.other] = partners(site)
        delivered = site.s_pu.real / p[P.ratio]
        p[P.rectifier] = (delivered <= 0.0).astype(float)
        idle = (delivered == 0.0) & (p[P.other] >= 0.0)
        p[P.rectifier, idle] = (np.arange(u.port.size)[idle] < p[P.other, idle]).astype(float)
        rectifier = p[P.rectifier] > 0.0
        p[P.master] = np.where(rectifier | (p[P.other] < 0), np.arange(u.port.size), p[P.other])
        p[P.line] = p[P.r_pu]
        balance(u, abs(delivered), site)
        stand(u, x, abs(delivered), site)
        for name, value in (("pref", x[X.order]), ("ramp", p[P.ramp_pu_per_s])):
            s[u.wire[getattr(S, name)]] = value
        s[u.wire[S.poles]], s[u.wire[S.pmod]], s[u.wire[S.vfar]] = 1.0, 0.0, 1.0
        u.z[:] = 0.0
        u.z[Z.poles], u.z[Z.filters] = 1.0, 1.0

    @classmethod
    def take(cls, u: Block, s: Floats, k: int) -> None:
        """Put the share of poles in service where `inject` sees it."""
        u.z[Z.poles, k] = s[u.wire[S.poles, k]]

    @classmethod
    def demand(cls, u: Block, s: Floats, k: int) -> complex | None:
        """Return what the station is scheduled to draw, None where its partner has the schedule."""
        if u.p[P.master, k] != k:
            return None
        direction = 1.0 if u.p[P.rectifier, k] > 0.0 else -1.0
        return complex(direction * s[u.wire[S.pref, k]] * u.p[P.ratio, k], 0.0)

    @classmethod
    def set_demand(cls, u: Block, s: Floats, k: int, s_pu: complex) -> None:
        """Schedule a power; thyristors do not reverse it, and reactive power is what it costs."""
        direction = 1.0 if u.p[P.rectifier, k] > 0.0 else -1.0
        s[u.wire[S.pref, k]] = max(direction * s_pu.real / u.p[P.ratio, k], 0.0)

    @classmethod
    def nonlinear(cls, u: Block) -> bool:
        """Say yes: what a bridge draws is no admittance."""
        return True

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the three lags."""
        return {"vdc": u.p[P.t_vdc_s], "current": u.p[P.t_current_s], "cos_beta": u.p[P.t_angle_s]}

    @classmethod
    def bounds(cls, u: Block) -> dict[str, tuple[Floats, Floats]]:
        """Return the bounds of the recovery ramp."""
        return {"available": (np.zeros(u.port.size), np.ones(u.port.size))}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse angles and limits that leave the converter no room."""
        pairs = (
            ("alpha_min_degree", "alpha_degree"),
            ("gamma_fail_degree", "gamma_degree"),
            ("vdcol_low_pu", "vdcol_high_pu"),
        )
        out = not_below(params, pairs)
        for name in ("alpha_degree", "gamma_degree"):
            angle, drop = getattr(params, name), 0.5 * params.xc_pu * params.i_max_pu
            if math.cos(math.radians(angle)) <= drop:
                out.append(f"{name}={angle:g} leaves no direct voltage at i_max_pu={params.i_max_pu:g}")
        return out

    @classmethod
    def act(cls, u: Block, session: Any) -> None:
        """Renew the Jacobian where a station changed its mode, and say so."""
        said = {SWITCHED: "filters switched", FAILED: "commutation failed", RESUMED: "commutation resumed"}
        news = u.z[Z.news].astype(int)
        names = session.elements_of(u)
        for k in np.flatnonzero(news).tolist():
            session.note(f"{names[k]}: {said[int(news[k])]}")
        if news.any():
            session.solution.refresh()
            u.z[Z.news] = 0.0


DEVICE = HvdcLcc
