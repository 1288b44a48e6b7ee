r"""ZIP: static load of constant impedance, current and power parts, with frequency dependence.

.. math:: P = P_0\,(z_p u^2 + i_p u + p_p)\,(1 + k_{pf}\Delta f), \qquad u = V/V_0

and likewise for Q. Below `vmin_pu`, with :math:`r = V/V_{min}`, the power part is multiplied by
:math:`r^2(3-2r)` and the current part becomes :math:`i_p (V_{min}/V_0)\,r^2(2-r)`: both join without a kink
and turn into impedances, so the load stays solvable through a fault. The impedance part is in the
network matrix. :math:`\Delta f` is the deviation of the island's centre of inertia [pu]. [1]_

References
----------
.. [1] IEEE Task Force, "Standard load models for power flow and dynamic performance simulation",
   *IEEE Trans. Power Syst.* 10(3), 1995. That constant power turns into impedance at low voltage is usual
   in stability programs; threshold and shape differ between them, ours are (unconfirmed) defaults.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Bools, Floats
from grids.dynamics.device import Block, Device, Site, rows
from grids.numbers import Complexes


class ZipParams(Params):
    """Voltage and frequency dependence of one load; the shares of P and of Q each sum to one."""

    pz_pu: float = Field(default=1, ge=0, le=1, description="share of P with constant impedance")
    pi_pu: float = Field(default=0, ge=0, le=1, description="share of P with constant current")
    pp_pu: float = Field(default=0, ge=0, le=1, description="share of P with constant power")
    qz_pu: float = Field(default=1, ge=0, le=1, description="share of Q with constant impedance")
    qi_pu: float = Field(default=0, ge=0, le=1, description="share of Q with constant current")
    qp_pu: float = Field(default=0, ge=0, le=1, description="share of Q with constant power")
    kpf_pu: float = Field(default=0, ge=-10, le=10, description="relative change of P per frequency change")
    kqf_pu: float = Field(default=0, ge=-10, le=10, description="relative change of Q per frequency change")
    vmin_pu: float = Field(
        default=0.7,
        gt=0,
        lt=1,
        description="voltage below which current and power parts turn into impedances",
    )


DERIVED = ("p0", "q0", "v0", "left", "gz", "bz")
P: Any = rows(ZipParams, DERIVED)


@jit
def inject(u: Block, x: Floats, v: Complexes, w: Floats, current: Complexes) -> None:
    r"""Add :math:`-(S(V,f)/V)^*` of each load less what its admittance in the network draws [pu]."""
    for k in range(u.port.size):
        if not u.on[k]:
            continue
        at = v[u.port[k]]
        square = at.real * at.real + at.imag * at.imag
        v0, vmin = u.p[P.v0, k], u.p[P.vmin_pu, k]
        relative = square / (v0 * v0)
        slip = w[u.port[k]] - 1.0
        root, flat = math.sqrt(relative), 1.0
        if square < vmin * vmin:
            r = math.sqrt(square) / vmin
            root, flat = vmin / v0 * r * r * (2.0 - r), r * r * (3.0 - 2.0 * r)
        p = u.p[P.pz_pu, k] * relative + u.p[P.pi_pu, k] * root + u.p[P.pp_pu, k] * flat
        q = u.p[P.qz_pu, k] * relative + u.p[P.qi_pu, k] * root + u.p[P.qp_pu, k] * flat
        p *= u.p[P.left, k] * u.p[P.p0, k] * (1.0 + u.p[P.kpf_pu, k] * slip)
        q *= u.p[P.left, k] * u.p[P.q0, k] * (1.0 + u.p[P.kqf_pu, k] * slip)
        if square > 0.0:
            current[u.port[k]] += at * complex(u.p[P.gz, k] - p / square, u.p[P.bz, k] + q / square)


class Zip(Device):
    """Static load."""

    params_type = ZipParams
    role = "load"
    carries_power = True
    tables = ("load", "sgen", "storage", "motor", "ward")
    derived = DERIVED
    inject = staticmethod(inject)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Take power and voltage of the operating point; the load delivers `-s_pu`."""
        u.p[P.p0], u.p[P.q0], u.p[P.v0] = -site.s_pu.real, -site.s_pu.imag, np.abs(site.v_pu)
        u.p[P.left] = 1.0
        impedance(u)

    @classmethod
    def nonlinear(cls, u: Block) -> bool:
        """Only what is not pure impedance needs its current found."""
        return bool(cls.injects(u).any())

    @classmethod
    def injects(cls, u: Block) -> Bools:
        """Say which loads have more than an impedance part."""
        parts = ("pi_pu", "pp_pu", "qi_pu", "qp_pu", "kpf_pu", "kqf_pu")
        return np.asarray(np.any([u.p[getattr(P, name)] != 0.0 for name in parts], axis=0))

    @classmethod
    def admittance(cls, u: Block) -> Complexes:
        """Return the constant-impedance part."""
        return np.asarray(u.p[P.gz] + 1j * u.p[P.bz])

    @classmethod
    def shed(cls, u: Block, k: int, share_pu: float) -> bool:
        """Take a share away; it stays away whatever is ordered later."""
        u.p[P.left, k] *= 1.0 - share_pu
        impedance(u)
        return True

    @classmethod
    def demand(cls, u: Block, s: Floats, k: int) -> complex:
        """Return what the load draws at the voltage of the operating point, had nothing been shed."""
        return complex(u.p[P.p0, k], u.p[P.q0, k])

    @classmethod
    def set_demand(cls, u: Block, s: Floats, k: int, s_pu: complex) -> None:
        """Take another power at the voltage of the operating point."""
        u.p[P.p0, k], u.p[P.q0, k] = s_pu.real, s_pu.imag
        impedance(u)

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse shares that do not sum to one."""
        sums = {
            "pz_pu + pi_pu + pp_pu": params.pz_pu + params.pi_pu + params.pp_pu,
            "qz_pu + qi_pu + qp_pu": params.qz_pu + params.qi_pu + params.qp_pu,
        }
        return [f"{name}={value:g} is not 1" for name, value in sums.items() if abs(value - 1.0) > 1e-9]


def impedance(u: Block) -> None:
    """Write the admittance of the constant-impedance parts for the present `p0`, `q0`, `left`."""
    per_square = u.p[P.left] / u.p[P.v0] ** 2
    u.p[P.gz] = u.p[P.pz_pu] * u.p[P.p0] * per_square
    u.p[P.bz] = -u.p[P.qz_pu] * u.p[P.q0] * per_square


DEVICE = Zip
