"""Frequency meets power flow: who is missing power, who answers, and where the answer comes in."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from cosim.core.component import DroopOffer
from cosim.core.types import Bools, Floats, Ints
from grids.case import Case
from grids.elements import bus_rows, element_names
from grids.fleet import areas_from_case, fleet_from_case, offers_from_devices
from grids.frequency import AreaFrequency
from grids.kernels.answer import LOAD_ROWS, share_answer, take_loads
from grids.links.support import Support

AREA = (
    "f_hz",
    "f_min_hz",
    "f_max_hz",
    "rocof_hz_per_s",
    "p_imbalance_mw",
    "p_governor_mw",
    "p_droop_mw",
    "p_agc_mw",
    "p_damping_mw",
)


def area_of_rows(net: Any) -> tuple[tuple[str, ...], Ints]:
    """Return the names of the synchronous areas and the area of each row of `net.bus`."""
    names = tuple(str(name) for name in net["areas"]["name"])
    number = {name: k for k, name in enumerate(names)}
    if "area" not in net.bus:
        return names, np.zeros(len(net.bus), dtype=np.int64)
    return names, np.array([number.get(str(a), 0) for a in net.bus["area"]], dtype=np.int64)


def rest_load_mw(net: Any) -> Floats:
    """Return the load of the rest of each area, outside the case [MW]."""
    areas = net["areas"]
    if "rest_load_mw" not in areas:
        return np.zeros(len(areas))
    return np.array(areas["rest_load_mw"], dtype=np.float64)


@dataclass(frozen=True)
class Tie:
    """A boundary element through which a share of the rest of an area answers."""

    table: str
    row: int
    area: int
    share_pu: float


def ties_of(net: Any, areas: Sequence[str]) -> tuple[Tie, ...]:
    """Return the ties of a case; where an area has none, the slack brings its rest."""
    if "ties" not in net:
        return ()
    names = {table: element_names(net[table], table) for table in ("ext_grid", "gen", "sgen")}
    ties = []
    for element, area, share in zip(
        net["ties"]["element"], net["ties"]["area"], net["ties"]["share_pu"], strict=True
    ):
        table = next(t for t in names if str(element) in names[t])
        row = names[table].index(str(element))
        ties.append(Tie(table, row, list(areas).index(str(area)), float(share)))
    return tuple(ties)


def tie_rows(net: Any, ties: Sequence[Tie]) -> Ints:
    """Return the row of `net.bus` of each tie."""
    return np.array([bus_rows(net, [net[t.table]["bus"].iloc[t.row]])[0] for t in ties], dtype=np.int64)


def tie_to_row(ties: Sequence[Tie], gens: int, ext_grids: int) -> Floats:
    """Return the matrix that puts ties into rows of the gen table (gens, then ext_grids)."""
    matrix = np.zeros((gens + ext_grids, len(ties)))
    for k, tie in enumerate(ties):
        if tie.table != "sgen":
            matrix[tie.row + (gens if tie.table == "ext_grid" else 0), k] = 1.0
    return matrix


class Answer(NamedTuple):
    """What answers a frequency deviation at the end of an exchange, by where it enters the power flow."""

    gen_mw: Floats
    """(gens,) more generation."""
    load_factor_pu: Floats
    """(areas,) factor on the active power of the case's loads."""
    droop_mw: Floats
    """(units,) more consumption, at the end."""
    droop_mean_mw: Floats
    """(units,) the same, mean over the exchange: what the unit's energy balance needs."""
    tie_mw: Floats
    """(2, ties) more power into the case: what answers, and what is planned."""
    slack_mw: float
    """More power, answering and planned, from the rest that has no living tie but the slack."""
    area: Floats
    """The columns `AREA`, shape (9, areas)."""


class Response:
    """The area frequencies of a case, wired to its power flow.

    Parameters
    ----------
    case
        The case, with areas, rest_fleet and ties, at its operating point.
    ties
        Its ties.
    unit_area
        Area of each connected unit.
    devices
        Fast offers of the units.
    inner_step_s
        Step of the swing equation.
    support
        Links that support the frequency of areas, where there are any.
    """

    def __init__(
        self,
        case: Case,
        ties: Sequence[Tie],
        unit_area: Ints,
        *,
        devices: Sequence[DroopOffer | None],
        inner_step_s: float,
        support: Support | None = None,
    ) -> None:
        net = case.net
        self.names, _ = area_of_rows(net)
        self._areas = len(self.names)
        self._ties = tuple(ties)
        self.fleet = fleet_from_case(case)
        self._gens = len(net.gen)
        offers = offers_from_devices(tuple(devices) or (None,) * unit_area.size, unit_area)
        self._frequency = AreaFrequency(self.fleet, areas_from_case(case), offers, inner_step_s)
        self._frequency.coupling = self._support = support
        self._unit_area = unit_area
        areas = net["areas"]
        self._rest_load = rest_load_mw(net)
        self.f_nominal_hz: Floats = areas["f_nominal_hz"].to_numpy(dtype=float)
        self._damping_per_hz: Floats = areas["load_damping_pu"].to_numpy(dtype=float) / self.f_nominal_hz
        self._planned_mw: Floats = self.fleet.p0_mw.copy()
        self._loads: Floats = np.empty((LOAD_ROWS, self._areas))
        self._set_loads(np.zeros(self._areas))
        self._import_mw: Floats = np.zeros(self._areas)
        self.reset(np.ones(len(self._ties), dtype=np.bool_))

    def reset(self, ties_alive: Bools) -> None:
        """Return to nominal frequency, with the ties (ties,) that are alive there."""
        self._frequency.reset()
        self.set_ties(ties_alive)
        self.delivered_mw: Floats = np.zeros(self._gens)
        """What governor and AGC of each gen (gens,) deliver at the end of the last exchange [MW]."""
        self.agc_mw: Floats = np.zeros(self.fleet.size)
        """The AGC's part of it, of each machine (machines,)."""

    def fork(self) -> "Response":
        """Return another that stands where this one does and moves by itself; the fleet is shared."""
        return copy.deepcopy(self, {id(self.fleet): self.fleet})

    @property
    def support(self) -> Support | None:
        """Links that support the frequency of areas, where there are any."""
        return self._support

    def set_frequency(self, f_hz: Floats) -> None:
        """Take the frequency (areas,) another engine found."""
        self._frequency.set_frequency(f_hz)

    def ordered_mw(self) -> tuple[Floats, Floats]:
        """Return what AGC orders of each gen (gens,), and what AGC and plan want of each tie (ties,) [MW]."""
        own, rest = self.agc_mw[: self._gens], self.agc_mw[self._gens :]
        by_area = np.bincount(self.fleet.area[self._gens :], rest, minlength=self._areas)
        return own, self._tie_share @ by_area + self._tie_share @ self._import_mw

    def set_schedule(self, gens_mw: Floats) -> None:
        """Tell the governors what their machines are planned to generate."""
        self._planned_mw[: self._gens] = gens_mw
        self._frequency.set_schedule(self._planned_mw)

    def trip(self, gen: int) -> None:
        """Take a gen's inertia and response away."""
        self._frequency.trip(gen)

    def close(self, gen: int) -> None:
        """Bring a gen back."""
        self._frequency.close(gen)

    def rest(self) -> Answer:
        """Return the answer at nominal frequency: none."""
        areas, units = self._areas, self._unit_area.size
        table = np.zeros((len(AREA), areas))
        table[:3] = self.f_nominal_hz  # the frequencies
        return Answer(
            gen_mw=np.zeros(self._gens),
            load_factor_pu=np.ones(areas),
            droop_mw=np.zeros(units),
            droop_mean_mw=np.zeros(units),
            tie_mw=np.zeros((2, len(self._ties))),
            slack_mw=0.0,
            area=table,
        )

    def step(
        self,
        t_s: float,
        dt_s: float,
        imbalance_mw: Floats,
        offers: Floats,
        *,
        loads_mw: Floats,
        import_mw: Floats,
    ) -> Answer:
        """Advance the frequencies and share out the answer.

        Parameters
        ----------
        imbalance_mw
            Consumption beyond the plan, per area.
        offers
            `droop_mw_per_hz, droop_up_mw, droop_down_mw` of the units, shape (3, units).
        loads_mw
            Undamped power of the case's loads that are alive, per area; damping follows it.
        import_mw
            Planned change the rest of each area delivers (areas,). Both arrays are new when they change.
        """
        if loads_mw is not self._loads_mw:
            self._set_loads(loads_mw)
        self._import_mw = import_mw
        found = self._frequency.step(t_s, dt_s, imbalance_mw, *offers)
        self.agc_mw = found.p_agc_mw
        if self._support is not None:
            imbalance_mw = imbalance_mw + self._support.drawn_mw(self._areas)
        factor_pu, table = np.empty(self._areas), np.empty((len(AREA), self._areas))
        self.delivered_mw, gen_mw = np.empty(self._gens), np.empty(self._gens)
        tie_mw = np.empty((2, len(self._ties)))
        slack_mw = share_answer(
            *found, self.fleet.area, self._unit_area, imbalance_mw, self._loads, self._tie_share, import_mw,
            table, factor_pu, self.delivered_mw, gen_mw, tie_mw,
        )  # fmt: skip
        return Answer(
            gen_mw=gen_mw,
            load_factor_pu=factor_pu,
            droop_mw=found.p_droop_mw,
            droop_mean_mw=found.p_droop_mean_mw,
            tie_mw=tie_mw,
            slack_mw=slack_mw,
            area=table,
        )

    def _set_loads(self, loads_mw: Floats) -> None:
        """Take the living load (areas,) of the case: what load damping acts on, with that of the rest."""
        self._loads_mw = loads_mw
        damping_mw_per_hz = np.empty(self._areas)
        take_loads(loads_mw, self._rest_load, self._damping_per_hz, self._loads, damping_mw_per_hz)
        self._frequency.set_damping(damping_mw_per_hz)

    def set_ties(self, alive: Bools) -> None:
        """Let the rest of each area in over its living ties, by share; what has no tie, over the slack."""
        share = np.zeros((len(self._ties), self._areas))
        for k, tie in enumerate(self._ties):
            share[k, tie.area] = tie.share_pu * alive[k]
        total = share.sum(axis=0)
        self._tie_share = np.divide(share, total, out=np.zeros_like(share), where=total > 0.0)
