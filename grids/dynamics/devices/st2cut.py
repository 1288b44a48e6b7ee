r"""ST2CUT: power system stabiliser with two inputs, a washout and three lead-lags [1]_.

.. math::
    v_s = \frac{1+sT_9}{1+sT_{10}}\frac{1+sT_7}{1+sT_8}\frac{1+sT_5}{1+sT_6}\frac{sT_3}{1+sT_4}
          \left(\frac{K_1}{1+sT_1}u_1+\frac{K_2}{1+sT_2}u_2\right)

limited to `lsmin_pu .. lsmax_pu`, and off while the terminal voltage is above its start by more than
`vcu_pu` or below it by more than `-vcl_pu` (0 means no bound). With `t3_s = 0` the washout is a lag.

Inputs `mode1_code`, `mode2_code`: 0 none, 1 speed deviation, 2 frequency deviation of the terminal,
3 electrical power on the machine's rating (as torque, like ANDES), 4 accelerating power, 5 terminal
voltage, 6 its derivative. Frequency is the derivative of the angle behind `tf_s` and `tw_s` (ANDES's
BusFreq), the derivative of the voltage is taken behind `tw_s`: stability programs differ there.

References
----------
.. [1] PSS/E ST2CUT; ANDES 2.0 `st2cut.py` (whose mode 4 is the change of the mechanical torque alone).
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, rows
from grids.dynamics.kernels.blocks import clip, lag, lag_rate, lead_lag, turned, washout
from grids.numbers import Complexes

INPUT = "0 none, 1 speed, 2 frequency, 3 power, 4 accelerating power, 5 voltage, 6 its derivative"


class St2cutParams(Params):
    """One stabiliser."""

    mode1_code: int = Field(ge=0, le=6, description=f"first input: {INPUT}")
    mode2_code: int = Field(default=0, ge=0, le=6, description="second input, as the first")
    k1_pu: float = Field(default=0, description="gain of the first input")
    k2_pu: float = Field(default=0, description="gain of the second input")
    t1_s: float = Field(default=0, ge=0, description="lag of the first input")
    t2_s: float = Field(default=0, ge=0, description="lag of the second input")
    t3_s: float = Field(ge=0, description="washout, numerator; 0 makes it a lag")
    t4_s: float = Field(gt=0, description="washout, denominator")
    t5_s: float = Field(default=0, ge=0, description="first lead")
    t6_s: float = Field(default=0, ge=0, description="first lag")
    t7_s: float = Field(default=0, ge=0, description="second lead")
    t8_s: float = Field(default=0, ge=0, description="second lag")
    t9_s: float = Field(default=0, ge=0, description="third lead")
    t10_s: float = Field(default=0, ge=0, description="third lag")
    lsmax_pu: float = Field(gt=0, description="largest output")
    lsmin_pu: float = Field(lt=0, description="smallest output")
    vcu_pu: float = Field(default=0, ge=0, description="voltage rise above which the output is zero")
    vcl_pu: float = Field(default=0, le=0, description="voltage change below which the output is zero")
    tf_s: float = Field(default=0.02, gt=0, description="filter of the angle for input 2")
    tw_s: float = Field(default=0.1, gt=0, description="lag of the derivatives of inputs 2 and 6")


DERIVED = ("own", "omega_base", "v0")
STATES = ("first", "second", "slow", "lead1", "lead2", "lead3", "angle", "angle_kept", "voltage")
READS = ("speed", "te", "tm", "vm")
WRITES = ("vs",)

P: Any = rows(St2cutParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)


@jit
def _input(u: Block, x: Floats, s: Floats, k: int, mode: float) -> Any:
    given = 0.0
    if mode == 1.0:
        given = s[u.wire[S.speed, k]] - 1.0
    elif mode == 2.0:
        given = (x[X.angle, k] - x[X.angle_kept, k]) / (u.p[P.omega_base, k] * u.p[P.tw_s, k])
    elif mode == 3.0:
        given = s[u.wire[S.te, k]] / u.p[P.own, k]
    elif mode == 4.0:
        given = (s[u.wire[S.tm, k]] - s[u.wire[S.te, k]]) / u.p[P.own, k]
    elif mode == 5.0:
        given = s[u.wire[S.vm, k]]
    elif mode == 6.0:
        given = washout(s[u.wire[S.vm, k]], x[X.voltage, k], 1.0, u.p[P.tw_s, k])
    return given


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the stabiliser's output [pu] and the derivatives [1/s]."""
    for k in range(u.port.size):
        if not u.on[k]:
            for i in range(x.shape[0]):
                dx[i, k] = 0.0
            s[u.wire[S.vs, k]] = 0.0
            continue
        at, vm = v[u.port[k]], s[u.wire[S.vm, k]]
        one = u.p[P.k1_pu, k] * _input(u, x, s, k, u.p[P.mode1_code, k])
        two = u.p[P.k2_pu, k] * _input(u, x, s, k, u.p[P.mode2_code, k])
        total = lag(one, x[X.first, k], u.p[P.t1_s, k]) + lag(two, x[X.second, k], u.p[P.t2_s, k])
        t3, t4 = u.p[P.t3_s, k], u.p[P.t4_s, k]
        bare = washout(total, x[X.slow, k], t3, t4) if t3 > 0.0 else x[X.slow, k]
        after1 = lead_lag(bare, x[X.lead1, k], u.p[P.t5_s, k], u.p[P.t6_s, k])
        after2 = lead_lag(after1, x[X.lead2, k], u.p[P.t7_s, k], u.p[P.t8_s, k])
        after3 = lead_lag(after2, x[X.lead3, k], u.p[P.t9_s, k], u.p[P.t10_s, k])
        above, below, rise = u.p[P.vcu_pu, k], u.p[P.vcl_pu, k], vm - u.p[P.v0, k]
        cut = (above > 0.0 and rise > above) or (below < 0.0 and rise < below)
        s[u.wire[S.vs, k]] = 0.0 if cut else clip(after3, u.p[P.lsmin_pu, k], u.p[P.lsmax_pu, k])
        dx[X.first, k] = lag_rate(one, x[X.first, k], u.p[P.t1_s, k])
        dx[X.second, k] = lag_rate(two, x[X.second, k], u.p[P.t2_s, k])
        dx[X.slow, k] = lag_rate(total, x[X.slow, k], t4)
        dx[X.lead1, k] = lag_rate(bare, x[X.lead1, k], u.p[P.t6_s, k])
        dx[X.lead2, k] = lag_rate(after1, x[X.lead2, k], u.p[P.t8_s, k])
        dx[X.lead3, k] = lag_rate(after2, x[X.lead3, k], u.p[P.t10_s, k])
        ahead = turned(math.atan2(at.imag, at.real), x[X.angle, k])
        dx[X.angle, k] = ahead / u.p[P.tf_s, k]
        dx[X.angle_kept, k] = lag_rate(x[X.angle, k], x[X.angle_kept, k], u.p[P.tw_s, k])
        dx[X.voltage, k] = lag_rate(vm, x[X.voltage, k], u.p[P.tw_s, k])


class St2cut(Device):
    """Stabiliser with two inputs."""

    params_type = St2cutParams
    role = "stabiliser"
    derived = DERIVED
    states = STATES
    reads = READS
    writes = WRITES
    angles = ("angle", "angle_kept")
    rhs = staticmethod(rhs)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Fill the filters with the inputs of the operating point."""
        p, vm = u.p, np.abs(site.v_pu)
        p[P.own], p[P.omega_base], p[P.v0] = site.element_mva / site.base_mva, site.omega_base, vm
        power = s[u.wire[S.tm]] / p[P.own]
        total = np.zeros_like(vm)
        for state, mode, gain in (("first", P.mode1_code, P.k1_pu), ("second", P.mode2_code, P.k2_pu)):
            given = p[gain] * np.select([p[mode] == 3, p[mode] == 5], [power, vm], 0.0)
            x[getattr(X, state)] = given
            total += given
        x[X.slow] = total
        passed = np.where(p[P.t3_s] > 0.0, 0.0, total)
        x[X.lead1], x[X.lead2], x[X.lead3] = passed, passed, passed
        x[X.angle], x[X.angle_kept], x[X.voltage] = np.angle(site.v_pu), np.angle(site.v_pu), vm

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the plain lags."""
        p = u.p
        leads = {"lead1": p[P.t6_s], "lead2": p[P.t8_s], "lead3": p[P.t10_s]}
        inputs = {"first": p[P.t1_s], "second": p[P.t2_s], "slow": p[P.t4_s], "voltage": p[P.tw_s]}
        return {**inputs, **leads, "angle": p[P.tf_s], "angle_kept": p[P.tw_s]}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse a constant that passes a stabiliser without washout: the exciter would not stand."""
        modes = (params.mode1_code, params.mode2_code)
        if params.t3_s == 0.0 and {3, 5} & set(modes):
            return (f"t3_s=0 lets the constant part of input {modes} through to the exciter",)
        return ()


DEVICE = St2cut
