r"""Kernels of the racks of a hall: power, dies, coolant and air-cooled mass of each, over one sub-step.

.. math::
    \tau P' = P_w - P, \quad
    C_d T_d' = \gamma_d P + k (T_d - T_{ref}) - G (T_d - T_\infty), \quad
    C_c T_c' = \gamma_c P + G (T_d - T_\infty) - \dot m c_p (T_c - T_s), \quad
    C_m T_m' = \gamma_a P - UA (T_m - T_a)

:math:`T_\infty` is the mean of the coolant on its way through, or inlet air; k is the slope of leakage, of
racks that are on. Power is exact for a held wish; temperatures take the implicit midpoint rule: of second
order, stable at any step, and its middle is the mean that fluxes go with, so heat closes to rounding [1]_.
Where clocks fall with heat, the wish is linearised about the start, as in a Rosenbrock method.

References
----------
.. [1] E. Hairer, C. Lubich, G. Wanner, *Geometric Numerical Integration*, 2nd ed., sect. IV.1.
"""

from cosim.core.jit import jit_lent, jit_sums
from cosim.core.types import Floats
from datacenters.kernels import hall_rows as rows
from datacenters.kernels.clocks import clock_by_heat, dynamic_share, speed_at_clock, utilisation_curve

# what one sub-step is for all racks of a hall
(
    ALPHA, BETA, MU, OWN, BY_SUPPLY, BY_AIR, LEAK, REFERENCE, DIES, COOLED, AIRED, UA_AIR,
    DECAY, MEAN, MEAN_SQUARE, LIMIT, STREAM, SUPPLY, AIR,
) = range(19)  # fmt: skip
N_COMMON = 19

# what they give the hall: means of power, leakage, Σ flow·T_c and heat to the air; kelvins over the limit
SUM_POWER, SUM_LEAK, SUM_FLOW, SUM_AIR, SUM_OVER = range(5)
N_RACK_SUMS = 5


@jit_sums
def middle(
    common: Floats, die: float, coolant: float, mass: float, leak: float, ua: float, flow: float,
    wish: float, slope: float,
) -> tuple[float, float, float, float]:  # fmt: skip
    """Return die, coolant and mass temperature and power in the middle of a sub-step, of one rack.

    `wish` is its mean power with dies as they are at the start, `slope` what it gains with each kelvin.
    """
    fixed_mw = wish - slope * die
    around = common[BY_SUPPLY] * common[SUPPLY] + common[BY_AIR] * common[AIR]
    into_die = die + common[ALPHA] * (common[DIES] * fixed_mw - leak * common[REFERENCE] + ua * around)
    into_coolant = coolant + common[BETA] * (
        common[COOLED] * fixed_mw + (flow - common[BY_SUPPLY] * ua) * common[SUPPLY]
    )
    a = 1.0 + common[ALPHA] * (ua - leak - common[DIES] * slope)
    b = common[ALPHA] * common[OWN] * ua
    c = common[BETA] * (ua + common[COOLED] * slope)
    d = 1.0 + common[BETA] * (flow + common[OWN] * ua)
    each = 1.0 / (a * d - b * c)
    die = (into_die * d + b * into_coolant) * each
    coolant = (a * into_coolant + c * into_die) * each
    power = fixed_mw + slope * die
    mass = mass + common[MU] * (common[AIRED] * power + common[UA_AIR] * (common[AIR] - mass))
    return die, coolant, mass, power


@jit_sums
def advance_alike(common: Floats, racks: Floats, base_mw: float, tilt_mw: float, sums: Floats) -> None:
    """Advance racks that are on, cool and in their stream: each wants `base_mw` and a share of `tilt_mw`."""
    power, die, coolant, mass = (
        racks[rows.POWER_MW],
        racks[rows.DIE_DEGC],
        racks[rows.COOLANT_DEGC],
        racks[rows.MASS_DEGC],
    )
    ua, flow, spread = racks[rows.UA_DIE], racks[rows.FLOW], racks[rows.SPREAD]
    decay, mean, limit, leak = common[DECAY], common[MEAN], common[LIMIT], common[LEAK]
    reference, air, ua_air, by_air = common[REFERENCE], common[AIR], common[UA_AIR], common[BY_AIR]
    sum_power = sum_leak = sum_flow = sum_air = over = 0.0
    for i in range(power.size):
        wanted = base_mw + tilt_mw * spread[i]
        above = power[i] - wanted
        t_die, t_coolant, t_mass, p = middle(
            common, die[i], coolant[i], mass[i], leak, ua[i], flow[i], wanted + above * mean, 0.0
        )
        sum_power += p
        sum_leak += leak * (t_die - reference)
        sum_flow += flow[i] * t_coolant
        sum_air += ua_air * (t_mass - air) + by_air * ua[i] * (t_die - air)
        power[i] = wanted + above * decay
        die[i] = 2.0 * t_die - die[i]
        coolant[i] = 2.0 * t_coolant - coolant[i]
        mass[i] = 2.0 * t_mass - mass[i]
        over += max(die[i] - limit, 0.0)
    sums[SUM_POWER], sums[SUM_LEAK], sums[SUM_FLOW], sums[SUM_AIR] = sum_power, sum_leak, sum_flow, sum_air
    sums[SUM_OVER] = over


@jit_sums
def advance_each(common: Floats, racks: Floats, sums: Floats) -> None:
    """Advance racks each of which is on or off, and wants what its rows say; die's middle goes to `SLOPE`."""
    power, die, coolant, mass = (
        racks[rows.POWER_MW],
        racks[rows.DIE_DEGC],
        racks[rows.COOLANT_DEGC],
        racks[rows.MASS_DEGC],
    )
    on, ua, flow, want, slopes = (
        racks[rows.ON_PU],
        racks[rows.UA_DIE],
        racks[rows.FLOW],
        racks[rows.WANTED_MW],
        racks[rows.SLOPE],
    )
    decay, mean, limit = common[DECAY], common[MEAN], common[LIMIT]
    reference, air, ua_air, by_air = common[REFERENCE], common[AIR], common[UA_AIR], common[BY_AIR]
    sum_power = sum_leak = sum_flow = sum_air = over = 0.0
    for i in range(power.size):
        leak, slope, before, stream = common[LEAK] * on[i], slopes[i], die[i], flow[i] * common[STREAM]
        t_die, t_coolant, t_mass, p = middle(
            common, before, coolant[i], mass[i], leak, ua[i], stream,
            want[i] + (power[i] - want[i]) * mean, slope * (1.0 - mean),
        )  # fmt: skip
        sum_power += p
        sum_leak += leak * (t_die - reference)
        sum_flow += stream * t_coolant
        sum_air += ua_air * (t_mass - air) + by_air * ua[i] * (t_die - air)
        wanted = want[i] + slope * (t_die - before)
        power[i] = wanted + (power[i] - wanted) * decay
        die[i] = 2.0 * t_die - before
        coolant[i] = 2.0 * t_coolant - coolant[i]
        mass[i] = 2.0 * t_mass - mass[i]
        slopes[i] = t_die
        over += max(die[i] - limit, 0.0)
    sums[SUM_POWER], sums[SUM_LEAK], sums[SUM_FLOW], sums[SUM_AIR] = sum_power, sum_leak, sum_flow, sum_air
    sums[SUM_OVER] = over


@jit_lent
def assigned_pu(busy_pu: float, spread: float) -> float:
    """Return the busy share of one rack where the hall's is `busy_pu`: u + s·u·(1 - u).

    Spreads of a hall add up to 0, so the work of all racks is the hall's; an idle hall and a full one have
    none, and with |s| up to 1 no rack has less than none or more than it can.
    """
    return busy_pu + spread * busy_pu * (1.0 - busy_pu)


@jit_lent
def rack_mw(params: Floats, assigned: float, cap_clock: float, temp_die_degc: float) -> float:
    """Return what one rack wants to draw where heat may hold its clocks below `cap_clock` [MW]."""
    clock = min(cap_clock, clock_by_heat(params, temp_die_degc))
    speed = speed_at_clock(clock, params[rows.MEMORY_BOUND])
    busy = min(assigned * speed_at_clock(cap_clock, params[rows.MEMORY_BOUND]) / speed, 1.0)
    share = dynamic_share(params, utilisation_curve(busy, params[rows.CURVE]), clock)
    return (params[rows.IDLE_MW] + params[rows.SPAN_MW] * share) / params[rows.RACKS]


@jit_lent
def wishes(params: Floats, racks: Floats, busy_pu: float, cap_clock: float) -> float:
    """Write what each rack wants, and how that falls with its heat; return their sum [MW].

    The slope is that over 2 % of the throttle band.
    """
    step_k, wanted_mw, apart = 0.02 * params[rows.BAND], 0.0, mean_spread(racks)
    for i in range(racks.shape[1]):
        die, on = racks[rows.DIE_DEGC, i], racks[rows.ON_PU, i]
        assigned = assigned_pu(busy_pu, racks[rows.SPREAD, i] - apart)
        here = rack_mw(params, assigned, cap_clock, die)
        racks[rows.WANTED_MW, i], racks[rows.SLOPE, i] = on * here, 0.0
        if params[rows.T_THROTTLE] - step_k < die < params[rows.T_THROTTLE] + params[rows.BAND]:
            racks[rows.SLOPE, i] = on * (rack_mw(params, assigned, cap_clock, die + step_k) - here) / step_k
        wanted_mw += on * here
    return wanted_mw


@jit_lent
def mean_spread(racks: Floats) -> float:
    """Return the mean spread of the racks that are on: it is 0 where all are."""
    spread = on = 0.0
    for i in range(racks.shape[1]):
        spread += racks[rows.SPREAD, i] * racks[rows.ON_PU, i]
        on += racks[rows.ON_PU, i]
    return spread / on if on > 0.0 else 0.0


@jit_lent
def done_and_held(
    params: Floats, racks: Floats, dies: int, busy_pu: float, cap_clock: float
) -> tuple[float, float]:
    """Return the work all racks do, of what they could at full clock, and the sum of 1 - clock of those on.

    `dies` is the row of their temperatures.
    """
    done = held = 0.0
    cap_speed, apart = speed_at_clock(cap_clock, params[rows.MEMORY_BOUND]), mean_spread(racks)
    for i in range(racks.shape[1]):
        clock = min(cap_clock, clock_by_heat(params, racks[dies, i]))
        speed = speed_at_clock(clock, params[rows.MEMORY_BOUND])
        assigned = assigned_pu(busy_pu, racks[rows.SPREAD, i] - apart) * cap_speed
        done += racks[rows.ON_PU, i] * min(assigned, speed)
        held += racks[rows.ON_PU, i] * (1.0 - clock)
    return done, held


@jit_lent
def rescale(racks: Floats, factor: float, extra_mw: float) -> None:
    """Scale what each rack wants, then add as much to each that is on."""
    for i in range(racks.shape[1]):
        racks[rows.WANTED_MW, i] = factor * racks[rows.WANTED_MW, i] + extra_mw * racks[rows.ON_PU, i]
        racks[rows.SLOPE, i] *= factor


@jit_lent
def switch_off(racks: Floats, trip_degc: float) -> float:
    """Switch off racks whose dies are at `trip_degc` or above; return how many are off [racks]."""
    off = 0.0
    for i in range(racks.shape[1]):
        if racks[rows.DIE_DEGC, i] >= trip_degc:
            racks[rows.ON_PU, i] = racks[rows.POWER_MW, i] = 0.0
        off += 1.0 - racks[rows.ON_PU, i]
    return off


@jit_lent
def switch_on(racks: Floats, ready_degc: float, many: float) -> None:
    """Switch on `many` racks, the first first, of those that are off and below `ready_degc`."""
    left = many
    for i in range(racks.shape[1]):
        if racks[rows.DIE_DEGC, i] < ready_degc:
            more = min(1.0 - racks[rows.ON_PU, i], left)
            racks[rows.ON_PU, i] += more
            left -= more


@jit_sums
def totals(racks: Floats, sums: Floats) -> None:
    """Write the sums over racks of die, coolant, mass temperature, flow times coolant, and flow."""
    die = coolant = mass = carried = flow = 0.0
    for i in range(racks.shape[1]):
        die += racks[rows.DIE_DEGC, i]
        coolant += racks[rows.COOLANT_DEGC, i]
        mass += racks[rows.MASS_DEGC, i]
        carried += racks[rows.FLOW, i] * racks[rows.COOLANT_DEGC, i]
        flow += racks[rows.FLOW, i]
    sums[0], sums[1], sums[2], sums[3], sums[4] = die, coolant, mass, carried, flow


@jit_lent
def hottest_degc(racks: Floats) -> float:
    """Return the temperature of the hottest dies."""
    hottest = racks[rows.DIE_DEGC, 0]
    for i in range(1, racks.shape[1]):
        hottest = max(hottest, racks[rows.DIE_DEGC, i])
    return hottest
