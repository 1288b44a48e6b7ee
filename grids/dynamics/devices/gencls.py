r"""GENCLS: classical machine, a constant voltage behind :math:`r_a+jx'_d` [1]_.

With a very large inertia it stands for a strong neighbouring system (infinite bus).

References
----------
.. [1] P. Kundur, *Power System Stability and Control*, 1994, section 5.3.1; ANDES 2.0 `gencls.py`.
"""

import math
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, rows
from grids.numbers import Complexes


class GenclsParams(Params):
    """Nameplate of one machine, per unit of its own rating."""

    sn_mva: float = Field(gt=0, description="rating, base of all per-unit values here")
    h_s: float = Field(gt=0, description="inertia constant H")
    d_pu: float = Field(default=0, ge=0, description="damping torque per speed deviation")
    ra_pu: float = Field(default=0, ge=0, description="armature resistance")
    xd1_pu: float = Field(gt=0, description="transient reactance x'd")


DERIVED = ("omega_base", "m_s", "g", "b", "vf_pu")
STATES = ("delta", "omega")
READS = ("tm",)
WRITES = ("speed", "te", "p", "q", "vm")

P: Any = rows(GenclsParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)


@jit
def inject(u: Block, x: Floats, v: Complexes, w: Floats, current: Complexes) -> None:
    r"""Add the Norton current :math:`E'e^{j\delta}/(r_a+jx'_d)` of each machine [pu]."""
    for k in range(u.port.size):
        if u.on[k]:
            e = u.p[P.vf_pu, k]
            voltage = complex(e * math.cos(x[X.delta, k]), e * math.sin(x[X.delta, k]))
            current[u.port[k]] += voltage * complex(u.p[P.g, k], u.p[P.b, k])


@jit
def measure(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats) -> None:
    r"""Write speed and terminal quantities [pu]; the torque is :math:`\Re(E' i^*)`."""
    for k in range(u.port.size):
        e = u.p[P.vf_pu, k]
        voltage = complex(e * math.cos(x[X.delta, k]), e * math.sin(x[X.delta, k]))
        at = v[u.port[k]]
        i = (voltage - at) * complex(u.p[P.g, k], u.p[P.b, k]) if u.on[k] else complex(0.0, 0.0)
        power = at * i.conjugate()
        s[u.wire[S.speed, k]] = x[X.omega, k]
        s[u.wire[S.te, k]] = (voltage * i.conjugate()).real
        s[u.wire[S.p, k]] = power.real
        s[u.wire[S.q, k]] = power.imag
        s[u.wire[S.vm, k]] = abs(at)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    r"""Write :math:`\dot\delta=\Omega(\omega-1)` and :math:`M\dot\omega=\tau_m-\tau_e-D(\omega-1)`."""
    for k in range(u.port.size):
        slip = x[X.omega, k] - 1.0
        live = 1.0 if u.on[k] else 0.0
        torque = s[u.wire[S.tm, k]] - s[u.wire[S.te, k]] - u.p[P.d_pu, k] * slip
        dx[X.delta, k] = live * u.p[P.omega_base, k] * slip
        dx[X.omega, k] = live * torque / u.p[P.m_s, k]


class Gencls(Device):
    """Classical machine."""

    params_type = GenclsParams
    role = "machine"
    carries_power = True
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    measured = WRITES
    angles = ("delta",)
    rotor = ("delta", "omega")
    inject = staticmethod(inject)
    measure = staticmethod(measure)
    rhs = staticmethod(rhs)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Bring the parameters to the system's base and find the internal voltage."""
        p = u.p
        ratio = p[P.sn_mva] / site.base_mva
        for name in ("ra_pu", "xd1_pu"):
            p[getattr(P, name)] /= ratio
        p[P.d_pu] *= ratio
        p[P.omega_base] = site.omega_base
        p[P.m_s] = 2.0 * p[P.h_s] * ratio
        z = p[P.ra_pu] + 1j * p[P.xd1_pu]
        p[P.g], p[P.b] = (1.0 / z).real, (1.0 / z).imag
        current = np.conj(site.s_pu / site.v_pu)
        voltage = site.v_pu + z * current
        x[X.delta], x[X.omega] = np.angle(voltage), 1.0
        p[P.vf_pu] = np.abs(voltage)
        s[u.wire[S.tm]] = (voltage * np.conj(current)).real

    @classmethod
    def admittance(cls, u: Block) -> Complexes:
        """Return the machine's Norton admittance."""
        return np.asarray(u.p[P.g] + 1j * u.p[P.b])

    @classmethod
    def inertia(cls, u: Block) -> Floats:
        """Return M = 2H on the system's base."""
        return np.asarray(u.p[P.m_s])


DEVICE = Gencls
