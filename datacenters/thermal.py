r"""The linear thermal network of a hall, and its exact propagators.

Seven states: filtered IT power, and the temperatures of dies (with their plates or sinks), coolant
leaving the racks, coolant supplied, hall air, air supplied to the racks, and metal in the air stream.
Everything in it is linear: the power filter, leakage that rises with die temperature, conductances and
streams of constant flow. So :math:`x' = A x + B u` with held :math:`u` (wanted power, heat the plant
takes from coolant and air, and 1) has an exact step, and an exact mean over it.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm

from cosim.core.types import Floats
from datacenters.kernels.hall import (
    MEAN_DIE,
    MEAN_POWER,
    N_COLUMNS,
    N_DRIVES,
    N_ROWS,
    N_STATES,
    P_FILTERED,
    T_AIR,
    T_COOLANT,
    T_DIE,
    T_INLET,
    T_MASS,
    T_SUPPLY,
)


@dataclass(frozen=True)
class Network:
    """One hall's heat paths, lumped over its racks [MW, MJ/K, MW/K].

    `capacity` has one entry a state, zero for the power and for a circuit that is not there.
    Exactly one of `ua_die_coolant` (die to mean coolant) and `ua_die_air` (die to inlet air) is not 0.
    """

    capacity: Floats
    tau_power_s: float
    die_pu: float
    coolant_pu: float
    air_pu: float
    leak_mw_per_k: float
    temp_reference_degc: float
    ua_die_coolant_mw_per_k: float
    ua_die_air_mw_per_k: float
    ua_mass_mw_per_k: float
    liquid_mw_per_k: float
    air_mw_per_k: float
    pump_mw: float
    room_fan_mw: float


def heat_flows(net: Network) -> tuple[Floats, Floats]:
    """Return the heat into each node as matrices over states and drives [MW]; row 0 stays empty.

    Node by node: dies take their share of the power and all leakage; the coolant takes the dies'
    heat, the share of other plates and the pumps'; the rest of the power warms the air, as do the
    room fans; supply and inlet lose what the plant takes. Metal is washed by air on its way through the
    racks: their mean counts, and what it gives or takes shows in the air that leaves. Where a stream
    stands still, what lies in it meets only the fluid it gives its heat to.
    """
    wet = {T_SUPPLY: 0.5, T_COOLANT: 0.5} if net.liquid_mw_per_k > 0.0 else {T_COOLANT: 1.0}
    inlet, between = ({T_INLET: 1.0}, {T_INLET: 0.5, T_AIR: 0.5})
    if net.air_mw_per_k == 0.0:
        inlet = between = {T_AIR: 1.0}
    a, b = np.zeros((N_STATES, N_STATES)), np.zeros((N_STATES, N_DRIVES))
    a[T_DIE, P_FILTERED] = net.die_pu
    a[T_DIE, T_DIE] = net.leak_mw_per_k
    b[T_DIE, 3] = -net.leak_mw_per_k * net.temp_reference_degc
    _exchange(a, T_DIE, T_COOLANT, net.ua_die_coolant_mw_per_k, wet)
    _exchange(a, T_DIE, T_AIR, net.ua_die_air_mw_per_k, inlet)
    a[T_COOLANT, P_FILTERED] = net.coolant_pu
    b[T_COOLANT, 3] = net.pump_mw
    _exchange(a, T_COOLANT, T_SUPPLY, net.liquid_mw_per_k, {T_SUPPLY: 1.0})
    b[T_SUPPLY, 1] = -1.0
    a[T_AIR, P_FILTERED] = net.air_pu
    b[T_AIR, 3] = net.room_fan_mw
    _exchange(a, T_AIR, T_INLET, net.air_mw_per_k, {T_INLET: 1.0})
    _exchange(a, T_MASS, T_AIR, net.ua_mass_mw_per_k, between)
    b[T_INLET, 2] = -1.0
    return a, b


def _exchange(a: Floats, source: int, sink: int, ua_mw_per_k: float, against: dict[int, float]) -> None:
    """Move ua·(T_source - weighted T_against) from `source` to `sink`: nothing is made or lost."""
    for row, sign in ((source, -1.0), (sink, 1.0)):
        a[row, source] += sign * ua_mw_per_k
        for state, weight in against.items():
            a[row, state] -= sign * ua_mw_per_k * weight


def rates(net: Network) -> tuple[Floats, Floats]:
    """Return A and B of x' = A x + B u [1/s]; states without capacity rest."""
    a, b = heat_flows(net)
    holds = net.capacity > 0.0
    a[holds] /= net.capacity[holds, None]
    b[holds] /= net.capacity[holds, None]
    a[~holds], b[~holds] = 0.0, 0.0
    a[P_FILTERED, P_FILTERED] = -1.0 / net.tau_power_s
    b[P_FILTERED, 0] = 1.0 / net.tau_power_s
    return a, b


def propagators(net: Network, dt_s: float) -> tuple[Floats, Floats]:
    """Return the exact propagators over `dt_s` and over half of it, for held drives.

    Returns
    -------
    whole : (N_COLUMNS, N_ROWS), to the end of all states, then the means of power and die temperature
    half : (N_COLUMNS, 3), to die, coolant and air temperature after dt_s / 2

    Notes
    -----
    The exponential of [[A, B, 0], [0, 0, 0], [I, 0, 0]] holds both the end value and the integral
    (C. F. Van Loan, IEEE Trans. Automatic Control 23 (1978) 395).
    """
    a, b = rates(net)
    big = np.zeros((2 * N_STATES + N_DRIVES, 2 * N_STATES + N_DRIVES))
    big[:N_STATES, :N_STATES], big[:N_STATES, N_STATES:N_COLUMNS] = a, b
    big[N_COLUMNS:, :N_STATES] = np.eye(N_STATES)
    end = expm(big * dt_s)
    whole = np.empty((N_ROWS, N_COLUMNS))
    whole[:N_STATES] = end[:N_STATES, :N_COLUMNS]
    whole[MEAN_POWER] = end[N_COLUMNS + P_FILTERED, :N_COLUMNS] / dt_s
    whole[MEAN_DIE] = end[N_COLUMNS + T_DIE, :N_COLUMNS] / dt_s
    middle = expm(big * (0.5 * dt_s))
    half = middle[[T_DIE, T_COOLANT, T_AIR], :N_COLUMNS]
    return np.ascontiguousarray(whole.T), np.ascontiguousarray(half.T)
