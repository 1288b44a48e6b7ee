"""What was planned: drivers scale elements, and dispatchable plants follow the planned change."""

from typing import Any

import numpy as np

from cosim.core.errors import ScenarioError
from cosim.core.grid import Connections
from cosim.core.types import Bools, Floats, Ints
from grids.elements import Elements
from grids.kernels import schedule as kernels
from grids.links.links import Links
from grids.returning import Returning


def _column(frame: Any, name: str, default: float) -> Floats:
    values = frame[name].to_numpy(dtype=float) if name in frame else np.full(len(frame), default)
    return np.where(np.isfinite(values), values, default)


def zones_of(net: Any, row: Ints, area: Ints, areas: int) -> tuple[Ints, Ints]:
    """Return the zone (elements,) that dispatches for each element, and the area of each zone (zones,).

    A zone is an area; in joined cases, what each of them has in it, for provinces dispatch themselves.

    Parameters
    ----------
    net
        The net; joined cases have a column `case` in its buses.
    row, area
        Row of `net.bus` and area of each element, shape (elements,).
    areas
        Number of areas.
    """
    if "case" not in net.bus:
        return area, np.arange(areas)
    cases = net.bus["case"].to_numpy()[row]
    pairs = [*zip(area.tolist(), cases, strict=True)]
    number = {pair: k for k, pair in enumerate(dict.fromkeys(pairs))}
    return np.array([number[pair] for pair in pairs]), np.array([area for area, _ in number])


class Schedule:
    """Planned powers of loads, sgens and gens, and who connected units were planned for.

    The plan covers what was in service at the operating point. Its changes are shared among the
    dispatchable gens of the same zone that were, within what governor and AGC leave of their range: of the
    same area, in joined cases of the same case in it.
    What no gen can take is imported from the rest of the area, or missing where the area has none.
    What has tripped keeps its last plan, so the plan does not cover for it: frequency does.

    Parameters
    ----------
    net
        The case's net.
    elements
        Its given powers.
    connections
        Names of the drivers and what each scales.
    area
        Area of each element, shape (elements,).
    has_rest
        Whether each area (areas,) has a rest that could deliver.
    return_rate_mw_per_s
        Ramp of each gen (gens,) after it was closed.
    links
        Direct-current links, where the case has any: their schedules are part of the plan.
    """

    def __init__(
        self,
        net: Any,
        elements: Elements,
        connections: Connections,
        area: Ints,
        *,
        has_rest: Bools,
        return_rate_mw_per_s: Floats,
        links: Links | None = None,
    ) -> None:
        drivers = connections.drivers
        self._links = links
        self._elements = elements
        self._area = area
        self._areas = has_rest.size
        self._has_rest = has_rest
        self._gen, self._load = elements.section["gen"], elements.section["load"]
        self._unit = elements.section["unit"]
        planned = slice(0, self._gen.stop)
        self._planned_area = area[planned]
        self._zone, self._zone_area = zones_of(net, elements.row, area, has_rest.size)
        self._planned_zone = self._zone[planned]
        self.driver: Ints = np.full(planned.stop, len(drivers), dtype=np.int64)
        rated_mw = np.full(elements.row.size, np.nan)
        for k, (name, what) in enumerate(zip(drivers, connections.driven, strict=True)):
            chosen, of_mw = elements.driven(net, what)
            twice = chosen[self.driver[chosen] < len(drivers)]
            if twice.size:
                other = drivers[int(self.driver[twice[0]])]
                msg = f"drivers {other!r} and {name!r} both scale the same element ({what!r})"
                raise ScenarioError(msg)
            self.driver[chosen] = k
            if (of_mw != elements.p0_mw[chosen]).any():
                rated_mw[chosen] = of_mw
        self._rated_mw = rated_mw if np.isfinite(rated_mw).any() else None
        if links is not None:
            links.follow(
                np.append(self.driver < len(drivers), np.zeros(area.size - planned.stop, dtype=bool))
            )
        gen = net.gen
        dispatchable = gen["dispatchable"].to_numpy(dtype=bool) if "dispatchable" in gen else True
        free = (self.driver[self._gen] == len(drivers)) & ~elements.reference[self._gen]
        self._dispatchable: Bools = np.broadcast_to(dispatchable, len(gen)) & free
        p0 = -elements.p0_mw[self._gen]
        least = _column(gen, "min_p_mw", 0.0)
        self._range: Floats = np.empty((kernels.RANGE_ROWS, len(gen)))
        self._range[kernels.MIN_MW] = np.minimum(least, p0)
        self._range[kernels.MAX_MW] = np.maximum(_column(gen, "max_p_mw", np.inf), p0)
        self._participation = self._range[kernels.PARTICIPATION_PU]
        self._participation[:] = np.where(self._dispatchable, _column(gen, "participation_pu", 1.0), 0.0)
        self._work: Floats = np.empty((2, len(gen)))
        self._returning = Returning(return_rate_mw_per_s, least)
        self.reset(np.zeros(elements.row.size, dtype=np.bool_))

    def reset(self, alive: Bools) -> None:
        """Return to the operating point; `alive` is what is in service and energised there."""
        e = self._elements
        self.start_alive = alive.copy()
        self._counted: Bools = alive[: self._gen.stop].copy()
        """What the plants follow: all that is planned and alive here but themselves."""
        self._counted[self._gen] &= ~self._dispatchable
        self._free = alive[self._gen] & self._dispatchable
        self.p_mw: Floats = e.p0_mw.copy()
        self.q_mvar: Floats = e.q0_mvar.copy()
        self._units_mw: Floats | None = None
        """Power of each unit at the first exchange: what the plan covers."""
        self._covered_mw: Floats = np.zeros(self._zone_area.size)
        """The same per zone."""
        self._left_mw: Floats = np.zeros(self._zone_area.size)
        self._returning.reset()
        self._asked = self._sum_asked()
        self._last_s = 0.0
        self._scale: list[float] = []
        self._take(alive)

    def _sum_asked(self) -> Floats:
        """Return planned consumption less undispatched generation, per zone [MW]."""
        asked: Floats = np.empty(self._zone_area.size)
        kernels.sum_asked(self._planned_zone, self._counted, self.p_mw, self._covered_mw, asked)
        return asked

    def close(self, gen: int) -> float:
        """Synchronise a gen, which then ramps to its plan; returns what it comes in with [MW]."""
        return self._returning.close(gen, -float(self.p_mw[self._gen.start + gen]))

    def trip(self, gen: int) -> None:
        """Let a gen go; its plan stays."""
        self._returning.trip(gen)

    def advance(
        self, scale_pu: Floats, units_mw: Floats, alive: Bools, *, dt_s: float, delivered_mw: Floats
    ) -> bool:
        """Take the drivers' factors of this exchange; returns whether any gen's plan or output changed.

        Parameters
        ----------
        delivered_mw
            What governor and AGC of each gen (gens,) delivered last: that range is taken.
        """
        first = self._units_mw is None
        scale = scale_pu.tolist()
        links = self._links
        busy = self._returning.busy or (links is not None and links.moving)
        if alive is self._alive and scale == self._scale and not first and not busy:
            self._last_s = dt_s
            return False
        if first:
            self._cover(units_mw)
        self._scale = scale
        e = self._elements
        p0_mw = e.p0_mw
        if self._rated_mw is not None:
            p0_mw = np.where(np.isnan(self._rated_mw), p0_mw, self._rated_mw)
        kernels.follow(
            np.array(scale), self.driver, alive, p0_mw, e.q0_mvar, self.p_mw, self.q_mvar
        )  # fmt: skip
        if links is not None:
            links.plan(self.p_mw, self.q_mvar, alive, dt_s)
        asked = self._sum_asked()
        changed = kernels.dispatch(
            asked - self._asked, self._planned_zone[self._gen], self._free, alive[self._gen],
            self._returning.missing_mw, delivered_mw, self._range, self.p_mw[self._gen], self._left_mw,
            self._work,
        )  # fmt: skip
        self._asked = asked
        ramping = self._returning.busy
        if ramping:
            self._returning.ramp(self._last_s, -self.p_mw[self._gen])
        self._last_s = dt_s
        self._take(alive)
        return changed or ramping

    def _cover(self, units_mw: Floats) -> None:
        """Plan for what connected units draw at the first exchange."""
        self._units_mw = units_mw.copy()
        covered = np.bincount(self._zone[self._unit], units_mw, minlength=self._zone_area.size)
        self._covered_mw = np.asarray(covered, dtype=np.float64)

    def gens_mw(self) -> Floats:
        """Return the scheduled generation of each gen [MW]: its plan, less while it is on its way back."""
        return self._gens_mw

    def _take(self, alive: Bools) -> None:
        """Sum up what holds until plan or topology changes next."""
        self._alive = alive
        self._gens_mw: Floats = np.empty(self._free.size)
        sums: Floats = np.empty((kernels.SUM_ROWS, self._areas))
        left_mw = self._left_mw
        if left_mw.size != self._areas:
            sums_mw = np.bincount(self._zone_area, left_mw, minlength=self._areas)
            left_mw = np.asarray(sums_mw, dtype=np.float64)
        kernels.sum_up(
            self._planned_area, alive, self.start_alive, self._load.stop, self.p_mw,
            self._returning.missing_mw, self._has_rest, left_mw, self._gens_mw, sums,
        )  # fmt: skip
        self._beyond_mw = sums[kernels.BEYOND_MW]
        self.loads_mw: Floats = sums[kernels.LOADS_MW]
        """Planned power of the case's loads that are alive, per area."""
        self.import_mw: Floats = sums[kernels.IMPORT_MW]
        """Planned change (areas,) no gen could take that the rest of the area delivers."""
        self.missing_mw: Floats = sums[kernels.MISSING_MW]
        """Planned change (areas,) nobody delivers: the area has no rest."""

    def shed(self, load: int, left_pu: float) -> None:
        """Plan with what is left of a load another engine has shed; plants follow at the next exchange."""
        at = self._load.start + load
        self._elements.p0_mw[at] *= left_pu
        self._elements.q0_mvar[at] *= left_pu
        self.p_mw[at] *= left_pu
        self.q_mvar[at] *= left_pu
        self._alive = self._alive.copy()  # plans are looked at again when the topology is another array

    def imbalance_mw(self, units_mw: Floats, alive: Bools, more_mw: Floats) -> Floats:
        """Return consumption beyond the plan, per area [MW]: units' changes, trips, returns, shortage.

        `more_mw` (areas,) is what the plan knows nothing of.
        """
        total: Floats = np.empty(self._areas)
        covered = units_mw if self._units_mw is None else self._units_mw
        kernels.sum_imbalance(
            self._beyond_mw, more_mw, self._area[self._unit], alive[self._unit], units_mw, covered, total
        )
        return total
