r"""Frequency protection of a generator: how long it endures a frequency, and over-frequency tripping.

Under-frequency stage `i` trips the unit once the frequency at its bus has been below `fui_hz` without a
break for `tui_s`, over-frequency stage `i` above `foi_hz` for `toi_s`: with delays that fall from stage to
stage the set is a time-frequency curve. The frequency is measured as in `ufls`; below `vblock_pu` nothing
is counted. A scheme that trips generation at high frequency is a unit with over-frequency stages alone.

The defaults are the edge of what a Chinese thermal unit must endure, for 50 Hz: 48.5 to 50.5 Hz for ever,
300 s down to 48.0 Hz and 180 s up to 51.0 Hz by GB 50660-2011, 3.4.1 [1]_; the stages beyond, from
GB/T 31464 [2]_, are (unconfirmed).

References
----------
.. [1] GB 50660-2011, *Code for design of fossil fired power plant*, 3.4.1.
.. [2] GB/T 31464, *The grid operation code*.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.jit import jit
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, rows
from grids.dynamics.kernels.relays import above_s, angle_lead, below_s, expired, frequency_pu
from grids.dynamics.protection import FrequencyMeter, check_thresholds, falling
from grids.numbers import Complexes


class GenFrequencyTripParams(FrequencyMeter):
    """Stages of one generator; a threshold of 0 leaves a stage out."""

    fu1_hz: float = Field(default=48.5, ge=0, description="below it, stage 1 counts")
    tu1_s: float = Field(default=300.0, ge=0, description="its delay")
    fu2_hz: float = Field(default=48.0, ge=0, description="below it, stage 2 counts")
    tu2_s: float = Field(default=60.0, ge=0, description="its delay (unconfirmed)")
    fu3_hz: float = Field(default=47.5, ge=0, description="below it, stage 3 counts")
    tu3_s: float = Field(default=20.0, ge=0, description="its delay (unconfirmed)")
    fu4_hz: float = Field(default=47.0, ge=0, description="below it, stage 4 counts")
    tu4_s: float = Field(default=5.0, ge=0, description="its delay (unconfirmed)")
    fu5_hz: float = Field(default=46.5, ge=0, description="below it, stage 5 counts")
    tu5_s: float = Field(default=0.0, ge=0, description="its delay (unconfirmed)")
    fo1_hz: float = Field(default=50.5, ge=0, description="above it, stage 1 counts")
    to1_s: float = Field(default=180.0, ge=0, description="its delay")
    fo2_hz: float = Field(default=51.0, ge=0, description="above it, stage 2 counts")
    to2_s: float = Field(default=30.0, ge=0, description="its delay (unconfirmed)")
    fo3_hz: float = Field(default=51.5, ge=0, description="above it, stage 3 counts")
    to3_s: float = Field(default=0.0, ge=0, description="its delay (unconfirmed)")


UNDER, OVER = 5, 3
STAGES = UNDER + OVER

DERIVED = ("omega_base",)
STATES = ("angle",)
MEMORY = ("before", "due", *(f"timer{i}" for i in range(STAGES)))

P: Any = rows(GenFrequencyTripParams, DERIVED)
X: Any = rows(STATES)
Z: Any = rows(MEMORY)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write how the kept angle follows."""
    for k in range(u.port.size):
        at = v[u.port[k]]
        live = 1.0 if u.on[k] and abs(at) > 0.0 else 0.0
        dx[X.angle, k] = live * angle_lead(at, x[X.angle, k]) / u.p[P.tf_s, k]


@jit
def after(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, t_s: float, h_s: float) -> bool:
    """Count the time beyond each threshold; True when a stage operates."""
    due = False
    for k in range(u.port.size):
        if not u.on[k]:
            continue
        at, omega, before = v[u.port[k]], u.p[P.omega_base, k], u.z[Z.before, k]
        now = frequency_pu(angle_lead(at, x[X.angle, k]), u.p[P.tf_s, k], omega) * omega / (2.0 * np.pi)
        blocked = abs(at) <= u.p[P.vblock_pu, k]
        for i in range(STAGES):
            threshold, timer = u.p[P.fu1_hz + 2 * i, k], u.z[Z.timer0 + i, k]
            if threshold <= 0.0:
                continue
            if i < UNDER:
                timer = below_s(timer, before, now, threshold, h_s)
            else:
                timer = above_s(timer, before, now, threshold, h_s)
            u.z[Z.timer0 + i, k] = 0.0 if blocked else timer
            if u.z[Z.due, k] == 0.0 and expired(u.z[Z.timer0 + i, k], u.p[P.tu1_s + 2 * i, k]):
                u.z[Z.due, k] = i + 1.0
                due = True
        u.z[Z.before, k] = now
    return due


class GenFrequencyTrip(Device):
    """Frequency protection of a generator."""

    params_type = GenFrequencyTripParams
    role = "frequency_trip"
    tables = ("gen", "ext_grid", "sgen")
    derived = DERIVED
    states = STATES
    angles = ("angle",)
    memory = MEMORY
    rhs = staticmethod(rhs)
    after = staticmethod(after)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Measure nominal frequency."""
        set_hz = [(f"f{n}_hz", u.p[P.fu1_hz + 2 * i], u.p[P.fu1_hz + 2 * i]) for i, n in enumerate(_names())]
        check_thresholds("gen_frequency_trip", site, set_hz[:UNDER])
        check_thresholds("gen_frequency_trip", site, set_hz[UNDER:], above=True)
        u.p[P.omega_base] = site.omega_base
        x[X.angle] = np.angle(site.v_pu)
        u.z[Z.before] = site.omega_base / (2.0 * np.pi)

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the lag of the measurement."""
        return {"angle": u.p[P.tf_s]}

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse stages out of order."""
        values = [(f"f{n}_hz", getattr(params, f"f{n}_hz")) for n in _names()]
        stages = [(name, value, value > 0.0) for name, value in values]
        return [*falling(stages[:UNDER]), *falling(stages[UNDER:], rising=True)]

    @classmethod
    def act(cls, u: Block, session: Any) -> None:
        """Trip the units whose time is over."""
        names = session.elements_of(u)
        for k in np.flatnonzero((u.z[Z.due] > 0.0) & u.on).tolist():
            stage = int(u.z[Z.due, k]) - 1
            kind = "under" if stage < UNDER else "over"
            number = stage + 1 if stage < UNDER else stage + 1 - UNDER
            f_hz = u.z[Z.before, k]
            session.note(f"{names[k]} tripped: {kind}-frequency stage {number} at {f_hz:.3f} Hz")
            session.trip(names[k])


def _names() -> list[str]:
    return [*(f"u{i + 1}" for i in range(UNDER)), *(f"o{i + 1}" for i in range(OVER))]


DEVICE = GenFrequencyTrip
