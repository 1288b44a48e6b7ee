"""What does not change about the links of a case: their ends, ratings and controllers as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cosim.core.types import Bools, Floats, Ints
from grids.elements import Elements
from grids.links.check import ENDS, elements_at
from grids.links.kernels import carry
from grids.links.kernels.losses import line_loss_per_mw
from grids.links.kernels.support import DEADBAND_HZ, SUPPORT_FIXED_ROWS, TIME_S
from grids.links.support import Support

Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Ends:
    """The elements at the ends of all links; an end of two layers has two."""

    at: Ints
    """(ends,) place in `grids.elements.Elements`."""
    link: Ints
    """(ends,) row of links.csv."""
    near: Bools
    """(ends,) whether it is the end a link leads from."""
    area: Ints
    """(ends,) synchronous area."""
    weight: Floats
    """(ends,) share of its end: by power at the operating point, else by rating."""
    tan: Floats
    """(ends,) reactive over active power."""
    fixed_mvar: Floats
    """(ends,) reactive power of those without active power."""
    names: tuple[str, ...]

    def side(self, link: int, *, near: bool) -> Bools:
        """Return which elements (ends,) are one end of a link."""
        return np.asarray((self.link == link) & (self.near == near), dtype=np.bool_)

    def of(self, link: int) -> tuple[str, ...]:
        """Return the names of the elements at both ends of a link."""
        return tuple(self.names[j] for j in np.flatnonzero(self.link == link))


def ends_of(rows: Rows, sgen: Any, elements: Elements, area: Ints) -> Ends:
    """Return the ends of links, given the sgen table and the area of each element (elements,)."""
    first, names = elements.section["sgen"].start, elements.names["sgen"]
    found = [
        (name, k, column == ENDS[0])
        for k, row in enumerate(rows)
        for column in ENDS
        for name in elements_at(str(row[column]))
    ]
    at: Ints = np.array([first + names.index(name) for name, _, _ in found], dtype=np.int64)
    link: Ints = np.array([k for _, k, _ in found], dtype=np.int64)
    near: Bools = np.array([side for _, _, side in found], dtype=np.bool_)
    p_mw, q_mvar = elements.p0_mw[at], elements.q0_mvar[at]
    rated, weight = sgen["sn_mva"].to_numpy(dtype=float)[at - first], np.empty(at.size)
    for k in range(len(rows)):
        for side in (True, False):
            here = (link == k) & (near == side)
            size = np.abs(p_mw[here]) if p_mw[here].any() else rated[here]
            size = size if np.isfinite(size).all() and size.sum() > 0.0 else np.ones(here.sum())
            weight[here] = size / size.sum() if here.any() else 0.0
    return Ends(
        at=at,
        link=link,
        near=near,
        area=area[at],
        weight=weight,
        tan=np.divide(q_mvar, p_mw, out=np.zeros(at.size), where=p_mw != 0.0),
        fixed_mvar=np.where(p_mw == 0.0, q_mvar, 0.0),
        names=tuple(name for name, _, _ in found),
    )


def fixed_of(rows: Rows, ends: Ends, p0_mw: Floats) -> Floats:
    """Return what the kernels need of each link, shape (FIXED_ROWS, links), given the operating point."""
    fixed = np.empty((carry.FIXED_ROWS, len(rows)))
    for k, row in enumerate(rows):
        sn_mw, station_pu = float(row["sn_mw"]), float(row["station_loss_percent"]) / 100.0
        least = float(row["min_pu"]) * sn_mw
        powers = [abs(p0_mw[ends.at[ends.side(k, near=side)]].sum()) for side in (True, False)]
        planned = min((p for p in powers if p > 0.0), default=np.inf)
        fixed[carry.SN_MW, k] = sn_mw
        fixed[carry.STATION_PU, k] = station_pu
        fixed[carry.K_PER_MW, k] = line_loss_per_mw(sn_mw, float(row["loss_percent"]) / 100.0, station_pu)
        fixed[carry.RAMP_MW_PER_S, k] = float(row["ramp_mw_per_min"]) / 60.0
        fixed[carry.MIN_MW, k] = min(least, 0.9 * planned)  # the operating point itself can be carried
        fixed[carry.OVERLOAD_PU, k] = float(row["overload_pu"])
        fixed[carry.OVERLOAD_S, k] = float(row["overload_s"])
        fixed[carry.FILTER_TRIP_S, k] = float(row["filter_trip_s"])
    return fixed


def support_of(rows: Rows, ends: Ends) -> tuple[Support | None, Ints, Floats]:
    """Return the frequency support of the links that have any, which they are, and their limits [MW]."""
    gains = np.array([[float(row[f"support_{end}_mw_per_hz"]) for row in rows] for end in ("from", "to")])
    limit_mw = np.array([float(row["support_limit_mw"]) for row in rows])
    chosen: Ints = np.flatnonzero((limit_mw > 0.0) & (gains.sum(axis=0) > 0.0))
    if not chosen.size:
        return None, chosen, limit_mw[chosen]
    areas = []
    for side in (True, False):
        here = [ends.area[ends.side(k, near=side)] for k in chosen.tolist()]
        areas.append(np.array([found[0] if found.size else -1 for found in here], dtype=np.int64))
    fixed = np.zeros((SUPPORT_FIXED_ROWS, chosen.size))
    fixed[:2] = gains[:, chosen]
    fixed[DEADBAND_HZ] = [float(rows[k]["support_deadband_hz"]) for k in chosen]
    fixed[TIME_S] = [float(rows[k]["support_time_s"]) for k in chosen]
    return Support(fixed, areas[0], areas[1]), chosen, limit_mw[chosen]
