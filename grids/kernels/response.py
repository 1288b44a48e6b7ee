"""What answers a frequency deviation: governors and turbines, AGC, fast droop offers."""

import math

from cosim.core.jit import jit
from grids.kernels.frequency_state import (
    AGC_MW,
    AGC_RATE_MW_PER_S,
    AGC_SHARE_PU,
    AGC_TARGET_MW,
    BLEND_LAG_1_PU,
    BLEND_LAG_2_PU,
    BLEND_TRANSIENT_PU,
    BLEND_VALVE_PU,
    D_BLEND_LONG_PU,
    D_BLEND_PU,
    D_DEADBAND_HZ,
    D_DOWN_MW,
    D_MW_PER_HZ,
    D_P_MW,
    D_SUM_MW,
    D_TIME_S,
    D_UP_MW,
    DEADBAND_HZ,
    FAST_PU,
    GAIN_LAG_1_PU,
    GAIN_LAG_2_PU,
    GAIN_VALVE_PU,
    K_MW_PER_HZ,
    LAG_1_MW,
    LAG_2_MW,
    LIMIT_DOWN_MW,
    LIMIT_UP_MW,
    LONG_ROWS,
    ORDER_MW,
    P_MW,
    RATE_MW_PER_S,
    ROOM_DOWN_MW,
    ROOM_UP_MW,
    T_DELAY_S,
    T_LAG_1_S,
    T_LAG_2_S,
    T_TRANSIENT_S,
    T_VALVE_S,
    TRANSIENT_MW,
    VALVE_MW,
    WAITED_S,
    Agc,
    Area,
    Droops,
    Machines,
)

CLOSE_MW = 1e-9
"""A lag this near to its target has arrived, an imbalance this small moves nothing.

Keeps states off the denormal numbers, and lets an area come to rest.
"""


AGC_REST_HZ = 1e-4
"""Beyond its dead-band by less than this, AGC rests: it would approach the edge for ever."""


@jit
def blend(step_s: float, time_constant_s: float) -> float:
    r"""Return how much of the way to a held target a first-order lag goes: :math:`1 - e^{-h/T}`, exact."""
    if time_constant_s <= 0.0:
        return 1.0
    return -math.expm1(-step_s / time_constant_s)


@jit
def outside(df_hz: float, deadband_hz: float) -> float:
    """Return the part of a deviation [Hz] beyond a dead-band, continuous at its edge."""
    return df_hz - min(max(df_hz, -deadband_hz), deadband_hz)


@jit
def toward(value: float, target: float, blend_pu: float) -> float:
    """Return a lag moved towards its target, arriving for good when within CLOSE_MW."""
    gap = target - value
    return target if abs(gap) < CLOSE_MW else value + gap * blend_pu


@jit
def follow(value: float, before: float, after: float, blend_pu: float) -> float:
    """Return a lag whose input went from `before` to `after`: it sees the mean, or none of it lags."""
    return after if blend_pu >= 1.0 else toward(value, 0.5 * (before + after), blend_pu)


@jit
def ask_relay(m: Machines, i: int, df_hz: float, step_s: float) -> None:
    """Write the order of a static response: all of it once frequency was beyond its trigger for its delay.

    It stays until the machine is connected anew: a contract holds it for longer than a deviation lasts.
    """
    p, s = m.fixed, m.state
    waited, delay_s = s[WAITED_S, i], p[T_DELAY_S, i]
    if abs(waited) < delay_s:
        if df_hz <= -p[DEADBAND_HZ, i] and p[LIMIT_UP_MW, i] > 0.0:
            waited = max(waited, 0.0) + step_s
        elif df_hz >= p[DEADBAND_HZ, i] and p[LIMIT_DOWN_MW, i] > 0.0:
            waited = min(waited, 0.0) - step_s
        else:
            waited = 0.0
        s[WAITED_S, i] = waited
    if waited >= delay_s:
        s[ORDER_MW, i] = min(p[LIMIT_UP_MW, i], p[ROOM_UP_MW, i])
    elif waited <= -delay_s:
        s[ORDER_MW, i] = max(-p[LIMIT_DOWN_MW, i], p[ROOM_DOWN_MW, i])


@jit
def move_machines(m: Machines, df_hz: float, step_s: float, rows: int) -> float:
    r"""Advance governors, turbines and AGC ramps by one step; return their power [MW].

    `rows` is 0 for an inner step, LONG_ROWS for a long one: where the blends of the lags are.

    The order is :math:`u = -K\,\mathrm{db}(\Delta f)` within limits and headroom. Reheat steam is
    TGOV1's turbine with a chest, :math:`(F_{HP} + (1 - F_{HP})/(1 + sT_{RH}))/(1 + sT_{CH})`; hydro is
    :math:`(1 - sT_W)/(1 + sT_W/2)` behind the transient droop :math:`(1 + sT_R)/(1 + s(R_T/R_P)T_R)`
    [1]_. Each lag is exact for a held input; lags in a row see the mean of their input over the
    step, so the chain is of second order. Loops are short so that the compiler makes vectors of them.

    References
    ----------
    .. [1] P. Kundur, *Power System Stability and Control*, 1994, sections 9.1 and 11.1.
    """
    p, s, n = m.fixed, m.state, m.state.shape[1]
    for i in range(n):
        order = -p[K_MW_PER_HZ, i] * outside(df_hz, p[DEADBAND_HZ, i])
        lowest = max(-p[LIMIT_DOWN_MW, i], p[ROOM_DOWN_MW, i] - s[AGC_MW, i])
        highest = min(p[LIMIT_UP_MW, i], p[ROOM_UP_MW, i] - s[AGC_MW, i])
        s[ORDER_MW, i] = min(max(order, lowest), highest)
    for k in range(m.relays.size):
        ask_relay(m, m.relays[k], df_hz, step_s)
    for i in range(n):
        order, transient = s[ORDER_MW, i], s[TRANSIENT_MW, i]
        moved = toward(transient, order, p[BLEND_TRANSIENT_PU + rows, i])
        s[TRANSIENT_MW, i] = moved
        s[ORDER_MW, i] = p[FAST_PU, i] * order + (1.0 - p[FAST_PU, i]) * 0.5 * (transient + moved)
    for i in range(n):
        valve, reach = s[VALVE_MW, i], p[RATE_MW_PER_S, i] * step_s
        moved = toward(valve, s[ORDER_MW, i], p[BLEND_VALVE_PU + rows, i])
        s[ORDER_MW, i] = valve
        s[VALVE_MW, i] = min(max(moved, valve - reach), valve + reach)
    for i in range(n):
        valve, lag_1, lag_2 = s[VALVE_MW, i], s[LAG_1_MW, i], s[LAG_2_MW, i]
        new_1 = follow(lag_1, s[ORDER_MW, i], valve, p[BLEND_LAG_1_PU + rows, i])
        new_2 = follow(lag_2, lag_1, new_1, p[BLEND_LAG_2_PU + rows, i])
        s[LAG_1_MW, i], s[LAG_2_MW, i] = new_1, new_2
        turbine = p[GAIN_LAG_1_PU, i] * new_1 + p[GAIN_LAG_2_PU, i] * new_2
        s[P_MW, i] = p[GAIN_VALVE_PU, i] * valve + turbine
    for i in range(n):
        if s[AGC_MW, i] != s[AGC_TARGET_MW, i]:
            ramp_agc(m, i, step_s)
    return machines_power(m)


@jit
def machines_power(m: Machines) -> float:
    """Return the primary and secondary response of all machines [MW]; four sums, as adding has to wait."""
    one, two, three, four = 0.0, 0.0, 0.0, 0.0
    s, n = m.state, m.state.shape[1]
    for i in range(0, n - 3, 4):
        one += s[P_MW, i] + s[AGC_MW, i]
        two += s[P_MW, i + 1] + s[AGC_MW, i + 1]
        three += s[P_MW, i + 2] + s[AGC_MW, i + 2]
        four += s[P_MW, i + 3] + s[AGC_MW, i + 3]
    for i in range(n - n % 4, n):
        one += s[P_MW, i] + s[AGC_MW, i]
    return float((one + two) + (three + four))


@jit
def ramp_agc(m: Machines, i: int, step_s: float) -> None:
    """Move a machine's secondary response to its target as fast as rate and headroom let it."""
    p, s = m.fixed, m.state
    agc, reach = s[AGC_MW, i], p[AGC_RATE_MW_PER_S, i] * step_s
    moved = min(max(s[AGC_TARGET_MW, i], agc - reach), agc + reach)
    # the governor has the headroom first, also what is still under way in the turbine
    most = p[ROOM_UP_MW, i] - max(s[TRANSIENT_MW, i], s[VALVE_MW, i], s[LAG_1_MW, i], s[LAG_2_MW, i])
    least = p[ROOM_DOWN_MW, i] - min(s[TRANSIENT_MW, i], s[VALVE_MW, i], s[LAG_1_MW, i], s[LAG_2_MW, i])
    moved = min(moved, max(agc, most))
    s[AGC_MW, i] = max(moved, min(agc, least))


@jit
def move_droops(d: Droops, df_hz: float, steps: int) -> float:
    """Advance droop offers by one or `steps` inner steps; return their change of consumption [MW]."""
    p, s = d.fixed, d.state
    row = D_BLEND_PU if steps == 1 else D_BLEND_LONG_PU
    for j in range(s.shape[1]):
        target = p[D_MW_PER_HZ, j] * outside(df_hz, p[D_DEADBAND_HZ, j])
        target = min(max(target, -p[D_DOWN_MW, j]), p[D_UP_MW, j])
        moved = toward(s[D_P_MW, j], target, p[row, j])
        s[D_SUM_MW, j] += 0.5 * steps * (s[D_P_MW, j] + moved)
        s[D_P_MW, j] = moved
    return droops_power(d)


@jit
def droops_power(d: Droops) -> float:
    """Return the change of consumption of all droop offers [MW]."""
    total_mw = 0.0
    for j in range(d.state.shape[1]):
        total_mw += d.state[D_P_MW, j]
    return total_mw


@jit
def prepare(m: Machines, d: Droops, step_s: float, long_s: float) -> None:
    """Fit the lags to the lengths of inner and long steps, and droop offers to their present limits."""
    p = m.fixed
    for rows, length_s in ((0, step_s), (LONG_ROWS, long_s)):
        for i in range(p.shape[1]):
            p[BLEND_TRANSIENT_PU + rows, i] = blend(length_s, p[T_TRANSIENT_S, i])
            p[BLEND_VALVE_PU + rows, i] = blend(length_s, p[T_VALVE_S, i])
            p[BLEND_LAG_1_PU + rows, i] = blend(length_s, p[T_LAG_1_S, i])
            p[BLEND_LAG_2_PU + rows, i] = blend(length_s, p[T_LAG_2_S, i])
    p, s = d.fixed, d.state
    for j in range(p.shape[1]):
        p[D_BLEND_PU, j] = blend(step_s, p[D_TIME_S, j])
        p[D_BLEND_LONG_PU, j] = blend(long_s, p[D_TIME_S, j])
        s[D_P_MW, j] = min(max(s[D_P_MW, j], -p[D_DOWN_MW, j]), p[D_UP_MW, j])
        s[D_SUM_MW, j] = 0.0


@jit
def order_agc(m: Machines, a: Area, agc: Agc) -> bool:
    r"""Give the AGC orders of one cycle; return whether anything changed.

    :math:`ACE = -B\,\mathrm{db}(\Delta f)`, continuous at the edge of its dead-band; order
    :math:`k\,ACE + \sum ACE\,t_c/T_i`, shared by capacity. The integral stays within `ahead_s` of
    ramping of what has been delivered (anti-windup).
    """
    p, s, n = m.fixed, m.state, m.state.shape[1]
    share, delivered, rate = 0.0, 0.0, 0.0
    for i in range(n):
        share += p[AGC_SHARE_PU, i]
        delivered += s[AGC_MW, i]
        rate += p[AGC_RATE_MW_PER_S, i]
    if share <= 0.0 or a.bias_mw_per_hz <= 0.0:
        return False
    beyond_hz = outside(a.df_hz[0], agc.deadband_hz)
    ace = -a.bias_mw_per_hz * beyond_hz if abs(beyond_hz) > AGC_REST_HZ else 0.0
    before = a.agc_integral_mw[0]
    integral = before + ace * agc.cycle_s / agc.t_integral_s
    integral = min(max(integral, delivered - rate * agc.ahead_s), delivered + rate * agc.ahead_s)
    a.agc_integral_mw[0] = integral
    changed = integral != before
    for i in range(n):
        target = (agc.gain_pu * ace + integral) * p[AGC_SHARE_PU, i] / share
        target = min(max(target, p[ROOM_DOWN_MW, i]), p[ROOM_UP_MW, i])
        changed = changed or target != s[AGC_TARGET_MW, i]
        s[AGC_TARGET_MW, i] = target
    return changed
