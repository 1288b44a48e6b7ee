"""What was planned: drivers scale elements, and dispatchable plants follow the planned change."""

from typing import Any

import numpy as np

from cosim.core.errors import ScenarioError
from cosim.core.grid import Connections
from cosim.core.types import Bools, Floats, Ints
from grids.dispatch import share_out
from grids.elements import Elements
from grids.returning import Returning


def _column(frame: Any, name: str, default: float) -> Floats:
    values = frame[name].to_numpy(dtype=float) if name in frame else np.full(len(frame), default)
    return np.where(np.isfinite(values), values, default)


class Schedule:
    """Planned powers of loads, sgens and gens, and who connected units were planned for.

    The plan covers what was in service at the operating point. Its changes are shared among the
    dispatchable gens of the same area that were, within what governor and AGC leave of their range.
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
    ) -> None:
        drivers = connections.drivers
        self._elements = elements
        self._area = area
        self._areas = has_rest.size
        self._has_rest = has_rest
        self._plan = slice(0, elements.section["gen"].stop)
        self._gen, self._load = elements.section["gen"], elements.section["load"]
        self.driver: Ints = np.full(elements.row.size, len(drivers), dtype=np.int64)
        for k, (name, what) in enumerate(zip(drivers, connections.driven, strict=True)):
            chosen = elements.driven(net, what)
            twice = chosen[self.driver[chosen] < len(drivers)]
            if twice.size:
                other = drivers[int(self.driver[twice[0]])]
                msg = f"drivers {other!r} and {name!r} both scale the same element ({what!r})"
                raise ScenarioError(msg)
            self.driver[chosen] = k
        gen = net.gen
        dispatchable = gen["dispatchable"].to_numpy(dtype=bool) if "dispatchable" in gen else True
        free = (self.driver[self._gen] == len(drivers)) & ~elements.reference[self._gen]
        self._dispatchable: Bools = np.broadcast_to(dispatchable, len(gen)) & free
        weight = _column(gen, "participation_pu", 1.0)
        self._participation = np.where(self._dispatchable, weight, 0.0)
        p0 = -elements.p0_mw[self._gen]
        least = _column(gen, "min_p_mw", 0.0)
        self._min_mw = np.minimum(least, p0)
        self._max_mw = np.maximum(_column(gen, "max_p_mw", np.inf), p0)
        self._returning = Returning(return_rate_mw_per_s, least)
        self.reset(np.zeros(elements.row.size, dtype=np.bool_))

    def reset(self, alive: Bools) -> None:
        """Return to the operating point; `alive` is what is in service and energised there."""
        e = self._elements
        self.start_alive = alive.copy()
        self.p_mw: Floats = e.p0_mw.copy()
        self.q_mvar: Floats = e.q0_mvar.copy()
        self.units_mw: Floats | None = None
        """Power of each unit at the first exchange: what the plan covers."""
        self._left_mw: Floats = np.zeros(self._areas)
        self._returning.reset()
        self._asked = self._planned()
        self._last_s = 0.0
        self._scale: Floats = np.zeros(0)
        self._take(alive)

    def _planned(self) -> Floats:
        """Return planned consumption less undispatched generation, per area [MW]."""
        part = self._plan
        counted = self.start_alive[part].copy()
        counted[self._gen] &= ~self._dispatchable
        asked = np.bincount(self._area[part], self.p_mw[part] * counted, minlength=self._areas)
        asked = np.asarray(asked, dtype=np.float64)  # integers where nothing is planned
        if self.units_mw is not None:
            unit = self._elements.section["unit"]
            asked += np.bincount(self._area[unit], self.units_mw, minlength=self._areas)
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
        first = self.units_mw is None
        same = alive is self._alive and (not scale_pu.size or np.array_equal(scale_pu, self._scale))
        if same and not first and not self._returning.busy:
            self._last_s = dt_s
            return False
        if first:
            self.units_mw = units_mw.copy()
        self._follow(scale_pu, alive)
        asked = self._planned()
        change = asked - self._asked
        self._asked = asked
        for area in np.flatnonzero(change):
            self._dispatch(int(area), float(change[area]), alive, delivered_mw)
        ramping = self._returning.busy
        if ramping:
            self._returning.ramp(self._last_s, -self.p_mw[self._gen])
        self._last_s = dt_s
        self._take(alive)
        return bool(np.any(change)) or ramping

    def _follow(self, scale_pu: Floats, alive: Bools) -> None:
        """Scale what is alive by the drivers' factors; what is dead keeps its last plan."""
        e, part = self._elements, self._plan
        self._scale = scale_pu.copy()
        if not scale_pu.size:
            return
        factor = np.append(scale_pu, 1.0)[self.driver[part]]
        follow = alive[part] & (self.driver[part] < scale_pu.size)
        self.p_mw[part] = np.where(follow, e.p0_mw[part] * factor, self.p_mw[part])
        self.q_mvar[part] = np.where(follow, e.q0_mvar[part] * factor, self.q_mvar[part])

    def _dispatch(self, area: int, change_mw: float, alive: Bools, delivered_mw: Floats) -> None:
        """Share a change over the area's gens; what they cannot take is left."""
        planned = alive[self._gen] & self.start_alive[self._gen] & self._dispatchable
        planned &= self._returning.missing_mw <= 0.0
        mine = np.flatnonzero((self._area[self._gen] == area) & planned)
        wanted = change_mw + self._left_mw[area]  # what was left is taken back as soon as there is room
        if mine.size == 0:
            self._left_mw[area] = wanted
            return
        at = self._gen.start + mine
        least = self._min_mw[mine] - np.minimum(delivered_mw[mine], 0.0)
        most = self._max_mw[mine] - np.maximum(delivered_mw[mine], 0.0)
        after, left = share_out(wanted, -self.p_mw[at], least, most, self._participation[mine])
        self.p_mw[at] = -after
        self._left_mw[area] = left

    def gens_mw(self) -> Floats:
        """Return the scheduled generation of each gen [MW]: its plan, less while it is on its way back."""
        return self._gens_mw.copy()

    def _take(self, alive: Bools) -> None:
        """Sum up what holds until plan or topology changes next."""
        part, areas = self._plan, self._areas
        self._alive = alive
        self._gens_mw: Floats = -self.p_mw[self._gen] - self._returning.missing_mw
        self.import_mw: Floats = np.where(self._has_rest, self._left_mw, 0.0)
        """Planned change (areas,) no gen could take that the rest of the area delivers."""
        self.missing_mw: Floats = np.where(self._has_rest, 0.0, self._left_mw)
        """Planned change (areas,) nobody delivers: the area has no rest."""
        change = self.p_mw[part] * (alive[part].astype(np.float64) - self.start_alive[part])
        change[self._gen] += self._returning.missing_mw
        beyond = np.bincount(self._area[part], change, minlength=areas) + self.missing_mw
        self._beyond_mw: Floats = np.asarray(beyond, dtype=np.float64)
        drawn = self.p_mw[self._load] * alive[self._load]
        loads = np.bincount(self._area[self._load], drawn, minlength=areas)
        self.loads_mw: Floats = np.asarray(loads, dtype=np.float64)
        """Planned power of the case's loads that are alive, per area."""

    def shed(self, load: int, left_pu: float) -> None:
        """Plan with what is left of a load another engine has shed; plants follow at the next exchange."""
        at = self._load.start + load
        self._elements.p0_mw[at] *= left_pu
        self._elements.q0_mvar[at] *= left_pu
        self.p_mw[at] *= left_pu
        self.q_mvar[at] *= left_pu
        self._alive = self._alive.copy()  # plans are looked at again when the topology is another array

    def imbalance_mw(self, units_mw: Floats, alive: Bools) -> Floats:
        """Return consumption beyond the plan, per area [MW]: units' changes, trips, returns, shortage."""
        if not units_mw.size:
            return self._beyond_mw.copy()
        unit = self._elements.section["unit"]
        planned = self.units_mw if self.units_mw is not None else units_mw
        beyond = units_mw * alive[unit] - planned
        total = self._beyond_mw + np.bincount(self._area[unit], beyond, minlength=self._areas)
        return np.asarray(total, dtype=np.float64)
