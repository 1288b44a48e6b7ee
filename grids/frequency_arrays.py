"""From fleet, areas and offers to the arrays the frequency kernels work on."""

import numpy as np

from cosim.core.types import Bools, Floats, Ints
from grids.fleet import GOVERNORS, AreaTable, Fleet, Offers
from grids.kernels import frequency_state as state
from grids.kernels.frequency import SAMPLES
from grids.kernels.frequency_state import Area, Droops, Machines

SHORTEST_DELAY_S = 1e-9
"""A relay without delay acts in the inner step that finds frequency beyond its trigger."""


def droop_gain_mw_per_hz(fleet: Fleet, areas: AreaTable) -> Floats:
    """Return what each machine's governor gives per Hz beyond its dead-band (machines,)."""
    governed = (fleet.governor_code != GOVERNORS.index("none")) & (fleet.droop_pu > 0.0)
    f0_hz = areas.f_nominal_hz[fleet.area]
    gain = fleet.responding_pu * fleet.p_rated_mw / np.where(governed, fleet.droop_pu * f0_hz, 1.0)
    result: Floats = np.where(governed, gain, 0.0)
    return result


def transient_droop(fleet: Fleet) -> tuple[Floats, Floats]:
    """Return the share of an order that passes a hydro governor at once, and the time the rest takes [s].

    Transient droop :math:`R_T = (2.3 - 0.15 (T_W - 1)) T_W / (2H)` and reset time
    :math:`T_R = (5 - 0.5 (T_W - 1)) T_W` for stable operation (Kundur, *Power System Stability and
    Control*, 1994, section 9.1). Other governors pass everything at once.
    """
    hydro = (fleet.governor_code == GOVERNORS.index("hydro")) & (fleet.t_water_s > 0.0) & (fleet.h_s > 0.0)
    t_w = fleet.t_water_s
    droop_transient = (2.3 - 0.15 * (t_w - 1.0)) * t_w / (2.0 * np.where(hydro, fleet.h_s, 1.0))
    ratio = np.where(hydro, np.maximum(droop_transient / np.where(hydro, fleet.droop_pu, 1.0), 1.0), 1.0)
    t_reset_s = np.where(hydro, (5.0 - 0.5 * (t_w - 1.0)) * t_w, 0.0)
    return 1.0 / ratio, ratio * t_reset_s


def turbine(fleet: Fleet) -> tuple[Floats, Floats]:
    """Return gains (3, machines) of valve, first and second lag, and the lags' times (2, machines) [s]."""
    code = fleet.governor_code
    reheat, hydro = code == GOVERNORS.index("reheat_steam"), code == GOVERNORS.index("hydro")
    one, none = np.ones(fleet.size), np.zeros(fleet.size)
    gain = np.array(
        [
            np.where(hydro, -2.0, none),
            np.where(hydro, 3.0, np.where(reheat, fleet.f_hp_pu, one)),
            np.where(reheat, 1.0 - fleet.f_hp_pu, none),
        ]
    )
    lag_s = np.array(
        [np.where(hydro, 0.5 * fleet.t_water_s, fleet.t_chest_s), np.where(reheat, fleet.t_reheat_s, none)]
    )
    return gain, lag_s


def machine_arrays(fleet: Fleet, chosen: Ints) -> Machines:
    """Return fresh arrays of the `chosen` machines, at rest; `connect` adds what depends on who is online."""
    base = fleet.responding_pu * fleet.p_rated_mw
    fast_pu, t_transient_s = transient_droop(fleet)
    gain, lag_s = turbine(fleet)
    fixed = np.zeros((state.FIXED_ROWS, chosen.size))
    fixed[state.DEADBAND_HZ] = fleet.deadband_hz[chosen]
    fixed[state.LIMIT_UP_MW] = (fleet.limit_up_pu * base)[chosen]
    fixed[state.LIMIT_DOWN_MW] = (fleet.limit_down_pu * base)[chosen]
    fixed[state.RATE_MW_PER_S] = (fleet.rate_pu_per_s * base)[chosen]
    fixed[state.FAST_PU] = fast_pu[chosen]
    fixed[state.T_TRANSIENT_S] = t_transient_s[chosen]
    fixed[state.T_VALVE_S] = fleet.t_governor_s[chosen]
    fixed[state.T_DELAY_S] = np.maximum(fleet.t_delay_s[chosen], SHORTEST_DELAY_S)
    fixed[[state.T_LAG_1_S, state.T_LAG_2_S]] = lag_s[:, chosen]
    fixed[[state.GAIN_VALVE_PU, state.GAIN_LAG_1_PU, state.GAIN_LAG_2_PU]] = gain[:, chosen]
    relays = np.flatnonzero(fleet.governor_code[chosen] == GOVERNORS.index("relay"))
    return Machines(fixed, np.zeros((state.STATE_ROWS, chosen.size)), relays)


def connect(m: Machines, fleet: Fleet, areas: AreaTable, chosen: Ints, online: Bools) -> None:
    """Let exactly the machines that are `online` (machines of the fleet,) answer; the others fall to zero."""
    here = online[chosen]
    rate_mw_per_s = (fleet.agc_rate_pu_per_s * fleet.p_rated_mw)[chosen]
    m.fixed[state.K_MW_PER_HZ] = np.where(here, droop_gain_mw_per_hz(fleet, areas)[chosen], 0.0)
    m.fixed[state.AGC_SHARE_PU] = np.where(here, fleet.agc_share_pu[chosen], 0.0)
    m.fixed[state.AGC_RATE_MW_PER_S] = np.where(here, rate_mw_per_s, 0.0)
    m.state[:, ~here] = 0.0


def area_arrays(areas: AreaTable, area: int, longest: int) -> Area:
    """Return one area at nominal frequency, inertia still to come; `longest` is its machines or offers."""
    return Area(
        inertia_mws_per_hz=0.0,
        damping_mw_per_hz=float(areas.damping_mw_per_hz[area]),
        bias_mw_per_hz=float(areas.agc_bias_mw_per_hz[area]),
        agc_next_s=np.zeros(1),
        agc_integral_mw=np.zeros(1),
        df_hz=np.zeros(1),
        sample_s=np.full(SAMPLES, -np.inf),
        sample_hz=np.zeros(SAMPLES),
        newest=np.zeros(1, dtype=np.int64),
        behind=np.zeros(1, dtype=np.int64),
        found=np.zeros(4),
        calm=np.zeros(1, dtype=np.int64),
        before=np.zeros((state.STATE_ROWS + 1, longest + 1)),
    )


def droop_arrays(offers: Offers, chosen: Ints) -> Droops:
    """Return fresh arrays of the `chosen` droop offers, at rest."""
    fixed = np.zeros((state.D_FIXED_ROWS, chosen.size))
    fixed[state.D_DEADBAND_HZ] = offers.deadband_hz[chosen]
    fixed[state.D_TIME_S] = offers.time_constant_s[chosen]
    return Droops(fixed, np.zeros((state.D_STATE_ROWS, chosen.size)))
