r"""Motor3: induction motor of third order, one cage, stator transients neglected.

With complex quantities in the synchronous frame, :math:`e' = e'_d + je'_q`, current into the motor, slip
:math:`\sigma` against nominal speed:

.. math::
    v - e' &= (r_s + jx')\,i, \qquad x' = x_s + \frac{x_r x_m}{x_r+x_m}, \quad x_0 = x_s + x_m \\
    \dot e' &= -j\Omega\sigma e' - \bigl(e' - j(x_0-x')i\bigr)/T'_0, \qquad
        T'_0 = \frac{x_r+x_m}{\Omega r_r} \\
    2H\dot\sigma &= \tau_m - \tau_e, \qquad \tau_e = \Re(e' i^*), \qquad
        \tau_m = \tau_0(A\omega^2 + B\omega + C), \quad \omega = 1-\sigma

The motor starts at the slip at which its circuit draws the active power of the operating point on the
stable side of pull-out, which is a quadratic equation; :math:`\tau_0` balances it. What reactive power then
lacks or is left over at the terminal is a shunt that belongs to the motor and goes when the motor goes.
Shedding a share takes that share of the motors and of their shunt. [1]_

In the synchronous frame :math:`e'` of a stalled motor turns at the frequency of the system, faster than
usual steps resolve. Where :math:`|\lambda|h > 1` its rate is divided by that, with
:math:`|\lambda|^2 = T'^{-2} + (\Omega\sigma)^2`: where it tends to stays the same, and the slip is far slower
than either. At 5 ms this begins at slips of about 0.5.

References
----------
.. [1] F. Milano, *Power System Modelling and Scripting*, 2010, section 15.2.4 (order III); ANDES 2.0
   `motor3.py`, whose quadratic torque term has :math:`c_2\sigma^2` where :math:`c_3\sigma^2` follows from its
   definition, so the two agree where `c2 = c3`.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.errors import CaseError, collected
from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, rows
from grids.numbers import Complexes


class Motor3Params(Params):
    """Nameplate of one motor or of many alike, per unit of its own rating."""

    sn_mva: float = Field(gt=0, description="rating, base of all per-unit values here")
    rs_pu: float = Field(ge=0, description="stator resistance")
    xs_pu: float = Field(gt=0, description="stator leakage reactance")
    xm_pu: float = Field(gt=0, description="magnetising reactance")
    rr_pu: float = Field(gt=0, description="rotor resistance")
    xr_pu: float = Field(gt=0, description="rotor leakage reactance")
    h_s: float = Field(gt=0, description="inertia constant H of motor and load")
    a_pu: float = Field(default=1, ge=0, description="part A of the load torque, with the square of speed")
    b_pu: float = Field(default=0, ge=0, description="part B of the load torque, with speed")
    c_pu: float = Field(default=0, ge=0, description="part C of the load torque, constant")


DERIVED = ("omega_base", "ratio", "x_step", "td0_s", "td_s", "g", "b", "g_comp", "b_comp", "torque0", "left")
STATES = ("frame", "slip", "e1d", "e1q")
WRITES = ("p_load_pu", "q_load_pu", "slip_pu")
MEMORY = ("cos", "sin", "step_s")
"""Of the frame: `inject` leaves them for `measure` and `rhs`, which follow with the same states. The step."""

P: Any = rows(Motor3Params, DERIVED)
X: Any = rows(STATES)
S: Any = rows(WRITES)
Z: Any = rows(MEMORY)


@jit
def inject(u: Block, x: Floats, v: Complexes, w: Floats, current: Complexes) -> None:
    r"""Add the Norton current :math:`e'/(r_s+jx')` of each motor [pu]."""
    for k in range(u.port.size):
        c, d = math.cos(x[X.frame, k]), math.sin(x[X.frame, k])
        u.z[Z.cos, k], u.z[Z.sin, k] = c, d
        if u.on[k]:
            e = complex(x[X.e1d, k], x[X.e1q, k]) * complex(c, d)
            current[u.port[k]] += e * complex(u.p[P.g, k], u.p[P.b, k]) * u.p[P.left, k]


@jit
def measure(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats) -> None:
    """Write what motor and shunt draw [pu on the system's base], and the slip [pu]."""
    for k in range(u.port.size):
        at, e = v[u.port[k]], complex(x[X.e1d, k], x[X.e1q, k]) * complex(u.z[Z.cos, k], u.z[Z.sin, k])
        i = (at - e) * complex(u.p[P.g, k], u.p[P.b, k]) + at * complex(u.p[P.g_comp, k], u.p[P.b_comp, k])
        live = u.p[P.left, k] if u.on[k] else 0.0
        power = at * i.conjugate() * live
        s[u.wire[S.p_load_pu, k]] = power.real
        s[u.wire[S.q_load_pu, k]] = power.imag
        s[u.wire[S.slip_pu, k]] = x[X.slip, k]


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the derivatives of slip and transient voltage [1/s]; what was tripped stands still."""
    for k in range(u.port.size):
        slip, e = x[X.slip, k], complex(x[X.e1d, k], x[X.e1q, k])
        at = v[u.port[k]] * complex(u.z[Z.cos, k], -u.z[Z.sin, k])
        i = (at - e) * complex(u.p[P.g, k], u.p[P.b, k]) / u.p[P.ratio, k]
        x_step, live = u.p[P.x_step, k], 1.0 if u.on[k] else 0.0
        rate = complex(u.p[P.omega_base, k] * slip * e.imag, -u.p[P.omega_base, k] * slip * e.real)
        rate -= (e - complex(-x_step * i.imag, x_step * i.real)) / u.p[P.td0_s, k]
        omega = 1.0 - slip
        load = u.p[P.torque0, k] * (
            u.p[P.a_pu, k] * omega * abs(omega)
            + u.p[P.b_pu, k] * omega
            + u.p[P.c_pu, k] * (1.0 if omega > 0.0 else 0.0)
        )
        fastest = math.hypot(1.0 / u.p[P.td_s, k], u.p[P.omega_base, k] * slip)
        resolved = live / max(1.0, fastest * u.z[Z.step_s, k])
        dx[X.frame, k] = 0.0
        dx[X.slip, k] = live * (load - (e * i.conjugate()).real) / (2.0 * u.p[P.h_s, k])
        dx[X.e1d, k], dx[X.e1q, k] = resolved * rate.real, resolved * rate.imag


@jit
def after(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, t_s: float, h_s: float) -> bool:
    """Keep the step for `rhs`."""
    for k in range(u.port.size):
        u.z[Z.step_s, k] = h_s
    return False


class Motor3(Device):
    """Induction motor."""

    params_type = Motor3Params
    role = "load"
    carries_power = True
    tables = ("load", "motor")
    derived = DERIVED
    states = STATES
    writes = WRITES
    measured = WRITES
    angles = ("frame",)
    memory = MEMORY
    inject = staticmethod(inject)
    measure = staticmethod(measure)
    rhs = staticmethod(rhs)
    after = staticmethod(after)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Find the slip that draws the power, the transient voltage, the torque and the shunt."""
        p = u.p
        p[P.ratio] = p[P.sn_mva] / site.base_mva
        p[P.omega_base], p[P.left] = site.omega_base, 1.0
        vm, drawn = np.abs(site.v_pu), -site.s_pu / p[P.ratio]
        slip = _slip(u, vm, drawn.real, site)
        rotor = p[P.xr_pu] + p[P.xm_pu]
        x1 = p[P.xs_pu] + p[P.xr_pu] * p[P.xm_pu] / rotor
        p[P.x_step] = p[P.xs_pu] + p[P.xm_pu] - x1
        p[P.td0_s] = rotor / (site.omega_base * p[P.rr_pu])
        y = 1.0 / (p[P.rs_pu] + 1j * x1)
        p[P.td_s] = p[P.td0_s] / (1.0 + p[P.x_step] * np.abs(y))
        # e' stands where its derivative is zero
        coupling = 1j * p[P.x_step] * y
        e = coupling * site.v_pu / (1.0 + coupling + 1j * site.omega_base * slip * p[P.td0_s])
        i = y * (site.v_pu - e)
        p[P.g], p[P.b] = y.real * p[P.ratio], y.imag * p[P.ratio]
        rest = np.conj(drawn - site.v_pu * np.conj(i)) / vm**2 * p[P.ratio]
        p[P.g_comp], p[P.b_comp] = rest.real, rest.imag
        omega = 1.0 - slip
        shape = p[P.a_pu] * omega**2 + p[P.b_pu] * omega + p[P.c_pu]
        p[P.torque0] = (e * np.conj(i)).real / shape
        x[X.frame], x[X.slip], x[X.e1d], x[X.e1q] = 0.0, slip, e.real, e.imag

    @classmethod
    def admittance(cls, u: Block) -> Complexes:
        """Return the motor's Norton admittance with its shunt."""
        both = u.p[P.g] + u.p[P.g_comp] + 1j * (u.p[P.b] + u.p[P.b_comp])
        return np.asarray(both * u.p[P.left])

    @classmethod
    def time_constants(cls, u: Block) -> dict[str, Floats]:
        """Return the short-circuit time constant of the rotor, which the step must resolve."""
        return {"td_s": u.p[P.td_s]}

    @classmethod
    def shed(cls, u: Block, k: int, share_pu: float) -> bool:
        """Take a share of the motors away."""
        u.p[P.left, k] *= 1.0 - share_pu
        return True

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse a load torque of nothing."""
        if params.a_pu + params.b_pu + params.c_pu > 0.0:
            return ()
        return ("a_pu + b_pu + c_pu=0: the load torque has no part",)


def _slip(u: Block, vm_pu: Floats, p_pu: Floats, site: Site) -> Floats:
    r"""Return the slip at which each motor draws `p_pu` of its rating, on the stable side of pull-out.

    With :math:`r = r_r/\sigma` the circuit draws :math:`P(r) = V^2 N(r)/D(r)`, both quadratic in r; in
    :math:`y = 1/r` the wanted slip is the root nearer to zero.

    Raises
    ------
    CaseError
        With every motor asked for more than it can pull.
    """
    p = u.p
    rs, xs, xm, xr = p[P.rs_pu], p[P.xs_pu], p[P.xm_pu], p[P.xr_pu]
    rotor, x0 = xr + xm, xs + xm
    open_square = rs**2 + x0**2
    short_square = (xs * rotor + xm * xr) ** 2 + (rs * rotor) ** 2
    v2 = vm_pu**2

    def root(power: Floats) -> Floats:
        """Return `y`, nan beyond pull-out."""
        a = power * open_square - v2 * rs
        b = xm**2 * (2.0 * power * rs - v2)
        c = power * short_square - v2 * rs * rotor**2
        inside = b**2 - 4.0 * a * c
        return np.where(inside >= 0.0, 2.0 * a / (-b + np.sqrt(np.maximum(inside, 0.0))), np.nan)

    y = root(p_pu)
    wrong = []
    for k in np.flatnonzero(~np.isfinite(y)).tolist():
        most = _pull_out(v2[k], rs[k], xm[k], rotor[k], open_square[k], short_square[k])
        mva, wanted = p[P.sn_mva, k], p_pu[k] * p[P.sn_mva, k]
        wrong.append(
            f"{site.elements[k]} (motor3) sn_mva={mva:g} cannot draw {wanted:.4g} MW at {vm_pu[k]:.3f} pu: "
            f"it pulls out at {most * mva:.4g} MW (allowed: above {wanted / most:.4g})"
        )
    collected(wrong, CaseError)
    return np.asarray(p[P.rr_pu] * y)


def _pull_out(
    v2: float, rs: float, xm: float, rotor: float, open_square: float, short_square: float
) -> float:
    """Return the largest power the circuit draws [pu]: where the discriminant of `_slip` is zero."""
    # (xm² (2 p rs - v²))² = 4 (p a1 - v² rs)(p c1 - v² rs rotor²)
    square = 4.0 * (xm**4 * rs**2 - open_square * short_square)
    linear = 4.0 * v2 * rs * (-(xm**4) + open_square * rotor**2 + short_square)
    constant = v2**2 * (xm**4 - 4.0 * rs**2 * rotor**2)
    return float(np.max(np.roots([square, linear, constant]).real))


DEVICE = Motor3
