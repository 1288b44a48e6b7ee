"""Who is answered where: the order of sites a service prefers, their room, and shares by weight."""

from collections.abc import Mapping, Sequence

import numpy as np

from cosim.core.types import Bools, Floats


def preferred(order: Sequence[int], rank: Floats, margin: float) -> list[int]:
    """Return sites from the lowest rank up; one passes another only if lower by more than `margin`.

    Without that the order would follow the noise of two scores that are near each other.
    """
    found = list(order)
    for last in range(1, len(found)):
        place = last
        while place and rank[found[place]] < rank[found[place - 1]] - margin:
            found[place - 1], found[place] = found[place], found[place - 1]
            place -= 1
    return found


def goals(
    wanted_gpu: Sequence[float],
    orders: Sequence[Sequence[int]],
    kept: Sequence[Mapping[int, float]],
    capacity_gpu: Floats,
) -> list[Floats]:
    """Return where each service should be answered: at its best site with room, then at the next.

    Those with fewer sites choose first: what can go elsewhere does not take their only place. `kept` is the
    share of a service that an order sends to a site before. What finds no room waits at the best site.
    """
    left = capacity_gpu.copy()
    found = [np.zeros(left.size) for _ in wanted_gpu]
    for k in sorted(range(len(orders)), key=lambda k: len(orders[k])):
        goal, rest = found[k], float(wanted_gpu[k])
        wishes = [(s, share * rest) for s, share in kept[k].items()] + [(s, np.inf) for s in orders[k]]
        for s, most in wishes:
            part = min(rest, most, max(float(left[s]), 0.0))
            goal[s] += part
            left[s] -= part
            rest -= part
        if rest > 0.0:
            has_room = [s for s, _ in wishes if capacity_gpu[s] > 0.0]
            goal[has_room[0] if has_room else wishes[0][0]] += rest
    return found


def shares(asked_gpu: Floats, weights: Floats, capacity_gpu: Floats) -> Floats:
    """Return what each service gets of each site, (services, sites): by weight where not all can have all.

    What one does not need goes to the others (weighted max-min shares).
    """
    given = np.minimum(asked_gpu, np.inf)
    for s in np.flatnonzero(asked_gpu.sum(axis=0) > capacity_gpu).tolist():
        given[:, s] = _share(asked_gpu[:, s], weights, float(capacity_gpu[s]))
    return given


def _share(asked_gpu: Floats, weights: Floats, room_gpu: float) -> Floats:
    given = np.zeros_like(asked_gpu)
    open_: Bools = asked_gpu > 0.0
    while open_.any() and room_gpu > 1e-12:
        part = room_gpu * weights / weights[open_].sum()
        full = open_ & (asked_gpu - given <= part)
        take = np.where(full if full.any() else open_, np.minimum(asked_gpu - given, part), 0.0)
        given += take
        room_gpu -= float(take.sum())
        if not full.any():
            break
        open_ &= ~full
    return given
