r"""IEEEST: power system stabiliser with one input, two filters, two lead-lags and a washout [1]_.

.. math::
    v_s = \frac{sT_5}{1+sT_6}K_S\frac{1+sT_3}{1+sT_4}\frac{1+sT_1}{1+sT_2}
          \frac{1+sA_5+s^2A_6}{(1+sA_1+s^2A_2)(1+sA_3+s^2A_4)}\,u

limited to `lsmin_pu .. lsmax_pu`, and off while the terminal voltage is outside `vcl_pu .. vcu_pu`
(0 means no bound). Inputs: `mode_code` 1 speed deviation, 3 electrical power on the machine's rating
(as torque, like ANDES), 4 accelerating power, 5 terminal voltage.

References
----------
.. [1] PSS/E IEEEST; ANDES 2.0 `ieeest.py`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, rows
from grids.dynamics.kernels.blocks import clip, lag_rate, lead_lag, washout
from grids.numbers import Complexes

MODES = (1, 3, 4, 5)


class IeeestParams(Params):
    """One stabiliser."""

    mode_code: int = Field(description="input: 1 speed, 3 electrical power, 4 accelerating power, 5 voltage")
    a1_s: float = Field(default=0, ge=0, description="first filter, s")
    a2_s: float = Field(default=0, ge=0, description="first filter, s² [s²]")
    a3_s: float = Field(default=0, ge=0, description="second filter, s")
    a4_s: float = Field(default=0, ge=0, description="second filter, s² [s²]")
    a5_s: float = Field(default=0, ge=0, description="second filter, s of the numerator")
    a6_s: float = Field(default=0, ge=0, description="second filter, s² of the numerator [s²]")
    t1_s: float = Field(default=0, ge=0, description="first lead")
    t2_s: float = Field(default=0, ge=0, description="first lag")
    t3_s: float = Field(default=0, ge=0, description="second lead")
    t4_s: float = Field(default=0, ge=0, description="second lag")
    t5_s: float = Field(gt=0, description="washout, numerator")
    t6_s: float = Field(gt=0, description="washout, denominator")
    ks_pu: float = Field(description="gain")
    lsmax_pu: float = Field(gt=0, description="largest output")
    lsmin_pu: float = Field(lt=0, description="smallest output")
    vcu_pu: float = Field(default=0, ge=0, description="terminal voltage above which the output is zero")
    vcl_pu: float = Field(default=0, ge=0, description="terminal voltage below which the output is zero")


DERIVED = ("own",)
STATES = ("first", "first_rate", "second", "second_rate", "lead1", "lead2", "slow")
READS = ("speed", "te", "tm", "vm")
WRITES = ("vs",)

P: Any = rows(IeeestParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)


@jit
def _input(u: Block, s: Floats, k: int) -> Any:  # a float: NumPy types scalars of arrays as Any
    mode = u.p[P.mode_code, k]
    if mode == 1.0:
        return s[u.wire[S.speed, k]] - 1.0
    if mode == 3.0:
        return s[u.wire[S.te, k]] / u.p[P.own, k]
    if mode == 4.0:
        return (s[u.wire[S.tm, k]] - s[u.wire[S.te, k]]) / u.p[P.own, k]
    return s[u.wire[S.vm, k]]


@jit
def _first(u: Block, x: Floats, dx: Floats, k: int, given: float) -> Any:
    """Return the output of the first filter, :math:`1/(1+sA_1+s^2A_2)`, and write its rates."""
    a1, a2, y, rate = u.p[P.a1_s, k], u.p[P.a2_s, k], x[X.first, k], x[X.first_rate, k]
    if a2 > 0.0:
        dx[X.first, k], dx[X.first_rate, k] = rate, (given - y - a1 * rate) / a2
        return y
    dx[X.first, k], dx[X.first_rate, k] = lag_rate(given, y, a1), 0.0
    return y if a1 > 0.0 else given


@jit
def _second(u: Block, x: Floats, dx: Floats, k: int, given: float) -> Any:
    """Return the output of the second filter and write its rates."""
    a3, a4, a5, a6 = u.p[P.a3_s, k], u.p[P.a4_s, k], u.p[P.a5_s, k], u.p[P.a6_s, k]
    y, rate = x[X.second, k], x[X.second_rate, k]
    if a4 > 0.0:
        bend = (given - y - a3 * rate) / a4
        dx[X.second, k], dx[X.second_rate, k] = rate, bend
        return y + a5 * rate + a6 * bend
    dx[X.second, k], dx[X.second_rate, k] = lag_rate(given, y, a3), 0.0
    return lead_lag(given, y, a5, a3)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the stabiliser's output [pu] and the derivatives [1/s]."""
    for k in range(u.port.size):
        filtered = _second(u, x, dx, k, _first(u, x, dx, k, _input(u, s, k)))
        one = lead_lag(filtered, x[X.lead1, k], u.p[P.t1_s, k], u.p[P.t2_s, k])
        two = lead_lag(one, x[X.lead2, k], u.p[P.t3_s, k], u.p[P.t4_s, k])
        gained = u.p[P.ks_pu, k] * two
        dx[X.lead1, k] = lag_rate(filtered, x[X.lead1, k], u.p[P.t2_s, k])
        dx[X.lead2, k] = lag_rate(one, x[X.lead2, k], u.p[P.t4_s, k])
        dx[X.slow, k] = lag_rate(gained, x[X.slow, k], u.p[P.t6_s, k])
        out = washout(gained, x[X.slow, k], u.p[P.t5_s, k], u.p[P.t6_s, k])
        vm, above, below = s[u.wire[S.vm, k]], u.p[P.vcu_pu, k], u.p[P.vcl_pu, k]
        live = u.on[k] and not (above > 0.0 and vm > above) and vm >= below
        s[u.wire[S.vs, k]] = clip(out, u.p[P.lsmin_pu, k], u.p[P.lsmax_pu, k]) if live else 0.0
        if not u.on[k]:
            for i in range(x.shape[0]):
                dx[i, k] = 0.0


class Ieeest(Device):
    """Stabiliser."""

    params_type = IeeestParams
    role = "stabiliser"
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    rhs = staticmethod(rhs)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Fill the filters with the input of the operating point; the output is zero."""
        u.p[P.own] = site.element_mva / site.base_mva
        mode = u.p[P.mode_code]
        power = s[u.wire[S.tm]] / u.p[P.own]
        given = np.select([mode == 3, mode == 5], [power, np.abs(site.v_pu)], 0.0)
        for name in ("first", "second", "lead1", "lead2"):
            x[getattr(X, name)] = given
        x[X.slow] = given * u.p[P.ks_pu]

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the plain lags."""
        return {"lead1": u.p[P.t2_s], "lead2": u.p[P.t4_s], "slow": u.p[P.t6_s]}

    @classmethod
    def time_constants(cls, u: Block) -> dict[str, Floats]:
        """Return the filters' time constants."""
        names = ("a1_s", "a2_s", "a3_s", "a4_s")
        return {name: u.p[getattr(P, name)] ** (0.5 if name in {"a2_s", "a4_s"} else 1.0) for name in names}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse inputs this model does not measure, and a numerator of higher order than its denominator."""
        wrong = []
        if params.mode_code not in MODES:
            wrong.append(f"mode_code={params.mode_code} is not one of {', '.join(map(str, MODES))}")
        if params.a6_s > 0.0 and params.a4_s == 0.0:
            wrong.append(f"a6_s={params.a6_s:g} has no s² below it with a4_s=0")
        return wrong


DEVICE = Ieeest
