r"""Pulse: orders to an electronic load that swing about a mean, as synchronous training does.

.. math:: P_{set} = P_o + y(t) - \bar y, \qquad Q_{set} = Q_o\,P_{set}/P_o

:math:`P_o, Q_o` are the orders of the exchange and :math:`y` is the power of a pulsing load behind its ramp
limits, its lag and its capacitors (`cosim.core.wave`), with :math:`\bar y` the mean over the exchange that
whoever orders says it has. The edges lie where they are, between steps, too: over each step the load is
ordered the exact mean of :math:`y` over it, so the energy does not depend on the step. The waveform begins
anew at each exchange with what the inputs then say; without any it is flat.
"""

from typing import Any

from pydantic import Field

from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from cosim.core.wave import Drawn, Limits, Wave, draw, settled
from grids.dynamics.device import Block, Device, Site, rows
from grids.numbers import Complexes

ENDLESS_MW_PER_S = 1e12


class PulseParams(Params):
    """What stands between the wanted power and the drawn one."""

    tau_s: float = Field(default=0.1, gt=0, description="lag of the load behind its edges")
    rise_mw_per_s: float = Field(default=ENDLESS_MW_PER_S, gt=0, description="fastest rise; by default none")
    fall_mw_per_s: float = Field(default=ENDLESS_MW_PER_S, gt=0, description="fastest fall; by default none")
    capacitor_mj: float = Field(default=0, ge=0, description="energy of capacitors in power supplies")
    capacitor_tau_s: float = Field(default=0.5, gt=0, description="time constant of the mean they keep")


DERIVED = ("base_mva",)
READS = (
    *("p_order_pu", "q_order_pu", "wave_mean_mw", "wave_low_mw", "wave_high_mw"),
    *("wave_since_s", "wave_high_s", "wave_low_s"),
)
WRITES = ("p_set_pu", "q_set_pu")
MEMORY = ("at_s", "held_mw", "lagged_mw", "recent_mw", "charge_mj", "drawn_mw", "h_s", "begun")
P: Any = rows(PulseParams, DERIVED)
S: Any = rows(READS, WRITES)
Z: Any = rows(MEMORY)


@jit
def read(u: Block, s: Floats, k: int) -> tuple[Wave, Limits, Drawn]:
    """Return what is wanted, what limits it, and where the load stands."""
    wave = Wave(
        s[u.wire[S.wave_low_mw, k]], s[u.wire[S.wave_high_mw, k]], s[u.wire[S.wave_since_s, k]],
        s[u.wire[S.wave_high_s, k]], s[u.wire[S.wave_low_s, k]],
    )  # fmt: skip
    limits = Limits(
        u.p[P.tau_s, k], u.p[P.rise_mw_per_s, k], u.p[P.fall_mw_per_s, k],
        u.p[P.capacitor_mj, k], u.p[P.capacitor_tau_s, k],
    )  # fmt: skip
    stands = Drawn(
        u.z[Z.at_s, k], u.z[Z.held_mw, k], u.z[Z.lagged_mw, k], u.z[Z.recent_mw, k], u.z[Z.charge_mj, k]
    )
    return wave, limits, stands


@jit
def keep(u: Block, k: int, stands: Drawn) -> None:
    """Remember where the load stands."""
    u.z[Z.at_s, k], u.z[Z.held_mw, k], u.z[Z.lagged_mw, k] = stands.at_s, stands.held_mw, stands.lagged_mw
    u.z[Z.recent_mw, k], u.z[Z.charge_mj, k] = stands.recent_mw, stands.charge_mj


@jit
def look_ahead(u: Block, s: Floats, k: int) -> None:
    """Find what is drawn over the next step, which is as long as the last one."""
    wave, limits, stands = read(u, s, k)
    if u.z[Z.h_s, k] > 0.0:
        u.z[Z.drawn_mw, k] = draw(wave, limits, stands, u.z[Z.h_s, k])[0]
    else:
        u.z[Z.drawn_mw, k] = stands.lagged_mw


@jit
def begin_exchange(u: Block, s: Floats, k: int) -> None:
    """Take the waveform of a new exchange; the first one finds the load settled."""
    wave, limits, _ = read(u, s, k)
    u.z[Z.at_s, k] = 0.0
    if u.z[Z.begun, k] == 0.0:
        keep(u, k, settled(wave, limits))
    look_ahead(u, s, k)


@jit
def rhs(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, dx: Floats) -> None:
    """Write the orders [pu on the system's base, drawn > 0]."""
    for k in range(u.port.size):
        order = s[u.wire[S.p_order_pu, k]]
        swing = (u.z[Z.drawn_mw, k] - s[u.wire[S.wave_mean_mw, k]]) / u.p[P.base_mva, k]
        s[u.wire[S.p_set_pu, k]] = order + swing
        share = 1.0 + swing / order if order > 0.0 else 1.0
        s[u.wire[S.q_set_pu, k]] = s[u.wire[S.q_order_pu, k]] * share


@jit
def after(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, t_s: float, h_s: float) -> bool:
    """Advance each waveform over the accepted step, and look at the next one."""
    for k in range(u.port.size):
        wave, limits, stands = read(u, s, k)
        keep(u, k, draw(wave, limits, stands, h_s)[1])
        u.z[Z.h_s, k], u.z[Z.begun, k] = h_s, 1.0
        look_ahead(u, s, k)
    return False


class Pulse(Device):
    """Orders that pulse; it carries no power itself."""

    params_type = PulseParams
    role = "waveform"
    tables = ("load",)
    derived = DERIVED
    reads = READS
    writes = WRITES
    memory = MEMORY
    rhs = staticmethod(rhs)
    after = staticmethod(after)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Order what the load draws at the operating point, without a swing."""
        u.p[P.base_mva] = site.base_mva
        s[u.wire[S.p_order_pu]], s[u.wire[S.q_order_pu]] = s[u.wire[S.p_set_pu]], s[u.wire[S.q_set_pu]]
        u.z[Z.charge_mj] = u.p[P.capacitor_mj]

    @classmethod
    def take(cls, u: Block, s: Floats, k: int) -> None:
        """Begin the waveform of a new exchange."""
        begin_exchange(u, s, k)


DEVICE = Pulse
