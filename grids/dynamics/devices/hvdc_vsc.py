r"""HVDC_VSC: voltage-sourced converter station of a direct-current link.

.. math::
    T_p\,\dot p &= \operatorname{clip}(P_{ord} + P_{mod} + k_f\,d(\omega-1),\ \pm a\,i_{max}) - p \\
    T_q\,\dot q &= q_0 + q_{ref} + k_v\,(V_0 - V) - q

in the frame of the terminal voltage, with :math:`|p - jq| \le n\,i_{max}V`, active or reactive power first;
`n` is the share of poles in service, `a` the recovery ramp. Current control is faster than the step and
quasi-static. Of two partners the one that draws power at the start controls it, the other holds the
direct voltage: it delivers what arrives, :math:`p - r p^2`, a line lag later. What it cannot deliver within
its current goes into a chopper on the direct side. Below 0.2 pu the current falls with the voltage, so the
converter stays solvable through a bolted fault.

References
----------
.. [1] F. Milano, *Power System Modelling and Scripting*, 2010, section 18.3 (power control, direct
   voltage control); converter current limit and voltage droop as usual in stability programs. Lags, droop
   and recovery are (unconfirmed) defaults.
"""

import math
from collections.abc import Collection
from typing import Any, Literal

import numpy as np
from pydantic import Field

from cosim.core.errors import CaseError, collected
from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, rows
from grids.dynamics.hvdc_partners import partners
from grids.dynamics.kernels.blocks import clip
from grids.dynamics.kernels.hvdc import frequency_support, order_rate
from grids.dynamics.operating import ENDS, Element, OperatingPoint
from grids.dynamics.tables import Unit
from grids.numbers import Complexes


class HvdcVscParams(Params):
    """One converter station, per unit of its rated power."""

    partner: str = Field(default="", description="element of the other end; empty where that is elsewhere")
    p_rated_mw: float = Field(gt=0, description="rated power of all poles; base of its per-unit values")
    i_max_pu: float = Field(default=1.1, gt=0, description="largest current")
    priority: Literal["p", "q"] = Field(default="q", description="what the current limit leaves whole")
    kv_pu: float = Field(default=2, ge=0, description="reactive power per voltage deviation; 0 holds it")
    t_p_s: float = Field(default=0.02, gt=0, description="lag of the power control")
    t_q_s: float = Field(default=0.05, gt=0, description="lag of the voltage control")
    t_dc_s: float = Field(default=0.02, gt=0, description="lag from one partner to the other")
    r_pu: float = Field(
        default=0.02, ge=0, lt=0.25, description="loss of partners that carry nothing at the start"
    )
    ramp_pu_per_s: float = Field(default=1, gt=0, description="ramp of the scheduled power")
    t_recover_s: float = Field(default=0.1, gt=0, description="ramp of the power after a block")
    kf_pu: float = Field(default=0, ge=0, description="frequency support: power per frequency deviation")
    f_band_pu: float = Field(default=0.002, ge=0, description="its dead-band")
    kf_max_pu: float = Field(default=0.1, ge=0, description="its limit")


DERIVED = ("ratio", "direction", "master", "other", "line", "v0", "q0", "reactive_first")
STATES = ("order", "active", "reactive", "available")
READS = ("pref", "ramp", "poles", "pmod", "qref")
WRITES = ("p", "q", "chopper")
MEMORY = ("poles",)
FADE_PU = 0.2
"""Voltage below which the current falls with it."""
RESERVE = 1.1
"""Rating of a dcline without a row over the apparent power it carries (unconfirmed)."""
COLLAPSE_PER_S = 10.0
"""How fast the permission to carry power is withdrawn by a block."""

P: Any = rows(HvdcVscParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)
Z: Any = rows(MEMORY)


@jit
def capacity(u: Block, v: Complexes, k: int) -> float:
    """Return the apparent power station `k` can carry at its voltage [pu of the link]."""
    vm = abs(v[u.port[k]])
    return float(u.p[P.i_max_pu, k] * u.z[Z.poles, k] * vm * min(vm / FADE_PU, 1.0)) if u.on[k] else 0.0


@jit
def drawn(u: Block, x: Floats, v: Complexes, k: int) -> complex:
    """Return P + jQ that station `k` draws [pu of the link], within its current."""
    most = capacity(u, v, k)
    p, q = x[X.active, k], -x[X.reactive, k]
    if u.p[P.reactive_first, k] > 0.0:
        q = clip(q, -most, most)
        rest = math.sqrt(max(most * most - q * q, 0.0))
        p = clip(p, -rest, rest)
    else:
        p = clip(p, -most, most)
        rest = math.sqrt(max(most * most - p * p, 0.0))
        q = clip(q, -rest, rest)
    return complex(p, q)


@jit
def inject(u: Block, x: Floats, v: Complexes, w: Floats, current: Complexes) -> None:
    r"""Add :math:`-(S/V)^*` of each station [pu]."""
    for k in range(u.port.size):
        power = drawn(u, x, v, k) * u.p[P.ratio, k]
        if power != 0.0:
            current[u.port[k]] -= (power / v[u.port[k]]).conjugate()


@jit
def measure(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats) -> None:
    """Write what the station delivers and what its chopper burns [pu of the system]."""
    for k in range(u.port.size):
        power = drawn(u, x, v, k) * u.p[P.ratio, k]
        s[u.wire[S.p, k]], s[u.wire[S.q, k]] = -power.real, -power.imag
        follows = u.p[P.master, k] != k and u.on[k]
        left = power.real - x[X.active, k] * u.p[P.ratio, k]
        s[u.wire[S.chopper, k]] = max(left, 0.0) if follows and x[X.active, k] < 0.0 else 0.0


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the derivatives [1/s]; order and recovery of a follower stand still."""
    for k in range(u.port.size):
        for i in range(4):
            dx[i, k] = 0.0
        if not u.on[k]:
            continue
        j, most = int(u.p[P.other, k]), u.p[P.i_max_pu, k]
        if u.p[P.master, k] == k:
            wanted = u.p[P.direction, k] * (x[X.order, k] + s[u.wire[S.pmod, k]])
            wanted += frequency_support(
                w[u.port[k]], u.p[P.kf_pu, k], u.p[P.f_band_pu, k], u.p[P.kf_max_pu, k]
            )
            lowest = -most
            if j >= 0:
                wanted -= frequency_support(
                    w[u.port[j]], u.p[P.kf_pu, j], u.p[P.f_band_pu, j], u.p[P.kf_max_pu, j]
                )
                lowest = max(lowest, -capacity(u, v, j))  # reversed, it delivers what the other can draw
            stopped = u.z[Z.poles, k] <= 0.0 or (j >= 0 and not u.on[j])
            allowed = 0.0 if stopped else most * x[X.available, k]
            wanted = clip(wanted, max(lowest, -allowed), allowed)
            dx[X.active, k] = (wanted - x[X.active, k]) / u.p[P.t_p_s, k]
            dx[X.order, k] = order_rate(s[u.wire[S.pref, k]], x[X.order, k], s[u.wire[S.ramp, k]])
            dx[X.available, k] = -COLLAPSE_PER_S if stopped else 1.0 / u.p[P.t_recover_s, k]
        else:
            sent = drawn(u, x, v, j).real
            arrives = sent - u.p[P.line, k] * sent * sent
            dx[X.active, k] = (-arrives - x[X.active, k]) / u.p[P.t_dc_s, k]
        error = u.p[P.v0, k] - abs(v[u.port[k]])
        q = clip(u.p[P.q0, k] + s[u.wire[S.qref, k]] + u.p[P.kv_pu, k] * error, -most, most)
        dx[X.reactive, k] = (q - x[X.reactive, k]) / u.p[P.t_q_s, k]


class HvdcVsc(Device):
    """Voltage-sourced converter station."""

    params_type = HvdcVscParams
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

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Take power and voltage of the operating point, and from both ends' powers the loss."""
        p = u.p
        p[P.ratio], p[P.v0] = p[P.p_rated_mw] / site.base_mva, abs(site.v_pu)
        p[P.reactive_first] = [float(params.priority == "q") for params in site.params]
        power = -site.s_pu.real / p[P.ratio]
        p[P.q0] = site.s_pu.imag / p[P.ratio]
        p[P.direction] = np.where(power < 0.0, -1.0, 1.0)
        p[P.other], p[P.line] = partners(site), p[P.r_pu]
        _pair(u, power, site)
        x[X.order], x[X.active], x[X.reactive], x[X.available] = abs(power), power, p[P.q0], 1.0
        s[u.wire[S.pref]], s[u.wire[S.ramp]] = abs(power), p[P.ramp_pu_per_s]
        s[u.wire[S.poles]], s[u.wire[S.pmod]], s[u.wire[S.qref]] = 1.0, 0.0, 0.0
        u.z[Z.poles] = 1.0

    @classmethod
    def take(cls, u: Block, s: Floats, k: int) -> None:
        """Put the share of poles in service where `inject` sees it."""
        u.z[Z.poles, k] = s[u.wire[S.poles, k]]

    @classmethod
    def demand(cls, u: Block, s: Floats, k: int) -> complex | None:
        """Return what the station is scheduled to draw, None where its partner has the schedule."""
        if u.p[P.master, k] != k:
            return None
        p = u.p[P.direction, k] * s[u.wire[S.pref, k]]
        return complex(p, -u.p[P.q0, k] - s[u.wire[S.qref, k]]) * complex(u.p[P.ratio, k])

    @classmethod
    def set_demand(cls, u: Block, s: Floats, k: int, s_pu: complex) -> None:
        """Schedule a power and a reactive power at the voltage of the operating point."""
        ratio = u.p[P.ratio, k]
        s[u.wire[S.pref, k]] = u.p[P.direction, k] * s_pu.real / ratio
        s[u.wire[S.qref, k]] = -s_pu.imag / ratio - u.p[P.q0, k]

    @classmethod
    def nonlinear(cls, u: Block) -> bool:
        """Say yes: a power is no admittance."""
        return True

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the lags of active and reactive power."""
        follows = u.p[P.master] != np.arange(u.port.size)
        return {"active": np.where(follows, u.p[P.t_dc_s], u.p[P.t_p_s]), "reactive": u.p[P.t_q_s]}

    @classmethod
    def bounds(cls, u: Block) -> dict[str, tuple[Floats, Floats]]:
        """Return the bounds of the recovery ramp."""
        return {"available": (np.zeros(u.port.size), np.ones(u.port.size))}


def _pair(u: Block, power: Floats, site: Site) -> None:
    """Say which end controls the power, and what is lost between both."""
    p, wrong = u.p, []
    for k, name in enumerate(site.elements):
        current = abs(complex(power[k], p[P.q0, k])) / p[P.v0, k]
        if current > p[P.i_max_pu, k]:
            wrong.append(f"{name} carries {current:g} pu (allowed: i_max_pu={p[P.i_max_pu, k]:g})")
        j = int(p[P.other, k])
        if j < 0:
            p[P.master, k] = k
            continue
        sends = power[k] > 0.0 or (power[k] == power[j] == 0.0 and k < j)
        p[P.master, k] = k if sends else j
        if sends and -power[j] > power[k]:
            mw = p[P.p_rated_mw, k] * np.array([power[k], -power[j]])
            what = f"draws {mw[0]:g} MW and its partner {site.elements[j]} delivers {mw[1]:g} MW"
            wrong.append(f"{name} {what}: nothing is left for the loss")
        elif power[k] * power[j] > 0.0:
            wrong.append(f"{name} and its partner {site.elements[j]} both draw or both deliver power")
        elif sends and power[k] > 0.0:
            p[P.line, k] = p[P.line, j] = (power[k] + power[j]) / power[k] ** 2
    collected(wrong, CaseError)


def default_links(point: OperatingPoint, modelled: Collection[str]) -> list[Unit]:
    """Return two partners for each dcline without a row, rated a little above what it carries.

    A dcline of pandapower holds the voltage at both ends, as a voltage-sourced converter does.
    """
    ends: dict[int, list[Element]] = {}
    for element in point.elements:
        if element.table == "dcline" and element.bus >= 0:
            ends.setdefault(element.index, []).append(element)
    units = []
    for pair in ends.values():
        if len(pair) < len(ENDS) or any(end.name in modelled for end in pair):
            continue
        rated_mw = RESERVE * max(abs(end.s_pu) for end in pair) * point.model.base_mva
        for end, other in (pair, pair[::-1]):
            params = HvdcVscParams(p_rated_mw=rated_mw or point.model.base_mva, partner=other.name)
            units.append(Unit("hvdc_vsc", end.name, params))
    return units


DEVICE = HvdcVsc
