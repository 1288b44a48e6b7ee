r"""REPC_A: plant control of a renewable or storage plant: voltage or reactive power, and frequency droop.

.. math::
    Q_{ext} &= \frac{1+sT_{ft}}{1+sT_{fv}}\,\mathrm{PI}_{K_p,K_i}\bigl(\mathrm{db}(e)\bigr), \qquad
    e = V_{ref}-V_c \text{ or } Q_{ref}-Q \quad (\text{behind } T_{fltr}) \\
    P_{ext} &= \frac{1}{1+sT_g}\,\mathrm{PI}_{K_{pg},K_{ig}}\bigl(\mathrm{clip}(
      D\,\mathrm{db}(1-f) + (P_{set}-P_f))\bigr), \qquad T_p\dot P_f = P - P_f

:math:`V_c = |V-(R_c+jX_c)I|` (`vcflag_code = 1`) or :math:`V+K_cQ` (0); :math:`D` is `dup_pu` for a
deficit (f < 1) and `ddn_pu` for a surplus; the bracket with :math:`P_f` counts where `plflag_code = 1`.
While the voltage is below `vfrz_pu` the integrator of the voltage control stands still. The frequency
is the derivative of the terminal voltage's angle, :math:`s/((1+sT_w)(1+sT_f))`. All values are per unit
of the converter's rating; the plant measures at the converter's terminals, so a plant stands for one
converter. [1]_

`gbt_40595_storage` gives the values for primary frequency response of storage by GB/T 40595-2021 [2]_.

References
----------
.. [1] P. Pourbeik et al., *IEEE Trans. Energy Convers.* 32(3), 2017; ANDES 2.0 `repca1.py`, whose values are
   per unit of the *system*, and `busfreq.py` for the frequency.
.. [2] GB/T 40595-2021: storage has a dead-band of 0.03 to 0.05 Hz, a droop of 0.5 to 3 %, a limit not below
   20 % of the rating, starts within 1 s, rises within 3 s, and settles within 4 s to 1 % of the rating.
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
from grids.dynamics.kernels.blocks import clip, dead_band, lag, lag_rate, lead_lag, turned
from grids.dynamics.kernels.converters import pi_rate
from grids.numbers import Complexes

DARK_PU = 0.01
"""Voltage below which its angle, and so the frequency, is not measured."""


class RepcAParams(Params):
    """One plant control, per unit of the converter's rating."""

    vcflag_code: int = Field(
        default=0, ge=0, le=1, description="1: line drop compensation, 0: reactive droop"
    )
    refflag_code: int = Field(
        default=1, ge=0, le=1, description="1: voltage control, 0: reactive power control"
    )
    fflag_code: int = Field(default=1, ge=0, le=1, description="1: frequency response is on")
    plflag_code: int = Field(default=1, ge=0, le=1, description="1: the plant's power is fed back")
    tfltr_s: float = Field(default=0.02, ge=0, description="filter of voltage or reactive power")
    kp_pu: float = Field(default=1, ge=0, description="proportional gain of voltage or reactive control")
    ki_per_s: float = Field(default=0.1, ge=0, description="integral gain of voltage or reactive control")
    tft_s: float = Field(default=0, ge=0, description="lead")
    tfv_s: float = Field(default=0.05, ge=0, description="lag of the reactive output")
    vfrz_pu: float = Field(default=0.7, ge=0, description="voltage below which the integrator stands still")
    rc_pu: float = Field(default=0, ge=0, description="line drop compensation, resistance")
    xc_pu: float = Field(default=0, description="line drop compensation, reactance")
    kc_pu: float = Field(default=0, ge=0, description="voltage per reactive power")
    emax_pu: float = Field(default=0.1, gt=0, description="largest error")
    emin_pu: float = Field(default=-0.1, lt=0, description="smallest error")
    dbd1_pu: float = Field(default=0, le=0, description="lower edge of the dead-band of the error")
    dbd2_pu: float = Field(default=0, ge=0, description="upper edge of the dead-band of the error")
    qmax_pu: float = Field(default=0.436, gt=0, description="largest reactive output")
    qmin_pu: float = Field(default=-0.436, lt=0, description="smallest reactive output")
    kpg_pu: float = Field(default=0.1, ge=0, description="proportional gain of the power control")
    kig_per_s: float = Field(default=0.5, ge=0, description="integral gain of the power control")
    tp_s: float = Field(default=0.25, ge=0, description="filter of the power")
    fdbd1_pu: float = Field(
        default=-0.0006, le=0, description="dead-band of the frequency error, surplus side"
    )
    fdbd2_pu: float = Field(
        default=0.0006, ge=0, description="dead-band of the frequency error, deficit side"
    )
    femax_pu: float = Field(default=999, gt=0, description="largest power error")
    femin_pu: float = Field(default=-999, lt=0, description="smallest power error")
    pmax_pu: float = Field(default=1, description="largest power output")
    pmin_pu: float = Field(default=-1, description="smallest power output")
    tg_s: float = Field(default=0.1, ge=0, description="lag of the power output")
    ddn_pu: float = Field(default=20, ge=0, description="power per frequency deviation above nominal")
    dup_pu: float = Field(default=20, ge=0, description="power per frequency deviation below nominal")
    tf_s: float = Field(default=0.02, gt=0, description="filter of the frequency measurement")
    tw_s: float = Field(default=0.1, gt=0, description="washout of the frequency measurement")


def gbt_40595_storage(
    f_nominal_hz: float = 50.0,
    *,
    dead_band_hz: float = 0.05,
    droop_percent: float = 2.0,
    limit_pu: float = 0.2,
) -> RepcAParams:
    """Return a storage plant's control for primary frequency response as GB/T 40595-2021 asks.

    Parameters
    ----------
    f_nominal_hz
        Nominal frequency [Hz].
    dead_band_hz
        0.03 to 0.05 Hz.
    droop_percent
        Relative frequency deviation for rated power: 0.5 to 3 %.
    limit_pu
        Largest response in either direction, not below 0.2 of the rating.
    """
    gain = 100.0 / droop_percent
    band = dead_band_hz / f_nominal_hz
    return RepcAParams(
        plflag_code=0,
        kpg_pu=1.0,
        kig_per_s=0.0,
        ddn_pu=gain,
        dup_pu=gain,
        fdbd1_pu=-band,
        fdbd2_pu=band,
        femax_pu=limit_pu,
        femin_pu=-limit_pu,
        kp_pu=0.0,
        ki_per_s=0.0,
    )


DERIVED = ("own_mva", "ratio", "omega_base", "v0", "vref")
STATES = ("sensed", "qpi", "lead", "pf", "ppi", "pext", "angle", "washed")
READS = ("p", "q", "p_set_mw", "q_set_mvar", "v_set_pu")
WRITES = ("pext", "qext", "f_bus")

P: Any = rows(RepcAParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)


@jit
def _sensed(u: Block, at: Any, s: Floats, k: int) -> Any:
    """Return the controlled quantity: compensated voltage or reactive power [pu of the rating]."""
    p = u.p
    vm, q = abs(at), s[u.wire[S.q, k]] / p[P.ratio, k]
    if p[P.refflag_code, k] == 0.0:
        return q
    if p[P.vcflag_code, k] == 0.0:
        return vm + p[P.kc_pu, k] * q
    power = complex(s[u.wire[S.p, k]] / p[P.ratio, k], -q)
    return abs(vm - complex(p[P.rc_pu, k], p[P.xc_pu, k]) * power / max(vm, DARK_PU))


@jit
def _reactive(u: Block, x: Floats, at: Any, s: Floats, dx: Floats, k: int) -> None:
    """Write the reactive output [pu of the rating] and its rates."""
    p = u.p
    now = _sensed(u, at, s, k)
    sensed = lag(now, x[X.sensed, k], p[P.tfltr_s, k])
    wanted = s[u.wire[S.q_set_mvar, k]] / p[P.own_mva, k]
    if p[P.refflag_code, k] == 1.0:
        wanted = p[P.vref, k] + s[u.wire[S.v_set_pu, k]] - p[P.v0, k]
    error = dead_band(wanted - sensed, p[P.dbd1_pu, k], p[P.dbd2_pu, k])
    error = clip(error, p[P.emin_pu, k], p[P.emax_pu, k])
    raw = p[P.kp_pu, k] * error + x[X.qpi, k]
    free = 0.0 if abs(at) < p[P.vfrz_pu, k] else 1.0
    low, high = p[P.qmin_pu, k], p[P.qmax_pu, k]
    out = clip(raw, low, high)
    s[u.wire[S.qext, k]] = lead_lag(out, x[X.lead, k], p[P.tft_s, k], p[P.tfv_s, k])
    dx[X.sensed, k] = lag_rate(now, x[X.sensed, k], p[P.tfltr_s, k])
    dx[X.qpi, k] = free * pi_rate(error, p[P.ki_per_s, k], raw, low, high)
    dx[X.lead, k] = lag_rate(out, x[X.lead, k], p[P.tfv_s, k])


@jit
def _frequency(u: Block, x: Floats, at: Any, dx: Floats, k: int) -> Any:
    """Return the frequency at the bus [pu], and write the rates of its filters."""
    tf, tw = u.p[P.tf_s, k], u.p[P.tw_s, k]
    lead = turned(x[X.angle, k], x[X.washed, k])
    dx[X.angle, k], dx[X.washed, k] = 0.0, lead / tw
    if abs(at) > DARK_PU:
        dx[X.angle, k] = turned(math.atan2(at.imag, at.real), x[X.angle, k]) / tf
    return 1.0 + lead / (tw * u.p[P.omega_base, k])


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the plant's corrections [pu of the rating] and the derivatives [1/s]."""
    for k in range(u.port.size):
        p, at = u.p, v[u.port[k]]
        _reactive(u, x, at, s, dx, k)
        f = _frequency(u, x, at, dx, k)
        power = s[u.wire[S.p, k]] / p[P.ratio, k]
        pf = lag(power, x[X.pf, k], p[P.tp_s, k])
        band = dead_band(1.0 - f, p[P.fdbd1_pu, k], p[P.fdbd2_pu, k])
        error = band * (p[P.ddn_pu, k] if band < 0.0 else p[P.dup_pu, k])
        if p[P.plflag_code, k] == 1.0:
            error += s[u.wire[S.p_set_mw, k]] / p[P.own_mva, k] - pf
        error = clip(error, p[P.femin_pu, k], p[P.femax_pu, k])
        raw = p[P.kpg_pu, k] * error + x[X.ppi, k]
        low, high = p[P.pmin_pu, k], p[P.pmax_pu, k]
        out = clip(raw, low, high)
        dx[X.pf, k] = lag_rate(power, x[X.pf, k], p[P.tp_s, k])
        dx[X.ppi, k] = pi_rate(error, p[P.kig_per_s, k], raw, low, high)
        dx[X.pext, k] = lag_rate(out, x[X.pext, k], p[P.tg_s, k])
        s[u.wire[S.pext, k]] = lag(out, x[X.pext, k], p[P.tg_s, k]) * p[P.fflag_code, k]
        s[u.wire[S.f_bus, k]] = f
        if not u.on[k]:
            for i in range(x.shape[0]):
                dx[i, k] = 0.0


class RepcA(Device):
    """Plant control."""

    params_type = RepcAParams
    role = "plant_control"
    tables = ("sgen", "gen", "ext_grid", "load", "storage")
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    angles = ("angle", "washed")
    rhs = staticmethod(rhs)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Take what is measured at the operating point as reference; the corrections are zero."""
        p, vm = u.p, np.abs(site.v_pu)
        p[P.own_mva], p[P.ratio] = site.element_mva, site.element_mva / site.base_mva
        p[P.omega_base], p[P.v0] = site.omega_base, vm
        power = site.s_pu / p[P.ratio]
        drop = np.abs(vm - (p[P.rc_pu] + 1j * p[P.xc_pu]) * np.conj(power) / vm)
        p[P.vref] = np.where(p[P.vcflag_code] == 1, drop, vm + p[P.kc_pu] * power.imag)
        x[X.sensed] = np.where(p[P.refflag_code] == 1, p[P.vref], power.imag)
        x[X.pf] = power.real
        x[X.angle] = x[X.washed] = np.angle(site.v_pu)
        s[u.wire[S.p_set_mw]] = site.s_pu.real * site.base_mva
        s[u.wire[S.q_set_mvar]] = site.s_pu.imag * site.base_mva
        s[u.wire[S.v_set_pu]] = vm

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the plain lags."""
        names = (("sensed", P.tfltr_s), ("lead", P.tfv_s), ("pf", P.tp_s), ("pext", P.tg_s))
        return {name: u.p[row] for name, row in (*names, ("angle", P.tf_s), ("washed", P.tw_s))}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse limits in the wrong order."""
        return not_below(params, [("pmin_pu", "pmax_pu")])


DEVICE = RepcA
