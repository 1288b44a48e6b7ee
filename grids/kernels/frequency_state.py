"""The arrays of the frequency model of one synchronous area, in the groups its kernels take them."""

from typing import NamedTuple

from cosim.core.types import Floats, Ints

# Rows of Machines.fixed, each (machines,)
K_MW_PER_HZ = 0
DEADBAND_HZ = 1
LIMIT_UP_MW = 2
LIMIT_DOWN_MW = 3
RATE_MW_PER_S = 4
FAST_PU = 5  # share of an order that passes the transient droop at once
T_TRANSIENT_S = 6
T_VALVE_S = 7
T_LAG_1_S = 8
T_LAG_2_S = 9
GAIN_VALVE_PU = 10  # share of valve or gate in the turbine's power
GAIN_LAG_1_PU = 11
GAIN_LAG_2_PU = 12
AGC_SHARE_PU = 13
AGC_RATE_MW_PER_S = 14
ROOM_UP_MW = 15  # headroom over the schedule, >= 0
ROOM_DOWN_MW = 16  # the same downwards, <= 0
BLEND_TRANSIENT_PU = 17  # how much of the way to its target a lag goes in one inner step
BLEND_VALVE_PU = 18
BLEND_LAG_1_PU = 19
BLEND_LAG_2_PU = 20
LONG_ROWS = 4  # the same four for a long step come after them
T_DELAY_S = 25  # a relay's, > 0
FIXED_ROWS = 26

# Rows of Machines.state, each (machines,)
TRANSIENT_MW = 0  # transient droop
VALVE_MW = 1  # valve or gate
LAG_1_MW = 2  # steam chest, fuel system or water column
LAG_2_MW = 3  # reheater
P_MW = 4  # primary response
AGC_MW = 5  # secondary response
AGC_TARGET_MW = 6
WAITED_S = 7  # a relay: for how long frequency has been low (> 0) or high (< 0); T_DELAY_S and it acts
ORDER_MW = 8  # work: what the governor wants, then where the valve was
STATE_ROWS = 9

# Rows of Droops.fixed, each (offers,)
D_DEADBAND_HZ = 0
D_TIME_S = 1
D_MW_PER_HZ = 2
D_UP_MW = 3
D_DOWN_MW = 4
D_BLEND_PU = 5
D_BLEND_LONG_PU = 6
D_FIXED_ROWS = 7

# Rows of Droops.state, each (offers,)
D_P_MW = 0
D_SUM_MW = 1  # work: sum of the mean response over the inner steps
D_STATE_ROWS = 2


class Machines(NamedTuple):
    """Machines of one area that can answer.

    Two arrays instead of thirty: a group of thirty costs more to hand to a function than its arithmetic.
    """

    fixed: Floats
    """(FIXED_ROWS, machines)"""
    state: Floats
    """(STATE_ROWS, machines)"""
    relays: Ints
    """(relays,) which of them are switched by a relay."""


class Droops(NamedTuple):
    """Fast droop offers in one area."""

    fixed: Floats
    """(D_FIXED_ROWS, offers)"""
    state: Floats
    """(D_STATE_ROWS, offers)"""


class Area(NamedTuple):
    """One synchronous area; what moves is an array of shape (1,) unless said."""

    inertia_mws_per_hz: float
    """2 Ek / f0 of all machines online."""
    damping_mw_per_hz: float
    bias_mw_per_hz: float
    agc_next_s: Floats
    """State: when the next AGC cycle is due."""
    agc_integral_mw: Floats
    """State: integral part of the AGC order."""
    df_hz: Floats
    """State: deviation from nominal frequency."""
    sample_s: Floats
    """(samples,) ring of instants."""
    sample_hz: Floats
    """(samples,) ring of deviations."""
    newest: Ints
    """Place of the newest sample; places grow without end, the ring wraps them."""
    behind: Ints
    """Place of the last sample at or before the start of the window."""
    found: Floats
    """(4,) output: lowest and highest deviation [Hz], RoCoF and slope at the end [Hz/s]."""
    calm: Ints
    """State: inner steps for which the slope of frequency has hardly changed."""
    before: Floats
    """(STATE_ROWS + 1, longest) work: the state one inner step ago; last row deviation and offers."""


class Agc(NamedTuple):
    """Settings of the secondary control."""

    cycle_s: float
    gain_pu: float
    t_integral_s: float
    deadband_hz: float
    ahead_s: float


class Model(NamedTuple):
    """One area with all that answers in it."""

    machines: Machines
    area: Area
    droops: Droops
    agc: Agc


class Span(NamedTuple):
    """One exchange in inner steps."""

    t_s: float
    step_s: float
    steps: int
    long_steps: int
    """How many inner steps make a long one, taken while frequency is calm; 1: never."""
    imbalance_mw: float
    """Deficit, held over the exchange."""
