r"""GENROU: round-rotor synchronous machine with two windings on each axis and quadratic saturation.

Stator transients are neglected and the stator equations take nominal speed, so the machine is a voltage
:math:`E'' = (\psi''_d - j\psi''_q)e^{j\delta}` behind :math:`r_a + jx''`. The mechanical input is a
**torque**; some programs take a power instead, which differs by a factor of the speed. [1]_

References
----------
.. [1] P. Kundur, *Power System Stability and Control*, 1994, chapters 3 to 5; equations and saturation
   as in PSS/E's GENROU and ANDES 2.0 (`models/synchronous/genrou.py`), with :math:`x''_d = x''_q`.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, not_below, quadratic_saturation, rows
from grids.dynamics.kernels.blocks import saturation
from grids.numbers import Complexes


class GenrouParams(Params):
    """Nameplate of one machine, per unit of its own rating."""

    sn_mva: float = Field(gt=0, description="rating, base of all per-unit values here")
    h_s: float = Field(gt=0, description="inertia constant H")
    d_pu: float = Field(default=0, ge=0, description="damping torque per speed deviation")
    ra_pu: float = Field(default=0, ge=0, description="armature resistance")
    xl_pu: float = Field(default=0, ge=0, description="leakage reactance")
    xd_pu: float = Field(gt=0, description="d-axis synchronous reactance")
    xq_pu: float = Field(gt=0, description="q-axis synchronous reactance")
    xd1_pu: float = Field(gt=0, description="d-axis transient reactance x'd")
    xq1_pu: float = Field(gt=0, description="q-axis transient reactance x'q")
    xd2_pu: float = Field(gt=0, description="sub-transient reactance x''d = x''q")
    td10_s: float = Field(gt=0, description="d-axis transient open-circuit time constant T'd0")
    tq10_s: float = Field(gt=0, description="q-axis transient open-circuit time constant T'q0")
    td20_s: float = Field(gt=0, description="d-axis sub-transient open-circuit time constant T''d0")
    tq20_s: float = Field(gt=0, description="q-axis sub-transient open-circuit time constant T''q0")
    s10_pu: float = Field(default=0, ge=0, description="saturation at 1.0 pu air-gap flux")
    s12_pu: float = Field(default=0, ge=0, description="saturation at 1.2 pu air-gap flux")


DERIVED = ("omega_base", "m_s", "gd1", "gq1", "gd2", "gq2", "gqd", "sat_start", "sat_gain", "g", "b")
STATES = ("delta", "omega", "e1q", "e1d", "e2d", "e2q")
READS = ("tm", "vf")
MEMORY = ("cos", "sin")
"""Of the rotor angle: `inject` leaves them for `measure`, which follows with the same states."""
WRITES = ("speed", "te", "p", "q", "vm", "id", "iq", "xadifd", "xaqi1q")

P: Any = rows(GenrouParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)
Z: Any = rows(MEMORY)


@jit
def inject(u: Block, x: Floats, v: Complexes, w: Floats, current: Complexes) -> None:
    r"""Add the Norton current :math:`E''/(r_a+jx'')` of each machine [pu]."""
    for k in range(u.port.size):
        if not u.on[k]:
            continue
        psi_d = u.p[P.gd1, k] * x[X.e1q, k] + (1.0 - u.p[P.gd1, k]) * x[X.e2d, k]
        psi_q = u.p[P.gq1, k] * x[X.e1d, k] + (1.0 - u.p[P.gq1, k]) * x[X.e2q, k]
        c, d = math.cos(x[X.delta, k]), math.sin(x[X.delta, k])
        u.z[Z.cos, k], u.z[Z.sin, k] = c, d
        e = complex(psi_d * c + psi_q * d, psi_d * d - psi_q * c)
        current[u.port[k]] += e * complex(u.p[P.g, k], u.p[P.b, k])


@jit
def measure(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats) -> None:
    r"""Write speed, terminal and winding quantities [pu]; :math:`i = (E'' - V)/(r_a+jx'')`.

    .. math::
        X_{ad}I_{fd} &= e'_q + (x_d-x'_d)(\gamma_{d1}I_d + \gamma_{d2}(e'_q-e''_d)) + S_e\psi''_d \\
        X_{aq}I_{1q} &= e'_d + (x_q-x'_q)(\gamma_{q2}(e'_d-e''_q) - \gamma_{q1}I_q) + \gamma_{qd}S_e\psi''_q
    """
    for k in range(u.port.size):
        e1q, e1d, e2d, e2q = x[X.e1q, k], x[X.e1d, k], x[X.e2d, k], x[X.e2q, k]
        psi_d = u.p[P.gd1, k] * e1q + (1.0 - u.p[P.gd1, k]) * e2d
        psi_q = u.p[P.gq1, k] * e1d + (1.0 - u.p[P.gq1, k]) * e2q
        c, d = u.z[Z.cos, k], u.z[Z.sin, k]
        at = v[u.port[k]]
        vq, vd = at.real * c + at.imag * d, at.real * d - at.imag * c
        live = 1.0 if u.on[k] else 0.0
        iq = live * (u.p[P.g, k] * (psi_d - vq) + u.p[P.b, k] * (psi_q - vd))
        id_ = live * (u.p[P.g, k] * (psi_q - vd) - u.p[P.b, k] * (psi_d - vq))
        flux = math.sqrt(psi_d * psi_d + psi_q * psi_q)
        se = saturation(flux, u.p[P.sat_start, k], u.p[P.sat_gain, k]) / flux if flux > 0.0 else 0.0
        ra = u.p[P.ra_pu, k]
        s[u.wire[S.speed, k]] = x[X.omega, k]
        s[u.wire[S.te, k]] = (ra * iq + vq) * iq + (ra * id_ + vd) * id_
        s[u.wire[S.p, k]] = vd * id_ + vq * iq
        s[u.wire[S.q, k]] = vq * id_ - vd * iq
        s[u.wire[S.vm, k]] = abs(at)
        s[u.wire[S.id, k]] = id_
        s[u.wire[S.iq, k]] = iq
        bend_d = u.p[P.gd1, k] * id_ + u.p[P.gd2, k] * (e1q - e2d)
        s[u.wire[S.xadifd, k]] = e1q + (u.p[P.xd_pu, k] - u.p[P.xd1_pu, k]) * bend_d + se * psi_d
        bend_q = u.p[P.gq2, k] * (e1d - e2q) - u.p[P.gq1, k] * iq
        spread_q = u.p[P.xq_pu, k] - u.p[P.xq1_pu, k]
        s[u.wire[S.xaqi1q, k]] = e1d + spread_q * bend_q + u.p[P.gqd, k] * se * psi_q


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    r"""Write the derivatives of rotor and windings [1/s].

    .. math::
        \dot\delta &= \Omega(\omega-1), \qquad M\dot\omega = \tau_m - \tau_e - D(\omega-1) \\
        T'_{d0}\dot e'_q &= v_f - X_{ad}I_{fd}, \qquad
        T'_{q0}\dot e'_d = -X_{aq}I_{1q} \\
        T''_{d0}\dot e''_d &= e'_q - e''_d - (x'_d-x_l)I_d, \qquad
        T''_{q0}\dot e''_q = e'_d - e''_q + (x'_q-x_l)I_q
    """
    for k in range(u.port.size):
        slip = x[X.omega, k] - 1.0
        torque = s[u.wire[S.tm, k]] - s[u.wire[S.te, k]] - u.p[P.d_pu, k] * slip
        over_d = (u.p[P.xd1_pu, k] - u.p[P.xl_pu, k]) * s[u.wire[S.id, k]]
        over_q = (u.p[P.xq1_pu, k] - u.p[P.xl_pu, k]) * s[u.wire[S.iq, k]]
        live = 1.0 if u.on[k] else 0.0
        dx[X.delta, k] = live * u.p[P.omega_base, k] * slip
        dx[X.omega, k] = live * torque / u.p[P.m_s, k]
        dx[X.e1q, k] = live * (s[u.wire[S.vf, k]] - s[u.wire[S.xadifd, k]]) / u.p[P.td10_s, k]
        dx[X.e1d, k] = -live * s[u.wire[S.xaqi1q, k]] / u.p[P.tq10_s, k]
        dx[X.e2d, k] = live * (x[X.e1q, k] - x[X.e2d, k] - over_d) / u.p[P.td20_s, k]
        dx[X.e2q, k] = live * (x[X.e1d, k] - x[X.e2q, k] + over_q) / u.p[P.tq20_s, k]


class Genrou(Device):
    """Round-rotor machine."""

    params_type = GenrouParams
    role = "machine"
    carries_power = True
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    measured = WRITES
    angles = ("delta",)
    memory = MEMORY
    rotor = ("delta", "omega")
    inject = staticmethod(inject)
    measure = staticmethod(measure)
    rhs = staticmethod(rhs)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Bring the parameters to the system's base and find rotor, fluxes, torque and field voltage."""
        derive(u.p, site)
        p = u.p
        v, current = site.v_pu, np.conj(site.s_pu / site.v_pu)
        psi = v + current * (p[P.ra_pu] + 1j * p[P.xd2_pu])
        flux = np.abs(psi)
        excess = p[P.sat_gain] * np.maximum(flux - p[P.sat_start], 0.0) ** 2
        se = excess / flux
        lean = np.angle(psi) - np.angle(current)
        a, b = flux * (1.0 + se * p[P.gqd]), np.abs(current) * (p[P.xd2_pu] - p[P.xq_pu])
        delta = np.angle(psi) + np.arctan2(-b * np.cos(lean), a - b * np.sin(lean))
        psi_m, i_m = psi * np.exp(-1j * delta), current * np.exp(-1j * delta)
        psi_d, psi_q, iq, id_ = psi_m.real, -psi_m.imag, i_m.real, -i_m.imag
        x[X.delta], x[X.omega] = delta, 1.0
        vf = (1.0 + se) * psi_d + (p[P.xd_pu] - p[P.xd2_pu]) * id_
        x[X.e1q] = vf - (p[P.xd_pu] - p[P.xd1_pu]) * id_ - se * psi_d
        x[X.e1d] = (p[P.xq_pu] - p[P.xq1_pu]) * iq - se * p[P.gqd] * psi_q
        x[X.e2d] = x[X.e1q] - (p[P.xd1_pu] - p[P.xl_pu]) * id_
        x[X.e2q] = x[X.e1d] + (p[P.xq1_pu] - p[P.xl_pu]) * iq
        s[u.wire[S.vf]] = vf
        s[u.wire[S.tm]] = (psi * np.conj(current)).real

    @classmethod
    def admittance(cls, u: Block) -> Complexes:
        """Return the machine's Norton admittance."""
        return np.asarray(u.p[P.g] + 1j * u.p[P.b])

    @classmethod
    def inertia(cls, u: Block) -> Floats:
        """Return M = 2H on the system's base."""
        return np.asarray(u.p[P.m_s])

    @classmethod
    def time_constants(cls, u: Block) -> dict[str, Floats]:
        """Return the open-circuit time constants."""
        return {name: u.p[getattr(P, name)] for name in ("td10_s", "tq10_s", "td20_s", "tq20_s")}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse reactances that are not in the order x'' <= x' <= x, and leakage not below x'."""
        pairs = (("xd2_pu", "xd1_pu"), ("xd1_pu", "xd_pu"), ("xd2_pu", "xq1_pu"), ("xq1_pu", "xq_pu"))
        return [
            *reactance_order(params, pairs),
            *not_below(params, [("xl_pu", "xd1_pu"), ("xl_pu", "xq1_pu")]),
        ]


def reactance_order(params: Any, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return a finding for each pair of reactances of which the first is above the second."""
    wrong = [(a, b) for a, b in pairs if getattr(params, a) > getattr(params, b)]
    return [f"{a}={getattr(params, a):g} is above {b}={getattr(params, b):g}" for a, b in wrong]


def derive(p: Floats, site: Site) -> None:
    """Bring impedances, inertia and damping to the system's base and write what follows from them."""
    ratio = p[P.sn_mva] / site.base_mva
    for name in ("ra_pu", "xl_pu", "xd_pu", "xq_pu", "xd1_pu", "xq1_pu", "xd2_pu"):
        p[getattr(P, name)] /= ratio
    p[P.d_pu] *= ratio
    p[P.omega_base] = site.omega_base
    p[P.m_s] = 2.0 * p[P.h_s] * ratio
    gap_d, gap_q = p[P.xd1_pu] - p[P.xl_pu], p[P.xq1_pu] - p[P.xl_pu]
    p[P.gd1], p[P.gd2] = (p[P.xd2_pu] - p[P.xl_pu]) / gap_d, (p[P.xd1_pu] - p[P.xd2_pu]) / gap_d**2
    p[P.gq1], p[P.gq2] = (p[P.xd2_pu] - p[P.xl_pu]) / gap_q, (p[P.xq1_pu] - p[P.xd2_pu]) / gap_q**2
    p[P.gqd] = (p[P.xq_pu] - p[P.xl_pu]) / (p[P.xd_pu] - p[P.xl_pu])
    one, more = np.ones_like(ratio), np.full_like(ratio, 1.2)
    p[P.sat_start], p[P.sat_gain] = quadratic_saturation(one, p[P.s10_pu], more, p[P.s12_pu])
    y = 1.0 / (p[P.ra_pu] + 1j * p[P.xd2_pu])
    p[P.g], p[P.b] = y.real, y.imag


DEVICE = Genrou
