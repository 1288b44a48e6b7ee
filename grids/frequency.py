"""Area frequency: one centre-of-inertia swing equation per synchronous area, on the inner clock."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from pydantic import Field

from cosim.core.errors import ScenarioError, SolveError
from cosim.core.params import Params
from cosim.core.types import Bools, Floats
from grids.fleet import GOVERNORS, AreaTable, Fleet, Offers
from grids.frequency_arrays import area_arrays, connect, droop_arrays, machine_arrays
from grids.kernels import answer
from grids.kernels.frequency import advance
from grids.kernels.frequency_state import Agc, Model, Span


class AgcParams(Params):
    """Automatic generation control of one area: sampled PI on frequency."""

    cycle_s: float = Field(default=4.0, gt=0, description="time between two orders")
    gain_pu: float = Field(default=0.1, ge=0, description="proportional part of the area control error")
    t_integral_s: float = Field(default=60.0, gt=0, description="integral time")
    deadband_hz: float = Field(default=0.005, ge=0, description="deviation below which orders stay")
    ahead_s: float = Field(default=12.0, gt=0, description="ramping the integral may be ahead of delivery")


def _row(table: Floats, row: int) -> Floats:
    values: Floats = table[row]
    return values


class Coupling(Protocol):
    """What ties areas together within an exchange, as links with frequency support do."""

    def advance(self, models: Sequence[Model], spans: Sequence[Span]) -> list[Span]:
        """Advance all areas; return the spans in the inner steps that were taken."""


class FrequencyStep(NamedTuple):
    """What happened in one exchange. All arrays are fresh; MW at the end of the interval unless said."""

    areas: Floats
    """(AREA_ROWS, areas), rows as in `grids.kernels.answer`; so are those of the others."""
    machines: Floats
    """(MACHINE_ROWS, machines)"""
    offers: Floats
    """(OFFER_ROWS, offers)"""

    @property
    def f_hz(self) -> Floats:
        """(areas,) frequency at the end."""
        return _row(self.areas, answer.F_HZ)

    @property
    def f_min_hz(self) -> Floats:
        """(areas,) nadir within the exchange, both ends included."""
        return _row(self.areas, answer.F_MIN_HZ)

    @property
    def f_max_hz(self) -> Floats:
        """(areas,) zenith within the exchange, both ends included."""
        return _row(self.areas, answer.F_MAX_HZ)

    @property
    def rocof_hz_per_s(self) -> Floats:
        """(areas,) largest rate of change over a sliding 500 ms window, signed."""
        return _row(self.areas, answer.ROCOF_HZ_PER_S)

    @property
    def p_governor_mw(self) -> Floats:
        """(machines,) primary response, > 0 generates more."""
        return _row(self.machines, answer.GOVERNOR_MW)

    @property
    def p_agc_mw(self) -> Floats:
        """(machines,) secondary response, > 0 generates more."""
        return _row(self.machines, answer.AGC_MW)

    @property
    def p_inertia_mw(self) -> Floats:
        """(machines,) power from kinetic energy, > 0 while the machine slows down."""
        return _row(self.machines, answer.INERTIA_MW)

    @property
    def p_damping_mw(self) -> Floats:
        """(areas,) load that is missing because frequency is low, > 0 below nominal."""
        return _row(self.areas, answer.DAMPING_MW)

    @property
    def p_droop_mw(self) -> Floats:
        """(offers,) change of consumption, < 0 when frequency is low."""
        return _row(self.offers, answer.DROOP_MW)

    @property
    def p_droop_mean_mw(self) -> Floats:
        """(offers,) the same, mean over the exchange."""
        return _row(self.offers, answer.DROOP_MEAN_MW)


class AreaFrequency:
    """Frequency of every synchronous area and the power that answers its deviation.

    At the end of every interval, per area and to float precision::

        sum(p_governor + p_agc + p_inertia) + p_damping - sum(p_droop) = imbalance
    """

    def __init__(
        self,
        fleet: Fleet,
        areas: AreaTable,
        offers: Offers,
        inner_step_s: float = 0.02,
        agc: AgcParams | None = None,
        *,
        calm_step_s: float = 0.1,
    ) -> None:
        """Take arrays as in `grids.fleet`; `inner_step_s` is the longest step of the inner clock.

        While frequency is calm, inner steps are taken together up to `calm_step_s`; 0: never.

        Raises
        ------
        ScenarioError
            When `inner_step_s` is not positive.
        """
        if not 0.0 < inner_step_s <= 1.0:
            msg = f"inner_step_s={inner_step_s:g}: allowed is above 0 and up to 1 s"
            raise ScenarioError(msg)
        self.fleet, self.areas, self.offers = fleet, areas, offers
        self.inner_step_s, self._calm_step_s = inner_step_s, calm_step_s
        settings = agc if agc is not None else AgcParams()
        self._agc = Agc(
            settings.cycle_s, settings.gain_pu, settings.t_integral_s, settings.deadband_hz, settings.ahead_s
        )
        governed = (fleet.governor_code != GOVERNORS.index("none")) & (fleet.responding_pu > 0.0)
        answers = governed | (fleet.agc_share_pu > 0.0)
        rows = range(areas.size)
        self._machines = [np.flatnonzero(answers & (fleet.area == area)) for area in rows]
        self._offers = [np.flatnonzero(offers.area == area) for area in rows]
        self._f_nominal_hz: list[float] = areas.f_nominal_hz.tolist()
        self.coupling: Coupling | None = None
        """What ties areas together within an exchange."""
        self._inertia = 2.0 * fleet.h_s * fleet.sn_mva / areas.f_nominal_hz[fleet.area]
        self.reset()

    def reset(self) -> None:
        """Return to nominal frequency, everybody online as in the fleet, nothing answering."""
        self.online: Bools = self.fleet.online.copy()
        self.p_schedule_mw: Floats = self.fleet.p0_mw.copy()
        self._models: list[Model] = []
        for area, (machines, offers) in enumerate(zip(self._machines, self._offers, strict=True)):
            arrays = area_arrays(self.areas, area, max(machines.size, offers.size))
            answering = machine_arrays(self.fleet, machines)
            self._models.append(Model(answering, arrays, droop_arrays(self.offers, offers), self._agc))
        self._started = False
        self._connect()

    def step(  # noqa: PLR0917 - the agreed order, units in every name
        self,
        t_s: float,
        dt_s: float,
        imbalance_mw: Floats,
        offers_mw_per_hz: Floats,
        offers_up_mw: Floats,
        offers_down_mw: Floats,
    ) -> FrequencyStep:
        """Advance from t_s to t_s + dt_s; `imbalance_mw` (areas,) > 0 is a deficit, held over the step.

        It is everything but the answer: change of load and of unscheduled generation against the
        schedule, a tripped machine's scheduled output included. Offers are (offers,), all >= 0: droop,
        and how much consumption may rise and fall.

        Raises
        ------
        SolveError
            When an area has no rotating machine left, or the imbalance is not finite.
        """
        self._check(t_s, imbalance_mw)
        fleet, inertia = self.fleet, self._inertia_online
        areas = np.empty((answer.AREA_ROWS, self.areas.size))
        machines = np.empty((answer.MACHINE_ROWS, fleet.size))
        offers = np.empty((answer.OFFER_ROWS, self.offers.size))
        spans: list[Span] = []
        for area, (model, chosen) in enumerate(zip(self._models, self._offers, strict=True)):
            here, droops = model.area, model.droops
            stable_s = answer.take_offers(
                offers_mw_per_hz, offers_up_mw, offers_down_mw, chosen, droops.fixed,
                here.inertia_mws_per_hz,
            )  # fmt: skip
            if not self._started:
                here.agc_next_s[0] = t_s + self._agc.cycle_s
                here.sample_s[0] = t_s - 1.0  # the past is flat
            steps = max(1, math.ceil(dt_s / min(self.inner_step_s, stable_s) - 1e-9))
            step_s = float(dt_s) / steps
            longest_s = step_s if model.machines.relays.size else min(self._calm_step_s, stable_s)
            long_steps = max(1, int(longest_s / step_s + 1e-6))
            spans.append(Span(float(t_s), step_s, steps, long_steps, float(imbalance_mw[area])))
            if self.coupling is None:
                advance(model, spans[-1])
        if self.coupling is not None:
            spans = self.coupling.advance(self._models, spans)
        parts = zip(self._models, spans, self._machines, self._offers, self._f_nominal_hz, strict=True)
        for area, (model, span, answering, chosen, f0_hz) in enumerate(parts):
            here = model.area
            answer.read_area(
                area, span.steps, f0_hz, here.damping_mw_per_hz, here.df_hz, here.found, fleet.area, inertia,
                answering, model.machines.state, chosen, model.droops.state, areas, machines, offers,
            )  # fmt: skip
        self._started = True
        return FrequencyStep(areas, machines, offers)

    def trip(self, machine: int) -> None:
        """Disconnect a machine: its inertia, governor and AGC response leave at once.

        The caller adds its *scheduled* output to the imbalance; what governor and AGC had added
        leaves with the machine.
        """
        self.online[machine] = False
        self._connect()

    def close(self, machine: int) -> None:
        """Reconnect a machine, synchronised and without response; the caller accounts for its schedule."""
        self.online[machine] = True
        self._connect()

    def set_frequency(self, f_hz: Floats) -> None:
        """Set the frequency (areas,) found by another model; the RoCoF window moves with it."""
        for area, model in enumerate(self._models):
            there = model.area
            step_hz = float(f_hz[area] - self.areas.f_nominal_hz[area] - there.df_hz[0])
            there.df_hz[:] += step_hz
            there.sample_hz[:] += step_hz

    def set_schedule(self, p_mw: Floats) -> None:
        """Set the scheduled output (machines,) [MW]; headroom follows."""
        self.p_schedule_mw = np.array(p_mw, dtype=np.float64)
        self._headroom()

    def set_damping(self, mw_per_hz: Floats) -> None:
        """Set how much load (areas,) goes away per Hz below nominal; it follows the load that is alive."""
        for area, (model, damping) in enumerate(zip(self._models, mw_per_hz.tolist(), strict=True)):
            if damping != model.area.damping_mw_per_hz:
                self._models[area] = model._replace(area=model.area._replace(damping_mw_per_hz=damping))

    def _connect(self) -> None:
        """Let exactly the machines that are online take part."""
        online = np.where(self.online, self._inertia, 0.0)
        self._inertia_online = online
        self._kinetic = np.bincount(self.fleet.area, online, self.areas.size)
        for area, (model, chosen) in enumerate(zip(self._models, self._machines, strict=True)):
            connect(model.machines, self.fleet, self.areas, chosen, self.online)
            moved = model.area._replace(inertia_mws_per_hz=float(self._kinetic[area]))
            self._models[area] = model._replace(area=moved)
        self._headroom()

    def _headroom(self) -> None:
        fleet, p_mw = self.fleet, self.p_schedule_mw
        for model, chosen in zip(self._models, self._machines, strict=True):
            answer.set_room(p_mw, fleet.min_p_mw, fleet.max_p_mw, chosen, model.machines.fixed)

    def _check(self, t_s: float, imbalance_mw: Floats) -> None:
        for area, name in enumerate(self.areas.name):
            if self._kinetic[area] <= 0.0:
                msg = f"t={t_s:g} s: area {name!r} has no rotating machine left, its frequency is undefined"
                raise SolveError(msg)
            if not math.isfinite(imbalance_mw[area]):
                msg = f"t={t_s:g} s: the imbalance of area {name!r} is {imbalance_mw[area]} MW"
                raise SolveError(msg)
