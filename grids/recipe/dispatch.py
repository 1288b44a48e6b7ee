"""Unit commitment and dispatch by merit order, plant by plant."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Plant:
    """One thermal or hydro plant of a case."""

    name: str
    plant_type: str
    min_p_mw: float
    max_p_mw: float


def commit(
    plants: Sequence[Plant],
    order: Sequence[str],
    must_run: Sequence[str],
    demand_mw: float,
    reserve_mw: float,
) -> list[Plant]:
    """Return the plants that run: those that must, then by merit until demand and reserve are covered.

    Parameters
    ----------
    plants
        All plants; types that are not in `order` run only if they must.
    order
        Plant types, the cheapest first; within a type the larger plant comes first.
    must_run
        Names of plants that run in any case (heat, voltage).
    demand_mw
        What they deliver together.
    reserve_mw
        Upward room they keep.

    Raises
    ------
    ValueError
        When all together cannot cover it, or those that run cannot go down to the demand.
    """
    ranked = sorted(
        (plant for plant in plants if plant.plant_type in order and plant.name not in must_run),
        key=lambda plant: (order.index(plant.plant_type), -plant.max_p_mw, plant.name),
    )
    running = [plant for plant in plants if plant.name in must_run]
    for plant in ranked:
        if sum(one.max_p_mw for one in running) >= demand_mw + reserve_mw:
            break
        running.append(plant)
    most, least = sum(one.max_p_mw for one in running), sum(one.min_p_mw for one in running)
    if most < demand_mw + reserve_mw or least > demand_mw:
        msg = f"{demand_mw:.0f} MW and {reserve_mw:.0f} MW of reserve do not fit {least:.0f} to {most:.0f} MW"
        raise ValueError(msg)
    return running


def dispatch(
    running: Sequence[Plant], order: Sequence[str], demand_mw: float, top_pu: float = 1.0
) -> dict[str, float]:
    """Return the output of each running plant [MW]: least outputs first, then by merit.

    Plants of one type share what falls to their type in proportion to their room, up to `top_pu` of their
    rating; what is still open after the last type takes all of them beyond that.
    """
    p_mw = {plant.name: plant.min_p_mw for plant in running}
    left_mw = demand_mw - sum(p_mw.values())
    for top in (top_pu, 1.0):
        for kind in [*order, *sorted({plant.plant_type for plant in running} - {*order})]:
            mine = [plant for plant in running if plant.plant_type == kind]
            room = {plant.name: max(top * plant.max_p_mw - p_mw[plant.name], 0.0) for plant in mine}
            taken_mw = min(left_mw, sum(room.values()))
            for name, mw in room.items():
                p_mw[name] += taken_mw * mw / sum(room.values()) if mw > 0.0 else 0.0
            left_mw -= taken_mw
    return p_mw
