"""Redispatch: scheduled changes of load and renewables are shared out to the plants."""

import numpy as np

from cosim.core.errors import ScenarioError
from cosim.core.types import Floats

CLOSE_MW = 1e-9


def headroom(
    change_mw: float, p_mw: Floats, min_mw: Floats, max_mw: Floats, participation_pu: Floats
) -> Floats:
    """Return how far each plant can go in the direction of `change_mw` [MW], >= 0."""
    room = max_mw - p_mw if change_mw > 0.0 else p_mw - min_mw
    free: Floats = np.where(participation_pu > 0.0, np.maximum(room, 0.0), 0.0)
    return free


def share_out(
    change_mw: float, p_mw: Floats, min_mw: Floats, max_mw: Floats, participation_pu: Floats
) -> tuple[Floats, float]:
    """Return new outputs (plants,) [MW] and the part of `change_mw` that found no plant.

    Pro rata to participation times headroom where nobody reaches a limit; a plant that would exceed
    its headroom is filled and the rest is shared out again (water filling). A plant outside its limits is
    left where it is, and moves inwards only.
    """
    room = headroom(change_mw, p_mw, min_mw, max_mw, participation_pu)
    wanted = abs(change_mw)
    given = np.zeros_like(room)
    if wanted >= room.sum():
        given = room
    else:
        weight = participation_pu * room
        while wanted - given.sum() > CLOSE_MW * 1e-3:  # each round fills a plant or is the last
            open_ = np.where(given < room, weight, 0.0)
            share = (wanted - given.sum()) * open_ / open_.sum()
            if np.all(given + share <= room):
                given = given + share
                break
            given = np.minimum(given + share, room)
    sign = 1.0 if change_mw > 0.0 else -1.0
    new: Floats = p_mw + sign * given
    return new, sign * max(wanted - float(room.sum()), 0.0)


def redispatch(
    change_mw: float, p_mw: Floats, min_mw: Floats, max_mw: Floats, participation_pu: Floats
) -> Floats:
    """Return the outputs (plants,) [MW] whose sum is `change_mw` above that of `p_mw`.

    Raises
    ------
    ScenarioError
        When the plants that take part have not enough headroom; `share_out` returns the shortfall
        instead.
    """
    new, shortfall_mw = share_out(change_mw, p_mw, min_mw, max_mw, participation_pu)
    if abs(shortfall_mw) > CLOSE_MW:
        direction = "up" if change_mw > 0.0 else "down"
        msg = (
            f"redispatch of {change_mw:+.6g} MW: the plants have {abs(change_mw - shortfall_mw):.6g} MW "
            f"{direction}, {abs(shortfall_mw):.6g} MW are missing"
        )
        raise ScenarioError(msg)
    return new
