r"""IEEEG1: steam turbine with up to four stages and a speed governor with rate and position limits [1]_.

.. math::
    p_w &= p_{ref} + p_{aux} - K\frac{1+sT_2}{1+sT_1}\,d(\omega-1) \\
    \dot y &= \frac{p_w-y}{T_3}, \quad U_c\le\dot y\le U_o, \quad P_{min}\le y\le P_{max} \\
    l_4 &= \frac{y}{1+sT_4}, \quad l_5 = \frac{l_4}{1+sT_5}, \quad l_6 = \frac{l_5}{1+sT_6}, \quad
    l_7 = \frac{l_6}{1+sT_7} \\
    \tau_m &= K_1l_4+K_3l_5+K_5l_6+K_7l_7

with the dead-band `d` (none where `dbl_pu = dbu_pu = 0`). `plim_pu` limits the droop term, as plants in China
limit their primary response to 6 to 10 % of the rating; it is not in IEEEG1, and off by default. The output
is a torque. `k2, k4, k6, k8` drive the second machine of a cross-compound unit; a device acts on one element,
so they must be zero here.

References
----------
.. [1] IEEE Committee Report, "Dynamic models for steam and hydro turbines in power system studies", *IEEE
   Trans. PAS* 92, 1973; PSS/E IEEEG1, ANDES 2.0 `ieeeg1.py` (which norms the shares to sum to one).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, not_below, own_ratio, rows
from grids.dynamics.kernels.blocks import clip, dead_band, lag, lag_rate, lead_lag
from grids.numbers import Complexes

SHARES = ("k1_pu", "k3_pu", "k5_pu", "k7_pu")
SECOND = ("k2_pu", "k4_pu", "k6_pu", "k8_pu")


class Ieeeg1Params(Params):
    """One turbine and governor, per unit of `sn_mva`."""

    sn_mva: float = Field(default=0, ge=0, description="turbine rating; 0 takes the machine's")
    k_pu: float = Field(gt=0, description="governor gain, 1/droop")
    t1_s: float = Field(default=0, ge=0, description="governor lag")
    t2_s: float = Field(default=0, ge=0, description="governor lead")
    t3_s: float = Field(gt=0, description="valve positioner")
    uo_pu_per_s: float = Field(gt=0, description="fastest opening of the valve")
    uc_pu_per_s: float = Field(lt=0, description="fastest closing of the valve")
    pmax_pu: float = Field(description="largest valve position")
    pmin_pu: float = Field(description="smallest valve position")
    t4_s: float = Field(default=0, ge=0, description="inlet piping and steam chest")
    k1_pu: float = Field(default=0, ge=0, description="share of the first stage, this machine")
    k2_pu: float = Field(default=0, ge=0, description="share of the first stage, second machine: 0")
    t5_s: float = Field(default=0, ge=0, description="reheater")
    k3_pu: float = Field(default=0, ge=0, description="share of the second stage, this machine")
    k4_pu: float = Field(default=0, ge=0, description="share of the second stage, second machine: 0")
    t6_s: float = Field(default=0, ge=0, description="second reheater or crossover")
    k5_pu: float = Field(default=0, ge=0, description="share of the third stage, this machine")
    k6_pu: float = Field(default=0, ge=0, description="share of the third stage, second machine: 0")
    t7_s: float = Field(default=0, ge=0, description="crossover")
    k7_pu: float = Field(default=0, ge=0, description="share of the fourth stage, this machine")
    k8_pu: float = Field(default=0, ge=0, description="share of the fourth stage, second machine: 0")
    dbl_pu: float = Field(default=0, le=0, description="lower edge of the speed dead-band")
    dbu_pu: float = Field(default=0, ge=0, description="upper edge of the speed dead-band")
    plim_pu: float = Field(default=0, ge=0, description="largest response to speed; 0: no limit")


DERIVED = ("ratio", "pref")
STATES = ("lead", "valve", "stage4", "stage5", "stage6", "stage7")
READS = ("speed", "paux")
WRITES = ("tm",)

P: Any = rows(Ieeeg1Params, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the mechanical torque [pu of the system] and the derivatives [1/s]."""
    for k in range(u.port.size):
        live = 1.0 if u.on[k] else 0.0
        slip = dead_band(s[u.wire[S.speed, k]] - 1.0, u.p[P.dbl_pu, k], u.p[P.dbu_pu, k])
        t1, valve = u.p[P.t1_s, k], x[X.valve, k]
        droop = u.p[P.k_pu, k] * lead_lag(slip, x[X.lead, k], u.p[P.t2_s, k], t1)
        if u.p[P.plim_pu, k] > 0.0:
            droop = clip(droop, -u.p[P.plim_pu, k], u.p[P.plim_pu, k])
        wanted = u.p[P.pref, k] + s[u.wire[S.paux, k]] - droop
        rate = clip((wanted - valve) / u.p[P.t3_s, k], u.p[P.uc_pu_per_s, k], u.p[P.uo_pu_per_s, k])
        four = lag(valve, x[X.stage4, k], u.p[P.t4_s, k])
        five = lag(four, x[X.stage5, k], u.p[P.t5_s, k])
        six = lag(five, x[X.stage6, k], u.p[P.t6_s, k])
        seven = lag(six, x[X.stage7, k], u.p[P.t7_s, k])
        power = u.p[P.k1_pu, k] * four + u.p[P.k3_pu, k] * five
        power += u.p[P.k5_pu, k] * six + u.p[P.k7_pu, k] * seven
        s[u.wire[S.tm, k]] = power * u.p[P.ratio, k]
        dx[X.lead, k] = live * lag_rate(slip, x[X.lead, k], t1)
        dx[X.valve, k] = live * rate
        dx[X.stage4, k] = live * lag_rate(valve, x[X.stage4, k], u.p[P.t4_s, k])
        dx[X.stage5, k] = live * lag_rate(four, x[X.stage5, k], u.p[P.t5_s, k])
        dx[X.stage6, k] = live * lag_rate(five, x[X.stage6, k], u.p[P.t6_s, k])
        dx[X.stage7, k] = live * lag_rate(six, x[X.stage7, k], u.p[P.t7_s, k])


class Ieeeg1(Device):
    """Steam turbine with stages and its governor."""

    params_type = Ieeeg1Params
    role = "governor"
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    rhs = staticmethod(rhs)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Set the reference so that the machine's torque stands."""
        p = u.p
        p[P.ratio] = own_ratio(p[P.sn_mva], site)
        share = np.sum([p[getattr(P, name)] for name in SHARES], axis=0)
        valve = s[u.wire[S.tm]] / p[P.ratio] / share
        p[P.pref] = valve
        for name in STATES[1:]:
            x[getattr(X, name)] = valve

    @classmethod
    def aux_per_power(cls, u: Block) -> Floats | None:
        """Return what orders one pu of power: `paux` is the valve's, which drives the shaft by the shares."""
        return np.asarray(1.0 / (u.p[P.ratio] * np.sum([u.p[getattr(P, name)] for name in SHARES], axis=0)))

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the governor's lag and the stages."""
        stages = {f"stage{i}": u.p[getattr(P, f"t{i}_s")] for i in (4, 5, 6, 7)}
        return {"lead": u.p[P.t1_s], **stages}

    @classmethod
    def time_constants(cls, u: Block) -> dict[str, Floats]:
        """Return the positioner's, which limits of its rate keep from being a plain lag."""
        return {"t3_s": u.p[P.t3_s]}

    @classmethod
    def bounds(cls, u: Block) -> dict[str, tuple[Floats, Floats]]:
        """Return the valve's limits."""
        return {"valve": (u.p[P.pmin_pu], u.p[P.pmax_pu])}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse a second machine, shares without power, and limits in the wrong order."""
        wrong = [
            f"{name}={getattr(params, name):g} drives a second machine, which has no model here (allowed: 0)"
            for name in SECOND
            if getattr(params, name) != 0.0
        ]
        total = sum(getattr(params, name) for name in SHARES)
        if not total > 0.0:
            wrong.append(f"{' + '.join(SHARES)}={total:g} leaves the machine without torque (allowed: > 0)")
        return wrong + not_below(params, [("pmin_pu", "pmax_pu")])


DEVICE = Ieeeg1
