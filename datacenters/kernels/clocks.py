"""Kernels of what accelerators draw and do: utilisation, clocks, power cap, floor and ramp limits."""

from cosim.core.jit import jit
from cosim.core.types import Floats
from datacenters.kernels import hall_rows as rows


@jit
def utilisation_curve(busy_pu: float, exponent_pu: float) -> float:
    r"""Return the share of dynamic power at a busy share: :math:`\varphi = 2u - u^r`, r = 1 linear [1]_.

    References
    ----------
    .. [1] OpenDC, host power model "MSE"; X. Fan et al., Power provisioning for a warehouse-sized
       computer, ISCA 2007.
    """
    if exponent_pu == 1.0:
        return busy_pu
    return 2.0 * busy_pu - busy_pu**exponent_pu


@jit
def speed_at_clock(clock_pu: float, memory_pu: float) -> float:
    r"""Return relative work rate at a relative clock: :math:`1/((1-b)/f + b)`, b bound by memory.

    Roofline mix; b = 0 slows in proportion to the clock.
    """
    return 1.0 / ((1.0 - memory_pu) / clock_pu + memory_pu)


@jit
def clock_by_heat(params: Floats, temp_die_degc: float) -> float:
    """Return the highest clock at a die temperature: 1 up to the throttle temperature, then linearly down.

    Over the band it falls to the lowest clock, and stays there.
    """
    over = (temp_die_degc - params[rows.T_THROTTLE]) / params[rows.BAND]
    return 1.0 - (1.0 - params[rows.CLOCK_MIN]) * min(max(over, 0.0), 1.0)


@jit
def clock_by_cap(params: Floats, cap_pu: float, leak_mw: float, on_pu: float) -> float:
    r"""Return the highest clock a power cap allows, for a share of racks that is on.

    Per accelerator, as firmware does it: with all busy, idle + leakage + span·f^a meets the cap. Never
    below the lowest clock.
    """
    if cap_pu >= 1.0:
        return 1.0
    room_mw, span_mw = (
        cap_pu * params[rows.RATED_MW] - on_pu * params[rows.IDLE_MW] - leak_mw,
        on_pu * params[rows.SPAN_MW],
    )
    if room_mw >= span_mw:
        return 1.0
    return max((max(room_mw, 0.0) / span_mw) ** (1.0 / params[rows.EXPONENT]), params[rows.CLOCK_MIN])


@jit
def dynamic_share(params: Floats, curve_pu: float, clock: float) -> float:
    """Return dynamic power of its largest at a place on the utilisation curve and a clock."""
    return curve_pu if clock >= 1.0 else curve_pu * clock ** params[rows.EXPONENT]


@jit
def shape(
    params: Floats, clock: float, cap_pu: float, leak_mw: float, on_pu: float, held_mw: float, dt_s: float,
    wanted_mw: float,
) -> tuple[float, float]:  # fmt: skip
    """Return what work may draw and what is drawn with ballast on top, over a sub-step of `dt_s` [MW].

    Work rises no faster than the limit, its clocks held back. Ballast (accelerators that burn power without
    work) fills up to the floor, and to what may not fall faster; heat and cap bound it as they bound work.
    """
    highest_mw = held_mw + params[rows.RISE_MW_PER_S] * dt_s
    work_mw = min(wanted_mw, highest_mw)
    least_mw = max(
        min(on_pu * params[rows.FLOOR_MW], highest_mw), held_mw - params[rows.FALL_MW_PER_S] * dt_s
    )
    if least_mw <= work_mw:
        return work_mw, work_mw
    ceiling_mw = on_pu * (
        params[rows.IDLE_MW] + (params[rows.RATED_MW] - params[rows.IDLE_MW]) * clock ** params[rows.EXPONENT]
    )
    if cap_pu < 1.0:
        ceiling_mw = min(
            ceiling_mw, max(cap_pu * params[rows.RATED_MW] - leak_mw, on_pu * params[rows.IDLE_MW])
        )
    return work_mw, max(work_mw, min(least_mw, ceiling_mw))


@jit
def held_back(
    params: Floats, clock: float, wanted_mw: float, work_mw: float, on_pu: float
) -> float:  # fmt: skip
    """Return the work rate over that at `clock` where work may draw less than it wants."""
    idle_mw = on_pu * params[rows.IDLE_MW]
    if work_mw >= wanted_mw:
        return 1.0
    if work_mw <= idle_mw:
        return 0.0
    slow = clock * ((work_mw - idle_mw) / (wanted_mw - idle_mw)) ** (1.0 / params[rows.EXPONENT])
    return speed_at_clock(slow, params[rows.MEMORY_BOUND]) / speed_at_clock(clock, params[rows.MEMORY_BOUND])
