r"""REGFM_A1: grid-forming converter with droop, a voltage source behind a coupling impedance.

.. math::
    \dot\delta &= \Omega(\omega-1), \qquad \omega = 1 + m_p(P_{ref}-P_f) + \Delta_P \\
    V^* &= V_{ref} + m_q(Q_{ref}-Q_f) + \Delta_Q, \qquad
    E = K_{pv}(V^*-V_f) + \int K_{iv}(V^*-V_f)\,dt, \quad E_{min} \le E \le E_{max}

with P, Q, V behind the filters :math:`T_{Pf}, T_{Qf}, T_{Vf}`; with `vflag_code = 0` the droop sets
:math:`E = V^*` itself. Overload mitigation: one PI controller each, active beyond its limit only,

.. math::
    \Delta_P = \min(K_{pp}(P_{max}-P_f) + x_{max}, 0) + \max(K_{pp}(P_{min}-P_f) + x_{min}, 0)

and :math:`\Delta_Q` likewise. The current :math:`(Ee^{j\delta}-V)/(R_e+jX_e)` is cut to :math:`I_{max}`
at its own angle (`imax_pu = 0`: never). [1]_

Which of the two holds is kept within a step, so that the network stays smooth; it is looked at after
each step, and whenever something is switched. A proportional or direct part of E comes through the lag
`te_s` of the inner voltage loop, which the specification leaves out. Droop with a filtered power is a
machine of inertia :math:`M = T_{Pf}/m_p` [2]_: with that weight the converter enters the centre of
inertia, with a speed read through a lag of 5 ms. `omega` is that reading, the angle turns with the
speed itself.

References
----------
.. [1] W. Du et al., *Model Specification of Droop-Controlled, Grid-Forming Inverters (REGFM_A1)*, PNNL,
   September 2023 (approved by WECC); parameters as in PowerWorld's REGFM_A1.
.. [2] S. D'Arco, J. A. Suul, "Equivalence of Virtual Synchronous Machines and Frequency-Droops for
   Converter-Based MicroGrids", *IEEE Trans. Smart Grid* 5(1), 2014.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, not_below, parameter_names, rows
from grids.dynamics.kernels.blocks import clip, lag, lag_rate
from grids.dynamics.kernels.converters import limited_source, pi_rate
from grids.numbers import Complexes

READING_S = 0.005
"""Lag of the speed that enters the centre of inertia."""
NEAR_PU = 2e-5
"""An overload controller rests this near zero, beyond the steps a linearisation takes aside."""


class GridFormingParams(Params):
    """What grid-forming converters have in common, per unit of the rating."""

    sn_mva: float = Field(gt=0, description="rating, base of all per-unit values here")
    re_pu: float = Field(default=0, ge=0, description="coupling resistance")
    xe_pu: float = Field(default=0.15, gt=0, description="coupling reactance")
    imax_pu: float = Field(default=2, ge=0, description="largest current in a fault; 0: no limit")
    tpf_s: float = Field(default=0.02, gt=0, description="filter of P")
    tqf_s: float = Field(default=0.02, ge=0, description="filter of Q")
    tvf_s: float = Field(default=0.02, ge=0, description="filter of V")
    mp_pu: float = Field(default=0.02, gt=0, description="droop: frequency per power")
    mq_pu: float = Field(default=0.05, ge=0, description="droop: voltage per reactive power")
    vflag_code: int = Field(default=1, ge=0, le=1, description="1: PI voltage controller, 0: droop sets E")
    kpv_pu: float = Field(default=0, ge=0, description="proportional gain of the voltage controller")
    kiv_per_s: float = Field(default=5.86, ge=0, description="integral gain of the voltage controller")
    te_s: float = Field(default=0.005, gt=0, description="lag of what reaches E without integration")
    emax_pu: float = Field(default=1.2, gt=0, description="largest internal voltage")
    emin_pu: float = Field(default=0, ge=0, description="smallest internal voltage")


class RegfmA1Params(GridFormingParams):
    """One droop-controlled grid-forming converter, per unit of its rating."""

    pmax_pu: float = Field(default=1, description="active power above which it is brought back")
    pmin_pu: float = Field(default=-1, description="active power below which it is brought back")
    kppmax_pu: float = Field(
        default=0.01, ge=0, description="overload of P, proportional: frequency per power"
    )
    kipmax_per_s: float = Field(default=0.1, ge=0, description="overload of P, integral")
    qmax_pu: float = Field(default=1, description="reactive power above which it is brought back")
    qmin_pu: float = Field(default=-1, description="reactive power below which it is brought back")
    kpqmax_pu: float = Field(default=3, ge=0, description="overload of Q, proportional: voltage per power")
    kiqmax_per_s: float = Field(default=20, ge=0, description="overload of Q, integral")


DERIVED = ("own_mva", "ratio", "omega_base", "g", "b")
COMMON = ("delta", "omega", "pf", "qf", "vf", "e", "fast")
STATES = (*COMMON, "pover", "punder", "qover", "qunder")
READS = ("p_set_mw", "q_set_mvar", "v_set_pu")
WRITES = ("speed", "p", "q", "vm", "i")
MEMORY = ("held", "limiting")
"""Whether the kind of the current is held, and whether it is the limited one."""

C: Any = rows(GridFormingParams)
D: Any = rows(DERIVED)
P: Any = rows(RegfmA1Params, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)
Z: Any = rows(MEMORY)
A1_DERIVED = len(parameter_names(RegfmA1Params))
"""First derived row of REGFM_A1."""


@jit
def unlimited(u: Block, x: Floats, at: Any, k: int, d: int) -> Any:
    """Return the current without its limit [pu of the system]; `d` is the first derived row."""
    e = clip(x[X.e, k] + x[X.fast, k], u.p[C.emin_pu, k], u.p[C.emax_pu, k])
    inner = complex(e * math.cos(x[X.delta, k]), e * math.sin(x[X.delta, k]))
    return (inner - at) * complex(u.p[d + D.g, k], u.p[d + D.b, k])


@jit
def current_now(u: Block, x: Floats, at: Any, k: int, d: int) -> Any:
    """Return the current into the bus [pu of the system], of the kind that is held if one is."""
    free, most = unlimited(u, x, at, k, d), u.p[C.imax_pu, k] * u.p[d + D.ratio, k]
    if most == 0.0 or (u.z[Z.held, k] == 1.0 and u.z[Z.limiting, k] == 0.0):
        return free
    if u.z[Z.held, k] == 1.0:
        size = abs(free)
        return free * (most / size) if size > 0.0 else free
    return limited_source(free, most)


@jit
def inject_source(u: Block, x: Floats, v: Complexes, current: Complexes, d: int) -> None:
    """Add the current of each converter plus what its admittance in the network draws [pu]."""
    for k in range(u.port.size):
        if u.on[k]:
            at = v[u.port[k]]
            own = at * complex(u.p[d + D.g, k], u.p[d + D.b, k])
            current[u.port[k]] += current_now(u, x, at, k, d) + own


@jit
def measure_source(u: Block, x: Floats, v: Complexes, s: Floats, d: int, speed: bool) -> None:
    """Hold the kind of the current, and write terminal quantities [pu of the system]."""
    for k in range(u.port.size):
        at = v[u.port[k]]
        if u.z[Z.held, k] == 0.0:
            most = u.p[C.imax_pu, k] * u.p[d + D.ratio, k]
            beyond = 0.0 < most < abs(unlimited(u, x, at, k, d))
            u.z[Z.limiting, k] = 1.0 if beyond else 0.0
            u.z[Z.held, k] = 1.0
        i = current_now(u, x, at, k, d) if u.on[k] else complex(0.0, 0.0)
        power = at * i.conjugate()
        s[u.wire[S.p, k]] = power.real
        s[u.wire[S.q, k]] = power.imag
        s[u.wire[S.vm, k]] = abs(at)
        s[u.wire[S.i, k]] = abs(i)
        if speed:
            s[u.wire[S.speed, k]] = x[X.omega, k]


@jit
def changes_kind(u: Block, x: Floats, v: Complexes, d: int) -> bool:
    """Say whether the current of any unit has come to or left its limit."""
    for k in range(u.port.size):
        most = u.p[C.imax_pu, k] * u.p[d + D.ratio, k]
        if u.on[k] and most > 0.0 and u.z[Z.held, k] == 1.0:
            size = abs(unlimited(u, x, v[u.port[k]], k, d))
            limiting = u.z[Z.limiting, k] == 1.0
            if (limiting and size < most * (1.0 - 1e-9)) or (not limiting and size > most * (1.0 + 1e-9)):
                return True
    return False


@jit
def voltage(u: Block, x: Floats, at: Any, s: Floats, dx: Floats, k: int, d: int, extra: float) -> None:
    """Write the rates of the filters of Q and V and of the internal voltage [1/s]."""
    p, vm = u.p, abs(at)
    q = s[u.wire[S.q, k]] / p[d + D.ratio, k]
    qf, vf = lag(q, x[X.qf, k], p[C.tqf_s, k]), lag(vm, x[X.vf, k], p[C.tvf_s, k])
    given = s[u.wire[S.q_set_mvar, k]] / p[d + D.own_mva, k]
    wanted = s[u.wire[S.v_set_pu, k]] + p[C.mq_pu, k] * (given - qf) + extra
    low, high = p[C.emin_pu, k], p[C.emax_pu, k]
    dx[X.qf, k] = lag_rate(q, x[X.qf, k], p[C.tqf_s, k])
    dx[X.vf, k] = lag_rate(vm, x[X.vf, k], p[C.tvf_s, k])
    if p[C.vflag_code, k] == 1.0:
        dx[X.e, k] = pi_rate(wanted - vf, p[C.kiv_per_s, k], x[X.e, k] + x[X.fast, k], low, high)
        dx[X.fast, k] = lag_rate(p[C.kpv_pu, k] * (wanted - vf), x[X.fast, k], p[C.te_s, k])
    else:
        dx[X.e, k] = 0.0
        dx[X.fast, k] = lag_rate(wanted, x[X.fast, k], p[C.te_s, k])


@jit
def inject(u: Block, x: Floats, v: Complexes, w: Floats, current: Complexes) -> None:
    """Add the current of each converter [pu]."""
    inject_source(u, x, v, current, A1_DERIVED)


@jit
def measure(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats) -> None:
    """Write terminal quantities [pu of the system]."""
    measure_source(u, x, v, s, A1_DERIVED, False)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the speed [pu] and the derivatives [1/s]."""
    for k in range(u.port.size):
        p, pf, qf = u.p, x[X.pf, k], x[X.qf, k]
        power = s[u.wire[S.p, k]] / p[P.ratio, k]
        kp, ki = p[P.kppmax_pu, k], p[P.kipmax_per_s, k]
        over, under = (
            kp * (p[P.pmax_pu, k] - pf) + x[X.pover, k],
            kp * (p[P.pmin_pu, k] - pf) + x[X.punder, k],
        )
        given = s[u.wire[S.p_set_mw, k]] / p[P.own_mva, k]
        speed = 1.0 + p[P.mp_pu, k] * (given - pf) + min(over, 0.0) + max(under, 0.0)
        s[u.wire[S.speed, k]] = speed
        dx[X.delta, k] = p[P.omega_base, k] * (speed - 1.0)
        dx[X.omega, k] = (speed - x[X.omega, k]) / READING_S
        dx[X.pf, k] = lag_rate(power, pf, p[P.tpf_s, k])
        dx[X.pover, k] = pi_rate(p[P.pmax_pu, k] - pf, ki, x[X.pover, k] + NEAR_PU, -1e9, 0.0)
        dx[X.punder, k] = pi_rate(p[P.pmin_pu, k] - pf, ki, x[X.punder, k] - NEAR_PU, 0.0, 1e9)
        kp, ki = p[P.kpqmax_pu, k], p[P.kiqmax_per_s, k]
        over, under = (
            kp * (p[P.qmax_pu, k] - qf) + x[X.qover, k],
            kp * (p[P.qmin_pu, k] - qf) + x[X.qunder, k],
        )
        dx[X.qover, k] = pi_rate(p[P.qmax_pu, k] - qf, ki, x[X.qover, k] + NEAR_PU, -1e9, 0.0)
        dx[X.qunder, k] = pi_rate(p[P.qmin_pu, k] - qf, ki, x[X.qunder, k] - NEAR_PU, 0.0, 1e9)
        voltage(u, x, v[u.port[k]], s, dx, k, A1_DERIVED, min(over, 0.0) + max(under, 0.0))
        if not u.on[k]:
            for i in range(x.shape[0]):
                dx[i, k] = 0.0


@jit
def after(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, t_s: float, h_s: float) -> bool:
    """Ask for the network to be solved anew where a current has come to or left its limit."""
    return bool(changes_kind(u, x, v, A1_DERIVED))


class GridForming(Device):
    """What grid-forming converters have in common: a source behind an impedance, and its current limit."""

    role = "converter"
    carries_power = True
    tables = ("sgen", "gen", "ext_grid", "load", "storage")
    derived = DERIVED
    reads = READS
    writes = WRITES
    angles = ("delta",)
    rotor = ("delta", "omega")
    memory = MEMORY

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Find the internal voltage, and the references that keep it."""
        p, d = u.p, len(parameter_names(cls.params_type))
        p[d + D.own_mva], p[d + D.ratio] = p[C.sn_mva], p[C.sn_mva] / site.base_mva
        p[d + D.omega_base] = site.omega_base
        y = p[d + D.ratio] / (p[C.re_pu] + 1j * p[C.xe_pu])
        p[d + D.g], p[d + D.b] = y.real, y.imag
        inner = site.v_pu + np.conj(site.s_pu / site.v_pu) / y
        power = site.s_pu / p[d + D.ratio]
        x[X.delta], x[X.omega] = np.angle(inner), 1.0
        x[X.pf], x[X.qf], x[X.vf] = power.real, power.imag, np.abs(site.v_pu)
        regulated = p[C.vflag_code] == 1
        x[X.e] = np.where(regulated, np.abs(inner), 0.0)
        x[X.fast] = np.where(regulated, 0.0, np.abs(inner))
        s[u.wire[S.p_set_mw]] = site.s_pu.real * site.base_mva
        s[u.wire[S.q_set_mvar]] = site.s_pu.imag * site.base_mva
        s[u.wire[S.v_set_pu]] = np.where(regulated, np.abs(site.v_pu), np.abs(inner))

    @classmethod
    def nonlinear(cls, u: Block) -> bool:
        """Say whether any current has a limit: a limited one is not a linear source."""
        return bool((u.p[C.imax_pu] > 0.0).any())

    @classmethod
    def admittance(cls, u: Block) -> Complexes:
        """Return the coupling's Norton admittance."""
        d = len(parameter_names(cls.params_type))
        return np.asarray(u.p[d + D.g] + 1j * u.p[d + D.b])

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the plain lags."""
        names = (("pf", C.tpf_s), ("qf", C.tqf_s), ("vf", C.tvf_s), ("fast", C.te_s))
        return {name: u.p[row] for name, row in names}

    @classmethod
    def demands(
        cls, u: Block, x: Floats, v: Complexes, s: Floats
    ) -> dict[str, tuple[Floats, Floats, Floats]]:
        """Return the current and the internal voltage the limits must leave room for [pu of the rating]."""
        p, e = u.p, x[X.e] + x[X.fast]
        size = np.hypot(x[X.pf], x[X.qf]) / x[X.vf]
        most = np.where(p[C.imax_pu] > 0.0, p[C.imax_pu], np.inf)
        return {
            "current (imax_pu)": (size, np.zeros(u.port.size), most),
            "internal voltage (emin_pu, emax_pu)": (e, p[C.emin_pu], p[C.emax_pu]),
        }

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse limits in the wrong order."""
        names = ("e", "p", "q") if hasattr(params, "pmax_pu") else ("e",)
        return not_below(params, [(f"{n}min_pu", f"{n}max_pu") for n in names])

    @classmethod
    def release(cls, u: Block) -> None:
        """Let the current limit be found anew."""
        u.z[Z.held] = 0.0

    @classmethod
    def act(cls, u: Block, session: Any) -> None:
        """Solve the network anew with the current limit as it is now."""
        session.solution.refresh()


class RegfmA1(GridForming):
    """Droop-controlled grid-forming converter."""

    params_type = RegfmA1Params
    states = STATES
    measured = ("p", "q", "vm", "i")
    inject = staticmethod(inject)
    measure = staticmethod(measure)
    rhs = staticmethod(rhs)
    after = staticmethod(after)

    @classmethod
    def inertia(cls, u: Block) -> Floats:
        """Return the inertia a droop behind a filter amounts to, on the system's base."""
        return np.asarray(u.p[P.tpf_s] / u.p[P.mp_pu] * u.p[P.ratio])

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the plain lags."""
        return super().lags(u) | {"omega": np.full(u.port.size, READING_S)}

    @classmethod
    def bounds(cls, u: Block) -> dict[str, tuple[Floats, Floats]]:
        """Return the side of zero each overload controller works on."""
        zero, far = np.zeros(u.port.size), np.full(u.port.size, np.inf)
        return {
            "pover": (-far, zero),
            "punder": (zero, far),
            "qover": (-far, zero),
            "qunder": (zero, far),
        }


DEVICE = RegfmA1
