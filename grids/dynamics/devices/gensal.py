r"""GENSAL: salient-pole machine, field and damper on the d-axis, one damper on the q-axis.

Stator transients are neglected and the stator equations take nominal speed, so the machine is a voltage
:math:`E'' = (\psi''_d - j\psi''_q)e^{j\delta}` behind :math:`r_a + jx''`, as GENROU. Saturation is
quadratic in :math:`e'_q` and acts on the field alone, :math:`S(e'_q)e'_q = B(e'_q-A)^2`. The mechanical
input is a torque. [1]_ [2]_

Without saturation it is GENROU with :math:`x'_q = x_q`: that winding then carries no current.

References
----------
.. [1] P. Kundur, *Power System Stability and Control*, 1994, chapters 3 to 5; model 2.1 of IEEE Std 1110.
.. [2] Equations of PSS/E's GENSAL as in PowerSimulationsDynamics (`SalientPoleQuadratic`), with
   :math:`x''_q = x''_d`.
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
from grids.dynamics.devices.genrou import reactance_order
from grids.dynamics.kernels.blocks import saturation
from grids.numbers import Complexes


class GensalParams(Params):
    """Nameplate of one machine, per unit of its own rating."""

    sn_mva: float = Field(gt=0, description="rating, base of all per-unit values here")
    h_s: float = Field(gt=0, description="inertia constant H")
    d_pu: float = Field(default=0, ge=0, description="damping torque per speed deviation")
    ra_pu: float = Field(default=0, ge=0, description="armature resistance")
    xl_pu: float = Field(default=0, ge=0, description="leakage reactance")
    xd_pu: float = Field(gt=0, description="d-axis synchronous reactance")
    xq_pu: float = Field(gt=0, description="q-axis synchronous reactance")
    xd1_pu: float = Field(gt=0, description="d-axis transient reactance x'd")
    xd2_pu: float = Field(gt=0, description="sub-transient reactance x''d = x''q")
    td10_s: float = Field(gt=0, description="d-axis transient open-circuit time constant T'd0")
    td20_s: float = Field(gt=0, description="d-axis sub-transient open-circuit time constant T''d0")
    tq20_s: float = Field(gt=0, description="q-axis sub-transient open-circuit time constant T''q0")
    s10_pu: float = Field(default=0, ge=0, description="saturation at e'q = 1.0 pu")
    s12_pu: float = Field(default=0, ge=0, description="saturation at e'q = 1.2 pu")


DERIVED = ("omega_base", "m_s", "gd1", "gd2", "sat_start", "sat_gain", "g", "b")
STATES = ("delta", "omega", "e1q", "e2d", "psi2q")
READS = ("tm", "vf")
MEMORY = ("cos", "sin")
"""Of the rotor angle: `inject` leaves them for `measure`, which follows with the same states."""
WRITES = ("speed", "te", "p", "q", "vm", "id", "iq", "xadifd")

P: Any = rows(GensalParams, DERIVED)
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
        psi_q = x[X.psi2q, k]
        c, d = math.cos(x[X.delta, k]), math.sin(x[X.delta, k])
        u.z[Z.cos, k], u.z[Z.sin, k] = c, d
        e = complex(psi_d * c + psi_q * d, psi_d * d - psi_q * c)
        current[u.port[k]] += e * complex(u.p[P.g, k], u.p[P.b, k])


@jit
def measure(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats) -> None:
    r"""Write speed, terminal and field quantities [pu]; :math:`i = (E'' - V)/(r_a+jx'')`.

    .. math::
        X_{ad}I_{fd} = e'_q + (x_d-x'_d)(\gamma_{d1}I_d + \gamma_{d2}(e'_q-e''_d)) + S(e'_q)e'_q
    """
    for k in range(u.port.size):
        e1q, e2d, psi_q = x[X.e1q, k], x[X.e2d, k], x[X.psi2q, k]
        psi_d = u.p[P.gd1, k] * e1q + (1.0 - u.p[P.gd1, k]) * e2d
        c, d = u.z[Z.cos, k], u.z[Z.sin, k]
        at = v[u.port[k]]
        vq, vd = at.real * c + at.imag * d, at.real * d - at.imag * c
        live = 1.0 if u.on[k] else 0.0
        iq = live * (u.p[P.g, k] * (psi_d - vq) + u.p[P.b, k] * (psi_q - vd))
        id_ = live * (u.p[P.g, k] * (psi_q - vd) - u.p[P.b, k] * (psi_d - vq))
        ra = u.p[P.ra_pu, k]
        s[u.wire[S.speed, k]] = x[X.omega, k]
        s[u.wire[S.te, k]] = (ra * iq + vq) * iq + (ra * id_ + vd) * id_
        s[u.wire[S.p, k]] = vd * id_ + vq * iq
        s[u.wire[S.q, k]] = vq * id_ - vd * iq
        s[u.wire[S.vm, k]] = abs(at)
        s[u.wire[S.id, k]] = id_
        s[u.wire[S.iq, k]] = iq
        bend = u.p[P.gd1, k] * id_ + u.p[P.gd2, k] * (e1q - e2d)
        excess = saturation(e1q, u.p[P.sat_start, k], u.p[P.sat_gain, k])
        s[u.wire[S.xadifd, k]] = e1q + (u.p[P.xd_pu, k] - u.p[P.xd1_pu, k]) * bend + excess


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    r"""Write the derivatives of rotor and windings [1/s].

    .. math::
        \dot\delta &= \Omega(\omega-1), \qquad M\dot\omega = \tau_m - \tau_e - D(\omega-1) \\
        T'_{d0}\dot e'_q &= v_f - X_{ad}I_{fd}, \qquad
        T''_{d0}\dot e''_d = e'_q - e''_d - (x'_d-x_l)I_d \\
        T''_{q0}\dot\psi''_q &= (x_q-x'')I_q - \psi''_q
    """
    for k in range(u.port.size):
        slip = x[X.omega, k] - 1.0
        torque = s[u.wire[S.tm, k]] - s[u.wire[S.te, k]] - u.p[P.d_pu, k] * slip
        over_d = (u.p[P.xd1_pu, k] - u.p[P.xl_pu, k]) * s[u.wire[S.id, k]]
        over_q = (u.p[P.xq_pu, k] - u.p[P.xd2_pu, k]) * s[u.wire[S.iq, k]]
        live = 1.0 if u.on[k] else 0.0
        dx[X.delta, k] = live * u.p[P.omega_base, k] * slip
        dx[X.omega, k] = live * torque / u.p[P.m_s, k]
        dx[X.e1q, k] = live * (s[u.wire[S.vf, k]] - s[u.wire[S.xadifd, k]]) / u.p[P.td10_s, k]
        dx[X.e2d, k] = live * (x[X.e1q, k] - x[X.e2d, k] - over_d) / u.p[P.td20_s, k]
        dx[X.psi2q, k] = live * (over_q - x[X.psi2q, k]) / u.p[P.tq20_s, k]


class Gensal(Device):
    """Salient-pole machine."""

    params_type = GensalParams
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
    synchronises = True
    inject = staticmethod(inject)
    measure = staticmethod(measure)
    rhs = staticmethod(rhs)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Bring the parameters to the system's base and find rotor, fluxes, torque and field voltage."""
        derive(u.p, site)
        p = u.p
        v, current = site.v_pu, np.conj(site.s_pu / site.v_pu)
        delta = np.angle(v + current * (p[P.ra_pu] + 1j * p[P.xq_pu]))
        psi = v + current * (p[P.ra_pu] + 1j * p[P.xd2_pu])
        psi_m, i_m = psi * np.exp(-1j * delta), current * np.exp(-1j * delta)
        id_ = -i_m.imag
        x[X.delta], x[X.omega] = delta, 1.0
        x[X.e1q] = psi_m.real + (p[P.xd1_pu] - p[P.xd2_pu]) * id_
        x[X.e2d] = x[X.e1q] - (p[P.xd1_pu] - p[P.xl_pu]) * id_
        x[X.psi2q] = -psi_m.imag
        excess = p[P.sat_gain] * np.maximum(x[X.e1q] - p[P.sat_start], 0.0) ** 2
        s[u.wire[S.vf]] = x[X.e1q] + (p[P.xd_pu] - p[P.xd1_pu]) * id_ + excess
        s[u.wire[S.tm]] = (psi * np.conj(current)).real

    @classmethod
    def synchronise(cls, u: Block, x: Floats, k: int, v_pu: complex, speed_pu: float) -> None:
        """Turn the rotor to the bus and excite it to its voltage; at a dead bus it keeps its own."""
        x[X.delta, k], x[X.omega, k] = np.angle(v_pu), speed_pu
        if v_pu != 0.0:
            x[X.e1q, k] = x[X.e2d, k] = abs(v_pu)
            x[X.psi2q, k] = 0.0

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
        return {name: u.p[getattr(P, name)] for name in ("td10_s", "td20_s", "tq20_s")}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse reactances that are not in the order x'' <= x' <= x, and leakage not below x'."""
        pairs = (("xd2_pu", "xd1_pu"), ("xd1_pu", "xd_pu"), ("xd2_pu", "xq_pu"))
        return [*reactance_order(params, pairs), *not_below(params, [("xl_pu", "xd1_pu")])]


def derive(p: Floats, site: Site) -> None:
    """Bring impedances, inertia and damping to the system's base and write what follows from them."""
    ratio = p[P.sn_mva] / site.base_mva
    for name in ("ra_pu", "xl_pu", "xd_pu", "xq_pu", "xd1_pu", "xd2_pu"):
        p[getattr(P, name)] /= ratio
    p[P.d_pu] *= ratio
    p[P.omega_base] = site.omega_base
    p[P.m_s] = 2.0 * p[P.h_s] * ratio
    gap = p[P.xd1_pu] - p[P.xl_pu]
    p[P.gd1], p[P.gd2] = (p[P.xd2_pu] - p[P.xl_pu]) / gap, (p[P.xd1_pu] - p[P.xd2_pu]) / gap**2
    one, more = np.ones_like(ratio), np.full_like(ratio, 1.2)
    p[P.sat_start], p[P.sat_gain] = quadratic_saturation(one, p[P.s10_pu], more, p[P.s12_pu])
    y = 1.0 / (p[P.ra_pu] + 1j * p[P.xd2_pu])
    p[P.g], p[P.b] = y.real, y.imag


DEVICE = Gensal
