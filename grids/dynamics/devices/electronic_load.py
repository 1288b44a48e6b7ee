r"""Electronic load: a large power-electronic load that ceases in dips, comes back, or locks out.

After PERC1 (power electronic reconnecting and ceasing load), the model the NERC alert of May 2026 names as
the least for computational load. `docs/models/dynamics/loads.md` says line by line what is published [1]_
and what is reconstructed here; every default is (unconfirmed). With the orders :math:`P_o, Q_o`, the
measured voltage `V` and frequency `f`, and the connected fraction `F`:

.. math::
    p_1 &= 1 + K_{vp}\frac{sT_{vp}}{1+sT_{vp}}V + K_{fp}\,\mathrm{db}(f-1), \qquad
    P = P_o\,\frac{1+sT_{ap}}{1+sT_{bp}}p_1\,F \\
    I &= \min\bigl(|P+jQ|/V_i,\; I_{max} F S_n\bigr)\,g(V/V_{min}), \qquad T_i\dot V_i = V - V_i

and likewise for Q; :math:`g(r) = r(2-r)` for :math:`r<1`, else 1. The current control holds the power with
the lag :math:`T_i`, at once where that is 0. A voltage that sags slowly through the edge of the current limit
of a load that is large for its network has no solution near the last one with :math:`T_i = 0`. Under its
limit the load is a constant current; below `vmin_pu` the current fades, so that nothing is drawn from a dead
bus. The orders follow the inputs `p_set_pu` and `q_set_pu` (on the system's base, drawn > 0) through a lag.

Discrete logic, once a step, on the measured voltage. The fraction `fcease_pu` ceases within `tdrop_s` once
the voltage was below `vcease_pu` for `tcease_s`, or above `vhigh_pu` for `thigh_s`. Once it was between
`vrecon_pu` and `vhrecon_pu` for `trecon_s`, F goes back at `rrecon_pu_per_s` to
:math:`1-F_{cease}+F_{recon}F_{cease}`. Every fall below `vcnt_pu` is a dip; with `nmax_count` of them within
`twin_s` the ceased part locks out until the input `reset` is set to 1, which brings all of it back. Further
stages `vcease2_pu` ... `vhigh3_pu` make a curve of voltage over duration; 0 leaves a stage out.

With `hold_s` the load has capacitors between its rectifier and what it feeds, as power supplies have. They
hold the energy :math:`S_n e` and carry what the current limit leaves open until they are empty, which is
when the load ceases:

.. math::
    \dot e = (P_{drawn} - P F)/S_n, \qquad P_{drawn} = P F + S_n (T_{hold} - e)/T_{fill}

within the current limit, then that of the whole rating: at no voltage the rated load is carried for `hold_s`.

References
----------
.. [1] PowerWorld Simulator 24, help pages *Load Characteristic Model: PERC1* and *LDEV1*, after EPRI, *A
   Positive Sequence Model for Aggregated Representation Electric Vehicle Chargers*, November 2022.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cosim.core.errors import CaseError, collected
from cosim.core.jit import jit
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, not_below
from grids.dynamics.kernels.blocks import dead_band, lag, lag_rate, lead_lag, washout
from grids.dynamics.kernels.electronic_load_logic import (
    LOCKED,
    RESET,
    TEXT,
    counts,
    released,
    steered,
    switches,
)
from grids.dynamics.kernels.electronic_load_rows import (
    DERIVED,
    HIGH_STAGES,
    KEPT,
    LOW_STAGES,
    MEMORY,
    READS,
    STATES,
    WRITES,
    ElectronicLoadParams,
    P,
    S,
    X,
    Z,
)
from grids.dynamics.kernels.relays import angle_lead, frequency_pu
from grids.numbers import Complexes


@jit
def factors(u: Block, x: Floats, k: int, vm: float) -> tuple[float, float]:
    """Return what voltage and frequency make of P and Q before their lead-lags [pu]."""
    beyond = dead_band(x[X.f, k] - 1.0, u.p[P.dbfl_pu, k], u.p[P.dbfh_pu, k])
    tvp, tvq = u.p[P.tvp_s, k], u.p[P.tvq_s, k]
    p1 = 1.0 + washout(vm, x[X.wash_p, k], u.p[P.kvp_pu, k] * tvp, tvp) + u.p[P.kfp_pu, k] * beyond
    q1 = 1.0 + washout(vm, x[X.wash_q, k], u.p[P.kvq_pu, k] * tvq, tvq) + u.p[P.kfq_pu, k] * beyond
    return p1, q1


@jit
def fed(u: Block, x: Floats, k: int, vm: float) -> tuple[float, float]:
    """Return what the load takes behind its rectifier, P and Q at a measured voltage [pu]."""
    p1, q1 = factors(u, x, k, vm)
    part = x[X.fraction, k] * u.p[P.left, k]
    p = x[X.p_order, k] * lead_lag(p1, x[X.lead_p, k], u.p[P.tap_s, k], u.p[P.tbp_s, k]) * part
    q = x[X.q_order, k] * lead_lag(q1, x[X.lead_q, k], u.p[P.taq_s, k], u.p[P.tbq_s, k]) * part
    return p, q


@jit
def drawn(u: Block, x: Floats, k: int, at: complex) -> complex:
    """Return the power drawn at a voltage [pu on the system's base]."""
    size = abs(at)
    if not u.on[k] or size == 0.0:
        return complex(0.0, 0.0)
    p, q = fed(u, x, k, lag(size, x[X.vm, k], u.p[P.tv_s, k]))
    most = u.p[P.imax_pu, k] * u.p[P.rating, k] * u.p[P.left, k]
    if u.p[P.hold_s, k] > 0.0:
        whole = u.p[P.rating, k] * u.p[P.left, k]
        p += whole * (u.p[P.hold_s, k] - x[X.held, k]) / u.p[P.tfill_s, k]
    else:
        most *= x[X.fraction, k]
    wanted = math.hypot(p, q)
    if wanted == 0.0:
        return complex(0.0, 0.0)
    r = size / u.p[P.vmin_pu, k]
    fade = r * (2.0 - r) if r < 1.0 else 1.0
    held = min(wanted / lag(size, x[X.vi, k], u.p[P.ti_s, k]), most) * fade * size / wanted
    return complex(p * held, q * held)


@jit
def inject(u: Block, x: Floats, v: Complexes, w: Floats, current: Complexes) -> None:
    """Take what each load draws out of its bus [pu]."""
    for k in range(u.port.size):
        at = v[u.port[k]]
        if u.on[k] and abs(at) > 0.0:
            current[u.port[k]] -= (drawn(u, x, k, at) / at).conjugate()


@jit
def measure(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats) -> None:
    """Write what each load draws [pu on the system's base], and where its logic stands."""
    for k in range(u.port.size):
        power = drawn(u, x, k, v[u.port[k]])
        s[u.wire[S.p_load_pu, k]] = power.real
        s[u.wire[S.q_load_pu, k]] = power.imag
        s[u.wire[S.connected_pu, k]] = x[X.fraction, k] * u.p[P.left, k] if u.on[k] else 0.0
        s[u.wire[S.dips_count, k]] = u.z[Z.count, k]
        s[u.wire[S.locked_out, k]] = u.z[Z.locked, k]
        s[u.wire[S.ceased_count, k]] = u.z[Z.ceasings, k]


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the derivatives [1/s]."""
    for k in range(u.port.size):
        at = v[u.port[k]]
        live = 1.0 if u.on[k] else 0.0
        vm, tf = lag(abs(at), x[X.vm, k], u.p[P.tv_s, k]), u.p[P.tf_s, k]
        p1, q1 = factors(u, x, k, vm)
        seen = live if abs(at) > 0.0 else 0.0
        lead = seen * angle_lead(at, x[X.angle, k])
        dx[X.p_order, k] = live * (s[u.wire[S.p_set_pu, k]] - x[X.p_order, k]) / u.p[P.tset_s, k]
        dx[X.q_order, k] = live * (s[u.wire[S.q_set_pu, k]] - x[X.q_order, k]) / u.p[P.tset_s, k]
        dx[X.vi, k] = live * lag_rate(abs(at), x[X.vi, k], u.p[P.ti_s, k])
        dx[X.vm, k] = live * lag_rate(abs(at), x[X.vm, k], u.p[P.tv_s, k])
        dx[X.wash_p, k] = live * lag_rate(vm, x[X.wash_p, k], u.p[P.tvp_s, k])
        dx[X.wash_q, k] = live * lag_rate(vm, x[X.wash_q, k], u.p[P.tvq_s, k])
        dx[X.lead_p, k] = live * lag_rate(p1, x[X.lead_p, k], u.p[P.tbp_s, k])
        dx[X.lead_q, k] = live * lag_rate(q1, x[X.lead_q, k], u.p[P.tbq_s, k])
        dx[X.angle, k] = lead / tf
        dx[X.f, k] = seen * (frequency_pu(lead, tf, u.p[P.omega_base, k]) - x[X.f, k]) / tf
        dx[X.fraction, k] = live * u.z[Z.slope, k]
        dx[X.held, k] = 0.0
        if u.p[P.hold_s, k] > 0.0 and u.p[P.left, k] > 0.0:
            into = s[u.wire[S.p_load_pu, k]] - fed(u, x, k, vm)[0]
            dx[X.held, k] = live * into / (u.p[P.rating, k] * u.p[P.left, k])


@jit
def after(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, t_s: float, h_s: float) -> bool:
    """Count dips, cease, come back; True when there is something to say."""
    act = False
    for k in range(u.port.size):
        if not u.on[k]:
            continue
        news = 0
        now = lag(abs(v[u.port[k]]), x[X.vm, k], u.p[P.tv_s, k])
        if s[u.wire[S.reset, k]] > 0.5:
            s[u.wire[S.reset, k]] = 0.0
            released(u, k)
            news += RESET
        if counts(u, k, now, t_s):
            news += LOCKED
        news += switches(u, x, k, now, h_s)
        steered(u, x, k, h_s)
        if news > 0:
            u.z[Z.news, k] = news
            act = True
    return act


class ElectronicLoad(Device):
    """Power-electronic load that ceases, reconnects and locks out."""

    params_type = ElectronicLoadParams
    role = "load"
    carries_power = True
    tables = ("load",)
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    measured = WRITES
    angles = ("angle",)
    memory = MEMORY
    inject = staticmethod(inject)
    measure = staticmethod(measure)
    rhs = staticmethod(rhs)
    after = staticmethod(after)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Draw the power of the operating point, which must be within the limits."""
        p, vm, drawn_pu = u.p, np.abs(site.v_pu), -site.s_pu
        p[P.omega_base], p[P.left] = site.omega_base, 1.0
        p[P.rating] = np.where(p[P.sn_mva] > 0.0, p[P.sn_mva] / site.base_mva, np.abs(drawn_pu))
        _check(u, vm, np.abs(drawn_pu), site)
        s[u.wire[S.p_set_pu]], s[u.wire[S.q_set_pu]] = drawn_pu.real, drawn_pu.imag
        x[X.p_order], x[X.q_order] = drawn_pu.real, drawn_pu.imag
        x[X.vi], x[X.vm], x[X.wash_p], x[X.wash_q] = vm, vm, vm, vm
        x[X.lead_p], x[X.lead_q], x[X.f], x[X.fraction] = 1.0, 1.0, 1.0, 1.0
        x[X.angle], x[X.held] = np.angle(site.v_pu), p[P.hold_s]
        u.z[Z.before], u.z[Z.level], u.z[Z.aim] = vm, 1.0, 1.0
        u.z[Z.dip0 : Z.dip0 + KEPT] = -np.inf

    @classmethod
    def nonlinear(cls, u: Block) -> bool:
        """Constant power is."""
        return True

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the plain lags."""
        p = u.p
        names = {
            "p_order": P.tset_s,
            "q_order": P.tset_s,
            "vi": P.ti_s,
            "vm": P.tv_s,
            "wash_p": P.tvp_s,
            "wash_q": P.tvq_s,
            "lead_p": P.tbp_s,
            "lead_q": P.tbq_s,
            "angle": P.tf_s,
            "f": P.tf_s,
        }
        return {name: p[row] for name, row in names.items()}

    @classmethod
    def time_constants(cls, u: Block) -> dict[str, Floats]:
        """Return the time in which capacitors are filled, where there are any."""
        return {"tfill_s": np.where(u.p[P.hold_s] > 0.0, u.p[P.tfill_s], 0.0)}

    @classmethod
    def bounds(cls, u: Block) -> dict[str, tuple[Floats, Floats]]:
        """Return the bounds of the connected fraction and of what capacitors hold."""
        nothing = np.zeros(u.port.size)
        return {"fraction": (nothing, np.ones(u.port.size)), "held": (nothing, u.p[P.hold_s])}

    @classmethod
    def shed(cls, u: Block, k: int, share_pu: float) -> bool:
        """Take a share of the load away."""
        u.p[P.left, k] *= 1.0 - share_pu
        return True

    @classmethod
    def demand(cls, u: Block, s: Floats, k: int) -> complex:
        """Return the orders."""
        return complex(s[u.wire[S.p_set_pu, k]], s[u.wire[S.q_set_pu, k]])

    @classmethod
    def set_demand(cls, u: Block, s: Floats, k: int, s_pu: complex) -> None:
        """Give orders; the load follows them through its lag."""
        s[u.wire[S.p_set_pu, k]], s[u.wire[S.q_set_pu, k]] = s_pu.real, s_pu.imag

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse thresholds between which the load could not rest."""
        pairs = (("vcease_pu", "vrecon_pu"), ("vcnt_pu", "vrecon_pu"), ("vrecon_pu", "vhrecon_pu"))
        wrong = not_below(params, pairs)
        for i in range(2, LOW_STAGES + 1):
            low = getattr(params, f"vcease{i}_pu")
            if low > params.vrecon_pu:
                wrong.append(f"vcease{i}_pu={low:g} is above vrecon_pu={params.vrecon_pu:g}")
        for i in range(2, HIGH_STAGES + 1):
            high = getattr(params, f"vhigh{i}_pu")
            if 0.0 < high < params.vhrecon_pu:
                wrong.append(f"vhigh{i}_pu={high:g} is below vhrecon_pu={params.vhrecon_pu:g}")
        if params.vhrecon_pu > params.vhigh_pu:
            wrong.append(f"vhrecon_pu={params.vhrecon_pu:g} is above vhigh_pu={params.vhigh_pu:g}")
        for gain, time in (("kvp_pu", "tvp_s"), ("kvq_pu", "tvq_s")):
            if getattr(params, gain) != 0.0 and getattr(params, time) == 0.0:
                wrong.append(f"{time}=0 leaves {gain}={getattr(params, gain):g} without a washout to act on")
        return wrong

    @classmethod
    def act(cls, u: Block, session: Any) -> None:
        """Write what happened into the log."""
        names = session.elements_of(u)
        for k in np.flatnonzero(u.z[Z.news] > 0.0).tolist():
            news = int(u.z[Z.news, k])
            what = ", ".join(text for code, text in TEXT.items() if news & code)
            count, most = int(u.z[Z.count, k]), int(u.p[P.nmax_count, k])
            dips = f" (dip {count} of {most} in {u.p[P.twin_s, k]:g} s)" if most > 0 and count > 0 else ""
            session.note(f"{names[k]}: {what} at {u.z[Z.before, k]:.3f} pu{dips}")
            u.z[Z.news, k] = 0.0


def _check(u: Block, vm_pu: Floats, s_pu: Floats, site: Site) -> None:
    """Refuse an operating point beyond the limits.

    Raises
    ------
    CaseError
        With every load: element, what it must do there and what is allowed.
    """
    p = u.p
    lows = [p[P.vcease_pu], p[P.vcnt_pu], *(p[P.vcease2_pu + 2 * i] for i in range(LOW_STAGES - 1))]
    highs = [p[P.vhigh2_pu + 2 * i] for i in range(HIGH_STAGES - 1)]
    low = np.max(lows, axis=0)
    high = np.min([p[P.vhigh_pu], *(np.where(one > 0.0, one, np.inf) for one in highs)], axis=0)
    most = p[P.rating] * p[P.imax_pu] * vm_pu
    wrong = []
    for k, name in enumerate(site.elements):
        where = f"{name} (electronic_load)"
        if p[P.rating, k] == 0.0:
            wrong.append(f"{where} sn_mva=0 draws nothing at the operating point: give its rating")
        elif s_pu[k] > most[k]:
            mva, limit = s_pu[k] * site.base_mva, most[k] * site.base_mva
            wrong.append(f"{where} draws {mva:.4g} MVA at the operating point (imax_pu allows {limit:.4g})")
        if not low[k] < vm_pu[k] < high[k]:
            allowed = f"allowed: {low[k]:g} to {high[k]:g}"
            wrong.append(f"{where} would cease at the operating point's {vm_pu[k]:.3f} pu ({allowed})")
    collected(wrong, CaseError)


DEVICE = ElectronicLoad
