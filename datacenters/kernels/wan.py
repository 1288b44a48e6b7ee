"""Transfers over a network of sites: fair shares of what every line and access can carry."""

import numpy as np

from cosim.core.jit import jit
from cosim.core.types import Floats, Ints


@jit
def fair_shares(
    source: Ints, target: Ints, wanted_gbit_per_s: Floats, access_gbit_per_s: Floats, route_gbit_per_s: Floats
) -> Floats:
    """Return the max-min fair rate of each transfer [Gbit/s] by progressive filling.

    All rates rise together; a transfer stops rising when it has what it wants or when a resource it uses is
    full: the access of its source (out), that of its target (in), or its route. That is the allocation
    in which no transfer can gain but at the cost of one that has less (Bertsekas and Gallager, Data
    Networks, 1992, section 6.5.2).

    Parameters
    ----------
    source, target
        Sites of each transfer, shape (transfers,).
    wanted_gbit_per_s
        Most each can use, shape (transfers,).
    access_gbit_per_s
        What a site can send, and receive at the same time, shape (sites,).
    route_gbit_per_s
        What each route carries one way, shape (sites, sites); 0 where it is cut.
    """
    n, sites = source.size, access_gbit_per_s.size
    rate = np.zeros(n)
    rises = np.ones(n, dtype=np.bool_)
    left_out, left_in = access_gbit_per_s.copy(), access_gbit_per_s.copy()
    left_route = route_gbit_per_s.copy()
    for _ in range(n + 2 * sites + sites * sites):
        on_out, on_in = np.zeros(sites), np.zeros(sites)
        on_route = np.zeros((sites, sites))
        rising = 0
        for k in range(n):
            if rises[k]:
                rising += 1
                on_out[source[k]] += 1.0
                on_in[target[k]] += 1.0
                on_route[source[k], target[k]] += 1.0
        if rising == 0:
            break
        gain = np.inf
        for k in range(n):
            if rises[k]:
                a, b = source[k], target[k]
                gain = min(
                    gain,
                    wanted_gbit_per_s[k] - rate[k],
                    left_out[a] / on_out[a],
                    left_in[b] / on_in[b],
                    left_route[a, b] / on_route[a, b],
                )
        gain = max(gain, 0.0)
        for k in range(n):
            if rises[k]:
                a, b = source[k], target[k]
                rate[k] += gain
                left_out[a] -= gain
                left_in[b] -= gain
                left_route[a, b] -= gain
        for k in range(n):
            if rises[k]:
                a, b = source[k], target[k]
                tight = min(
                    wanted_gbit_per_s[k] - rate[k],
                    left_out[a],
                    left_in[b],
                    left_route[a, b],
                )
                if tight <= 1e-9:
                    rises[k] = False
    return rate
