r"""The linear network of a hall's loops and room, and its exact propagators.

Eight nodes: coolant to the racks, facility water behind its exchanger and behind its plant, air behind and in
front of the racks, structure, chilled water behind the coil and behind its plant. Streams are constant, so
:math:`x' = A x + B u` with held :math:`u` (what racks give, what plants take, and 1) has an exact step. The
racks themselves are in `kernels.racks`.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import expm

from cosim.core.types import Floats
from datacenters.kernels import hall_rows as rows


@dataclass(frozen=True)
class Network:
    """One hall's loops and room [MW, MJ/K, MW/K].

    `capacity` has one entry a node, zero for a circuit that is not there.
    """

    capacity: Floats
    cdu_mw_per_k: float
    """Heat over (returning coolant - facility water): effectiveness times the smaller heat capacity flow."""
    facility_mw_per_k: float
    coil_mw_per_k: float
    """Heat over (air behind the racks - chilled water)."""
    chilled_mw_per_k: float
    air_mw_per_k: float
    structure_mw_per_k: float
    pump_mw: float
    room_fan_mw: float

    def at_rest(self) -> "Network":
        """Return the network with pumps and room fans at rest: the racks' own fans still mix the air."""
        return replace(
            self, cdu_mw_per_k=0.0, facility_mw_per_k=0.0, coil_mw_per_k=0.0, chilled_mw_per_k=0.0,
            pump_mw=0.0, room_fan_mw=0.0,
        )  # fmt: skip


def heat_flows(net: Network) -> tuple[Floats, Floats]:
    """Return the heat into each node as matrices over nodes and drives [MW].

    Coolant gets the racks' heat and the pumps', and gives the CDU's to facility water, which goes with the
    temperature the racks return it at. Air behind the racks gets their heat and the room fans', meets the
    structure, and loses to chilled water what goes with its own temperature. Plants take from the supplies.
    """
    a, b = np.zeros((rows.N_NODES, rows.N_NODES)), np.zeros((rows.N_NODES, rows.N_DRIVES))
    b[rows.T_SUPPLY, rows.RACKS_TO_COOLANT] = 1.0
    b[rows.T_SUPPLY, rows.ONE] = net.pump_mw
    for node, sign in ((rows.T_SUPPLY, -1.0), (rows.T_BACK, 1.0)):
        b[node, rows.RETURN_DEGC] += sign * net.cdu_mw_per_k
        a[node, rows.T_FACILITY] -= sign * net.cdu_mw_per_k
    _carries(a, (rows.T_BACK, rows.T_FACILITY), rows.T_BACK, rows.T_FACILITY, net.facility_mw_per_k)
    b[rows.T_FACILITY, rows.TAKEN_LIQUID] = -1.0
    b[rows.T_AIR, rows.RACKS_TO_AIR] = 1.0
    b[rows.T_AIR, rows.ONE] = net.room_fan_mw
    _carries(a, (rows.T_AIR, rows.T_INLET), rows.T_AIR, rows.T_INLET, net.air_mw_per_k)
    _carries(a, (rows.T_AIR, rows.T_STRUCTURE), rows.T_AIR, rows.T_STRUCTURE, net.structure_mw_per_k)
    _carries(a, (rows.T_INLET, rows.T_CHILLED_BACK), rows.T_AIR, rows.T_CHILLED, net.coil_mw_per_k)
    _carries(
        a, (rows.T_CHILLED_BACK, rows.T_CHILLED), rows.T_CHILLED_BACK, rows.T_CHILLED, net.chilled_mw_per_k
    )
    b[rows.T_CHILLED, rows.TAKEN_AIR] = -1.0
    return a, b


def _carries(a: Floats, path: tuple[int, int], warm: int, cold: int, mw_per_k: float) -> None:
    """Move mw_per_k·(T_warm - T_cold) from one node of `path` to the other: nothing is made or lost."""
    for node, sign in zip(path, (-1.0, 1.0), strict=True):
        a[node, warm] += sign * mw_per_k
        a[node, cold] -= sign * mw_per_k


def rates(net: Network) -> tuple[Floats, Floats]:
    """Return A and B of x' = A x + B u [1/s]; nodes without capacity rest."""
    a, b = heat_flows(net)
    holds = net.capacity > 0.0
    a[holds] /= net.capacity[holds, None]
    b[holds] /= net.capacity[holds, None]
    a[~holds], b[~holds] = 0.0, 0.0
    return a, b


def propagators(net: Network, dt_s: float) -> Floats:
    """Return the exact propagators over `dt_s` and over half of it, for held drives.

    Returns
    -------
    (N_PROPAGATORS, N_COLUMNS, N_NODES), from nodes and drives to nodes, as `kernels.hall_rows` orders them:
    with streams running, and at rest.
    """
    found = np.empty((rows.N_PROPAGATORS, rows.N_COLUMNS, rows.N_NODES))
    for network, whole, half in (
        (net, rows.WHOLE, rows.HALF),
        (net.at_rest(), rows.WHOLE_STILL, rows.HALF_STILL),
    ):
        big = np.zeros((rows.N_COLUMNS, rows.N_COLUMNS))
        big[: rows.N_NODES, : rows.N_NODES], big[: rows.N_NODES, rows.N_NODES :] = rates(network)
        found[whole] = expm(big * dt_s)[: rows.N_NODES].T
        found[half] = expm(big * (0.5 * dt_s))[: rows.N_NODES].T
    return found
