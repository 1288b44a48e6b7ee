r"""REGFM_B1: grid-forming converter as a virtual synchronous machine behind a coupling impedance.

.. math::
    \dot\delta &= \Omega\,\Delta\omega, \qquad
    2H\dot{\Delta\omega} = P_{ref} - P_f - \Bigl(\frac{F}{m_p} + D_1\Bigr)\Delta\omega
      - D_2(\Delta\omega - x_w), \qquad \dot x_w = \omega_D(\Delta\omega - x_w)

with :math:`\Delta\omega` within `dwmin_pu .. dwmax_pu`, and the droop of `mp_pu` where `fflag_code = 1`.
Voltage control, droop of Q, and the fault current limit :math:`I_{max}` are those of REGFM_A1
(`regfm_a1.py`). [1]_

Of the specification, the steady-state limit of active and reactive current (ImaxSS, its angle limit and
the phase-locked loop that serves it) is not in the model, nor the droop on the current (VdrpFlag = 1)
and the speed from the phase-locked loop (wFlag = 1). That B1's voltage controller acts on the droop's
error as in A1 is (unconfirmed).

References
----------
.. [1] *Virtual Synchronous Machine Grid-Forming Inverter Model Specification (REGFM_B1)*,
   NREL/TP-5D00-90260, 2024, figures 2, 3 and 7 and example values of table 1 (approved by WECC).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.types import Floats
from grids.dynamics.device import Block, parameter_names, rows
from grids.dynamics.devices.regfm_a1 import (
    COMMON,
    DERIVED,
    READS,
    WRITES,
    GridForming,
    GridFormingParams,
    changes_kind,
    inject_source,
    measure_source,
    voltage,
)
from grids.dynamics.kernels.blocks import held, lag_rate
from grids.numbers import Complexes


class RegfmB1Params(GridFormingParams):
    """One virtual synchronous machine, per unit of its rating."""

    xe_pu: float = Field(default=0.1, gt=0, description="coupling reactance")
    imax_pu: float = Field(default=1.5, ge=0, description="largest current in a fault; 0: no limit")
    kiv_per_s: float = Field(default=5, ge=0, description="integral gain of the voltage controller")
    h_s: float = Field(default=0.5, gt=0, description="inertia constant H")
    d1_pu: float = Field(default=0, ge=0, description="damping power per speed deviation")
    d2_pu: float = Field(default=100, ge=0, description="transient damping")
    wd_per_s: float = Field(default=50, ge=0, description="corner of the transient damping's washout")
    fflag_code: int = Field(default=1, ge=0, le=1, description="1: the droop mp is on")
    dwmax_pu: float = Field(default=0.05, gt=0, description="largest speed deviation")
    dwmin_pu: float = Field(default=-0.05, lt=0, description="smallest speed deviation")


STATES = (*COMMON, "washed")
B1_DERIVED = len(parameter_names(RegfmB1Params))
"""First derived row."""

P: Any = rows(RegfmB1Params, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)


@jit
def inject(u: Block, x: Floats, v: Complexes, w: Floats, current: Complexes) -> None:
    """Add the current of each converter [pu]."""
    inject_source(u, x, v, current, B1_DERIVED)


@jit
def measure(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats) -> None:
    """Write speed and terminal quantities [pu of the system]."""
    measure_source(u, x, v, s, B1_DERIVED, True)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the derivatives [1/s]."""
    for k in range(u.port.size):
        p, slip = u.p, x[X.omega, k] - 1.0
        power = s[u.wire[S.p, k]] / p[P.ratio, k]
        given = s[u.wire[S.p_set_mw, k]] / p[P.own_mva, k]
        droop = p[P.fflag_code, k] / p[P.mp_pu, k]
        damping = (droop + p[P.d1_pu, k]) * slip + p[P.d2_pu, k] * (slip - x[X.washed, k])
        rate = (given - x[X.pf, k] - damping) / (2.0 * p[P.h_s, k])
        dx[X.delta, k] = p[P.omega_base, k] * slip
        dx[X.omega, k] = held(rate, slip, p[P.dwmin_pu, k], p[P.dwmax_pu, k])
        dx[X.pf, k] = lag_rate(power, x[X.pf, k], p[P.tpf_s, k])
        dx[X.washed, k] = p[P.wd_per_s, k] * (slip - x[X.washed, k])
        voltage(u, x, v[u.port[k]], s, dx, k, B1_DERIVED, 0.0)
        if not u.on[k]:
            for i in range(x.shape[0]):
                dx[i, k] = 0.0


@jit
def after(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, t_s: float, h_s: float) -> bool:
    """Ask for the network to be solved anew where a current has come to or left its limit."""
    return bool(changes_kind(u, x, v, B1_DERIVED))


class RegfmB1(GridForming):
    """Virtual synchronous machine."""

    params_type = RegfmB1Params
    states = STATES
    measured = WRITES
    inject = staticmethod(inject)
    measure = staticmethod(measure)
    rhs = staticmethod(rhs)
    after = staticmethod(after)

    @classmethod
    def inertia(cls, u: Block) -> Floats:
        """Return M = 2H on the system's base."""
        return np.asarray(2.0 * u.p[P.h_s] * u.p[P.ratio])

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the plain lags: filters, washout, and the speed, which its damping draws back."""
        p = u.p
        droop = p[P.fflag_code] / p[P.mp_pu]
        damping = droop + p[P.d1_pu] + p[P.d2_pu]
        rate = np.where(p[P.wd_per_s] > 0.0, p[P.wd_per_s], 1.0)
        return super().lags(u) | {
            "omega": np.where(damping > 0.0, 2.0 * p[P.h_s] / np.where(damping > 0.0, damping, 1.0), 0.0),
            "washed": np.where(p[P.wd_per_s] > 0.0, 1.0 / rate, 0.0),
        }

    @classmethod
    def bounds(cls, u: Block) -> dict[str, tuple[Floats, Floats]]:
        """Return the limits of the speed."""
        return {"omega": (1.0 + u.p[P.dwmin_pu], 1.0 + u.p[P.dwmax_pu])}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse limits in the wrong order, and a frequency nothing determines."""
        wrong = list(super().findings(params))
        if params.fflag_code == 0 and params.d1_pu == 0.0:
            wrong.append(
                f"d1_pu={params.d1_pu:g} with fflag_code=0 leaves the frequency without a steady state"
            )
        return wrong


DEVICE = RegfmB1
